"""Draft: a policy with the name of an application, but without an app id yet.

`rotator provision` finds or creates the application, and writes its app id into the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rotator.policy.model import Policy, PolicyFile, PrincipalPolicy

NOBODY = "00000000-0000-0000-0000-000000000000"
"""Stands for the app id of an application that isn't made yet, where only what doesn't depend on it is read."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Content of a policy's file without an app id. Only provision takes a draft; a rotation needs a Policy."""

    name: str
    file: str
    display_name: str
    said: PolicyFile = field(repr=False)
    also_in: tuple[str, ...] = ()

    @property
    def app_id(self) -> None:
        """No app id yet."""
        return

    def settled(self, app_id: str) -> Policy:
        """Return the policy of the same file with this app id."""
        principal = PrincipalPolicy(app_id=app_id, display_name=self.display_name, home=self.said.principal.home)
        fields = {name: getattr(self.said, name) for name in PolicyFile.model_fields}
        fields = {**fields, "principal": principal, "also_in": self.also_in}
        return Policy.model_construct(**fields, name=self.name, file=self.file)


def is_draft(data: Mapping[str, Any]) -> bool:
    """Tell if a policy's data has an application's name in place of an app id.

    For an application of another tenant the app id is required.
    """
    principal = data.get("principal")
    return (
        isinstance(principal, dict)
        and "app_id" not in principal
        and "display_name" in principal
        and "tenant_id" not in principal
    )


def completed(data: dict[str, Any]) -> dict[str, Any]:
    """Return a draft's data in the form accepted by the model."""
    return {**data, "principal": {**data["principal"], "app_id": NOBODY}}
