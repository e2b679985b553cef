"""Read many principals from Microsoft Graph: the objects of fifteen app ids in one list, twenty such lists in a batch.

The limits, and that lists show passwords: azure-facts C11.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rotator.clients.directory import PasswordHolder, Shown, application_of, principal_of, service_principal_of
from rotator.clients.graph import MOST_IN_ONE_FILTER, Graph
from rotator.clients.graph import unknown as no_such_principal
from rotator.clients.graph_requests import COLLECTION, READ, SERVICE
from rotator.clients.pipeline import together
from rotator.clients.refusal import Asked
from rotator.clients.translation import ask
from rotator.clients.typed import items
from rotator.errors import AzureError
from rotator.state import Credential, Home, Principal

MOST_IN_ONE_BATCH = 20
AT_ONCE = 4
"""Batches under way at a time."""
READING: Mapping[Home, Callable[[Shown], PasswordHolder]] = {
    Home.APPLICATION: application_of,
    Home.SERVICE_PRINCIPAL: service_principal_of,
}
ASKED = Asked(SERVICE, "list applications and service principals by their app ids", READ)


@dataclass(frozen=True, slots=True)
class _Part:
    """One list of a batch: the objects of one kind with these app ids."""

    home: Home
    app_ids: tuple[str, ...]

    def path(self, select: str) -> str:
        """Return the list's address, without the version."""
        wanted = ",".join(f"'{each}'" for each in self.app_ids)
        path = f"{COLLECTION[self.home]}?$filter=appId in ({wanted})&$select={select}"
        return path.replace(" ", "%20")

    def read(self, page: Shown) -> dict[str, PasswordHolder]:
        """Return the listed objects by app id. Raises ValueError for a list that goes on: fifteen fit on a page."""
        if page.get("@odata.nextLink"):
            raise ValueError("more pages than fifteen app ids have")
        holders = [READING[self.home](shown) for shown in items(page)]
        return {holder.named.app_id.lower(): holder for holder in holders}


@dataclass(slots=True)
class _Gathered:
    """Objects found so far, by app id, and the app ids whose lists failed."""

    holders: dict[Home, dict[str, PasswordHolder]] = field(default_factory=lambda: {home: {} for home in Home})
    failed: dict[str, AzureError] = field(default_factory=dict)


async def by_app_id(
    graph: Graph, app_ids: Sequence[str], tenant: str, *, foreign: bool
) -> dict[str, tuple[Principal, tuple[Credential, ...]] | AzureError]:
    """Return the principal of each app id with the credentials of both of its objects, or the error in its place.

    The keys are app ids in lower case; `foreign`: the tenant isn't rotator's own.
    """
    wanted = sorted({each.lower() for each in app_ids})
    chunks = [tuple(wanted[at : at + MOST_IN_ONE_FILTER]) for at in range(0, len(wanted), MOST_IN_ONE_FILTER)]
    parts = [_Part(home, chunk) for chunk in chunks for home in Home]
    batches = [parts[at : at + MOST_IN_ONE_BATCH] for at in range(0, len(parts), MOST_IN_ONE_BATCH)]
    found, turns = _Gathered(), asyncio.Semaphore(AT_ONCE)
    await together(*(_gather(graph, batch, tenant if foreign else None, found, turns) for batch in batches))
    return {each: _principal(each, tenant, found) for each in wanted}


async def _gather(
    graph: Graph, batch: Sequence[_Part], tenant: str | None, found: _Gathered, turns: asyncio.Semaphore
) -> None:
    async with turns:
        answers = await _answers(graph, batch, tenant)
        if any(isinstance(each, AzureError) and graph.unlearned(each) for each in answers):
            answers = await _answers(graph, batch, tenant)
    for part, answer in zip(batch, answers, strict=True):
        try:
            if isinstance(answer, AzureError):
                raise answer
            found.holders[part.home] |= await ask(ASKED, _read(part, answer))
        except AzureError as error:
            found.failed |= dict.fromkeys(part.app_ids, error)


async def _answers(graph: Graph, batch: Sequence[_Part], tenant: str | None) -> list[Shown | AzureError]:
    """Return the answer to each list, or the error in its place."""
    try:
        return await graph.batch(ASKED, [part.path(graph.selected(part.home)) for part in batch], tenant)
    except AzureError as error:
        return [error] * len(batch)


async def _read(part: _Part, page: Shown) -> dict[str, PasswordHolder]:
    return part.read(page)


def _principal(app_id: str, tenant: str, found: _Gathered) -> tuple[Principal, tuple[Credential, ...]] | AzureError:
    if app_id in found.failed:
        return found.failed[app_id]
    application, principal = (found.holders[home].get(app_id) for home in (Home.APPLICATION, Home.SERVICE_PRINCIPAL))
    if application is None and principal is None:
        return no_such_principal(app_id, tenant)
    return principal_of(app_id, application, principal)
