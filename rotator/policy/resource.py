"""One container group as it is sent, from what a manifest says: its names, tags and levels.

A file of `az container create --file` goes through az's model of a resource: it understands that model's own names,
which `az container export` writes (`user_assigned_identities`), makes a text of each tag, leaves out what is null and
what Azure alone writes, and drops every name that it doesn't know without a word. Here, what it would drop is refused
by name, where it could matter: only a mapping that an alias repeats elsewhere, names that begin with `x-`, and names
without a value are left out. `zones` are sent, though az drops them: they are a container group's.

A resource of an ARM template has the same names; its tags have to be texts. Whatever API version the file names, the
group is sent with rotator's: a property that only older versions have is refused (azure-facts B1).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from rotator.errors import Mistake
from rotator.policy import levels
from rotator.policy.acceptable import unacceptable
from rotator.policy.located import Located, Path, scalars
from rotator.policy.rules import GROUP
from rotator.remedy import EXPORT_GROUP

_TOP = {"location", "tags", "identity", "properties", "zones", "extendedLocation", "name", "type", "apiVersion"}
_SENT = {name.lower(): name for name in _TOP} | {"extended_location": "extendedLocation"}
_ALONE = {"id", "systemdata", "system_data", "etag"}
"""Names that only Azure writes."""
_IDENTITY = {"type": "type", "userassignedidentities": "userAssignedIdentities"}
_IDENTITY["user_assigned_identities"] = "userAssignedIdentities"
_PLACE = {"name": "name", "type": "type"}
"""Names of an extended location."""
_IDENTITY_ALONE = {"principalid", "principal_id", "tenantid", "tenant_id"}
_QUOTES = "Put it in quotes."


@dataclass(frozen=True, slots=True)
class Resource:
    """A container group as a file has it: the content at `path` of `found`, evaluated if it is of a template."""

    found: Located
    path: Path
    content: Mapping[str, Any]
    template: bool = False

    def body(self) -> tuple[dict[str, Any], list[Mistake]]:
        """Return the body that is sent, and every mistake."""
        sent, wrong = dict[str, Any](), list[Mistake]()
        repeated = {path[: len(self.path) + 1] for path in self.found.shared}
        for name, value in self.content.items():
            wire = _SENT.get(name.lower())
            if value is None or name.lower() in _ALONE:
                continue
            if wire is None:
                wrong += () if (*self.path, name) in repeated else self._unknown(name, value)
            elif wire in sent:
                wrong.append(self._mistake((name,), f"{wire} is given twice", "Remove one of them.", key=True))
            else:
                sent[wire], mistakes = self._entry(wire, value, (name,))
                wrong += mistakes
        return sent, [*wrong, *self._shape(sent), *self._levels(sent), *self._refused(sent), *self._dates(sent)]

    def _mistake(self, inside: Path, problem: str, remedy: str, *, key: bool = False) -> Mistake:
        return self.found.mistake((*self.path, *inside), problem, remedy, key=key)

    def _unknown(self, name: str, value: Any) -> Iterator[Mistake]:
        known = levels.home(name)
        if known:
            yield self._wrong_level((name,), *known)
        elif not (value in ({}, []) or name.lower().startswith("x-")):
            remedy = f"Remove it. Known here: {', '.join(sorted(_TOP))}."
            yield self._mistake((name,), "not a property of a container group", remedy, key=True)

    def _wrong_level(self, inside: Path, name: str, level: str) -> Mistake:
        return self._mistake(inside, f"at the wrong level: {name} belongs {level}", "Move it there.", key=True)

    def _entry(self, wire: str, value: Any, here: Path) -> tuple[Any, list[Mistake]]:
        if wire == "tags":
            return self._tags(value, here)
        if wire == "identity":
            return self._identity(value, here)
        if wire == "zones":
            return value, list(self._zones(value, here))
        if wire == "extendedLocation":
            return self._named(value, here, _PLACE, "extended location")
        if wire == "properties":
            wrong = [] if isinstance(value, dict) else [self._mistake(here, "no keys", "Write keys below it.")]
            return value, wrong
        return str(value) if isinstance(value, bool | int | float | date) and wire != "location" else value, []

    def _tags(self, value: Any, here: Path) -> tuple[Any, list[Mistake]]:
        if not isinstance(value, dict):
            return None, [
                self._mistake(here, "not tags: each tag needs a name and a value", "Write one `name: value` a line.")
            ]
        wrong = [
            self._mistake((*here, name), "not a text, as the value of a tag is", _QUOTES)
            for name, tag in value.items()
            if isinstance(tag, dict | list) or (self.template and not isinstance(tag, str))
        ]
        return {name: None if tag is None else str(tag) for name, tag in value.items()}, wrong

    def _identity(self, value: Any, here: Path) -> tuple[Any, list[Mistake]]:
        return self._named(value, here, _IDENTITY, "identity")

    def _named(self, value: Any, here: Path, names: Mapping[str, str], noun: str) -> tuple[Any, list[Mistake]]:
        """Return an object of az's model: each value a text, but for the identities; no nulls, no other names."""
        if not isinstance(value, dict):
            return None, [self._mistake(here, f"not an {noun}: no keys", "Write `type:` below it.")]
        sent, wrong = dict[str, Any](), list[Mistake]()
        for name, item in value.items():
            wire, place = names.get(name.lower()), (*here, name)
            if item is None or (noun == "identity" and name.lower() in _IDENTITY_ALONE):
                continue
            if wire is None or wire in sent:
                problem = f"not a property of an {noun}" if wire is None else f"{wire} is given twice"
                wrong.append(self._mistake(place, problem, "Remove it.", key=True))
            elif wire == "userAssignedIdentities":
                sent[wire], mistakes = self._assigned(item, place)
                wrong += mistakes
            else:
                sent[wire] = str(item)
                wrong += [self._mistake(place, "not a text", _QUOTES)] if isinstance(item, dict | list) else []
        return sent, wrong

    def _assigned(self, value: Any, here: Path) -> tuple[Any, list[Mistake]]:
        """Return the user-assigned identities, of which only the ids count: the rest is Azure's to write."""
        given = value if isinstance(value, dict) else {}
        wrong = [(*here, name) for name, item in given.items() if not (item is None or isinstance(item, dict))]
        wrong += [] if isinstance(value, dict) else [here]
        remedy = "Write each as `/subscriptions/…/userAssignedIdentities/NAME: {}`."
        mistakes = [self._mistake(path, "not the ids of identities", remedy) for path in wrong]
        return {name: None if item is None else {} for name, item in given.items()}, mistakes

    def _zones(self, value: Any, here: Path) -> Iterator[Mistake]:
        if not isinstance(value, list):
            yield self._mistake(here, "not a list of zones", 'Write `zones: ["1"]`.')
            return
        for index, zone in enumerate(value):
            if not isinstance(zone, str):
                yield self._mistake((*here, index), "not a text, as a zone is", _QUOTES)

    def _shape(self, sent: Mapping[str, Any]) -> Iterator[Mistake]:
        kind, properties = sent.get("type"), sent.get("properties")
        given = properties.items() if isinstance(properties, dict) else ()
        containers = next((value for name, value in given if name.lower() == "containers"), None)
        if kind is not None and not is_group(kind):
            yield self._mistake(("type",), "not the type of a container group", f"Write {GROUP.type}.")
        if not (isinstance(sent.get("location"), str) and sent["location"]):
            remedy = "Add the region of the group, for example `location: westeurope`."
            yield self._mistake(("location",), "no location", remedy)
        if not (isinstance(containers, list) and containers):
            remedy = f"Add them, as `{EXPORT_GROUP}` writes them."
            yield self._mistake(("properties", "containers"), "no containers", remedy)

    def _levels(self, sent: Mapping[str, Any]) -> Iterator[Mistake]:
        """Yield entries at the wrong level, and what only older API versions have."""
        properties = sent.get("properties")
        for place, name, level in levels.misplaced(properties):
            yield self._wrong_level(("properties", *place), name, level)
        for name, value in properties.items() if isinstance(properties, dict) else ():
            if name.lower() == "networkprofile" and value:
                problem = "a property of API versions before 2021-07-01, which Azure drops in newer ones"
                remedy = "Write the subnet of that profile: `subnetIds: [{id: /subscriptions/…/subnets/NAME}]`."
                yield self._mistake(("properties", name), problem, remedy, key=True)

    def _refused(self, sent: Mapping[str, Any]) -> Iterator[Mistake]:
        for inside, problem, remedy in unacceptable(sent):
            yield self._mistake(inside, problem, remedy)

    def _dates(self, sent: Mapping[str, Any]) -> Iterator[Mistake]:
        for name, value in sent.items():
            for path, one in scalars(value):
                if isinstance(one, date):
                    yield self._mistake((name, *path), "a date without quotes, which az can't send", _QUOTES)


def is_group(kind: object) -> bool:
    """Tell if a resource type is that of container groups."""
    return isinstance(kind, str) and kind.lower() == GROUP.type.lower()
