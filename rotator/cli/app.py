"""Command ``rotator`` and its verbs."""

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from rotator import __version__
from rotator.cli import completing, emulated
from rotator.cli.output import say
from rotator.cli.verbs import Verbs

VERBS = (
    "validate",
    "doctor",
    "plan",
    "status",
    "history",
    "provision",
    "rotate",
    "enqueue",
    "work",
    "revoke",
    "grant",
    "adopt",
    "deploy",
    "manifest",
    "discover",
    "schema",
    "emulator",
    "demo",
)
"""Every verb, in the order of the help."""


def command_line(words: Sequence[str] = ()) -> typer.Typer:
    """Return the command with the verb that `words` begin with, or with all verbs.

    The options of all verbs take a fifth of the time of `validate`.
    """
    if not words or words[0].startswith("--"):
        completing.fix_zsh()
    app = typer.Typer(
        name="rotator",
        cls=Verbs,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(rotator)
    for verb in [verb for verb in VERBS if verb in words[:1]] or VERBS:
        if verb == "emulator":
            emulated.mount(app)
        else:
            app.command(verb)(demo if verb == "demo" else import_module(f"rotator.cli.commands.{verb}").carry_out)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        say(f"rotator {__version__}")
        raise typer.Exit


def rotator(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Rotate the registry passwords of Azure container groups, with no moment at which a pull could fail.

    Exit codes, the first that applies to any policy: 2 usage or policy error; 1 a step failed or is overdue; 3 a step
    was refused; 4 another run holds the lease; 0 nothing is due now.
    """


def demo() -> None:
    """Watch a whole rotation against a local Azure; no subscription.

    Needs the package local-azure. Takes about a minute; ends with 1 if a claim of the demo is false.
    """
    emulated.require("rotator demo", "local_azure", "msgraph")
    from rotator.demo import play

    if not play():
        raise typer.Exit(1)
