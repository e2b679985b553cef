"""``rotator status``: every policy in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli import wiring
from rotator.cli.invocation import Common
from rotator.cli.looking import looked
from rotator.cli.options import Container, Leases, Names, command
from rotator.errors import PolicyError, RotatorError

if TYPE_CHECKING:
    from rotator.engine import Run
    from rotator.errors import Holder
    from rotator.results import Previewed

Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Also write the state as one self-contained page for a browser."),
]


@command
def carry_out(
    common: Common,
    names: Names = None,
    html: Html = None,
    lease_dir: Leases = None,
    lease_container: Container = None,
) -> None:
    """Show every policy in one line, most urgent first; of more than 20, those at rest are counted.

    Tries and changes nothing. As wide as the terminal, or COLUMNS; -v shows every policy, with each container group,
    wait and foreign credential. Also shows the runs at work, by their leases. Ends with 1 where a compromised
    credential still works, a policy or the leases can't be seen, something waits past its warning, or drift stops what
    is due; else with 0.
    """
    from shutil import get_terminal_size

    from rotator.cli.leases import Holders, chosen
    from rotator.engine import glance
    from rotator.report.leases import held_body, held_text
    from rotator.report.status import status_body, status_code, status_text

    holders, held = Holders(chosen(common, lease_dir, lease_container)), dict[str, "tuple[Holder, ...]"]()

    async def hold(run: "Run") -> None:
        held[run.policy.name] = await holders.of(run)

    with _unseen(html):
        seen = looked(common, names, glance, directory=lease_dir, also=hold)
    if html:
        _write(html, [*seen, *((one.name, PolicyError(one.mistakes)) for one in common.unserved)])
    width, every = get_terminal_size((120, 24)).columns, common.verbose > 0
    common.write(
        lambda: "\n\n".join(
            part for part in (status_text(seen, width=width, every=every), held_text(held, holders.unknown)) if part
        ),
        lambda: {"policies": status_body(seen), "leases": held_body(held)},
        1 if holders.unknown else status_code(seen),
    )


@contextmanager
def _unseen(html: Path | None) -> Iterator[None]:
    """Write an error that ends the command to the page, too: an older page would look as if all were well."""
    try:
        yield
    except RotatorError as error:
        if html:
            _write(html, [("rotator", error)])
        raise


def _write(file: Path, seen: "list[Previewed]") -> None:
    """Write the page in place of an older one. Raises OSError."""
    from importlib.resources import files

    from rotator.notify import replaced
    from rotator.report import page

    style, script = (files(page).joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    replaced(file, page.page(seen, page.Assets(style, script), wiring.now()))
