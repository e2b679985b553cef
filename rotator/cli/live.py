"""Progress on a terminal: changes stay on the screen; below, a line for each policy at work is redrawn."""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from rotator.events import (
    Event,
    Finished,
    HostAnswered,
    HostAwaited,
    Pausing,
    Proving,
    StepFailed,
    StepStarted,
    Vetoed,
)
from rotator.ports import Tell
from rotator.report.progress import NewLines, host_wait, line
from rotator.report.words import lines_of
from rotator.system import SystemClock

if TYPE_CHECKING:
    from rich.console import Group

MOST_SHOWN = 12
"""Policies at work that are shown; the rest is counted."""
FEW = 3
"""Policies at work of which each is shown with its whole work."""
ROOM = 36
"""Columns that the whole work of a policy needs beside its name; with less, it stands below the name."""


class Elapsing(Protocol):
    """Clock that measures elapsed time."""

    def elapsed(self) -> float:
        """Return seconds since a fixed moment."""
        ...


@dataclass(slots=True)
class AtWork:
    """Policies at work, each with the moment of its first event and what it does or waits for."""

    clock: Elapsing = field(default_factory=SystemClock)
    begun: float = 0.0
    lines: dict[str, tuple[float, str]] = field(default_factory=dict)
    told: NewLines = field(default_factory=NewLines)
    hosts: dict[str, tuple[float, float, str]] = field(default_factory=dict)
    """Hosts that are waited for, with beginning and end of the wait."""
    alike: int = 0
    """Failures and refusals like one that was shown; they are counted."""

    def new(self, event: Event) -> str | None:
        """Return the line that stays on the screen for a change, a failure or a refusal; None if it is like another."""
        if isinstance(event, StepFailed | Vetoed) and self.told.first(event) != event.policy:
            self.alike += 1
            return None
        passing = isinstance(event, StepStarted | Proving | Pausing | Finished | HostAwaited | HostAnswered)
        return None if passing else line(event, everything=False)

    def hear(self, event: Event) -> None:
        """Note what a policy does now; one that has finished is at work no more."""
        if isinstance(event, HostAwaited):
            now, told = self.clock.elapsed(), host_wait(event).removeprefix("waiting ")
            self.hosts[event.host] = now - event.seconds, now + event.at_most, told
        elif isinstance(event, HostAnswered):
            self.hosts.pop(event.host, None)
        elif isinstance(event, Finished):
            self.lines.pop(event.policy, None)
        elif isinstance(event, StepStarted | Proving | Pausing) and (text := line(event)):
            since = self.lines.get(event.policy, (self.clock.elapsed(), ""))[0]
            self.lines[event.policy] = since, text.removeprefix(f"{event.policy}: ")
        else:
            self.lines.setdefault(event.policy, (self.clock.elapsed(), "at work"))

    def shown(self, width: int) -> list[tuple[str, str, str]]:
        """Return name, time and work of each policy within `width` columns; of a few policies, the unshortened work."""
        now = self.clock.elapsed()
        counted = [("", "", f"{self.alike} more failed or were refused like those above")] if self.alike else []
        counted += [
            ("waiting", spent(now - since), fitted(text, max(width - 20, 20), whole=True))
            for since, until, text in self.hosts.values()
            if now <= until
        ]
        if not self.lines:
            return [*counted, ("", spent(now - self.begun), "looking at Azure …")]
        rows = sorted(self.lines.items(), key=lambda item: item[1][0])
        room = width - max(len(name) for name, _ in rows[:MOST_SHOWN]) - 10
        if len(rows) <= FEW and room < ROOM:
            return [*counted, *(("", "", below(name, spent(now - since), text, width)) for name, (since, text) in rows)]
        told = [
            (name, spent(now - since), fitted(text, max(room, 10), whole=len(rows) <= FEW))
            for name, (since, text) in rows[:MOST_SHOWN]
        ]
        rest = len(rows) - len(told)
        return [*counted, *told, *([("", "", f"and {rest} more")] if rest else [])]


def fitted(text: str, room: int, *, whole: bool) -> str:
    """Return a text within `room` columns: in lines if `whole`, else shortened; no name is broken at a hyphen."""
    if whole:
        return "\n".join(lines_of(text, room))
    return textwrap.shorten(text, room, placeholder=" …", break_on_hyphens=False)


def below(name: str, time: str, text: str, width: int) -> str:
    """Return name and time of a policy, and its work below them, within `width` columns where words allow."""
    return "\n".join(lines_of(f"{name} {time}", width, hanging=2) + [f"  {x}" for x in lines_of(text, width - 2)])


def spent(seconds: float) -> str:
    """Return an elapsed time: 7s, 1m05s, 2h03m."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    return f"{whole // 60}m{whole % 60:02}s" if whole < 3600 else f"{whole // 3600}h{whole % 3600 // 60:02}m"


@contextmanager
def redrawn() -> Iterator[Tell]:
    """Yield what shows an event on the terminal at stderr."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console, work = Console(stderr=True, highlight=False), AtWork()
    work.begun = work.clock.elapsed()
    with Live(console=console, get_renderable=lambda: drawn(work, console.width), refresh_per_second=4, transient=True):

        def show(event: Event) -> None:
            work.hear(event)
            if text := work.new(event):
                shown = "\n".join(lines_of(text, console.width, hanging=2))
                console.print(Text(shown, style=_style(event)), soft_wrap=True)

        yield show


def _style(event: Event) -> str:
    if isinstance(event, StepFailed | Vetoed):
        return "red"
    return "yellow" if getattr(event, "warn", False) else ""


def drawn(work: AtWork, width: int) -> "Group":
    """Return the rows, those with a time side by side, the others over the whole width."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    parts, table = list["Table | Text"](), Table.grid(padding=(0, 1))
    for name, time, text in work.shown(width):
        if time:
            table.add_row(Text(name, style="bold"), Text(time, style="cyan", justify="right"), Text(text))
        else:
            parts.append(Text(text))
    return Group(table, *parts) if table.rows else Group(*parts)
