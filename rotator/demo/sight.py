"""State of the emulated Azure at one moment, in the words of the story.

The state comes from the emulator, not from rotator.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

VAULT = "myvault"


@dataclass(frozen=True, slots=True)
class StateShown:
    """`picture`: the state readable with all rights. `stored`: the full state, including hidden values."""

    picture: Mapping[str, Any]
    stored: Mapping[str, Any] = field(repr=False)

    def keys(self, app_id: str) -> dict[str, str]:
        """Return the key ids of a principal's passwords, oldest first, with the days of their ends."""
        return {key: str(end.date()) for key, end in self.ends(app_id).items()}

    def ends(self, app_id: str) -> dict[str, datetime]:
        """Return the key ids of a principal's passwords, oldest first, with their ends."""
        found = next(one for one in self.picture["principals"] if one["appId"] == app_id)
        listed = sorted(found["credentials"], key=lambda one: str(one["start"]))
        return {one["keyId"]: datetime.fromisoformat(one["end"]) for one in listed}

    def versions(self, secret: str) -> list[dict[str, Any]]:
        """Return the versions of a secret, oldest first."""
        return list(self.picture["secrets"][VAULT][secret])

    def published(self, secret: str) -> str | None:
        """Return the credential named by the newest version of a secret; None if disabled or without a name."""
        newest = self.versions(secret)[-1]
        return newest["tags"].get("rotator-key-id") if newest["enabled"] else None

    def group(self, name: str) -> dict[str, Any]:
        """Return a container group as shown by a GET."""
        return next(one for one in self.picture["containerGroups"] if one["name"] == name)

    def kept(self, name: str) -> dict[str, Any]:
        """Return the properties of a container group not to be changed by a redeployment.

        These are the properties shown by a GET, without instance views and rotator's tags, and the hidden variables.
        """
        shown = json.loads(json.dumps(self.group(name)))
        tags = {tag: value for tag, value in shown.pop("tags", {}).items() if not tag.startswith("rotator-")}
        shown["properties"].pop("instanceView")
        for container in shown["properties"]["containers"]:
            container["properties"].pop("instanceView")
        return {"shown": shown, "tags": tags, "hidden": self._variables(name)}

    def _variables(self, name: str) -> list[Any]:
        groups = self.stored["services"]["container_groups"]["groups"].values()
        resource = next(one["resource"] for one in groups if one["id"].endswith(f"/{name}"))
        return [container["properties"]["environmentVariables"] for container in resource["properties"]["containers"]]

    def holds(self, name: str) -> str | None:
        """Return the credential named by a container group's tag; None for a group never deployed by rotator."""
        key: str | None = self.group(name).get("tags", {}).get("rotator-key-id")
        return key

    def state(self, name: str) -> str:
        """Return the state of a container group: Running, Succeeded, Failed, and others."""
        return str(self.group(name)["properties"]["instanceView"]["state"])

    def deployed(self, name: str) -> str:
        """Return the start time of a group's container."""
        return str(
            self.group(name)["properties"]["containers"][0]["properties"]["instanceView"]["currentState"].get(
                "startTime"
            )
        )

    def roles(self, app_id: str) -> list[str]:
        """Return the roles of a principal, at all scopes."""
        owner = next(one for one in self.picture["principals"] if one["appId"] == app_id)["servicePrincipalId"]
        return [one["role"] for one in self.picture["roleAssignments"] if one["principalId"] == owner]

    @property
    def secrets(self) -> list[str]:
        """Every password ever issued by Entra."""
        return list(self.stored["issued"])

    @property
    def refused(self) -> list[str]:
        """Names of the groups with a refused pull, one for each refusal."""
        return [one["group"].rsplit("/", 1)[-1] for one in self.picture["refused"]]
