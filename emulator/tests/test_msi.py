"""Tests of managed identities: as resources, as service principals, and as sources of a machine's tokens."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from azure.identity import CredentialUnavailableError, DefaultAzureCredential, ManagedIdentityCredential
from azure.identity.aio import DefaultAzureCredential as AsyncDefaultAzureCredential
from azure.identity.aio import ManagedIdentityCredential as AsyncManagedIdentityCredential
from local_azure.azure import Azure
from local_azure.clock import Clock
from local_azure.inprocess import Session, SyncAdapter
from local_azure.seed import fill
from local_azure.seeded import Seeded
from local_azure.services import build
from local_azure.store import dump, restore
from local_azure.timing import PROMPT
from local_azure.wire import Request

START = datetime(2099, 3, 1, 12, tzinfo=UTC)
"""Start of the world: azure-identity judges tokens by the machine's clock."""
HEADER, LOCAL, VAULT, GRAPH = (
    "the-header",
    "http://127.0.0.1:8480",
    "https://vault.azure.net",
    "https://graph.microsoft.com",
)
IMDS, APP_SERVICE = "/metadata/identity/oauth2/token?api-version=2018-02-01", "/msi/token?api-version=2019-08-01"


class Machine:
    """Seeded tenant, with the machine's requests."""

    def __init__(self) -> None:
        self.azure = Azure.build(Clock(START, lambda: 0.0), timing=PROMPT)
        self.seeded: Seeded = fill(self.azure)
        self.app = build(self.azure, HEADER)

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        response = self.app.handle(
            Request.parse("GET", LOCAL + path, {name.replace("_", "-"): value for name, value in headers.items()})
        )
        return response.status, json.loads(response.body)

    def arm(self, method: str, name: str, body: object = None) -> tuple[int, Any]:
        admin, group = self.seeded.admin, self.seeded.identity.resource_id.rpartition("/")[0]
        issued = self.azure.tokens.issue(
            self.seeded.tenant, admin.app_id, admin.secret, "https://management.azure.com/.default"
        )
        url = f"https://management.azure.com{group}{name}?api-version=2023-01-31"
        raw = b"" if body is None else json.dumps(body).encode()
        response = self.app.handle(
            Request.parse(method, url, {"Authorization": f"Bearer {issued['access_token']}"}, raw)
        )
        return response.status, json.loads(response.body) if response.body else None


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_an_identity_is_a_resource_and_a_service_principal_and_goes_as_both(machine: Machine) -> None:
    status, made = machine.arm("PUT", "/second", {"location": "eastus", "tags": {"a": "b"}})
    assert (status, made["type"], made["tags"]) == (201, "Microsoft.ManagedIdentity/userAssignedIdentities", {"a": "b"})
    assert "/resourcegroups/" in made["id"]
    assert list(made["properties"]) == ["tenantId", "principalId", "clientId"]
    principal = machine.azure.directory.principal_by_id(made["properties"]["principalId"])
    assert principal is not None
    body = machine.azure.directory.records.body(principal)
    assert (body["servicePrincipalType"], body["appId"]) == ("ManagedIdentity", made["properties"]["clientId"])
    assert [name.lower() for name in body["alternativeNames"]] == ["isexplicit=true", made["id"].lower()]
    assert machine.arm("PUT", "/SECOND", {"location": "East US"})[0] == 200
    assert machine.arm("GET", "/second")[1]["properties"] == made["properties"]
    assert [each["name"] for each in machine.arm("GET", "")[1]["value"]] == ["myidentity", "second"]
    assert machine.arm("PATCH", "/second", {"tags": {"c": "d"}})[1]["tags"] == {"c": "d"}
    assert [machine.arm("DELETE", "/second")[0] for _ in range(2)] == [200, 204]
    assert machine.azure.directory.principal_by_id(principal.id) is None
    assert machine.arm("GET", "/second")[0] == 404


