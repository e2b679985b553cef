"""The values that a decision is made of: steps, waits, notes, and the reasons for them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rotator.resource_id import ResourceId
from rotator.state import Assignment, Home

TO_COME = "to-come"
"""Stands for the key id and version id of a credential that is not issued yet."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a code that programs can rely on, and a sentence for people."""

    code: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Issue:
    """Add a credential, prove it, publish it. `warning`: what a person must know of it."""

    home: Home
    end: timedelta
    reason: Reason
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Deploy:
    """Redeploy one container group with the current credential.

    `canary`: alone, before any other. `warning`: what a person must know of it.
    """

    group: ResourceId
    key_id: str
    reason: Reason
    canary: bool = False
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Restore:
    """Put a container group back on the credential of `version`, because a pull with `failed` failed on it `count` times now."""

    group: ResourceId
    key_id: str
    version: str
    failed: str
    count: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Retire:
    """Remove a credential of ours that nothing relies on."""

    key_id: str
    home: Home
    reason: Reason


@dataclass(frozen=True, slots=True)
class Disable:
    """Disable a version whose credential is gone."""

    version: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Revoke:
    """Delete a role assignment of the principal."""

    assignment: Assignment
    reason: Reason


@dataclass(frozen=True, slots=True)
class Grant:
    """Create a role assignment of the principal."""

    assignment: Assignment
    reason: Reason


@dataclass(frozen=True, slots=True)
class Create:
    """Make the application (`name` is what people call it), or its service principal (`name` is the app id, or to come)."""

    home: Home
    name: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Save:
    """Write the app id into the policy's file, before anything depends on it."""

    app_id: str
    file: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Own:
    """Make rotator's own identity an owner of the application or service principal."""

    home: Home
    reason: Reason


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish the user name: the app id, in the secret of that name."""

    secret: str
    reason: Reason


Step = Issue | Deploy | Restore | Retire | Disable | Revoke | Grant | Create | Save | Own | Publish


@dataclass(frozen=True, slots=True)
class Wait:
    """Something that isn't due yet. `until` is when it will be, if that is known.

    `warn`: it waits past its warning, and the run exits 1. `look_again`: seconds after which the same run looks again.
    `since`: how long it has waited, where the world shows that.
    """

    code: str
    subject: str
    text: str
    until: datetime | None = None
    warn: bool = False
    look_again: float | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a person should know and no step follows from."""

    code: str
    subject: str
    text: str
    warn: bool = False


Finding = Step | Wait | Note


@dataclass(frozen=True, slots=True)
class Intent:
    """What the person who started this run asked for beyond the policy.

    `force_before`: rotate early where the current version is older than this (the instant the run began, so that it
    happens once).
    """

    force_before: datetime | None = None
    no_overlap: bool = False
    accept_drift: bool = False
    accept_outage: bool = False
    retry: bool = False


@dataclass(frozen=True, slots=True)
class Next:
    """The steps that are safe now (one kind; only Deploys come in numbers), and what waits."""

    steps: tuple[Step, ...] = ()
    waits: tuple[Wait, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The batches that a run takes if every step succeeds and no wait ends, and what waits after them."""

    batches: tuple[tuple[Step, ...], ...] = ()
    waits: tuple[Wait, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in order."""
        return tuple(step for batch in self.batches for step in batch)


def kind(step: Step | type[Step]) -> str:
    """The name of a step for people and JSON: its class in lower case."""
    return (step if isinstance(step, type) else type(step)).__name__.lower()


def target(step: Step) -> str:
    """What a step is about: a key id, a version, a container group, a role assignment, an object of the directory, a file."""
    match step:
        case Create() | Save() | Own() | Publish():
            return _made(step)
        case Issue(home=home):
            return home.value
        case Deploy(group=group) | Restore(group=group):
            return group
        case Retire(key_id=key_id):
            return key_id
        case Disable(version=version):
            return version
        case Revoke(assignment=assignment) | Grant(assignment=assignment):
            return assignment.id


def _made(step: Create | Save | Own | Publish) -> str:
    match step:
        case Create(name=name):
            return name
        case Save(file=file):
            return file
        case Own(home=home):
            return home.value
        case Publish(secret=secret):
            return secret
