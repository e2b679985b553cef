"""Common parts of reports: instants, names, indented paragraphs, and the frame of the JSON form."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rotator.errors import ALIKE, Limited, Mistake, PolicyError, RotatorError, listed
from rotator.visible import one_line

if TYPE_CHECKING:
    from rotator.policy import Unserved

VERSION = 1
"""Version of the JSON form of every command's result."""
MOST_NAMES = 10
"""Names of policies in one line."""
WHOLE = ("run", "observe")
"""Steps of a failure that concerns a policy as a whole."""
INDENT = "  "
LABEL = 11
"""Width of the first column of a report: the longest label and a space."""


def document(command: str, exit_code: int, **body: Any) -> dict[str, Any]:
    """Return the common frame of every command's JSON."""
    return {"version": VERSION, "command": command, "exit_code": exit_code, **body}


def error_body(error: RotatorError) -> dict[str, Any]:
    """Return a diagnosis in the JSON form; for an error in policies, with every mistake listed."""
    found = error.diagnose()
    body: dict[str, Any] = {
        "type": type(error).__name__,
        "happened": found.happened,
        "state": found.state,
        "remedy": found.remedy,
    }
    if isinstance(error, PolicyError):
        body["mistakes"] = [mistake_body(mistake) for mistake in error.mistakes]
    if isinstance(error, Limited):
        body["next_due"] = instant(error.until)
    return body


def mistake_body(mistake: Mistake) -> dict[str, Any]:
    """Return a mistake in a policy in the JSON form."""
    return {
        place: getattr(mistake, place) for place in ("file", "line", "column", "path", "value", "problem", "remedy")
    }


def unserved_text(unserved: "Sequence[Unserved]") -> str:
    """Return the policies not served, with their mistakes; a mistake of defaults once for all that extend them."""
    extending: dict[tuple[Mistake, ...], list[str]] = {}
    for one in unserved:
        if one.inherited:
            extending.setdefault(one.inherited, []).append(one.name)
    shared = [block(_extended(wrong, names), _wrong(wrong)) for wrong, names in extending.items()]
    own: dict[tuple[Any, ...], list[tuple[str, list[Mistake]]]] = {}
    for one in unserved:
        if wrong := [each for each in one.mistakes if each not in one.inherited]:
            own.setdefault(tuple(each.kind for each in wrong), []).append((one.name, wrong))
    return "\n\n".join((*shared, *(each for alike in own.values() for each in _unserved(alike))))


def _unserved(alike: Sequence[tuple[str, Sequence[Mistake]]]) -> Iterator[str]:
    """Yield a paragraph for each policy, or a single one if more than a few have the same mistakes."""
    if len(alike) <= ALIKE:
        yield from (block(f"{name}: not served (exit 2)", _wrong(wrong)) for name, wrong in alike)
    else:
        wrong = listed([each for _, mistakes in alike for each in mistakes])
        yield block(f"{_names([name for name, _ in alike])}: not served (exit 2)", _wrong(wrong))


def _extended(wrong: Sequence[Mistake], names: Sequence[str]) -> str:
    files = ", ".join(dict.fromkeys(each.file for each in wrong))
    return f"{files}: extended by {_names(names)}, not served (exit 2)"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(names[:MOST_NAMES])}{more}"


def _wrong(mistakes: Iterable[object]) -> Iterator[str]:
    return (entry("" if number else "wrong", str(mistake)) for number, mistake in enumerate(mistakes))


def unserved_body(one: "Unserved") -> dict[str, Any]:
    """Return a policy not served in the JSON form."""
    return {"policy": one.name, "file": one.file, "mistakes": [mistake_body(mistake) for mistake in one.mistakes]}


def instant(at: datetime | None) -> str | None:
    """Return an instant in the JSON form."""
    return at.isoformat().replace("+00:00", "Z") if at else None


def name_of(resource: str) -> str:
    """Return the last part of a resource id: the name known to people."""
    return resource.rstrip("/").rsplit("/", 1)[-1]


def entry(label: str, text: str, *more: str) -> str:
    """Return a labelled paragraph.

    `text` is kept on one line, even if a name in the text holds a line end; the lines of `more` stand below.
    """
    lines = [
        *filter(None, [one_line(text)]),
        *(each for part in more if part for each in part.rstrip("\n").split("\n")),
    ]
    margin = "\n" + INDENT + " " * LABEL
    return f"{INDENT}{label:<{LABEL}}{margin.join(lines)}"


def failed_text(policy: str, error: RotatorError) -> str:
    """Return the report of a policy without a view: the failure."""
    found = error.diagnose()
    return block(policy, [entry("failed", *refusal(found.happened, found.state, found.remedy))])


def refusal(happened: str, state: str, remedy: str) -> tuple[str, str, str]:
    """Return the three paragraphs of a diagnosis, ready for `entry`."""
    return happened, f"State: {one_line(state)}", f"What to do: {remedy}"


def block(head: str, entries: Iterable[str]) -> str:
    """Return a headline and the entries below."""
    return "\n".join([head, *entries])


def lines_of(text: str, width: int, *, hanging: int = 0, first: int = 0) -> list[str]:
    """Return the lines of a text within `width` columns.

    No word, no command between back ticks and no number with its unit is broken.

    Later lines hang by `hanging` columns, or less where a word needs the room; the first one begins after `first`
    columns that are not part of the text.
    """
    kept = _WHOLE_PART.sub(lambda part: part[0].replace(" ", _KEPT), text)
    lines = textwrap.wrap(
        kept,
        max(width, hanging + 20),
        initial_indent=" " * first,
        subsequent_indent=" " * hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
    told = [line.replace(_KEPT, " ")[0 if number else first :] for number, line in enumerate(lines)]
    if first and len(told) > 0 and first + len(told[0]) > width:
        told = ["", " " * hanging + told[0], *told[1:]]
    return [line if len(line) <= width or not number else _moved_left(line, width) for number, line in enumerate(told)]


def _moved_left(line: str, width: int) -> str:
    """Return the line of a word that doesn't fit behind its margin, with as much of the margin as fits."""
    word = line.lstrip()
    return " " * max(width - len(word), 0) + word


_WHOLE_PART = re.compile(r"`[^`\n]+`|\b\d+ (?:s|min|h|days?|minutes?|hours?|UTC)\b|\b\d\d:\d\d UTC\b")
"""Part of a text that is wrapped as a whole: a command, a number with its unit, a time of day with its zone."""
_KEPT = "\u00a0"
"""Stands for a blank of such a part while a line is wrapped."""
_CHANGING = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d[\d:.TZ-]*", re.IGNORECASE)


def sentence(text: str) -> str:
    """Return a sentence with its full stop."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def constant(text: str) -> str:
    """Return a message without its parts that differ although the trouble is the same: ids and times."""
    return _CHANGING.sub("#", text)
