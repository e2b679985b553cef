"""What holds the emulator's answers against Azure's descriptions notices each way of being wrong, and says no value of what it read."""

import json
from pathlib import Path
from typing import Any

import pytest

from rotator.emulator.wire import Request, Response
from tests.descriptions import SPECS
from tests.descriptions.deviations import DEVIATIONS, unexplained
from tests.descriptions.judge import Finding, Judge

URL = "https://management.azure.com/subscriptions/s/providers/Made.Up/things/t?api-version=2020-01-01"
THING = {
    "type": "object",
    "required": ["name", "key"],
    "properties": {
        "name": {"type": "string"},
        "key": {"type": "string", "x-ms-secret": True},
        "size": {"$ref": "../common/types.json#/definitions/Size"},
        "fixed": {"type": "string", "enum": ["a"], "x-ms-enum": {"modelAsString": False}},
        "open": {"type": "string", "enum": ["a"], "x-ms-enum": {"modelAsString": True}},
        "at": {"type": "string", "format": "date-time"},
        "none": {"type": "string", "x-nullable": True},
    },
}
GOOD = {"name": "t", "size": 1, "fixed": "a", "open": "new", "at": "2026-01-01T00:00:00.1234567Z", "none": None}


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Reads a description of things, in two files."""
    body = {"name": "thing", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Thing"}}
    version = {"name": "api-version", "in": "query", "required": True, "type": "string"}
    answers = {"200": {"schema": {"$ref": "#/definitions/Thing"}}, "204": {}}
    operation = {"parameters": [version, body], "responses": answers}
    described = {
        "info": {"version": "2020-01-01"},
        "paths": {"/subscriptions/{subscriptionId}/providers/Made.Up/things/{thing}": {"put": operation}},
        "definitions": {"Thing": THING},
    }
    for place, content in (("things", described), ("common", {"definitions": {"Size": {"type": "integer"}}})):
        (folder := tmp_path / "specification" / "resource-manager" / place).mkdir(parents=True)
        (folder / "types.json").write_text(json.dumps(content))
    return Judge(tmp_path)


def judged(judge: Judge, answer: Any, *, status: int = 200, asked: Any = None, url: str = URL) -> list[str]:
    asked = {"name": "t", "key": "sent"} if asked is None else asked
    found = judge.judge(Request.parse("PUT", url, {}, json.dumps(asked).encode()), Response.json(status, answer))
    return [f"{finding.where}: {finding.what}" for finding in found]


def test_what_is_as_described_is_left_alone(judge: Judge) -> None:
    assert judged(judge, GOOD) == []
    assert judged(judge, GOOD, url=URL.replace("subscriptions/s", "SUBSCRIPTIONS//s")) == []


@pytest.mark.parametrize(
    ("changed", "finding"),
    [
        ({"name": 1}, '.name: type "string"'),
        ({"name": None}, '.name: type "string", is null'),
        ({"size": "1"}, '.size: type "integer"'),
        ({"fixed": "b"}, ".fixed: enum"),
        ({"key": "came back"}, ".key: x-ms-secret is returned"),
        ({"at": "yesterday"}, '.at: format "date-time"'),
    ],
    ids=str,
)
def test_an_answer_that_differs_is_a_finding(judge: Judge, changed: dict[str, Any], finding: str) -> None:
    (said,) = judged(judge, {**GOOD, **changed})
    assert said.startswith(finding)
    assert "yesterday" not in said
    assert "came back" not in said


def test_what_is_missing_is_a_finding(judge: Judge) -> None:
    assert judged(judge, {name: value for name, value in GOOD.items() if name != "name"}) == [".: required without name"]


def test_a_status_that_nobody_describes_is_a_finding(judge: Judge) -> None:
    assert judged(judge, GOOD, status=202) == ["status: is not listed"]
    assert judged(judge, GOOD, status=204) == []
    assert judged(judge, {"error": {}}, status=409) == []


def test_a_request_that_azure_would_not_take_is_a_finding_where_it_was_taken(judge: Judge) -> None:
    assert judged(judge, GOOD, asked={"name": "t"}) == ["request .: required without key"]
    assert judged(judge, GOOD, asked={"NAME": "t", "Key": "k"}) == []
    assert judged(judge, {}, status=400, asked={"name": "t"}) == []
    assert judged(judge, GOOD, url=URL.split("?", maxsplit=1)[0]) == ["query api-version: is required"]


def test_what_is_not_implemented_and_what_is_not_described_is_not_judged(judge: Judge) -> None:
    assert judged(judge, {"wrong": 1}, status=501) == []
    assert judged(judge, {"wrong": 1}, url="https://graph.microsoft.com/v1.0/me") == []


def test_a_deviation_explains_what_is_recorded_and_nothing_beside_it() -> None:
    listed = Finding("GET /secrets", 200, ".nextLink", 'type "string", is null')
    assert unexplained([listed]) == []
    other = Finding("GET /secrets", 200, ".value", 'type "array", is null')
    assert unexplained([listed, other]) == [other]
    assert all(len(deviation.because) > 40 for deviation in DEVIATIONS)


@pytest.mark.skipif(SPECS is None, reason="Azure's API descriptions are not here: name a copy of azure-rest-api-specs in ROTATOR_SPECS")
def test_the_descriptions_that_are_here_cover_what_the_emulator_serves() -> None:
    assert SPECS is not None
    judge, wrong = Judge(SPECS), Response.json(200, {"id": 1, "value": 1, "access_token": 1})
    for url in (
        "https://management.azure.com/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerInstance/containerGroups/c?api-version=2023-05-01",
        "https://management.azure.com/subscriptions/s/providers/Microsoft.ContainerRegistry/registries?api-version=2023-07-01",
        "https://management.azure.com/subscriptions/s/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01",
        "https://v.vault.azure.net/secrets/s/?api-version=7.5",
        "https://r.azurecr.io/oauth2/token?service=r.azurecr.io&scope=x",
    ):
        assert judge.judge(Request.parse("GET", url, {}), wrong), url
