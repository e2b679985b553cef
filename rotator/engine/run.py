"""Input of every step, and the result of a run."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from rotator.codes import NoteCode, VetoCode, WaitCode
from rotator.errors import RotatorError, UnsafeStep
from rotator.events import Event, Noted, Pausing, StepFailed, Vetoed
from rotator.plan import View, headline
from rotator.policy import Policy
from rotator.ports import Clock, Tell, World
from rotator.remedy import rotator
from rotator.state import Access, Observed
from rotator.steps import NOTHING_KNOWN, Intent, Known, Note

FRESH = 120.0
"""Seconds after which what was read is too old to write on: a run that was suspended must look again."""
DECISIONS, PAUSE = 5, 10.0
"""Times that one run decides on the same write, each on a new look, and seconds between them."""
NO_PRINCIPAL = "NoSuchPrincipal"
"""The client's code where the tenant has neither application nor service principal of that app id."""
POSTPONED = (WaitCode.ON_TOP, NoteCode.NOT_FORCED)
"""Codes of what was asked for and isn't done yet."""


class Undecided(RotatorError):
    """A write that may not have happened and must not be repeated blindly: the next look decides on the write again."""

    remedy = "Run again: the next run looks at the world and goes on from there."

    def __init__(self, happened: str, *, state: str | None = None, lost: str = "") -> None:
        super().__init__(happened, state=state)
        self.lost = lost
        """The display name of a credential that an add may have made, and that no read has shown."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The observation underlying a step, the moment (`World.moment`) before its reads, and the run's knowledge then."""

    observed: Observed
    read: float
    known: Known = NOTHING_KNOWN


@dataclass(frozen=True, slots=True)
class Sight:
    """One observation of a policy, and the moment before its reads."""

    policy: Policy
    read: float
    observed: Observed


@dataclass(frozen=True, slots=True)
class Run:
    """One policy's run. No step starts that can't end before `deadline` (elapsed seconds of `clock`)."""

    world: World
    clock: Clock
    tell: Tell
    policy: Policy
    intent: Intent = field(default_factory=Intent)
    deadline: float | None = None
    latest: list[Sight] = field(default_factory=list, compare=False)
    """Its last observation, once there is one; what is made of this run by `replace` shares it."""

    async def observe(self, *, confirmed: bool = False) -> Observed:
        """Observe the policy, as `World.observe` does, and keep what was seen as the latest."""
        read = self.world.moment()
        observed = await self.world.observe(self.policy, confirmed=confirmed)
        self.latest[:] = [Sight(self.policy, read, observed)]
        return observed

    def view(self, seen: Seen) -> View:
        """Return the facts for the rules."""
        return View(self.policy, seen.observed, self.intent, seen.known)

    def left(self) -> float:
        """Seconds until the deadline; infinite without one."""
        return float("inf") if self.deadline is None else self.deadline - self.clock.elapsed()


@dataclass(frozen=True, slots=True)
class Result:
    """Result of a run.

    `exit_code`: 1 a failure, or a wait past its warning · 3 vetoed · 4 another run holds the lease · 0.
    """

    policy: str
    exit_code: int
    summary: str
    next_due: datetime | None = None
    steps: int = 0


@dataclass(slots=True)
class Score:
    """Counts that decide the exit code."""

    done: int = 0
    failed: int = 0
    vetoed: int = 0
    warned: int = 0
    postponed: int = 0
    alarms: list[str] = field(default_factory=list)
    """What must be said before anything else."""

    @property
    def exit_code(self) -> int:
        """Exit code, the first that applies: 1 failed or warned, 3 vetoed, 0."""
        if self.failed or self.warned:
            return 1
        return 3 if self.vetoed else 0

    def summary(self) -> str:
        """One line for people."""
        counts = (
            *((self.done, "done"), (self.failed, "failed"), (self.vetoed, "vetoed")),
            *((self.warned, "waiting past the warning"), (self.postponed, "postponed")),
        )
        counted = ", ".join(f"{count} {what}" for count, what in counts if count)
        return "; ".join([*self.alarms, counted or "nothing was due"])


def told(run: Run, event: Event, score: Score | None = None) -> None:
    """Report an event, and count it."""
    run.tell(event)
    if score is None:
        return
    score.failed += isinstance(event, StepFailed)
    score.vetoed += isinstance(event, Vetoed)
    score.warned += bool(getattr(event, "warn", False))
    score.postponed += getattr(event, "code", "") in POSTPONED
    if isinstance(event, Noted) and event.code in (NoteCode.STILL_OPEN, NoteCode.UNSEEN_MARKS):
        score.alarms.append(headline(event.text))


def noted(run: Run, note: Note, score: Score) -> None:
    """Report a note of the plan, and count it."""
    event = Noted(policy=run.policy.name, code=note.code, subject=note.subject, text=note.text, warn=note.warn)
    told(run, event, score)


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
            self.run.tell(Pausing(policy=self.run.policy.name, reason=self.reason, seconds=self.seconds))
        self.told = True
        await self.run.clock.sleep(seconds)


def counted(run: Run, score: Score) -> Run:
    """Return the run with all its events counted."""
    return replace(run, tell=lambda event: told(run, event, score))


def failure(run: Run, step: str, target: str, error: RotatorError) -> StepFailed | Vetoed:
    """Return the event for a stopped step: a veto if the step was unsafe, else a failure."""
    diagnosis = error.diagnose()
    happened, state, remedy = diagnosis.happened, diagnosis.state, diagnosis.remedy
    if isinstance(error, UnsafeStep):
        return Vetoed(
            policy=run.policy.name,
            step=step,
            target=target,
            code=VetoCode.UNSAFE,
            happened=happened,
            state=state,
            remedy=remedy,
        )
    return StepFailed(policy=run.policy.name, step=step, target=target, happened=happened, state=state, remedy=remedy)


async def ensure_granted(run: Run) -> None:
    """Stop if access was revoked meanwhile. Raises UnsafeStep."""
    record = await run.world.access(run.policy)
    if record.access is Access.REVOKED:
        raise UnsafeStep("access was revoked meanwhile", remedy=f"`{rotator('grant', run.policy.name)}` restores it.")
