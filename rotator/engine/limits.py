"""Azure's limits on requests, as a run meets them.

A write takes a permit before the look that it rests on. A limit that ends while the run has time is waited for, and
then the world is looked at again; any other limit is left to a later run, and is no failure.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeGuard, TypeVar

from rotator.engine.memory import Memory
from rotator.engine.run import Run, Seen
from rotator.errors import Limited, RotatorError, Throttled
from rotator.events import Pausing, StepPostponed
from rotator.plan import next_steps, urgency
from rotator.ports import PasswordChange, Redeployment, Write
from rotator.rate_limits import LONGEST, REDEPLOYMENTS
from rotator.state import Home, Observed
from rotator.steps import Deploy, Issue, Next, Postponed, Restore, Retire, Step, kind, target
from rotator.words import day

T = TypeVar("T")
OUTLASTED = 2 * LONGEST
"""Seconds for which a run without an end of its own asks again after the first refusal of a step: two of the longest
windows, since other machines may get what becomes free in the first.
"""
UNSAID, SHORTEST = 60.0, 1.0
"""Seconds until a repetition where Azure names none, and at least."""


async def permitted(run: Run, seen: Seen, memory: Memory, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps that may be done now; none after a wait for a permit: then the world is looked at again.

    Permits stay held over that look. Steps whose limit ends too late for this run are postponed.
    """
    writes = {step: write for step in steps if (write := _write(seen.observed, step))}
    waive(run, memory, but=frozenset(writes.values()))
    view = run.view(seen)
    waits = {
        step: await run.world.permit(write, urgency=urgency(view, step), patience=0.0) for step, write in writes.items()
    }
    memory.held |= {write for step, write in writes.items() if not waits[step]}
    if free := tuple(step for step in steps if not waits.get(step)):
        return free
    await _waited(run, seen, memory, writes, waits)
    return ()


def _write(observed: Observed, step: Step) -> Write | None:
    """Return the first write of a step; None for one without a permit: its limits end within seconds."""
    match step:
        case Deploy() | Restore():
            return Redeployment(step.group)
        case Issue():
            return PasswordChange(observed.principal, home_of(observed, step.home), adds=True)
        case Retire():
            homes = (each.home for each in observed.credentials if each.key_id == step.key_id)
            return PasswordChange(observed.principal, next(homes, Home.APPLICATION), adds=False)
        case _:
            return None


def home_of(observed: Observed, asked: Home) -> Home:
    """Return the object that gets a new password: the service principal where the tenant has no application."""
    return asked if observed.principal.application else Home.SERVICE_PRINCIPAL


async def _waited(
    run: Run, seen: Seen, memory: Memory, writes: Mapping[Step, Write], waits: Mapping[Step, float]
) -> None:
    """Wait for the first permit, that of the most urgent step, or postpone all steps if it comes too late for this run.

    The permit stays held for the next look.
    """
    view = run.view(seen)
    first = min(waits, key=lambda step: (waits[step], urgency(view, step)))
    wait = waits[first]
    if wait < run.left():
        run.tell(Pausing(reason=f"{_named(first)} waits: {_reached(writes[first])}", seconds=wait))
        async with run.aside():
            wait = await run.world.permit(writes[first], urgency=urgency(view, first), patience=run.left())
    if not wait:
        memory.held.add(writes[first])
        return
    now = _now(run, seen)
    memory.postpone(
        Postponed(kind(step), target(step), now + timedelta(seconds=each), _reached(writes[step]))
        for step, each in waits.items()
    )


def waive(run: Run, memory: Memory, but: frozenset[Write] = frozenset()) -> None:
    """Give back the permits that aren't used any more, all `but` these."""
    for write in memory.held - but:
        run.world.waive(write)
    memory.held &= but


async def hold(run: Run, write: Write) -> bool:
    """Hold a permit before the reads that a write rests on; wait for it while the run has time.

    Return True if that took a wait: what was read before may be too old. Raises Throttled.
    """
    wait = await run.world.permit(write, urgency=0.0, patience=0.0)
    if not wait:
        return False
    if wait < run.left():
        run.tell(Pausing(reason=_reached(write), seconds=wait))
        async with run.aside():
            wait = await run.world.permit(write, urgency=0.0, patience=run.left())
    if wait:
        error = Throttled(f"{_reached(write)}, for {wait:.0f} s more", service="Azure")
        error.seconds = wait
        raise error
    return True


