"""Tests of the comparison of answers with Azure's descriptions: it notices each kind of fault, and prints no value of
an answer.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from descriptions import SPECS
from descriptions.deviations import DEVIATIONS, unexplained
from descriptions.graph import GraphJudge
from descriptions.judge import Finding, Judge
from descriptions.types import TypesJudge
from local_azure.wire import Request, Response

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
    """Return a judge with a description of things, in two files."""
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


def judged(judge: Judge, answer: Any, *, status: int = 200, asked: Any = None, url: str = URL) -> list[str] | None:
    asked = {"name": "t", "key": "sent"} if asked is None else asked
    found = judge.judge(Request.parse("PUT", url, {}, json.dumps(asked).encode()), Response.json(status, answer))
    return None if found is None else [f"{finding.where}: {finding.what}" for finding in found]


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
    (said,) = judged(judge, {**GOOD, **changed}) or [""]
    assert said.startswith(finding)
    assert "yesterday" not in said
    assert "came back" not in said


def test_what_is_missing_is_a_finding(judge: Judge) -> None:
    assert judged(judge, {name: value for name, value in GOOD.items() if name != "name"}) == [
        ".: required without name"
    ]


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
    assert judged(judge, {"wrong": 1}, status=501) is None
    assert judged(judge, {"wrong": 1}, url="https://graph.microsoft.com/v1.0/me") is None


def test_a_deviation_explains_what_is_recorded_and_nothing_beside_it() -> None:
    listed = Finding("GET /secrets", 200, ".nextLink", 'type "string", is null')
    assert unexplained([listed]) == []
    other = Finding("GET /secrets", 200, ".value", 'type "array", is null')
    assert unexplained([listed, other]) == [other]
    assert all(len(deviation.because) > 40 for deviation in DEVIATIONS)


@pytest.mark.skipif(
    SPECS is None,
    reason="Azure's API descriptions are not here: name a copy of azure-rest-api-specs in LOCAL_AZURE_SPECS",
)
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


METADATA = """<edm xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityType Name="application" BaseType="graph.directoryObject" OpenType="true">
  <Property Name="appId" Type="Edm.String"/><Property Name="tags" Type="Collection(Edm.String)" Nullable="false"/>
  <Property Name="passwordCredentials" Type="Collection(graph.passwordCredential)" Nullable="false"/>
  <NavigationProperty Name="owners" Type="Collection(graph.directoryObject)"/>
</EntityType>
<ComplexType Name="passwordCredential">
  <Property Name="keyId" Type="Edm.Guid"/><Property Name="endDateTime" Type="Edm.DateTimeOffset"/><Property Name="kind" Type="graph.kind"/>
