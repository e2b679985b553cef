"""State of the request under way: its age, and the possible effect of a write.

Rules for editors of this file:

1. A write with a `not_after` leaves this machine only before `not_after`; each repetition is checked again.
2. A write is in doubt from the moment when its first byte may leave until its own answer is a definite no: a 4xx other
   than 408 in the error envelope shared by Graph, Resource Manager and Key Vault, or in Storage's. No answer to another
   request removes the doubt.
3. A write under way is never cancelled: the caller who ends a run needs the outcome of the write.
"""

import asyncio
import json
import re
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from rotator.clients.azuretime import AzureTime
from rotator.codes import FailureCode
from rotator.errors import NotSent

T = TypeVar("T")
TURNS = 8
"""Most turns of the event loop for an answer on the way to the caller: azure-core yields once to close a response."""
READS = frozenset({"GET", "HEAD"})
_STORAGE = re.compile(rb"(\xef\xbb\xbf)?<\?xml[^>]*>\s*<Error>\s*<Code>\w+</Code>")

_not_after: ContextVar[float | None] = ContextVar("_not_after", default=None)


@contextmanager
def no_later(not_after: float | None) -> Iterator[None]:
    """Let no write of the block, nor of tasks started in the block, be sent after `not_after`.

    `not_after` is on the scale of :meth:`AzureTime.moment`.
    """
    token = _not_after.set(not_after)
    try:
        yield
    finally:
        _not_after.reset(token)


def ensure_in_time(time: AzureTime, method: str, host: str) -> None:
    """Refuse a write after its deadline. Raises NotSent."""
    limit = _not_after.get()
    if limit is None or method.upper() in READS or time.moment() <= limit:
        return
    happened = (
        f"a {method.upper()} to {host} was held back: the reads before it are too old ({time.moment() - limit:.0f}"
        " s past their limit)"
    )
    raise NotSent(happened, service=host, code=FailureCode.TOO_LATE)


@dataclass(slots=True)
class Doubts:
    """Count of one question's writes with a possible effect, as far as their answers tell."""

    number: int = 0


_doubts: ContextVar[Doubts | None] = ContextVar("_doubts", default=None)


@contextmanager
def doubting() -> Iterator[Doubts]:
    """Count the writes in doubt of the block, including tasks started in the block."""
    doubts = Doubts()
    token = _doubts.set(doubts)
    try:
        yield doubts
    finally:
        _doubts.reset(token)


@dataclass(slots=True)
class Try:
    """One sending of one request; `settled`: no effect."""

    settled: bool = False


@contextmanager
def trying(*, writes: bool) -> Iterator[Try]:
    """Count a write as in doubt unless its try is settled at the end of the block, however the block ends."""
    once, doubts = Try(settled=not writes), _doubts.get()
    try:
        yield once
    finally:
        if doubts and not once.settled:
            doubts.number += 1


async def uncancelled(exchange: Coroutine[Any, Any, T]) -> T:
    """Return the answer to a write under way, even when cancelled.

    A cancellation takes effect at the next wait after the answer was handed on, and is counted once.
    """
    underway, me, cancelled = asyncio.ensure_future(exchange), asyncio.current_task(), False
    while not underway.done():
        try:
            await asyncio.shield(underway)
        except asyncio.CancelledError:
            cancelled = True
        except Exception:  # noqa: BLE001 - it comes out of the result below
            break
    if cancelled and me:
        me.uncancel()
        _cancel(me, TURNS)
    return underway.result()


def _cancel(task: asyncio.Task[Any], turns: int) -> None:
    """Cancel a task after some turns of the loop, so that the client libraries hand the answer on first."""
    if turns:
        asyncio.get_running_loop().call_soon(_cancel, task, turns - 1)
    else:
        task.cancel()


def definite_no(status: int, body: bytes | str) -> bool:
    """Tell if an answer proves the absence of an effect: a refusal, in the services' own words."""
    return 400 <= status < 500 and status != 408 and enveloped(body)


def enveloped(body: bytes | str) -> bool:
    """Tell if an answer is in the error envelope of Graph, Resource Manager and Key Vault, or in that of Storage."""
    if _STORAGE.match(body if isinstance(body, bytes) else body.encode()):
        return True
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return False
    error = content.get("error") if isinstance(content, dict) else None
    return isinstance(error, dict) and isinstance(error.get("code"), str) and bool(error["code"])
