"""Read one policy's world, all services at once; only here is the planner's view put together.

Unreadable and absent are told apart. A refusing vault, an unreadable group or an unlistable subscription is part of the
picture; an absent principal or registry ends the read.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rotator.causes import Denial
from rotator.clients import keyvault
from rotator.clients.azuretime import AzureTime, Heard
from rotator.clients.group_list import GroupList
from rotator.clients.pipeline import at_once, together
from rotator.clients.secret_versions import Published
from rotator.clients.services import Services
from rotator.clients.shape import flaw
from rotator.codes import FailureCode
from rotator.errors import AzureError, Forbidden, NotFound, Unexpected
from rotator.policy import Policy
from rotator.resource_id import ResourceId
from rotator.state import Access, ContainerGroup, Observed, UnlistedSubscription, hints_of, lineage


async def observe(azure: Services, policy: Policy, *, confirmed: bool = False) -> Observed:
    """Read all facts the planner needs of one policy now, with Azure's time of the last answer.

    Every action reads the mark of revocation again before a write; `confirmed` is for callers who only report.
    """
    with azure.line.time.listening() as heard:
        who = await azure.token.who()
        async with at_once() as tasks:
            principal = tasks.create_task(azure.principal(policy))
            vault = tasks.create_task(vault_part(azure, policy, confirmed=confirmed))
            registries = tasks.create_task(azure.registries(policy))
            groups = tasks.create_task(groups_part(azure, policy, principal))
    tenant = policy.principal.tenant_id or who.tenant
    mark = lineage(tenant, policy.principal.app_id, policy.key_vault.host, policy.key_vault.password_secret)
    found, credentials = principal.result()
    seen = Observed(read_at(azure, heard), tenant, mark, who.app_id, found, credentials, registries=registries.result())
    return with_groups(with_vault(seen, vault.result()), groups.result())


NO_VERSIONS = Published()


@dataclass(frozen=True, slots=True)
class Vault:
    """A vault's content for one policy; `refuses` gives the reason if the vault may not be read.

    `deleted`: the published secret is soft-deleted; None if the vault refuses to say.
    """

    published: Published = NO_VERSIONS
    deleted: bool | None = False
    access: Access = Access.UNMARKED
    since: datetime | None = None
    refuses: Denial | None = None


@dataclass(frozen=True, slots=True)
class ObservedGroups:
    """Container groups seen, subscriptions not listable, and ids of other groups hiding a client's secret."""

    seen: tuple[ContainerGroup, ...] = ()
    unseen: tuple[UnlistedSubscription, ...] = ()
    hiding: tuple[ResourceId, ...] = ()


def with_vault(seen: Observed, vault: Vault) -> Observed:
    """Return the observation with the vault's content."""
    published = vault.published
    shown = replace(seen, versions=published.versions, latest=published.latest, versions_complete=published.complete)
    shown = replace(shown, secret_deleted=vault.deleted)
    return replace(shown, access=vault.access, access_since=vault.since, vault_refuses=vault.refuses)


def with_groups(seen: Observed, groups: ObservedGroups) -> Observed:
    """Return the observation with the container groups."""
    return replace(seen, groups=groups.seen, unseen=groups.unseen, hiding=groups.hiding)


async def vault_part(azure: Services, policy: Policy, *, confirmed: bool) -> Vault:
    """Return versions and access mark, or the vault's reason to refuse them."""
    try:
        async with at_once() as tasks:
            published = tasks.create_task(azure.published(policy))
            access = tasks.create_task(azure.marked(policy, confirmed=confirmed))
    except AzureError as error:
        why = keyvault.refused(error)
        if why is None:
            raise
        return Vault(refuses=why)
    record, found = access.result(), published.result()
    since = None if record.access is Access.UNMARKED else record.since
    return Vault(found, await secret_deleted(azure, policy, found), record.access, since)


async def secret_deleted(azure: Services, policy: Policy, found: Published) -> bool | None:
    """Tell if the published secret is soft-deleted, which one with versions isn't; None if the vault refuses to say."""
    try:
        return not found.versions and await azure.vault.recoverable(policy)
    except Forbidden:
        return None


async def _hints(principal: "asyncio.Task[Any]") -> frozenset[str]:
    """Return the hints of the principal's credentials, once they are read.

    There are none if the principal can't be read: then the look fails, or knows of no credential.
    """
    await asyncio.wait([principal])
    found = None if principal.cancelled() or principal.exception() else principal.result()
    return hints_of(found[1]) if isinstance(found, tuple) else frozenset()


