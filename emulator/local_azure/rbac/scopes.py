"""Scopes: how they compare, which encloses which, and what the ids in them look like."""

from functools import lru_cache

from local_azure.wire import Call

PROVIDER = "/providers/Microsoft.Authorization"
"""What stands between a scope and the role assignments, definitions and locks at it."""


@lru_cache(maxsize=65536)
def scope_key(scope: str) -> str:
    """A scope as it is compared: lower case, no trailing slash, ``/`` for the root."""
    return "/" + scope.strip("/").lower()


def encloses(outer: str, inner: str) -> bool:
    """Whether what is assigned at `outer` is inherited by `inner`, or is at it."""
    above, below = scope_key(outer), scope_key(inner)
    return above in ("/", below) or below.startswith(above + "/")


def role_id(scope: str, role: str) -> str:
    """The full id of a role as assignments at `scope` carry it: prefixed with the scope's subscription, if it has one."""
    parts = scope.split("/")
    prefix = f"/subscriptions/{parts[2]}" if len(parts) > 2 and parts[1].lower() == "subscriptions" else ""
    return f"{prefix}{PROVIDER}/roleDefinitions/{role}"


def scope_of(call: Call) -> str:
    """The scope in front of ``/providers/Microsoft.Authorization``; the root is ``/``."""
    return "/" + call.params.get("scope", "").strip("/")
