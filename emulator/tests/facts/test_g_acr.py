"""Tests of the registry: permitted pulls, refusals with their words, and images that a real client can verify."""

import dataclasses
import json
from hashlib import sha256
from urllib.parse import urlencode

import jwt
import pytest
from containers import ID, REGISTRY, SERVER, TENANT, Answer, World
from local_azure.acr.refusal import Refused
from local_azure.acr.state import RegistryState
from local_azure.acr.tokens import TokenGrant
from local_azure.arm.behaviour import REGISTRIES
from local_azure.faults import Broken
from local_azure.timing import PROMPT, Timing
from pydantic import TypeAdapter
from registry import Client

SCOPE = f"/oauth2/token?service={SERVER}&scope=repository:app:pull"
HEAD = "/v2/app/manifests/v1"


@pytest.fixture
def world() -> World:
    return World()


def configure(world: World, **properties: object) -> None:
    world.azure.resources.put(REGISTRY, REGISTRIES, "eastus", dict(properties), sku={"name": "Premium"})


def post(world: World, path: str, **form: str) -> Answer:
    return world.send(
        "POST",
        f"https://{SERVER}{path}",
        urlencode(form).encode(),
        {"Content-Type": "application/x-www-form-urlencoded"},
    )


def access_token(world: World, scope: str = "repository:app:pull") -> str:
    answer = world.registry("GET", f"/oauth2/token?service={SERVER}&scope={scope}", basic=world.basic)
    assert answer.status == 200, answer.content
    return str(answer.body["access_token"])


def test_g1_the_challenge_names_the_token_endpoint(world: World) -> None:
    answer = world.registry("GET", "/v2/")
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == f'Bearer realm="https://{SERVER}/oauth2/token",service="{SERVER}"'
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert answer.headers["X-Ms-Correlation-Request-Id"]
    assert "WWW-Authenticate" in answer.headers["Access-Control-Expose-Headers"]
    token = world.registry("GET", f"/oauth2/token?service={SERVER}")
    assert "X-Ms-Ratelimit-Remaining-Calls-Per-Second" in token.headers
    assert "Docker-Distribution-Api-Version" not in token.headers
    message = "authentication required, visit https://aka.ms/acr/authorization for more information."
    assert (
        answer.content
        == json.dumps(
            {"errors": [{"code": "UNAUTHORIZED", "message": message, "detail": None}]}, separators=(",", ":")
        ).encode()
        + b"\n"
    )


def test_g1_the_challenge_of_a_repository_names_its_scope(world: World) -> None:
    answer = world.registry("HEAD", HEAD)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].endswith(',scope="repository:app:pull"')
    assert answer.body["errors"][0]["detail"] == [{"Type": "repository", "Name": "app", "Action": "pull"}]


