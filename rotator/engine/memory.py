"""Facts that one run remembers from its earlier looks at the world."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from rotator.engine.run import Patience
from rotator.events import StepFailed, Vetoed, Waiting
from rotator.plan import View
from rotator.ports import Write
from rotator.resource_id import ResourceId
from rotator.steps import NOTHING_KNOWN, Known, Note, Postponed, Wait


@dataclass(slots=True)
class Memory:
    """Facts seen by one run and missing in a single observation."""

    known: Known = NOTHING_KNOWN
    """Facts for the rules and the guard."""
    seen_at: float = float("-inf")
    """The moment after the last look."""
    sourced: bool = False
    """The secrets that groups need were read."""
    compared: set[ResourceId] = field(default_factory=set)
    """Groups compared with what the newest version of Container Instances shows."""
    asked: frozenset[tuple[str, str]] = frozenset()
    """Kind and target of the steps that the look before this one asked for."""
    decided: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Count of this run's decisions on a step that may not have happened."""
    refused_since: dict[tuple[str, str], float] = field(default_factory=dict)
    """Elapsed seconds at the first refusal of a step by one of Azure's limits; a refusal is no decision."""
    undecided: dict[tuple[str, str], StepFailed | Vetoed | Waiting] = field(default_factory=dict)
    """Steps with an unknown result, each with the event to tell if the result stays unknown."""
    late: int = 0
    """Looks that showed nothing due, and took so long that they were repeated: what the run ends with is to be true of
    the world now.
    """
    lost: set[str] = field(default_factory=set)
    """Display names of credentials that an add of this run may have made."""
    alarms: tuple[Note, ...] = ()
    """Compromised credentials that the last look showed to work."""
    held: set[Write] = field(default_factory=set)
    """Writes with a permit."""
    paused: Patience | None = None
    """The last pause, with its reason."""
    looked: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Count of this run's further looks for a wait, by code and subject."""

    def worth_a_look(self, waits: Sequence[Wait]) -> tuple[Wait, ...]:
        """Return the waits that this run looks at again."""
        return tuple(w for w in waits if w.look_again and (w.looks is None or self.looked[w.code, w.subject] < w.looks))

    def refuse(self, *steps: tuple[str, str]) -> None:
        """Don't ask for these steps again, each given by kind and target."""
        self.known = replace(self.known, refused=self.known.refused | set(steps))

    def postpone(self, limits: Iterable[Postponed]) -> None:
        """Don't ask for these steps again before their limits end."""
        new = {(each.step, each.target): each for each in (*self.known.limited, *limits)}
        self.known = replace(self.known, limited=tuple(new[asked] for asked in sorted(new)))

    def saw(self, view: View, may_be_published: tuple[str, ...] | None) -> None:
        """Remember the facts of a new look, and forget the proof made for an earlier one."""
        observed, known = view.observed, self.known
        absent = view.current_key and not view.current
        names, first = {c.display_name for c in observed.credentials}, dict(known.unnamed_since)
        unnamed = view.orphans if observed.versions_complete else ()
        self.known = replace(
            known,
            proof=None,
            proof_at=None,
            unproven=None,
            absent_since=(known.absent_since or observed.at) if absent else None,
            lost=tuple(sorted(self.lost - names)),
            unnamed_since=tuple(sorted((c.key_id, first.get(c.key_id, observed.at)) for c in unnamed)),
            may_be_published=may_be_published,
        )