</ComplexType>
<EnumType Name="kind"><Member Name="a"/></EnumType>
<Action Name="removePassword" IsBound="true"><Parameter Name="bindingParameter"/><Parameter Name="keyId" Type="Edm.Guid" Nullable="false"/></Action>
</edm>"""
KEY = "5d3c0a52-0000-4000-8000-000000000000"
OBJECT = {
    "@odata.context": "x",
    "id": "i",
    "appId": "a",
    "tags": [],
    "passwordCredentials": [{"keyId": KEY}],
    "owners": [],
    "extension_1_x": 1,
}
GRAPH = "https://graph.microsoft.com/v1.0/applications"


def of_graph(
    tmp_path: Path, answer: Any, *, method: str = "GET", url: str = GRAPH, asked: Any = None
) -> list[str] | None:
    (tmp_path / "v1.0-metadata.xml").write_text(METADATA)
    body = json.dumps(asked).encode() if asked is not None else b""
    found = GraphJudge(tmp_path).judge(Request.parse(method, url, {}, body), Response.json(200, answer))
    return None if found is None else [f"{finding.where}: {finding.what}" for finding in found]


def test_an_answer_of_graph_that_is_as_its_metadata_says_is_left_alone(tmp_path: Path) -> None:
    assert of_graph(tmp_path, {"value": [OBJECT]}) == []
    assert of_graph(tmp_path, OBJECT, url=f"{GRAPH}(appId='{KEY}')") == []
    assert (
        of_graph(
            tmp_path,
            {"value": [{"@odata.type": "#microsoft.graph.application", "appId": "a"}]},
            url=f"{GRAPH}/{KEY}/owners",
        )
        == []
    )
    assert of_graph(tmp_path, {}, method="POST", url=f"{GRAPH}/{KEY}/removePassword", asked={"keyId": KEY}) == []


@pytest.mark.parametrize(
    ("changed", "finding"),
    [
        ({"appId": 1}, ".appId: is no Edm.String"),
        ({"tags": None}, ".tags: Collection(Edm.String) is null"),
        ({"tags": "x"}, ".tags: is no Collection(Edm.String)"),
        ({"made": "up"}, ".made: is no property of application"),
        ({"passwordCredentials": [{"keyId": "no"}]}, ".passwordCredentials[].keyId: is no Edm.Guid"),
        (
            {"passwordCredentials": [{"endDateTime": "2026-01-01T00:00:00"}]},
            ".passwordCredentials[].endDateTime: is no Edm.DateTimeOffset",
        ),
        ({"passwordCredentials": [{"kind": "b"}]}, ".passwordCredentials[].kind: is no member of kind"),
        ({"passwordCredentials": [7]}, ".passwordCredentials[]: is no passwordCredential"),
    ],
    ids=str,
)
def test_an_answer_of_graph_that_differs_is_a_finding(changed: dict[str, Any], finding: str, tmp_path: Path) -> None:
    assert of_graph(tmp_path, {**OBJECT, **changed}, url=f"{GRAPH}/{KEY}") == [finding]
    assert of_graph(tmp_path, {"value": [{**OBJECT, **changed}]}) == [f".value[]{finding}"]


def test_what_graph_s_metadata_does_not_have_is_not_judged_and_what_it_takes_is(tmp_path: Path) -> None:
    assert of_graph(tmp_path, {"wrong": 1}, url="https://graph.microsoft.com/v1.0/me") is None
    assert of_graph(tmp_path, {}, method="POST", url=f"{GRAPH}/{KEY}/removePassword", asked={"keyId": None}) == [
        "request .keyId: Edm.Guid is null"
    ]


TYPES = [
    {"$type": "StringType"},
    {"$type": "StringType", "sensitive": True},
    {"$type": "StringLiteralType", "value": "a"},
    {"$type": "UnionType", "elements": [{"$ref": "#/2"}]},
    {
        "$type": "ObjectType",
        "properties": {
            "name": {"type": {"$ref": "#/0"}, "flags": 1},
            "key": {"type": {"$ref": "#/1"}, "flags": 1},
            "fixed": {"type": {"$ref": "#/3"}, "flags": 0},
            "sent": {"type": {"$ref": "#/0"}, "flags": 5},
            "list": {"type": {"$ref": "#/5"}, "flags": 0},
        },
    },
    {"$type": "ArrayType", "itemType": {"$ref": "#/6"}},
    {"$type": "IntegerType"},
    {"$type": "ResourceType", "name": "Made.Up/things@2025-01-01", "body": {"$ref": "#/4"}},
    {
        "$type": "ResourceFunctionType",
        "name": "listKeys",
        "resourceType": "Made.Up/things",
        "apiVersion": "2025-01-01",
        "output": {"$ref": "#/4"},
    },
]


def by_types(
    tmp_path: Path, answer: Any, *, method: str = "GET", path: str = "things/t", version: str = "2026-01-01"
) -> list[str] | None:
    (tmp_path / "types.json").write_text(json.dumps(TYPES))
    url = f"https://management.azure.com/subscriptions/s/providers/Made.Up/{path}?api-version={version}"
    found = TypesJudge(tmp_path).judge(Request.parse(method, url, {}), Response.json(200, answer))
    return None if found is None else [f"{finding.where}: {finding.what}" for finding in found]


def test_a_resource_is_held_against_the_newest_types_that_its_version_can_have(tmp_path: Path) -> None:
    assert by_types(tmp_path, {"name": "t", "fixed": "a", "list": [1, 1.5]}) == []
    assert by_types(tmp_path, {"value": [{"name": "t"}]}, path="things") == []
    assert by_types(tmp_path, {"name": "t"}, version="2024-12-01") is None
    assert by_types(tmp_path, {"name": "t"}, path="others/t") is None
    assert by_types(tmp_path, {"name": "t", "key": "asked for"}, method="POST", path="things/t/listKeys") == []


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        ({"name": 1}, ".name: is no StringType"),
        ({"name": None}, ".name: is no StringType, is null"),
        ({"name": "t", "key": "came back"}, ".key: is returned, and a secret"),
        ({"name": "t", "sent": "came back"}, ".sent: is returned, and only written"),
        ({"name": "t", "fixed": "b"}, ".fixed: is none of these"),
        ({"name": "t", "list": ["x"]}, ".list[]: is no IntegerType"),
        ({}, ".: without name"),
        ([], ".: is no ObjectType"),
    ],
    ids=str,
)
def test_a_resource_that_differs_from_its_types_is_a_finding(answer: Any, finding: str, tmp_path: Path) -> None:
    assert by_types(tmp_path, answer) == [finding]
    assert "came back" not in finding
