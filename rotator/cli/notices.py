"""Options of notices, and the notices of a command."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli import wiring
from rotator.cli.invocation import Common
from rotator.errors import PolicyError, RotatorError

if TYPE_CHECKING:
    from rotator.notices import Notices

Metrics = Annotated[
    Path | None,
    typer.Option(
        "--metrics",
        envvar="ROTATOR_METRICS",
        metavar="FILE",
        help="Write Prometheus metrics, for node_exporter's textfile collector: a name ending in .prom.",
    ),
]
Hook = Annotated[
    str | None,
    typer.Option(
        "--hook",
        envvar="ROTATOR_HOOK",
        metavar="COMMAND",
        help="Run a command, without a shell, with each alert on its standard input.",
    ),
]


def notices_of(
    common: Common,
    metrics: Path | None,
    hook: str | None,
    leases: Path | None,
    *,
    whole: bool,
    container: str | None = None,
) -> "Notices":
    """Read the receivers from options and environment; what was delivered is kept beside the leases.

    Raises typer.BadParameter.
    """
    from rotator import lease
    from rotator.notices import Connections, Notices
    from rotator.notify import Receivers

    try:
        receivers = Receivers.read(os.environ, hook)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    connections = Connections(wiring.now, wiring.web, lambda: wiring.connected(common.cloud.value))
    store = (lambda world: wiring.lease_store(world, container)) if container else None
    return Notices(receivers, metrics, leases or lease.directory(os.environ), whole, connections, store)


@contextmanager
def failing(common: Common, told: "Notices") -> Iterator[None]:
    """Notify of an error that ends an unattended command before it looks at any policy, then raise it again."""
    try:
        yield
    except RotatorError as error:
        from rotator.notices import LeftOut

        mistaken = bool(common.refused) and isinstance(error, PolicyError)
        left_out = LeftOut((*common.unserved, *common.refused), None if mistaken else error, common.unseen)
        wiring.run(told.refused(left_out))
        raise
