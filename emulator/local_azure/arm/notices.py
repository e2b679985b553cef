"""Events for a registry's webhooks, recorded but not sent.

The emulator reaches no other host, and an event's answer says so.

Shapes from the examples of api-version 2023-07-01 and a recorded event (azure-cli, 2023); the answer is that given by
the emulator's proxy for every host not served.
"""

import json
import re
from datetime import datetime
from urllib.parse import urlsplit

from local_azure.arm.access import RegistrySettings, Webhook
from local_azure.clock import iso
from local_azure.wire import Json

KEPT = 100
"""Events that a webhook remembers."""
SECRET = ("authorization", "proxy-authorization", "cookie")
"""Custom headers whose values an event hides; others are shown (recorded)."""
NOWHERE: Json = {"headers": {}, "reasonPhrase": "Bad Gateway", "statusCode": "502", "version": "1.1"}


def tell(access: RegistrySettings, event_id: str, at: datetime, action: str, target: dict[str, Json]) -> None:
    """Record a push or a deletion for the registry's webhooks subscribed to the event."""
    named = f"{target['repository']}:{target.get('tag', '')}"
    for webhook in access.webhooks.values():
        wanted = webhook.scope or "*"
        if (
            action in {each.lower() for each in webhook.actions}
            and webhook.status == "enabled"
            and re.fullmatch(_pattern(wanted), named)
        ):
            note(webhook, event_id, at, action, {"target": target})


def _pattern(scope: str) -> str:
    """Return the pattern of a scope.

    A scope is ``repository``, ``repository:tag`` or either with a ``*`` ("Using Azure Container Registry webhooks").
    """
    text = re.escape(scope).replace(r"\*", ".*")
    return text if ":" in scope else f"{text}:.*"


def note(webhook: Webhook, event_id: str, at: datetime, action: str, more: dict[str, Json]) -> None:
    """Keep one event, and forget the oldest where there are many."""
    content = {"id": event_id, "timestamp": iso(at), "action": action, **more}
    own = {name: "******" if name.lower() in SECRET else value for name, value in webhook.headers.items()}
    sent = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(json.dumps(content)))}
    headers = {"User-Agent": "AzureContainerRegistry/1.0", **own, **sent}
    uri = webhook.uri if urlsplit(webhook.uri).path else f"{webhook.uri}/"
    request = {"content": content, "headers": headers, "method": "POST", "requestUri": uri, "version": "1.1"}
    webhook.events = [
        *webhook.events,
        {"id": event_id, "eventRequestMessage": request, "eventResponseMessage": NOWHERE},
    ][-KEPT:]
