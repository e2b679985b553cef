"""Make the body of a PUT from a manifest: the body of `az container create --file`, with placeholders filled in.

Rules for editors of this file: as in `rotator.container_group.put_body`; and a secret goes only into places hidden by
Azure.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rotator.arm_json import Json, Value, drop, get, put
from rotator.container_group.constraints import conflicts
from rotator.container_group.differences import Change, difference
from rotator.container_group.embedded_password import signing_in
from rotator.container_group.hidden_values import as_shown, places
from rotator.container_group.missing_values import fill, unsourced
from rotator.container_group.normalise import usual
from rotator.container_group.policy_lines import lines_to_add
from rotator.container_group.put_body import enter, idle
from rotator.container_group.put_properties import writable
from rotator.container_group.refusal import refused
from rotator.container_group.tags import OURS, shows, tag
from rotator.container_group.value_sources import USERNAME, Recipes, baked, named_in, placeholder, substituted
from rotator.errors import UnsafeStep
from rotator.policy import GroupPolicy, KeyVaultSource, Manifest, Policy, Source
from rotator.remedy import delete_group
from rotator.state import Secret


def manifest_sources(manifest: Manifest, policy: Policy, group_policy: GroupPolicy) -> tuple[KeyVaultSource, ...]:
    """Return the Key Vault secrets whose values a deployment of the manifest needs, by name.

    The credential itself isn't among them.
    """
    known = Recipes.of(policy, group_policy)
    return known.fetched(named_in([manifest.document, *known.by_path.values()]))


def needed(policy: Policy) -> tuple[str, ...]:
    """Return the Key Vault secrets named as sources by the policy and its manifests, sorted.

    The published secrets are not among them.
    """
    found: set[str] = set()
    for declared in policy.container_groups:
        known = Recipes.of(policy, declared)
        named = [known.by_path, declared.manifest.document if declared.manifest else {}]
        found |= {one.key_vault for one in known.fetched(named_in(named))}
    return tuple(sorted(found))


def manifest_problems(manifest: Manifest, policy: Policy, group_policy: GroupPolicy) -> tuple[str, ...]:
    """Return the problems against a deployment of the manifest, found without values; each with place and remedy."""
    return tuple(_all_problems(_named(manifest, policy), policy, group_policy))


def manifest_unsourced(manifest: Manifest, policy: Policy, group_policy: GroupPolicy) -> tuple[str, ...]:
    """Paths of the hidden values that a deployment of the manifest would lack, sorted."""
    return unsourced(_named(manifest, policy), policy, group_policy)


def from_manifest(
    manifest: Manifest,
    policy: Policy,
    group_policy: GroupPolicy,
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
    body = _named(manifest, policy)
    _ensure_possible(manifest, body, policy, group_policy, document)
    known = Recipes.of(policy, group_policy)
    find = known.lookup(values, password)
    for place in places(body):
        if place.value is not None:
            put(place.owner, place.name, baked(place.value, place.holds, find))
    fill(body, known, find)
    enter(body, known, password)
    keep_tags(body, document)
    tag(body, key_id, since, None, shows(document))
    return body


def _ensure_possible(
    manifest: Manifest, body: Json, policy: Policy, group: GroupPolicy, document: Mapping[str, Any] | None
) -> None:
    wrong = tuple(_all_problems(body, policy, group))
    if wrong:
        raise UnsafeStep(
            f"{manifest.file} can't be deployed: {'; '.join(wrong)}", remedy=f"Correct {manifest.file}, then run again."
        )
    if document is None:
        return
    idle(document)
    if fixed := conflicts(document, body):
        raise UnsafeStep(
            f"{manifest.file} asks for what Azure doesn't change in a group that there is:"
            f" {'; '.join(map(str, fixed))}.",
            remedy=f"Change {manifest.file} back; or `{delete_group(group.id)}` and run again: it is down in between.",
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


def _named(manifest: Manifest, policy: Policy) -> Json:
    """Return the manifest as a body, with the user name filled in and all other placeholders kept."""
    body = writable(manifest.document)
    drop(body, "apiVersion")
    named: Json = substituted(body, lambda one: policy.principal.app_id if one == USERNAME else placeholder(one))
    return named


def _all_problems(body: Json, policy: Policy, group: GroupPolicy) -> Iterator[str]:
    yield from _problems(body, policy, group)
    yield from _lacking(body, policy, group)


def _problems(body: Json, policy: Policy, group: GroupPolicy) -> Iterator[str]:
    for path in _in_plain_sight(as_shown(body), ""):
        yield (
            f"{path} would show a secret to everybody who may read the group: put it where Azure hides it, for example"
            " into a secureValue"
        )
    why = refused(body, policy, group)
    if why:
        yield why
    known = Recipes.of(policy, group)
    if not any(known.password(place) for place in places(body)):
        yield (
            f"no imageRegistryCredentials entry of it has the user name {policy.principal.app_id}, so that it would not"
            " hold the credential"
        )


def _lacking(body: Json, policy: Policy, group: GroupPolicy) -> Iterator[str]:
    lost = unsourced(body, policy, group)
    if lost:
        password = signing_in(body, policy.principal.app_id)
        lines = lines_to_add(group.id, lost, within=bool(group.secrets), password=password)
        yield (
            f"it lacks what Azure never shows: {', '.join(lost)}. Write ${{{{ keyvault:NAME }}}} there, or add to"
            f" {policy.file}:\n{lines}"
        )


def _in_plain_sight(node: Value, path: str) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _in_plain_sight(value, f"{path}.{name}" if path else name)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _in_plain_sight(value, f"{path}[{index}]")
    elif any(named_in(node)):
        yield path


def manifest_changes(manifest: Manifest, policy: Policy, document: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the changes a deployment of the manifest would make in the group shown by a GET.

    All properties shown by Azure count, without our tags and mere defaults.
    """
    body = _named(manifest, policy)
    keep_tags(body, document)
    sides = [usual(as_shown(one)) for one in (document, body)]
    for side in sides:
        drop(get(side, "tags"), *OURS)
    return difference(*sides)


def manifest_conflicts(manifest: Manifest, policy: Policy, document: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the changes of the manifest that Azure refuses in a group that hasn't ended."""
    return conflicts(document, _named(manifest, policy))
