"""Find the objects a policy lacks before its first rotation.

Those are the application and its owner, roles, the first credential, the user name, and groups from manifests.

Level-triggered like the rotation: each function looks at existing objects and asks for missing ones, in the order of
their dependencies. Existing objects are never changed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rotator.codes import NoteCode, ReasonCode
from rotator.errors import UnsafeStep
from rotator.policy import Draft, Policy
from rotator.resource_id import ResourceId
from rotator.state import ContainerGroup, Home, Identity
from rotator.steps import TO_COME, Create, Deploy, Issue, Note, Own, Publish, Reason, Save, Step


@dataclass(frozen=True, slots=True)
class Missing:
    """The remaining steps, in order, and notes for people."""

    steps: tuple[Step, ...] = ()
    notes: tuple[Note, ...] = ()


def chosen(wanted: Policy | Draft, found: Sequence[Identity]) -> Identity | None:
    """Return the identity meant by a policy; None if none exists yet.

    Raises UnsafeStep if the name fits more than one.
    """
    if len(found) > 1:
        named = ", ".join(
            sorted(f"{each.app_id} (object {each.application or each.service_principal})" for each in found)
        )
        raise UnsafeStep(
            f"{len(found)} applications are called {found[0].display_name}: {named}",
            remedy=(
                f"Write the right one's `app_id` below `principal` in {wanted.file}, or choose another display_name."
            ),
        )
    return found[0] if found else None


def identity_steps(wanted: Policy | Draft, identity: Identity | None) -> tuple[Create | Save | Own, ...]:
    """Return the steps to create the application and its service principal, save the app id, and own both objects."""
    return tuple(_identity(wanted, identity))


def _identity(wanted: Policy | Draft, identity: Identity | None) -> Iterator[Create | Save | Own]:
    app_id = identity.app_id if identity else TO_COME
    if identity is None and isinstance(wanted, Draft):
        yield Create(
            Home.APPLICATION,
            wanted.display_name,
            Reason(ReasonCode.NO_APPLICATION, f"no application is called {wanted.display_name}"),
        )
    if isinstance(wanted, Draft):
        yield Save(
            app_id,
            wanted.file,
            Reason(ReasonCode.DRAFT, f"{wanted.name} has no app_id, and all later steps need it"),
        )
    if identity is None or identity.service_principal is None:
        yield Create(
            Home.SERVICE_PRINCIPAL,
            app_id,
            Reason(ReasonCode.NO_SERVICE_PRINCIPAL, "the application has no service principal in this tenant"),
        )
    if identity is not None:
        yield from _owners(identity)


def _owners(identity: Identity) -> Iterator[Own]:
    """Yield the missing ownerships of existing objects: a new object is owned by its creator."""
    for home, there in ((Home.APPLICATION, identity.application), (Home.SERVICE_PRINCIPAL, identity.service_principal)):
        if there and home not in identity.owned:
            what = home.value.replace("_", " ")
            yield Own(
                home,
                Reason(
                    ReasonCode.NOT_OWNER,
                    f"rotator is not an owner of the {what}, so its permission in Graph allows no change of it",
                ),
            )


def first_steps(policy: Policy, *, published: bool, username: str | None) -> tuple[Issue | Publish, ...]:
    """Return the steps for the first credential and the user name, as far as they are not published yet."""
    secret, home = policy.key_vault.username_secret, policy.principal.home
    made: list[Issue | Publish] = []
    if not published:
        made.append(
            Issue(
                home,
                policy.rotation.validity,
                Reason(ReasonCode.NONE, f"{policy.key_vault.password_secret} has no version"),
            )
        )
    if secret and username != policy.principal.app_id:
        made.append(Publish(secret, Reason(ReasonCode.NO_USERNAME, f"{secret} does not hold the app id")))
    return tuple(made)


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups to be made from manifests, and a note for each absent group without a manifest."""

    steps: tuple[Deploy, ...] = ()
    notes: tuple[Note, ...] = ()


def group_steps(policy: Policy, seen: Iterable[ContainerGroup], key_id: str) -> Groups:
    """Return the deployments of declared groups shown as absent by `seen`, with notes.

    An unreadable group may exist or not, and is named in a note.
    """
    there = {group.id for group in seen if group.document is not None}
    unread = {group.id: group.unreadable for group in seen if group.unreadable}
    missing = [group for group in policy.container_groups if group.id not in there]
    absent = [group for group in missing if group.id not in unread]
    made = (
        Deploy(g.id, key_id, Reason(ReasonCode.ABSENT_GROUP, f"it doesn't exist, and {g.manifest.file} creates it"))
        for g in absent
        if g.manifest
    )
    unknown = (_unknown(group.id, why) for group in missing if (why := unread.get(group.id)))
    return Groups(tuple(made), (*(_nothing_makes(group.id) for group in absent if not group.manifest), *unknown))


def _nothing_makes(group_id: ResourceId) -> Note:
    return Note(
        NoteCode.MISSING, group_id, f"container group {group_id.name} doesn't exist, and no manifest creates it"
    )


def _unknown(group_id: ResourceId, why: str) -> Note:
    return Note(
        NoteCode.UNREADABLE, group_id, f"it is unknown if container group {group_id.name} exists: {why}", warn=True
    )
