"""What reports are made from, as protocols: `rotator.engine` makes such values, and reports need none of what it does."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from rotator.errors import RotatorError
from rotator.guard import Veto
from rotator.plan import View
from rotator.policy import Policy
from rotator.state import Observed
from rotator.steps import Plan


class Preview(Protocol):
    """What a run would do, and why it might not."""

    @property
    def policy(self) -> Policy:
        """The policy that was looked at."""
        ...

    @property
    def observed(self) -> Observed:
        """What was seen."""
        ...

    @property
    def plan(self) -> Plan:
        """What is due, waits, and is worth a note."""
        ...

    @property
    def vetoes(self) -> Sequence[Veto]:
        """What the guard refuses."""
        ...

    @property
    def next_due(self) -> datetime | None:
        """When a later run will have something to do."""
        ...

    @property
    def view(self) -> View:
        """Facts derived from policy and observation."""
        ...


class Result(Protocol):
    """How a run ended."""

    @property
    def policy(self) -> str:
        """The policy's name."""
        ...

    @property
    def exit_code(self) -> int:
        """Its exit code."""
        ...

    @property
    def summary(self) -> str:
        """One line for people."""
        ...

    @property
    def next_due(self) -> datetime | None:
        """When a later run will have something to do."""
        ...

    @property
    def steps(self) -> int:
        """How many steps were finished."""
        ...


Seen = tuple[str, Preview | RotatorError]
"""A policy's name, and what was seen of it, or why nothing was."""
