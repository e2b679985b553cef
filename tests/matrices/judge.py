"""Judge of a story: checks the invariants after every call; damage by people is recorded and excused.

Violations are recorded, not raised: in the midst of a call an exception would be taken for an error of the call.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from local_azure.graph.objects import Password
from local_azure.keyvault.secret import Version
from local_azure.wire import Request, ServiceError

from rotator.events import CredentialRemoved, Event, Finished, VersionDisabled
from rotator.state import ACCESS, ADOPTED, COMPROMISED, KEY_ID
from tests.invariants import Monitor, listed
from tests.matrices.effects import Effect
from tests.stage import GROUPS, SECRET, Stage

GONE = "access is gone"
"""First words of a revocation that has ended all access."""


class Judge(Monitor):
    """Monitor of every call by any process."""

    def __init__(self, made: Stage) -> None:
        super().__init__(made, GROUPS)
        self.violations: list[str] = []
        self.apart: list[str] = []
        """Violations of I1 and I2 by a run that was stopped for too long inside a request that was already checked."""
        self.too_long = False
        """True if such a run is under way, or has been."""
        self.after_revocation: tuple[frozenset[str], frozenset[str]] | None = None
        """Credentials and enabled versions at a reported revocation; no more may be added until the mark is
        `granted`.
        """
        self.credentials_revoked = False
        """True after a revocation with credentials."""
        self._handed_over: set[str] = set()
        """Adopted or compromised credentials that were in use: no other can have been meant."""
        self._used: set[str] = set()
        """Passwords that were published, or that a group held."""
        self._read: dict[tuple[int, str], dict[str, Any]] = {}
        """Last reading of each group by each process, by its path."""
        self._written: dict[str, tuple[dict[str, Any] | None, dict[str, Any]]] = {}
        """Each group before its last write, as a stale read shows it, and after."""
        self._marks: dict[tuple[str, str], set[str]] = {}
        self._off: set[str] = set()
        """Versions disabled at the time of a person's change."""
        self._broken: set[str] = set()
        """Passwords removed by people, never valid, or expired: a holder's failure is not rotator's doing."""
        self._seen: tuple[datetime, int] | None = None
        self._writes = 0
        self._used |= self._shown()
        self._keep_written()

    def same_but_for_the_credential(self) -> None:
        """Check I4, also against the last read of the same process: later changes by others are invisible to clients
        without ETags.
        """
        stored, read = self._stored, self._read.pop((id(self.made.asking), self._group.lower()), None)
        try:
            super().same_but_for_the_credential()
        except AssertionError:
            if read is None:
                raise
            self._stored = read
            super().same_but_for_the_credential()
        finally:
            self._stored = stored

    def before(self, number: int, operation: str, request: Request) -> None:
        """Keep the group that a PUT is about to replace, and excuse credentials that expired."""
        if operation == "aci.containerGroups.get" and self.made.azure.container_groups.exists(request.path):
            self._read[id(self.made.asking), request.path.lower()] = self._answered(request.path)
        if request.method != "GET":
            self._excuse_what_ended()
            super().before(number, operation, request)

    def _answered(self, path: str) -> dict[str, Any]:
        """Return the group as a read shows it: before its last write, if the read is stale."""
        lags = getattr(self.made.asking, "meets", None) is Effect.STALE
        before = self._written.get(path.lower(), (None,))[0] if lags else None
        return before or self.made.azure.container_groups.stored(path)

    def _keep_written(self) -> None:
        for path in (self.made.group_id(name) for name in GROUPS if self._exists(name)):
            now, (before, after) = (
                self.made.azure.container_groups.stored(path),
                self._written.get(path.lower(), (None, None)),
            )
            if now != after:
                self._written[path.lower()] = (after or before, now)

    def after(self, number: int, operation: str, request: Request) -> None:
        """Check the invariants if a write was sent or time has passed since the last check."""
        self._writes += request.method not in ("GET", "HEAD")
        now = (self.made.azure.clock.now(), self._writes)
        if now == self._seen:
            return
        self._seen = now
        self._noted(lambda: self._all(operation))

    def _all(self, operation: str) -> None:
        self._used |= self._shown()
        self._keep_written()
        if self._mark() == "granted":
            self.after_revocation = None
        if self.credentials_revoked and self.revoked():
            self._broken |= {p.secret for p in self._passwords() if p.gone_from is not None}
        for look in (
            self.pulls,
            self.published,
            self.untouched,
            self.marked,
            self.bounded,
            self.nothing_whole_after_revocation,
        ):
            self._noted(look)
        if operation == "aci.containerGroups.createOrUpdate" and self._stored is not None:
            self._noted(self.same_but_for_the_credential)

    def _noted(self, look: Callable[[], None]) -> None:
        try:
            look()
        except AssertionError as violation:
            said = str(violation).split("\n")[0]
            if self.too_long and said[:2] in ("I1", "I2"):
                self.apart.append(said)
                self.look()
            elif said not in self.violations:
                self.violations.append(said)

    def pulls(self) -> None:
        """Check I1, but for groups with values that people broke, and unless access is revoked or not assigned."""
        for name in GROUPS if self._allowed() and not self.revoked() else ():
            sound = self._could_pull(name) or self.made.password_of(name) in self._broken
            assert sound, f"I1: {name} holds a credential that can't pull"

    def published(self) -> None:
        """Check I2, but for values that people broke, and unless access is revoked."""
        value = None if self.revoked() or self._emptied() else self._value()
        sound = value is None or value in self._broken or self._works(value)
        assert sound, "I2: the published value is refused"

    def _emptied(self) -> bool:
        """Tell if the newest version is disabled by a revocation or a person; then readers get no value until the next
        rotation.
        """
        newest = max(self._versions(), key=lambda version: version.order, default=None)
        return newest is not None and not newest.enabled and (self.credentials_revoked or newest.id in self._off)

    def untouched(self) -> None:
        """Check I3: removed credentials were ours, or adopted before."""
        named = {
            key
            for v in self._versions()
            for key in (*listed(v.tags or {}, ADOPTED), *listed(v.tags or {}, COMPROMISED))
        }
        self._handed_over |= {p.key_id for p in self._passwords() if p.key_id in named and p.secret in self._used}
        live = {p.key_id for p in self._passwords() if p.gone_from is None} | {p.key_id for p in self._others()}
        gone = self.foreign - live - self._handed_over
        assert not gone, f"I3: foreign credentials are gone: {gone}"

    def marked(self) -> None:
        """Check that marks are only ever added."""
        for version in self._versions():
            for tag in (ADOPTED, COMPROMISED):
                words = set(listed(version.tags or {}, tag))
                lost = self._marks.get((version.id, tag), set()) - words
                assert not lost, f"I3: the mark {tag} of version {version.id[:6]} has lost {sorted(lost)}"
                self._marks[version.id, tag] = words

    def _versions(self) -> list[Version]:
        return self.made.azure.vaults.versions("myvault", SECRET)

    def _others(self) -> list[Password]:
        return [p for p in self.made.azure.directory.passwords(self.made.bystander.app_id) if p.gone_from is None]

    def readers_come_back(self) -> None:
        """Check I2 for a secret that people have recovered, before its values are accepted as they are."""
        self._noted(self.published)

    def look(self) -> None:
        """Accept the world after a change by a person: damage that exists now isn't rotator's."""
        self.foreign = self._untouchable()
        self._keep_written()
        self._broken |= {p.secret for p in self._passwords() if p.gone_from is not None}
        self._off |= {version.id for version in self._versions() if not version.enabled}
        values, live = (
            self._shown(),
            {p.secret for p in self._passwords() if p.gone_from is None and p.end > self.made.azure.clock.now()},
        )
        self._used |= values
        self._broken |= values - live
        if self.after_revocation:
            self.acknowledged()

    def _shown(self) -> set[str]:
        """Return the passwords of groups, and the values of the secret's versions."""
        return {self.made.password_of(name) for name in GROUPS if self._exists(name)} | {
            v.value for v in self._versions()
        }

    def _excuse_what_ended(self) -> None:
        """Excuse expired credentials: no run has removed them."""
        now = self.made.azure.clock.now()
        self._broken |= {p.secret for p in self._passwords() if p.end <= now}

    def _passwords(self) -> list[Password]:
        return self.made.azure.directory.passwords(self.made.app_id)

    def _works(self, value: str) -> bool:
        return self.made.azure.tokens.authenticates_everywhere(self.made.app_id, value)

    def _allowed(self) -> bool:
        """Tell if the principal has an effective assignment of the role for pulls."""
        given = self.made.azure.authorization.assignments(principals=[self.made.principal.id])
        return any(each.active_from <= self.made.azure.clock.now() for each in given)

    def _could_pull(self, name: str) -> bool:
        """Tell if a group could pull; an absent group counts as able to."""
        return not self._exists(name) or self.made.azure.container_groups.could_pull(self.made.group_id(name))

    def _exists(self, name: str) -> bool:
        return self.made.azure.container_groups.exists(self.made.group_id(name))

    def _value(self) -> str | None:
        try:
            return str(self.made.azure.vaults.find("myvault", SECRET).value)
        except ServiceError:
            return None

    # access

    def revoked(self) -> bool:
        """Tell if the mark is `revoked`."""
        return self._mark() == "revoked"

    def _mark(self) -> str | None:
        """Return the value of the mark; None if unreadable."""
        try:
            mark = self.made.azure.vaults.find("myvault", self.made.policy.access_secret)
        except ServiceError:
            return None
        return (mark.tags or {}).get(ACCESS)

    def acknowledged(self) -> None:
        """Record the world at the successful end of a revocation, for I8."""
        self.after_revocation = (self._keys(), self._enabled())

    def granted(self) -> None:
        """Record a grant: access may return, so that I8 no longer applies."""
        self.after_revocation = None
        self.look()

    def revocation_holds(self) -> None:
        """Check I8: no credential and no version was added since the revocation."""
        if self.after_revocation is None:
            return
        keys, versions = self.after_revocation
        self._noted(lambda: _no_more("I8: a credential came after the revocation", self._keys(), keys))
        self._noted(lambda: _no_more("I8: a version came after the revocation", self._enabled(), versions))

    def nothing_whole_after_revocation(self) -> None:
        """Check I8 within a run: one write may follow a look before the revocation, but not both an add and its
        publication.
        """
        if self.after_revocation:
            keys, versions = self.after_revocation
            came = self._keys() - keys and self._enabled() - versions
            assert not came, "I8: a credential was added and published after the revocation"

    def _keys(self) -> frozenset[str]:
        return frozenset(p.key_id for p in self.made.credentials())

    def _enabled(self) -> frozenset[str]:
        return frozenset(v.id for v in self._versions() if v.enabled)

    def untrue(self, event: Event) -> str:
        """Return the contradiction between an event and the world; empty if the event is true. None of these is ever
        undone.
        """
        match event:
            case CredentialRemoved(key_id=key_id) if key_id in self._keys():
                return f"credential {key_id} is said to be removed, and is there"
            case VersionDisabled(version=version) if version in self._enabled():
                return f"version {version} is said to be disabled, and is enabled"
            case Finished(summary=summary) if summary.startswith(GONE) and (left := self.still_pulls()):
                return f"access is said to be gone, and {left} are left"
        return ""

    def known_passwords(self) -> frozenset[str]:
        """Return the key ids of every password of the principal, removed ones included."""
        return frozenset(p.key_id for p in self._passwords())

    def taken_back(self, verb: str, known: frozenset[str]) -> list[str]:
        """Return the passwords that an undisturbed run added and removed again: later runs would do the same (I10)."""
        undone = [p.key_id for p in self._passwords() if p.key_id not in known and p.gone_from is not None]
        return [f"I10: {verb} added {key} and took it back, although nothing happened to it" for key in undone]

    def hidden(self) -> str:
        """Return the problem that an exit code of 0 conceals, although rotator can know it; empty for none."""
        value = self._value()
        if value is None or not self._works(value):
            return "nobody can use the published secret"
        for name in GROUPS:
            if self._exists(name) and self._tells(name) and not self._could_pull(name):
                return f"{name} can't pull"
        ours = [p for p in self.made.credentials() if (p.display_name or "").startswith("rotator:")]
        held = {self.made.tags_of(name).get(KEY_ID) for name in GROUPS if self._exists(name)}
        left = [p.key_id for p in ours if p.secret != value and p.key_id not in held and None not in held]
        return f"credentials {left} are left over" if left else ""

    def _tells(self, name: str) -> bool:
        """Tell if a group shows that its password is gone: by its tag, or by a start long before every existing one."""
        group = self.made.azure.container_groups.state.groups[str(self.made.group_id(name)).lower()]
        begun = [c.current.start for c in group.mains if c.current and c.current.start]
        first = min((p.start for p in self.made.credentials()), default=None)
        older = bool(begun and first and min(begun) < first - timedelta(minutes=6))
        return bool(self.made.tags_of(name).get(KEY_ID)) or older

    def still_pulls(self) -> str:
        """Return the remaining access of the principal after a proven revocation; empty for none."""
        roles = self.made.azure.authorization.assignments(
            self.made.seeded.registry_id, above_only=True, principals=[self.made.principal.id]
        )
        found = [*self.made.credentials(), *self.made.application.certificates, *self.made.application.federated]
        return f"{len(roles)} roles and {len(found)} ways to sign in" if roles and found else ""

    def open_doors(self) -> bool:
        """Tell if a password declared compromised still signs in."""
        declared = self.declared()
        return any(p.key_id in declared for p in self.made.credentials())

    def declared(self) -> frozenset[str]:
        """Return the key ids that versions name as compromised."""
        return frozenset(key for v in self._versions() for key in listed(v.tags or {}, COMPROMISED))


def _no_more(what: str, now: frozenset[str], then: frozenset[str]) -> None:
    assert now <= then, f"{what}: {sorted(now - then)}"
