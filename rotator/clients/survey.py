"""Read many policies' worlds from the services' lists, each list once and page by page.

Rules for editors of this file:

1. A list counts only if it was read to its end. One that fails leaves its policies unlisted, never half seen.
2. Of a page only what concerns the policies is kept: a subscription may have many more container groups, and a vault
   many more secrets.
3. Nothing is looked up by going through all policies for each item: policies are found by app id, and by group.

Of container groups, principals and secrets in lists: azure-facts B2, C11 and E2.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from rotator.arm_json import names, text
from rotator.clients.observation import latest
from rotator.clients.pipeline import at_once, together
from rotator.clients.principals import by_app_id
from rotator.clients.services import Services
from rotator.clients.shape import flaw
from rotator.clients.vault_lists import VaultLists, walked
from rotator.codes import FailureCode
from rotator.errors import AzureError
from rotator.policy import Policy
from rotator.ports import Survey, Surveyed
from rotator.resource_id import ResourceId
from rotator.state import ACCESS, Access, ContainerGroup, Credential, Observed, Principal, lineage

T = TypeVar("T")
Found = tuple[Principal, tuple[Credential, ...]]
Read = Callable[[Policy, ContainerGroup], T | None]


async def read_lists(azure: Services, policies: Sequence[Policy], read: Read[T]) -> Survey[T]:
    """Read the lists of all services at once. Raises an AzureError where rotator can't sign in."""
    groups = _Groups(azure, policies, read)
    with azure.line.time.listening() as heard:
        who = await azure.token.who()
        async with at_once() as tasks:
            people = tasks.create_task(_principals(azure, policies, who.tenant))
            vaults = tasks.create_task(_vaults(azure, policies))
            listing = tasks.create_task(groups.list())
    at, unlisted, failures = latest(azure.line.time, heard), dict[str, str](), listing.result()
    listed = dict[str, Surveyed[T]]()
    for policy in policies:
        person, vault = people.result()[policy.name], vaults.result()[policy.key_vault.host]
        missed = next((each for each in (person, vault) if isinstance(each, AzureError)), None)
        why = str(missed) if missed else groups.missing(policy) or _unmarked(azure, policy, vault)
        if why or isinstance(person, AzureError) or isinstance(vault, AzureError):
            unlisted[policy.name] = why
            continue
        tenant = policy.principal.tenant_id or who.tenant
        mark = lineage(tenant, policy.principal.app_id, policy.key_vault.host, policy.key_vault.password_secret)
        seen = Observed(at, tenant, mark, who.app_id, *person)
        listed[policy.name] = Surveyed(_with_vault(seen, policy, vault), groups.of(policy))
    failures += _failures((*people.result().values(), *vaults.result().values()))
    return Survey(listed, unlisted, _distinct(failures))


NO_FAILURES = (FailureCode.NO_SUCH_PRINCIPAL, FailureCode.LONG_LIST)


def _failures(found: Iterable[object]) -> tuple[AzureError, ...]:
    """Return the failures of lists.

    A principal missing in its list, and a list given up for its length, are no failures.
    """
    return tuple(each for each in found if isinstance(each, AzureError) and each.code not in NO_FAILURES)


def _distinct(failures: Sequence[AzureError]) -> tuple[AzureError, ...]:
    return tuple({each.happened: each for each in failures}.values())


async def _principals(azure: Services, policies: Sequence[Policy], home: str) -> Mapping[str, Found | AzureError]:
    """Return the principal of each policy by the policy's name, with the credentials of both of its objects."""
    tenants = defaultdict[str, list[Policy]](list)
    for policy in policies:
        tenants[policy.principal.tenant_id or home].append(policy)
    found = dict[str, Found | AzureError]()
    for tenant, theirs in tenants.items():
        app_ids = [policy.principal.app_id for policy in theirs]
        shown = await by_app_id(azure.graph, app_ids, tenant, foreign=tenant != home)
        found |= {policy.name: shown[policy.principal.app_id.lower()] for policy in theirs}
    return found


async def _vaults(azure: Services, policies: Sequence[Policy]) -> Mapping[str, VaultLists | AzureError]:
    hosts = defaultdict[str, list[Policy]](list)
    for policy in policies:
        hosts[policy.key_vault.host].append(policy)
    found = await together(*(walked(azure.vault, theirs) for theirs in hosts.values()))
    return dict(zip(hosts, found, strict=True))