def listed(machine: Machine) -> list[dict[str, Any]]:
    """Return the identity's federated credentials as Graph lists them."""
    operator = machine.seeded.operator
    form = {
        "grant_type": "client_credentials",
        "client_id": operator.app_id,
        "client_secret": operator.secret,
        "scope": f"{GRAPH}/.default",
    }
    url = f"https://login.microsoftonline.com/{machine.seeded.tenant}/oauth2/v2.0/token"
    token = json.loads(machine.app.handle(Request.parse("POST", url, {}, urlencode(form).encode())).body)[
        "access_token"
    ]
    path = f"{GRAPH}/v1.0/servicePrincipals(appId='{machine.seeded.identity.client_id}')/federatedIdentityCredentials"
    shown = json.loads(machine.app.handle(Request.parse("GET", path, {"Authorization": f"Bearer {token}"})).body)
    assert all(list(each) == ["id", "name", "issuer", "subject", "description", "audiences"] for each in shown["value"])
    return list(shown["value"])


def test_a_federated_credential_of_an_identity_is_made_shown_changed_and_deleted_as_recorded(machine: Machine) -> None:
    path, own = (
        "/myidentity/federatedIdentityCredentials",
        {
            "issuer": "https://aks.example",
            "audiences": ["api://AzureADTokenExchange"],
        },
    )
    status, made = machine.arm("PUT", f"{path}/fic1", {"properties": {**own, "subject": "one"}})
    assert (status, list(made), made["properties"]["subject"]) == (201, ["id", "name", "type", "properties"], "one")
    assert made["id"].endswith("/userAssignedIdentities/myidentity/federatedIdentityCredentials/fic1")
    assert machine.arm("PUT", f"{path}/fic2", {"properties": {**own, "subject": "two"}})[0] == 201
    assert machine.arm("PUT", f"{path}/fic2", {"properties": {**own, "subject": "one"}})[0] == 400
    assert machine.arm("PUT", f"{path}/FIC1", {"properties": {**own, "subject": "three"}})[0] == 200
    assert [each["properties"]["subject"] for each in machine.arm("GET", path)[1]["value"]] == ["three", "two"]
    assert machine.arm("GET", f"{path}/fic1")[1]["name"] == "fic1"
    assert [each["subject"] for each in listed(machine)] == ["three", "two"]
    assert [machine.arm("DELETE", f"{path}/fic1")[0] for _ in range(2)] == [200, 204]
    assert machine.arm("GET", f"{path}/fic1")[1]["error"]["code"] == "NotFound"
    assert machine.arm("PUT", f"{path}/fic3", {"properties": own})[1]["error"]["code"] == "BadRequest"
    assert (
        machine.arm("PUT", path.replace("myidentity", "nobody") + "/x", {})[1]["error"]["code"]
        == "ParentResourceNotFound"
    )


def test_an_identitys_federated_credential_is_what_an_assertion_is_held_against(machine: Machine) -> None:
    own = {"issuer": "https://aks.example", "subject": "svc", "audiences": ["api://AzureADTokenExchange"]}
    machine.arm("PUT", "/myidentity/federatedIdentityCredentials/fic", {"properties": own})
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

    def answer(**claims: str) -> tuple[int, str]:
        said = {"iss": "https://aks.example", "sub": "svc", "aud": "api://AzureADTokenExchange", **claims}
        form = {
            "grant_type": "client_credentials",
            "client_id": machine.seeded.identity.client_id,
            "scope": f"{VAULT}/.default",
        }
        shown = {**form, "client_assertion": jwt.encode(said, "x" * 32), "client_assertion_type": kind}
        url = f"https://login.microsoftonline.com/{machine.seeded.tenant}/oauth2/v2.0/token"
        response = machine.app.handle(Request.parse("POST", url, {}, urlencode(shown).encode()))
        return response.status, json.loads(response.body)["error_description"]

    assert "AADSTS700213" in answer(sub="other")[1]
    assert answer()[0] == 501


