"""Tests of Graph's wire and rules, against records of the service and its documentation."""

import asyncio
import json
from datetime import timedelta
from typing import Any, cast

import httpx
import pytest
from azure.core.credentials import AccessToken
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from local_azure.faults import Fault
from local_azure.graph.objects import DirectoryState
from local_azure.graph.odata import CONTENT_TYPE
from local_azure.inprocess import GraphTransport
from local_azure.timing import Timing
from msgraph.generated.applications.item.add_password.add_password_post_request_body import AddPasswordPostRequestBody
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.password_credential import PasswordCredential
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from pydantic import TypeAdapter
from tenancy import ALL, GRAPH, OWNED, READ, TENANT, Tenancy, code


@pytest.fixture
def world() -> Tenancy:
    return Tenancy(ALL)


def test_an_application_is_created_as_recorded_and_read_back_with_whole_seconds(world: Tenancy) -> None:
    world.clock.advance(timedelta(microseconds=100150))
    status, made, headers = world.call(
        "POST", "/applications", {"displayName": "mycontainerregistry-sp", "keyCredentials": []}
    )
    assert status == 201
    assert list(made)[:6] == [
        "@odata.context",
        "id",
        "deletedDateTime",
        "appId",
        "applicationTemplateId",
        "disabledByMicrosoftStatus",
    ]
    assert made["@odata.context"] == f"{GRAPH}/$metadata#applications/$entity"
    assert made["createdDateTime"] == "2026-03-01T12:00:00.10015Z"
    assert headers["Content-Type"] == CONTENT_TYPE
    assert headers["OData-Version"] == "4.0"
    assert headers["Location"].endswith(f"/directoryObjects/{made['id']}/Microsoft.DirectoryServices.Application")
    status, read, headers = world.call("GET", f"/applications/{made['id']}")
    assert (status, read["createdDateTime"], headers["x-ms-resource-unit"]) == (200, "2026-03-01T12:00:00Z", "1")
    assert {**read, "createdDateTime": None} == {**made, "createdDateTime": None}


def test_azure_powershell_names_actions_in_full_and_chooses_key_ids(world: Tenancy) -> None:
    application = world.directory.create_application("pull")
    path, key = f"/applications/{application.id}", "3a299473-3d5a-4ab5-b9ea-1e173023719f"
    body = {"passwordCredential": {"keyId": key, "startDateTime": "2026-10-12T17:05:26.1557753+08:00"}}
    status, added, _ = world.call("POST", f"{path}/microsoft.graph.addPassword", body)
    assert (status, added["keyId"], added["startDateTime"][:19]) == (200, key, "2026-10-12T09:05:26")
    for wrong in (key.upper(), "nonsense"):
        again = world.call("POST", f"{path}/microsoft.graph.addPassword", {"passwordCredential": {"keyId": wrong}})
        assert code(again) == (400, "Request_BadRequest")
    assert world.call("POST", f"{path}/microsoft.graph.removePassword", {"keyId": key})[0] == 204
    assert world.call("GET", f"{path}?$select=Id")[1] == {
        "@odata.context": f"{GRAPH}/$metadata#applications(id)/$entity",
        "id": application.id,
    }
    assert world.call("POST", f"{path}/microsoft.graph.addAnything", {})[0] == 501


def test_add_password_on_an_application_answers_the_recorded_shape_with_a_hint(world: Tenancy) -> None:
    application = world.directory.create_application("pull")
    body = {
        "passwordCredential": {
            "displayName": "key1",
            "startDateTime": "2026-03-01T12:00:00Z",
            "endDateTime": "2026-05-30T12:00:00Z",
        }
    }
    status, added, headers = world.call("POST", f"/applications/{application.id}/addPassword", body)
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
    assert (added["endDateTime"], added["startDateTime"]) == ("2026-05-30T12:00:00Z", "2026-03-01T12:00:00Z")
    assert added["hint"] == added["secretText"][:3]
    assert headers["Location"] == "https://graph.microsoft.com"
    assert headers["x-ms-resource-unit"] == "1"


def test_a_password_of_a_service_principal_is_not_the_applications(world: Tenancy) -> None:
    application = world.directory.create_application("pull")
    principal = world.directory.create_service_principal(application.app_id)
    _, added, _ = world.call("POST", f"/servicePrincipals/{principal.id}/addPassword", {})
    assert added["endDateTime"] == "2028-03-01T12:00:00Z"
    assert world.call("GET", f"/applications/{application.id}")[1]["passwordCredentials"] == []
    assert world.tokens.authenticates_everywhere(application.app_id, added["secretText"])


