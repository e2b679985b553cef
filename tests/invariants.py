"""Invariants of every simulated run, looked up in the emulator, never in rotator's own words.

I1, I2, I3, I5 and I6 are checked after every wire call, I4 around each PUT of a container group, I7 and I9 at the end
of a run, I10 by :func:`converges`. A violation is an AssertionError that starts with the invariant's name.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from local_azure.graph.objects import Password
from local_azure.wire import Request, ServiceError

from rotator.results import Result
from rotator.state import ADOPTED, COMPROMISED, KEY_ID, PREVIOUS, SINCE, marker
from rotator.state import FAILED as FAILED_TAG
from rotator.steps import Intent
from tests.stage import SECRET, Stage, watched

OUR_TAGS = (KEY_ID, SINCE, PREVIOUS, FAILED_TAG)
MOST_LIVE, MOST_UNRESOLVED = 2, 3
RUNS = 3
"""Runs, with the waits between them, after which a world without faults must be at rest (I10)."""


class Monitor:
    """Checks of a stage after every call. `moves` are the groups that rotator may move."""

    def __init__(self, made: Stage, moves: tuple[str, ...]) -> None:
        self.made, self.moves = made, moves
        self.foreign = self._untouchable()
        self.assignments = self._assignments()
        self._stored: dict[str, Any] | None = None
        self._group = ""
        self._looked: object = None
        self.most_unresolved = MOST_UNRESOLVED
        """Most unresolved adds: a declaration of compromise is never blocked by three."""

    def before(self, number: int, operation: str, request: Request) -> None:
        """Keep the group that a PUT is about to replace."""
        if operation == "aci.containerGroups.createOrUpdate":
            self._group = request.path
            exists = self.made.azure.container_groups.exists(request.path)
            self._stored = copy.deepcopy(self.made.azure.container_groups.stored(request.path)) if exists else None

    def after(self, number: int, operation: str, request: Request) -> None:
        """Check I1, I2, I3, I5 and I6 after every call, and I4 after a PUT.

        A read in the same instant as the last check leaves the world unchanged.
        """
        now = self.made.azure.clock.now()
        if request.method not in ("GET", "HEAD") or now != self._looked:
            for look in (self.pulls, self.published, self.untouched, self.bounded, self.no_assignment):
                look()
        self._looked = now
        if operation == "aci.containerGroups.createOrUpdate" and self._stored is not None:
            self.same_but_for_the_credential()

    def pulls(self) -> None:
        """Check I1: every movable group could pull now."""
        for name in self.moves:
            group_id = self.made.group_id(name)
            assert self.made.azure.container_groups.could_pull(group_id), (
                f"I1: {name} holds a credential that can't pull"
            )

    def published(self) -> None:
        """Check I2: readers of the secret get a password that authenticates."""
        assert self.made.azure.tokens.authenticates_everywhere(self.made.app_id, self.made.published()), (
            "I2: the published value is refused"
        )

    def untouched(self) -> None:
        """Check I3: only our credentials are removed."""
        gone = self.foreign - self._untouchable()
        assert not gone, f"I3: foreign credentials are gone: {gone}"

    def bounded(self) -> None:
        """Check I5: at most two live credentials of ours, plus those held by groups, compromised ones, and unresolved
        adds.
        """
        ours = [p for p in self.made.credentials() if (p.display_name or "").startswith("rotator:")]
        tags = [v.tags or {} for v in self.made.versions()]
        named = {each.get(KEY_ID) for each in tags}
        exposed = {key for each in tags for key in listed(each, COMPROMISED)}
        excused = exposed | self._held() | self._rolled_back(ours)
        used = [p for p in ours if p.key_id in named and (p.key_id not in excused or p.secret == self._value())]
        # A compromised value that a person published again is replaced at once, also during an overlap.
        most = MOST_LIVE + bool(self._untold() & self._values_of(exposed))
        assert len(used) <= most, f"I5: {len(used)} published credentials of ours are live"
        unnamed = [p for p in ours if p.key_id not in named and not self._left_to_a_person(p)]
        assert len(unnamed) <= self.most_unresolved, f"I5: {len(unnamed)} adds are unresolved"

    def _left_to_a_person(self, password: Password) -> bool:
        """Tell if only a person can know the use of an old password: Graph has no hint for those of a service
        principal.
        """
        old = password.start + self.made.policy.rotation.reclaim_after <= self.made.azure.clock.now()
        return old and any(each.key_id == password.key_id for each in self.made.principal.passwords)

    def _rolled_back(self, ours: list[Password]) -> set[str]:
        """Return credentials that a person published again, in a version without a key id: ours is published on top
        before they go.
        """
        return {p.key_id for p in ours if p.secret in self._untold()}

    def _untold(self) -> set[str]:
        """Return the values of versions without a key id."""
        return {v.value for v in self.made.versions() if not (v.tags or {}).get(KEY_ID)}

    def _values_of(self, keys: set[str]) -> set[str]:
        return {v.value for v in self.made.versions() if (v.tags or {}).get(KEY_ID) in keys}

    def _value(self) -> str | None:
        """Return the published value; None if readers get none."""
        try:
            return self.made.published()
        except ServiceError:
            return None

    def _held(self) -> set[str]:
        groups = (name for name in self.moves if self.made.azure.container_groups.exists(self.made.group_id(name)))
        tags = [self.made.tags_of(name) for name in groups]
        return {key for each in tags for tag in (KEY_ID, PREVIOUS) if (key := each.get(tag))}

    def no_assignment(self) -> None:
        """Check I6: a rotation touches no role assignment."""
        assert self._assignments() == self.assignments, "I6: role assignments changed"

    def same_but_for_the_credential(self) -> None:
        """Check I4: only the group's credential and our tags have changed."""
        if not self.made.azure.container_groups.exists(self._group):
            return
        now = self.made.azure.container_groups.stored(self._group)
        if any(fault.kind == "strip_tags" for fault in self.made.azure.faults.struck):
            now["tags"] = (self._stored or {}).get("tags")
        assert _bare(now, self.made.app_id) == _bare(self._stored or {}, self.made.app_id), (
            f"I4: {self._group} differs in more than the credential"
        )

    def secret_nowhere(self, *texts: str) -> None:
        """Check I7: no secret of the emulator is in a run's output."""
        told = "\n".join((self.made.told(), repr(self.made.events), *texts))
        leaked = [name for name, value in _secrets(self.made) if value in told]
        assert not leaked, f"I7: secrets were told: {leaked}"

    def _untouchable(self) -> set[str]:
        adopted = {key for v in self.made.versions() for key in listed(v.tags or {}, ADOPTED)}
        theirs = [
            p.key_id for p in self.made.azure.directory.passwords(self.made.bystander.app_id) if p.gone_from is None
        ]
        mine = [p.key_id for p in self.made.credentials() if not _ours(p)]
        return (set(mine) | set(theirs)) - adopted

    def _assignments(self) -> set[str]:
        return {a.id for a in self.made.azure.authorization.assignments()}


