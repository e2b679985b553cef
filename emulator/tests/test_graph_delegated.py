"""Tests of delegated permissions, and of an application's roles and claims: the requests of ``az ad app permission``
and ``az ad app create``.
"""

from typing import Any

import pytest
from local_azure.graph import known
from tenancy import ALL, Tenancy, code

DIRECTORY, READ = "Directory.ReadWrite.All", "c79f8feb-a9db-4090-85f9-90d820caa0eb"
NOBODY = "4b6b3a9e-0000-4000-8000-000000000000"


@pytest.fixture
def world() -> Tenancy:
    return Tenancy(ALL, DIRECTORY)


def graph_principal(world: Tenancy) -> str:
    return world.directory.records.id_of("servicePrincipals", known.GRAPH)


def asked(world: Tenancy, **changes: object) -> dict[str, object]:
    own = {
        "clientId": world.caller.id,
        "consentType": "AllPrincipals",
        "principalId": None,
        "resourceId": graph_principal(world),
    }
    return {**own, "scope": "Directory.Read.All", **changes}


def test_microsofts_service_principals_name_their_delegated_permissions(world: Tenancy) -> None:
    _, graph, _ = world.call("GET", f"/servicePrincipals(appId='{known.GRAPH}')")
    scopes = {each["value"]: each for each in graph["oauth2PermissionScopes"]}
    assert scopes["Application.Read.All"]["id"] == READ
    assert list(scopes["User.Read"]) == [
        *("adminConsentDescription", "adminConsentDisplayName", "id", "isEnabled", "type"),
        *("userConsentDescription", "userConsentDisplayName", "value"),
    ]
    _, arm, _ = world.call("GET", "/servicePrincipals(appId='797f4846-ba00-4fd7-ba43-dac1f8f63013')")
    assert [each["value"] for each in arm["oauth2PermissionScopes"]] == ["user_impersonation"]


def test_a_grant_is_made_once_listed_by_client_changed_and_taken_away(world: Tenancy) -> None:
    status, made, _ = world.call("POST", "/oauth2PermissionGrants", asked(world))
    assert (status, list(made)) == (
        201,
        ["@odata.context", "clientId", "consentType", "id", "principalId", "resourceId", "scope"],
    )
    assert (made["consentType"], made["principalId"], len(made["id"])) == ("AllPrincipals", None, 43)
    again = world.call("POST", "/oauth2PermissionGrants", asked(world))
    assert code(again) == (409, "Request_MultipleObjectsWithSameKeyValue")
    _, listed, _ = world.call("GET", f"/oauth2PermissionGrants?$filter=clientId eq '{world.caller.id}'")
    assert [each["id"] for each in listed["value"]] == [made["id"]]
    assert world.call("GET", f"/oauth2PermissionGrants?$filter=clientId eq '{NOBODY}'")[1]["value"] == []
    assert (
        world.call("GET", f"/servicePrincipals/{world.caller.id}/oauth2PermissionGrants")[1]["value"] == listed["value"]
    )
    assert world.call("PATCH", f"/oauth2PermissionGrants/{made['id']}", {"scope": "User.Read"})[0] == 204
    assert world.call("GET", f"/oauth2PermissionGrants/{made['id']}")[1]["scope"] == "User.Read"
    assert code(world.call("PATCH", f"/oauth2PermissionGrants/{made['id']}", {"clientId": NOBODY})) == (
        400,
        "Request_BadRequest",
    )
    assert world.call("DELETE", f"/oauth2PermissionGrants/{made['id']}")[0] == 204
    assert code(world.call("GET", f"/oauth2PermissionGrants/{made['id']}")) == (404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"consentType": "Everybody"}, (400, "Request_BadRequest")),
        ({"consentType": "Principal"}, (400, "Request_BadRequest")),
        ({"principalId": NOBODY}, (400, "Request_BadRequest")),
        ({"clientId": None}, (400, "Request_BadRequest")),
        ({"scope": ["User.Read"]}, (400, "Request_BadRequest")),
        ({"colour": "red"}, (400, "Request_BadRequest")),
        ({"resourceId": NOBODY}, (404, "Request_ResourceNotFound")),
        ({"consentType": "Principal", "principalId": NOBODY}, (404, "Request_ResourceNotFound")),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(
    world: Tenancy, changes: dict[str, object], expected: tuple[int, str]
) -> None:
    assert code(world.call("POST", "/oauth2PermissionGrants", asked(world, **changes))) == expected


def test_who_may_see_and_give_delegated_permissions() -> None:
    reader, stranger = Tenancy("Directory.Read.All"), Tenancy(ALL)
    assert reader.call("GET", "/oauth2PermissionGrants")[0] == 200
    for world in (reader, stranger):
        assert code(world.call("POST", "/oauth2PermissionGrants", asked(world))) == (403, "Authorization_RequestDenied")


def made(world: Tenancy, **properties: Any) -> Any:
    status, body, _ = world.call("POST", "/applications", {"displayName": "x", **properties})
    assert status == 201, body
    return body


def test_roles_claims_and_required_permissions_come_back_with_every_member(world: Tenancy) -> None:
    role = {
        "allowedMemberTypes": ["User"],
        "displayName": "Writer",
        "id": NOBODY,
        "isEnabled": True,
        "description": "Writes.",
        "value": "Writer",
    }
    claims = {"idToken": [{"name": "auth_time", "essential": False}], "saml2Token": [{"name": "upn", "source": "user"}]}
    needs = [{"resourceAccess": [{"id": READ, "type": "Scope"}], "resourceAppId": known.GRAPH}]
    body = made(world, appRoles=[role], optionalClaims=claims, requiredResourceAccess=needs)
    assert list(body["appRoles"][0]) == [
        "allowedMemberTypes",
        "description",
        "displayName",
        "id",
        "isEnabled",
        "origin",
        "value",
    ]
    assert body["appRoles"][0]["origin"] == "Application"
    assert body["optionalClaims"] == {
        "accessToken": [],
        "idToken": [{"additionalProperties": [], "essential": False, "name": "auth_time", "source": None}],
        "saml2Token": [{"additionalProperties": [], "essential": False, "name": "upn", "source": "user"}],
    }
    assert list(body["requiredResourceAccess"][0]) == ["resourceAppId", "resourceAccess"]
    assert code(world.call("POST", "/applications", {"displayName": "x", "optionalClaims": {"idToken": "all"}})) == (
        400,
        "Request_BadRequest",
    )


def test_an_application_for_personal_accounts_asks_for_tokens_of_version_2(world: Tenancy) -> None:
    assert made(world, signInAudience="AzureADandPersonalMicrosoftAccount")["api"]["requestedAccessTokenVersion"] == 2
    assert made(world)["api"]["requestedAccessTokenVersion"] is None
