"""Tests of applications in Graph: redirect URIs, credentials for other issuers, and token versions."""

from typing import Any
from urllib.parse import quote

import jwt
import pytest
from tenancy import ALL, TENANT, Tenancy, code


@pytest.fixture
def world() -> Tenancy:
    return Tenancy(ALL, "Directory.ReadWrite.All", "AppRoleAssignment.ReadWrite.All")


def made(world: Tenancy, **properties: Any) -> dict[str, Any]:
    status, body, _ = world.call("POST", "/applications", {"displayName": "api", **properties})
    assert status == 201
    return dict(body)


def test_every_redirect_uri_has_settings(world: Tenancy) -> None:
    one = made(world, web={"redirectUris": ["https://a.example", "https://b.example"]})
    settings = [{"uri": "https://a.example", "index": None}, {"uri": "https://b.example", "index": None}]
    assert one["web"]["redirectUriSettings"] == settings
    path = f"/applications/{one['id']}"
    assert (
        world.call("PATCH", path, {"web": {"redirectUriSettings": [{"uri": "https://c.example", "index": 1}]}})[0]
        == 204
    )
    web = world.call("GET", path)[1]["web"]
    assert (web["redirectUris"], web["redirectUriSettings"]) == (
        ["https://c.example"],
        [{"uri": "https://c.example", "index": 1}],
    )
    assert world.call("PATCH", path, {"web": {"homePageUrl": "https://c.example"}})[0] == 204
    assert world.call("GET", path)[1]["web"]["redirectUris"] == ["https://c.example"]


def test_reads_show_lists_from_their_end_and_the_answer_to_a_creation_as_they_were_sent(world: Tenancy) -> None:
    """As recorded of `az ad app create` and `az ad app update`; the lists inside an entry keep their order."""
    access = [{"id": ROLE["id"], "type": kind} for kind in ("Scope", "Role")]
    needs = [{"resourceAppId": resource, "resourceAccess": access} for resource in (ROLE["id"], TENANT)]
    roles = [{**ROLE, "value": value, "id": oid} for value, oid in (("Writer", ROLE["id"]), ("Consumer", TENANT))]
    uris = ["http://localhost/webtest1", "http://localhost/webtest2"]
    given = {"requiredResourceAccess": needs, "appRoles": roles, "web": {"redirectUris": uris}}
    one = made(world, **given)
    path = f"/applications/{one['id']}"
    read = world.call("GET", path)[1]
    assert world.call("PATCH", path, given)[0] == 204
    for shown, turn in ((one, 1), (read, -1), (world.call("GET", path)[1], -1)):
        assert shown["requiredResourceAccess"] == needs[::turn]
        assert [each["value"] for each in shown["appRoles"]] == ["Writer", "Consumer"][::turn]
        assert shown["web"]["redirectUris"] == uris[::turn]
        assert [each["uri"] for each in shown["web"]["redirectUriSettings"]] == uris[::turn]


def test_a_credential_for_another_issuer_has_a_subject_or_an_expression(world: Tenancy) -> None:
    path = f"/applications/{made(world)['id']}/federatedIdentityCredentials"
    given = {"name": "any", "issuer": "https://issuer.example", "audiences": ["api://AzureADTokenExchange"]}
    matching = {"value": "claims['sub'] matches 'repo:me/*'", "languageVersion": 1}
    status, body, _ = world.call("POST", path, {**given, "claimsMatchingExpression": matching})
    assert (status, body["subject"], body["claimsMatchingExpression"]) == (201, None, matching)
    status, body, _ = world.call("POST", path, {**given, "name": "one", "subject": "repo:me/it"})
    assert (status, "claimsMatchingExpression" in body) == (201, False)
    both = world.call("POST", path, {**given, "name": "both", "subject": "x", "claimsMatchingExpression": matching})
    assert code(both) == (400, "Request_BadRequest")
    assert world.call("POST", path, {**given, "name": "none"})[0] == 400
    assert world.call("PATCH", f"{path}/one", {"subject": None, "claimsMatchingExpression": matching})[0] == 204
    assert world.call("GET", f"{path}/one")[1]["claimsMatchingExpression"] == matching


@pytest.mark.parametrize("kind", ["applications", "servicePrincipals"])
def test_objects_have_quoted_keys_too(world: Tenancy, kind: str) -> None:
    shown = world.call("GET", f"/{kind}")[1]["value"][0]
    assert world.call("GET", f"/{kind}('{shown['id']}')")[1]["id"] == shown["id"]
    assert code(world.call("GET", f"/{kind}('{TENANT}')"))[0] == 404


@pytest.mark.parametrize("name", ["a", "$a#1"])
def test_a_user_is_read_by_a_quoted_name(world: Tenancy, name: str) -> None:
    domain = world.call("GET", "/organization")[1]["value"][0]["verifiedDomains"][0]["name"]
    given = {"accountEnabled": True, "displayName": "a", "mailNickname": "a", "userPrincipalName": f"{name}@{domain}"}
    user = world.call("POST", "/users", given | {"passwordProfile": {"password": "Secret-of-a-1"}})[1]
    quoted = f"/users('{quote(f'{name}@{domain}', safe='$@')}')"
    assert world.call("GET", quoted)[1]["id"] == user["id"]
    assert world.call("POST", f"{quoted}/getMemberGroups", {"securityEnabledOnly": False})[0] == 200
    assert world.call("PATCH", quoted, {"passwordProfile": {"forceChangePasswordNextSignIn": True}})[0] == 204
    assert world.call("PATCH", quoted, {"passwordProfile": {"password": "weak"}})[0] == 400


