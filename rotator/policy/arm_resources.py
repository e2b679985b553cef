"""The one container group among the resources of an ARM template, and of the deployments inside it.

Rules for editors of this file:

1. `resources` is a list, or, since languageVersion 2.0, an object of symbolic names. A loop of resources is as many of
   them as its count. Resources beside the container group are deployed by other tools.
2. A nested deployment with a template of its own is read: its expressions belong to that template where its scope is
   `inner`, else to the template around it (azure-facts A14). A linked one, a loop of them, and one into another
   resource group are refused by name.
3. With the scope `outer` Resource Manager evaluates a text again, where its value is an expression: it is refused.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rotator.errors import Mistake
from rotator.policy.arm_expression import is_expression, literal
from rotator.policy.arm_syntax import Unevaluated
from rotator.policy.arm_template import Template
from rotator.policy.located import Located, Path, plain, texts
from rotator.policy.resource import is_group
from rotator.remedy import EXPORT_GROUP

_DEPLOYMENT = "microsoft.resources/deployments"
_ELSEWHERE = ("resourcegroup", "subscriptionid", "scope")
"""Properties of a nested deployment that may be deployed elsewhere."""
DEEPEST = 8
"""Levels of deployments in deployments."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A container group of a template: the place of its resource, and its number in a loop of resources.

    `within`: the nested deployments around it, each with the template that has it. `outer`: it stands in a template
    whose expressions belong to another.
    """

    template: Template
    path: Path
    index: int | None = None
    within: tuple[tuple[Template, Path], ...] = ()
    outer: bool = False

    @property
    def name(self) -> str:
        """The name, as written where it can't be evaluated."""
        with self.entry():
            try:
                return str(self.template.value((*self.path, "name")))
            except Unevaluated:
                return str(self.template.found.at((*self.path, "name")))

    @property
    def left_out(self) -> bool:
        """Tell if the template doesn't deploy the group, or a deployment around it; False where that is unknown."""
        with self.entry():
            return any(_condition(*place) is False for place in (*self.within, (self.template, self.path)))

    @contextmanager
    def entry(self) -> Iterator[None]:
        """Let copyIndex() be the candidate's number."""
        with self.template.counting(self.template.found.at((*self.path, "copy", "name")), self.index):
            yield


class Inner(Template):
    """Template of a nested deployment, with parameters that the template around it gives."""

    def __init__(self, around: Template, deployment: Path) -> None:
        super().__init__(around.found.inside((*deployment, "template")), None, around.group_id, around.target)
        self.mistakes, self._around, self._deployment = around.mistakes, around, deployment

    def _given(self, path: Path, name: str, declared: Mapping[str, Any]) -> tuple[Located, Path, Any]:
        given = self._around.found.at((*self._deployment, "parameters"))
        names = given if isinstance(given, dict) else {}
        called = next((each for each in names if each.lower() == name.lower()), None)
        if called is None:
            return super()._given(path, name, declared)
        place, document = (*self._deployment, "parameters", called), self._around.found
        if isinstance(names[called], dict) and names[called].get("reference") is not None:
            return document, place, self._secret(document, place)
        return document, (*place, "value"), self._around.value((*place, "value"))


def container_group(template: Template) -> tuple[Located, Path, dict[str, Any]] | None:
    """Return the container group: its document, path and content; None, with a mistake, if it isn't exactly one."""
    template.check_file()
    try:
        chosen = _chosen(template)
        return (chosen.template.found, chosen.path, _content(chosen)) if chosen else None
    except Unevaluated as error:
        template.mistakes += [error.mistake] if error.mistake and error.mistake not in template.mistakes else []
    except RecursionError:
        template.refuse(("resources",), "values that are nested too deeply", "Write them out.")
    return None


def _content(chosen: Candidate) -> dict[str, Any]:
    for template, path in chosen.within:
        _ensure_deployed(template, path)
    with chosen.entry():
        _ensure_deployed(chosen.template, chosen.path)
        content = chosen.template.resource(chosen.path)
    for path, text in texts(content) if chosen.outer else ():
        if is_expression(text) or literal(text) != text:
            problem = "a text in brackets, which Resource Manager evaluates again in a nested deployment of outer scope"
            remedy = 'Write `"expressionEvaluationOptions": {"scope": "inner"}` in the deployment.'
            chosen.template.refuse((*chosen.path, *path), problem, remedy)
    return content


