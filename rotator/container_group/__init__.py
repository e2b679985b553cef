"""A container group's raw JSON: what it says, what it hides, and how its credential is changed and nothing else.

The only package that knows the shape of a container group, and the most dangerous one: what it loses is lost. Rules for
whoever edits it:

1. Pure: documents in, values out. No I/O, no clock, and a document that was read is never changed.
2. Lossless: an edit starts from all that GET showed. What isn't known here stays as it is, where it is
   (`put_properties` lists what goes).
3. A hidden value is put back from a source or the edit is refused; never guessed, never left out (`hidden_values` lists
   them all).
4. Property names have no case, names of variables and files do (`rotator.arm_json`).
5. Evidence counts only if it is newer than the PUT; without evidence the verdict is never `healthy` (`evidence`).
6. Nothing here shows a value that may be secret: not in an error, not in a difference, not in a repr.
"""

from rotator.arm_json import registry_servers, user_names
from rotator.container_group.after_redeployment import moved
from rotator.container_group.deployment_outcome import brief, exit_code, ip_address, moved_tags, pulled
from rotator.container_group.differences import Change, difference, unasked
from rotator.container_group.evidence import Phase, Verdict, phase, run_once, verdict
from rotator.container_group.hidden_values import as_shown
from rotator.container_group.interpretation import Choice, Dependent, dependent, dependents, images
from rotator.container_group.linked_resources import ROLES, links
from rotator.container_group.manifest import (
    from_manifest,
    manifest_changes,
    manifest_conflicts,
    manifest_problems,
    manifest_sources,
    manifest_unsourced,
    needed,
)
from rotator.container_group.missing_values import hidden, sources, unsourced, wanted_as_objects
from rotator.container_group.policy_lines import lines_to_add
from rotator.container_group.put_body import edit
from rotator.container_group.put_properties import writable
from rotator.container_group.refusal import Refusal, misplaced, refusals
from rotator.container_group.tags import Failed, Shown, shows
from rotator.container_group.value_sources import is_object

__all__ = [
    "ROLES",
    "Change",
    "Choice",
    "Dependent",
    "Failed",
    "Phase",
    "Refusal",
    "Shown",
    "Verdict",
    "as_shown",
    "brief",
    "dependent",
    "dependents",
    "difference",
    "edit",
    "exit_code",
    "from_manifest",
    "hidden",
    "images",
    "ip_address",
    "is_object",
    "lines_to_add",
    "links",
    "manifest_changes",
    "manifest_conflicts",
    "manifest_problems",
    "manifest_sources",
    "manifest_unsourced",
    "misplaced",
    "moved",
    "moved_tags",
    "needed",
    "phase",
    "pulled",
    "refusals",
    "registry_servers",
    "run_once",
    "shows",
    "sources",
    "unasked",
    "unsourced",
    "user_names",
    "verdict",
    "wanted_as_objects",
    "writable",
]
