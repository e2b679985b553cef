"""Tests of an ARM template as a manifest: the resource that ARM would deploy, or a refusal by name at its place."""

import json
from pathlib import Path
from typing import Any

import pytest

from rotator.errors import PolicyError
from rotator.policy import load
from rotator.policy.manifest_file import Read, parameters
from rotator.resource_id import ArmId
from tests.container_group.documents import SUBSCRIPTION, group_id
from tests.policy.manifests.corpus import NULLS, SCALARS, Drawn
from tests.policy.manifests.expressions import Author
from tests.policy.test_policy_bounds import GROUP as IN_POLICY
from tests.policy.test_policy_bounds import MINIMAL

KIND = "Microsoft.ContainerInstance/containerGroups"
IN_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/myResourceGroup"


def group(value: Any = "x", *, name: Any = "web", **more: Any) -> dict[str, Any]:
    variable = {"name": "V", "value": value}
    container = {"name": "app", "properties": {"image": "a.azurecr.io/web:1", "environmentVariables": [variable]}}
    made = {"type": KIND, "apiVersion": "2023-05-01", "name": name, "location": "westeurope"}
    return {**made, "properties": {"osType": "Linux", "containers": [container]}, **more}


def template(*resources: Any, **more: Any) -> dict[str, Any]:
    return {"$schema": "x", "contentVersion": "1.0.0.0", **more, "resources": list(resources)}


def read(document: Any, given: Any = None, name: str = "web") -> tuple[dict[str, Any] | None, list[str]]:
    """Return the body of the PUT, and every mistake as a person sees it."""
    found = Read.of(document if isinstance(document, str) else json.dumps(document, indent=1), "t.json")
    values = None if given is None else parameters(json.dumps({"parameters": given}, indent=1), "p.json")
    made, own = found.manifest(ArmId(group_id(name)), values)
    return dict(made.document) if made else None, [str(one) for one in (*found.mistakes, *own)]


def value(document: Any, given: Any = None) -> Any:
    """Return the value of the only variable."""
    body, mistakes = read(document, given)
    assert mistakes == []
    assert body
    return body["properties"]["containers"][0]["properties"]["environmentVariables"][0]["value"]


def refused(document: Any, given: Any = None) -> str:
    body, (mistake,) = read(document, given)
    assert body is None
    return mistake


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('[["https://contoso.com"]', '["https://contoso.com"]'),
        ('[["--flag", "a"]', '["--flag", "a"]'),
        ("[[]", "[]"),
        ("[[[x]", "[[x]"),
        ("[[x", "[[x"),
        ("[x", "[x"),
        ("[test] value", "[test] value"),
        ("[[test] value", "[[test] value"),
        ("x [y]", "x [y]"),
        (" [x]", " [x]"),
        ("a // b /* c */ d", "a // b /* c */ d"),
        ("https://contoso.com/a", "https://contoso.com/a"),
        ("tab\there", "tab\there"),
        ('quote " and \\', 'quote " and \\'),
        ("\N{GRINNING FACE} é", "\N{GRINNING FACE} é"),
        ("yes", "yes"),
        ("012", "012"),
        ("1e-4", "1e-4"),
        ("2024-01-17", "2024-01-17"),
        ("<<", "<<"),
        ("=", "="),
        ("", ""),
    ],
)
def test_a_text_is_what_arm_takes_it_for(written: str, meant: str) -> None:
    assert value(template(group(written))) == meant


def function(value: Any, *names: str) -> dict[str, Any]:
    return {"parameters": [{"name": name, "type": "string"} for name in names], "output": {"type": "x", "value": value}}