def _unmarked(azure: Services, policy: Policy, vault: VaultLists | AzureError) -> str:
    """Return the reason why a vault's lists don't show a policy's access; empty if they do."""
    if isinstance(vault, AzureError):
        return str(vault)
    name = policy.access_secret.lower()
    if azure.mark.revoked_before(policy):
        return "a mark of revocation was read before"
    if name in vault.deleted:
        return f"secret {policy.access_secret} is soft-deleted"
    shown = vault.newest.get(name)
    if shown and not (shown.enabled and shown.tag(ACCESS) in set(Access)):
        return f"secret {policy.access_secret} is not a readable access mark"
    return ""


def _with_vault(seen: Observed, policy: Policy, vault: VaultLists) -> Observed:
    newest, shown = (
        vault.newest.get(name.lower()) for name in (policy.key_vault.password_secret, policy.access_secret)
    )
    if newest:
        seen = replace(seen, versions=(newest,), latest=newest.id)
    access = Access(shown.tag(ACCESS) or "") if shown else Access.UNMARKED
    return replace(seen, access=access, access_since=shown.created if shown else None)


class _Groups(Generic[T]):
    """Container groups of all subscriptions, as far as they concern policies."""

    def __init__(self, azure: Services, policies: Sequence[Policy], read: Read[T]) -> None:
        self._azure, self._read = azure, read
        self._subscriptions = dict[str, str]()
        self._by_app, self._by_group = defaultdict[str, list[Policy]](list), defaultdict[str, list[Policy]](list)
        self._searched = {policy.name: frozenset(policy.subscriptions) for policy in policies}
        self._found = {policy.name: dict[str, T | None]() for policy in policies}
        for policy in policies:
            self._by_app[policy.principal.app_id.lower()].append(policy)
            for group in policy.container_groups:
                self._by_group[group.id.lower()].append(policy)
            declared = (group.id.subscription for group in policy.container_groups)
            self._subscriptions |= dict.fromkeys((*policy.subscriptions, *declared), "")

    async def list(self) -> tuple[AzureError, ...]:
        """Read every subscription's list; return the failures."""
        failed = await together(*(self._list(each) for each in self._subscriptions))
        return tuple(each for each in failed if each)

    async def _list(self, subscription: str) -> AzureError | None:
        try:
            await self._azure.groups.each(subscription, lambda shown: self._take(subscription, shown))
        except AzureError as error:
            self._subscriptions[subscription] = str(error)
            return error
        return None

    def _take(self, subscription: str, shown: Mapping[str, Any]) -> None:
        """Keep what is made of one listed group for each policy that it concerns."""
        group_id = ResourceId.parse(text(shown, "id"))
        if odd := flaw(shown):
            self._subscriptions[subscription] = f"{group_id} is returned in an undocumented form: {odd}"
            return
        users = (policy for name in names(shown) & self._by_app.keys() for policy in self._by_app[name])
        searching = (policy for policy in users if subscription in self._searched[policy.name])
        now = self._azure.line.time.now()
        for policy in {each.name: each for each in (*self._by_group.get(group_id.lower(), ()), *searching)}.values():
            made = self._read(policy, ContainerGroup(group_id, now, shown)) if now else None
            self._found[policy.name][group_id.lower()] = made

    def missing(self, policy: Policy) -> str:
        """Return the reason why the lists don't show all of a policy's container groups; empty if they do."""
        declared = [group.id for group in policy.container_groups]
        needed = {*policy.subscriptions, *(each.subscription for each in declared)}
        unread = next((why for each in sorted(needed) if (why := self._subscriptions[each])), "")
        absent = next((each for each in declared if each.lower() not in self._found[policy.name]), None)
        return unread or (f"container group {absent.name} isn't listed" if absent else "")

    def of(self, policy: Policy) -> tuple[T, ...]:
        """Return what was made of a policy's groups: declared ones in the policy's order, then others by id."""
        found = dict(self._found[policy.name])
        declared = [found.pop(group.id.lower()) for group in policy.container_groups]
        return tuple(each for each in (*declared, *(found[name] for name in sorted(found))) if each is not None)
