"""Protocols of the values reported on.

`rotator.engine` makes such values; reports don't import the engine.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from rotator.errors import RotatorError
from rotator.guard import Veto
from rotator.plan import View
from rotator.policy import Policy
from rotator.state import Observed
from rotator.steps import Known, Plan


class Preview(Protocol):
    """Work planned for a run, and the vetoes against it."""

    @property
    def policy(self) -> Policy:
        """Policy of this preview."""
        ...

    @property
    def known(self) -> Known:
        """Facts known to the run beside it."""
        ...

    @property
    def observed(self) -> Observed:
        """Observed state of Azure."""
        ...

    @property
    def plan(self) -> Plan:
        """Due steps, waits and notes."""
        ...

    @property
    def vetoes(self) -> Sequence[Veto]:
        """Vetoes of the guard."""
        ...

    @property
    def next_due(self) -> datetime | None:
        """Time of the next work for a later run."""
        ...

    @property
    def view(self) -> View:
        """Facts derived from policy and observation."""
        ...


class Result(Protocol):
    """Outcome of a run."""

    @property
    def policy(self) -> str:
        """Name of the policy."""
        ...

    @property
    def exit_code(self) -> int:
        """Exit code of the run."""
        ...

    @property
    def summary(self) -> str:
        """Summary of the run for people, in one line."""
        ...

    @property
    def next_due(self) -> datetime | None:
        """Time of the next work for a later run."""
        ...

    @property
    def steps(self) -> int:
        """Number of finished steps."""
        ...


Seen = tuple[str, Preview | RotatorError]
"""A policy's name, and what was seen of it, or why nothing was."""
