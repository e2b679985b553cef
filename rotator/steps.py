"""The values that a decision is made of: steps, waits, notes, and the reasons for them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rotator.causes import Denial
from rotator.codes import NoteCode, ReasonCode, WaitCode
from rotator.resource_id import ResourceId
from rotator.state import Assignment, Home, NewerValue, Permissions, Proof, RegistryAccess, SignIns

Refused = frozenset[tuple[str, str]]
"""Kind and target of steps vetoed by the guard or failed: not asked for again by the same run."""
TO_COME = "to-come"
"""Stands for the key id and version id of a credential that is not issued yet."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Reason of a step: a stable code for programs, and a sentence for people."""

    code: ReasonCode
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Issue:
    """Add a credential, prove and publish it. `warning`: a warning for the person on call."""

    home: Home
    end: timedelta
    reason: Reason
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Deploy:
    """Redeploy one container group with the current credential.

    `canary`: alone, before any other. `warning`: a warning for the person on call.
    """

    group: ResourceId
    key_id: str
    reason: Reason
    canary: bool = False
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Restore:
    """Redeploy a container group with the credential of `version`, after `count` failed pulls with `failed`."""

    group: ResourceId
    key_id: str
    version: str
    failed: str
    count: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Retire:
    """Remove a credential of ours without dependents."""

    key_id: str
    home: Home
    reason: Reason


@dataclass(frozen=True, slots=True)
class Disable:
    """Disable a secret version whose credential no longer exists."""

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
    """Create the application (`name`: its display name), or its service principal.

    For the service principal, `name` is the app id, or a placeholder if not known yet.
    """

    home: Home
    name: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Save:
    """Write the app id into the policy's file, before any step depends on the application."""

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
    """Step not due yet. `until` is the due time, if known.

    `warn`: the wait is past its warning, and the run exits 1. `look_again`: seconds until the same run looks again, at
    most `looks` times, if given. `since`: start of the wait, if known. `remedy`: sentence with the action of a person
    that ends the wait.
    """

    code: WaitCode
    subject: str
    text: str
    until: datetime | None = None
    warn: bool = False
    look_again: float | None = None
    since: datetime | None = None
    remedy: str = ""
    looks: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Information for a person, without a step to follow."""

    code: NoteCode
    subject: str
    text: str
    warn: bool = False


Finding = Step | Wait | Note


@dataclass(frozen=True, slots=True)
class Intent:
    """Requests of the person starting the run, beyond the policy.

    `force_before`: rotate early where the current version is older than this instant (the start of the run, so that the
    rotation happens once).
    """

    force_before: datetime | None = None
    no_overlap: bool = False
    accept_drift: bool = False
    accept_outage: bool = False
    retry: bool = False


@dataclass(frozen=True, slots=True)
class Postponed:
    """Step that waits for one of Azure's limits on requests: kind, target, end of the limit, its name."""

    step: str
    target: str
    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Known:
    """Facts known to a run beside one observation: answers to its tries and questions, and memories of earlier looks.

    `proof`: latest try of the current value, made at `proof_at`; `unproven`: the reason why the value couldn't be read.
    `tried`: tries of other versions' values, by version id. `permissions`: answers of RBAC; `links`: a redeployment's
    refused actions on resources other than its group, each with the resource; `sources`: unusable secrets needed by a
    container group, each with the reason and, where Azure refuses it, the remedy; `unanswered`: questions without an
    answer from Azure, each with the reason; `newer`: values that only a newer API version shows; `signs_in`: the means
    to sign in as the principal, read where other means than passwords matter; `access`: the ways to pull, read where no
    value of the secret authenticates, so that no pull could be tried.

    `absent_since`: first time the run saw the current credential missing. `lost`: display names of credentials possibly
    made by adds of the run and not shown by any read. `unnamed_since`: for each orphan, the first time the run saw no
    object naming the orphan. `may_be_published`: the credentials whose password readers of the secret may have, judged
    by Graph's `hint`; None if unknown. These are orphans that fit a version without a key id (without a current
    credential: the newest version, too), and superseded credentials that fit a newest version without a key id.
    `refused`: see `Refused`. `limited`: steps that wait for Azure's limits on requests.
    """

    proof: Proof | None = None
    proof_at: datetime | None = None
    unproven: Denial | None = None
    tried: tuple[tuple[str, Proof], ...] = ()
    permissions: Permissions | None = None
    links: tuple[tuple[str, ResourceId], ...] = ()
    sources: tuple[tuple[str, str, str], ...] = ()
    unanswered: tuple[tuple[str, str], ...] = ()
    newer: tuple[NewerValue, ...] = ()
    signs_in: SignIns | None = None
    access: tuple[RegistryAccess, ...] = ()
    absent_since: datetime | None = None
    lost: tuple[str, ...] = ()
    unnamed_since: tuple[tuple[str, datetime], ...] = ()
    may_be_published: tuple[str, ...] | None = ()
    refused: Refused = frozenset()
    limited: tuple[Postponed, ...] = ()

    @property
    def groups_refused(self) -> tuple[ResourceId, ...]:
        """Return the container groups that RBAC doesn't let rotator redeploy."""
        return self.permissions.groups_refused if self.permissions else ()


NOTHING_KNOWN = Known()
"""Knowledge of a run after one look without a try."""


@dataclass(frozen=True, slots=True)
class Next:
    """Steps safe now (one kind; only Deploys come in numbers), and the waits."""

    steps: tuple[Step, ...] = ()
    waits: tuple[Wait, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Batches of a run if every step succeeds and no wait ends, and the waits after them."""

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
    """Return the target of a step.

    It is a key id, a version, a container group, a role assignment, an object of the directory, or a file.
    """
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
