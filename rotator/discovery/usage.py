"""Container groups that pull with a password of a service principal, by the registry entries in lists."""

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
    hides_client_secret,
    principal_of,
    pulls_as,
    server,
    shown_values,
    text,
    user_name,
    variables,
)
from rotator.cloud import Cloud, registry_name
from rotator.container_group import Document, hidden, run_once
from rotator.container_group.embedded_password import references, unsaid
from rotator.errors import AzureError
from rotator.policy import Policy
from rotator.resource_id import ArmId
from rotator.state import Registry

_HOST, _SECRET = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+"), re.compile(r"[0-9A-Za-z-]{1,127}")


class Standing(StrEnum):
    """Relation of a policy to a group and its principal."""

    DECLARED = "declared"
    UNDECLARED = "undeclared"
    """A policy rotates the principal, and doesn't have this group."""
    NONE = "none"
    """No policy rotates the principal."""


class Other(StrEnum):
    """Ways for a group to pull without a password that rotator could rotate."""

    IDENTITY = "identity"
    REFERENCE = "reference"
    ADMIN = "admin"
    """The registry's admin user."""
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
class Listing:
    """All that was read. `names` are the principals of the tenant by app id, `registries` are by login server."""

    cloud: Cloud
    listed: tuple[Listed, ...]
    names: Mapping[str, str]
    nameless: AzureError | None = None
    registries: Mapping[str, Registry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Use:
    """A container group that pulls with a password of a principal.

    `known` is None if the tenant's principals can't be read.

    `servers` are the registries, `others` those outside this cloud. `hidden` are paths of values for which a
    redeployment needs a source, `job` means that a redeployment runs the group's job. `named` are variables in which
    the group shows the principal's app id.
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
    """Vaults' hosts and secrets from which Azure takes this principal's password for the group (ADR 20: it is
    redeployed all the same).
    """
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Passing:
    """A container group that needs no rotation, and the ways by which the group pulls."""

    group: ArmId
    ways: tuple[Other, ...]
    admins: tuple[str, ...] = ()
    """Names of the registries whose admin user it pulls as."""


@dataclass(frozen=True, slots=True)
class Found:
    """Uses, and groups without need of a rotation, sorted by group id and app id."""

    uses: tuple[Use, ...]
    passing: tuple[Passing, ...]
    hiding: tuple[ArmId, ...] = ()
    """Groups in no policy that hide a variable called like a principal's password: with no word of whose it is, or
    beside the app id of a policy's principal.
    """


def app_ids(listed: Sequence[Listed]) -> tuple[str, ...]:
    """Return the app ids of all principals whose password is in a group, sorted."""
    return tuple(sorted({app_id for one in listed for group in one.groups for app_id in _servers(group, ())}))


def find(sight: Listing, policies: Sequence[Policy]) -> Found:
    """Sort all listed groups: by principal, or passing."""
    uses, passing = list[Use](), list[Passing]()
    for group in (group for one in sight.listed for group in one.groups):
        servers = _servers(group, policies)
        uses += (_use(sight, policies, group, app_id, servers[app_id]) for app_id in servers)
        passing += [] if servers else [_passing(sight.cloud, group)]
    return Found(
        tuple(sorted(uses, key=lambda use: (use.group, use.app_id))),
        tuple(sorted(passing, key=lambda one: one.group)),
        tuple(sorted(_hiding(sight, policies))),
    )


def _hiding(sight: Listing, policies: Sequence[Policy]) -> Iterator[ArmId]:
    for group in (group for one in sight.listed for group in one.groups):
        group_id = ArmId(clean(text(group, "id")))
        told = hides_client_secret(group) or any(_beside(group, policies))
        if told and not any(policy.group(group_id) for policy in policies):
            yield group_id


def _beside(group: Mapping[str, Any], policies: Sequence[Policy]) -> Iterator[bool]:
    """Tell, for each policy whose app id a group shows without pulling as it, if the group hides a password."""
    shown = frozenset[str]().union(*(shown_values(container) for _, container in containers(group)))
    for policy in policies:
        app_id = policy.principal.app_id
        if app_id in shown and not pulls_as(group, app_id):
            yield bool(unsaid(Document(group, policy, None)))


def clean(text_: str) -> str:
    """Return a foreign text in one line of printable characters.

    So the text can't control a terminal or break out of a YAML comment.
    """
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
    """Return the app id whose password an entry takes from Key Vault.

    Either the app id of the policy publishing the secret, or of a principal without a policy.
    """
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
    """Return vault host and secret of an entry's reference; None without a reference, or with an invalid one."""
    name = "" if get(entry, "identity") else text(entry, "passwordReference").lower()
    found = ((host, secret) for one, host, secret, _ in references(group) if name and one == name)
    return next((pair for pair in found if _HOST.fullmatch(pair[0]) and _SECRET.fullmatch(pair[1])), None)


def _use(
    sight: Listing, policies: Sequence[Policy], group: Mapping[str, Any], app_id: str, servers: tuple[str, ...]
) -> Use:
    policy = next((one for one in policies if one.principal.app_id == app_id), None)
    declared = policy is not None and policy.group(ArmId(text(group, "id"))) is not None
    return Use(
        group=ArmId(clean(text(group, "id"))),
        app_id=app_id,
        known=None if sight.nameless else app_id in sight.names,
        display_name=clean(sight.names.get(app_id, "")),
        servers=servers,
        others=tuple(host for host in servers if not sight.cloud.login_server(host)),
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


def _passing(cloud: Cloud, group: Mapping[str, Any]) -> Passing:
    ways = tuple(sorted({_way(cloud, entry) for entry in entries(group)})) or (Other.ANONYMOUS,)
    admins = {user_name(entry) for entry in entries(group) if _way(cloud, entry) is Other.ADMIN}
    return Passing(ArmId(clean(text(group, "id"))), ways, tuple(sorted(admins)))


def _way(cloud: Cloud, entry: Value) -> Other:
    if get(entry, "identity"):
        return Other.IDENTITY
    if get(entry, "passwordReference"):
        return Other.REFERENCE
    if user_name(entry) and user_name(entry) == registry_name(cloud.login_server(server(entry))):
        return Other.ADMIN
    return Other.TOKEN if user_name(entry) == TOKEN else Other.USER
