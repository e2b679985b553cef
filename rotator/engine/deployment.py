"""Deploy and restore: one PUT of one container group, then a watch until there is evidence.

The group is read last, when all other parts of its PUT are ready. Another run that moves the group and retires the
credential leaves a trace in the group itself, so no other read may come between this read and the PUT: in a pause long
enough for a whole rotation, the PUT would return the group to a removed credential. The age of the password counts,
too: a process that slept since the password was read decides again.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from rotator import container_group
from rotator.codes import NoteCode
from rotator.container_group import Document, Failed, Phase, Verdict
from rotator.engine.marks import record
from rotator.engine.run import FRESH, Changed, Patience, Run, Undecided, ensure_granted
from rotator.errors import (
    AzureError,
    NotFound,
    NotSent,
    OutcomeUnknown,
    ProofFailed,
    RotatorError,
    Throttled,
    UnsafeStep,
)
from rotator.events import GroupAccepted, GroupSettled, Noted
from rotator.plan import View, strip_marks
from rotator.policy import KeyVaultSource, Source
from rotator.remedy import rotator
from rotator.resource_id import ResourceId
from rotator.state import Access, ContainerGroup, Observed, Secret, Version
from rotator.steps import Deploy, Restore

EVERY = 10.0
"""Seconds between two looks at a container group that starts."""
ENOUGH = (Verdict.HEALTHY, Verdict.WORSE, Verdict.PULL_FAILED)
"""Verdicts that end the watch."""
UNTAGGED = 60.0
"""Time in seconds without rotator's tags in any read, after which they count as removed: reads may lag writes."""


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


async def deploy(run: Run, observed: Observed, step: Deploy) -> str:
    """Redeploy the group with the current credential; return the group's condition afterwards.

    Raises if the group is in a worse condition, or its condition is unknown.
    """
    version = View(run.policy, observed, run.intent).current_version
    if version is None or version.key_id != step.key_id.lower():
        raise UnsafeStep(f"credential {step.key_id} isn't the current one any more", remedy="Run again.")
    change = PutTarget(step.group, step.key_id, version.id)
    before = await replace(run, _seen(observed, step.group), change, partial(_fresh, run, observed, step.group))
    verdict, after = await watch(run, before, step.group, step.key_id, version)
    settled(run, before, after, step.key_id, verdict)
    _ensure_well(run, step.group, verdict, step.key_id)
    name = before.id.name
    stopped = container_group.phase(after) is Phase.STOPPED
    return (
        f"{name} has the new credential, and was stopped by others meanwhile"
        if stopped
        else f"{name} runs with the new credential"
    )


async def restore(run: Run, observed: Observed, step: Restore) -> str:
    """Return the group to its previous credential, proven once more; return the group's condition afterwards."""
    value = await run.world.value(run.policy, step.version)
    proof = await run.world.prove(run.policy, value, container_group.images(run.policy, observed))
    if not proof.ok:
        raise ProofFailed(
            f"credential {step.key_id}, the previous one of {step.group}, failed its proof: {proof.outcome}"
            f" {proof.detail}".rstrip(),
            state=f"The group stays on credential {step.failed}, with which a pull failed.",
            remedy="Look at the group's events and at the registry.",
        )
    version = next(v for v in observed.versions if v.id == step.version)
    change = PutTarget(step.group, step.key_id, step.version, (step.failed, step.count))
    before = await replace(run, _seen(observed, step.group), change, partial(_fresh, run, observed, step.group))
    verdict, after = await watch(run, before, step.group, step.key_id, version)
    settled(run, before, after, step.key_id, verdict)
    _ensure_well(run, step.group, verdict, step.key_id)
    raise ProofFailed(
        f"a pull with credential {step.failed} failed in {step.group}",
        state=(
            f"The group is back on credential {step.key_id}; its state is {verdict.value}. No other group was"
            " redeployed after it."
        ),
        remedy=(
            "Look at the group's events. rotator tries the group again after five hours, then after two days, then"
            " after a week; earlier if its credential ends soon. When the cause is fixed,"
            f" `{rotator('rotate', run.policy.name, retry=True)}` tries at once."
        ),
    )


async def _fresh(run: Run, observed: Observed, group_id: ResourceId) -> ContainerGroup:
    """Read the group now. Raises Changed where it isn't what was decided on."""
    now = await run.world.group(group_id)
    if now.document is None:
        gone = NotFound(
            f"container group {group_id} does not exist any more",
            service="aci",
            remedy="Nothing to do: a group that does not exist holds no credential.",
        )
        raise (
            gone
            if now.unreadable is None
            else UnsafeStep(f"{group_id} can't be read: {now.unreadable}", remedy="Run again.")
        )
    seen = _seen(observed, group_id)
    if moved(observed, now):
        raise Changed(f"{group_id} was redeployed by others meanwhile")
    if (
        seen is not None
        and container_group.phase(now) is Phase.STOPPED
        and container_group.phase(seen) is not Phase.STOPPED
    ):
        raise Changed(f"{group_id} was stopped by others meanwhile, and a redeployment would start it")
    return now


