"""Access mark of a policy: the secret that says if its access is revoked, with the role assignments to restore.

Rules for editors of this file:

1. An absent mark lets a rotation write, so one read never proves its absence.
2. A revocation read once counts until the mark says that access is granted.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from rotator.clients.keyvault import GET, SERVICE, KeyVault, asked_of
from rotator.clients.pipeline import Line
from rotator.clients.translation import ask
from rotator.codes import FailureCode
from rotator.errors import Conflict, Forbidden, NotFound, Unavailable, Unexpected, UnsafeStep, Unseen
from rotator.policy import Policy
from rotator.ports import AccessRecord
from rotator.remedy import delete_role_assignment
from rotator.resource_id import ArmId
from rotator.state import ACCESS, Access, Assignment, Version, tags

JSON = "application/json"
LARGEST = 25 * 1024
"""Bytes of a secret's value. Source: Azure Key Vault service limits."""


class AccessMark:
    """Reads and writes the access marks of all policies."""

    def __init__(self, line: Line, vault: KeyVault) -> None:
        self._line, self._vault = line, vault
        self._revoked: dict[tuple[str, str], AccessRecord] = {}
        """Marks of revocation read so far, by host and secret."""

    async def read(self, policy: Policy, *, confirmed: bool = True) -> AccessRecord:
        """Read the access mark with its assignments.

        A secret of the same name without our tag belongs to another owner: raises Conflict. An absent mark lets a
        rotation write, so one read isn't enough: with `confirmed`, the mark must also be missing in the list of
        versions and in the deleted secrets. A revocation read once counts until the mark says access is granted.
        """
        record = await self._mark_shown(policy)
        if record.access is Access.UNMARKED and confirmed:
            record = await self._mark_hidden(policy) or record
        key = (policy.key_vault.host, policy.access_secret)
        if record.access is Access.UNMARKED:
            return self._revoked.get(key, record)
        self._revoked.pop(key, None)
        if record.access is Access.REVOKED:
            self._revoked[key] = record
        return record

    def revoked_before(self, policy: Policy) -> bool:
        """Tell if an earlier read showed a revocation, and none since that access is granted."""
        return (policy.key_vault.host, policy.access_secret) in self._revoked

    async def _mark_shown(self, policy: Policy) -> AccessRecord:
        """Return the mark as shown by one GET."""
        name = policy.access_secret
        try:
            found = await self._vault.shown(policy, name)
        except Unseen:
            raise
        except NotFound:
            return AccessRecord(Access.UNMARKED, self._now())
        except Forbidden as error:
            if error.code != "SecretDisabled":
                raise
            return self._disabled_record(policy, await self._vault.listed(policy, name))
        asked, version = asked_of(policy, f"read the record in secret {name}", GET), found.version
        return AccessRecord(_mark(policy, version), version.created, await ask(asked, _assignments(found.value)))

    async def _mark_hidden(self, policy: Policy) -> AccessRecord | None:
        """Return a mark not found by GET: from the list of its versions, or from the soft-deleted secrets."""
        name = policy.access_secret
        if listed := await self._vault.listed(policy, name):
            return self._disabled_record(policy, listed)
        found = await self._vault.deleted(policy, name)
        if found is None:
            return None
        access = found.tags.get(ACCESS)
        return AccessRecord(Access(access), found.at or self._now(), deleted=True) if access in set(Access) else None

    def _disabled_record(self, policy: Policy, listed: Sequence[Version]) -> AccessRecord:
        """Return the mark by its newest version's tags; its assignments can't be read."""
        newest = _newest_mark(policy, listed)
        return AccessRecord(_mark(policy, newest), newest.created, disabled=True)

    async def enable(self, policy: Policy) -> AccessRecord:
        """Enable the newest version of the access mark, and read the mark."""
        name = policy.access_secret
        newest = _newest_mark(policy, await self._vault.listed(policy, name))
        await self._vault.update(policy, name, newest.id, enabled=True)
        return await self.read(policy)

    async def write(self, policy: Policy, access: Access, assignments: Sequence[Assignment]) -> None:
        """Write the access mark. Raises UnsafeStep where its value has no room for the assignments."""
        value = _recorded(policy, assignments)
        await self._vault.put(
            policy, policy.access_secret, value, content_type=JSON, tags_=tags({ACCESS: access.value})
        )

    def _now(self) -> datetime:
        now = self._line.time.now()
        if now is None:
            raise Unexpected(f"no answer of {SERVICE} had a Date header", service=SERVICE, code=FailureCode.NO_DATE)
        return now


def _newest_mark(policy: Policy, listed: Sequence[Version]) -> Version:
    newest = max(listed, key=lambda version: (version.created, not version.enabled, version.id), default=None)
    if newest is None:
        what = (
            f"{SERVICE} says that secret {policy.access_secret} of {policy.key_vault.host} is disabled, but lists"
            " no version of the secret"
        )
        raise Unavailable(
            what, service=SERVICE, code=FailureCode.NO_VERSIONS, remedy="Run again; Key Vault's lists may lag."
        )
    return newest


def _recorded(policy: Policy, assignments: Sequence[Assignment]) -> str:
    """Return the value of the access mark: indented for people if short enough, else without white space.

    Raises UnsafeStep where even the short form is too long.
    """
    shown = [asdict(assignment) for assignment in sorted(assignments)]
    values = (json.dumps(shown, indent=1), json.dumps(shown, separators=(",", ":")))
    value = next((each for each in values if len(each.encode()) <= LARGEST), None)
    if value is None:
        size = (
            f"the record of {len(shown)} role assignments takes {len(values[-1].encode())} bytes, and a secret of"
            f" Key Vault can have {LARGEST}"
        )
        remedy = (
            f"Write some of the role assignments down, delete them by hand (`{delete_role_assignment('ID')}`),"
            " and run again."
        )
        raise UnsafeStep(
            f"{size}. {policy.access_secret} can't hold the record, so no grant could restore the assignments",
            remedy=remedy,
        )
    return value


def _mark(policy: Policy, version: Version) -> Access:
    try:
        return Access(version.tag(ACCESS) or "")
    except ValueError:
        what = (
            f"secret {policy.access_secret} of {policy.key_vault.host} was not written by rotator: its tag {ACCESS}"
            " is neither revoked nor granted"
        )
    raise Conflict(
        what,
        service=SERVICE,
        code=FailureCode.FOREIGN_ACCESS_RECORD,
        remedy="Give that secret another name: rotator needs this name for the access mark.",
    )


async def _assignments(value: str | None) -> tuple[Assignment, ...]:
    return tuple(
        sorted(
            Assignment(**{**each, "scope": ArmId(each["scope"]), "id": ArmId(each["id"])})
            for each in json.loads(value or "[]")
        )
    )
