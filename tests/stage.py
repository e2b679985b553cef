"""Stage of a test in process: an emulated Azure on virtual time, with rotator's real engine and clients in front.

A `Stage` starts as a user's world before the first rotation: a principal with a hand-made password, held by two
container groups and published in Key Vault; a second principal to stay untouched. Death is a BaseException raised
between two wire calls; afterwards no request of the run reaches Azure.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from azure.keyvault.secrets._shared import http_challenge_cache
from local_azure.app import App
from local_azure.arm.clouds import PUBLIC, Cloud, named
from local_azure.azure import Azure
from local_azure.clock import Clock as AzureClock
from local_azure.graph.objects import Application, Password, ServicePrincipal
from local_azure.inprocess import Hop, Session, pause
from local_azure.seed import fill
from local_azure.seeded import Seeded
from local_azure.services import build
from local_azure.timing import LAGGING, QUICK, Timing
from local_azure.virtual import VirtualLoop, run
from local_azure.wire import Request

from rotator.clients import Transports, connect, pages, wire
from rotator.engine import Journal, Run, reconcile
from rotator.events import Event, as_json
from rotator.policy import Policy
from rotator.ports import World
from rotator.resource_id import ResourceId
from rotator.results import Result
from rotator.steps import Intent

T = TypeVar("T")
START = datetime(2026, 3, 4, 12, tzinfo=UTC)
SERVER, SECRET = "mycontainerregistry.azurecr.io", "mycontainerregistry-pull-pwd"
GROUPS = ("app", "second")


class Killed(BaseException):
    """Death of the process."""


@dataclass
class Clock:
    """`ports.Clock` on virtual time, with repeatable ids."""

    loop: VirtualLoop
    attempts: int = 0

    def elapsed(self) -> float:
        return self.loop.time()

    async def sleep(self, seconds: float) -> None:
        await pause(seconds)

    def attempt(self) -> str:
        self.attempts += 1
        return f"{self.attempts:012x}"


Watch = Callable[[int, str], None]
"""Function called with the number and operation of a call of the stage; may raise Killed."""


@dataclass
class Stage:
    """One emulated world, with the events of its runs."""

    loop: VirtualLoop
    azure: Azure
    app: App
    seeded: Seeded
    application: Application
    principal: ServicePrincipal
    by_hand: Password
    bystander: Application
    policy: Policy
    clock: Clock
    events: list[Event] = field(default_factory=list)
    adapter: "Adapter | None" = None
    """Way to a World; None: real SDK code."""
    asking: object = None
    """Process of the emulator's present call, where processes are told apart."""
    dead: bool = False
    before: list[Callable[[int, str, Request], None]] = field(default_factory=list)
    after: list[Callable[[int, str, Request], None]] = field(default_factory=list)

    @property
    def app_id(self) -> str:
        return self.application.app_id

    def group_id(self, name: str) -> ResourceId:
        base = f"/subscriptions/{self.seeded.subscription}/resourceGroups/{self.seeded.resource_group}"
        return ResourceId.parse(f"{base}/providers/Microsoft.ContainerInstance/containerGroups/{name}")

    def body(self, app_id: str, password: str, image: str = "aci-helloworld:v1", **properties: Any) -> dict[str, Any]:
        """Return a container group as `az container create` would send it."""
        resources = {"requests": {"cpu": 1.0, "memoryInGB": 1.5}}
        plain = [{"name": "MODE", "value": "production"}]
        container = {
            "name": "app",
            "properties": {
                "image": f"{self.seeded.login_server}/{image}",
                "ports": [{"protocol": "TCP", "port": 80}],
                "resources": resources,
                "environmentVariables": plain,
            },
        }
        entry = {"server": self.seeded.login_server, "username": app_id, "password": password}
        ports = {"type": "Public", "ports": [{"protocol": "TCP", "port": 80}]}
        shape = {
            "osType": "Linux",
            "restartPolicy": "Always",
            "containers": [container],
            "imageRegistryCredentials": [entry],
            "ipAddress": ports,
        }
        return {
            "location": named(self.seeded.cloud).region,
            "tags": {"owner": "somebody"},
            "properties": {**shape, **properties},
        }

    def put(self, name: str, **properties: Any) -> str:
        """Create a group with the hand-made password, without HTTP; return its id."""
        group_id = self.group_id(name)
        self.azure.container_groups.put(
            group_id, self.body(self.app_id, self.by_hand.secret, **properties), "2025-09-01"
        )
        return group_id

    def pass_(self, **span: float) -> None:
        """Let time pass."""
        self.azure.clock.advance(timedelta(**span))

    def with_policy(self, **changes: Any) -> Policy:
        """Replace some parts of the policy; return the policy."""
        shown = self.policy.model_dump(exclude_unset=True)
        changes |= {"rotation": {"spread": False, **changes["rotation"]}} if "rotation" in changes else {}
        self.policy = Policy.model_validate({**shown, "name": self.policy.name, "file": self.policy.file, **changes})
        return self.policy

    # state, as a person looks at it

    def credentials(self) -> list[Password]:
        """Return the passwords on both homes that authenticate, now or soon."""
        return [p for p in self.azure.directory.passwords(self.app_id) if p.gone_from is None]

    def versions(self) -> list[Any]:
        return self.azure.vaults.versions("myvault", SECRET)

    def published(self) -> str:
        """Return the value of the secret for readers."""
        return str(self.azure.vaults.get("myvault", SECRET).value)

    def password_of(self, name: str) -> str:
        stored = self.azure.container_groups.stored(self.group_id(name))
        return str(stored["properties"]["imageRegistryCredentials"][0]["password"])

    def tags_of(self, name: str) -> dict[str, str]:
        return dict(self.azure.container_groups.stored(self.group_id(name)).get("tags", {}))

    def writes(self, since: int = 0) -> list[str]:
        """Return the operations with a writing method; requests for tokens and proofs are left out."""
        reading = ("entra.", "acr.")
        return [
            c.operation
            for c in self.app.served[since:]
            if c.method not in ("GET", "HEAD") and not c.operation.startswith(reading)
        ]

    def told(self) -> str:
        """Return every event as the JSON lines of a user."""
        return "\n".join(json.dumps(as_json(event)) for event in self.events)

    # acts of a person

    async def with_world(
        self,
        act: Callable[[Run], Awaitable[T]],
        intent: Intent | None = None,
        minutes: float | None = None,
        hop: Hop | None = None,
        clock: "Clock | None" = None,
    ) -> T:
        """Connect as the operator, like a newly started process, and act on the policy; `hop` may suspend the
        process.
        """
        self.dead, held = False, bool(hop and (hop.arriving or hop.leaving or getattr(hop, "stop", None)))
        hop = hop or Hop(self.app)
        deadline = None if minutes is None else self.clock.elapsed() + 60 * minutes
        with unhurried() if held else nullcontext():
            return await self._connected(act, intent, deadline, hop, clock or self.clock)

    async def _connected(
        self, act: Callable[[Run], Awaitable[T]], intent: Intent | None, deadline: float | None, hop: Hop, clock: Clock
    ) -> T:
        async with (self.adapter or real)(self, hop, clock) as world:
            return await act(
                Run(
                    world,
                    clock,
                    Journal(self.events.append, self.policy.name),
                    self.policy,
                    intent or Intent(),
                    deadline,
                )
            )

    async def rotate(self, intent: Intent | None = None, minutes: float | None = None) -> Result:
        """Run `rotator rotate` once."""
        return await self.with_world(reconcile, intent, minutes)

    async def dies(self, act: Awaitable[Any]) -> bool:
        """Tell if the run died on the way; no part of it goes on afterwards."""
        try:
            await act
        except BaseException as death:
            if not _is_death(death):
                raise
            return True
        finally:
            self.dead = False
        return False


