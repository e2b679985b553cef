"""The options that every command has, so that they are declared, documented and acted upon once."""

import functools
import inspect
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec

import typer

if TYPE_CHECKING:
    from rotator.policy import Draft, Policy

P = ParamSpec("P")


class Output(StrEnum):
    """How a result is written."""

    text = "text"
    json = "json"


class LogFormat(StrEnum):
    """How progress and logs are written."""

    text = "text"
    json = "json"


class Cloud(StrEnum):
    """Which Azure."""

    public = "public"
    usgov = "usgov"
    china = "china"


@dataclass(frozen=True, slots=True)
class Common:
    """What every command was given."""

    command: str
    policies: Path
    output: Output
    cloud: Cloud
    verbose: int
    log_format: LogFormat

    def load(self, names: tuple[str, ...] = ()) -> "tuple[Policy, ...]":
        """The policies called `names`, or all. Raises PolicyError."""
        from rotator.policy import load

        return load(self.policies, names, self.cloud.value)

    def load_any(self) -> "tuple[Policy, ...]":
        """All policies; none where there are none yet. Raises PolicyError."""
        from rotator.policy import load

        return load(self.policies, cloud=self.cloud.value, required=False)

    def load_draft(self, name: str) -> "Policy | Draft":
        """The one policy called `name`, which may lack its app id. Raises PolicyError."""
        from rotator.policy import load_draft

        return load_draft(self.policies, name, self.cloud.value)

    def write(self, text: Callable[[], str], body: Callable[[], dict[str, Any]], code: int = 0) -> None:
        """Put the result on stdout in the form that was asked for, and end with `code`."""
        from rotator.report.words import document

        shown = text() if self.output is Output.text else json.dumps(document(self.command, code, **body()), indent=2)
        if shown and not _said(shown):
            raise typer.Exit(code or 1)
        if code:
            raise typer.Exit(code)


def _said(text: str) -> bool:
    """Put it on stdout. Where that is closed or full, say so on stderr: what was done is done, and its exit code still tells of it."""
    try:
        typer.echo(text)
    except OSError as error:
        with suppress(OSError):
            typer.echo(f"The report could not be written ({error.strerror}). What was done is done; `rotator status` shows how things are.", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # lest the end of the program try it once more
        return False
    return True


Policies = Annotated[Path, typer.Option("--policies", envvar="ROTATOR_POLICIES", metavar="DIR", help="Directory of the policies.")]
Shape = Annotated[Output, typer.Option("--output", help="How to write the result.")]
Where = Annotated[Cloud, typer.Option("--cloud", envvar="ROTATOR_CLOUD", help="Which Azure.")]
Verbose = Annotated[int, typer.Option("--verbose", "-v", count=True, help="Log to stderr: -v what rotator does, -vv every request too.")]
Logs = Annotated[LogFormat, typer.Option("--log-format", help="How to write progress and logs; json: one object a line.")]

Names = Annotated[list[str] | None, typer.Argument(metavar="NAMES", help="Names of policies (file names without .yaml); all, if none is given.")]
Name = Annotated[str, typer.Argument(metavar="POLICY", help="Name of a policy: its file name without .yaml.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
Leases = Annotated[
    Path | None,
    typer.Option(
        "--lease-dir", envvar="ROTATOR_LEASE_DIR", metavar="DIR", help="Where runs lock each other out.", show_default="~/.local/state/rotator"
    ),
]


def _shared(
    policies: Policies = Path("policies"),
    output: Shape = Output.text,
    cloud: Where = Cloud.public,
    verbose: Verbose = 0,
    log_format: Logs = LogFormat.text,
) -> None:
    """The signature that every command's own is extended by."""


def command(body: Callable[Concatenate[Common, P], None]) -> Callable[..., None]:
    """Give a command the common options, its logs, and an end that its exit code is true of."""
    own = list(inspect.signature(body).parameters.values())[1:]
    common = inspect.signature(_shared).parameters
    name = body.__name__.strip("_")

    @functools.wraps(body)
    def extended(**given: Any) -> None:
        from rotator.cli import failures, logs

        shared = Common(name, **{option: given.pop(option) for option in common})
        logs.configure(shared.verbose, as_json=shared.log_format is LogFormat.json)
        with failures.reported(shared):
            body(shared, **given)  # type: ignore[call-arg]

    extended.__signature__ = inspect.Signature([*own, *common.values()])  # type: ignore[attr-defined]
    extended.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *common.values())}
    return extended


def ask(question: str, yes: bool) -> None:
    """Go on only if a person agrees: on a terminal by an answer, elsewhere by ``--yes``."""
    if yes:
        return
    if not on_terminal():
        raise typer.BadParameter("this asks before it changes anything, and there is no terminal to ask on; add --yes to agree beforehand")
    typer.confirm(question, abort=True, err=True)


def on_terminal() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin is not None and sys.stdin.isatty()
