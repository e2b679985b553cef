"""Manual page ``docs/rotator.1``, made from the help of the commands; ``make docs`` writes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from rotator import __version__
from rotator.cli.app import command_line

FILE = Path(__file__).parent.parent / "docs" / "rotator.1"
APART = "emulator"
"""Verb with a manual of its own."""
ENVIRONMENT = (
    ("AZURE_TOKEN_CREDENTIALS, AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_CLIENT_SECRET", "as whom rotator signs in"),
    ("HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE", "the way to Azure"),
    ("ROTATOR_WEBHOOK, ROTATOR_PING", "addresses to tell, or names of Key Vault secrets with them"),
    ("ROTATOR_GRACE", "seconds between a first signal and the end"),
    ("ROTATOR_AZ_TIMEOUT", "seconds to wait for az, where az gives the token"),
    ("NO_COLOR, COLUMNS", "no colour; the width of tables"),
)


def page() -> str:
    """Return the whole page, in roff."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    command: Any = typer.main.get_command(command_line())
    yield f'.TH ROTATOR 1 "" "rotator {__version__}" "User commands"'
    yield from (".SH NAME", r"rotator \- rotate the registry passwords of Azure container groups")
    yield from (".SH SYNOPSIS", r".B rotator", r"\fIVERB\fR [\fIOPTIONS\fR] [\fIARGUMENTS\fR]")
    yield from (".SH DESCRIPTION", *_paragraphs(command.help))
    yield ".SH VERBS"
    for name, verb in command.commands.items():
        yield from _verb(name, verb)
    yield ".SH ENVIRONMENT"
    for names, meaning in ENVIRONMENT:
        yield from (".TP", rf"\fB{_plain(names)}\fR", _plain(meaning))
    yield from (".SH SEE ALSO", r"\fBaz\fR(1), \fBsystemd.timer\fR(5), \fBcrontab\fR(5)")


def _verb(name: str, verb: Any) -> Iterator[str]:
    yield f".SS {name}"
    yield from _paragraphs(verb.help)
    if name == APART:
        yield from (".PP", "Its verbs: `rotator emulator \\-\\-help`.")
        return
    with verb.make_context(name, [], resilient_parsing=True) as made:
        for parameter in verb.params:
            shown = parameter.get_help_record(made)
            if shown and "--help" not in parameter.opts:
                yield from (".TP", rf"\fB{_plain(shown[0])}\fR", _plain(shown[1]))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.strip().split("\n\n"):
        yield from (".PP", _plain(" ".join(paragraph.split())))


def _plain(text: str) -> str:
    """Return text escaped for roff."""
    escaped = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