Adapter = Callable[[Stage, Hop, Clock], AbstractAsyncContextManager[World]]
"""Function that connects a process, by its clock, to the stage's Azure, by a way that may suspend it."""


def real(made: Stage, hop: Hop, clock: Clock) -> AbstractAsyncContextManager[World]:
    """Connect Microsoft's own clients, in process."""
    return connect(clock, made.seeded.cloud, transports=Transports(lambda: Session(hop)))


class _Unhurried:
    """Asyncio without its time-outs."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    def timeout(self, when: float | None) -> asyncio.Timeout:
        del when
        return asyncio.timeout(None)


_HURRIED: dict[Any, Any] = {wire: asyncio, pages: asyncio}
"""Modules with timers of requests, and the module from which they take them."""
_STOPPED = [0]
"""Number of suspended processes: of two, the first to go on must not set the timers of both."""


@contextmanager
def unhurried() -> Iterator[None]:
    """Switch off the time-outs of requests: timers of a suspended process don't run."""
    _STOPPED[0] += 1
    _timers(_Unhurried())
    try:
        yield
    finally:
        _STOPPED[0] -= 1
        if _STOPPED[0] <= 0:
            hurried()


def hurried() -> None:
    """Let requests time out again: no process is stopped."""
    _STOPPED[0] = 0
    _timers(None)


def _timers(source: Any) -> None:
    for module, own in _HURRIED.items():
        module.asyncio = source or own


