"""Container groups among the resources of an ARM template, and of the deployments inside it.

Rules for editors of this file:

1. `resources` is a list, or, since languageVersion 2.0, an object of symbolic names. A loop of resources is as many of
   them as its count. Resources beside the container groups are deployed by other tools.
2. A nested deployment with a template of its own is read, and each that a loop makes: its expressions belong to that
   template where its scope is `inner`, else to the template around it (azure-facts A14). A linked one and one into
   another resource group are refused by name.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from rotator.errors import Mistake
from rotator.policy.arm_functions import UNKNOWN
from rotator.policy.arm_syntax import Unevaluated
from rotator.policy.arm_template import Template
from rotator.policy.located import Located, Path, plain
from rotator.policy.resource import is_group

_DEPLOYMENT = "microsoft.resources/deployments"
_ELSEWHERE = ("resourcegroup", "subscriptionid", "scope")
"""Properties of a nested deployment that may be deployed elsewhere."""
DEEPEST = 8
"""Levels of deployments in deployments."""


@dataclass(frozen=True, slots=True)
class TemplateResource:
    """Resource of a template: its path, and its number in a loop of resources."""

    template: Template
    path: Path
    index: int | None = None

    @property
    def condition(self) -> Any:
        """The value of its condition; None where that is unknown."""
        here = (*self.path, "condition")
        try:
            return True if self.template.found.at(here) is None else self.template.value(here)
        except Unevaluated:
            return None

    def ensure_deployed(self) -> None:
        """Refuse a resource whose condition isn't true. Raises Unevaluated."""
        here = (*self.path, "condition")
        if self.template.found.at(here) is not None and self.template.value(here) is not True:
            problem = "a condition that is not true, so ARM would not deploy the resource"
            self.template.refuse(here, problem, "Remove it.")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A container group of a template, or a deployment that may have one.

    `within`: the nested deployments around it. `outer`: it stands in a template whose expressions belong to another.
    """

    place: TemplateResource
    within: tuple[TemplateResource, ...] = ()
    outer: bool = False

    @property
    def name(self) -> str:
        """The name, with `*` for a part that only ARM knows; as written where it can't be evaluated."""
        outline = self.outline
        written = self.place.template.found.at((*self.place.path, "name"))
        return str(written) if outline is None else outline.replace(UNKNOWN, "*")

    @property
    def outline(self) -> str | None:
        """The name, with UNKNOWN for a part that only ARM knows; None where it can't be evaluated."""
        with self.entry():
            try:
                return self.place.template.outline((*self.place.path, "name"))
            except Unevaluated:
                return None

    def fits(self, name: str) -> bool:
        """Tell if the name, of which a part is known, may be the one in a policy."""
        parts = [re.escape(part) for part in self.name.split("*")]
        return bool(re.fullmatch(".*".join(parts), name, re.IGNORECASE))

    @property
    def alone(self) -> bool:
        """Tell if no loop makes it."""
        return all(each.index is None for each in (*self.within, self.place))

    @property
    def left_out(self) -> bool:
        """Tell if the template doesn't deploy the group, or a deployment around it; False where that is unknown."""
        with self.entry():
            return any(each.condition is False for each in (*self.within, self.place))

    @contextmanager
    def entry(self) -> Iterator[None]:
        """Let copyIndex() be the candidate's number, and that of each deployment around it."""
        with ExitStack() as stack:
            for each in (*self.within, self.place):
                loop = each.template.found.at((*each.path, "copy", "name"))
                stack.enter_context(each.template.counting(loop, each.index))
            yield


class Inner(Template):
    """Template of a nested deployment, with parameters that the template around it gives."""

    def __init__(self, around: Template, deployment: Path) -> None:
        super().__init__(around.inside((*deployment, "template")), None, around.group_id, around.target)
        self.mistakes, self._around, self._deployment = around.mistakes, around, deployment
        self.outlining = around.outlining

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


def candidates(around: Candidate, unread: list[Mistake]) -> Iterator[Candidate]:
    """Yield the container groups of the template at the place of `around`, and of the deployments in it.

    `unread` gets a mistake for what may have others.
    """
    for path, item in _resources(around.place.template.found, around.place.path):
        group = is_group(item.get("type")) and not item.get("existing")
        if not group and str(item.get("type")).lower() != _DEPLOYMENT:
            continue
        for place in _each(around, path, item, unread):
            found = Candidate(place, around.within, around.outer)
            if group:
                yield found
            elif why := _unread(found, item):
                problem = f"{why}, which rotator does not read, and no container group outside it"
                remedy = "Put the container group into this template, or name its own file."
                unread.append(place.template.found.mistake(path, problem, remedy))
            else:
                yield from candidates(_inside(found, item), unread)


def _each(around: Candidate, path: Path, item: Mapping[str, Any], unread: list[Mistake]) -> Iterator[TemplateResource]:
    """Yield a resource, or each that a loop of resources makes. Raises Unevaluated where there are too many."""
    template = around.place.template
    try:
        with around.entry():
            count = template.copies(path, item)
    except Unevaluated as error:
        unread += [error.mistake] if error.mistake else []
        return
    first = (*around.within, around.place)[0].template
    for index in (None,) if count is None else range(count):
        first.spend_on_resource(path)
        yield TemplateResource(template, path, index)


def _inside(found: Candidate, item: Mapping[str, Any]) -> Candidate:
    template, deployment = found.place.template, (*found.place.path, "properties")
    within = (*found.within, found.place)
    options = item["properties"].get("expressionEvaluationOptions")
    scope = options.get("scope") if isinstance(options, dict) else None
    if str(scope).lower() == "inner":
        return Candidate(TemplateResource(Inner(template, deployment), ()), within)
    return Candidate(TemplateResource(template, (*deployment, "template")), within, outer=True)


def _unread(found: Candidate, item: Mapping[str, Any]) -> str:
    """Return why a nested deployment isn't read, or nothing."""
    if len(found.within) >= DEEPEST:
        return "a nested deployment of too many levels"
    properties = item.get("properties")
    if not isinstance(properties, dict) or not isinstance(properties.get("template"), dict):
        return "a linked deployment"
    with found.entry():
        for name in item:
            if name.lower() in _ELSEWHERE and not _here(found.place.template, (*found.place.path, name)):
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
