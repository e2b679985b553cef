"""A report that is drawn again and again, until a signal ends it."""

from collections.abc import Callable
from typing import NoReturn

import typer

from rotator.cli import INTERRUPTED, terminal, wiring
from rotator.cli.interrupt import Interrupted
from rotator.errors import RotatorError
from rotator.system import SystemClock

EVERY = 30.0
"""Seconds between two pictures."""


def ensure_drawable(*, text: bool) -> None:
    """Refuse to redraw what isn't a text on a terminal. Raises BadParameter."""
    if not (text and terminal.on_terminal()):
        raise typer.BadParameter(
            "--watch redraws a text on a terminal; elsewhere let a timer run `rotator status`, with --output json"
        )


def watched(draw: Callable[[], str]) -> NoReturn:
    """Draw until a signal, and end with its exit code; an error is drawn, and the next picture may be whole again."""
    try:
        while True:
            _show(_drawn(draw))
            wiring.run(SystemClock().sleep(EVERY))
    except Interrupted as error:
        raise typer.Exit(128 + error.number) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def _drawn(draw: Callable[[], str]) -> str:
    try:
        return draw()
    except RotatorError as error:
        return str(error.diagnose())


def _show(text: str) -> None:
    from rich.console import Console

    Console().clear()
    terminal.show(f"{text}\n\nSeen {wiring.now():%Y-%m-%d %H:%M:%S} UTC, again in {EVERY:.0f} s; ^C ends.")
