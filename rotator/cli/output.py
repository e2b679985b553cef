"""Only way to a terminal: escape control characters in every text of a command, on stdout or stderr."""

import json
from typing import Any

import typer

from rotator.visible import escaped


def say(text: str, *, err: bool = False) -> None:
    """Write a text and a line end; line ends and tabs in the text are kept.

    Raises OSError if the text can't be written.
    """
    typer.echo(escaped(text, keep="\n\t"), err=err)


def event_line(name: str, body: dict[str, Any]) -> str:
    """Return an event of the program itself as a JSON line, with the time, like the events of a run."""
    from rotator.cli import wiring
    from rotator.report.words import instant

    return json.dumps({"v": 1, "event": name, "at": instant(wiring.now()), **body})
