"""Cost of a run with nothing due, by the number of policies: requests, processor time, memory.

Microsoft's clients and rotator's own code in front of the emulator in this process, whose time isn't counted. Each
policy was looked at before, and since its turn, so that the lists alone decide. ``python -m tests.fleet_cost SIZE``
prints an object; with ``memory`` it has the peak of bytes allocated by one run.
"""

import gc
import json
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any, TypeVar

from local_azure.aci.wire import PAGE as GROUPS_ON_A_PAGE
from local_azure.azure import Azure
from local_azure.clock import Clock as AzureClock
from local_azure.inprocess import Hop, Session, pause
from local_azure.seed import fill
from local_azure.services import build
from local_azure.timing import PROMPT
from local_azure.virtual import VirtualLoop, run
from local_azure.wire import Request, Response

from rotator import fleet
from rotator.clients import Transports, connect
from rotator.clients.graph import MOST_IN_ONE_FILTER
from rotator.clients.keyvault import PAGE as SECRETS_ON_A_PAGE
from rotator.clients.principals import MOST_IN_ONE_BATCH
from rotator.container_group import concerned
from rotator.engine import Journal, Run, reconcile
from rotator.lease import LocalLease
from rotator.plan import View, fingerprint, turn
from rotator.results import Result
from rotator.steps import NOTHING_KNOWN, Intent
from rotator.survey import FILE, Looked, Looks
from tests.fleets import DELETED, GROUPS, SUBSCRIPTIONS, VAULTS, Fleet, at_rest
from tests.stage import Clock, sign_in

T = TypeVar("T")
TURNS = 3
"""Number of timed runs: the quickest counts, since other programs only make one slower."""
START = datetime(2026, 3, 4, 12, tzinfo=UTC)
TOKENS, CHALLENGES = 3, 2
"""Tokens of a run (Graph, Resource Manager, Key Vault), and requests for a vault's tenant."""


class Timed(Hop):
    """Way to the emulator, with the emulator's processor time measured."""

    seconds = 0.0

    async def exchange(self, request: Request) -> Response:
        """Return the answer, in the next turn of the loop."""
        await pause(0)
        began = time.process_time()
        try:
            return self.app.handle(request)
        finally:
            self.seconds += time.process_time() - began


def measured(size: int, *, memory: bool) -> dict[str, Any]:
    """Measure one run over so many policies with nothing due."""
    found: dict[str, Any] = {}

    async def main(loop: VirtualLoop) -> None:
        azure = Azure.build(AzureClock(START, loop.time), seed=7, timing=PROMPT)
        made = at_rest(azure, fill(azure), size)
        found.update(await _run(loop, made, Timed(build(azure)), memory=memory))

    run(main)
    return found


async def _run(loop: VirtualLoop, made: Fleet, hop: Timed, *, memory: bool) -> dict[str, Any]:
    sign_in(made.seeded)
    clock = Clock(loop)
    transports = Transports(lambda: Session(hop))
    with tempfile.TemporaryDirectory() as folder:
        async with connect(clock, transports=transports) as world:
            looks = await _looked(world, made, Path(folder) / FILE)
        gc.collect()
        gc.freeze()  # the emulator's state, which a collection would go through again and again

        async def once() -> Sequence[Result]:
            async with connect(clock, transports=transports) as world:
                runs = (Run(world, clock, Journal(lambda _: None, each.name), each) for each in made.policies)
                return await fleet.run(runs, reconcile, lease=LocalLease(Path(folder), lambda: START), looks=looks)

        before = len(hop.app.served)
        turns = 1 if memory else TURNS
        if memory:
            tracemalloc.start()
        results, seconds = await _timed(once, hop, turns)
        peak = tracemalloc.get_traced_memory()[1] if memory else 0
    served = Counter(call.operation for call in hop.app.served[before:])
    rested = sum(result.summary == fleet.AT_REST for result in results)
    requests = {name: number // turns for name, number in served.items()}
    return {
        "requests": requests,
        "processor": seconds,
        "peak": peak,
        "rested": rested,
        "fewest": fewest(len(made.policies)),
    }


async def _timed(once: Callable[[], Awaitable[T]], hop: Timed, turns: int) -> tuple[T, float]:
    """Return the result of the last of some runs, and the processor time of the quickest, without the emulator's."""
    found, taken = list[T](), list[float]()
    for _ in range(turns):
        began, emulator = time.process_time(), hop.seconds
        found.append(await once())
        taken.append(time.process_time() - began - (hop.seconds - emulator))
    return found[-1], min(taken)


async def _looked(world: Any, made: Fleet, file: Path) -> Looks:
    """Return looks at every policy an hour ago, or a second after its turn: no policy has its turn now."""
    survey = await world.survey(made.policies, concerned)
    known = {}
    for policy in made.policies:
        listed = survey.listed[policy.name]
        view = View(policy, listed.observed, Intent(), NOTHING_KNOWN, listed.groups)
        at = max(view.at - timedelta(hours=1), turn(listed.observed.lineage, view.at) + timedelta(seconds=1))
        known[listed.observed.lineage] = Looked(min(at, view.at), fingerprint(view))
    return Looks(file, known)


def fewest(size: int) -> dict[str, int]:
    """Return the fewest requests that can show that nothing is due, by purpose, from page sizes."""
    lists = 2 * ceil(size / MOST_IN_ONE_FILTER)
    secrets = ceil(2 * size / VAULTS / SECRETS_ON_A_PAGE)
    groups = ceil(GROUPS * size / SUBSCRIPTIONS / GROUPS_ON_A_PAGE)
    graph = f"Graph: two kinds of objects, {MOST_IN_ONE_FILTER} app ids a list, {MOST_IN_ONE_BATCH} lists a batch"
    aci = f"{SUBSCRIPTIONS} subscriptions, {GROUPS} groups a policy, {GROUPS_ON_A_PAGE} a page"
    return {
        graph: ceil(lists / MOST_IN_ONE_BATCH),
        f"Key Vault: {VAULTS} vaults, 2 secrets a policy, {SECRETS_ON_A_PAGE} a page": VAULTS * secrets,
        f"Key Vault: {DELETED} deleted secrets a vault": VAULTS * ceil(DELETED / SECRETS_ON_A_PAGE),
        f"Container Instances: {aci}": SUBSCRIPTIONS * groups,
        "tokens, and challenges of vaults": TOKENS + CHALLENGES,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measured(int(sys.argv[1]), memory="memory" in sys.argv)))
