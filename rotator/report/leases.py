"""Runs that are at work now, by the leases that they hold: for people and in the JSON form."""

from collections.abc import Mapping, Sequence
from typing import Any

from rotator.errors import Holder, RotatorError
from rotator.report.words import instant

Held = Mapping[str, Sequence[Holder]]
"""The holders of a policy's leases, by the policy's name."""


def held_text(held: Held, unknown: RotatorError | None) -> str:
    """Return a line for each run at work, or the reason for which they aren't known; empty without any."""
    lines = [f"{policy}: {who} is at work on it" for policy, holders in sorted(held.items()) for who in holders]
    if unknown:
        lines.append(f"runs at work: unknown: {unknown.happened}. {unknown.remedy}")
    return "\n".join(lines)


def held_body(held: Held) -> list[dict[str, Any]]:
    """Return the runs at work; `host` is null for this machine."""
    return [
        {
            "policy": policy,
            "host": who.host or None,
            "process": who.process,
            "since": instant(who.since),
            "overdue": who.overdue,
        }
        for policy, holders in sorted(held.items())
        for who in holders
    ]
