"""The watch of a container group after its PUT, until there is evidence that it runs, or that it can't."""

from collections.abc import Iterator

from rotator import container_group
from rotator.container_group import Verdict
from rotator.engine.marks import record
from rotator.engine.run import Patience, Run
from rotator.errors import (
    RotatorError,
    UnsafeStep,
)
from rotator.events import GroupSettled
from rotator.plan import strip_marks
from rotator.resource_id import ResourceId
from rotator.state import ContainerGroup

EVERY = 10.0
"""Seconds between two looks at a container group that starts."""
ENOUGH = (Verdict.HEALTHY, Verdict.WORSE, Verdict.PULL_FAILED)
"""Verdicts that end the watch."""
UNTAGGED = 60.0
"""Seconds since the PUT, or the last read with rotator's tags, after which they count as removed: reads may lag."""


async def watch(
    run: Run, before: ContainerGroup, group_id: ResourceId, key_id: str, version: str
) -> tuple[Verdict, ContainerGroup]:
    """Look until there is evidence newer than the PUT, two reads don't find the group, or `settle` is over.

    `settle` is the policy's. Raises UnsafeStep if our tags are stripped.
    """
    patience = Patience(
        run, f"{group_id.name} is watched until it is healthy or has failed", run.policy.rotation.settle.total_seconds()
    )
    start, settle, absent = run.clock.elapsed(), run.policy.rotation.settle.total_seconds(), False
    tagged = start
    while True:
        now = await run.world.group(group_id)
        passed, gone = run.clock.elapsed() - start, now.document is None and now.unreadable is None
        if now.document is None:
            if passed >= settle or (absent and gone):
                return Verdict.UNKNOWN, now
        elif container_group.shows(now.document).key_id != key_id.lower():
            if start + passed - tagged >= UNTAGGED:
                await _stripped(run, group_id, version)
        else:
            tagged = start + passed
            verdict = container_group.verdict(now.document, before.at, at=now.at, before=before.document)
            if verdict in ENOUGH or passed >= settle:
                return verdict, now
        absent = gone
        await patience.sleep(EVERY)


async def _stripped(run: Run, group_id: ResourceId, version: str) -> None:
    await record(run, lambda now: strip_marks(now, version, group_id))
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


def ensure_well(run: Run, group_id: ResourceId, verdict: Verdict, key_id: str) -> None:
    """Raise RedeploymentFailed where the group isn't healthy after its redeployment."""
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
