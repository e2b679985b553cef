"""Tests of Microsoft Graph (azure-facts C1 to C13): passwords, permissions, errors, limits, consistency, and the cost
of a call.
"""

import re
from datetime import timedelta
from typing import Any

import pytest
from local_azure.faults import Fault
from local_azure.graph.odata import CONTENT_TYPE
from local_azure.graph.passwords import MOST
from local_azure.timing import Timing
from tenancy import ALL, GRAPH, OWNED, TENANT, Answer, Tenancy, code

POLICIES = ("Policy.Read.All", "Policy.ReadWrite.ApplicationConfiguration")
DENIED = (403, "Authorization_RequestDenied")
NOBODY = "4b6b3a9e-0000-4000-8000-000000000000"


@pytest.fixture
def world() -> Tenancy:
    return Tenancy(ALL, *POLICIES)


def homes(world: Tenancy) -> dict[str, str]:
    """Create one application and its service principal; return their paths by kind."""
    application = world.directory.create_application("pull")
    principal = world.directory.create_service_principal(application.app_id)
    return {
        "application": f"/applications/{application.id}",
        "applicationByAppId": f"/applications(appId='{application.app_id}')",
        "principal": f"/servicePrincipals/{principal.id}",
        "principalByAppId": f"/servicePrincipals(appId='{application.app_id}')",
    }


def add(world: Tenancy, path: str, **credential: Any) -> Answer:
    return world.call("POST", f"{path}/addPassword", {"passwordCredential": credential} if credential else {})


# azure-facts C1


@pytest.mark.parametrize("home", ["application", "applicationByAppId", "principal", "principalByAppId"])
def test_c1_add_password_answers_200_with_the_recorded_members_and_headers_by_id_and_by_app_id(
    world: Tenancy, home: str
) -> None:
    status, added, headers = add(world, homes(world)[home], displayName="key1", endDateTime="2026-05-30T12:00:00Z")
    assert status == 200
    assert list(added) == [
        "@odata.context",
        "customKeyIdentifier",
        "displayName",
        "endDateTime",
        "hint",
        "keyId",
        "secretText",
        "startDateTime",
    ]
    assert added["@odata.context"] == f"{GRAPH}/$metadata#microsoft.graph.passwordCredential"
    assert (headers["Content-Type"], headers["OData-Version"], headers["Location"]) == (
        CONTENT_TYPE,
        "4.0",
        "https://graph.microsoft.com",
    )
    assert (headers["x-ms-resource-unit"], "request-id" in headers) == ("1", True)


def test_c1_everything_in_the_body_is_optional_and_the_end_is_two_years_after_the_start(world: Tenancy) -> None:
    path = homes(world)["application"]
    assert add(world, path)[1]["endDateTime"] == "2028-03-01T12:00:00Z"
    assert add(world, path, startDateTime="2026-06-01T00:00:00Z")[1]["endDateTime"] == "2028-06-01T00:00:00Z"


def test_c1_the_secret_has_16_to_64_characters_and_is_in_no_later_answer(world: Tenancy) -> None:
    path = homes(world)["application"]
    secret = add(world, path)[1]["secretText"]
    assert 16 <= len(secret) <= 64
    read = world.call("GET", path)[1]
    assert [each["secretText"] for each in read["passwordCredentials"]] == [None]


@pytest.mark.parametrize("home", ["application", "principal"])
def test_c1_the_hint_is_the_first_three_characters(world: Tenancy, home: str) -> None:
    path = homes(world)[home]
    added = add(world, path)[1]
    assert added["hint"] == added["secretText"][:3]
    assert world.call("GET", path)[1]["passwordCredentials"][0]["hint"] == added["hint"]


def test_c1_the_newest_password_comes_first(world: Tenancy) -> None:
    path = homes(world)["application"]
    for name in ("old", "new"):
        add(world, path, displayName=name)
    assert [each["displayName"] for each in world.call("GET", path)[1]["passwordCredentials"]] == ["new", "old"]


