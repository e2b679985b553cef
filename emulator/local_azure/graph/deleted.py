"""Deleted applications, service principals and users; they can be restored for thirty days.

Source: "Restore deleted item". A restored application comes back without the service principal; restore the service
principal separately. Security groups can't be restored.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from local_azure.graph.objects import Application, Group, Holder, Kind, User
from local_azure.graph.records import Records
from local_azure.graph.refusals import missing
from local_azure.graph.users import Users

Deleted = Holder | User
"""Kinds of objects that can be restored."""

KEPT = timedelta(days=30)
"""After this a deleted object is gone."""


@dataclass(frozen=True, slots=True)
class DeletedItems:
    """The recycle bin of a directory."""

    records: Records
    users: Users

    def every(self, kind: Kind) -> Iterator[Deleted]:
        """The deleted objects of a collection."""
        for target in self.records.collection(kind).values():
            if not isinstance(target, Group) and self._there(target):
                yield target

    def _there(self, target: Deleted) -> bool:
        return target.deleted is not None and self.records.clock.now() < target.deleted + KEPT

    def find(self, oid: str) -> Deleted:
        """Return a deleted object by id. Raises ServiceError 404."""
        state = self.records.state
        key = oid.lower()
        found: Deleted | None = state.applications.get(key) or state.principals.get(key) or state.users.get(key)
        if found is None or not self._there(found):
            raise missing(oid)
        return found

    def restore(self, oid: str) -> Deleted:
        """Have a deleted object back, passwords and all.

        Raises ServiceError 404; 400 or 409 for a service principal that can't be.
        """
        found = self.find(oid)
        if isinstance(found, User):
            self.users.permit({"userPrincipalName": found.name}, found.id)
        elif not isinstance(found, Application):
            self.records.vacant(found.app_id)
            self.records.state.principal_ids[found.app_id] = found.id
        found.deleted = None
        return found

    def destroy(self, oid: str) -> None:
        """Delete for good; with an application goes its deleted service principal. Raises ServiceError 404."""
        found, state = self.find(oid), self.records.state
        if isinstance(found, User):
            del state.users[found.id]
            return
        if isinstance(found, Application):
            del state.applications[found.id], state.application_ids[found.app_id]
            gone = [
                each for each in state.principals.values() if each.app_id == found.app_id and each.deleted is not None
            ]
        else:
            gone = [found]
        for principal in gone:
            del state.principals[principal.id]
            if state.principal_ids.get(principal.app_id) == principal.id:
                del state.principal_ids[principal.app_id]
