"""``rotator emulator``: the commands of the package local-azure, if installed.

Without the package, every verb reports the missing package.
"""

import sys
from importlib.util import find_spec

import typer

from rotator.cli.output import say
from rotator.remedy import install_emulator

ANYTHING = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


def mount(app: typer.Typer) -> None:
    """Add ``emulator`` to the commands."""
    if find_spec("local_azure"):
        from local_azure.cli import app as commands

        app.add_typer(commands, name="emulator", short_help="Run a local Azure, to try and to test against.")
    else:
        app.command("emulator", context_settings=ANYTHING)(_absent)


def _absent() -> None:
    """Run a local Azure, to try and to test against.

    Needs the package local-azure, which is not installed.
    """
    require("rotator emulator", "local_azure")


def require(command: str, *packages: str) -> None:
    """Return if the packages are installed; else print how to install them, and exit with 2."""
    if all(map(find_spec, packages)):
        return
    say(
        f"{command} needs the local Azure, a package of its own that is not installed in this Python; in a clone of"
        f" rotator's repository, run: {install_emulator(sys.executable)}",
        err=True,
    )
    raise typer.Exit(2)
