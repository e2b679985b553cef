"""Calendar of the work to come, as text and as JSON: the busiest days first, against Azure's limits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rotator.plan import Redeployed, Workload
from rotator.rate_limits import REDEPLOYMENTS
from rotator.report.words import instant

MOST = 15
"""Days that are shown; JSON has all."""


def workload_text(days: Sequence[Workload], policies: int, until: datetime) -> str:
    """Return the numbers, the busiest days, and the days above a limit."""
    issues, moves = sum(day.issues for day in days), sum(each.count for day in days for each in day.redeployed)
    head = (
        f"until {until:%Y-%m-%d}, if nothing changes: {policies} polic{'y' if policies == 1 else 'ies'},"
        f" {issues} new credentials, {moves} redeployments"
    )
    if not days:
        return head
    lines = [_line("day", "credentials", "redeployments", "of the limit", "subscription"), *_rows(_busiest(days))]
    shown = f"{min(MOST, len(days))} busiest of {len(days)} days with work" if len(days) > MOST else ""
    return "\n".join(filter(None, [head, "", *lines, "", shown, _above(days)]))


def _busiest(days: Sequence[Workload]) -> list[Workload]:
    return sorted(days, key=lambda day: (-max(map(_share, day.redeployed), default=0.0), -day.issues, day.day))[:MOST]


def _rows(days: Sequence[Workload]) -> list[str]:
    return [
        _line(
            str(day.day) if not nth else "",
            str(day.issues) if not nth else "",
            str(each.count) if each else "0",
            f"{100 * _share(each):.0f} %" if each else "",
            each.subscription if each else "",
        )
        for day in days
        for nth, each in enumerate(day.redeployed or (None,))
    ]


def _line(day: str, issues: str, moves: str, share: str, subscription: str) -> str:
    return f"{day:<12}{issues:>11}{moves:>15}{share:>14}  {subscription}".rstrip()


def _share(each: Redeployed) -> float:
    return each.count / each.room


def _above(days: Sequence[Workload]) -> str:
    above = sum(any(each.count > each.room for each in day.redeployed) for day in days)
    limits = " and ".join(f"{each.amount} in {each.seconds / 60:.0f} minutes" for each in REDEPLOYMENTS.values())
    kept = f"Azure's limit on redeployments in a subscription is {limits}"
    if not above:
        return f"no day is above the limit: {kept}"
    return f"{above} of {len(days)} days are above the limit: {kept}. What is above it waits for the next window or day"


def workload_body(days: Sequence[Workload], until: datetime) -> dict[str, Any]:
    """Return the calendar in the JSON form."""
    return {"until": instant(until), "days": [_day_body(day) for day in days]}


def _day_body(day: Workload) -> dict[str, Any]:
    redeployed = [
        {"subscription": each.subscription, "count": each.count, "room": each.room} for each in day.redeployed
    ]
    return {"day": day.day.isoformat(), "new_credentials": day.issues, "redeployments": redeployed}
