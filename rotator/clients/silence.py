"""Hosts that fail for minutes, believed for a while: the policies of a run don't each wait for the same host.

Rules for editors of this file:

1. Only requests that failed with all their repetitions count, and one answer ends the silence.
2. A silence shortens waits; it never keeps a request back.
"""

from dataclasses import dataclass, field

from rotator.ports import Clock

ENOUGH = 2
"""Requests in a row that fail with all their repetitions, after which a host counts as silent."""
BELIEVED = 300.0
"""Seconds for which a silence is believed after the last of these requests."""


@dataclass(slots=True)
class Silence:
    """Requests that failed with all their repetitions since the last answer, by host, with the time of the last."""

    clock: Clock
    failed: dict[str, tuple[int, float]] = field(default_factory=dict)

    def hear(self, host: str) -> None:
        """Note an answer."""
        self.failed.pop(host, None)

    def miss(self, host: str) -> None:
        """Note a request that failed with all its repetitions."""
        self.failed[host] = self.failed.get(host, (0, 0.0))[0] + 1, self.clock.elapsed()

    def __contains__(self, host: str) -> bool:
        count, last = self.failed.get(host, (0, 0.0))
        return count >= ENOUGH and self.clock.elapsed() - last < BELIEVED
