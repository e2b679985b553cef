"""Check of ARM templates (azure-facts A14), by deployments with outputs and no resources."""

import json
from collections.abc import Mapping
from typing import Any

from live.azure import Answer
from live.claims import Probe
from live.scene import Scene

VERSION = "2021-04-01"
LONGEST = 24_576
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
OUTPUTS: tuple[tuple[str, Any, Any], ...] = (
    ("a text in brackets is an expression", "[concat('a', 'b')]", "ab"),
    ("two brackets are one, and no expression", "[[concat('a', 'b')]", "[concat('a', 'b')]"),
    ("a text that ends otherwise is as it stands", "[concat('a', 'b')] ", "[concat('a', 'b')] "),
    ("functions have no letter case", "[CONCAT('a', toUpper('b'))]", "aB"),
    ("variables have no letter case", "[variables('ONE')]", "one"),
    ("parameters have no letter case", "[parameters('GIVEN')]", "default"),
    ("a copy of a variable makes an array", "[variables('many')]", ["m0", "m1", "m2"]),
    ("startsWith has no letter case", "[startsWith('abc', 'AB')]", True),
    ("endsWith has no letter case", "[endsWith('abc', 'BC')]", True),
    ("indexOf has no letter case", "[indexOf('abc', 'C')]", 2),
    ("contains has a letter case for texts", "[contains('abc', 'B')]", False),
    ("contains has none for the names of an object", "[contains(createObject('a', 1), 'A')]", True),
    (
        "union merges objects in objects",
        "[union(createObject('o', createObject('a', 1)), createObject('o', createObject('b', 2)))]",
        {"o": {"a": 1, "b": 2}},
    ),
    (
        "union doesn't merge arrays in objects",
        "[union(createObject('o', createArray(1)), createObject('o', createArray(2)))]",
        {"o": [2]},
    ),
)
"""Sentence of each claim, an output's value in a template, and Resource Manager's result."""
PARAMETERS: Mapping[str, Any] = {"given": {"type": "string", "defaultValue": "default"}}
VARIABLES: Mapping[str, Any] = {
    "one": "one",
    "copy": [{"name": "many", "count": 3, "input": "[concat('m', copyIndex('many'))]"}],
}
_KINDS = {bool: "bool", int: "int", str: "string", list: "array", dict: "object"}


def outputs() -> dict[str, Any]:
    """Return the outputs of the template."""
    return {f"o{number}": _output(value, wanted) for number, (_, value, wanted) in enumerate(OUTPUTS)}


def _output(value: Any, wanted: Any) -> dict[str, Any]:
    return {"type": _KINDS[type(wanted)], "value": value}


def deployed(scene: Scene, name: str, **template: Any) -> Answer:
    """Deploy a template; return the deployment's GET, or the refusal."""
    path = f"{scene.group_path}/providers/Microsoft.Resources/deployments/{name}"
    head = {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": []}
    body = {"tags": scene.marks.tags, "properties": {"mode": "Incremental", "template": {**head, **template}}}
    put = scene.azure.arm("PUT", path, body, VERSION)
    if put.status >= 400:
        return put
    scene.azure.finished(put)
    return scene.azure.arm("GET", path, version=VERSION)


def a14(scene: Scene, probe: Probe) -> None:
    """Check the results of template expressions."""
    shown = deployed(scene, "outputs", parameters=PARAMETERS, variables=VARIABLES, outputs=outputs())
    if shown.status == 501:
        probe.unseen("Resource Manager evaluates templates", shown.brief)
        return
    for number, (words, _, wanted) in enumerate(OUTPUTS):
        found = shown.at("properties", "outputs", f"o{number}", "value")
        probe.claim(words, shown, _equal(found, wanted))
    symbolic = deployed(scene, "symbolic", languageVersion="2.0", resources={})
    state = symbolic.at("properties", "provisioningState")
    probe.claim("with languageVersion 2.0 resources are an object", symbolic, state == "Succeeded")
    fits, over = (_of_length(scene, length) for length in (LONGEST, LONGEST + 1))
    taken = fits.at("properties", "provisioningState") == "Succeeded"
    probe.claim(f"an expression of {LONGEST} characters is taken", fits, taken)
    probe.claim("one of a character more is refused", over, over.status == 400)


def _of_length(scene: Scene, length: int) -> Answer:
    text = "['{}']".format("x" * (length - 4))
    return deployed(scene, f"long-{length}", outputs={"long": _output(text, "")})


def _equal(found: Any, wanted: Any) -> bool:
    """Compare as JSON, where 1 and true are different."""
    return json.dumps(found, sort_keys=True) == json.dumps(wanted, sort_keys=True)


CHECKS = {"A14": a14}
