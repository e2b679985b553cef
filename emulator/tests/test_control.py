"""Tests of invalid requests to the control endpoint: refused with a message, without a change of state."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from local_azure import asked
from local_azure.app import App
from local_azure.azure import Azure
from local_azure.clock import LAST, Clock
from local_azure.control import Control
from local_azure.damage import INSTEAD, SPOILED
from local_azure.directory import CONTROL_HOST
from local_azure.seed import fill
from local_azure.services import build
from local_azure.store import dump
from local_azure.timing import PROMPT
from local_azure.wire import Request

START = datetime(2026, 3, 4, 12, tzinfo=UTC)
pytestmark = pytest.mark.xdist_group("control")  # they share the module's fixtures

IMAGE = {"registry": "mycontainerregistry.azurecr.io", "repository": "job", "tag": "v1"}
FAULT = {"operation": "entra.token", "kind": "status"}
QUOTA = {"subscription": "00000000-0000-0000-0000-000000000001", "location": "eastus", "name": "ContainerGroups"}
PATHS = ("/clock", "/move-host", "/faults", "/images", "/quotas", "/subscriptions")
NUMBERS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "-1",
    "1e308",
    "1e999",
    "9" * 400,
    "9" * 5000,
    '"1"',
    "true",
    "null",
    "[]",
    "{}",
)


@dataclass
class Scene:
    azure: Azure
    app: App

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, str]:
        path, _, query = path.partition("?")
        asked_for = dict(part.split("=") for part in query.split("&") if part)
        answer = self.app.handle(Request(method, CONTROL_HOST, path, asked_for, {"authorization": "Bearer t"}, body))
        content = json.loads(answer.body or b"null")
        return answer.status, content["error"]["message"] if answer.status >= 400 else ""


@pytest.fixture(scope="module")
def scene() -> Scene:
    azure = Azure.build(Clock(START, lambda: 0.0), seed=7, timing=PROMPT)
    fill(azure)
    app = build(azure)
    app.services = (*app.services, Control(azure, app, "t"))
    return Scene(azure, app)


def _with(body: dict[str, str], **raw: str) -> bytes:
    """Return a body in which some values are raw JSON, even of a kind that Python wouldn't write."""
    inner = [
        f"{json.dumps(name)}: {value}"
        for name, value in ({name: json.dumps(value) for name, value in body.items()} | raw).items()
    ]
    return ("{" + ", ".join(inner) + "}").encode()


def nonsense() -> Iterator[tuple[str, bytes]]:
    for path in PATHS:
        for body in (
            b"{",
            b"[]",
            b"null",
            b"1",
            b'"x"',
            b"{}",
            b"",
            b"\xff",
            b"[" * 100_000,
            b'{"id": "\\ud800", "operation": "\\ud800"}',
        ):
            yield path, body
    for number in NUMBERS:
        yield "/clock", _with({}, advance=number)
        yield "/quotas", _with(QUOTA, limit=number)
        yield from (
            ("/images", _with(IMAGE, **{name: number})) for name in ("exit_code", "run_seconds") if number != "null"
        )
        yield from (
            ("/faults", _with(FAULT, **{name: number}))
            for name in ("nth", "times", "status")
            if number not in ('"1"', "true")
        )
    for number in ("NaN", "Infinity", "-1", "1e308"):
        yield "/faults", _with(FAULT, retry_after=number)
    yield "/clock", _with({}, advance=str(8000 * 366 * 86_400))
    yield from (
        ("/quotas", _with({**QUOTA, **change}, limit="1"))
        for change in ({"name": "x"}, {"location": "mars"}, {"subscription": "x"})
    )
    yield "/quotas", _with(QUOTA, limit="1.5")
    for text in (
        "/x",
        "x",
        "/",
        "//////////////////////////////",
        "/subscriptions/x",
        "/subscriptions/a/resourceGroups/b",
        "\0",
        "é",
        "a" * 9000,
    ):
        yield "/move-host", _with({"id": text})
    for change in (
        {"kind": "nosuch"},
        {"operation": "nosuch"},
        {"operation": ""},
        {"operation": "["},
        {"when": "never"},
        {"wen": "after"},
    ):
        yield "/faults", _with({**FAULT, **change})
    yield "/faults", _with(FAULT, message='"\\ud800"')
    yield from (
        ("/faults", _with(FAULT, headers=headers))
        for headers in ("[]", '"x"', "1", '{"a b": "x"}', '{"A": "x\\r\\nB: y"}', '{"A": 1}', '{"": "x"}')
    )
    yield from (("/faults", _with(FAULT, error=error)) for error in ("1", "[]", '"\\ud800"'))
    for change in (
        {"registry": "x"},
        {"registry": "x.azurecr.io"},
        {"registry": "mycontainerregistry.example"},
        {"repository": "../.."},
        {"repository": "A B"},
        {"tag": "a b"},
        {"tag": ""},
        {"digest": "x"},
    ):
        yield "/images", _with({**IMAGE, **change})
    yield "/images", _with({**IMAGE, "digest": f"sha256:{'0' * 64}"})
    yield "/images", _with(IMAGE, logs="1")
    yield from (
        ("/subscriptions", _with({"id": text, "name": "n", "owner": "nobody"}))
        for text in ("x", "a/../b", QUOTA["subscription"][:-1] + "9")
    )


