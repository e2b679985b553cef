"""Tests of refusals by Graph: found before any write, or explained afterwards; no object is left behind."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from local_azure.virtual import VirtualLoop

from rotator.engine import adopt
from rotator.steps import Intent
from tests.stage import Stage, play, stage

FORBIDDEN: dict[str, Any] = {"restrictionType": "passwordAddition", "state": "enabled"}
SHORT: dict[str, Any] = {"restrictionType": "passwordLifetime", "maxLifetime": "P30D", "state": "enabled"}
READ = "Policy.Read.All"


def scene(act: Callable[[Stage], Awaitable[None]]) -> None:
    async def begin(loop: VirtualLoop) -> None:
        await act(stage(loop, groups=("app",)))

    play(begin)


def restrict(made: Stage, *restrictions: dict[str, Any], side: str = "applicationRestrictions") -> None:
    """Restrict passwords by the tenant's default policy from now on."""
    changes = {"isEnabled": True, side: {"passwordCredentials": list(restrictions), "keyCredentials": []}}
    made.azure.directory.state.tenant_policy.update(changes)


async def refused(made: Stage, code: str, *, exit_code: int = 3) -> None:
    """Check that a rotation is refused with a code and changes nothing."""
    since, before = len(made.app.served), made.credentials()
    assert (await made.rotate()).exit_code == exit_code, made.told()
    assert code in made.told()
    assert made.credentials() == before
    assert [each for each in made.writes(since) if "addPassword" not in each] == []


@pytest.mark.parametrize(("restriction", "code"), [(FORBIDDEN, "passwords_forbidden"), (SHORT, "password_life")])
def test_an_app_management_policy_that_may_be_read_is_found_before_anything_is_written(
    restriction: dict[str, Any], code: str
) -> None:
    async def act(made: Stage) -> None:
        made.azure.directory.grant(made.seeded.operator.app_id, READ)
        restrict(made, restriction)
        await refused(made, code)
        assert "graph.applications.addPassword" not in [call.operation for call in made.app.served]
        if restriction is SHORT:
            made.with_policy(rotation={"validity": "30d"})
            assert (await made.rotate()).exit_code == 0, made.told()[-2000:]

    scene(act)


@pytest.mark.parametrize(
    ("restriction", "words"), [(FORBIDDEN, "exempt this application"), (SHORT, "write a shorter `rotation: ")]
)
def test_one_that_may_not_be_read_is_explained_when_graph_refuses(restriction: dict[str, Any], words: str) -> None:
    async def act(made: Stage) -> None:
        restrict(made, restriction)
        await refused(made, words, exit_code=1)

    scene(act)


def test_a_policy_that_spares_what_was_made_before_or_is_another_homes_stops_nothing() -> None:
    async def act(made: Stage) -> None:
        made.azure.directory.grant(made.seeded.operator.app_id, READ)
        restrict(
            made,
            {**FORBIDDEN, "restrictForAppsCreatedAfterDateTime": "2030-01-01T00:00:00Z"},
            {**SHORT, "state": "disabled"},
        )
        restrict(made, FORBIDDEN, side="servicePrincipalRestrictions")
        assert (await made.rotate()).exit_code == 0, made.told()[-2000:]
        made.pass_(minutes=5)
        made.with_policy(principal={"app_id": made.app_id, "home": "service_principal"})
        await made.rotate(Intent(force_before=made.azure.clock.now()))
        assert "passwords_forbidden" in made.told()

    scene(act)


def test_a_policy_that_counts_for_younger_applications_only_counts_for_one() -> None:
    async def act(made: Stage) -> None:
        made.azure.directory.grant(made.seeded.operator.app_id, READ)
        restrict(made, {**FORBIDDEN, "restrictForAppsCreatedAfterDateTime": "2020-01-01T00:00:00Z"})
        await refused(made, "passwords_forbidden")

    scene(act)


def test_a_locked_application_keeps_passwords_off_its_service_principal_and_not_off_itself() -> None:
    async def act(made: Stage) -> None:
        lock = {"isEnabled": True, "allProperties": True}
        made.azure.directory.update(made.application, {"servicePrincipalLockConfiguration": lock})
        made.pass_(minutes=1)
        made.with_policy(principal={"app_id": made.app_id, "home": "service_principal"})
        await refused(made, "locked_principal")
        made.with_policy(principal={"app_id": made.app_id})
        assert (await made.rotate()).exit_code == 0, made.told()[-2000:]

    scene(act)


def test_an_application_for_personal_accounts_needs_a_free_place() -> None:
    async def act(made: Stage) -> None:
        made.azure.directory.update(made.application, {"signInAudience": "AzureADandPersonalMicrosoftAccount"})
        end = made.by_hand.end
        other = made.azure.directory.add_password(made.application, display_name="other", end=end, at_once=True)
        made.pass_(minutes=1)
        await refused(made, "no_slot")
        made.azure.directory.remove_password(made.application, other.key_id)
        made.pass_(minutes=1)
        await made.with_world(lambda run: adopt(run, None))
        assert (await made.rotate()).exit_code == 0, made.told()[-2000:]

    scene(act)
