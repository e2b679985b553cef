"""Progress of a run on stderr, shown during the run.

A live line on a terminal, plain lines elsewhere, JSON lines for programs.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace

from rotator.cli import live, terminal, wiring
from rotator.cli.invocation import Common, LogFormat
from rotator.cli.logs import TIME
from rotator.cli.output import say
from rotator.events import Event, as_json
from rotator.ports import Tell
from rotator.report.progress import NewLines, line


@dataclass(slots=True)
class Story:
    """All events of a run, for the final report."""

    events: list[Event] = field(default_factory=list)


@contextmanager
def telling(common: Common) -> Iterator[tuple[Tell, Story]]:
    """Yield a callback to print each event at once and record the event for the report."""
    story = Story()
    with _way(common) as show:

        def tell(event: Event) -> None:
            """Record and show an event; a run goes on even if stderr is closed.

            Begun work must be finished, and the report lists every event. Before the first look, the time is that of
            this machine's clock.
            """
            event = event if event.at else replace(event, at=wiring.now().replace(microsecond=0))
            story.events.append(event)
            with suppress(OSError):
                show(event)

        yield tell, story


def _way(common: Common) -> AbstractContextManager[Tell]:
    """Return the way in which progress is shown: not at all, redrawn on a terminal, or in lines."""
    animated = common.log_format is LogFormat.text and not (common.verbose or common.quiet) and on_terminal()
    return live.redrawn() if animated else nullcontext(_lines(common))


def waits_told(common: Common) -> Tell:
    """Return a callback that prints the waits for hosts of a verb without other progress."""

    def tell(event: Event) -> None:
        with suppress(OSError):
            show(event if event.at else replace(event, at=wiring.now().replace(microsecond=0)))

    show = _lines(common)
    return tell


def on_terminal() -> bool:
    """Tell if stderr is a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()


def _lines(common: Common) -> Tell:
    """Return what shows each event in a line; with --quiet, none of those for people."""
    told = NewLines()

    def show(event: Event) -> None:
        if common.silent_progress:
            return
        if common.log_format is LogFormat.json:
            say(json.dumps(as_json(event)), err=True)
        elif text := line(event) if common.verbose else told.line(event):
            terminal.tell(f"{event.at:{TIME}} {text}")

    return show
