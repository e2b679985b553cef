"""Loops of an ARM template: of resources, and of properties or variables (azure-facts A14).

One of properties is ``"copy": [{"name": …, "count": …, "input": …}]``. Each entry is its `input`, evaluated with
``copyIndex('name')`` as the entry's number.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rotator.policy.arm_expression import is_expression
from rotator.policy.arm_syntax import Unevaluated
from rotator.policy.located import Located, Path

ENTRY = 64
"""Cost of a loop's entry within the limit on evaluated values: nested loops may make any number of entries."""
MOST_ENTRIES = 800
"""Entries of a loop, as Resource Manager allows (azure-facts A14)."""


class Looping:
    """The loops of one template; its subclass evaluates the values."""

    spent: int
    _indexes: dict[str, int]
    """Number of the entry that each loop under way makes."""

    def _evaluated(self, document: Located, path: Path, value: Any, *, strict: bool) -> Any:
        raise NotImplementedError

    def _unevaluated(self, document: Located, path: Path, error: Unevaluated, *, strict: bool) -> None:
        raise NotImplementedError

    def _spend(self, value: Any) -> None:
        raise NotImplementedError

    found: Located

    @contextmanager
    def counting(self, loop: object, index: int | None) -> Iterator[None]:
        """Let copyIndex(), with the loop's name or without, be the number of a resource of a loop."""
        if index is None:
            yield
            return
        names = ("", str(loop).lower())
        self._indexes |= dict.fromkeys(names, index)
        try:
            yield
        finally:
            for name in names:
                self._indexes.pop(name, None)

    def copies(self, path: Path, resource: Mapping[str, Any]) -> int | None:
        """Return the count of a loop of resources; None for a single resource. Raises Unevaluated."""
        loop = resource.get("copy")
        if loop is None:
            return None
        here = (*path, "copy")
        try:
            return self._loop(self.found, here, {"input": None, **loop} if isinstance(loop, dict) else loop)[1]
        except Unevaluated as error:
            error.mistake = error.mistake or self.found.mistake(here, error.problem, error.remedy)
            raise

    def index(self, loop: str) -> int:
        """Return the number of the entry that a loop makes; without a name, the number of the resource.

        Raises Unevaluated outside of the loop.
        """
        if loop.lower() not in self._indexes:
            raise Unevaluated("copyIndex() outside of its loop (copy)", "Write the entries without a loop.")
        return self._indexes[loop.lower()]

    def _loops(self, document: Located, path: Path, loops: list[Any], *, strict: bool) -> Iterator[tuple[str, Any]]:
        """Yield the properties that loops make: the name and the entries of each."""
        for at, loop in enumerate(loops):
            here = (*path, at)
            try:
                name, count = self._loop(document, here, loop)
            except Unevaluated as error:
                self._unevaluated(document, here, error, strict=strict)
                continue
            yield name, self._entries(document, here, loop, (name.lower(), count), strict=strict)

    def _loop(self, document: Located, path: Path, loop: Any) -> tuple[str, int]:
        """Return the name and the count of a loop. Raises Unevaluated."""
        given = loop if isinstance(loop, dict) else {}
        name = given.get("name")
        count = self._evaluated(document, (*path, "count"), given.get("count"), strict=True)
        if not isinstance(name, str) or is_expression(name) or "input" not in given or name.lower() in self._indexes:
            raise Unevaluated("a loop (copy) that can't be read", "Write its entries.")
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MOST_ENTRIES:
            raise Unevaluated(f"a loop (copy) whose count isn't one of 0 to {MOST_ENTRIES}", "Correct the count.")
        return name, count

    def _entries(
        self, document: Located, path: Path, loop: Mapping[str, Any], counted: tuple[str, int], *, strict: bool
    ) -> list[Any]:
        name, count = counted
        entries = list[Any]()
        for index in range(count):
            self._indexes[name] = index
            entries.append(self._evaluated(document, (*path, "input"), loop["input"], strict=strict))
            self._spend_on_entry(document, path, entries[-1])
        self._indexes.pop(name, None)
        return entries

    def spend_on_entry(self, entry: Any) -> None:
        """Count an entry of a loop, or an element that a lambda made. Raises Unevaluated when there are too many."""
        self.spent += ENTRY
        self._spend(entry)

    def spend_on_resource(self, path: Path) -> None:
        """Count a resource that is looked at. Raises Unevaluated, with its place, when there are too many."""
        self._spend_on_entry(self.found, path, None)

    def _spend_on_entry(self, document: Located, path: Path, entry: Any) -> None:
        """Count an entry of a loop. Raises Unevaluated through all loops around it."""
        try:
            self.spend_on_entry(entry)
        except Unevaluated as error:
            error.mistake = document.mistake(path, error.problem, error.remedy)
            raise
