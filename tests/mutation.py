"""Mutants of functions: the same code with one decision changed, in place of the original.

A mutant is a change of one place in one function's syntax tree: a condition inverted, one of several conditions left
out, a boundary moved by an instant, the smallest taken for the largest, a finding dropped. Its code object replaces the
function's own, so that modules with an imported reference get the mutant, too. `matrices.acting` adds changes of code
that acts.
"""

import ast
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property, partial
from itertools import islice
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

import pytest

Put = Callable[[ast.AST], object]
"""Function that puts a node in place of its original."""
Change = tuple[str, Callable[[], object]]
"""Description of a change, with the function that makes it in its tree."""
Function = ast.FunctionDef | ast.AsyncFunctionDef
Changes = Callable[[Function], Iterator[Change]]
"""Function that lists the changes of a function, always in the same order."""
Source = tuple[int, str]
"""First line of a function in the module, and its text."""
BOUNDARIES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
OPPOSITES = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutant:
    """Mutant of `function` in `module`: its `nth` change, described by `what`."""

    module: ModuleType
    function: str
    nth: int
    what: str
    changes: Changes

    @property
    def id(self) -> str:
        """Place and change, without line numbers, so that changes elsewhere leave the id valid."""
        return f"{self.module.__name__.removeprefix('rotator.')}.{self.function}: {self.what}"

    @property
    def trees(self) -> tuple[Function, Function]:
        """Trees of the function, original and changed."""
        tree = _tree(_sources(self.module)[self.function])
        next(islice(self.changes(tree), self.nth, None))[1]()
        return _trees(self.module)[self.function], tree

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Replace the original until `patch` is undone."""
        patch.setattr(found(self.module, self.function), "__code__", _compiled(self.trees[1], self.module))


def mutants(
    module: ModuleType, only: Callable[[str], bool] = lambda name: True, changes: Changes | None = None
) -> Iterator[Mutant]:
    """Yield every mutant of a module's functions and methods, in the order of the source; by default of decisions
    alone.
    """
    for name, tree in _trees(module).items():
        if not only(name):
            continue
        told: dict[str, int] = {}
        for nth, (what, _) in enumerate((changes or decisions)(tree)):
            told[what] = told.get(what, 0) + 1
            yield Mutant(module, name, nth, what if told[what] == 1 else f"{what} ({told[what]})", changes or decisions)


@contextmanager
def installed(mutant: Mutant) -> Iterator[None]:
    """Install a mutant in place of its function; cached results of the function are cleared before and after."""
    forget = getattr(vars(mutant.module).get(mutant.function), "cache_clear", lambda: None)
    with pytest.MonkeyPatch.context() as patch:
        mutant.install(patch)
        forget()
        yield
    forget()


def found(module: ModuleType, name: str) -> FunctionType:
    """Return the function of a qualified name, without its decorators."""
    thing: Any = module
    for part in name.split("."):
        thing = vars(thing)[part]
    thing = thing.fget if isinstance(thing, property) else thing
    thing = thing.func if isinstance(thing, cached_property) else thing
    thing = thing.__func__ if isinstance(thing, classmethod | staticmethod) else thing
    thing = getattr(thing, "__wrapped__", thing)
    assert isinstance(thing, FunctionType)
    return thing


def called(act: Callable[[], object]) -> frozenset[str]:
    """Return the functions that `act` calls, as :func:`mark` names them."""
    seen: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        del event  # a trace function that returns None gets calls alone
        seen.add(frame.f_code)

    before = sys.gettrace()
    sys.settrace(note)
    try:
        act()
    finally:
        sys.settrace(before)
    return frozenset(f"{code.co_filename}:{code.co_qualname}" for code in seen)


def mark(module: ModuleType, name: str) -> str:
    """Return how :func:`called` names a function."""
    return f"{module.__file__}:{found(module, name).__code__.co_qualname}"


@cache
def _trees(module: ModuleType) -> dict[str, Function]:
    return {name: _tree(source) for name, source in _sources(module).items()}


def _tree(source: Source) -> Function:
    """Return a new tree with the module's line numbers: parsing takes a tenth of the time of a deep copy."""
    first, text = source
    inside = text[0].isspace()
    above = "\n" * (first - 1 - inside)
    tree: Any = ast.parse(f"{above}class _:\n{text}" if inside else f"{above}{text}").body[0]
    function = tree.body[0] if inside else tree
    assert isinstance(function, Function)
    return function


