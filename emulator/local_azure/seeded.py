"""Names and ids of the seeded tenant, as its state directory keeps them."""

from dataclasses import dataclass, field

from local_azure.arm.clouds import PUBLIC


@dataclass(frozen=True, slots=True)
class Identity:
    """A service principal able to sign in with `secret`."""

    name: str
    app_id: str
    object_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Assigned:
    """A user-assigned managed identity, able to sign in without a secret on resources with the identity."""

    name: str
    client_id: str
    object_id: str
    resource_id: str


@dataclass(frozen=True, slots=True)
class Seeded:
    """Names and ids of the seeded tenant, for users of the tenant."""

    tenant: str
    subscription: str
    resource_group: str
    registry_id: str
    login_server: str
    vault_id: str
    vault_url: str
    operator: Identity
    admin: Identity
    identity: Assigned
    cloud: str = PUBLIC.short
