"""Causes of Azure's refusals, as told by its inner codes, so that one place can say what to do about each."""

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Cause of a refusal; only a missing `ROLE` or `LINKED_ROLE` is fixed by a role."""

    ROLE = "role"
    LINKED_ROLE = "linked_role"
    """A permission is missing on a resource that the request links to."""
    DENY_ASSIGNMENT = "deny_assignment"
    """A deny assignment forbids the action, whatever the roles."""
    AZURE_POLICY = "azure_policy"
    """An assignment of Azure Policy disallows the resource."""
    SECRET_POLICY = "secret_policy"  # noqa: S105 - a word
    """An assignment of Azure Policy disallows the secret in its vault."""
    VAULT_FIREWALL = "vault_firewall"
    VAULT_CLOSED = "vault_closed"
    """The vault is closed to the public network."""
    ACCESS_POLICY = "access_policy"
    """Access policies rule the vault, and none lets this identity in."""
    SECRET_DISABLED = "secret_disabled"  # noqa: S105 - a word
    CONDITIONAL_ACCESS = "conditional_access"
    WRONG_SECRET = "wrong_secret"  # noqa: S105 - a word
    EXPIRED_SECRET = "expired_secret"  # noqa: S105 - a word
    CERTIFICATE = "certificate"
    """Entra doesn't take the certificate, or the federated token, of the sign-in."""
    SIGN_IN_AGAIN = "sign_in_again"
    """The sign-in of a person has ended, or wants another step."""
    NO_IDENTITY = "no_identity"
    """The managed identity isn't assigned to this machine."""
    WRONG_TENANT = "wrong_tenant"
    UNKNOWN_APPLICATION = "unknown_application"
    DISABLED = "disabled"
    """The application or its service principal is disabled or deactivated."""
    CHALLENGE = "challenge"
    """Continuous access evaluation asks for a new token."""
    API_VERSION = "api_version"
    """The service doesn't take the version of its interface any more, or not yet."""
    SLOW_CLI = "slow_cli"
    """az took longer to give a token than rotator waits."""
    NO_CLI = "no_cli"
    """No credential of the chain is set up, and az isn't installed."""
    NOT_SIGNED_IN = "not_signed_in"
    """No credential of the chain is set up."""
    PASSWORDS_FORBIDDEN = "passwords_forbidden"
    PASSWORD_LIFE = "password_life"  # noqa: S105 - a word
    INSTANCE_LOCK = "instance_lock"
    TOO_MANY_CREDENTIALS = "too_many_credentials"
    TWO_PASSWORDS = "two_passwords"
    """An application for personal accounts holds two passwords at most."""
    QUOTA = "quota"
    """A quota of the subscription in the region is used up, or the region has no capacity now."""
    IMAGE = "image"
    """Container Instances could not pull an image of the group with what the group was given."""
    REGISTRY_BUSY = "registry_busy"
    """The registry of an image failed, or limits pulls."""
    REGISTRY_ENTRIES = "registry_entries"
    """The entries for registries don't fit the group."""
    FIXED = "fixed"
    """The request changes what an existing container group keeps for ever."""
    GROUP_CONTENT = "group_content"
    """A value in the container group is wrong, as Azure's words say."""
    GROUP_BUSY = "group_busy"
    """Another change of the container group is under way."""
    SUBNET = "subnet"
    """The subnet of the container group doesn't take container groups."""
    REGION = "region"
    """The region doesn't fit the container group or its resource group."""
    UNREGISTERED = "unregistered"
    """The subscription isn't registered to use the service."""
    SUBSCRIPTION_CLOSED = "subscription_closed"
    """The subscription is disabled, or may only be read."""
    UNCLEAR = "unclear"
    """A refusal with a code that says nothing of a permission, or without any."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """Cause of a refusal with everything that Azure, or the reader of its answer, names for the remedy.

    `needs` is the permission with its scope, in words; `role` and `scope` are the role and the resource to assign it
    on. `vault` is a vault's name, `subscription` the vault's. `address` is the client's, as the firewall saw it;
    `caller` the object id of the refused identity, `person` tells if it is a person's; `app_id` the client id of the
    sign-in. `named` are assignments of policies or deny assignments; `resource` is the refused resource's id.
    """

    cause: Cause
    needs: str = ""
    role: str = ""
    scope: str = ""
    vault: str = ""
    subscription: str | None = None
    address: str = ""
    caller: str = ""
    person: bool | None = None
    app_id: str = ""
    named: tuple[str, ...] = ()
    resource: str = ""
    service: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Denial:
    """Refusal that is part of the picture: Azure's words, and the reason for the remedy."""

    text: str
    grounds: Grounds

    def __str__(self) -> str:
        return self.text