def test_with_its_resource_group_an_identity_goes_from_the_directory(machine: Machine) -> None:
    machine.azure.resources.delete_group(machine.seeded.subscription, machine.seeded.resource_group)
    assert machine.azure.directory.principal_by_id(machine.seeded.identity.object_id) is None
    assert machine.azure.directory.principal_by_id(machine.seeded.operator.object_id) is not None
    assert machine.get(f"{IMDS}&resource={VAULT}", Metadata="true")[0] == 400


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [("/x", {"location": "eastus"}, "InvalidResourceName"), ("/third", {}, "LocationRequired")],
)
def test_a_bad_identity_is_refused(machine: Machine, name: str, body: object, code: str) -> None:
    status, refused = machine.arm("PUT", name, body)
    assert (status, refused["error"]["code"]) == (400, code)


def test_imds_hands_out_a_token_for_a_day_that_names_the_identity(machine: Machine) -> None:
    status, issued = machine.get(f"{IMDS}&resource={VAULT}", Metadata="true")
    assert status == 200
    assert (issued["expires_in"], issued["resource"], issued["token_type"]) == ("86399", VAULT, "Bearer")
    assert issued["client_id"] == machine.seeded.identity.client_id
    claims = jwt.decode(issued["access_token"], options={"verify_signature": False})
    assert (claims["aud"], claims["oid"]) == (VAULT, machine.seeded.identity.object_id)
    assert claims["xms_mirid"] == machine.seeded.identity.resource_id
    assert (
        machine.azure.tokens.verify(f"Bearer {issued['access_token']}", [VAULT]).app_id
        == machine.seeded.identity.client_id
    )


@pytest.mark.parametrize(
    ("query", "headers", "words"),
    [
        (f"&resource={VAULT}", {}, "Required metadata header not specified"),
        ("", {"Metadata": "true"}, "Required query variable 'resource' is missing"),
        (f"&resource={VAULT}&client_id=x", {"Metadata": "true"}, "Identity not found"),
        (
            "&resource=https://nobody.example",
            {"Metadata": "true"},
            "AADSTS500011: The resource principal named https://nobody.example",
        ),
    ],
)
def test_imds_refuses_in_its_own_envelope(machine: Machine, query: str, headers: dict[str, str], words: str) -> None:
    status, refused = machine.get(IMDS + query, **headers)
    assert (status, list(refused)) == (400, ["error", "error_description"])
    assert refused["error_description"].startswith(words)


@pytest.mark.parametrize("parameter", ["client_id", "object_id", "principal_id", "msi_res_id", "mi_res_id"])
def test_one_of_many_identities_must_be_named(machine: Machine, parameter: str) -> None:
    machine.arm("PUT", "/second", {"location": "eastus"})
    refused = machine.get(f"{IMDS}&resource={VAULT}", Metadata="true")
    assert (refused[0], refused[1]["error_description"][:39]) == (400, "Multiple user assigned identities exist")
    own = machine.seeded.identity
    name = {"client_id": own.client_id, "object_id": own.object_id, "principal_id": own.object_id}.get(
        parameter, own.resource_id
    )
    assert machine.get(f"{IMDS}&resource={VAULT}&{parameter}={name}", Metadata="true")[1]["client_id"] == own.client_id


def test_app_service_wants_its_header(machine: Machine) -> None:
    status, issued = machine.get(f"{APP_SERVICE}&resource={VAULT}", X_IDENTITY_HEADER=HEADER)
    assert (status, sorted(issued)) == (200, ["access_token", "client_id", "expires_on", "resource", "token_type"])
    assert machine.get(f"{APP_SERVICE}&resource={VAULT}", X_IDENTITY_HEADER="wrong")[0] == 401
    status, refused = machine.get(APP_SERVICE, X_IDENTITY_HEADER=HEADER)
    assert (status, refused["statusCode"]) == (400, 400)
    closed = build(machine.azure).handle(
        Request.parse("GET", f"{LOCAL}{APP_SERVICE}&resource={VAULT}", {"X-IDENTITY-HEADER": ""})
    )
    assert closed.status == 401


