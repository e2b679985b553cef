"""Content of a policy, as frozen pydantic models. Field descriptions also serve the JSON schema and remedies.

The parts of a container group are in `groups`, times in `rotation`, the published secret in `published`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, InstanceOf, PlainValidator, WithJsonSchema, field_validator
from pydantic import ValidationInfo as Info

from rotator.policy import rules, secret_rules
from rotator.policy.choices import UnseenSubscriptions
from rotator.policy.groups import TEXT, GroupPolicy
from rotator.policy.published import KeyVaultPolicy
from rotator.policy.rotation import ProofPolicy, Rotation
from rotator.policy.source import Part
from rotator.remedy import SHOW_REGISTRY_ID
from rotator.resource_id import GUID, ArmId, ResourceId
from rotator.rights import PULL
from rotator.secret import Home

_Guid = Annotated[str, BeforeValidator(rules.guid), WithJsonSchema({"type": "string", "pattern": f"^{GUID}$"})]
_DisplayName = Annotated[str, BeforeValidator(rules.display_name)]
_RegistryId = Annotated[ResourceId, PlainValidator(rules.registry_id), TEXT]


def _unsaid() -> Any:
    """Return the value of a part that the policy leaves out: an empty mapping, validated with the policy.

    A default of the part's own type would cost 10 ms.
    """
    return {}


class PrincipalPolicy(Part):
    """Principal whose passwords are rotated."""

    app_id: _Guid = Field(
        description="Application (client) ID of the service principal whose passwords are rotated.",
        examples=["5d3c0a52-0000-0000-0000-000000000000"],
    )
    display_name: _DisplayName | None = Field(
        default=None,
        description=(
            "Name of the application that `rotator provision` finds or creates; a policy with it needs no `app_id`"
            " before that."
        ),
        examples=["mycontainerregistry-pull"],
    )
    home: Home = Field(
        default=Home.APPLICATION, description="Object to which new credentials are added.", examples=["application"]
    )
    tenant_id: _Guid | None = Field(
        default=None,
        description="Tenant of the principal, if rotator signs in to another tenant.",
        examples=["72f988bf-0000-0000-0000-000000000000"],
    )


Role = Literal["AcrPull", "AcrPush", "Owner", "Container Registry Repository Reader"]


class RegistryPolicy(Part):
    """A registry that the principal pulls from."""

    id: _RegistryId = Field(
        description=f"ARM id of the registry, as `{SHOW_REGISTRY_ID}` prints it.",
        examples=[rules.REGISTRY.example],
    )
    role: Role = Field(default=PULL, description="Role with which the principal pulls.", examples=[PULL])

    @property
    def subscription(self) -> str:
        """Subscription of the registry, in lower case."""
        return self.id.subscription


class Discover(Part):
    """Treatment of container groups declared in no policy."""

    subscriptions: tuple[_Guid, ...] = Field(
        default=(), description="Subscriptions to search. Default: those of the container groups and registries."
    )
    redeploy: bool = Field(
        default=False,
        strict=True,
        description="Whether undeclared groups are redeployed with the new credential, too.",
        examples=[True],
    )
    unseen: UnseenSubscriptions = Field(
        default=UnseenSubscriptions.BLOCK,
        description="Whether a subscription that may not be listed keeps the old credential alive.",
        examples=["block"],
    )


class PolicyFile(Part):
    """The desired state of one principal's pull credential."""

    principal: PrincipalPolicy = Field(description=PrincipalPolicy.__doc__)
    registries: tuple[RegistryPolicy, ...] = Field(
        min_length=1, description="The registries that the principal pulls from."
    )
    key_vault: KeyVaultPolicy = Field(description=KeyVaultPolicy.__doc__)
    proof: ProofPolicy = Field(default_factory=_unsaid, validate_default=True, description=ProofPolicy.__doc__)
    rotation: Rotation = Field(default_factory=_unsaid, validate_default=True, description=Rotation.__doc__)
    container_groups: tuple[GroupPolicy, ...] = Field(
        default=(), description="The container groups that pull with the principal."
    )
    discover: Discover = Field(default_factory=_unsaid, validate_default=True, description=Discover.__doc__)

    @field_validator("container_groups")
    @classmethod
    def _no_copy_of_the_credential(cls, value: tuple[GroupPolicy, ...], info: Info) -> tuple[GroupPolicy, ...]:
        if vault := info.data.get("key_vault"):
            for index, group in enumerate(value):
                secret_rules.no_copies(
                    group.secrets, {vault.password_secret: "password", vault.username_secret: "username"}, index
                )
        return value

    @field_validator("rotation")
    @classmethod
    def _outlasts_a_proof(cls, value: Rotation, info: Info) -> Rotation:
        if "proof" in info.data:
            rules.reclaim(value.reclaim_after, info.data["proof"].deadline)
        return value


class Policy(PolicyFile):
    """One policy: what its file and its defaults say, the file, and its name: the file's path without suffix."""

    name: str
    file: str
    answered: Mapping[InstanceOf[ArmId], tuple[str, ...]] = Field(default_factory=dict, exclude=True)
    """Paths of hidden values that, by another policy of the directory, are not the password of this one."""
    owners: Mapping[InstanceOf[ArmId], str] = Field(default_factory=dict, exclude=True)
    """Files of the directory's policies, by the container groups that they declare."""
    also_in: tuple[str, ...] = Field(default=(), exclude=True)
    """Subscriptions to search, added by the defaults to those of the policy."""

    def owner(self, group_id: ArmId) -> str | None:
        """Return the file of another policy that declares a container group; None if there is none."""
        found = self.owners.get(group_id)
        return None if found == self.file else found

    @property
    def app_id(self) -> str:
        """The principal's application (client) ID."""
        return self.principal.app_id

    @property
    def access_secret(self) -> str:
        """Name of the secret that marks the access as revoked or granted."""
        return rules.access_name(self.key_vault.password_secret)

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Subscriptions searched for dependents, sorted: as declared, else those of the groups and registries.

        Those of the defaults are added.
        """
        own = (
            *(group.subscription for group in self.container_groups),
            *(registry.subscription for registry in self.registries),
        )
        return tuple(sorted({*(self.discover.subscriptions or own), *self.also_in}))

    def group(self, group_id: ArmId) -> GroupPolicy | None:
        """Return the entry of a container group in the policy, None if not declared."""
        return next((group for group in self.container_groups if group.id == group_id), None)

    def __hash__(self) -> int:
        """Hash by identifying fields: equal policies have equal hashes."""
        return hash((self.file, self.principal.app_id))
