"""Shared HTTP pipeline of all clients: sessions, policies and checks; Azure's clock from the Date header."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from azure.core import AsyncPipelineClient
from azure.core.pipeline.policies import (
    AsyncBearerTokenCredentialPolicy,
    AsyncRedirectPolicy,
    ContentDecodePolicy,
    CustomHookPolicy,
    HttpLoggingPolicy,
    RequestIdPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest

from rotator import __version__
from rotator.clients.azuretime import AzureTime
from rotator.clients.budgets import Budgets
from rotator.clients.retries import PATIENCE, Note, Retry, host
from rotator.clients.wire import LONGEST, Carrier, Gate, Limit, Proxy
from rotator.ports import Clock

T = TypeVar("T")

AGENT = f"rotator/{__version__}"
"""User-Agent of rotator; the clients put their own names in front."""
CONNECT_TIMEOUT, READ_TIMEOUT = 10, 60
"""Seconds for one try: to connect, and between two reads."""


class Line:
    """Shared parts of all azure-core clients of one connection.

    These are the sessions, the retry limit, Azure's time, and logging without secret headers. `sessions` are the usual
    one, and the one with a connection for each request; `proxy` returns the proxy of an address. `longest`: seconds
    that one request may take. `budgets` are those of the process.
    """

    def __init__(
        self,
        clock: Clock,
        time: AzureTime,
        sessions: tuple[Any, Any],
        proxy: Proxy,
        longest: float = LONGEST,
        budgets: Budgets | None = None,
    ) -> None:
        self.clock, self.time, self.longest, self.limit, self.budgets = clock, time, longest, Limit(clock), budgets
        self._sessions, self._proxy = sessions, proxy

    def transport(self, hosts: Iterable[str] | None) -> AioHttpTransport:
        """Return a transport to `hosts` over the shared sessions; closing the transport leaves them open.

        `hosts` is None for requests of azure-identity itself.
        """
        carrier: Any = self.carrier(hosts)
        return AioHttpTransport(
            session=carrier, session_owner=False, connection_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT
        )

    def carrier(self, hosts: Iterable[str] | None) -> Carrier:
        """Return the transport that sends requests to `hosts` over the shared sessions."""
        gate = Gate(self.time, None if hosts is None else frozenset(hosts), self.longest, self.budgets, self.limit)
        return Carrier(gate, *self._sessions, self._proxy)

    def retry(self, *, patience: float = PATIENCE, once: bool = True, note: Note | None = None) -> Retry:
        """Return a separate retry policy for one client."""
        return Retry(self.limit, self.time, patience=patience, once=once, note=note)

    def options(self, hosts: Iterable[str]) -> dict[str, Any]:
        """Return the keyword arguments of a client with its own request signing."""
        redirects: Any = AsyncRedirectPolicy.no_redirects()
        return {
            "transport": self.transport(hosts),
            "retry_policy": self.retry(),
            "redirect_policy": redirects,
            "user_agent": AGENT,
        }

    def client(self, token: Any, scope: str, address: str) -> AsyncPipelineClient[HttpRequest, AsyncHttpResponse]:
        """Return a client of `address` for requests by URL; its answers are read as they are."""
        bearer = AsyncBearerTokenCredentialPolicy(token, scope)
        policies = [RequestIdPolicy(), self.agent(), self.retry(), bearer, HttpLoggingPolicy()]
        return AsyncPipelineClient(address, policies=policies, transport=self.transport([host(address)]))

    def signed(self, token: Any, scope: str, address: str) -> dict[str, Any]:
        """Return the keyword arguments of a client of `address`: its policies and its transport.

        Resource Manager's own list has two more policies that repeat a request: after a redirect, and after an
        automatic registration of the subscription.
        """
        bearer = AsyncBearerTokenCredentialPolicy(token, scope)
        before = [RequestIdPolicy(), self.agent(), ContentDecodePolicy()]
        policies = [*before, self.retry(), bearer, CustomHookPolicy(), HttpLoggingPolicy()]
        return {"transport": self.transport([host(address)]), "policies": policies}

    def agent(self) -> UserAgentPolicy:
        """Return the policy for the User-Agent header."""
        return UserAgentPolicy(user_agent=AGENT)


@asynccontextmanager
async def at_once() -> AsyncIterator[asyncio.TaskGroup]:
    """Yield a group of tasks ending with the block.

    The first failure cancels the others and is raised by itself, not in an exception group.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except BaseExceptionGroup as several:
        failure = _first(several)
    else:
        return
    raise failure


async def together(*calls: Coroutine[Any, Any, T]) -> list[T]:
    """Return the results of calls of one kind made at once, in their order; fails as :func:`at_once`."""
    async with at_once() as tasks:
        started = [tasks.create_task(call) for call in calls]
    return [task.result() for task in started]


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
