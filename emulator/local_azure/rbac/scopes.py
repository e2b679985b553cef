"""Scopes: comparison, enclosure, and the form of the ids in scopes."""

import uuid
from functools import lru_cache

from local_azure.wire import Call

PROVIDER = "/providers/Microsoft.Authorization"
"""Part of an id between a scope and the role assignments, definitions and locks at it."""


def is_guid(text: str) -> bool:
    """Tell if a name or a principal's id is a GUID."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=65536)
def scope_key(scope: str) -> str:
    """A scope as it is compared: lower case, no trailing slash, ``/`` for the root."""
    return "/" + scope.strip("/").lower()


def encloses(outer: str, inner: str) -> bool:
    """Tell if an assignment at `outer` applies at `inner`: `inner` is the same scope or below."""
    above, below = scope_key(outer), scope_key(inner)
    return above in ("/", below) or below.startswith(above + "/")


def role_id(scope: str, role: str) -> str:
    """Return the full id of a role in assignments at `scope`.

    The id begins with the scope's subscription, if the scope has one.
    """
    parts = scope.split("/")
    prefix = f"/subscriptions/{parts[2]}" if len(parts) > 2 and parts[1].lower() == "subscriptions" else ""
    return f"{prefix}{PROVIDER}/roleDefinitions/{role}"


def scope_of(call: Call) -> str:
    """The scope in front of ``/providers/Microsoft.Authorization``; the root is ``/``."""
    return "/" + call.params.get("scope", "").strip("/")
