"""Tests of deleted items, groups, app roles, app management policies, objects of any kind, and batches."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from graphed import signed_in
from local_azure.graph import known
from local_azure.graph.objects import DirectoryState
from msgraph.graph_service_client import GraphServiceClient
from pydantic import TypeAdapter
from tenancy import ALL, GRAPH, OWNED, READ, Tenancy, code

GROUPS, GRANTS, POLICIES = (
    "Group.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "Policy.ReadWrite.ApplicationConfiguration",
)
NOBODY = "4b6b3a9e-0000-4000-8000-000000000000"
ADVANCED = {"ConsistencyLevel": "eventual"}


@pytest.fixture
def world() -> Tenancy:
    return Tenancy(ALL, GROUPS, GRANTS, POLICIES)


def pair(world: Tenancy, name: str = "pull") -> tuple[str, str, str]:
    """Create an application and its service principal; return app id and object ids."""
    application = world.directory.create_application(name)
    return application.app_id, application.id, world.directory.create_service_principal(application.app_id).id


def ids(answer: tuple[int, Any, dict[str, str]]) -> list[str]:
    assert answer[0] == 200, answer[1]
    return [each["id"] for each in answer[1]["value"]]


# deleted items


@pytest.mark.parametrize("cast_", ["microsoft.graph.application", "graph.application"])
def test_a_deleted_application_is_listed_read_and_restored_with_its_passwords_but_without_its_service_principal(
    world: Tenancy, cast_: str
) -> None:
    app_id, app, principal = pair(world)
    secret = world.directory.add_password(world.directory.state.applications[app]).secret
    assert world.call("DELETE", f"/applications(appId='{app_id}')")[0] == 204
    assert not world.tokens.authenticates(app_id, secret)
    assert ids(world.call("GET", f"/directory/deletedItems/{cast_}")) == [app]
    assert ids(
        world.call("GET", f"/directory/deletedItems/microsoft.graph.servicePrincipal?$filter=appId eq '{app_id}'")
    ) == [principal]
    _, read, _ = world.call("GET", f"/directory/deletedItems/{app}")
    assert (read["@odata.type"], read["deletedDateTime"]) == ("#microsoft.graph.application", "2026-03-01T12:00:00Z")
    status, restored, _ = world.call("POST", f"/directory/deletedItems/{app}/restore")
    assert (status, restored["id"], restored["deletedDateTime"]) == (200, app, None)
    assert code(world.call("GET", f"/servicePrincipals/{principal}")) == (404, "Request_ResourceNotFound")
    assert world.call("POST", f"/directory/deletedItems/{principal}/restore")[0] == 200
    assert world.tokens.authenticates(app_id, secret)
    assert ids(world.call("GET", f"/directory/deletedItems/{cast_}")) == []


def test_a_service_principal_comes_back_only_to_its_application_and_its_name(world: Tenancy) -> None:
    app_id, app, principal = pair(world)
    world.call("DELETE", f"/servicePrincipals/{principal}")
    _, other, _ = world.call("POST", "/servicePrincipals", {"appId": app_id})
    refused = world.call("POST", f"/directory/deletedItems/{principal}/restore")
    assert code(refused) == (409, "Request_MultipleObjectsWithSameKeyValue")
    world.call("DELETE", f"/applications/{app}")
    assert code(world.call("POST", f"/directory/deletedItems/{other['id']}/restore")) == (400, "Request_BadRequest")


def test_thirty_days_later_it_is_gone_and_so_is_what_was_deleted_for_good(world: Tenancy) -> None:
    (_, kept, _), (app_id, app, principal) = pair(world, "kept"), pair(world)
    for each in (kept, app):
        world.call("DELETE", f"/applications/{each}")
    assert world.call("DELETE", f"/directory/deletedItems/{app}")[0] == 204
    for gone in (app, principal):
        assert code(world.call("POST", f"/directory/deletedItems/{gone}/restore")) == (404, "Request_ResourceNotFound")
    assert world.directory.principal(app_id) is None
    world.clock.advance(timedelta(days=30, seconds=-1))
    assert world.call("GET", f"/directory/deletedItems/{kept}/microsoft.graph.application")[0] == 200
    assert world.call("GET", "/directory/deletedItems/microsoft.graph.application/$count", **ADVANCED)[1] == "1"
    world.clock.advance(timedelta(seconds=1))
    assert code(world.call("GET", f"/directory/deletedItems/{kept}")) == (404, "Request_ResourceNotFound")


def test_whoever_owns_a_deleted_application_may_restore_it_and_nobody_else() -> None:
    world = Tenancy(OWNED)
    (_, mine, _), (_, other, _) = pair(world, "mine"), pair(world, "other")
    world.directory.add_owner(mine, world.caller.id)
    for each in (mine, other):
        world.directory.delete(world.directory.records.holder("applications", each))
    assert world.call("POST", f"/directory/deletedItems/{mine}/restore")[0] == 200
    assert code(world.call("POST", f"/directory/deletedItems/{other}/restore")) == (403, "Authorization_RequestDenied")


# applications and service principals


def test_a_new_name_reaches_the_service_principal_and_app_roles_are_the_applications(world: Tenancy) -> None:
    _, app, principal = pair(world)
    roles = [{"id": NOBODY, "value": "Task.Write", "allowedMemberTypes": ["Application"]}]
    assert world.call("PATCH", f"/applications/{app}", {"displayName": "renamed", "appRoles": roles})[0] == 204
    read = world.call("GET", f"/servicePrincipals/{principal}")[1]
    shown = [{name: each[name] for name in roles[0]} for each in read["appRoles"]]
    assert (read["displayName"], read["appDisplayName"], shown) == ("renamed", "renamed", roles)


def test_owners_can_be_bound_at_birth_and_are_references_too(world: Tenancy) -> None:
    _, _, principal = pair(world)
    body = {"displayName": "x", "owners@odata.bind": [f"{GRAPH}/directoryObjects/{principal}"]}
    _, made, _ = world.call("POST", "/applications", body)
    path = f"/applications/{made['id']}/owners"
    assert ids(world.call("GET", path)) == [principal]
    assert world.call("GET", f"{path}/$ref")[1]["value"][0]["@odata.id"].endswith(
        f"/directoryObjects/{principal}/Microsoft.DirectoryServices.ServicePrincipal"
    )
    missing = {"displayName": "x", "owners@odata.bind": [f"{GRAPH}/directoryObjects/{NOBODY}"]}
    assert code(world.call("POST", "/applications", missing)) == (404, "Request_ResourceNotFound")
    for bad in ({"@odata.id": "nonsense"}, {}):
        assert code(world.call("POST", f"{path}/$ref", bad)) == (400, "Request_BadRequest")


@pytest.mark.parametrize(
    "body",
    [
        {"signInAudience": "Everybody"},
        {"displayName": ""},
        {"displayName": None},
        {"tags": "x"},
        {"identifierUris": "x"},
        {"appRoles": [3]},
        {"api": 3},
        {"servicePrincipalLockConfiguration": 3},
    ],
)
def test_a_value_that_a_property_cannot_have_is_400(world: Tenancy, body: dict[str, object]) -> None:
    _, app, _ = pair(world)
    assert code(world.call("PATCH", f"/applications/{app}", body)) == (400, "Request_BadRequest")


def test_a_change_of_a_complex_property_keeps_what_it_does_not_name(world: Tenancy) -> None:
    _, made, _ = world.call(
        "POST", "/applications", {"displayName": "x", "web": {"redirectUris": ["https://x.example"]}}
    )
    assert (made["web"]["redirectUris"], made["web"]["homePageUrl"]) == (["https://x.example"], None)
    assert world.call("PATCH", f"/applications/{made['id']}", {"web": {"homePageUrl": "https://x.example"}})[0] == 204
    web = world.call("GET", f"/applications/{made['id']}")[1]["web"]
    assert (web["redirectUris"], web["homePageUrl"]) == (["https://x.example"], "https://x.example")


def test_an_identifier_uri_belongs_to_one_application(world: Tenancy) -> None:
    _, app, _ = pair(world)
    assert world.call("PATCH", f"/applications/{app}", {"identifierUris": ["api://one"]})[0] == 204
    assert world.call("PATCH", f"/applications/{app}", {"identifierUris": ["api://one", "api://two"]})[0] == 204
    refused = world.call("POST", "/applications", {"displayName": "x", "identifierUris": ["API://One"]})
    assert code(refused) == (400, "Request_BadRequest")
    assert refused[1]["error"]["details"][0]["code"] == "ObjectConflict"


def test_microsofts_service_principals_and_managed_identities_are_there_and_nobodys_to_change(world: Tenancy) -> None:
    _, graph, _ = world.call("GET", f"/servicePrincipals(appId='{known.GRAPH}')")
    identity = world.directory.create_identity("machine", "/subscriptions/x")
    assert (graph["displayName"], graph["servicePrincipalType"]) == ("Microsoft Graph", "Application")
    assert {role["value"] for role in graph["appRoles"]} >= {ALL, OWNED, READ}
    for oid in (graph["id"], identity.id):
        assert code(world.call("POST", f"/servicePrincipals/{oid}/addPassword", {})) == (
            403,
            "Authorization_RequestDenied",
        )
        assert code(world.call("DELETE", f"/servicePrincipals/{oid}")) == (403, "Authorization_RequestDenied")


def test_a_body_that_is_no_json_is_400(world: Tenancy) -> None:
    from local_azure.wire import Request

    sent = Request.parse("POST", f"{GRAPH}/applications", {"Authorization": world.bearer()}, b"{")
    assert world.app.handle(sent).status == 400
    assert code(world.call("POST", "/applications", [])) == (400, "Request_BadRequest")


# groups


NEW = {"displayName": "pullers", "mailEnabled": False, "mailNickname": "pullers", "securityEnabled": True}


def group(world: Tenancy, name: str = "pullers", members: tuple[str, ...] = ()) -> str:
    bound = [f"{GRAPH}/directoryObjects/{member}" for member in members]
    status, made, _ = world.call("POST", "/groups", {**NEW, "displayName": name, "members@odata.bind": bound})
    assert status == 201
    return str(made["id"])


def test_a_group_is_created_read_changed_and_deleted_for_good(world: Tenancy) -> None:
    status, made, headers = world.call("POST", "/groups", {**NEW, "description": "may pull"})
    assert (status, made["@odata.context"], made["description"]) == (
        201,
        f"{GRAPH}/$metadata#groups/$entity",
        "may pull",
    )
    assert headers["Location"].endswith("Microsoft.DirectoryServices.Group")
    assert made["securityIdentifier"].startswith("S-1-12-1-")
    path = f"/groups/{made['id']}"
    assert world.call("PATCH", path, {"displayName": "others"})[0] == 204
    assert ids(world.call("GET", "/groups?$filter=displayName eq 'others'&$select=id")) == [made["id"]]
    assert ids(world.call("GET", "/groups?$orderby=displayName")) == [made["id"]]
    assert world.call("DELETE", path)[0] == 204
    assert code(world.call("GET", path)) == (404, "Request_ResourceNotFound")
    assert code(world.call("GET", f"/directory/deletedItems/{made['id']}")) == (404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"mailNickname": None}, (400, "Request_BadRequest")),
        ({"mailEnabled": True}, (400, "Request_BadRequest")),
        ({"groupTypes": ["Unified"]}, (501, "NotImplemented")),
        ({"colour": "red"}, (400, "Request_BadRequest")),
    ],
)
def test_other_groups_are_refused(world: Tenancy, changes: dict[str, object], expected: tuple[int, str]) -> None:
    assert code(world.call("POST", "/groups", {**NEW, **changes})) == expected


def test_members_are_added_once_listed_by_type_and_removed(world: Tenancy) -> None:
    _, _, principal = pair(world)
    outer, inner = group(world, "outer"), group(world, "inner")
    references = [{"@odata.id": f"{GRAPH}/directoryObjects/{member}"} for member in (principal, inner)]
    for reference in references:
        assert world.call("POST", f"/groups/{outer}/members/$ref", reference)[0] == 204
    assert code(world.call("POST", f"/groups/{outer}/members/$ref", references[0])) == (400, "Request_BadRequest")
    assert ids(world.call("GET", f"/groups/{outer}/members")) == [principal, inner]
    assert ids(world.call("GET", f"/groups/{outer}/members/microsoft.graph.servicePrincipal")) == [principal]
    assert world.call("GET", f"/groups/{outer}/members/$count", **ADVANCED)[1] == "2"
    assert world.call("DELETE", f"/groups/{outer}/members/{inner}/$ref")[0] == 204
    assert code(world.call("DELETE", f"/groups/{outer}/members/{inner}/$ref")) == (404, "Request_ResourceNotFound")
    missing = {"@odata.id": f"{GRAPH}/directoryObjects/{NOBODY}"}
    assert code(world.call("POST", f"/groups/{outer}/members/$ref", missing)) == (404, "Request_ResourceNotFound")
    world.directory.delete(world.directory.records.holder("servicePrincipals", principal))
    assert ids(world.call("GET", f"/groups/{outer}/members")) == []


def test_membership_goes_through_groups_and_round_in_circles(world: Tenancy) -> None:
    app_id, _, principal = pair(world)
    inner = group(world, "inner", (principal,))
    outer = group(world, "outer")
    bind = {"members@odata.bind": [f"{GRAPH}/groups/{inner}"]}
    assert world.call("PATCH", f"/groups/{outer}", bind)[0] == 204
    assert code(world.call("PATCH", f"/groups/{outer}", bind)) == (400, "Request_BadRequest")
    world.call("POST", f"/groups/{inner}/members/$ref", {"@odata.id": f"{GRAPH}/groups/{outer}"})
    path = f"/servicePrincipals(appId='{app_id}')"
    assert ids(world.call("GET", f"/groups/{outer}/transitiveMembers")) == [inner, principal]
    assert ids(world.call("GET", f"{path}/memberOf")) == [inner]
    assert ids(world.call("GET", f"{path}/transitiveMemberOf")) == [inner, outer]
    assert ids(world.call("GET", f"{path}/transitiveMemberOf/microsoft.graph.group?$count=true", **ADVANCED)) == [
        inner,
        outer,
    ]
    assert world.call("POST", f"{path}/getMemberGroups", {"securityEnabledOnly": True})[1]["value"] == [inner, outer]
    for subject in (path, f"/directoryObjects/{principal}"):
        assert world.call("POST", f"{subject}/getMemberObjects", {"securityEnabledOnly": False})[1]["value"] == [
            inner,
            outer,
        ]
        assert world.call("POST", f"{subject}/checkMemberGroups", {"groupIds": [outer, NOBODY]})[1]["value"] == [outer]
    assert code(world.call("POST", f"{path}/checkMemberGroups", {"groupIds": "x"})) == (400, "Request_BadRequest")
    assert world.directory.groups_of(principal) == (inner, outer)


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("Group.Read.All", (200, 403, 403)),
        ("GroupMember.Read.All", (200, 403, 403)),
        ("GroupMember.ReadWrite.All", (200, 403, 204)),
        ("Group.Create", (403, 201, 403)),
        ("Directory.ReadWrite.All", (200, 201, 204)),
        (ALL, (403, 403, 403)),
    ],
)
def test_who_may_do_what_with_groups(role: str, expected: tuple[int, int, int]) -> None:
    world = Tenancy(role)
    made = world.directory.groups.create(NEW)
    reference = {"@odata.id": f"{GRAPH}/directoryObjects/{world.caller.id}"}
    answers = (
        world.call("GET", f"/groups/{made.id}")[0],
        world.call("POST", "/groups", NEW)[0],
        world.call("POST", f"/groups/{made.id}/members/$ref", reference)[0],
    )
    assert answers == expected


# app roles


def test_a_permission_of_graph_that_is_given_lets_its_holder_do_what_it_says_until_it_is_taken_away(
    world: Tenancy,
) -> None:
    _, _, principal = pair(world)
    world.caller, granting = world.directory.records.holder("servicePrincipals", principal), world.caller  # type: ignore[assignment]  # the holder is one
    world.secret, its = world.directory.add_password(world.caller).secret, world.secret
    assert world.call("GET", "/applications")[0] == 403
    graph = world.directory.principal(known.GRAPH)
    assert graph is not None
    body = {"principalId": principal, "resourceId": graph.id, "appRoleId": known.GRAPH_ROLES[READ]}
    path = f"/servicePrincipals/{principal}/appRoleAssignments"
    assert code(world.call("POST", path, body)) == (403, "Authorization_RequestDenied")
    world.caller, world.secret, own = granting, its, (world.caller, world.secret)
    status, made, _ = world.call("POST", path, body)
    assert (status, made["principalDisplayName"], made["resourceDisplayName"]) == (201, "pull", "Microsoft Graph")
    assert code(world.call("POST", path, body)) == (400, "Request_BadRequest")
    assert ids(world.call("GET", path)) == [made["id"]]
    assert made["id"] in ids(world.call("GET", f"/servicePrincipals/{graph.id}/appRoleAssignedTo"))
    assert world.call("GET", f"{path}/{made['id']}")[1]["appRoleId"] == known.GRAPH_ROLES[READ]
    world.caller, world.secret = own
    assert world.call("GET", "/applications")[0] == 200
    world.caller, world.secret = granting, its
    assert world.call("DELETE", f"{path}/{made['id']}")[0] == 204
    assert code(world.call("DELETE", f"{path}/{made['id']}")) == (404, "Request_ResourceNotFound")
    world.caller, world.secret = own
    assert world.call("GET", "/applications")[0] == 403


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"appRoleId": NOBODY}, (400, "Request_BadRequest")),
        ({"appRoleId": None}, (400, "Request_BadRequest")),
        ({"resourceId": NOBODY}, (404, "Request_ResourceNotFound")),
    ],
)
def test_a_role_that_a_resource_does_not_have_is_refused(
    world: Tenancy, changes: dict[str, object], expected: tuple[int, str]
) -> None:
    graph = world.directory.principal(known.GRAPH)
    assert graph is not None
    body = {"principalId": world.caller.id, "resourceId": graph.id, "appRoleId": known.GRAPH_ROLES[READ], **changes}
    assert code(world.call("POST", f"/servicePrincipals/{world.caller.id}/appRoleAssignments", body)) == expected


# app management policies


def test_policies_are_read_and_written_by_those_who_may() -> None:
    reader, writer = Tenancy("Policy.Read.All"), Tenancy(POLICIES)
    assert reader.call("GET", "/policies/defaultAppManagementPolicy")[1]["isEnabled"] is False
    assert code(reader.call("PATCH", "/policies/defaultAppManagementPolicy", {"isEnabled": True})) == (
        403,
        "Authorization_RequestDenied",
    )
    assert code(Tenancy(ALL).call("GET", "/policies/appManagementPolicies")) == (403, "Authorization_RequestDenied")
    assert writer.call("PATCH", "/policies/defaultAppManagementPolicy", {"isEnabled": True})[0] == 204
    assert writer.call("GET", "/policies/defaultAppManagementPolicy?$select=isEnabled")[1]["isEnabled"] is True


def test_a_policy_of_ones_own_counts_in_place_of_the_default_one(world: Tenancy) -> None:
    _, app, principal = pair(world)
    short = {"passwordCredentials": [{"restrictionType": "passwordLifetime", "maxLifetime": "P30D"}]}
    world.call(
        "PATCH",
        "/policies/defaultAppManagementPolicy",
        {"isEnabled": True, "applicationRestrictions": short, "servicePrincipalRestrictions": short},
    )
    _, made, _ = world.call(
        "POST", "/policies/appManagementPolicies", {"displayName": "free", "isEnabled": True, "restrictions": {}}
    )
    path = f"/policies/appManagementPolicies/{made['id']}"
    credential = {"passwordCredential": {"endDateTime": "2026-06-01T00:00:00Z"}}
    assert world.call("POST", f"/applications/{app}/addPassword", credential)[0] == 400
    reference = {"@odata.id": f"{GRAPH}{path}"}
    assert world.call("POST", f"/applications/{app}/appManagementPolicies/$ref", reference)[0] == 204
    assert code(world.call("POST", f"/applications/{app}/appManagementPolicies/$ref", reference)) == (
        400,
        "Request_BadRequest",
    )
    assert world.call("POST", f"/applications/{app}/addPassword", credential)[0] == 200
    assert world.call("POST", f"/servicePrincipals/{principal}/addPassword", credential)[0] == 400
    assert ids(world.call("GET", f"/applications/{app}/appManagementPolicies")) == [made["id"]]
    assert ids(world.call("GET", f"{path}/appliesTo")) == [app]
    assert world.call("PATCH", path, {"restrictions": short})[0] == 204
    assert world.call("GET", path)[1]["restrictions"] == short
    assert world.call("POST", f"/applications/{app}/addPassword", credential)[0] == 400
    assert world.call("DELETE", path)[0] == 204
    assert ids(world.call("GET", "/policies/appManagementPolicies")) == []
    assert code(world.call("GET", path)) == (404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    ("restriction", "status"),
    [
        ({"restrictForAppsCreatedAfterDateTime": "2026-03-02T00:00:00Z"}, 200),
        ({"restrictForAppsCreatedAfterDateTime": "2026-02-01T00:00:00"}, 400),
        ({"state": "disabled"}, 200),
        ({"state": "enabled"}, 400),
    ],
)
def test_a_restriction_may_spare_older_applications_or_be_off(
    world: Tenancy, restriction: dict[str, object], status: int
) -> None:
    _, app, _ = pair(world)
    rules = {"passwordCredentials": [{"restrictionType": "passwordAddition", **restriction}]}
    world.call("PATCH", "/policies/defaultAppManagementPolicy", {"isEnabled": True, "applicationRestrictions": rules})
    assert world.call("POST", f"/applications/{app}/addPassword", {})[0] == status


@pytest.mark.parametrize(
    "body",
    [
        {"displayName": ""},
        {"displayName": "x", "colour": "red"},
        {"displayName": "x", "restrictions": {"passwordCredentials": [{"restrictionType": "other"}]}},
        {
            "displayName": "x",
            "restrictions": {"passwordCredentials": [{"restrictionType": "passwordLifetime", "maxLifetime": "soon"}]},
        },
        {
            "displayName": "x",
            "restrictions": {
                "passwordCredentials": [
                    {"restrictionType": "passwordAddition", "restrictForAppsCreatedAfterDateTime": "x"}
                ]
            },
        },
        {"displayName": "x", "restrictions": 3},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(world: Tenancy, body: dict[str, object]) -> None:
    assert code(world.call("POST", "/policies/appManagementPolicies", body)) == (400, "Request_BadRequest")


# federated identity credentials

FEDERATED = {
    "name": "ci",
    "issuer": "https://token.example",
    "subject": "repo:x",
    "audiences": ["api://AzureADTokenExchange"],
}


def test_a_federated_credential_is_made_read_by_id_and_name_changed_and_deleted(world: Tenancy) -> None:
    app_id, app, _ = pair(world)
    path = f"/applications(appId='{app_id}')/federatedIdentityCredentials"
    status, made, headers = world.call("POST", path, FEDERATED)
    assert (status, list(made)) == (
        201,
        ["@odata.context", "id", "name", "issuer", "subject", "description", "audiences"],
    )
    assert made["@odata.context"] == f"{GRAPH}/$metadata#applications('{app}')/federatedIdentityCredentials/$entity"
    assert headers["Location"].endswith(f"/federatedIdentityCredentials/{made['id']}")
    assert world.call("PATCH", f"{path}/{made['id']}", {"subject": "repo:y", "description": "d"})[0] == 204
    assert world.call("GET", f"{path}/ci")[1]["subject"] == "repo:y"
    assert ids(world.call("GET", f"{path}?$filter=name eq 'ci'")) == [made["id"]]
    assert code(world.call("POST", path, FEDERATED)) == (409, "Request_MultipleObjectsWithSameKeyValue")
    assert world.call("DELETE", f"{path}/ci")[0] == 204
    assert code(world.call("GET", f"{path}/ci")) == (404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    "changes", [{"issuer": None}, {"audiences": []}, {"audiences": ["a", "b"]}, {"subject": 3}, {"colour": "red"}]
)
def test_a_federated_credential_that_makes_no_sense_is_refused(world: Tenancy, changes: dict[str, object]) -> None:
    _, app, _ = pair(world)
    assert code(world.call("POST", f"/applications/{app}/federatedIdentityCredentials", {**FEDERATED, **changes})) == (
        400,
        "Request_BadRequest",
    )


# objects of any kind


def test_objects_of_any_kind_are_read_and_deleted_by_id(world: Tenancy) -> None:
    _, app, principal = pair(world)
    made = group(world)
    kinds = {app: "application", principal: "servicePrincipal", made: "group"}
    for oid, kind in kinds.items():
        assert world.call("GET", f"/directoryObjects/{oid}")[1]["@odata.type"] == f"#microsoft.graph.{kind}"
    _, found, _ = world.call(
        "POST", "/directoryObjects/getByIds", {"ids": [*kinds, NOBODY], "types": ["group", "application"]}
    )
    assert {each["id"] for each in found["value"]} == {app, made}
    assert code(world.call("POST", "/directoryObjects/getByIds", {"ids": [app], "types": 3})) == (
        400,
        "Request_BadRequest",
    )
    assert code(world.call("POST", "/applications", {"displayName": "x", "owners@odata.bind": 3})) == (
        400,
        "Request_BadRequest",
    )
    assert world.call("DELETE", f"/directoryObjects/{app}")[0] == 204
    assert code(world.call("GET", f"/directoryObjects/{principal}")) == (404, "Request_ResourceNotFound")


def test_the_tenants_domain_is_listed_for_directory_readers() -> None:
    status, body, _ = Tenancy("Directory.Read.All").call("GET", "/domains")
    assert (status, [(each["id"], each["isInitial"]) for each in body["value"]]) == (
        200,
        [("contoso.onmicrosoft.com", True)],
    )


# batches


def test_a_batch_runs_what_others_depend_on_first_and_not_what_depends_on_a_failure(world: Tenancy) -> None:
    _, app, _ = pair(world)
    requests = [
        {"id": "2", "method": "GET", "url": f"/applications/{app}?$select=notes", "dependsOn": ["1"]},
        {
            "id": "1",
            "method": "PATCH",
            "url": f"/applications/{app}",
            "body": {"notes": "x"},
            "headers": {"Content-Type": "application/json"},
        },
        {"id": "3", "method": "GET", "url": f"applications/{NOBODY}"},
        {"id": "4", "method": "GET", "url": "/applications", "dependsOn": ["3"]},
        {"id": "5", "method": "GET", "url": "/applications/$count", "headers": {"ConsistencyLevel": "eventual"}},
        {"id": "6", "method": "GET", "url": "/devices"},
    ]
    status, body, _ = world.call("POST", "/$batch", {"requests": requests})
    answers = {each["id"]: each for each in body["responses"]}
    assert status == 200
    assert {name: each["status"] for name, each in answers.items()} == {
        "1": 204,
        "2": 200,
        "3": 404,
        "4": 424,
        "5": 200,
        "6": 501,
    }
    assert answers["2"]["body"]["notes"] == "x"
    assert answers["3"]["body"]["error"]["code"] == "Request_ResourceNotFound"
    assert (answers["5"]["body"], "body" in answers["1"]) == ("2", False)
    assert answers["2"]["headers"]["x-ms-resource-unit"] == "1"


GET = {"id": "1", "method": "GET", "url": "/applications"}


@pytest.mark.parametrize(
    "requests",
    [
        [],
        None,
        [{**GET, "id": str(number)} for number in range(21)],
        [GET, GET],
        [{**GET, "dependsOn": ["2"]}],
        [{**GET, "dependsOn": ["1"]}],
        [{**GET, "method": "TRACE"}],
        [{**GET, "dependsOn": 3}],
        [{**GET, "dependsOn": [3]}],
        [{**GET, "headers": 3}],
        [{**GET, "headers": {"Content-Type": 3}}],
        [{"id": "1"}],
        [{"id": "1", "method": "POST", "url": "/applications", "body": {"displayName": "x"}}],
    ],
)
def test_a_malformed_batch_is_400(world: Tenancy, requests: object) -> None:
    assert code(world.call("POST", "/$batch", {"requests": requests})) == (400, "BadRequest")


# the whole directory


def test_the_whole_directory_survives_json(world: Tenancy) -> None:
    app_id, app, principal = pair(world)
    group(world, members=(principal,))
    world.call("PATCH", "/policies/defaultAppManagementPolicy", {"isEnabled": True})
    world.call("POST", "/policies/appManagementPolicies", {"displayName": "x", "restrictions": {}})
    world.directory.grant(app_id, OWNED)
    world.call("DELETE", f"/applications/{app}")
    as_json = TypeAdapter(DirectoryState)
    again = as_json.validate_json(as_json.dump_json(world.directory.state))
    assert again == world.directory.state
    assert again.principals[principal].app_roles == [OWNED]


async def _life(world: Tenancy) -> dict[str, object]:
    """Use msgraph-sdk as a program does: applications, owners, deleted items, groups, a batch."""
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from msgraph.generated.applications.applications_request_builder import ApplicationsRequestBuilder
    from msgraph.generated.models.application import Application
    from msgraph.generated.models.group import Group
    from msgraph.generated.models.reference_create import ReferenceCreate
    from msgraph.generated.models.service_principal import ServicePrincipal

    adapter, http = signed_in(world)
    client: Any = GraphServiceClient(request_adapter=adapter)
    made = [await client.applications.post(Application(display_name=f"app {number}")) for number in range(3)]
    principal = await client.service_principals.post(ServicePrincipal(app_id=made[0].app_id))
    one = client.applications.by_application_id(made[0].id)
    await one.patch(Application(notes="patched"))
    await one.owners.ref.post(ReferenceCreate(odata_id=f"{GRAPH}/directoryObjects/{principal.id}"))
    query = ApplicationsRequestBuilder.ApplicationsRequestBuilderGetQueryParameters(
        filter="startswith(displayName,'app')",
        top=2,
        count=True,
        orderby=["displayName desc"],
        select=["id", "displayName"],
    )
    configuration = RequestConfiguration(query_parameters=query)
    configuration.headers.add("ConsistencyLevel", "eventual")
    page = await client.applications.get(configuration)
    rest = await client.applications.with_url(page.odata_next_link).get(configuration)
    group_ = await client.groups.post(
        Group(display_name="g", mail_enabled=False, mail_nickname="g", security_enabled=True)
    )
    in_group = client.groups.by_group_id(group_.id)
    await in_group.members.ref.post(ReferenceCreate(odata_id=f"{GRAPH}/directoryObjects/{principal.id}"))
    members = await in_group.members.get()
    owners = await one.owners.get()
    await one.delete()
    bin_ = await client.directory.deleted_items.graph_application.get()
    restored = await client.directory.deleted_items.by_directory_object_id(made[0].id).restore.post()
    read = await one.get()
    await http.aclose()
    return {
        "pages": [[each.display_name for each in one.value] for one in (page, rest)],
        "count": page.odata_count,
        "members": [type(each).__name__ for each in members.value],
        "owners": [each.id for each in owners.value] == [principal.id],
        "deleted": [each.id for each in bin_.value] == [restored.id],
        "notes": read.notes,
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.xdist_group("msgraph")  # its import takes longer than the test
def test_msgraph_sdk_lives_a_whole_life(world: Tenancy) -> None:
    assert asyncio.run(_life(world)) == {
        "pages": [["app 2", "app 1"], ["app 0"]],
        "count": 3,
        "members": ["ServicePrincipal"],
        "owners": True,
        "deleted": True,
        "notes": "patched",
    }


def test_a_managed_identity_has_the_platforms_name_and_certificate() -> None:
    world = Tenancy(READ)
    made = world.directory.create_identity("one", "/subscriptions/s/x")
    shown = world.call("GET", f"/servicePrincipals/{made.id}")[1]
    assert (shown["appDisplayName"], shown["info"], shown["servicePrincipalNames"][0]) == (None, None, made.app_id)
    assert shown["servicePrincipalNames"][1].startswith("https://identity.azure.net/")
    [key] = shown["keyCredentials"]
    assert (key["usage"], key["key"], len(key["customKeyIdentifier"])) == ("Verify", None, 40)
    assert key["displayName"] == f"CN={made.app_id}"
