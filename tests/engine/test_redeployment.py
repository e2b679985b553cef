"""Tests of one redeployment within a run: the way back, a group changed by others, a PUT without an answer, and a late
PUT.
"""

from collections.abc import Awaitable, Callable

import pytest
from local_azure.faults import Fault

from rotator.engine import reconcile, revoke
from rotator.events import GroupAccepted, Noted
from rotator.steps import Intent
from tests.matrices.effects import Effect
from tests.matrices.people import CHANGES
from tests.matrices.process import Point, Process, Stop, Strike
from tests.matrices.test_corners import within
from tests.stage import GROUPS, Stage

GET, PUT, PROOF = "aci.containerGroups.get", "aci.containerGroups.createOrUpdate", "entra.token"
SENT, ANSWERED, LAST_READ = Point(PUT), Point(PUT, 1, "after"), Point(GET, 3)
"""The PUT of the canary, its answer, and the reading of the canary just before it."""
WAY_BACK = 7
"""First try of a password after the failed pull, by its number in the run."""


async def early(made: Stage, *strikes: Strike, stop: Stop | None = None) -> tuple[int, int]:
    """Rotate before the due time; return the exit code, and the number of PUTs."""
    since, process = len(made.app.served), Process(made.app, made=made, strikes=strikes, stop=stop)
    intent = Intent(force_before=made.azure.clock.now())
    result = await made.with_world(reconcile, intent, hop=process, clock=process.clock)
    return result.exit_code, made.writes(since).count(PUT)


@pytest.mark.parametrize(
    ("pulls", "refused", "puts", "told"),
    [
        (1, 0, 2, "; its state is healthy. No other group was redeployed after it."),
        (2, 0, 2, "app can't pull its image since it was redeployed with credential {old}"),
        (1, 9, 1, "credential {old}, the previous one of "),
    ],
    ids=["it is well again", "it can't pull with that one either", "that one is refused by now"],
)
def test_a_group_that_cannot_pull_goes_back_to_its_previous_credential(
    pulls: int, refused: int, puts: int, told: str
) -> None:
    async def act(made: Stage) -> None:
        old = made.tags_of(GROUPS[0])["rotator-key-id"]
        made.azure.faults.add(Fault(PUT, "failed_pull", argument="0", times=pulls))
        strikes = (Strike(PROOF, WAY_BACK + nth, Effect.NO) for nth in range(refused))
        assert await early(made, *strikes) == (1, puts)
        assert told.format(old=old) in made.told()
        assert (made.tags_of(GROUPS[0])["rotator-key-id"] == old) == (puts == 2)
        assert puts == 1 or "--retry` tries at once" in made.told() or pulls == 2

    within("at rest", act)


def test_a_stopped_group_is_redeployed_where_its_policy_says_so() -> None:
    async def act(made: Stage) -> None:
        made.azure.container_groups.stop(made.group_id(GROUPS[0]))
        first, second = ({"id": made.group_id(name)} for name in GROUPS)
        made.with_policy(container_groups=[{**first, "when_stopped": "redeploy"}, second])
        made.pass_(hours=1)
        assert await early(made) == (0, 2)

    within("at rest", act)


def _hide(made: Stage) -> None:
    """Add a variable with a hidden value."""
    body = made.body(made.app_id, made.published())
    hidden = [{"name": "DB_PASSWORD", "secureValue": "correct horse"}]
    body["properties"]["containers"][0]["properties"]["environmentVariables"] = hidden
    stored = made.azure.container_groups.stored(made.group_id(GROUPS[0]))
    made.azure.container_groups.put(made.group_id(GROUPS[0]), {**body, "tags": stored["tags"]}, "2025-09-01")


def test_a_value_that_somebody_hides_just_before_the_redeployment_is_fetched_on_a_new_look() -> None:
    async def act(made: Stage) -> None:
        made.azure.vaults.set("myvault", "db-password", "correct horse")
        first, second = ({"id": made.group_id(name)} for name in GROUPS)
        secrets = {"containers/app/env/DB_PASSWORD": {"key_vault": "db-password"}}
        made.with_policy(container_groups=[{**first, "secrets": secrets}, second])

        async def hiding() -> None:
            _hide(made)

        assert await early(made, stop=Stop(LAST_READ, 0.0, hiding)) == (0, 2)
        assert "a bug in rotator" not in made.told()
        stored = made.azure.container_groups.stored(made.group_id(GROUPS[0]))["properties"]["containers"][0]
        assert stored["properties"]["environmentVariables"][0]["secureValue"] == "correct horse"

    within("at rest", act)


def test_a_group_that_is_deleted_between_its_last_reading_and_its_redeployment_is_told() -> None:
    async def act(made: Stage) -> None:
        async def deleting() -> None:
            made.azure.container_groups.delete(made.group_id(GROUPS[0]))

        await early(made, stop=Stop(SENT, 0.0, deleting))
        (noted,) = [event for event in made.events if isinstance(event, Noted) and event.code == "recreated"]
        assert noted.warn

    within("at rest", act)


def test_a_redeployment_without_an_answer_counts_as_sent_only_where_a_reading_shows_it() -> None:
    async def act(made: Stage) -> None:
        assert await early(made, Strike(PUT, 1, Effect.UNKNOWN), Strike(GET, 4, Effect.UNKNOWN)) == (1, 2)
        assert f"no answer came to {PUT}" in made.told()
        assert [event.group.rpartition("/")[2] for event in made.events if isinstance(event, GroupAccepted)] == [
            GROUPS[1]
        ]

    within("at rest", act)


async def _nothing(made: Stage) -> None:
    del made


async def _removed(made: Stage) -> None:
    CHANGES["remove the published password"](made)


async def _revoked(made: Stage) -> None:
    await made.with_world(lambda run: revoke(run, wait=False))


LATE: dict[str, tuple[Callable[[Stage], Awaitable[None]], tuple[Strike, ...], tuple[str, ...]]] = {
    "nothing": (_nothing, (), ()),
    "the credential is removed": (
        _removed,
        (),
        ("was removed, and the next pull fails", "Run again now: the next run redeploys the group."),
    ),
    "access is revoked": (_revoked, (), ("Meanwhile access was revoked", "` restores access.")),
    "the readings after it fail": (
        _nothing,
        (Strike("graph.applications.get", 3, Effect.NO),),
        ("the reads after that failed",),
    ),
}


@pytest.mark.parametrize("meanwhile", LATE)
def test_after_a_redeployment_that_was_stopped_within_its_request_the_credential_is_looked_for(meanwhile: str) -> None:
    happens, strikes, told = LATE[meanwhile]

    async def act(made: Stage) -> None:
        await early(made, *strikes, stop=Stop(ANSWERED, 130.0, lambda: happens(made)))
        late = ("a request that was suspended for more than", "the reads after that failed")
        assert any(each in made.told() for each in late) == bool(told)
        assert all(each in made.told() for each in told)

    within("at rest", act)


def test_a_redeployment_that_a_limit_refuses_is_sent_again() -> None:
    async def act(made: Stage) -> None:
        made.azure.faults.add(Fault(PUT, "status", status=429, code="TooManyRequests", message="Not now."))
        assert await early(made) == (0, 3)
        assert "so the group is unchanged" not in made.told()

    within("at rest", act)


def test_a_redeployment_that_azure_refuses_leaves_the_group_unchanged() -> None:
    async def act(made: Stage) -> None:
        made.azure.faults.add(Fault(PUT, "status", status=409, code="Conflict", message="No."))
        await early(made)
        assert "Azure refused the deployment, so the group is unchanged." in made.told()

    within("at rest", act)
