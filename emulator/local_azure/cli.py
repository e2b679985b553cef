"""``local-azure``: the command line to start an emulated Azure, connect clients, inspect and plan faults.

Except commands and options, the package is imported when a command runs, so that another program can mount these
commands (typer's ``add_typer``) at no cost.
"""

import re
import shlex
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from local_azure.inside import dump, fault, move_host, push, refused, subscription
from local_azure.options import (
    CloudName,
    Output,
    Port,
    Shape,
    TimingName,
    Where,
    Who,
    ask_running,
    refusals,
    say,
    state_directory,
    write,
)

app = typer.Typer(
    name="local-azure",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A local Azure, to try and test against: start it, point any client at it, look inside.",
)

_DURATION = re.compile(
    r"(?:(?P<weeks>\d{1,4})w)?(?:(?P<days>\d{1,5})d)?(?:(?P<hours>\d{1,6})h)?(?:(?P<minutes>\d{1,8})m)?(?:(?P<seconds>\d{1,9})s)?"
)


@app.command()
def start(
    directory: Where = None,
    port: Port = 0,
    detach: Annotated[bool, typer.Option("--detach", help="Serve in the background; return when ready.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the saved tenant and seed a new one.")] = False,
    timing: Annotated[
        TimingName,
        typer.Option(
            help="azure: things take the time they take there. lagging: the same, and reads of Graph lag. "
            "quick: seconds. prompt: no time at all."
        ),
    ] = TimingName.azure,
    cloud: Annotated[
        CloudName, typer.Option(help="In which cloud a new tenant lives; a saved one stays where it is.")
    ] = CloudName.public,
) -> None:
    """Serve until stopped; what it holds is kept in the state directory."""
    with refusals():
        from local_azure import detached

        settings = detached.Settings(state_directory(directory), port, fresh, timing.value, cloud.value)
        if not detach:
            from local_azure import process

            say(f"Serving from {settings.directory.path}. {_advice(directory)}", err=True)
            process.run(settings)
            return
        running = detached.start(settings)
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
    with refusals():
        from local_azure.environment import exports, shell

        say(shell(exports(state_directory(directory), who.value, az=az)))


@app.command()
def status(directory: Where = None, output: Shape = Output.text) -> None:
    """Say whether it runs, where, and what time it is in there; exit 1 if it does not run."""
    where = state_directory(directory)
    with refusals():
        running, seeded = where.running(), where.seeded()
    now = ask_running(directory, "GET", "/clock")["now"]
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
        "turned_away": sorted(
            {refusal["target"] for refusal in ask_running(directory, "GET", "/turned-away")["value"]}
        ),
    }
    write(
        found,
        output,
        lambda: "\n".join(f"{name.replace('_', ' '):<14}{_plain(value)}" for name, value in found.items()),
    )


def _plain(value: object) -> str:
    return ", ".join(value) or "nobody" if isinstance(value, list) else str(value)


@app.command()
def stop(directory: Where = None) -> None:
    """Save and end."""
    with refusals():
        from local_azure import detached

        say(
            f"The emulator (process {detached.stop(state_directory(directory))}) has saved its state and ended.",
            err=True,
        )


@app.command()
def advance(
    by: Annotated[str, typer.Argument(help="How long: 90d, 12h, 30m, 45s.")],
    directory: Where = None,
) -> None:
    """Let time pass at once, for everything in the emulator."""
    from local_azure.environment import expire_tokens

    answer = ask_running(directory, "POST", "/clock", {"advance": _seconds(by)})
    with refusals():
        expire_tokens(state_directory(directory))
    say(answer["now"])


def _seconds(text: str) -> float:
    found = _DURATION.fullmatch(text)
    if not found or not any(found.groups()):
        raise typer.BadParameter(
            f"{text!r} is no duration: write 90d, 12h, 30m, 45s, or several of them, the longest first: 1d12h"
        )
    return timedelta(**{unit: int(number) for unit, number in found.groupdict(default="0").items()}).total_seconds()


app.command("move-host")(move_host)
for _command in (refused, dump, push, subscription, fault):
    app.command()(_command)