def _condition(template: Template, path: Path) -> Any:
    """Return the condition of a resource; None where it has no value."""
    here = (*path, "condition")
    try:
        return True if template.found.at(here) is None else template.value(here)
    except Unevaluated:
        return None


def _ensure_deployed(template: Template, path: Path) -> None:
    here = (*path, "condition")
    if template.found.at(here) is not None and template.value(here) is not True:
        template.refuse(here, "a condition that is not true, so ARM would not deploy the resource", "Remove it.")


def _chosen(template: Template) -> Candidate | None:
    unread = list[Mistake]()
    found = list(_candidates(Candidate(template, ()), unread))
    if not found:
        remedy = f"Name the template that has one, or what `{EXPORT_GROUP}` writes."
        nothing = template.found.mistake(("resources",), "no container group in this template", remedy)
        template.mistakes.append(unread[0] if unread else nothing)
        return None
    if len(found) == 1 and found[0].index is None:
        return found[0]
    names = [each.name for each in found]
    wanted = template.group_id.name
    chosen = [each for each, name in zip(found, names, strict=True) if name.lower() == wanted.lower()]
    chosen = [each for each in chosen if not each.left_out] or chosen[:1]
    if len(chosen) == 1:
        return chosen[0]
    problem, remedy = (
        f"several container groups are named {plain(wanted)}",
        "Name each by itself, or let one condition be true.",
    )
    if not chosen:
        problem = f"several container groups, but none is named {plain(wanted)}: {plain(', '.join(names))}"
        remedy = "Correct the group's name here, or its id in the policy."
    template.refuse(("resources",), problem, remedy)
    return None


def _candidates(around: Candidate, unread: list[Mistake]) -> Iterator[Candidate]:
    """Yield the container groups of the template at the path of `around`, and of the deployments in it.

    `unread` gets a mistake for what may have others.
    """
    template = around.template
    for path, item in _resources(template.found, around.path):
        if is_group(item.get("type")) and not item.get("existing"):
            yield from _each(around, path, item, unread)
        elif str(item.get("type")).lower() == _DEPLOYMENT:
            if why := _unread(template, path, item, len(around.within)):
                problem = f"{why}, which rotator does not read, and no container group outside it"
                remedy = "Put the container group into this template, or name its own file."
                unread.append(template.found.mistake(path, problem, remedy))
            else:
                yield from _candidates(_inside(around, path, item), unread)


def _each(around: Candidate, path: Path, item: Mapping[str, Any], unread: list[Mistake]) -> Iterator[Candidate]:
    """Yield a container group, or each that a loop of resources makes."""
    try:
        count = around.template.copies(path, item)
    except Unevaluated as error:
        unread += [error.mistake] if error.mistake else []
        return
    counted: Iterable[int | None] = (None,) if count is None else range(count)
    yield from (Candidate(around.template, path, at, around.within, around.outer) for at in counted)


def _inside(around: Candidate, path: Path, item: Mapping[str, Any]) -> Candidate:
    deployment, within = (*path, "properties"), (*around.within, (around.template, path))
    options = item["properties"].get("expressionEvaluationOptions")
    scope = options.get("scope") if isinstance(options, dict) else None
    if str(scope).lower() == "inner":
        return Candidate(Inner(around.template, deployment), (), within=within)
    return Candidate(around.template, (*deployment, "template"), within=within, outer=True)


def _unread(template: Template, path: Path, item: Mapping[str, Any], level: int) -> str:
    """Return why a nested deployment isn't read, or nothing."""
    if level >= DEEPEST:
        return "a nested deployment of too many levels"
    properties = item.get("properties")
    if not isinstance(properties, dict) or not isinstance(properties.get("template"), dict):
        return "a linked deployment"
    for name in item:
        if name.lower() == "copy":
            return "a loop (copy) of deployments"
        if name.lower() in _ELSEWHERE and not _here(template, (*path, name)):
            return f"a deployment into another place ({plain(name)})"
    return ""


def _here(template: Template, path: Path) -> bool:
    """Tell if a nested deployment names the container group's own subscription or resource group."""
    subscription, group = template.group()
    own = {"subscriptionid": subscription, "resourcegroup": group}.get(str(path[-1]).lower(), "")
    try:
        return bool(own) and str(template.value(path)).lower() == own.lower()
    except Unevaluated:
        return False


def _resources(found: Located, base: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    listed = found.at((*base, "resources"))
    pairs = listed.items() if isinstance(listed, dict) else enumerate(listed if isinstance(listed, list) else ())
    return (((*base, "resources", part), item) for part, item in pairs if isinstance(item, dict))
