"""Changes of code that acts: a step left out, two steps exchanged, an error passed on, a check removed, a deadline
ignored.

They are added to the changes of a decision (`tests/mutation.py`). Statements that only report are left alone: their
words are for people, and `test_events` and the reports' tests read them.
"""

import ast
from collections.abc import Iterator
from functools import partial

from tests.mutation import Change, Function, decisions, short

TELLING = frozenset({"tell", "start", "end", "settled"})
"""Functions that only report, beside those with names in ``_tell``."""
Body = list[ast.stmt]


def changes(tree: Function) -> Iterator[Change]:
    """Yield the changes of each decision and each step of a function."""
    yield from decisions(tree)
    for body in _bodies(tree):
        for at, statement in enumerate(body):
            yield from _step(body, at, statement)
            if at + 1 < len(body) and _exchangeable(statement, body[at + 1]):
                yield f"`{short(body[at + 1])}` before `{short(statement)}`", partial(_exchange, body, at)
    for node in ast.walk(tree):
        yield from _elsewhere(node)


def _elsewhere(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Try():
            yield from _errors(node)
        case ast.Call(keywords=keywords):
            for keyword in keywords:
                if keyword.arg == "not_after":
                    yield f"`not_after` left out of `{short(node)}`", partial(keywords.remove, keyword)
        case ast.Assign(targets=[ast.Tuple() as targets], value=ast.Tuple() as values) if any(map(_waits, values.elts)):
            yield f"`{short(node)}` from the other end", partial(_turn, targets, values)
        case ast.If(test=test, body=[*_, ast.Raise() | ast.Return() | ast.Continue() | ast.Break()], orelse=[]):
            yield f"if `{short(test)}` never", partial(setattr, node, "test", ast.Constant(value=False))


def _bodies(tree: Function) -> Iterator[Body]:
    for node in ast.walk(tree):
        for _, field in ast.iter_fields(node):
            if isinstance(field, list) and field and all(isinstance(each, ast.stmt) for each in field):
                yield field


def _step(body: Body, at: int, statement: ast.stmt) -> Iterator[Change]:
    """Yield the change that leaves out a statement, if it acts and binds no name."""
    match statement:
        case ast.Expr(value=ast.Await(value=value)) | ast.Expr(value=ast.Call() as value) if not _tells(value):
            yield f"`{short(statement)}` left out", partial(body.__setitem__, at, ast.Pass())
        case ast.AugAssign() | ast.Assign(targets=[ast.Attribute() | ast.Tuple(elts=[*_, ast.Attribute()])]):
            yield f"`{short(statement)}` left out", partial(body.__setitem__, at, ast.Pass())
        case ast.With(body=inner) | ast.AsyncWith(body=inner) if "suppress" in ast.unparse(statement.items[0]):
            yield (
                f"`{short(statement.items[0])}` left out",
                partial(body.__setitem__, at, ast.If(ast.Constant(value=True), inner, [])),
            )


def _tells(call: ast.AST) -> bool:
    match call:
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            return name in TELLING or name.startswith("_tell")
    return False


def _errors(node: ast.Try) -> Iterator[Change]:
    for handler in node.handlers:
        caught = short(handler.type) if handler.type else "everything"
        if [type(each) for each in handler.body] != [ast.Raise] or handler.body[0].exc is not None:  # type: ignore[attr-defined]
            yield f"`except {caught}` lets it through", partial(setattr, handler, "body", [ast.Raise()])
        elif len(node.handlers) > 1:
            yield f"`except {caught}` left out", partial(node.handlers.remove, handler)
        if isinstance(handler.type, ast.Tuple):
            elements = handler.type.elts
            yield from (
                (f"`{short(each)}` left out of `except {caught}`", partial(elements.remove, each)) for each in elements
            )


def _exchangeable(one: ast.stmt, other: ast.stmt) -> bool:
    """Tell if both statements ask or read the clock, and neither uses a name that the other binds."""
    for each in (one, other):
        if isinstance(each, ast.Return | ast.Raise | ast.AsyncFunctionDef) or not _waits(each):
            return False
    return not (_named(one) & (_used(other) | _named(other)) or _named(other) & _used(one))


def _waits(node: ast.AST) -> bool:
    return any(
        isinstance(each, ast.Await) or (isinstance(each, ast.Attribute) and each.attr == "moment")
        for each in ast.walk(node)
    )


def _named(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def _used(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)} - {
        "run",
        "self",
    }


def _exchange(body: Body, at: int) -> None:
    body[at : at + 2] = reversed(body[at : at + 2])


def _turn(targets: ast.Tuple, values: ast.Tuple) -> None:
    targets.elts.reverse()
    values.elts.reverse()
