"""The emulator's only source of time, so that a test can run a year in a second.

Every service reads :class:`Clock`; none reads the machine's clock. In a served emulator, the clock follows a monotonic
clock and jumps on request; in process, the clock follows the virtual event loop.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

LAST = datetime(9000, 1, 1, tzinfo=UTC)
"""Beyond it there would soon be no date for what ends centuries after now."""


@dataclass(slots=True)
class Clock:
    """Azure's time: a start, the seconds elapsed since, and the requested jumps."""

    start: datetime
    elapsed: Callable[[], float]
    jumped: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        """Return the instant in every answer's ``Date``, in UTC."""
        return self.start + self.jumped + timedelta(seconds=self.elapsed())

    def advance(self, by: timedelta) -> datetime:
        """Let `by` pass at once; time never goes back, nor beyond `LAST` (ValueError): then none has passed."""
        if by < timedelta():
            raise ValueError(f"time can't go back by {-by}")
        if by > LAST - self.now():
            raise ValueError(f"time can't go beyond {LAST}")
        self.jumped += by
        return self.now()


def http_date(at: datetime) -> str:
    """Return an instant in the format of the ``Date`` header (RFC 9110, IMF-fixdate)."""
    return format_datetime(at.astimezone(UTC), usegmt=True)


def iso(at: datetime, digits: int = 7) -> str:
    """An instant as Azure Resource Manager writes it: UTC, a ``Z``, and up to seven digits of a second."""
    text = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{at.microsecond:06d}0"[:digits]
    return f"{text}.{fraction}Z" if digits else f"{text}Z"
