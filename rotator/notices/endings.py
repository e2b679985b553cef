"""End of each policy's run, kept until the notifications are sent."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from rotator.engine import Run, remembered
from rotator.events import Event, Finished, Noted, StepFailed, Vetoed, Waiting
from rotator.policy import Policy
from rotator.ports import Clock, World
from rotator.report.alerts import Ended
from rotator.report.status import Row, Urgency, rows
from rotator.results import Result


@dataclass(slots=True)
class Endings:
    """Policies of the runs, and the line of `status` for the last look at each."""

    rows: dict[str, Row] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    outside: tuple[World, Clock] | None = None
    """World and clock of the runs."""

    def watched(self, one: Run) -> Run:
        """Return the run; as it finishes, the line of `status` for its last look is kept."""
        self.outside = (one.world, one.clock)
        self.policies[one.policy.name] = one.policy

        def hear(event: Event) -> None:
            if isinstance(event, Finished):
                self._keep(one)
            one.journal.hear(event)

        return replace(one, journal=replace(one.journal, hear=hear))

    def _keep(self, one: Run) -> None:
        with suppress(Exception):  # without a line the policy counts as unseen; its run has ended in any case
            if seen := remembered(one):
                self.rows[one.policy.name] = rows([(one.policy.name, seen)])[0]

    def ended(self, results: Sequence[Result], events: Iterable[Event]) -> list[Ended]:
        """Return the end of each run, with the events that need a person."""
        grave: dict[str, list[Event]] = {}
        for event in events:
            if isinstance(event, StepFailed | Vetoed) or (isinstance(event, Waiting | Noted) and event.warn):
                grave.setdefault(event.policy, []).append(event)
        return [
            Ended(
                result.policy,
                self.policies[result.policy].principal.app_id,
                self.policies[result.policy].rotation.warn_before,
                result.exit_code,
                self._row(result.policy, grave.get(result.policy, ())),
                tuple(grave.get(result.policy, ())),
            )
            for result in results
        ]

    def _row(self, policy: str, grave: Sequence[Event]) -> Row | None:
        """Return the line of a policy, with what the run tried and refused: its last look alone doesn't show that."""
        row = self.rows.get(policy)
        warned = any(isinstance(each, Waiting | Noted) for each in grave)
        refused = any(isinstance(each, Vetoed) for each in grave)
        least = Urgency.OVERDUE if warned else Urgency.BLOCKED if refused else Urgency.REVOKED
        return row and replace(
            row, standing=row.standing if row.standing is Urgency.REVOKED else min(row.standing, least)
        )
