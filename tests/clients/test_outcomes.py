"""Tests of the outcome of a write sent once: only the service's own refusal is a no; after any other answer the effect
is unknown.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from local_azure.virtual import run

from rotator.errors import AzureError, Conflict, Forbidden, NotFound, OutcomeUnknown, Throttled, Unexpected
from rotator.state import Access, Home, Outcome, Principal, Secret
from tests.clients.scene import IMAGE, PASSWORD, START, Scene, scene, set_up, sign_in

END = START + timedelta(days=90)
Act = Callable[[Scene], Awaitable[Any]]


def principal(at: Scene) -> Principal:
    return Principal(at.app_id, at.application.id, at.service_principal.id)


WRITES: dict[str, Act] = {
    "graph.applications.addPassword": lambda at: at.world.add_password(
        principal(at), Home.APPLICATION, "rotator:abc:1", END
    ),
    "graph.servicePrincipals.addPassword": lambda at: at.world.add_password(
        principal(at), Home.SERVICE_PRINCIPAL, "rotator:abc:1", END
    ),
    "keyvault.secrets.set": lambda at: at.world.publish(at.policy, Secret("a value"), END, None, ()),
    "aci.containerGroups.createOrUpdate": lambda at: at.world.put_group(at.group_id, at.body()),
    "graph.applications.removePassword": lambda at: at.world.remove_password(
        principal(at), Home.APPLICATION, at.password.key_id
    ),
}
NOBODYS: tuple[dict[str, Any], ...] = (
    *(
        {"kind": "page", "status": status}
        for status in (200, 302, 307, 400, 401, 403, 404, 407, 408, 409, 429, 500, 501, 503)
    ),
    *(
        {"kind": kind}
        for kind in (
            "html200",
            "wrong_type",
            "empty",
            "gzip",
            "deep",
            "not_text",
            "redirect",
            "reset",
            "timeout",
            "drip",
            "endless",
        )
    ),
    {"kind": "wrong_type", "argument": '{"error": {"code": "Forbidden"}}'},
    {"kind": "redirect", "argument": "https://management.azure.com/subscriptions/other"},
    {"kind": "status", "status": 408},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 501},
    {"kind": "cut", "when": "after"},
    {"kind": "lost", "when": "after"},
)
"""Answers from a sender that doesn't know the outcome of a write."""
ANSWERED = tuple(fault for fault in NOBODYS if fault["kind"] not in ("reset", "lost"))
REFUSALS: dict[int, type[AzureError]] = {
    400: Conflict,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: Throttled,
}


def play(monkeypatch: pytest.MonkeyPatch, test: Act) -> None:
    async def main(loop: Any) -> None:
        async with set_up(loop, lambda who, tenant: sign_in(monkeypatch, who, tenant)) as at:
            at.azure.vaults.set("myvault", PASSWORD, at.password.secret)
            at.deploy()
            await at.world.observe(at.policy)
            await test(at)

    run(main)


def called(fault: dict[str, Any]) -> str:
    return "-".join(map(str, fault.values()))


@pytest.mark.share(2)
@pytest.mark.parametrize("fault", NOBODYS, ids=called)
def test_what_nobody_refused_may_have_happened(fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(at: Scene) -> None:
        for operation, write in WRITES.items():
            if "removePassword" in operation and fault["kind"] in ("drip", "endless", "cut"):
                continue  # a HEAD has no body to drip or cut
            since = len(at.served())
            at.fault(operation, times=0, **fault)
            with pytest.raises(OutcomeUnknown):
                await write(at)
            assert at.served(since).count(operation) == 1, operation
            at.azure.faults.clear()

    play(monkeypatch, test)


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_in_the_services_own_words_is_a_no(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(at: Scene) -> None:
        for operation, write in WRITES.items():
            since = len(at.served())
            at.fault(operation, "status", times=0, status=status, code="SomeCode", message="No.")
            with pytest.raises(REFUSALS[status]):
                await write(at)
            assert at.served(since).count(operation) == 1, operation
            at.azure.faults.clear()

    play(monkeypatch, test)


@pytest.mark.parametrize("operation", WRITES)
def test_a_challenge_is_not_answered_by_sending_the_write_again(
    operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(at: Scene) -> None:
        since = len(at.served())
        claims = (
            'Bearer authorization="https://login.microsoftonline.com/x", resource="https://vault.azure.net",'
            ' claims="eyJhIjoxfQ=="'
        )
        at.fault(operation, "status", status=401, code="Unauthorized", message="No.", times=0)
        at.fault(operation, "header", argument=f"WWW-Authenticate: {claims}", times=0)
        with pytest.raises(Forbidden):
            await WRITES[operation](at)
        assert at.served(since).count(operation) == 1

    play(monkeypatch, test)


def test_a_repeated_write_whose_first_try_may_have_happened_has_no_certain_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(at: Scene) -> None:
        version = at.azure.vaults.versions("myvault", PASSWORD)[0].id
        at.fault("keyvault.secrets.update", "lost", when="after")
        at.fault("keyvault.secrets.update", "status", nth=2, status=403, code="Forbidden", message="No.")
        with pytest.raises(OutcomeUnknown, match="403"):
            await at.world.mark_version(at.policy, version, enabled=False)

    play(monkeypatch, test)


def test_a_repeated_write_that_was_refused_each_time_was_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(at: Scene) -> None:
        version = at.azure.vaults.versions("myvault", PASSWORD)[0].id
        at.fault("keyvault.secrets.update", "status", times=0, status=429, code="Throttled", message="No.")
        with pytest.raises(Throttled):
            await at.world.mark_version(at.policy, version, enabled=False)

    play(monkeypatch, test)


@scene
async def test_a_404_without_a_code_is_nobodys_word(at: Scene) -> None:
    at.fault("graph.applications.get", "page", status=404, times=0)
    with pytest.raises(Unexpected, match="404"):
        await at.world.observe(at.policy)


@pytest.mark.share(3)
@pytest.mark.parametrize("operation", ["entra.token", "acr.token", "acr.manifests.head"])
@pytest.mark.parametrize("fault", ANSWERED, ids=called)
def test_a_damaged_answer_is_a_failed_try_of_a_proof(
    fault: dict[str, Any], operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(at: Scene) -> None:
        since = len(at.served())
        at.fault(operation, times=0, **fault)
        proof = await at.world.prove(at.policy, Secret(at.password.secret), [IMAGE])
        assert operation in at.served(since)
        # The answer to a HEAD has no body to cut.
        whole = operation == "acr.manifests.head" and fault["kind"] in ("drip", "endless", "cut")
        assert proof.outcome is (Outcome.PROVEN if whole else Outcome.UNREACHABLE), proof

    play(monkeypatch, test)


@scene
async def test_a_revocation_whose_record_may_have_been_written_says_so(at: Scene) -> None:
    await at.world.access(at.policy)
    at.fault("keyvault.secrets.set", "html200", when="after")
    with pytest.raises(OutcomeUnknown):
        await at.world.record_access(at.policy, Access.REVOKED, ())
    assert (await at.world.access(at.policy)).access is Access.REVOKED
