"""Text for people on a terminal: wrapped between words, and coloured; in a pipe it stays as it is.

Commands between back ticks are never wrapped, so that they can be copied. rich leaves colour out if NO_COLOR is set, or
if the terminal has none.
"""

import re
import sys
import textwrap
from shutil import get_terminal_size

from rotator.visible import escaped

_COMMAND = re.compile(r"`[^`\n]+`")
_HANGING = re.compile(r" *(?:\S+ {2,}|[a-z]+ [a-z]+ {2,}|\d+\. )?")
_TABLE = re.compile(r"\S {2,}\S+(?: \S+)* {2,}\S")
"""Pattern of a table's line, which is not wrapped."""
_KEPT = "\u00a0"
"""Stands for a blank of a command while a line is wrapped."""
STYLES = (
    (r"^ *(?:POLICY|VERSION|GROUP|PUBLISHED) .*|^published .* UTC$", "bold"),
    (r"COMPROMISED CREDENTIAL STILL WORKS|^  (?:failed|refused|overdue) ", "bold red"),
    (r"^\S+ +(COMPROMISED|unreadable|overdue|blocked)(?=,? )", "red"),
    (r"^\S+ +(due|waiting)(?=,? )", "yellow"),
    (r"^  (?:waits|due now|restarts) ", "yellow"),
    (r"^\S+ +(resting)(?=,? )|^  done ", "green"),
    (r"^  (?:note|next due|notes) |^State: |^What to do: ", "cyan"),
    (r"^(?=\S)[^\s:]+: (?=.*\(exit 0\)$)", "bold green"),
    (r"^(?=\S)[^\s:]+: (?=.*\(exit [1-9]\)$)", "bold red"),
    (r"`[^`\n]+`", "bold"),
)
"""Patterns of the coloured parts of a line."""


def on_terminal() -> bool:
    """Tell if stdout is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def columns() -> int | None:
    """Return the columns of the terminal, or COLUMNS; None in a pipe, where a table is as wide as it needs to be."""
    return get_terminal_size().columns if on_terminal() else None


def show(text: str) -> None:
    """Write a text to the terminal. Raises OSError."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    shown = Text(wrapped(escaped(text, keep="\n\t"), console.width))
    for pattern, style in STYLES:
        for match in re.finditer(pattern, shown.plain, re.MULTILINE):
            shown.stylize(style, *match.span(match.lastindex or 0))
    console.print(shown)


def wrapped(text: str, width: int) -> str:
    """Return the text with lines of at most `width` columns, where words and commands allow; later lines hang."""
    return "\n".join(_line(line, width) for line in text.split("\n"))


def _line(line: str, width: int) -> str:
    if len(line) <= width or _TABLE.search(line.strip()):
        return line
    found = _HANGING.match(line)
    indent = found.end() if found else 0
    kept = _COMMAND.sub(lambda command: command[0].replace(" ", _KEPT), line[indent:])
    rest = textwrap.wrap(kept, max(width - indent, 20), break_long_words=False, break_on_hyphens=False)
    return f"\n{' ' * indent}".join([line[:indent] + rest[0], *rest[1:]]).replace(_KEPT, " ") if rest else line
