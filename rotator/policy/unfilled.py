"""Lines of a draft that wait for a person: a policy isn't one before they are gone."""

import re
from collections.abc import Iterator

from rotator.errors import Mistake
from rotator.policy.located import plain
from rotator.secret import ENTRA_SECRET

FILL = "# FILL IN"
"""Beginning of every line that waits for a person."""
_LINE = re.compile(rf"^[ \t]*(?P<mark>{FILL})\b:?[ \t]*(?P<what>.*)$", re.MULTILINE)


def waiting_lines(text: str, file: str) -> Iterator[Mistake]:
    """Yield a mistake for each line that waits, with what it asks for."""
    if FILL not in text:
        return
    for found in _LINE.finditer(text):
        line, column = text.count("\n", 0, found.start()) + 1, found.start("mark") - found.start() + 1
        what = "" if ENTRA_SECRET.search(found["what"]) else plain(found["what"].strip(), 300)
        remedy = (
            f"Fill in: {what} Then remove this line."
            if what
            else "Do what the lines below it say, then remove this line."
        )
        yield Mistake(file, line, column, "", "", "not filled in yet", remedy)