def test_g2_a_valid_secret_buys_a_token_that_pulls_an_image_whose_every_digest_is_true(world: World) -> None:
    token = access_token(world)
    head = world.registry("HEAD", HEAD, bearer=token)
    manifest = world.registry("GET", HEAD, bearer=token)
    digest = f"sha256:{sha256(manifest.content).hexdigest()}"
    assert (head.status, manifest.status) == (200, 200)
    assert head.headers["Docker-Content-Digest"] == manifest.headers["Docker-Content-Digest"] == digest
    assert head.headers["Content-Length"] == str(len(manifest.content))
    assert (
        manifest.headers["Content-Type"] == manifest.body["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    )
    for part in (manifest.body["config"], *manifest.body["layers"]):
        blob = world.registry("GET", f"/v2/app/blobs/{part['digest']}", bearer=token)
        assert f"sha256:{sha256(blob.content).hexdigest()}" == part["digest"]
        assert len(blob.content) == part["size"]
    assert world.registry("GET", f"/v2/app/manifests/{digest}", bearer=token).content == manifest.content


def test_g2_the_access_token_says_what_it_allows_and_lives_75_minutes(world: World) -> None:
    claims = jwt.decode(access_token(world, "repository:app:pull,push"), options={"verify_signature": False})
    assert claims["access"] == [{"type": "repository", "name": "app", "actions": ["pull"]}]
    assert (claims["iss"], claims["aud"], claims["grant_type"]) == ("Azure Container Registry", SERVER, "password")
    assert claims["exp"] - claims["iat"] == 4500


def test_g3_a_wrong_secret_is_refused_in_acrs_words(world: World) -> None:
    answer = world.registry("GET", SCOPE, basic=(world.puller.app_id, "wrong"))
    assert answer.status == 401
    assert answer.body["errors"][0]["message"] == "Invalid clientid or client secret."
    answer = world.registry("GET", SCOPE, basic=("somebody", "wrong"))
    assert answer.body["errors"][0]["message"] == "aad access token with sp failed client id must be guid"


def test_g8_a_removed_secret_buys_no_token_but_the_tokens_issued_before_still_pull(world: World) -> None:
    token = access_token(world)
    world.azure.directory.remove_password(world.puller.application, world.puller.key_id)
    assert world.registry("GET", SCOPE, basic=world.basic).status == 401
    assert world.registry("HEAD", HEAD, bearer=token).status == 200
    world.wait(seconds=4500)
    answer = world.registry("HEAD", HEAD, bearer=token)
    assert answer.status == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_g3_without_a_role_the_token_endpoint_answers_200_and_the_repository_refuses(world: World) -> None:
    world.azure.authorization.delete(world.role.id)
    token = access_token(world)
    assert jwt.decode(token, options={"verify_signature": False})["access"] == []
    by_token = world.registry("HEAD", HEAD, bearer=token)
    assert by_token.status == 401
    assert 'error="insufficient_scope"' in by_token.headers["WWW-Authenticate"]
    by_password = world.registry("GET", HEAD, basic=world.basic)
    assert (by_password.status, by_password.code) == (403, "DENIED")
    assert by_password.body["errors"][0]["message"] == "requested access to the resource is denied"
    assert world.registry("GET", "/v2/", basic=world.basic).status == 200


def test_g2_basic_is_taken_straight_on_the_repository(world: World) -> None:
    assert world.registry("HEAD", HEAD, basic=world.basic).status == 200
    assert world.registry("GET", "/v2/", basic=world.basic).status == 200


def test_an_unknown_repository_tag_or_blob_is_404_in_its_own_code(world: World) -> None:
    found = [
        world.registry("GET", path, basic=world.basic)
        for path in (
            "/v2/none/manifests/v1",
            "/v2/app/manifests/v9",
            "/v2/app/manifests/sha256:00",
            "/v2/app/blobs/sha256:00",
            "/v2/none/tags/list",
        )
    ]
    assert [answer.status for answer in found] == [404] * 5
    assert [answer.code for answer in found] == [
        "NAME_UNKNOWN",
        "MANIFEST_UNKNOWN",
        "MANIFEST_UNKNOWN",
        "BLOB_UNKNOWN",
        "NAME_UNKNOWN",
    ]


def test_a_client_that_takes_no_oci_manifest_gets_none(world: World) -> None:
    accept = "application/vnd.docker.distribution.manifest.v2+json"
    refused = world.registry("GET", HEAD, basic=world.basic, Accept=accept)
    assert (refused.status, refused.code) == (404, "MANIFEST_UNKNOWN")
    both = f"{accept}, application/vnd.oci.image.manifest.v1+json"
    assert world.registry("GET", HEAD, basic=world.basic, Accept=both).status == 200


def test_tags_and_repositories_are_listed_in_pages(world: World) -> None:
    first = world.registry("GET", "/v2/app/tags/list?n=1", basic=world.basic)
    assert first.body == {"name": "app", "tags": ["latest"]}
    path = first.headers["Link"].partition(">")[0].removeprefix("<")
    assert world.registry("GET", path, basic=world.basic).body["tags"] == ["v1"]
    assert world.registry("GET", "/v2/_catalog", basic=world.basic).body == {"repositories": ["app", "job"]}


def test_g2_an_entra_token_is_exchanged_for_a_refresh_token_that_buys_access_for_three_hours(world: World) -> None:
    entra = world.token(world.puller, "https://containerregistry.azure.net/.default")
    exchanged = post(
        world, "/oauth2/exchange", grant_type="access_token", service=SERVER, tenant=TENANT, access_token=entra
    )
    refresh = exchanged.body["refresh_token"]
    world.azure.directory.remove_password(world.puller.application, world.puller.key_id)
    world.wait(hours=2)
    form = {"grant_type": "refresh_token", "service": SERVER, "scope": "repository:app:pull", "refresh_token": refresh}
    token = post(world, "/oauth2/token", **form).body["access_token"]
    assert world.registry("HEAD", HEAD, bearer=token).status == 200
    user = ("00000000-0000-0000-0000-000000000000", refresh)
    assert world.registry("GET", SCOPE, basic=user).status == 200
    world.wait(hours=1)
    assert world.registry("GET", SCOPE, basic=user).status == 401


def test_g2_a_foreign_token_is_not_exchanged(world: World) -> None:
    answer = post(world, "/oauth2/exchange", grant_type="access_token", service=SERVER, access_token="nonsense")
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")


def test_g2_the_password_grant_is_the_same_as_basic(world: World) -> None:
    form = {
        "grant_type": "password",
        "service": SERVER,
        "scope": "repository:app:pull",
        "username": world.puller.app_id,
    }
    assert post(world, "/oauth2/token", **form, password=world.puller.secret).status == 200
    assert post(world, "/oauth2/token", **form, password="wrong").status == 401


def test_a_registry_that_does_not_exist_does_not_answer(world: World) -> None:
    with pytest.raises(Broken):
        world.send("GET", "https://nowhere.azurecr.io/v2/")


def test_g5_reader_pulls_in_legacy_mode_and_nothing_but_repository_reader_does_in_abac_mode(world: World) -> None:
    reader = world.principal("reader")
    world.azure.authorization.assign(REGISTRY, reader.oid, "Reader", at_once=True)
    registries = world.azure.registries
    assert registries.could_pull(reader.app_id, reader.secret, SERVER, "app", "v1")
    configure(world, roleAssignmentMode="AbacRepositoryPermissions")
    assert not registries.could_pull(reader.app_id, reader.secret, SERVER, "app", "v1")
    assert not registries.could_pull(*world.basic, SERVER, "app", "v1")
    world.azure.authorization.assign(REGISTRY, world.puller.oid, "Container Registry Repository Reader", at_once=True)
    assert registries.could_pull(*world.basic, SERVER, "app", "v1")


def test_g6_the_admin_user_pulls_only_while_enabled_and_its_passwords_can_be_regenerated(world: World) -> None:
    first, second = world.azure.registries.admin_passwords(SERVER)
    assert world.registry("HEAD", HEAD, basic=("mycontainerregistry", first)).status == 401
    configure(world, adminUserEnabled=True)
    for password in (first, second):
        assert world.registry("HEAD", HEAD, basic=("mycontainerregistry", password)).status == 200
    new = world.azure.registries.regenerate_admin_password(SERVER, 0)
    assert world.registry("HEAD", HEAD, basic=("mycontainerregistry", first)).status == 401
    assert world.registry("HEAD", HEAD, basic=("mycontainerregistry", new)).status == 200


def test_g6_anonymous_pull_needs_no_user_where_it_is_on(world: World) -> None:
    configure(world, anonymousPullEnabled=True)
    assert world.registry("HEAD", HEAD).status == 200
    token = world.registry("GET", SCOPE).body["access_token"]
    assert world.registry("HEAD", HEAD, bearer=token).status == 200


def test_g6_a_closed_firewall_refuses_everybody(world: World) -> None:
    configure(world, publicNetworkAccess="Disabled")
    answer = world.registry("GET", "/v2/", basic=world.basic)
    assert (answer.status, answer.code) == (403, "DENIED")
    assert "is not allowed access" in answer.body["errors"][0]["message"]
    assert not world.azure.registries.could_pull(*world.basic, SERVER, "app", "v1")


def test_the_oracle_says_why_a_pull_is_refused(world: World) -> None:
    pull = world.azure.registries.pull
    assert pull(SERVER, *world.basic, "job", "bad").exit_code == 2
    with pytest.raises(Refused, match="UNAUTHORIZED"):
        pull(SERVER, world.puller.app_id, "wrong", "app", "v1")
    with pytest.raises(Refused, match="MANIFEST_UNKNOWN"):
        pull(SERVER, *world.basic, "app", "v9")
    with pytest.raises(Refused, match="NO_SUCH_HOST"):
        pull("nowhere.azurecr.io", *world.basic, "app", "v1")
    world.azure.authorization.delete(world.role.id)
    with pytest.raises(Refused, match="DENIED"):
        pull(SERVER, *world.basic, "app", "v1")


def test_could_pull_means_on_every_replica_and_asks_none() -> None:
    world = World(dataclasses.replace(PROMPT, secret_valid=12, replicas=3))
    assert not world.azure.registries.could_pull(*world.basic, SERVER, "app", "v1")
    turns = dict(world.azure.tokens.state.turns)
    world.wait(seconds=12)
    assert world.azure.registries.could_pull(*world.basic, SERVER, "app", "v1")
    assert world.azure.tokens.state.turns == turns


def test_a_fresh_secret_flaps_while_it_spreads_over_the_token_endpoints() -> None:
    world = World(Timing(secret_valid=12, replicas=3, role_active=0))
    world.wait(seconds=5)
    found = {world.registry("GET", SCOPE, basic=world.basic).status for _ in range(6)}
    assert found == {200, 401}


def test_pushing_again_moves_the_tag_and_keeps_the_old_image_by_digest(world: World) -> None:
    registries = world.azure.registries
    old = registries.stored(SERVER, "app", "v1").digest
    new = registries.push(SERVER, "app", "v1")
    assert new != old
    assert registries.stored(SERVER, "app", old).digest == old
    registries.retag(SERVER, "app", "v1", old)
    assert registries.stored(SERVER, "app", "v1").digest == old
    registries.delete_tag(SERVER, "app", "v1")
    with pytest.raises(Refused, match="MANIFEST_UNKNOWN"):
        registries.stored(SERVER, "app", old)
    with pytest.raises(LookupError):
        registries.retag(SERVER, "app", "v1", "sha256:00")


def test_g8_a_deleted_role_counts_until_its_effect_is_gone() -> None:
    world = World(dataclasses.replace(PROMPT, role_gone=60))
    world.azure.authorization.delete(world.role.id)
    assert world.registry("HEAD", HEAD, basic=world.basic).status == 200
    world.wait(seconds=60)
    assert world.registry("HEAD", HEAD, basic=world.basic).status == 403


def test_a_token_of_another_registry_is_refused(world: World) -> None:
    other = world.azure.registries.mint.issue(
        "access", "other.azurecr.io", world.puller.app_id, "password", [TokenGrant("repository", "app", ("pull",))]
    )
    assert world.registry("HEAD", HEAD, bearer=other).status == 401


def test_state_survives_json(world: World) -> None:
    world.azure.registries.admin_passwords(SERVER)
    state, kind = world.azure.registries.state, TypeAdapter(RegistryState)
    assert kind.validate_json(kind.dump_json(state)) == state


READ = "Microsoft.ContainerRegistry/registries/repositories/content/read"
NAME = "@Request[Microsoft.ContainerRegistry/registries/repositories:name]"


def only(comparison: str) -> str:
    """Return a condition as Azure's portal writes it: the action is another one, or the repository is the right one."""
    return f"((!(ActionMatches{{'{READ}'}})) OR ({NAME} {comparison}))"


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        (only("StringEqualsIgnoreCase 'app'"), ["app"]),
        (only("StringEquals 'APP'"), []),
        (only("StringStartsWithIgnoreCase 'JO'"), ["job"]),
        (only("ForAnyOfAnyValues:StringEqualsIgnoreCase {'app', 'job'}"), ["app", "job"]),
        (only("StringNotStartsWith 'j'"), ["app"]),
        (f"{NAME} StringEquals 'app' AND !({NAME} StringEquals 'app')", []),
        (f"{NAME} StringNotEquals 'app' || {NAME} StringEquals 'app'", ["app", "job"]),
        ("ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/metadata/*'}", []),
        ("@Request[Microsoft.Storage/x:name] StringEquals 'app'", []),
        (f"{NAME} StringLike 'app'", []),
        (f"({NAME} StringEquals 'app'", []),
        (f"{NAME} StringEquals 'app' nonsense", []),
        ("§", []),
    ],
)
def test_g5_a_condition_confines_a_role_to_some_repositories(world: World, condition: str, allowed: list[str]) -> None:
    configure(world, roleAssignmentMode="AbacRepositoryPermissions")
    world.azure.authorization.assign(
        REGISTRY, world.puller.oid, "Container Registry Repository Reader", condition, at_once=True
    )
    tags = {"app": "v1", "job": "ok"}
    assert [
        name
        for name in tags
        if world.registry("HEAD", f"/v2/{name}/manifests/{tags[name]}", basic=world.basic).status == 200
    ] == allowed


