"""Reports about more policies than fit on a screen: the numbers first, and what rests is counted."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from rotator.policy import Policy
from rotator.report.words import constant
from rotator.words import HEADLINE, day

FEW = 20
"""Policies whose reports are all shown."""
FIRST = 5
"""Number of policies that a report on many shows in full, of those with work or with a remark that can wait."""


class Rank(IntEnum):
    """Need of a person to see the report of a policy."""

    PERSON = 0
    """A step failed, was refused or is overdue: always shown."""
    WORK = 1
    """A step is due or was done: the first are shown."""
    REST = 2
    """Counted."""


@dataclass(frozen=True, slots=True)
class Telling:
    """Report of one policy: `state` is counted in the summary, `text` is made only if shown."""

    policy: str
    state: str
    rank: Rank
    text: Callable[[], str]
    next_due: datetime | None = None
    now: bool = False
    """Tell if a step is due now, earlier than `next_due`."""
    own: tuple[str, ...] = ()
    """Names of the policy's own groups and secrets, in which texts about the same trouble differ."""


def many_text(parts: Sequence[Telling], *, every: bool = False) -> str:
    """Return the reports in their order; of more than `FEW`, unless `every`, the numbers first, and what rests last."""
    if every or len(parts) <= FEW:
        return "\n\n".join(part.text() for part in parts)
    counts = Counter((part.rank, part.state) for part in parts)
    head = f"{len(parts)} policies: {', '.join(f'{number} {state}' for (_, state), number in sorted(counts.items()))}"
    working = [part for part in parts if part.rank is Rank.WORK]
    people = [(part.policy, part.text()) for part in parts if part.rank is Rank.PERSON]
    first = [(part.policy, part.text()) for part in working[:FIRST]]
    own = {part.policy: part.own for part in parts}
    shown = [*_folded(people, own), *_folded(first, own)]
    below = (_left(working[FIRST:], "more of these"), _left([p for p in parts if p.rank is Rank.REST], "at rest"))
    return "\n\n".join([head, *shown, "\n".join(filter(None, below))]).rstrip()


def _folded(told: Iterable[tuple[str, str]], own: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield each text; of those that differ in names and ids of policies alone the first, and the others' names."""
    for group in alike(told, own):
        (_, text), *others = group
        yield f"{text}\n  the same   {named([policy for policy, _ in others])}" if others else text


def own_names(policy: Policy) -> tuple[str, ...]:
    """Return the names of a policy's own objects, in which texts about the same trouble differ."""
    vault = policy.key_vault
    groups = (name for group in policy.container_groups for name in (str(group.id), group.id.name))
    return (*groups, policy.principal.app_id, vault.password_secret, vault.username_secret or "")


def alike(told: Iterable[tuple[str, str]], own: Mapping[str, Sequence[str]]) -> list[list[tuple[str, str]]]:
    """Return policies with their texts, grouped where the texts differ in names, ids and times alone.

    The names are the policy's, and its `own` names of groups and secrets. A credential that is declared compromised is
    never one of many.
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for policy, text in told:
        key = text if HEADLINE in text else constant(_nameless(text, (policy, *own.get(policy, ()))))
        groups.setdefault(key, []).append((policy, text))
    return list(groups.values())


def _nameless(text: str, names: Iterable[str]) -> str:
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(name, "@")
    return text


def named(policies: Sequence[str]) -> str:
    """Return the names of policies whose text isn't repeated; of many the first."""
    return f"{listed(policies)}; -v shows each"


def listed(policies: Sequence[str]) -> str:
    """Return names; of many the first, and the number of the others."""
    more = f" and {len(policies) - FIRST} more" if len(policies) > FIRST else ""
    return f"{', '.join(policies[:FIRST])}{more}"


def _left(parts: Sequence[Telling], what: str) -> str:
    due = sum(part.now for part in parts)
    return counted(f"{len(parts)} {what}", [(part.next_due, part.policy) for part in parts], due) if parts else ""


def counted(what: str, due: Sequence[tuple[datetime | None, str]], now: int) -> str:
    """Return the line about policies that aren't shown: how many are due `now`, or else the earliest due time."""
    if now:
        return f"{what}, {'' if now == len(due) else f'{now} '}due now; -v shows each"
    at, policy = min(((at, policy) for at, policy in due if at), default=(None, ""))
    soonest = f", next due {day(at)} ({policy})" if at else ""
    return f"{what}{soonest}; -v shows each"
