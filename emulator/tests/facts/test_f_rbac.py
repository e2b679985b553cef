"""Tests of role-based access control, for clients of api-version 2022-04-01."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import requests
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.aio import AuthorizationManagementClient as AsyncClient
from local_azure.faults import Fault
from local_azure.inprocess import Hop, Session, SyncAdapter
from local_azure.rbac.behaviour import RoleState
from local_azure.timing import Timing
from local_azure.wire import ServiceError
from management import ARM, GROUP, REGISTRY, SUBSCRIPTION, TENANT, Signed, World
from pydantic import TypeAdapter

ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
PULL = "Microsoft.ContainerRegistry/registries/pull/read"
NAME = "5a1c2d3e-0000-4000-8000-000000000001"
OTHER = "5a1c2d3e-0000-4000-8000-000000000002"


def assignment_url(name: str = NAME, scope: str = REGISTRY) -> str:
    return f"{ARM}{scope}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version=2022-04-01"


def listing_url(kind: str, scope: str = REGISTRY, wanted: str = "") -> str:
    text = f"&$filter={quote(wanted)}" if wanted else ""
    return f"{ARM}{scope}/providers/Microsoft.Authorization/{kind}?api-version=2022-04-01{text}"


def pull_body(oid: str, **more: object) -> dict[str, object]:
    role = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{ACR_PULL}"
    return {"properties": {"roleDefinitionId": role, "principalId": oid, **more}}


@pytest.fixture
def world() -> World:
    return World()


def test_f2_a_put_answers_201_with_created_by_null_and_the_list_shows_it_at_once(world: World) -> None:
    puller = world.identity("puller")
    answer = world.owner.call("PUT", assignment_url(), pull_body(puller.oid))
    assert answer.status == 201
    assert list(answer.body) == ["properties", "id", "type", "name"]
    assert answer.body["properties"]["createdBy"] is None
    assert answer.body["properties"]["roleDefinitionId"].startswith(f"/subscriptions/{SUBSCRIPTION}/providers/")
    [listed] = world.owner.call("GET", listing_url("roleAssignments", wanted=f"principalId eq '{puller.oid}'")).body[
        "value"
    ]
    assert listed["properties"]["createdBy"] == world.owner.oid
    assert listed["properties"]["principalType"] == "ServicePrincipal"
    assert listed["id"] == f"{REGISTRY}/providers/Microsoft.Authorization/roleAssignments/{NAME}"


def test_f2_the_same_put_again_answers_201_and_makes_no_second_assignment(world: World) -> None:
    puller = world.identity("puller")
    for _ in range(2):
        assert world.owner.call("PUT", assignment_url(), pull_body(puller.oid)).status == 201
    assert len(world.authorization.assignments(principals=[puller.oid])) == 1


def test_f7_the_same_role_under_another_name_is_refused_with_409(world: World) -> None:
    puller = world.identity("puller")
    world.owner.call("PUT", assignment_url(), pull_body(puller.oid))
    answer = world.owner.call("PUT", assignment_url(OTHER), pull_body(puller.oid))
    assert (answer.status, answer.body) == (
        409,
        {"error": {"code": "RoleAssignmentExists", "message": "The role assignment already exists."}},
    )


def test_a_name_keeps_its_principal(world: World) -> None:
    world.owner.call("PUT", assignment_url(), pull_body(world.identity("one").oid))
    answer = world.owner.call("PUT", assignment_url(), pull_body(world.identity("two").oid))
    assert (answer.status, answer.body["error"]["code"]) == (400, "RoleAssignmentUpdateNotPermitted")


def test_f7_an_unknown_principal_is_refused_unless_its_type_is_given(world: World) -> None:
    unknown = "27e3fe0a-ef36-4000-8000-000000000000"
    answer = world.owner.call("PUT", assignment_url(), pull_body(unknown))
    assert (answer.status, answer.body["error"]["code"]) == (400, "PrincipalNotFound")
    assert answer.body["error"]["message"].startswith(
        f"Principal 27e3fe0aef3640008000000000000000 does not exist in the directory {TENANT}."
    )
    assert world.owner.call("PUT", assignment_url(), pull_body(unknown, principalType="ServicePrincipal")).status == 201


def test_f3_a_delete_answers_200_with_what_it_deleted_and_then_204(world: World) -> None:
    world.owner.call("PUT", assignment_url(), pull_body(world.identity("puller").oid))
    first, second = (
        world.owner.call("DELETE", assignment_url().replace("resourceGroups", "RESOURCEGROUPS")) for _ in range(2)
    )
    assert (first.status, first.body["name"]) == (200, NAME)
    assert (second.status, second.body) == (204, None)


def test_f7_a_lock_on_the_group_keeps_role_assignments_from_being_deleted(world: World) -> None:
    world.owner.call("PUT", assignment_url(), pull_body(world.identity("puller").oid))
    lock = f"{ARM}{GROUP}/providers/Microsoft.Authorization/locks/keep?api-version=2020-05-01"
    assert world.owner.call("PUT", lock, {"properties": {"level": "CanNotDelete"}}).status == 201
    answer = world.owner.call("DELETE", assignment_url())
    assert answer.status == 409
    assert answer.body["error"] == {
        "code": "ScopeLocked",
        "message": (
            f"The scope '{REGISTRY}' cannot perform delete operation because following scope(s) are locked: '{GROUP}'."
            " Please remove the lock and try again."
        ),
    }
    assert world.owner.call("DELETE", lock).status == 200
    assert world.owner.call("DELETE", assignment_url()).status == 200


def test_f7_nobody_without_the_action_gets_through_and_azure_says_who_it_was(world: World) -> None:
    stranger = world.identity("stranger")
    answer = stranger.call("DELETE", assignment_url())
    assert answer.status == 403
    assert answer.body["error"]["code"] == "AuthorizationFailed"
    assert (
        answer.body["error"]["message"]
        == f"The client '{stranger.app_id}' with object id '{stranger.oid}' does not have authorization to perform"
        " action"
        f" 'Microsoft.Authorization/roleAssignments/delete' over scope '{REGISTRY}' or the scope is invalid."
        " If access was recently granted, please refresh your credentials."
    )


def test_f4_an_assignment_takes_effect_and_loses_it_only_after_a_delay(world: World) -> None:
    world = World(Timing(role_active=30, role_gone=60))
    oid = world.identity("puller").oid
    assignment = world.authorization.assign(REGISTRY, oid, "acrpull")
    seen = [world.authorization.allowed(oid, PULL, REGISTRY)]
    world.clock.advance(timedelta(seconds=30))
    seen.append(world.authorization.allowed(oid, PULL, REGISTRY))
    world.authorization.delete(assignment.id)
    assert world.authorization.assignments(principals=[oid]) == []
    world.clock.advance(timedelta(seconds=59))
    seen.append(world.authorization.allowed(oid, PULL, REGISTRY))
    world.clock.advance(timedelta(seconds=1))
    seen.append(world.authorization.allowed(oid, PULL, REGISTRY))
    assert seen == [False, True, True, False]


@pytest.mark.parametrize("role", ["Reader", "Contributor", "Owner", "AcrPush", "AcrPull"])
def test_f6_roles_at_an_enclosing_scope_let_an_image_be_pulled(world: World, role: str) -> None:
    oid = world.identity("puller").oid
    world.authorization.assign(GROUP.upper(), oid, role)
    assert world.authorization.allowed(oid, PULL, REGISTRY)
    assert not world.authorization.allowed(oid, PULL, REGISTRY.replace("myResourceGroup", "myResourceGroup2"))


def test_a_contributor_may_write_anything_but_access(world: World) -> None:
    oid = world.identity("contributor").oid
    world.authorization.assign(GROUP, oid, "Contributor")
    assert world.authorization.allowed(oid, "Microsoft.ContainerInstance/containerGroups/write", GROUP)
    assert not world.authorization.allowed(oid, "Microsoft.Authorization/roleAssignments/delete", GROUP)
    assert not world.authorization.allowed(oid, "Microsoft.KeyVault/vaults/secrets/getSecret/action", GROUP, data=True)


def test_f1_at_scope_leaves_out_what_is_below_and_a_principal_filter_does_not(world: World) -> None:
    oid = world.identity("puller").oid
    world.authorization.assign(REGISTRY, oid, "AcrPull")
    at_scope = world.owner.call("GET", listing_url("roleAssignments", GROUP, "atScope()")).body["value"]
    assert {a["properties"]["principalId"] for a in at_scope} == {world.owner.oid}
    for wanted in (f"principalId eq '{oid}'", f"principalId eq {oid}", f"assignedTo('{oid}')"):
        found = world.owner.call("GET", listing_url("roleAssignments", GROUP, wanted)).body["value"]
        assert [a["properties"]["scope"] for a in found] == [REGISTRY]


def test_an_unsupported_filter_is_501_with_its_text(world: World) -> None:
    answer = world.owner.call("GET", listing_url("roleAssignments", wanted="startswith(principalId,'a')"))
    assert answer.status == 501
    assert "startswith(principalId,'a')" in answer.body["error"]["message"]


def test_f9_a_role_is_found_by_its_name_in_any_case(world: World) -> None:
    [role] = world.owner.call("GET", listing_url("roleDefinitions", wanted="roleName eq 'acrpull'")).body["value"]
    assert role["properties"]["roleName"] == "AcrPull"
    both = world.owner.call("GET", listing_url("roleDefinitions", wanted="roleName eq 'Reader and Data Access'"))
    assert [each["name"] for each in both.body["value"]] == ["c12c1c16-33a1-487b-954d-41c89c60f349"]
    assert role["id"] == f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{ACR_PULL}"
    assert role["properties"]["permissions"][0]["actions"] == [PULL]
    assert (
        len(world.owner.call("GET", listing_url("roleDefinitions", wanted="type eq 'BuiltInRole'")).body["value"]) > 10
    )
    assert world.owner.call("GET", listing_url(f"roleDefinitions/{ACR_PULL}")).body["name"] == ACR_PULL
    assert (
        world.owner.call("GET", listing_url(f"roleDefinitions/{NAME}")).body["error"]["code"]
        == "RoleDefinitionDoesNotExist"
    )


def test_a_custom_role_grants_what_it_lists_and_no_more(world: World) -> None:
    oid = world.identity("operator").oid
    world.authorization.define("rotator access", actions=["Microsoft.Authorization/roleAssignments/*"], scopes=[GROUP])
    world.authorization.assign(REGISTRY, oid, "rotator access")
    assert world.authorization.allowed(oid, "Microsoft.Authorization/roleAssignments/delete", REGISTRY)
    assert not world.authorization.allowed(oid, "Microsoft.Authorization/roleDefinitions/read", REGISTRY)


def test_a_caller_reads_its_own_permissions_without_any_right(world: World) -> None:
    puller = world.identity("puller")
    world.authorization.assign(REGISTRY, puller.oid, "AcrPull")
    [permission] = puller.call("GET", listing_url("permissions")).body["value"]
    assert permission["actions"] == [PULL]


def test_lag_hides_a_grant_from_the_call_that_it_strikes_and_from_nothing_else(world: World) -> None:
    world.faults.add(Fault("rbac.roleAssignments.list", "rbac_lag"))
    assert world.owner.call("GET", listing_url("roleAssignments")).status == 403
    assert world.authorization.allowed(world.owner.oid, PULL, REGISTRY)
    assert world.owner.call("GET", listing_url("roleAssignments")).status == 200


def test_lag_of_a_deletion_keeps_it_in_effect(world: World) -> None:
    world = World(Timing(role_active=0, role_gone=60))
    reader = world.identity("reader")
    assignment = world.authorization.assign(REGISTRY, reader.oid, "Reader")
    world.authorization.delete(assignment.id)
    world.clock.advance(timedelta(seconds=60))
    world.faults.add(Fault("rbac.roleAssignments.list", "rbac_lag", argument="deleted"))
    assert [reader.call("GET", listing_url("roleAssignments")).status for _ in range(2)] == [200, 403]


def test_a_stale_list_shows_the_deleted_and_not_the_new(world: World) -> None:
    world = World(Timing(role_active=30, role_gone=60))
    one, two = world.identity("one"), world.identity("two")
    old = world.authorization.assign(REGISTRY, one.oid, "AcrPull", at_once=True)
    world.authorization.delete(old.id)
    world.authorization.assign(REGISTRY, two.oid, "AcrPull")
    world.faults.add(Fault("rbac.roleAssignments.list", "stale"))
    lists = [world.owner.call("GET", listing_url("roleAssignments")).body["value"] for _ in range(2)]
    principals = [{a["properties"]["principalId"] for a in found} - {world.owner.oid} for found in lists]
    assert principals == [{one.oid}, {two.oid}]


def test_an_unknown_role_is_refused(world: World) -> None:
    with pytest.raises(ServiceError, match="404 RoleDefinitionDoesNotExist"):
        world.authorization.assign(REGISTRY, world.owner.oid, "AcrPool")


def test_the_state_survives_json(world: World) -> None:
    world.authorization.define("custom", actions=["*"])
    adapter = TypeAdapter(RoleState)
    saved = adapter.dump_json(world.authorization.state)
    assert adapter.validate_json(saved) == world.authorization.state
    assert json.loads(saved)["assignments"]


def test_the_official_client_grants_lists_and_revokes(world: World) -> None:
    session = requests.Session()
    session.mount("https://", SyncAdapter(world.app))
    client = AuthorizationManagementClient(world.owner, SUBSCRIPTION, transport=RequestsTransport(session=session))
    puller = world.identity("puller")
    [role] = client.role_definitions.list(REGISTRY, filter="roleName eq 'AcrPull'")
    parameters = {"role_definition_id": role.id, "principal_id": puller.oid, "principal_type": "ServicePrincipal"}
    created = client.role_assignments.create(REGISTRY, NAME, parameters)
    found = list(client.role_assignments.list_for_scope(REGISTRY, filter=f"principalId eq '{puller.oid}'"))
    assert [a.id for a in found] == [created.id]
    assert client.role_assignments.get_by_id(created.id).name == NAME
    assert client.role_assignments.delete_by_id(created.id).name == NAME
    assert client.role_assignments.delete(REGISTRY, NAME) is None
    with pytest.raises(HttpResponseError, match="RoleAssignmentNotFound"):
        client.role_assignments.get(REGISTRY, NAME)


DEFINITION = "5a1c2d3e-0000-4000-8000-00000000000d"
SUB = f"/subscriptions/{SUBSCRIPTION}"


def definition(name: str = "Registry Looker", **more: object) -> dict[str, object]:
    permission = {"actions": ["Microsoft.ContainerRegistry/registries/read"], "notActions": []}
    return {
        "properties": {
            "roleName": name,
            "description": "looks",
            "assignableScopes": [SUB],
            "permissions": [permission],
            **more,
        }
    }


def role_url(name: str = DEFINITION, scope: str = SUB) -> str:
    return f"{ARM}{scope}/providers/Microsoft.Authorization/roleDefinitions/{name}?api-version=2022-05-01-preview"


def test_f1_assigned_to_shows_what_comes_through_groups_of_groups(world: World) -> None:
    puller, inner, outer = (
        world.identity("puller"),
        "11111111-0000-4000-8000-000000000001",
        "11111111-0000-4000-8000-000000000002",
    )
    world.directory.join(inner, puller.oid)
    world.directory.join(outer, inner)
    world.owner.call(
        "PUT", assignment_url(), {"properties": {**dict(pull_properties(outer)), "principalType": "Group"}}
    )
    listed = world.owner.call("GET", listing_url("roleAssignments", wanted=f"assignedTo('{puller.oid}')")).body["value"]
    assert [(a["properties"]["principalId"], a["properties"]["principalType"]) for a in listed] == [(outer, "Group")]
    assert (
        world.owner.call("GET", listing_url("roleAssignments", wanted=f"principalId eq '{puller.oid}'")).body["value"]
        == []
    )
    assert world.authorization.granted(puller.oid, PULL, REGISTRY)


def pull_properties(oid: str) -> dict[str, object]:
    properties = pull_body(oid)["properties"]
    assert isinstance(properties, dict)
    return properties


def test_f1_long_lists_come_in_pages(world: World) -> None:
    for _ in range(1001):
        world.authorization.assign(REGISTRY, str(world.authorization.ids.guid()), "AcrPull")
    first = world.owner.call("GET", listing_url("roleAssignments")).body
    second = world.owner.call("GET", first["nextLink"]).body
    assert (len(first["value"]), "nextLink" in second) == (1000, False)
    assert len({a["name"] for a in (*first["value"], *second["value"])}) == len(first["value"]) + len(second["value"])


@pytest.mark.parametrize("scope", [SUB, GROUP, REGISTRY, f"{REGISTRY}/scopeMaps/x"])
def test_f1_every_level_lists_what_is_above_it(world: World, scope: str) -> None:
    [found] = [
        a
        for a in world.owner.call("GET", listing_url("roleAssignments", scope, "atScope()")).body["value"]
        if a["properties"]["scope"] == SUB
    ][:1]
    assert found["properties"]["scope"] == SUB


def test_f2_condition_description_and_delegation_are_kept_and_changed(world: World) -> None:
    puller = world.identity("puller")
    more = {
        "condition": "@Resource[x] StringEquals 'y'",
        "conditionVersion": "2.0",
        "description": "pulls",
        "principalType": "ServicePrincipal",
    }
    world.owner.call(
        "PUT", assignment_url(), pull_body(puller.oid, **more, delegatedManagedIdentityResourceId="/subscriptions/x")
    )
    shown = world.owner.call("GET", assignment_url()).body["properties"]
    assert {name: shown[name] for name in more} == more
    assert (shown["delegatedManagedIdentityResourceId"], shown["createdBy"]) == ("/subscriptions/x", world.owner.oid)
    world.owner.call("PUT", assignment_url(), pull_body(puller.oid, description="still pulls"))
    assert world.owner.call("GET", assignment_url()).body["properties"]["description"] == "still pulls"
    assert (
        world.owner.call("PUT", assignment_url(), pull_body(puller.oid, condition="x", conditionVersion="3.0")).status
        == 400
    )


def test_f3_a_deleted_registry_takes_its_assignments_with_it(world: World) -> None:
    puller = world.identity("puller")
    world.owner.call("PUT", assignment_url(), pull_body(puller.oid))
    world.owner.call("DELETE", f"{ARM}{REGISTRY}?api-version=2023-07-01")
    assert world.owner.call("DELETE", assignment_url()).status == 204
    assert not world.authorization.granted(puller.oid, PULL, REGISTRY)


def test_f5_the_roles_of_this_chain_have_azures_ids(world: World) -> None:
    ids = {
        "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
        "AcrPush": "8311e382-0749-4cb8-b61a-304f252e45ec",
        "AcrDelete": "c2f4ef07-c644-48eb-af81-4b1b4947fb11",
        "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        "User Access Administrator": "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "Role Based Access Control Administrator": "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        "Container Registry Repository Reader": "b93aa761-3e63-49ed-ac28-beffa264f7ac",
        "Container Registry Repository Writer": "2a1e307c-b015-4ebd-883e-5b7698a07328",
        "Azure Container Instances Contributor Role": "5d977122-f97e-4b4d-a52f-6b43003ddb4d",
        "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
        "Storage Account Key Operator Service Role": "81a9662b-bebf-436f-a333-f67b29880f12",
        "Monitoring Reader": "43d0d8ad-25c7-4714-9337-8ba259a9fe05",
    }
    for role_name, name in ids.items():
        [role] = world.owner.call("GET", listing_url("roleDefinitions", SUB, f"roleName eq '{role_name}'")).body[
            "value"
        ]
        assert (role["name"], role["properties"]["type"]) == (name, "BuiltInRole")


def test_f7_a_type_that_is_not_the_principals_is_refused(world: World) -> None:
    answer = world.owner.call("PUT", assignment_url(), pull_body(world.identity("puller").oid, principalType="User"))
    assert (answer.status, answer.body["error"]["code"]) == (400, "UnmatchedPrincipalType")


def test_f7_the_last_administrator_of_a_subscription_stays(world: World) -> None:
    [owner] = [a for a in world.authorization.assignments(SUB) if a.role == "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"]
    answer = world.owner.call("DELETE", assignment_url(owner.name, SUB))
    assert (answer.status, answer.body["error"]["message"]) == (400, "Cannot delete the last RBAC admin assignment.")
    world.authorization.assign(SUB, world.identity("second").oid, "User Access Administrator", at_once=True)
    assert world.owner.call("DELETE", assignment_url(owner.name, SUB)).status == 200


def test_f7_a_subscription_has_room_for_four_thousand_assignments(world: World) -> None:
    for _ in range(4000 - len(world.authorization.assignments(SUB))):
        world.authorization.assign(REGISTRY, world.authorization.ids.guid(), "AcrPull")
    answer = world.owner.call("PUT", assignment_url(), pull_body(world.identity("puller").oid))
    assert (answer.status, answer.body["error"]["code"]) == (400, "RoleAssignmentLimitExceeded")


def test_f8_nothing_is_eligible_here_and_a_deleted_principal_leaves_its_assignment(world: World) -> None:
    assert world.owner.call("GET", listing_url("roleEligibilityScheduleInstances", SUB)).status == 501
    puller = world.identity("puller")
    world.owner.call("PUT", assignment_url(), pull_body(puller.oid))
    principal = world.directory.principal_by_id(puller.oid)
    assert principal
    world.directory.delete(principal)
    assert world.owner.call("GET", assignment_url()).body["properties"]["principalId"] == puller.oid


def test_a_custom_role_is_made_changed_assigned_and_deleted(world: World) -> None:
    made = world.owner.call("PUT", role_url(), definition())
    assert (made.status, made.body["properties"]["type"], made.body["name"]) == (201, "CustomRole", DEFINITION)
    looker = world.identity("looker")
    role = {"properties": {"roleDefinitionId": made.body["id"], "principalId": looker.oid}}
    assert world.owner.call("PUT", assignment_url(), role).status == 201
    registry = f"{ARM}{REGISTRY}?api-version=2023-07-01"
    assert (looker.call("GET", registry).status, looker.call("DELETE", registry).status) == (200, 403)
    answer = world.owner.call("DELETE", role_url())
    assert (answer.status, answer.body["error"]["code"]) == (400, "RoleDefinitionHasAssignments")
    changed = world.owner.call("PUT", role_url(), definition("Renamed", permissions=[{"actions": ["*/read"]}])).body[
        "properties"
    ]
    assert (changed["roleName"], changed["permissions"][0]["actions"]) == ("Renamed", ["*/read"])
    world.owner.call("DELETE", assignment_url())
    assert [world.owner.call("DELETE", role_url()).status for _ in range(2)] == [200, 204]


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        (DEFINITION, definition("ACRPULL"), 409, "RoleDefinitionWithSameNameExists"),
        (ACR_PULL, definition("Mine"), 400, "RoleDefinitionUpdateNotPermitted"),
        ("no-guid", definition(), 400, "InvalidRoleDefinition"),
        (DEFINITION, definition(""), 400, "InvalidRoleDefinition"),
        (DEFINITION, definition(assignableScopes=[]), 400, "InvalidRoleDefinition"),
        (DEFINITION, definition(permissions=[{"actions": "all"}]), 400, "InvalidRoleDefinition"),
    ],
)
def test_a_custom_role_that_makes_no_sense_is_refused(
    world: World, name: str, body: object, status: int, code: str
) -> None:
    answer = world.owner.call("PUT", role_url(name), body)
    assert (answer.status, answer.body["error"]["code"]) == (status, code)


def test_a_role_is_made_assignable_only_where_its_maker_may_write_roles(world: World) -> None:
    writer = world.identity("writer")
    world.authorization.assign(GROUP, writer.oid, "User Access Administrator")
    answer = writer.call("PUT", role_url(scope=GROUP), definition())
    assert (answer.status, answer.body["error"]["code"]) == (403, "LinkedAuthorizationFailed")
    assert f"on the linked scope(s) '{SUB}'" in answer.body["error"]["message"]
    assert writer.call("PUT", role_url(scope=GROUP), definition(assignableScopes=[GROUP])).status == 201
    role = {
        "properties": {
            "roleDefinitionId": f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/{DEFINITION}",
            "principalId": writer.oid,
        }
    }
    beyond = world.owner.call("PUT", assignment_url(scope=SUB), role)
    assert (beyond.status, beyond.body["error"]["code"]) == (400, "RoleAssignmentScopeNotAssignableToRoleDefinition")


def test_nothing_is_denied_and_permissions_are_told_at_every_level(world: World) -> None:
    for scope in (SUB, GROUP, REGISTRY):
        assert world.owner.call("GET", listing_url("denyAssignments", scope)).body == {"value": []}
        assert {"*"} <= {
            action
            for p in world.owner.call("GET", listing_url("permissions", scope)).body["value"]
            for action in p["actions"]
        }
    answer = world.owner.call(
        "GET", f"{ARM}{SUB}/providers/Microsoft.Authorization/denyAssignments/{NAME}?api-version=2022-04-01"
    )
    assert (answer.status, answer.body["error"]["code"]) == (404, "DenyAssignmentNotFound")


def test_management_groups_hold_no_assignments_here_and_say_so(world: World) -> None:
    world.authorization.assign("/", world.owner.oid, "Owner", at_once=True)
    answer = world.owner.call(
        "PUT", assignment_url(scope="/providers/Microsoft.Management/managementGroups/all"), pull_body(world.owner.oid)
    )
    assert answer.status == 501


def test_f1_to_f3_every_operation_of_the_official_asynchronous_client(world: World) -> None:
    async def story() -> dict[str, Any]:
        session: Any = Session(Hop(world.app))
        transport = AioHttpTransport(session=session, session_owner=False)
        async with AsyncClient(Signed(world.owner), SUBSCRIPTION, transport=transport, retry_total=0) as client:
            return await _everything(world, client)

    assert asyncio.run(story()) == {
        "roles": ["CustomRole", "Renamed", 1],
        "found": [[NAME, OTHER], [NAME, OTHER]],
        "read": [NAME, ACR_PULL],
        "above": [True, True],
        "denied": [0, 0],
        "permissions": True,
        "deleted": [NAME, OTHER, "looks", None, None],
    }


async def _everything(world: World, client: AsyncClient) -> dict[str, Any]:
    puller, path = world.identity("puller").oid, f"{REGISTRY}/providers/Microsoft.Authorization/roleAssignments/"
    role: Any = await client.role_definitions.create_or_update(SUB, DEFINITION, definition()["properties"])
    renamed: Any = await client.role_definitions.create_or_update(SUB, DEFINITION, definition("Renamed")["properties"])
    custom = [each async for each in client.role_definitions.list(SUB, filter="type eq 'CustomRole'")]
    properties = {"roleDefinitionId": role.id, "principalId": puller, "principalType": "ServicePrincipal"}
    made: Any = await client.role_assignments.create(REGISTRY, NAME, {"properties": properties})
    by_id: Any = await client.role_assignments.create_by_id(
        path + OTHER, {"properties": {**properties, "roleDefinitionId": role.id.replace(role.name, ACR_PULL)}}
    )
    wanted = f"principalId eq '{puller}' and atScope()"
    lists = (
        client.role_assignments.list_for_scope(REGISTRY, filter=wanted),
        client.role_assignments.list_for_resource(
            "myResourceGroup", "Microsoft.ContainerRegistry", "registries", "mycontainerregistry", filter=wanted
        ),
    )
    found = [sorted({str(each.name) async for each in listed}) for listed in lists]
    above = (
        client.role_assignments.list_for_resource_group("myResourceGroup"),
        client.role_assignments.list_for_subscription(),
    )
    holders = [puller in {each.principal_id async for each in listed} for listed in above]
    denied = (client.deny_assignments.list(), client.deny_assignments.list_for_scope(REGISTRY))
    got: Any = await client.role_assignments.get_by_id(made.id)
    everything: Any = await client.role_assignments.get(REGISTRY, OTHER)
    permissions = [each async for each in client.permissions.list_for_resource_group("myResourceGroup")]
    gone: list[Any] = [
        await client.role_assignments.delete(REGISTRY, NAME),
        await client.role_assignments.delete_by_id(by_id.id),
    ]
    again = [
        await client.role_assignments.delete(REGISTRY, NAME),
        await client.role_definitions.delete(SUB, "5a1c2d3e-0000-4000-8000-0000000000ff"),
    ]
    last: Any = await client.role_definitions.delete(SUB, DEFINITION)
    return {
        "roles": [role.role_type, renamed.role_name, len(custom)],
        "found": found,
        "read": [got.name, everything.role_definition_id.rsplit("/", 1)[1]],
        "above": holders,
        "denied": [len([each async for each in listed]) for listed in denied],
        "permissions": bool(permissions),
        "deleted": [*(each.name for each in gone), last.description, *again],
    }


def test_a_custom_role_that_was_just_put_names_no_maker_yet_and_a_list_does(world: World) -> None:
    """Recorded of ``az role definition create``, ``update`` and ``list`` (2025)."""
    body = {"properties": {"roleName": "r", "permissions": [{"actions": ["*/read"]}], "assignableScopes": [SUB]}}
    first = world.owner.call("PUT", role_url(NAME), body)
    world.clock.advance(timedelta(minutes=5))
    second = world.owner.call("PUT", role_url(NAME), body)
    for answer in (first, second):
        shown = answer.body["properties"]
        assert (answer.status, shown["createdBy"], shown["updatedBy"], shown["createdOn"]) == (
            201,
            None,
            world.owner.oid,
            shown["updatedOn"],
        )
        assert shown["description"] is None
    (listed,) = world.owner.call("GET", listing_url("roleDefinitions", SUB, "roleName eq 'r'")).body["value"]
    assert (listed["properties"]["createdBy"], listed["properties"]["createdOn"]) == (
        world.owner.oid,
        first.body["properties"]["createdOn"],
    )


@pytest.mark.parametrize(
    ("properties", "code", "words"),
    [
        ({"roleDefinitionId": ACR_PULL}, "BadRequestFormat", "incorrectly formatted"),
        ({"roleDefinitionId": None}, "BadRequestFormat", "incorrectly formatted"),
        ({"principalId": 7}, "BadRequestFormat", "incorrectly formatted"),
        (
            {"principalId": "wow"},
            "InvalidPrincipalId",
            "The Principal ID 'wow' is not valid. Principal ID must be a GUID.",
        ),
        (
            {"condition": "true", "conditionVersion": "1.0"},
            "InvalidCondition",
            "given role assignment condition is invalid",
        ),
    ],
)
def test_a_malformed_assignment_is_refused_in_reported_words(
    world: World, properties: dict[str, object], code: str, words: str
) -> None:
    answer = world.owner.call(
        "PUT", assignment_url(), {"properties": {**pull_properties(world.identity("puller").oid), **properties}}
    )
    assert (answer.status, answer.body["error"]["code"]) == (400, code)
    assert words in answer.body["error"]["message"]


def test_nobody_is_a_classic_administrator_any_more(world: World) -> None:
    assert world.owner.call(
        "GET", f"{ARM}{SUB}/providers/Microsoft.Authorization/classicAdministrators?api-version=2015-07-01"
    ).body == {"value": []}