FUNCTIONS = [
    {
        "namespace": "contoso",
        "members": {
            "greet": function("[concat('Hello, ', parameters('WHO'))]", "who"),
            "twice": function(["[contoso.greet(parameters('x'))]", "[contoso.greet(parameters('x'))]"], "x"),
            "peeks": function("[variables('v')]"),
            "asks": function("[parameters('given')]"),
            "itself": function("[contoso.itself()]"),
        },
    }
]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("[parameters('text')]", "a"),
        ("[ parameters( 'TEXT' ) ]", "a"),
        ("[PARAMETERS('text')]", "a"),
        ("[parameters('other')]", "a-b"),
        ("[parameters('number')]", 7),
        ("[parameters('list')[1]]", "y"),
        ("[parameters('some')[0]]", "y"),
        ("[parameters('object').deep.er]", "z"),
        ("[parameters('object')['deep'].ER]", "z"),
        ("[variables('first')]", "a/v"),
        ("[variables('second').inner[0]]", "a/v!"),
        ("[concat('it''s ', parameters('text'))]", "it's a"),
        ("[concat('a', 1, 'b')]", "a1b"),
        ("[concat(createArray('a'), createArray('b'))]", ["a", "b"]),
        ("[format('{0}/{1}:{0}', 'a', 2)]", "a/2:a"),
        ("[format('{{{0}}}', 'a')]", "{a}"),
        ("[toLower('ABC')]", "abc"),
        ("[toUpper(trim(' abc '))]", "ABC"),
        ("[replace('a.b.c', '.', '-')]", "a-b-c"),
        ("[string(12)]", "12"),
        ("[string(createArray('a.b', 1, true(), null(), createArray()))]", '["a.b",1,true,null,[]]'),
        ("[string(createObject('b', 'é \"', 'a', createObject('c', '/')))]", '{"b":"é \\"","a":{"c":"/"}}'),
        ("[int('12')]", 12),
        ("[bool('True')]", True),
        ("[json('0.5')]", 0.5),
        ('[json(\'{"a": [1, "x"]}\')]', {"a": [1, "x"]}),
        ("[float('1.5')]", 1.5),
        ("[if(equals(parameters('text'), 'a'), 'yes', 'no')]", "yes"),
        ("[if(equals(parameters('text'), 'A'), uniqueString('x'), 'no')]", "no"),
        ("[if(and(true(), not(false())), 'yes', reference('x').y)]", "yes"),
        ("[if(or(false(), empty('')), 'yes', 'no')]", "yes"),
        ("[coalesce(null(), 'x')]", "x"),
        ("[createObject('a', 1, 'b', createArray())]", {"a": 1, "b": []}),
        ("[join(split('a,b', ','), ';')]", "a;b"),
        ("[first(createArray(1, 2))]", 1),
        ("[last('abc')]", "c"),
        ("[length('abc')]", 3),
        ("[base64('pem')]", "cGVt"),
        ("[if(contains('a,b', 'b'), 'yes', 'no')]", "yes"),
        ("[if(contains(createArray('a', 1), 'A'), 'yes', 'no')]", "no"),
        ("[union(createObject('a', 1), createObject('b', parameters('hidden')))]", {"a": 1, "b": "${{ keyvault:db }}"}),
        ("[union(createArray('a', 1), createArray(1, '1', 'a', true()))]", ["a", 1, "1", True]),
        (
            "[union(createObject('a', createObject('x', 1, 'l', createArray(1))), createObject('a', createObject('y', 2, 'l', createArray(2))))]",
            {"a": {"x": 1, "l": [2], "y": 2}},
        ),
        ("[if(contains(createObject('Key', parameters('hidden')), 'kEY'), 1, 2)]", 1),
        ("[length(createArray(parameters('hidden')))]", 1),
        ("[first(createArray(parameters('hidden'), 'b'))]", "${{ keyvault:db }}"),
        ("[skip(createArray(1, parameters('hidden')), 1)]", ["${{ keyvault:db }}"]),
        ("[take('abc', 2)]", "ab"),
        ("[take(createArray(1), 5)]", [1]),
        ("[skip('abc', -1)]", "abc"),
        ("[coalesce(tryGet(parameters('object'), 'deep', 'nowhere'), 'none')]", "none"),
        ("[tryGet(parameters('object'), 'DEEP', 'er')]", "z"),
        ("[tryGet(parameters('list'), 1)]", "y"),
        ("[coalesce(tryGet(null(), 'a', 0), 'none')]", "none"),
        ("[items(createObject('b', 1, 'a', parameters('hidden')))]", [{"key": "a", "value": "${{ keyvault:db }}"}, {"key": "b", "value": 1}]),
        ("[range(3, 2)]", [3, 4]),
        ("[array('a')]", ["a"]),
        ("[array(parameters('list'))]", ["x", "y"]),
        ("[add(1, mul(2, sub(5, 2)))]", 7),
        ("[div(-7, 2)]", -3),
        ("[mod(-7, 2)]", -1),
        ("[min(3, 1, 2)]", 1),
        ("[max(createArray(3, 1, 2))]", 3),
        ("[if(and(less(1, 2), greaterOrEquals(2, 2)), 'yes', 'no')]", "yes"),
        ("[startsWith('Abc', 'aB')]", True),
        ("[endsWith('abC', 'BC')]", True),
        ("[indexOf('abcABC', 'C')]", 2),
        ("[lastIndexOf('abcabc', 'C')]", 5),
        ("[substring('abc', 1)]", "bc"),
        ("[substring('abc', 1, 1)]", "b"),
        ("[padLeft(7, 3, '0')]", "007"),
        ("[base64ToString('cGVt')]", "pem"),
        ("[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'x')]",
         f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/x"),
        ("[resourceGroup().name]", "myResourceGroup"),
        ("[resourceGroup().id]", IN_GROUP),
        ("[subscription().subscriptionId]", SUBSCRIPTION),
        ("[tryGet(resourceGroup(), 'Name')]", "myResourceGroup"),
        ("[variables('around').rg.name]", "myResourceGroup"),
        ("[resourceId('Microsoft.Network/virtualNetworks/subnets', 'net', 'aci')]",
         f"{IN_GROUP}/providers/Microsoft.Network/virtualNetworks/net/subnets/aci"),
        ("[resourceId('Microsoft.ManagedIdentity/userAssignedIdentities/', 'puller')]",
         f"{IN_GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/puller"),
        ("[resourceId('other', 'Microsoft.Storage/storageAccounts', 'files')]",
         f"/subscriptions/{SUBSCRIPTION}/resourceGroups/other/providers/Microsoft.Storage/storageAccounts/files"),
        ("[resourceId('00000000-0000-0000-0000-000000000009', 'other', 'Microsoft.Storage/storageAccounts', 'files')]",
         "/subscriptions/00000000-0000-0000-0000-000000000009/resourceGroups/other/providers/Microsoft.Storage/storageAccounts/files"),
        ("[parameters('hidden')]", "${{ keyvault:db }}"),
        ("[concat('Server=x;Password=', parameters('hidden'))]", "Server=x;Password=${{ keyvault:db }}"),
        ("[format('{0};{1}', parameters('hidden'), 'a')]", "${{ keyvault:db }};a"),
        ("[if(true(), parameters('hidden'), '')]", "${{ keyvault:db }}"),
        ("[concat('debug=', false())]", "debug=False"),
        ("[string(true())]", "True"),
        ("[toLower(format('{0}', equals(1, 1)))]", "true"),
        ("[bool(0)]", False),
        ("[split('a,b;c', createArray(',', ';'))]", ["a", "b", "c"]),
        ("[equals(createArray('a', createObject('x', 1, 'y', null())), createArray('a', createObject('y', null(), 'x', 1)))]", True),
        ("[equals(parameters('list'), createArray('x'))]", False),
        ("[if(empty(parameters('hidden')), 'none', parameters('hidden'))]", "${{ keyvault:db }}"),
        ("[if(equals(parameters('hidden'), ''), 'none', 'some')]", "some"),
        ("[equals(null(), parameters('hidden'))]", False),
        ("[coalesce(parameters('text'), resourceGroup().location)]", "a"),
        ("[or(true(), utcNow())]", True),
        ("[and(false(), reference('x'))]", False),
        ("[map(parameters('list'), lambda('x', concat(lambdaVariables('X'), '!')))]", ["x!", "y!"]),
        ("[map(parameters('list'), lambda('x', 'at', format('{0}{1}', lambdaVariables('x'), lambdaVariables('at'))))]", ["x0", "y1"]),
        ("[map(range(1, 2), lambda('a', map(range(1, 2), lambda('b', mul(lambdaVariables('a'), lambdaVariables('b'))))))]", [[1, 2], [2, 4]]),
        ("[filter(createArray(1, 2, 3), lambda('x', greater(lambdaVariables('x'), 1)))]", [2, 3]),
        ("[filter(createArray(createObject('n', 'A', 'v', parameters('hidden'))), lambda('e', not(empty(lambdaVariables('e').v))))]",
         [{"n": "A", "v": "${{ keyvault:db }}"}]),
        ("[reduce(createArray(1, 2, 3), 0, lambda('sum', 'x', add(lambdaVariables('sum'), lambdaVariables('x'))))]", 6),
        ("[reduce(map(parameters('list'), lambda('i', createObject(format('{0}', lambdaVariables('i')), createObject()))), createObject(), lambda('c', 'n', union(lambdaVariables('c'), lambdaVariables('n'))))]",
         {"x": {}, "y": {}}),
        ("[sort(createArray(3, 1, 2, 1), lambda('a', 'b', less(lambdaVariables('a'), lambdaVariables('b'))))]", [1, 1, 2, 3]),
        ("[toObject(parameters('list'), lambda('x', lambdaVariables('x')), lambda('x', length(lambdaVariables('x'))))]", {"x": 1, "y": 1}),
        ("[toObject(parameters('list'), lambda('x', toUpper(lambdaVariables('x'))))]", {"X": "x", "Y": "y"}),
        ("[mapValues(createObject('a', 1), lambda('v', add(lambdaVariables('v'), 1)))]", {"a": 2}),
        (
            "[groupBy(createArray('ab', 'b', 'ac'), lambda('x', substring(lambdaVariables('x'), 0, 1)))]",
            {"a": ["ab", "ac"], "b": ["b"]},
        ),
        ("[uri('http://contoso.org/firstpath', 'myscript.sh')]", "http://contoso.org/myscript.sh"),
        ("[uri('http://contoso.org/firstpath/', 'myscript.sh')]", "http://contoso.org/firstpath/myscript.sh"),
        ("[uri('http://contoso.org/firstpath/', '/myscript.sh')]", "http://contoso.org/firstpath/myscript.sh"),
        ("[uri('http://contoso.org/a/azuredeploy.json', 'b/x.sh')]", "http://contoso.org/a/b/x.sh"),
        ("[uri('http://contoso.org/a/azuredeploy.json/', 'x.sh')]", "http://contoso.org/a/azuredeploy.json/x.sh"),
        ("[uri('https://contoso.org:8443', 'x')]", "https://contoso.org:8443/x"),
        ("[uriComponent('http://contoso.com/a b?c=d&e')]", "http%3A%2F%2Fcontoso.com%2Fa%20b%3Fc%3Dd%26e"),
        ("[uriComponentToString(uriComponent('http://contoso.com/a b'))]", "http://contoso.com/a b"),
        ("[dataUri('Hello')]", "data:text/plain;charset=utf8;base64,SGVsbG8="),
        ("[dataUriToString('data:text/plain;charset=utf8;base64,SGVsbG8=')]", "Hello"),
        ("[base64ToJson(base64('[1, true]'))]", [1, True]),
        ("[cidrSubnet('10.144.0.0/20', 24, 4)]", "10.144.4.0/24"),
        ("[cidrSubnet('fdad:3236:5555::/48', 52, 1)]", "fdad:3236:5555:1000::/52"),
        ("[cidrHost('10.144.3.0/24', 0)]", "10.144.3.1"),
        ("[cidrHost('10.144.3.0/24', 253)]", "10.144.3.254"),
        ("[cidrHost('fdad:3236:5555:3000::/52', 4)]", "fdad:3236:5555:3000::5"),
        (
            "[parseCidr('10.144.0.0/20')]",
            {"network": "10.144.0.0", "netmask": "255.255.240.0", "broadcast": "10.144.15.255"}
            | {"firstUsable": "10.144.0.1", "lastUsable": "10.144.15.254", "cidr": 20},
        ),
        (
            "[parseCidr('fdad:3236:5555::/48')]",
            {"network": "fdad:3236:5555::", "netmask": "ffff:ffff:ffff::", "firstUsable": "fdad:3236:5555::"}
            | {"lastUsable": "fdad:3236:5555:ffff:ffff:ffff:ffff:ffff", "cidr": 48},
        ),
        ("[dateTimeFromEpoch(1683040573)]", "2023-05-02T15:16:13Z"),
        ("[dateTimeToEpoch('2023-05-02T15:16:13Z')]", 1683040573),
        ("[flatten(createArray(createArray(1), createArray(2, parameters('hidden'))))]", [1, 2, "${{ keyvault:db }}"]),
        ("[indexFromEnd(createArray(1, 2, 3), 1)]", 3),
        ("[coalesce(tryIndexFromEnd(createArray(1), 2), 'none')]", "none"),
        ("[intersection(createArray('a', 'b', 'c'), createArray('c', 'a'), createArray('a', 'c', 'd'))]", ["a", "c"]),
        ("[objectKeys(createObject('a', parameters('hidden'), 'b', 1))]", ["a", "b"]),
        ("[shallowMerge(createArray(createObject('a', createObject('x', 1)), createObject('a', createObject('y', 2))))]", {"a": {"y": 2}}),
        ("[contoso.greet('Ann')]", "Hello, Ann"),
        ("[CONTOSO.Twice(parameters('text'))]", ["Hello, a", "Hello, a"]),
        ("[contoso.greet(parameters('hidden'))]", "Hello, ${{ keyvault:db }}"),
        ("[extensionResourceId(resourceGroup().id, 'Microsoft.ManagedIdentity/userAssignedIdentities', 'puller')]",
         f"{IN_GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/puller"),
        ("[tenantResourceId('Microsoft.Authorization/roleDefinitions', 'x')]", "/providers/Microsoft.Authorization/roleDefinitions/x"),
    ],
)  # fmt: skip
def test_an_expression_has_the_value_that_arm_gives_it(written: str, meant: Any) -> None:
    declared = {
        "text": {"type": "string", "defaultValue": "a", "allowedValues": ["a", "c"]},
        "other": {"type": "String", "defaultValue": "[concat(parameters('text'), '-b')]"},
        "number": {"type": "int", "defaultValue": 7},
        "list": {"type": "array", "defaultValue": ["x", "y"]},
        "some": {"type": "array", "defaultValue": ["y"], "allowedValues": ["x", "y", "z"]},
        "object": {"type": "object", "defaultValue": {"deep": {"er": "z"}}},
        "hidden": {"type": "securestring", "defaultValue": "${{ keyvault:db }}"},
        "unused": {"type": "string", "defaultValue": "[newGuid()]"},
    }
    variables = {
        "first": "[concat(parameters('text'), '/v')]",
        "second": {"inner": ["[concat(variables('first'), '!')]"]},
        "unused": "[reference('x')]",
        "around": {"rg": "[resourceGroup()]"},
    }
    assert value(template(group(written), parameters=declared, variables=variables, functions=FUNCTIONS)) == meant


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("[uniqueString(resourceGroup().id)]", "uniqueString(), which only ARM can evaluate. Write the text that the last"),
        ("[listKeys('x', '2019-06-01').keys[0].value]", "listKeys(), which only ARM can evaluate. Store the secret in Key"),
        ("[listCredentials('x', '2019-06-01').passwords[0].value]", "listCredentials(), which only ARM"),
        ("[reference('x').fqdn]", "reference(), which only ARM"),
        ("[newGuid()]", "newGuid(), which only ARM"),
        ("[utcNow()]", "utcNow(), which only ARM"),
        ("[copyIndex()]", "copyIndex() outside of its loop (copy)"),
        ("[copyIndex('env')]", "copyIndex() outside of its loop (copy)"),
        ("[union(createArray('a'), createArray(parameters('hidden')))]", "union() with arguments that rotator"),
        ("[union(createObject('a', 1), createObject('a', null()))]", "union() with arguments that rotator"),
        ("[contains(createArray('a', parameters('hidden')), 'a')]", "contains() with arguments that rotator"),
        ("[length(parameters('hidden'))]", "length() with a placeholder"),
        ("[first(parameters('hidden'))]", "first() with a placeholder"),
        ("[take(parameters('hidden'), 1)]", "take() with a placeholder"),
        ("[tryGet('a', 'b')]", "tryGet() with arguments that rotator"),
        ("[div(1, 0)]", "div() with arguments that rotator"),
        ("[less('a', 'b')]", "less() with arguments that rotator"),
        ("[add('1', 2)]", "add() with arguments that rotator"),
        ("[substring('abc', 1, 5)]", "substring() with arguments that rotator"),
        ("[startsWith('É', 'é')]", "startsWith() with arguments that rotator"),
        ("[items(createObject('a', 1, 'B', 2))]", "items() with arguments that rotator"),
        ("[range(0, 10001)]", "range() with arguments that rotator"),
        ("[deployment().name]", "deployment(), which only ARM"),
        ("[contoso.nothing('x')]", "a function that the template does not define: contoso.nothing"),
        ("[other.greet('x')]", "a function that the template does not define: other.greet"),
        ("[contoso.greet('x', 'y')]", "contoso.greet() with arguments that rotator"),
        ("[contoso.itself()]", "contoso.itself() with arguments that rotator"),
        *(
            (f"[{each}]", f"{each.partition('(')[0]}() with arguments that rotator")
            for each in (
                *("uri('http://contoso.org/a', '/b')", "uri('http://contoso.org/a/', '../b')", "uri('ftp://a.b/', 'c')"),
                *("uri('http://Contoso.org/', 'c')", "uri('http://contoso.org:80/', 'c')", "uri('http://a.b/', 'c?d=e')"),
                *("uri('http://a.b/', '')", "uri('a', 'b')", "uri('http://a.b/c d/', 'e')", "uriComponent('it(s)')"),
                *("uriComponentToString('a+b')", "uriComponentToString('%ff')", "dataUriToString('data:,a')"),
                *("base64ToJson('e30')", "cidrSubnet('10.144.0.0/20', 19, 0)", "cidrSubnet('10.144.0.0/20', 24, 16)"),
                *("cidrSubnet('10.144.0.1/20', 24, 0)", "cidrSubnet('10.144.0.0/20', 33, 0)", "cidrHost('10.0.0.0/24', 254)"),
                *("cidrHost('10.0.0.0/31', 0)", "cidrHost('10.0.0.0/24', -1)", "cidrHost('10.0.0.0', 0)", "parseCidr('x')"),
                *("parseCidr('10.0.0.0/255.255.255.0')", "parseCidr('::ffff:0:0/96')", "parseCidr('::/64')"),
                *("dateTimeToEpoch('2023-05-02 15:16:13Z')", "dateTimeFromEpoch('1')", "dateTimeFromEpoch(-1)"),
                "groupBy(createArray('a', 'A'), lambda('x', lambdaVariables('x')))",
                "groupBy(createArray(parameters('hidden')), lambda('x', lambdaVariables('x')))",
            )
        ),
        *((f"[{each}(parameters('hidden'))]", f"{each}() with a placeholder") for each in ("uriComponent", "dataUri")),
        ("[uri(parameters('hidden'), 'x')]", "uri() with a placeholder"),
        ("[dateTimeAdd('2023-01-01 00:00:00Z', 'P1Y')]", "dateTimeAdd(), which only ARM can evaluate. Write its"),
        ("[guid('x')]", "guid(), which only ARM can evaluate. Write the text that the last"),
        ("[filter(createArray(1), lambda('x', 'yes'))]", "filter() with arguments that rotator"),
        ("[map('abc', lambda('x', 1))]", "map() with arguments that rotator"),
        ("[map(createArray(1), lambda('x', 'y', 'z', 1))]", "map() with arguments that rotator"),
        ("[map(createArray(1), 2)]", "map() with arguments that rotator"),
        ("[lambdaVariables('x')]", "lambdaVariables() with arguments that rotator"),
        ("[lambda('x', 1)]", "lambda(), which only ARM"),
        ("[sort(createArray(2, 1), lambda('a', 'b', true()))]", "sort() with arguments that rotator"),
        ("[toObject(createArray('a', 'A'), lambda('x', lambdaVariables('x')))]", "toObject() with arguments that rotator"),
        ("[toObject(createArray(parameters('hidden')), lambda('x', lambdaVariables('x')))]", "toObject() with arguments"),
        ("[filter(createArray(parameters('hidden')), lambda('x', startsWith(lambdaVariables('x'), 'a')))]", "startsWith() with a placeholder"),
        ("[map(range(0, 9999), lambda('x', map(range(0, 9999), lambda('y', 1))))]", "a result that is too large"),
        ("[equals(parameters('hidden'), 'x')]", "equals() with a placeholder"),
        ("[equals(createObject('a', 1), createObject('A', 1))]", "equals() with arguments that rotator"),
        ("[equals(json('1.0'), 1)]", "equals() with arguments that rotator"),
        ("[or(false(), 'x')]", "or() with arguments that rotator"),
        ("[and(true())]", "and() with arguments that rotator"),
        ("[bool(2)]", "bool() with arguments that rotator"),
        ("[split('a', createArray('bc'))]", "split() with arguments that rotator"),
        ("[indexFromEnd(createArray(1), 2)]", "indexFromEnd() with arguments that rotator"),
        ("[shallowMerge(createArray(createObject('a', 1), createObject('A', 2)))]", "shallowMerge() with arguments"),
        ("[flatten(createArray('a'))]", "flatten() with arguments that rotator"),
        ("[extensionResourceId('x', 'a/b', 'c')]", "extensionResourceId() with arguments that rotator"),
        ("[resourceGroup().location]", "resourceGroup().location, which only ARM knows. Say in the policy where the resource group is"),
        ("[resourceGroup().tags.a]", "resourceGroup().tags, which only ARM knows"),
        ("[resourceGroup()]", "all of resourceGroup(), which only ARM knows"),
        ("[createArray(createObject('a', subscription()))]", "all of subscription(), which only ARM knows"),
        ("[contains(resourceGroup(), 'tags')]", "contains() with all of resourceGroup(), which only ARM"),
        ("[length(createArray(resourceGroup()))]", "length() with all of resourceGroup(), which only ARM"),
        ("[tryGet(resourceGroup(), 'tags')]", "a property of resourceGroup(), which only ARM knows"),
        ("[coalesce(tryGet(resourceGroup(), 'tags', 'a'), 'x')]", "a property of resourceGroup(), which only ARM"),
        ("[union(resourceGroup(), createObject('a', 1))]", "union() with all of resourceGroup(), which only ARM"),
        ("[environment().suffixes.storage]", "environment().suffixes, which only ARM knows"),
        ("[parameters('nowhere')]", "a parameter that the template does not define: nowhere"),
        ("[variables('nowhere')]", "a variable that the template does not define: nowhere"),
        ("[parameters('given').nowhere]", "a property or element that does not exist"),
        ("[createArray('a')[7]]", "a property or element that does not exist"),
        ("[parameters('given'", None),
        ("[parameters('given') 'x']", "not a valid ARM expression"),
        ("[parameters]", "not a valid ARM expression"),
        ("['a' + 'b']", "not a valid ARM expression"),
        ("[concat('a',]", "not a valid ARM expression"),
        ("['a]", "not a valid ARM expression"),
        ("[]", "not a valid ARM expression"),
        ("[" + "concat(" * 60 + "'a'" + ")" * 60 + "]", "too many nested calls"),
        ("[concat('" + "a" * 25_000 + "')]", "an expression of more than 24576 characters"),
        ("[string(createArray(json('1.50')))]", "string() with arguments that rotator"),
        ("[string(createArray(json('\"\\u2028\"')))]", "string() with arguments that rotator"),
        ("[format('{0:N2}', 1)]", "format() with arguments that rotator"),
        ("[format('{3}', 1)]", "format() with arguments that rotator"),
        ("[toLower('\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}')]", "toLower() with arguments that rotator"),
        ("[if('x', 'a', 'b')]", "if() with arguments that rotator"),
        ("[json('nonsense')]", "json() with arguments that rotator"),
        ("[json('NaN')]", "json() with arguments that rotator"),
        ("[resourceId('Microsoft.Network/virtualNetworks/subnets', 'net')]", "resourceId() with arguments that rotator"),
        ("[resourceId('a', 'b')]", "resourceId() with arguments that rotator"),
        ("[union(createObject('a', 1), createObject('A', 2))]", "union() with arguments that rotator"),
        ("[replace('a', '', 'b')]", "replace() with arguments that rotator"),
        ("[toLower(parameters('hidden'))]", "toLower() with a placeholder"),
        ("[base64(parameters('hidden'))]", "base64() with a placeholder"),
        ("[format('${{ keyvault:x }}{0}', 'a')]", "format() with a placeholder in its pattern"),
        ("${{ keyvault:not_a_name }}", "not a known placeholder"),
    ],
)  # fmt: skip
def test_what_is_not_evaluated_is_refused_by_name_at_its_place(written: str, word: str | None) -> None:
    declared = {
        "given": {"type": "object", "defaultValue": {}},
        "hidden": {"type": "string", "defaultValue": "${{ keyvault:db }}"},
    }
    made = template(group(written), parameters=declared, functions=FUNCTIONS, variables={"v": "x"})
    if word is None:
        assert value(made) == written
        return
    text = refused(made)
    line = next(at for at, one in enumerate(json.dumps(made, indent=1).splitlines(), 1) if json.dumps(written) in one)
    assert text.startswith(f"t.json:{line}:")
    assert word in text, text


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("peeks", "a variable of the template, inside of a function"),
        ("asks", "a parameter that the function does not define: given"),
    ],
)
def test_a_function_of_the_template_sees_its_arguments_alone(name: str, word: str) -> None:
    declared = {"given": {"type": "string", "defaultValue": "x"}}
    made = template(group(f"[contoso.{name}()]"), parameters=declared, functions=FUNCTIONS, variables={"v": "x"})
    assert f": functions[0].members.{name}.output.value: {word}" in refused(made)


