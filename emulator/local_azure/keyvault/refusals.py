"""Key Vault's refusals in the service's own words, and the limits behind some of the refusals.

Sources: recorded answers and reports of users. A function's docstring says if the text could not be looked up.
"""

import re

from local_azure.arm.behaviour import Resource
from local_azure.wire import Caller, ServiceError

VALUE_LIMIT, CONTENT_TYPE_LIMIT, TAG_LIMIT, TAG_COUNT = 25 * 1024, 255, 512, 15
"""Bytes of a value; characters of a content type, of a tag's name or value; tags ("Secret" limits of the service)."""

VERSION_LIMIT = 500
"""Versions of a secret that can be backed up ("Azure Key Vault service limits")."""


def check(name: str, content_type: str | None, tags: dict[str, str] | None) -> None:
    """Refuse a name, content type or tags exceeding a limit; 400 BadParameter."""
    check_name(name)
    long = any(len(text) > TAG_LIMIT for pair in (tags or {}).items() for text in pair)
    if len(content_type or "") > CONTENT_TYPE_LIMIT or len(tags or {}) > TAG_COUNT or long:
        raise invalid()


def check_name(name: str) -> None:
    """Refuse an invalid name of a secret."""
    if not re.fullmatch(r"[0-9a-zA-Z-]{1,127}", name):
        raise bad(f"The request URI contains an invalid name: {name}")


def invalid() -> ServiceError:
    """Return the refusal of a body with a part too long, too many or of the wrong type.

    The service does not name the part (reported of values and of tags).
    """
    return bad("Property  has invalid value\r\n")


def bad(message: str) -> ServiceError:
    """400 BadParameter."""
    return ServiceError(400, "BadParameter", message)


def not_found(name: str) -> ServiceError:
    """Refusal: the secret, or this version of it, does not exist (``name/version``)."""
    message = (
        f"A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may"
        " be able to recover it using the correct recovery command. For help resolving this issue, please see"
        " https://go.microsoft.com/fwlink/?linkid=2125182"
    )
    return ServiceError(404, "SecretNotFound", message)


def deleted_not_found(name: str) -> ServiceError:
    """Refusal: the deleted secret does not exist."""
    return ServiceError(404, "SecretNotFound", f"Deleted Secret not found: {name}")


def disabled() -> ServiceError:
    """The version is there, but not to be read."""
    return ServiceError(403, "Forbidden", "Operation get is not allowed on a disabled secret.", inner="SecretDisabled")


def in_the_way(name: str) -> ServiceError:
    """A deleted secret still has the name."""
    message = (
        f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused;"
        " in this state, the secret can only be recovered or purged."
    )
    return ServiceError(409, "Conflict", message, inner="ObjectIsDeletedButRecoverable")


def moving(name: str, inner: str) -> ServiceError:
    """Deletion, recovery or purge hasn't ended yet: `inner` is ObjectIsBeingDeleted or ObjectIsBeingRecovered."""
    what = "deleted" if inner == "ObjectIsBeingDeleted" else "recovered"
    return ServiceError(
        409, "Conflict", f"Secret {name} is currently being {what} and cannot be re-created; retry later.", inner=inner
    )


def purge_protected() -> ServiceError:
    """Return the refusal to purge a deleted secret early in a vault with purge protection."""
    message = 'Operation "purge" is not allowed because purge protection is enabled for this vault.'
    more = "Key Vault service will automatically purge it after the retention period has passed."
    return ServiceError(403, "Forbidden", f"{message} {more}")


def not_deleted(name: str) -> ServiceError:
    """Refusal: a recovery meets a secret that isn't deleted, as a second one does (recorded)."""
    inner = "RequestNotAllowedOnNonDeletedObject"
    return ServiceError(400, "MethodNotAllowed", f"Secret exists already: {name}", inner=inner)


def being_deleted(name: str) -> ServiceError:
    """Refusal: a recovery or purge comes before the deletion has ended (recorded)."""
    return ServiceError(409, "Conflict", f"Secret {name} is currently being deleted.", inner="ObjectIsBeingDeleted")


def conflicting(id_: str) -> ServiceError:
    """A restore meets a secret of that name (recorded)."""
    message = (
        f"There was a conflict restoring the secret '{id_}'. This can happen if either: a second secret with the same"
        " name was created after the first secret was deleted; thus trying to restore a secret whose name is already"
        " in use. To fix this, rename the second secret to something else so that the restore works. The second"
        " probable cause of this exception is when multiple operations are performed in parallel against the secret."
        " To avoid this error, perform operations against a secret in a sequential manner."
    )
    return ServiceError(409, "Conflict", message)


def corrupt() -> ServiceError:
    """Refusal: no backup of a secret (recorded)."""
    return ServiceError(400, "Malformed backup blob", "Backup blob contains invalid or corrupt version.")


def throttled() -> ServiceError:
    """Too many requests within ten seconds; the service names no time after which to try again."""
    message = "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached"
    return ServiceError(429, "Throttled", message)


def by_rbac(caller: Caller, vault: Resource, action: str, scope: str) -> ServiceError:
    """Return the refusal of a caller without a role for the action."""
    lines = (
        "Caller is not authorized to perform action on resource.",
        (
            "If role assignments, deny assignments or role definitions were changed recently, please observe"
            " propagation time."
        ),
        f"Caller: {_who(caller)}",
        f"Action: '{action}'",
        f"Resource: '{scope}'",
        "Assignment: (not found)",
        "DenyAssignmentId: null",
        "DecisionReason: null ",
        f"Vault: {_where(vault)}",
        "",
    )
    return ServiceError(403, "Forbidden", "\r\n".join(lines), inner="ForbiddenByRbac")


def by_policy(caller: Caller, vault: Resource, permission: str, kind: str = "secrets") -> ServiceError:
    """Return the refusal of a caller without an access policy for the permission."""
    message = (
        f"The user, group or application '{_who(caller)}' does not have {kind} {permission} permission on key vault"
        f" '{_where(vault)}'."
    )
    help_link = "For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287"
    return ServiceError(403, "Forbidden", f"{message} {help_link}", inner="AccessDenied")


def by_firewall(caller: Caller, vault: Resource, address: str) -> ServiceError:
    """The vault's network rules don't name where the request came from."""
    lines = (
        "Client address is not authorized and caller is not a trusted service.",
        f"Client address: {address}",
        f"Caller: {_who(caller)}",
        f"Vault: {_where(vault)}",
    )
    return ServiceError(403, "Forbidden", "\r\n".join(lines), inner="ForbiddenByFirewall")


def by_connection(caller: Caller, vault: Resource) -> ServiceError:
    """The vault is closed to the public network."""
    lines = (
        "Public network access is disabled and request is not from a trusted service nor via an approved private link.",
        f"Caller: {_who(caller)}",
        f"Vault: {_where(vault)}",
    )
    return ServiceError(403, "Forbidden", "\r\n".join(lines), inner="ForbiddenByConnection")


def _who(caller: Caller) -> str:
    return f"appid={caller.app_id};oid={caller.oid};iss=https://sts.windows.net/{caller.tenant}/"


def _where(vault: Resource) -> str:
    return f"{vault.name};location={vault.location}"
