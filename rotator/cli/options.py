"""Common options of every command: declared, documented and applied in one place."""

import functools
import inspect
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from rotator.cli import completing, failures, logs, terminal
from rotator.cli.invocation import CloudName, Common, LogFormat, Output
from rotator.visible import escaped

P = ParamSpec("P")
ANSWER = " [y/N]: y"
"""What a question of typer ends with, and an answer."""


Policies = Annotated[
    Path, typer.Option("--policies", envvar="ROTATOR_POLICIES", metavar="DIR", help="Directory of the policies.")
]
Shape = Annotated[Output, typer.Option("--output", "-o", help="How to write the result.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print only if a person is needed: nothing if the exit code is 0 or 4.")
]
Where = Annotated[CloudName, typer.Option("--cloud", envvar="ROTATOR_CLOUD", help="Which Azure.")]
Verbose = Annotated[
    int, typer.Option("--verbose", "-v", count=True, help="Log to stderr: -v what rotator does, -vv every request too.")
]
Logs = Annotated[
    LogFormat, typer.Option("--log-format", help="How to write progress and logs; json: one object a line.")
]

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAMES",
        help="Names of policies (file names without .yaml); all, if none is given.",
        autocompletion=completing.policies,
    ),
]
Name = Annotated[
    str,
    typer.Argument(
        metavar="POLICY",
        help="Name of a policy: its file name without .yaml.",
        autocompletion=completing.policies,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
Leases = Annotated[
    Path | None,
    typer.Option(
        "--lease-dir",
        envvar="ROTATOR_LEASE_DIR",
        metavar="DIR",
        help="Directory of the locks that prevent two runs of one policy at once.",
        show_default="~/.local/state/rotator",
    ),
]
Container = Annotated[
    str | None,
    typer.Option(
        "--lease-container",
        envvar="ROTATOR_LEASE_CONTAINER",
        metavar="URL",
        help="Container of Azure Blob Storage for locks that all machines share, in place of DIR.",
    ),
]
MaxDuration = Annotated[
    str | None,
    typer.Option("--max-duration", metavar="SPAN", help="Begin no step that can't end within this time: 10m, 1h30m."),
]
Queue = Annotated[
    str,
    typer.Option("--queue", envvar="ROTATOR_QUEUE", metavar="URL", help="The queue: one of Azure Queue Storage."),
]


def _shared(
    policies: Policies = Path("policies"),
    output: Shape = Output.text,
    cloud: Where = CloudName.public,
    verbose: Verbose = 0,
    quiet: Quiet = False,
    log_format: Logs = LogFormat.text,
) -> None:
    """Carry the signature of the common options, added to every command's own."""


def command(body: Callable[Concatenate[Common, P], None]) -> Callable[..., None]:
    """Give the command of a module the common options, logs, and an end with a truthful exit code."""
    own = list(inspect.signature(body).parameters.values())[1:]
    common = inspect.signature(_shared).parameters
    name = body.__module__.rpartition(".")[2]

    @functools.wraps(body)
    def extended(**given: Any) -> None:
        shared = Common(name, **{option: given.pop(option) for option in common})
        logs.configure(shared.verbose, quiet=shared.quiet, as_json=shared.log_format is LogFormat.json)
        with failures.reported(shared):
            body(shared, **given)  # type: ignore[call-arg]

    extended.__signature__ = inspect.Signature([*own, *common.values()])  # type: ignore[attr-defined]
    extended.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *common.values())}
    return extended


def repeated(context: typer.Context, *options: str) -> tuple[tuple[str, str], ...]:
    """Return those options given on this command line, with their values.

    A command printed as advice must repeat these options.
    """
    sources = {name: context.get_parameter_source(name) for name in options}
    given = [name for name, source in sources.items() if source and source.name == "COMMANDLINE"]
    return tuple((name, str(context.params[name])) for name in given)


def span(text: str | None) -> timedelta | None:
    """Return the span of ``--max-duration``. Raises BadParameter."""
    from rotator.policy.durations import parse

    try:
        return parse(text) if text else None
    except ValueError as error:
        raise typer.BadParameter(f"--max-duration {text}: {error}; write 10m, 1h30m or 45s") from error


def ask(question: str, yes: bool) -> None:
    """Ask a person to agree, on a terminal; without a terminal, require ``--yes``. End the command on a no.

    ^C at the question is an interruption and no answer. Raises KeyboardInterrupt.
    """
    if yes:
        return
    if not on_terminal():
        raise typer.BadParameter(
            "this command asks before it changes anything, and there is no terminal; add --yes to confirm"
        )
    try:
        typer.confirm(terminal.before(ANSWER, escaped(question)), abort=True, err=True)
    except typer.Abort as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise


def on_terminal() -> bool:
    """Tell if stdin is a terminal, so that a person can answer a question."""
    return sys.stdin is not None and sys.stdin.isatty()
