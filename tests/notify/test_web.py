"""Tests of requests for notifications, answered in process: their number, their content, and the reports on them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx
import pytest

from rotator.notify import Web
from rotator.notify import web as notify_web
from rotator.secret import Secret

ADDRESS = Secret("https://hooks.example.com/services/T000/SECRET-PATH?key=SECRET-KEY")
Answer = Callable[[httpx.Request], httpx.Response]


@dataclass
class Waits:
    """Clock that only counts."""

    slept: list[float] = field(default_factory=list)

    def elapsed(self) -> float:
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def attempt(self) -> str:
        raise AssertionError("no id is needed")


def send(*answers: Answer | int, body: bytes = b"{}") -> tuple[str, list[httpx.Request], list[float]]:
    """Send a message; return the reason of its failure, the requests, and the waits between them."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        given = answers[min(len(sent), len(answers)) - 1]
        return httpx.Response(given, headers={"Location": "https://elsewhere.example.com/", "Set-Cookie": "a=b"}) if isinstance(given, int) else given(request)  # fmt: skip

    clock = Waits()
    web = Web(clock, lambda address: httpx.MockTransport(answer))
    return asyncio.run(web.send(ADDRESS, body, "application/json" if body else "")), sent, clock.slept


def fails(error: Exception) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error

    return answer


def test_a_message_is_posted_once_and_carries_neither_token_nor_cookie() -> None:
    failed, sent, slept = send(202)
    assert (failed, slept) == ("", [])
    (request,) = sent
    assert (request.method, str(request.url), request.content) == ("POST", ADDRESS.reveal(), b"{}")
    assert request.headers["content-type"] == "application/json"
    assert {"authorization", "cookie"} & set(request.headers) == set()


def test_a_ping_is_a_get() -> None:
    _, (request,), _ = send(200, body=b"")
    assert (request.method, request.content, "content-type" in request.headers) == ("GET", b"", False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    failed, sent, _ = send(status)
    assert failed == f"answered with {status} (a redirect, which is not followed)"
    assert [request.url.host for request in sent] == ["hooks.example.com"]


def test_what_may_pass_is_sent_three_times_and_what_will_not_once() -> None:
    assert [len(send(status)[1]) for status in (429, 500, 404, 410)] == [3, 3, 1, 1]
    failed, sent, slept = send(503, 200)
    assert (failed, len(sent), slept) == ("", 2, [2.0])
    assert send(fails(httpx.ConnectError("SECRET-PATH")))[2] == [2.0, 8.0]


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("SECRET-PATH"),
        httpx.ReadTimeout("SECRET-KEY"),
        httpx.InvalidURL("SECRET-PATH"),
        httpx.RemoteProtocolError("SECRET-PATH"),
        OSError("SECRET-PATH"),
        ValueError("SECRET-KEY"),
    ],
)
def test_a_failure_names_its_kind_and_never_the_address(error: Exception) -> None:
    failed, _, _ = send(fails(error))
    assert type(error).__name__ in failed
    assert "SECRET" not in failed
    assert "example.com" not in failed


def test_the_clients_own_log_with_its_addresses_is_silent_meanwhile_and_speaks_afterwards(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.DEBUG)
    send(200)
    assert "SECRET" not in caplog.text
    assert logging.getLogger("httpx").level == logging.DEBUG
    logging.getLogger("httpx").setLevel(logging.NOTSET)


def test_an_answer_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify_web, "SECONDS", 0.01)

    async def silent(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("nothing comes")

    web = Web(Waits(), lambda address: httpx.MockTransport(silent))
    assert asyncio.run(web.send(ADDRESS, b"{}", "application/json")) == "no answer within 0 s"


def test_of_an_answer_only_the_status_is_read() -> None:
    read: list[bytes] = []

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while len(read) < 1000:
                read.append(b"x")
                yield b"x" * 65536

    assert send(lambda request: httpx.Response(200, stream=Endless()))[0] == ""
    assert read == []