@pytest.mark.parametrize("seed", [*range(25), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(25, 400))])
def test_a_template_of_generated_expressions_means_the_group_that_it_was_made_from(seed: int) -> None:
    drawn = Drawn(f"expressions/{seed}")
    author = Author(drawn)
    texts = drawn.sample([*(one for one in SCALARS if one not in NULLS), "[x]", "[[x]]", "it's", "{0}", "a|b", ""], 3)
    made = group(texts[0])
    properties = made["properties"]["containers"][0]["properties"]
    properties |= {"command": texts, "resources": {"requests": {"cpu": 1.5, "memoryInGB": 2}}}
    properties["environmentVariables"].append({"name": "S", "secureValue": "a=${{ keyvault:db }};"})
    made |= {"tags": {"team": texts[1]}, "identity": {"type": "SystemAssigned"}}
    resource = {name: value if name == "type" else author.written(value) for name, value in made.items()}
    assert read(author.template(resource), author.given) == (made, [])


def test_an_expression_behind_a_name_is_refused_where_it_stands_and_once() -> None:
    made = template(
        group(["[variables('a')]", "[variables('a')]"], location="[parameters('where')]"),
        parameters={"where": {"type": "string", "defaultValue": "[resourceGroup().location]"}},
        variables={"a": {"b": "[uniqueString('x')]"}},
    )
    body, mistakes = read(made)
    assert body is None
    assert [one.split(": ")[1] for one in mistakes] == ["parameters.where.defaultValue", "variables.a.b"]
    body, mistakes = read(made, {"where": {"value": "westeurope"}})
    assert [one.split(": ")[1] for one in mistakes] == ["variables.a.b"]


