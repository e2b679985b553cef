"""This machine's time and randomness, as `rotator.ports.Clock`: the only place on rotator's side that asks for either."""

import asyncio
import secrets
import time
from datetime import UTC, datetime


def now() -> datetime:
    """What this machine's clock shows: only to say how far it is from Azure's, by which every decision is made."""
    return datetime.now(UTC)


_BOOT: int | None = getattr(time, "CLOCK_BOOTTIME", None)
"""Linux's clock that goes on while the machine is suspended."""


class SystemClock:
    """Elapsed time that never goes back, real waits, and ids that no other attempt has."""

    def elapsed(self) -> float:
        """Seconds since some fixed moment, those in which the machine was suspended included where the system counts them."""
        return time.clock_gettime(_BOOT) if _BOOT is not None else time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        await asyncio.sleep(seconds)

    def attempt(self) -> str:
        """48 random bits in 12 hex digits: enough that two attempts on one principal never share a marker."""
        return secrets.token_hex(6)
