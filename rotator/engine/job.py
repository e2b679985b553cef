"""`rotator deploy`: one container group now, from its manifest or its own content, with the current credential."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from rotator import container_group, guard
from rotator.codes import NoteCode, ReasonCode
from rotator.container_group import Document, Phase, Verdict
from rotator.engine.deployment import moved
from rotator.engine.group_put import PutTarget, Read, fetch, put, replace
from rotator.engine.image import NOTHING, ensure_served
from rotator.engine.limits import hold, later, outlast
from rotator.engine.memory import Memory
from rotator.engine.observation import look
from rotator.engine.preparation import NEWER_VERSION, newer_values
from rotator.engine.run import DECISIONS, FRESH, Patience, Run, Undecided, ensure_granted
from rotator.engine.settling import settled, watch
from rotator.errors import AzureError, Forbidden, NotFound, NotSent, Throttled, UnsafeStep
from rotator.events import Noted
from rotator.plan import View
from rotator.policy import KeyVaultSource, Source
from rotator.ports import Redeployment
from rotator.remedy import rotator, stop_group
from rotator.resource_id import ResourceId
from rotator.secret import Secret
from rotator.state import ContainerGroup, Observed, Version
from rotator.steps import NOTHING_KNOWN, Deploy, Known, Reason

EVERY = 15.0
"""Seconds between two looks at a job at work."""
AT_WORK = (Phase.RUNNING, Phase.STARTING, Phase.CRASHING, Phase.UNKNOWN)
"""Phases of a job that has not ended; Azure starts a crashed one again, or it would have finished."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A container group just deployed.

    `exit_code` is the code of its first failing container, 0, or None while the group runs. `unproven` are new images
    that are not pulled with the credential, so that nothing proved them.
    """

    group: ResourceId
    key_id: str
    verdict: Verdict
    exit_code: int | None = None
    unproven: tuple[str, ...] = ()


async def deploy_now(
    run: Run, group_id: ResourceId, *, wait: bool, images: Mapping[str, str] | None = None
) -> Deployed:
    """Deploy the group with the current credential; with `wait`, wait for its start, or for the end of a job.

    With `images`, by the name of the container, the group keeps its content and gets these images. Never interrupts a
    running job. Raises Limited where Azure's limits outlast the run.
    """
    wanted = images or {}
    try:
        before, version = await outlast(run, partial(_sent, run, group_id, wanted))
    except Throttled as error:
        again = rotator("deploy", run.policy.name, group_id.name)
        raise later(run, f"{group_id.name} can be deployed", again, error) from None
    verdict, after = await watch(run, before, group_id, version.key_id or "", version.id)
    settled(run, before, after, version.key_id or "", verdict)
    if wait and after.document is not None and container_group.dependent(run.policy, after).run_once:
        after = await _ended(run, after)
    proven = container_group.provable(Document.seen(run.policy, after), wanted)
    unproven = tuple(sorted({*wanted.values()} - {*proven}))
    return Deployed(group_id, version.key_id or "", verdict, container_group.exit_code(after.document), unproven)


async def _sent(run: Run, group_id: ResourceId, images: Mapping[str, str]) -> tuple[ContainerGroup, Version]:
    """Look, and send one PUT; return the group before the PUT, and the version of its new credential.

    After a PUT held back as too late, look again.
    """
    for _ in range(DECISIONS - 1):
        with suppress(NotSent, Undecided):
            return await _looked_and_sent(run, group_id, images)
    return await _looked_and_sent(run, group_id, images)


async def _looked_and_sent(run: Run, group_id: ResourceId, images: Mapping[str, str]) -> tuple[ContainerGroup, Version]:
    """Hold a permit, look, and send one PUT."""
    await hold(run, redeployment := Redeployment(group_id))
    try:
        return await _within_limits(run, group_id, images)
    finally:
        run.world.waive(redeployment)


async def _within_limits(run: Run, group_id: ResourceId, images: Mapping[str, str]) -> tuple[ContainerGroup, Version]:
    await ensure_granted(run)
    observed = (await look(run, Memory())).observed
    version = _current(run, observed)
    free = partial(_free, run, observed, await _known(run, observed, group_id), group_id, version)
    if images:
        seen = await free()
        await ensure_served(run, seen, version, images)
        change = PutTarget(seen.id, version.key_id or "", version.id, images=tuple(images.items()))
        return await replace(run, seen, change, free), version
    return await _send(run, free, group_id, version), version


async def _known(run: Run, observed: Observed, group_id: ResourceId) -> Known:
    """Ask for values that a newer API version alone shows, which a PUT would lose; a failed question is reported."""
    try:
        return Known(newer=await newer_values(run, observed, [group_id]))
    except AzureError as error:
        run.tell(
            Noted(
                code=NoteCode.UNCHECKED,
                subject=group_id,
                text=f"Azure did not say before the deployment: {NEWER_VERSION} ({error.happened})",
            )
        )
        return NOTHING_KNOWN


async def _free(run: Run, observed: Observed, known: Known, group_id: ResourceId, version: Version) -> ContainerGroup:
    """Read the group now. Raises if the group may not be deployed."""
    before = await run.world.group(group_id)
    seen = next((each for each in observed.groups if each.id == group_id), None)
    _ensure_absent(seen, before)
    _ensure_free(run, before)
    _ensure_ours(run, observed, known, before, version)
    if seen and moved(seen, before):
        raise Undecided(f"{before.id} was redeployed by others meanwhile", state="Nothing was deployed.")
    declared = run.policy.group(before.id)
    if before.document is None and (declared is None or declared.manifest is None):
        raise UnsafeStep(
            f"container group {before.id} does not exist, and the policy has no manifest for it",
            state=NOTHING,
            remedy=f"Write a manifest for it into {run.policy.file} (`manifest: FILE`), or create it, and run again.",
        )
    return before


def _ensure_absent(seen: ContainerGroup | None, before: ContainerGroup) -> None:
    """Stop if one read doesn't find the group, and the look just before had not confirmed its absence.

    Raises UnsafeStep.
    """
    if before.document is not None or before.unreadable:
        return
    if seen and (seen.document is not None or seen.unreadable):
        why = seen.unreadable or "the read just before showed it"
        raise UnsafeStep(
            f"Azure answers 404 for {before.id}, but its absence is not confirmed: {why}", remedy="Run again."
        )


async def _ended(run: Run, seen: ContainerGroup) -> ContainerGroup:
    """Wait for the end of the group's job; return the group then.

    Raises NotFound or UnsafeStep if the end can't be seen, since an unseen end is no success.
    """
    patience = Patience(run, f"{seen.id.rsplit('/', 1)[-1]} is running; rotator waits for its end")
    while container_group.dependent(run.policy, seen).phase in AT_WORK:
        await patience.sleep(EVERY)
        seen = await run.world.group(seen.id)
    if seen.document is None:
        raise NotFound(
            f"container group {seen.id} {'can not be read' if seen.unreadable else 'was deleted'} before the end of its"
            " job was seen",
            service="aci",
            state="The job was deployed with the current credential, and its result is unknown.",
            remedy="Find out who deletes the group before its job has ended, then deploy the group again.",
        )
    return seen


def _ensure_ours(run: Run, observed: Observed, known: Known, before: ContainerGroup, version: Version) -> None:
    """Apply the guard's vetoes that hold for a redeployment at any time.

    Examples: rotator's own identity, or the live credential of another policy in the group.
    """
    asked = Deploy(before.id, version.key_id or "", Reason(ReasonCode.FORCED, "a deployment was asked for"))
    if veto := guard.check_asked(asked, run.policy, observed.reread(group=before), known):
        raise veto.error()


def _current(run: Run, observed: Observed) -> Version:
    view = View(run.policy, observed, run.intent)
    version, current = view.current_version, view.current
    if version is None or (current and not current.live(view.at)):
        raise UnsafeStep(
            f"{run.policy.name} has no live credential made by rotator",
            remedy=f"Run `{rotator('rotate', run.policy.name)}` first, to publish a credential.",
        )
    if current is None:
        raise UnsafeStep(
            f"Microsoft Graph does not show the current credential {view.current_key} (version {version.id})",
            remedy=(
                "Run again: Graph's reads may lag. If the credential is gone,"
                f" `{rotator('rotate', run.policy.name)}` publishes a new one."
            ),
        )
    return version


def _ensure_free(run: Run, before: ContainerGroup) -> None:
    if before.unreadable:
        raise UnsafeStep(
            f"{before.id.name} can't be read: {before.unreadable}", remedy="Give rotator permission to read it."
        )
    seen = container_group.dependent(run.policy, before)
    if seen.run_once and seen.phase in (Phase.RUNNING, Phase.STARTING):
        raise UnsafeStep(
            f"{before.id.name} is a running job, and rotator never interrupts a job",
            state=NOTHING,
            remedy=(
                f"Deploy the group when its job has finished, or end the job: `{stop_group(before.id)}`. If the"
                f" group is a service, write `runs: service` under it in {run.policy.file}."
            ),
        )


async def _fetched(run: Run, sources: Iterable[KeyVaultSource]) -> dict[Source, Secret]:
    """Return the values of a manifest's sources. Raises UnsafeStep for one that isn't there or can't be read."""
    try:
        return await fetch(run, sources)
    except (NotFound, Forbidden) as error:
        raise UnsafeStep(error.happened, state=NOTHING, remedy=error.remedy) from error


async def _send(run: Run, free: Read, group_id: ResourceId, version: Version) -> ContainerGroup:
    """Send one PUT; return the group as before the PUT. The group is read last, as explained in `engine.group_put`."""
    written, key_id = container_group.manifest_of(run.policy, run.policy.group(group_id)), version.key_id or ""
    begun = run.world.moment()
    seen = await free()
    if written is None:
        return await replace(run, seen, PutTarget(seen.id, key_id, version.id), free)
    values = await _fetched(run, container_group.manifest_sources(written))
    password = await run.world.value(run.policy, version.id)
    await ensure_granted(run)
    before = await free()
    body = container_group.from_manifest(
        written,
        values=values,
        password=password,
        key_id=key_id,
        since=before.at,
        document=before.document,
    )
    await put(run, before.id, key_id, body, not_after=begun + FRESH, existed=before.document is not None)
    return before
