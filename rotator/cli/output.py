"""Only way to a terminal: escape control characters in every text of a command, on stdout or stderr."""

import typer

from rotator.visible import escaped


def say(text: str, *, err: bool = False) -> None:
    """Write a text and a line end; line ends and tabs in the text are kept.

    Raises OSError if the text can't be written.
    """
    typer.echo(escaped(text, keep="\n\t"), err=err)
