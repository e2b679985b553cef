"""Tests of the choice of a resource in an ARM template: one of a loop, or one in a nested deployment, with its
scope.
"""

import itertools
import json
from typing import Any

import pytest

from rotator.policy.arm_functions import Target
from rotator.policy.located import Located
from rotator.policy.manifest_file import Read, parameters
from rotator.resource_id import ArmId
from tests.container_group.documents import SUBSCRIPTION, group_id
from tests.policy.manifests.test_templates import group, read, refused, template, value

WEB = {"web": {"type": "string", "defaultValue": "web"}}


@pytest.mark.parametrize(
    ("name", "variable", "meant"),
    [
        ("[concat('web-', copyIndex())]", "[copyIndex('groups')]", {"web-0": 0, "web-2": 2}),
        ("[format('web{0}', copyIndex(1))]", "[copyIndex('GROUPS', 10)]", {"web1": 10, "web3": 12}),
        ("[createArray('a', 'b', 'c')[copyIndex('groups')]]", "[string(copyIndex())]", {"b": "1"}),
        ("[if(equals(copyIndex(), 1), 'web', concat('o', string(copyIndex())))]", "x", {"web": "x"}),
    ],
)
def test_of_a_loop_of_resources_the_one_that_the_policy_names_is_meant(
    name: str, variable: str, meant: dict[str, Any]
) -> None:
    made = template(group(variable, name=name, copy={"name": "groups", "count": 3, "mode": "Serial", "batchSize": 1}))
    for called, sent in meant.items():
        body, mistakes = read(made, name=called)
        assert mistakes == [] and body and "copy" not in body
        assert body["name"] == called
        assert body["properties"]["containers"][0]["properties"]["environmentVariables"][0]["value"] == sent
    _, (mistake,) = read(made, name="else")
    assert "several container groups, but none is named else" in mistake


def test_a_loop_of_properties_counts_for_itself_inside_a_loop_of_resources() -> None:
    made = group(name="[concat('web', copyIndex())]", copy={"name": "groups", "count": 2})
    made["properties"]["containers"][0]["properties"]["copy"] = [
        {"name": "command", "count": 2, "input": "[format('{0}{1}', copyIndex(), copyIndex('command'))]"}
    ]
    body, mistakes = read(template(made), name="web1")
    assert mistakes == [] and body
    assert body["properties"]["containers"][0]["properties"]["command"] == ["10", "11"]


def test_a_condition_of_a_loop_counts_for_each_of_its_resources() -> None:
    made = group(name="[concat('web', copyIndex())]", copy={"name": "c", "count": 2})
    made = template({**made, "condition": "[equals(copyIndex(), 0)]"})
    assert read(made, name="web0")[1] == []
    _, (mistake,) = read(made, name="web1")
    assert "resources[0].condition: a condition that is not true" in mistake


def test_of_several_groups_with_one_name_the_one_whose_condition_is_true_is_meant() -> None:
    inside = {"a": False, "b": "[equals(parameters('web'), 'web')]"}
    pair = [group(variable, condition=condition) for variable, condition in inside.items()]
    assert value(template(*pair, parameters=WEB)) == "b"
    assert value(template(*reversed(pair), parameters=WEB)) == "b"
    modules = [nested(template(group(each)), condition=condition) for each, condition in inside.items()]
    assert value(template(*modules, parameters=WEB)) == "b"
    assert "a condition that is not true" in refused(template(pair[0], group("c", condition=False)))
    for condition in (True, "[equals(utcNow(), 'x')]"):
        assert "several container groups are named web" in refused(template(group("a", condition=condition), group()))


