"""Reads one policy's world, all services at once: what the planner sees is put together here and nowhere else.

What may not be read is told apart from what isn't there: a vault that refuses, a group that can't be read, a subscription that can't be listed are
part of the picture; a principal or a registry that doesn't exist ends it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rotator.clients import aci, keyvault
from rotator.clients.azuretime import AzureTime, Heard
from rotator.clients.pipeline import at_once, together
from rotator.clients.services import Services
from rotator.errors import AzureError, Forbidden, NotFound, Unexpected
from rotator.policy import Policy
from rotator.state import Access, ContainerGroup, Observed, Unseen, Version, lineage

Shown = Mapping[str, Any]
"""A container group as a list shows it."""


async def observe(azure: Services, policy: Policy) -> Observed:
    """Everything the planner needs of one policy, read now, with Azure's time of the last answer."""
    with azure.line.time.listening() as heard:
        who = await azure.token.who()
        async with at_once() as tasks:
            principal = tasks.create_task(azure.principal(policy))
            vault = tasks.create_task(vault_part(azure, policy))
            registries = tasks.create_task(azure.registries(policy))
            groups = tasks.create_task(groups_part(azure, policy))
    tenant = policy.principal.tenant_id or who.tenant
    mark = lineage(tenant, policy.principal.app_id, policy.key_vault.host, policy.key_vault.password_secret)
    found, credentials = principal.result()
    seen = Observed(latest(azure.line.time, heard), tenant, mark, who.app_id, found, credentials, registries=registries.result())
    return with_groups(with_vault(seen, vault.result()), groups.result())


@dataclass(frozen=True, slots=True)
class _Vault:
    versions: tuple[Version, ...] = ()
    latest: str | None = None
    access: Access = Access.UNMARKED
    since: datetime | None = None
    refuses: str | None = None


@dataclass(frozen=True, slots=True)
class _Groups:
    seen: tuple[ContainerGroup, ...] = ()
    unseen: tuple[Unseen, ...] = ()


def with_vault(seen: Observed, vault: _Vault) -> Observed:
    """The observation with what the vault showed."""
    return replace(seen, versions=vault.versions, latest=vault.latest, access=vault.access, access_since=vault.since, vault_refuses=vault.refuses)


def with_groups(seen: Observed, groups: _Groups) -> Observed:
    """The observation with the container groups."""
    return replace(seen, groups=groups.seen, unseen=groups.unseen)


async def vault_part(azure: Services, policy: Policy) -> _Vault:
    """Versions and access mark, or why the vault refuses them."""
    try:
        async with at_once() as tasks:
            published = tasks.create_task(azure.vault.versions(policy))
            access = tasks.create_task(azure.vault.access(policy))
    except AzureError as error:
        why = keyvault.refused(error)
        if why is None:
            raise
        return _Vault(refuses=why)
    record = access.result()
    since = None if record.access is Access.UNMARKED else record.since
    return _Vault(*published.result(), record.access, since)


async def groups_part(azure: Services, policy: Policy) -> _Groups:
    """Declared groups by name, others by the lists of the policy's subscriptions: a list has no instance view, so what matches is read."""
    declared = [group.id for group in policy.container_groups]
    async with at_once() as tasks:
        named = tasks.create_task(_read(azure, declared))
        lists = tasks.create_task(_lists(azure, policy))
    listed, unseen = lists.result()
    others = {group: shown for group, shown in listed.items() if group.lower() not in {each.lower() for each in declared}}
    found = (_as_listed(group, others[group.id]) for group in await _read(azure, list(others)))
    return _Groups((*named.result(), *(group for group in found if group.document is not None)), unseen)


async def _read(azure: Services, group_ids: Sequence[str]) -> list[ContainerGroup]:
    return await together(*(azure.groups.group(each) for each in group_ids))


def _as_listed(group: ContainerGroup, shown: Shown) -> ContainerGroup:
    """A group that may not be read is what the list shows of it: that it uses the principal, and which credential its tag names."""
    return replace(group, document=shown) if group.unreadable else group


async def _lists(azure: Services, policy: Policy) -> tuple[dict[str, Shown], tuple[Unseen, ...]]:
    """The groups that pull as this principal as the lists show them, sorted by id, and the subscriptions that can't be listed."""
    listed = await together(*(_list(azure, each, policy.principal.app_id) for each in policy.subscriptions))
    unseen = tuple(each for each in listed if isinstance(each, Unseen))
    found = (group for each in listed if not isinstance(each, Unseen) for group in each)
    return {group["id"]: group for group in sorted(found, key=lambda group: str(group["id"]).lower())}, unseen


async def _list(azure: Services, subscription: str, app_id: str) -> tuple[Shown, ...] | Unseen:
    try:
        groups = await azure.groups.listed(subscription)
    except (Forbidden, NotFound) as error:
        return Unseen(subscription, str(error))
    return tuple(group for group in groups if aci.pulls_as(group, app_id))


def latest(time: AzureTime, heard: Sequence[Heard]) -> datetime:
    """Azure's time of the last of the answers that were heard and are believed. Raises Unexpected where none carried one."""
    at = time.latest(heard)
    if at is None:
        happened = "no answer of Azure carried a Date that another service confirms" if heard else "no answer of Azure carried a Date"
        raise Unexpected(happened, service="Azure", code="NoDate", remedy="See to it that the proxy passes the header on as it is.")
    return at
