"""The container groups that use a policy's principal, interpreted: all that the planner knows of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

from rotator.arm_json import Value, belongs, containers, entries, get, pulls_as, registry_of, server, text
from rotator.container_group.embedded_password import follows, pinned, signing_in, unsaid
from rotator.container_group.evidence import Phase, Verdict, phase, run_once, up, verdict
from rotator.container_group.explain import notes
from rotator.container_group.hidden_values import places
from rotator.container_group.linked_resources import links
from rotator.container_group.manifest import manifest_sources, manifest_unsourced
from rotator.container_group.missing_values import sources, unsourced
from rotator.container_group.policy_lines import lines_to_add
from rotator.container_group.refusal import refused
from rotator.container_group.tags import Failed, shows
from rotator.container_group.value_sources import USERNAME, Recipes
from rotator.policy import GroupPolicy, Policy
from rotator.policy.manifest import placeholders, source
from rotator.resource_id import ResourceId
from rotator.state import ContainerGroup, Observed

Choice = Literal["deploy", "wait", "ignore", "undecided"]
KEPT = 64
"""Groups whose interpretation is kept: a rotation asks some forty times for that of each group that it looked at."""


@dataclass(frozen=True, slots=True)
class Dependent:
    """One container group that uses the principal, or that the policy says does.

    `key_id`, `since`, `previous` and `failed` are what its tags say. `images` are those that the registries serve it
    for this user name. `unsourced` are hidden values that nobody can put back, `refused` why it may never be
    redeployed, both to be told before anything is written anywhere. `sources` are the secrets of the vault whose values
    a redeployment or a deployment of its manifest needs; `signing_in` are variables that seem to hold the password,
    `unsaid` those that may while the policy doesn't say whose they are. `links` are what a redeployment touches beside
    the group: action and resource. `guessed`: nothing but such a variable makes one think that it does, or nothing of
    it can be read. `needs_rotation` is False where it takes no password; `follows`: Azure reads the published secret
    for it. `up` is for how long all its containers have been running. `notes` are for people.
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
    guessed: bool = False
    links: tuple[tuple[str, ResourceId], ...] = ()
    writable: bool = True
    refused: str | None = None
    needs_rotation: bool = True
    follows: bool = False
    verdict: Verdict = Verdict.UNKNOWN
    up: timedelta = timedelta()
    notes: tuple[str, ...] = ()

    @property
    def choice(self) -> Choice:
        """What the policy wants of a group that doesn't run; a job with a manifest waits for its next `rotator deploy`."""
        if self.phase is Phase.STOPPED:
            return _meant(self.group.when_stopped if self.group else "wait")
        if self.run_once and self.phase is Phase.FINISHED:
            wanted = self.group.when_finished if self.group else None
            return _meant(wanted or ("wait" if self.group and self.group.manifest else None))
        return "wait" if self.run_once and self.phase in (Phase.RUNNING, Phase.STARTING, Phase.CRASHING) else "deploy"

    @property
    def lines_to_add(self) -> str:
        """What to paste into the policy for the values that have no source; empty where all have one."""
        if not self.unsourced:
            return ""
        within = bool(self.group and self.group.secrets)
        return lines_to_add(self.id, self.unsourced, entry=not self.declared, within=within, password=self.signing_in)


def _meant(wanted: str | None) -> Choice:
    meanings: dict[str | None, Choice] = {"wait": "wait", "redeploy": "deploy", "ignore": "ignore"}
    return meanings.get(wanted, "undecided")


def dependents(policy: Policy, observed: Observed) -> tuple[Dependent, ...]:
    """Every declared group, in the policy's order, then the undeclared ones that pull with this user name or may sign in with it, by id.

    So does one of which nothing can be read.

    A declared group that was not looked at is left out: nothing is known of it, not even that it is absent.
    """
    seen = {group.id: group for group in observed.groups}
    declared = [seen.pop(group.id) for group in policy.container_groups if group.id in seen]
    others = [seen[group_id] for group_id in sorted(seen) if _uses(seen[group_id], policy)]
    return tuple(dependent(policy, group) for group in (*declared, *others))


def _uses(group: ContainerGroup, policy: Policy) -> bool:
    document = group.document
    if document is None:
        return group.unreadable is not None
    return pulls_as(document, policy.principal.app_id) or bool(unsaid(document, policy, None))


