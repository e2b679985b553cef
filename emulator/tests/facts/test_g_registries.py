"""Tests of registries in Resource Manager (azure-facts G5, G6): modes, the admin user, tokens, and the limits
of tiers.
"""

from datetime import timedelta
from typing import Any

import pytest
from local_azure.arm.behaviour import ResourceState
from local_azure.timing import Timing
from management import ARM, GROUP, REGISTRY, SUBSCRIPTION, World
from pydantic import TypeAdapter

SUB = f"/subscriptions/{SUBSCRIPTION}"
RIGHTS = ["repositories/samples/*/content/read", "repositories/hello/metadata/read"]


@pytest.fixture
def world() -> World:
    return World()


def at(path: str, version: str = "2025-11-01") -> str:
    return f"{ARM}{path}?api-version={version}"


def second(world: World, tier: str = "Standard", version: str = "2025-11-01", **properties: Any) -> Any:
    path = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/second1"
    return world.owner.call(
        "PUT", at(path, version), {"location": "eastus", "sku": {"name": tier}, "properties": properties}
    )


def test_g5_the_mode_can_be_set_since_2025_and_is_unknown_to_older_versions(world: World) -> None:
    abac = {"roleAssignmentMode": "AbacRepositoryPermissions"}
    assert "roleAssignmentMode" not in second(world, version="2023-07-01", **abac).body["properties"]
    assert second(world).body["properties"]["roleAssignmentMode"] == "LegacyRegistryPermissions"
    assert second(world, **abac).body["properties"]["roleAssignmentMode"] == "AbacRepositoryPermissions"
    assert second(world, roleAssignmentMode="Other").status == 400


def test_g6_the_admin_user_is_off_and_its_credentials_are_refused_until_it_is_on(world: World) -> None:
    answer = world.owner.call("POST", at(REGISTRY + "/listCredentials"))
    assert (answer.status, answer.body["error"]["code"]) == (400, "UnAuthorizedForCredentialOperations")
    world.owner.call("PATCH", at(REGISTRY), {"properties": {"adminUserEnabled": True}})
    shown = world.owner.call("POST", at(REGISTRY + "/listCredentials")).body
    assert (shown["username"], [p["name"] for p in shown["passwords"]]) == (
        "mycontainerregistry",
        ["password", "password2"],
    )
    assert [p["value"] for p in shown["passwords"]] == list(world.resources.access.admin_passwords(REGISTRY))


def test_g6_a_regenerated_admin_password_takes_a_minute_to_spread(world: World) -> None:
    world = World(Timing(role_active=0, secret_valid=0, replicas=1))
    world.owner.call("PATCH", at(REGISTRY), {"properties": {"adminUserEnabled": True}})
    access = world.resources.access
    old, other = access.admin_passwords(REGISTRY)
    assert access.admin_knows(REGISTRY, old)
    answer = world.owner.call("POST", at(REGISTRY + "/regenerateCredential"), {"name": "password"}).body
    new = answer["passwords"][0]["value"]
    assert (access.admin_knows(REGISTRY, old), access.admin_knows(REGISTRY, new)) == (True, False)
    again = access.regenerate(REGISTRY, 0)
    world.clock.advance(timedelta(seconds=60))
    assert [access.admin_knows(REGISTRY, each) for each in (old, new, again, other)] == [False, False, True, True]
    assert world.owner.call("POST", at(REGISTRY + "/regenerateCredential"), {"name": "password1"}).status == 400


