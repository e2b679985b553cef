"""Groups that rotator must not redeploy whatever their hidden values, each with the reason in words."""

from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from rotator import cloud
from rotator.arm_json import belongs, containers, entries, get, server, takes_password, text
from rotator.container_group.document import Document, once
from rotator.container_group.embedded_password import pinned
from rotator.container_group.hidden_values import normal
from rotator.container_group.tags import LIMIT, room
from rotator.policy import Policy
from rotator.remedy import show_registry_id

_OWNED = {
    "orchestratorId": "it is part of an NGroups resource, which creates its groups again from a profile",
    "containerGroupProfile": "it is made from a container group profile, which holds the credential, too",
    "standbyPoolProfile": "it comes from a standby pool, whose container group profile holds the credential, too",
}
"""Properties of groups made and replaced by other services (azure-facts A13): a change by rotator would not last."""


class Refusal(StrEnum):
    """Kind of objection to a redeployment, by the place of the fix."""

    OWNED = "owned"
    """Another service makes the group."""
    TAGS = "tags"
    REGISTRY = "registry"
    """An entry names another registry than those of the policy."""
    CONTENT = "content"
    """The fix is other content of the group, deployed by its owner."""
    POLICY = "policy"
    """The fix is in the policy."""


def refused(document: Document) -> str | None:
    """Return the reason against any redeployment of this group, with the fix; None if rotator may redeploy."""
    return "; ".join(text for _, text in refusals(document)) or None


@once
def refusals(document: Document) -> tuple[tuple[Refusal, str], ...]:
    """Return each reason against any redeployment of this group, with the fix."""
    return tuple(_refusals(document))


def _refusals(document: Document) -> Iterator[tuple[Refusal, str]]:
    body = document.body
    for name, why in _OWNED.items():
        if get(body, "properties", name) or get(body, name) or _tagged(body, name):
            yield Refusal.OWNED, f"{why} ({name}): change the profile, and let the service update its groups"
    if excess := room(body):
        yield (
            Refusal.TAGS,
            (
                f"it has no room for rotator's tags: {excess} more than the {LIMIT} that a resource can have. Remove"
                f" {excess} tag(s)"
            ),
        )
    yield from ((Refusal.CONTENT, text) for text in _of_content(document))
    yield from ((Refusal.REGISTRY, text) for text in _elsewhere(document))
    yield from ((Refusal.POLICY, text) for text in _misnamed(document))


def _of_content(document: Document) -> Iterator[str]:
    body = document.body
    if not any(kind == "containers" for kind, _ in containers(body)):
        yield "Azure's answer shows no containers of the group, so it is unknown what a redeployment must keep"
    if text(body, "properties", "sku").lower() == "confidential" and not text(
        body, "properties", "confidentialComputeProperties", "ccePolicy"
    ):
        yield (
            "it is a confidential group, and Azure's answer shows no ccePolicy, so it is unknown what its enclave"
            " would enforce after a redeployment"
        )
    secret = document.policy.key_vault.password_secret
    for version in pinned(document):
        yield (
            f"its secretReferenceUri names version {version} of {secret}, so it would keep that version: remove the"
            " version from the address"
        )
    yield from _ambiguous(body, document.app_id)


def _tagged(document: Mapping[str, Any], name: str) -> bool:
    tags = get(document, "tags")
    return isinstance(tags, Mapping) and any(str(tag).lower().rsplit(".", 1)[-1] == name.lower() for tag in tags)


def _ambiguous(document: Mapping[str, Any], app_id: str) -> Iterator[str]:
    """Two passwords of others for one server have the same path: a source could only be right for one."""
    others = Counter(
        server(entry) for entry in entries(document) if takes_password(entry) and not belongs(entry, app_id)
    )
    for name in sorted(name for name, times in others.items() if times > 1):
        yield (
            f"it has {others[name]} entries of other users for {name}, and Azure hides which password belongs to"
            " which. Remove the unneeded entries"
        )


def _elsewhere(document: Document) -> Iterator[str]:
    """Refuse to give the password to a server other than the policy's registries.

    Else a person with write access to a group could name a server of their own and receive the password.
    """
    for host in receivers(document):
        if not is_registry(document.policy, host):
            name = cloud.registry_name(cloud.of_vault(document.policy.key_vault.host).login_server(host))
            add = f"Add it to the policy, by the id that `{show_registry_id(name)}` prints, or remove the entry"
            yield (
                f"it would give the password to {host}, which is not a registry of the policy."
                f" {add if name else 'Remove the entry'}"
            )


def receivers(document: Document) -> tuple[str, ...]:
    """Return the hosts to which the group's entries give the principal's password, sorted."""
    mine = (entry for entry in entries(document.body) if belongs(entry, document.app_id) and takes_password(entry))
    return tuple(sorted({server(entry) for entry in mine}))


def is_registry(policy: Policy, host: str) -> bool:
    """Tell if a host may be one of a registry of the policy: its login server, or an endpoint in one of its regions."""
    login_server = cloud.of_vault(policy.key_vault.host).login_server(host)
    return any(_of_registry(login_server, registry.id.name.lower()) for registry in policy.registries)


def _of_registry(login_server: str, name: str) -> bool:
    """Tell if a login server may be a registry's: its label is the registry's name with an optional hash.

    The hash follows the name if the label is reused by scope; Azure's own list decides which it is, in the guard. A
    name is unique within its cloud only: under another suffix the host may belong to others.
    """
    label = login_server.partition(".")[0]
    return label == name or label.startswith(f"{name}-")


def _misnamed(document: Document) -> Iterator[str]:
    """Refuse if a place for the new password is absent: its container would go on with the old password."""
    for path in misplaced(document):
        yield (
            f"the policy gives the password to {path}, which does not exist in the group. Correct the path, or"
            " remove it"
        )


def misplaced(document: Document) -> tuple[str, ...]:
    """Return the policy's paths for the password that the group doesn't have, sorted."""
    there = {normal(place.path) for place in document.places}
    given = document.recipes.given(document.declared)
    return tuple(path for path in given if not {normal(path), normal(path).rpartition("/")[0]} & there)
