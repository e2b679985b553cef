"""Tests of the house style, as far as it can be counted: small functions, small files, names of the field."""

import ast
import io
import re
import statistics
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.sources import parsed

pytestmark = pytest.mark.xdist_group("house")  # they read the same files

ROOT = Path(__file__).parents[2]
PACKAGES = (ROOT / "rotator", ROOT / "live", ROOT / "emulator" / "local_azure")
SOURCES = sorted(file for package in PACKAGES for file in package.rglob("*.py"))
VAGUE = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
SILENT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}

MOST = 250
"""Lines of code of a file, as the formatter breaks them at 120 characters."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def spoken(node: ast.AST) -> set[int]:
    """Return the lines of every string that is a statement: docstrings of modules, classes, functions and
    attributes.
    """
    texts = (
        one
        for one in ast.walk(node)
        if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str)
    )
    return {line for one in texts for line in range(one.lineno, (one.end_lineno or one.lineno) + 1)}


@cache
def code_lines(file: Path) -> frozenset[int]:
    source = file.read_text()
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = {line for token in tokens if token.type not in SILENT for line in range(token.start[0], token.end[0] + 1)}
    return frozenset(lines - spoken(parsed(file)))


def functions(file: Path) -> Iterator[tuple[str, int]]:
    """Yield every function of a file with the length of its body, in lines of code."""
    lines = code_lines(file)
    for node in ast.walk(parsed(file)):
        if isinstance(node, Function):
            body = range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
            yield f"{file.relative_to(ROOT)}:{node.lineno} {node.name}", len(lines & set(body))


def test_functions_are_short() -> None:
    lengths = dict(one for file in SOURCES for one in functions(file))
    assert {name: length for name, length in lengths.items() if length > 40} == {}
    assert statistics.median(lengths.values()) <= 8
    assert statistics.quantiles(lengths.values(), n=20)[-1] <= 26


def test_a_file_is_small_and_is_called_what_it_is() -> None:
    lengths = {str(file.relative_to(ROOT)): len(code_lines(file)) for file in SOURCES}
    assert {name for name, length in lengths.items() if length > MOST} == set()
    assert [name for name in lengths if Path(name).stem in VAGUE] == []


TESTS = sorted(file for folder in ("tests", "bench", "emulator/tests") for file in (ROOT / folder).rglob("*.py"))
OPENINGS = {"what", "whether", "where", "who", "whose", "how", "when", "why", "that"}
OPENINGS |= {f"{word}{end}" for word in ("some", "any", "every", "no") for end in ("body", "thing")}


def test_a_docstring_begins_with_a_verb_or_names_a_thing() -> None:
    opened = [
        f"{file.relative_to(ROOT)}: {text.splitlines()[0]}"
        for file in (*SOURCES, *TESTS)
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.Module | ast.ClassDef | Function) and (text := ast.get_docstring(node))
        if re.split(r"[^A-Za-z]", text.lstrip("`"), maxsplit=1)[0].lower() in OPENINGS
    ]
    assert opened == []


@pytest.mark.parametrize("product", ["rotator", "live", "emulator"])
def test_no_function_shadows_its_module_and_no_two_public_classes_of_a_product_share_a_name(product: str) -> None:
    places: dict[str, list[str]] = {}
    shadowing = []
    for file in (file for file in SOURCES if file.relative_to(ROOT).parts[0] == product):
        for node in parsed(file).body:
            if isinstance(node, Function) and node.name == file.stem:
                shadowing.append(str(file.relative_to(ROOT)))
            elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(str(file.relative_to(ROOT)))
    assert shadowing == []
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