async def groups_part(azure: Services, policy: Policy, principal: "asyncio.Task[Any]") -> ObservedGroups:
    """Read declared groups by name, and others by the lists of the policy's subscriptions.

    A list has no instance view, so matching groups are read one by one. `principal` reads the credentials.
    """
    declared = [group.id for group in policy.container_groups]
    async with at_once() as tasks:
        named = tasks.create_task(_read(azure, declared))
        listing = tasks.create_task(_lists(azure, policy.subscriptions))
    lists = listing.result()
    lists |= await _lists(azure, unconfirmed(named.result(), lists))
    beside = await _read(azure, others(policy, lists, declared, await _hints(principal)))
    found = [lists.confirmed(group) for group in (*named.result(), *beside)]
    read = {group.id for group in found}
    hiding = sorted(each for listed in lists.found for each in listed.hiding if each not in read)
    return ObservedGroups(
        tuple(found), tuple(each for each in lists.unseen if each.subscription in policy.subscriptions), tuple(hiding)
    )


def others(policy: Policy, lists: "Lists", declared: Sequence[ResourceId], hinted: Iterable[str]) -> list[ResourceId]:
    """Return the ids of undeclared groups that may use the principal, or show a password with one of these hints."""
    using = (each for found in lists.found for each in found.may_use(policy.principal.app_id, hinted))
    return sorted({each for each in using if each not in declared})


async def _read(azure: Services, group_ids: Sequence[ResourceId]) -> list[ContainerGroup]:
    return await together(*(azure.group(each) for each in group_ids))


@dataclass(frozen=True, slots=True)
class Lists:
    """Complete lists of subscriptions, and the subscriptions not listable."""

    listed: frozenset[str]
    found: tuple[GroupList, ...]
    unseen: tuple[UnlistedSubscription, ...]

    @classmethod
    def of(cls, subscriptions: Sequence[str], found: Sequence[GroupList | UnlistedSubscription]) -> "Lists":
        """Collect the answers for each of `subscriptions`."""
        seen = tuple(each for each in found if not isinstance(each, UnlistedSubscription))
        unseen = tuple(each for each in found if isinstance(each, UnlistedSubscription))
        listed = frozenset({each.lower() for each in subscriptions} - {each.subscription.lower() for each in unseen})
        return cls(listed, seen, unseen)

    def __or__(self, more: "Lists") -> "Lists":
        return Lists(self.listed | more.listed, (*self.found, *more.found), (*self.unseen, *more.unseen))

    def confirmed(self, group: ContainerGroup) -> ContainerGroup:
        """Check a group against the lists: absent only if GET says so and the complete list of the same read agrees.

        An unreadable group is taken as the list shows it: use of the principal, and the credential named by its tag.
        Where the list's form is unreadable, too, none of this is known.
        """
        shown = next((shown for found in self.found if (shown := found.shown(group.id))), None)
        if group.document is not None or (group.unreadable and shown is None):
            return group
        if shown is not None:
            return replace(
                group,
                document=None if flaw(shown) else shown,
                unreadable=group.unreadable or "GET answers 404, and the list of its subscription shows it",
            )
        if group.id.subscription in self.listed:
            return group
        return replace(
            group,
            unreadable="GET answers 404, but the group's subscription can't be listed, so its absence is not confirmed",
        )


def unconfirmed(named: Sequence[ContainerGroup], lists: Lists) -> tuple[str, ...]:
    """Return subscriptions of groups not found by GET and not covered by a requested list."""
    asked = lists.listed | {each.subscription for each in lists.unseen}
    absent = (group for group in named if group.document is None and not group.unreadable)
    return tuple(sorted({group.id.subscription for group in absent} - asked))


async def _lists(azure: Services, subscriptions: Sequence[str]) -> Lists:
    """Return every container group of `subscriptions`; a subscription not listable is reported as unseen."""
    return Lists.of(subscriptions, await together(*(_list(azure, each) for each in subscriptions)))


async def _list(azure: Services, subscription: str) -> GroupList | UnlistedSubscription:
    try:
        return await azure.listed(subscription)
    except (Forbidden, NotFound) as error:
        return UnlistedSubscription(subscription, str(error), error.grounds)


def read_at(azure: Services, heard: Sequence[Heard]) -> datetime:
    """Return Azure's time of a look: of its last answer, or now where it reused every reading."""
    now = azure.line.time.now() if azure.readings.all_reused() else None
    return now.replace(microsecond=0) if now else latest(azure.line.time, heard)


def latest(time: AzureTime, heard: Sequence[Heard]) -> datetime:
    """Return Azure's time of the last believed answer in `heard`.

    Raises Unexpected where no answer carried a time.
    """
    at = time.latest(heard)
    if at is None:
        remedy = "Let the proxy pass the Date header on unchanged."
        raise Unexpected(
            "no answer of Azure had a Date header", service="Azure", code=FailureCode.NO_DATE, remedy=remedy
        )
    return at
