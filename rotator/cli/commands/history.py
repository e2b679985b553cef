"""``rotator history``: past rotations."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rotator.cli.invocation import Common
from rotator.cli.options import Name, command

if TYPE_CHECKING:
    from rotator.engine import Run
    from rotator.results import Preview


@command
def carry_out(common: Common, name: Name) -> None:
    """Show past rotations: when, which credential, for how long.

    From the tags of the secret's versions, the newest first; versions that others wrote are included. -v adds
    ids and attempts. Ends with 1 where the versions can't be read, or a compromised credential still works.
    """
    from rotator.cli import session
    from rotator.cli.terminal import columns
    from rotator.engine import glance
    from rotator.report.history import alarms, history_body, history_text

    (policy,) = common.load((name,))

    async def see(runs: "Iterable[Run]") -> "Preview":
        return await glance(next(iter(runs)))

    seen = session.run(common, (policy,), see)
    common.write(
        lambda: history_text(seen, every=common.verbose > 0, width=columns()),
        lambda: history_body(seen),
        code=1 if alarms(seen.plan) else 0,
    )
