"""Queue of names of policies, over Microsoft's client of Azure Queue Storage: `ports.Queue`.

A message is base64 of the name's UTF-8, as the Functions host expects it by default (azure-facts I).

Rules for editors of this file:

1. A message holds a policy's name and nothing else: whoever may write to the queue can make rotator look at one of its
   own policies, and nothing more.
2. Whatever a message holds is text, and never ends the work on others.
3. An add may be repeated: two equal messages cost a look. What is done to a message that was taken rests on the receipt
   of that taking, so a message that has come back in between isn't touched.
"""

import base64
import binascii
from collections.abc import Awaitable
from typing import Any, TypeVar

from rotator.clients.pipeline import Line
from rotator.clients.refusal import Asked
from rotator.clients.retries import host
from rotator.clients.storage import absent, load, options
from rotator.clients.translation import ask
from rotator.cloud import Cloud
from rotator.errors import Conflict, NotFound, OutcomeUnknown, RotatorError
from rotator.ports import Message
from rotator.remedy import create_queue
from rotator.rights import STORAGE

T = TypeVar("T")
SERVICE, PACKAGE = "Azure Queue Storage", "azure.storage.queue.aio"
POISON = "-poison"
"""Suffix of the queue for messages that fail again and again, as the Functions host names it."""
PEEKED = 32
"""Messages that one look at a queue shows at most."""
LIFE = 24 * 3600
"""Seconds for which a message waits: by then the next survey has added its policy again."""
MINE = frozenset({"MessageNotFound", "PopReceiptMismatch"})
"""Codes of a message that another worker took since."""


class StorageQueue:
    """The queue at `address`, as the identity of `token`. Raises ValueError for another address."""

    def __init__(self, line: Line, token: Any, cloud: Cloud, address: str) -> None:
        self._line, self._token = line, token
        self._account, self._name = cloud.storage("queue", address)
        cloud.storage("queue", f"{self._account}/{self._name}{POISON}")

    @property
    def where(self) -> str:
        """The queue's address."""
        return f"{self._account}/{self._name}"

    async def put(self, text: str) -> None:
        """Add a message."""
        async with self._queue(repeated=True) as queue:
            await self._there("add a message", queue.send_message(_encoded(text), time_to_live=LIFE))

    async def take(self, seconds: float) -> Message | None:
        """Take a message and hide it from other workers for `seconds`; None if the queue is empty."""
        async with self._queue() as queue:
            asked = queue.receive_message(visibility_timeout=round(seconds), raw_response_hook=_ensure_list)
            taken = await self._there("take a message", asked)
        if taken is None:
            return None
        return Message(taken.id, taken.pop_receipt, _decoded(taken.content), int(taken.dequeue_count or 1))

    async def keep(self, message: Message, seconds: float) -> Message | None:
        """Hide a message from other workers for `seconds` from now; None if another worker has it."""
        async with self._queue() as queue:
            try:
                kept = await self._asked(
                    "keep a message",
                    queue.update_message(message.id, message.receipt, visibility_timeout=round(seconds)),
                )
            except (Conflict, NotFound) as error:
                if error.code in MINE:
                    return None
                raise
        return Message(message.id, kept.pop_receipt, message.text, message.tries)

    async def done(self, message: Message) -> None:
        """Delete a message, unless another worker has it."""
        async with self._queue() as queue:
            try:
                await self._asked("delete a message", queue.delete_message(message.id, message.receipt))
            except (Conflict, NotFound) as error:
                if error.code not in MINE:
                    raise

    async def poison(self, message: Message) -> None:
        """Move a message to the queue for those that fail again and again, created if absent."""
        async with self._queue(POISON, repeated=True) as aside:
            try:
                await self._asked("move a message aside", aside.send_message(_encoded(message.text), time_to_live=-1))
            except NotFound as error:
                if not absent(error, "QueueNotFound"):
                    raise
                await self._created(aside)
                await self._asked("move a message aside", aside.send_message(_encoded(message.text), time_to_live=-1))
        await self.done(message)

    async def poisoned(self) -> tuple[str, ...]:
        """Return the texts of the messages that were moved aside, as far as one look shows them, sorted."""
        async with self._queue(POISON) as aside:
            try:
                asked = aside.peek_messages(max_messages=PEEKED, raw_response_hook=_ensure_list)
                seen = await self._asked("look at messages", asked)
            except NotFound as error:
                if absent(error, "QueueNotFound"):
                    return ()
                raise
        return tuple(sorted({_decoded(each.content) for each in seen}))

    def _queue(self, suffix: str = "", *, repeated: bool = False) -> Any:
        connected = options(self._line, host(self._account), once=not repeated)
        return load(PACKAGE).QueueClient(self._account, f"{self._name}{suffix}", credential=self._token, **connected)

    async def _created(self, queue: Any) -> None:
        try:
            await self._asked("create a queue", queue.create_queue())
        except (Conflict, OutcomeUnknown):
            return

    async def _there(self, doing: str, call: Awaitable[T]) -> T:
        try:
            return await self._asked(doing, call)
        except NotFound as error:
            if absent(error, "QueueNotFound"):
                account = host(self._account).partition(".")[0]
                remedy = f"Create it: `{create_queue(account, self._name)}`"
                raise RotatorError(f"there is no queue {self.where}", remedy=remedy) from None
            raise

    async def _asked(self, doing: str, call: Awaitable[T]) -> T:
        return await ask(Asked(SERVICE, f"{doing} in {self.where}", needs=f"{STORAGE['queue']} on it"), call)


def _ensure_list(response: Any) -> None:
    """Check that an answer is a list of messages: the client takes any other document for an empty one.

    Raises ValueError.
    """
    if response.http_response.status_code == 200 and b"<QueueMessagesList" not in response.http_response.body():
        raise ValueError("no list of messages")


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(content: object) -> str:
    """Return a message's text: what isn't base64 of text stands as it is."""
    said = content if isinstance(content, str) else ""
    try:
        return base64.b64decode(said, validate=True).decode()
    except (binascii.Error, ValueError):
        return said