def test_later_reads_list_passwords_newest_first_and_never_their_secrets(world: Tenancy) -> None:
    application = world.directory.create_application("pull")
    for name in ("first", "second"):
        world.call("POST", f"/applications/{application.id}/addPassword", {"passwordCredential": {"displayName": name}})
    status, read, _ = world.call("GET", f"/applications(appId='{application.app_id}')")
    assert status == 200
    assert [each["displayName"] for each in read["passwordCredentials"]] == ["second", "first"]
    assert {each["secretText"] for each in read["passwordCredentials"]} == {None}
    assert not any(secret in json.dumps(read) for secret in world.directory.every_secret())


def test_remove_password_answers_204_once_and_then_400_with_the_words_that_clients_look_for(world: Tenancy) -> None:
    application = world.directory.create_application("pull")
    key = world.directory.add_password(application).key_id
    path = f"/applications/{application.id}/removePassword"
    status, body, headers = world.call("POST", path, {"keyId": key.upper()})
    assert (status, body) == (204, None)
    assert "Content-Type" not in headers
    status, body, _ = world.call("POST", path, {"keyId": key})
    assert status == 400
    assert f"No password credential found with keyId {key}" in body["error"]["message"]


def test_a_removed_secret_is_still_among_every_secret(world: Tenancy) -> None:
    application = world.directory.create_application("pull")
    password = world.directory.add_password(application)
    world.directory.remove_password(application, password.key_id)
    world.directory.add_password(application)
    assert password not in world.directory.passwords(application.app_id)
    assert password.secret in world.directory.every_secret()


def test_an_unknown_object_is_404_in_the_envelope_whose_ids_are_those_of_the_headers(world: Tenancy) -> None:
    status, body, headers = world.call(
        "GET", "/applications/4b6b3a9e-0000-4000-8000-000000000000", client_request_id="mine"
    )
    assert status == 404
    error = body["error"]
    assert error["code"] == "Request_ResourceNotFound"
    assert (
        error["message"]
        == "Resource '4b6b3a9e-0000-4000-8000-000000000000' does not exist or one of its queried reference-property"
        " objects are not present."
    )
    assert error["innerError"] == {
        "date": "2026-03-01T12:00:00",
        "request-id": headers["request-id"],
        "client-request-id": "mine",
    }
    assert headers["client-request-id"] == "mine"


@pytest.mark.parametrize(
    "filter_",
    [
        "appId%20eq%20'{app_id}'",
        "appId eq '{app_id}'",
        "id eq '{id}'",
        "displayName eq 'Pull''s'",
        "startswith(displayName,'pull')",
        "startsWith(displayName, 'Pull''')",
        "appId in ('{app_id}', 'x')",
        "appId eq 'x' or appId eq '{app_id}'",
    ],
)
def test_filters_that_az_and_sdks_send_find_the_application(world: Tenancy, filter_: str) -> None:
    application = world.directory.create_application("Pull's")
    status, body, headers = world.call(
        "GET", "/applications?$filter=" + filter_.format(app_id=application.app_id, id=application.id)
    )
    assert status == 200
    assert [each["id"] for each in body["value"]] == [application.id]
    assert list(body) == ["@odata.context", "value"]
    assert headers["x-ms-resource-unit"] == "2"


def test_a_service_principal_is_found_by_its_names(world: Tenancy) -> None:
    path = f"/servicePrincipals?$filter=servicePrincipalNames/any(c:c%20eq%20'{world.caller.app_id}')"
    status, body, headers = world.call("GET", path)
    assert (status, [each["id"] for each in body["value"]], headers["x-ms-resource-unit"]) == (
        200,
        [world.caller.id],
        "1",
    )


@pytest.mark.parametrize("query", ["$skip=2", "$format=json", "$expand=owners($expand=owners)"])
def test_what_a_query_means_is_never_guessed(world: Tenancy, query: str) -> None:
    status, body, _ = world.call("GET", f"/applications?{query}")
    assert status == 501
    assert query.split("=", 1)[1] in body["error"]["message"]


@pytest.mark.parametrize(
    "path", ["/applications/delta", "/devices", "/devices/$count", "/applications/x/extensionProperties"]
)
def test_what_is_not_implemented_says_so(world: Tenancy, path: str) -> None:
    assert code(world.call("GET", path)) == (501, "NotImplemented")