def test_g5_in_abac_mode_a_reader_may_not_list_the_catalog_nor_push(world: World) -> None:
    configure(world, roleAssignmentMode="AbacRepositoryPermissions")
    world.azure.authorization.assign(REGISTRY, world.puller.oid, "Container Registry Repository Reader", at_once=True)
    assert world.registry("GET", "/v2/app/tags/list", basic=world.basic).status == 200
    assert world.registry("GET", "/v2/_catalog", basic=world.basic).status == 403
    assert Client(world, world.basic).push("app", "v5").status == 403
    assert world.registry("GET", "/v2/app/tags/list", basic=(world.owner.app_id, world.owner.secret)).status == 403
    world.azure.authorization.assign(REGISTRY, world.puller.oid, "Container Registry Repository Writer", at_once=True)
    assert Client(world, world.basic).push("app", "v5").status == 201


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("AcrPull", "pull"),
        ("AcrPush", "pull push"),
        ("AcrDelete", "delete"),
        ("Reader", "pull"),
        ("Contributor", "pull push delete"),
    ],
)
def test_g5_what_a_role_allows_where_roles_count(world: World, role: str, may: str) -> None:
    who = world.principal(role)
    world.azure.authorization.assign(REGISTRY, who.oid, role, at_once=True)
    client = Client(world, (who.app_id, who.secret))
    allowed = {"pull": client.call("HEAD", HEAD).status == 200, "push": client.push("app", "v5").status == 201}
    digest = world.azure.registries.stored(SERVER, "app", "v1").digest
    allowed["delete"] = client.call("DELETE", f"/v2/app/manifests/{digest}").status == 202
    assert [action for action, allows in allowed.items() if allows] == may.split()


