"""Input of every step, and the result of a run."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rotator.codes import VetoCode, WaitCode
from rotator.engine.journal import Journal, Score
from rotator.errors import BY_THIS_STEP, Limited, RotatorError, UnsafeStep
from rotator.events import Event, Pausing, StepFailed, Vetoed, Waiting
from rotator.plan import View
from rotator.policy import Policy
from rotator.ports import AccessRecord, Clock, World
from rotator.remedy import rotator
from rotator.results import Preview
from rotator.state import Access, Observed, Proof
from rotator.steps import NOTHING_KNOWN, Intent, Known, Note, Wait

FRESH = 120.0
"""Age in seconds at which a read is too old for a write: a run that was suspended must read again."""
DECISIONS, PAUSE = 5, 10.0
"""Number of decisions of one run on the same write, each after a new read, and the pause between them in seconds."""


class Undecided(RotatorError):
    """A write that may not have happened and must not be repeated blindly: the next look decides on the write again."""

    remedy = "Run again: the next run reads the state of Azure and goes on from there."

    def __init__(self, happened: str, *, state: str | None = None, lost: str = "") -> None:
        super().__init__(happened, state=state)
        self.lost = lost
        """The display name of a credential that an add may have made, and that no read has shown."""


class Changed(Undecided):
    """A write not sent, since its target isn't what the decision rested on: the next look decides again."""

    def __init__(self, happened: str) -> None:
        super().__init__(happened, state="Nothing was sent.")


@dataclass(frozen=True, slots=True)
class Seen:
    """The observation underlying a step, the moment (`World.moment`) before its reads, and the run's knowledge then."""

    observed: Observed
    read: float
    known: Known = NOTHING_KNOWN


@dataclass(frozen=True, slots=True)
class Sight:
    """One observation of a policy, the moment before its oldest reading, and the moment `at` which it showed the world.

    `preview`: the observation comes from the services' lists, and this is what they prove.
    """

    policy: Policy
    read: float
    observed: Observed
    preview: Preview | None = None
    at: float | None = None
    """`observed.at` as a moment; None: `read`."""


@dataclass(frozen=True, slots=True)
class Proved:
    """Last proof of the value of a version with certain images, and the moment (`World.moment`) before it."""

    version: str
    images: tuple[str, ...]
    moment: float
    proof: Proof


@dataclass(frozen=True, slots=True)
class Run:
    """One policy's run. No step starts that can't end before `deadline` (elapsed seconds of `clock`)."""

    world: World
    clock: Clock
    journal: Journal
    policy: Policy
    intent: Intent = field(default_factory=Intent)
    deadline: float | None = None
    latest: list[Sight] = field(default_factory=list, compare=False)
    """Its last observation, once there is one; what is made of this run by `replace` shares it."""
    proved: list[Proved] = field(default_factory=list, compare=False)
    """The last proof of a published value, shared likewise."""
    aside: Callable[[], AbstractAsyncContextManager[None]] = field(default=nullcontext, compare=False)
    """Block in which the run only waits, so that another one may be at work in its place."""

    async def observe(self, *, confirmed: bool = False) -> Observed:
        """Observe the policy, as `World.observe` does, and keep what was seen as the latest."""
        read = self.world.moment()
        observed = await self.world.observe(self.policy, confirmed=confirmed)
        self.latest[:] = [Sight(self.policy, read, observed, at=self.world.moment())]
        return observed

    async def observe_again(self, *, since: float, recent: bool, confirmed: bool = False) -> tuple[float, Observed]:
        """Observe, as `World.observe_again` does, and keep what was seen as the latest."""
        read, observed = await self.world.observe_again(self.policy, since=since, recent=recent, confirmed=confirmed)
        self.latest[:] = [Sight(self.policy, read, observed, at=self.world.moment())]
        return read, observed

    def view(self, seen: Seen) -> View:
        """Return the facts for the rules."""
        return View(self.policy, seen.observed, self.intent, seen.known)

    def tell(self, happened: Event | Wait | Note) -> None:
        """Tell and count an event, or a finding of the plan, with the time."""
        self.journal.tell(happened, self.time())

    def time(self) -> datetime | None:
        """Return Azure's time now, from the last look and the time elapsed since; None before the first look."""
        if not self.latest:
            return None
        seen = self.latest[-1]
        moment = seen.read if seen.at is None else seen.at
        return seen.observed.at + timedelta(seconds=round(max(self.world.moment() - moment, 0)))

    @property
    def score(self) -> Score:
        """Return the counts of all events told by the run."""
        return self.journal.score

    def left(self) -> float:
        """Seconds until the deadline; infinite without one."""
        return float("inf") if self.deadline is None else self.deadline - self.clock.elapsed()


@dataclass(slots=True)
class Patience:
    """Pauses for one reason, at most `seconds` long in total.

    The first pause is reported, so that the run doesn't seem to hang.
    """

    run: Run
    reason: str
    seconds: float | None = None
    told: bool = False

    async def sleep(self, seconds: float) -> None:
        """Pause once."""
        if not self.told:
            self.run.tell(Pausing(reason=self.reason, seconds=self.seconds))
        self.told = True
        await self.run.clock.sleep(seconds)


def failure(run: Run, step: str, target: str, error: RotatorError) -> StepFailed | Vetoed | Waiting:
    """Return the event for a stopped step: a veto if the step was unsafe, a wait for a limit, else a failure."""
    diagnosis = error.diagnose()
    happened, state, remedy = diagnosis.happened, of_a_step(run, diagnosis.state), diagnosis.remedy
    if isinstance(error, Limited):
        reason = f"{happened}. {remedy}"
        return Waiting(code=WaitCode.LIMITED, subject=target, reason=reason, until=error.until, warn=True)
    if isinstance(error, UnsafeStep):
        return Vetoed(
            step=step,
            target=target,
            code=VetoCode.UNSAFE,
            happened=happened,
            state=state,
            remedy=remedy,
        )
    return StepFailed(step=step, target=target, happened=happened, state=state, remedy=remedy)


def of_a_step(run: Run, state: str) -> str:
    """Return the state after a step that changed nothing: of this step alone if the run has changed something."""
    return BY_THIS_STEP if run.score.changed and state == RotatorError.state else state


def stopped(run: Run, verb: str, error: RotatorError) -> StepFailed | Vetoed | Waiting:
    """Return the event for an error that ends a run."""
    return failure(run, verb, run.policy.name, undenied(run, error))


def undenied(run: Run, error: RotatorError) -> RotatorError:
    """Return an error that ends a run. After changes, its state says no longer that nothing was changed."""
    if run.score.changed and error.state == RotatorError.state:
        error.state = "Steps that were reported as done are done."
    return error


async def access_now(run: Run) -> tuple[AccessRecord, float]:
    """Return the access mark and the moment before its reading, at most `FRESH` ago.

    A process stopped inside the read reads again.
    """
    read, record = run.world.moment(), await run.world.access(run.policy)
    for _ in range(DECISIONS):
        if run.world.moment() - read <= FRESH:
            break
        read, record = run.world.moment(), await run.world.access(run.policy)
    return record, read


async def ensure_granted(run: Run) -> None:
    """Stop if access was revoked meanwhile. Raises UnsafeStep."""
    record = await run.world.access(run.policy)
    if record.access is Access.REVOKED:
        raise UnsafeStep("access was revoked meanwhile", remedy=f"`{rotator('grant', run.policy.name)}` restores it.")
