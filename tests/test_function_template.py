"""Tests of the function app's template: against the documents, against itself, and against Azure's schemas if a copy is
at hand.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator  # type: ignore[import-untyped]
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from rotator.function_app.settings import AppSettings, trigger
from rotator.notify import Receivers, Shape
from rotator.notify.settings import PING, SHAPE, WEBHOOK

ROOT = Path(__file__).parents[1]
TEMPLATE = json.loads((ROOT / "function" / "template.json").read_text())
SCHEMAS = Path(os.environ.get("LOCAL_AZURE_SPECS") or "nowhere") / "azure-resource-manager-schemas" / "schemas"
HOME = "https://schema.management.azure.com/schemas/"
RECEIVERS = ("webhook", "ping", "webhookShape")
NESTED = "Microsoft.Resources/deployments"
FILES = {"Microsoft.Insights/components": "Microsoft.Insights.Application"}
"""Types whose schema is in another file than their provider's."""


def templates(found: dict[str, Any] = TEMPLATE) -> Iterator[dict[str, Any]]:
    """Yield the template and its nested templates."""
    yield found
    for each in found["resources"]:
        if each["type"] == NESTED:
            yield from templates(each["properties"]["template"])


def resources() -> list[dict[str, Any]]:
    return [each for template in templates() for each in template["resources"]]


def texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from texts(each)
        case dict():
            for name, each in value.items():
                yield name
                if name != "template":
                    yield from texts(each)


def test_every_parameter_is_declared_and_used_and_every_nested_one_is_given() -> None:
    for template in templates():
        said = " ".join(texts([template["resources"], template.get("outputs", {})]))
        assert set(re.findall(r"parameters\('(\w+)'\)", said)) == set(template["parameters"])
        for each in template["resources"]:
            if each["type"] == NESTED:
                assert set(each["properties"]["parameters"]) == set(each["properties"]["template"]["parameters"])


def test_what_is_waited_for_is_in_the_template() -> None:
    for template in templates():
        there = {each["type"] for each in template["resources"]}
        for each in template["resources"]:
            for said in each.get("dependsOn", []):
                assert re.findall(r"'(Microsoft\.[\w./]+)'", said)[-1] in there or "roleAssignments" in said, said


def test_brackets_and_quotes_of_expressions_are_even() -> None:
    for said in (text for each in templates() for text in texts([each["resources"], each.get("outputs", {})])):
        if said.startswith("["):
            assert said.endswith("]")
            assert said.count("(") == said.count(")")
            assert said.count("'") % 2 == 0


def test_the_role_is_the_one_of_the_security_page() -> None:
    page = (ROOT / "SECURITY.md").read_text()
    documented = json.loads(page.split("<!-- made: role operator -->")[1].split("```json")[1].split("```")[0])
    (role,) = [each for each in resources() if each["type"].endswith("/roleDefinitions")]
    assert role["properties"]["permissions"][0]["actions"] == documented["Actions"]
    assert role["properties"]["roleName"] == documented["Name"]


def test_the_settings_are_read_by_the_app_and_name_what_the_template_makes() -> None:
    (app,) = [each for each in resources() if each["type"] == "Microsoft.Web/sites"]
    said = {each["name"]: each["value"] for each in app["properties"]["siteConfig"]["appSettings"]}
    suffixes = {"parameters('account')": "rotatorstate", "environment().suffixes.storage": "core.windows.net"}
    given = {name: filled(said[name], suffixes) for name in ("ROTATOR_QUEUE", "ROTATOR_LEASE_CONTAINER")}
    assert AppSettings.read(given).container == "https://rotatorstate.blob.core.windows.net/leases"
    assert trigger(given) == ("due", "AzureWebJobsStorage")
    assert (
        AppSettings.read(given | dict.fromkeys((WEBHOOK, PING), "") | {SHAPE: "cloudevents"}).receivers == Receivers()
    )
    assert {said[name] for name in (WEBHOOK, PING, SHAPE)} == {f"[parameters('{name}')]" for name in RECEIVERS}
    shapes = TEMPLATE["parameters"]["webhookShape"]["allowedValues"]
    assert (shapes, {TEMPLATE["parameters"][name]["type"] for name in RECEIVERS[:2]}) == ([*Shape], {"securestring"})
    made = [each["name"] for each in resources() if each["type"].startswith("Microsoft.Storage/storageAccounts/")]
    names = {re.findall(r"default/([\w-]+)", each)[0] for each in made}
    assert names == {"app-package", "leases", "due", "due-poison"}
    assert app["properties"]["functionAppConfig"]["runtime"] == {"name": "python", "version": "3.13"}