def test_beta_is_not_implemented(world: Tenancy) -> None:
    assert world.call("GET", "https://graph.microsoft.com/beta/applications")[0] == 501


def test_a_list_comes_in_pages_that_keep_the_query(world: Tenancy) -> None:
    made = [world.directory.create_application(f"pull {number}") for number in range(5)]
    body: dict[str, Any] = {}
    found, path = [], "/applications?$filter=startswith(displayName,'pull ')&$top=2&$select=id,displayName"
    for _ in range(3):
        _, body, _ = world.call("GET", path)
        found.extend(body["value"])
        path = body.get("@odata.nextLink", "")
    assert path == ""
    assert body["@odata.context"] == f"{GRAPH}/$metadata#applications(id,displayName)"
    assert found == [{"id": each.id, "displayName": each.display_name} for each in made]


def test_a_page_of_more_than_999_and_an_unknown_property_are_refused(world: Tenancy) -> None:
    assert code(world.call("GET", "/applications?$top=1000")) == (400, "Request_UnsupportedQuery")
    status, body, _ = world.call("GET", "/applications?$select=colour")
    assert (status, "'colour'" in body["error"]["message"]) == (400, True)


def test_an_application_id_is_no_object_id(world: Tenancy) -> None:
    assert world.call("GET", f"/applications(appId='{world.caller.app_id.upper()}')")[0] == 200
    assert code(world.call("GET", f"/applications/{world.caller.app_id}")) == (404, "Request_ResourceNotFound")
    assert code(world.call("GET", f"/servicePrincipals(appId='{TENANT}')")) == (404, "Request_ResourceNotFound")


def test_a_doubled_slash_is_one(world: Tenancy) -> None:
    assert world.call("GET", "https://graph.microsoft.com/v1.0//applications")[0] == 200


def test_patch_changes_what_it_names_and_refuses_what_is_unknown_or_fixed(world: Tenancy) -> None:
    application = world.directory.create_application("pull", notes="keep")
    assert world.call("PATCH", f"/applications/{application.id}", {"displayName": "renamed", "tags": ["a"]})[0] == 204
    read = world.call("GET", f"/applications/{application.id}")[1]
    assert (read["displayName"], read["tags"], read["notes"]) == ("renamed", ["a"], "keep")
    assert code(world.call("PATCH", f"/applications/{application.id}", {"colour": "red"})) == (
        400,
        "Request_BadRequest",
    )
    assert code(world.call("PATCH", f"/applications/{application.id}", {"appId": "x"})) == (400, "Request_BadRequest")
    assert code(world.call("PATCH", f"/applications/{application.id}", {"passwordCredentials": [{}]})) == (
        501,
        "NotImplemented",
    )


def test_deleting_an_application_deletes_its_service_principal(world: Tenancy) -> None:
    application = world.directory.create_application("pull")
    principal = world.directory.create_service_principal(application.app_id)
    assert world.call("DELETE", f"/applications/{application.id}")[0] == 204
    assert world.directory.application(application.app_id) is None
    assert code(world.call("GET", f"/servicePrincipals/{principal.id}")) == (404, "Request_ResourceNotFound")


def test_a_service_principal_needs_an_application_and_there_is_one(world: Tenancy) -> None:
    unknown = world.call("POST", "/servicePrincipals", {"appId": TENANT})
    assert code(unknown) == (400, "Request_BadRequest")
    assert "does not reference a valid application object" in unknown[1]["error"]["message"]
    assert code(world.call("POST", "/servicePrincipals", {"appId": world.caller.app_id})) == (
        409,
        "Request_MultipleObjectsWithSameKeyValue",
    )


def test_a_disabled_service_principal_says_so(world: Tenancy) -> None:
    application = world.directory.create_application("pull")
    _, made, _ = world.call("POST", "/servicePrincipals", {"appId": application.app_id, "accountEnabled": True})
    assert made["servicePrincipalNames"] == [application.app_id]
    assert world.call("PATCH", f"/servicePrincipals/{made['id']}", {"accountEnabled": False})[0] == 204
    assert world.call("GET", f"/servicePrincipals/{made['id']}")[1]["accountEnabled"] is False


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/applications", None),
        ("GET", "/applications/{id}", None),
        ("GET", "/applications/nonsense", None),
        ("POST", "/applications", {"displayName": "x"}),
        ("POST", "/applications/{id}/addPassword", {}),
        ("POST", "/applications/{id}/removePassword", {"keyId": "x"}),
        ("DELETE", "/applications/{id}", None),
        ("POST", "/directoryObjects/getByIds", {"ids": ["x"]}),
        ("GET", "/organization", None),
    ],
)
def test_without_permission_everything_is_denied(method: str, path: str, body: object) -> None:
    world = Tenancy()
    target = world.directory.create_application("pull")
    answer = world.call(method, path.format(id=target.id), body)
    assert code(answer) == (403, "Authorization_RequestDenied")
    assert answer[1]["error"]["message"] == "Insufficient privileges to complete the operation."
    assert target.deleted is None


