"""Content of a policy, as frozen pydantic models. Field descriptions also serve the JSON schema and remedies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BeforeValidator,
    Field,
    InstanceOf,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
    field_validator,
)
from pydantic import ValidationInfo as Info

from rotator.policy import rules
from rotator.policy.choices import RegistryProof, Runs, UnseenSubscriptions, WhenEnded
from rotator.policy.durations import Duration
from rotator.policy.published import KeyVaultPolicy
from rotator.policy.source import Part, Source, Sourced, StatedSource
from rotator.remedy import CREATE_GROUP, SHOW_GROUP_ID, SHOW_REGISTRY_ID
from rotator.resource_id import GUID, ArmId, ResourceId
from rotator.secret import Home

DAY = timedelta(days=1)
_Guid = Annotated[str, BeforeValidator(rules.guid), WithJsonSchema({"type": "string", "pattern": f"^{GUID}$"})]
_DisplayName = Annotated[str, BeforeValidator(rules.display_name)]
_TEXT = WithJsonSchema({"type": "string"})
_NAMED = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "additionalProperties": False,
                "properties": {"file": {"type": "string"}, "parameters": {"type": "string"}},
                "required": ["file"],
            },
        ]
    }
)
_RegistryId = Annotated[ResourceId, PlainValidator(rules.registry_id), _TEXT]
_GroupId = Annotated[ResourceId, PlainValidator(rules.group_id), _TEXT]
_Path = Annotated[str, BeforeValidator(rules.path), WithJsonSchema({"type": "string", "pattern": f"^({rules.PATH})$"})]


_Lost = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
_P = TypeVar("_P", bound=Part)


def _made(part: type[_P]) -> Callable[[], _P]:
    """Defaults are made when a policy needs them: a model is expensive to build, and most commands need none."""
    return part


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
    role: Role = Field(default="AcrPull", description="Role with which the principal pulls.", examples=["AcrPull"])

    @property
    def subscription(self) -> str:
        """Subscription of the registry, in lower case."""
        return self.id.subscription


class DeployWindow(Part):
    """Times at which container groups may be redeployed."""

    timezone: Annotated[str, BeforeValidator(rules.timezone)] = Field(
        default="UTC", description="IANA time zone of `cron`.", examples=["Europe/Paris"]
    )
    cron: Annotated[str, BeforeValidator(rules.cron)] = Field(
        description="When the window opens: five cron fields, in wall-clock time of `timezone`.",
        examples=["0 2 * * SAT"],
    )
    duration: Duration = Field(description="How long the window stays open, in elapsed time.", examples=["4h"])

    _positive = field_validator("duration")(rules.at_least(timedelta(minutes=15)))


class Rotation(Part):
    """Lifetimes and times of a rotation."""

    validity: Duration = Field(default=90 * DAY, description="How long a new credential is valid.", examples=["90d"])
    renew_before: Duration = Field(
        default_factory=lambda data: min(30 * DAY, data.get("validity", 90 * DAY) / 3),
        description=(
            "How long before its end a credential is replaced; at most half of `validity`. Default: 30d, or a third of"
            " `validity`."
        ),
        examples=["30d"],
    )
    overlap: Duration = Field(
        default_factory=lambda data: min(DAY, data.get("renew_before", DAY)),
        description=(
            "How long the old credential stays valid after the last container group took the new one. Default:"
            " 24h, or `renew_before`."
        ),
        examples=["24h"],
    )
    reclaim_after: Duration = Field(
        default=DAY,
        description="Age at which an unfinished run's credential is removed; at least four times `proof.deadline`.",
        examples=["24h"],
    )
    warn_before: Duration = Field(
        default_factory=lambda data: min(14 * DAY, data.get("renew_before", 30 * DAY) / 2),
        description=(
            "How long before the end of a credential that is still in use every run ends with exit code 1."
            " Default: 14d, or half of `renew_before`."
        ),
        examples=["14d"],
    )
    settle: Duration = Field(
        default=timedelta(minutes=30),
        description="How long a redeployed container group may take to start.",
        examples=["30m"],
    )
    spread: bool = Field(
        default=True,
        strict=True,
        description=(
            "Spread the renewals: each policy renews at a moment of its own after `renew_before`. That moment is"
            " before `warn_before` and before the last week, and earlier still by the longest time between two"
            " deploy windows."
        ),
        examples=[True],
    )
    deploy_window: DeployWindow | None = Field(
        default=None, description="When container groups may be redeployed. Default: always."
    )

    _validity = field_validator("validity")(rules.at_least(timedelta(hours=1)))
    _settle = field_validator("settle")(rules.at_least(timedelta(minutes=1)))

    @field_validator("renew_before", "overlap", "warn_before")
    @classmethod
    def _in_order(cls, value: timedelta, info: Info) -> timedelta:
        return rules.in_order(value, info)

    @field_validator("deploy_window")
    @classmethod
    def _often_enough(cls, value: DeployWindow | None, info: Info) -> DeployWindow | None:
        if value and "renew_before" in info.data:
            rules.often_enough(value.cron, info.data["renew_before"])
        return value


class ProofPolicy(Part):
    """Proof of a credential, required before it is published."""

    times: int = Field(default=5, ge=1, le=100, strict=True, description="Successes in a row.", examples=[5])
    over: Duration = Field(
        default=timedelta(minutes=1), description="Shortest time from the first success to the last.", examples=["60s"]
    )
    deadline: Duration = Field(
        default=timedelta(minutes=5),
        validate_default=True,
        description="Time after which rotator gives up a credential that is not proven.",
        examples=["5m"],
    )
    registry: RegistryProof = Field(
        default=RegistryProof.REQUIRED,
        description="`optional` accepts a credential without a pull, if rotator can't reach the registry.",
        examples=["required"],
    )

    @field_validator("deadline")
    @classmethod
    def _after_the_last_try(cls, value: timedelta, info: Info) -> timedelta:
        return rules.deadline(value, info.data.get("over", timedelta()))


@dataclass(frozen=True, slots=True)
class Manifest:
    """Container group that a file deploys: the body that az or ARM would send, with placeholders for secrets.

    `file` is the path as a person would write it; `document` the body with name, type and API version, never changed.
    """

    file: str
    document: Mapping[str, Any] = field(repr=False)

    def __hash__(self) -> int:
        """By the file: a document of dicts has no hash."""
        return hash(self.file)


class GroupPolicy(Part):
    """A container group that pulls with the principal."""

    id: _GroupId = Field(
        description=f"ARM id of the container group, as `{SHOW_GROUP_ID}` prints it.", examples=[rules.GROUP.example]
    )
    secrets: Mapping[_Path, Sourced] = Field(
        default_factory=dict,
        description="Sources of the values that Azure never shows, by their path.",
        json_schema_extra={"additionalProperties": False},
    )
    manifest: Annotated[InstanceOf[Manifest], _NAMED] | None = Field(
        default=None,
        description=(
            f"File that deploys the group, relative to the policy: `{CREATE_GROUP} --file` YAML, or ARM JSON; with the"
            " parameters of a template `{file: NAME.json, parameters: NAME.parameters.json}`."
        ),
        examples=["manifests/nightly.yaml"],
    )
    runs: Runs | None = Field(
        default=None,
        description=(
            "The group's kind: a `service` runs on and is restarted with a new credential, a `job` ends by itself and"
            " is never interrupted. Default: a job if its restart policy is `Never` or `OnFailure`."
        ),
        examples=["service"],
    )
    when_finished: WhenEnded | None = Field(
        default=None,
        description="What happens to a run-once group that has finished and has no manifest.",
        examples=["wait"],
    )
    when_stopped: WhenEnded = Field(
        default=WhenEnded.WAIT, description="What happens to a stopped group.", examples=["wait"]
    )

    accept_loss: tuple[_Lost, ...] = Field(
        default=(),
        description=(
            "Paths of values that a redeployment may lose. Only a newer version of Container Instances shows them;"
            " a veto names them."
        ),
        examples=[["properties.newProperty"]],
    )

    @field_validator("secrets")
    @classmethod
    def _no_secret_is_here(cls, value: Mapping[str, Source | StatedSource]) -> Mapping[str, Source | StatedSource]:
        for path, source in value.items():
            if isinstance(source, StatedSource):
                rules.only_where_no_secret_is(path, source.value)
        rules.volumes_whole(value, lambda source: isinstance(source, StatedSource))
        return value

    @property
    def subscription(self) -> str:
        """Subscription of the container group, in lower case."""
        return self.id.subscription

    def __hash__(self) -> int:
        """By the id: `secrets` has no hash."""
        return hash(self.id)


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
    proof: ProofPolicy = Field(default_factory=_made(ProofPolicy), description=ProofPolicy.__doc__)
    rotation: Rotation = Field(default_factory=_made(Rotation), validate_default=True, description=Rotation.__doc__)
    container_groups: tuple[GroupPolicy, ...] = Field(
        default=(), description="The container groups that pull with the principal."
    )
    discover: Discover = Field(default_factory=_made(Discover), description=Discover.__doc__)

    @field_validator("container_groups")
    @classmethod
    def _no_copy_of_the_credential(cls, value: tuple[GroupPolicy, ...], info: Info) -> tuple[GroupPolicy, ...]:
        if vault := info.data.get("key_vault"):
            for index, group in enumerate(value):
                rules.no_copies(
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
    """Hidden places of container groups that another policy of the directory says to hold something else."""
    also_in: tuple[str, ...] = Field(default=(), exclude=True)
    """Subscriptions to search, added by the defaults to those of the policy."""

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
