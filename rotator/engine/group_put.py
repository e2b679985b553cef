"""The PUT of one container group: the group's own content with another credential, sent once.

The group is read last, when all other parts of its PUT are ready. Another run that moves the group and retires the
credential leaves a trace in the group itself, so no other read may come between this read and the PUT: in a pause long
enough for a whole rotation, the PUT would return the group to a removed credential. The age of the password counts,
too: a process that slept since the password was read decides again.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rotator import container_group
from rotator.codes import NoteCode
from rotator.container_group import Document, Failed
from rotator.engine.run import FRESH, Run, Undecided, ensure_granted
from rotator.errors import (
    AzureError,
    NotSent,
    OutcomeUnknown,
    RotatorError,
    Throttled,
)
from rotator.events import GroupAccepted, Noted
from rotator.policy import KeyVaultSource, Source
from rotator.remedy import rotator
from rotator.resource_id import ResourceId
from rotator.state import Access, ContainerGroup, Secret

GET_AFTER = 10.0
"""Seconds between a PUT without an answer and the GET that decides if it came."""


@dataclass(frozen=True, slots=True)
class PutTarget:
    """Target of a PUT: the container group, the credential's key id and its version."""

    group: ResourceId
    key_id: str
    version: str
    failed: tuple[str, int] | None = None
    """The credential that a pull failed with, and how often."""
    images: tuple[tuple[str, str], ...] = ()
    """New images by the name of the container, where a person asked for them."""


Read = Callable[[], Awaitable[ContainerGroup]]
"""Reads the group as it is now. Raises where it may not be redeployed."""


async def replace(run: Run, seen: ContainerGroup, change: PutTarget, now: Read) -> ContainerGroup:
    """Send one PUT with the group's own content and the credential of `change`; return the replaced group.

    Hidden values come from their sources. `seen` is the group as observed: its hidden values are fetched before the
    group is read `now`. Raises Undecided, or NotSent, if the fetch took too long, or the group has other hidden values
    now.
    """
    begun = run.world.moment()
    shown = Document.seen(run.policy, seen)
    values = await fetch(run, container_group.sources(shown))
    password = await run.world.value(run.policy, change.version)
    await ensure_granted(run)
    before = await now()
    document = container_group.with_images(Document.seen(run.policy, before), dict(change.images))
    if not set(container_group.sources(document)) <= set(values):
        raise Undecided(f"the secrets that {change.group} needs have changed since the last read")
    failed = Failed(*change.failed, before.at) if change.failed else None
    body = container_group.edit(
        document,
        values=values,
        password=password,
        key_id=change.key_id,
        since=before.at,
        failed=failed,
    )
    await put(run, change.group, change.key_id, body, not_after=begun + FRESH)
    return before


async def fetch(run: Run, sources: Iterable[KeyVaultSource]) -> dict[Source, Secret]:
    """The values of hidden values' sources. Raises AzureError naming the secret, never its value."""
    return {source: await run.world.secret(run.policy, source.key_vault) for source in sources}


async def put(
    run: Run, group_id: ResourceId, key_id: str, body: Mapping[str, Any], *, not_after: float, existed: bool = True
) -> None:
    """Send the PUT once; after a PUT without an answer, a GET decides.

    `existed`: the group was there when it was read.
    """
    try:
        accepted = await run.world.put_group(group_id, body, not_after=not_after)
        if accepted.created and existed:
            text = "the group was deleted after it had been read, and the redeployment created it again"
            run.tell(Noted(code=NoteCode.RECREATED, subject=group_id, text=text, warn=True))
    except OutcomeUnknown:
        if not await _came(run, group_id, key_id):
            raise
    except (NotSent, Throttled):
        raise
    except AzureError as error:
        left = "is unchanged" if existed else "was not created"
        error.state = f"Azure refused the deployment, so the group {left}. Other groups keep their credentials."
        raise
    run.tell(GroupAccepted(group=group_id, key_id=key_id))
    if run.world.moment() > not_after:
        await _ensure_still_good(run, group_id, key_id)


async def _came(run: Run, group_id: ResourceId, key_id: str) -> bool:
    """Tell if a read shows the effect of the PUT that got no answer; a failed read shows nothing."""
    await run.clock.sleep(GET_AFTER)
    try:
        now = await run.world.group(group_id)
    except AzureError:
        return False
    return container_group.shows(now.document).key_id == key_id.lower()


async def _ensure_still_good(run: Run, group_id: ResourceId, key_id: str) -> None:
    """Check credential and access once more after a PUT that took longer than its reads are fresh.

    The credential may be gone meanwhile, or the access revoked.
    """
    try:
        revoked = (await run.world.access(run.policy)).access is Access.REVOKED
        if not revoked and any(c.key_id == key_id.lower() for c in await run.world.credentials(run.policy)):
            return
    except AzureError as error:
        error.state = f"The group was redeployed with credential {key_id}; the reads after that failed."
        raise
    raise RotatorError(
        f"{group_id} was redeployed with credential {key_id} by a request that was suspended for more than"
        f" {FRESH:.0f} s",
        state=(
            f"Meanwhile {'access was revoked' if revoked else 'that credential was removed, and the next pull fails'}."
        ),
        remedy=(
            f"`{rotator('grant', run.policy.name)}` restores access."
            if revoked
            else "Run again now: the next run redeploys the group."
        ),
    )
