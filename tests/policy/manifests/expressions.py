"""Expressions of ARM templates with known values, generated from a seed."""

import base64
import json
from collections.abc import Callable
from typing import Any

from tests.policy.manifests.corpus import Drawn

TYPES = {str: "string", bool: "bool", int: "int", list: "array", dict: "object"}
TRUE = ("equals('a', 'a')", "not(equals('a', 'A'))", "contains('abc', 'b')", "empty('')", "greater(2, 1)", "bool('TRUE')", "or(true(), newGuid())")  # fmt: skip
DEEPEST, LONGEST = 4, 38
"""Levels of calls around a value, and calls of one expression."""


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def plain(value: Any) -> bool:
    return "${{" not in json.dumps(value)


class Author:
    """Writer of values as in a template; collects their parameters, variables and functions."""

    def __init__(self, drawn: Drawn) -> None:
        self.drawn = drawn
        self.parameters, self.given, self.variables = dict[str, Any](), dict[str, Any](), dict[str, Any]()
        self.members = dict[str, Any]()

    def written(self, value: Any, level: int = 0) -> Any:
        """Return a value of a template that evaluates to `value`."""
        if level < DEEPEST and self.drawn.choice("yn") == "y":
            text = f"[{self.expression(value, level)}]"
            if text.count("(") < LONGEST:
                return text
        if isinstance(value, dict):
            return {name: self.written(item, level + 1) for name, item in value.items()}
        if isinstance(value, list):
            return [self.written(item, level + 1) for item in value]
        return f"[{value}" if isinstance(value, str) and value[:1] == "[" and value[-1:] == "]" else value

    def expression(self, value: Any, level: int) -> str:
        """Return an expression, without brackets, that evaluates to `value`."""
        ways: list[Callable[[Any, Callable[[Any], str]], str]] = [self.literal]
        if level < DEEPEST:
            ways += [self.chosen, self.inside, self.named, self.named]
            kinds: dict[type, list[Any]] = {
                str: [self.texts, self.texts],
                list: [self.lists],
                dict: [self.objects],
                int: [self.numbers],
            }
            ways += kinds.get(type(value), [])
        way = ways[self.index(len(ways))]
        return way(value, lambda part: self.expression(part, level + 1))

    def index(self, size: int) -> int:
        return int(self.drawn.choice([str(at) for at in range(size)]))

    def literal(self, value: Any, of: Callable[[Any], str]) -> str:
        if isinstance(value, str):
            return quoted(value)
        if isinstance(value, list):
            return f"createArray({', '.join(self.literal(one, of) for one in value)})"
        if isinstance(value, dict):
            return (
                f"createObject({', '.join(f'{quoted(name)}, {self.literal(one, of)}' for name, one in value.items())})"
            )
        return f"{json.dumps(value)}()" if isinstance(value, bool) else f"json('{value}')" if isinstance(value, float) else str(value)  # fmt: skip

    def chosen(self, value: Any, of: Callable[[Any], str]) -> str:
        true = self.drawn.choice(TRUE)
        pair = of(value), self.drawn.choice(["reference('x')", "uniqueString('x')", "null()"])
        return f"if({true}, {pair[0]}, {pair[1]})" if self.index(2) else f"IF(not({true}), {pair[1]}, {pair[0]})"

    def inside(self, value: Any, of: Callable[[Any], str]) -> str:
        return (
            f"first(createArray({of(value)}, 1))",
            f"createArray('z', {of(value)})[1]",
            f"createObject('Key', {of(value)}).key",
            f"tryGet(createObject('k', createArray({of(value)})), 'K', 0)",
            f"coalesce(null(), tryGet(null(), 'x'), {of(value)}, newGuid())",
            f"first(map(createArray(1), lambda('i', {of(value)})))",
        )[self.index(6)]

    def named(self, value: Any, of: Callable[[Any], str]) -> str:
        name, kind = f"n{len(self.parameters) + len(self.variables)}", TYPES.get(type(value))
        way = self.index(3)
        if kind is None or way == 0:
            self.variables[name] = None
            self.variables[name] = self.written(value, DEEPEST - 1)
            return f"variables({quoted(name)})"
        self.parameters[name] = {"type": kind if plain(value) or kind != "string" else "securestring"}
        if way == 1:
            self.parameters[name]["defaultValue"] = self.written(value, DEEPEST - 1)
        else:
            self.given[name] = {"value": value}
        return f"Parameters({quoted(name.upper())})"

    def texts(self, value: str, of: Callable[[Any], str]) -> str:
        if not plain(value):
            return f"format('{{0}}{{1}}', {of(value)}, '')" if self.index(2) else f"concat('', {of(value)})"
        at, member = self.index(len(value) + 1), f"f{len(self.members)}"
        ways = (
            f"concat({of(value[:at])}, {of(value[at:])})",
            f"format('{{1}}{{0}}', {of(value[at:])}, {of(value[:at])})",
            f"split({of(f'~|{value}')}, '|')[1]" if "|" not in value else of(value),
            f"substring({of(f'abc{value}')}, 3, {len(value)})",
            f"take({of(f'{value}zz')}, {len(value)})",
            f"replace({of(f'ZQ{value}')}, 'ZQ', '')" if "ZQ" not in value else of(value),
            f"base64ToString('{base64.b64encode(value.encode()).decode()}')",
            f"json({quoted(json.dumps(value))})",
            f"contoso.{member}({of(value[at:])})",
            f"reduce(createArray({of(value[:at])}, {of(value[at:])}), '', lambda('a', 'b', concat(lambdaVariables('a'), lambdaVariables('b'))))",
        )
        way = self.index(len(ways))
        if ways[way].startswith("contoso."):
            output = {"type": "string", "value": f"[concat({quoted(value[:at])}, parameters('rest'))]"}
            self.members[member] = {"parameters": [{"name": "rest", "type": "string"}], "output": output}
        return ways[way]

    def lists(self, value: list[Any], of: Callable[[Any], str]) -> str:
        at = self.index(len(value) + 1)
        return (
            f"concat({of(value[:at])}, {of(value[at:])})",
            f"skip({of(['z', *value])}, 1)",
            f"filter(map({of(value)}, lambda('x', 'i', lambdaVariables('x'))), lambda('x', true()))",
            f"flatten(createArray({of(value[:at])}, {of(value[at:])}))",
        )[self.index(4)]

    def objects(self, value: dict[str, Any], of: Callable[[Any], str]) -> str:
        names = list(value)
        at = self.index(len(names) + 1)
        parts = [{name: value[name] for name in part} for part in (names[:at], names[at:])]
        pairs = [{"k": name, "v": one} for name, one in value.items()]
        return (
            f"union({of(parts[0])}, {of(parts[1])})",
            f"shallowMerge(createArray({of(parts[0])}, {of(parts[1])}))",
            f"toObject({self.literal(pairs, of)}, lambda('e', lambdaVariables('e').k), lambda('e', lambdaVariables('E').v))",
            f"mapValues({of(value)}, lambda('v', lambdaVariables('v')))",
        )[self.index(4)]

    def numbers(self, value: int, of: Callable[[Any], str]) -> str:
        return (f"add({of(value - 1)}, 1)", f"int('{value}')", f"min({value}, {value + 5})")[self.index(3)]

    def template(self, *resources: Any) -> dict[str, Any]:
        """Return a template with the parameters, variables and functions of the values, beside resources that only ARM
        can evaluate.
        """
        other = {"type": "Microsoft.Storage/storageAccounts", "name": "[uniqueString(resourceGroup().id)]", "properties": "[listKeys('x', 'y')]"}  # fmt: skip
        listed = [other, *resources]
        symbolic = self.index(2)
        return {
            "contentVersion": "1.0.0.0",
            "parameters": self.parameters,
            "variables": {**self.variables, "unused": "[reference('x')]"},
            "functions": [{"namespace": "Contoso", "members": self.members}],
            **({"languageVersion": "2.0"} if symbolic else {}),
            "resources": {f"r{at}": each for at, each in enumerate(listed)} if symbolic else listed,
            "outputs": {"ip": {"type": "string", "value": "[reference('x').ip]"}},
        }