def test_owned_by_changes_just_what_the_caller_owns_and_reads_everything() -> None:
    world = Tenancy(OWNED)
    mine, other = world.directory.create_application("mine"), world.directory.create_application("other")
    principal = world.directory.create_service_principal(mine.app_id)
    world.directory.add_owner(mine.id, world.caller.id)
    assert world.call("POST", f"/applications/{mine.id}/addPassword", {})[0] == 200
    assert world.call("GET", f"/applications(appId='{mine.app_id}')")[0] == 200
    assert world.call("POST", f"/applications/{other.id}/addPassword", {})[0] == 403
    assert world.call("DELETE", f"/applications/{other.id}")[0] == 403
    assert world.call("POST", f"/servicePrincipals/{principal.id}/addPassword", {})[0] == 403
    assert world.call("GET", f"/applications/{other.id}")[0] == 200
    assert world.call("GET", f"/servicePrincipals(appId='{mine.app_id}')")[0] == 200
    assert len(world.call("GET", f"/applications?$filter=appId eq '{mine.app_id}'")[1]["value"]) == 1
    assert world.call("POST", "/directoryObjects/getByIds", {"ids": [mine.id]})[0] == 403


def test_whoever_creates_with_owned_by_owns_what_he_made() -> None:
    world = Tenancy(OWNED)
    _, made, _ = world.call("POST", "/applications", {"displayName": "mine"})
    assert world.call("POST", "/servicePrincipals", {"appId": made["appId"]})[0] == 201
    _, owners, _ = world.call("GET", f"/applications/{made['id']}/owners")
    assert [(each["@odata.type"], each["id"]) for each in owners["value"]] == [
        ("#microsoft.graph.servicePrincipal", world.caller.id)
    ]


def test_a_reader_reads_and_does_not_write() -> None:
    world = Tenancy(READ)
    application = world.directory.create_application("pull")
    assert world.call("GET", f"/applications/{application.id}")[0] == 200
    assert world.call("POST", f"/applications/{application.id}/addPassword", {})[0] == 403


def test_owners_are_added_by_reference_once_and_removed(world: Tenancy) -> None:
    application = world.directory.create_application("pull")
    path, reference = (
        f"/applications/{application.id}/owners",
        {"@odata.id": f"{GRAPH}/directoryObjects/{world.caller.id}"},
    )
    assert world.call("POST", path + "/$ref", reference)[0] == 204
    assert code(world.call("POST", path + "/$ref", reference)) == (400, "Request_BadRequest")
    assert world.call("DELETE", f"{path}/{world.caller.id}/$ref")[0] == 204
    assert application.owners == []


def test_get_by_ids_gives_typed_objects_and_leaves_out_the_unknown(world: Tenancy) -> None:
    status, body, headers = world.call(
        "POST", "/directoryObjects/getByIds", {"ids": [world.caller.id, TENANT], "types": ["user", "servicePrincipal"]}
    )
    assert (status, headers["x-ms-resource-unit"]) == (200, "3")
    assert [(each["@odata.type"], each["displayName"]) for each in body["value"]] == [
        ("#microsoft.graph.servicePrincipal", "caller")
    ]


def test_the_organization_is_for_directory_readers() -> None:
    status, body, _ = Tenancy("Directory.Read.All").call("GET", "/organization")
    assert (status, body["value"][0]["id"]) == (200, TENANT)


def test_me_is_refused_to_an_application(world: Tenancy) -> None:
    answer = world.call("GET", "/me")
    assert code(answer) == (400, "BadRequest")
    assert answer[1]["error"]["message"] == "/me request is only valid with delegated authentication flow."


@pytest.mark.parametrize(
    ("authorization", "words"),
    [
        ("", "Access token is empty."),
        ("Bearer nonsense", "CompactToken parsing failed with error code: 80049217"),
        ("vault", "Access token validation failure. Invalid audience."),
    ],
)
def test_a_bad_token_is_401_in_graphs_words(world: Tenancy, authorization: str, words: str) -> None:
    sent = world.bearer("https://vault.azure.net") if authorization == "vault" else authorization
    status, body, headers = world.call("GET", "/applications", Authorization=sent)
    assert (status, body["error"]["code"], body["error"]["message"]) == (401, "InvalidAuthenticationToken", words)
    assert headers["WWW-Authenticate"].startswith("Bearer ")


