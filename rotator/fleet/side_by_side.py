"""Work on many policies side by side: a bounded number at a time, one lease each.

A failure in one policy never stops another policy.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from rotator.codes import VetoCode
from rotator.engine import Run, glance, tell_exposed, undenied
from rotator.errors import LeaseHeld, RotatorError, UnsafeStep
from rotator.events import Finished, StepFailed, Vetoed
from rotator.fleet.breakdowns import unexpected
from rotator.fleet.places import Places
from rotator.lease import LONGEST, leased
from rotator.plan import UNKNOWN
from rotator.ports import Held, Lease
from rotator.report.status import Urgency, status_code
from rotator.results import Preview, Result
from rotator.survey import Looks, Sorted, sort_out

T = TypeVar("T")
Do = Callable[[Run], Awaitable[Result]]
"""Work on one policy."""

ORDER = (2, 1, 3, 4, 5)
"""Exit codes, gravest first: usage · failed or waits past its warning · vetoed · another run holds the lease ·
something is due.
"""

AT_ONCE = 32
"""Policies at work side by side. Each waits most of the time: a minute for its proof, half of one for a group's start.

With 32, a fleet of three groups a policy takes no longer than Azure's limit of 300 deployments an hour demands
(azure-facts A10).
"""
AT_REST = "at rest"
"""Summary of a policy of which the services' lists prove that nothing is due."""

log = logging.getLogger(__name__)


def exit_code(codes: Iterable[int]) -> int:
    """Return one exit code for many: the first of `ORDER` found among `codes`, else 0."""
    found = set(codes)
    return next((code for code in ORDER if code in found), 0)


def after(result: Result, before: int) -> Result:
    """Combine a result with the exit code `before` of earlier work: the graver exit code is kept."""
    return replace(result, exit_code=exit_code((before, result.exit_code)))


@dataclass(frozen=True, slots=True)
class Urgent:
    """Work without waiting for another run.

    `first` is done without the lease and returns an exit code; `undone` names the work left undone while another run
    holds the lease.
    """

    undone: str
    state: str
    first: Callable[[Run], Awaitable[int]] | None = None


async def run(
    runs: Iterable[Run],
    do: Do,
    *,
    lease: Lease,
    concurrency: int = AT_ONCE,
    purpose: str = "",
    urgent: Urgent | None = None,
    pressing: Callable[[Run], Awaitable[str]] | None = None,
    looks: Looks | None = None,
) -> tuple[Result, ...]:
    """Do the work for every policy without another active run, in the order of `runs`; runs are taken lazily.

    `purpose` keeps different kinds of work on one principal from excluding each other. `pressing` returns the reason if
    a policy left to another run needs a person all the same, else an empty string. Every failure becomes a Result.
    With `looks`, the services' lists are read first: a policy at rest is done at once, without a lease, and the others
    are taken in the order of their urgency; the results keep the order of `runs`.
    """

    async def worked(one: Run) -> Result:
        before = 0
        try:
            before = await urgent.first(one) if urgent and urgent.first else 0
            name = f"{one.policy.principal.app_id}{purpose and '-'}{purpose}"
            async with AsyncExitStack() as held:
                refused, kept = await _entered(held, lease.hold(name, _span(one)), urgent)
                result = await (_left(one, refused, urgent, pressing) if refused else do(_within(one, kept)))
        except Exception as error:  # noqa: BLE001 - one policy's bug must not stop the others
            result = _ended(one, error)
        if looks and result.exit_code == 0:
            looks.note(one)
        return after(result, before)

    if looks is None:
        return await _side_by_side(runs, worked, concurrency)
    return await _surveyed(tuple(runs), worked, looks, concurrency)


async def _surveyed(
    runs: Sequence[Run], work: Callable[[Run], Awaitable[Result]], looks: Looks, concurrency: int
) -> tuple[Result, ...]:
    """Read the lists; end the runs at rest; do the work for the others, most urgent first."""
    found = await sort_out(runs, looks)
    results = {one.policy.name: _at_rest(one, found.resting[one.policy.name]) for one in runs if _rests(one, found)}
    results |= {result.policy: result for result in await _side_by_side(found.others, work, concurrency)}
    if runs:
        await looks.write(runs[0].clock)
    return tuple(results[one.policy.name] for one in runs)


def _rests(one: Run, found: Sorted) -> bool:
    return one.policy.name in found.resting


def _at_rest(one: Run, preview: Preview) -> Result:
    """Return the result of a policy that the lists prove to be at rest."""
    one.tell(Finished(exit_code=0, summary=AT_REST, next_due=preview.next_due))
    return Result(one.policy.name, 0, AT_REST, preview.next_due)


async def _entered(
    held: AsyncExitStack, holding: AbstractAsyncContextManager[Held | None], urgent: Urgent | None
) -> tuple[LeaseHeld | None, Held | None]:
    """Take the lease, or return the error naming its holder; return what must hold before each write, too.

    Urgent work is done without a lease if no lease can be kept, or if it is lost: safety doesn't depend on the lease.
    """
    try:
        kept = await held.enter_async_context(holding)
    except LeaseHeld as error:
        return error, None
    except RotatorError as error:
        if urgent is None:
            raise
        log.warning("%s. The step is urgent, so the run goes on without a lease", error.happened)
        return None, None
    return None, None if urgent else kept


