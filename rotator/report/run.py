"""Report of a finished run: changes, failures, vetoes, waits and the next due time."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rotator.codes import NoteCode
from rotator.events import Event, Noted, StepFailed, Vetoed, Waiting, as_json
from rotator.report.many import Rank, Telling
from rotator.report.plan import note_text, wait_texts
from rotator.report.progress import change
from rotator.report.words import block, entry, instant, name_of, refusal
from rotator.results import Result
from rotator.words import day


def run_text(result: Result, events: Sequence[Event]) -> str:
    """Return one policy's run as paragraphs; `events` are all events of the command."""
    return block(f"{result.policy}: {result.summary} (exit {result.exit_code})", _entries(result, _of(result, events)))


def by_result(results: Sequence[Result], events: Sequence[Event]) -> list[tuple[Result, list[Event]]]:
    """Return each result with its own events; the events are read once."""
    mine: dict[str, list[Event]] = {result.policy: [] for result in results}
    for event in events:
        mine.setdefault(event.policy, []).append(event)
    return [(result, mine[result.policy]) for result in results]


def run_part(result: Result, events: Sequence[Event]) -> Telling:
    """Return one policy's run for a report about many."""
    state, rank = _RANKS.get(result.exit_code, ("failed or with a warning", Rank.PERSON))
    if result.exit_code == 0 and any(map(change, _of(result, events))):
        state, rank = "changed", Rank.WORK
    return Telling(result.policy, state, rank, lambda: run_text(result, events), result.next_due)


_RANKS = {
    0: ("at rest", Rank.REST),
    3: ("refused", Rank.PERSON),
    4: ("left to another run", Rank.WORK),
}


def alarmed(result: Result, events: Sequence[Event]) -> bool:
    """Tell if a credential declared compromised still works."""
    return any(isinstance(event, Noted) and event.code is NoteCode.STILL_OPEN for event in _of(result, events))


def run_body(result: Result, events: Sequence[Event]) -> dict[str, Any]:
    """Return one policy's run in the JSON form; the lists hold events in the events' own JSON form."""
    mine = _of(result, events)
    return {
        "policy": result.policy,
        "exit_code": result.exit_code,
        "summary": result.summary,
        "steps": result.steps,
        "changes": _bodies(mine, lambda event: change(event) is not None),
        "failures": _bodies(mine, lambda event: isinstance(event, StepFailed)),
        "vetoes": _bodies(mine, lambda event: isinstance(event, Vetoed)),
        "waits": _bodies(mine, lambda event: isinstance(event, Waiting)),
        "notes": _bodies(mine, lambda event: isinstance(event, Noted)),
        "next_due": instant(result.next_due),
    }


def _of(result: Result, events: Sequence[Event]) -> list[Event]:
    return [event for event in events if event.policy == result.policy]


def _bodies(events: list[Event], wanted: Callable[[Event], bool]) -> list[dict[str, Any]]:
    framed = ("v", "policy")
    return [
        {name: value for name, value in as_json(event).items() if name not in framed}
        for event in events
        if wanted(event)
    ]


def _entries(result: Result, events: list[Event]) -> Iterator[str]:
    noted = [event for event in events if isinstance(event, Noted)]
    yield from (note_text(note) for note in noted if note.code is NoteCode.STILL_OPEN)
    done = [text for event in events if (text := change(event))]
    yield from (entry("" if number else "done", text) for number, text in enumerate(done))
    yield from _stopped(events)
    yield from wait_texts(event for event in events if isinstance(event, Waiting))
    yield from (note_text(note) for note in noted if note.code is not NoteCode.STILL_OPEN)
    if result.next_due:
        yield entry("next due", day(result.next_due))


def _stopped(events: list[Event]) -> Iterator[str]:
    for event in events:
        if isinstance(event, StepFailed | Vetoed):
            label = "failed" if isinstance(event, StepFailed) else "refused"
            yield entry(
                label, *refusal(f"{event.step} {name_of(event.target)}: {event.happened}", event.state, event.remedy)
            )
