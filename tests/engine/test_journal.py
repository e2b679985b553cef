"""Tests of the journal: a run's events decide its exit code and its one-line summary."""

from datetime import UTC, datetime

import pytest

from rotator.codes import NoteCode, VetoCode, WaitCode
from rotator.engine.journal import Journal
from rotator.events import Event, Noted, StepDone, StepFailed, Vetoed, Waiting
from rotator.steps import Note, Wait

DONE = StepDone(step="deploy", target="app")
FAILED = StepFailed(step="deploy", target="app", happened="No.", state="", remedy="")
VETOED = Vetoed(step="deploy", target="app", code=VetoCode.DRIFT, happened="No.", state="", remedy="")
LATE = Wait(WaitCode.OVERLAP, "a", "It waits.", warn=True)
SOON = Wait(WaitCode.OVERLAP, "a", "It waits.")
LIMITED = Wait(WaitCode.LIMITED, "a", "A limit.")
ALARM = Note(NoteCode.STILL_OPEN, "a", "A COMPROMISED PASSWORD WORKS: it is held", warn=True)
UNSEEN = Note(NoteCode.UNSEEN_MARKS, "a", "MARKS ARE UNSEEN: why", warn=True)
HINT = Note(NoteCode.FOREIGN, "a", "Somebody's")


@pytest.mark.parametrize(
    ("told", "exit_code", "summary"),
    [
        ([], 0, "nothing was due"),
        ([SOON, HINT], 0, "nothing was due"),
        ([DONE, DONE], 0, "2 done"),
        ([DONE, FAILED, VETOED], 1, "1 done, 1 failed, 1 vetoed"),
        ([VETOED, LIMITED], 3, "1 vetoed, 1 postponed"),
        ([LATE], 1, "1 waiting past the warning"),
        (
            [ALARM, UNSEEN],
            1,
            "A COMPROMISED PASSWORD WORKS: it is held; MARKS ARE UNSEEN: why; 2 waiting past the warning",
        ),
    ],
)
def test_what_is_told_decides_the_exit_code_and_the_line_for_people(
    told: list[Event | Wait | Note], exit_code: int, summary: str
) -> None:
    heard: list[Event] = []
    journal, at = Journal(heard.append, "policy"), datetime(2026, 3, 4, tzinfo=UTC)
    for each in told:
        journal.tell(each, at)
    assert (journal.score.exit_code, journal.score.summary()) == (exit_code, summary)
    assert [(event.policy, event.at) for event in heard] == [("policy", at)] * len(told)
    assert [type(event) for event in heard] == [
        Waiting if isinstance(each, Wait) else Noted if isinstance(each, Note) else type(each) for each in told
    ]