def test_a_disabled_identity_gets_no_token(machine: Machine) -> None:
    principal = machine.azure.directory.principal_by_id(machine.seeded.identity.object_id)
    assert principal is not None
    principal.account_enabled = False
    assert machine.get(f"{IMDS}&resource={VAULT}", Metadata="true")[0] == 400


def test_an_identity_survives_a_restart(machine: Machine) -> None:
    again = Machine()
    restore(again.azure, json.loads(json.dumps(dump(machine.azure))))
    assert again.get(f"{IMDS}&resource={VAULT}", Metadata="true")[1]["client_id"] == machine.seeded.identity.client_id


FORMS = {
    "imds": {"AZURE_POD_IDENTITY_AUTHORITY_HOST": LOCAL},
    "app service": {"IDENTITY_ENDPOINT": f"{LOCAL}/msi/token", "IDENTITY_HEADER": HEADER},
}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in FORMS[request.param].items():
        monkeypatch.setenv(name, value)
    return str(request.param)


def test_azure_identity_signs_in_with_a_managed_identity(machine: Machine, form: str) -> None:
    session = requests.Session()
    session.mount("http://", SyncAdapter(machine.app))
    with RequestsTransport(session=session, session_owner=False) as transport:
        credentials = (
            ManagedIdentityCredential(client_id=machine.seeded.identity.client_id, transport=transport),
            DefaultAzureCredential(managed_identity_client_id=machine.seeded.identity.client_id, transport=transport),
        )
        for credential in credentials:
            token = credential.get_token(f"{VAULT}/.default").token
            assert machine.azure.tokens.verify(f"Bearer {token}", [VAULT]).oid == machine.seeded.identity.object_id
        with pytest.raises((CredentialUnavailableError, ClientAuthenticationError)):
            ManagedIdentityCredential(client_id="0" * 8, transport=transport).get_token(f"{VAULT}/.default")


def test_azure_identity_signs_in_with_a_managed_identity_asynchronously(machine: Machine, form: str) -> None:
    async def sign_in(kind: Any, **named: str) -> str:
        transport = AioHttpTransport(session=Session(machine.app), session_owner=False)
        async with kind(transport=transport, **named) as credential:
            return str((await credential.get_token(f"{VAULT}/.default")).token)

    client_id = machine.seeded.identity.client_id
    for token in (
        asyncio.run(sign_in(AsyncManagedIdentityCredential, client_id=client_id)),
        asyncio.run(sign_in(AsyncDefaultAzureCredential, managed_identity_client_id=client_id)),
    ):
        assert machine.azure.tokens.verify(f"Bearer {token}", [VAULT]).oid == machine.seeded.identity.object_id


def test_the_resources_that_have_an_identity_and_the_providers_operations_are_listed(machine: Machine) -> None:
    name = machine.seeded.identity.resource_id.rpartition("/")[2]
    assert machine.arm("POST", f"/{name}/listAssociatedResources") == (200, {"totalCount": 0, "value": []})
    group = machine.seeded.identity.resource_id.partition("/providers/")[0]
    put_in = f"{group}/providers/Microsoft.ContainerRegistry/registries/withidentity"
    identity = {"type": "UserAssigned", "userAssignedIdentities": {machine.seeded.identity.resource_id: {}}}
    machine.azure.resources.put(put_in, "Microsoft.ContainerRegistry/registries", "eastus", {}, identity=identity)
    _, found = machine.arm("POST", f"/{name}/listAssociatedResources")
    assert [(each["id"], each["resourceGroup"]) for each in found["value"]] == [(put_in, "myResourceGroup")]
    assert machine.arm("POST", "/nobody/listAssociatedResources")[0] == 404