@pytest.mark.parametrize("beside", [0, 1, 3])
@pytest.mark.parametrize("version", ["2.0", "2.1-experimental"])
def test_symbolic_names_and_a_list_of_the_same_resources_mean_the_same(version: str, beside: int) -> None:
    others = [
        {"type": "Microsoft.Storage/storageAccounts", "name": "[uniqueString('x')]", "location": "x"},
        {"existing": True, "type": "Microsoft.ContainerRegistry/registries", "name": "acr"},
        group("other", name="[toLower('OTHER')]"),
    ][:beside]
    for name, shown in itertools.product(("web", "[parameters('web')]"), ("x", '[["y"]', "[variables('v')]", 7)):
        listed = template(*others, group(shown, name=name), parameters=WEB, variables={"v": ["[[a]", "b"]})
        symbolic = {f"r{at}": each for at, each in enumerate(listed["resources"])}
        named = {**listed, "languageVersion": version, "resources": symbolic}
        bodies = [read(each) for each in (listed, named)]
        assert bodies[0] == bodies[1] and bodies[0][1] == []


def nested(inside: Any, scope: str | None = "inner", given: Any = None, **more: Any) -> dict[str, Any]:
    """Return a deployment in a template, as Bicep compiles a module; without a scope it is `outer`."""
    properties = {"mode": "Incremental", "parameters": given or {}, "template": inside}
    options = {"expressionEvaluationOptions": {"scope": scope}} if scope else {}
    made = {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "module"}
    return {**made, "properties": {**properties, **options}, **more}


def test_the_expressions_of_an_inner_template_have_its_own_parameters_and_variables() -> None:
    inside = template(
        group("[concat(parameters('text'), variables('v'), parameters('own'))]", name="[parameters('NAME')]"),
        parameters={"name": {"type": "string"}, "text": {"type": "string"}, "own": {"type": "string", "defaultValue": "!"}},
        variables={"v": "-inner"},
    )  # fmt: skip
    given = {"name": {"value": "[parameters('web')]"}, "Text": {"value": "[variables('v')]"}}
    made = template(nested(inside, given=given), parameters=WEB, variables={"v": "outer"})
    assert value(made) == "outer-inner!"
    symbolic = {**made, "resources": {"module": nested({**inside, "resources": {"aci": inside["resources"][0]}}, "Inner", given)}}  # fmt: skip
    assert value(symbolic) == "outer-inner!"


@pytest.mark.parametrize(
    "place",
    [
        {"resourceGroup": "MYRESOURCEGROUP"},
        {"resourceGroup": "[variables('rg')]", "subscriptionId": "[subscription().subscriptionId]"},
        {"subscriptionId": SUBSCRIPTION},
    ],
)
def test_a_deployment_that_names_its_own_place_is_read(place: dict[str, Any]) -> None:
    made = template(
        {"type": "Microsoft.Resources/resourceGroups", "name": "rg"}, nested(template(group("in")), **place)
    )
    assert value({**made, "variables": {"rg": "[toLower('myResourceGroup')]"}}) == "in"


def test_a_secret_reaches_an_inner_template_as_its_placeholder() -> None:
    inside = template(group("[parameters('p')]"), parameters={"p": {"type": "securestring"}})
    outer = {"secret": {"type": "securestring", "defaultValue": "${{ keyvault:db }}"}}
    made = template(nested(inside, given={"p": {"value": "[parameters('secret')]"}}), parameters=outer)
    assert value(made) == "${{ keyvault:db }}"
    plain = refused(template(nested(inside, given={"p": {"value": "hunter2"}})))
    assert "resources[0].properties.parameters.p.value: a secret in plain text" in plain and "hunter2" not in plain


@pytest.mark.parametrize("scope", [None, "outer", "Outer"])
def test_the_expressions_of_an_outer_template_belong_to_the_one_around_it(scope: str | None) -> None:
    inside = template(group("[concat(parameters('web'), variables('v'))]"), variables={"v": "inner"})
    made = template(nested(inside, scope), parameters=WEB, variables={"v": "-outer"})
    assert value(made) == "web-outer"
    assert "a variable that the template does not define: w" in refused(
        template(nested(template(group("[variables('w')]"), variables={"w": "x"}), scope))
    )


