"""Places for runs side by side: a run that waits for a limit of Azure's leaves its place to another one.

So a subscription whose limit is reached holds up no other, and the more urgent are not kept behind those who wait.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

MOST_ASIDE = 128
"""Runs that wait aside at most, each with its lease and its observation; more than those wait in their places."""


class Places:
    """Places for a number of runs.

    A run that comes back from a wait continues at once; only new runs wait for a free place.
    """

    def __init__(self, number: int) -> None:
        self._number, self._taken, self._aside = number, 0, 0
        self._changed = asyncio.Event()

    async def enter(self) -> None:
        """Take a place, as soon as there is one."""
        while self._taken >= self._number:
            self._changed.clear()
            await self._changed.wait()
        self._taken += 1

    def leave(self) -> None:
        """Give a place back."""
        self._taken -= 1
        self._changed.set()

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[None]:
        """Wait in the block without a place."""
        if self._aside >= MOST_ASIDE:
            yield
            return
        self._aside += 1
        self.leave()
        try:
            yield
        finally:
            self._taken += 1
            self._aside -= 1
