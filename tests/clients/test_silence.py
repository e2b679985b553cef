"""Tests of a host that is down: the first requests wait for it as long as allowed, later ones fail soon, until the host
answers again.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError
from local_azure.inprocess import pause
from local_azure.virtual import VirtualLoop, run

from rotator.clients.retries import PATIENCE, repeated
from rotator.clients.silence import BELIEVED
from rotator.clients.wire import Limit
from rotator.events import HostAwaited
from tests.stage import Clock

HOST = "myvault.vault.azure.net"


@dataclass
class Answer:
    """Answer of a host, as the retry policy reads it."""

    status_code: int
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class World:
    """Clock that only counts, and a host that answers all requests alike."""

    answers: Any = 503
    slept: float = 0.0
    sent: int = 0
    limit: Limit = field(init=False)

    def __post_init__(self) -> None:
        self.limit = Limit(self)  # type: ignore[arg-type]

    def elapsed(self) -> float:
        return self.slept

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds

    async def _attempt(self) -> Answer:
        self.sent += 1
        if isinstance(self.answers, Exception):
            raise self.answers
        return Answer(self.answers)

    def ask(self, host: str = HOST) -> tuple[int, float]:
        """Send one request; return the number of tries, and the seconds waited."""
        since, before = self.slept, self.sent
        with suppress(ServiceResponseError):
            asyncio.run(repeated(self.limit, self._attempt, where=host))
        return self.sent - before, self.slept - since


@pytest.mark.parametrize("answers", [503, ServiceResponseError("no answer")])
def test_the_third_request_to_a_silent_host_is_sent_once_and_another_host_is_none_of_it(answers: Any) -> None:
    world = World(answers)
    assert all(sent > 5 for sent, _ in (world.ask(), world.ask()))
    assert world.slept > 1.5 * PATIENCE
    assert world.ask() == (1, 0.0)
    assert world.ask("elsewhere.vault.azure.net")[0] > 5


def test_an_answer_ends_the_silence_and_so_does_time() -> None:
    world = World()
    for _ in range(2):
        world.ask()
    world.answers = 200
    assert world.ask() == (1, 0.0)
    world.answers = 503
    assert world.ask()[0] > 5
    world.ask()
    assert world.ask()[0] == 1
    world.slept += BELIEVED
    assert world.ask()[0] > 5


def test_a_busy_host_is_not_silent() -> None:
    world = World(429)
    for _ in range(3):
        assert world.ask()[0] > 5


def test_a_busy_answer_ends_the_silence_and_is_waited_for() -> None:
    world = World()
    for _ in range(2):
        world.ask()
    world.answers = 429
    assert world.ask()[0] > 5
    world.answers = 503
    assert world.ask()[0] > 5


def test_requests_that_wait_meanwhile_stop_waiting() -> None:
    world = World()

    async def both() -> None:
        async def asked() -> None:
            await repeated(world.limit, world._attempt, where=HOST)

        await asyncio.gather(*(asked() for _ in range(3)))

    asyncio.run(both())
    begun = world.sent
    assert (HOST in world.limit.silence, world.ask()) == (True, (1, 0.0))
    assert world.sent == begun + 1


async def _hanging(world: World, seconds: float) -> None:
    with world.limit.waits.watched(HOST, "no answer yet", 60):
        await pause(seconds)
    world.limit.waits.answered(HOST)


@pytest.mark.parametrize(("seconds", "told"), [(9, []), (30, [(10, 50), 30])])
def test_a_request_without_an_answer_is_told_after_ten_seconds_and_so_is_the_answer(
    seconds: float, told: list[Any]
) -> None:
    heard: list[Any] = []

    async def main(loop: VirtualLoop) -> None:
        world = World()
        world.limit = Limit(Clock(loop))
        world.limit.waits.tell = heard.append
        await asyncio.gather(_hanging(world, seconds), _hanging(world, seconds))

    run(main)
    assert [(each.seconds, each.at_most) if isinstance(each, HostAwaited) else each.seconds for each in heard] == told


@pytest.mark.parametrize(
    ("answers", "happened"),
    [(503, "it answers 503"), (429, "Azure's limit on requests is reached"), (ServiceResponseError("-"), "no answer")],
)
def test_a_wait_for_a_host_is_told_once_until_the_end_that_was_told(answers: Any, happened: str) -> None:
    world, heard = World(answers), list[Any]()
    world.limit.waits.tell = heard.append
    for _ in range(3):
        world.ask()
    first, second, *more = heard
    assert (first.host, first.happened, first.seconds, first.at_most) == (HOST, happened, 7, 293)
    assert second.seconds > PATIENCE
    assert len(more) == (answers == 429)
