"""Rotation of a whole fleet on virtual time: one process, a process that dies and is followed, or workers of a queue.

Every principal is due. Azure has its real latencies and limits; a share of all calls may meet an effect drawn from all
classes. After each write the emulator's state of its principal is checked: its groups can pull, and readers of its
secret get a password that signs in. ``python -m tests.fleet_rotation SIZE [WORDS]`` prints the results; words: ``fast``
(no SDK and no HTTP), ``faults`` (5 % of all calls), ``dies``, ``workers``.
"""

import asyncio
import logging
import random  # noqa: TID251 - seeded by the number of the process
import re
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from local_azure.app import App
from local_azure.azure import Azure
from local_azure.clock import Clock as AzureClock
from local_azure.inprocess import Session, pause
from local_azure.seed import fill
from local_azure.services import build
from local_azure.virtual import VirtualLoop, run
from local_azure.wire import Request

from rotator import fleet
from rotator.clients import Transports, connect
from rotator.clients.password_trial import ONE_TRY
from rotator.engine import Journal, Run, reconcile
from rotator.fleet import Worker
from rotator.lease import LocalLease
from rotator.policy import Policy
from rotator.ports import Clock, Lease, World
from rotator.rate_limits import REDEPLOYMENTS
from rotator.results import Result
from tests.fleets import DUE, GROUPS, SUBSCRIPTIONS, Fleet, at_rest, let_pull
from tests.matrices.effects import READS, WRITES, Effect
from tests.matrices.fast import FastWorld
from tests.matrices.process import LATE_READ, LATE_WRITE, Process
from tests.stage import Clock as StageClock
from tests.stage import Killed, sign_in
from tests.storage import MemoryQueue

START = datetime(2026, 3, 4, 12, tzinfo=UTC)
SHARE = 0.05
"""Share of calls that meet an effect."""
HOSTS = 8
SETTLED, RUNS = timedelta(hours=1), 40
"""Time between two runs, and the most runs until every principal is rotated."""
NAME = re.compile(r"p\d{5}")
PROOF = ("entra.token", "acr.")
"""Operations of a proof; none waits for an answer longer than `ONE_TRY`."""
WRITTEN = ("addPassword", "removePassword", "secrets.set", "secrets.update", "createOrUpdate")


@dataclass
class Troubled(Process):
    """Process with effects on a share of its calls."""

    share: float = 0.0
    draw: random.Random = field(default_factory=random.Random)
    met: Counter[Effect] = field(default_factory=Counter)
    dies_after: int = 0
    """Calls after which the process dies; 0: never."""

    async def arrive(self, operation: str, *, writes: bool) -> Effect | None:
        """Return the effect on a call, before the call. Raises Killed."""
        await super().arrive(operation, writes=writes)
        if self.dies_after and len(self.calls) > self.dies_after:
            self.dead = True
            raise Killed
        if operation.startswith("clock") or self.draw.random() >= self.share:
            return None
        effect = self.draw.choice(WRITES if writes else READS)
        self.met[effect] += 1
        if effect is Effect.HANG:
            await pause(LATE_WRITE if writes else LATE_READ if not operation.startswith(PROOF) else ONE_TRY)
        return effect


@dataclass
class Watched:
    """Fleet in the emulator, checked after every write."""

    made: Fleet
    owners: dict[str, str] = field(default_factory=dict)
    """Policy by the object id of its application."""
    first: dict[str, str] = field(default_factory=dict)
    """Value of each policy's secret before the rotation."""
    violations: list[str] = field(default_factory=list)

    def after(self, number: int, operation: str, request: Request) -> None:
        """Check the principal of a write."""
        if request.method in ("GET", "HEAD") or not operation.endswith(WRITTEN):
            return
        named = NAME.search(request.path)
        owner = next((name for object_id, name in self.owners.items() if object_id in request.path), "")
        if name := named.group() if named else owner:
            self.look(self.policy(name), operation)

    def look(self, policy: Policy, operation: str = "the end") -> None:
        """Check I1 and I2 of a policy."""
        azure = self.made.azure
        for group in policy.container_groups:
            if not azure.container_groups.could_pull(group.id):
                self.violations.append(f"I1: {group.id.name} can't pull after {operation}")
        if not azure.tokens.authenticates_everywhere(policy.principal.app_id, self.value(policy)):
            self.violations.append(f"I2: readers of {policy.name} get a password that is refused after {operation}")

    def policy(self, name: str) -> Policy:
        """Return a policy by name."""
        return self.made.policies[int(name[1:])]

    def rotated(self, policy: Policy) -> bool:
        """Tell if the secret has a new password, and every group holds it."""
        azure, value = self.made.azure, self.value(policy)
        held = {
            azure.container_groups.stored(group.id)["properties"]["imageRegistryCredentials"][0]["password"]
            for group in policy.container_groups
        }
        return held == {value} and value != self.first[policy.name]

    def value(self, policy: Policy) -> str:
        """Return the value of the secret for readers."""
        return self.made.azure.vaults.get(policy.key_vault.name, policy.key_vault.password_secret).value

    @classmethod
    def over(cls, made: Fleet) -> "Watched":
        """Let every principal pull, and remember how the fleet was."""
        watched = cls(made)
        let_pull(made)
        for policy in made.policies:
            application = made.azure.directory.application(policy.principal.app_id)
            assert application
            watched.owners[application.id] = policy.name
            watched.first[policy.name] = watched.value(policy)
        return watched