def test_g6_a_scope_map_says_what_a_token_may_do_on_which_repository(world: World) -> None:
    access = world.azure.resources.access
    access.put_scope_map(REGISTRY, "readers", ["repositories/app/content/read", "repositories/jo*/metadata/read"])
    access.put_token(REGISTRY, "bot", f"{REGISTRY}/scopeMaps/readers")
    password = access.generate(REGISTRY, "bot")[0].value
    client = Client(world, ("bot", password))
    assert client.call("HEAD", HEAD).status == 200
    assert client.call("GET", "/v2/job/tags/list").status == 200
    refused = [
        client.call("HEAD", "/v2/job/manifests/ok"),
        client.push("app", "v5"),
        client.call("GET", "/v2/_catalog"),
    ]
    assert {answer.status for answer in refused} == {403}
    answer = client.call("GET", f"/oauth2/token?service={SERVER}&scope=repository:app:pull,push&scope=repository:job:*")
    claims = jwt.decode(answer.body["access_token"], options={"verify_signature": False})
    granted = {entry["name"]: entry["actions"] for entry in claims["access"]}
    assert (claims["sub"], granted) == ("bot", {"app": ["pull"], "job": ["metadata_read"]})
    assert Client(world, ("bot", "wrong")).call("GET", "/v2/").status == 401
    access.put_token(REGISTRY, "bot", f"{REGISTRY}/scopeMaps/readers", "disabled")
    assert client.call("HEAD", HEAD).status == 401


