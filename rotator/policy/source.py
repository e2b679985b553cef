"""Sources of a container group's hidden values, as declared in a policy."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from rotator.policy import rules, secret_rules
from rotator.policy.choices import CredentialPart

SecretName = Annotated[
    str, BeforeValidator(rules.secret_name), WithJsonSchema({"type": "string", "pattern": f"^{rules.KEY_VAULT_NAME}$"})
]


class Part(BaseModel):
    """A part of a policy's file: never changed, and nothing in it unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)


class KeyVaultSource(Part):
    """A secret of the policy's vault."""

    key_vault: SecretName = Field(description="Name of a secret in the policy's vault.", examples=["db-password"])
    base64: bool = Field(
        default=False,
        strict=True,
        description="For a file of a secret volume: the secret's value is the file in base64 already.",
        examples=[True],
    )


class CredentialSource(Part):
    """The credential that is rotated."""

    credential: CredentialPart = Field(
        description="The password that is rotated, or the app id.", examples=["password"]
    )


class StatedSource(Part):
    """A hidden value that is no secret, as it is, or the statement that there is none."""

    value: Annotated[str, BeforeValidator(secret_rules.stated)] = Field(
        description=(
            f"`{secret_rules.NONE}` for a place that was always empty: an extension without protected settings, a"
            " secret volume without files, an empty variable, a workspace without an id. Only for"
            f" `{secret_rules.WORKSPACE_ID}` also the id that the group was made with."
        ),
        examples=[secret_rules.NONE],
    )

    @property
    def none(self) -> bool:
        """Tell if the policy declares the absence of a value."""
        return self.value == secret_rules.NONE


Source = KeyVaultSource | CredentialSource
"""Source from which a hidden value of a container group is read."""


def _which(value: object) -> str | None:
    keys = (
        set(value)
        if isinstance(value, Mapping)
        else set(type(value).model_fields)
        if isinstance(value, Part)
        else set()
    )
    return next((f"${key}" for key in ("key_vault", "credential", "value") if key in keys), None)


Sourced = Annotated[
    Annotated[KeyVaultSource, Tag("$key_vault")]
    | Annotated[CredentialSource, Tag("$credential")]
    | Annotated[StatedSource, Tag("$value")],
    Discriminator(
        _which,
        custom_error_type="rotator",
        custom_error_message="not a source",
        custom_error_context={"remedy": secret_rules.SOURCE},
    ),
]
"""Source of a hidden value; its key tells the kinds apart."""