@dataclass
class Simulated:
    """Simulation of one fleet."""

    loop: VirtualLoop
    watched: Watched
    app: App
    words: Sequence[str]
    lease: Lease
    met: Counter[Effect] = field(default_factory=Counter)
    runs: int = 0

    def process(self, number: int) -> Troubled:
        """Return a process; with `dies` the first ones die amid their work."""
        made: Any = SimpleNamespace(
            azure=self.watched.made.azure,
            app=self.app,
            seeded=self.watched.made.seeded,
            loop=self.loop,
            clock=StageClock(self.loop, attempts=number * 1_000_000),
            policy=SimpleNamespace(access_secret="-pwd-access"),
            asking=None,
        )
        dies = "dies" in self.words and number < 3
        share = SHARE if "faults" in self.words else 0.0
        return Troubled(
            self.app,
            made=made,
            share=share,
            draw=random.Random(number),
            met=self.met,
            dies_after=len(self.watched.made.policies) * 30 if dies else 0,
        )

    @asynccontextmanager
    async def world(self, process: Troubled) -> AsyncIterator[tuple[World, Clock]]:
        """Connect one process."""
        clock = process.clock
        if "fast" in self.words:
            yield FastWorld(process.made, process, clock), clock  # type: ignore[arg-type]
            return
        transports = Transports(lambda: Session(process))
        async with connect(clock, transports=transports) as world:
            yield world, clock

    async def once(self) -> Sequence[Result]:
        """Run once over every policy not yet rotated: by one process, or by workers."""
        self.runs += 1
        left = [each for each in self.watched.made.policies if not self.watched.rotated(each)]
        if "workers" in self.words:
            return await self._by_workers(left)
        process = self.process(self.runs)
        async with self.world(process) as (world, clock):
            runs = (Run(world, clock, Journal(_deaf, each.name), each) for each in left)
            try:
                return await fleet.run(runs, reconcile, lease=self.lease)
            except BaseExceptionGroup:
                if not process.dead:
                    raise
                return ()

    async def _by_workers(self, left: Sequence[Policy]) -> Sequence[Result]:
        queue = MemoryQueue(self.loop.time)
        await fleet.enqueue(queue, [each.name for each in left])
        policies = {each.name: each for each in left}
        async with AsyncExitStack() as hosts:
            workers = [
                await self._worker(hosts, queue, policies, self.runs * HOSTS + number) for number in range(HOSTS)
            ]
            await asyncio.gather(*(each.work() for each in workers))
        return [result for each in workers for result in each.results.values()]

    async def _worker(self, hosts: AsyncExitStack, queue: MemoryQueue, policies: Any, number: int) -> Worker:
        world, clock = await hosts.enter_async_context(self.world(self.process(number)))

        def begin(policy: Policy) -> Run:
            return Run(world, clock, Journal(_deaf, policy.name), policy, deadline=until)

        until = clock.elapsed() + 36 * 3600
        return Worker(queue, clock, self.lease, policies, begin, reconcile, until)


def _deaf(_: object) -> None:
    """Ignore an event."""


@dataclass(frozen=True)
class Taken:
    """Outcome of one simulation."""

    seconds: float
    requests: int
    runs: int
    codes: Counter[int]
    met: Counter[Effect]
    left: int
    violations: list[str]


def simulated(size: int, words: Sequence[str] = ()) -> Taken:
    """Rotate a fleet until every policy is rotated, or `RUNS` runs are over."""

    async def main(loop: VirtualLoop) -> Taken:
        azure = Azure.build(AzureClock(START, loop.time), seed=7)
        made = at_rest(azure, fill(azure), size, DUE)
        sign_in(made.seeded)
        app, watched = build(azure), Watched.over(made)
        app.after = watched.after
        with tempfile.TemporaryDirectory() as folder:
            sim = Simulated(loop, watched, app, words, LocalLease(Path(folder), azure.clock.now))
            return await _until_rotated(sim)

    return run(main)


async def _until_rotated(sim: Simulated) -> Taken:
    azure, made, codes = sim.watched.made.azure, sim.watched.made, Counter[int]()
    begun, served = azure.clock.now(), len(sim.app.served)
    ended = begun
    while sim.runs < RUNS and not all(map(sim.watched.rotated, made.policies)):
        codes.update(result.exit_code for result in await sim.once())
        ended = azure.clock.now()
        azure.clock.advance(SETTLED)
    for policy in made.policies:
        sim.watched.look(policy)
    left = sum(not sim.watched.rotated(each) for each in made.policies)
    seconds = (ended - begun).total_seconds()
    return Taken(seconds, len(sim.app.served) - served, sim.runs, codes, sim.met, left, sim.watched.violations)


def least(size: int) -> float:
    """Return the seconds until the last redeployment of the fullest subscription may begin, by Azure's limits alone."""
    before = GROUPS * ceil(size / SUBSCRIPTIONS) - 1
    minutes, hour = REDEPLOYMENTS["pt5m"], REDEPLOYMENTS["pt1h"]
    return before // hour.amount * hour.seconds + before % hour.amount // minutes.amount * minutes.seconds


def told(size: int, taken: Taken) -> str:
    """Return the results of a simulation, in lines."""
    codes = ", ".join(f"{number} ended with {code}" for code, number in sorted(taken.codes.items()))
    effects = ", ".join(f"{number} {effect}" for effect, number in sorted(taken.met.items()))
    return "\n".join(
        [
            f"{size} principals, {size * GROUPS} groups: {taken.seconds / 3600:.2f} h of Azure's time, {taken.runs} runs",
            f"Azure's limits alone ask for {least(size) / 3600:.2f} h",
            f"{taken.requests} requests, {taken.requests / size:.0f} each; {codes}",
            *([f"met: {effects}"] if effects else []),
            f"{taken.left} not rotated, {len(taken.violations)} violations",
            *taken.violations[:5],
        ]
    )


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    sys.stdout.write(f"{told(int(sys.argv[1]), simulated(int(sys.argv[1]), sys.argv[2:]))}\n")