def test_a_value_that_refers_to_itself_or_grows_without_end_is_refused() -> None:
    assert "refers to itself" in refused(template(group("[variables('a')]"), variables={"a": "[variables('a')]"}))
    grown = {f"v{n}": f"[concat(variables('v{n - 1}'), variables('v{n - 1}'))]" for n in range(1, 40)}
    assert "a result that is too large" in refused(
        template(group("[variables('v39')]"), variables={"v0": "x", **grown})
    )
    grown = {f"v{n}": f"[createArray(variables('v{n - 1}'), variables('v{n - 1}'))]" for n in range(1, 40)}
    assert "a result that is too large" in refused(
        template(group("[variables('v39')]"), variables={"v0": "x", **grown})
    )
    chain = {f"v{n}": f"[variables('v{n - 1}')]" for n in range(1, 200)}
    assert "too many levels of references" in refused(
        template(group("[variables('v199')]"), variables={"v0": "x", **chain})
    )
    for n in range(1, 39):
        chain[f"v{n}"] = json.loads('{"a":' * 50 + f"\"[variables('v{n - 1}')]\"" + "}" * 50)
    assert "nested too deeply" in refused(template(group("[variables('v38')]"), variables={"v0": "x", **chain}))


def test_parameters_come_from_the_file_then_from_their_defaults() -> None:
    declared = {
        "a": {"type": "string", "defaultValue": "default"},
        "b": {"type": "string"},
        "c": {"type": "int", "nullable": True},
    }
    made = template(group("[concat(parameters('a'), parameters('b'))]"), parameters=declared)
    assert value(made, {"B": {"value": "[literal]"}}) == "default[literal]"
    assert value(made, {"A": {"value": "1"}, "b": {"value": "2"}}) == "12"
    assert refused(made).startswith(
        "t.json:9:8: parameters.b: parameter b has no value. Give it a defaultValue, or name a parameters file"
    )
    assert value(template(group("[coalesce(parameters('c'), 'none')]"), parameters=declared)) == "none"


