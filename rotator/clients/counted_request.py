"""Requests as Azure's limits count them: kind, host and path, and the buckets that each takes from."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from yarl import URL

from rotator.clients.buckets import Bucket, Counter, Store
from rotator.cloud import Cloud
from rotator.ports import PasswordChange, Publication, Redeployment, Write
from rotator.rate_limits import (
    ALL_CALLS,
    ALL_CREATIONS,
    GRAPH_UNITS,
    GRAPH_WRITES,
    RESOURCE_MANAGER,
    VAULT_CALLS,
    VAULT_CREATIONS,
)
from rotator.state import Home

_READS = ("GET", "HEAD")
_SUBSCRIPTION = re.compile(r"^/subscriptions/([^/]+)", re.IGNORECASE)
_GROUP = re.compile(r"^/subscriptions/([^/]+)/.*/containergroups/[^/]+$", re.IGNORECASE)
_WINDOWS = {
    "graph units": GRAPH_UNITS,
    "graph writes": GRAPH_WRITES,
    "vault creations": VAULT_CREATIONS,
    "vault calls": VAULT_CALLS,
    "all creations": ALL_CREATIONS,
    "all calls": ALL_CALLS,
}


@dataclass(frozen=True, slots=True)
class Sent:
    """Request, as far as limits ask: its method, its host and its path."""

    method: str
    host: str
    path: str

    @classmethod
    def of(cls, method: str, address: URL) -> "Sent":
        """Read a request's address."""
        return cls(method.upper(), (address.raw_host or "").lower(), address.raw_path.lower())

    @property
    def group(self) -> str | None:
        """The container group that the request redeploys, in lower case."""
        return self.path.lower() if self.method == "PUT" and _GROUP.match(self.path) else None

    @property
    def subscription(self) -> str:
        """The subscription, in lower case; empty where the path names none."""
        found = _SUBSCRIPTION.match(self.path)
        return found[1].lower() if found else ""

    @property
    def kind(self) -> str:
        """The kind of request that Resource Manager counts."""
        return "reads" if self.method in _READS else "deletes" if self.method == "DELETE" else "writes"


@dataclass(frozen=True, slots=True)
class Hosts:
    """Hosts whose limits are known: those of one cloud."""

    graph: str
    resource_manager: str
    vaults: str
    """End of the names of all vaults."""

    @classmethod
    def of(cls, cloud: Cloud) -> "Hosts":
        """Return the hosts of a cloud."""
        return cls(_host(cloud.graph), _host(cloud.arm), f".{cloud.vault_suffix}")

    def sent(self, write: Write) -> Sent:
        """Return the request of a write."""
        match write:
            case Redeployment(group):
                return Sent("PUT", self.resource_manager, group.lower())
            case PasswordChange(principal, home, adds):
                owner = principal.application if home is Home.APPLICATION else principal.service_principal
                collection = "applications" if home is Home.APPLICATION else "serviceprincipals"
                operation = "addpassword" if adds else "removepassword"
                return Sent("POST", self.graph, f"/v1.0/{collection}/{str(owner).lower()}/{operation}")
            case Publication(policy):
                return Sent("PUT", policy.key_vault.host, f"/secrets/{policy.key_vault.password_secret.lower()}")

    def buckets(self, sent: Sent) -> Iterator[str]:
        """Yield the names of the buckets that a request takes from."""
        if sent.host == self.graph:
            yield from ("graph units",) if sent.method in _READS else ("graph units", "graph writes")
        elif sent.host == self.resource_manager and sent.subscription:
            yield arm_bucket(sent)
        elif sent.host.endswith(self.vaults):
            creates = sent.method == "PUT" and sent.path.startswith("/secrets/")
            yield "all creations" if creates else "all calls"
            yield f"{'vault creations' if creates else 'vault calls'} {sent.host}"


def arm_bucket(sent: Sent) -> str:
    """Return the name of the bucket that Resource Manager keeps for a kind of request and a subscription."""
    return f"arm {sent.kind} {sent.subscription}"


def full_bucket(key: str) -> Bucket:
    """Return the full bucket of a name yielded by `Hosts.buckets`."""
    if key.startswith("arm "):
        return Store(RESOURCE_MANAGER[key.split()[1]])
    return Counter(_WINDOWS[" ".join(key.split()[:2])])


def _host(address: str) -> str:
    return urlsplit(address).hostname or ""
