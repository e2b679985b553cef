"""Objects of one tenant's directory: lookup by id or application ID for writes, former states for lagging reads.

All parts of the directory share one `Records`; `Records` uses no part above.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from local_azure.clock import Clock
from local_azure.graph import shape
from local_azure.graph.objects import Application, DirectoryState, Earlier, Entry, Kind, ServicePrincipal
from local_azure.graph.refusals import missing
from local_azure.ids import Ids
from local_azure.timing import Timing
from local_azure.wire import ServiceError

REMEMBERED = timedelta(hours=1)
"""Time for which an object's earlier versions are kept, for reads that lag."""


@dataclass(slots=True)
class Records:
    """State of a directory, with the clock, ids and delays."""

    clock: Clock
    ids: Ids
    timing: Timing
    tenant: str
    state: DirectoryState

    # objects of an application

    def application(self, app_id: str) -> Application | None:
        """Return the application with this application (client) ID, in the current state."""
        found = self.state.applications.get(self.state.application_ids.get(app_id.lower(), ""))
        return found if found and found.deleted is None else None

    def principal(self, app_id: str) -> ServicePrincipal | None:
        """Return the service principal of an application in this tenant, in the current state."""
        return self.principal_by_id(self.state.principal_ids.get(app_id.lower(), ""))

    def principal_by_id(self, oid: str) -> ServicePrincipal | None:
        """Return the service principal with this object id, in the current state."""
        found = self.state.principals.get(oid.lower())
        return found if found and found.deleted is None else None

    def vacant(self, app_id: str) -> Application:
        """Return the application for a new service principal. Raises ServiceError 400 or 409.

        The refusals: 400 for an unknown application, 409 for an application with a service principal.
        """
        application = self.application(app_id)
        if application is None:
            message = f"The appId '{app_id}' of the service principal does not reference a valid application object."
            detail = {"code": "NoBackingApplicationObject", "message": message, "target": "appId"}
            raise ServiceError(400, "Request_BadRequest", message, extra={"details": [detail]})
        if self.principal(app_id):
            message = (
                "The service principal cannot be created, updated, or restored because the service principal name"
                f" {app_id} is already in use."
            )
            raise ServiceError(409, "Request_MultipleObjectsWithSameKeyValue", message)
        return application

    def register(self, made: ServicePrincipal) -> ServicePrincipal:
        """Keep a new service principal."""
        self.state.principals[made.id] = made
        self.state.principal_ids[made.app_id] = made.id
        return made

    # objects of any kind, and what reads that lag will show

    def collection(self, kind: Kind) -> Mapping[str, Entry]:
        """Return all objects of a collection by id, deleted objects too."""
        if kind == "groups":
            return self.state.groups
        if kind == "users":
            return self.state.users
        return self.state.applications if kind == "applications" else self.state.principals

    def ids_by_app(self, kind: Kind) -> Mapping[str, str]:
        """app_id → object id, in a collection whose objects belong to applications."""
        if kind in ("groups", "users"):
            return {}
        return self.state.application_ids if kind == "applications" else self.state.principal_ids

    def id_of(self, kind: Kind, app_id: str) -> str:
        """Return the object id for an application ID.

        Returns the application ID if no object is found, for the text of the 404.
        """
        return self.ids_by_app(kind).get(app_id.lower(), app_id)

    def holder(self, kind: Kind, key: str) -> Entry:
        """Return the object with this id, in the current state. Raises ServiceError 404.

        An application ID is not accepted.
        """
        found = self.known(kind, key)
        if found is None:
            raise missing(key)
        return found

    def known(self, kind: Kind, key: str) -> Entry | None:
        """The object as a write sees it; None where there is none."""
        found = self.collection(kind).get(key.lower())
        return found if found and found.deleted is None else None

    def any(self, oid: str) -> Entry | None:
        """Return the object of any kind with this id."""
        return (
            self.known("servicePrincipals", oid)
            or self.known("groups", oid)
            or self.known("applications", oid)
            or self.known("users", oid)
        )

    def remember(self, target: Entry) -> None:
        """Keep an object's current state before a change, for lagging reads."""
        now = self.clock.now()
        kept = [version for version in target.earlier if version.until > now - REMEMBERED]
        hung = [list(map(deepcopy, getattr(target, name, ()))) for name in ("owners", "federated")]
        target.earlier = [*kept, Earlier(now, self.body(target), *hung)]

    def body(self, target: Entry) -> dict[str, Any]:
        """Return an object's current JSON."""
        application = self.application(target.app_id) if isinstance(target, ServicePrincipal) else None
        return shape.body(target, self.tenant, self.state.domain, application)
