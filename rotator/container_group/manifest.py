"""Make the body of a PUT from a manifest: the body of `az container create --file`, with placeholders filled in.

Rules for editors of this file: as in `rotator.container_group.put_body`; and a secret goes only into places hidden by
Azure.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from rotator.arm_json import (
    Json,
    Value,
    belongs,
    containers,
    drop,
    entries,
    get,
    plain,
    put,
    registry_of,
    server,
    text,
    user_name,
)
from rotator.cloud import of_vault
from rotator.container_group.constraints import conflicts
from rotator.container_group.differences import Change, difference
from rotator.container_group.document import Declaration, Document, once
from rotator.container_group.embedded_password import follows, signing_in
from rotator.container_group.hidden_values import as_shown, places
from rotator.container_group.missing_values import unsourced
from rotator.container_group.normalise import usual
from rotator.container_group.policy_lines import lines_to_add
from rotator.container_group.put_body import enter, fill, idle
from rotator.container_group.put_properties import writable
from rotator.container_group.refusal import receivers, refused
from rotator.container_group.tags import OURS, shows, tag
from rotator.container_group.value_sources import USERNAME, baked, named_in, placeholder, substituted
from rotator.errors import UnsafeStep
from rotator.policy import GroupPolicy, KeyVaultSource, Policy, Source
from rotator.remedy import delete_group
from rotator.state import Secret

KEPT = 64
"""Number of cached manifests: every look asks for the manifest of each group."""


def manifest_of(policy: Policy, declared: GroupPolicy | None) -> Document | None:
    """Return a group as declared by its manifest, with the user name filled in; None without a manifest.

    All other placeholders are kept.
    """
    return _written(Declaration(policy, declared)) if declared and declared.manifest else None


@lru_cache(maxsize=KEPT)
def _written(declaration: Declaration) -> Document:
    policy, group = declaration.policy, declaration.group
    body = writable(group.manifest.document if group.manifest else {})
    drop(body, "apiVersion")
    named = substituted(body, lambda one: policy.principal.app_id if one == USERNAME else placeholder(one))
    return Document(named, policy, group)


@once
def manifest_sources(written: Document) -> tuple[KeyVaultSource, ...]:
    """Return the Key Vault secrets whose values a deployment of the manifest needs, by name.

    The credential itself isn't among them.
    """
    return written.recipes.fetched(named_in([written.body, written.recipes.by_path]))


def needed(policy: Policy) -> tuple[str, ...]:
    """Return the Key Vault secrets named as sources by the policy and its manifests, sorted.

    The published secrets are not among them.
    """
    written = (manifest_of(policy, one) or Document({}, policy, one) for one in policy.container_groups)
    return tuple(sorted({source.key_vault for one in written for source in manifest_sources(one)}))


@once
def manifest_problems(written: Document) -> tuple[str, ...]:
    """Return the problems against a deployment of the manifest, found without values; each names its place."""
    return (*_problems(written), *_lacking(written))


@once
def manifest_remedy(written: Document) -> str:
    """Return the way out of all problems of a manifest, with the lines for the policy, if there are some."""
    lost = unsourced(written)
    if not lost:
        return f"Correct {written.file}."
    lines = lines_to_add(written.id, lost, within=written.says_secrets, password=signing_in(written))
    return (
        f"Correct {written.file}. For a hidden value write ${{{{ keyvault:NAME }}}} there, or add to"
        f" {written.policy.file}:\n{lines}"
    )


def from_manifest(
    written: Document,
    *,
    values: Mapping[Source, Secret],
    password: Secret,
    key_id: str,
    since: datetime,
    document: Mapping[str, Any] | None = None,
) -> Json:
    """Return the PUT body to deploy the manifest with `password`, the secret of `key_id`.

    `values` are those of `manifest_sources()`. `document` is the group as a GET just showed it, if the group exists:
    its tags name the way back, and a running job isn't interrupted. Raises UnsafeStep with all problems of the
    manifest.
    """
    _ensure_possible(written, document)
    body: Json = plain(written.body)
    known = written.recipes
    find = known.lookup(values, password)
    for place in places(body):
        if place.value is not None:
            put(place.owner, place.name, baked(place.value, place.holds, find))
    fill(body, known, find)
    enter(body, known, password)
    keep_tags(body, document)
    tag(body, key_id, since, None, shows(document))
    return body


def _ensure_possible(written: Document, document: Mapping[str, Any] | None) -> None:
    if wrong := manifest_problems(written):
        raise UnsafeStep(f"{written.file} can't be deployed: {'; '.join(wrong)}", remedy=manifest_remedy(written))
    if document is None:
        return
    idle(document, written.declared.runs if written.declared else None)
    if fixed := conflicts(document, written.body):
        raise UnsafeStep(
            f"{written.file} changes values that Azure can't change in an existing group:"
            f" {'; '.join(map(str, fixed))}.",
            remedy=(
                f"Change {written.file} back; or `{delete_group(written.id)}` and run again: the group is down in"
                " between."
            ),
        )


def keep_tags(body: Json, document: Mapping[str, Any] | None) -> None:
    """Carry over tags of the group without a counterpart in the manifest.

    Others set these tags (an Azure Policy, cost accounting).
    """
    there, wanted = get(document, "tags"), get(body, "tags")
    wanted = dict(wanted) if isinstance(wanted, Mapping) else {}
    known = {name.lower() for name in wanted}
    kept = (
        {name: value for name, value in there.items() if name.lower() not in known}
        if isinstance(there, Mapping)
        else {}
    )
    if kept:
        put(body, "tags", {**kept, **wanted})


def _problems(written: Document) -> Iterator[str]:
    for path in _in_plain_sight(as_shown(written.body), ""):
        yield (
            f"{path} would show a secret to everybody who may read the group: put it where Azure hides it, for example"
            " into a secureValue"
        )
    if why := refused(written):
        yield why
    for place in written.places:
        if place.name == "password" and written.recipes.password(place) and not belongs(place.owner, written.app_id):
            yield (
                f"its entry for {server(place.owner)} has the principal's password, and another user name:"
                f" {user_name(place.owner)}. Write ${{{{ credential:username }}}}, which is {written.app_id}"
            )
    yield from _unpulled(written)
    if not (follows(written) or any(written.recipes.password(place) for place in written.places)):
        yield (
            f"none of its imageRegistryCredentials has the user name {written.app_id}, so the group would not hold"
            " the credential"
        )


def _unpulled(written: Document) -> Iterator[str]:
    """Yield the images at one host of a registry, where the principal's entry has another host of that registry.

    Azure takes the entry whose server is the image's host; it would pull without a credential.
    """
    login_server = of_vault(written.policy.key_vault.host).login_server
    listed, mine = {server(entry) for entry in entries(written.body)}, receivers(written)
    for _, container in containers(written.body):
        image = text(container, "properties", "image")
        host = registry_of(image)
        others = [each for each in mine if host and login_server(each) == login_server(host)]
        if host not in listed and others:
            yield (
                f"its image {image} has another host than {', '.join(others)}, and no entry of"
                f" imageRegistryCredentials has the server {host}, so Azure would pull it without a credential"
            )


def _lacking(written: Document) -> Iterator[str]:
    if lost := unsourced(written):
        yield f"it lacks values that Azure never shows: {', '.join(lost)}"


def _in_plain_sight(node: Value, path: str) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _in_plain_sight(value, f"{path}.{name}" if path else name)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _in_plain_sight(value, f"{path}[{index}]")
    elif any(named_in(node)):
        yield path


def manifest_changes(written: Document, document: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the changes a deployment of the manifest would make in the group shown by a GET.

    All properties shown by Azure count, without our tags and mere defaults.
    """
    body = plain(written.body)
    keep_tags(body, document)
    sides = [usual(as_shown(one)) for one in (document, body)]
    for side in sides:
        drop(get(side, "tags"), *OURS)
    return difference(*sides)


def manifest_conflicts(written: Document, document: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the changes of the manifest that Azure refuses in a group that hasn't ended."""
    return conflicts(document, written.body)