async def outlast(run: Run, act: Callable[[], Awaitable[T]], at_most: float = float("inf")) -> T:
    """Return the result of `act`; where a limit stops it, wait for the limit's end, and act again on a new look.

    Waits for at most `at_most` seconds altogether. Raises Throttled.
    """
    since = run.clock.elapsed()
    until = since + min(at_most, _patience(run))
    while True:
        try:
            return await act()
        except Throttled as error:
            seconds = _pause(run, error, since)
            if not harmless(error) or error.undone or run.clock.elapsed() + seconds >= until:
                raise
            run.tell(Pausing(reason=error.happened, seconds=seconds))
        async with run.aside():
            await run.clock.sleep(seconds)


def later(run: Run, left: str, again: str, error: Throttled) -> Throttled:
    """Return the error for what is `left` to a later command, `again`, with the time from which on it may be done."""
    if not harmless(error):
        return error
    seconds, now = pause_of(error), run.time()
    until = now + timedelta(seconds=seconds) if now else None
    when = f"after {day(until)}" if until else f"in {seconds / 60:.0f} minutes"
    limited = Limited(
        f"{left} {when} at the earliest: {error.happened}",
        service=error.service,
        code=error.code,
        status=error.status,
        state="Nothing was changed for it.",
        remedy=f"`{again}` after that, or with a longer --max-duration, which waits for it.",
    )
    limited.seconds, limited.until = seconds, until
    return limited


def _patience(run: Run) -> float:
    """Return the seconds for which limits are outlasted: the run's own time, bounded where it has no end."""
    return OUTLASTED if run.deadline is None else run.left()


def _pause(run: Run, error: Throttled, since: float) -> float:
    """Return the seconds until a repetition: as Azure says, and longer the longer it has refused, up to a minute."""
    return max(pause_of(error), SHORTEST, min(run.clock.elapsed() - since, UNSAID))


def harmless(error: Exception) -> TypeGuard[Throttled]:
    """Tell if an error is one of Azure's limits, met before anything was changed, or with all changes undone."""
    return isinstance(error, Throttled) and (error.undone or error.state == RotatorError.state)


def pause_of(error: RotatorError) -> float:
    """Return the seconds after which what a limit has stopped may be tried again."""
    asked = error.seconds if isinstance(error, Throttled) else None
    return min(max(asked or UNSAID, 0.0), LONGEST)


async def refused(run: Run, seen: Seen, memory: Memory, step: Step, error: Throttled) -> None:
    """Wait for the end of a limit that refused a step, or postpone the step; the next look decides on it again.

    A step that has waited already, and was undone, isn't begun again by this run.
    """
    asked, now = (kind(step), target(step)), run.clock.elapsed()
    since = memory.refused_since.setdefault(asked, now)
    seconds = _pause(run, error, since)
    if error.undone or run.left() <= seconds or (run.deadline is None and now + seconds > since + OUTLASTED):
        memory.postpone([Postponed(*asked, _now(run, seen) + timedelta(seconds=seconds), error.happened)])
        return
    run.tell(StepPostponed(step=asked[0], target=asked[1], happened=error.happened))
    async with run.aside():
        await run.clock.sleep(seconds)


def postponed(run: Run, memory: Memory, error: Throttled) -> tuple[Seen, Next]:
    """Return the last look, with every step that it asks for postponed until the end of a limit on looks."""
    sight = run.latest[-1]
    seen = Seen(sight.observed, sight.read, memory.known)
    until = _now(run, seen) + timedelta(seconds=pause_of(error))
    while steps := next_steps(run.policy, seen.observed, run.intent, memory.known).steps:
        memory.postpone(Postponed(kind(step), target(step), until, error.happened) for step in steps)
    return replace(seen, known=memory.known), next_steps(run.policy, seen.observed, run.intent, memory.known)


def _now(run: Run, seen: Seen) -> datetime:
    """Return Azure's time, from the last look and what has passed since."""
    return run.time() or seen.observed.at


def _named(step: Step) -> str:
    match step:
        case Deploy() | Restore():
            return step.group.name
        case Issue():
            return "a new credential"
        case _:
            return target(step)


def _reached(write: Write) -> str:
    if isinstance(write, Redeployment):
        limits = " and ".join(f"{each.amount} in {each.seconds / 60:.0f} minutes" for each in REDEPLOYMENTS.values())
        where = write.group.subscription
        return f"Azure's limit on redeployments in subscription {where} is reached ({limits}, for all callers together)"
    if isinstance(write, PasswordChange):
        return "Microsoft Graph's limit on requests of this application is reached"
    return f"the limit on new versions in vault {write.policy.key_vault.name} is reached"
