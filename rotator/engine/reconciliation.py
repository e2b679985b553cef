"""Observe, decide, act, until no step is due: the loop of every rotation.

A removal rests on the absence of all possible holders of the credential: two looks in a row must ask for the removal,
and the second one asks Azure for everything. A look that follows a step known to have happened reuses readings to find
the next step, unless nothing follows that step as a rule; the look on which a run ends doesn't.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from rotator import guard
from rotator.codes import NoteCode
from rotator.engine.deployment import deploy, restore
from rotator.engine.issuance import issue
from rotator.engine.limits import harmless, permitted, postponed, refused, waive
from rotator.engine.memory import Memory
from rotator.engine.observation import look, look_and_try
from rotator.engine.preparation import prepared
from rotator.engine.retirement import disable, retire
from rotator.engine.run import (
    DECISIONS,
    FRESH,
    PAUSE,
    Changed,
    Patience,
    Run,
    Seen,
    Undecided,
    failure,
    of_a_step,
    stopped,
)
from rotator.errors import NotSent, RotatorError, Throttled
from rotator.events import Finished, Noted, StepDone, StepPostponed, StepStarted, Vetoed
from rotator.plan import next_due, next_steps
from rotator.results import Result
from rotator.state import Observed
from rotator.steps import Deploy, Disable, Issue, Next, Note, Restore, Retire, Step, Wait, kind, target

LOOKS = 150
"""Number of looks for a change under way: at 15 s each, a little more than Azure's 30 minutes to start a group."""


async def reconcile(run: Run) -> Result:
    """Take every due step. Failures are reported and counted; no error of Azure or rotator is raised."""
    memory = Memory()
    due = None
    try:
        seen, following = await _until_limited(run, memory)
        _tell_all(run, (*following.waits, *following.notes))
        due = next_due(run.policy, seen.observed, following, seen.known)
    except RotatorError as error:
        run.tell(stopped(run, "observe", error))
        _tell_all(run, memory.alarms)
    finally:
        waive(run, memory)
    result = Result(run.policy.name, run.score.exit_code, run.score.summary(), due, run.score.done)
    run.tell(Finished(exit_code=result.exit_code, summary=result.summary, next_due=due))
    return result


async def _until_limited(run: Run, memory: Memory) -> tuple[Seen, Next]:
    """Converge; if Azure's limits allow no other look, postpone the steps that the last one asked for.

    Raises Throttled if nothing was seen at all: it is then unknown which steps are late.
    """
    try:
        return await _converge(run, memory)
    except Throttled as error:
        if not run.latest:
            raise
        for event in memory.undecided.values():
            run.tell(event)
        return postponed(run, memory, error)


async def _converge(run: Run, memory: Memory) -> tuple[Seen, Next]:
    looks, reuse = 0, False
    while True:
        seen = await look_and_try(run, memory, reuse=reuse)
        _settle(memory, seen.observed)
        following = next_steps(run.policy, seen.observed, run.intent, seen.known)
        memory.alarms = tuple(note for note in following.notes if note.code is NoteCode.STILL_OPEN)
        if following.steps:
            reuse = await _seconded(run, seen, memory, following.steps, whole=not reuse)
            continue
        memory.asked, looks = frozenset(), looks + 1
        if not (await _paused(run, memory, seen, following, looks) or reuse):
            for event in memory.undecided.values():
                run.tell(event)
            return seen, following
        reuse = False


async def _seconded(run: Run, seen: Seen, memory: Memory, steps: tuple[Step, ...], *, whole: bool) -> bool:
    """Take the steps, all of one kind.

    Removals are taken only if the look before asked for them, too, and this one asked Azure for everything.
    Return True if the next look may rest on recent readings.
    """
    asked = frozenset((kind(step), target(step)) for step in steps)
    seconded, memory.asked = asked <= memory.asked, asked
    if isinstance(steps[0], Retire) and not (seconded and whole):
        return False
    return await _take(run, seen, memory, steps) and not isinstance(steps[0], Disable)


async def _paused(run: Run, memory: Memory, seen: Seen, following: Next, looks: int) -> bool:
    """Pause for a change that is under way; return True if the world is to be read again."""
    waited = min(memory.worth_a_look(following.waits), key=lambda w: w.look_again or 0, default=None)
    if waited is None:
        late = memory.late < DECISIONS and run.world.moment() - seen.read > FRESH
        memory.late += late
        return late
    pause = waited.look_again or 0.0
    if looks > LOOKS or run.left() <= pause:
        return False
    memory.looked[waited.code, waited.subject] += 1
    if memory.paused is None or memory.paused.reason != waited.text:
        memory.paused = Patience(run, waited.text)
    await memory.paused.sleep(pause)
    return True