@cache
def _sources(module: ModuleType) -> dict[str, Source]:
    """Return the first line, and the text, of each function without decorators, by qualified name."""
    text = Path(module.__file__ or "").read_text()
    lines = text.splitlines(keepends=True)
    return {
        name: (node.lineno, "".join(lines[node.lineno - 1 : node.end_lineno]))
        for name, node in _functions(ast.parse(text).body, "")
    }


def _functions(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, Function]]:
    for node in body:
        if isinstance(node, Function):
            yield f"{prefix}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}{node.name}.")


def _compiled(tree: Function, module: ModuleType) -> CodeType:
    tree.decorator_list = []
    whole = ast.fix_missing_locations(ast.Module([tree], []))
    made = compile(whole, module.__file__ or "", "exec", flags=0, dont_inherit=True)
    return next(const for const in made.co_consts if isinstance(const, CodeType) and const.co_name == tree.name)


def decisions(tree: Function) -> Iterator[Change]:
    """Yield each decision of a function, changed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr | ast.arguments) or node is tree.returns:
            continue
        for name, field in ast.iter_fields(node):
            for item, put in _places(node, name, field):
                yield from _of(item, put)


def _places(node: ast.AST, name: str, field: object) -> Iterator[tuple[ast.AST, Put]]:
    """Yield each child with the way to replace it; parts of sentences for people are left out."""
    if isinstance(field, ast.AST):
        if not isinstance(field, ast.JoinedStr) and name != "annotation":
            yield field, partial(setattr, node, name)
    elif isinstance(field, list):
        for index, item in enumerate(field):
            if isinstance(item, ast.AST) and not isinstance(item, ast.JoinedStr):
                yield item, partial(field.__setitem__, index)


def _of(node: ast.AST, put: Put) -> Iterator[Change]:
    match node:
        case ast.Compare():
            yield from _compared(node, put)
        case ast.BoolOp(values=values) if not any(isinstance(value, ast.Constant) for value in values):
            yield from _left_out(node, put)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield f"`{short(node)}` turned round", partial(put, operand)
        case ast.If(test=test) | ast.IfExp(test=test) if not isinstance(test, ast.Compare | ast.UnaryOp):
            yield f"if `{short(test)}` turned round", partial(setattr, node, "test", _not(test))
        case ast.comprehension(ifs=[*ifs]):
            yield from ((f"`{short(one)}` not asked", partial(node.ifs.remove, one)) for one in ifs)
        case _:
            yield from _said(node, put)


def _said(node: ast.AST, put: Put) -> Iterator[Change]:
    match node:
        case ast.Call(func=ast.Name(id=name) as called_) if name in OPPOSITES:
            yield f"`{short(node)}` by {OPPOSITES[name]}", partial(setattr, called_, "id", OPPOSITES[name])
        case ast.Expr(value=ast.Yield() | ast.YieldFrom()):
            yield f"`{short(node)}` not told", partial(put, _nothing())
        case ast.Constant(value=bool() as truth):
            yield f"{truth} for its opposite", partial(setattr, node, "value", not truth)


def _compared(node: ast.Compare, put: Put) -> Iterator[Change]:
    moved = BOUNDARIES.get(type(node.ops[0]))
    if moved and len(node.ops) == 1:
        yield f"the boundary of `{short(node)}` moved", partial(node.ops.__setitem__, 0, moved())
    yield f"`{short(node)}` turned round", partial(put, _not(node))


def _left_out(node: ast.BoolOp, put: Put) -> Iterator[Change]:
    for index, value in enumerate(node.values):
        rest = [other for at, other in enumerate(node.values) if at != index]
        less = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
        yield f"`{short(value)}` left out of `{short(node)}`", partial(put, less)


def short(node: ast.AST) -> str:
    """Return the source of a node, cut to the length of an id."""
    return " ".join(ast.unparse(node).split())[:60].rstrip()


def _not(node: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), node)


def _nothing() -> ast.stmt:
    """Return a statement that yields nothing, and leaves a generator a generator."""
    return ast.Expr(ast.YieldFrom(ast.Tuple([], ast.Load())))