def looped(*loops: Any, **variables: Any) -> dict[str, Any]:
    """Return a template whose only container has properties made by loops."""
    made = group()
    made["properties"]["containers"][0]["properties"] = {"image": "a.azurecr.io/web:1", "copy": list(loops)}
    given = [{"name": "A", "value": "1"}, {"name": "B", "secureValue": "${{ keyvault:db }}"}]
    declared = {"env": {"type": "array", "defaultValue": given}, "none": {"type": "array", "defaultValue": []}}
    return template(made, parameters=declared, variables=variables)


def made_by(document: Any) -> dict[str, Any]:
    body, mistakes = read(document)
    assert mistakes == []
    assert body
    found: dict[str, Any] = body["properties"]["containers"][0]["properties"]
    return {name: value for name, value in found.items() if name != "image"}


ENTRY = "parameters('env')[copyIndex('environmentVariables')]"


@pytest.mark.parametrize(
    ("loops", "variables", "expected"),
    [
        ([{"name": "ports", "count": 2, "input": {"port": "[add(8080, copyIndex('ports'))]"}}], {}, {"ports": [{"port": 8080}, {"port": 8081}]}),
        ([{"name": "command", "count": 2, "input": "[format('v{0}', copyIndex('COMMAND', 1))]"}], {}, {"command": ["v1", "v2"]}),
        ([{"name": "command", "count": 0, "input": "[newGuid()]"}], {}, {"command": []}),
        ([{"name": "command", "count": "[length(parameters('none'))]", "input": "x"}], {}, {"command": []}),
        ([{"name": "ports", "count": 1, "input": {"port": 1}}, {"name": "command", "count": 1, "input": "[[x]"}], {}, {"ports": [{"port": 1}], "command": ["[x]"]}),
        (
            [{"name": "environmentVariables", "count": "[length(parameters('env'))]", "input": {
                "name": f"[{ENTRY}.name]", "value": f"[tryGet({ENTRY}, 'value')]", "secureValue": f"[tryGet({ENTRY}, 'secureValue')]"}}],
            {},
            {"environmentVariables": [
                {"name": "A", "value": "1", "secureValue": None}, {"name": "B", "value": None, "secureValue": "${{ keyvault:db }}"}]},
        ),
        (
            [{"name": "command", "count": 2, "input": {"copy": [{"name": "x", "count": 2, "input": "[add(mul(2, copyIndex('command')), copyIndex('x'))]"}]}}],
            {},
            {"command": [{"x": [0, 1]}, {"x": [2, 3]}]},
        ),
        (
            [{"name": "command", "count": 2, "input": "[variables('names')[copyIndex('command')]]"}],
            {"copy": [{"name": "other", "count": 1, "input": 1}, {"name": "NAMES", "count": 2, "input": "[concat('n', copyIndex('names'))]"}]},
            {"command": ["n0", "n1"]},
        ),
    ],
)  # fmt: skip
def test_loops_make_their_entries(loops: list[Any], variables: dict[str, Any], expected: dict[str, Any]) -> None:
    assert made_by(looped(*loops, **variables)) == expected


