"""``rotator status``: every policy in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.cli import wiring
from rotator.cli.invocation import Common, Output
from rotator.cli.looking import looked
from rotator.cli.options import Container, Leases, Names, command
from rotator.errors import PolicyError, RotatorError

if TYPE_CHECKING:
    from rotator.cli.leases import Holders
    from rotator.cli.leases import Leases as AnyLeases
    from rotator.engine import Run
    from rotator.errors import Holder
    from rotator.results import Previewed

Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Also write the state as one self-contained page for a browser."),
]
Watch = Annotated[bool, typer.Option("--watch", help="Redraw the terminal every 30 s, until ^C.")]


@command
def carry_out(
    common: Common,
    names: Names = None,
    html: Html = None,
    watch: Watch = False,
    lease_dir: Leases = None,
    lease_container: Container = None,
) -> None:
    """Show every policy in one line, most urgent first.

    Of more than 20 policies, those at rest are counted, and those in the same trouble are named under the first of
    them; -v shows every policy, with each container group, wait and foreign credential. Tries no password, and
    changes nothing. As wide as the terminal, or COLUMNS. Also shows the runs at work, by their leases. Ends with 1
    where a compromised credential still works, a policy or the leases can't be seen, a step is overdue, or what is
    due is refused as far as a look shows (`plan` tries more); else with 0. With --watch it looks again every 30 s,
    until ^C ends it with 130.
    """
    from rotator.cli import watching
    from rotator.cli.leases import chosen
    from rotator.report.words import unserved_text

    leases = chosen(common, lease_dir, lease_container)

    def see() -> _Picture:
        return _seen(common, names, leases, html, lease_dir)

    if watch:
        watching.ensure_drawable(text=common.output is Output.text)
        watching.watched(lambda: "\n\n".join(filter(None, (see().text(), unserved_text(common.unserved)))))
    picture = see()
    common.write(picture.text, picture.body, picture.code)


@dataclass(frozen=True, slots=True)
class _Picture:
    """State of the policies, and the runs at work, as one look showed them."""

    seen: "list[Previewed]"
    held: "dict[str, tuple[Holder, ...]]"
    holders: "Holders"
    every: bool

    def text(self) -> str:
        """Return the text for people, as wide as the terminal or COLUMNS; in a pipe no name is shortened."""
        from shutil import get_terminal_size

        from rotator.report.leases import held_text
        from rotator.report.status_table import status_text

        width = get_terminal_size((0, 0)).columns or None
        table = status_text(self.seen, width=width, every=self.every)
        return "\n\n".join(part for part in (table, held_text(self.held, self.holders.unknown)) if part)

    def body(self) -> "dict[str, Any]":
        """Return the JSON form."""
        from rotator.report.leases import held_body
        from rotator.report.status_json import status_body

        return {"policies": status_body(self.seen), "leases": held_body(self.held)}

    @property
    def code(self) -> int:
        """Return the exit code."""
        from rotator.report.status import status_code

        return 1 if self.holders.unknown else status_code(self.seen)


def _seen(common: Common, names: Names, leases: "AnyLeases", html: Path | None, directory: Path | None) -> _Picture:
    """Look at all policies once, and write the page if one is asked for."""
    from rotator.cli.leases import Holders
    from rotator.engine import glance

    holders, held = Holders(leases), dict[str, "tuple[Holder, ...]"]()

    async def hold(run: "Run") -> None:
        held[run.policy.name] = await holders.of(run)

    with _unseen(html):
        seen = looked(common, names, glance, directory=directory, also=hold)
    if html:
        _write(html, [*seen, *((one.name, PolicyError(one.mistakes)) for one in common.unserved)])
    return _Picture(seen, held, holders, common.verbose > 0)


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
    """Write the page in place of an older one. Raises RotatorError if it can't be written."""
    from importlib.resources import files

    from rotator.fleet import exhausted
    from rotator.notify import replaced
    from rotator.report import page

    style, script = (files(page).joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    try:
        replaced(file, page.page(seen, page.Assets(style, script), wiring.now()))
    except OSError as error:
        raise exhausted(error) or RotatorError(
            f"{file} can't be written: {error.strerror}",
            state="Nothing was changed: status only reads.",
            remedy="Make its directory, or name another --html FILE.",
        ) from None
