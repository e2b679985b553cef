"""Tests of Entra's token endpoint: issued tokens, refusals with their words, and the delay until a replica knows a
secret.
"""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from azure.identity import ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential
from local_azure.app import App
from local_azure.clock import Clock
from local_azure.entra import signing
from local_azure.entra.bearers import BadToken, TokenState
from local_azure.entra.behaviour import Tokens
from local_azure.entra.wire import Entra
from local_azure.faults import Fault, Faults
from local_azure.graph.behaviour import Directory
from local_azure.ids import Ids
from local_azure.inprocess import Session, SyncAdapter
from local_azure.timing import PROMPT, Timing
from local_azure.wire import Request
from pydantic import TypeAdapter

TENANT = "5a1e0d3c-0000-4000-8000-000000000001"
LOGIN = "https://login.microsoftonline.com"
ARM = "https://management.azure.com/.default"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class World:
    """One tenant with one application and its password."""

    def __init__(self, timing: Timing = PROMPT) -> None:
        self.clock = Clock(START, lambda: 0.0)
        self.ids, self.faults = Ids(7), Faults()
        self.directory = Directory(self.clock, self.ids, timing, self.faults, TENANT)
        self.tokens = Tokens(self.clock, self.ids, timing, self.faults, self.directory)
        parts: Any = SimpleNamespace(
            directory=self.directory, tokens=self.tokens, ids=self.ids, clock=self.clock, faults=self.faults
        )
        self.app = App(self.clock, self.ids, (Entra(parts),), self.faults)
        self.application = self.directory.create_application("pull")
        self.principal = self.directory.create_service_principal(self.application.app_id)
        self.password = self.directory.add_password(self.application, at_once=True)

    def send(
        self, method: str, path: str, form: Mapping[str, str] | None = None, **headers: str
    ) -> tuple[int, Any, dict[str, str]]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.app.handle(Request.parse(method, LOGIN + path, sent, urlencode(form or {}).encode()))
        return response.status, json.loads(response.body), response.headers

    def token(self, *, tenant: str = TENANT, **changes: str | None) -> tuple[int, Any, dict[str, str]]:
        form = {
            "client_id": self.application.app_id,
            "client_secret": self.password.secret,
            "grant_type": "client_credentials",
            "scope": ARM,
        }
        kept = {name: value for name, value in {**form, "client_info": "1", **changes}.items() if value is not None}
        return self.send("POST", f"/{tenant}/oauth2/v2.0/token", kept, client_request_id="corr")


@pytest.fixture
def world() -> World:
    return World()