def test_c1_a_first_password_can_be_made_with_the_application_and_none_by_a_patch(world: Tenancy) -> None:
    credential = {"passwordCredentials": [{"displayName": "first"}]}
    status, made, _ = world.call("POST", "/applications", {"displayName": "x", **credential})
    (password,) = made["passwordCredentials"]
    assert (status, password["displayName"], password["hint"]) == (201, "first", password["secretText"][:3])
    world.call("POST", "/servicePrincipals", {"appId": made["appId"]})
    assert world.tokens.authenticates(made["appId"], password["secretText"])
    assert world.call("GET", f"/applications/{made['id']}")[1]["passwordCredentials"][0]["secretText"] is None
    assert code(world.call("PATCH", homes(world)["application"], credential)) == (501, "NotImplemented")


@pytest.mark.parametrize(
    "wrong",
    [["x"], [{"colour": "red"}], [{"startDateTime": "2030-01-01T00:00:00Z", "endDateTime": "2029-01-01T00:00:00Z"}]],
)
def test_c1_an_application_whose_password_cannot_be_made_is_not_made(world: Tenancy, wrong: object) -> None:
    refused = world.call("POST", "/applications", {"displayName": "never", "passwordCredentials": wrong})
    assert code(refused) == (400, "Request_BadRequest")
    assert world.call("GET", "/applications?$filter=displayName eq 'never'")[1]["value"] == []


# azure-facts C2


def test_c2_remove_password_answers_204_with_nothing_in_it(world: Tenancy) -> None:
    path = homes(world)["principalByAppId"]
    key = add(world, path)[1]["keyId"]
    status, body, headers = world.call("POST", f"{path}/removePassword", {"keyId": key})
    assert (status, body, "Content-Type" in headers) == (204, None, False)


def test_c2_remove_password_of_an_unknown_key_is_400_with_the_words_that_clients_look_for(world: Tenancy) -> None:
    status, body, _ = world.call("POST", f"{homes(world)['application']}/removePassword", {"keyId": NOBODY})
    assert status == 400
    assert f"No password credential found with keyId {NOBODY}" in body["error"]["message"]


def test_c2_a_password_that_was_removed_may_be_read_a_while_longer() -> None:
    world = Tenancy(ALL, timing=Timing(graph_read=4, replicas=1))
    path = homes(world)["application"]
    world.clock.advance(timedelta(minutes=1))
    key = add(world, path)[1]["keyId"]
    world.clock.advance(timedelta(minutes=1))
    assert world.call("POST", f"{path}/removePassword", {"keyId": key})[0] == 204
    assert len(world.call("GET", path)[1]["passwordCredentials"]) == 1
    world.clock.advance(timedelta(seconds=4))
    assert world.call("GET", path)[1]["passwordCredentials"] == []


# azure-facts C3


def test_c3_owned_by_changes_what_the_caller_owns_and_an_owned_application_is_no_owned_service_principal() -> None:
    world = Tenancy(OWNED)
    paths = homes(world)
    assert code(add(world, paths["application"])) == (403, "Authorization_RequestDenied")
    world.directory.add_owner(paths["application"].rpartition("/")[2], world.caller.id)
    assert add(world, paths["application"])[0] == 200
    assert add(world, paths["principal"])[0] == 403
    world.directory.add_owner(paths["principal"].rpartition("/")[2], world.caller.id)
    assert add(world, paths["principal"])[0] == 200


def test_c3_read_write_all_changes_what_anybody_owns(world: Tenancy) -> None:
    assert add(world, homes(world)["principal"])[0] == 200


@pytest.mark.parametrize(
    "query",
    ["applications?$filter=appId eq '{0}'", "servicePrincipals?$filter=servicePrincipalNames/any(c:c eq '{0}')"],
)
def test_c3_the_filters_that_az_sends_need_no_consistency_level(world: Tenancy, query: str) -> None:
    found = world.call("GET", "/" + query.format(world.caller.app_id))[1]["value"]
    assert [each["appId"] for each in found] == [world.caller.app_id]


# azure-facts C4


def test_c4_the_envelope_of_an_error_has_the_date_and_both_request_ids(world: Tenancy) -> None:
    status, body, headers = world.call("GET", f"/applications/{NOBODY}", client_request_id="mine")
    assert status == 404
    assert list(body["error"]) == ["code", "message", "innerError"]
    assert (headers["Content-Type"], headers["x-ms-resource-unit"], "OData-Version" in headers) == (
        "application/json",
        "1",
        False,
    )
    assert body["error"]["innerError"] == {
        "date": "2026-03-01T12:00:00",
        "request-id": headers["request-id"],
        "client-request-id": "mine",
    }


