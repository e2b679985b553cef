"""Snapshots of worlds: the common beginning of many tests is played once in a process, and its state is put into a new
emulator for each.

The changing parts of an emulated Azure are the `state` of its services (see :mod:`local_azure.azure`), its clock, its
ids and its faults. They are kept as bytes, so that no two tests share a value; services, routes, hooks and the loop are
built anew. So a snapshot can't carry a closure over its original world; pickle refuses one.
"""

import pickle
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import wraps

from azure.keyvault.secrets._shared import http_challenge_cache
from local_azure.azure import Azure
from local_azure.clock import Clock as AzureClock
from local_azure.services import build
from local_azure.store import services
from local_azure.virtual import VirtualLoop

from tests.stage import Clock, Stage, hooked, sign_in

World = Callable[[VirtualLoop], Awaitable[Stage]]
"""Function that makes a world on a loop."""


def kept(world: World) -> World:
    """Return the world, played once in this process and restored from its snapshot afterwards."""
    snapshots: list[bytes] = []

    @wraps(world)
    async def taken_up(loop: VirtualLoop) -> Stage:
        if not snapshots:
            snapshots.append(taken(await world(loop)))
        return stood(snapshots[0], loop)

    return taken_up


def taken(made: Stage) -> bytes:
    """Return the state of a stage at this instant, between two calls, without a watcher and without a planned fault."""
    azure = made.azure
    assert not (made.dead or made.before or made.after or azure.faults.planned)
    states = {name: service.state for name, service in services(azure)}
    people = made.application, made.principal, made.by_hand, made.bystander
    kept = made.seeded, made.policy, made.clock.attempts, made.events, made.app.served
    return pickle.dumps(
        (
            azure.clock.now(),
            azure.ids.position,
            azure.timing,
            azure.directory.tenant,
            azure.faults.struck,
            states,
            people,
            kept,
        )
    )


def stood(snapshot: bytes, loop: VirtualLoop) -> Stage:
    """Return a stage restored from a snapshot, in a separate world."""
    now, position, timing, tenant, struck, states, people, kept = pickle.loads(snapshot)
    http_challenge_cache.clear()
    azure = Azure.build(AzureClock(now - timedelta(seconds=loop.time()), loop.time), timing=timing, tenant=tenant)
    for name, service in services(azure):
        service.state = states[name]
    azure.ids.resume(position)
    azure.faults.struck[:] = struck
    app = build(azure)
    seeded, policy, attempts, events, served = kept
    app.served[:] = served
    sign_in(seeded)
    application, principal, by_hand, bystander = people
    return hooked(
        Stage(
            loop, azure, app, seeded, application, principal, by_hand, bystander, policy, Clock(loop, attempts), events
        )
    )
