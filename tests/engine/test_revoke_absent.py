"""Tests of objects not found, which prove no end of access: the principal, one of its objects, a registry; and of
refusals because of the place.
"""

from collections.abc import Awaitable, Callable

import pytest
from local_azure.faults import Fault
from local_azure.virtual import VirtualLoop

from rotator.engine import adopt, compromise, grant, revoke
from rotator.events import Noted, StepFailed
from rotator.results import Result
from tests.pulling import anything_pulls
from tests.stage import Stage, lagging, play, stage

GONE, ABSENT = "access is gone: every pull is refused", "access is gone: the principal doesn't exist"
REMAINS, UNPROVEN = (
    "ACCESS REMAINS: the principal can still pull",
    "access is marked as revoked, but it is not proven that pulls are refused",
)
OBJECTS = ("graph.applications.get", "graph.servicePrincipals.get")


def scene(act: Callable[[Stage], Awaitable[None]], **timing: float) -> None:
    async def begin(loop: VirtualLoop) -> None:
        made = stage(loop, groups=("app",), timing=lagging(**timing))
        await made.with_world(lambda run: adopt(run, None))
        made.pass_(minutes=10)
        await act(made)

    play(begin)


def missing(made: Stage, operation: str, times: int = 0, code: str = "Request_ResourceNotFound") -> None:
    made.azure.faults.add(Fault(operation, "status", times=times, status=404, code=code, message="Not here."))


async def revoked(made: Stage, **options: bool) -> Result:
    made.events.clear()
    result = await made.with_world(lambda run: revoke(run, **options))
    made.azure.faults.clear()
    return result


def text(made: Stage, code: str) -> str:
    return "\n".join(event.text for event in made.events if isinstance(event, Noted) and event.code == code)


def roles(made: Stage) -> set[str]:
    return {a.id for a in made.azure.authorization.assignments(principals=[made.principal.id])}


async def _locked_once(made: Stage) -> None:
    """Revoke under a lock, which keeps the assignments and their record; then unlock."""
    made.azure.resources.lock(made.seeded.registry_id, "CanNotDelete", "keep")
    assert (await revoked(made)).summary == REMAINS
    made.azure.resources.unlock(made.seeded.registry_id, "keep")


def test_a_principal_that_no_lookup_finds_is_not_gone_while_its_password_pulls() -> None:
    async def act(made: Stage) -> None:
        for operation in OBJECTS:
            missing(made, operation)
        begun = made.clock.elapsed()
        result = await revoked(made)
        assert anything_pulls(made), "nothing was recorded, and without the principal its roles can't be found"
        assert (result.summary, result.exit_code) == (UNPROVEN, 1)
        assert made.clock.elapsed() - begun < 300, "a password that signs in is answer enough"
        assert "no application or service principal" in text(made, "not_proven")
        assert "correct `principal.app_id`" in text(made, "not_proven")
        made.pass_(minutes=1)
        result = await revoked(made)
        assert (result.summary, result.exit_code, anything_pulls(made)) == (GONE, 0, False)

    scene(act)


def test_what_was_recorded_is_deleted_although_no_lookup_finds_the_principal() -> None:
    async def act(made: Stage) -> None:
        await _locked_once(made)
        for operation in OBJECTS:
            missing(made, operation)
        result = await revoked(made)
        assert (roles(made), result.exit_code) == (set(), 1)
        assert not result.summary.startswith("access is gone")
        made.pass_(minutes=10)
        assert not anything_pulls(made)
        assert (await made.with_world(grant)).exit_code == 0 and len(roles(made)) == 1, "and it can be restored"

    scene(act)


@pytest.mark.parametrize(
    "operations", [OBJECTS, OBJECTS[:1], OBJECTS[1:]], ids=["the principal", "the application", "the service principal"]
)
def test_one_lookup_that_finds_nothing_is_made_again_and_the_revocation_goes_on(operations: tuple[str, ...]) -> None:
    async def act(made: Stage) -> None:
        for operation in operations:
            missing(made, operation, times=1)
        result = await revoked(made)
        assert (result.summary, result.exit_code) == (GONE, 0), made.told()[-3000:]
        assert roles(made) == set() and not anything_pulls(made)
        assert (await made.with_world(grant)).exit_code == 0 and len(roles(made)) == 1

    scene(act)


def test_an_application_without_a_service_principal_is_gone_when_entra_says_so() -> None:
    async def act(made: Stage) -> None:
        made.azure.directory.delete(made.principal)
        made.pass_(hours=1)
        result = await revoked(made)
        assert (result.summary, result.exit_code, anything_pulls(made)) == (GONE, 0, False), made.told()[-3000:]
        assert "no service principal of that app id was found" in text(made, "unknown")

    scene(act)


