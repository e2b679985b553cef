"""A document with the position of every key and value, to show mistakes by line and column."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rotator.errors import Mistake
from rotator.secret import IN_ADDRESSES, struck
from rotator.visible import one_line

Path = tuple[str | int, ...]
"""Keys and indexes from the root of a document to a place in it."""


def dotted(path: Path) -> str:
    """A path as a person reads it: ``container_groups[0].secrets.containers/app/env/DB``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{plain(part)}" for part in path).removeprefix(".")


def plain(text: str, most: int = 160) -> str:
    """Return a text as one line for a mistake: cut to `most` characters, control characters escaped."""
    return one_line(text if len(text) <= most else text[: most - 3] + "...")


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file, counted from 1; `file` is empty in the document's own file."""

    line: int
    column: int
    file: str = ""


@dataclass(slots=True)
class Located:
    """A document, and where each of its keys and values stands. `data` is made of dict, list and plain values only."""

    file: str
    data: Any = None
    keys: dict[Path, Position] = field(default_factory=dict)
    values: dict[Path, Position] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    shared: set[Path] = field(default_factory=set)
    """Paths of what an alias repeats elsewhere."""
    root: Path = ()
    """Place of `data` in the file."""

    def at(self, path: Path) -> Any:
        """The value at `path`; None where there is none."""
        found = self.data
        for part in path:
            inside = (
                part in found
                if isinstance(found, dict)
                else isinstance(found, list) and isinstance(part, int) and part < len(found)
            )
            if not inside:
                return None
            found = found[part]
        return found

    def inside(self, path: Path) -> "Located":
        """Return a part of the document as a document, whose mistakes are still those of the file."""
        kept = [
            {place[len(path) :]: at for place, at in places.items() if place[: len(path)] == path}
            for places in (self.keys, self.values)
        ]
        return Located(self.file, self.at(path), kept[0], kept[1], root=(*self.root, *path))

    def place(self, path: Path, *, key: bool = False, own: bool = False) -> Position:
        """Return the position of a value (or with `key` of its key); for an absent one, of the nearest parent.

        `own`: of the nearest one in the document's own file, not in the defaults that it extends.
        """
        for length in range(len(path), -1, -1):
            places = self.keys if key and length == len(path) else self.values
            if (found := places.get(path[:length])) and not (own and found.file):
                return found
        return Position(1, 1)

    def source(self, path: Path) -> str:
        """Return ``file:line:column`` of a value."""
        place = self.place(path)
        return f"{place.file or self.file}:{place.line}:{place.column}"

    def mistake(
        self, path: Path, problem: str, remedy: str, *, value: str = "", key: bool = False, own: bool = False
    ) -> Mistake:
        """A mistake at `path`, in the file in which its value stands."""
        place, file = self.place(path, key=key, own=own), self.file
        where = (place.file or file, place.line, place.column)
        value, problem = struck(value, IN_ADDRESSES), struck(problem, IN_ADDRESSES)
        return Mistake(*where, dotted((*self.root, *path)), value, plain(problem, 1000), plain(remedy, 1000))


def scalars(value: object, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value of a document that is neither keys nor a list, with its path."""
    if not isinstance(value, (dict, list)):
        yield path, value
        return
    for part, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield from scalars(item, (*path, part))


def texts(value: object) -> Iterator[tuple[Path, str]]:
    """Yield every text in a document, with its path."""
    return ((path, one) for path, one in scalars(value) if isinstance(one, str))
