"""Work of one command: connect, make a run for each policy, do the work, write the result."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rotator import fleet, pauses
from rotator.cli import wiring
from rotator.cli.interrupt import Interrupted
from rotator.cli.invocation import Common
from rotator.cli.leases import state_directory
from rotator.cli.progress import Story, telling, waits_told
from rotator.codes import NoteCode
from rotator.engine import Journal, Run
from rotator.errors import AzureError, Forbidden, Throttled, Unavailable, Unexpected, Unreachable
from rotator.events import Noted
from rotator.ports import Clock, Tell, World
from rotator.report.many import many_text
from rotator.report.run import alarmed, by_result, run_body, run_part
from rotator.results import Result
from rotator.steps import Intent
from rotator.survey import FILE, Looks

if TYPE_CHECKING:
    from rotator.cli.leases import Leases
    from rotator.notices import Notices
    from rotator.policy import Policy

T = TypeVar("T")


def run(
    common: Common,
    policies: "Iterable[Policy]",
    work: Callable[[Iterable[Run]], Awaitable[T]],
    *,
    intent: Intent | None = None,
    at_most: timedelta | None = None,
    tell: Tell | None = None,
    sign_in: bool = True,
    directory: Path | None = None,
    heed: bool = True,
) -> T:
    """Return the result of `work`, called with one run for each policy.

    No run may begin a step too long to end within `at_most`. With `sign_in`, a failed sign-in ends the command before
    any policy is looked at, and so does a network without any answer. Pauses that Azure asks for are kept in
    `directory`, by default that of the leases, for later processes; with `heed`, those of earlier ones are obeyed.
    Raises AzureError.
    """
    policies = tuple(policies)

    async def main() -> T:
        clock, connecting = wiring.connected(common.cloud.value)
        async with connecting as world:
            world.tell_waits(tell or waits_told(common))
            deadline = clock.elapsed() + at_most.total_seconds() if at_most else None
            if deadline is not None:
                world.repeat_until(deadline)
            if sign_in:
                with _for_all(common, policies, Forbidden, Throttled, Unavailable):
                    await _signed_in(world)
            file = (directory or state_directory()) / pauses.FILE
            if heed and (now := wiring.azure_time(world)):
                wiring.budgets(world).heed(pauses.read(file, now))
            with _for_all(common, policies, Unreachable):
                async with _keeping_pauses(world, clock, file):
                    return await work(
                        Run(world, clock, Journal(tell or _unheard, policy.name), policy, intent or Intent(), deadline)
                        for policy in policies
                    )

    return wiring.run(main())


@asynccontextmanager
async def _keeping_pauses(world: World, clock: Clock, file: Path) -> AsyncIterator[None]:
    """Leave the pauses that Azure asks for to later processes; their ends are in Azure's time."""
    try:
        yield
    finally:
        if now := wiring.azure_time(world):
            await pauses.keep(file, wiring.budgets(world).pauses(), now, clock)


async def _signed_in(world: World) -> None:
    """Sign in. A token that can't be read is used as it is."""
    with suppress(Unexpected):
        await world.signed_in()


@contextmanager
def _for_all(common: Common, policies: "Sequence[Policy]", *kinds: type[AzureError]) -> Iterator[None]:
    """Mark an error of these kinds as that of every policy, to be said once."""
    try:
        yield
    except kinds as error:
        common.unseen[:] = [policy.name for policy in policies]
        several = f"none of the {len(policies)} policies" if len(policies) > 1 else "no policy"
        error.state = f"Nothing was changed; {several} was looked at."
        raise


def change(
    common: Common,
    policies: "tuple[Policy, ...]",
    do: fleet.Do,
    *,
    leases: "Leases",
    purpose: str = "",
    intent: Intent | None = None,
    at_most: timedelta | None = None,
    urgent: fleet.Urgent | None = None,
    notices: "Notices | None" = None,
    due: bool = False,
) -> None:
    """Work on each policy under its lease, show progress, tell `notices`, end with the report and its exit code.

    `due`: only on policies with a due step, as far as the services' lists can tell.
    """
    pressing = fleet.exposed if purpose else fleet.past_warning
    looks = Looks.read(leases.directory / FILE) if due else None

    async def work(runs: Iterable[Run]) -> tuple[Result, ...]:
        first = next(begun := iter(runs))
        each = chain([first], begun)
        watched = notices.watched(each) if notices else each
        lease = leases.within(first.world, first.clock)
        results = await fleet.run(
            watched, do, lease=lease, purpose=purpose, urgent=urgent, pressing=pressing, looks=looks
        )
        if notices:
            from rotator.notices import LeftOut

            await notices.told(results, story.events, LeftOut(common.unserved))
        return results

    with heard(common) as (tell, story):
        results = run(
            common,
            policies,
            work,
            intent=intent,
            at_most=at_most,
            tell=tell,
            directory=leases.directory,
            heed=urgent is None,
        )
    report(common, results, story)


@contextmanager
def heard(common: Common) -> Iterator[tuple[Tell, Story]]:
    """Yield what shows and records the events of a command; an interruption says what it left."""
    with telling(common) as (tell, story):
        try:
            yield tell, story
        except Interrupted as interrupted:
            interrupted.left = tuple(
                f"{each.policy}: {each.text}"
                for each in story.events
                if isinstance(each, Noted) and each.code is NoteCode.INTERRUPTED
            )
            raise


def report(
    common: Common, results: tuple[Result, ...], story: Story, *, code: int = 0, beside: str = "", **body: Any
) -> None:
    """Write how the runs ended; `beside` and `body` are about no single policy, `code` is the exit code."""
    told = by_result(results, story.events)
    first = sorted(told, key=lambda each: not alarmed(*each))

    def text() -> str:
        runs = many_text([run_part(*each) for each in first], every=common.verbose > 0) if first else ""
        return "\n\n".join(part for part in (runs, beside) if part)

    common.write(
        text,
        lambda: {"policies": [run_body(*each) for each in told], **body},
        fleet.exit_code((code, *(result.exit_code for result in results))),
    )


def _unheard(event: object) -> None:
    """Discard an event: for read-only verbs, the report holds all facts."""
    del event
