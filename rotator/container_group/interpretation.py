"""Container groups with the policy's principal, interpreted: the planner's complete knowledge of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from rotator.arm_json import Value, belongs, containers, entries, get, hints, pulls_as, registry_of, server, text
from rotator.container_group.deployment_outcome import public_port
from rotator.container_group.document import Document, once
from rotator.container_group.embedded_password import follows, pinned, signing_in, unsaid
from rotator.container_group.evidence import Phase, Verdict, begun, phase, run_once, up, verdict
from rotator.container_group.explain import notes
from rotator.container_group.linked_resources import links
from rotator.container_group.manifest import manifest_of, manifest_sources
from rotator.container_group.missing_values import sources, unsourced
from rotator.container_group.plain_sight import ShownPassword, shown_passwords
from rotator.container_group.policy_lines import lines_to_add
from rotator.container_group.refusal import refused
from rotator.container_group.tags import Failed, shows
from rotator.container_group.value_sources import USERNAME
from rotator.policy import GroupPolicy, Policy, WhenEnded
from rotator.policy.manifest import placeholders, source
from rotator.resource_id import ResourceId
from rotator.state import ContainerGroup, Observed, hints_of

LONG = timedelta(days=14)
"""Time of running after which a group that counts as a job looks like a service."""
KEPT = 64
"""Number of cached interpretations: a rotation asks about forty times for the interpretation of each observed group."""


class Choice(StrEnum):
    """Decision of a policy about a group: deploy it, or leave it."""

    DEPLOY = "deploy"
    WAIT = "wait"
    """A person or script deploys it."""
    IGNORE = "ignore"
    UNDECIDED = "undecided"
    """The policy has to say."""


@dataclass(frozen=True, slots=True)
class Dependent:
    """One container group with the principal, or declared by the policy.

    `key_id`, `since`, `previous` and `failed` come from the group's tags. `images` are the images served by the
    registries for this user name. `unsourced` are hidden values without a source, `refused` the reason against any
    redeployment; both are reported before the first write. `sources` are the secrets of the vault with values needed by
    a redeployment or a deployment of the manifest; `signing_in` are variables that seem to hold the password, `unsaid`
    variables that may hold the password while the policy has no source for them, `shown` passwords in plain sight.
    `links` are resources beside the group touched by a redeployment: action and resource. `guessed`: only such a
    variable suggests use of the principal, or the group can't be read. `needs_rotation` is False for a group without
    the password; `follows`: Azure reads the published secret for the group. `up` is the time for which all containers
    have been running, `begun` an instant not before the last deployment, `port` a public port.
    `notes` are for people.
    """

    id: ResourceId
    name: str
    declared: bool
    group: GroupPolicy | None
    at: datetime
    phase: Phase
    run_once: bool = False
    key_id: str | None = None
    since: datetime | None = None
    previous: str | None = None
    failed: Failed | None = None
    images: tuple[str, ...] = ()
    unsourced: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    signing_in: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    shown: tuple[ShownPassword, ...] = ()
    guessed: bool = False
    links: tuple[tuple[str, ResourceId], ...] = ()
    refused: str | None = None
    needs_rotation: bool = True
    follows: bool = False
    verdict: Verdict = Verdict.UNKNOWN
    up: timedelta = timedelta()
    begun: datetime | None = None
    port: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def choice(self) -> Choice:
        """Return the policy's choice for a group that doesn't run.

        A job with a manifest waits for the next `rotator deploy`.
        """
        if self.phase is Phase.STOPPED:
            return _meant(self.group.when_stopped if self.group else WhenEnded.WAIT)
        if self.phase is Phase.FINISHED:
            return self._when_finished()
        at_work = self.run_once and self.phase in (Phase.RUNNING, Phase.STARTING, Phase.CRASHING)
        return Choice.WAIT if at_work else Choice.DEPLOY

    def _when_finished(self) -> Choice:
        """Return the choice for an ended group: a service is started again, unless the policy says otherwise."""
        if self.group and self.group.when_finished:
            return _meant(self.group.when_finished)
        if not self.run_once:
            return Choice.DEPLOY
        return _meant(WhenEnded.WAIT if self.group and self.group.manifest else None)

    @property
    def like_a_service(self) -> tuple[str, ...]:
        """Return the evidence that a group which counts as a job is a service, unless the policy says which it is."""
        if not self.run_once or (self.group and self.group.runs):
            return ()
        port = (f"it has the public port {self.port}",) if self.port else ()
        long = self.phase is Phase.RUNNING and self.up >= LONG
        return (*port, *((f"it has been running for {self.up.days} days",) if long else ()))

    def shows(self, hint: str | None) -> tuple[str, ...]:
        """Return the places where the group shows a password with this hint in plain sight."""
        return tuple(each.place for each in self.shown if each.hint == hint)

    @property
    def lines_to_add(self) -> str:
        """Return the lines to paste into the policy for values without a source; empty if all have a source."""
        if not self.unsourced:
            return ""
        within = bool(self.group and self.group.secrets)
        return lines_to_add(self.id, self.unsourced, entry=not self.declared, within=within, password=self.signing_in)


def _meant(wanted: WhenEnded | None) -> Choice:
    meanings = {WhenEnded.WAIT: Choice.WAIT, WhenEnded.REDEPLOY: Choice.DEPLOY, WhenEnded.IGNORE: Choice.IGNORE}
    return meanings[wanted] if wanted else Choice.UNDECIDED


def dependents(policy: Policy, observed: Observed) -> tuple[Dependent, ...]:
    """Return declared groups in the policy's order, then undeclared users of the principal, by id.

    An undeclared group counts if the group pulls with this user name, may sign in with the principal, shows a password
    in plain sight that begins like one of the principal's, or can't be read.
    A declared group without an observation is left out: even absence isn't known.
    """
    seen = {group.id: group for group in observed.groups}
    declared = [seen.pop(group.id) for group in policy.container_groups if group.id in seen]
    hinted = hints_of(observed.credentials)
    others = [seen[group_id] for group_id in sorted(seen) if _uses(seen[group_id], policy, hinted)]
    return tuple(dependent(policy, group) for group in (*declared, *others))


def concerned(policy: Policy, group: ContainerGroup) -> Dependent | None:
    """Interpret one container group, if the policy declares it or it counts as a user of the principal.

    The interpretation is not kept: of a long list, each group is asked about once.
    """
    if policy.group(group.id) is None and not _uses(group, policy, frozenset()):
        return None
    return _interpreted.__wrapped__(_Look(policy, group))


def _uses(group: ContainerGroup, policy: Policy, hinted: frozenset[str]) -> bool:
    document = group.document
    if document is None:
        return group.unreadable is not None
    if pulls_as(document, policy.principal.app_id) or bool(unsaid(Document(document, policy, None))):
        return True
    return bool(hinted) and not hinted.isdisjoint(hints(document))


def _reads(document: Document) -> bool:
    """Tell if the group refers to the published secret."""
    return bool(pinned(document)) or follows(document)


class _Look:
    """Group as one look showed it, under one policy; both never change, so identity is enough to compare them."""

    __slots__ = ("_known", "group", "policy")

    def __init__(self, policy: Policy, group: ContainerGroup) -> None:
        self.policy, self.group = policy, group
        self._known = (id(policy), id(group.document), group.id, group.at, group.unreadable)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Look) and self._known == other._known

    def __hash__(self) -> int:
        return hash(self._known)


def dependent(policy: Policy, group: ContainerGroup) -> Dependent:
    """Interpret one container group."""
    return _interpreted(_Look(policy, group))


@lru_cache(maxsize=KEPT)
def _interpreted(look: _Look) -> Dependent:
    policy, group = look.policy, look.group
    declared = policy.group(group.id)
    said, written = declared.runs if declared else None, manifest_of(policy, declared)
    content = group.document if group.document is not None or written is None else written.body
    common = Dependent(
        id=group.id,
        name=group.id.name,
        declared=declared is not None,
        group=declared,
        at=group.at,
        phase=phase(group, said),
        run_once=run_once(content, said),
        images=used_images(content, policy.principal.app_id),
    )
    if written:
        named = tuple(one.key_vault for one in manifest_sources(written))
        common = replace(common, unsourced=unsourced(written), sources=named, links=links(written.body))
    if group.document is None:
        return replace(common, refused=group.unreadable, guessed=declared is None)
    return _read(common, group, Document(group.document, policy, declared))


def _read(common: Dependent, group: ContainerGroup, document: Document) -> Dependent:
    """Add the findings in the content of a readable group."""
    shown, needs = shows(document.body), needs_rotation(document)
    lost = unsourced(document) if needs else ()
    wanted = (one.key_vault for one in sources(document)) if needs else ()
    return replace(
        common,
        key_id=shown.key_id,
        since=shown.since,
        previous=shown.previous,
        failed=shown.failed,
        unsourced=tuple(sorted({*common.unsourced, *lost})),
        sources=tuple(sorted({*common.sources, *wanted})),
        signing_in=signing_in(document),
        unsaid=unsaid(document),
        shown=shown_passwords(document),
        guessed=document.declared is None and not (_reads(document) or pulls_as(document.body, document.app_id)),
        links=links(document.body),
        refused=group.unreadable or refused(document),
        needs_rotation=needs,
        follows=follows(document),
        verdict=verdict(document.body, shown.since, at=group.at),
        up=up(document.body, group.at),
        begun=begun(document.body),
        port=public_port(document.body),
        notes=tuple(notes(document)),
    )


def _manifest(group: GroupPolicy | None) -> Mapping[str, Any] | None:
    return group.manifest.document if group and group.manifest else None


def images(policy: Policy, observed: Observed) -> tuple[str, ...]:
    """Return the distinct images for a proof to pull, sorted.

    The images are those of all dependents, and of the manifests to be deployed again.
    """
    found = {image for one in dependents(policy, observed) for image in one.images}
    manifests = (_manifest(group) for group in policy.container_groups)
    return tuple(
        sorted(found | {image for document in manifests for image in used_images(document, policy.principal.app_id)})
    )


def used_images(document: Mapping[str, Any] | None, app_id: str) -> tuple[str, ...]:
    """Return the images of a group, or of its manifest, sorted.

    Only images count whose registry has an entry with this user name and a password.
    """
    servers = {
        server(entry)
        for entry in entries(document)
        if (belongs(entry, app_id) or _placeholder(entry)) and not get(entry, "identity")
    }
    named = {text(container, "properties", "image") for _, container in containers(document)}
    return tuple(sorted(image for image in named if registry_of(image) in servers))


def _placeholder(entry: Value) -> bool:
    """Tell if a manifest's entry has the principal's user name as a placeholder."""
    return USERNAME in {source(inner) for inner in placeholders(text(entry, "username"))}


@once
def needs_rotation(document: Document) -> bool:
    """Tell if the group holds a password of the principal: in an entry, or in a place named by the policy.

    A place named by the policy counts even if absent from the group.
    """
    known = document.recipes
    seems = document.declared is None and bool(signing_in(document))
    held = any(known.password(place) for place in document.places)
    return bool(known.given(document.declared)) or seems or _reads(document) or held
