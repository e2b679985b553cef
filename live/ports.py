"""Ports of a run: a clock, an identity, and rotator's command line."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Clock of a run: instants, elapsed time, and waits."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        ...

    def elapsed(self) -> float:
        """Return seconds since a fixed moment."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        ...


class Credential(Protocol):
    """Identity of the run."""

    def token(self, scope: str) -> str:
        """Return an access token."""
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """End of a command: exit code and output."""

    code: int
    output: str = field(repr=False)


class Rotator(Protocol):
    """rotator's command line, with a directory of policies."""

    def __call__(self, arguments: Sequence[str], policies: str) -> Said:
        """Run one command to its end; return its exit code and output."""
        ...