def test_an_expired_token_is_401(world: Tenancy) -> None:
    bearer = world.bearer()
    world.clock.advance(timedelta(seconds=3600))
    status, body, _ = world.call("GET", "/applications", Authorization=bearer)
    assert (status, body["error"]["message"]) == (401, "Lifetime validation failed, the token is expired.")


def test_reads_lag_writes_but_writes_do_not() -> None:
    world = Tenancy(ALL, timing=Timing(graph_read=4, replicas=1))
    _, made, _ = world.call("POST", "/applications", {"displayName": "pull"})
    path = f"/applications/{made['id']}"
    assert world.call("GET", path)[0] == 200
    world.clock.advance(timedelta(seconds=10))
    _, added, _ = world.call("POST", path + "/addPassword", {})
    assert world.call("GET", path)[1]["passwordCredentials"] == []
    world.clock.advance(timedelta(seconds=4))
    assert len(world.call("GET", path)[1]["passwordCredentials"]) == 1
    assert world.call("POST", path + "/removePassword", {"keyId": added["keyId"]})[0] == 204
    assert len(world.call("GET", path)[1]["passwordCredentials"]) == 1
    assert world.call("POST", path + "/removePassword", {"keyId": added["keyId"]})[0] == 400
    world.clock.advance(timedelta(seconds=4))
    assert world.call("GET", path)[1]["passwordCredentials"] == []


def test_a_stale_read_misses_the_last_two_minutes_even_a_creation(world: Tenancy) -> None:
    old = world.directory.create_application("old")
    world.clock.advance(timedelta(minutes=5))
    world.directory.add_password(old)
    new = world.directory.create_application("new")
    world.faults.add(Fault("graph.applications.*", "stale", times=3))
    assert world.call("GET", f"/applications/{old.id}")[1]["passwordCredentials"] == []
    assert world.call("GET", f"/applications/{new.id}")[0] == 404
    assert new.id not in [each["id"] for each in world.call("GET", "/applications")[1]["value"]]
    assert len(world.call("GET", f"/applications/{old.id}")[1]["passwordCredentials"]) == 1


def test_replicas_that_answer_in_turn_lag_every_other_time(world: Tenancy) -> None:
    old = world.directory.create_application("old")
    world.clock.advance(timedelta(minutes=5))
    world.directory.add_password(old)
    world.faults.add(Fault("graph.applications.get", "flip", nth=2, times=0))
    seen = [len(world.call("GET", f"/applications/{old.id}")[1]["passwordCredentials"]) for _ in range(5)]
    assert seen == [1, 0, 1, 0, 1]


@pytest.mark.parametrize("what", ["owners", "federatedIdentityCredentials"])
def test_a_stale_list_of_what_hangs_on_an_object_misses_the_last_two_minutes(world: Tenancy, what: str) -> None:
    application = world.directory.create_application("pull")
    world.clock.advance(timedelta(minutes=5))
    path = f"/applications/{application.id}/{what}"
    if what == "owners":
        world.directory.add_owner(application.id, world.directory.create_service_principal(application.app_id).id)
    else:
        trust = {
            "name": "t",
            "issuer": "https://token.example",
            "subject": "s",
            "audiences": ["api://AzureADTokenExchange"],
        }
        assert world.call("POST", path, trust)[0] == 201
    world.faults.add(Fault(f"graph.applications.{what}.list", "stale"))
    assert world.call("GET", path)[1]["value"] == []
    assert len(world.call("GET", path)[1]["value"]) == 1
    if what == "federatedIdentityCredentials":
        world.clock.advance(timedelta(minutes=5))
        assert world.call("DELETE", f"{path}/t")[0] == 204
        world.faults.add(Fault(f"graph.applications.{what}.list", "stale"))
        assert len(world.call("GET", path)[1]["value"]) == 1
        assert world.call("GET", path)[1]["value"] == []


def test_a_concurrency_violation_changes_nothing(world: Tenancy) -> None:
    application = world.directory.create_application("pull")
    world.faults.add(Fault("graph.applications.addPassword", "concurrency", retry_after=5))
    answer = world.call("POST", f"/applications/{application.id}/addPassword", {})
    assert code(answer) == (409, "Directory_ConcurrencyViolation")
    assert answer[2]["Retry-After"] == "5"
    assert application.passwords == []


