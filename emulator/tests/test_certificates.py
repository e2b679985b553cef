"""Tests of certificates: registered in Graph by requests of az and Terraform, used for sign-ins by azure-identity."""

import asyncio
import base64
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from azure.identity import CertificateCredential
from azure.identity.aio import CertificateCredential as AsyncCredential
from certificates import entry, signing
from local_azure.inprocess import Session, SyncAdapter
from local_azure.timing import Timing
from tenancy import ALL, TENANT, Tenancy, code

ARM = "https://management.azure.com/.default"
BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture
def world() -> Tenancy:
    return Tenancy(ALL)


def client(world: Tenancy, home: str = "applications", **changes: object) -> SimpleNamespace:
    """Create an application with a certificate, on it or on its service principal."""
    _, app, _ = world.call("POST", "/applications", {"displayName": "pull", "keyCredentials": []})
    _, principal, _ = world.call("POST", "/servicePrincipals", {"appId": app["appId"]})
    own = app["id"] if home == "applications" else principal["id"]
    assert world.call("PATCH", f"/{home}/{own}", {"keyCredentials": [entry(**changes)]})[0] == 204
    return SimpleNamespace(app_id=app["appId"], path=f"/{home}/{own}")


def transport(world: Tenancy) -> RequestsTransport:
    session = requests.Session()
    session.mount("https://", SyncAdapter(world.app))
    return RequestsTransport(session=session, session_owner=False)


def credential(world: Tenancy, app_id: str, number: int = 1) -> CertificateCredential:
    return CertificateCredential(
        TENANT, app_id, certificate_data=signing(number)[0], transport=transport(world), retry_total=0
    )


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def test_a_certificate_is_registered_with_its_thumbprint_and_subject_and_shown_without_its_key(world: Tenancy) -> None:
    broken = "\n".join(signing(1)[1][at : at + 64] for at in range(0, len(signing(1)[1]), 64))
    given = entry(
        key=broken,
        displayName=None,
        endDateTime="2026-12-31T00:00:00Z",
        startDateTime="2026-03-01T12:00:00Z",
        keyId=TENANT,
    )
    status, made, _ = world.call(
        "POST", "/applications", {"displayName": "pull", "keyCredentials": [{"@odata.type": "x", **given}]}
    )
    assert (status, made["keyCredentials"]) == (
        201,
        [
            {
                "customKeyIdentifier": signing(1)[2],
                "displayName": "CN=pull, S=Some-State, C=AU",
                "endDateTime": "2026-12-31T00:00:00Z",
                "key": None,
                "keyId": TENANT,
                "startDateTime": "2026-03-01T12:00:00Z",
                "type": "AsymmetricX509Cert",
                "usage": "Verify",
            }
        ],
    )
    assert world.call("GET", f"/applications/{made['id']}")[1]["keyCredentials"] == made["keyCredentials"]
    (chosen,) = world.call("GET", f"/applications/{made['id']}?$select=keyCredentials")[1]["keyCredentials"]
    assert chosen["key"] == signing(1)[1]


def test_an_entry_without_a_key_stays_and_what_a_list_leaves_out_goes(world: Tenancy) -> None:
    own = client(world)
    listed = world.call("GET", own.path)[1]["keyCredentials"]
    assert world.call("PATCH", own.path, {"keyCredentials": [*listed, entry(2)]})[0] == 204
    for number in (1, 2):
        assert claims(credential(world, own.app_id, number).get_token(ARM).token)["appidacr"] == "2"
    kept = [
        each
        for each in world.call("GET", own.path)[1]["keyCredentials"]
        if each["customKeyIdentifier"] == signing(2)[2]
    ]
    assert world.call("PATCH", own.path, {"keyCredentials": kept})[0] == 204
    credential(world, own.app_id, 2).get_token(ARM)
    with pytest.raises(ClientAuthenticationError, match=r"AADSTS700027.*key was not found"):
        credential(world, own.app_id).get_token(ARM)
    assert world.call("PATCH", own.path, {"keyCredentials": []})[0] == 204
    assert world.call("GET", own.path)[1]["keyCredentials"] == []


