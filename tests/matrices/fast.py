"""Second World: the same engine and the clients' reading of Azure, straight over the emulator's behaviour, without SDK
and HTTP.

Used for volume. It doesn't have the wire (unreadable answers, redirects, truncated bodies, repetitions, time-outs, and
the reactions of azure-core, azure-identity and kiota) nor rotator's own sign-in: `test_alphabet` shows, on real SDK
code, to which of the eight effects these reduce. Shared stories show equal behaviour of both adapters: they end in the
same digest on both.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from local_azure.acr.refusal import Refused
from local_azure.inprocess import Hop
from local_azure.wire import ServiceError

from rotator.clients import acr, keyvault, observation
from rotator.clients.azuretime import AzureTime
from rotator.clients.budgets import Budgets
from rotator.clients.counted_request import Hosts, Sent
from rotator.clients.entra import judged
from rotator.clients.readings import Readings
from rotator.clients.refusal import ServiceRefusal
from rotator.clients.token import Who
from rotator.clients.wire import Limit
from rotator.clients.world import AzureWorld
from rotator.cloud import CLOUDS
from rotator.errors import AzureError, Forbidden, NotFound, Throttled
from rotator.policy import Policy
from rotator.ports import Put, World
from rotator.resource_id import ResourceId
from rotator.state import (
    Access,
    ContainerGroup,
    Credential,
    Home,
    Observed,
    Outcome,
    Principal,
    Proof,
    Registry,
    Secret,
    UnlistedSubscription,
    hints_of,
    lineage,
)
from tests.matrices.services import Arm, Authorization, ContainerGroups, Graph, Mark, Vault
from tests.matrices.way import Way
from tests.stage import Clock, Stage


class FastWorld(AzureWorld):
    """Satisfies `ports.World` over the behaviour of one emulated Azure."""

    def __init__(self, made: Stage, hop: Hop, clock: Clock) -> None:
        self.cloud = CLOUDS[made.seeded.cloud]
        time = AzureTime(clock)
        self._way = way = Way(made, hop, time)
        self.line: Any = SimpleNamespace(clock=clock, time=time, limit=Limit(clock))
        who = Who(way.caller.tenant, way.caller.oid, way.caller.app_id)
        self.token: Any = SimpleNamespace(who=lambda: _known(who))
        self.graph, self.vault = Graph(way), Vault(way)
        self.mark = Mark(self.vault, self._now)
        self.readings, self.budgets = Readings(time), Budgets(clock, Hosts.of(self.cloud))
        self.groups, self.rbac = ContainerGroups(way, self._now), Authorization(way)
        self.arm: Any = Arm(way)
        self._servers, self._last_lists, self._comparing = {}, {}, asyncio.Lock()

    def _now(self) -> datetime:
        return self._way.azure.clock.now().replace(microsecond=0)

    async def observe(self, policy: Policy, *, confirmed: bool = False) -> Observed:
        """Observe by one call after another, with the parts put together as the clients do."""
        with self.line.time.listening() as heard:
            found, credentials = await self.principal(policy)
            vault = await self._vault_part(policy, confirmed=confirmed)
            registries = await self.registries(policy)
            groups = await self._groups_part(policy, hints_of(credentials))
        tenant, vault_ = policy.principal.tenant_id or self._way.caller.tenant, policy.key_vault
        mark = lineage(tenant, policy.principal.app_id, vault_.host, vault_.password_secret)
        at = observation.read_at(self, heard)
        seen = Observed(at, tenant, mark, self._way.caller.app_id, found, credentials, registries=registries)
        return observation.with_groups(observation.with_vault(seen, vault), groups)

    async def put_group(
        self, group_id: ResourceId, document: Mapping[str, Any], *, not_after: float | None = None
    ) -> Put:
        """Send the PUT; count it in the budget at its end."""
        sent = Sent("PUT", "management.azure.com", group_id.lower())
        try:
            put = await super().put_group(group_id, document, not_after=not_after)
        except Throttled as error:
            self.budgets.hear(sent, 429, {}, error.seconds)
            raise
        except AzureError:
            self.budgets.unheard(sent)
            raise
        self.budgets.hear(sent, 200, {}, None)
        return put

    async def principal(self, policy: Policy) -> tuple[Principal, tuple[Credential, ...]]:
        """Read application and service principal, one after the other."""
        application = await self.password_holder(policy, Home.APPLICATION)
        return await self.found(policy, application, await self.password_holder(policy, Home.SERVICE_PRINCIPAL))

    async def registries(self, policy: Policy) -> tuple[Registry, ...]:
        """Read the policy's registries."""
        shown = [await self.registry(registry.id) for registry in policy.registries]
        self._servers.update({each.id: each.login_server for each in shown})
        return tuple(shown)

    async def _vault_part(self, policy: Policy, *, confirmed: bool) -> Any:
        try:
            published = await self.published(policy)
            record = await self.marked(policy, confirmed=confirmed)
        except AzureError as error:
            why = keyvault.refused(error)
            if why is None:
                raise
            return observation.Vault(refuses=why)
        since = None if record.access is Access.UNMARKED else record.since
        return observation.Vault(
            published, await observation.secret_deleted(self, policy, published), record.access, since
        )

    async def _groups_part(self, policy: Policy, hinted: frozenset[str]) -> Any:
        declared = [group.id for group in policy.container_groups]
        named = [await self.group(each) for each in declared]
        lists = await self._lists(policy.subscriptions)
        lists |= await self._lists(observation.unconfirmed(named, lists))
        others = observation.others(policy, lists, declared, hinted)
        found: list[ContainerGroup] = [
            lists.confirmed(each) for each in (*named, *[await self.group(each) for each in others])
        ]
        return observation.ObservedGroups(
            tuple(found), tuple(each for each in lists.unseen if each.subscription in policy.subscriptions)
        )

    async def _lists(self, subscriptions: Sequence[str]) -> Any:
        found = [await self._list(each) for each in subscriptions]
        return observation.Lists.of(subscriptions, found)

    async def _list(self, subscription: str) -> Any:
        try:
            return await self.listed(subscription)
        except (Forbidden, NotFound) as error:
            return UnlistedSubscription(subscription, str(error))

    async def prove(self, policy: Policy, secret: Secret, images: Sequence[str]) -> Proof:
        """Try a secret at Entra, then at the registries."""
        tokens, app_id = self._way.azure.tokens, policy.principal.app_id
        try:
            await self._try("entra.token", lambda: tokens._signed_in(app_id, secret.reveal()))
        except _Refused as refused:
            return judged(ServiceRefusal(refused.status, refused.code, refused.message, numbers=_numbers(refused.code)))
        except AzureError as error:
            return Proof(Outcome.UNREACHABLE, error.happened)
        return replace(await self.pull(policy, secret, images), signed_in=True)

    async def pull(self, policy: Policy, secret: Secret, images: Sequence[str]) -> Proof:
        """Try a secret at the registries alone."""
        servers = [await self.server(registry.id) for registry in policy.registries]
        wanted = sorted(acr.images(self.cloud, images, servers))
        repositories = sorted({(image.server, image.repository) for image in wanted})
        asked = [[i for i in wanted if (i.server, i.repository) == where] for where in repositories]
        tried = [(images_, await self._repository(policy, secret, images_)) for images_ in asked]
        return acr.conclusion(policy, self.cloud, tried)

    async def _repository(self, policy: Policy, secret: Secret, wanted: Sequence[acr.Image]) -> Proof:
        registries, server = self._way.azure.registries, wanted[0].server
        try:
            registry = await self._try("acr.token", lambda: registries.rights.registry(server))
            identity = registries.rights.identify(registry, policy.principal.app_id, secret.reveal())
        except (_Refused, Refused) as refused:
            return Proof(Outcome.REFUSED, f"the registry refuses the password ({refused.code})")
        except AzureError as error:
            return _unreached(error)
        return acr.verdict([await self._manifest(registry, identity, image) for image in wanted])

    async def _manifest(self, registry: Any, identity: Any, image: acr.Image) -> Proof:
        registries = self._way.azure.registries

        def head() -> str:
            return str(registries._pull(registry, identity, image.server, image.repository, image.reference).digest)

        try:
            digest = await self._try("acr.manifests.head", head)
        except _Refused as refused:
            if refused.status == 404:
                return Proof(
                    Outcome.PROVEN, missing=(image.name,) if image.name else (), served=(image.name or image.server,)
                )
            return Proof(Outcome.NO_PULL, f"the registry refuses the pull ({refused.code})")
        except NotFound:
            return Proof(
                Outcome.PROVEN, missing=(image.name,) if image.name else (), served=(image.name or image.server,)
            )
        except Forbidden as error:
            return Proof(Outcome.NO_PULL, error.happened)
        except AzureError as error:
            return _unreached(error)
        return Proof(
            Outcome.PROVEN, served=(image.name or image.server,), digests=((image.name, digest),) if image.name else ()
        )

    async def _try(self, operation: str, look: Callable[[], Any]) -> Any:
        """Make a call; return its answer. Raises _Refused with the service's refusal, and AzureError."""

        def tried() -> Any:
            try:
                return look()
            except Refused as refused:
                return _Refused(refused.status, refused.code, refused.message)
            except ServiceError as error:
                return _Refused(error.status, error.code, error.message)

        answer = await self._way.read(operation, tried)
        if isinstance(answer, _Refused):
            raise answer
        return answer


class _Refused(Exception):
    """Refusal of Entra or a registry."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


def _numbers(code: str) -> tuple[int, ...]:
    return (int(code.removeprefix("AADSTS")),) if code.startswith("AADSTS") else ()


def _unreached(error: AzureError) -> Proof:
    return Proof(Outcome.UNREACHABLE, error.happened, registry_reached=False)


async def _known(who: Who) -> Who:
    return who


@asynccontextmanager
async def fast(made: Stage, hop: Hop, clock: Clock) -> AsyncIterator[World]:
    """Connect the fast adapter."""
    yield FastWorld(made, hop, clock)