@pytest.mark.parametrize("written", ["[[x]", "[concat('[', 'x]')]", "[concat('[[', 'x]')]"])
def test_a_text_in_brackets_is_evaluated_twice_in_an_outer_template_and_refused(written: str) -> None:
    text = refused(template(nested(template(group(written)), None)))
    assert "environmentVariables[0].value: a text in brackets, which Resource Manager evaluates again" in text
    assert value(template(nested(template(group(written))))).startswith("[")


def test_deployments_in_deployments_are_read_and_their_places_are_those_of_the_file() -> None:
    inside = template(group("[parameters('p')]"), parameters={"p": {"type": "string"}})
    middle = template(
        nested(inside, given={"p": {"value": "[concat(parameters('q'), '3')]"}}), parameters={"q": {"type": "string"}}
    )
    made = template(nested(middle, given={"q": {"value": "[concat('1', '2')]"}}), group(name="other"))
    assert value(made) == "123"
    wrong = template(nested(template(nested(template(group("[newGuid()]"))))))
    where = "resources[0].properties.template" * 2
    assert (
        f"{where.replace('templateresources', 'template.resources')}.resources[0].properties.containers[0]"
        in refused(wrong)
    )
    deep: Any = template(group())
    for _ in range(9):
        deep = template(nested(deep))
    assert "a nested deployment of too many levels, which rotator does not read" in refused(deep)


@pytest.mark.parametrize("scope", ["inner", "outer"])
def test_of_a_loop_of_deployments_the_one_that_the_policy_names_is_meant(scope: str) -> None:
    names = {"names": {"type": "array", "defaultValue": ["api", "web", "job"]}}
    item = "parameters('names')[copyIndex()]"
    inside = template(group(f"[concat({item}, copyIndex('modules', 1))]", name=f"[{item}]"))
    given: dict[str, Any] = {}
    if scope == "inner":
        given = {"n": {"value": f"[{item}]"}, "v": {"value": f"[concat({item}, copyIndex('MODULES', 1))]"}}
        declared = {"n": {"type": "string"}, "v": {"type": "string"}}
        inside = template(group("[parameters('v')]", name="[parameters('n')]"), parameters=declared)
    made = nested(inside, scope, given, copy={"name": "modules", "count": "[length(parameters('names'))]"})
    assert value(template(made, parameters=names)) == "web2"
    made["condition"] = "[less(copyIndex(), 1)]"
    assert read(template(made, parameters=names), name="api")[1] == []
    assert "a condition that is not true" in refused(template(made, parameters=names))
    _, (mistake,) = read(template(made, parameters=names), name="else")
    assert "several container groups, but none is named else: api, web, job" in mistake


def test_loops_of_deployments_in_loops_are_counted_before_they_are_made() -> None:
    deep: Any = template(group())
    for _ in range(4):
        deep = template(nested(deep, copy={"name": "c", "count": 800}))
    assert "resources[0]" in (said := refused(deep)) and "a result that is too large" in said


def test_a_condition_around_a_group_is_one_of_the_group() -> None:
    assert value(template(nested(template(group()), condition="[equals('a', 'a')]"))) == "x"
    assert "resources[0].condition: a condition that is not true" in refused(
        template(nested(template(group()), condition=False))
    )


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (
            {"copy": {"name": "c", "count": 2}, "resourceGroup": "[copyIndex()]"},
            "a deployment into another place (resourceGroup)",
        ),
        ({"resourceGroup": "other"}, "a deployment into another place (resourceGroup)"),
        ({"subscriptionId": "x"}, "a deployment into another place (subscriptionId)"),
        ({"resourceGroup": "[uniqueString('x')]"}, "a deployment into another place (resourceGroup)"),
        ({"scope": "myResourceGroup"}, "a deployment into another place (scope)"),
        ({"properties": {"mode": "Incremental", "templateLink": {"uri": "https://x"}}}, "a linked deployment"),
        ({"properties": None}, "a linked deployment"),
    ],
)
def test_a_deployment_that_is_not_read_is_refused_by_name_and_only_where_it_matters(
    more: dict[str, Any], word: str
) -> None:
    made = {**nested(template(group("inside"))), **more}
    assert f"resources[0]: {word}, which rotator does not read" in refused(template(made))
    assert value(template(made, group())) == "x"


