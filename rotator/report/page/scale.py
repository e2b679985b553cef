"""Scale of the time lines: instants to horizontal places, and the months to name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LEAST_AHEAD, MOST_AHEAD = timedelta(days=45), timedelta(days=200)
LEAST_BEHIND, MOST_BEHIND = timedelta(days=21), timedelta(days=90)
"""Bounds of the time shown after and before the look; credentials beyond are cut off at the edge."""
ROOM = 0.07
"""Room right of the last end, as a part of the time ahead."""
MANY = 9
"""Months that have room for a name each."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Section of time as wide as the page: 0 to 100 percent."""

    begin: datetime
    at: datetime
    end: datetime

    def place(self, instant: datetime) -> float:
        """Return the place of an instant in percent; one outside is at the edge."""
        part = (instant - self.begin) / (self.end - self.begin)
        return round(100 * min(max(part, 0.0), 1.0), 3)

    def months(self) -> Iterator[tuple[datetime, str]]:
        """Yield the first days of months, with their names; January's is the year, so that none runs into the next."""
        firsts = list(self._firsts())
        every = 1 if len(firsts) <= MANY else 2 if len(firsts) <= 2 * MANY else 3
        for first in firsts[::every]:
            new_year = first.month <= every and first.year != self.begin.year
            yield first, (f"{first:%Y}" if every == 1 else f"{first:%b %Y}") if new_year else f"{first:%b}"

    def _firsts(self) -> Iterator[datetime]:
        month = self.begin.year * 12 + self.begin.month
        while (first := datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)) < self.end:
            yield first
            month += 1


def time_scale(at: datetime, starts: Iterable[datetime], ends: Iterable[datetime]) -> Scale:
    """Return the scale for credentials, with the look at `at` always inside."""
    ahead = _within(LEAST_AHEAD, max((end - at for end in ends), default=LEAST_AHEAD), MOST_AHEAD)
    behind = _within(LEAST_BEHIND, max((at - start for start in starts), default=LEAST_BEHIND), MOST_BEHIND)
    return Scale(at - behind, at, at + ahead * (1 + ROOM))


def _within(least: timedelta, span: timedelta, most: timedelta) -> timedelta:
    return min(max(least, span), most)
