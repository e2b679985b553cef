"""Reads the input of `rotator discover` from lists alone: one request per page, however many groups a page shows."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from rotator.cloud import Cloud
from rotator.discovery import Listed, Listing, app_ids
from rotator.errors import AzureError, RotatorError
from rotator.policy import Policy
from rotator.ports import World
from rotator.state import Registry

T = TypeVar("T")
AT_ONCE = 8
"""Subscriptions that are listed side by side."""


async def see(
    world: World, cloud: Cloud, policies: Sequence[Policy], wanted: Sequence[str], *, registries: bool
) -> Listing:
    """List the groups of the `wanted` subscriptions, else of the policies' subscriptions, else of all listable ones.

    With `registries`, the ids of registries are listed, too. A subscription that can't be listed is part of the result.
    Raises AzureError if the subscriptions themselves can't be listed, and RotatorError if there is none.
    """
    subscriptions = sorted(set(wanted) or {each for policy in policies for each in policy.subscriptions}) or await _all(
        world
    )
    listed = [
        each
        for at in range(0, len(subscriptions), AT_ONCE)
        for each in await _together(world, subscriptions[at : at + AT_ONCE])
    ]
    names, nameless = await _tried(world.principals(app_ids(listed)))
    servers = await _servers(world, subscriptions) if registries else {}
    return Listing(cloud, tuple(listed), names or {}, nameless, servers)


async def _all(world: World) -> Sequence[str]:
    found = await world.subscriptions()
    if not found:
        remedy = "Give it a role in a subscription (SECURITY.md lists what it needs), or name one with --subscription."
        raise RotatorError("the identity that rotator signs in as can list no subscription", remedy=remedy)
    return found


async def _together(world: World, subscriptions: Sequence[str]) -> list[Listed]:
    async with asyncio.TaskGroup() as tasks:
        started = {each: tasks.create_task(_tried(world.groups_of(each))) for each in subscriptions}
    done = ((name, *task.result()) for name, task in started.items())
    return [Listed(name, groups or (), error) for name, groups, error in done]


async def _servers(world: World, subscriptions: Sequence[str]) -> dict[str, Registry]:
    """Registries by login server; those that can't be listed are left for a person to name."""
    found = [(await _tried(world.registries_of(each)))[0] or () for each in subscriptions]
    return {registry.login_server: registry for listed in found for registry in listed}


async def _tried(reading: Awaitable[T]) -> tuple[T | None, AzureError | None]:
    """Return the result of a reading, or its error."""
    try:
        return await reading, None
    except AzureError as error:
        return None, error