def test_g6_ip_rules_let_some_addresses_in(world: World) -> None:
    for rules, status in (([], 403), (["20.0.0.0/24"], 200), (["30.0.0.1"], 403), (["20.0.0.1"], 200)):
        allowed = [{"action": "Allow", "value": value} for value in rules]
        configure(world, networkRuleSet={"defaultAction": "Deny", "ipRules": allowed})
        assert world.registry("HEAD", HEAD, basic=world.basic).status == status
    configure(world, networkRuleSet={"defaultAction": "Allow", "ipRules": []})
    assert world.registry("HEAD", HEAD, basic=world.basic).status == 200


def test_g6_arm_tokens_are_exchanged_unless_the_policy_forbids_it(world: World) -> None:
    form = {
        "grant_type": "access_token",
        "service": SERVER,
        "tenant": TENANT,
        "access_token": world.token(world.puller),
    }
    assert post(world, "/oauth2/exchange", **form).status == 200
    configure(world, policies={"azureADAuthenticationAsArmPolicy": {"status": "disabled"}})
    assert post(world, "/oauth2/exchange", **form).status == 401
    form["access_token"] = world.token(world.puller, "https://containerregistry.azure.net/.default")
    assert post(world, "/oauth2/exchange", **{**form, "grant_type": "access_token_refresh_token"}).status == 200
    assert post(world, "/oauth2/exchange", **{**form, "grant_type": "refresh_token"}).status == 501
    assert post(world, "/oauth2/exchange", **{**form, "grant_type": "other"}).status == 400


