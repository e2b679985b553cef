"""What can be seen of the emulated Azure at one moment, in the words of the story.

It asks the emulator, not rotator.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

VAULT = "myvault"


@dataclass(frozen=True, slots=True)
class Sight:
    """`picture`: what somebody with all rights could read. `stored`: what nobody could, hidden values included."""

    picture: Mapping[str, Any]
    stored: Mapping[str, Any] = field(repr=False)

    def keys(self, app_id: str) -> dict[str, str]:
        """The key ids of a principal's passwords, oldest first, with the days on which they end."""
        found = next(one for one in self.picture["principals"] if one["appId"] == app_id)
        listed = sorted(found["credentials"], key=lambda one: str(one["start"]))
        return {one["keyId"]: one["end"][:10] for one in listed}

    def versions(self, secret: str) -> list[dict[str, Any]]:
        """The versions of a secret, oldest first."""
        return list(self.picture["secrets"][VAULT][secret])

    def published(self, secret: str) -> str | None:
        """The credential that the newest version of a secret names, if it is readable and names one."""
        newest = self.versions(secret)[-1]
        return newest["tags"].get("rotator-key-id") if newest["enabled"] else None

    def group(self, name: str) -> dict[str, Any]:
        """A container group as a GET would show it."""
        return next(one for one in self.picture["containerGroups"] if one["name"] == name)

    def kept(self, name: str) -> dict[str, Any]:
        """All that a redeployment must not change in a container group: what a GET shows but for tags and events, and what it hides."""
        shown = json.loads(json.dumps(self.group(name)))
        tags = {tag: value for tag, value in shown.pop("tags").items() if not tag.startswith("rotator-")}
        shown["properties"].pop("instanceView")
        for container in shown["properties"]["containers"]:
            container["properties"].pop("instanceView")
        return {"shown": shown, "tags": tags, "hidden": self._variables(name)}

    def _variables(self, name: str) -> list[Any]:
        groups = self.stored["services"]["container_groups"]["groups"].values()
        resource = next(one["resource"] for one in groups if one["id"].endswith(f"/{name}"))
        return [container["properties"]["environmentVariables"] for container in resource["properties"]["containers"]]

    def holds(self, name: str) -> str | None:
        """The credential that a container group says it holds; None for one that rotator never deployed."""
        key: str | None = self.group(name)["tags"].get("rotator-key-id")
        return key

    def state(self, name: str) -> str:
        """How a container group fares: Running, Succeeded, Failed, and others."""
        return str(self.group(name)["properties"]["instanceView"]["state"])

    def deployed(self, name: str) -> str:
        """When the container of a group began to run."""
        return str(
            self.group(name)["properties"]["containers"][0]["properties"]["instanceView"]["currentState"].get(
                "startTime"
            )
        )

    def roles(self, app_id: str) -> list[str]:
        """The roles of a principal, wherever they are assigned."""
        owner = next(one for one in self.picture["principals"] if one["appId"] == app_id)["servicePrincipalId"]
        return [one["role"] for one in self.picture["roleAssignments"] if one["principalId"] == owner]

    @property
    def secrets(self) -> list[str]:
        """Every password that Entra ever issued."""
        return list(self.stored["issued"])

    @property
    def refused(self) -> list[str]:
        """The names of the groups that could not pull, one for each time."""
        return [one["group"].rsplit("/", 1)[-1] for one in self.picture["refused"]]
