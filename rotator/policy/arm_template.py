"""Parameters, variables and resources of an ARM template, evaluated for the group that names the file.

Parameters have the value of a parameters file, else their `defaultValue`. What isn't evaluated is refused by name,
where it stands: the expressions that `rotator.policy.arm_expression` refuses. Which resource is meant is for
`rotator.policy.arm_resources` to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath as File
from typing import Any

from rotator.errors import Mistake
from rotator.policy.arm_definitions import Defining
from rotator.policy.arm_expression import evaluated, is_expression, literal
from rotator.policy.arm_functions import REFERRED, UNKNOWN, Target, partly
from rotator.policy.arm_loops import Looping
from rotator.policy.arm_syntax import DEEPEST, Unevaluated
from rotator.policy.located import Located, Path, plain, texts
from rotator.policy.manifest import has_placeholder, unknown_placeholders
from rotator.resource_id import ArmId

MOST = 1 << 20
"""Characters and values of all that is evaluated for one group, of which variables of variables may make any number."""
ANYWHERE = Target()
_ONLY_OF_ARM = {"dependson", "comments", "metadata", "copy", "condition"}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "securestring": str,
    "int": int,
    "bool": bool,
    "array": list,
    "object": dict,
    "secureobject": dict,
}


@dataclass(slots=True)
class Outlining:
    """Tells a template, and those of the deployments in it, if the outline of a text is enough."""

    on: bool = False


class Template(Looping, Defining):
    """One template with its parameters, evaluated for one container group.

    `target` is what the policy says of the place: what a parameters file refers to in its vault becomes a placeholder.
    """

    def __init__(self, found: Located, parameters: Located | None, group_id: ArmId, target: Target = ANYWHERE) -> None:
        self.found, self.file, self.group_id, self.target = found, parameters, group_id, target
        self.mistakes = list[Mistake]()
        self.spent = 0
        self._indexes = dict[str, int]()
        self._known, self._asked = dict[tuple[str, str, bool], Any](), set[tuple[str, str, bool]]()
        self.outlining, self._insides = Outlining(), dict[Path, Located]()

    def parameter(self, name: str) -> Any:
        """Return the value of a parameter: the file's, else the default. Raises Unevaluated."""
        if self.arguments is not None:
            if name.lower() not in self.arguments:
                raise Unevaluated(f"a parameter that the function does not define: {plain(name)}")
            return self.arguments[name.lower()]
        return self._named("parameters", name)

    def variable(self, name: str) -> Any:
        """Return the value of a variable. Raises Unevaluated."""
        if self.arguments is not None:
            raise Unevaluated("a variable of the template, inside of a function")
        return self._named("variables", name)

    def group(self) -> tuple[str, str]:
        """Return subscription and resource group of the container group."""
        return self.group_id.subscription, self.group_id.resource_group

    def inside(self, path: Path) -> Located:
        """Return the template of a nested deployment, made once for all that a loop makes."""
        if path not in self._insides:
            self._insides[path] = self.found.inside(path)
        return self._insides[path]

    def refuse(self, path: Path, problem: str, remedy: str) -> None:
        """Record a mistake at a place of the template."""
        self.mistakes.append(self.found.mistake(path, problem, remedy))

    def value(self, path: Path) -> Any:
        """Return an evaluated value of the template. Raises Unevaluated."""
        return self._evaluated(self.found, path, self.found.at(path), strict=True)

    def unknown(self, error: Unevaluated) -> Any:
        """Return UNKNOWN while a text is outlined. Raises the error elsewhere."""
        if self.outlining.on:
            return UNKNOWN
        raise error

    def outline(self, path: Path) -> str:
        """Return a text of the template, with UNKNOWN for the parts that only ARM knows. Raises Unevaluated."""
        self.outlining.on = True
        try:
            return str(self.value(path))
        finally:
            self.outlining.on = False

    def resource(self, path: Path, *, named: bool = True) -> dict[str, Any]:
        """Return a resource without what only Resource Manager reads: its value is not needed.

        What has no value in it is a mistake. Not `named`: without its name, too.
        """
        unread = _ONLY_OF_ARM if named else _ONLY_OF_ARM | {"name"}
        content = {name: value for name, value in self.found.at(path).items() if name.lower() not in unread}
        found: dict[str, Any] = self._evaluated(self.found, path, content, strict=False)
        return found

    def _evaluated(self, document: Located, path: Path, value: Any, *, strict: bool) -> Any:
        """Evaluate every text of a value; `strict` raises Unevaluated, else what has no value is a mistake."""
        if isinstance(value, list):
            return [self._evaluated(document, (*path, at), item, strict=strict) for at, item in enumerate(value)]
        if not isinstance(value, dict):
            return self._here(document, path, value, strict=strict)
        found = dict[str, Any]()
        for name, item in value.items():
            here = (*path, name)
            if name.lower() == "copy" and isinstance(item, dict):
                loop = Unevaluated("a loop (copy) of resources, inside of one", "Write its entries.")
                self._unevaluated(document, path, loop, strict=strict)
            elif name.lower() == "copy" and isinstance(item, list):
                found |= dict(self._loops(document, here, item, strict=strict))
            else:
                key = self._here(document, here, name, strict=strict)
                found[str(key)] = self._evaluated(document, here, item, strict=strict)
        return found

    def _here(self, document: Located, path: Path, value: Any, *, strict: bool) -> Any:
        try:
            return self._text(value, whole=not strict) if isinstance(value, str) else value
        except Unevaluated as error:
            return self._unevaluated(document, path, error, strict=strict)

    def _unevaluated(self, document: Located, path: Path, error: Unevaluated, *, strict: bool) -> None:
        error.mistake = error.mistake or document.mistake(path, error.problem, error.remedy)
        if strict:
            raise error
        if error.mistake not in self.mistakes:
            self.mistakes.append(error.mistake)

    def _text(self, text: str, *, whole: bool) -> Any:
        """Return what a text means; `whole`: a value of which only a part is known is refused."""
        value = evaluated(text, self) if is_expression(text) else literal(text)
        if whole and (unknown := partly(value)) is not None:
            raise Unevaluated(f"all of {unknown.of}(), which only ARM knows")
        self._spend(value)
        return value

    def _spend(self, value: Any) -> None:
        """Count a value that was evaluated, and stop when there are too many."""
        stack = [value]
        while stack:
            one = stack.pop()
            self.spent += 1 + (len(one) if isinstance(one, str) else 0)
            if self.spent > MOST:
                raise Unevaluated("an expression with a result that is too large", "Write it out.")
            stack += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()

    def _named(self, kind: str, name: str) -> Any:
        """Return a parameter or variable, evaluated once."""
        key = (kind, name.lower(), self.outlining.on)
        if key in self._asked:
            raise Unevaluated("a value that refers to itself")
        if len(self._asked) >= DEEPEST:
            raise Unevaluated("a value with too many levels of references")
        if key not in self._known:
            self._asked.add(key)
            loops, self._indexes = self._indexes, {}
            try:
                self._known[key] = self._parameter(name) if kind == "parameters" else self._variable(name)
            except Unevaluated as error:
                self._known[key] = error
            self._asked.discard(key)
            self._indexes = loops
        if isinstance(self._known[key], Unevaluated):
            raise self._known[key]
        self._spend(self._known[key])
        return self._known[key]

    def _variable(self, name: str) -> Any:
        path = _path(self.found, "variables", name)
        if path is None and (loop := self._looped(name)) is not None:
            here = ("variables", "copy", loop)
            shown, count = self._loop(self.found, here, self.found.at(here))
            return self._entries(self.found, here, self.found.at(here), (shown.lower(), count), strict=True)
        if path is None:
            raise Unevaluated(f"a variable that the template does not define: {plain(name)}")
        return self._evaluated(self.found, path, self.found.at(path), strict=True)

    def _looped(self, name: str) -> int | None:
        """Return the place of the loop that makes a variable; None if no loop does."""
        loops = self.found.at(("variables", "copy"))
        named = enumerate(loops) if isinstance(loops, list) else ()
        return next(
            (at for at, loop in named if isinstance(loop, dict) and str(loop.get("name")).lower() == name.lower()), None
        )

    def _parameter(self, name: str) -> Any:
        path = _path(self.found, "parameters", name)
        if path is None:
            raise Unevaluated(f"a parameter that the template does not define: {plain(name)}")
        declared = self.found.at(path)
        document, place, value = self._given(path, name, declared if isinstance(declared, dict) else {})
        self._fits(document, place, value, declared)
        return value

    def _given(self, path: Path, name: str, declared: Mapping[str, Any]) -> tuple[Located, Path, Any]:
        """Return the value of a parameter, and its place: in the parameters file, or in the template."""
        file, given = self.file, _path(self.file, "parameters", name) if self.file else None
        if file and given:
            if file.at((*given, "reference")) is not None:
                return file, given, self._secret(file, given)
            place: Path = (*given, "value")
            return file, place, file.at(place)
        if "defaultValue" in declared:
            place = (*path, "defaultValue")
            return self.found, place, self._evaluated(self.found, place, declared["defaultValue"], strict=True)
        if declared.get("nullable") is True:
            return self.found, path, None
        file_name = File(self.found.file)
        named = f"{{file: {plain(file_name.name)}, parameters: {plain(file_name.stem)}.parameters.json}}"
        remedy = f"Give it a defaultValue, or name a parameters file in the policy: `manifest: {named}`."
        raise Unevaluated("", "", self.found.mistake(path, f"parameter {plain(name)} has no value", remedy))

    def _secret(self, document: Located, given: Path) -> str:
        """Return the placeholder of a secret that Resource Manager would read for a parameter. Raises Unevaluated."""
        secret, version = (document.at((*given, "reference", name)) for name in ("secretName", "secretVersion"))
        vault = str(document.at((*given, "reference", "keyVault", "id"))).rpartition("/")[2]
        name = f"keyvault:{plain(str(secret))}"
        written = f"${{{{ {name} }}}}"
        if version is None and vault.lower() == self.target.vault.lower() and not list(unknown_placeholders(written)):
            return f"${{{{ {REFERRED}{name} }}}}"
        problem = (
            "a reference to a version of a secret" if version else "a reference to a vault that isn't the policy's"
        )
        remedy = f'Write `"value": "{written}"`: rotator reads the newest version in its policy\'s vault.'
        raise Unevaluated("", "", document.mistake(given, f"{problem}, which only ARM can resolve", remedy))

    def _fits(self, document: Located, place: Path, value: Any, declared: Any) -> None:
        """Refuse a value that ARM would refuse, or a secret in plain sight. Raises Unevaluated."""
        kind, allowed = str(declared.get("type")).lower(), declared.get("allowedValues")
        wanted = _TYPES.get(kind)
        nothing = value is None and declared.get("nullable") is True
        if wanted and not nothing and not (isinstance(value, wanted) and isinstance(value, bool) == (wanted is bool)):
            mistake = document.mistake(place, f"not a value of type {kind}", "Write one, or correct the type.")
        elif isinstance(allowed, list) and not _allowed(value, allowed) and not has_placeholder(value):
            mistake = document.mistake(place, "not one of the allowedValues", "Write one of them, or add it there.")
        elif kind.startswith("secure") and any(text and not has_placeholder(text) for _, text in texts(value)):
            remedy = "Store it in Key Vault, and write ${{ keyvault:NAME }}, or ${{ credential:password }}."
            remedy += " Where only some of its values are secrets, declare it as object." if wanted is dict else ""
            mistake = document.mistake(place, "a secret in plain text", remedy)
        else:
            return
        raise Unevaluated("", "", mistake)

    def check_file(self) -> None:
        """A parameters file has parameters, and only those of the template."""
        file = self.file
        given = file.at(("parameters",)) if file else {}
        if file and not isinstance(given, dict):
            remedy = 'Write {"parameters": {"NAME": {"value": …}}}.'
            self.mistakes.append(file.mistake((), "not a parameters file: it has no parameters", remedy))
            return
        for name in given:
            if file and _path(self.found, "parameters", name) is None:
                problem = "a parameter that the template does not define"
                self.mistakes.append(file.mistake(("parameters", name), problem, "Remove it.", key=True))


def _allowed(value: Any, allowed: list[Any]) -> bool:
    """Tell if a value is one of those that are allowed, or an array of some of them (azure-facts A14)."""
    return value in allowed or (isinstance(value, list) and all(item in allowed for item in value))


def _path(document: Located, section: str, name: str) -> Path | None:
    """Return the path of a parameter or variable, whose name has no letter case; None if there is none."""
    found = document.at((section,))
    names = found if isinstance(found, dict) else {}
    return next(((section, each) for each in names if each.lower() == name.lower()), None)