def listed(tags: Mapping[str, str], tag: str) -> list[str]:
    """Return the words of a list in a version's tags: under the tag's own name, and under its continuations with
    numbers.
    """
    return [word for name, value in tags.items() if re.fullmatch(rf"{tag}(-\d+)?", name) for word in value.split(",")]


def _ours(password: Password) -> bool:
    return (password.display_name or "").startswith(marker("", "")[: len("rotator:")])


def _secrets(made: Stage) -> Iterator[tuple[str, str]]:
    for number, value in enumerate(sorted(made.azure.directory.every_secret())):
        yield f"secret {number}", value


def _bare(stored: dict[str, Any], app_id: str) -> dict[str, Any]:
    """Return a stored group without the parts that a redeployment or Azure itself may change."""
    bare = copy.deepcopy(
        {
            k: v
            for k, v in stored.items()
            if k in ("location", "tags", "identity", "zones", "properties", "name", "type")
        }
    )
    bare["tags"] = {k: v for k, v in (bare.get("tags") or {}).items() if k not in OUR_TAGS}
    properties = bare["properties"]
    for volatile in ("provisioningState", "instanceView"):
        properties.pop(volatile, None)
    for container in properties.get("containers", []):
        container["properties"].pop("instanceView", None)
    for entry in properties.get("imageRegistryCredentials", []):
        if entry.get("username", "").lower() == app_id.lower():
            entry.pop("password", None)
    (properties.get("ipAddress") or {}).pop("ip", None)
    if properties.get("sku") == "Standard":
        del properties["sku"]
    slim: dict[str, Any] = _without_empty(bare)
    return slim


def _without_empty(value: Any) -> Any:
    """Return a value without empty lists: ACI shows them where the PUT had none, and the next PUT may send them
    back.
    """
    if isinstance(value, dict):
        return {name: _without_empty(item) for name, item in value.items() if item != []}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value


@contextmanager
def monitored(made: Stage, moves: tuple[str, ...]) -> Iterator[Monitor]:
    """Check every invariant for the duration of the block."""
    monitor = Monitor(made, moves)
    with watched(made, before=monitor.before, after=monitor.after):
        yield monitor
    monitor.secret_nowhere()


async def converges(made: Stage, intent: Intent | None = None) -> Result:
    """Check I9 and I10: at most three runs, with their waits, complete the rotation; one more run writes nothing."""
    result = await made.rotate(intent)
    for _ in range(RUNS - 1):
        if rested(made) and result.exit_code == 0:
            break
        wait = (result.next_due - made.azure.clock.now()) if result.next_due else timedelta(hours=25)
        made.azure.clock.advance(max(wait, timedelta(hours=1)) if wait < timedelta(days=8) else timedelta(hours=25))
        result = await made.rotate(intent)
    assert rested(made), f"I10: not at rest after {RUNS} runs: {summary(made)}; last: {result}; {made.told()[-3000:]}"
    assert result.exit_code == 0, (
        f"I9: the world is at rest and the exit code is {result.exit_code}: {made.told()[-3000:]}"
    )
    since = len(made.app.served)
    again = await made.rotate(intent)
    assert made.writes(since) == [], f"I10: a run with nothing due wrote {made.writes(since)}"
    assert again.exit_code == 0
    return again


def rested(made: Stage) -> bool:
    """Tell if one credential of ours is published and held by every group, with no superseded one left."""
    ours = [p for p in made.credentials() if (p.display_name or "").startswith("rotator:")]
    if len(ours) != 1 or made.published() != ours[0].secret:
        return False
    names = _there(made)
    held = all(
        made.password_of(name) == ours[0].secret and made.tags_of(name).get(KEY_ID) == ours[0].key_id for name in names
    )
    enabled = [v for v in made.azure.vaults.versions("myvault", SECRET) if v.enabled and (v.tags or {}).get(KEY_ID)]
    return held and len(enabled) == 1


def _there(made: Stage) -> list[str]:
    """Return the names of the policy's existing groups."""
    return [g.id.rsplit("/", 1)[-1] for g in made.policy.container_groups if made.azure.container_groups.exists(g.id)]


def summary(made: Stage) -> str:
    """Return the world in one line, for a failing test."""
    credentials = [f"{p.key_id[:8]} {p.display_name}" for p in made.credentials()]
    groups = {name: made.tags_of(name) for name in _there(made)}
    versions = [(v.id[:6], v.enabled, v.tags) for v in made.versions()]
    return f"credentials {credentials}; groups {groups}; versions {versions}"
