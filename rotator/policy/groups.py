"""Container groups in a policy: each with its deployment file, its sources of hidden values, and its choices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    InstanceOf,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
    field_validator,
)

from rotator.policy import rules, secret_rules
from rotator.policy.choices import Runs, WhenEnded
from rotator.policy.source import Part, Source, Sourced, StatedSource
from rotator.remedy import CREATE_GROUP, SHOW_GROUP_ID
from rotator.resource_id import ResourceId

TEXT = WithJsonSchema({"type": "string"})
_NAMED = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "additionalProperties": False,
                "properties": {name: {"type": "string"} for name in ("file", "parameters", "location")},
                "required": ["file"],
            },
        ]
    }
)
_GroupId = Annotated[ResourceId, PlainValidator(rules.group_id), TEXT]
_Path = Annotated[
    str, BeforeValidator(secret_rules.path), WithJsonSchema({"type": "string", "pattern": f"^({secret_rules.PATH})$"})
]
_Lost = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


@dataclass(frozen=True, slots=True)
class Manifest:
    """Container group that a file deploys: the body that az or ARM would send, with placeholders for secrets.

    `file` is the path as a person would write it; `document` the body with name, type and API version, never changed.
    """

    file: str
    document: Mapping[str, Any] = field(repr=False)

    def __hash__(self) -> int:
        """Hash by the file, since dicts have no hash."""
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
            " parameters of a template `{file: NAME.json, parameters: NAME.parameters.json}`. `location` beside them is"
            " the region of the resource group, where the file leaves that to Azure."
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
                secret_rules.only_where_no_secret_is(path, source.value)
        secret_rules.volumes_whole(value, lambda source: isinstance(source, StatedSource))
        return value

    @property
    def subscription(self) -> str:
        """Subscription of the container group, in lower case."""
        return self.id.subscription

    def __hash__(self) -> int:
        """Hash by the id, since `secrets` has no hash."""
        return hash(self.id)
