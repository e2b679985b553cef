"""``rotator work``: rotate the policies that a queue names."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli.commands.enqueue import address_of
from rotator.cli.invocation import Common
from rotator.cli.notices import Hook, Metrics, notices_of
from rotator.cli.options import Container, Leases, Queue, command, span

if TYPE_CHECKING:
    from rotator.cli.leases import Leases as Place
    from rotator.engine import Run
    from rotator.fleet import Worker
    from rotator.notices import Notices
    from rotator.policy import Policy

Span = Annotated[
    str,
    typer.Option(
        "--max-duration", metavar="SPAN", help="Take no message, and begin no step, that can't end within this time."
    ),
]


@command
def carry_out(
    common: Common,
    queue: Queue = "",
    max_duration: Span = "1h",
    lease_dir: Leases = None,
    lease_container: Container = None,
    metrics: Metrics = None,
    hook: Hook = None,
) -> None:
    """Rotate the policies that the messages of a queue name.

    Ends when there is no message. Start it on as many machines as needed. A message whose run failed comes back after
    ten minutes; after five tries it is moved to the queue with the suffix -poison, and the report names it. Others are
    deleted after their run. Ends as `rotator rotate`.
    """
    from rotator.cli import session
    from rotator.cli.leases import chosen
    from rotator.notices import LeftOut
    from rotator.report.queue import worked_body, worked_text

    told, leases = (
        notices_of(common, metrics, hook, lease_dir, whole=False, container=lease_container),
        chosen(common, lease_dir, lease_container),
    )
    at_most, address = span(max_duration) or timedelta(hours=1), address_of(common, queue)
    policies = common.load()

    async def work(runs: "Iterable[Run]") -> "Worker":
        worker = _worker(tuple(runs), address, leases, told)
        await worker.work()
        await told.told(tuple(worker.results.values()), story.events, LeftOut(common.unserved))
        return worker

    with session.heard(common) as (tell, story):
        worker = session.run(common, policies, work, at_most=at_most, tell=tell, directory=leases.directory)
    results, said = tuple(worker.results.values()), (worker.unknown, worker.trouble)
    code = 1 if worker.trouble else 0
    session.report(common, results, story, code=code, beside=worked_text(*said), **worked_body(*said))


def _worker(each: "tuple[Run, ...]", address: str, leases: "Place", told: "Notices") -> "Worker":
    from rotator.cli import wiring
    from rotator.engine import Journal, reconcile
    from rotator.fleet import Worker

    known = {one.policy.name: one for one in each}

    def begin(policy: "Policy") -> "Run":
        fresh = replace(known[policy.name], journal=Journal(each[0].journal.hear, policy.name), latest=[])
        return next(told.watched([fresh]))

    first = each[0]
    return Worker(
        wiring.queue(first.world, address),
        first.clock,
        leases.within(first.world, first.clock),
        {name: one.policy for name, one in known.items()},
        begin,
        reconcile,
        first.clock.elapsed() + first.left(),
    )
