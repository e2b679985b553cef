"""Tests of a queue's contract, by Azurite behind Microsoft's client and by its stand-in."""

import base64
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta

import pytest
from local_azure.inprocess import pause
from local_azure.virtual import VirtualLoop, run

from rotator.clients.queue import StorageQueue
from rotator.cloud import PUBLIC
from rotator.errors import AzureError, RotatorError
from rotator.ports import Message, Queue
from tests import azurite
from tests.clients.scene import START, Clock
from tests.storage import MemoryQueue

Test = Callable[[Queue], Awaitable[None]]
Over = Callable[[str, Test], None]


@pytest.fixture(name="storage", scope="module")
def _storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[azurite.Azurite]:
    with azurite.running(tmp_path_factory.mktemp("azurite")) as found:
        yield found


def later(loop: VirtualLoop) -> Callable[[], datetime]:
    return lambda: START + timedelta(seconds=loop.time())


@pytest.fixture(name="over", scope="module", params=["memory", "azurite"])
def _over(request: pytest.FixtureRequest) -> Over:
    """Provide a runner of tests on virtual time, with one kind of queue under a name of the test."""
    storage: azurite.Azurite | None = None
    if request.param == "azurite":
        storage = request.getfixturevalue("storage")

    def over(name: str, test: Test) -> None:
        async def main(loop: VirtualLoop) -> None:
            await test(azurite.queue(storage, Clock(loop), later(loop), name) if storage else MemoryQueue(loop.time))

        run(main)

    return over


async def taken(queue: Queue, seconds: float = 300) -> Message:
    message = await queue.take(seconds)
    assert message
    return message


def test_a_message_is_taken_by_one_worker_at_a_time_and_comes_back(over: Over) -> None:
    async def test(queue: Queue) -> None:
        assert await queue.take(300) is None
        await queue.put("a policy with ü")
        first = await taken(queue)
        assert (first.text, first.tries) == ("a policy with ü", 1)
        assert await queue.take(300) is None
        await pause(301)
        second = await taken(queue)
        assert (second.text, second.tries) == ("a policy with ü", 2)
        await queue.done(first)
        assert await queue.keep(first, 300) is None
        await queue.done(second)
        await queue.done(second)
        await pause(301)
        assert await queue.take(300) is None

    over("one-at-a-time", test)


def test_a_message_is_kept_for_as_long_as_its_run_takes(over: Over) -> None:
    async def test(queue: Queue) -> None:
        await queue.put("one")
        message = await taken(queue)
        for _ in range(5):
            await pause(250)
            kept = await queue.keep(message, 300)
            assert kept
            message = kept
        assert await queue.take(300) is None
        again = await queue.keep(message, 10)
        assert again
        await pause(11)
        assert (await taken(queue)).tries == 2

    over("kept", test)


def test_a_message_that_is_moved_aside_is_seen_there_and_nowhere_else(over: Over) -> None:
    async def test(queue: Queue) -> None:
        assert await queue.poisoned() == ()
        for name in ("two", "one", "one"):
            await queue.put(name)
            await queue.poison(await taken(queue))
        await pause(301)
        assert await queue.take(300) is None
        assert await queue.poisoned() == ("one", "two")

    over("aside", test)


def _raw(storage: azurite.Azurite, text: str, name: str, now: Callable[[], datetime]) -> None:
    """Add a message as another program does."""
    body = f"<QueueMessage><MessageText>{text}</MessageText></QueueMessage>"
    headers = {
        "Authorization": f"Bearer {azurite.token()}",
        "x-ms-version": "2025-05-05",
        "Content-Type": "application/xml",
    }
    sent = storage.session(now).request(
        "POST", f"https://{azurite.ACCOUNT}.queue.core.windows.net/{name}/messages", headers=headers, data=body
    )
    assert sent.answered().status == 201


@pytest.mark.parametrize("text", ["not base64!", "%%%", base64.b64encode(b"\xff\xfe").decode(), "", "&lt;x/&gt;"])
def test_a_message_of_whatever_kind_is_text(storage: azurite.Azurite, text: str) -> None:
    async def main(loop: VirtualLoop) -> None:
        queue = azurite.queue(storage, Clock(loop), later(loop), "strange")
        _raw(storage, text, "strange", later(loop))
        message = await taken(queue)
        assert message.text == text.replace("&lt;", "<").replace("&gt;", ">")
        await queue.done(message)

    run(main)


def test_a_message_is_encoded_as_the_functions_host_reads_it(storage: azurite.Azurite) -> None:
    async def main(loop: VirtualLoop) -> None:
        await azurite.queue(storage, Clock(loop), later(loop), "encoded").put("name")
        headers = {"Authorization": f"Bearer {azurite.token()}", "x-ms-version": "2025-05-05"}
        seen = storage.session(later(loop)).request(
            "GET", f"https://{azurite.ACCOUNT}.queue.core.windows.net/encoded/messages?peekonly=true", headers=headers
        )
        assert b"<MessageText>bmFtZQ==</MessageText>" in seen.answered().body

    run(main)


def test_a_queue_that_is_not_there_is_named_with_the_command_that_creates_it(storage: azurite.Azurite) -> None:
    async def main(loop: VirtualLoop) -> None:
        where = f"https://{azurite.ACCOUNT}.queue.core.windows.net/absent"
        queue = StorageQueue(azurite.line(storage, Clock(loop), later(loop)), azurite.Fixed(), PUBLIC, where)
        for call in (queue.put("x"), queue.take(30)):
            with pytest.raises(RotatorError, match=r"there is no queue https://.*/absent") as raised:
                await call
            assert f"az storage queue create --account-name {azurite.ACCOUNT} --name absent" in raised.value.remedy

    run(main)


def test_a_queue_that_does_not_answer_is_given_up_within_half_a_minute(storage: azurite.Azurite) -> None:
    async def main(loop: VirtualLoop) -> None:
        queue = azurite.queue(storage, Clock(loop), later(loop), "down")
        queue._line._sessions[0].down = True
        for call in (queue.put("x"), queue.take(30), queue.poisoned()):
            with pytest.raises(AzureError):
                await call
        assert loop.time() <= 90

    run(main)


@pytest.mark.share(3)
@pytest.mark.parametrize("page", [b"<html><body>Sign in.</body></html>", b"", b"[]"])
@pytest.mark.parametrize("kind", ["text/html", "application/xml"])
def test_a_page_in_place_of_messages_is_no_empty_queue(storage: azurite.Azurite, kind: str, page: bytes) -> None:
    async def main(loop: VirtualLoop) -> None:
        queue = azurite.queue(storage, Clock(loop), later(loop), "behind-a-portal")
        await queue.put("name")
        queue._line._sessions[0].page = (kind, page)
        for call in (queue.take(30), queue.poisoned()):
            with pytest.raises(AzureError):
                await call
        queue._line._sessions[0].page = None
        assert (await taken(queue)).text == "name"
        assert await queue.poisoned() == ()

    run(main)
