"""Credentials of a policy as lines of time: role, parts, and who holds each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rotator.codes import WaitCode
from rotator.plan import View
from rotator.results import Preview
from rotator.state import Credential
from rotator.steps import Wait


class CredentialRole(StrEnum):
    """Part that a credential plays."""

    CURRENT = "current"
    OLD = "old"
    FOREIGN = "foreign"
    UNNAMED = "unnamed"
    """Made by a run that died, or whose answer was lost: nothing names it."""
    COMPROMISED = "compromised"


MEANING = {
    CredentialRole.CURRENT: "current",
    CredentialRole.OLD: "old, waits for its removal",
    CredentialRole.FOREIGN: "not ours",
    CredentialRole.UNNAMED: "unnamed, will be reclaimed",
    CredentialRole.COMPROMISED: "COMPROMISED, still works",
}


@dataclass(frozen=True, slots=True)
class CredentialLine:
    """One credential. `parts`: kind, begin and end of each section, in order; `holders`: groups that hold it."""

    key_id: str
    role: CredentialRole
    name: str
    start: datetime
    end: datetime
    parts: tuple[tuple[str, datetime, datetime], ...]
    holders: tuple[str, ...] = ()


RANK = (
    CredentialRole.COMPROMISED,
    CredentialRole.CURRENT,
    CredentialRole.OLD,
    CredentialRole.UNNAMED,
    CredentialRole.FOREIGN,
)


def time_lines(preview: Preview) -> tuple[CredentialLine, ...]:
    """Return the live credentials of a policy and the ended ones still in use, the most important first."""
    view = preview.view
    found = [_line(preview, credential) for credential in view.observed.credentials]
    shown = [line for line in found if line.end > view.at or line.holders or line.role is CredentialRole.CURRENT]
    return tuple(sorted(shown, key=lambda line: (RANK.index(line.role), line.start, line.key_id)))


def unsaid(view: View) -> tuple[str, ...]:
    """Return the names of groups that don't say what they hold."""
    return tuple(sorted(dependent.name for dependent in view.dependents if not dependent.key_id))


def _line(preview: Preview, credential: Credential) -> CredentialLine:
    view, key_id = preview.view, credential.key_id.lower()
    role = _role(view, credential)
    holders = tuple(sorted(dependent.name for dependent in view.dependents if dependent.key_id == key_id))
    parts = tuple(part for part in _parts(preview, credential, role) if part[1] < part[2])
    return CredentialLine(key_id, role, credential.display_name, credential.start, credential.end, parts, holders)


def _role(view: View, credential: Credential) -> CredentialRole:
    key_id = credential.key_id.lower()
    if key_id in view.compromised:
        return CredentialRole.COMPROMISED
    if key_id == view.current_key:
        return CredentialRole.CURRENT
    if credential in view.foreign:
        return CredentialRole.FOREIGN
    return CredentialRole.UNNAMED if credential in view.orphans else CredentialRole.OLD


def _parts(preview: Preview, credential: Credential, role: CredentialRole) -> Iterator[tuple[str, datetime, datetime]]:
    view, start, end = preview.view, credential.start, credential.end
    match role:
        case CredentialRole.CURRENT:
            due = max(start, view.renewal(end))
            yield from (("valid", start, due), ("due", due, end))
        case CredentialRole.OLD:
            replaced = min(max(view.superseded_since(credential) or start, start), end)
            leaves = min(max(_until(preview.plan.waits, credential) or view.at, replaced), end)
            yield from (("was", start, replaced), ("overlap", replaced, leaves), ("left", leaves, end))
        case _:
            yield role.value, start, end


def _until(waits: Sequence[Wait], credential: Credential) -> datetime | None:
    """Return the end of the overlap, if it isn't over."""
    mine = (
        wait for wait in waits if wait.code is WaitCode.OVERLAP and wait.subject.lower() == credential.key_id.lower()
    )
    return next((wait.until for wait in mine), None)