def _pulls(document: Mapping[str, Any], policy: Policy) -> bool:
    """Whether the group shows that it takes the principal's password: in an entry, or by a reference to the published secret."""
    read = bool(pinned(document, policy)) or follows(document, policy)
    return read or pulls_as(document, policy.principal.app_id)


class _Look:
    """A group as one look showed it, under one policy; neither ever changes, so that both are known by their identity."""

    __slots__ = ("_known", "group", "policy")

    def __init__(self, policy: Policy, group: ContainerGroup) -> None:
        self.policy, self.group = policy, group
        self._known = (id(policy), id(group.document), group.id, group.at, group.unreadable, group.writable)

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
    declared, document, shown = policy.group(group.id), group.document, shows(group.document)
    common = Dependent(
        id=group.id,
        name=group.id.name,
        declared=declared is not None,
        group=declared,
        at=group.at,
        phase=phase(group),
        run_once=run_once(document if document is not None else _manifest(declared)),
        images=used_images(document if document is not None else _manifest(declared), policy.principal.app_id),
        writable=group.writable,
    )
    lacking, sourced = _of_manifest(policy, declared)
    if document is None:
        hidden, named = tuple(sorted(lacking)), tuple(sorted(sourced))
        return replace(common, refused=group.unreadable, unsourced=hidden, sources=named, guessed=declared is None)
    needs = needs_rotation(document, policy, declared)
    lost = {*lacking, *unsourced(document, policy, declared)} if needs else lacking
    wanted = {*sourced, *(one.key_vault for one in sources(policy, document, declared))} if needs else sourced
    return replace(
        common,
        key_id=shown.key_id,
        since=shown.since,
        previous=shown.previous,
        failed=shown.failed,
        unsourced=tuple(sorted(lost)),
        sources=tuple(sorted(wanted)),
        signing_in=signing_in(document, policy.principal.app_id),
        unsaid=unsaid(document, policy, declared),
        guessed=declared is None and not _pulls(document, policy),
        links=links(document),
        refused=group.unreadable or refused(document, policy, declared),
        needs_rotation=needs,
        follows=follows(document, policy),
        verdict=verdict(document, shown.since, at=group.at),
        up=up(document, group.at),
        notes=tuple(notes(document, policy, declared)),
    )


def _of_manifest(policy: Policy, group: GroupPolicy | None) -> tuple[set[str], set[str]]:
    """What the group's manifest lacks a source for, and the secrets that it names."""
    if group is None or group.manifest is None:
        return set(), set()
    named = manifest_sources(group.manifest, policy, group)
    return set(manifest_unsourced(group.manifest, policy, group)), {one.key_vault for one in named}


def _manifest(group: GroupPolicy | None) -> Mapping[str, Any] | None:
    return group.manifest.document if group and group.manifest else None


def images(policy: Policy, observed: Observed) -> tuple[str, ...]:
    """The distinct images that a proof has to pull, sorted: of every dependent, and of the manifests that will be deployed again."""
    found = {image for one in dependents(policy, observed) for image in one.images}
    manifests = (_manifest(group) for group in policy.container_groups)
    return tuple(
        sorted(found | {image for document in manifests for image in used_images(document, policy.principal.app_id)})
    )


def used_images(document: Mapping[str, Any] | None, app_id: str) -> tuple[str, ...]:
    """The images of a group, or of its manifest, whose registry has an entry with this user name and a password; sorted."""
    servers = {
        server(entry)
        for entry in entries(document)
        if (belongs(entry, app_id) or _placeholder(entry)) and not get(entry, "identity")
    }
    named = {text(container, "properties", "image") for _, container in containers(document)}
    return tuple(sorted(image for image in named if registry_of(image) in servers))


def _placeholder(entry: Value) -> bool:
    """Whether a manifest's entry has the principal's user name in the form of a placeholder."""
    return USERNAME in {source(inner) for inner in placeholders(text(entry, "username"))}


def needs_rotation(document: Mapping[str, Any], policy: Policy, group: GroupPolicy | None) -> bool:
    """Whether the group holds a password of the principal: in an entry, or in a place that the policy gives it to, be it there or not."""
    known = Recipes.of(policy, group)
    seems = group is None and bool(signing_in(document, policy.principal.app_id))
    read = bool(pinned(document, policy)) or follows(document, policy)
    return bool(known.given(group)) or seems or read or any(known.password(place) for place in places(document))
