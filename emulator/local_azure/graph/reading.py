"""Reads of the directory with their lag: one object or a page of many."""

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
"""Seconds by which a ``stale`` read lags, unless the fault's argument says otherwise (observed: up to two minutes).
"""


@dataclass(frozen=True, slots=True)
class Glance:
    """Instant shown by one read. `stale` reads also miss objects created after the instant."""

    at: datetime
    stale: bool


@dataclass(frozen=True, slots=True)
class Reads:
    """Reads of a directory."""

    records: Records
    faults: Faults

    def glance(self) -> Glance:
        """Return the instant for the current read: ``timing.graph_read`` ago.

        A ``stale`` fault makes the lag longer.
        """
        stale = self.faults.active("stale")
        lag = float(stale.argument or STALE) if stale else self.records.timing.graph_read
        return Glance(self.records.clock.now() - timedelta(seconds=lag), stale is not None)

    def seen(self, target: Entry, glance: Glance) -> dict[str, Any] | None:
        """Return an object's JSON at a read's instant; None if the object doesn't exist then."""
        if (target.deleted and target.deleted <= glance.at) or (glance.stale and target.created > glance.at):
            return None
        version = next((version for version in target.earlier if version.until > glance.at), None)
        body = version.body if version else self.records.body(target)
        return {**body, "deletedDateTime": None} if target.deleted else body

    def hung(self, target: Entry, name: str) -> list[Any]:
        """Return a list attached to an object; a ``stale`` read gets the former list."""
        glance = self.glance()
        version = (
            next((version for version in target.earlier if version.until > glance.at), None) if glance.stale else None
        )
        found: list[Any] = getattr(version or target, name, [])
        return found

    def one(self, kind: Kind, key: str, glance: Glance) -> dict[str, Any]:
        """Return the object with this id at a read's instant. Raises ServiceError 404."""
        target = self.records.collection(kind).get(key.lower())
        body = self.seen(target, glance) if target else None
        if body is None:
            raise missing(key)
        return body

    def page(self, kind: Kind, wanted: Query, glance: Glance) -> tuple[list[dict[str, Any]], bool, int | None]:
        """Return one page of a list at a read's instant, a flag for more pages, and the total number.

        The total is None if the query doesn't ask for a count.
        """
        if wanted.order is None and not wanted.count:
            found = list(islice(self._matching(kind, wanted, glance, wanted.after), wanted.top + 1))
            return found[: wanted.top], len(found) > wanted.top, None
        everything = _sorted(list(self._matching(kind, wanted, glance)), wanted.order)
        found = _following(everything, wanted.after)
        return found[: wanted.top], len(found) > wanted.top, len(everything) if wanted.count else None

    def count(self, kind: Kind, wanted: Query, glance: Glance) -> int:
        """Return the number of objects matching the query."""
        return sum(1 for _ in self._matching(kind, wanted, glance))

    def _matching(
        self, kind: Kind, wanted: Query, glance: Glance, after: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield every matching object of the collection, from the one behind the id `after`."""
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
