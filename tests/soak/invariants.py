"""Invariants, checked against the truth: they hold whichever runs were killed or suspended, and whatever people
changed.

`Memory` keeps earlier truths, to tell a removed password from a value that never was one. Changes by people, recorded
in the `Ledger`, are no violation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.soak.people import Ledger
from tests.soak.scene import HIDDEN, ROLE, Scene
from tests.soak.truth import ADOPTED, ATTEMPT, COMPROMISED, KEY_ID, Password, Truth

MOST_LIVE, MOST_UNRESOLVED = 2, 3
REVOKES, GRANTS, ISSUES = ("revoke",), ("grant", "provision"), ("rotate", "provision")


@dataclass
class Memory:
    """Record of one scene: earlier passwords, versions, roles and commands."""

    scene: Scene
    ledger: Ledger
    passwords: dict[str, Password] = field(default_factory=dict)
    """Passwords by value."""
    published: set[str] = field(default_factory=set)
    roles: frozenset[str] | None = None
    certificates: frozenset[str] = frozenset()
    named: set[str] = field(default_factory=set)
    """Key ids in command lines."""
    commands: list[str] = field(default_factory=list)
    """Every verb begun."""
    taken: bool = False
    """True after `revoke --credentials`, or `--accept-outage`: a removed credential may then be in use."""

    def remember(self, truth: Truth) -> None:
        self.passwords |= {each.value: each for each in truth.passwords}
        self.published |= {version.value for version in truth.versions}
        self.certificates |= truth.certificates


def violations(memory: Memory, truth: Truth, *, at_work: int = 0) -> Iterator[str]:
    """Yield the violations at one instant; `at_work` is the number of running commands."""
    yield from _pulls(memory, truth)
    yield from _published(memory, truth)
    yield from _foreign(memory, truth)
    yield from _bounded(memory, truth, at_work)
    yield from _sent_once(memory, truth)
    yield from _roles(memory, truth)


def broken(memory: Memory, truth: Truth, value: str) -> str:
    """Return the reason why rotator made a value useless; "" if the value authenticates, or if people broke it."""
    found, known = truth.of(value), memory.passwords.get(value)
    if value in memory.ledger.written or memory.taken:
        return ""
    if known is None:
        return "is no password at all"
    if found is None or found.gone:
        return "" if known.key_id in memory.ledger.removed else f"was removed: {known.key_id} ({known.name})"
    if found.end > truth.now and found.ours and found.everywhere > truth.now:
        return f"isn't known to every replica yet: {found.key_id}"
    return ""


def _pulls(memory: Memory, truth: Truth) -> Iterator[str]:
    for group in truth.groups.values():
        if why := broken(memory, truth, group.password):
            yield f"I1: {group.name} holds a password that {why}"


def _published(memory: Memory, truth: Truth) -> Iterator[str]:
    if truth.newest is None and memory.published and not memory.taken:
        yield "I2: no version is enabled"
    elif truth.newest and (why := broken(memory, truth, truth.newest.value)):
        yield f"I2: the newest version {truth.newest.id} has a password that {why}"


def _foreign(memory: Memory, truth: Truth) -> Iterator[str]:
    handed = truth.marked(ADOPTED) | truth.marked(COMPROMISED)
    alive = {each.key_id for each in truth.passwords if not each.gone}
    for each in memory.passwords.values():
        mine = each.ours or each.key_id in handed
        if not mine and each.key_id not in alive and each.key_id not in memory.ledger.removed:
            yield f"I3: the foreign password {each.key_id} ({each.name!r}) is gone"
        if (
            each.key_id in truth.marked(ADOPTED)
            and each.key_id not in memory.named
            and each.value not in memory.published
        ):
            yield f"I3: {each.key_id} ({each.name!r}) was adopted, and was never published"
    if memory.certificates - truth.certificates:
        yield "I3: a certificate is gone"


def _bounded(memory: Memory, truth: Truth, at_work: int) -> Iterator[str]:
    ours = [each for each in truth.live(memory.scene.app_id) if each.ours]
    held = {group.password for group in truth.groups.values()}
    named, excused = truth.marked(KEY_ID), truth.marked(COMPROMISED)
    used = [each for each in ours if each.key_id in named and each.value not in held and each.key_id not in excused]
    if len(used) > MOST_LIVE:
        yield f"I5: {len(used)} published passwords of ours are live that no group holds"
    unnamed = [each for each in ours if each.key_id not in named]
    most = MOST_UNRESOLVED + at_work + memory.commands.count("compromised") + ("two at once" in memory.commands)
    if len(unnamed) > most:
        yield f"I5: {len(unnamed)} adds are unresolved"


def _sent_once(memory: Memory, truth: Truth) -> Iterator[str]:
    """Yield attempts published twice and passwords added twice: no layer below the retry policy may send again."""
    attempts = [version.tags[ATTEMPT] for version in truth.versions if ATTEMPT in version.tags]
    yield from (f"I5: attempt {each} was published twice" for each in set(attempts) if attempts.count(each) > 1)
    names = [each.name for each in memory.passwords.values() if each.ours]
    yield from (f"I5: the password {each} was added twice" for each in set(names) if names.count(each) > 1)


def _roles(memory: Memory, truth: Truth) -> Iterator[str]:
    if memory.roles is None:
        memory.roles = truth.roles
    own = {each for each in memory.roles | truth.roles if each.endswith(f" {memory.scene.principal}")}
    unseated = {
        each
        for each in memory.roles
        if any(each.split(" ")[0] in address.lower() for address in memory.ledger.unseated)
    }
    if lost := memory.roles - truth.roles - own - unseated:
        yield f"I6: role assignments of others are gone: {sorted(lost)}"
    if more := truth.roles - memory.roles - own:
        yield f"I6: others have new role assignments: {sorted(more)}"
    taken = any(ROLE in each for each in memory.roles - truth.roles) and not memory.ledger.unroled
    if taken and not set(REVOKES) & set(memory.commands):
        yield "I6: the role assignment is gone, and nobody revoked"
    if (truth.roles - memory.roles) & own and not set(GRANTS) & set(memory.commands):
        yield "I6: there is a new role assignment, and nobody granted"


def settings(before: Truth, after: Truth, edited: set[str]) -> Iterator[str]:
    """Yield violations of I4 between two instants: changed settings of groups that people did not edit."""
    for name in before.groups.keys() & after.groups.keys() - edited:
        if before.groups[name].settings != after.groups[name].settings and name != "nightly":
            yield f"I4: {name} was {before.groups[name].settings}, and is {after.groups[name].settings}".replace(
                HIDDEN, "<hidden>"
            )
    for name in before.groups.keys() - after.groups.keys() - edited:
        yield f"I4: {name} is gone"


@dataclass(frozen=True)
class Claim:
    """Claim of a command that ended with 0, with the truth before and after."""

    arguments: Sequence[str]
    before: Truth
    after: Truth
    principal: str

    @property
    def role(self) -> bool:
        return any(each.endswith(f" {self.principal}") for each in self.after.roles)

    @property
    def current(self) -> Password | None:
        """Password of the newest version, if valid."""
        found = self.after.of(self.after.newest.value) if self.after.newest else None
        return found if found and not found.gone and found.end > self.after.now else None

    def __str__(self) -> str:
        return (
            f"{self.arguments[0]} ends with 0; mark {self.after.mark!r}, {'with' if self.role else 'without'} the role"
        )


def _rotate(claim: Claim) -> Iterator[str]:
    if claim.before.mark == "revoked" or "--dry-run" in claim.arguments:
        return
    newest = claim.after.newest
    if not claim.current or not any(KEY_ID in version.tags for version in claim.after.versions):
        yield f"I9: {claim}, and the newest version doesn't authenticate, or none was ever ours"
    elif newest and claim.current.key_id in newest.listed(COMPROMISED):
        yield f"I9: {claim}, and the current password is compromised"


def _revoke(claim: Claim) -> Iterator[str]:
    if "--no-wait" not in claim.arguments and (claim.after.mark != "revoked" or claim.role):
        yield f"I9: {claim}"


def _grant(claim: Claim) -> Iterator[str]:
    if claim.after.mark == "revoked" or not claim.role:
        yield f"I9: {claim}"


def _provision(claim: Claim) -> Iterator[str]:
    """Yield violations of `provision`: no role, no version, or a dead password of rotator's. It doesn't try foreign
    versions.
    """
    newest, wanted = claim.after.newest, claim.before.mark != "revoked" and "--dry-run" not in claim.arguments
    if wanted and not (claim.role and newest and (claim.current or KEY_ID not in newest.tags)):
        yield f"I9: {claim}, {'with' if claim.current else 'without'} a password that works"


def _deploy(claim: Claim) -> Iterator[str]:
    newest = claim.after.newest
    for name in set(claim.arguments) & set(claim.after.groups):
        if newest and claim.after.groups[name].password != newest.value:
            yield f"I9: {claim}, and {name} doesn't hold what is published"


CLAIMS = {"rotate": _rotate, "revoke": _revoke, "grant": _grant, "provision": _provision, "deploy": _deploy}
"""Claims of I9: by verb, the meaning of exit code 0, if no other command or person acted meanwhile."""
