"""The codes of the program's decisions: the enumerations of `rotator.codes`, and where the source uses them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from rotator.codes import FailureCode, NoteCode, ReasonCode, VetoCode, WaitCode
from rotator.codes.explained import Explained
from tests.sources import parsed

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    file for file in (ROOT / "rotator").rglob("*.py") if "demo" not in file.parts and file.parent.name != "codes"
)
KINDS: dict[str, type[Explained]] = {"reason": ReasonCode, "wait": WaitCode, "note": NoteCode, "veto": VetoCode}
TABLES: dict[str, type[Explained]] = {**KINDS, "failure": FailureCode}
"""Codes in docs/codes.md: those of decisions, and those of failures."""
NAMES = {codes.__name__: kind for kind, codes in TABLES.items()}


def used_codes() -> set[str]:
    """Return every code in the program."""
    return {code for codes in codes_by_kind().values() for code in codes}


def codes_by_kind() -> dict[str, set[str]]:
    """Return every code in the program by kind: reason, wait, note or veto."""
    return {kind: {code.value for code in codes} for kind, codes in KINDS.items()}


@cache
def carried_by_kind() -> dict[str, set[str]]:
    """Return the codes that the source gives to reasons, waits, notes, vetoes and failures."""
    carried = [each for file in SOURCES for node in ast.walk(parsed(file)) for each in carried_by(node)]
    return {kind: {code for carrier, code in carried if carrier == kind} for kind in TABLES}


def carried_by(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield kind and code for each code in a piece of source: in calls and yields, not in comparisons."""
    given: list[ast.expr] = []
    if isinstance(node, ast.Call):
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
    elif isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
        given = node.value.elts
    elif isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.IfExp):
        given = [node.value]
    yield from (code for each in given for code in members(each))


def members(node: ast.expr) -> Iterator[tuple[str, str]]:
    """Yield the enumeration members of an expression: one, or the branches of a choice."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in NAMES:
        kind = NAMES[node.value.id]
        yield kind, TABLES[kind][node.attr].value
    elif isinstance(node, ast.IfExp):
        yield from (*members(node.body), *members(node.orelse))


PLAN = (
    "plan/rules.py",
    "plan/new_credential.py",
    "plan/not_ours.py",
    "plan/way_back.py",
    "plan/retirement.py",
    "plan/moves.py",
    "plan/obstacles_to_moves.py",
    "plan/reclaim.py",
    "plan/alarms.py",
    "plan/unseen.py",
    "plan/ways_out.py",
    "plan/postponed.py",
)
GUARD = ("guard/veto.py", "guard/issue.py", "guard/proof.py", "guard/links.py", "guard/deploy.py", "guard/retire.py")


def vetoed_steps() -> dict[str, str]:
    """Return the steps that each veto can stop, as the guard's `_objections` asks for its checks."""
    functions = [
        node
        for file in GUARD
        for node in ast.parse((ROOT / "rotator" / file).read_text()).body
        if isinstance(node, ast.FunctionDef)
    ]
    asked = next(function for function in functions if function.name == "_objections")
    (match,) = (node for node in ast.walk(asked) if isinstance(node, ast.Match))
    by_step = {
        case.pattern.cls.id.lower(): _reached_codes(case, {f.name: f for f in functions})
        for case in match.cases
        if isinstance(case.pattern, ast.MatchClass) and isinstance(case.pattern.cls, ast.Name)
    }
    steps = {code: ", ".join(step for step, found in by_step.items() if code in found) for code in VetoCode}
    always = {VetoCode.REVOKED, VetoCode.ITSELF}
    return {code: named or ("all of a rotation" if code in always else "any") for code, named in steps.items()}


def _reached_codes(node: ast.AST, functions: dict[str, ast.FunctionDef]) -> set[str]:
    """Return the codes in a piece of the guard, and in the checks that it leads to."""
    found, seen = set[str](), set[str]()
    left: list[ast.AST] = [node]
    while left:
        part = left.pop()
        names = [name for name in ast.walk(part) if isinstance(name, ast.Name)]
        found |= {code for each in ast.walk(part) for _, code in carried_by(each)}
        bound = {name.id for name in names if isinstance(name.ctx, ast.Store)}
        leads = {name.id for name in names if name.id in functions} - bound - seen
        seen |= leads
        left += [functions[name] for name in leads]
    return found


def codes_by_rule(files: list[Path], rules: set[str]) -> dict[str, set[str]]:
    """Return the codes of each rule: its own, and those of the functions that it uses, without other rules."""
    functions = {node.name: node for file in files for node in parsed(file).body if isinstance(node, ast.FunctionDef)}

    def reached(name: str, seen: set[str]) -> set[str]:
        names = [node for node in ast.walk(functions[name]) if isinstance(node, ast.Name) and node.id in functions]
        bound = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        for other in {node.id for node in names} - bound - seen - rules:
            seen |= reached(other, seen | {other})
        return seen

    carried = {name: {code for node in ast.walk(f) for _, code in carried_by(node)} for name, f in functions.items()}
    return {rule: {code for name in reached(rule, {rule}) for code in carried[name]} for rule in rules}
