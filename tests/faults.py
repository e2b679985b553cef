"""What each operation of Azure can meet: the faults of the fault matrices, by pattern, so that an operation has the same ones whoever calls it."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from rotator.emulator.faults import Fault

Meets = dict[str, object]
"""The fields of a Fault, without its operation."""
THROTTLED: Meets = {"kind": "status", "status": 429, "code": "TooManyRequests", "message": "Slow down.", "retry_after": 7}
BUSY: Meets = {"kind": "status", "status": 503}
BROKEN: Meets = {"kind": "status", "status": 500, "code": "InternalServerError", "message": "Something went wrong."}
LATE: Meets = {"kind": "status", "status": 503, "when": "after"}
RESET: Meets = {"kind": "reset"}
LOST: Meets = {"kind": "lost"}
TIMEOUT: Meets = {"kind": "timeout"}
TIMEOUT_AFTER: Meets = {"kind": "timeout", "when": "after"}
FOR_LONG: Meets = {**BUSY, "times": 60}
STALE: Meets = {"kind": "stale"}
FORBIDDEN: Meets = {"kind": "status", "status": 403, "code": "AuthorizationFailed", "message": "Not allowed, for a while."}

CONDITIONS: tuple[Meets, ...] = tuple({"kind": kind} for kind in ("inaccessible", "transitioning", "quota", "strip_tags", "crash", "failed_lro"))
READ: tuple[Meets, ...] = (THROTTLED, BUSY, BROKEN, RESET, LOST, TIMEOUT, FOR_LONG)
WRITE: tuple[Meets, ...] = (THROTTLED, BUSY, LATE, RESET, LOST, TIMEOUT, TIMEOUT_AFTER)
FAULTS: tuple[tuple[str, tuple[Meets, ...]], ...] = (
    ("entra.token", (*READ, {"kind": "status", "status": 401, "code": "invalid_client", "message": "AADSTS7000215: flapping"})),
    ("graph.applications.appManagementPolicies.list", READ),
    ("graph.*.get", (*READ, STALE)),
    ("graph.*.list", (*READ, STALE)),
    ("graph.*.addPassword", (*WRITE, {"kind": "concurrency"}, {"kind": "app_policy"})),
    ("graph.*.removePassword", (*WRITE, {"kind": "concurrency"})),
    ("graph.applications.upsert", (*WRITE, {"kind": "concurrency"})),
    ("graph.servicePrincipals.create", (*WRITE, {"kind": "concurrency"})),
    ("graph.*.owners.add", (*WRITE, {"kind": "concurrency"})),
    ("keyvault.secrets.get", (*READ, STALE, {"kind": "rbac_lag"})),
    ("keyvault.secrets.versions", (*READ, STALE, {"kind": "rbac_lag"})),
    ("keyvault.secrets.set", (*WRITE, {"kind": "rbac_lag"})),
    ("keyvault.secrets.update", (*WRITE, {"kind": "rbac_lag"})),
    ("keyvault.deletedSecrets.get", READ),
    ("arm.*", READ),
    ("rbac.permissions.list", READ),
    ("rbac.roleDefinitions.*", READ),
    ("rbac.roleAssignments.list", (*READ, STALE)),
    ("rbac.roleAssignments.get", READ),
    ("rbac.roleAssignments.create", (*WRITE, {"kind": "rbac_lag"})),
    ("rbac.roleAssignments.delete", (*WRITE, {"kind": "rbac_lag"}, {"kind": "ScopeLocked"})),
    ("aci.containerGroups.get", (*READ, STALE)),
    ("aci.containerGroups.list", (*READ, STALE)),
    (
        "aci.containerGroups.createOrUpdate",
        (*WRITE, *CONDITIONS, {"kind": "failed_pull", "argument": "3"}, {"kind": "failed_pull", "argument": "0"}),
    ),
    ("acr.*", (*READ, {"kind": "status", "status": 403, "code": "DENIED", "message": "requested access to the resource is denied"})),
)
"""What each operation can meet, by pattern; the first that fits counts."""


def faults_of(operation: str) -> tuple[Meets, ...]:
    """The faults of an operation; KeyError where nobody has thought about it."""
    for pattern, faults in FAULTS:
        if fnmatchcase(operation, pattern):
            return faults
    raise KeyError(f"{operation} is called and has no faults in FAULTS")


def name(fault: Meets) -> str:
    """A fault in a test's name."""
    return "-".join(str(value) for key, value in fault.items() if key in ("kind", "status", "when", "argument", "times"))


def unused(operations: Iterable[str]) -> list[str]:
    """The patterns that none of these operations fits."""
    called = set(operations)
    return [pattern for pattern, _ in FAULTS if not any(fnmatchcase(operation, pattern) for operation in called)]


def planned(operation: str, fault: Meets) -> Fault:
    """The fault that strikes an operation's next call."""
    return Fault(operation, **fault)  # type: ignore[arg-type]