@pytest.mark.parametrize(
    ("loop", "word"),
    [
        ({"name": "command", "count": 801, "input": 1}, "a loop (copy) whose count isn't one of 0 to 800"),
        ({"name": "command", "count": -1, "input": 1}, "a loop (copy) whose count"),
        ({"name": "command", "count": "2", "input": 1}, "a loop (copy) whose count"),
        ({"name": "command", "count": True, "input": 1}, "a loop (copy) whose count"),
        ({"name": "command", "count": "[length(reference('x'))]", "input": 1}, "reference(), which only ARM"),
        ({"name": "command", "count": 2}, "a loop (copy) that can't be read"),
        ({"count": 2, "input": 1}, "a loop (copy) that can't be read"),
        ({"name": "[concat('a')]", "count": 2, "input": 1}, "a loop (copy) that can't be read"),
        ("x", "a loop (copy) that"),
        ({"name": "command", "count": 2, "input": "[uniqueString('x')]"}, "uniqueString(), which only ARM"),
        ({"name": "command", "count": 2, "input": "[copyIndex('other')]"}, "copyIndex() outside of its loop (copy)"),
        ({"name": "command", "count": 2, "input": "[variables('inner')]"}, "copyIndex() outside of its loop (copy)"),
        ({"name": "a", "count": 2, "input": {"copy": [{"name": "A", "count": 2, "input": 1}]}}, "a loop (copy) that can't be read"),
        ({"name": "a", "count": 800, "input": {"copy": [{"name": "b", "count": 800, "input": {"copy": [{"name": "c", "count": 800, "input": 1}]}}]}}, "a result that is too large"),
    ],
)  # fmt: skip
def test_a_loop_that_is_not_read_is_refused_once_at_its_place(loop: Any, word: str) -> None:
    mistake = refused(looped(loop, inner="[copyIndex('command')]"))
    assert "copy[0]" in mistake or "variables.inner" in mistake, mistake
    assert word in mistake, mistake


@pytest.mark.parametrize(
    ("declared", "given", "word"),
    [
        ({"type": "string"}, {"value": 1}, "p.json:4:13: parameters.p.value: not a value of type string"),
        ({"type": "int"}, {"value": "1"}, "not a value of type int"),
        ({"type": "int"}, {"value": True}, "not a value of type int"),
        ({"type": "bool"}, {"value": 1}, "not a value of type bool"),
        ({"type": "array"}, {"value": {}}, "not a value of type array"),
        ({"type": "object"}, {"value": []}, "not a value of type object"),
        ({"type": "string", "allowedValues": ["a"]}, {"value": "b"}, "not one of the allowedValues"),
        ({"type": "array", "allowedValues": ["a", "b"]}, {"value": ["b", "c"]}, "not one of the allowedValues"),
        (
            {"type": "securestring"},
            {"value": "hunter2"},
            "a secret in plain text. Store it in Key Vault, and write ${{",
        ),
        (
            {"type": "SecureString", "defaultValue": "hunter2"},
            None,
            "t.json:7:20: parameters.p.defaultValue: a secret in plain text",
        ),
        ({"type": "secureObject"}, {"value": {"a": {"b": "hunter2"}}}, "a secret in plain text"),
        ({"type": "securestring", "defaultValue": "[newGuid()]"}, None, "newGuid(), which only ARM"),
        ({"type": "securestring"}, None, "parameter p has no value"),
        (
            {"type": "securestring"},
            {"reference": {"keyVault": {"id": "/x"}, "secretName": "db-password"}},
            'p.json:3:8: parameters.p: a reference to a vault that isn\'t the policy\'s, which only ARM can resolve. Write `"value": "${{ keyvault:db-password }}"`',
        ),
        ({"type": "string"}, {}, "not a value of type string"),
    ],
)
def test_a_value_that_arm_would_refuse_or_a_secret_in_plain_text_is_refused(
    declared: Any, given: Any, word: str
) -> None:
    text = refused(
        template(group("[parameters('p')]"), parameters={"p": declared}),
        None if given is None else {"p": given},
    )
    assert word in text, text
    assert "hunter2" not in text


