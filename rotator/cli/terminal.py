"""Text for people on a terminal: wrapped between words, and coloured; in a pipe it stays as it is.

Commands and lines for a policy can be copied: those after `$` are continued as a shell wants it, those between back
ticks and YAML are never wrapped. rich leaves colour out if NO_COLOR is set, or if the terminal has none.
"""

import re
import sys
from shutil import get_terminal_size

from rotator.cli.output import say
from rotator.visible import escaped

_HANGING = re.compile(r" *(?:\S+ {2,}|[a-z]+ [a-z]+ {2,}|\d+\. )?")
_TABLE = re.compile(r"\S {2,}\S+(?: \S+)* {2,}\S")
"""Pattern of a table's line, which is not wrapped."""
_YAML = re.compile(r" {14,}(?:- |# |(?:\"[^\"]*\"|'[^']*'|[^\s:]+):(?: |$))")
"""Pattern of a line of a policy, which stands deeper than a report's text."""
_SHELL = re.compile(r" +\$ ")
_WORD = re.compile(r"""(?:'[^']*'|"\$\(|\)"|"(?!\$\()[^"]*"|\\.|[^\s"'])+""")
"""Pattern of a word of a command, or of a command within the command."""
CONTINUED = " \\"
_PLACE = re.compile(r"(?:warning: )?\S+:\d+:\d+: |\d{4}-\d\d-\d\dT\S+Z ")
"""Pattern of a place before a mistake, or of a time before a line of a log; their later lines hang a little."""
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


def show(text: str, *, err: bool = False) -> None:
    """Write a text to the terminal at stdout or stderr. Raises OSError."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True, stderr=err)
    shown = Text(wrapped(escaped(text, keep="\n\t"), console.width))
    for pattern, style in STYLES:
        for match in re.finditer(pattern, shown.plain, re.MULTILINE):
            shown.stylize(style, *match.span(match.lastindex or 0))
    console.print(shown)


def told_on_terminal() -> bool:
    """Tell if stderr is a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()


def tell(text: str) -> None:
    """Write a text for people to stderr: wrapped and coloured on a terminal, plain elsewhere. Raises OSError."""
    show(text, err=True) if told_on_terminal() else say(text, err=True)


def tell_interrupted(text: str) -> None:
    """Write a text about a signal to stderr: on a terminal below the line where it shows ``^C``. Raises OSError."""
    tell(f"\n{text}" if told_on_terminal() else text)


def after(lead: str, text: str) -> str:
    """Return a text that stands on stderr after `lead`, wrapped if that is a terminal."""
    return wrapped(f"{lead}{text}", get_terminal_size().columns)[len(lead) :] if told_on_terminal() else text


def before(answer: str, question: str) -> str:
    """Return a question on stderr that leaves room for its answer, wrapped if that is a terminal."""
    return wrapped(question, get_terminal_size().columns - len(answer)) if told_on_terminal() else question


def wrapped(text: str, width: int) -> str:
    """Return the text with lines of at most `width` columns, where words and commands allow; later lines hang."""
    return "\n".join(_line(line, width) for line in text.split("\n"))


def _line(line: str, width: int) -> str:
    if len(line) <= width or _YAML.match(line) or _TABLE.search(line.strip()):
        return line
    if shell := _SHELL.match(line):
        return _continued(line[shell.end() :], width - shell.end(), shell[0])
    from rotator.report.words import lines_of

    found = _HANGING.match(line)
    indent = found.end() if found else 0
    hanging = 2 if _PLACE.match(line) else indent
    lines = lines_of(line[indent:], width, hanging=hanging, first=indent)
    return "\n".join([line[:indent] + lines[0], *lines[1:]]) if lines else line


def _continued(command: str, room: int, prompt: str) -> str:
    """Return a command in lines that a shell takes for one; as it is, if its words can't be told."""
    words = _WORD.findall(command)
    if " ".join(words) != command:
        return prompt + command
    lines, end = [""], len(CONTINUED)
    for part in _options(words, room - end):
        if lines[-1] and len(lines[-1]) + 1 + len(part) + end > room:
            lines.append(part)
        else:
            lines[-1] = f"{lines[-1]} {part}".lstrip()
    return prompt + f"{CONTINUED}\n{' ' * len(prompt)}".join(lines)


def _options(words: list[str], room: int) -> list[str]:
    """Return the words of a command, each option in one with its value where both have room in a line."""
    parts: list[str] = []
    for word in words:
        follows = parts and re.fullmatch(r"--[\w-]+", parts[-1]) and not word.startswith("-")
        if follows and len(parts[-1]) + 1 + len(word) <= room:
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    return parts
