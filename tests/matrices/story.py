"""Story: the events of one principal, as data that can be printed, kept, shrunk and played again on either adapter.

`python -m tests.matrices.story '<json>' [real]` plays one and prints its trace.
"""

import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from local_azure.faults import Fault
from local_azure.virtual import VirtualLoop
from local_azure.wire import ServiceError
from pydantic import TypeAdapter

from rotator.engine import adopt, compromise, deploy_now, grant, reconcile, revoke
from rotator.engine.run import FRESH, Run
from rotator.errors import RotatorError
from rotator.state import KEY_ID
from rotator.steps import Intent
from tests.invariants import rested, summary
from tests.matrices import people
from tests.matrices.fast import fast
from tests.matrices.judge import Judge
from tests.matrices.operations import WRITING
from tests.matrices.process import Point, Process, Stop, Strike
from tests.matrices.worlds import WORLDS
from tests.stage import GROUPS, Killed, Stage, play, real, watched

LEASE = timedelta(minutes=10)
"""Duration of a lease that isn't renewed."""
TOO_LONG = 24 * 3600.0
"""Seconds of the stage's overlap and reclaim_after: a longer suspension inside a checked request is counted apart."""
ACTING = timedelta(minutes=10)
"""Longest duration of a change by a person: a secret under deletion is neither present nor deleted."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)
HELD = 4
"""Exit code of a command whose lease another run holds."""
TWICE = 2
RESTS, LAST = 6, "rotate again and accept drift"
"""Runs at the end of a story, and their verb."""


@dataclass(frozen=True)
class Condition:
    """Condition of a service at the `nth` call of an operation, and at so many in all (0: at all that follow): a fault
    of the emulator by its kind.
    """

    operation: str
    kind: str
    nth: int = 1
    argument: str = ""
    times: int = 1


@dataclass(frozen=True)
class Wait:
    """Time passes."""

    hours: float


@dataclass(frozen=True)
class Act:
    """Change by a person."""

    change: str


@dataclass(frozen=True)
class Pause:
    """Suspension of a process, with the events meanwhile."""

    at: Point
    seconds: float
    meanwhile: tuple["Event", ...] = ()
    stands_still: bool = False


@dataclass(frozen=True)
class Command:
    """Command of rotator; `lease`: the story's commands hold a lease of ten minutes, which a suspended one may lose."""

    verb: str = "rotate"
    strikes: tuple[Strike, ...] = ()
    conditions: tuple[Condition, ...] = ()
    death: Point | None = None
    pause: Pause | None = None
    lease: bool = False


Event = Command | Act | Wait
GIVEN_BACK = (
    "give the vault's role",
    "unlock a group",
    "unlock the registry",
    "start a group",
    "give the pull role",
    "remove the certificates",
    "trust no other issuer",
    "empty the secret's tags",
)
"""Changes with which every story ends."""


@dataclass(frozen=True)
class Story:
    """World to begin with, and its events."""

    world: str
    events: tuple[Event, ...]

    def __str__(self) -> str:
        return json.dumps(STORIES.dump_python(self, mode="json", exclude_defaults=True))


STORIES: TypeAdapter[Story] = TypeAdapter(Story)

Verb = Callable[[Run], Awaitable[Any]]
TAKING = "revoke with credentials"
"""Beginnings of verbs that take passwords, too; those that wait try a pull until refused."""


async def _compromised(run: Run) -> Any:
    await compromise(run, [])
    return await reconcile(run)


VERBS: dict[str, tuple[Verb, Callable[[Stage], Intent]]] = {
    "rotate": (reconcile, lambda made: Intent()),
    "rotate early": (reconcile, lambda made: Intent(force_before=made.azure.clock.now())),
    "rotate early without overlap": (
        reconcile,
        lambda made: Intent(force_before=made.azure.clock.now(), no_overlap=True),
    ),
    "rotate again what failed": (reconcile, lambda made: Intent(retry=True)),
    "rotate and accept drift": (reconcile, lambda made: Intent(accept_drift=True)),
    "declare compromised": (_compromised, lambda made: Intent()),
    "adopt": (lambda run: adopt(run, None), lambda made: Intent()),
    LAST: (reconcile, lambda made: Intent(retry=True, accept_drift=True)),
    "deploy": (lambda run: deploy_now(run, run.policy.container_groups[0].id, wait=False), lambda made: Intent()),
    "revoke": (lambda run: revoke(run, wait=False), lambda made: Intent()),
    TAKING: (lambda run: revoke(run, wait=False, credentials=True), lambda made: Intent()),
    f"{TAKING} and wait": (lambda run: revoke(run, credentials=True), lambda made: Intent()),
    "grant": (grant, lambda made: Intent()),
}
"""Verbs of people and timers, with their calls."""


