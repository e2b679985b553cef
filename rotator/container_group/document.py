"""A container group's raw JSON with the policy and the policy's declaration of the group, as one value.

A `Document` never changes, so everything derived from it is computed once, at its first use: `places` and `recipes`
here, and every function marked with `once` in the modules above.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any, TypeVar

from rotator.arm_json import text
from rotator.container_group.hidden_values import Place, places
from rotator.container_group.value_sources import Recipes
from rotator.policy import GroupPolicy, Policy
from rotator.resource_id import ArmId
from rotator.state import ContainerGroup

Derived = TypeVar("Derived")


@dataclass(frozen=True, eq=False)
class Document:
    """Container group as a GET, a manifest or a PUT body has it, under one policy.

    `declared` is None for a group not declared by the policy. `body` may hold secrets, if it is a manifest or a PUT
    body.
    """

    body: Mapping[str, Any] = field(repr=False)
    policy: Policy
    declared: GroupPolicy | None
    kept: dict[object, Any] = field(default_factory=dict, init=False, repr=False)
    """Results of the functions marked with `once`."""

    @classmethod
    def seen(cls, policy: Policy, group: ContainerGroup) -> "Document":
        """Return an observed group as a document; without content if the group is absent or can't be read."""
        return cls(group.document or {}, policy, policy.group(group.id))

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """All places for hidden values."""
        return places(self.body)

    @cached_property
    def recipes(self) -> Recipes:
        """Recipes for the hidden values, from the policy and the manifest."""
        return Recipes.of(self.policy, self.declared)

    @property
    def id(self) -> ArmId:
        """The group's ARM id; empty for an undeclared group whose answer has none."""
        return ArmId(text(self.body, "id") or (self.declared.id if self.declared else ""))

    @property
    def file(self) -> str:
        """The manifest's file; empty without a manifest."""
        return self.declared.manifest.file if self.declared and self.declared.manifest else ""

    @property
    def says_secrets(self) -> bool:
        """Tell if the policy has `secrets:` for the group already."""
        return bool(self.declared and self.declared.secrets)

    @property
    def app_id(self) -> str:
        """The principal's app id."""
        return self.policy.principal.app_id


class Declaration:
    """Declaration of a group under a policy, compared by identity: neither ever changes, and a look has the same."""

    __slots__ = ("group", "policy")

    def __init__(self, policy: Policy, group: GroupPolicy) -> None:
        self.policy, self.group = policy, group

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Declaration) and self.policy is other.policy and self.group is other.group

    def __hash__(self) -> int:
        return hash((id(self.policy), id(self.group)))


def once(derive: Callable[[Document], Derived]) -> Callable[[Document], Derived]:
    """Compute a function of a document once for each document."""

    @wraps(derive)
    def kept(document: Document) -> Derived:
        if derive not in document.kept:
            document.kept[derive] = derive(document)
        found: Derived = document.kept[derive]
        return found

    return kept
