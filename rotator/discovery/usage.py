"""Who pulls with a password of a service principal, by the registry entries of the container groups that the lists show."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rotator.arm_json import (
    TOKEN,
    Value,
    as_app_id,
    containers,
    entries,
    get,
    principal_of,
    server,
    text,
    user_name,
    variables,
)
from rotator.cloud import Cloud
from rotator.container_group import hidden, run_once
from rotator.container_group.embedded_password import references
from rotator.errors import AzureError
from rotator.policy import Policy
from rotator.resource_id import ArmId
from rotator.state import Registry

_HOST, _SECRET = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+"), re.compile(r"[0-9A-Za-z-]{1,127}")


class Standing(StrEnum):
    """What a policy says of a group and its principal."""

    DECLARED = "declared"
    UNDECLARED = "undeclared"
    """A policy rotates the principal, and doesn't have this group."""
    NONE = "none"
    """No policy rotates the principal."""


class Other(StrEnum):
    """How a group pulls without a password that rotator could rotate."""

    IDENTITY = "identity"
    REFERENCE = "reference"
    TOKEN = "token"  # noqa: S105 - a word
    USER = "user"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Listed:
    """The container groups of a subscription as its list shows them, or why there is no list."""

    subscription: str
    groups: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    unread: AzureError | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """All that was read. `names` are the principals of the tenant by app id, `registries` are by login server."""

    cloud: Cloud
    listed: tuple[Listed, ...]
    names: Mapping[str, str]
    nameless: AzureError | None = None
    registries: Mapping[str, Registry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Use:
    """A container group that pulls with a password of a principal.

    `known` is None where the tenant's principals can't be read.

    `servers` are the registries, of which `others` are none of this cloud's. `hidden` are paths of values that a
    redeployment needs a source for, `job` says that a redeployment runs it. `named` are variables in which the group
    shows the principal's app id.
    """

    group: ArmId
    app_id: str
    known: bool | None
    display_name: str
    servers: tuple[str, ...]
    others: tuple[str, ...]
    standing: Standing
    policy: str | None = None
    hidden: tuple[str, ...] = ()
    job: bool = False
    named: tuple[str, ...] = ()
    reads: tuple[tuple[str, str], ...] = ()
    """Vaults' hosts and secrets from which Azure takes this principal's password for the group (ADR 20: it is redeployed all the same)."""
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Passing:
    """A container group that needs no rotation, and in which ways it pulls."""

    group: ArmId
    ways: tuple[Other, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What there is, by group id and app id."""

    uses: tuple[Use, ...]
    passing: tuple[Passing, ...]


def app_ids(listed: Sequence[Listed]) -> tuple[str, ...]:
    """The app ids of all principals whose password some group has, sorted."""
    return tuple(sorted({app_id for one in listed for group in one.groups for app_id in _servers(group, ())}))


def find(sight: Sight, policies: Sequence[Policy]) -> Found:
    """Every group that was listed: by principal, or passing."""
    uses, passing = list[Use](), list[Passing]()
    for group in (group for one in sight.listed for group in one.groups):
        servers = _servers(group, policies)
        uses += (_use(sight, policies, group, app_id, servers[app_id]) for app_id in servers)
        passing += [] if servers else [Passing(ArmId(clean(text(group, "id"))), _ways(group))]
    return Found(
        tuple(sorted(uses, key=lambda use: (use.group, use.app_id))), tuple(sorted(passing, key=lambda one: one.group))
    )


def clean(text_: str) -> str:
    """Somebody's text in one line of characters that can be printed: neither a terminal nor a YAML comment is to obey it."""
    return " ".join("".join(char if char.isprintable() else " " for char in text_).split())


def _servers(group: Mapping[str, Any], policies: Sequence[Policy]) -> dict[str, tuple[str, ...]]:
    """The registries by the app id of the principal whose password pulls from them; both sorted."""
    pairs = {
        (app_id, clean(server(entry)))
        for entry in entries(group)
        if (app_id := principal_of(entry) or _reader(group, entry, policies))
    }
    return {
        app_id: tuple(sorted(host for one, host in pairs if one == app_id))
        for app_id in sorted({one for one, _ in pairs})
    }


def _reader(group: Mapping[str, Any], entry: Value, policies: Sequence[Policy]) -> str | None:
    """The app id whose password an entry takes from Key Vault: that of the policy that publishes the secret, else of a principal without a policy."""
    read = _read(group, entry)
    if read is None:
        return None
    publisher = next(
        (
            one
            for one in policies
            if (one.key_vault.host, one.key_vault.password_secret.lower()) == (read[0], read[1].lower())
        ),
        None,
    )
    if publisher:
        return publisher.principal.app_id
    user = as_app_id(user_name(entry))
    return user if all(one.principal.app_id != user for one in policies) else None


def _read(group: Mapping[str, Any], entry: Value) -> tuple[str, str] | None:
    """The vault's host and the secret that an entry refers to; None where it refers to none, or to what can't be one."""
    name = "" if get(entry, "identity") else text(entry, "passwordReference").lower()
    found = ((host, secret) for one, host, secret, _ in references(group) if name and one == name)
    return next((pair for pair in found if _HOST.fullmatch(pair[0]) and _SECRET.fullmatch(pair[1])), None)


def _use(
    sight: Sight, policies: Sequence[Policy], group: Mapping[str, Any], app_id: str, servers: tuple[str, ...]
) -> Use:
    policy = next((one for one in policies if one.principal.app_id == app_id), None)
    declared = policy is not None and policy.group(ArmId(text(group, "id"))) is not None
    return Use(
        group=ArmId(clean(text(group, "id"))),
        app_id=app_id,
        known=None if sight.nameless else app_id in sight.names,
        display_name=clean(sight.names.get(app_id, "")),
        servers=servers,
        others=tuple(host for host in servers if host.partition(".")[2] != sight.cloud.registry_suffix),
        standing=Standing.NONE if policy is None else Standing.DECLARED if declared else Standing.UNDECLARED,
        policy=policy.name if policy else None,
        hidden=hidden(group, app_id),
        job=run_once(group),
        named=tuple(_named(group, app_id)),
        reads=tuple(
            sorted(
                {
                    read
                    for one in entries(group)
                    if _reader(group, one, policies) == app_id and (read := _read(group, one))
                }
            )
        ),
        document=group,
    )


def _named(group: Mapping[str, Any], app_id: str) -> Iterator[str]:
    for _, container in containers(group):
        for variable in variables(container):
            if text(variable, "value").strip().lower() == app_id:
                yield clean(text(variable, "name"))


def _ways(group: Mapping[str, Any]) -> tuple[Other, ...]:
    return tuple(sorted({_way(entry) for entry in entries(group)})) or (Other.ANONYMOUS,)


def _way(entry: Value) -> Other:
    if get(entry, "identity"):
        return Other.IDENTITY
    if get(entry, "passwordReference"):
        return Other.REFERENCE
    return Other.TOKEN if user_name(entry) == TOKEN else Other.USER