def _within(one: Run, kept: Held | None) -> Run:
    """Return the run with a world that begins no write once the lease is lost."""
    return one if kept is None else replace(one, world=leased(one.world, kept))


async def _left(
    one: Run, error: LeaseHeld, urgent: Urgent | None, pressing: Callable[[Run], Awaitable[str]] | None
) -> Result:
    """Leave a policy to another run; report an error if the other run hangs or urgent work can't wait."""
    ways = (
        "The lease ends with that run. If the run hangs, end its process, and the next run goes on; or name"
        " another --lease-dir or --lease-container: two runs at once are safe."
    )
    if urgent:
        return _ended(one, RotatorError(f"{urgent.undone}: {error.happened}", state=urgent.state, remedy=ways))
    if error.holder and error.holder.overdue:
        return _ended(
            one,
            RotatorError(
                f"{error.happened} longer than its run may take", state="Nothing was changed by this run.", remedy=ways
            ),
        )
    if pressing and (why := await pressing(one)):
        return _ended(
            one,
            RotatorError(f"{why}, and {error.happened}", state="Nothing was changed by this run.", remedy=ways),
        )
    return _finished(one, 4, f"left to another run: {error.happened}")


async def past_warning(one: Run) -> str:
    """Return the reason a policy can't be left to another run without an alarm; empty if it can.

    The judgement is the one of `rotator status`, but for refused steps: the other run refuses them, too.
    """
    seen: Preview | RotatorError
    try:
        seen = await glance(one)
    except RotatorError as error:
        return f"the policy can't be seen ({error.happened})"
    if not status_code([(one.policy.name, seen)], but=(Urgency.BLOCKED,)):
        return ""
    return await exposed(one) or "a step is overdue (`rotator status` shows it)"


async def exposed(one: Run) -> str:
    """Report each compromised credential still able to sign in, or a failed check; return a summary.

    The summary is empty if there is no such credential.
    """
    await tell_exposed(one)
    if not (alarms := one.score.alarms):
        return ""
    return UNKNOWN if alarms[0].startswith(UNKNOWN) else "a compromised credential still works"


async def previews(
    runs: Iterable[Run],
    see: Callable[[Run], Awaitable[Preview]],
    looks: Looks,
    *,
    apart: Callable[[Run], bool] = lambda run: False,
) -> tuple[Preview | RotatorError, ...]:
    """Look at every policy as :func:`look` does, but for those that the services' lists prove to be at rest.

    A run to be kept `apart` is looked at in any case.
    """
    every = tuple(runs)
    found = await sort_out(every, looks, apart=apart)
    seen = await look(found.others, see)
    names = (one.policy.name for one in found.others)
    shown: dict[str, Preview | RotatorError] = {**found.resting, **dict(zip(names, seen, strict=True))}
    return tuple(shown[one.policy.name] for one in every)


async def look(
    runs: Iterable[Run], see: Callable[[Run], Awaitable[T]], *, concurrency: int = AT_ONCE
) -> tuple[T | RotatorError, ...]:
    """Look at every policy; return an error in place of each policy without a view.

    No lease is taken: a look changes no state.
    """

    async def seen(one: Run) -> T | RotatorError:
        try:
            return await see(one)
        except RotatorError as error:
            return error
        except Exception as error:  # noqa: BLE001 - one policy's bug must not stop the others
            return unexpected(error)

    return await _side_by_side(runs, seen, concurrency)


def _span(one: Run) -> timedelta:
    return min(LONGEST, timedelta(seconds=max(one.left(), 0))) if one.deadline is not None else LONGEST


def _ended(one: Run, error: Exception) -> Result:
    """Return the result of a stopped run."""
    known = error if isinstance(error, RotatorError) else unexpected(error)
    found, policy = undenied(one, known).diagnose(), one.policy.name
    if isinstance(known, UnsafeStep):
        one.tell(
            Vetoed(
                step="run",
                target=policy,
                code=VetoCode.UNSAFE,
                happened=found.happened,
                state=found.state,
                remedy=found.remedy,
            )
        )
        return _finished(one, one.score.exit_code, one.score.summary())
    one.tell(StepFailed(step="run", target=policy, happened=found.happened, state=found.state, remedy=found.remedy))
    return _finished(one, one.score.exit_code, one.score.summary())


def _finished(one: Run, code: int, summary: str) -> Result:
    one.tell(Finished(exit_code=code, summary=summary))
    return Result(one.policy.name, code, summary)


async def _side_by_side(runs: Iterable[Run], work: Callable[[Run], Awaitable[T]], concurrency: int) -> tuple[T, ...]:
    """Begin a run whenever there is a place, so that memory grows only with the number of runs under way."""
    places, results = Places(concurrency), dict[int, T]()
    waiting = enumerate(runs)

    async def worked(number: int, one: Run) -> None:
        try:
            results[number] = await work(replace(one, aside=places.aside))
        finally:
            places.leave()

    async with asyncio.TaskGroup() as tasks:
        await places.enter()
        for number, one in waiting:
            tasks.create_task(worked(number, one))
            await places.enter()
    return tuple(results[number] for number in sorted(results))
