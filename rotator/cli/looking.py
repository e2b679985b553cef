"""Look at policies side by side, for the read-only verbs."""

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rotator.cli.invocation import Common

if TYPE_CHECKING:
    from rotator.engine import Run
    from rotator.errors import RotatorError
    from rotator.results import Preview, Previewed
    from rotator.steps import Intent


def looked(
    common: Common,
    names: list[str] | None,
    see: "Callable[[Run], Awaitable[Preview]]",
    intent: "Intent | None" = None,
    *,
    directory: Path | None = None,
    apart: "Callable[[Run], bool]" = lambda run: False,
    also: "Callable[[Run], Awaitable[None]] | None" = None,
) -> "list[Previewed]":
    """Return the view of each policy, or the error in its place, in the order of the names.

    Policies that the services' lists prove to be at rest aren't looked at, but for those to be kept `apart`; the looks
    of earlier runs are in `directory`. `also` is called for every run first.
    """
    from rotator import fleet
    from rotator.cli import session
    from rotator.cli.leases import state_directory
    from rotator.survey import FILE, Looks

    looks = Looks.read((directory or state_directory()) / FILE)

    async def work(runs: "Iterable[Run]") -> "tuple[Preview | RotatorError, ...]":
        every = tuple(runs)
        for run in every if also else ():
            await also(run)  # type: ignore[misc]  # there are none without it
        return await fleet.previews(every, see, looks, apart=apart)

    policies = common.load(tuple(names or ()))
    found = session.run(common, policies, work, intent=intent, directory=directory)
    return [(policy.name, what) for policy, what in zip(policies, found, strict=True)]
