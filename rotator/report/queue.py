"""Reports of what a survey added to a queue, and of what a worker took from it."""

from collections.abc import Sequence
from typing import Any

from rotator.errors import RotatorError
from rotator.remedy import clear_queue
from rotator.report.status import status_code
from rotator.report.words import block, entry, error_body
from rotator.results import Enqueued


def survey_code(found: Enqueued) -> int:
    """Return the exit code: 1 where a state raises an alarm as in `rotator status`, or a message was moved aside."""
    return 1 if found.poisoned or any(one.exit_code for one in found.results) else status_code(found.seen)


def survey_text(found: Enqueued) -> str:
    """Return the survey for people."""
    lines = [entry("added", name) for name in found.added]
    for name, what in found.seen:
        if isinstance(what, RotatorError):
            lines.append(entry("unseen", f"{name}: {what.happened}", what.remedy))
    if found.poisoned:
        account, _, name = found.where.removeprefix("https://").partition("/")
        clear = clear_queue(account.partition(".")[0], f"{name}-poison")
        said = f"{', '.join(found.poisoned)}: the runs failed again and again; when the cause is fixed, `{clear}`"
        lines.append(entry("aside", said))
    count = f"{len(found.added)} of {len(found.seen)} policies added to {found.where}"
    return block(count, lines)


def survey_body(found: Enqueued) -> dict[str, Any]:
    """Return the survey in the JSON form."""
    return {
        "queue": found.where,
        "added": list(found.added),
        "poisoned": list(found.poisoned),
        "unseen": [
            {"policy": name, "error": error_body(what)} for name, what in found.seen if isinstance(what, RotatorError)
        ],
    }


def worked_text(unknown: Sequence[str], trouble: Sequence[RotatorError]) -> str:
    """Return what isn't about a policy; empty if there is nothing to say."""
    lines = [f"no policy in this directory is called {name}: its message was dropped" for name in unknown]
    lines.extend(f"{error.happened}. {error.remedy}" for error in trouble)
    return "\n".join(lines)


def worked_body(unknown: Sequence[str], trouble: Sequence[RotatorError]) -> dict[str, Any]:
    """Return the same in the JSON form."""
    return {"unknown": list(unknown), "trouble": [error_body(error) for error in trouble]}