def test_g6_a_token_has_the_rights_of_its_scope_map_on_the_repositories_that_it_names(world: World) -> None:
    maps, tokens = f"{REGISTRY}/scopeMaps", f"{REGISTRY}/tokens"
    made = world.owner.call(
        "PUT", at(f"{maps}/readers"), {"properties": {"actions": RIGHTS, "description": "for tests"}}
    )
    assert (made.status, made.body["properties"]["type"], made.body["properties"]["actions"]) == (
        201,
        "UserDefined",
        RIGHTS,
    )
    token = world.owner.call(
        "PUT", at(f"{tokens}/puller"), {"properties": {"scopeMapId": made.body["id"], "status": "enabled"}}
    )
    assert (token.status, token.body["properties"]["credentials"]) == (201, {"passwords": []})
    access = world.resources.access
    for right, repository, allowed in (
        ("content/read", "samples/nginx", True),
        ("content/write", "samples/nginx", False),
        ("content/read", "hello", False),
        ("metadata/read", "hello", True),
        ("metadata/read", "hello2", False),
    ):
        assert access.allows(REGISTRY, "Puller", right, repository) is allowed
    names = [each["name"] for each in world.owner.call("GET", at(maps)).body["value"]]
    assert (len(names), names[-1]) == (6, "readers")
    world.owner.call("PATCH", at(f"{tokens}/puller"), {"properties": {"scopeMapId": f"{maps}/_repositories_pull"}})
    assert access.allows(REGISTRY, "puller", "content/read", "anything/at/all")


def test_g6_the_passwords_of_a_token_are_shown_once_expire_and_count_only_while_it_is_enabled(world: World) -> None:
    tokens, access = f"{REGISTRY}/tokens", world.resources.access
    body = {"properties": {"scopeMapId": f"{REGISTRY}/scopeMaps/_repositories_pull"}}
    token = world.owner.call("PUT", at(f"{tokens}/puller"), body).body
    made = world.owner.call("POST", at(REGISTRY + "/generateCredentials"), {"tokenId": token["id"]}).body
    first, other = (each["value"] for each in made["passwords"])
    assert (made["username"], [access.knows(REGISTRY, "puller", each) for each in (first, other)]) == (
        "puller",
        [True, True],
    )
    shown = world.owner.call("GET", at(f"{tokens}/puller")).body["properties"]["credentials"]["passwords"]
    assert [sorted(each) for each in shown] == [["creationTime", "name"]] * 2
    soon = {"tokenId": token["id"], "name": "password1", "expiry": "2026-03-01T13:00:00.0000000Z"}
    [new] = world.owner.call("POST", at(REGISTRY + "/generateCredentials"), soon).body["passwords"]
    assert [access.knows(REGISTRY, "puller", each) for each in (first, other, new["value"])] == [False, True, True]
    world.clock.advance(timedelta(hours=1))
    assert not access.knows(REGISTRY, "puller", new["value"])
    world.owner.call("PATCH", at(f"{tokens}/puller"), {"properties": {"status": "disabled"}})
    assert (access.knows(REGISTRY, "puller", other), access.actions(REGISTRY, "puller")) == (False, [])


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("scopeMaps/_repositories_pull", {"actions": RIGHTS}, "SystemScopeMapReadOnly"),
        ("scopeMaps/readers", {"actions": ["repositories/x/everything"]}, "InvalidScopeMapAction"),
        ("scopeMaps/readers", {"actions": []}, "InvalidRequestContent"),
        ("scopeMaps/a", {"actions": RIGHTS}, "InvalidResourceName"),
        ("tokens/puller", {"scopeMapId": f"{REGISTRY}/scopeMaps/absent"}, "ScopeMapNotFound"),
        (
            "tokens/puller",
            {"scopeMapId": f"{REGISTRY}/scopeMaps/_repositories_pull", "status": "on"},
            "InvalidRequestContent",
        ),
    ],
)
def test_what_makes_no_sense_of_a_token_is_refused(world: World, path: str, body: object, code: str) -> None:
    answer = world.owner.call("PUT", at(f"{REGISTRY}/{path}"), {"properties": body})
    assert (answer.status, answer.body["error"]["code"]) == (400, code)


