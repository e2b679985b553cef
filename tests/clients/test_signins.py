"""Tests of the means to sign in as a principal, read from Graph as the operator: an absent or unreadable one is
reported.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from certificates import entry

from rotator.clients.signins import _keys
from rotator.state import Home, Key, Means
from tests.clients.scene import START, Scene, scene

APP, SP = Home.APPLICATION, Home.SERVICE_PRINCIPAL
TRUST = {
    "id": "f1",
    "name": "deploy",
    "issuer": "https://token.example",
    "subject": "repo:us/it",
    "description": None,
    "audiences": ["api://x"],
}
NAME = "CN=pull, S=Some-State, C=AU"
FEDERATED = "graph.applications.federatedIdentityCredentials.list"


@scene
async def test_passwords_certificates_and_federated_credentials_of_both_objects_are_seen(at: Scene) -> None:
    directory = at.azure.directory
    directory.update(at.application, {"keyCredentials": [entry(1)]})
    directory.update(at.service_principal, {"keyCredentials": [entry(2)]})
    at.application.federated.append(dict(TRUST))
    before = len(at.app.served)
    found = await at.world.sign_ins(at.policy)
    assert [(each.key_id, each.home) for each in found.passwords] == [(at.password.key_id, APP)]
    (mine,), (theirs,) = at.application.certificates, at.service_principal.certificates
    ends = START + timedelta(days=365)
    certificates = {
        Key(Means.CERTIFICATE, mine.key_id, APP, ends, NAME),
        Key(Means.CERTIFICATE, theirs.key_id, SP, ends, NAME),
    }
    assert set(found.keys) == certificates | {Key(Means.FEDERATED, "f1", APP, None, "https://token.example repo:us/it")}
    assert all(each.until == ends for each in found.keys if each.means is Means.CERTIFICATE)
    assert found.unread == () and found.known and not found.none
    graph = [operation for operation in at.served(before) if operation.startswith("graph.")]
    assert sorted(graph) == [
        "graph.applications.federatedIdentityCredentials.list",
        "graph.applications.get",
        "graph.servicePrincipals.get",
    ]


@scene
async def test_what_has_ended_is_left_out_and_what_has_no_end_stays(at: Scene) -> None:
    at.azure.directory.update(at.application, {"keyCredentials": [entry(1)]})
    at.application.federated.append(dict(TRUST))
    found = (await at.world.sign_ins(at.policy)).live(START + timedelta(days=365))
    assert (found.passwords, [each.means for each in found.keys]) == ((), [Means.FEDERATED])
    assert len((await at.world.sign_ins(at.policy)).live(START + timedelta(days=365, seconds=-1)).keys) == 2


@scene
async def test_a_managed_identity_is_a_way_by_itself_and_its_federated_credentials_are_seen(at: Scene) -> None:
    identity = at.azure.directory.principal(at.seeded.identity.client_id)
    assert identity
    identity.federated.append({name: TRUST[name] for name in ("name", "issuer", "subject", "audiences")})
    found = await at.world.sign_ins(at.policy_with(principal={"app_id": identity.app_id}))
    assert [(each.means, each.home) for each in found.keys] == [(Means.FEDERATED, SP), (Means.IDENTITY, SP)]
    assert found.unread == (), "nobody misses an application"


@scene
async def test_what_is_refused_and_what_is_not_found_is_said_in_words(at: Scene) -> None:
    at.fault("graph.applications.get", status=403, code="Authorization_RequestDenied", message="No.")
    found = await at.world.sign_ins(at.policy)
    assert (found.passwords, found.none) == (
        (),
        False,
    ) and "credentials of its application may not be read" in found.unread[0]
    for status in (403, 404):
        at.fault(
            FEDERATED,
            status=status,
            code="Request_ResourceNotFound" if status == 404 else "Authorization_RequestDenied",
            message="No.",
        )
        found = await at.world.sign_ins(at.policy)
        assert len(found.passwords) == 1 and "federated credentials of its application can't be read" in found.unread[0]
    at.fault("graph.applications.get", status=404, code="Request_ResourceNotFound", message="No.")
    found = await at.world.sign_ins(at.policy)
    assert "no application of that app id was found" in found.unread[0] and not found.none
    at.fault("graph.servicePrincipals.get", status=404, code="Request_ResourceNotFound", message="No.")
    found = await at.world.sign_ins(at.policy)
    assert len(found.passwords) == 1 and "no service principal of that app id was found" in found.unread[0]


@scene
async def test_a_registry_that_is_not_found_or_may_not_be_read_is_unknown_and_has_no_server(at: Scene) -> None:
    for status, code in ((404, "ResourceNotFound"), (403, "AuthorizationFailed")):
        at.fault("arm.registries.get", status=status, code=code, message="No.")
        (seen,) = await at.world.registry_access(at.policy, at.service_principal.id)
        assert seen.registry.login_server == "" and "can't be read" in seen.unread[0]
    (seen,) = await at.world.registry_access(at.policy, at.service_principal.id)
    assert seen.registry.login_server and seen.assignments and not seen.unread


@pytest.mark.parametrize(("usage", "counts"), [("Verify", True), (None, True), ("Sign", False), ("Encrypt", False)])
def test_a_certificate_that_signs_or_encrypts_the_tokens_of_a_single_sign_on_signs_nobody_in(
    usage: str | None, counts: bool
) -> None:
    import asyncio

    shown: dict[str, Any] = {"keyId": "K", "endDateTime": "2027-01-01T00:00:00Z", "displayName": None, "usage": usage}
    found = asyncio.run(_keys({"id": "o", "keyCredentials": [shown]}, SP))
    assert found == ([Key(Means.CERTIFICATE, "k", SP, None, "")] if counts else [])
    assert not counts or found[0].until == datetime(2027, 1, 1, tzinfo=UTC)