@pytest.mark.parametrize(
    ("written", "given", "meant"),
    [
        ("[parameters('p')]", {"value": "${{ keyvault:pem }}"}, "${{ keyvault:pem }}"),
        ("[base64(parameters('p'))]", {"value": "${{ keyvault:pem }}"}, "${{ keyvault:pem }}"),
        ("[base64(parameters('p'))]", {"value": "${{ credential:password }}"}, "${{ credential:password }}"),
        ("[parameters('p')]", "referred", "${{ keyvault:db:base64 }}"),
        ("[base64(parameters('p'))]", "referred", "${{ keyvault:db }}"),
        ("[format('{0}', variables('v'))]", "referred", "${{ keyvault:db }}"),
        ("[base64(base64(parameters('p')))]", "referred", None),
        ("[base64(concat('a', parameters('p')))]", "referred", None),
        ("[concat('a', base64(parameters('p')))]", "referred", None),
        ("[base64(parameters('p'))]", {"value": "${{ keyvault:pem:base64 }}"}, None),
    ],
)
@pytest.mark.parametrize("volumes", ["volumes", "Volumes"])
def test_a_file_of_a_secret_volume_is_what_arm_makes_of_it(
    volumes: str, written: str, given: Any, meant: str | None
) -> None:
    made = group()
    made["properties"][volumes] = [{"name": "v", "secret": {"f": written}}]
    document = template(made, parameters={"p": {"type": "securestring"}}, variables={"v": "[base64(parameters('p'))]"})
    values = parameters(
        json.dumps({"parameters": {"p": referred("myvault") if given == "referred" else given}}), "p.json"
    )
    found, mistakes = Read.of(json.dumps(document), "t.json").manifest(
        ArmId(group_id("web")), values, Target("myvault")
    )
    if meant is None:
        assert ["base64() with a placeholder" in str(each) for each in mistakes] == [True]
        return
    assert found and mistakes == ()
    assert found.document["properties"][volumes][0]["secret"] == {"f": meant}


VAULT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/"


def referred(vault: str, **more: Any) -> dict[str, Any]:
    return {"reference": {"keyVault": {"id": f"{VAULT}{vault}"}, "secretName": "db", **more}}


@pytest.mark.parametrize("place", ["a parameters file", "a nested deployment"])
@pytest.mark.parametrize(
    ("given", "word"),
    [
        (referred("myvault"), None),
        (referred("MyVault"), None),
        (referred("other"), "a reference to a vault that isn't the policy's, which only ARM can resolve"),
        (referred("myvault", secretVersion="1"), "a reference to a version of a secret, which only ARM can resolve"),
        (referred("myvault", secretName="not_a_name"), "a reference to a vault"),
        ({"reference": "x"}, "a reference to a vault"),
    ],
)
def test_a_secret_of_the_policys_vault_may_be_referred_to(place: str, given: dict[str, Any], word: str | None) -> None:
    made = template(group("[parameters('p')]"), parameters={"p": {"type": "securestring"}})
    values: Located | None = parameters(json.dumps({"parameters": {"p": given}}), "p.json")
    if place == "a nested deployment":
        made, values = template(nested(made, given={"p": given})), None
    found, mistakes = Read.of(json.dumps(made), "t.json").manifest(ArmId(group_id("web")), values, Target("myvault"))
    if word is None:
        assert found and mistakes == ()
        variables = found.document["properties"]["containers"][0]["properties"]["environmentVariables"]
        assert variables == [{"name": "V", "value": "${{ keyvault:db }}"}]
    else:
        assert found is None and [word in str(each) for each in mistakes] == [True]