def _is_death(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(map(_is_death, error.exceptions))
    return isinstance(error, Killed)


HASTY = replace(QUICK, graph_read=1)
"""Short durations, with reads of Graph that lag its writes."""


def lagging(**seconds: float) -> Timing:
    """Return Azure's durations, changed as given; reads of Graph lag its writes."""
    return replace(LAGGING, **seconds)  # type: ignore[arg-type]


def stage(
    loop: VirtualLoop,
    *,
    timing: Timing | None = None,
    groups: tuple[str, ...] = GROUPS,
    seed_: int = 7,
    cloud: Cloud = PUBLIC,
) -> Stage:
    """Return a world at rest for a day; the Key Vault SDK has forgotten every vault, so that equal worlds see equal
    calls.
    """
    http_challenge_cache.clear()
    azure = Azure.build(AzureClock(START, loop.time), seed=seed_, timing=timing or lagging())
    seeded = fill(azure, cloud)
    app = build(azure)
    application, principal, by_hand = _principal(azure, seeded, "puller", 360)
    bystander, _, theirs = _principal(azure, seeded, "bystander", 360)
    azure.vaults.set("myvault", SECRET, by_hand.secret)
    made = Stage(
        loop,
        azure,
        app,
        seeded,
        application,
        principal,
        by_hand,
        bystander,
        _policy(seeded, application.app_id, groups),
        Clock(loop),
    )
    azure.clock.advance(timedelta(hours=1))
    for name in groups:
        made.put(name)
    azure.container_groups.put(made.group_id("bystander"), made.body(bystander.app_id, theirs.secret), "2025-09-01")
    azure.clock.advance(timedelta(days=1))
    azure.container_groups.settle()
    sign_in(seeded)
    return hooked(made)


def hooked(made: Stage) -> Stage:
    """Connect the stage's watchers to every call of its emulator; return the stage."""
    made.app.before, made.app.after = _hook(made, before=True), _hook(made, before=False)
    return made


def sign_in(seeded: Seeded) -> None:
    """Sign in as the operator, through the environment."""
    os.environ.update(
        AZURE_TENANT_ID=seeded.tenant,
        AZURE_CLIENT_ID=seeded.operator.app_id,
        AZURE_CLIENT_SECRET=seeded.operator.secret,
    )


def _hook(made: Stage, *, before: bool) -> Callable[[int, str, Request], None]:
    def hook(number: int, operation: str, request: Request) -> None:
        if before and made.dead:
            raise Killed
        for watch in made.before if before else made.after:
            try:
                watch(number, operation, request)
            except Killed:
                made.dead = True
                raise

    return hook


def _principal(azure: Azure, seeded: Seeded, name: str, days: int) -> tuple[Application, ServicePrincipal, Password]:
    application = azure.directory.create_application(name)
    principal = azure.directory.create_service_principal(application.app_id)
    for owned in (application.id, principal.id):
        azure.directory.add_owner(owned, seeded.operator.object_id)
    azure.authorization.assign(seeded.registry_id, principal.id, "AcrPull", at_once=True)
    end = azure.clock.now() + timedelta(days=days)
    return application, principal, azure.directory.add_password(application, display_name="rbac", end=end, at_once=True)


def _policy(seeded: Seeded, app_id: str, groups: tuple[str, ...]) -> Policy:
    base = f"/subscriptions/{seeded.subscription}/resourceGroups/{seeded.resource_group}/providers/Microsoft.ContainerInstance/containerGroups"
    content = {
        "name": "mycontainerregistry",
        "file": "policies/mycontainerregistry.yaml",
        "principal": {"app_id": app_id},
        "registries": [{"id": seeded.registry_id}],
        "key_vault": {"url": seeded.vault_url, "password_secret": SECRET},
        "rotation": {"spread": False},
        "proof": {"times": 3, "over": "60s", "deadline": "5m"},
        "container_groups": [{"id": f"{base}/{name}"} for name in groups],
    }
    return Policy.model_validate(content)


def play(scene: Callable[[VirtualLoop], Awaitable[T]]) -> T:
    """Run a scene on a new virtual loop."""

    async def main(loop: VirtualLoop) -> T:
        return await scene(loop)

    try:
        return run(main)
    finally:
        hurried()


@contextmanager
def watched(
    made: Stage, *, before: Callable[..., None] | None = None, after: Callable[..., None] | None = None
) -> Iterator[None]:
    """Watch every wire call for the duration of the block."""
    if before:
        made.before.append(before)
    if after:
        made.after.append(after)
    try:
        yield
    finally:
        if before:
            made.before.remove(before)
        if after:
            made.after.remove(after)


__all__ = ["GROUPS", "SECRET", "SERVER", "Killed", "Stage", "play", "stage", "watched"]
