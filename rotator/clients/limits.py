"""Limits on new passwords from app management policies: the one assigned to an object, else the tenant's default.

A limit can exempt callers by a custom security attribute (azure-facts C12): rotator's own are read where it may.

Sources: Microsoft Graph v1.0, "appManagementPolicy", "tenantAppManagementPolicy", "passwordCredentialConfiguration".
Reading them needs Policy.Read.All, a permission used for no other purpose. Without the permission, no limit is known;
then Graph's refusal of the password names the limit.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from rotator.clients.graph import Graph
from rotator.clients.refusal import Asked
from rotator.clients.translation import ask
from rotator.clients.typed import flag, moment, record, records, text
from rotator.errors import Forbidden, NotFound, Unseen
from rotator.state import Home, PasswordLimit

SIDE = {Home.APPLICATION: "applicationRestrictions", Home.SERVICE_PRINCIPAL: "servicePrincipalRestrictions"}
SINCE = "restrictForAppsCreatedAfterDateTime"
_DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_YEAR, _MONTH = 365, 30
"""Days in a year and in a month; a policy's year or month is no shorter."""


async def password_limits(
    graph: Graph, app_id: str, home: Home, tenant: str | None, me: str, *, strict: bool = False
) -> tuple[PasswordLimit, ...]:
    """Return the known limits on new passwords of one object; () where the policies may not be read.

    `me` is the object id of rotator's identity. Raises any other error of the reads; with `strict` those, too.
    """
    try:
        found = await ask(
            Asked("Microsoft Graph", f"read what limits the passwords of {app_id}"),
            _found(graph, app_id, home, tenant, me),
        )
    except (Forbidden, NotFound) as error:
        if not error.code or strict or isinstance(error, Unseen):
            raise
        return ()
    return tuple(sorted(found, key=lambda one: (one.policy, one.longest or timedelta())))


async def _found(graph: Graph, app_id: str, home: Home, tenant: str | None, me: str) -> set[PasswordLimit]:
    restrictions = await _in_force(graph, app_id, home, tenant)
    dated = any(each.get(SINCE) for _, each in restrictions)
    created = await graph.created(app_id, tenant) if dated else None
    counted = [(named, each) for named, each in restrictions if _counts(each, created)]
    own = await _own_attributes(graph, me) if any(_exempting(each) for _, each in counted) else None
    limits = {_limit(home, *named, each): _exempting(each) for named, each in counted}
    return {
        replace(limit, exempts=() if own is not None else tuple(sorted(exempting)))
        for limit, exempting in limits.items()
        if limit and not (own is not None and exempting & own)
    }


async def _own_attributes(graph: Graph, me: str) -> frozenset[str] | None:
    """Return rotator's custom security attributes; None where it may not read them, or is shown none.

    Without the permission Graph could show none, too.
    """
    try:
        shown = await graph.attributes(me)
    except (Forbidden, NotFound):
        return None
    found = (_told(f"{of}_{name}", value) for of, each in shown.items() for name, value in record(each).items())
    return frozenset(one for told in found for one in told) or None


def _told(name: str, value: object) -> Iterator[str]:
    yield from (f"{name}={one}" for one in (value if isinstance(value, list) else [value]) if "@" not in name)


def _exempting(restriction: Mapping[str, Any]) -> frozenset[str]:
    """Return the attributes that exempt a caller from a restriction, as `<set>_<name>=<value>`."""
    actors = restriction.get("excludeActors")
    listed = record(actors).get("customSecurityAttributes") or [] if actors else []
    return frozenset(f"{text(each['id'])}={each.get('value')}" for each in records(listed))


async def _in_force(
    graph: Graph, app_id: str, home: Home, tenant: str | None
) -> list[tuple[tuple[str, str], dict[str, Any]]]:
    """Return every password restriction of the policies in force, each with its policy's name.

    An assigned policy's id is added.
    """
    assigned = await graph.policies(home, app_id, tenant)
    if assigned:
        found = [
            ((each["displayName"], each["id"]), each["restrictions"]) for each in assigned if flag(each["isEnabled"])
        ]
    else:
        default = await graph.default_policy(tenant)
        found = [((default["displayName"], ""), default.get(SIDE[home]))] if flag(default["isEnabled"]) else []
    return [(named, each) for named, said in found for each in (said or {}).get("passwordCredentials") or ()]


def _counts(restriction: Mapping[str, Any], created: datetime | None) -> bool:
    """Tell if a restriction is in force for an object created at `created`.

    A restriction for newer objects only isn't counted when the creation time is unknown.
    """
    since = restriction.get(SINCE) and moment(restriction[SINCE])
    spared = since and (created is None or created < since)
    return restriction.get("state", "enabled") == "enabled" and not spared


def _limit(home: Home, policy: str, assigned: str, restriction: Mapping[str, Any]) -> PasswordLimit | None:
    if restriction["restrictionType"] == "passwordAddition":
        return PasswordLimit(home, text(policy), None, text(assigned))
    if restriction["restrictionType"] == "passwordLifetime":
        return PasswordLimit(home, text(policy), _span(restriction["maxLifetime"]), text(assigned))
    return None


def _span(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError("not an ISO 8601 duration")
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(
        days=years * _YEAR + months * _MONTH + days, weeks=weeks, hours=hours, minutes=minutes, seconds=seconds
    )