def test_g9_an_identity_that_asks_too_often_waits_for_the_minutes_end(world: World) -> None:
    configure(world)
    world.azure.resources.put(REGISTRY, REGISTRIES, "eastus", {}, sku={"name": "Standard"})
    assert world.registry("HEAD", HEAD, basic=world.basic).status == 200
    asked = world.azure.registries.state.asked
    mine = f"{world.puller.app_id} {REGISTRY.lower()}"
    assert (asked[mine].asked, asked[f"registry {REGISTRY.lower()}"].asked) == (1, 1)
    asked[mine].asked = 5_000
    world.wait(seconds=20)
    answer = world.registry("GET", HEAD, basic=world.basic)
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, "TOOMANYREQUESTS", "40")
    assert world.registry("HEAD", HEAD, basic=(world.owner.app_id, world.owner.secret)).status == 200
    world.wait(seconds=40)
    assert world.registry("GET", HEAD, basic=world.basic).status == 200


@pytest.mark.parametrize(("tier", "limit"), [("Basic", 10_000), ("Premium", 20_000)])
def test_g9_the_token_endpoint_and_the_registry_have_limits_of_their_own(world: World, tier: str, limit: int) -> None:
    world.azure.resources.put(REGISTRY, REGISTRIES, "eastus", {}, sku={"name": tier})
    token = access_token(world)
    world.registry("HEAD", HEAD, bearer=token)
    asked = world.azure.registries.state.asked
    asked[f"token {REGISTRY.lower()}"].asked = asked[f"registry {REGISTRY.lower()}"].asked = limit - 1
    assert [world.registry("GET", SCOPE, basic=world.basic).status for _ in range(2)] == [200, 429]
    assert [world.registry("HEAD", HEAD, bearer=token).status for _ in range(2)] == [200, 429]


def test_g4_the_host_pulls_the_digest_of_the_put_though_the_tag_has_moved(world: World) -> None:
    world.deploy()
    old = world.azure.registries.stored(SERVER, "app", "v1").digest
    world.azure.registries.push(SERVER, "app", "v1")
    assert world.azure.container_groups.move_host(ID)
    assert old in world.view()["events"][0]["message"]
    assert world.azure.registries.stored(SERVER, "app", "v1").digest != old


def test_g7_an_exchange_takes_the_service_that_the_challenge_names(world: World) -> None:
    challenge = world.registry("GET", "/v2/").headers["WWW-Authenticate"]
    named = dict(part.split("=", 1) for part in challenge.removeprefix("Bearer ").replace('"', "").split(","))
    entra = world.token(world.puller, "https://containerregistry.azure.net/.default")
    form = {"grant_type": "access_token", "service": named["service"], "tenant": TENANT, "access_token": entra}
    refresh = post(world, "/oauth2/exchange", **form).body["refresh_token"]
    claims = jwt.decode(refresh, options={"verify_signature": False})
    assert (named["realm"], named["service"]) == (f"https://{SERVER}/oauth2/token", SERVER)
    assert (claims["aud"], claims["exp"] - claims["iat"]) == (SERVER, 3 * 3600)


def test_g8_after_a_revocation_containers_run_on_until_something_pulls_again(world: World) -> None:
    world.deploy()
    world.azure.authorization.delete(world.role.id)
    world.wait(days=30)
    assert world.view()["currentState"]["state"] == "Running"
    assert world.arm("POST", f"{ID}/restart").code == "InaccessibleImage"
    assert world.view()["currentState"]["state"] == "Running"
    world.arm("POST", f"{ID}/stop")
    assert world.arm("POST", f"{ID}/start").code == "InaccessibleImage"
    assert world.arm("PUT", ID, world.body()).code == "InaccessibleImage"


def test_g10_a_premium_registry_lists_an_endpoint_in_each_region_and_answers_there(world: World) -> None:
    configure(world, regionalEndpoints="Enabled", dataEndpointEnabled=True)
    label = SERVER.partition(".")[0]
    shown = world.arm("GET", f"https://management.azure.com{REGISTRY}?api-version=2026-03-01-preview").body[
        "properties"
    ]
    assert shown["regionalEndpointHostNames"] == [f"{label}.eastus.geo.azurecr.io"]
    assert shown["dataEndpointHostNames"] == [f"{label}.eastus.data.azurecr.io"]
    assert world.send("GET", f"https://{label}.eastus.geo.azurecr.io/v2/").status == 401
