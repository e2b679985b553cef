"""What reads show: the directory as it was a moment ago, one object or a page of many."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from local_azure.faults import Faults
from local_azure.graph.objects import Entry, Kind
from local_azure.graph.properties import KINDRED
from local_azure.graph.queries import Query, expired_page
from local_azure.graph.records import Records
from local_azure.graph.refusals import missing

STALE = 120.0
"""By how many seconds a ``stale`` read lags unless the fault's argument says otherwise (observed: up to two minutes).
"""


@dataclass(frozen=True, slots=True)
class Glance:
    """The instant that one read shows. `stale` reads miss even objects that were created since."""

    at: datetime
    stale: bool


@dataclass(frozen=True, slots=True)
class Reads:
    """Reads of a directory."""

    records: Records
    faults: Faults

    def glance(self) -> Glance:
        """What the read that is being served shows: ``timing.graph_read`` ago, or longer where a ``stale`` fault strikes it."""
        stale = self.faults.active("stale")
        lag = float(stale.argument or STALE) if stale else self.records.timing.graph_read
        return Glance(self.records.clock.now() - timedelta(seconds=lag), stale is not None)

    def seen(self, target: Entry, glance: Glance) -> dict[str, Any] | None:
        """An object's JSON as a read shows it; None where it doesn't exist yet, or no longer."""
        if (target.deleted and target.deleted <= glance.at) or (glance.stale and target.created > glance.at):
            return None
        version = next((version for version in target.earlier if version.until > glance.at), None)
        body = version.body if version else self.records.body(target)
        return {**body, "deletedDateTime": None} if target.deleted else body

    def hung(self, target: Entry, name: str) -> list[Any]:
        """A list that hangs on an object, which a ``stale`` read shows as it was."""
        glance = self.glance()
        version = (
            next((version for version in target.earlier if version.until > glance.at), None) if glance.stale else None
        )
        found: list[Any] = getattr(version or target, name, [])
        return found

    def one(self, kind: Kind, key: str, glance: Glance) -> dict[str, Any]:
        """The object with this id as a read shows it. Raises ServiceError 404."""
        target = self.records.collection(kind).get(key.lower())
        body = self.seen(target, glance) if target else None
        if body is None:
            raise missing(key)
        return body

    def page(self, kind: Kind, wanted: Query, glance: Glance) -> tuple[list[dict[str, Any]], bool, int | None]:
        """One page of a list as a read shows it, whether more follow, and how many there are in all where that is asked for."""
        if wanted.order is None and not wanted.count:
            found = list(islice(self._matching(kind, wanted, glance, wanted.after), wanted.top + 1))
            return found[: wanted.top], len(found) > wanted.top, None
        everything = _sorted(list(self._matching(kind, wanted, glance)), wanted.order)
        found = _following(everything, wanted.after)
        return found[: wanted.top], len(found) > wanted.top, len(everything) if wanted.count else None

    def count(self, kind: Kind, wanted: Query, glance: Glance) -> int:
        """How many objects there are of what is asked for."""
        return sum(1 for _ in self._matching(kind, wanted, glance))

    def _matching(
        self, kind: Kind, wanted: Query, glance: Glance, after: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Every object of the collection that is asked for, of those that come after the one with the id `after`."""
        objects, ids = self.records.collection(kind), self.records.ids_by_app(kind)
        keys = wanted.filter.keys
        picked = objects if keys is None else sorted({ids.get(key, key) for key in keys} & objects.keys())
        relations = wanted.filter.names & {*KINDRED[kind].relations}
        begun = after is None
        for oid in picked:
            if (
                begun
                and (body := self.seen(objects[oid], glance))
                and wanted.holds(body | _ends(objects[oid], relations))
            ):
                yield body
            begun = begun or oid == after


def _ends(target: Entry, relations: Collection[str]) -> dict[str, Any]:
    """The ids at the other end of relations that a filter looks at (``owners/$count``)."""
    return {name: [{"id": oid} for oid in getattr(target, name, ())] for name in relations}


def _following(bodies: list[dict[str, Any]], after: str | None) -> list[dict[str, Any]]:
    """The bodies behind the one with the id `after`. Raises ServiceError 400 where that is no longer among them."""
    if after is None:
        return bodies
    place = next((at for at, body in enumerate(bodies) if body["id"] == after), None)
    if place is None:
        raise expired_page()
    return bodies[place + 1 :]


def _sorted(bodies: list[dict[str, Any]], order: tuple[str, bool] | None) -> list[dict[str, Any]]:
    if order is None:
        return bodies
    name, downwards = order
    return sorted(bodies, key=lambda body: str(body.get(name) or "").lower(), reverse=downwards)
