"""Read all parts needed by a rotation, without any write.

A refusal by one service doesn't stop the reads of the others. Rights are read from RBAC's own answer for the caller
(Microsoft.Authorization/permissions) and from the token's ``roles``. Reachability of a registry is checked by an
anonymous request, answered with a challenge (Docker Registry HTTP API v2, "API Version Check").
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from azure.core import AsyncPipelineClient
from azure.core.exceptions import AzureError as SdkError
from azure.core.rest import AsyncHttpResponse, HttpRequest

from rotator.arm_json import belongs, entries, server, takes_password
from rotator.clients.acr import VERSION
from rotator.clients.entra import PATIENCE
from rotator.clients.observation import groups_part, latest, vault_part, with_groups, with_vault
from rotator.clients.pipeline import at_once, together
from rotator.clients.services import Services
from rotator.clients.signins import sign_ins
from rotator.clients.token import Who
from rotator.clients.typed import flag, record, records, text
from rotator.errors import AzureError, Forbidden, NotFound
from rotator.policy import Policy
from rotator.preflight import (
    Caller,
    Examined,
    Holding,
    LocksSeen,
    RegistrySeen,
    Right,
    SourceSeen,
    Unknown,
    VaultSeen,
    Why,
)
from rotator.resource_id import ResourceId
from rotator.rights import DELETE_ASSIGNMENT, READ_LOGS, SET_SECRETS, WRITE_ASSIGNMENT, WRITE_GROUP
from rotator.state import Credential, Home, Observed, Principal, Registry, lineage

T = TypeVar("T")
ASSIGNMENTS = (WRITE_ASSIGNMENT, DELETE_ASSIGNMENT)
HOPE = 45.0
"""Timeout in seconds for one part of the world."""


async def examine(azure: Services, policy: Policy, secrets: Sequence[str]) -> Examined:
    """Read one policy's world as far as possible; an unknown identity of rotator ends the read."""
    with azure.line.time.listening() as heard:
        who = await _told(azure.token.who())
        if isinstance(who, Unknown):
            return Examined(who)
        async with at_once() as tasks:
            caller = tasks.create_task(_caller(azure, who))
            principal = tasks.create_task(_told(azure.principal(policy)))
            holding = tasks.create_task(_holding(azure, policy, who))
            registries = tasks.create_task(together(*(_registry(azure, each.id) for each in policy.registries)))
            seen = tasks.create_task(_told(vault_part(azure, policy, confirmed=True)))
            vault = tasks.create_task(_vault(azure, policy, who, secrets))
            groups = tasks.create_task(groups_part(azure, policy, principal))
            rights = tasks.create_task(_rights(azure, policy))
            locks = tasks.create_task(_locks(azure, policy))
            limits = tasks.create_task(_told(azure.limits(policy, strict=True)))
            signs_in = tasks.create_task(_told(sign_ins(azure, policy)))
    found, published, (stored, setting) = principal.result(), seen.result(), vault.result()
    looked = with_groups(
        _observed(policy, who, latest(azure.line.time, heard), found, registries.result()), groups.result()
    )
    return Examined(
        caller.result(),
        looked if isinstance(published, Unknown) else with_vault(looked, published),
        _unknown(found),
        holding.result(),
        tuple(registries.result()),
        stored,
        _unknown(published),
        (*rights.result(), *setting),
        tuple(locks.result()),
        limits.result(),
        signs_in.result(),
        await _others(azure, policy, looked),
    )


async def _told(asking: Awaitable[T]) -> T | Unknown:
    """Return Azure's answer, or the reason for its absence.

    A user waits for the result, so the request is given up earlier than in a rotation.
    """
    try:
        async with asyncio.timeout(HOPE):
            return await asking
    except TimeoutError:
        return Unknown(Why.SILENT, f"Azure gave no usable answer within {HOPE:.0f} s.")
    except AzureError as error:
        kind = (
            Why.REFUSED if isinstance(error, Forbidden) else Why.ABSENT if isinstance(error, NotFound) else Why.SILENT
        )
        return Unknown(kind, str(error), error.code, error.grounds)