def test_tokens_and_scope_maps_go_and_go_with_their_registry(world: World) -> None:
    body = {"properties": {"scopeMapId": f"{REGISTRY}/scopeMaps/_repositories_pull"}}
    world.owner.call("PUT", at(f"{REGISTRY}/tokens/puller"), body)
    adapter = TypeAdapter(ResourceState)
    assert adapter.validate_json(adapter.dump_json(world.resources.state)) == world.resources.state
    assert [world.owner.call("DELETE", at(f"{REGISTRY}/tokens/puller")).status for _ in range(2)] == [202, 204]
    assert world.owner.call("GET", at(f"{REGISTRY}/tokens/puller")).status == 404
    world.owner.call("PUT", at(f"{REGISTRY}/tokens/puller"), body)
    assert [world.owner.call("DELETE", at(REGISTRY)).status for _ in range(2)] == [200, 204]
    assert world.resources.state.access == {}


def test_a_reader_sees_no_credential(world: World) -> None:
    reader = world.identity("reader")
    world.authorization.assign(REGISTRY, reader.oid, "Reader")
    assert reader.call("GET", at(f"{REGISTRY}/tokens")).status == 200
    for verb in ("listCredentials", "regenerateCredential", "generateCredentials"):
        answer = reader.call("POST", at(f"{REGISTRY}/{verb}"), {"name": "password"})
        assert (answer.status, answer.body["error"]["code"]) == (403, "AuthorizationFailed")
        assert f"registries/{verb}/action" in answer.body["error"]["message"]


def test_g6_what_a_tier_does_not_have_is_refused(world: World) -> None:
    for tier, properties, code in (
        ("Basic", {"anonymousPullEnabled": True}, "BadRequest"),
        ("Basic", {"publicNetworkAccess": "Disabled"}, "DisablingPublicNetworkAccessNotSupported"),
        ("Standard", {"networkRuleSet": {"defaultAction": "Deny"}}, "NetworkRuleSetNotSupported"),
        ("Gold", {}, "InvalidSku"),
    ):
        answer = second(world, tier, **properties)
        assert (answer.status, answer.body["error"]["code"]) == (400, code)
    rules = [{"action": "Allow", "value": "192.0.2.0/24"}]
    made = second(
        world, "Premium", publicNetworkAccess="Disabled", networkRuleSet={"defaultAction": "Deny", "ipRules": rules}
    )
    assert (made.status, made.body["properties"]["networkRuleSet"]) == (
        201,
        {"defaultAction": "Deny", "ipRules": rules},
    )


def test_a_new_registry_is_announced_and_followed_until_it_is_made() -> None:
    world = World(Timing(role_active=0, secret_valid=0, replicas=1))
    made = second(world, "Premium")
    assert (made.status, made.body["properties"]["provisioningState"]) == (201, "Creating")
    follow = made.headers["Azure-AsyncOperation"]
    assert world.owner.call("GET", follow).body == {"status": "Creating"}
    assert world.owner.call("GET", at(made.body["id"])).body["properties"]["provisioningState"] == "Creating"
    world.clock.advance(timedelta(seconds=8))
    assert world.owner.call("GET", follow).body == {"status": "Succeeded"}
    assert world.owner.call("GET", at(made.body["id"])).body["properties"]["provisioningState"] == "Succeeded"


def test_names_are_checked_and_usages_listed(world: World) -> None:
    check = at(f"{SUB}/providers/Microsoft.ContainerRegistry/checkNameAvailability")
    kind = "Microsoft.ContainerRegistry/registries"
    free = world.owner.call("POST", check, {"name": "freename1", "type": kind}).body
    assert free == {"availableLoginServerName": "freename1.azurecr.io", "nameAvailable": True}
    taken = world.owner.call("POST", check, {"name": "MyContainerRegistry", "type": kind}).body
    assert (taken["nameAvailable"], taken["reason"]) == (False, "AlreadyExists")
    assert world.owner.call("POST", check, {"name": "no-good", "type": kind}).body["reason"] == "Invalid"
    usages = {each["name"]: each for each in world.owner.call("GET", at(REGISTRY + "/listUsages")).body["value"]}
    assert (usages["Size"]["limit"], usages["Tokens"]["currentValue"]) == (100 * 2**30, 0)
