"""State of Resource Manager: plain values for saving as JSON."""

from dataclasses import dataclass, field
from datetime import datetime

from local_azure.arm.access import RegistrySettings
from local_azure.arm.budget import Bucket
from local_azure.arm.operations import Operation
from local_azure.wire import Json


@dataclass(slots=True)
class Subscription:
    """A subscription of the one tenant."""

    id: str
    name: str
    state: str = "Enabled"
    tags: dict[str, str] | None = None


@dataclass(slots=True)
class ResourceGroup:
    """Resource group; `id` is the full path."""

    id: str
    name: str
    location: str
    tags: dict[str, str] | None = None
    """Tags; None if no request has given any."""
    gone_at: datetime | None = None
    """End of its deletion, once that has begun."""
    managed_by: str = ""


@dataclass(slots=True)
class Resource:
    """Tracked resource of any type; `properties` are as the provider shows them."""

    id: str
    name: str
    type: str
    location: str
    properties: dict[str, Json]
    tags: dict[str, str]
    created: datetime
    changed: datetime
    sku: dict[str, Json] | None = None
    identity: dict[str, Json] | None = None
    created_by: str = ""
    changed_by: str = ""


@dataclass(slots=True)
class Grave:
    """Soft-deleted vault: the resource before deletion, and the instant of the final removal."""

    resource: Resource
    deleted_at: datetime
    purge_at: datetime


@dataclass(slots=True)
class Lock:
    """A management lock, ``CanNotDelete`` or ``ReadOnly``, in force at `scope` and below."""

    id: str
    name: str
    scope: str
    level: str
    notes: str | None = None


@dataclass(slots=True)
class ResourceState:
    """All that changes, by lower-cased id; `names` finds a globally unique name (``type/name``, lower case)."""

    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    groups: dict[str, ResourceGroup] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    locks: dict[str, Lock] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    access: dict[str, RegistrySettings] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    deleted_vaults: dict[str, Grave] = field(default_factory=dict)
    buckets: dict[str, Bucket] = field(default_factory=dict)
    tag_names: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Names of tags made in a subscription, each with the values made for it."""
