"""Lines to fix a policy: exact YAML to paste for missing values."""

import json
import re
from collections.abc import Collection, Sequence

from rotator.container_group.hidden_values import REGISTRY
from rotator.policy.secret_rules import NONE, VOLUME, WORKSPACE_ID
from rotator.remedy import CREATE_GROUP
from rotator.resource_id import ArmId
from rotator.secret import CLIENT_ID, CLIENT_SECRET, LIKE_PASSWORD
from rotator.visible import acts

ANSWERS = (
    "`{credential: password}` is this principal's password, `{credential: username}` its app id, `{key_vault: NAME}`"
    " another secret"
)
"""Meaning of the answers of `likely_line`."""
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")


def lines_to_add(
    group_id: ArmId, paths: Sequence[str], *, entry: bool = False, within: bool = False, password: Collection[str] = ()
) -> str:
    """Return YAML with a source for each path, with names of secrets to be put into the vault.

    The default is the lines under the group's entry; with `entry` the whole entry, for a group not in the policy; with
    `within` only the lines under an existing `secrets:`. Paths in `password` get the rotated password. A workspace's id
    may never have been set, so both answers are given: the usual one, and the other as a comment.
    """
    head = [f"  - id: {group_id}"] if entry else []
    named = [path for path in paths if path not in password and path != WORKSPACE_ID]
    names = dict.fromkeys(paths, "") | dict(zip(named, secret_names(group_id, named), strict=True))
    return "\n".join(
        [
            *head,
            *([] if within else ["    secrets:"]),
            *(line for path, name in names.items() for line in _lines(path, name)),
        ]
    )


def secret_names(group_id: ArmId, paths: Sequence[str]) -> tuple[str, ...]:
    """Return a name for a Key Vault secret for each path, all different."""
    names: list[str] = []
    for path in paths:
        names.append(_unused(_secret_name(group_id, path), set(names)))
    return tuple(names)


def yaml_key(path: str) -> str:
    """Return a path as a key of YAML: quoted, if its characters need that."""
    quoted = json.dumps(path) if any(map(acts, path)) else "'" + path.replace("'", "''") + "'"
    return path if _PLAIN.fullmatch(path) else quoted


def likely_line(path: str) -> str:
    """Return the line for a hidden variable or volume of unknown content, with the answer that its name suggests."""
    name = path.rpartition("/")[2]
    if path.startswith("volumes/"):
        return f"{yaml_key(f'{path}/FILE')}: {{key_vault: NAME}}"
    if CLIENT_ID.search(name) and not CLIENT_SECRET.search(name):
        return f"{yaml_key(path)}: {{credential: username}}"
    answer = "credential: password" if LIKE_PASSWORD.search(name) else "key_vault: NAME"
    return f"{yaml_key(path)}: {{{answer}}}"


def _lines(path: str, name: str) -> tuple[str, ...]:
    if path == WORKSPACE_ID:
        return _WORKSPACE
    return (_line(path, name), *_otherwise(path, name))


def _otherwise(path: str, name: str) -> tuple[str, ...]:
    """Return the other answer: for a place that is often empty, or one that is named like a principal's password."""
    if name and "/env/" in path and CLIENT_SECRET.search(path.rpartition("/")[2]):
        return (f"      # or, if it is this principal's password: {yaml_key(path)}: {{credential: password}}",)
    if VOLUME.fullmatch(path):
        return (f"      # or, if the volume has no files: {yaml_key(path)}: {{value: {NONE}}}",)
    if path.startswith("extensions/"):
        return (f"      # or, if it has no protected settings: {yaml_key(path)}: {{value: {NONE}}}",)
    return ()


_WORKSPACE = (
    (
        f"      # Keep one of these two lines. Azure never shows workspaceResourceId; `{CREATE_GROUP}` makes a group"
        " without it."
    ),
    f"      {WORKSPACE_ID}: {{value: {NONE}}}",
    (
        f"      # {WORKSPACE_ID}: {{value:"
        " /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.OperationalInsights/workspaces/NAME}"
    ),
)


def _line(path: str, name: str) -> str:
    volume = path.endswith("/secret") and path.startswith("volumes/")
    key, name = (f"{path}/FILE", f"{name}-FILE") if volume else (path, name)
    hint = (
        "  # one such line for each file, whose names Azure doesn't show; add base64: true for what isn't text"
        if volume
        else ""
    )
    return (
        f"      {yaml_key(key)}: {{key_vault: {name}}}{hint}"
        if name
        else f"      {yaml_key(key)}: {{credential: password}}"
    )


def _unused(name: str, taken: set[str]) -> str:
    return next(one for one in (name, *(f"{name[:120]}-{nth}" for nth in range(2, len(taken) + 3))) if one not in taken)


def _secret_name(group_id: ArmId, path: str) -> str:
    """Return a valid Key Vault name (127 letters, digits, hyphens) for a value.

    The name has the distinguishing parts: group, container or volume, variable.
    """
    told = [
        part
        for part in path.split("/")
        if part not in ("containers", "init_containers", "env", "volumes", "secret", "azure_file", REGISTRY)
    ]
    name = "-".join((group_id.name, *told)).lower()
    return re.sub(r"[^0-9a-z]+", "-", name).strip("-")[:127]
