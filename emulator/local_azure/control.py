"""The emulator's own endpoint: actions of a test or a demo beyond the clients of Azure.

The endpoint has a host name of its own beside the services, and answers callers with the control token of the state
directory. In process, the same actions are methods of :class:`~local_azure.azure.Azure`.
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta

from local_azure import asked
from local_azure.app import App
from local_azure.arm.behaviour import REGISTRIES
from local_azure.arm.regions import REGIONS
from local_azure.azure import Azure
from local_azure.clock import LAST, iso
from local_azure.directory import CONTROL_HOST
from local_azure.picture import draw, refused_pulls
from local_azure.proxy import TurnedAway
from local_azure.store import dump
from local_azure.wire import Call, Caller, Request, Response, Route, ServiceError, Table


class Control:
    """Service at :data:`CONTROL_HOST`; `token` is the required bearer token."""

    name = "emulator"

    def __init__(self, azure: Azure, app: App, token: str, turned_away: Sequence[TurnedAway] = ()) -> None:
        self.azure, self.app, self._token, self._turned_away = azure, app, token, turned_away
        self.table = Table(
            (
                Route("emulator.state.get", "GET", "/state", self.state),
                Route("emulator.clock.get", "GET", "/clock", self.time),
                Route("emulator.clock.advance", "POST", "/clock", self.advance),
                Route("emulator.host.move", "POST", "/move-host", self.move_host),
                Route("emulator.faults.list", "GET", "/faults", self.faults),
                Route("emulator.faults.add", "POST", "/faults", self.add_fault),
                Route("emulator.faults.clear", "DELETE", "/faults", self.clear_faults),
                Route("emulator.pulls.refused", "GET", "/refused", self.refused),
                Route("emulator.images.push", "POST", "/images", self.push),
                Route("emulator.quotas.set", "POST", "/quotas", self.quota),
                Route("emulator.subscriptions.add", "POST", "/subscriptions", self.subscribe),
                Route("emulator.calls.list", "GET", "/calls", self.calls),
                Route("emulator.hosts.refused", "GET", "/turned-away", self.turned_away),
            )
        )

    def serves(self, host: str) -> bool:
        """Tell if `host` is the control endpoint's own name."""
        return host == CONTROL_HOST

    def authenticate(self, request: Request) -> Caller:
        """Accept a request with the token; the caller has no particular identity."""
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            raise ServiceError(
                401, "Unauthorized", "The control endpoint wants the token of the emulator's state directory."
            )
        return Caller("", "", "control")

    def refuse(self, error: ServiceError, request: Request) -> Response:
        """The error as JSON, in the way of Azure Resource Manager."""
        return Response.json(error.status, {"error": {"code": error.code, "message": error.message}}, error.headers)

    def headers(self, request: Request) -> dict[str, str]:
        """Add no headers."""
        return {}

    def state(self, call: Call) -> Response:
        """Return the whole state, as visible to a client with all rights.

        With ``?secrets=true``, return the state as stored.
        """
        if call.request.query.get("secrets", "false") not in ("true", "false"):
            raise asked.refusal("'secrets' has to be true or false.")
        if call.request.query.get("secrets") != "true":
            return Response.json(200, draw(self.azure))
        return Response.json(200, {**dump(self.azure), "issued": sorted(self.azure.directory.every_secret())})

    def time(self, call: Call) -> Response:
        """Azure's time."""
        return Response.json(200, {"now": iso(self.azure.clock.now())})

    def advance(self, call: Call) -> Response:
        """Let ``advance`` seconds pass at once."""
        seconds = asked.number(call.request.json(), "advance")
        if seconds < 0:
            raise asked.refusal("Time can't go back.")
        try:
            return Response.json(200, {"now": iso(self.azure.clock.advance(timedelta(seconds=seconds)))})
        except (ValueError, OverflowError):
            raise asked.refusal(f"Time can't go on by {seconds:g} s: Azure's dates end with {LAST:%Y-%m-%d}.") from None

    def move_host(self, call: Call) -> Response:
        """Move the group ``id`` to another host; the group pulls again with the stored credential."""
        moved = self.azure.container_groups.move_host(asked.text(call.request.json(), "id", asked.GROUP))
        return Response.json(200, {"moved": moved})

    def faults(self, call: Call) -> Response:
        """List the planned faults and the struck faults."""
        return Response.json(
            200,
            {
                "planned": [asdict(f) for f in self.azure.faults.planned],
                "struck": [asdict(f) for f in self.azure.faults.struck],
            },
        )

    def add_fault(self, call: Call) -> Response:
        """Plan one fault, given as the fields of :class:`~local_azure.faults.Fault`."""
        fault = asked.fault(call.request.json(), self.app.services)
        self.azure.faults.add(fault)
        return Response.json(201, asdict(fault))

    def clear_faults(self, call: Call) -> Response:
        """Remove the planned faults."""
        self.azure.faults.clear()
        return Response(204)

    def refused(self, call: Call) -> Response:
        """List every refused pull, oldest first."""
        return Response.json(200, {"value": refused_pulls(self.azure.container_groups.refused)})

    def push(self, call: Call) -> Response:
        """Put an image into a registry.

        Fields: ``registry`` (login server, or az's short name), ``repository``, ``tag``; ``exit_code`` and
        ``run_seconds`` for a job.
        """
        body = call.request.json()
        shapes = (("registry", None), ("repository", asked.REPOSITORY), ("tag", asked.TAG))
        registry, repository, tag = (asked.text(body, name, shape) for name, shape in shapes)
        registry = self._login_server(registry)
        try:
            return Response.json(
                201, {"digest": self.azure.registries.push(registry, repository, tag, **asked.run(body))}
            )
        except LookupError:
            raise asked.refusal(f"{registry}/{repository} has no image {body['digest']}.") from None

    def _login_server(self, name: str) -> str:
        """Return a registry's login server by itself or by the registry's name. Raises ServiceError 400."""
        if self.azure.resources.registry(name) is not None:
            return name
        found = None if "." in name else self.azure.resources.find(REGISTRIES, name)
        if found is None:
            raise asked.refusal(f"There is no registry {name}.")
        return str(found.properties["loginServer"])

    def quota(self, call: Call) -> Response:
        """Set a ``subscription``'s quota of ``name`` in a ``location`` to ``limit``.

        Names are ContainerGroups, StandardCores …
        """
        body = call.request.json()
        subscription, location, name = (asked.text(body, each) for each in ("subscription", "location", "name"))
        if location not in {each[0] for regions in REGIONS.values() for each in regions}:
            raise asked.refusal(f"There is no location {location}.")
        known = self.azure.resources.subscription(subscription).id
        try:
            self.azure.container_groups.quotas.allow(known, location, name, asked.whole(body, "limit"))
        except KeyError as error:
            raise asked.refusal(f"There is no quota {name}.") from error
        return Response(204)

    def subscribe(self, call: Call) -> Response:
        """Make another subscription: ``id``, ``name``, and ``owner``.

        ``owner`` is the object id of the principal with all rights.
        """
        body = call.request.json()
        owner = asked.text(body, "owner")
        if self.azure.directory.principal_by_id(owner) is None:
            raise asked.refusal(f"There is no service principal {owner}.")
        made = self.azure.resources.add_subscription(asked.text(body, "id", asked.GUID), asked.text(body, "name"))
        self.azure.authorization.assign(f"/subscriptions/{made.id}", owner, "Owner", at_once=True)
        return Response.json(201, asdict(made))

    def calls(self, call: Call) -> Response:
        """Every call to Azure so far, in order; ``?since=N`` leaves out the first N."""
        since = call.request.query.get("since", "0")
        if not re.fullmatch(r"[0-9]{1,18}", since):
            raise asked.refusal(f"'since' is {since!r}, and has to be a whole number.")
        served = (s for s in self.app.served[int(since) :] if not s.operation.startswith("emulator."))
        return Response.json(200, {"value": [asdict(s) for s in served]})

    def turned_away(self, call: Call) -> Response:
        """List the clients' requests refused by the proxy, because the host is not Azure's."""
        return Response.json(200, {"value": [asdict(refusal) for refusal in self._turned_away]})
