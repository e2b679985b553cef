"""One client per Azure service, over one session and one token cache, and requests shared by several readers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
import httpx

from rotator.clients.access_mark import AccessMark
from rotator.clients.aci import ContainerGroups
from rotator.clients.api_versions import CONTAINER_GROUPS, ApiVersion
from rotator.clients.arm import Arm
from rotator.clients.azuretime import AzureTime
from rotator.clients.budgets import Budgets
from rotator.clients.counted_request import Hosts
from rotator.clients.directory import PasswordHolder, principal_of
from rotator.clients.graph import Graph, unknown
from rotator.clients.graph_wire import GraphWire
from rotator.clients.group_list import GroupList, Indexing
from rotator.clients.keyvault import KeyVault
from rotator.clients.limits import password_limits
from rotator.clients.pipeline import CONNECT_TIMEOUT, READ_TIMEOUT, Line, at_once, together
from rotator.clients.rbac import Authorization
from rotator.clients.readings import CONSTANT, SHARED, Key, Readings
from rotator.clients.retries import host
from rotator.clients.secret_versions import Published
from rotator.clients.storage import ONE_TRY
from rotator.clients.token import Token
from rotator.clients.transports import Transports
from rotator.cloud import Cloud
from rotator.policy import Policy
from rotator.ports import AccessRecord, Clock, LeaseStore, Queue
from rotator.preflight import Right
from rotator.resource_id import ResourceId
from rotator.rights import GROUP_TYPE
from rotator.state import ContainerGroup, Credential, Home, NewerGroups, PasswordLimit, Principal, Registry


class Services:
    """Clients given to the readers of the world (`observe`, `examine`, `access`)."""

    def __init__(self, clock: Clock, cloud: Cloud, transports: Transports, budgets: Budgets | None = None) -> None:
        self.cloud, self._transports = cloud, transports
        self._sessions = (transports.session(), (transports.fresh or transports.session)())
        self.budgets = budgets or Budgets(clock, Hosts.of(cloud))
        self.line = Line(clock, AzureTime(clock), self._sessions, transports.proxy, budgets=self.budgets)
        self.readings = Readings(self.line.time)
        self._http = _http(cloud, self.line)
        self.token = Token(self.line, cloud)
        self.graph, self.vault = Graph(self.line, cloud, self.token, self._http), KeyVault(self.line, self.token)
        self.mark = AccessMark(self.line, self.vault)
        self.arm = Arm(self.line, cloud, self.token)
        self.groups = ContainerGroups(self.line, cloud, self.token, self.arm)
        self.rbac = Authorization(self.line, cloud, self.token)
        self._servers: dict[ResourceId, str] = {}
        self._last_lists: dict[str, GroupList] = {}
        """The last list of each subscription, to read no group again that hasn't changed."""
        self._comparing = asyncio.Lock()

    def leases(self, container: str) -> LeaseStore:
        """Return the leases in a container of Azure Blob Storage. Raises ValueError for another address."""
        from rotator.clients.blob_lease import BlobLeases

        return BlobLeases(self._storage_line(), self.token, self.cloud, container)

    def queue(self, address: str) -> Queue:
        """Return a queue of Azure Queue Storage. Raises ValueError for another address."""
        from rotator.clients.queue import StorageQueue

        return StorageQueue(self._storage_line(), self.token, self.cloud, address)

    def _storage_line(self) -> Line:
        line = Line(self.line.clock, self.line.time, self._sessions, self._transports.proxy, ONE_TRY)
        line.limit.waits = self.line.limit.waits
        return line

    @asynccontextmanager
    async def separate_line(self, seconds: float) -> AsyncIterator[Line]:
        """Yield a line over connections of its own, one for each host, with a timeout of `seconds` for each request."""
        session = self._transports.session()
        try:
            line = Line(self.line.clock, self.line.time, (session, session), self._transports.proxy, seconds)
            line.limit = self.line.limit
            yield line
        finally:
            await session.close()

    async def close(self) -> None:
        """Close every client, then their connections."""
        for each in (self.vault, self.groups, self.arm, self.rbac, self.token):
            await each.close()
        await self._http.aclose()
        for session in self._sessions:
            await session.close()

    async def principal(self, policy: Policy) -> tuple[Principal, tuple[Credential, ...]]:
        """Return the principal with the credentials of both homes, read at once. Raises NotFound."""
        async with at_once() as tasks:
            finding = tasks.create_task(self.password_holder(policy, Home.APPLICATION))
            also = tasks.create_task(self.password_holder(policy, Home.SERVICE_PRINCIPAL))
        return await self.found(policy, finding.result(), also.result())

    async def found(
        self, policy: Policy, application: PasswordHolder | None, principal: PasswordHolder | None
    ) -> tuple[Principal, tuple[Credential, ...]]:
        """Return the principal made of both objects. Raises NotFound without any."""
        if application is None and principal is None:
            tenant = policy.principal.tenant_id or (await self.token.who()).tenant
            raise unknown(policy.principal.app_id, tenant)
        return principal_of(policy.principal.app_id, application, principal)

    async def password_holder(self, policy: Policy, home: Home) -> PasswordHolder | None:
        """Return the application or service principal with its passwords; None where it isn't found."""
        own, tenant = (await self.token.who()).tenant, policy.principal.tenant_id
        ask = partial(self.graph.password_holder, home, policy.principal.app_id, tenant if tenant != own else None)
        return await self.readings.read(holder_key(policy, home), ask, lambda found: found is not None)

    async def published(self, policy: Policy) -> Published:
        """Return the versions of the published secret."""
        ask = partial(self.vault.versions, policy)
        return await self.readings.read(
            secret_key(policy, policy.key_vault.password_secret), ask, lambda found: found.complete
        )

    async def marked(self, policy: Policy, *, confirmed: bool = True) -> AccessRecord:
        """Return the access mark; `confirmed` as in `AccessMark.read`. Every write reads the mark again."""
        ask = partial(self.mark.read, policy, confirmed=confirmed)
        return await self.readings.read(secret_key(policy, policy.access_secret), ask)

    async def group(self, group_id: ResourceId) -> ContainerGroup:
        """Return one container group; an unreadable or absent one isn't kept."""
        ask = partial(self.groups.group, group_id)
        return await self.readings.read(group_key(group_id), ask, lambda found: found.document is not None)

    async def listed(self, subscription: str) -> GroupList:
        """Return every container group of a subscription from its list, which looks of several policies share."""

        async def ask() -> GroupList:
            indexing = Indexing(self._last_lists.get(subscription))
            await self.groups.each(subscription, indexing.take)
            self._last_lists[subscription] = found = indexing.done()
            return found

        return await self.readings.read(("list", subscription), ask, life=SHARED)

    async def newer_lists(self, subscriptions: Sequence[str]) -> list[NewerGroups]:
        """Return the container groups of each subscription as the newest stable API version shows them.

        Empty where rotator's own version is the newest. Policies share the answers: one asks at a time, and an answer
        serves for ten minutes.
        """
        async with self._comparing:
            with self.readings.reusing(recent=False, since=0.0):
                ask = partial(self.arm.newest, CONTAINER_GROUPS, GROUP_TYPE)
                newest = await self.readings.read(("newest", GROUP_TYPE), ask, life=CONSTANT)
                wanted = subscriptions if newest != CONTAINER_GROUPS else ()
                return await together(*(self._newer(each, newest) for each in wanted))

    async def _newer(self, subscription: str, version: ApiVersion) -> NewerGroups:
        async def ask() -> NewerGroups:
            listed = await self.groups.listed(subscription, version)
            return NewerGroups({ResourceId.parse(shown["id"]): shown for shown in listed})

        return await self.readings.read(("newer", subscription), ask, life=CONSTANT)

    async def registries(self, policy: Policy) -> tuple[Registry, ...]:
        """Read the policy's registries from ARM now."""
        shown = await together(*(self.registry(registry.id) for registry in policy.registries))
        self._servers.update(
            {registry.id: found.login_server for registry, found in zip(policy.registries, shown, strict=True)}
        )
        return tuple(shown)

    async def registry(self, registry_id: ResourceId) -> Registry:
        """Return a registry as Resource Manager shows it."""
        key = ("registry", registry_id.lower())
        return await self.readings.read(key, partial(self.arm.registry, registry_id), life=CONSTANT)

    async def server(self, registry_id: ResourceId) -> str:
        """Return a registry's login server, a constant value."""
        known = self._servers.get(registry_id)
        return known or (await self.arm.registry(registry_id)).login_server

    async def rights(self, wanted: Sequence[tuple[str, ResourceId]]) -> tuple[Right, ...]:
        """Tell if each action is allowed on its resource, or give the reason why unknown."""
        return tuple(await together(*(self.rbac.right(action, scope) for action, scope in wanted)))

    async def limits(self, policy: Policy, *, strict: bool = False) -> tuple[PasswordLimit, ...]:
        """Return limits on new passwords from the app management policies that may be read.

        Raises an AzureError where reading fails for another reason; with `strict` wherever it fails.
        """
        tenant, who = policy.principal.tenant_id, await self.token.who()
        elsewhere = tenant if tenant and tenant != who.tenant else None
        return await password_limits(
            self.graph, policy.principal.app_id, policy.principal.home, elsewhere, who.object_id, strict=strict
        )


def _http(cloud: Cloud, line: Line) -> httpx.AsyncClient:
    """Create the httpx client for Graph."""
    timeout = aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT, sock_read=READ_TIMEOUT)
    wire = GraphWire(line.carrier([host(cloud.graph)]), timeout)
    return httpx.AsyncClient(transport=wire, timeout=httpx.Timeout(READ_TIMEOUT), trust_env=False)


def holder_key(policy: Policy, home: Home) -> Key:
    """Return the key of the readings of an application or service principal."""
    return home.value, policy.principal.app_id.lower()


def secret_key(policy: Policy, name: str) -> Key:
    """Return the key of the readings of a secret's versions."""
    return "secret", policy.key_vault.host, name


def group_key(group_id: ResourceId) -> Key:
    """Return the key of the readings of a container group."""
    return "group", group_id.lower()
