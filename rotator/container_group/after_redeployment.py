"""The world after a redeployment that went well, for plans of several steps."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from rotator.arm_json import Json, containers, get, plain, put
from rotator.container_group.tags import Failed, shows, stamp, tag
from rotator.state import ContainerGroup


def moved(group: ContainerGroup, key_id: str, since: datetime, failed: Failed | None = None) -> ContainerGroup:
    """Return the group as GET would show it right after a successful PUT with the credential `key_id`.

    Our tags are changed, and all containers run.
    """
    body: Json = plain(group.document or {})
    tag(body, key_id, since, failed, shows(group.document))
    properties = get(body, "properties")
    if not isinstance(properties, dict):
        put(body, "properties", properties := {})
    put(properties, "provisioningState", "Succeeded")
    put(properties, "instanceView", {"events": [], "state": "Running"})
    for _, container in containers(body):
        inner = get(container, "properties")
        if isinstance(inner, dict):
            put(inner, "instanceView", _running(stamp(since)))
    return replace(group, document=body, unreadable=None)


def _running(since: str) -> Mapping[str, Any]:
    return {
        "restartCount": 0,
        "currentState": {"state": "Running", "startTime": since, "detailStatus": ""},
        "events": [],
    }
