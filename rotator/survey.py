"""Sort many policies by the services' lists: those at rest, and the others, most urgent first.

Lists show less than a look: neither the older versions of a secret nor the instance view of a container group. So a
policy rests only on two proofs (`rotator.plan.at_rest`): the lists of now, and a look at everything that found rest in
the same state, since the policy's last time of the day. Such looks are remembered in a local file. The file decides
nothing but another look: without it, with a damaged one, or on another machine, the policy is looked at.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rotator.container_group import Dependent, concerned
from rotator.engine import Run, Sight
from rotator.errors import RotatorError, Unavailable, Unreachable
from rotator.notify import exchanged, plain
from rotator.plan import View, fingerprint, next_due, still_valid, unrest
from rotator.ports import Clock, Survey, Surveyed
from rotator.results import Preview
from rotator.steps import NOTHING_KNOWN, Intent, Next, Plan

FILE = "looks.json"
"""Name of the file with the looks, beside the leases."""
LARGEST = 16_000_000
"""Bytes of the file that are read: about a hundred for a policy."""
KEPT = timedelta(days=2)
"""Age from which a look is left out of the file: none is valid for longer than a day."""
FEWEST = 2
"""Number of policies from which on the services' lists are read; fewer policies are read one by one."""
LISTING = 3
"""Services with lists: Resource Manager, Key Vault and Graph."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Looked:
    """Look at everything that found a policy at rest: Azure's time, and a digest of the state seen."""

    at: datetime
    fingerprint: str


@dataclass(slots=True)
class Looks:
    """Looks that found rest, by lineage: those of the file, and those of this run."""

    file: Path
    known: Mapping[str, Looked] = field(default_factory=dict)
    new: dict[str, Looked] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> "Looks":
        """Read the file; a missing, unreadable or damaged one is an empty one."""
        with suppress(OSError):
            return cls(file, _parsed(plain(file, LARGEST)))
        return cls(file)

    def note(self, run: Run) -> None:
        """Remember the last look of a run that ended well, if it shows rest."""
        if not run.latest or run.latest[0].preview:
            return
        observed = run.latest[0].observed
        view = View(run.policy, observed, Intent())
        if not unrest(view):
            self.new[observed.lineage] = Looked(observed.at, fingerprint(view))

    async def write(self, clock: Clock) -> None:
        """Add the looks of this run to the file; a file that can't be written costs looks, and no more."""
        if not self.new:
            return
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            await exchanged(self.file, self._changed, clock)
        except OSError as error:
            log.warning("%s can't be written (%s): the next run looks at every policy", self.file, error.strerror)

    def _changed(self, text: str) -> str:
        before = _parsed(text.encode())
        looks = {**before, **{each: max(look, before.get(each, look), key=_age) for each, look in self.new.items()}}
        oldest = max(each.at for each in self.new.values()) - KEPT
        kept = {
            lineage: [each.at.isoformat(), each.fingerprint]
            for lineage, each in sorted(looks.items())
            if each.at > oldest
        }
        return json.dumps({"v": 1, "looks": kept}, separators=(",", ":"))


def _age(look: Looked) -> datetime:
    return look.at


def _parsed(content: bytes) -> dict[str, Looked]:
    with suppress(ValueError, TypeError, KeyError, RecursionError, AttributeError):
        return {str(lineage): _looked(said) for lineage, said in json.loads(content)["looks"].items()}
    return {}


def _looked(said: Any) -> Looked:
    at, shown = datetime.fromisoformat(said[0]), said[1]
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return Looked(at, str(shown))


@dataclass(frozen=True, slots=True)
class Sorted:
    """Previews of the policies at rest by name, and the runs of the others, most urgent first."""

    resting: Mapping[str, Preview]
    others: tuple[Run, ...]


async def sort_out(runs: Sequence[Run], looks: Looks, *, apart: Callable[[Run], bool] = lambda run: False) -> Sorted:
    """Read the lists for all runs but those to be kept `apart`, which are looked at in any case."""
    candidates = [run for run in runs if not apart(run)]
    if len(candidates) < FEWEST:
        return Sorted({}, tuple(runs))
    world = candidates[0].world
    read = world.moment()
    try:
        found = await world.survey([run.policy for run in candidates], concerned)
    except RotatorError as error:
        _tell(error)
        return Sorted({}, tuple(runs))
    _ensure_reached(found)
    for failure in found.failures:
        _tell(failure)
    resting, keys = dict[str, Preview](), dict[str, tuple[int, float]]()
    for run in candidates:
        name, listed = run.policy.name, found.listed.get(run.policy.name)
        if listed is None:
            log.debug("%s is looked at: %s", name, found.unlisted.get(name, "the lists don't show it"))
            continue
        view = View(run.policy, listed.observed, run.intent, NOTHING_KNOWN, listed.groups)
        if preview := _rest(view, listed, looks):
            resting[name], run.latest[:] = preview, [Sight(run.policy, read, listed.observed, preview)]
        else:
            keys[name] = urgency(view)
    others = (run for run in runs if run.policy.name not in resting)
    return Sorted(resting, tuple(sorted(others, key=lambda run: keys.get(run.policy.name, UNKNOWN))))


def _ensure_reached(found: Survey[Dependent]) -> None:
    """Stop if no service answered, not even with a refusal: each look would end the same way. Raises Unreachable."""
    silent = [each for each in found.failures if isinstance(each, Unavailable) and not each.status]
    services = sorted({each.service for each in silent})
    if not found.listed and len(services) >= LISTING and len(silent) == len(found.failures):
        happened = f"none of {', '.join(services)} gave an answer: {silent[0].happened}"
        raise Unreachable(happened, service=silent[0].service, code=silent[0].code)


UNKNOWN = (2, 0.0)
"""Urgency of a policy that the lists don't show: last, since a look at it may be slow."""


def urgency(view: View) -> tuple[int, float]:
    """Return the sort key of a policy that isn't at rest: the one whose credential ends first comes first.

    A compromised credential comes before all others.
    """
    ends = [end for each in view.dependents if (end := view.soonest(each))]
    ends.append(view.current.end if view.current else view.at)
    return int(not view.compromised), min(ends).timestamp()


def _rest(view: View, listed: Surveyed[Dependent], looks: Looks) -> Preview | None:
    """Return the preview of a policy at rest; None without a proof of rest."""
    observed, why = listed.observed, unrest(view)
    looked = looks.known.get(observed.lineage)
    if not why and looked is None:
        why = "no earlier full look that found this policy at rest is recorded"
    elif not why and looked and not still_valid(observed.lineage, looked.at, observed.at):
        why = "the daily full look at this policy is due"
    elif not why and looked and looked.fingerprint != fingerprint(view):
        why = "the state differs from that of the last full look"
    if why or looked is None:
        log.debug("%s is looked at: %s", view.policy.name, why)
        return None
    due = next_due(view.policy, observed, Next())
    return Preview(view.policy, observed, NOTHING_KNOWN, Plan(), (), due, view, looked.at)


def _tell(error: RotatorError) -> None:
    log.warning("%s. The policies that need this list are read one by one", error.happened.rstrip("."))
