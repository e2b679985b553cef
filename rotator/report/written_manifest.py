"""Manifest of a running group, as `rotator manifest` writes it: the file, and before it what is left to a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

from rotator.container_group import DraftedManifest, yaml_key
from rotator.errors import UnsafeStep
from rotator.policy import Policy
from rotator.policy.manifest_file import Read
from rotator.policy.manifest_text import rendered
from rotator.policy.rules import GROUP
from rotator.policy.secret_rules import NONE, WORKSPACE_ID
from rotator.remedy import type_secret
from rotator.resource_id import ResourceId
from rotator.visible import one_line

LINES = {
    "volumes": "which files the volume has: name each; without files write `secret: {}`",
    "extensions": "whether the extension has protected settings: without them take protectedSettings out",
    "diagnostics": "whether the workspace's id was set: without one take workspaceResourceId out",
}
"""Decision of a person about a value that may be empty, by the first part of its path."""


_FIRST = ("location", "tags", "zones", "identity")
"""Short properties, written before the long ones."""


@dataclass(frozen=True, slots=True)
class Written:
    """Manifest drafted from the group `group` of a policy, as Azure showed it `at` an instant.

    `file` is where it is written, as the policy names it; empty for a text that a person saves.
    """

    policy: Policy
    group: ResourceId
    at: datetime
    api_version: str
    draft: DraftedManifest
    file: str = ""

    @property
    def document(self) -> dict[str, Any]:
        """The manifest's content, in the order in which people write it."""
        head = {"apiVersion": self.api_version, "type": GROUP.type, "name": self.group.name}
        order = sorted(self.draft.body, key=lambda name: name not in _FIRST)
        return {**head, **{name: self.draft.body[name] for name in order}}


def manifest_text(written: Written) -> str:
    """Return the file: comments for a person, then the YAML.

    Raises UnsafeStep for a group with a property that no manifest can have.
    """
    read = Read.of(rendered(written.document), f"{written.group.name}.yaml")
    if read.mistakes:
        found = ", ".join(one_line(f"{mistake.path} ({mistake.problem})") for mistake in read.mistakes)
        raise UnsafeStep(
            f"container group {written.group.name} has what a manifest can't have: {found}.",
            remedy="Let rotator redeploy it as it is, without a manifest.",
        )
    comments = (one_line(f"# {line}".rstrip()) for line in _comments(written))
    return "\n".join([*comments, rendered(written.document).rstrip("\n")])


def _comments(written: Written) -> Iterator[str]:
    policy, draft = written.policy, written.draft
    yield f"{written.group.name} as it was at {written.at:%Y-%m-%d %H:%M} UTC, written by rotator manifest."
    declared = policy.group(written.group)
    if declared is None or declared.manifest is None:
        file = written.file or f"manifests/{written.group.name}.yaml"
        save = "Write" if written.file else f"Save it as {PurePath(policy.file).parent / file}, and write"
        yield f"{save} in {policy.file}, under container_groups:"
        yield f"  - id: {written.group}"
        yield f"    manifest: {file}"
    if draft.authored and declared and declared.manifest:
        yield f"These values are texts in {declared.manifest.file}: they may be secret, and are not repeated here."
        yield "Copy each from there, in place of its placeholder; until then a deployment is refused:"
        yield from (f"  {path}: ${{{{ keyvault:{name} }}}}" for path, name in draft.authored)
    if draft.wanted:
        yield f"Azure hides these values. Put each into {policy.key_vault.url}:"
    for path, name in draft.wanted:
        yield f"{path}:"
        yield f"  {type_secret(policy.key_vault.name, name)}"
    for path in draft.empty:
        yield f"{path}: Azure doesn't show {LINES[path.partition('/')[0]]}"
        if path != WORKSPACE_ID:
            yield f"  and write in {policy.file}, under secrets of this group: {yaml_key(path)}: {{value: {NONE}}}"


def manifest_form(written: Written) -> dict[str, Any]:
    """Return the JSON form."""
    return {
        "policy": written.policy.name,
        "group": written.group,
        "manifest": written.document,
        "secrets": [{"path": path, "name": name} for path, name in written.draft.wanted],
        "may_be_empty": list(written.draft.empty),
        "to_copy": [{"path": path, "name": name} for path, name in written.draft.authored],
    }
