"""Every verb with each of its reads refused: an unreadable object is neither absent nor empty.

The reads are those of a run without faults. Reports are compared with the emulator's state: a report without a word on
the refusal must equal the report without it, and a verb that reports success has succeeded.
"""

import json
import pickle
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest
from azure.keyvault.secrets._shared import http_challenge_cache
from local_azure.app import Served
from local_azure.faults import Fault
from local_azure.store import services

from tests.cli.scene import Said, Scene, make
from tests.refusals import ALLOWED, HIDDEN, REFUSED, SAID, VERBS, Verb, allowed

FRAME = (
    r"\d{4}-\d\d-\d\dT[\d:.]+Z",
    r"\d{4}-\d\d-\d\d \d\d:\d\d UTC",
    r'(?<="age": )[\d.]+',
    r'(?<="served": )[\d.]+',
    r"request id [\w-]+",
)
"""Parts that differ between two equal reports."""
CLAIMS = ('"resting"', "nothing was due", "nothing was missing", '"versions": []', "access is gone")
"""Claims that a report may make only if the report without the refusal makes them."""
QUIET = '"due": []'
"""Further such claim in a plan that ends well: with a veto or an alarm it means that no due step can be taken."""


@pytest.fixture(name="rotator")
def _rotator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scene:
    return make(monkeypatch, tmp_path)


class World:
    """Scene that can be reset to the beginning of its verb."""

    def __init__(self, at: Scene) -> None:
        self.at = at
        self._states = pickle.dumps({name: service.state for name, service in services(at.azure)})
        self._ids, self._now = at.azure.ids.position, at.azure.clock.now()
        self._files = {file: file.read_bytes() for file in at.policies.rglob("*") if file.is_file()}

    def again(self) -> Scene:
        azure = self.at.azure
        for name, state in pickle.loads(self._states).items():
            dict(services(azure))[name].state = state
        azure.ids.resume(self._ids)
        azure.clock.jumped += self._now - azure.clock.now()
        azure.faults.clear()
        for file, content in self._files.items():
            file.write_bytes(content)
        http_challenge_cache.clear()
        return self.at


@dataclass(frozen=True)
class Cell:
    """Calls of an operation, from the `nth` on, are refused: `times` of them, 0 for good."""

    operation: str
    status: int
    code: str
    nth: int = 1
    times: int = 0

    def fault(self) -> Fault:
        return Fault(
            self.operation, "status", status=self.status, code=self.code, message=SAID, nth=self.nth, times=self.times
        )

    def __str__(self) -> str:
        return f"{self.operation} {self.status} {f'call {self.nth}' if self.times else 'for good'}"


def reads(served: list[Served]) -> list[str]:
    """Return the operations by which a verb reads, one for each call."""
    return [call.operation for call in served if call.method in ("GET", "HEAD") or call.operation.startswith("entra.")]


def answers(operation: str) -> Iterator[tuple[int, str]]:
    """Yield the service's refusals of an operation: an open one, and one that hides the object."""
    service = operation.partition(".")[0]
    yield from (found for table in (REFUSED, HIDDEN) if (found := table.get(service)))


def for_good(operations: list[str]) -> Iterator[Cell]:
    for operation in dict.fromkeys(operations):
        yield from (Cell(operation, *answer) for answer in answers(operation))


def once(operations: list[str]) -> Iterator[Cell]:
    for index, operation in enumerate(operations):
        nth = operations[: index + 1].count(operation)
        yield from (Cell(operation, *answer, nth=nth, times=1) for answer in answers(operation))


def offences(
    at: Scene, name: str, cells: Callable[[list[str]], Iterator[Cell]], record: Callable[[str, object], None]
) -> list[str]:
    """Play the cells; return the wrong reports."""
    verb = VERBS[name]
    verb.world(at)
    world, since = World(at), len(at.app.served)
    without = at(*verb.command, "--output", "json")
    assert without.code in (0, 5), (without.out, without.err)
    assert verb.reached is None or verb.reached(at)
    found = list[str]()
    for cell in cells(reads(at.app.served[since:])):
        world.again().azure.faults.add(cell.fault())
        said = at(*verb.command, "--output", "json")
        at.azure.faults.clear()
        wrong = _wrong(at, name, verb, cell, without, said)
        record(str(cell), wrong or "said")
        found += [f"{cell}: exit {said.code}: {wrong}"] if wrong else []
    return found


def _wrong(at: Scene, name: str, verb: Verb, cell: Cell, without: Said, said: Said) -> str:
    """Return the reason why a report is wrong after a refusal; empty if right."""
    text, ended = said.out + said.err, said.code in (0, 5)
    if said.raised or "bug in rotator" in text:
        return f"{said.raised!r} {text[-400:]}"
    claims = [claim for claim in (*CLAIMS, *[QUIET] * ended) if claim in said.out and claim not in without.out]
    if claims:
        return f"claims {claims}"
    if SAID in text:
        return ""
    done = ended and verb.reached is not None and verb.reached(at)
    same = ended and verb.reached is None and (said.code, _framed(said.out)) == (without.code, _framed(without.out))
    if cell.times and (done or same):
        return ""  # another read was answered, and the report is true
    for row in allowed(name, cell.operation, cell.status):
        if re.search(row.words, text) if row.words else (done or same):
            return ""
    return f"nobody is told: {_told(said)}"


def _framed(text: str) -> str:
    for pattern in FRAME:
        text = re.sub(pattern, "…", text)
    return text


def _told(said: Said) -> list[str]:
    """Return the sentences of a report, for the message of a failure."""
    return [each[:160] for each in re.findall(r'"(?:happened|text|reason|summary|state)": "([^"]+)"', said.out)][
        :6
    ] or [json.dumps(said.out[-200:])]


PARTS = 3
"""Number of cells of a verb of which `make test` tries one; the next verb begins with another, so that each operation
is met.
"""


@pytest.mark.share(2)
@pytest.mark.parametrize("verb", VERBS)
def test_a_read_that_is_refused_is_told(
    rotator: Scene, verb: str, record_property: Callable[[str, object], None]
) -> None:
    def some(operations: list[str]) -> Iterator[Cell]:
        return islice(for_good(operations), list(VERBS).index(verb) % PARTS, None, PARTS)

    assert offences(rotator, verb, some, record_property) == []


@pytest.mark.soak
@pytest.mark.parametrize("verb", VERBS)
def test_a_read_that_is_refused_for_good_is_told(
    rotator: Scene, verb: str, record_property: Callable[[str, object], None]
) -> None:
    assert offences(rotator, verb, for_good, record_property) == []


@pytest.mark.soak
@pytest.mark.parametrize("verb", VERBS)
def test_a_read_that_is_refused_once_is_told_or_made_good(
    rotator: Scene, verb: str, record_property: Callable[[str, object], None]
) -> None:
    assert offences(rotator, verb, once, record_property) == []


def test_every_row_of_what_is_allowed_has_its_reason() -> None:
    assert all(len(row.why.split()) > 3 for row in ALLOWED)
    assert len({(row.verbs, row.operations, row.statuses) for row in ALLOWED}) == len(ALLOWED)