def _unknown(found: object) -> Unknown | None:
    return found if isinstance(found, Unknown) else None


async def _caller(azure: Services, who: Who) -> Caller:
    claims = await _told(azure.token.claims(azure.cloud.graph_scope))
    if isinstance(claims, Unknown):
        return Caller(who.tenant, who.object_id, who.app_id, claims, credential=azure.token.credential)
    roles, person = tuple(sorted(claims.get("roles") or ())), "scp" in claims
    name = str(claims.get("upn") or claims.get("unique_name") or "") if person else ""
    return Caller(
        who.tenant, who.object_id, who.app_id, roles, person=person, credential=azure.token.credential, name=name
    )


def _observed(
    policy: Policy,
    who: Who,
    at: datetime,
    found: tuple[Principal, tuple[Credential, ...]] | Unknown,
    registries: Sequence[RegistrySeen],
) -> Observed:
    """Build the observation to which the other parts are added.

    An unknown principal has neither object nor credentials.
    """
    tenant, app_id = policy.principal.tenant_id or who.tenant, policy.principal.app_id
    mark = lineage(tenant, app_id, policy.key_vault.host, policy.key_vault.password_secret)
    principal, credentials = (Principal(app_id, None, None), ()) if isinstance(found, Unknown) else found
    shown = tuple(each.shown for each in registries if isinstance(each.shown, Registry))
    return Observed(at, tenant, mark, who.app_id, principal, credentials, registries=shown)


async def _holding(azure: Services, policy: Policy, who: Who) -> Holding:
    tenant = policy.principal.tenant_id
    elsewhere = tenant if tenant and tenant != who.tenant else None
    homes = (Home.APPLICATION, Home.SERVICE_PRINCIPAL)
    found = await together(*(_told(azure.graph.owners(home, policy.principal.app_id, elsewhere)) for home in homes))
    return Holding(*(None if isinstance(owners, Unknown) and owners.kind is Why.ABSENT else owners for owners in found))


async def _registry(azure: Services, registry_id: ResourceId) -> RegistrySeen:
    shown = await _told(azure.arm.registry(registry_id))
    if isinstance(shown, Unknown):
        there = await _told(azure.arm.registries(registry_id.subscription)) if shown.kind is Why.ABSENT else ()
        return RegistrySeen(registry_id, shown, others=() if isinstance(there, Unknown) else there)
    switches = await _told(azure.arm.properties(registry_id, _switches))
    if isinstance(switches, Unknown):
        return RegistrySeen(registry_id, switches)
    public, unlimited, anonymous = switches
    return RegistrySeen(registry_id, shown, public, unlimited, anonymous, await _reached(azure, shown.login_server))


async def _others(azure: Services, policy: Policy, seen: Observed) -> tuple[Registry, ...]:
    """Return the registries of the policy's subscriptions, if a group pulls from a registry that isn't the policy's."""
    app_id, shown = policy.principal.app_id, {registry.login_server for registry in seen.registries}
    mine = [entry for group in seen.groups for entry in entries(group.document) if belongs(entry, app_id)]
    pulled = {azure.cloud.login_server(server(entry)) for entry in mine if takes_password(entry)}
    if len(shown) < len(policy.registries) or pulled - {""} <= shown:
        return ()
    there = {each.id.subscription for each in policy.registries} | {
        each.id.subscription for each in policy.container_groups
    }
    found = await together(*(_told(azure.arm.registries(each)) for each in sorted(there)))
    return tuple(registry for listed in found if not isinstance(listed, Unknown) for registry in listed)


def _switches(properties: dict[str, Any]) -> tuple[bool, bool, bool]:
    """Tell if a registry is open to public networks, open to all of them, and open to anonymous pulls."""
    network = record(properties.get("networkRuleSet") or {})
    unlimited = network.get("defaultAction") != "Deny"
    return properties.get("publicNetworkAccess") != "Disabled", unlimited, flag(properties.get("anonymousPullEnabled"))


