"""Folding of the page: of policies in the same trouble the first is open, and of many the others are folded away."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rotator.errors import PolicyError
from rotator.report.many import FEW, FIRST, alike
from rotator.report.status import ALARMING, Row, Urgency

NOT_SERVED = "not served"
"""State of a policy with mistakes in its file, as every report calls it."""


@dataclass(frozen=True, slots=True)
class Card:
    """Place of a policy on the page. `others` have the same trouble, told with the first; `folded` ones follow it."""

    row: Row
    is_open: bool = False
    others: tuple[str, ...] = ()
    folded: tuple[Row, ...] = ()


def state_of(row: Row) -> str:
    """Return the state of a policy in words."""
    return NOT_SERVED if isinstance(row.error, PolicyError) else row.standing.name.lower()


def folded(found: Sequence[Row]) -> Iterator[Card]:
    """Yield the policies in their order.

    Open are those that need a person, of the same trouble the first, and of many troubles the first ones; a compromised
    credential always is. In a large fleet only the first policies of one trouble have a place of their own.
    """
    groups = list(_troubles(found))
    first = {group[0].policy: group for group in groups}
    opened = {group[0].policy for group in (groups if len(groups) <= FEW else groups[:FIRST])}
    large = [group for group in groups if len(found) > FEW and len(group) > FIRST]
    hidden = {row.policy for group in large for row in group[FIRST:]}
    ends = {group[FIRST - 1].policy: group[FIRST:] for group in large}
    for row in found:
        if row.policy not in hidden:
            is_open = row.policy in opened or row.standing is Urgency.COMPROMISED
            others = tuple(each.policy for each in first.get(row.policy, ())[1:])
            yield Card(row, is_open, others, ends.get(row.policy, ()))


def _troubles(found: Sequence[Row]) -> Iterator[tuple[Row, ...]]:
    """Yield the policies that need a person, in groups of one trouble."""
    known, own = {row.policy: row for row in found}, {row.policy: row.own for row in found}
    for state in dict.fromkeys(state_of(row) for row in found if row.standing in ALARMING):
        told = ((row.policy, "\n".join(row.remarks)) for row in found if state_of(row) == state)
        yield from (tuple(known[policy] for policy, _ in group) for group in alike(told, own))
