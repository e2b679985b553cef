"""State of many policies in the JSON form, for programs."""

from collections.abc import Iterable
from typing import Any

from rotator.container_group import Dependent
from rotator.report.plan import readable
from rotator.report.plan_json import veto_body
from rotator.report.status import Row, rows
from rotator.report.words import error_body, instant
from rotator.results import Previewed
from rotator.steps import Wait


def status_body(seen: Iterable[Previewed]) -> list[dict[str, Any]]:
    """Return the table in the JSON form.

    `age` is in seconds; `groups` counts all dependents, and those on the current credential.
    """
    return [_body(row) for row in rows(seen)]


def _body(row: Row) -> dict[str, Any]:
    credential = (
        {"key_id": row.key_id, "start": instant(row.start), "end": instant(row.end), "age": _age(row)}
        if row.key_id
        else None
    )
    last = max((each.end for each in row.foreign), default=None)
    return {
        "policy": row.policy,
        "state": row.standing.name.lower(),
        "at": instant(row.at),
        "looked": instant(row.looked or row.at),
        "credential": credential,
        "next_due": instant(row.next_due),
        "groups": {
            "current": row.moved,
            "total": len(row.dependents),
            "dependents": [_dependent_body(row, each) for each in row.dependents],
        },
        "waiting": list(row.waiting),
        "waits": [_wait_body(wait) for wait in row.waits],
        "foreign": [each.key_id for each in row.foreign],
        "foreign_until": instant(last),
        "drift": row.drift,
        "vetoes": [veto_body(veto) for veto in row.vetoes],
        "compromised": list(row.compromised),
        "remarks": list(row.remarks),
        "error": error_body(row.error) if row.error else None,
    }


def _dependent_body(row: Row, dependent: Dependent) -> dict[str, Any]:
    current = dependent.key_id is not None and dependent.key_id == row.key_id
    shown = {"group": dependent.id, "phase": dependent.phase.value, "key_id": dependent.key_id}
    return {**shown, "current": current, "since": instant(dependent.since)}


def _wait_body(wait: Wait) -> dict[str, Any]:
    shown = {"code": wait.code, "subject": wait.subject, "reason": readable(wait.text), "until": instant(wait.until)}
    return {**shown, "since": instant(wait.since), "warn": wait.warn}


def _age(row: Row) -> float | None:
    return (row.at - row.start).total_seconds() if row.at and row.start else None
