"""Tests of Entra's token endpoint (azure-facts D1 to D5): its requests, its refusals, its addresses, and the life of
tokens.
"""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode

import jwt
import pytest
from local_azure.azure import Azure
from local_azure.clock import Clock
from local_azure.seed import fill
from local_azure.services import build
from local_azure.timing import PROMPT
from local_azure.wire import Request
from tenancy import TENANT, Answer, Tenancy

LOGIN = "https://login.microsoftonline.com"
ARM = "https://management.azure.com"


@pytest.fixture
def world() -> Tenancy:
    return Tenancy()


def token(world: Tenancy, *, tenant: str = TENANT, version: str = "v2.0/", **changes: str | None) -> Answer:
    target = {"scope": f"{ARM}/.default"} if version else {"resource": ARM}
    form = {
        "client_id": world.caller.app_id,
        "client_secret": world.secret,
        "grant_type": "client_credentials",
        **target,
        **changes,
    }
    body = urlencode({name: value for name, value in form.items() if value is not None}).encode()
    response = world.app.handle(Request.parse("POST", f"{LOGIN}/{tenant}/oauth2/{version}token", {}, body))
    return response.status, json.loads(response.body), response.headers


def get(world: Tenancy, path: str) -> Any:
    response = world.app.handle(Request.parse("GET", LOGIN + path, {}))
    assert response.status == 200
    return json.loads(response.body)


def number(answer: Answer) -> tuple[int, str, int]:
    return answer[0], answer[1]["error"], answer[1]["error_codes"][0]


def test_d1_client_credentials_answer_200_with_four_members(world: Tenancy) -> None:
    cae = '{"access_token":{"xms_cc":{"values":["CP1"]}}}'
    status, body, _ = token(world, client_info="1", claims=cae)
    assert (status, list(body)) == (200, ["token_type", "expires_in", "ext_expires_in", "access_token"])
    assert (body["token_type"], body["expires_in"], body["ext_expires_in"]) == ("Bearer", 3599, 3599)
    assert jwt.decode(body["access_token"], options={"verify_signature": False})["xms_cc"] == ["CP1"]


@pytest.mark.parametrize("tenant", [TENANT, "common", "organizations"])
def test_d1_openid_configuration_has_what_the_synchronous_credential_needs(world: Tenancy, tenant: str) -> None:
    found = get(world, f"/{tenant}/v2.0/.well-known/openid-configuration")
    assert found["token_endpoint"] == f"{LOGIN}/{tenant}/oauth2/v2.0/token"
    assert found["authorization_endpoint"] == f"{LOGIN}/{tenant}/oauth2/v2.0/authorize"
    assert found["issuer"] == f"{LOGIN}/{TENANT if tenant == TENANT else '{tenantid}'}/v2.0"


@pytest.mark.parametrize("tenant", [TENANT, "common", "organizations"])
def test_d1_the_v1_documents_lead_to_the_v1_endpoints(world: Tenancy, tenant: str) -> None:
    found = get(world, f"/{tenant}/.well-known/openid-configuration")
    assert found["token_endpoint"] == f"{LOGIN}/{tenant}/oauth2/token"
    assert found["jwks_uri"] == f"{LOGIN}/{tenant}/discovery/keys"
    assert found["issuer"] == f"https://sts.windows.net/{TENANT if tenant == TENANT else '{tenantid}'}/"


@pytest.mark.parametrize("path", ["discovery/keys", "discovery/v2.0/keys"])
@pytest.mark.parametrize("tenant", [TENANT, "common", "organizations"])
def test_d1_the_published_keys_verify_a_token(world: Tenancy, tenant: str, path: str) -> None:
    given = token(world)[1]["access_token"]
    keys = get(world, f"/{tenant}/{path}")["keys"]
    key = next(jwt.PyJWK(each) for each in keys if each["kid"] == jwt.get_unverified_header(given)["kid"])
    options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    assert jwt.decode(given, key.key, ["RS256"], audience=ARM, options=options)["appid"] == world.caller.app_id  # type: ignore[arg-type]


@pytest.mark.parametrize("version", ["v2.0/", ""])
def test_d1_a_client_may_show_its_secret_in_the_header_as_oauth_has_it(world: Tenancy, version: str) -> None:
    target = {"scope": f"{ARM}/.default"} if version else {"resource": ARM}
    body = urlencode({"grant_type": "client_credentials", **target}).encode()

    def asked(secret: str) -> Answer:
        basic = base64.b64encode(f"{world.caller.app_id}:{quote_plus(secret)}".encode()).decode()
        sent = Request.parse(
            "POST", f"{LOGIN}/{TENANT}/oauth2/{version}token", {"Authorization": f"Basic {basic}"}, body
        )
        response = world.app.handle(sent)
        return response.status, json.loads(response.body), response.headers

    assert asked(world.secret)[0] == 200
    assert number(asked("wrong")) == (401, "invalid_client", 7000215)
    malformed = world.app.handle(
        Request.parse("POST", f"{LOGIN}/{TENANT}/oauth2/{version}token", {"Authorization": "Basic ?"}, body)
    )
    assert json.loads(malformed.body)["error_codes"] == [9002313]