def test_c4_authorization_request_denied_is_403() -> None:
    world = Tenancy()
    answer = add(world, homes(world)["application"])
    assert code(answer) == (403, "Authorization_RequestDenied")
    assert answer[1]["error"]["message"] == "Insufficient privileges to complete the operation."


def test_c4_request_resource_not_found_is_404_and_names_the_object(world: Tenancy) -> None:
    answer = add(world, f"/servicePrincipals/{NOBODY}")
    assert code(answer) == (404, "Request_ResourceNotFound")
    words = f"Resource '{NOBODY}' does not exist or one of its queried reference-property objects are not present."
    assert answer[1]["error"]["message"] == words


def test_c4_directory_concurrency_violation_is_409_with_and_without_retry_after(world: Tenancy) -> None:
    path = homes(world)["application"]
    key = add(world, path)[1]["keyId"]
    world.faults.add(Fault("graph.applications.removePassword", "concurrency"))
    answer = world.call("POST", f"{path}/removePassword", {"keyId": key})
    assert code(answer) == (409, "Directory_ConcurrencyViolation")
    assert (
        answer[1]["error"]["message"]
        == "Error due to concurrent requests being made to the tenant. Please wait briefly and retry."
    )
    assert "Retry-After" not in answer[2]
    world.faults.add(Fault("graph.applications.removePassword", "concurrency", retry_after=3))
    assert world.call("POST", f"{path}/removePassword", {"keyId": key})[2]["Retry-After"] == "3"
    assert world.call("POST", f"{path}/removePassword", {"keyId": key})[0] == 204


def test_c4_directory_resource_size_exceeded_is_refused_when_the_object_is_full(world: Tenancy) -> None:
    path = homes(world)["application"]
    application = world.directory.state.applications[path.rpartition("/")[2]]
    password = world.directory.add_password(application)
    application.passwords = [password] * MOST
    answer = add(world, path)
    assert code(answer) == (400, "Directory_ResourceSizeExceeded")
    assert answer[1]["error"]["message"].startswith("The size of the object has exceeded its limit.")


def lifetime_policy(longest: str) -> dict[str, Any]:
    restriction = {
        "restrictionType": "passwordLifetime",
        "maxLifetime": longest,
        "restrictForAppsCreatedAfterDateTime": "2020-01-01T00:00:00Z",
    }
    return {"isEnabled": True, "applicationRestrictions": {"passwordCredentials": [restriction]}}


def test_c4_credential_invalid_lifetime_as_per_app_policy_also_for_an_empty_body(world: Tenancy) -> None:
    path = homes(world)["application"]
    assert world.call("PATCH", "/policies/defaultAppManagementPolicy", lifetime_policy("P90D"))[0] == 204
    answer = add(world, path)
    assert code(answer) == (400, "CredentialInvalidLifetimeAsPerAppPolicy")
    assert answer[1]["error"]["message"].startswith(
        "Credential lifetime exceeds the max value allowed as per assigned policy '"
    )
    assert [(each["code"], each["target"]) for each in answer[1]["error"]["details"]] == [
        ("InvalidKeyEndDate", "EndDate")
    ]
    assert add(world, path, endDateTime="2026-05-30T12:00:00Z")[0] == 200


def test_c4_credential_type_not_allowed_as_per_app_policy_where_passwords_are_forbidden(world: Tenancy) -> None:
    path = homes(world)["application"]
    forbidden = {"passwordCredentials": [{"restrictionType": "passwordAddition", "maxLifetime": None}]}
    made = world.call(
        "POST", "/policies/appManagementPolicies", {"displayName": "none", "isEnabled": True, "restrictions": forbidden}
    )[1]
    reference = {"@odata.id": f"{GRAPH}/policies/appManagementPolicies/{made['id']}"}
    assert world.call("POST", f"{path}/appManagementPolicies/$ref", reference)[0] == 204
    assert code(add(world, path)) == (400, "CredentialTypeNotAllowedAsPerAppPolicy")
    assert world.call("DELETE", f"{path}/appManagementPolicies/{made['id']}/$ref")[0] == 204
    assert add(world, path)[0] == 200