@pytest.mark.parametrize("kind", ["securestring", "secureObject"])
def test_a_secure_parameter_may_be_a_placeholder_or_nothing(kind: str) -> None:
    for text in ("${{ keyvault:db }}", "a ${{ credential:password }}", ""):
        given = text if kind == "securestring" else {"a": text}
        made = template(
            group(f"[parameters('p'){'' if kind == 'securestring' else '.a'}]"), parameters={"p": {"type": kind}}
        )
        assert value(made, {"p": {"value": given}}) == text


def test_a_parameters_file_names_only_parameters_of_the_template() -> None:
    assert refused(template(group()), {"nowhere": {"value": 1}}).startswith(
        "p.json:3:3: parameters.nowhere: a parameter that the template does not define"
    )
    found = Read.of(
        json.dumps(template(group(location="[parameters('where')]"), parameters={"where": {"type": "string"}})),
        "t.json",
    )
    bare = '{"where":\n{"value": "eu"}}'
    made, _ = found.manifest(ArmId(group_id("web")), parameters(bare, "p.json"))
    assert made and made.document["location"] == "eu"
    _, (mistake,) = found.manifest(ArmId(group_id("web")), parameters(bare.replace('"eu"', "1"), "p.json"))
    assert str(mistake).startswith("p.json:2:11: parameters.where.value: not a value of type string")
    _, (mistake, *_) = found.manifest(ArmId(group_id("web")), parameters('{"x": 1}', "p.json"))
    assert "not a parameters file" in str(mistake)


def test_symbolic_names_make_resources_an_object() -> None:
    made = {"languageVersion": "2.0", "contentVersion": "1.0.0.0", "resources": {
        "net": {"existing": True, "type": "Microsoft.Network/virtualNetworks", "name": "net"},
        "other": {"existing": True, **group("other", name="other")},
        "aci": group('[["https://contoso.com"]'),
    }}  # fmt: skip
    assert value(made) == '["https://contoso.com"]'
    changed = json.dumps(made).replace("westeurope", "[resourceGroup().location]")
    assert refused(changed).split(": ")[1] == "resources.aci.location"


def test_of_several_groups_the_one_that_the_policy_names_is_meant() -> None:
    made = template(
        group("one", name="[concat(parameters('p'), '-one')]"), group("two", name="[toUpper('web')]"), group("three", name="[uniqueString('x')]"),
        parameters={"p": {"type": "string", "defaultValue": "web"}},
    )  # fmt: skip
    assert value(made) == "two"
    assert read(made, name="web-one")[0]
    _, (mistake,) = read(made, name="else")
    assert "several container groups, but none is named else: web-one, WEB, *" in mistake
    _, (mistake,) = read(template(group()), name="else")
    assert "not the name of the group in the policy, which is else" in mistake


@pytest.mark.parametrize(
    ("name", "fits", "strange"),
    [
        ("[concat('web-', uniqueString(resourceGroup().id))]", "web-x7f3", "api-x7f3"),
        ("[format('{0}-web-{1}', substring(newGuid(), 0, 4), parameters('e'))]", "1234-web-prod", "1234-web-test"),
        ("[variables('named')]", "Web-x-prod", "web-x-test"),
        ("[toLower(concat('ACI', guid('x')))]", "anything", None),
        ("[concat(deployment().name, '-aci')]", "monday-aci", "monday"),
        ("[if(equals(utcNow('yyyy'), '2026'), 'a', 'b')]", None, None),
    ],
)
def test_the_policy_says_a_name_of_which_only_arm_knows_a_part(
    name: str, fits: str | None, strange: str | None
) -> None:
    declared = {"e": {"type": "string", "defaultValue": "prod"}}
    named = {"named": "[format('web-{0}-{1}', uniqueString('x'), parameters('e'))]"}
    made = template(group(name=name), parameters=declared, variables=named)
    if fits is None:
        assert "resources[0].name: " in refused(made)
        return
    body, mistakes = read(made, name=fits)
    assert mistakes == [] and body and "name" not in body
    pair = template(
        group("api", name="[concat('db-', uniqueString('x'))]"),
        group(name=name),
        parameters=declared,
        variables=named,
    )
    if strange is None:
        assert "none is named" in read(pair, name=fits)[1][0]
        return
    assert (read(pair, name=fits)[0] or {}) == body
    _, (mistake,) = read(made, name=strange)
    assert f"not the name of the group in the policy, which is {strange}: it is " in mistake
    assert "none is named" in read(pair, name=strange)[1][0]


def test_a_template_without_a_group_says_so() -> None:
    assert "no container group in this template" in refused(template())
    assert "no container group in this template" in refused(template({"type": "Microsoft.Network/virtualNetworks"}))


