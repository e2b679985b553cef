"""Tests of permits and pauses at each of Azure's limits on requests: waits, returned permits, and steps left to a later
run.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from rotator.clients.counted_request import Hosts
from rotator.codes import ReasonCode
from rotator.engine import Run
from rotator.engine.limits import (
    OUTLASTED,
    SHORTEST,
    UNSAID,
    harmless,
    hold,
    home_of,
    later,
    outlast,
    pause_of,
    permitted,
    postponed,
    refused,
    waive,
)
from rotator.engine.memory import Memory
from rotator.engine.run import Seen
from rotator.errors import Conflict, Limited, Throttled
from rotator.events import Pausing, StepPostponed
from rotator.ports import PasswordChange, Publication, Redeployment, World, Write
from rotator.rate_limits import LONGEST
from rotator.state import Home
from rotator.steps import Deploy, Disable, Issue, Reason, Retire
from tests.matrices.test_corners import within
from tests.stage import Stage

WHY = Reason(ReasonCode.FORCED, "asked for")
FAR = 400.0
"""Seconds until a limit ends."""


@dataclass
class Asked:
    """World that records the permits asked for and returned."""

    world: Any
    permits: list[tuple[Write, bool]] = field(default_factory=list)
    """Permits asked for, each with true if the caller can wait."""
    waived: list[Write] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world, name)

    async def permit(self, write: Write, *, urgency: float, patience: float) -> float:
        self.permits.append((write, patience > 0))
        return cast("float", await self.world.permit(write, urgency=urgency, patience=patience))

    def waive(self, write: Write) -> None:
        self.waived.append(write)
        self.world.waive(write)

    def refuses(self, write: Write, seconds: float) -> None:
        """Record a refusal of such a request by Azure, for so many seconds."""
        self.world.budgets.hear(Hosts.of(self.world.cloud).sent(write), 429, {}, seconds)


@dataclass
class Scene:
    """Run after its first look, with the writes of its steps."""

    made: Stage
    run: Run
    asked: Asked
    seen: Seen
    memory: Memory

    @property
    def app(self) -> Deploy:
        return Deploy(self.made.group_id("app"), self.made.by_hand.key_id, WHY)

    @property
    def issue(self) -> Issue:
        return Issue(Home.APPLICATION, timedelta(days=90), WHY)

    @property
    def added(self) -> PasswordChange:
        return PasswordChange(self.seen.observed.principal, Home.APPLICATION, adds=True)

    def writes(self, step: Deploy) -> Write:
        return Redeployment(step.group)

    def within(self, seconds: float) -> Run:
        """Return the run with so much time left."""
        return replace(self.run, deadline=self.run.clock.elapsed() + seconds)

    def told(self, kind: type) -> list[Any]:
        return [event for event in self.made.events if isinstance(event, kind)]


def scene(act: Callable[[Scene], Awaitable[None]]) -> None:
    async def main(made: Stage) -> None:
        async def looked(run: Run) -> None:
            asked = Asked(run.world)
            run = replace(run, world=cast("World", asked))
            read = run.world.moment()
            seen = Seen(await run.observe(), read)
            made.events.clear()
            await act(Scene(made, run, asked, seen, Memory()))

        await made.with_world(looked)

    within("first", main)


def test_what_no_limit_stops_goes_at_once_and_holds_its_permit_alone() -> None:
    async def act(at: Scene) -> None:
        other = Redeployment(at.made.group_id("second"))
        at.memory.held = {other}
        disable = Disable("a version", WHY)
        assert await permitted(at.run, at.seen, at.memory, (at.app, disable)) == (at.app, disable)
        assert at.asked.permits == [(at.writes(at.app), False)]
        assert (at.memory.held, at.asked.waived) == ({at.writes(at.app)}, [other])

    scene(act)


def test_a_step_whose_limit_is_reached_waits_while_others_go() -> None:
    async def act(at: Scene) -> None:
        at.asked.refuses(at.writes(at.app), FAR)
        begun = at.run.clock.elapsed()
        assert await permitted(at.run, at.seen, at.memory, (at.app, at.issue)) == (at.issue,)
        assert at.run.clock.elapsed() == begun
        assert at.memory.held == {at.added}
        assert not at.memory.known.limited

    scene(act)


def test_a_limit_of_every_step_is_waited_for_and_then_the_world_is_looked_at_again() -> None:
    async def act(at: Scene) -> None:
        at.asked.refuses(at.writes(at.app), FAR)
        at.asked.refuses(at.added, FAR / 4)
        begun = at.run.clock.elapsed()
        assert await permitted(at.run, at.seen, at.memory, (at.app, at.issue)) == ()
        assert FAR / 4 <= at.run.clock.elapsed() - begun < FAR / 2, "for the first that ends"
        (pause,) = at.told(Pausing)
        assert pause.reason.startswith(
            "a new credential waits: Microsoft Graph's limit on requests of this application"
        )
        assert pause.seconds == FAR / 4
        assert at.memory.held == {at.added}
        assert not at.memory.known.limited

    scene(act)


@pytest.mark.parametrize("left", [FAR, FAR / 2])
def test_a_limit_that_ends_with_the_run_or_after_it_is_left_to_a_later_one(left: float) -> None:
    async def act(at: Scene) -> None:
        second = replace(at.app, group=at.made.group_id("second"))
        await at.run.clock.sleep(30)
        at.asked.refuses(at.writes(at.app), FAR)
        begun, now = at.run.clock.elapsed(), at.made.azure.clock.now().replace(microsecond=0)
        assert await permitted(at.within(left), at.seen, at.memory, (at.app, second)) == ()
        assert at.run.clock.elapsed() == begun
        found = {each.target: each for each in at.memory.known.limited}
        assert set(found) == {at.app.group, second.group}
        assert {each.step for each in found.values()} == {"deploy"}
        assert {each.until for each in found.values()} == {now + timedelta(seconds=FAR)}
        assert "100 in 5 minutes and 300 in 60 minutes" in found[at.app.group].why
        assert at.memory.held == set()
        assert not at.told(Pausing)

    scene(act)


def test_a_wait_that_gets_no_permit_ends_in_a_postponement() -> None:
    async def act(at: Scene) -> None:
        at.asked.refuses(at.writes(at.app), FAR)

        async def longer(write: Write, *, urgency: float, patience: float) -> float:
            at.asked.permits.append((write, patience > 0))
            return FAR if not patience else 3 * FAR

        at.asked.permit = longer  # type: ignore[method-assign]
        assert await permitted(at.within(2 * FAR), at.seen, at.memory, (at.app,)) == ()
        assert at.memory.held == set()
        assert [each.target for each in at.memory.known.limited] == [at.app.group]

    scene(act)


def test_a_removal_is_counted_at_the_object_that_holds_the_password() -> None:
    async def act(at: Scene) -> None:
        end = at.made.azure.clock.now() + timedelta(days=30)
        theirs = at.made.azure.directory.add_password(at.made.principal, display_name="x", end=end, at_once=True)
        at.seen = Seen(await at.run.observe(), at.seen.read)
        of_principal = Retire(theirs.key_id, Home.SERVICE_PRINCIPAL, WHY)
        of_application = Retire(at.made.by_hand.key_id, Home.APPLICATION, WHY)
        await permitted(at.run, at.seen, at.memory, (of_principal, of_application))
        principal = at.seen.observed.principal
        assert [write for write, _ in at.asked.permits] == [
            PasswordChange(principal, Home.SERVICE_PRINCIPAL, adds=False),
            PasswordChange(principal, Home.APPLICATION, adds=False),
        ]
        at.asked.permits.clear()
        await permitted(at.run, at.seen, at.memory, (at.issue,))
        assert at.asked.permits == [(at.added, False)]
        observed = replace(at.seen.observed, principal=replace(principal, application=None))
        assert home_of(observed, Home.APPLICATION) is Home.SERVICE_PRINCIPAL
        assert home_of(at.seen.observed, Home.APPLICATION) is Home.APPLICATION

    scene(act)


def test_a_permit_that_is_not_used_is_given_back() -> None:
    async def act(at: Scene) -> None:
        kept, left = at.writes(at.app), at.added
        at.memory.held = {kept, left}
        waive(at.run, at.memory, but=frozenset({kept}))
        assert (at.memory.held, at.asked.waived) == ({kept}, [left])
        waive(at.run, at.memory)
        assert (at.memory.held, at.asked.waived) == (set(), [left, kept])

    scene(act)


def test_a_permit_for_one_write_is_waited_for_while_the_run_has_time() -> None:
    async def act(at: Scene) -> None:
        write = Publication(at.run.policy)
        assert not await hold(at.run, write)
        assert not at.told(Pausing)
        at.asked.refuses(at.added, FAR)
        begun = at.run.clock.elapsed()
        with pytest.raises(Throttled) as caught:
            await hold(at.within(FAR), at.added)
        assert (caught.value.seconds, at.run.clock.elapsed()) == (FAR, begun)
        assert not at.told(Pausing)
        assert await hold(at.run, at.added)
        assert at.run.clock.elapsed() - begun >= FAR
        (pause,) = at.told(Pausing)
        assert (pause.seconds, pause.reason) == (
            FAR,
            "Microsoft Graph's limit on requests of this application is reached",
        )

    scene(act)


def test_the_limit_of_a_vault_is_named() -> None:
    async def act(at: Scene) -> None:
        at.asked.refuses(Publication(at.run.policy), FAR)
        with pytest.raises(Throttled, match=r"^the limit on new versions in vault myvault is reached, for 400 s more$"):
            await hold(at.within(1), Publication(at.run.policy))

    scene(act)


def limit(seconds: float | None, **changes: Any) -> Throttled:
    error = Throttled("Azure's limit is reached", service="aci", **changes)
    error.seconds = seconds
    return error


@dataclass
class Failing:
    """Action that raises some errors first; `done` counts its starts."""

    errors: list[Exception]
    done: int = 0

    async def __call__(self) -> str:
        self.done += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def test_an_action_that_a_limit_stops_is_begun_again_after_it() -> None:
    async def act(at: Scene) -> None:
        action, begun = Failing([limit(30.0), limit(50.0)]), at.run.clock.elapsed()
        assert await outlast(at.run, action, 200) == "done"
        assert (action.done, at.run.clock.elapsed() - begun) == (3, 80)
        assert [(each.reason, each.seconds) for each in at.told(Pausing)] == [
            ("Azure's limit is reached", 30),
            ("Azure's limit is reached", 50),
        ]

    scene(act)


def _undone() -> Throttled:
    error = limit(30.0)
    error.undone = True
    return error


STOPS: dict[str, tuple[Callable[[], Exception], float, float | None]] = {
    "something was changed": (lambda: limit(30.0, state="A group was redeployed."), 200, None),
    "it was taken back": (_undone, 200, None),
    "it ends with the patience": (lambda: limit(200.0), 200, None),
    "it ends with the run": (lambda: limit(200.0), 500, 200.0),
    "it ends after two hours": (lambda: limit(LONGEST), float("inf"), None),
    "it is no limit": (lambda: Conflict("No.", service="aci"), 200, None),
}


@pytest.mark.parametrize("why", STOPS)
def test_an_action_is_not_begun_again_where(why: str) -> None:
    error, at_most, left = STOPS[why]

    async def act(at: Scene) -> None:
        run = at.run if left is None else at.within(left)
        many = 2 if why == "it ends after two hours" else 1
        action, begun = Failing([error() for _ in range(many)]), run.clock.elapsed()
        with pytest.raises(Exception, match=r"limit is reached|No"):
            await outlast(run, action, at_most)
        assert (action.done, run.clock.elapsed() - begun) == (many, LONGEST * (many - 1))

    scene(act)


@pytest.mark.parametrize(
    ("asked", "since", "pauses"),
    [
        (0.5, 0, SHORTEST),
        (0.5, 20, 20),
        (0.5, 500, UNSAID),
        (100, 500, 100),
        (None, 0, UNSAID),
        (-5, 0, SHORTEST),
        (9999, 0, LONGEST),
    ],
)
def test_a_pause_is_as_long_as_azure_says_and_longer_the_longer_it_refuses(
    asked: float | None, since: float, pauses: float
) -> None:
    async def act(at: Scene) -> None:
        at.memory.refused_since["deploy", at.app.group] = at.run.clock.elapsed() - since
        begun = at.run.clock.elapsed()
        await refused(at.run, at.seen, at.memory, at.app, limit(asked))
        assert at.run.clock.elapsed() - begun == pauses
        (told,) = at.told(StepPostponed)
        assert (told.step, told.target, told.happened) == ("deploy", at.app.group, "Azure's limit is reached")
        assert not at.memory.known.limited

    scene(act)


def test_a_pause_is_told_by_the_error() -> None:
    assert [pause_of(limit(asked)) for asked in (None, 0.0, -5.0, 20.0, 9999.0)] == [UNSAID, UNSAID, 0, 20, LONGEST]
    assert pause_of(Conflict("No.", service="aci")) == UNSAID


def test_a_limit_is_harmless_where_nothing_was_changed_or_all_is_undone() -> None:
    changed, undone = limit(1.0, state="A group was redeployed."), limit(1.0, state="It is removed again.")
    undone.undone = True
    assert [harmless(each) for each in (limit(1.0), changed, undone)] == [True, False, True]
    assert not harmless(Conflict("No.", service="aci"))


WAITED: dict[str, tuple[Callable[[], Throttled], float | None, float, bool]] = {
    "while the run has time": (lambda: limit(60.0), 61.0, 2 * OUTLASTED, True),
    "not with the end of the run": (lambda: limit(60.0), 60.0, 0.0, False),
    "for two hours without an end": (lambda: limit(60.0), None, OUTLASTED - 60.0, True),
    "not longer without an end": (lambda: limit(60.0), None, OUTLASTED - 59.0, False),
    "not where it was taken back": (_undone, 100.0, 0.0, False),
}


@pytest.mark.parametrize("which", WAITED)
def test_a_step_that_a_limit_refuses_is_waited_for(which: str) -> None:
    error, left, since, waits = WAITED[which]

    async def act(at: Scene) -> None:
        run, raised = at.run if left is None else at.within(left), error()
        await run.clock.sleep(since + 10)
        run = replace(run, deadline=None if left is None else run.clock.elapsed() + left)
        begun, now = run.clock.elapsed(), at.made.azure.clock.now().replace(microsecond=0)
        at.memory.refused_since["deploy", at.app.group] = begun - since
        await refused(run, at.seen, at.memory, at.app, raised)
        assert (run.clock.elapsed() > begun) == waits
        assert bool(at.told(StepPostponed)) == waits
        found = [(each.step, each.target, each.until - now, each.why) for each in at.memory.known.limited]
        pause = max(raised.seconds or 0, min(since, UNSAID))
        after = ("deploy", at.app.group, timedelta(seconds=pause), "Azure's limit is reached")
        assert found == ([] if waits else [after])

    scene(act)


def test_what_is_left_to_a_later_command_names_its_time() -> None:
    async def act(at: Scene) -> None:
        await at.run.clock.sleep(30)
        changed = limit(600.0, state="A group was redeployed.")
        assert later(at.run, "app is redeployed", "rotator deploy app", changed) is changed
        found = later(at.run, "app is redeployed", "rotator deploy app", limit(600.0))
        now = at.made.azure.clock.now().replace(microsecond=0)
        assert isinstance(found, Limited)
        assert (found.seconds, found.until) == (600.0, now + timedelta(seconds=600))
        assert found.happened.startswith("app is redeployed after 2026-03-05 13:1")
        assert "`rotator deploy app`" in found.remedy
        unseen = later(replace(at.run, latest=[]), "app is redeployed", "rotator deploy app", limit(600.0))
        assert isinstance(unseen, Limited)
        assert (unseen.seconds, unseen.until) == (600.0, None)
        assert unseen.happened.startswith("app is redeployed in 10 minutes at the earliest: Azure's limit is reached")

    scene(act)


def test_a_limit_on_looks_postpones_all_that_the_last_look_asks_for() -> None:
    async def act(at: Scene) -> None:
        await at.run.clock.sleep(30)
        now = at.made.azure.clock.now().replace(microsecond=0)
        seen, following = postponed(at.run, at.memory, limit(600.0))
        assert not following.steps
        (first, *_) = seen.known.limited
        assert (first.step, first.until, first.why) == (
            "issue",
            now + timedelta(seconds=600),
            "Azure's limit is reached",
        )
        assert seen.known == at.memory.known

    scene(act)


def test_a_limit_is_dated_from_the_look_where_the_run_has_no_later_time() -> None:
    async def act(at: Scene) -> None:
        run = replace(at.within(1), latest=[])
        await refused(run, at.seen, at.memory, at.app, limit(60.0))
        (found,) = at.memory.known.limited
        assert found.until == at.seen.observed.at + timedelta(seconds=60)

    scene(act)
