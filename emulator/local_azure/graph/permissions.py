"""Checks of application permissions in Graph, by Microsoft's permissions reference.

Ownership counts for the very object: ownership of an application gives no permission on the service principal.
Ownership limits changes, not reads: with ``Application.ReadWrite.OwnedBy`` an app reads and lists every application and
service principal of the tenant (permissions reference, "Application.ReadWrite.OwnedBy", remarks; "Get
servicePrincipal", permissions).
"""

from collections.abc import Collection

from local_azure.graph.objects import Entry, Group, Kind, ServicePrincipal, User
from local_azure.graph.refusals import denied

ALL = "Application.ReadWrite.All"
OWNED = "Application.ReadWrite.OwnedBy"
_DIRECTORY = frozenset({"Directory.Read.All", "Directory.ReadWrite.All"})
_GROUP_WRITERS = frozenset({"Group.ReadWrite.All", "Directory.ReadWrite.All"})
RESOLVERS = _DIRECTORY | {"Application.Read.All", ALL}
READERS = RESOLVERS | {OWNED}
WRITERS = frozenset({ALL, OWNED})
DIRECTORY_READERS = _DIRECTORY | {"Organization.Read.All", "Organization.ReadWrite.All"}
DOMAIN_READERS = DIRECTORY_READERS | {"Domain.Read.All", "Domain.ReadWrite.All"}
MEMBER_WRITERS = _GROUP_WRITERS | {"GroupMember.ReadWrite.All"}
GROUP_CREATORS = _GROUP_WRITERS | {"Group.Create"}
GROUP_READERS = _DIRECTORY | MEMBER_WRITERS | {"Group.Read.All", "GroupMember.Read.All"}
USER_WRITERS = frozenset({"User.ReadWrite.All", "Directory.ReadWrite.All"})
USER_DELETERS = frozenset({"User.ReadWrite.All"})
USER_READERS = _DIRECTORY | USER_WRITERS | {"User.Read.All"}
GRANT_READERS = RESOLVERS | {"AppRoleAssignment.ReadWrite.All"}
DELEGATED_WRITERS = frozenset({"DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"})
DELEGATED_READERS = _DIRECTORY | DELEGATED_WRITERS
GRANT_WRITERS = frozenset({"AppRoleAssignment.ReadWrite.All"})
ATTRIBUTE_WRITERS = frozenset({"CustomSecAttributeAssignment.ReadWrite.All"})
ATTRIBUTE_READERS = ATTRIBUTE_WRITERS | {"CustomSecAttributeAssignment.Read.All"}
POLICY_WRITERS = frozenset({"Policy.ReadWrite.ApplicationConfiguration"})
POLICY_READERS = POLICY_WRITERS | {"Policy.Read.All"}

_READERS: dict[Kind, frozenset[str]] = {"groups": GROUP_READERS, "users": USER_READERS}
_CREATORS: dict[Kind, frozenset[str]] = {"groups": GROUP_CREATORS, "users": USER_WRITERS}


def require(roles: Collection[str], wanted: frozenset[str]) -> None:
    """Check the caller for one of these permissions. Raises ServiceError 403."""
    if wanted.isdisjoint(roles):
        raise denied()


def may_read(roles: Collection[str], kind: Kind = "applications") -> None:
    """Reading objects of a collection, one or many. Raises ServiceError 403."""
    require(roles, _READERS.get(kind, READERS))


def may_create(roles: Collection[str], kind: Kind = "applications") -> None:
    """Creating an object. Raises ServiceError 403."""
    require(roles, _CREATORS.get(kind, WRITERS))


def may_delete(roles: Collection[str], kind: Kind) -> None:
    """Deleting, where it takes more than changing: users ("Delete a user", permissions). Raises ServiceError 403."""
    if kind == "users":
        require(roles, USER_DELETERS)


def may_write(roles: Collection[str], oid: str, target: Entry | None, kind: Kind = "applications") -> None:
    """Check the permission to change one object. Raises ServiceError 403.

    ``.All`` allows all objects, ``.OwnedBy`` the caller's own. For a missing object (None), a caller with either
    permission passes, to see the 404. No caller may change managed identities and Microsoft's service principals.
    """
    if isinstance(target, ServicePrincipal) and not target.is_ours:
        raise denied()
    if kind == "groups" or isinstance(target, Group):
        require(roles, _GROUP_WRITERS)
    elif kind == "users" or isinstance(target, User):
        require(roles, USER_WRITERS)
    elif ALL not in roles and not (OWNED in roles and (target is None or oid in target.owners)):
        raise denied()
