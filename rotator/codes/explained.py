"""Enumerations whose members explain themselves."""

from enum import StrEnum
from typing import Self


class Explained(StrEnum):
    """Enumeration of codes; each member carries the cells of its row in docs/codes.md."""

    _value_: str
    cells: tuple[str, ...]

    def __new__(cls, code: str, *cells: str) -> Self:
        """Make a member that is equal to its code, and carries its explanation."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.cells = cells
        return member
