"""``local-azure``: the command line to start an emulated Azure, connect clients, inspect and plan faults.

The rest of the package is imported when a command runs, so that another program can mount these commands (typer's
``add_typer``) at no cost.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from local_azure.directory import StateDirectory

app = typer.Typer(
    name="local-azure",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A local Azure, to try and test against: start it, point any client at it, look inside.",
)

Where = Annotated[
    Path | None, typer.Option("--dir", envvar="LOCAL_AZURE_DIR", show_default="./.local-azure", help="State directory.")
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port of the proxy on 127.0.0.1; 0 takes a free one.")]


_DURATION = re.compile(
    r"(?:(?P<weeks>\d{1,4})w)?(?:(?P<days>\d{1,5})d)?(?:(?P<hours>\d{1,6})h)?(?:(?P<minutes>\d{1,8})m)?(?:(?P<seconds>\d{1,9})s)?"
)


class Who(StrEnum):
    """Identity of a shell."""

    operator = "operator"
    admin = "admin"
    app_service = "app-service"
    virtual_machine = "virtual-machine"


class Cloud(StrEnum):
    """Cloud with the host names used by the emulator."""

    public = "public"
    usgov = "usgov"
    china = "china"


class Timing(StrEnum):
    """Named set of durations; the names of `local_azure.timing.TIMINGS`."""

    azure = "azure"
    lagging = "lagging"
    quick = "quick"
    prompt = "prompt"


class Output(StrEnum):
    """Format of a result."""

    text = "text"
    json = "json"


Shape = Annotated[Output, typer.Option("--output", help="How to write the result.")]


def say(text: str, *, err: bool = False) -> None:
    """Write a text and a line end, with control characters escaped.

    Clients choose names freely, and a name must not act on a terminal.
    """
    typer.echo("".join(char if char.isprintable() or char in "\n\t" else ascii(char)[1:-1] for char in text), err=err)


def _directory(path: Path | None) -> "StateDirectory":
    from local_azure.directory import StateDirectory

    return StateDirectory(path)


@contextmanager
def _refusals() -> Iterator[None]:
    """Report an error fixable by the user in one line, with exit code 1."""
    from local_azure.directory import AlreadyRunning, NotRunning
    from local_azure.process import StartFailed
    from local_azure.remote import ControlRefused
    from local_azure.store import UnreadableState

    try:
        yield
    except (AlreadyRunning, NotRunning, StartFailed, ControlRefused, UnreadableState, OSError) as error:
        say(f"local-azure: {error}", err=True)
        raise typer.Exit(1) from error


def _ask(path: Path | None, method: str, resource: str, body: object = None) -> Any:
    from local_azure.remote import ask

    with _refusals():
        return ask(_directory(path), method, resource, body)


@app.command()
def start(
    directory: Where = None,
    port: Port = 0,
    detach: Annotated[bool, typer.Option("--detach", help="Serve in the background; return when ready.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the saved tenant and seed a new one.")] = False,
    timing: Annotated[
        Timing,
        typer.Option(
            help="azure: things take the time they take there. lagging: the same, and reads of Graph lag. "
            "quick: seconds. prompt: no time at all."
        ),
    ] = Timing.azure,
    cloud: Annotated[
        Cloud, typer.Option(help="In which cloud a new tenant lives; a saved one stays where it is.")
    ] = Cloud.public,
) -> None:
    """Serve until stopped; what it holds is kept in the state directory."""
    with _refusals():
        from local_azure import process

        settings = process.Settings(_directory(directory), port, fresh, timing.value, cloud.value)
        if not detach:
            say(f"Serving from {settings.directory.path}. {_advice(directory)}", err=True)
            process.run(settings)
            return
        running = process.start(settings)
    say(
        f"The emulator is ready (process {running.pid}, proxy on 127.0.0.1:{running.port}). {_advice(directory)}",
        err=True,
    )


def _advice(directory: Path | None) -> str:
    option = f" --dir {shlex.quote(str(directory))}" if directory else ""
    return f'Point a shell at it: eval "$(local-azure env{option})"'


@app.command()
def env(
    directory: Where = None,
    az: Annotated[bool, typer.Option("--az", help="Add what the az command line needs.")] = False,
    who: Annotated[
        Who,
        typer.Option("--as", help="operator: rotates credentials. admin: everything. The others: a managed identity."),
    ] = Who.operator,
) -> None:
    """Print what a shell evaluates so that its clients take the emulator for Azure."""
    with _refusals():
        from local_azure.environment import exports, shell

        say(shell(exports(_directory(directory), who.value, az=az)))


@app.command()
def status(directory: Where = None, output: Shape = Output.text) -> None:
    """Say whether it runs, where, and what time it is in there; exit 1 if it does not run."""
    where = _directory(directory)
    with _refusals():
        running, seeded = where.running(), where.seeded()
    now = _ask(directory, "GET", "/clock")["now"]
    found = {
        "directory": str(where.path),
        "pid": running.pid,
        "proxy": f"http://127.0.0.1:{running.port}",
        "now": now,
        "cloud": seeded.cloud,
        "tenant": seeded.tenant,
        "subscription": seeded.subscription,
        "registry": seeded.registry_id,
        "vault": seeded.vault_url,
        "operator": seeded.operator.app_id,
        "admin": seeded.admin.app_id,
        "turned_away": sorted({refusal["target"] for refusal in _ask(directory, "GET", "/turned-away")["value"]}),
    }
    _write(
        found,
        output,
        lambda: "\n".join(f"{name.replace('_', ' '):<14}{_plain(value)}" for name, value in found.items()),
    )


def _plain(value: object) -> str:
    return ", ".join(value) or "nobody" if isinstance(value, list) else str(value)


@app.command()
def stop(directory: Where = None) -> None:
    """Save and end."""
    with _refusals():
        from local_azure import process

        say(f"The emulator (process {process.stop(_directory(directory))}) has saved its state and ended.", err=True)


@app.command()
def advance(
    by: Annotated[str, typer.Argument(help="How long: 90d, 12h, 30m, 45s.")],
    directory: Where = None,
) -> None:
    """Let time pass at once, for everything in the emulator."""
    from local_azure.environment import expire_tokens

    answer = _ask(directory, "POST", "/clock", {"advance": _seconds(by)})
    with _refusals():
        expire_tokens(_directory(directory))
    say(answer["now"])


def _seconds(text: str) -> float:
    found = _DURATION.fullmatch(text)
    if not found or not any(found.groups()):
        raise typer.BadParameter(
            f"{text!r} is no duration: write 90d, 12h, 30m, 45s, or several of them, the longest first: 1d12h"
        )
    return timedelta(**{unit: int(number) for unit, number in found.groupdict(default="0").items()}).total_seconds()


@app.command("move-host")
def move_host(
    group: Annotated[str, typer.Argument(help="Resource id of the container group.")], directory: Where = None
) -> None:
    """Let the platform move a container group, which pulls again; exit 1 if its stored credential is refused."""
    if not _ask(directory, "POST", "/move-host", {"id": group})["moved"]:
        say("The pull was refused; see `local-azure refused`.", err=True)
        raise typer.Exit(1)
    say("Moved: the group pulled again and runs.")


@app.command()
def refused(directory: Where = None, output: Shape = Output.text) -> None:
    """List every pull that was refused."""
    found = _ask(directory, "GET", "/refused")["value"]
    _write(
        found,
        output,
        lambda: "\n".join("  ".join(str(value) for value in pull.values()) for pull in found) or "No pull was refused.",
    )


@app.command()
def dump(
    directory: Where = None,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Everything as it is stored, passwords and keys too.")
    ] = False,
) -> None:
    """Print all that the emulator holds, as JSON."""
    say(json.dumps(_ask(directory, "GET", f"/state?secrets={str(secrets).lower()}"), indent=2))


@app.command()
def push(
    image: Annotated[str, typer.Argument(help="registry/repository:tag; the registry by login server or name.")],
    directory: Where = None,
    exit_code: Annotated[int | None, typer.Option(help="Its container ends with this; without, it runs on.")] = None,
    run_seconds: Annotated[float | None, typer.Option(min=0, help="After so many seconds.")] = None,
) -> None:
    """Put an image into an emulated registry."""
    found = re.fullmatch(r"([^/]+)/(.+):([^:/]+)", image)
    if not found:
        raise typer.BadParameter(f"{image!r} is no image: write registry/repository:tag")
    body = {
        "registry": found[1],
        "repository": found[2],
        "tag": found[3],
        "exit_code": exit_code,
        "run_seconds": run_seconds,
    }
    say(
        _ask(directory, "POST", "/images", {name: value for name, value in body.items() if value is not None})["digest"]
    )


@app.command()
def subscription(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="A GUID.")],
    directory: Where = None,
    name: Annotated[str, typer.Option(help="Its display name.")] = "Another subscription",
) -> None:
    """Make another subscription, whose owner is the identity `admin`; az sees it after `az account list --refresh`."""
    with _refusals():
        owner = _directory(directory).seeded().admin.object_id
    say(_ask(directory, "POST", "/subscriptions", {"id": identifier, "name": name, "owner": owner})["id"])


@app.command()
def fault(
    operation: Annotated[str | None, typer.Argument(help="Such as keyvault.secrets.set; * and ? match.")] = None,
    kind: Annotated[
        str,
        typer.Argument(
            help=(
                "status, reset, timeout, lost, echo, an answer that no service gives (html200, cut, drip …), or a"
                " condition that a service knows."
            )
        ),
    ] = "status",
    directory: Where = None,
    when: Annotated[str, typer.Option(help="before or after the effect.")] = "before",
    nth: Annotated[int, typer.Option(min=1, help="Strikes the nth call from now.")] = 1,
    times: Annotated[int, typer.Option(min=0, help="So many calls in a row; 0: for ever.")] = 1,
    answer: Annotated[int, typer.Option("--status", help="Status code of kinds status, echo, page, redirect.")] = 503,
    code: Annotated[str, typer.Option(help="Error code of kind status.")] = "ServiceUnavailable",
    retry_after: Annotated[float | None, typer.Option(help="Seconds for the Retry-After header.")] = None,
    argument: Annotated[str, typer.Option(help="Parameter of the kind.")] = "",
    message: Annotated[str | None, typer.Option(help="Error message of kind status.")] = None,
    error: Annotated[str, typer.Option(help="OAuth error of kind status, of Entra.")] = "",
    header: Annotated[
        list[str] | None, typer.Option(help="Header of kind status, as 'Name: value'; may be repeated.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Forget all that is planned.")] = False,
) -> None:
    """Plan a fault; without an operation, list what is planned."""
    if clear:
        _ask(directory, "DELETE", "/faults")
    elif operation is None:
        say(json.dumps(_ask(directory, "GET", "/faults"), indent=2))
    else:
        body = {
            "operation": operation,
            "kind": kind,
            "when": when,
            "nth": nth,
            "times": times,
            "status": answer,
            "code": code,
            "retry_after": retry_after,
            "argument": argument,
            "error": error,
            "headers": dict(_header(each) for each in header or ()),
        }
        _ask(directory, "POST", "/faults", body if message is None else {**body, "message": message})


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise typer.BadParameter(f"{text!r} is no header: write 'Name: value'")
    return name.strip(), value.strip()


def _write(found: object, output: Output, text: Callable[[], str]) -> None:
    say(json.dumps(found, indent=2) if output is Output.json else text())
