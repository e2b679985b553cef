"""Common options of a command, and the way its result is written."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rotator.cli import INTERRUPTED, streams, terminal
from rotator.cli.output import event_line, say

if TYPE_CHECKING:
    from rotator.errors import Mistake
    from rotator.policy import Draft, Gathered, Policy, Unserved

MOST_WARNINGS = 20
"""Lines that are said of policies that a command isn't about."""


UNATTENDED = (0, 4, 5)
"""Exit codes that need no person."""


class Output(StrEnum):
    """Form of a result."""

    text = "text"
    json = "json"


class LogFormat(StrEnum):
    """Form of progress and logs."""

    text = "text"
    json = "json"


class CloudName(StrEnum):
    """Azure cloud to work in."""

    public = "public"
    usgov = "usgov"
    china = "china"


@dataclass(frozen=True, slots=True)
class Common:
    """Common options of every command."""

    command: str
    policies: Path
    output: Output
    cloud: CloudName
    verbose: int
    quiet: bool
    log_format: LogFormat

    unserved: "list[Unserved]" = field(default_factory=list)
    """The policies that were asked for and can't be served, while others are: every report and exit code tells of them.
    """
    unseen: list[str] = field(default_factory=list)
    """Names of the policies that an error concerns which ends the command: all of them, or none."""
    refused: "list[Unserved]" = field(default_factory=list)
    """The policies that were asked for, if not one of them can be served: then that is the error."""

    @property
    def silent_progress(self) -> bool:
        """Tell if progress is left out: what a person needs is in the report."""
        return self.quiet and self.log_format is LogFormat.text

    def load(self, names: tuple[str, ...] = (), *, required: bool = True) -> "tuple[Policy, ...]":
        """Return the valid policies among `names`, or among all. Raises PolicyError if none is valid.

        Unless `required`, an empty or missing directory is no error.
        """
        return self.gather(names, required=required).policies

    def gather(self, names: tuple[str, ...] = (), *, required: bool = True) -> "Gathered":
        """Return the same policies with all that was written about them. Raises PolicyError if none is valid."""
        from rotator.policy import gather

        return self._taken(gather(self.policies, names, self.cloud.value, required=required))

    def load_draft(self, name: str) -> "Policy | Draft":
        """Return the one policy called `name`, complete or without an app id. Raises PolicyError."""
        from rotator.policy import gather

        found = self._taken(gather(self.policies, (name,), self.cloud.value, drafts=True))
        return found.policies[0] if found.policies else found.drafts[0]

    def _taken(self, found: "Gathered") -> "Gathered":
        from rotator.errors import PolicyError

        self._warn(found.beside)
        if found.unserved and not (found.policies or found.drafts):
            self.refused[:] = found.unserved
            raise PolicyError(found.mistakes)
        self.unserved[:] = found.unserved
        return found

    def _warn(self, mistakes: "Sequence[Mistake]") -> None:
        """Report on stderr the mistakes in policies outside this command."""
        from rotator.report.words import mistake_body

        for mistake in () if self.silent_progress else mistakes[:MOST_WARNINGS]:
            as_json = self.log_format is LogFormat.json
            self._tell(event_line("mistake", mistake_body(mistake)) if as_json else f"warning: {mistake}")
        if len(mistakes) > MOST_WARNINGS and self.log_format is LogFormat.text and not self.quiet:
            self._tell(
                f"warning: {len(mistakes) - MOST_WARNINGS} more mistakes in other policies; `rotator validate` shows"
                " them"
            )

    def write(self, text: Callable[[], str], body: Callable[[], dict[str, Any]], code: int = 0) -> None:
        """Write the result and the policies not served to stdout, in the requested form, and end the command.

        The exit code is `code`, or 2 if a policy couldn't be served.
        """
        from rotator.report.words import unserved_text

        whole = text() if self.output is Output.text else json.dumps(self.object(code, **body()), indent=2)
        beside = unserved_text(self.unserved) if self.output is Output.text else ""
        shown = "" if self.silent(code) else "\n\n".join(part for part in (whole, beside) if part)
        told = not shown or _said(shown, plain=self.output is Output.text)
        self.tell_unserved(code)
        if ended := self.ended(code) or (0 if told else 1):
            raise typer.Exit(ended)

    def silent(self, code: int) -> bool:
        """Tell if nothing is to be printed: no person is needed, and only then was asked for output."""
        return self.quiet and self.ended(code) in UNATTENDED

    def ended(self, code: int) -> int:
        """Return the final exit code, given `code` of the served policies: 2 if a policy couldn't be served.

        An interruption keeps its own exit code.
        """
        return 2 if self.unserved and code < INTERRUPTED else code

    def object(self, code: int, **body: Any) -> dict[str, Any]:
        """Return the result for programs.

        The result holds every applicable exit code, and all mistakes in policies.
        """
        from rotator.report.words import document, unserved_body

        codes = list(dict.fromkeys(each for each in (self.ended(code), code) if each))
        return document(
            self.command,
            self.ended(code),
            exit_codes=codes,
            **body,
            errors=[unserved_body(one) for one in self.unserved],
        )

    def tell_unserved(self, code: int) -> None:
        """Report on stderr, last, the policies not served, and the exit code of the served ones.

        So neither exit code hides the other.
        """
        if self.unserved:
            self._tell(self._ending(code))

    def _ending(self, code: int) -> str:
        from rotator.errors import PolicyError
        from rotator.report.words import error_body

        state = f"The run over the other policies ended with {code}."
        if self.log_format is LogFormat.json:
            mistakes = dict.fromkeys(mistake for one in self.unserved for mistake in one.mistakes)
            error = PolicyError(tuple(mistakes), state=state)
            return event_line("error", error_body(error))
        names = ", ".join(one.name for one in self.unserved[:MOST_WARNINGS])
        more = f" and {len(self.unserved) - MOST_WARNINGS} more" if len(self.unserved) > MOST_WARNINGS else ""
        return f"exit 2: mistakes in the policies of {names}{more}, which were not served. {state}"

    def _tell(self, text: str) -> None:
        """Write a text for people, or an event in its JSON form, to stderr, if stderr takes it."""
        with suppress(OSError):
            say(text, err=True) if self.log_format is LogFormat.json else terminal.tell(text)


def _said(text: str, *, plain: bool) -> bool:
    """Write a text to stdout; return False if stdout takes no more. A `plain` text is one for people.

    In this case, report so on stderr: the work is done, and the exit code still tells the result.
    """
    try:
        terminal.show(text) if plain and terminal.on_terminal() else say(text)
    except OSError as error:
        streams.unwritten(error, "The report", " Finished steps are done; `rotator status` shows the present state.")
        return False
    return True