def test_a_principal_that_is_gone_is_not_proven_to_be_without_a_password_to_try() -> None:
    async def act(made: Stage) -> None:
        made.azure.directory.delete(made.application)
        made.pass_(hours=1)
        assert (await revoked(made)).summary == ABSENT
        made.azure.vaults.delete("myvault", "mycontainerregistry-pull-pwd")
        made.pass_(minutes=10)
        result = await revoked(made)
        assert (result.summary, result.exit_code) == (UNPROVEN, 1)

    scene(act)


@pytest.mark.parametrize("operations", [OBJECTS, OBJECTS[1:]], ids=["the principal", "the service principal"])
def test_whoever_does_not_wait_is_told_that_nothing_is_proven(operations: tuple[str, ...]) -> None:
    async def act(made: Stage) -> None:
        for operation in operations:
            missing(made, operation)
        result = await revoked(made, wait=False)
        assert anything_pulls(made)
        assert (result.summary, result.exit_code) == (UNPROVEN, 1)

    scene(act)


def _two(made: Stage) -> str:
    other = made.seeded.registry_id.replace("mycontainerregistry", "another")
    made.azure.resources.put(other, "Microsoft.ContainerRegistry/registries", "eastus", {}, sku={"name": "Standard"})
    made.azure.registries.push("another.azurecr.io", "aci-helloworld", "v1")
    for whom, role in ((made.principal.id, "AcrPull"), (made.seeded.operator.object_id, "rotator access")):
        made.azure.authorization.assign(other, whom, role, at_once=True)
    made.with_policy(registries=[{"id": made.seeded.registry_id}, {"id": other}])
    return other


def test_a_registry_that_is_not_found_keeps_nobody_from_being_revoked_on_the_other_and_proves_nothing() -> None:
    async def act(made: Stage) -> None:
        other = _two(made)
        made.azure.resources.lock(other, "CanNotDelete", "keep")
        made.azure.faults.add(
            Fault(
                "arm.registries.get", "status", nth=2, times=0, status=404, code="ResourceNotFound", message="Not here."
            )
        )
        result = await revoked(made)
        assert (result.exit_code, result.summary.startswith("access is gone")) == (1, False), made.told()[-3000:]
        made.azure.resources.unlock(other, "keep")
        made.pass_(minutes=10)
        result = await revoked(made)
        assert (result.summary, result.exit_code, roles(made)) == (GONE, 0, set()), made.told()[-3000:]

    scene(act)


def test_a_registry_that_was_deleted_is_named_and_the_other_is_revoked() -> None:
    async def act(made: Stage) -> None:
        other = _two(made)
        made.azure.resources.delete(other)
        made.pass_(minutes=10)
        result = await revoked(made)
        assert (result.summary, result.exit_code, anything_pulls(made)) == (UNPROVEN, 1, False), made.told()[-3000:]
        assert "registry another doesn't exist" in text(made, "unknown")
        assert roles(made) == set()

    scene(act)


def test_where_a_registry_is_not_found_a_compromised_password_is_told_all_the_same() -> None:
    async def act(made: Stage) -> None:
        other = _two(made)
        await made.with_world(lambda run: compromise(run, [made.by_hand.key_id]))
        made.azure.resources.delete(other)
        made.pass_(minutes=10)
        result = await revoked(made)
        assert made.by_hand in made.credentials()
        assert (result.exit_code, result.summary.startswith("COMPROMISED CREDENTIAL STILL WORKS: ")) == (
            1,
            True,
        ), made.told()[-3000:]

    scene(act)


def test_where_no_registry_is_found_nothing_is_written() -> None:
    async def act(made: Stage) -> None:
        since = len(made.app.served)
        missing(made, "arm.registries.get", code="ResourceNotFound")
        result = await revoked(made)
        assert (result.exit_code, made.writes(since)) == (1, [])
        assert "Correct the registry's id" in next(
            event.remedy for event in made.events if isinstance(event, StepFailed)
        )

    scene(act)


def test_a_refusal_that_may_be_about_where_it_was_asked_is_no_refusal_of_the_principal() -> None:
    """Conditional access refuses sign-ins from here, and a host elsewhere pulls while the deleted role still counts."""

    async def act(made: Stage) -> None:
        def block(number: int, operation: str, request: object) -> None:
            if operation == "rbac.roleAssignments.delete":
                blocked = "Access has been blocked by Conditional Access policies."
                made.azure.faults.add(
                    Fault("entra.token", "status", times=0, status=400, code="AADSTS53003", message=blocked)
                )

        made.after.append(block)
        result = await revoked(made)
        assert anything_pulls(made)
        assert (result.summary, result.exit_code) == (UNPROVEN, 1), made.told()[-3000:]
        assert "53003" in text(made, "not_proven")

    scene(act, role_gone=7200)
