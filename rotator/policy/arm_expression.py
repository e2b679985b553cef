"""Expressions of ARM templates, ``[concat('a', parameters('x'))]``: parsed whole, evaluated where that is exact.

Evaluated are the functions whose value follows from the template, its parameters and the id of the container group.
Every other is refused by its name. A placeholder is no value yet: a function that would look into it is refused, too.

Rules for editors of the module, of arm_syntax and arm_functions: a function is added only with the exact result that
Resource Manager has; no problem quotes a value, because a secret may stand there.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from rotator.policy.arm_functions import LOOKING, PASSING, PURE, SCOPED, UNKNOWN, WHOLE, PartlyKnown, Scope, partly
from rotator.policy.arm_lambdas import LAMBDAS, Given
from rotator.policy.arm_syntax import WRITE, Call, Member, Parser, Unevaluated
from rotator.policy.manifest import has_placeholder
from rotator.remedy import SHOW_REGION

LONGEST = 24_576
"""Characters of an expression, as Resource Manager allows (azure-facts A14)."""
_COPIED = re.compile(
    r"\[\s*(parameters|variables|resourceGroup|subscription|resourceId|reference|concat|format|listKeys|uniqueString)\s*\(",
    re.IGNORECASE,
)
Bound = Mapping[str, Any]
"""Parameters of the lambdas around an expression, by their names in small letters."""
_HANDED_OUT = "Store the secret in Key Vault, and write ${{ keyvault:NAME }} in its place."
_REGION = (
    "Say in the policy where the resource group is, `manifest: {file: NAME.json, location: REGION}`, as"
    f" `{SHOW_REGION}` prints it; or give the parameter that has it a value."
)
_REMEDIES = {
    "reference": WRITE,
    "uniquestring": "Write the text that the last deployment made, or make it a parameter with a value.",
    "guid": "Write the text that the last deployment made, or make it a parameter with a value.",
    "newguid": "Write a value that stays, or ${{ keyvault:NAME }} for a secret.",
    "utcnow": "Write a value that stays.",
}


def looks_like_one(text: str) -> bool:
    """Tell if a text is an expression copied from a template."""
    return is_expression(text) and bool(_COPIED.match(text))


def is_expression(text: str) -> bool:
    """Tell if ARM evaluates a text (azure-facts A14)."""
    return text.startswith("[") and not text.startswith("[[") and text.endswith("]")


def literal(text: str) -> str:
    """Return the text that ARM makes of one which isn't an expression: `[[a]` is `[a]`."""
    return text[1:] if text.startswith("[[") and text.endswith("]") else text


def evaluated(text: str, scope: Scope) -> Any:
    """Return the value of an expression. Raises Unevaluated."""
    if len(text) > LONGEST:
        raise Unevaluated(f"an expression of more than {LONGEST} characters", "Write a shorter one.")
    return _value(Parser(text[1:-1]).whole(), scope, {})


def _value(node: Any, scope: Scope, bound: Bound) -> Any:
    if isinstance(node, Member):
        name = node.name if isinstance(node.name, str) else _value(node.name, scope, bound)
        return _member(_value(node.of, scope, bound), name)
    if not isinstance(node, Call):
        return node
    name = node.name.lower()
    if name in LAZY:
        return LAZY[name](node, lambda each: _value(each, scope, bound))
    if name in LAMBDAS:
        return _result(node.name, LAMBDAS[name], [_argument(each, scope, bound) for each in node.arguments])
    if name == "lambdavariables":
        return _result(node.name, lambda asked: bound[asked.lower()], list(node.arguments))
    if "." not in name and name not in PURE and name not in SCOPED:
        remedy = _HANDED_OUT if name.startswith("list") or name == "getsecret" else _REMEDIES.get(name, WRITE)
        return scope.unknown(Unevaluated(f"{node.name}(), which only ARM can evaluate", remedy))
    given = [_value(each, scope, bound) for each in node.arguments]
    return scope.defined(node.name, given) if "." in name else _called(node.name, given, scope)


def _if(node: Call, value: Callable[[Any], Any]) -> Any:
    if len(node.arguments) != 3:
        raise _unfit(node.name)
    return value(node.arguments[1 if _truth(node, value(node.arguments[0])) else 2])


def _coalesce(node: Call, value: Callable[[Any], Any]) -> Any:
    return next((found for each in node.arguments if (found := value(each)) is not None), None)


def _and_or(node: Call, value: Callable[[Any], Any]) -> bool:
    if len(node.arguments) < 2:
        raise _unfit(node.name)
    decisive = node.name.lower() == "or"
    return decisive == any(_truth(node, value(each)) is decisive for each in node.arguments)


def _truth(node: Call, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _unfit(node.name)
    return value


LAZY: dict[str, Callable[[Call, Callable[[Any], Any]], Any]] = {
    "and": _and_or,
    "coalesce": _coalesce,
    "if": _if,
    "or": _and_or,
}
"""Functions that evaluate no more arguments than they need."""
EVALUATED = frozenset({*PURE, *SCOPED, *LAZY, *LAMBDAS, "lambda", "lambdavariables"})
"""Functions that are evaluated, in small letters."""


def _argument(node: Any, scope: Scope, bound: Bound) -> Any:
    """Return an argument of a function that takes lambdas: a value, or the lambda itself."""
    if not (isinstance(node, Call) and node.name.lower() == "lambda" and node.arguments):
        return _value(node, scope, bound)
    *names, body = node.arguments
    if not all(isinstance(name, str) for name in names):
        raise _unfit(node.name)

    def value(given: Bound) -> Any:
        found = _value(body, scope, {**bound, **given})
        scope.spend_on_entry(found)
        return found

    return Given(tuple(name.lower() for name in names), value)


def _called(shown: str, given: list[Any], scope: Scope) -> Any:
    name = shown.lower()
    hidden = [each for each in given if has_placeholder(each) and not (name in LOOKING and not isinstance(each, str))]
    if name not in PASSING and hidden:
        problem = f"{shown}() with a placeholder, whose value is not known yet"
        return scope.unknown(Unevaluated(problem, "Write the placeholder alone."))
    unknown = next((found for each in given if (found := partly(each))), None)
    if unknown is not None and name not in WHOLE:
        raise Unevaluated(f"{shown}() with all of {unknown.of}(), which only ARM knows")
    function = partial(SCOPED[name], scope) if name in SCOPED else PURE[name]
    found = _result(shown, function, given)
    if unknown is not None and found is None:
        raise Unevaluated(f"a property of {unknown.of}(), which only ARM knows")
    return found


def _result(shown: str, function: Callable[..., Any], given: list[Any]) -> Any:
    try:
        return function(*given)
    except (TypeError, ValueError, AttributeError, LookupError):
        raise _unfit(shown) from None


def _unfit(name: str) -> Unevaluated:
    return Unevaluated(f"{name}() with arguments that rotator does not evaluate")


def _member(value: Any, name: Any) -> Any:
    if value == UNKNOWN:
        return value
    if isinstance(value, Mapping) and isinstance(name, str):
        for key, item in value.items():
            if key.lower() == name.lower():
                return item
        if isinstance(value, PartlyKnown):
            remedy = _REGION if name == "location" else WRITE
            raise Unevaluated(f"{value.of}().{name}, which only ARM knows", remedy)
    if isinstance(value, list) and isinstance(name, int) and 0 <= name < len(value):
        return value[name]
    raise Unevaluated("a property or element that does not exist")