def test_c12_a_restriction_exempts_callers_by_a_custom_security_attribute(world: Tenancy) -> None:
    path, own = homes(world)["application"], f"/servicePrincipals/{world.caller.id}"
    exempt = {"id": "Automation_Role", "operator": "equals", "value": "rotator"}
    restriction = {"restrictionType": "passwordAddition", "excludeActors": {"customSecurityAttributes": [exempt]}}
    default = {"isEnabled": True, "applicationRestrictions": {"passwordCredentials": [restriction]}}
    assert world.call("PATCH", "/policies/defaultAppManagementPolicy", default)[0] == 204
    assert code(add(world, path)) == (400, "CredentialTypeNotAllowedAsPerAppPolicy")
    selected = f"{own}?$select=id,customSecurityAttributes"
    given = {"customSecurityAttributes": {"Automation": {"Role": "Rotator"}}}
    assert [code(world.call("GET", selected)), code(world.call("PATCH", own, given))] == [DENIED, DENIED]
    world.directory.grant(world.caller.app_id, "CustomSecAttributeAssignment.ReadWrite.All")
    assert world.call("GET", selected)[1]["customSecurityAttributes"] is None
    assert world.call("PATCH", own, given)[0] == 204
    assert code(add(world, path)) == (400, "CredentialTypeNotAllowedAsPerAppPolicy"), "letter case counts"
    given = {"customSecurityAttributes": {"Automation": {"Role@odata.type": "#String", "Role": "rotator"}}}
    assert world.call("PATCH", own, given)[0] == 204
    assert world.call("GET", selected)[1]["customSecurityAttributes"] == {
        "Automation": {"@odata.type": "#microsoft.graph.customSecurityAttributeValue", "Role": "rotator"}
    }
    assert "customSecurityAttributes" not in world.call("GET", own)[1]
    assert add(world, path)[0] == 200
    assert world.call("PATCH", own, {"customSecurityAttributes": {"Automation": {"Role": None}}})[0] == 204
    assert add(world, path)[0] == 400


def test_c13_a_deactivated_application_gets_no_token_until_it_is_activated(world: Tenancy) -> None:
    paths = homes(world)
    secret = add(world, paths["application"])[1]["secretText"]
    app_id = world.call("GET", paths["application"])[1]["appId"]
    selected = f"/applications(appId='{app_id}')?$select=id,isDisabled"
    assert world.call("GET", selected)[1]["isDisabled"] is None
    assert world.tokens.authenticates(app_id, secret)
    for given, works in ((True, False), (False, True)):
        assert world.call("PATCH", paths["application"], {"isDisabled": given})[0] == 204
        assert world.call("GET", selected)[1]["isDisabled"] is given
        shown = world.call("GET", f"{paths['principal']}?$select=isDisabled,accountEnabled")[1]
        assert (shown["isDisabled"], shown["accountEnabled"]) == (given, True)
        assert world.tokens.authenticates(app_id, secret) is works
    assert code(world.call("PATCH", paths["application"], {"isDisabled": "yes"})) == (400, "Request_BadRequest")
    assert code(world.call("PATCH", paths["principal"], {"isDisabled": True})) == (400, "Request_BadRequest")


@pytest.mark.parametrize("part", ["allProperties", "credentialsWithUsageVerify"])
def test_c4_a_locked_service_principal_takes_no_password_and_its_application_does(world: Tenancy, part: str) -> None:
    paths = homes(world)
    lock = {"servicePrincipalLockConfiguration": {"isEnabled": True, part: True}}
    assert world.call("PATCH", paths["application"], lock)[0] == 204
    answer = add(world, paths["principal"])
    assert code(answer) == (400, "CannotUpdateLockedServicePrincipalProperty")
    assert answer[1]["error"]["message"] == "Property passwordCredentials is invalid."
    assert add(world, paths["application"])[0] == 200


def test_c4_too_many_requests_is_429_with_retry_after(world: Tenancy) -> None:
    path = homes(world)["application"]
    world.faults.add(
        Fault("graph.applications.addPassword", "status", status=429, code="TooManyRequests", retry_after=7)
    )
    answer = add(world, path)
    assert (code(answer), answer[2]["Retry-After"]) == ((429, "TooManyRequests"), "7")


# azure-facts C5