async def _reached(azure: Services, server: str) -> Unknown | None:
    line = azure.line
    client: AsyncPipelineClient[HttpRequest, AsyncHttpResponse] = AsyncPipelineClient(
        f"https://{server}",
        policies=[line.agent(), line.retry(patience=PATIENCE)],
        transport=line.transport(azure.cloud.registries([server])),
    )
    try:
        answer = await client.send_request(HttpRequest("GET", f"https://{server}/v2/"))
    except AzureError as error:
        return Unknown(Why.SILENT, error.happened)
    except SdkError as error:
        return Unknown(
            Why.SILENT, f"{server} gave no answer ({type(getattr(error, 'inner_exception', None) or error).__name__})"
        )
    code = str(answer.status_code)
    if VERSION not in answer.headers:
        return Unknown(Why.SILENT, f"{server} answers, but not as a registry ({code})")
    return (
        None
        if code in ("200", "401")
        else Unknown(Why.REFUSED, f"{server} answers an anonymous request with {code}", code)
    )


async def _vault(
    azure: Services, policy: Policy, who: Who, secrets: Sequence[str]
) -> tuple[VaultSeen, tuple[Right, ...]]:
    deleted = await _told(azure.vault.recoverable(policy))
    read = await together(*(_source(azure, policy, name) for name in secrets))
    found = VaultSeen(deleted=deleted, sources=tuple(read))
    there = await _told(azure.arm.vaults(policy.subscriptions))
    ids = {} if isinstance(there, Unknown) else {each.name.lower(): each for each in there}
    vault_id = ids.get(policy.key_vault.name)
    if vault_id is None:
        return (
            replace(
                found,
                others=tuple(f"https://{name}.{azure.cloud.vault_suffix}" for name in sorted(ids)),
                unread=_unknown(there),
            ),
            (),
        )
    given = await _told(azure.arm.properties(vault_id, lambda properties: _given(properties, who.object_id)))
    if isinstance(given, Unknown):
        return replace(found, unread=given), ()
    rbac, allowed = given
    scope = vault_id.child("secrets", policy.key_vault.password_secret)
    by_policy = Right(SET_SECRETS, vault_id, bool(allowed & {"set", "all"}))
    right = replace(await azure.rbac.right(SET_SECRETS, scope, data=True), scope=vault_id) if rbac else by_policy
    return replace(found, id=vault_id, rbac=rbac, allowed=tuple(sorted(allowed))), (right,)


def _given(properties: dict[str, Any], object_id: str) -> tuple[bool, set[str]]:
    """Tell if a vault's access is by RBAC, and list the secret rights given to an identity by access policies."""
    policies = (
        each
        for each in records(properties.get("accessPolicies") or [])
        if str(each.get("objectId")).lower() == object_id
    )
    allowed = {
        text(one).lower() for each in policies for one in record(each.get("permissions") or {}).get("secrets") or ()
    }
    return flag(properties.get("enableRbacAuthorization")), allowed


async def _source(azure: Services, policy: Policy, name: str) -> SourceSeen:
    valid = await _told(azure.vault.valid(policy, name))
    return SourceSeen(name, valid) if isinstance(valid, Unknown) else SourceSeen(name, None, *valid)


async def _rights(azure: Services, policy: Policy) -> tuple[Right, ...]:
    """Return the rights to redeploy each declared container group, read jobs' logs, and change role assignments.

    Role assignments are asked for on each registry.
    """
    wanted = [(WRITE_GROUP, group.id) for group in policy.container_groups]
    wanted += [(READ_LOGS, group.id) for group in policy.container_groups if group.manifest]
    wanted += [(action, registry.id) for registry in policy.registries for action in ASSIGNMENTS]
    return await azure.rights(wanted)


async def _locks(azure: Services, policy: Policy) -> list[LocksSeen]:
    """Return the locks on each declared container group and each registry."""
    resources = [*(group.id for group in policy.container_groups), *(each.id for each in policy.registries)]
    found = await together(*(_told(azure.arm.locks(each)) for each in resources))
    return [LocksSeen(*pair) for pair in zip(resources, found, strict=True)]
