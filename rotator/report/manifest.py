"""Differences between manifests and running groups, property by property.

Reported before any write, and never with a secret.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rotator.container_group import Change, hidden, manifest_changes, manifest_conflicts, manifest_of
from rotator.policy import Policy
from rotator.remedy import rotator
from rotator.report.words import entry, name_of
from rotator.results import Preview
from rotator.visible import one_line


@dataclass(frozen=True, slots=True)
class Compared:
    """Comparison of a manifest and its group.

    `conflicts` are changes refused by Azure; `unseen` are the paths of values hidden by Azure, so not comparable.
    """

    group: str
    file: str
    changes: tuple[Change, ...]
    conflicts: tuple[Change, ...]
    unseen: tuple[str, ...]


def manifests(preview: Preview) -> tuple[Compared, ...]:
    """Return a comparison for each declared group with a manifest and a readable state in Azure."""
    return tuple(_compared(preview))


def _compared(preview: Preview) -> Iterator[Compared]:
    policy = preview.policy
    for seen in preview.observed.groups:
        written = manifest_of(policy, policy.group(seen.id))
        if written and seen.document is not None and not seen.unreadable:
            changes = manifest_changes(written, seen.document)
            conflicts = manifest_conflicts(written, seen.document)
            yield Compared(seen.id, written.file, changes, conflicts, hidden(seen.document, written.app_id))


def manifest_entries(preview: Preview) -> Iterator[str]:
    """Yield a paragraph for each manifest: its differences, and the values not comparable."""
    for one in manifests(preview):
        yield entry("manifest", *_told(preview.policy, one))


def _told(policy: Policy, one: Compared) -> Iterator[str]:
    name = name_of(one.group)
    if one.changes:
        yield (
            f"{name}: {one.file} differs from the running group. A rotation does not change that;"
            f" `{rotator('deploy', policy.name, name)}` would change"
        )
        yield from (one_line(f"  {change}") for change in one.changes)
    else:
        yield f"{name}: {one.file} matches the running group{', as far as Azure shows it' if one.unseen else ''}"
    if one.unseen:
        yield f"not compared, because Azure hides it: {', '.join(one.unseen)}"
    if one.conflicts:
        yield "Azure can't change these in an existing group, so `rotator deploy` would refuse:"
        yield from (one_line(f"  {change}") for change in one.conflicts)
        yield f"Change {one.file} back; or delete the group first: it is down until it is deployed again."


def manifest_body(one: Compared) -> dict[str, Any]:
    """Return a comparison in the JSON form."""
    changes, conflicts = (
        [{"path": each.path, "before": each.before, "after": each.after} for each in part]
        for part in (one.changes, one.conflicts)
    )
    return {
        "group": one.group,
        "file": one.file,
        "changes": changes,
        "conflicts": conflicts,
        "unseen": list(one.unseen),
    }