@pytest.mark.parametrize("audience", ["AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"])
def test_c5_an_application_for_personal_accounts_holds_two_passwords(world: Tenancy, audience: str) -> None:
    made = world.call("POST", "/applications", {"displayName": "x", "signInAudience": audience})[1]
    path = f"/applications/{made['id']}"
    answers = [add(world, path) for _ in range(3)]
    assert [answer[0] for answer in answers] == [200, 200, 400]
    assert answers[2][1]["error"]["message"] == "You can only add a maximum of 2 encrypted credentials."


@pytest.mark.parametrize("audience", ["AzureADMyOrg", "AzureADMultipleOrgs"])
def test_c5_an_application_for_organizations_holds_many(world: Tenancy, audience: str) -> None:
    made = world.call("POST", "/applications", {"displayName": "x", "signInAudience": audience})[1]
    assert {add(world, f"/applications/{made['id']}")[0] for _ in range(25)} == {200}


# azure-facts C6


def test_c6_a_new_secret_flaps_between_the_replicas_until_all_know_it() -> None:
    world = Tenancy(ALL, timing=Timing(secret_valid=12, replicas=3))
    application = world.directory.create_application("pull")
    world.directory.create_service_principal(application.app_id)
    secret = add(world, f"/applications/{application.id}")[1]["secretText"]
    seen = []
    for _ in range(4):
        seen.append([world.tokens.authenticates(application.app_id, secret) for _ in range(3)])
        world.clock.advance(timedelta(seconds=4))
    assert [sum(round_) for round_ in seen] == [0, 1, 2, 3]


def test_c6_reads_lag_writes_while_writes_see_everything() -> None:
    world = Tenancy(ALL, timing=Timing(graph_read=4, replicas=1))
    path = homes(world)["application"]
    world.clock.advance(timedelta(minutes=1))
    key = add(world, path)[1]["keyId"]
    assert world.call("GET", path)[1]["passwordCredentials"] == []
    assert world.call("POST", f"{path}/removePassword", {"keyId": key})[0] == 204


# azure-facts C7


def test_c7_a_secret_on_either_object_authenticates_and_each_object_lists_its_own(world: Tenancy) -> None:
    paths = homes(world)
    app_id = world.call("GET", paths["application"])[1]["appId"]
    on = {home: add(world, paths[home])[1] for home in ("application", "principal")}
    assert all(world.tokens.authenticates(app_id, added["secretText"]) for added in on.values())
    for home, added in on.items():
        assert [each["keyId"] for each in world.call("GET", paths[home])[1]["passwordCredentials"]] == [added["keyId"]]
    assert world.call("POST", f"{paths['application']}/removePassword", {"keyId": on["principal"]["keyId"]})[0] == 400


# azure-facts C8


def test_c8_an_add_password_that_is_sent_again_makes_another_one_which_its_name_tells_apart(world: Tenancy) -> None:
    path = homes(world)["application"]
    added = [add(world, path, displayName="run-1")[1]["keyId"] for _ in range(2)]
    found = world.call("GET", path)[1]["passwordCredentials"]
    assert [each["displayName"] for each in found] == ["run-1", "run-1"]
    assert len({*added}) == 2


# azure-facts C9


def test_c9_what_calls_cost_in_resource_units(world: Tenancy) -> None:
    path = homes(world)["application"]
    cost = {
        "list": world.call("GET", f"/applications?$filter=appId eq '{NOBODY}'"),
        "get": world.call("GET", path),
        "add": add(world, path),
        "getByIds": world.call("POST", "/directoryObjects/getByIds", {"ids": [NOBODY]}),
    }
    assert {name: answer[2]["x-ms-resource-unit"] for name, answer in cost.items()} == {
        "list": "2",
        "get": "1",
        "add": "1",
        "getByIds": "3",
    }
    assert cost["getByIds"][2]["Location"] == "https://graph.microsoft.com"


def test_c9_creations_answer_201_changes_and_deletions_204(world: Tenancy) -> None:
    status, made, _ = world.call("POST", "/applications", {"displayName": "x"})
    principal, of, _ = world.call("POST", "/servicePrincipals", {"appId": made["appId"]})
    changed = world.call("PATCH", f"/servicePrincipals/{of['id']}", {"notes": "x"})[0]
    deleted = [
        world.call("DELETE", path)[0] for path in (f"/servicePrincipals/{of['id']}", f"/applications/{made['id']}")
    ]
    assert (status, principal, changed, deleted) == (201, 201, 204, [204, 204])


# answers for clients


