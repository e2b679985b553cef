"""Many policies side by side: a bounded number at a time, one lease each, and what befalls one never stops another."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from rotator.engine import Result, Run, Score, counted, glance, tell_exposed
from rotator.errors import LeaseHeld, RotatorError, UnsafeStep
from rotator.events import Finished, StepFailed, Vetoed
from rotator.lease import LONGEST
from rotator.plan import UNKNOWN
from rotator.ports import Lease
from rotator.report.given import Preview
from rotator.report.status import status_code

T = TypeVar("T")
Do = Callable[[Run], Awaitable[Result]]
"""What is done for one policy."""

ORDER = (2, 1, 3, 4, 5)
"""Exit codes, gravest first: usage · failed or waits past its warning · vetoed · another run holds the lease · something is due."""

log = logging.getLogger(__name__)


def exit_code(codes: Iterable[int]) -> int:
    """The one exit code of many: the first of `ORDER` that occurs, else 0."""
    found = set(codes)
    return next((code for code in ORDER if code in found), 0)


def after(result: Result, before: int) -> Result:
    """The result of what was done after something that ended with `before`: neither exit code hides a graver one."""
    return replace(result, exit_code=exit_code((before, result.exit_code)))


@dataclass(frozen=True, slots=True)
class Urgent:
    """Work that can't wait for another run: `first` is done without the lease and gives an exit code; `undone` says what isn't if it is held."""

    undone: str
    state: str
    first: Callable[[Run], Awaitable[int]] | None = None


async def run(
    runs: Iterable[Run],
    do: Do,
    *,
    lease: Lease,
    concurrency: int = 8,
    purpose: str = "",
    urgent: Urgent | None = None,
    pressing: Callable[[Run], Awaitable[str]] | None = None,
) -> tuple[Result, ...]:
    """Do it for every policy that no other run is at work on, in the order of `runs`, which is consumed as places come free.

    `purpose` keeps different kinds of work on one principal from excluding each other. `pressing` says why a policy
    that is left to another run needs a person all the same; empty where it doesn't. Whatever fails becomes a Result.
    """

    async def leased(one: Run) -> Result:
        before, score = 0, Score()
        one = counted(one, score)
        try:
            before = await urgent.first(one) if urgent and urgent.first else 0
            name = f"{one.policy.principal.app_id}{purpose and '-'}{purpose}"
            async with AsyncExitStack() as held:
                refused = await _entered(held, lease.hold(name, _span(one)), urgent)
                result = await (do(one) if refused is None else _left(one, score, refused, urgent, pressing))
        except Exception as error:  # noqa: BLE001 - one policy's bug must not stop the others
            result = _ended(one, score, error)
        return after(result, before)

    return await _side_by_side(runs, leased, concurrency)


async def _entered(
    held: AsyncExitStack, holding: AbstractAsyncContextManager[None], urgent: Urgent | None
) -> LeaseHeld | None:
    """Take the lease, or say who has it.

    What is urgent is done without one where none can be kept: safety doesn't rest on it.
    """
    try:
        await held.enter_async_context(holding)
    except LeaseHeld as error:
        return error
    except RotatorError as error:
        if urgent is None:
            raise
        log.warning("%s. This can't wait, and is done without a lease", error.happened)
    return None


async def _left(
    one: Run, score: Score, error: LeaseHeld, urgent: Urgent | None, pressing: Callable[[Run], Awaitable[str]] | None
) -> Result:
    """Leave a policy to another run: quietly, unless that run hangs or something can't wait for it."""
    ways = (
        "Its end frees the lease. If it hangs, end it, and the next run goes on; or name another --lease-dir: two runs"
        " at once are safe."
    )
    if urgent:
        return _ended(one, score, RotatorError(f"{urgent.undone}: {error.happened}", state=urgent.state, remedy=ways))
    if error.holder and error.holder.overdue:
        return _ended(
            one,
            score,
            RotatorError(
                f"{error.happened} longer than its run may take", state="Nothing was changed by this run.", remedy=ways
            ),
        )
    if pressing and (why := await pressing(one)):
        return _ended(
            one,
            score,
            RotatorError(f"{why}, and {error.happened}", state="Nothing was changed by this run.", remedy=ways),
        )
    return _finished(one, 4, f"left to another run: {error.happened}")


async def past_warning(one: Run) -> str:
    """Why a policy can't be left to another run in silence, by the judgement of `rotator status`; empty where it can."""
    seen: Preview | RotatorError
    try:
        seen = await glance(one)
    except RotatorError as error:
        return f"the policy can't be seen ({error.happened})"
    if not status_code([(one.policy.name, seen)]):
        return ""
    return await exposed(one) or "something waits past its warning (`rotator status` shows it)"


async def exposed(one: Run) -> str:
    """Tell each compromised credential that still signs in, or that this isn't known; empty where there is none."""
    score = Score()
    await tell_exposed(one, score)
    if not score.alarms:
        return ""
    return UNKNOWN if score.alarms[0].startswith(UNKNOWN) else "a compromised credential still works"


async def look(
    runs: Iterable[Run], see: Callable[[Run], Awaitable[T]], *, concurrency: int = 8
) -> tuple[T | RotatorError, ...]:
    """See every policy, with no lease since nothing is changed; what can't be seen is an error in its place."""

    async def seen(one: Run) -> T | RotatorError:
        try:
            return await see(one)
        except RotatorError as error:
            return error
        except Exception as error:  # noqa: BLE001 - one policy's bug must not stop the others
            return unexpected(error)

    return await _side_by_side(runs, seen, concurrency)


def unexpected(error: Exception) -> RotatorError:
    """A bug of ours, for people: only its type, since the message of an unknown exception may quote anything."""
    log.debug("unexpected exception", exc_info=error)
    return RotatorError(
        f"an unexpected {type(error).__name__}: a bug in rotator",
        state="Whatever was finished before is as reported; nothing was undone.",
        remedy=(
            "Run again: the next run looks at the world and goes on from there. `-vv` shows where it happened; please"
            " report that."
        ),
    )


def _span(one: Run) -> timedelta:
    return min(LONGEST, timedelta(seconds=max(one.left(), 0))) if one.deadline is not None else LONGEST


def _ended(one: Run, score: Score, error: Exception) -> Result:
    """The result of what was stopped; `score` counts what `one` tells."""
    known = error if isinstance(error, RotatorError) else unexpected(error)
    found, policy = known.diagnose(), one.policy.name
    if isinstance(known, UnsafeStep):
        one.tell(
            Vetoed(
                policy=policy,
                step="run",
                target=policy,
                code="unsafe",
                happened=found.happened,
                state=found.state,
                remedy=found.remedy,
            )
        )
        return _finished(one, score.exit_code, score.summary())
    one.tell(
        StepFailed(
            policy=policy, step="run", target=policy, happened=found.happened, state=found.state, remedy=found.remedy
        )
    )
    return _finished(one, score.exit_code, score.summary())


def _finished(one: Run, code: int, summary: str) -> Result:
    one.tell(Finished(policy=one.policy.name, exit_code=code, summary=summary))
    return Result(one.policy.name, code, summary)


async def _side_by_side(runs: Iterable[Run], work: Callable[[Run], Awaitable[T]], concurrency: int) -> tuple[T, ...]:
    """Workers that share one iterator, so that memory grows with what is in flight."""
    waiting, results = enumerate(runs), dict[int, T]()

    async def worker(numbered: Iterator[tuple[int, Run]]) -> None:
        for number, one in numbered:
            results[number] = await work(one)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(concurrency):
            tasks.create_task(worker(waiting))
    return tuple(results[number] for number in sorted(results))
