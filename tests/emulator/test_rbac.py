"""Role-based access control as clients of api-version 2022-04-01 see it."""

import json
from datetime import timedelta
from urllib.parse import quote

import pytest
import requests
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.mgmt.authorization import AuthorizationManagementClient
from management import ARM, GROUP, REGISTRY, SUBSCRIPTION, TENANT, World
from pydantic import TypeAdapter

from rotator.emulator.faults import Fault
from rotator.emulator.inprocess import SyncAdapter
from rotator.emulator.rbac.behaviour import State
from rotator.emulator.timing import Timing
from rotator.emulator.wire import ServiceError

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


def test_a_put_answers_201_with_created_by_null_and_the_list_shows_it_at_once(world: World) -> None:
    puller = world.identity("puller")
    answer = world.owner.call("PUT", assignment_url(), pull_body(puller.oid))
    assert answer.status == 201
    assert list(answer.body) == ["properties", "id", "type", "name"]
    assert answer.body["properties"]["createdBy"] is None
    assert answer.body["properties"]["roleDefinitionId"].startswith(f"/subscriptions/{SUBSCRIPTION}/providers/")
    [listed] = world.owner.call("GET", listing_url("roleAssignments", wanted=f"principalId eq '{puller.oid}'")).body["value"]
    assert listed["properties"]["createdBy"] == world.owner.oid
    assert listed["properties"]["principalType"] == "ServicePrincipal"
    assert listed["id"] == f"{REGISTRY}/providers/Microsoft.Authorization/roleAssignments/{NAME}"


def test_the_same_put_again_answers_201_and_makes_no_second_assignment(world: World) -> None:
    puller = world.identity("puller")
    for _ in range(2):
        assert world.owner.call("PUT", assignment_url(), pull_body(puller.oid)).status == 201
    assert len(world.authorization.assignments(principals=[puller.oid])) == 1


def test_the_same_role_under_another_name_is_refused_with_409(world: World) -> None:
    puller = world.identity("puller")
    world.owner.call("PUT", assignment_url(), pull_body(puller.oid))
    answer = world.owner.call("PUT", assignment_url(OTHER), pull_body(puller.oid))
    assert (answer.status, answer.body["error"]["code"]) == (409, "RoleAssignmentExists")


def test_a_name_keeps_its_principal(world: World) -> None:
    world.owner.call("PUT", assignment_url(), pull_body(world.identity("one").oid))
    answer = world.owner.call("PUT", assignment_url(), pull_body(world.identity("two").oid))
    assert (answer.status, answer.body["error"]["code"]) == (400, "RoleAssignmentUpdateNotPermitted")


def test_an_unknown_principal_is_refused_unless_its_type_is_given(world: World) -> None:
    unknown = "27e3fe0a-ef36-4000-8000-000000000000"
    answer = world.owner.call("PUT", assignment_url(), pull_body(unknown))
    assert (answer.status, answer.body["error"]["code"]) == (400, "PrincipalNotFound")
    assert answer.body["error"]["message"].startswith(f"Principal 27e3fe0aef3640008000000000000000 does not exist in the directory {TENANT}.")
    assert world.owner.call("PUT", assignment_url(), pull_body(unknown, principalType="ServicePrincipal")).status == 201


def test_a_delete_answers_200_with_what_it_deleted_and_then_204(world: World) -> None:
    world.owner.call("PUT", assignment_url(), pull_body(world.identity("puller").oid))
    first, second = (world.owner.call("DELETE", assignment_url().replace("resourceGroups", "RESOURCEGROUPS")) for _ in range(2))
    assert (first.status, first.body["name"]) == (200, NAME)
    assert (second.status, second.body) == (204, None)


def test_a_lock_on_the_group_keeps_role_assignments_from_being_deleted(world: World) -> None:
    world.owner.call("PUT", assignment_url(), pull_body(world.identity("puller").oid))
    lock = f"{ARM}{GROUP}/providers/Microsoft.Authorization/locks/keep?api-version=2020-05-01"
    assert world.owner.call("PUT", lock, {"properties": {"level": "CanNotDelete"}}).status == 201
    answer = world.owner.call("DELETE", assignment_url())
    assert answer.status == 409
    assert answer.body["error"] == {
        "code": "ScopeLocked",
        "message": f"The scope '{REGISTRY}' cannot perform delete operation because following scope(s) are locked: '{GROUP}'."
        " Please remove the lock and try again.",
    }
    assert world.owner.call("DELETE", lock).status == 200
    assert world.owner.call("DELETE", assignment_url()).status == 200


def test_nobody_without_the_action_gets_through_and_azure_says_who_it_was(world: World) -> None:
    stranger = world.identity("stranger")
    answer = stranger.call("DELETE", assignment_url())
    assert answer.status == 403
    assert answer.body["error"]["code"] == "AuthorizationFailed"
    assert answer.body["error"]["message"] == (
        f"The client '{stranger.app_id}' with object id '{stranger.oid}' does not have authorization to perform action"
        f" 'Microsoft.Authorization/roleAssignments/delete' over scope '{REGISTRY}' or the scope is invalid."
        " If access was recently granted, please refresh your credentials."
    )


def test_an_assignment_takes_effect_and_loses_it_only_after_a_delay(world: World) -> None:
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
def test_roles_at_an_enclosing_scope_let_an_image_be_pulled(world: World, role: str) -> None:
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


def test_at_scope_leaves_out_what_is_below_and_a_principal_filter_does_not(world: World) -> None:
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


def test_a_role_is_found_by_its_name_in_any_case(world: World) -> None:
    [role] = world.owner.call("GET", listing_url("roleDefinitions", wanted="roleName eq 'acrpull'")).body["value"]
    assert role["properties"]["roleName"] == "AcrPull"
    assert role["id"] == f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{ACR_PULL}"
    assert role["properties"]["permissions"][0]["actions"] == [PULL]
    assert len(world.owner.call("GET", listing_url("roleDefinitions", wanted="type eq 'BuiltInRole'")).body["value"]) > 10
    assert world.owner.call("GET", listing_url(f"roleDefinitions/{ACR_PULL}")).body["name"] == ACR_PULL
    assert world.owner.call("GET", listing_url(f"roleDefinitions/{NAME}")).body["error"]["code"] == "RoleDefinitionDoesNotExist"


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
    adapter = TypeAdapter(State)
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