def test_d2_900561_for_a_get_of_the_token_endpoint(world: Tenancy) -> None:
    response = world.app.handle(Request.parse("GET", f"{LOGIN}/{TENANT}/oauth2/v2.0/token", {}))
    assert json.loads(response.body)["error_codes"] == [900561]


def test_d1_the_v1_endpoint_takes_a_resource_and_answers_in_its_own_shape(world: Tenancy) -> None:
    status, body, _ = token(world, version="")
    assert (status, body["resource"], body["expires_in"], body["token_type"]) == (200, ARM, "3599", "Bearer")
    assert int(body["expires_on"]) - int(body["not_before"]) == 3899


def test_d2_an_error_has_the_documented_members_and_repeats_its_ids_in_its_description(world: Tenancy) -> None:
    body = token(world, client_secret="wrong")[1]
    assert list(body) == [
        "error",
        "error_description",
        "error_codes",
        "timestamp",
        "trace_id",
        "correlation_id",
        "error_uri",
    ]
    ids = f"Trace ID: {body['trace_id']} Correlation ID: {body['correlation_id']} Timestamp: {body['timestamp']}"
    assert body["error_description"].startswith("AADSTS7000215: ")
    assert body["error_description"].endswith(ids)
    assert body["error_uri"] == f"{LOGIN}/error?code=7000215"


def test_d2_7000215_for_a_wrong_a_removed_and_a_not_yet_replicated_secret(world: Tenancy) -> None:
    application = world.directory.create_application("pull")
    world.directory.create_service_principal(application.app_id)
    removed = world.directory.add_password(application)
    world.directory.remove_password(application, removed.key_id)
    for secret in ("wrong", removed.secret):
        answer = token(world, client_id=application.app_id, client_secret=secret)
        assert number(answer) == (401, "invalid_client", 7000215)
        assert f"for a secret added to app '{application.app_id}'." in answer[1]["error_description"]


def test_d2_7000222_for_an_expired_secret(world: Tenancy) -> None:
    world.clock.advance(timedelta(days=731))
    answer = token(world)
    assert number(answer) == (401, "invalid_client", 7000222)
    assert "https://aka.ms/NewClientSecret" in answer[1]["error_description"]


def test_d2_700016_for_an_unknown_application(world: Tenancy) -> None:
    answer = token(world, client_id=TENANT)
    assert number(answer) == (400, "unauthorized_client", 700016)
    assert (
        f"Application with identifier '{TENANT}' was not found in the directory 'Contoso'."
        in answer[1]["error_description"]
    )


def test_d2_7000112_for_a_disabled_application(world: Tenancy) -> None:
    world.caller.account_enabled = False
    answer = token(world)
    assert number(answer) == (400, "unauthorized_client", 7000112)
    assert f"Application '{world.caller.app_id}'(caller) is disabled." in answer[1]["error_description"]


@pytest.mark.parametrize("version", ["v2.0/", ""])
def test_d2_90002_for_a_tenant_that_is_not_there(world: Tenancy, version: str) -> None:
    for tenant in ("nowhere.example", "00000000-0000-4000-8000-000000000000"):
        assert number(token(world, tenant=tenant, version=version)) == (400, "invalid_request", 90002)
    assert number(token(world, tenant="nowhere", version=version)) == (400, "invalid_request", 900023)


def test_d2_500011_for_a_resource_that_is_not_there(world: Tenancy) -> None:
    assert number(token(world, scope="https://nobody.example/.default")) == (400, "invalid_resource", 500011)
    assert number(token(world, version="", resource="https://nobody.example")) == (400, "invalid_resource", 500011)


@pytest.mark.parametrize("name", ["client_id", "grant_type", "scope"])
def test_d2_900144_names_the_parameter_that_is_missing(world: Tenancy, name: str) -> None:
    without: dict[str, Any] = {name: None}
    answer = token(world, **without)
    assert number(answer) == (400, "invalid_request", 900144)
    assert f"must contain the following parameter: '{name}'" in answer[1]["error_description"]


def test_d2_a_client_that_shows_no_credential_is_told_which_ones_there_are(world: Tenancy) -> None:
    assert number(token(world, client_secret=None)) == (401, "invalid_client", 7000216)


BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def test_d2_a_certificate_that_is_not_registered_is_refused(world: Tenancy) -> None:
    signed = jwt.encode({"iss": world.caller.app_id, "sub": world.caller.app_id}, "x" * 32, "HS256", {"x5t": "dGh1bWI"})
    answer = token(world, client_secret=None, client_assertion=signed, client_assertion_type=BEARER)
    assert number(answer) == (401, "invalid_client", 700027)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"iss": "https://other.example"}, 700211),
        ({"sub": "repo:y"}, 700213),
        ({"aud": "api://other"}, 700212),
    ],
)
def test_d2_an_assertion_needs_a_federated_credential_that_matches(
    world: Tenancy, claims: dict[str, str], expected: int
) -> None:
    own = world.directory.application(world.caller.app_id)
    assert own is not None
    own.federated.append(
        {"issuer": "https://token.example", "subject": "repo:x", "audiences": ["api://AzureADTokenExchange"]}
    )
    shown = {"iss": "https://token.example", "sub": "repo:x", "aud": "api://AzureADTokenExchange"}
    refused = token(
        world,
        client_secret=None,
        client_assertion=jwt.encode({**shown, **claims}, "x" * 32),
        client_assertion_type=BEARER,
    )
    assert number(refused) == (401, "invalid_client", expected)
    assert (
        token(world, client_secret=None, client_assertion=jwt.encode(shown, "x" * 32), client_assertion_type=BEARER)[0]
        == 501
    )


@pytest.mark.parametrize(("assertion", "kind", "expected"), [("x.y", BEARER, 50027), ("a.b.c", "other", 900144)])
def test_d2_a_malformed_assertion_is_refused(world: Tenancy, assertion: str, kind: str, expected: int) -> None:
    answer = token(
        world, client_secret=None, client_assertion=assertion, client_assertion_type=kind if kind == BEARER else None
    )
    assert number(answer)[2] == expected


@pytest.mark.parametrize(
    "grant", ["password", "refresh_token", "authorization_code", "urn:ietf:params:oauth:grant-type:device_code"]
)
def test_d2_other_grants_are_refused_in_words(world: Tenancy, grant: str) -> None:
    answer = token(world, grant_type=grant)
    assert number(answer) == (400, "unsupported_grant_type", 70003)
    assert f"unsupported grant type '{grant}'" in answer[1]["error_description"]


def test_d3_instance_discovery_knows_the_authorities_of_every_cloud_and_no_other(world: Tenancy) -> None:
    path = "/common/discovery/instance?api-version=1.1&authorization_endpoint="
    found = get(world, f"{path}{LOGIN}/{TENANT}/oauth2/v2.0/authorize")
    assert found["tenant_discovery_endpoint"] == f"{LOGIN}/{TENANT}/v2.0/.well-known/openid-configuration"
    refused = world.app.handle(
        Request.parse("GET", f"{LOGIN}{path}https://127.0.0.1:8443/{TENANT}/oauth2/v2.0/authorize", {})
    )
    assert refused.status == 400
    assert json.loads(refused.body)["error"] == "invalid_instance"


def test_d3_a_token_has_the_claims_that_az_reads(world: Tenancy) -> None:
    claims = jwt.decode(token(world)[1]["access_token"], options={"verify_signature": False})
    assert (claims["tid"], claims["oid"], claims["appid"]) == (TENANT, world.caller.id, world.caller.app_id)


def test_d4_a_token_lives_until_it_expires_whatever_becomes_of_the_secret(world: Tenancy) -> None:
    bearer = "Bearer " + token(world)[1]["access_token"]
    own = world.directory.application(world.caller.app_id)
    assert own is not None
    world.directory.remove_password(own, own.passwords[0].key_id)
    assert token(world)[0] == 401
    world.clock.advance(timedelta(minutes=59))
    assert world.tokens.verify(bearer, [ARM]).oid == world.caller.id


def test_d5_the_claims_of_a_challenge_get_a_token(world: Tenancy) -> None:
    status, body, _ = token(world, claims='{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}')
    assert status == 200
    assert "xms_cc" not in jwt.decode(body["access_token"], options={"verify_signature": False})


def test_d5_an_identity_that_isnt_assigned_is_refused_by_both_endpoints() -> None:
    paths = ("/metadata/identity/oauth2/token?api-version=2018-02-01", "/msi/token?api-version=2019-08-01")
    azure = Azure.build(Clock(datetime(2099, 3, 1, tzinfo=UTC), lambda: 0.0), timing=PROMPT)
    fill(azure)
    app, asked = build(azure, "the-header"), f"&resource={ARM}&client_id=00000000-0000-0000-0000-00000000000a"
    said = []
    for path in paths:
        request = Request.parse(
            "GET", f"http://127.0.0.1:8480{path}{asked}", {"metadata": "true", "x-identity-header": "the-header"}
        )
        response = app.handle(request)
        assert response.status == 400
        said.append(json.loads(response.body))
    assert (said[0]["error"], said[0]["error_description"]) == ("invalid_request", "Identity not found")
    assert said[1]["message"].startswith("No User Assigned or Delegated Managed Identity found")
