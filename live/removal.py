"""Removal of the resources that runs for a resource group have made, and of no others; names those left."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from live.azure import Answer, Azure, Stopped
from live.marks import PREFIX, TAG, is_called_by, is_of, place

LOCKS = "2020-05-01"


@dataclass(frozen=True, slots=True)
class Thing:
    """One marked resource: its name, and the request by which it is removed."""

    name: str
    remove: Callable[[], Answer]


@dataclass(frozen=True, slots=True)
class Removal:
    """Removal of the marked resources of one resource group."""

    azure: Azure
    subscription: str
    group: str

    @property
    def path(self) -> str:
        """Path of the resource group."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"

    def look(self) -> list[Thing]:
        """Return the existing marked resources in the order of their removal."""
        return [*self._locks(), *self._group(), *self._vaults(), *self._applications(), *self._deleted()]

    def clear(self, tell: Callable[[str], None]) -> list[str]:
        """Remove every marked resource; return the names of those left.

        Takes three rounds: a deletion can leave a deleted object, which the next round purges.
        """
        for _ in range(3):
            things = self.look()
            for thing in things:
                tell(f"removing {thing.name}")
                self._try(thing, tell)
            if not things:
                break
        return [thing.name for thing in self.look()]

    def _try(self, thing: Thing, tell: Callable[[str], None]) -> None:
        try:
            answer = thing.remove()
        except Stopped as stopped:
            tell(self.azure.hidden.text(str(stopped)))
            return
        if answer.status >= 400 and answer.status != 404:
            tell(self.azure.hidden.text(answer.brief))

    def _values(self, answer: Answer) -> list[dict[str, Any]]:
        return list(answer.at("value") or []) if answer.status == 200 else []

    def _tagged(self, thing: dict[str, Any]) -> bool:
        return is_of(self.subscription, self.group, (thing.get("tags") or {}).get(TAG))

    def _locks(self) -> Iterator[Thing]:
        """Yield locks of earlier checks: a lock refuses every deletion."""
        listed = self.azure.arm("GET", f"{self.path}/providers/Microsoft.Authorization/locks", version=LOCKS)
        for lock in self._values(listed):
            if is_of(self.subscription, self.group, (lock.get("properties") or {}).get("notes")):
                yield Thing(f"lock {lock['name']}", partial(self.azure.arm, "DELETE", str(lock["id"]), version=LOCKS))

    def _group(self) -> Iterator[Thing]:
        """Yield the resource group; or, if it has resources of others, each marked resource alone."""
        shown = self.azure.arm("GET", self.path)
        if shown.status != 200 or not self._tagged(shown.body):
            return
        found = self._values(self.azure.arm("GET", f"{self.path}/resources"))
        own = [each for each in found if self._tagged(each)]
        if len(own) == len(found):
            yield Thing(f"resource group {self.group}", partial(self._delete, self.path))
            return
        for each in own:
            yield Thing(f"{each['type']} {each['name']}", partial(self._delete, str(each["id"])))

    def _delete(self, path: str) -> Answer:
        answer = self.azure.arm("DELETE", path)
        return self.azure.finished(answer) if answer.status < 400 else answer

    def _vaults(self) -> Iterator[Thing]:
        """Yield deleted vaults, which keep their names taken until purged."""
        path = f"/subscriptions/{self.subscription}/providers/Microsoft.KeyVault/deletedVaults"
        for vault in self._values(self.azure.arm("GET", path)):
            if self._tagged(vault.get("properties") or {}):
                yield Thing(f"deleted vault {vault['name']}", partial(self._purge, str(vault["id"])))

    def _purge(self, path: str) -> Answer:
        answer = self.azure.arm("POST", f"{path}/purge")
        return self.azure.finished(answer) if answer.status < 400 else answer

    def _named(self, collection: str) -> Iterator[dict[str, Any]]:
        words = quote(f"startswith(displayName,'{PREFIX}{place(self.subscription, self.group)}-')")
        address = f"/{collection}?$filter={words}&$count=true"
        for thing in self._values(self.azure.graph("GET", address, ConsistencyLevel="eventual")):
            if is_called_by(self.subscription, self.group, thing.get("displayName")):
                yield thing

    def _applications(self) -> Iterator[Thing]:
        """Yield applications, service principals without one, and groups."""
        for collection in ("applications", "servicePrincipals", "groups"):
            for thing in self._named(collection):
                address = f"/{collection}/{thing['id']}"
                yield Thing(f"{collection} {thing['displayName']}", partial(self.azure.graph, "DELETE", address))

    def _deleted(self) -> Iterator[Thing]:
        """Yield deleted objects of Entra, which Entra keeps for thirty days."""
        for kind in ("application", "servicePrincipal", "group"):
            for thing in self._named(f"directory/deletedItems/microsoft.graph.{kind}"):
                address = f"/directory/deletedItems/{thing['id']}"
                yield Thing(f"deleted {kind} {thing['displayName']}", partial(self.azure.graph, "DELETE", address))