def _settle(memory: Memory, observed: Observed) -> None:
    """Forget the doubt about removals confirmed by this look."""
    listed = {c.key_id for c in observed.credentials}
    memory.undecided = {
        (name, what): event
        for (name, what), event in memory.undecided.items()
        if name != kind(Retire) or what in listed
    }


async def _take(run: Run, seen: Seen, memory: Memory, steps: tuple[Step, ...]) -> bool:
    """Take the steps allowed by the guard; tell if every step is known to have happened."""
    steps = await permitted(run, seen, memory, steps)
    if not steps:
        return False
    seen, steps = await _ready(run, seen, memory, steps)
    allowed: list[Step] = []
    for step in steps:
        veto = guard.check(step, run.policy, seen.observed, run.intent, seen.known)
        if veto is None:
            allowed.append(step)
            continue
        memory.refuse((kind(step), target(step)))
        run.tell(_vetoed(run, veto))
    done = await asyncio.gather(*(_one(run, seen, memory, step) for step in allowed))
    return all(done) and allowed == list(steps)


async def _ready(run: Run, seen: Seen, memory: Memory, steps: tuple[Step, ...]) -> tuple[Seen, tuple[Step, ...]]:
    """Return the guard's input on an observation still fresh: after a long proof, old readings are made once more."""
    ready, read = await prepared(run, seen, memory, steps), run.world.moment()
    if read - seen.read <= FRESH / 2:
        return ready, steps
    again = await look(run, memory, reuse=True)
    wanted = {(kind(step), target(step)) for step in steps}
    following = next_steps(run.policy, again.observed, run.intent, again.known)
    proof_at = again.observed.at - timedelta(seconds=run.world.moment() - read)
    known = replace(again.known, proof=ready.known.proof, proof_at=proof_at, unproven=ready.known.unproven)
    return replace(again, known=known), tuple(s for s in following.steps if (kind(s), target(s)) in wanted)


def _vetoed(run: Run, veto: guard.Veto) -> Vetoed:
    error = veto.error().diagnose()
    return Vetoed(
        step=kind(veto.step),
        target=target(veto.step),
        code=veto.code,
        happened=veto.happened,
        state=of_a_step(run, error.state),
        remedy=error.remedy,
    )


async def _one(run: Run, seen: Seen, memory: Memory, step: Step) -> bool:
    """Take one step; tell if it is known to have happened."""
    name, what = kind(step), target(step)
    run.tell(
        StepStarted(
            step=name,
            target=what,
            reason=step.reason.text,
            code=step.reason.code,
        )
    )
    if isinstance(step, Deploy | Issue) and step.warning:
        code = NoteCode.WINDOW_IGNORED if isinstance(step, Deploy) else NoteCode.DRIFT
        run.tell(Noted(code=code, subject=what, text=step.warning, warn=True))
    try:
        detail = await _act(run, seen, step)
    except (NotSent, Undecided) as error:
        await _decide_again(run, memory, step, error)
        return False
    except RotatorError as error:
        if harmless(error):
            await refused(run, seen, memory, step, error)
            return False
        memory.refuse((name, what))
        run.tell(failure(run, name, what, error))
        return False
    memory.undecided.pop((name, what), None)
    run.tell(StepDone(step=name, target=what, detail=detail))
    return True


async def _decide_again(run: Run, memory: Memory, step: Step, error: NotSent | Undecided) -> None:
    """Leave a step whose write may not have happened to the next look, a bounded number of times."""
    asked = kind(step), target(step)
    memory.decided[asked] += 1
    if isinstance(error, Undecided) and error.lost:
        memory.lost.add(error.lost)
    last = memory.decided[asked] >= DECISIONS or run.left() <= PAUSE
    if last or not isinstance(error, Changed):
        memory.undecided[asked] = failure(run, *asked, error)
    if last:
        memory.refuse(asked)
        return
    run.tell(StepPostponed(step=asked[0], target=asked[1], happened=error.happened))
    await run.clock.sleep(PAUSE)


async def _act(run: Run, seen: Seen, step: Step) -> str:
    match step:
        case Issue():
            return await issue(run, seen, step)
        case Deploy():
            return await deploy(run, seen.observed, step)
        case Restore():
            return await restore(run, seen.observed, step)
        case Retire():
            return await retire(run, seen, step)
        case Disable():
            return await disable(run, seen, step)
        case _:
            raise TypeError(f"{kind(step)} is not a step of a rotation")


def _tell_all(run: Run, findings: Sequence[Wait | Note]) -> None:
    for finding in findings:
        run.tell(finding)