def test_words_that_are_only_for_arm_are_read_and_left_out() -> None:
    made = group(
        dependsOn=["[resourceId('a/b', uniqueString('c'))]"],
        comments="[newGuid()]",
        metadata={},
        condition="[equals('a', 'a')]",
    )
    made["identity"] = {
        "type": "UserAssigned",
        "userAssignedIdentities": {"[resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'puller')]": {}},
    }
    made["zones"] = ["1"]
    body, mistakes = read(template(made))
    assert mistakes == []
    assert body
    assert set(body) == {"type", "apiVersion", "name", "location", "properties", "identity", "zones"}
    assert list(body["identity"]["userAssignedIdentities"]) == [
        f"{IN_GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/puller"
    ]


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"condition": False}, "condition: a condition that is not true"),
        ({"condition": "[equals('a', 'b')]"}, "condition: a condition that is not true"),
        ({"copy": {"name": "c", "count": 2}}, "several container groups are named web"),
        ({"copy": {"name": "c", "count": 0}}, "no container group in this template"),
        ({"copy": {"name": "c", "count": 801}}, "resources[0].copy: a loop (copy) whose count isn't one of 0 to 800"),
        ({"copy": {"name": "c", "count": "[length(reference('x'))]"}}, "resources[0].copy.count: reference(), which only ARM"),
        ({"copy": {"count": 2}}, "resources[0].copy: a loop (copy) that can't be read"),
        ({"copy": "x"}, "a loop (copy) that can't be read"),
        ({"condition": "[reference('x')]"}, "condition: reference(), which only ARM"),
        ({"tags": {"a": 1}}, "tags.a: not a text, as the value of a tag is"),
        ({"tags": {"a": None}}, "tags.a: not a text"),
        ({"sku": "Standard"}, "at the wrong level: sku belongs under properties"),
        ({"imageRegistryCredentials": [{}]}, "at the wrong level: imageRegistryCredentials belongs under properties"),
        ({"scope": "x"}, "not a property of a container group"),
        ({"location": None}, "no location"),
        ({"properties": {"containers": []}}, "no containers"),
    ],
)  # fmt: skip
def test_what_would_not_be_deployed_so_is_refused(more: dict[str, Any], word: str) -> None:
    assert word in refused(template(group(**more)))


def test_json_is_read_with_the_comments_that_arm_allows() -> None:
    text = json.dumps(template(group("a // b")), indent="\t")
    text = "// head\n/* and\n more */ " + text.replace('"resources"', '/* here */ "resources"').replace(
        "\n", " // end\n", 3
    )
    assert value(text) == "a // b"
    broken = text.replace('"westeurope"', '"[nonsense"').replace('"Linux"', "Linux")
    mistake = refused(broken)
    assert mistake.startswith("t.json:13:15:") and "neither a valid number nor a text in quotes" in mistake
    for ending in ('"open', "{", "[,"):
        assert Read.of(text + ending, "t.json").mistakes
    for many in ("/*" * 30_000, '"' * 30_001, '\\"' * 30_000, "//" * 30_000):
        assert Read.of('{"$schema":' + many, "t.json").mistakes


@pytest.mark.parametrize("number", ["1e3", "-2.5E-1", "0.5", "12", "0"])
def test_numbers_are_those_of_json(number: str) -> None:
    assert value(json.dumps(template(group("NUMBER"))).replace('"NUMBER"', number)) == json.loads(number)


@pytest.mark.parametrize("number", ["012", "1_000", "1:30", ".inf", "NaN", "yes", "1e999", "~", "0x10", "2024-01-17"])
def test_what_json_does_not_have_is_refused(number: str) -> None:
    assert "neither a valid number nor" in refused(json.dumps(template(group("N"))).replace('"N"', number))


def test_one_resource_may_have_comments_but_no_expressions() -> None:
    text = json.dumps(group(), indent=1)
    body, mistakes = read("// one\n" + text)
    assert (body and body["name"], mistakes) == ("web", [])
    body, (mistake,) = read(text.replace('"x"', "\"[parameters('x')]\""))
    assert (
        mistake.startswith("t.json:16:17: ")
        and "an expression of an ARM template, in a file that is not a template" in mistake
    )
    assert read(text.replace('"x"', '"[[a-z](b)]"'))[1] == []
    assert "not JSON" in read(text + "{")[1][0]


def written(directory: Path, line: str, **files: Any) -> str:
    """Return the mistakes of a policy whose group has the line, or else the location in its manifest."""
    (directory / "a.yaml").write_text(f"{MINIMAL}container_groups: [{{id: {IN_POLICY}, {line}}}]\n")
    for name, content in files.items():
        (directory / name.replace("__", ".")).write_text(content if isinstance(content, str) else json.dumps(content))
    try:
        (policy,) = load(directory)
    except PolicyError as error:
        return "\n".join(map(str, error.mistakes))
    manifest = policy.container_groups[0].manifest
    assert manifest
    return str(manifest.document["location"])


def test_a_policy_says_the_region_of_a_resource_group(tmp_path: Path) -> None:
    place = "[concat(resourceGroup().location, environment().suffixes.acrLoginServer)]"
    made = template(group(name="mycontainer", location="[parameters('where')]"), parameters={"where": {"type": "string", "defaultValue": place}})  # fmt: skip
    files = {"t__json": made, "y__json": group(name="mycontainer", location=None)}
    assert written(tmp_path, "manifest: {file: t.json, location: North Europe}", **files) == "northeurope.azurecr.io"
    assert written(tmp_path, "manifest: {file: y.json, location: North Europe}", **files) == "northeurope"
    assert "no location" in written(tmp_path, "manifest: {file: y.json}", **files)
    assert "a.yaml:4" in (said := written(tmp_path, "manifest: {file: t.json, location: [eu]}", **files))
    assert "not a region" in said
    assert "`manifest: {file: NAME.json, location: REGION}`" in written(tmp_path, "manifest: t.json", **files)


def test_a_policy_names_a_template_with_its_parameters(tmp_path: Path) -> None:
    made = template(
        group(name="mycontainer", location="[parameters('where')]"), parameters={"where": {"type": "string"}}
    )
    given = {"parameters": {"where": {"value": "northeurope"}}}
    files = {"t__json": made, "p__json": given}
    assert written(tmp_path, "manifest: {file: t.json, parameters: p.json}", **files) == "northeurope"
    assert "parameter where has no value" in written(tmp_path, "manifest: t.json")
    assert "parameter where has no value" in written(tmp_path, "manifest: {file: t.json}")
    assert "no such file" in written(tmp_path, "manifest: {file: t.json, parameters: q.json}")
    assert "not the name of a file" in written(tmp_path, "manifest: {parameters: p.json}")
    assert "manifest.values: unknown key" in written(tmp_path, "manifest: {file: t.json, values: p.json}")
    assert "only the parameters of an ARM template, without its resources" in written(tmp_path, "manifest: p.json")
    assert "p.json:1:2: not JSON" in written(tmp_path, "manifest: {file: t.json, parameters: p.json}", p__json="{")
    assert "parameter where has no value" in written(
        tmp_path, "manifest: {file: t.json, parameters: r.json}", r__json='{"parameters": {}}'
    )
    plain = group(name="mycontainer")
    assert "parameters for a file that is not an ARM template" in written(
        tmp_path, "manifest: {file: t.json, parameters: p.json}", t__json=plain, p__json=given
    )
    named = "manifest: {file: t.json, parameters: p.bicepparam}"
    assert "Compile it with `az bicep build-params --file" in written(tmp_path, named, p__bicepparam="param x", **files)
    assert "a Bicep file, which isn't read. Compile it with `az bicep build --file" in written(
        tmp_path, "manifest: t.bicep", t__bicep="param x"
    )
