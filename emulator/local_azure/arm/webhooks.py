"""Operations on the webhooks of registries.

Shapes and statuses as recorded: every change is done at once, and says 200. The refusal at the tier's limit could not
be looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from local_azure.arm.access import RegistrySettings, Webhook
from local_azure.arm.behaviour import Resource
from local_azure.arm.child_operations import stamped, supported
from local_azure.arm.children import Children, located
from local_azure.arm.notices import note
from local_azure.arm.registries import WEBHOOKS, RegistryRoutes
from local_azure.arm.replications import restamped
from local_azure.arm.shape import fields
from local_azure.arm.tags import tags_of
from local_azure.arm.tracked import GROUP
from local_azure.wire import Call, Json, Response, Route, ServiceError

ACTIONS = ("push", "delete", "quarantine", "chart_push", "chart_delete")


def webhook_routes(registries: RegistryRoutes) -> Iterator[Route]:
    """The operations on webhooks."""
    webhooks = _Webhooks(registries, "webhooks")
    one = f"{GROUP}/providers/{registries.type}/{{name}}/webhooks/{{child}}"
    yield Route("arm.webhooks.getCallbackConfig", "POST", one + "/getCallbackConfig", webhooks.config)
    yield Route("arm.webhooks.ping", "POST", one + "/ping", webhooks.ping)
    yield Route("arm.webhooks.listEvents", "POST", one + "/listEvents", webhooks.events)
    yield from webhooks.routes()


@dataclass(frozen=True, slots=True)
class _Webhooks(Children[Webhook]):
    def held(self, access: RegistrySettings) -> dict[str, Webhook]:
        return access.webhooks

    def put(self, call: Call) -> Response:
        registry, access = self.of(call, "write")
        self.registries.resources.require_unlocked(registry.id, "write")
        body, known = call.request.json(), access.webhooks.get(call["child"].lower())
        tier = str((registry.sku or {}).get("name"))
        if known is None and len(access.webhooks) >= WEBHOOKS.get(tier, 2):
            raise ServiceError(400, "WebhookLimitReached", f"The SKU {tier} allows {WEBHOOKS.get(tier, 2)} webhooks.")
        made = Webhook(call["child"], located(body), tags_of(body), events=known.events if known else [])
        _change(made, fields(body, "properties"))
        if not made.uri or not made.actions:
            raise ServiceError(400, "InvalidRequestContent", "A webhook needs 'serviceUri' and 'actions'.")
        access.webhooks[call["child"].lower()] = made
        return self._done(call, registry, made, known)

    def patch(self, call: Call) -> Response:
        registry, access = self.of(call, "write")
        self.registries.resources.require_unlocked(registry.id, "write")
        found, body = self.found(call, access), call.request.json()
        if body.get("tags") is not None:
            found.tags = tags_of(body)
        _change(found, fields(body, "properties"))
        return self._done(call, registry, found, found)

    def delete(self, call: Call) -> Response:
        """200, or 204 where there was none."""
        registry, access = self.of(call, "delete")
        self.registries.resources.require_unlocked(registry.id, "delete")
        gone = access.webhooks.pop(call["child"].lower(), None)
        return Response(200, headers=supported(call)) if gone else Response(204)

    def _done(self, call: Call, registry: Resource, webhook: Webhook, old: Webhook | None) -> Response:
        now = self.registries.resources.clock.now()
        webhook.stamp = restamped(old.stamp if old else None, call.who.app_id, now)
        return Response.json(200, self.json(call, registry, webhook), supported(call))

    def config(self, call: Call) -> Response:
        """Return the two properties missing from a GET: URI and custom headers."""
        _, access = self.of(call, "getCallbackConfig/action")
        found = self.found(call, access)
        return Response.json(200, {"serviceUri": found.uri, "customHeaders": found.headers}, supported(call))

    def ping(self, call: Call) -> Response:
        """Record a ping event, caused only by this request; return the event's id."""
        _, access = self.of(call, "ping/action")
        resources = self.registries.resources
        event = resources.ids.guid()
        note(self.found(call, access), event, resources.clock.now(), "ping", {})
        return Response.json(200, {"id": event}, supported(call))

    def events(self, call: Call) -> Response:
        """Return the recorded events, newest last."""
        _, access = self.of(call, "listEvents/action")
        return Response.json(200, {"value": self.found(call, access).events}, supported(call))

    def json(self, call: Call, registry: Resource, child: Webhook) -> Json:
        own = f"{registry.id}/webhooks/{child.name}"
        properties = {
            "status": child.status,
            "scope": child.scope,
            "actions": child.actions,
            "provisioningState": self.state(own),
        }
        head = {
            "type": f"{registry.type}/webhooks",
            "id": own,
            "name": child.name,
            "location": child.location,
            "tags": child.tags,
        }
        return {**head, **stamped(call, child.stamp), "properties": properties}


def _change(webhook: Webhook, given: dict[str, Json]) -> None:
    status, actions = str(given.get("status") or webhook.status).lower(), given.get("actions") or webhook.actions
    if status not in ("enabled", "disabled") or not {str(each).lower() for each in actions} <= set(ACTIONS):
        raise ServiceError(
            400,
            "InvalidRequestContent",
            f"A webhook is enabled or disabled, and its actions are among {', '.join(ACTIONS)}.",
        )
    webhook.status, webhook.actions = status, list(actions)
    webhook.uri, webhook.scope = (
        given.get("serviceUri") or webhook.uri,
        (webhook.scope if given.get("scope") is None else str(given["scope"])),
    )
    webhook.headers = dict(given["customHeaders"]) if given.get("customHeaders") is not None else webhook.headers
