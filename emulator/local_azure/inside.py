"""Commands that look inside a running emulator, or change it as no client can."""

import json
import re
from typing import Annotated

import typer

from local_azure.options import Output, Shape, Where, ask_running, refusals, say, state_directory, write


def move_host(
    group: Annotated[str, typer.Argument(help="Resource id of the container group.")], directory: Where = None
) -> None:
    """Let the platform move a container group, which pulls again; exit 1 if its stored credential is refused."""
    if not ask_running(directory, "POST", "/move-host", {"id": group})["moved"]:
        say("The pull was refused; see `local-azure refused`.", err=True)
        raise typer.Exit(1)
    say("Moved: the group pulled again and runs.")


def refused(directory: Where = None, output: Shape = Output.text) -> None:
    """List every pull that was refused."""
    found = ask_running(directory, "GET", "/refused")["value"]
    write(
        found,
        output,
        lambda: "\n".join("  ".join(str(value) for value in pull.values()) for pull in found) or "No pull was refused.",
    )


def dump(
    directory: Where = None,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Everything as it is stored, passwords and keys too.")
    ] = False,
) -> None:
    """Print all that the emulator holds, as JSON."""
    say(json.dumps(ask_running(directory, "GET", f"/state?secrets={str(secrets).lower()}"), indent=2))


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
        ask_running(directory, "POST", "/images", {name: value for name, value in body.items() if value is not None})[
            "digest"
        ]
    )


def subscription(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="A GUID.")],
    directory: Where = None,
    name: Annotated[str, typer.Option(help="Its display name.")] = "Another subscription",
) -> None:
    """Make another subscription, whose owner is the identity `admin`; az sees it after `az account list --refresh`."""
    with refusals():
        owner = state_directory(directory).seeded().admin.object_id
    say(ask_running(directory, "POST", "/subscriptions", {"id": identifier, "name": name, "owner": owner})["id"])


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
        ask_running(directory, "DELETE", "/faults")
    elif operation is None:
        say(json.dumps(ask_running(directory, "GET", "/faults"), indent=2))
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
        ask_running(directory, "POST", "/faults", body if message is None else {**body, "message": message})


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise typer.BadParameter(f"{text!r} is no header: write 'Name: value'")
    return name.strip(), value.strip()
