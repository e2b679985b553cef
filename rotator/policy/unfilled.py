"""Lines of a draft that wait for a person: a policy isn't one before they are gone."""

import re
from collections.abc import Iterable, Iterator
from itertools import takewhile

from rotator.errors import Mistake
from rotator.policy.located import plain
from rotator.secret import ENTRA_SECRET

FILL = "# FILL IN"
"""Beginning of every line that waits for a person."""
_LINE = re.compile(rf"^[ \t]*(?P<mark>{FILL})\b:?[ \t]*(?P<what>.*)$", re.MULTILINE)


_KEY = re.compile(r"[ \t]*# (?:- )?(?P<key>[a-z_]+):(?: |$)")


def besides(mistakes: Iterable[Mistake], text: str) -> Iterator[Mistake]:
    """Yield the mistakes of a text that its waiting lines don't report already.

    Such a line reports the keys in the comments below it, and an empty list or mapping right above it.
    """
    told = set[int | str]()
    for found in _LINE.finditer(text):
        told.add(text.count("\n", 0, found.start()))
        comments = takewhile(lambda line: line.lstrip().startswith("#"), text[found.end() :].splitlines()[1:])
        told |= {f"{match['key']} is missing" for line in comments if (match := _KEY.match(line))}
    yield from (
        each for each in mistakes if each.problem not in told and not (each.line in told and each.value == "null")
    )


def waiting_lines(text: str, file: str) -> Iterator[Mistake]:
    """Yield a mistake for each line that waits, with what it asks for."""
    if FILL not in text:
        return
    for found in _LINE.finditer(text):
        line, column = text.count("\n", 0, found.start()) + 1, found.start("mark") - found.start() + 1
        what = "" if ENTRA_SECRET.search(found["what"]) else plain(found["what"].strip(), 300)
        remedy = (
            f"Fill in: {what.removesuffix('.')}. Then remove this line."
            if what
            else "Do what the lines below it say, then remove this line."
        )
        yield Mistake(file, line, column, "", "", "not filled in yet", remedy)