def _seen(observed: Observed, group_id: ResourceId) -> ContainerGroup | None:
    return next((g for g in observed.groups if g.id == group_id), None)


def moved(observed: Observed, now: ContainerGroup) -> bool:
    """Tell if a group now shows another credential than at its observation."""
    seen = _seen(observed, now.id)
    return (
        seen is not None
        and seen.document is not None
        and container_group.shows(seen.document).key_id != container_group.shows(now.document).key_id
    )


async def replace(run: Run, seen: ContainerGroup | None, change: PutTarget, now: Read) -> ContainerGroup:
    """Send one PUT with the group's own content and the credential of `change`; return the replaced group.

    Hidden values come from their sources. `seen` is the group as observed: its hidden values are fetched before the
    group is read `now`. Raises Undecided, or NotSent, if the fetch took too long, or the group has other hidden values
    now.
    """
    begun = run.world.moment()
    shown = Document.seen(run.policy, seen or await now())
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
        error.state = "Azure refused the redeployment, so the group is unchanged. Other groups keep their credentials."
        raise
    run.tell(GroupAccepted(group=group_id, key_id=key_id))
    if run.world.moment() > not_after:
        await _ensure_still_good(run, group_id, key_id)


async def _came(run: Run, group_id: ResourceId, key_id: str) -> bool:
    """Tell if a read shows the PUT that got no answer; one that fails shows nothing."""
    await run.clock.sleep(EVERY)
    try:
        now = await run.world.group(group_id)
    except AzureError:
        return False
    return now.document is not None and container_group.shows(now.document).key_id == key_id.lower()


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


async def watch(
    run: Run, before: ContainerGroup, group_id: ResourceId, key_id: str, version: Version
) -> tuple[Verdict, ContainerGroup]:
    """Look until there is evidence newer than the PUT, two reads don't find the group, or `settle` is over.

    `settle` is the policy's. Raises UnsafeStep if our tags are stripped.
    """
    patience = Patience(
        run, f"{group_id.name} is watched until it is healthy or has failed", run.policy.rotation.settle.total_seconds()
    )
    start, settle, absent = run.clock.elapsed(), run.policy.rotation.settle.total_seconds(), False
    while True:
        now = await run.world.group(group_id)
        if now.document is not None and container_group.shows(now.document).key_id != key_id.lower():
            if run.clock.elapsed() - start >= min(UNTAGGED, settle):
                await _stripped(run, group_id, version)
        elif now.document is not None:
            verdict = container_group.verdict(now.document, before.at, at=now.at, before=before.document)
            if verdict in ENOUGH or run.clock.elapsed() - start >= settle:
                return verdict, now
        elif run.clock.elapsed() - start >= settle or (absent and now.unreadable is None):
            return Verdict.UNKNOWN, now
        absent = now.document is None and now.unreadable is None
        await patience.sleep(EVERY)


async def _stripped(run: Run, group_id: ResourceId, version: Version) -> None:
    await record(run, lambda now: strip_marks(now, version.id, group_id))
    raise UnsafeStep(
        f"{group_id} has no tags of rotator after a redeployment that set them",
        state=(
            "The group was redeployed with the current credential, but its tags are gone. rotator does not"
            " redeploy the group again by itself."
        ),
        remedy="Find out what removes tags (an Azure Policy, a pipeline), then run with --retry.",
    )


def settled(run: Run, before: ContainerGroup, after: ContainerGroup, key_id: str, verdict: Verdict) -> None:
    """Tell how a redeployed group fares, and what else is different now."""
    detail = "; ".join(_also(before, after))
    run.tell(GroupSettled(group=before.id, key_id=key_id, verdict=verdict.value, detail=detail))


def _also(before: ContainerGroup, after: ContainerGroup) -> Iterator[str]:
    old, new = container_group.ip_address(before.document), container_group.ip_address(after.document)
    if old and new and old != new:
        yield f"its IP address changed from {old} to {new}"
    pulled = dict(container_group.pulled(before.document))
    for image, digest in container_group.pulled(after.document):
        if pulled.get(image, digest) != digest:
            yield (
                f"{image} has another digest than before: {container_group.brief(digest)}, not"
                f" {container_group.brief(pulled[image])}"
            )


def _ensure_well(run: Run, group_id: ResourceId, verdict: Verdict, key_id: str) -> None:
    if verdict is Verdict.HEALTHY:
        return
    what = {
        Verdict.PULL_FAILED: "can't pull its image",
        Verdict.WORSE: "pulled its image, and its containers run worse than before",
        Verdict.SETTLING: f"has not started within {run.policy.rotation.settle}",
        Verdict.UNKNOWN: "has an unknown state",
    }[verdict]
    raise RedeploymentFailed(
        f"{group_id} {what} since it was redeployed with credential {key_id}",
        state=(
            f"The group has credential {key_id}, and that credential is proven. Groups that were not redeployed yet"
            " keep their credentials."
        ),
        remedy=(
            "Look at the group's events and logs. If a pull failed, the next run puts the group back on its"
            " previous credential."
        ),
    )


class RedeploymentFailed(RotatorError):
    """A container group in a bad condition after its redeployment."""
