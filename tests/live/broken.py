"""Breakages of Azure: each claim of a fact is decided by one answer, altered on its way until the claim notices."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
import pytest

from live.azure import Answer, Azure
from live.claims import Claim, Finding, Outcome, Probe
from live.play import finding
from tests.live.bridge import Local
from tests.live.deployments import Deployments

Kind = Callable[[httpx.Response], httpx.Response]
TELLING = {
    "secretText": "told",
    "password": "told",
    "secureValue": "told",
    "file": "told",
    "restartPolicy": "Never",
    "etag": "told",
}
"""Members absent from an answer, each of which some claim forbids."""


class Recording(Azure):
    """Wire that keeps every answer, in order."""

    def __init__(self, other: Azure) -> None:
        super().__init__(other.client, other.credential, other.cloud, other.clock, other.hidden)
        self.answers: list[Answer] = []

    def _once(self, *request: Any) -> Answer:
        answer = super()._once(*request)
        self.answers.append(answer)
        return answer


@dataclass
class Alteration:
    """One kind of change, of the answer with a number and of later ones to the same request."""

    index: int
    kind: Kind
    seen: int = 0
    request: tuple[str, str] | None = None

    def __call__(self, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        number, self.seen = self.seen, self.seen + 1
        this = (request.method, str(request.url))
        if number == self.index:
            self.request = this
        return self.kind(answer) if self.request == this else answer


@dataclass
class Played:
    """Finding of a fact, with the number of the answer that decided each claim."""

    found: Finding
    answers: list[Answer] = field(repr=False)
    decided: list[int] = field(default_factory=list)

    def outcomes(self, words: str) -> set[Outcome]:
        return {claim.outcome for claim in self.found.claims if claim.words == words}


def play(fact: str, alter: Alteration | None = None, services: "Services | None" = None) -> Played:
    """Play one fact in a new world, with `services` absent from the emulator: deployments, unless named."""
    beside = services or Deployments()
    beside.local = local = Local(lambda request, answer: _then(alter, request, beside(request, answer)))
    local.wire = wire = Recording(local.wire)
    deciding: list[Answer] = []
    plain = Probe.claim

    def claim(probe: Probe, words: str, answer: Answer, holds: bool) -> bool:
        deciding.append(answer)
        return plain(probe, words, answer, holds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Probe, "claim", claim)
        found = finding(local.scene(), fact)
    numbers = {id(answer): number for number, answer in enumerate(wire.answers)}
    return Played(found, wire.answers, [numbers[id(answer)] for answer in deciding])


class Services(Protocol):
    """Answers of services that the emulator lacks."""

    local: Local | None

    def __call__(self, request: httpx.Request, answer: httpx.Response) -> httpx.Response: ...


def _then(alter: Alteration | None, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
    return alter(request, answer) if alter else answer


def noticed(fact: str, number: int, services: Callable[[], Services] = Deployments) -> str:
    """Return the first breakage that a claim reports as `differs`; empty for none."""
    sound = play(fact, None, services())
    seen = [claim for claim in sound.found.claims if claim.outcome != Outcome.NOT_SEEN]
    return next(_noticed(fact, seen[number], sound, sound.decided[number], services), "")


def _noticed(fact: str, claim: Claim, sound: Played, index: int, services: Callable[[], Services]) -> Iterator[str]:
    for name, kind in _kinds(sound.answers, index):
        if Outcome.DIFFERS in play(fact, Alteration(index, kind), services()).outcomes(claim.words):
            yield name


def _kinds(answers: list[Answer], index: int) -> Iterator[tuple[str, Kind]]:
    yield from KINDS.items()
    this = answers[index]
    for earlier in answers[:index]:
        if (earlier.method, earlier.url) == (this.method, this.url):
            yield "stale", lambda answer, old=earlier: altered(answer, body=old.body)  # type: ignore[misc]
    for place in leaves(this.body):
        yield f"changed {place}", lambda answer, at=place: altered(answer, body=changed(parsed(answer), at))  # type: ignore[misc]


def altered(
    answer: httpx.Response, status: int = 0, body: Any = ..., headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """Return an answer with some parts replaced."""
    kept = {name: value for name, value in answer.headers.items() if name != "content-length"}
    content = answer.content if body is ... else json.dumps(body).encode()
    kept = kept if headers is None else {"content-type": "application/json", **headers}
    return httpx.Response(status or answer.status_code, headers=kept, content=content, request=answer.request)


def parsed(answer: httpx.Response) -> Any:
    try:
        return json.loads(answer.content)
    except ValueError:
        return None


def turned(value: Any) -> Any:
    """Return a JSON value with every text, number and boolean replaced by another one."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value[::-1]}~"
        case list():
            return [turned(each) for each in value]
        case dict():
            return {name: turned(each) for name, each in value.items()}
    return value


def telling(value: Any) -> Any:
    """Return a JSON value whose objects have additional names."""
    match value:
        case list():
            return [telling(each) for each in value]
        case dict():
            return {"value": "told", **{name: telling(each) for name, each in value.items()}, **TELLING}
    return value


def doubled(value: Any) -> Any:
    """Return a JSON value with every element of its lists twice."""
    match value:
        case list():
            return [doubled(each) for each in (*value, *value)]
        case dict():
            return {name: doubled(each) for name, each in value.items()}
    return value


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the places of a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not value or not inner:
        yield path
    for name, each in inner:
        yield from leaves(each, (*path, name))


def changed(value: Any, path: tuple[Any, ...]) -> Any:
    """Return a JSON value with another value in one place, or unchanged without such a place."""
    if not path:
        return turned(value) if value not in (None, {}, []) else {"file": "told"}
    try:
        copy = dict(value) if isinstance(value, dict) else list(value)
        copy[path[0]] = changed(copy[path[0]], path[1:])
    except (KeyError, IndexError, TypeError):
        return value
    return copy


KINDS: dict[str, Kind] = {
    "refused": lambda answer: altered(answer, 418, {"error": {"code": "Altered", "message": "altered"}}),
    "accepted": lambda answer: altered(answer, 202 if answer.status_code == 200 else 200),
    "empty": lambda answer: altered(answer, body={}),
    "bare": lambda answer: altered(answer, headers={}),
    "other headers": lambda answer: altered(answer, headers={k: f"{v}1" for k, v in answer.headers.items()}),
    "etag": lambda answer: altered(answer, headers={**answer.headers, "ETag": '"1"'}),
    "turned": lambda answer: altered(answer, body=turned(parsed(answer))),
    "telling": lambda answer: altered(answer, body=telling(parsed(answer))),
    "doubled": lambda answer: altered(answer, body=doubled(parsed(answer))),
}
