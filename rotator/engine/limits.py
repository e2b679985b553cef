"""Azure's limits on requests, as a run meets them.

A redeployment takes a permit before the look that its PUT rests on. A limit that ends while the run has time is waited
for, and then the world is looked at again; any other limit is left to a later run, and is no failure.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from rotator.engine.observation import Memory
from rotator.engine.run import DECISIONS, Run, Seen
from rotator.errors import RotatorError, Throttled
from rotator.events import Pausing, StepPostponed
from rotator.plan import next_steps, urgency
from rotator.rate_limits import REDEPLOYMENTS
from rotator.resource_id import ResourceId
from rotator.steps import Deploy, Next, Postponed, Restore, Step, kind, target

UNSAID = 60.0
"""Seconds until a repetition where Azure names none."""


async def permitted(run: Run, seen: Seen, memory: Memory, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps that may be done now; none after a wait for a permit: then the world is looked at again.

    Permits stay held over that look. Steps whose limit ends too late for this run are postponed.
    """
    moves = [step for step in steps if isinstance(step, Deploy | Restore)]
    waive(run, memory, but=frozenset(step.group for step in moves))
    if not moves:
        return steps
    view = run.view(seen)
    waits = {each: await run.world.permit(each.group, urgency=urgency(view, each), patience=0.0) for each in moves}
    memory.held |= {step.group for step in moves if not waits[step]}
    if free := tuple(step for step in moves if not waits[step]):
        return free
    await _waited(run, seen, memory, waits)
    return ()


async def _waited(run: Run, seen: Seen, memory: Memory, waits: Mapping[Deploy | Restore, float]) -> None:
    """Wait for the first permit, that of the most urgent step, or postpone all steps if it comes too late for this run.

    The permit stays held for the next look.
    """
    view = run.view(seen)
    first = min(waits, key=lambda step: (waits[step], urgency(view, step)))
    wait = waits[first]
    if wait < run.left():
        run.tell(Pausing(reason=f"{first.group.name} waits: {_reached(first)}", seconds=wait))
        async with run.aside():
            wait = await run.world.permit(first.group, urgency=urgency(view, first), patience=run.left())
    if not wait:
        memory.held.add(first.group)
        return
    now = _now(run, seen)
    memory.postpone(
        Postponed(kind(step), target(step), now + timedelta(seconds=each), _reached(step))
        for step, each in waits.items()
    )


def waive(run: Run, memory: Memory, but: frozenset[ResourceId] = frozenset()) -> None:
    """Give back the permits that aren't used any more, all `but` these."""
    for group in memory.held - but:
        run.world.waive(group)
    memory.held &= but


def harmless(error: RotatorError) -> bool:
    """Tell if an error is one of Azure's limits, met before anything was changed."""
    return isinstance(error, Throttled) and error.state == RotatorError.state


async def refused(run: Run, seen: Seen, memory: Memory, step: Step, error: RotatorError) -> None:
    """Wait for the end of a limit that refused a step, or postpone the step; the next look decides on it again."""
    asked = kind(step), target(step)
    memory.decided[asked] += 1
    seconds = (error.seconds if isinstance(error, Throttled) else None) or UNSAID
    if memory.decided[asked] >= DECISIONS or run.left() <= seconds:
        memory.postpone([Postponed(*asked, _now(run, seen) + timedelta(seconds=seconds), error.happened)])
        return
    run.tell(StepPostponed(step=asked[0], target=asked[1], happened=error.happened))
    async with run.aside():
        await run.clock.sleep(seconds)


def postponed(run: Run, memory: Memory, error: Throttled) -> tuple[Seen, Next]:
    """Return the last look, with every step that it asks for postponed until the end of a limit on looks."""
    sight = run.latest[-1]
    seen = Seen(sight.observed, sight.read, memory.known)
    until = _now(run, seen) + timedelta(seconds=error.seconds or UNSAID)
    while steps := next_steps(run.policy, seen.observed, run.intent, memory.known).steps:
        memory.postpone(Postponed(kind(step), target(step), until, error.happened) for step in steps)
    return replace(seen, known=memory.known), next_steps(run.policy, seen.observed, run.intent, memory.known)


def _now(run: Run, seen: Seen) -> datetime:
    """Return Azure's time, from the last look and what has passed since."""
    return run.time() or seen.observed.at


def _reached(step: Deploy | Restore) -> str:
    limits = " and ".join(f"{each.amount} in {each.seconds / 60:.0f} minutes" for each in REDEPLOYMENTS.values())
    where = step.group.subscription
    return f"Azure's limit on redeployments in subscription {where} is reached ({limits}, whoever asks)"
