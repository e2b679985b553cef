"""``rotator enqueue``: add the policies with a due step to a queue."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from rotator.cli.invocation import Common
from rotator.cli.notices import Hook, Metrics, failing, notices_of
from rotator.cli.options import Leases, Names, Queue, command
from rotator.secret import struck

if TYPE_CHECKING:
    from rotator.engine import Run
    from rotator.fleet import Enqueued


@command
def carry_out(
    common: Common,
    names: Names = None,
    queue: Queue = "",
    lease_dir: Leases = None,
    metrics: Metrics = None,
    hook: Hook = None,
) -> None:
    """Add each policy with a due step to a queue.

    A message is a policy's name; `rotator work` rotates these policies, on as many machines as needed. A policy that
    the services' lists show at rest is read by itself once a day. Tries no password, and changes nothing but the
    queue. Ends with 1 as `rotator status` does, and if messages were moved aside because their runs failed
    repeatedly. ROTATOR_WEBHOOK and ROTATOR_PING name addresses to tell (docs/notifications.md).
    """
    from rotator import lease
    from rotator.cli import session
    from rotator.fleet import surveyed
    from rotator.notices import LeftOut
    from rotator.report.queue import survey_body, survey_code, survey_text
    from rotator.survey import FILE, Looks

    told, address = notices_of(common, metrics, hook, lease_dir, whole=not names), address_of(common, queue)
    looks = Looks.read((lease_dir or lease.directory(os.environ)) / FILE)

    async def work(runs: "Iterable[Run]") -> "Enqueued":
        from rotator.cli import wiring

        each = tuple(told.watched(runs))
        found = await surveyed(each, wiring.queue(each[0].world, address), looks)
        await told.told(found.results, story.events, LeftOut(common.unserved, queued=found))
        return found

    with failing(common, told), session.heard(common) as (tell, story):
        found = session.run(common, common.load(tuple(names or ())), work, tell=tell)
    common.write(lambda: survey_text(found), lambda: survey_body(found), survey_code(found))


def address_of(common: Common, queue: str) -> str:
    """Return the queue's address. Raises BadParameter."""
    from rotator.cloud import CLOUDS

    try:
        CLOUDS[common.cloud.value].storage("queue", queue)
    except ValueError as error:
        raise typer.BadParameter(f"--queue {struck(queue)}: {error}") from error
    return queue
