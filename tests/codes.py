"""The codes of the program's decisions, as its source has them: by what carries them, and by rule."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = sorted(file for file in (ROOT / "rotator").rglob("*.py") if "demo" not in file.parts)


def constants(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may come to: a constant, or the branches of a choice between them."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*constants(node.body), *constants(node.orelse))


def used_codes() -> set[str]:
    """Every code in the program."""
    return {code for codes in codes_by_kind().values() for code in codes}


@cache
def codes_by_kind() -> dict[str, set[str]]:
    """Every code in the program by what carries it: a reason, a wait, a note, a veto."""
    carried = [
        each
        for file in SOURCES
        for node in ast.walk(ast.parse(file.read_text()))
        for each in carried_by(node, guarding=file.parent.name == "guard")
    ]
    return {kind: {code for carrier, code in carried if carrier == kind} for kind in ("reason", "wait", "note", "veto")}


def carried_by(node: ast.AST, *, guarding: bool) -> Iterator[tuple[str, str]]:
    """What carries a code in this piece of source, and the code."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        kind = {
            "Reason": "reason",
            "Wait": "wait",
            "Note": "note",
            "Noted": "note",
            "Way": "note",
            "Vetoed": "veto",
            "Veto": "veto",
        }.get(node.func.id)
        places = [node.args[1]] if node.func.id == "Veto" and len(node.args) > 1 else node.args[:1]
        places += [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        yield from ((kind, code) for place in places for code in constants(place) if kind)
    elif guarding and isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
        yield from (("veto", code) for code in constants(node.value.elts[0]))


PLAN = ("plan/rules.py", "plan/moves.py", "plan/reclaim.py", "plan/alarms.py", "plan/unseen.py")
GUARD = ("guard/veto.py", "guard/issue.py", "guard/links.py", "guard/deploy.py", "guard/retire.py")


def codes_by_rule(files: list[Path], rules: set[str]) -> dict[str, set[str]]:
    """The codes of each rule: its own, and those of the functions that it uses, other rules left out."""
    functions = {
        node.name: node
        for file in files
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }
    guarding = files[0].parent.name == "guard"

    def reached(name: str, seen: set[str]) -> set[str]:
        named = {node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name) and node.id in functions}
        for other in named - seen - rules:
            seen |= reached(other, seen | {other})
        return seen

    carried = {
        name: {code for node in ast.walk(f) for _, code in carried_by(node, guarding=guarding)}
        for name, f in functions.items()
    }
    return {rule: {code for name in reached(rule, {rule}) for code in carried[name]} for rule in rules}
