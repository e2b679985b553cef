"""What every command was given, and where its result goes."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rotator.cli import ends
from rotator.cli.say import say

if TYPE_CHECKING:
    from rotator.policy import Draft, Policy


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
    """Put it on stdout. Where that is full, say so on stderr: what was done is done, and its exit code still tells of it."""
    try:
        say(text)
    except OSError as error:
        ends.unwritten(error, "The report", " What was done is done; `rotator status` shows how things are.")
        return False
    return True
