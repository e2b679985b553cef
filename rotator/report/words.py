"""How reports say things: instants, names, indented paragraphs, and the frame of the JSON form."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rotator.errors import Mistake, PolicyError, RotatorError
from rotator.visible import one_line

if TYPE_CHECKING:
    from rotator.policy import Unserved

VERSION = 1
"""Version of the JSON form of every command's result."""
INDENT = "  "
LABEL = 11
"""Width of the first column of a report: the longest label and a space."""


def document(command: str, exit_code: int, **body: Any) -> dict[str, Any]:
    """The frame that every command's JSON has."""
    return {"version": VERSION, "command": command, "exit_code": exit_code, **body}


def error_body(error: RotatorError) -> dict[str, Any]:
    """A diagnosis in JSON; of policies with every mistake by itself."""
    found = error.diagnose()
    body: dict[str, Any] = {
        "type": type(error).__name__,
        "happened": found.happened,
        "state": found.state,
        "remedy": found.remedy,
    }
    if isinstance(error, PolicyError):
        body["mistakes"] = [mistake_body(mistake) for mistake in error.mistakes]
    return body


def mistake_body(mistake: Mistake) -> dict[str, Any]:
    """A mistake of a policy's author in the JSON form."""
    return {
        place: getattr(mistake, place) for place in ("file", "line", "column", "path", "value", "problem", "remedy")
    }


def unserved_text(unserved: "Sequence[Unserved]") -> str:
    """The policies that couldn't be served, beside those that could."""
    return "\n\n".join(block(f"{one.name}: not served (exit 2)", _wrong(one.mistakes)) for one in unserved)


def _wrong(mistakes: Sequence[Mistake]) -> Iterator[str]:
    return (entry("" if number else "wrong", str(mistake)) for number, mistake in enumerate(mistakes))


def unserved_body(one: "Unserved") -> dict[str, Any]:
    """The same in the JSON form."""
    return {"policy": one.name, "file": one.file, "mistakes": [mistake_body(mistake) for mistake in one.mistakes]}


def instant(at: datetime | None) -> str | None:
    """An instant in the JSON form."""
    return at.isoformat().replace("+00:00", "Z") if at else None


def name_of(resource: str) -> str:
    """The last part of a resource id, by which people know it."""
    return resource.rstrip("/").rsplit("/", 1)[-1]


def entry(label: str, text: str, *more: str) -> str:
    """A labelled paragraph: `text` is one line, whatever names are in it, and the lines of `more` stand under it."""
    lines = [
        *filter(None, [one_line(text)]),
        *(each for part in more if part for each in part.rstrip("\n").split("\n")),
    ]
    margin = "\n" + INDENT + " " * LABEL
    return f"{INDENT}{label:<{LABEL}}{margin.join(lines)}"


def failed_text(policy: str, error: RotatorError) -> str:
    """A policy of which nothing could be seen."""
    found = error.diagnose()
    return block(policy, [entry("failed", *refusal(found.happened, found.state, found.remedy))])


def refusal(happened: str, state: str, remedy: str) -> tuple[str, str, str]:
    """The three paragraphs of a diagnosis, ready for `entry`."""
    return happened, f"State: {one_line(state)}", f"What to do: {remedy}"


def block(head: str, entries: Iterable[str]) -> str:
    """A headline and what belongs to it."""
    return "\n".join([head, *entries])