ASKING = ("adopt", "deploy")
"""Verbs that may rightly refuse in an intact world: there is no credential to adopt, or none of rotator's to deploy
yet.
"""


LOCKED = "revoked, and locked"
"""World in which a verb rightly reports remaining access."""
EMERGENCIES = ("declare compromised", "revoke", TAKING, f"{TAKING} and wait")
"""Verbs that a full secret or other limits used up by others never stop."""


class Violation(AssertionError):
    """Violation of an invariant, with its story and the command that plays the story again."""


@dataclass
class Counts:
    """Counts of a story's events."""

    runs: int = 0
    deaths: int = 0
    strikes: int = 0
    suspensions: int = 0
    interventions: int = 0
    apart: int = 0


@dataclass
class Play:
    """Play of one story on one stage."""

    made: Stage
    judge: Judge
    trace: list[str] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    needs_a_person: bool = False
    meddled: bool = False
    abrupt: bool = False
    """True after a command without overlap."""
    calm: bool = True
    """True while only undisturbed commands were given, at most two."""
    _apart: int = 0
    """Number of excused violations before a suspended process went on."""
    _leased_until: Any = None
    _heard: int = 0
    _acted: datetime = LONG_AGO
    """Time of the last change by a person."""
    crowded: bool = False
    """True after others have used up a limit."""
    _raced: bool = False
    """True after a person published a value whose removal was on its way: the next run reports that."""
    _declarable: bool = False
    """True if a version of rotator's existed before the present command."""

    async def happen(self, events: Sequence[Event]) -> None:
        """Play the events in turn. Raises Violation."""
        for event in events:
            match event:
                case Wait(hours):
                    self.made.pass_(hours=hours)
                case Act(change):
                    self._act(change)
                case Command():
                    await self._command(event)
            self.ensure_sound()

    def ensure_sound(self) -> None:
        """Check for recorded violations. Raises Violation."""
        self.judge.revocation_holds()
        new, self._heard = self.made.events[self._heard :], len(self.made.events)
        if any("a bug in rotator" in str(getattr(event, "happened", "")) for event in new):
            self.judge.violations.append("a bug in rotator")
        self.judge.violations += [f"I9: {untrue}" for event in new if (untrue := self.judge.untrue(event))]
        if self.judge.violations:
            raise Violation("; ".join(self.judge.violations))

    def _act(self, change: str) -> None:
        self.calm &= change in people.HINDERS_NOTHING | people.CROWDS
        self.crowded |= change in people.CROWDS
        self.counts.interventions += 1
        self._acted = self.made.azure.clock.now()
        self.needs_a_person |= change in people.NEEDS_A_PERSON
        people.change(self.made, change)
        if change in people.REVEALS:
            self.judge.readers_come_back()
        self.judge.look()
        self.trace.append(f"somebody: {change}")

    async def _command(self, event: Command) -> None:
        held = event.lease and self._leased_until and self.made.azure.clock.now() < self._leased_until
        if held:
            self.trace.append(f"{event.verb}: the lease is held ({HELD})")
            return
        self._leased_until = self.made.azure.clock.now() + LEASE if event.lease else None
        self.counts.runs += 1
        for_good = any((each.kind, each.argument) == ("failed_pull", "0") for each in event.conditions)
        self.needs_a_person |= event.verb.startswith(TAKING) or for_good
        self.calm &= self.counts.runs <= TWICE and not (event.strikes or event.conditions or event.death or event.pause)
        self.calm &= not event.verb.startswith(TAKING)
        self.judge.credentials_revoked |= event.verb.startswith(TAKING)
        self.judge.most_unresolved += event.verb == "declare compromised"
        self.abrupt |= event.verb in ("rotate early without overlap", "declare compromised")
        self._declarable = any(KEY_ID in (version.tags or {}) for version in self.made.versions())
        known = self.judge.known_passwords()
        process = self._process(event)
        faults = [Fault(c.operation, c.kind, nth=c.nth, times=c.times, argument=c.argument) for c in event.conditions]
        for fault in faults:
            self.made.azure.faults.add(fault)
        ended = await self._run(event, process)
        for fault in faults:
            self.made.azure.faults.planned.remove(fault)
        self._leased_until = None
        self.counts.strikes += len(process.struck)
        self.counts.deaths += process.dead
        self.counts.suspensions += process.stopped
        self.trace.append(f"{event.verb}{_said(event, process)}: {ended}")
        self._heed(event.verb, ended, blind=_stopped_at_its_end(event, process))
        self._ensure_said(event.verb, ended, process)
        settled = self.made.azure.clock.now() - self._acted > ACTING
        if settled and not (event.strikes or event.conditions or event.death or event.pause):
            self.judge.violations += self.judge.taken_back(event.verb, known)

    def _ensure_said(self, verb: str, ended: str, process: Process) -> None:
        """Check I9 of one run: success if undisturbed, and a report of any suspension that did damage."""
        # no run removes a compromised password while access is revoked, nor does a grant
        kept = (self.judge.revoked() or verb == "grant") and self.judge.open_doors()
        refuses = verb in ASKING or (verb == "declare compromised" and not self._declarable)
        refuses |= self.crowded and verb not in EMERGENCIES
        if self.calm and not refuses and ended not in ("0", "None") and not kept:
            self.judge.violations.append(f"I9: {verb} ended with {ended} although nothing was wrong")
        if self.calm and verb == "declare compromised" and ended == "0" and not self.judge.declared():
            self.judge.violations.append("I9: a declaration ended with 0, and no version records it")
        if process.stopped and len(self.judge.apart) > self._apart and ended == "0" and not self._raced:
            self.judge.violations.append(f"I9: {verb} was stopped inside a request for too long, and ended with 0")

    def _process(self, event: Command) -> Process:
        pause, stop = event.pause, None
        if pause:
            meanwhile, inside = partial(self._meanwhile, pause), partial(self._inside, pause)
            stop = Stop(pause.at, pause.seconds, meanwhile, pause.stands_still, inside)
        return Process(self.made.app, made=self.made, strikes=event.strikes, death=event.death, stop=stop)

    async def _meanwhile(self, pause: Pause) -> None:
        self.calm = False
        if pause.at.moment == "before" and pause.at.operation in WRITING:
            self._inside(pause)
        await self.happen(pause.meanwhile)
        self._apart = len(self.judge.apart)

    def _inside(self, pause: Pause) -> None:
        """Excuse I1 and I2 for a suspension that nothing shows to the process before its write."""
        self.judge.too_long |= (
            pause.seconds >= TOO_LONG or self.abrupt or any(_abrupt(event) for event in pause.meanwhile)
        )
        self._raced |= pause.at.operation.endswith(".removePassword") and _republished(pause)
        self.judge.too_long |= self._raced

    async def _run(self, event: Command, process: Process) -> str:
        act, intent = VERBS[event.verb]
        try:
            result = await self.made.with_world(act, intent(self.made), hop=process, clock=process.clock)
        except RotatorError as error:
            self.trace.append(str(error))
            return f"{type(error).__name__}"
        except BaseException as death:
            if not _is_death(death):
                raise
            return "dies"
        return str(getattr(result, "exit_code", result))

    def _heed(self, verb: str, ended: str, *, blind: bool = False) -> None:
        """Check the claims of an ended run; one that was stopped after its last read is `blind` for what came since."""
        if verb.startswith(TAKING):
            self.judge.look()
        if verb.startswith("revoke") and ended == "0":
            left = self.judge.still_pulls()
            self.judge.violations += [f"I9: revoke ended with 0, and {left} are left"] if left and not blind else []
            self.judge.acknowledged()
        if ended == "0" and verb not in ("adopt", "deploy") and self.judge.open_doors():
            self.judge.violations.append(f"I9: {verb} ended with 0, and a compromised password signs in")
        if verb == "grant" and not self.judge.revoked():
            self.judge.granted()

    async def come_to_rest(self) -> None:
        """End the faults and restore removed rights; within a few runs the rotation is complete, or a person is asked
        for (I9, I10).
        """
        self.made.azure.faults.clear()
        for change in GIVEN_BACK:
            people.change(self.made, change)
        self.made.pass_(minutes=20)
        self.judge.look()
        if self.judge.revoked():
            await self._command(Command("grant"))
            self.made.pass_(minutes=20)
            self.judge.look()
        code = "0"
        for _ in range(RESTS):
            self.made.pass_(hours=25)
            code = await self._run(Command(LAST), Process(self.made.app, made=self.made))
            self.ensure_sound()
            if code == "0" and self._rested():
                break
        self._judge_rest(code)
        self.judge.secret_nowhere(*self.trace)

    def _rested(self) -> bool:
        """Tell if the rotation is complete; false if people deleted the secret."""
        try:
            return rested(self.made)
        except ServiceError:
            return False

    def _judge_rest(self, code: str) -> None:
        """Check the last run: complete with exit code 0, if no person is needed; otherwise 0 conceals no problem that
        rotator can know.
        """
        told = f"the last of {RESTS} runs ended with {code}: {summary(self.made)}; {self.made.told()[-1500:]}"
        done = self._rested()
        if not self.needs_a_person and not (done and code == "0"):
            raise Violation(f"{'I9' if done else 'I10'}: {told}")
        hidden = "" if done or code != "0" else self.judge.hidden()
        if hidden:
            raise Violation(f"I9: {hidden}: {told}")


