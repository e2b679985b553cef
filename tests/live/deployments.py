"""Deployments of templates without resources, which the emulator lacks: rotator's own evaluation stands for Resource
Manager's.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from rotator.policy.arm_syntax import Unevaluated
from rotator.policy.arm_template import Template
from rotator.policy.located import Located
from rotator.resource_id import ArmId
from tests.live.bridge import Local

GROUP = ArmId("/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerInstance/containerGroups/c")


def evaluated(template: dict[str, Any]) -> dict[str, Any]:
    """Return the outputs of a template. Raises Unevaluated."""
    found = Template(Located("template.json", template), None, GROUP)
    names = template.get("outputs", {})
    return {name: {"value": found.value(("outputs", name, "value"))} for name in names}


@dataclass
class Deployments:
    """Answers in place of the emulator's 501."""

    local: Local | None = None
    made: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __call__(self, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if "/deployments/" not in request.url.path:
            return answer
        if request.method == "PUT":
            template = json.loads(request.content)["properties"]["template"]
            try:
                outputs = evaluated(template)
            except Unevaluated:
                error = {"code": "InvalidTemplate", "message": "The expression is too long."}
                return httpx.Response(400, json={"error": error}, request=request)
            self.made[request.url.path] = {"properties": {"provisioningState": "Succeeded", "outputs": outputs}}
            return httpx.Response(201, json=self.made[request.url.path], request=request)
        return httpx.Response(200, json=self.made[request.url.path], request=request)
