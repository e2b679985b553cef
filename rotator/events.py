"""Events of a run: one frozen value per event, stable as JSON lines, and never with a secret.

`as_json` is the documented form (`--log-format json`): an object with ``v`` (1), ``event`` (the class in snake case)
and the fields.
"""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from rotator.codes import NoteCode, ReasonCode, VetoCode, WaitCode

VERSION = 1
"""Version of the JSON form; a field may be added without changing it, never removed or renamed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Event concerning one policy. `at` is the time of the event.

    The run fills in `policy`, and Azure's time if a look showed it; the entry point fills in its own clock's otherwise.
    """

    policy: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(Event):
    """A step is about to start. `step` is its name in lower case, `target` the object of the step."""

    step: str
    target: str
    reason: str
    code: ReasonCode


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDone(Event):
    """A step is finished, and a read of Azure confirms the effect."""

    step: str
    target: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed(Event):
    """A step failed; `state` describes the present state."""

    step: str
    target: str
    happened: str
    state: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPostponed(Event):
    """A write without an answer: it is unknown if it happened. The run reads again and decides again."""

    step: str
    target: str
    happened: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vetoed(Event):
    """The guard refused a step; the step changed nothing."""

    step: str
    target: str
    code: VetoCode
    happened: str
    state: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pausing(Event):
    """The run waits before the next read, reported once for each reason.

    `seconds`: longest wait, where known.
    """

    reason: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAwaited(Event):
    """Requests wait for a host, of any policies: `policy` is empty.

    `happened`: the reason. `seconds`: time waited so far. `at_most`: seconds for which they go on waiting at most.
    """

    host: str
    happened: str
    seconds: int
    at_most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAnswered(Event):
    """A host that was waited for answers again, after `seconds`; `policy` is empty."""

    host: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Event):
    """A step is not due yet, or waits for a person.

    `warn`: the wait is past its warning, and the run exits 1. `since`: start of the wait.
    """

    code: WaitCode
    subject: str
    reason: str
    until: datetime | None = None
    warn: bool = False
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted(Event):
    """A note for a person; nothing is changed. `warn` makes the run exit 1."""

    code: NoteCode
    subject: str
    text: str
    warn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialAdded(Event):
    """Graph has a new credential, added by rotator."""

    key_id: str
    home: str
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialRemoved(Event):
    """rotator removed a credential, and a later read confirms it."""

    key_id: str
    home: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proving(Event):
    """One try of a credential: `successes` in a row so far, of `times` wanted."""

    key_id: str
    successes: int
    times: int
    outcome: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPublished(Event):
    """Key Vault has a new version of the published secret."""

    version: str
    key_id: str
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDisabled(Event):
    """A secret version whose credential no longer exists is disabled, and can't be read any more."""

    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionMarked(Event):
    """A version's tags now record an adoption or a compromise, or the groups that lose the tags of rotator.

    `key_ids`: the content of the tag; of `rotator-strips`, names of groups.
    """

    version: str
    tag: str
    key_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAccepted(Event):
    """ACI accepted a container group's PUT; the group's containers restart now."""

    group: str
    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSettled(Event):
    """Azure shows the result of a redeployment: the state of the container group."""

    group: str
    key_id: str
    verdict: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityCreated(Event):
    """Graph has a new application or service principal. `home` is the kind, `object_id` the object's own id."""

    home: str
    app_id: str
    object_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerAdded(Event):
    """Rotator's own identity is now an owner of the application or service principal."""

    home: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppIdSaved(Event):
    """The policy's file now has the app id; the rest of the file is unchanged."""

    app_id: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsernamePublished(Event):
    """Key Vault's secret for the user name now has the app id as its value."""

    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentDeleted(Event):
    """A role assignment of the principal is gone. `was_there` is False where it was gone before."""

    assignment: str
    scope: str
    was_there: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentCreated(Event):
    """The principal has a role assignment (again). `was_there` is True where it never left."""

    assignment: str
    scope: str
    was_there: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRecorded(Event):
    """The access mark was written: every later run respects the mark."""

    access: str
    assignments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRefused(Event):
    """A pull with the current credential was refused: the revocation is proven. `after` is in seconds."""

    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(Event):
    """The run of one policy is over, with exit code and the time of the next due step."""

    exit_code: int
    summary: str
    next_due: datetime | None = None


def name(event: Event | type[Event]) -> str:
    """The event's name in the JSON form: its class in snake case."""
    kind = event if isinstance(event, type) else type(event)
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def as_json(event: Event) -> dict[str, Any]:
    """The documented form of an event; times in ISO 8601, UTC."""
    fields = {key: _plain(value) for key, value in asdict(event).items() if value is not None}
    return {"v": VERSION, "event": name(event), **fields}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.value if isinstance(value, Enum) else value