def test_a_token_answer_and_its_claims_are_as_recorded(world: World) -> None:
    status, body, headers = world.token()
    assert status == 200
    assert list(body) == ["token_type", "expires_in", "ext_expires_in", "access_token"]
    assert (body["token_type"], body["expires_in"], body["ext_expires_in"]) == ("Bearer", 3599, 3599)
    assert headers["Cache-Control"] == "no-store, no-cache"
    assert headers["client-request-id"] == "corr"
    _, keys, _ = world.send("GET", f"/{TENANT}/discovery/v2.0/keys")
    head = jwt.get_unverified_header(body["access_token"])
    key = next(jwt.PyJWK(each) for each in keys["keys"] if each["kid"] == head["kid"])
    claims = jwt.decode(
        body["access_token"],
        key.key,
        ["RS256"],
        audience="https://management.azure.com",
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    assert claims["iss"] == f"https://sts.windows.net/{TENANT}/"
    assert (claims["tid"], claims["oid"], claims["appid"]) == (TENANT, world.principal.id, world.application.app_id)
    assert (claims["idtyp"], claims["ver"], claims["exp"]) == ("app", "1.0", int(START.timestamp()) + 3599)
    assert "roles" not in claims


def test_graph_permissions_are_roles_of_a_graph_token_and_the_doubled_slash_is_kept(world: World) -> None:
    world.directory.grant(world.application.app_id, "Application.Read.All")
    _, body, _ = world.token(
        scope="https://graph.microsoft.com//.default", claims='{"access_token":{"xms_cc":{"values":["CP1"]}}}'
    )
    claims = world.tokens.claims(f"Bearer {body['access_token']}")
    assert (claims["aud"], claims["roles"], claims["xms_cc"]) == (
        "https://graph.microsoft.com/",
        ["Application.Read.All"],
        ["CP1"],
    )


@pytest.mark.parametrize(
    ("changes", "status", "error", "number", "words"),
    [
        (
            {"client_secret": "wrong"},
            401,
            "invalid_client",
            7000215,
            "Invalid client secret provided. Ensure the secret being sent",
        ),
        (
            {"client_secret": None},
            401,
            "invalid_client",
            7000216,
            "'client_assertion', 'client_secret' or 'request' is required",
        ),
        (
            {"client_id": TENANT},
            400,
            "unauthorized_client",
            700016,
            f"Application with identifier '{TENANT}' was not found in the directory 'Contoso'.",
        ),
        ({"tenant": "nowhere.example"}, 400, "invalid_request", 90002, "Tenant 'nowhere.example' not found."),
        ({"tenant": "organizations"}, 400, "invalid_request", 50059, "No tenant-identifying information found"),
        (
            {"scope": "https://nobody.example/.default"},
            400,
            "invalid_resource",
            500011,
            "The resource principal named https://nobody.example was not found",
        ),
        ({"scope": "https://management.azure.com/user"}, 400, "invalid_scope", 1002012, "The provided value for scope"),
        ({"scope": None}, 400, "invalid_request", 900144, "must contain the following parameter: 'scope'"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003, "unsupported grant type 'password'"),
        ({"grant_type": None}, 400, "invalid_request", 900144, "must contain the following parameter: 'grant_type'"),
        ({"claims": "{"}, 400, "invalid_request", 9002313, "Request is malformed"),
    ],
)
def test_refusals_have_azures_numbers_and_words(
    world: World, changes: dict[str, Any], status: int, error: str, number: int, words: str
) -> None:
    answered, body, headers = world.token(**changes)
    assert (answered, body["error"], body["error_codes"]) == (status, error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    assert words in body["error_description"]
    assert body["error_description"].endswith(
        f" Trace ID: {body['trace_id']} Correlation ID: corr Timestamp: 2026-03-01 12:00:00Z"
    )
    assert (body["timestamp"], body["correlation_id"], headers["x-ms-request-id"]) == (
        "2026-03-01 12:00:00Z",
        "corr",
        body["trace_id"],
    )
    address = f"https://login.microsoftonline.com/error?code={number}"
    assert body.get("error_uri") == (None if number == 1002012 else address)


def test_the_empty_guid_is_refused_as_a_tenant(world: World) -> None:
    nil = "00000000-0000-0000-0000-000000000000"
    status, body, _ = world.token(tenant=nil)
    assert (status, body["error"], body["error_codes"]) == (400, "invalid_request", [900021])
    words = f"Requested tenant identifier '{nil}' is not valid. Tenant identifiers may not be an empty GUID."
    assert words in body["error_description"]


def test_an_expired_secret_is_told_from_a_wrong_one(world: World) -> None:
    world.clock.advance(world.password.end - START)
    status, body, _ = world.token()
    assert (status, body["error"], body["error_codes"]) == (401, "invalid_client", [7000222])
    assert f"keys for app '{world.application.app_id}' are expired" in body["error_description"]
    assert world.token(client_secret="wrong")[1]["error_codes"] == [7000215]


def test_a_disabled_principal_gets_no_token(world: World) -> None:
    world.principal.account_enabled = False
    status, body, _ = world.token()
    assert (status, body["error"], body["error_codes"]) == (400, "unauthorized_client", [7000112])
    assert f"Application '{world.application.app_id}'(pull) is disabled." in body["error_description"]
    assert not world.tokens.authenticates(world.application.app_id, world.password.secret)
    assert not world.tokens.authenticates_everywhere(world.application.app_id, world.password.secret)


def test_an_application_without_a_service_principal_gets_no_token(world: World) -> None:
    world.directory.delete(world.principal)
    assert world.token()[1]["error_codes"] == [7000229]


def test_the_tenants_domain_and_an_application_of_ones_own_will_do(world: World) -> None:
    assert world.token(tenant="contoso.onmicrosoft.com", scope=f"api://{world.application.app_id}/.default")[0] == 200


def test_the_v1_endpoint_answers_in_its_own_shape(world: World) -> None:
    form = {
        "client_id": world.application.app_id,
        "client_secret": world.password.secret,
        "grant_type": "client_credentials",
        "resource": "https://vault.azure.net",
    }
    status, body, _ = world.send("POST", f"/{TENANT}/oauth2/token", form)
    assert (status, body["expires_in"], body["resource"]) == (200, "3599", "https://vault.azure.net")


def test_a_new_secret_is_accepted_by_one_replica_after_another(world: World) -> None:
    world = World(Timing(secret_valid=12, secret_gone=6, replicas=3))
    added = world.directory.add_password(world.application)
    accepted = []
    for _ in range(5):
        accepted.append([world.token(client_secret=added.secret)[0] for _ in range(3)])
        world.clock.advance(timedelta(seconds=4))
    assert accepted == [[401, 401, 401], [200, 401, 401], [200, 200, 401], [200, 200, 200], [200, 200, 200]]
    world.directory.remove_password(world.application, added.key_id)
    assert world.tokens.authenticates_everywhere(world.application.app_id, added.secret)
    world.clock.advance(timedelta(seconds=2))
    assert not world.tokens.authenticates_everywhere(world.application.app_id, added.secret)
    assert [world.tokens.authenticates(world.application.app_id, added.secret) for _ in range(3)] == [False, True, True]
    world.clock.advance(timedelta(seconds=4))
    assert [world.token(client_secret=added.secret)[0] for _ in range(3)] == [401, 401, 401]


def test_asking_everywhere_takes_nobodys_turn() -> None:
    world = World(Timing(replicas=3))
    before = dict(world.tokens.state.turns)
    world.tokens.authenticates_everywhere(world.application.app_id, world.password.secret)
    assert world.tokens.state.turns == before


def test_a_secret_of_another_application_is_wrong(world: World) -> None:
    other = world.directory.create_application("other")
    foreign = world.directory.add_password(other, at_once=True)
    assert world.token(client_secret=foreign.secret)[1]["error_codes"] == [7000215]


@pytest.mark.parametrize("reason", ["missing", "malformed", "signature", "audience", "expired"])
def test_verify_says_what_is_wrong_with_a_token(world: World, reason: str) -> None:
    good = "Bearer " + world.token()[1]["access_token"]
    elsewhere = Tokens(world.clock, world.ids, PROMPT, world.faults, world.directory, key=_other_key())
    foreign = elsewhere.issue(TENANT, world.application.app_id, world.password.secret, ARM)["access_token"]
    sent = {"missing": "Basic eDp5", "malformed": "Bearer x", "signature": f"Bearer {foreign}"}.get(reason, good)
    audiences = ["https://vault.azure.net"] if reason == "audience" else ["https://management.azure.com/"]
    assert world.tokens.verify(good, ["https://management.azure.com"]).oid == world.principal.id
    if reason == "expired":
        world.clock.advance(timedelta(seconds=3599))
    with pytest.raises(BadToken) as refused:
        world.tokens.verify(sent, audiences)
    assert (refused.value.status, refused.value.code, refused.value.reason) == (
        401,
        "InvalidAuthenticationToken",
        reason,
    )


def _other_key() -> str:
    return signing.process_key.__wrapped__()


def test_a_token_outlives_the_secret_that_bought_it(world: World) -> None:
    good = "Bearer " + world.token()[1]["access_token"]
    world.directory.remove_password(world.application, world.password.key_id)
    assert world.token()[0] == 401
    assert world.tokens.verify(good, ["https://management.azure.com"]).app_id == world.application.app_id


def test_a_token_survives_a_restart_of_the_same_state(world: World) -> None:
    good = "Bearer " + world.token()[1]["access_token"]
    saved = TypeAdapter(TokenState).dump_json(world.tokens.state)
    again = Tokens(world.clock, world.ids, PROMPT, world.faults, world.directory)
    again.state = TypeAdapter(TokenState).validate_json(saved)
    assert again.verify(good, ["https://management.azure.com"]).oid == world.principal.id


@pytest.mark.parametrize("tenant", [TENANT, "contoso.onmicrosoft.com"])
def test_openid_configuration_leads_to_the_tenants_endpoints(world: World, tenant: str) -> None:
    status, body, _ = world.send("GET", f"/{tenant}/v2.0/.well-known/openid-configuration")
    assert status == 200
    assert body["issuer"] == f"{LOGIN}/{TENANT}/v2.0"
    assert body["token_endpoint"] == f"{LOGIN}/{TENANT}/oauth2/v2.0/token"
    assert body["authorization_endpoint"] == f"{LOGIN}/{TENANT}/oauth2/v2.0/authorize"
    _, old, _ = world.send("GET", f"/{tenant}/.well-known/openid-configuration")
    assert (old["issuer"], old["token_endpoint"]) == (
        f"https://sts.windows.net/{TENANT}/",
        f"{LOGIN}/{TENANT}/oauth2/token",
    )


def test_openid_configuration_of_no_tenant_in_particular(world: World) -> None:
    _, body, _ = world.send("GET", "/organizations/v2.0/.well-known/openid-configuration")
    assert (body["issuer"], body["token_endpoint"]) == (
        f"{LOGIN}/{{tenantid}}/v2.0",
        f"{LOGIN}/organizations/oauth2/v2.0/token",
    )
    assert world.send("GET", "/nowhere.example/v2.0/.well-known/openid-configuration")[1]["error_codes"] == [90002]


def test_instance_discovery_knows_azures_authorities_and_no_others(world: World) -> None:
    path = "/common/discovery/instance?api-version=1.1&authorization_endpoint="
    status, body, _ = world.send("GET", f"{path}https://login.microsoftonline.us/{TENANT}/oauth2/v2.0/authorize")
    assert (status, body["tenant_discovery_endpoint"]) == (
        200,
        f"https://login.microsoftonline.us/{TENANT}/v2.0/.well-known/openid-configuration",
    )
    assert "login.microsoftonline.com" in body["metadata"][0]["aliases"]
    status, body, _ = world.send("GET", f"{path}https://login.example/{TENANT}/oauth2/v2.0/authorize")
    assert (status, body["error"]) == (400, "invalid_instance")


def test_what_is_not_a_token_request_is_not_implemented(world: World) -> None:
    assert world.send("GET", f"/{TENANT}/oauth2/v2.0/authorize")[0] == 501


def test_a_planned_fault_is_an_oauth_error(world: World) -> None:
    world.faults.add(Fault("entra.token", "status", status=503, retry_after=3))
    status, body, headers = world.token()
    assert (status, body["error"], headers["Retry-After"]) == (503, "temporarily_unavailable", "3")


def test_azure_identity_signs_in(world: World) -> None:
    session = requests.Session()
    session.mount("https://", SyncAdapter(world.app))
    with RequestsTransport(session=session, session_owner=False) as transport:
        credential = ClientSecretCredential(
            TENANT, world.application.app_id, world.password.secret, transport=transport
        )
        token = credential.get_token(ARM)
        assert world.tokens.verify(f"Bearer {token.token}", ["https://management.azure.com"]).oid == world.principal.id
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
            ClientSecretCredential(TENANT, world.application.app_id, "wrong", transport=transport).get_token(ARM)


def test_azure_identity_signs_in_asynchronously(world: World) -> None:
    async def sign_in(secret: str) -> str:
        transport = AioHttpTransport(session=Session(world.app), session_owner=False)
        async with AsyncClientSecretCredential(
            TENANT, world.application.app_id, secret, transport=transport
        ) as credential:
            return (await credential.get_token(ARM)).token

    token = asyncio.run(sign_in(world.password.secret))
    assert world.tokens.verify(f"Bearer {token}", ["https://management.azure.com"]).app_id == world.application.app_id
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        asyncio.run(sign_in("wrong"))
