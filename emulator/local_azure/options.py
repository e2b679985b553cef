"""Options of the commands, and how a command asks the running emulator and writes its result."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from local_azure.directory import StateDirectory


Where = Annotated[
    Path | None, typer.Option("--dir", envvar="LOCAL_AZURE_DIR", show_default="./.local-azure", help="State directory.")
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port of the proxy on 127.0.0.1; 0 takes a free one.")]


class Who(StrEnum):
    """Identity of a shell."""

    operator = "operator"
    admin = "admin"
    app_service = "app-service"
    virtual_machine = "virtual-machine"


class CloudName(StrEnum):
    """Cloud with the host names used by the emulator."""

    public = "public"
    usgov = "usgov"
    china = "china"


class TimingName(StrEnum):
    """Named set of durations; the names of `local_azure.timing.TIMINGS`."""

    azure = "azure"
    lagging = "lagging"
    quick = "quick"
    prompt = "prompt"


class Output(StrEnum):
    """Format of a result."""

    text = "text"
    json = "json"


Shape = Annotated[Output, typer.Option("--output", "-o", help="How to write the result.")]


def say(text: str, *, err: bool = False) -> None:
    """Write a text and a line end, with control characters escaped.

    Clients choose names freely, and a name must not act on a terminal.
    """
    typer.echo("".join(char if char.isprintable() or char in "\n\t" else ascii(char)[1:-1] for char in text), err=err)


def state_directory(path: Path | None) -> "StateDirectory":
    """Return the state directory of an option; the one of this folder without."""
    from local_azure.directory import StateDirectory

    return StateDirectory(path)


@contextmanager
def refusals() -> Iterator[None]:
    """Report an error fixable by the user in one line, with exit code 1."""
    from local_azure.detached import StartFailed
    from local_azure.directory import AlreadyRunning, NotRunning
    from local_azure.private import UnreadableState
    from local_azure.remote import ControlRefused

    try:
        yield
    except (AlreadyRunning, NotRunning, StartFailed, ControlRefused, UnreadableState, OSError) as error:
        say(f"local-azure: {error}", err=True)
        raise typer.Exit(1) from error


def ask_running(path: Path | None, method: str, resource: str, body: object = None) -> Any:
    """Send a request to the control door of the running emulator, and return its answer."""
    from local_azure.remote import ask

    with refusals():
        return ask(state_directory(path), method, resource, body)


def write(found: object, output: Output, text: Callable[[], str]) -> None:
    """Write a result in the chosen format."""
    say(json.dumps(found, indent=2) if output is Output.json else text())
