"""Functions that a template defines itself, ``[contoso.name('x')]``, as Bicep's `func` becomes (azure-facts A14).

Such a function sees its arguments and other functions, and nothing else of the template.
"""

from collections.abc import Mapping
from typing import Any

from rotator.policy.arm_syntax import DEEPEST, Unevaluated
from rotator.policy.located import Located, Path, plain


class Defining:
    """The functions of one template; its subclass evaluates the values."""

    found: Located
    _indexes: dict[str, int]
    arguments: Mapping[str, Any] | None = None
    """Arguments of the function under way, by their names in small letters; None outside of functions."""
    _level = 0

    def _evaluated(self, document: Located, path: Path, value: Any, *, strict: bool) -> Any:
        raise NotImplementedError

    def spend_on_entry(self, entry: Any) -> None:
        """Count a value that a function made."""
        raise NotImplementedError

    def defined(self, name: str, given: list[Any]) -> Any:
        """Return the value of a function that the template defines, for these arguments. Raises Unevaluated."""
        path, names = self._function(name)
        if len(names) != len(given) or self._level >= DEEPEST:
            raise Unevaluated(f"{plain(name)}() with arguments that rotator does not evaluate")
        kept = self.arguments, self._indexes
        self.arguments, self._indexes = dict(zip(names, given, strict=True)), {}
        self._level += 1
        try:
            found = self._evaluated(self.found, path, self.found.at(path), strict=True)
        finally:
            self.arguments, self._indexes = kept
            self._level -= 1
        self.spend_on_entry(found)
        return found

    def _function(self, name: str) -> tuple[Path, list[str]]:
        """Return the place of a function's value, and the names of its parameters in small letters."""
        space, _, member = name.lower().rpartition(".")
        spaces = self.found.at(("functions",))
        for at, one in enumerate(spaces if isinstance(spaces, list) else ()):
            members = one.get("members") if isinstance(one, dict) else None
            if not isinstance(members, dict) or str(one.get("namespace")).lower() != space:
                continue
            for each, declared in members.items():
                if each.lower() == member and isinstance(declared, dict):
                    place: Path = ("functions", at, "members", each, "output", "value")
                    return place, _names(declared.get("parameters"))
        raise Unevaluated(f"a function that the template does not define: {plain(name)}")


def _names(parameters: Any) -> list[str]:
    listed = parameters if isinstance(parameters, list) else ()
    return [str(each.get("name")).lower() for each in listed if isinstance(each, dict)]
