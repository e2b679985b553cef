"""Report the failure of a command, and choose the exit code.

For people: three paragraphs on stderr. For programs: an object on stdout.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from rotator.cli import INTERRUPTED, streams
from rotator.cli.interrupt import Interrupted
from rotator.cli.invocation import Common, LogFormat, Output
from rotator.cli.output import event_line, say
from rotator.cli.terminal import after, tell, tell_interrupted
from rotator.errors import LeaseHeld, PolicyError, RotatorError, UnsafeStep
from rotator.visible import one_line

USAGE = "Error: Invalid value: "
"""Words of typer before the message of a usage error."""


@contextmanager
def reported(common: Common) -> Iterator[None]:
    """Turn every error of a command into a diagnosis and an exit code.

    Errors of Typer pass through.
    """
    try:
        yield
    except RotatorError as error:
        _report(common, error)
        raise typer.Exit(common.ended(code(error))) from None
    except OSError as error:
        _report(common, _unusable(error))
        raise typer.Exit(common.ended(1)) from None
    except typer.BadParameter as error:
        message = one_line(error.message)
        _object(common, 2, _body("UsageError", message, "Nothing was changed.", "Correct the command."))
        error.message = after(USAGE, message)
        raise
    except (typer.Exit, typer.Abort):
        raise
    except Interrupted as error:
        _interrupted(common, error)
        raise typer.Exit(128 + error.number) from None
    except KeyboardInterrupt:
        happened, remedy = (
            "Interrupted.",
            "Nothing is lost: the next run reads the state of Azure and goes on from there.",
        )
        body = _body("Interrupted", happened, "Steps that were reported as done are done.", remedy)
        _object(common, INTERRUPTED, body)
        tell_interrupted(f"{happened} {remedy}")
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:  # noqa: BLE001 - the last one to whom a bug can be told
        from rotator.fleet import unexpected

        _report(common, unexpected(error))
        raise typer.Exit(common.ended(1)) from None


def _unusable(error: OSError) -> RotatorError:
    from rotator.fleet import exhausted

    if spent := exhausted(error):
        return spent
    what = f"{error.filename or 'this machine'}: {error.strerror or type(error).__name__}"
    state = "Steps that were reported as done are done."
    return RotatorError(what, state=state, remedy="Make it usable, then run again.")


def _body(kind: str, happened: str, state: str, remedy: str) -> dict[str, str]:
    return {"type": kind, "happened": happened, "state": state, "remedy": remedy}


def _interrupted(common: Common, error: Interrupted) -> None:
    happened, remedy = (
        f"Interrupted by {error}.",
        "Run again: the next run reads the state of Azure and goes on from there.",
    )
    state = (
        "; ".join(error.left)
        or "steps that were reported as done are done, and rotator waited for the request that was under way."
    )
    body = {"type": "Interrupted", "happened": happened, "state": state, "remedy": remedy}
    _tell(common, 128 + error.number, body, f"{happened}\nState: {state}\nWhat to do: {remedy}")


def code(error: RotatorError) -> int:
    """Return the exit code for an error of rotator."""
    match error:
        case PolicyError():
            return 2
        case UnsafeStep():
            return 3
        case LeaseHeld():
            return 4
        case _:
            return 1


def _report(common: Common, error: RotatorError) -> None:
    from rotator.report.words import error_body

    _tell(common, code(error), error_body(error), str(error.diagnose()))
    common.tell_unserved(code(error))


def _tell(common: Common, exit_code: int, body: dict[str, Any], text: str) -> None:
    """Write an error: for programs to stdout, and for people, or as an event, to stderr."""
    _object(common, exit_code, body)
    if common.log_format is LogFormat.json:
        say(event_line("error", body), err=True)
    else:
        tell(text)


def _object(common: Common, exit_code: int, body: dict[str, Any]) -> None:
    """Write an error to stdout as JSON, if the output is JSON."""
    if common.output is Output.json:
        try:
            each = [{"policy": name, "exit_code": exit_code, "error": body} for name in common.unseen]
            more = {"policies": each} if each else {}
            say(json.dumps(common.object(exit_code, error=body, **more), indent=2))
        except OSError:
            streams.silence(1)  # the same is on stderr
