"""Look at policies side by side, for the read-only verbs."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from rotator.cli.invocation import Common

if TYPE_CHECKING:
    from rotator.engine import Run
    from rotator.results import Preview, Previewed
    from rotator.steps import Intent


def looked(
    common: Common, names: list[str] | None, see: "Callable[[Run], Awaitable[Preview]]", intent: "Intent | None" = None
) -> "list[Previewed]":
    """Return the view of each policy, or the error in its place, in the order of the names."""
    from rotator import fleet
    from rotator.cli import session

    policies = common.load(tuple(names or ()))
    found = session.run(common, policies, lambda runs: fleet.look(runs, see), intent=intent)
    return [(policy.name, what) for policy, what in zip(policies, found, strict=True)]
