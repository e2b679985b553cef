"""Kinds of faults: the form of a row of the alphabet, and the ways of asking for each operation.

A kind names faults of the emulator, its delays, or a fault of the machine. Its class depends on the way of asking
(`Way`): a read; a proof; a write sent once; a write sent again, which is idempotent. `AS_EVER`: answer and effect are
those without the fault. A kind without a cell for an operation gives the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from local_azure.faults import Fault, Faults

from tests.matrices.effects import Effect

Meets = Mapping[str, Any]
"""The fields of a Fault, without its operation. A code that begins with `@` stands in `CODES`."""
AS_EVER = None
NO, UNKNOWN, DONE, MISLEADING, STALE, GONE, HANG, NOT_SENT = (
    Effect.NO,
    Effect.UNKNOWN,
    Effect.UNKNOWN_DONE,
    Effect.MISLEADING,
    Effect.STALE,
    Effect.GONE,
    Effect.HANG,
    Effect.NOT_SENT,
)


class Way(StrEnum):
    """Way of asking for an operation."""

    READ = "read"
    PROOF = "proof"
    ONCE = "once"
    AGAIN = "again"


WAYS: Mapping[str, tuple[Way, ...]] = {
    "entra.token": (Way.READ, Way.PROOF),
    "acr.token": (Way.PROOF,),
    "acr.manifests.head": (Way.PROOF,),
    "graph.*.addPassword": (Way.ONCE,),
    "graph.*.removePassword": (Way.ONCE,),
    "graph.applications.upsert": (Way.AGAIN,),
    "graph.servicePrincipals.create": (Way.AGAIN,),
    "graph.*.owners.add": (Way.AGAIN,),
    "keyvault.secrets.set": (Way.ONCE,),
    "keyvault.secrets.update": (Way.AGAIN,),
    "rbac.roleAssignments.create": (Way.AGAIN,),
    "rbac.roleAssignments.delete": (Way.AGAIN,),
    "aci.containerGroups.createOrUpdate": (Way.ONCE,),
    **dict.fromkeys(
        ("*.get", "graph.batch", "*.getAtTenant", "*.list", "*.versions", "acr.challenge", "aci.containers.listLogs"),
        (Way.READ,),
    ),
}
"""Ways of asking for each operation, by pattern; the first match counts."""

CODES: Mapping[str, Mapping[str, str]] = {
    "graph": {
        "@refused": "Authorization_RequestDenied",
        "@absent": "Request_ResourceNotFound",
        "@elsewhere": "UnknownError",
    },
    "keyvault": {"@refused": "Forbidden", "@absent": "SecretNotFound", "@elsewhere": "VaultNotFound"},
    "arm": {"@refused": "AuthorizationFailed", "@absent": "ResourceNotFound", "@elsewhere": "SubscriptionNotFound"},
    "rbac": {
        "@refused": "AuthorizationFailed",
        "@absent": "RoleAssignmentNotFound",
        "@elsewhere": "SubscriptionNotFound",
    },
    "aci": {"@refused": "AuthorizationFailed", "@absent": "ResourceNotFound", "@elsewhere": "SubscriptionNotFound"},
    "acr": {"@refused": "DENIED", "@absent": "MANIFEST_UNKNOWN", "@elsewhere": "NAME_UNKNOWN"},
    "entra": {"@refused": "invalid_client", "@absent": "invalid_request", "@elsewhere": "invalid_resource"},
}
"""Codes of each service for a refusal, for an absence, and for a 404 about another object."""

_NOT_KNOWN: Mapping[Effect, Effect] = {NO: UNKNOWN, GONE: UNKNOWN}
TOLD: tuple[tuple[str, Mapping[Effect, Effect]], ...] = (
    ("acr.challenge", _NOT_KNOWN),
    ("arm.resources.list", _NOT_KNOWN),
    ("arm.vaults.get", _NOT_KNOWN),
    ("graph.groups.get", _NOT_KNOWN),
    ("graph.*.appManagementPolicies.list", {NO: UNKNOWN}),
    ("graph.defaultAppManagementPolicy.get", {NO: UNKNOWN}),
    ("rbac.permissions.list", _NOT_KNOWN),
    ("keyvault.secrets.versions", {GONE: HANG, STALE: HANG}),
)
"""Reads that are one part of an answer: a refused or absent part is reported as unknown. A list of versions is compared
with a GET, and read again if they disagree.
"""

Classes = Mapping[Way, Effect | None]
But = tuple[tuple[str, Effect | None], ...]
"""Classes of single operations, by pattern, and by the way of asking after `@`; the first match counts."""


@dataclass(frozen=True, eq=False)
class Kind:
    """Kind of fault: `faults` of the emulator, `delays` of its Timing, or a fault of the `machine`."""

    name: str
    classes: Classes
    faults: tuple[Meets, ...] = ()
    but: But = ()
    only: tuple[str, ...] = ("*",)
    never: tuple[str, ...] = ()
    why: str = ""
    """Reason for no cell of the operations left out by `only` and `never`."""
    delays: Mapping[str, float] = field(default_factory=dict)
    machine: str = ""

    def meets(self, operation: str, way: Way) -> bool:
        """Tell if an operation, asked in this way, can meet the kind."""
        left_out = any(_fits(operation, way, each) for each in self.never)
        return way in self.classes and not left_out and any(_fits(operation, way, each) for each in self.only)

    def effect(self, operation: str, way: Way) -> Effect | None:
        """Return the class of the kind for an operation."""
        own = [effect for pattern, effect in self.but if _fits(operation, way, pattern)]
        return own[0] if own else _told(operation, way, self.classes[way])

    def __str__(self) -> str:
        return self.name.replace(" ", "-")

    def befall(self, faults: Faults, operation: str) -> None:
        """Plan the kind for an operation's next call."""
        for fault in self.faults:
            faults.add(_planned(operation, fault))


def _planned(operation: str, fault: Meets) -> Fault:
    codes = CODES[operation.partition(".")[0]]
    found = Fault(operation, **fault)
    return replace(found, code=codes.get(found.code, found.code))


def _fits(operation: str, way: Way, pattern: str) -> bool:
    named, _, asked = pattern.partition("@")
    return fnmatchcase(operation, named) and asked in ("", way)


def _told(operation: str, way: Way, effect: Effect | None) -> Effect | None:
    """Return the class as the method of `World` reports it, if the method reports several answers."""
    return next(
        (classes.get(effect, effect) for pattern, classes in TOLD if effect and _fits(operation, way, pattern)), effect
    )


@cache
def ways(operation: str) -> tuple[Way, ...]:
    """Return how an operation is asked; KeyError for an operation without an entry."""
    found = next((found for pattern, found in WAYS.items() if fnmatchcase(operation, pattern)), None)
    if found is None:
        raise KeyError(f"{operation} is called and has no row in WAYS")
    return found
