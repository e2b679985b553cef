"""Syntax trees of source files, parsed once in a process; tests that read them have the mark `xdist_group("house")`."""

import ast
from functools import cache
from pathlib import Path


@cache
def parsed(file: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(file.read_text())