def test_a_permission_grant_has_an_address(world: Tenancy) -> None:
    resource = world.call("GET", "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')")[1]["id"]
    given = {"clientId": world.caller.id, "consentType": "AllPrincipals", "resourceId": resource, "scope": "User.Read"}
    status, body, headers = world.call("POST", "/oauth2PermissionGrants", given)
    assert status == 201
    assert headers["Location"] == f"https://graph.microsoft.com/v2/{TENANT}/oauth2PermissionGrants/{body['id']}"


def test_microsofts_roles_have_their_names(world: Tenancy) -> None:
    graph = world.call("GET", "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')")[1]
    roles = {each["value"]: each["displayName"] for each in graph["appRoles"]}
    assert roles["Application.ReadWrite.OwnedBy"] == "Manage apps that this app creates or owns"
    scopes = {each["value"]: each["adminConsentDisplayName"] for each in graph["oauth2PermissionScopes"]}
    assert scopes["User.Read"] == "Sign in and read user profile"


ROLE = {
    "allowedMemberTypes": ["Application"],
    "description": "Pull",
    "displayName": "Pull",
    "id": "7b6b3a9e-0000-4000-8000-000000000000",
    "isEnabled": True,
    "value": "Pull",
}


@pytest.mark.parametrize("version", [None, 2])
def test_an_application_gets_tokens_of_the_version_that_it_asks_for(world: Tenancy, version: int | None) -> None:
    uri = "api://tokens.example/api"
    one = made(world, api={"requestedAccessTokenVersion": version}, identifierUris=[uri], appRoles=[ROLE])
    principal = world.call("POST", "/servicePrincipals", {"appId": one["appId"]})[1]
    given = {"principalId": world.caller.id, "resourceId": principal["id"], "appRoleId": ROLE["id"]}
    assert world.call("POST", f"/servicePrincipals/{principal['id']}/appRoleAssignedTo", given)[0] == 201
    claims = jwt.decode(world.bearer(uri).removeprefix("Bearer "), options={"verify_signature": False})
    assert claims["roles"] == ["Pull"]
    if version is None:
        assert (claims["ver"], claims["aud"], claims["appid"]) == ("1.0", uri, world.caller.app_id)
        assert claims["iss"] == f"https://sts.windows.net/{TENANT}/"
    else:
        assert (claims["ver"], claims["aud"], claims["azp"]) == ("2.0", one["appId"], world.caller.app_id)
        assert claims["iss"] == f"https://login.microsoftonline.com/{TENANT}/v2.0"
        assert not {"appid", "appidacr", "idp"} & set(claims)


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("credentialsWithUsageVerify", {"keyCredentials": []}),
        ("tokenEncryptionKeyId", {"tokenEncryptionKeyId": TENANT}),
        ("allProperties", {"tokenEncryptionKeyId": TENANT}),
    ],
)
def test_an_instance_lock_forbids_changes_of_what_it_names(world: Tenancy, part: str, changes: dict[str, Any]) -> None:
    one = made(world, servicePrincipalLockConfiguration={"isEnabled": True, part: True})
    principal = world.call("POST", "/servicePrincipals", {"appId": one["appId"]})[1]
    refused = world.call("PATCH", f"/servicePrincipals/{principal['id']}", changes)
    assert code(refused) == (400, "CannotUpdateLockedServicePrincipalProperty")
    assert refused[1]["error"]["message"] == f"Property {next(iter(changes))} is invalid."
    assert world.call("PATCH", f"/servicePrincipals/{principal['id']}", {"tags": ["free"]})[0] == 204


def test_the_limit_of_an_object_counts_the_entries_of_all_its_collections(world: Tenancy) -> None:
    one = made(world, tags=[f"t{n}" for n in range(995)], identifierUris=["api://x.example/1"])
    answers = [world.call("POST", f"/applications/{one['id']}/addPassword", {}) for _ in range(5)]
    assert [answer[0] for answer in answers] == [200, 200, 200, 200, 400]
    assert code(answers[-1]) == (400, "Directory_ResourceSizeExceeded")


def test_the_names_of_a_principal_begin_with_the_uris_in_reads_and_with_the_id_in_the_answer_to_its_creation(
    world: Tenancy,
) -> None:
    """Recorded of azure-cli (2022). Microsoft's own principals have no time of creation."""
    uri = f"api://{TENANT}/names"
    app_id = made(world, identifierUris=[uri])["appId"]
    new = world.call("POST", "/servicePrincipals", {"appId": app_id})[1]
    assert new["servicePrincipalNames"] == [app_id, uri]
    assert world.call("GET", f"/servicePrincipals/{new['id']}")[1]["servicePrincipalNames"] == [uri, app_id]
    graph = world.call("GET", "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')")[1]
    assert (graph["createdDateTime"], new["createdDateTime"] is None) == (None, False)
