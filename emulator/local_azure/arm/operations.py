"""Long-running operations of Resource Manager: URLs for polling, and the final answers.

Two forms, as recorded: ``Azure-AsyncOperation`` leads to a status (``{"status":"Creating"}``), ``Location`` to 202
until the result is there. The effect has happened when the operation begins; only the announcement waits.
"""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from local_azure.clock import Clock
from local_azure.ids import Ids
from local_azure.rbac.scopes import scope_key
from local_azure.wire import Json, ServiceError


@dataclass(slots=True)
class Operation:
    """Operation on the resource `about`, ending at `until`.

    `word` is the status before the end, `result` the answer of ``Location`` afterwards. `meanwhile` is what its answer
    has besides the status before.
    """

    id: str
    about: str
    until: datetime
    word: str
    result: Json = field(default=None, repr=False)
    meanwhile: dict[str, Json] = field(default_factory=dict)


class Operations:
    """The operations of all resources; `state` finds them by id."""

    def __init__(self, clock: Clock, ids: Ids, state: Callable[[], dict[str, Operation]]) -> None:
        self.clock, self.ids, self._state = clock, ids, state

    def begin(
        self, about: str, kind: str, seconds: float, word: str, result: Json = None, *, named: str = ""
    ) -> Operation:
        """Begin an operation on a resource, ending in `seconds`.

        The id is `named`, or a GUID after `kind` (``registries``), if any. The operation is forgotten a day later.
        """
        now, state = self.clock.now(), self._state()
        for old in [name for name, each in state.items() if each.until < now - timedelta(days=1)]:
            del state[old]
        own = named or (f"{kind}-{self.ids.guid()}" if kind else self.ids.guid())
        made = Operation(own, scope_key(about), now + timedelta(seconds=seconds), word, result)
        state[made.id] = made
        return made

    def pending(self, about: str) -> Operation | None:
        """Return the operation still running on a resource."""
        key = scope_key(about)
        return next((each for each in self._state().values() if each.about == key and not self.over(each)), None)

    def get(self, operation_id: str) -> Operation:
        """Find by id; 404 ResourceNotFound."""
        found = self._state().get(operation_id)
        if found is None:
            raise ServiceError(404, "ResourceNotFound", f"The operation '{operation_id}' could not be found.")
        return found

    def over(self, operation: Operation) -> bool:
        """Tell if the operation has ended."""
        return self.clock.now() >= operation.until


def deletion_job(group: str, location: str, salt: str) -> str:
    """Return the id of a resource group's deletion: the job's name and region, as recorded answers carry them.

    Of a long name only the beginning is there, with a hash; here the hash is `salt`.
    """
    name = re.sub(r"[^A-Za-z0-9]", lambda mark: f":{ord(mark[0]):02X}", group).upper()
    if len(name) > _JOB_NAME:
        name = f"{name[: _JOB_NAME - 17]}|{salt[:16].upper()}"
    region = location.replace(" ", "")
    job = f'{{"jobId":"RESOURCEGROUPDELETIONJOB-{name}-{region.upper()}","jobLocation":"{region.lower()}"}}'
    return unpadded(job)


def purge_id(at: datetime, salt: str) -> str:
    """Return the id of a vault's purge: the ticks of the instant and 32 hex digits (recorded)."""
    ticks = (at - datetime(1, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10
    return unpadded(f"UT|{ticks:020d}|{salt.upper()}")


def unpadded(text: str) -> str:
    """Return base64 for a path, without padding."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


_JOB_NAME = 64
