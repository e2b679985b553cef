"""World of a run that holds a lease for a minute at a time: no write is begun without the lease.

Rules for editors of this file:

1. Reads go on: a run without its lease may finish its report.
2. A write that is under way isn't touched: only its own answer says what it did.
3. `WRITES` has every method of `ports.World` that changes Azure; a test compares both.
"""

import inspect
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, cast

from rotator.codes import FailureCode
from rotator.errors import NotSent
from rotator.ports import Held, World

WRITES = frozenset(
    {
        *("create_application", "create_service_principal", "own", "add_password", "remove_password"),
        *("publish", "mark_version", "publish_username", "put_group"),
        *("record_access", "enable_record", "delete_assignment", "create_assignment"),
    }
)
"""Methods of `World` that change Azure."""
SERVICE = "Azure Storage"


def leased(world: World, held: Held) -> World:
    """Return `world`, whose writes are refused (NotSent) from the moment when `held` has ended."""
    return cast(World, _Leased(world, held))


class _Leased:
    def __init__(self, world: World, held: Held) -> None:
        self._world, self._held = world, held

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._world, name)
        return self._checked(found) if name in WRITES else found

    def _checked(self, write: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        limited = "not_after" in inspect.signature(write).parameters

        @wraps(write)
        async def checked(*arguments: Any, **named: Any) -> Any:
            left = self._held.left()
            if left <= 0:
                raise NotSent(
                    f"a write was held back: {self._held.ended()}",
                    service=SERVICE,
                    code=FailureCode.LEASE_LOST,
                    state="This write was not sent; one that was sent before, without an answer, may have happened.",
                    remedy="Nothing to do if another run works on this policy; else run again.",
                )
            if limited:
                until, asked = self._world.moment() + left, named.get("not_after")
                named["not_after"] = until if asked is None else min(until, asked)
            return await write(*arguments, **named)

        return checked
