"""Part of a policy about the vault: where password and user name are published, and what each new version has."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints, field_validator

from rotator.policy import rules
from rotator.policy.source import Part, SecretName

_ContentType = Annotated[str, StringConstraints(min_length=1, max_length=255)]
_Tag = Annotated[str, StringConstraints(min_length=1, max_length=256)]
_TagValue = Annotated[str, StringConstraints(max_length=256)]


class KeyVaultPolicy(Part):
    """Secrets of Key Vault that publish password and user name."""

    url: Annotated[str, BeforeValidator(rules.vault_url)] = Field(
        description="URL of the vault.", examples=["https://myvault.vault.azure.net"]
    )
    password_secret: Annotated[str, BeforeValidator(rules.password_name)] = Field(
        description="Name of the secret that holds the password; never the password itself.",
        examples=["mycontainerregistry-pull-pwd"],
    )
    username_secret: SecretName | None = Field(
        default=None,
        description="Name of the secret that holds the user name, which is the app id.",
        examples=["mycontainerregistry-pull-usr"],
    )
    content_type: _ContentType | None = Field(
        default=None,
        description="Content type of each new version; without it, that of the version before is kept.",
        examples=["text/plain"],
    )
    tags: Mapping[_Tag, _TagValue] = Field(
        default_factory=dict,
        max_length=9,
        description="Tags of each new version, beside rotator's own and those of the version before; nine at most.",
        json_schema_extra={"additionalProperties": {"type": "string"}},
    )

    @field_validator("tags")
    @classmethod
    def _no_tag_is_ours(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        if mine := sorted(name for name in value if name.lower().startswith(rules.OWN_TAGS)):
            rules.refuse(
                f"{mine[0]} is one of rotator's own tags", f"Write a name that doesn't begin with {rules.OWN_TAGS}"
            )
        return value

    def __hash__(self) -> int:
        """Hash by the names, since `tags` has no hash."""
        return hash((self.url, self.password_secret, self.username_secret))

    @property
    def host(self) -> str:
        """The vault's host name, in lower case."""
        return self.url.removeprefix("https://")

    @property
    def name(self) -> str:
        """Name of the vault, in lower case: the host name up to the first dot."""
        return self.host.partition(".")[0]