APPLICATION = """id deletedDateTime appId applicationTemplateId disabledByMicrosoftStatus createdDateTime displayName description
groupMembershipClaims identifierUris isDeviceOnlyAuthSupported isFallbackPublicClient nativeAuthenticationApisEnabled notes publisherDomain
serviceManagementReference signInAudience tags tokenEncryptionKeyId uniqueName samlMetadataUrl defaultRedirectUri certification optionalClaims
servicePrincipalLockConfiguration requestSignatureVerification addIns api appRoles info keyCredentials parentalControlSettings passwordCredentials
publicClient requiredResourceAccess verifiedPublisher web spa"""
PRINCIPAL = """id deletedDateTime accountEnabled alternativeNames appDisplayName appDescription appId applicationTemplateId appOwnerOrganizationId
appRoleAssignmentRequired createdDateTime description disabledByMicrosoftStatus displayName homepage loginUrl logoutUrl notes
notificationEmailAddresses preferredSingleSignOnMode preferredTokenSigningKeyThumbprint replyUrls servicePrincipalNames servicePrincipalType
signInAudience tags tokenEncryptionKeyId samlSingleSignOnSettings addIns appRoles info keyCredentials oauth2PermissionScopes passwordCredentials
resourceSpecificApplicationPermissions verifiedPublisher"""


def test_c9_objects_have_the_recorded_properties_in_the_recorded_order(world: Tenancy) -> None:
    _, made, _ = world.call("POST", "/applications", {"displayName": "x", "keyCredentials": []})
    _, principal, _ = world.call("POST", "/servicePrincipals", {"appId": made["appId"], "accountEnabled": True})
    assert list(made) == ["@odata.context", *APPLICATION.split()]
    assert list(principal) == ["@odata.context", *PRINCIPAL.split()]


# azure-facts C10


def test_c10_no_answer_has_an_etag_and_if_match_is_not_looked_at(world: Tenancy) -> None:
    path = homes(world)["application"]
    answer = world.call("POST", f"{path}/addPassword", {}, If_Match='W/"other"')
    read = world.call("GET", path)
    assert answer[0] == 200
    assert not [name for _, _, headers in (answer, read) for name in headers if name.lower() == "etag"]
    assert not re.search(r"etag", str(read[1]), re.IGNORECASE)
    assert TENANT not in read[1]["passwordCredentials"][0]


# azure-facts C11


def test_c11_in_takes_fifteen_values_and_more_in_an_advanced_query(world: Tenancy) -> None:
    wanted = [f"{number:08}-0000-4000-8000-000000000000" for number in range(16)]
    lists = [",".join(f"'{each}'" for each in wanted[:many]) for many in (15, 16)]
    for kind in ("applications", "servicePrincipals"):
        fifteen, sixteen = (world.call("GET", f"/{kind}?$filter=appId in ({each})") for each in lists)
        assert fifteen[0] == 200
        assert (sixteen[0], sixteen[1]["error"]["code"]) == (400, "Request_UnsupportedQuery")
        assert "16. Max allowed: 15." in sixteen[1]["error"]["message"]
        path = f"/{kind}?$count=true&$filter=appId in ({lists[1]})"
        assert world.call("GET", path, ConsistencyLevel="eventual")[0] == 200


def test_c11_lists_show_passwords_and_a_batch_answers_each_of_its_lists(world: Tenancy) -> None:
    path = homes(world)["application"]
    add(world, path)
    app_id = world.call("GET", path)[1]["appId"]
    listed = f"/applications?$filter=appId in ('{app_id}')&$select=id,passwordCredentials".replace(" ", "%20")
    requests = [{"id": str(number), "method": "GET", "url": listed} for number in range(19)]
    requests.append({"id": "refused", "method": "GET", "url": f"/applications/{NOBODY}"})
    status, body, _ = world.call("POST", "/$batch", {"requests": requests})
    answers = {each["id"]: each for each in body["responses"]}
    assert status == 200
    assert {answers[each["id"]]["status"] for each in requests[:19]} == {200}
    assert answers["refused"]["status"] == 404
    (shown,) = answers["0"]["body"]["value"]
    assert shown["passwordCredentials"] == world.call("GET", path)[1]["passwordCredentials"]
    assert world.call("POST", "/$batch", {"requests": [*requests, {**requests[0], "id": "one more"}]})[0] == 400
