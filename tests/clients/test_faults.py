"""Tests of every failure of a request, on every method: repeatable requests are repeated until they succeed, others are
sent once and report it.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from local_azure.virtual import run

from rotator.errors import Conflict, Forbidden, OutcomeUnknown, Throttled, Unavailable
from rotator.state import Access, Home, Outcome, Principal, Secret
from tests.clients.scene import IMAGE, PASSWORD, START, Scene, set_up, sign_in

END = START + timedelta(days=90)
VALUE = "the-value-of-a-published-secret"
Method = Callable[[Scene], Awaitable[Any]]


def principal(at: Scene) -> Principal:
    return Principal(at.app_id, at.application.id, at.service_principal.id)


async def remove(at: Scene) -> None:
    await at.world.remove_password(principal(at), Home.APPLICATION, at.password.key_id)


async def mark(at: Scene) -> None:
    version = at.azure.vaults.versions("myvault", PASSWORD)[0]
    await at.world.mark_version(at.policy, version.id, enabled=False)


async def delete_role(at: Scene) -> None:
    for assignment in await at.world.assignments(at.policy):
        await at.world.delete_assignment(assignment)


async def create_role(at: Scene) -> None:
    for assignment in await at.world.assignments(at.policy):
        at.azure.authorization.delete(assignment.id)
        await at.world.create_assignment(assignment)


REPEATED: dict[str, Method] = {
    "entra.token": lambda at: at.world.observe(at.policy),
    "graph.applications.get": lambda at: at.world.credentials(at.policy),
    "graph.servicePrincipals.get": lambda at: at.world.credentials(at.policy),
    "graph.applications.federatedIdentityCredentials.list": lambda at: at.world.sign_ins(at.policy),
    "keyvault.secrets.versions": lambda at: at.world.versions(at.policy),
    "keyvault.secrets.get": lambda at: at.world.value(at.policy),
    "keyvault.secrets.update": mark,
    "arm.registries.get": lambda at: at.world.observe(at.policy),
    "aci.containerGroups.list": lambda at: at.world.observe(at.policy),
    "aci.containerGroups.get": lambda at: at.world.group(at.group_id),
    "rbac.roleAssignments.list": lambda at: at.world.assignments(at.policy),
    "rbac.roleAssignments.delete": delete_role,
    "rbac.roleAssignments.create": create_role,
    "rbac.roleDefinitions.list": lambda at: at.world.role("AcrPull", at.registry_id),
    "acr.token": lambda at: at.world.prove(at.policy, Secret(at.password.secret), []),
    "acr.manifests.head": lambda at: at.world.prove(at.policy, Secret(at.password.secret), [IMAGE]),
}
ONCE: dict[str, Method] = {
    "graph.applications.addPassword": lambda at: at.world.add_password(
        principal(at), Home.APPLICATION, "rotator:abc:1", END
    ),
    "graph.applications.removePassword": remove,
    "graph.servicePrincipals.addPassword": lambda at: at.world.add_password(
        principal(at), Home.SERVICE_PRINCIPAL, "rotator:abc:1", END
    ),
    "keyvault.secrets.set": lambda at: at.world.publish(at.policy, Secret(VALUE), END, None, ()),
    "aci.containerGroups.createOrUpdate": lambda at: at.world.put_group(at.group_id, at.body()),
}
PASSING: dict[str, dict[str, Any]] = {
    "429": {"status": 429, "code": "TooManyRequests", "retry_after": 7},
    "500": {"status": 500},
    "503": {"status": 503},
    "reset": {"kind": "reset"},
    "timeout": {"kind": "timeout"},
    "lost": {"kind": "lost", "when": "after"},
}


def play(monkeypatch: pytest.MonkeyPatch, test: Callable[[Scene], Awaitable[None]]) -> None:
    async def main(loop: Any) -> None:
        async with set_up(loop, lambda who, tenant: sign_in(monkeypatch, who, tenant)) as at:
            at.azure.vaults.set("myvault", PASSWORD, at.password.secret)
            at.deploy()
            await test(at)

    run(main)


async def ready(at: Scene) -> None:
    """Get every token and challenge beforehand, so that the fault meets the intended operation."""
    await at.world.observe(at.policy)


@pytest.mark.share(3)
@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("operation", REPEATED)
def test_a_passing_fault_is_not_noticed(monkeypatch: pytest.MonkeyPatch, operation: str, fault: str) -> None:
    async def test(at: Scene) -> None:
        if operation != "entra.token":
            await ready(at)
        at.fault(operation, **PASSING[fault])
        if (
            operation.startswith("acr.") and fault == "timeout"
        ):  # a try of a proof is short, and the proof itself tries again
            assert (await REPEATED[operation](at)).outcome is Outcome.UNREACHABLE
            return
        await REPEATED[operation](at)
        assert len(at.azure.faults.struck) == 1
        assert at.clock.slept == [7.0 if fault == "429" else 1.0]

    play(monkeypatch, test)


@pytest.mark.share(2)
@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("operation", ONCE)
def test_a_write_is_sent_once_and_an_unknown_outcome_is_called_so(
    monkeypatch: pytest.MonkeyPatch, operation: str, fault: str
) -> None:
    async def test(at: Scene) -> None:
        await ready(at)
        at.fault(operation, times=0, **PASSING[fault])
        with pytest.raises(Throttled if fault == "429" else OutcomeUnknown):
            await ONCE[operation](at)
        assert at.served().count(operation) == 1
        assert at.clock.slept == []

    play(monkeypatch, test)


@pytest.mark.parametrize("operation", [name for name in REPEATED if not name.startswith("acr.")])
def test_a_lasting_fault_ends_when_patience_does(monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    async def test(at: Scene) -> None:
        if operation != "entra.token":
            await ready(at)
        at.fault(operation, times=0)
        writes = operation in ("keyvault.secrets.update", "rbac.roleAssignments.delete", "rbac.roleAssignments.create")
        with pytest.raises(OutcomeUnknown if writes else Unavailable) as failed:
            await REPEATED[operation](at)
        assert "503" in str(failed.value)
        assert 200 < sum(at.clock.slept) <= 1000

    play(monkeypatch, test)


@pytest.mark.parametrize(
    "operation", ["graph.applications.get", "keyvault.secrets.get", "aci.containerGroups.get", "entra.token"]
)
def test_a_wait_beyond_patience_is_not_begun(monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    async def test(at: Scene) -> None:
        if operation != "entra.token":
            await ready(at)
        at.fault(operation, times=0, status=429, code="TooManyRequests", retry_after=3600)
        with pytest.raises(Throttled):
            await REPEATED[operation](at)
        assert at.clock.slept == []

    play(monkeypatch, test)


def test_a_removal_that_met_another_write_is_not_sent_again_by_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(at: Scene) -> None:
        at.fault("graph.applications.removePassword", "concurrency")
        with pytest.raises(Conflict, match="Directory_ConcurrencyViolation"):
            await remove(at)
        assert at.served().count("graph.applications.removePassword") == 1

    play(monkeypatch, test)


def test_a_refused_deployment_is_known_to_have_done_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(at: Scene) -> None:
        at.fault("aci.containerGroups.createOrUpdate", "transitioning")
        with pytest.raises(Conflict) as refused:
            await at.world.put_group(at.group_id, at.body())
        assert (refused.value.status, refused.value.code) == (409, "ContainerGroupTransitioning")
        wrong = at.body()
        wrong["properties"]["imageRegistryCredentials"][0]["password"] = "wrong"
        with pytest.raises(Conflict) as inaccessible:
            await at.world.put_group(at.group_id, wrong)
        assert (inaccessible.value.status, inaccessible.value.code) == (400, "InaccessibleImage")

    play(monkeypatch, test)


def test_a_lock_on_the_registry_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(at: Scene) -> None:
        at.fault("rbac.roleAssignments.delete", "ScopeLocked")
        with pytest.raises(Conflict) as refused:
            await delete_role(at)
        assert refused.value.code == "ScopeLocked"

    play(monkeypatch, test)


def test_an_identity_that_cannot_sign_in_is_told_from_a_service_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(at: Scene) -> None:
        monkeypatch.setenv("AZURE_CLIENT_SECRET", "not-the-secret")
        with pytest.raises(Forbidden, match="AADSTS7000215") as refused:
            await at.world.observe(at.policy)
        assert "Trace ID: " in refused.value.happened
        assert "request id" not in refused.value.happened, "it is the trace id"

    play(monkeypatch, test)


def test_a_token_is_asked_for_once_per_life_by_azures_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(at: Scene) -> None:
        for _ in range(3):
            await at.world.observe(at.policy)
        first = at.served().count("entra.token")
        await at.clock.sleep(3700)
        await at.world.observe(at.policy)
        assert (first, at.served().count("entra.token")) == (3, 6)

    play(monkeypatch, test)


def test_patience_with_a_revoked_record_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(at: Scene) -> None:
        await ready(at)
        at.fault("keyvault.secrets.set", "lost", when="after")
        with pytest.raises(OutcomeUnknown):
            await at.world.record_access(at.policy, Access.REVOKED, ())
        assert (await at.world.access(at.policy)).access is Access.REVOKED

    play(monkeypatch, test)
