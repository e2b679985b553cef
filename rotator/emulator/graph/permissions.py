"""Who may do what in Graph, by the application permissions in Microsoft's permissions reference.

Ownership counts for the very object: owning an application gives nothing on its service principal. It limits what may be changed, and not what may
be read: with ``Application.ReadWrite.OwnedBy`` an app reads and lists every application and service principal of the tenant (permissions reference,
"Application.ReadWrite.OwnedBy", remarks; "Get servicePrincipal", permissions).
"""

from collections.abc import Collection

from rotator.emulator.graph.objects import Holder
from rotator.emulator.wire import ServiceError

ALL = "Application.ReadWrite.All"
OWNED = "Application.ReadWrite.OwnedBy"
RESOLVERS = frozenset({"Application.Read.All", ALL, "Directory.Read.All", "Directory.ReadWrite.All"})
READERS = RESOLVERS | {OWNED}
GROUP_READERS = frozenset({"GroupMember.Read.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"})
DIRECTORY_READERS = frozenset({"Directory.Read.All", "Directory.ReadWrite.All", "Organization.Read.All", "Organization.ReadWrite.All"})


def denied() -> ServiceError:
    """Graph's one refusal, whatever is missing."""
    return ServiceError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def may_read(roles: Collection[str]) -> None:
    """Reading applications and service principals, one or many. Raises ServiceError 403."""
    if READERS.isdisjoint(roles):
        raise denied()


def may_resolve(roles: Collection[str]) -> None:
    """Reading objects of any kind by their ids. Raises ServiceError 403."""
    if RESOLVERS.isdisjoint(roles):
        raise denied()


def may_read_groups(roles: Collection[str]) -> None:
    """Reading a group's name. Raises ServiceError 403."""
    if GROUP_READERS.isdisjoint(roles):
        raise denied()


def may_read_directory(roles: Collection[str]) -> None:
    """Reading the organization. Raises ServiceError 403."""
    if DIRECTORY_READERS.isdisjoint(roles):
        raise denied()


def may_create(roles: Collection[str]) -> None:
    """Creating an application. Raises ServiceError 403."""
    if ALL not in roles and OWNED not in roles:
        raise denied()


def may_write(roles: Collection[str], oid: str, target: Holder | None) -> None:
    """Changing one object: everybody's with ``.All``, one's own with ``.OwnedBy``. Raises ServiceError 403.

    That an object doesn't exist (None) is told to whoever has either permission.
    """
    if ALL not in roles and not (OWNED in roles and (target is None or oid in target.owners)):
        raise denied()