@pytest.mark.parametrize(
    ("changes", "expected", "words"),
    [
        ({"usage": "Look"}, (400, "Request_BadRequest"), "Acceptable values are Sign, Verify"),
        ({"key": "bm8gY2VydGlmaWNhdGU="}, (400, "Request_BadRequest"), "keyCredentials"),
        ({"key": None}, (400, "Request_BadRequest"), "keyCredentials"),
        ({"endDateTime": "2028-01-01T00:00:00Z"}, (400, "KeyCredentialsInvalidEndDate"), "end date is invalid"),
        ({"endDateTime": "2026-02-01T00:00:00Z"}, (400, "KeyCredentialsInvalidEndDate"), "end date is invalid"),
        ({"startDateTime": "soon"}, (400, "Request_BadRequest"), "startDateTime"),
        ({"colour": "red"}, (400, "Request_BadRequest"), "colour"),
        ({"usage": "Sign"}, (501, "NotImplemented"), "to Sign"),
        ({"type": "Symmetric"}, (501, "NotImplemented"), "Symmetric"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(
    world: Tenancy, changes: dict[str, object], expected: tuple[int, str], words: str
) -> None:
    answer = world.call("POST", "/applications", {"displayName": "x", "keyCredentials": [entry(**changes)]})
    assert code(answer) == expected
    assert words in answer[1]["error"]["message"]


def test_a_certificate_may_be_given_as_pem_together_with_an_end_of_all_passwords(world: Tenancy) -> None:
    application = world.directory.create_application("pull")
    principal = world.directory.create_service_principal(application.app_id)
    path = f"/servicePrincipals/{principal.id}"
    world.call("POST", f"{path}/addPassword", {})
    pem = base64.b64encode(signing(1)[0].partition(b"-----END PRIVATE KEY-----\n")[2]).decode()
    body = {"keyCredentials": [entry(key=pem)], "passwordCredentials": []}
    assert world.call("PATCH", path, body)[0] == 204
    shown = world.call("GET", path)[1]
    assert [each["customKeyIdentifier"] for each in shown["keyCredentials"]] == [signing(1)[2]]
    assert shown["passwordCredentials"] == []


def test_a_certificate_does_not_become_another_under_its_id(world: Tenancy) -> None:
    own = client(world, keyId=TENANT)
    refused = world.call("PATCH", own.path, {"keyCredentials": [entry(2, keyId=TENANT)]})
    assert code(refused) == (400, "Request_BadRequest")
    assert "Update to existing credential" in refused[1]["error"]["message"]


@pytest.mark.parametrize("home", ["applications", "servicePrincipals"])
def test_azure_identity_signs_in_with_a_certificate_of_either_home(world: Tenancy, home: str) -> None:
    own = client(world, home)
    found = claims(credential(world, own.app_id).get_token(ARM).token)
    assert (found["appid"], found["appidacr"]) == (own.app_id, "2")


def test_azure_identity_signs_in_asynchronously(world: Tenancy) -> None:
    own = client(world)

    async def sign_in() -> str:
        at = AioHttpTransport(session=Session(world.app), session_owner=False)
        async with AsyncCredential(TENANT, own.app_id, certificate_data=signing(1)[0], transport=at) as signed:
            return str((await signed.get_token(ARM)).token)

    assert claims(asyncio.run(sign_in()))["appid"] == own.app_id


def shown(
    world: Tenancy, app_id: str, header: dict[str, str] | None = None, number: int = 1, **changes: object
) -> tuple[int, int]:
    """Return the status and number of the answer to an assertion with some changes."""
    digest = base64.urlsafe_b64encode(bytes.fromhex(signing(1)[2])).decode().rstrip("=")
    url = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"
    said = {"aud": url, "iss": app_id, "sub": app_id, "jti": "1", **changes}
    text = jwt.encode(said, signing(number)[0].decode(), "RS256", {"x5t": digest} if header is None else header)
    form = {
        "grant_type": "client_credentials",
        "client_id": app_id,
        "scope": ARM,
        "client_assertion": text,
        "client_assertion_type": BEARER,
    }
    session = requests.Session()
    session.mount("https://", SyncAdapter(world.app))
    answer = session.post(url, data=form)
    return answer.status_code, answer.json().get("error_codes", [0])[0]


def test_an_assertion_must_be_signed_by_its_certificate_about_its_client_and_for_this_tenant(world: Tenancy) -> None:
    own = client(world)
    assert shown(world, own.app_id) == (200, 0)
    assert shown(world, own.app_id, number=2) == (401, 700027)
    assert shown(world, own.app_id, {}) == (400, 50027)
    assert shown(world, own.app_id, sub="another") == (401, 700021)
    for elsewhere in (
        "https://login.microsoftonline.com/other/oauth2/v2.0/token",
        "https://elsewhere.example/",
        TENANT,
    ):
        assert shown(world, own.app_id, aud=elsewhere) == (401, 700023)


def test_an_expired_certificate_and_a_disabled_principal_get_no_token(world: Tenancy) -> None:
    own = client(world, endDateTime="2026-06-01T00:00:00Z")
    world.clock.advance(timedelta(days=120))
    assert shown(world, own.app_id) == (401, 700027)
    principal = world.directory.principal(own.app_id)
    assert principal is not None
    principal.account_enabled = False
    assert shown(world, own.app_id) == (400, 7000112)


def test_a_new_certificate_is_accepted_by_one_replica_after_another() -> None:
    world = Tenancy(ALL, timing=Timing(secret_valid=60, replicas=2, graph_read=0))
    own = client(world)
    assert {shown(world, own.app_id)[0] for _ in range(2)} == {401}
    world.clock.advance(timedelta(seconds=30))
    assert {shown(world, own.app_id)[0] for _ in range(2)} == {200, 401}
    world.clock.advance(timedelta(seconds=30))
    assert {shown(world, own.app_id)[0] for _ in range(2)} == {200}
