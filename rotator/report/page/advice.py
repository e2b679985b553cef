"""Advice of the page: what to do about a policy in each state."""

from collections.abc import Iterator

from rotator.errors import PolicyError, RotatorError
from rotator.report.page.folding import state_of
from rotator.report.plan import lists_text, readable, step_text
from rotator.report.status import Row, Urgency, wait_remarks
from rotator.report.words import sentence
from rotator.results import Preview
from rotator.words import day

FIRST = {
    Urgency.COMPROMISED: "Act now: a password that others know still works.",
    Urgency.UNREADABLE: "Fix the cause of the failed read. Until then nothing of this policy is rotated.",
    Urgency.OVERDUE: "Act: a due step is not done, and a later run may be too late.",
    Urgency.BLOCKED: "Act: a due step is refused until its cause is fixed.",
    Urgency.DUE: "Nothing: the next `rotator rotate` takes the due steps.",
    Urgency.WAITING: "Nothing, unless a wait below asks you for an action.",
    Urgency.RESTING: "Nothing.",
    Urgency.REVOKED: "Nothing: its access was revoked on purpose.",
}
"""First sentence for each state."""


NOT_SERVED_FIRST = "Correct the policy's file. Until then nothing of this policy is rotated."


def label(row: Row) -> str:
    """Return the state of a policy as the page names it."""
    return state_of(row).capitalize()


def advise(row: Row, seen: Preview | RotatorError) -> Iterator[str]:
    """Yield what to do, in sentences with commands in back ticks; the first is for the state alone."""
    until = f" Next due: {day(row.next_due)}." if row.standing is Urgency.RESTING and row.next_due else ""
    yield NOT_SERVED_FIRST if isinstance(seen, PolicyError) else f"{FIRST[row.standing]}{until}"
    if isinstance(seen, RotatorError):
        found = seen.diagnose()
        yield from map(sentence, (*found.happened.split("\n"), *found.remedy.split("\n")))
        return
    if row.looked:
        yield f"At rest {sentence(lists_text(row.looked))}"
    yield from map(sentence, row.remarks)
    if row.standing in (Urgency.DUE, Urgency.OVERDUE, Urgency.BLOCKED):
        yield from (f"Due: {step_text(step)}. Why: {readable(step.reason.text)}." for step in seen.plan.steps)
    waits = "Then waits" if seen.plan.steps else "Waits"
    yield from (f"{waits}: {sentence(text)}" for text in wait_remarks(row.waits) if text not in row.remarks)
