"""Output of the story: plain lines, also readable in a log, with colour on a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text


@dataclass(slots=True)
class Voice:
    """Printer with a record of its output.

    The record lets the story check for secrets in the output.
    """

    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    said: list[str] = field(default_factory=list)
    failed: int = 0

    def say(self, text: str = "", style: str = "") -> None:
        """Print and record one line."""
        self.said.append(text)
        self.console.print(Text(text, style=style))

    def chapter(self, number: int, title: str, why: str) -> None:
        """Print a chapter's title and reason."""
        self.say()
        self.say(f"{number}. {title}", "bold")
        for line in why.splitlines():
            self.say(f"   {line}")

    def command(self, text: str) -> None:
        """Print a command line before its run."""
        self.say(f"   $ {text}", "bold cyan")

    def output(self, line: str) -> None:
        """Print a line of a command's output or of a file."""
        self.say(f"   | {line}", "dim")

    def claim(self, text: str, held: bool) -> None:
        """Print a claim, marked as true or false, and count the false ones."""
        self.failed += not held
        self.say(f"   {'✓' if held else '✗'} {text}", "green" if held else "bold red")

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Print columns side by side; the first row is the head."""
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for number, row in enumerate(rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.say(f"   {'   '.join(cells)}".rstrip(), "" if number else "bold")
