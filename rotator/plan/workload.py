"""Forecast of the renewals and redeployments of many policies, day by day, while nothing but time changes.

Pure: each credential is renewed at its moment (`rotator.plan.spread`), and the groups that rotator may redeploy move in
the next deploy window. A job takes its credential with its own next run, and costs no redeployment.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from rotator.container_group import Choice, Dependent
from rotator.plan.view import View
from rotator.policy import Policy, next_open
from rotator.rate_limits import REDEPLOYMENTS

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Redeployed:
    """Redeployments of one day in one subscription.

    `room`: how many Azure's limits allow within the shortest deploy window of those concerned, or the day.
    """

    subscription: str
    count: int
    room: int


@dataclass(frozen=True, slots=True)
class Workload:
    """Work of one day, by UTC: new credentials, and redeployments by subscription."""

    day: date
    issues: int
    redeployed: tuple[Redeployed, ...]


@dataclass(slots=True)
class _Tally:
    """Work counted so far: credentials by day, and redeployments and open time by day and subscription."""

    issues: Counter[date] = field(default_factory=Counter)
    moves: Counter[tuple[date, str]] = field(default_factory=Counter)
    open: dict[tuple[date, str], timedelta] = field(default_factory=dict)

    def move(self, policy: Policy, group: Dependent, at: datetime) -> None:
        """Count a redeployment in the first deploy window from `at` on."""
        window = policy.rotation.deploy_window
        where = (next_open(window, at) if window else at).date(), group.id.subscription
        self.moves[where] += 1
        self.open[where] = min(self.open.get(where, DAY), window.duration if window else DAY)


def forecast(views: Iterable[View], until: datetime) -> tuple[Workload, ...]:
    """Return the work of each day with any, up to `until`, in order."""
    tally = _Tally()
    for view in views:
        if not view.revoked:
            _count(tally, view, until)
    days = sorted({*tally.issues, *(day for day, _ in tally.moves)})
    return tuple(Workload(day, tally.issues[day], tuple(_redeployed(tally, day))) for day in days)


def _count(tally: _Tally, view: View, until: datetime) -> None:
    groups = [each for each in view.dependents if view.movable(each) and not each.refused and _moves(each)]
    for group in groups:
        if view.current and view.behind(group) and view.superseded:
            tally.move(view.policy, group, view.at)
    for at in _renewals(view, until):
        tally.issues[at.date()] += 1
        for group in groups:
            tally.move(view.policy, group, at)


def _moves(group: Dependent) -> bool:
    """Tell if rotator itself redeploys the group."""
    return not group.run_once and group.choice is not Choice.WAIT


def _renewals(view: View, until: datetime) -> Iterator[datetime]:
    """Yield the moments of renewals: the first now at the earliest, each next one from the end of the one before."""
    at = max(view.at, view.renewal(view.current.end)) if view.current else view.at
    while at < until:
        yield at
        at = view.renewal(at + view.policy.rotation.validity)


def _redeployed(tally: _Tally, day: date) -> Iterator[Redeployed]:
    for (when, subscription), count in sorted(tally.moves.items()):
        if when == day:
            yield Redeployed(subscription, count, _room(tally.open[when, subscription]))


def _room(span: timedelta) -> int:
    """Return how many redeployments the limits allow in a time."""
    hourly, short = REDEPLOYMENTS["pt1h"], REDEPLOYMENTS["pt5m"]
    hours, rest = divmod(span.total_seconds(), hourly.seconds)
    begun = int(-(-rest // short.seconds)) * short.amount
    return int(hours) * hourly.amount + min(begun, hourly.amount)
