"""Tests of single runs in cases without a story: at a deadline, interrupted, or with a tag written by others before
rotator's.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import pytest
from local_azure.faults import Fault
from local_azure.inprocess import pause
from local_azure.keyvault.secret import Changes
from local_azure.virtual import VirtualLoop
from local_azure.wire import Request

from rotator.codes import NoteCode
from rotator.engine import adopt, compromise, reconcile, revoke
from rotator.events import Noted, StepFailed
from rotator.plan import Ending
from rotator.results import Result
from rotator.state import ADOPTED
from rotator.steps import Intent
from tests.matrices.effects import Effect
from tests.matrices.fast import fast
from tests.matrices.process import ALWAYS, SLEEPING, Point, Process, Stop, Strike
from tests.matrices.worlds import WORLDS
from tests.stage import GROUPS, SECRET, Stage, play

T = TypeVar("T")
ADD, REMOVE, SET = "graph.applications.addPassword", "graph.applications.removePassword", "keyvault.secrets.set"


def within(world: str, act: Callable[[Stage], Awaitable[T]]) -> T:
    """Act in a world, on the fast adapter."""

    async def scene(loop: VirtualLoop) -> T:
        made = await WORLDS[world](loop)
        made.adapter = fast
        return await act(made)

    return play(scene)


async def rotated(
    made: Stage, *strikes: Strike, minutes: float | None = None, stop: Stop | None = None
) -> tuple[Result, float]:
    """Rotate once; return the result, and the duration in seconds."""
    process, begun = Process(made.app, made=made, strikes=strikes, stop=stop), made.clock.elapsed()
    result = await made.with_world(reconcile, Intent(), minutes, hop=process, clock=process.clock)
    return result, made.clock.elapsed() - begun


@pytest.mark.parametrize(("minutes", "adds"), [(4.99, 0), (5.0, 1)])
def test_no_password_is_added_whose_proof_has_no_time_left(minutes: float, adds: int) -> None:
    async def act(made: Stage) -> None:
        since = len(made.app.served)
        result, _ = await rotated(made, minutes=minutes)
        assert made.writes(since).count(ADD) == adds
        assert result.exit_code == (0 if adds else 3)
        assert ("the proof of a new credential may take 300 s" in made.told()) == (not adds)

    within("first", act)


def test_a_run_ends_rather_than_wait_beyond_its_deadline() -> None:
    async def act(made: Stage) -> None:
        result, whole = await rotated(made)
        assert result.exit_code == 0
        assert whole > 60

    within("first", act)

    async def hurried(made: Stage) -> None:
        _, took = await rotated(made, Strike("aci.containerGroups.createOrUpdate", 1, Effect.NO), minutes=5)
        assert took <= 300

    within("first", hurried)


UNREMOVED: dict[str, tuple[Strike, ...]] = {
    "its removal is refused": (Strike(REMOVE, ALWAYS, Effect.NO),),
    "no read looks for it": tuple(Strike("graph.applications.get", nth, Effect.NO) for nth in range(2, 20)),
}


@pytest.mark.parametrize("why", UNREMOVED)
def test_a_password_that_an_unanswered_add_may_have_left_is_named(why: str) -> None:
    async def act(made: Stage) -> None:
        result, _ = await rotated(made, Strike(ADD, 1, Effect.UNKNOWN_DONE), *UNREMOVED[why])
        (left,) = [p.display_name for p in made.credentials() if (p.display_name or "").startswith("rotator:")]
        failures = [event.state or "" for event in made.events if isinstance(event, StepFailed)]
        assert result.exit_code == 1
        assert any(f"its name is {left}, and a later run removes it after 24 h" in state for state in failures), (
            failures
        )

    within("first", act)


@pytest.mark.parametrize(("minutes", "tries"), [(10 / 60, 1), (11 / 60, 2)])
def test_a_removal_without_an_answer_is_decided_on_again_while_there_is_time(minutes: float, tries: int) -> None:
    async def act(made: Stage) -> None:
        since = len(made.app.served)
        result, took = await rotated(made, Strike(REMOVE, 0, Effect.UNKNOWN), minutes=minutes)
        assert made.writes(since) == [REMOVE] * tries
        assert result.exit_code == 1
        assert took <= 60 * minutes

    within("waiting", act)


@dataclass
class Interrupted(Process):
    """Process interrupted at a point."""

    at: Point | None = None
    whole: "asyncio.Task[object] | None" = None

    async def _at(self, point: Point) -> None:
        if point == self.at and self.whole:
            whole, self.whole = self.whole, None
            whole.cancel()
            await pause(1)
        await super()._at(point)


async def interrupted(made: Stage, at: Point, *strikes: Strike) -> list[str]:
    """Rotate until the interruption; return the writes."""
    whole, since = asyncio.current_task(), len(made.app.served)
    assert whole
    process = Interrupted(made.app, made=made, strikes=strikes, at=at, whole=whole)
    with pytest.raises(asyncio.CancelledError):
        await made.with_world(reconcile, Intent(), hop=process, clock=process.clock)
    whole.uncancel()
    return made.writes(since)


PROVING, LOST, PUBLISHED = Point("entra.token", 2), Strike(ADD, 1, Effect.UNKNOWN), Strike(SET, 1, Effect.UNKNOWN)
INTERRUPTED: dict[str, tuple[Point, tuple[Strike, ...], list[str], str]] = {
    "in the proof": (PROVING, (), [ADD, REMOVE], "was added and not published; rotator asked Graph once to remove it"),
    "in the proof, and Graph refuses": (
        PROVING,
        (Strike(REMOVE, 1, Effect.NO),),
        [ADD, REMOVE],
        "and its removal failed",
    ),
    "when the publication has no answer": (
        Point(SLEEPING, 3),
        (PUBLISHED,),
        [ADD, SET],
        "may be published, so it stays",
    ),
    "when the add has no answer": (
        Point(SLEEPING, 1),
        (LOST,),
        [ADD],
        "Graph did not answer when a password was added",
    ),
}


@pytest.mark.parametrize("when", INTERRUPTED)
def test_an_interrupted_run_leaves_as_little_as_it_can_and_names_the_rest(when: str) -> None:
    at, strikes, sent, said = INTERRUPTED[when]

    async def act(made: Stage) -> None:
        assert await interrupted(made, at, *strikes) == sent
        assert said in made.told()
        assert next(event for event in made.events if isinstance(event, Noted) and event.code == "interrupted").warn

    within("quick", act)


def test_a_tag_that_somebody_sets_just_before_a_mark_is_written_stays() -> None:
    async def act(made: Stage) -> None:
        (version,) = made.versions()

        async def tag() -> None:
            made.azure.vaults.update("myvault", SECRET, version.id, Changes(tags={"owner": "somebody"}))

        process = Process(made.app, made=made, stop=Stop(Point("keyvault.secrets.get", 4, "after"), 0.0, tag))
        await made.with_world(lambda run: adopt(run, None), hop=process, clock=process.clock)
        assert process.stopped
        (now,) = made.versions()
        assert now.tags == {"owner": "somebody", ADOPTED: made.by_hand.key_id}

    within("hand-made", act)


def test_a_revocation_that_has_taken_a_compromised_password_tells_no_alarm() -> None:
    async def act(made: Stage) -> None:
        await made.with_world(lambda run: compromise(run, []))
        made.events.clear()
        result = await made.with_world(lambda run: revoke(run, wait=False, credentials=True))
        assert made.credentials() == []
        assert NoteCode.STILL_OPEN not in made.told()
        assert result.exit_code == 0

    within("at rest", act)


@pytest.mark.parametrize(("status", "code"), [(403, "Forbidden"), (404, "VaultNotFound"), (409, "Conflict")])
def test_a_publication_that_is_refused_takes_the_password_back(status: int, code: str) -> None:
    async def act(made: Stage) -> None:
        since = len(made.app.served)
        made.azure.faults.add(Fault(SET, "status", status=status, code=code, message="No."))
        result, _ = await rotated(made)
        assert made.writes(since) == [ADD, SET, REMOVE]
        assert result.exit_code == 1

    within("first", act)


def test_a_publication_that_a_limit_refuses_is_sent_again() -> None:
    async def act(made: Stage) -> None:
        since = len(made.app.served)
        made.azure.faults.add(Fault(SET, "status", status=429, code="Throttled", message="No."))
        result, _ = await rotated(made)
        assert made.writes(since)[:3] == [ADD, SET, SET]
        assert made.azure.tokens.authenticates_everywhere(made.app_id, made.published())
        assert result.exit_code == 0

    within("first", act)


@pytest.mark.parametrize(
    ("status", "code"),
    [(409, "Directory_ConcurrencyViolation"), (429, "TooManyRequests"), (404, "Request_ResourceNotFound")],
)
def test_a_removal_that_is_refused_for_the_moment_is_decided_on_again(status: int, code: str) -> None:
    async def act(made: Stage) -> None:
        since = len(made.app.served)
        made.azure.faults.add(Fault(REMOVE, "status", status=status, code=code, message="Not now."))
        result, _ = await rotated(made)
        assert made.writes(since) == [REMOVE, REMOVE, "keyvault.secrets.update"]
        assert result.exit_code == 0

    within("waiting", act)


def test_a_look_for_a_publication_without_an_answer_may_fail() -> None:
    async def act(made: Stage) -> None:
        since = len(made.app.served)
        result, _ = await rotated(
            made, Strike(SET, 1, Effect.UNKNOWN_DONE), Strike("keyvault.secrets.versions", 3, Effect.NO)
        )
        assert made.writes(since).count(SET) == 1
        assert result.exit_code == 0

    within("first", act)


def test_a_publication_carries_over_what_others_wrote_on_the_newest_version() -> None:
    async def act(made: Stage) -> None:
        newest = made.versions()[-1]
        made.azure.vaults.update(
            "myvault", SECRET, newest.id, Changes(content_type="text/plain", tags={**newest.tags, "owner": "somebody"})
        )
        result, _ = await rotated(made)
        assert result.exit_code == 0
        published = max(made.versions(), key=lambda version: version.order)
        assert published.id != newest.id
        assert (published.content_type, published.tags["owner"]) == ("text/plain", "somebody")

    within("first", act)


LISTING, BEFORE_SET = "graph.applications.get", Point("keyvault.secrets.versions", 2, "after")
PROVEN_UNTIL = 7
"""First try of a password after the proof of the new one, by its number in the run."""


@pytest.mark.parametrize("late", [0, 80])
@pytest.mark.parametrize("refused", [False, True])
def test_a_proof_that_is_old_when_the_publication_is_due_is_made_again(refused: bool, late: int) -> None:
    """`late`: seconds until Graph lists the new credential; then the process stops for a while."""

    async def act(made: Stage) -> None:
        made.pass_(hours=1)
        since = len(made.app.served)
        if late:
            made.azure.faults.add(Fault(LISTING, "stale", argument=f"{late}", times=0))
        refusals = (Strike("entra.token", PROVEN_UNTIL + nth, Effect.NO) for nth in range(3 * refused))
        await rotated(made, *refusals, stop=Stop(BEFORE_SET, 150.0 - late))
        assert made.writes(since)[:2] == [ADD, REMOVE if refused else SET]

    within("first", act)


def test_what_a_person_gives_back_between_two_readings_of_a_revocation_is_seen_by_the_second() -> None:
    async def act(made: Stage) -> None:
        async def given_back() -> None:
            await pause(100)
            end = made.azure.clock.now() + timedelta(days=30)
            made.azure.directory.add_password(made.application, display_name="somebody", end=end, at_once=True)
            made.azure.authorization.assign(made.seeded.registry_id, made.principal.id, "AcrPull", at_once=True)

        taking = made.with_world(lambda run: revoke(run, credentials=True))
        result, _ = await asyncio.gather(taking, given_back())
        assert result.summary.endswith(Ending.REMAINS), made.told()

    within("at rest", act)


def test_a_principal_that_one_try_shows_as_unknown_is_tried_again() -> None:
    async def act(made: Stage) -> None:
        gone = {"status": 404, "code": "Request_ResourceNotFound", "message": "Not here."}
        for operation in ("graph.applications.get", "graph.servicePrincipals.get"):
            made.azure.faults.add(Fault(operation, "status", times=0, **gone))  # type: ignore[arg-type]
        made.azure.directory.update(made.principal, {"accountEnabled": False})

        def enabled(number: int, operation: str, request: Request) -> None:
            if operation == "entra.token":
                made.azure.directory.update(made.principal, {"accountEnabled": True})

        made.after.append(enabled)
        await made.with_world(revoke)
        assert "the published value pulls" in made.told()

    within("at rest", act)


def test_a_secret_of_a_group_is_read_again_for_each_group() -> None:
    async def act(made: Stage) -> None:
        secrets = {"containers/app/env/DB": {"key_vault": "db-password"}}
        made.azure.vaults.set("myvault", "db-password", "before")
        container = made.body(made.app_id, made.by_hand.secret)["properties"]["containers"][0]
        container["properties"]["environmentVariables"] = [{"name": "DB", "secureValue": "before"}]
        for name in GROUPS:
            made.put(name, containers=[container])
        made.pass_(minutes=10)
        made.azure.container_groups.settle()
        made.with_policy(container_groups=[{"id": made.group_id(name), "secrets": secrets} for name in GROUPS])

        async def changed() -> None:
            made.azure.vaults.set("myvault", "db-password", "after")

        result, _ = await rotated(
            made, stop=Stop(Point("aci.containerGroups.createOrUpdate", 1, "after"), 0.0, changed)
        )
        assert result.exit_code == 0, made.told()
        stored = [
            made.azure.container_groups.stored(made.group_id(name))["properties"]["containers"] for name in GROUPS
        ]
        found = {each["properties"]["environmentVariables"][0]["secureValue"] for (each,) in stored}
        assert found == {"before", "after"}

    within("first", act)
