"""Time and randomness of this machine, as `rotator.ports.Clock`: no other module of rotator reads them."""

import asyncio
import secrets
import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return this machine's clock, only to report its difference from Azure's clock.

    All decisions use Azure's clock.
    """
    return datetime.now(UTC)


_BOOT: int | None = getattr(time, "CLOCK_BOOTTIME", None)
"""Linux's clock that goes on while the machine is suspended."""


class SystemClock:
    """Elapsed time never going back, real waits, and an id unique to each attempt."""

    def elapsed(self) -> float:
        """Return seconds since a fixed moment, including suspended time where counted by the system."""
        return time.clock_gettime(_BOOT) if _BOOT is not None else time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        await asyncio.sleep(seconds)

    def attempt(self) -> str:
        """48 random bits in 12 hex digits: enough that two attempts on one principal never share a marker."""
        return secrets.token_hex(6)