def test_an_app_management_policy_refuses_or_shortens(world: Tenancy) -> None:
    application = world.directory.create_application("pull")
    path = f"/applications/{application.id}/addPassword"
    world.faults.add(Fault("graph.applications.addPassword", "app_policy"))
    answer = world.call("POST", path, {})
    assert code(answer) == (400, "CredentialInvalidLifetimeAsPerAppPolicy")
    assert answer[1]["error"]["details"][0]["code"] == "InvalidKeyEndDate"
    world.faults.clear()
    world.faults.add(Fault("graph.applications.addPassword", "app_policy", argument="86400"))
    assert world.call("POST", path, {})[1]["endDateTime"] == "2026-03-02T12:00:00Z"


def test_an_application_for_personal_accounts_holds_two_passwords(world: Tenancy) -> None:
    application = world.directory.create_application("pull", signInAudience="AzureADandPersonalMicrosoftAccount")
    path = f"/applications/{application.id}/addPassword"
    assert [world.call("POST", path, {})[0] for _ in range(3)] == [200, 200, 400]


def test_a_locked_application_takes_passwords_itself_but_not_on_its_service_principal(world: Tenancy) -> None:
    application = world.directory.create_application(
        "pull", servicePrincipalLockConfiguration={"isEnabled": True, "allProperties": True}
    )
    principal = world.directory.create_service_principal(application.app_id)
    assert world.call("POST", f"/applications/{application.id}/addPassword", {})[0] == 200
    assert code(world.call("POST", f"/servicePrincipals/{principal.id}/addPassword", {})) == (
        400,
        "CannotUpdateLockedServicePrincipalProperty",
    )


@pytest.mark.parametrize(
    "credential", [{"colour": "red"}, {"endDateTime": "soon"}, {"endDateTime": "2020-01-01T00:00:00Z"}, "text"]
)
def test_a_bad_credential_in_the_request_is_400(world: Tenancy, credential: object) -> None:
    application = world.directory.create_application("pull")
    answer = world.call("POST", f"/applications/{application.id}/addPassword", {"passwordCredential": credential})
    assert code(answer) == (400, "Request_BadRequest")


def test_the_state_survives_json(world: Tenancy) -> None:
    application = world.directory.create_application("pull", tags=["a"])
    world.directory.add_password(application, "key")
    world.directory.join("group", world.caller.id)
    as_json = TypeAdapter(DirectoryState)
    assert as_json.validate_json(as_json.dump_json(world.directory.state)) == world.directory.state


def test_groups_are_followed_through_groups(world: Tenancy) -> None:
    world.directory.join("inner", world.caller.id)
    world.directory.join("outer", "inner")
    world.directory.join("inner", "outer")
    assert world.directory.groups_of(world.caller.id) == ("inner", "outer")


class _Credential:
    """Credential in process, for msgraph-sdk."""

    def __init__(self, world: Tenancy) -> None:
        self._world = world

    async def get_token(self, *_: str, **__: object) -> AccessToken:
        return AccessToken(self._world.bearer().removeprefix("Bearer "), 4102444800)

    async def close(self) -> None:
        """Close nothing."""


async def _graph_sdk(world: Tenancy) -> None:
    application = world.directory.create_application("pull")
    http = httpx.AsyncClient(transport=GraphTransport(world.app))
    client = GraphServiceClient(
        request_adapter=GraphRequestAdapter(AzureIdentityAuthenticationProvider(cast(Any, _Credential(world))), http)
    )
    body = AddPasswordPostRequestBody(password_credential=PasswordCredential(display_name="sdk"))
    added = await client.applications.by_application_id(application.id).add_password.post(body)
    assert added is not None
    assert added.secret_text in world.directory.every_secret()
    found = await client.applications_with_app_id(application.app_id).get()
    assert found is not None
    assert found.password_credentials is not None
    assert [each.key_id for each in found.password_credentials] == [added.key_id]
    with pytest.raises(ODataError) as refused:
        await client.applications.by_application_id(TENANT).get()
    assert refused.value.error is not None
    assert refused.value.error.code == "Request_ResourceNotFound"
    await http.aclose()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.xdist_group("msgraph")  # its import takes longer than the test
def test_msgraph_sdk_understands_it(world: Tenancy) -> None:
    asyncio.run(_graph_sdk(world))
