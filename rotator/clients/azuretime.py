"""Azure's time, from every answer's ``Date``: no decision uses this machine's clock.

Rules for editors of this file:

1. The absolute time needs a second opinion: a date far from the known time is believed when another host says the same.
   A missing date, or one of no plausible year, is ignored.
2. Elapsed time needs no second opinion: a jump shown by one host makes all earlier reads old, and old reads are
   repeated.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from rotator.ports import Clock

TRUST = 600.0
"""Seconds by which a date may be ahead of the known time without a second opinion: a slow answer, a replica's clock."""
YEARS = range(2020, 2200)
"""Years accepted in the date of an answer."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Date of one answer.

    `offset` is the difference between the date and elapsed time, constant while both clocks run alike.
    """

    at: datetime
    offset: float


@dataclass(frozen=True, slots=True)
class _Said:
    """Offsets shown by one host's answers: the first, the greatest and the last."""

    first: float
    most: float
    last: float

    def and_then(self, offset: float) -> "_Said":
        return _Said(self.first, max(self.most, offset), offset)


_listening: ContextVar[list[Heard] | None] = ContextVar("_listening", default=None)


class AzureTime:
    """Azure's clock, computed from the dates of all hosts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset: float | None = None
        self._hosts: dict[str, _Said] = {}

    def hear(self, headers: Mapping[str, str], host: str) -> None:
        """Record the date of an answer of `host`, from its headers."""
        at = date(headers)
        if at is not None:
            self.note(at, host)

    def note(self, at: datetime, host: str) -> None:
        """Record an answer of `host` given at `at`."""
        offset = at.timestamp() - self._clock.elapsed()
        said = self._hosts.get(host)
        self._hosts[host] = said.and_then(offset) if said else _Said(offset, offset, offset)
        self._believe(host, offset)
        heard = _listening.get()
        if heard is not None:
            heard.append(Heard(at, offset))

    def _believe(self, host: str, offset: float) -> None:
        if self._offset is not None and offset <= self._offset + TRUST:
            self._offset = max(self._offset, offset)
            return
        others = [said.last for name, said in self._hosts.items() if name != host and abs(said.last - offset) <= TRUST]
        if others:
            self._offset = min(offset, max(others))

    def now(self) -> datetime | None:
        """Return Azure's time, None before the first answer."""
        offset = self._known()
        return None if offset is None else datetime.fromtimestamp(self._clock.elapsed() + offset, UTC)

    def _known(self) -> float | None:
        """Return the believed offset.

        Before any second opinion, the earliest offset of any host is used, to prevent early actions.
        """
        if self._offset is None:
            return min((said.last for said in self._hosts.values()), default=None)
        return self._offset

    def latest(self, heard: Sequence[Heard]) -> datetime | None:
        """Return the latest believed date among the answers in `heard`."""
        offset = self._known()
        return None if offset is None else max((one.at for one in heard if one.offset <= offset + TRUST), default=None)

    def told(self, headers: Mapping[str, str]) -> datetime:
        """Return the time of an answer: its own date if believed, else now.

        Raises ValueError where neither is known.
        """
        at, now = date(headers), self.now()
        if at and now and abs((at - now).total_seconds()) <= TRUST:
            return at
        if now is None:
            raise ValueError("no Date")
        return now

    def moment(self) -> float:
        """Return seconds since a fixed moment, by elapsed time or by any host's dates, whichever is more.

        The result never goes back.
        """
        return self._clock.elapsed() + max((said.most - said.first for said in self._hosts.values()), default=0.0)

    @contextmanager
    def listening(self) -> Iterator[list[Heard]]:
        """Collect the dates of answers received in the block, including tasks started in the block."""
        heard: list[Heard] = []
        token = _listening.set(heard)
        try:
            yield heard
        finally:
            _listening.reset(token)


def date(headers: Mapping[str, str]) -> datetime | None:
    """Return an answer's ``Date`` in UTC; None if lost by a proxy, or in an impossible year."""
    said = headers.get("Date")
    return None if said is None else _parsed(said)


@lru_cache(maxsize=64)
def _parsed(said: str) -> datetime | None:
    """Read a date; many answers of one second have the same."""
    try:
        at = parsedate_to_datetime(said).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return at if at.year in YEARS else None