def _republished(pause: Pause) -> bool:
    """Tell if a person publishes an older value while the removal of its password is on its way.

    No read can show the change in time, and a try right afterwards may meet a replica with the old state.
    """
    return any(isinstance(event, Act) and event.change.startswith("roll the secret back") for event in pause.meanwhile)


def _abrupt(event: Event) -> bool:
    return isinstance(event, Command) and event.verb in ("rotate early without overlap", "declare compromised")


def _stopped_at_its_end(event: Command, process: Process) -> bool:
    """Tell if a process was stopped after its last call, for less time than a read counts as fresh."""
    pause = event.pause
    if not (pause and process.stopped and pause.at.moment == "after" and pause.seconds < FRESH):
        return False
    return process.calls[-1][:2] == (pause.at.operation, pause.at.nth)


def _said(event: Command, process: Process) -> str:
    told = [str(each) for each in (*process.struck, *event.conditions)]
    told += [f"dies at {event.death}"] if process.dead else []
    told += [f"stopped at {event.pause.at} for {event.pause.seconds:.0f} s"] if process.stopped and event.pause else []
    return f" ({', '.join(told)})" if told else ""


def _is_death(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(map(_is_death, error.exceptions))
    return isinstance(error, Killed)


def played(story: Story, *, on_real: bool = False) -> Counts:
    """Play a story to its end; return its counts. Raises Violation."""

    async def scene(loop: VirtualLoop) -> Counts:
        made = await WORLDS[story.world](loop)
        made.adapter = real if on_real else fast
        told = Play(made, Judge(made), needs_a_person=story.world == "hand-made", calm=story.world != LOCKED)
        if told.judge.revoked():
            told.judge.acknowledged()
        try:
            with watched(made, before=told.judge.before, after=told.judge.after):
                await told.happen(story.events)
                await told.come_to_rest()
        except (Violation, AssertionError) as violation:
            raise _shown(story, told, violation, on_real=on_real) from None
        told.counts.apart = len(told.judge.apart)
        return told.counts

    return play(scene)


def _shown(story: Story, told: Play, violation: AssertionError, *, on_real: bool) -> Violation:
    adapter = " real" if on_real else ""
    trace = "\n  ".join(told.trace)
    return Violation(f"{violation}\n  {trace}\nAgain: python -m tests.matrices.story '{story}'{adapter}")


def main(text: str, *, on_real: bool) -> None:
    """Play the story of a command line."""
    sys.stdout.write(f"{played(STORIES.validate_json(text), on_real=on_real)}\n")


if __name__ == "__main__":
    main(sys.argv[1], on_real="real" in sys.argv[2:])


__all__ = ["GROUPS", "Act", "Command", "Condition", "Pause", "Play", "Story", "Violation", "Wait", "played"]
