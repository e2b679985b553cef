"""Results of a look and of a run, for reports and for the caller of the run."""

from dataclasses import dataclass
from datetime import datetime

from rotator.errors import RotatorError
from rotator.guard import Veto
from rotator.plan import View
from rotator.policy import Policy
from rotator.state import Observed
from rotator.steps import Known, Plan


@dataclass(frozen=True, slots=True)
class Preview:
    """Steps of a possible run, and the obstacles to them.

    `looked`: the observation comes from the services' lists, which prove rest since the look at everything at this
    time; None for an observation of the policy alone.
    """

    policy: Policy
    observed: Observed
    known: Known
    plan: Plan
    vetoes: tuple[Veto, ...]
    next_due: datetime | None
    view: View
    looked: datetime | None = None


Previewed = tuple[str, Preview | RotatorError]
"""A policy's name, and its preview, or the error of the look."""


@dataclass(frozen=True, slots=True)
class Result:
    """Result of a run.

    `exit_code`: 1 a failure, or a wait past its warning · 3 vetoed · 4 another run holds the lease · 0.
    """

    policy: str
    exit_code: int
    summary: str
    next_due: datetime | None = None
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Enqueued:
    """Policies as seen, those that were added to the queue at `where`, and those in its queue of failed messages."""

    where: str
    seen: tuple[Previewed, ...]
    added: tuple[str, ...]
    poisoned: tuple[str, ...]
    results: tuple[Result, ...] = ()
    """Exit code of each look: 1 where a policy needs a person."""