def filled(expression: str, values: dict[str, str]) -> str:
    """Return the result of ARM's format()."""
    found = re.fullmatch(r"\[format\('([^']*)', (.*)\)\]", expression)
    assert found
    return found[1].format(*(values.get(each, each.strip("'")) for each in found[2].split(", ")))


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason="LOCAL_AZURE_SPECS names no copy of azure-resource-manager-schemas")
@pytest.mark.parametrize("resource", resources(), ids=lambda each: each["type"])
def test_each_resource_is_as_the_schema_of_its_type_says(resource: dict[str, Any]) -> None:
    assert findings(resource) == []


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason="LOCAL_AZURE_SPECS names no copy of azure-resource-manager-schemas")
def test_the_schemas_find_a_wrong_name_and_a_wrong_value() -> None:
    (app,) = [each for each in resources() if each["type"] == "Microsoft.Web/sites"]
    changed = json.loads(json.dumps(app))
    changed["properties"]["functionAppConfig"]["runtime"]["version_"] = "3.13"
    assert findings(changed) == ["version_"]
    changed = json.loads(json.dumps(app))
    changed["properties"]["functionAppConfig"]["runtime"]["name"] = "perl"
    assert findings(changed)


def findings(resource: dict[str, Any]) -> list[str]:
    """Return the violations of the schema of a resource's type.

    Values of a deployment's parameters are left out: the schema takes an expression for two things, and refuses it.
    """
    if resource["type"] == NESTED:
        shown = {name: part for name, part in resource["properties"].items() if name != "parameters"}
        resource = {**resource, "properties": shown}
    provider, _, kind = resource["type"].partition("/")
    address = f"{HOME}{resource['apiVersion']}/{FILES.get(resource['type'], provider)}.json"
    schema = _read(address).contents
    assert isinstance(schema, dict)
    section, name = _place(schema, kind).split("/")
    registry: Registry[Any] = Registry(retrieve=_read)  # type: ignore[call-arg]
    judge = Draft4Validator({"$ref": f"{address}#/{section}/{name}"}, registry=registry)
    errors = [f"{list(error.path)}: {error.message}" for error in judge.iter_errors(resource)]
    known = schema[section][name]["properties"].get("properties", {})
    return errors + _unknown(resource.get("properties", {}), known, schema, address)


def _place(schema: dict[str, Any], kind: str) -> str:
    name = kind.replace("/", "_")
    part = next(part for part, held in schema.items() if part.lower().endswith("resourcedefinitions") and name in held)
    return f"{part}/{name}"


def _read(address: str) -> "Resource[Any]":
    """Return a schema of the copy; a missing one is an error."""
    path = SCHEMAS / address.removeprefix(HOME).partition("#")[0]
    return Resource.from_contents(json.loads(path.read_text()), default_specification=DRAFT4)


def _unknown(value: Any, schema: dict[str, Any], whole: dict[str, Any], address: str) -> list[str]:
    """Return names of properties absent from the schema, which by itself permits them."""
    options = [_resolved(each, whole) for each in (schema.get("oneOf") or schema.get("allOf") or [schema])]
    named = {name: part for each in options for name, part in each.get("properties", {}).items()}
    if isinstance(value, list):
        items = next((each["items"] for each in options if isinstance(each.get("items"), dict)), None)
        return [name for each in value for name in _unknown(each, items, whole, address)] if items else []
    if not isinstance(value, dict) or not named:
        return []
    wrong = [name for name in value if name not in named]
    return wrong + [
        n for name, part in value.items() if name in named for n in _unknown(part, named[name], whole, address)
    ]


def _resolved(part: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    reference = part.get("$ref", "")
    if not reference.startswith("#/"):
        return part
    found = whole
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def test_make_function_prints_the_commands_of_the_documentation() -> None:
    document = (ROOT / "docs" / "functions.md").read_text().partition("make function\n")[2].partition("```")[0]
    (printed,) = re.findall(r"build/function is ready: (.*)\"", (ROOT / "Makefile").read_text())
    assert printed.split(", then ") == document.splitlines()