@pytest.mark.parametrize("path", PATHS)
def test_nonsense_is_refused_in_words_and_changes_nothing(scene: Scene, path: str) -> None:
    before = dump(scene.azure)
    for body in (body for where, body in nonsense() if where == path):
        status, said = scene.ask("POST", path, body)
        assert 400 <= status < 500 and len(said.split()) > 3, (body[:200], status, said)
    assert dump(scene.azure) == before


@pytest.mark.parametrize(
    "path",
    [
        "/calls?since=x",
        "/calls?since=-1",
        "/calls?since=NaN",
        "/calls?since=1e9",
        f"/calls?since={'9' * 5000}",
        "/state?secrets=maybe",
    ],
)
def test_a_query_that_means_nothing_is_refused_in_words(scene: Scene, path: str) -> None:
    status, said = scene.ask("GET", path)
    assert status == 400 and said


def test_what_is_meant_goes_on_to_work(scene: Scene) -> None:
    for path, body in (
        ("/clock", _with({}, advance="60.5")),
        ("/faults", _with({**FAULT, "operation": "keyvault.*"}, nth="2", times="0", status="429", retry_after="7")),
        ("/images", _with(IMAGE, exit_code="255", run_seconds="0")),
        ("/images", _with({**IMAGE, "registry": "mycontainerregistry"})),
        ("/quotas", _with(QUOTA, limit="0")),
    ):
        status, said = scene.ask("POST", path, body)
        assert status < 300, said


def test_time_goes_on_to_the_last_date_and_no_further() -> None:
    clock = Clock(START, lambda: 0.0)
    assert clock.advance(LAST - START) == LAST
    with pytest.raises(ValueError, match="beyond"):
        clock.advance(LAST - START)
    assert clock.now() == LAST


def test_every_kind_that_a_service_looks_for_can_be_planned() -> None:
    sources = (file.read_text() for file in (Path(asked.__file__).parent).rglob("*.py"))
    looked_for = {kind for text in sources for kind in re.findall(r'\.active\("(\w+)"', text)}
    assert looked_for | {"status", "reset", "timeout", "lost", "echo", "flip", *INSTEAD, *SPOILED} == set(asked.KINDS)


def test_a_stale_read_can_be_planned_where_there_is_one_only(scene: Scene) -> None:
    for operation, status in (
        ("keyvault.secrets.get", 201),
        ("graph.*.list", 201),
        ("*", 201),
        ("arm.registries.get", 400),
        ("acr.*", 400),
    ):
        found, said = scene.ask("POST", "/faults", json.dumps({"operation": operation, "kind": "stale"}).encode())
        assert found == status
        assert ("is ever stale" in said) == (status == 400)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("stale", "2", ("two", "1.5", "-1", "٢", "nan", "1" * 10)),
        ("failed_pull", "2", ("abc", "1e3", "2.0")),
        ("crash", "0.5", ("soon", "inf", "-1")),
        ("app_policy", "3600", ("1h", "")),
        ("drip", "0.2", ("slowly",)),
        ("rbac_lag", "deleted", ("removed",)),
    ],
)
def test_an_argument_that_no_service_can_read_is_refused(
    scene: Scene, kind: str, good: str, bad: tuple[str, ...]
) -> None:
    for argument in (good, *bad):
        asked_for = {"operation": "*", "kind": kind, "argument": argument}
        status, said = scene.ask("POST", "/faults", json.dumps(asked_for).encode())
        right = argument in (good, "")
        assert (status, f"The argument of {kind}" in said) == (201 if right else 400, not right)
    assert scene.ask("DELETE", "/faults")[0] == 204


def test_a_fault_has_headers_and_an_oauth_error_of_its_own(scene: Scene) -> None:
    planned = _with(
        {"operation": "entra.token", "kind": "status", "code": "AADSTS90033", "message": "A transient error."},
        status="503",
        error='"temporarily_unavailable"',
        headers='{"Retry-After": "3", "x-ms-own": "yes"}',
    )
    assert scene.ask("DELETE", "/faults")[0] == 204
    assert scene.ask("POST", "/faults", planned)[0] == 201
    path = "/00000000-0000-0000-0000-000000000002/oauth2/v2.0/token"
    answer = scene.app.handle(Request("POST", "login.microsoftonline.com", path, {}, {}, b""))
    content = json.loads(answer.body)
    assert (answer.status, content["error"], content["error_codes"]) == (503, "temporarily_unavailable", [90033])
    assert content["error_description"].startswith("AADSTS90033: A transient error.")
    assert (answer.headers["Retry-After"], answer.headers["x-ms-own"]) == ("3", "yes")
    assert scene.ask("DELETE", "/faults")[0] == 204
