"""A container group's raw JSON: what it says, what it hides, and how its credential is changed and nothing else.

The only package that knows the shape of a container group, and the most dangerous one: what it loses is lost. Rules for whoever edits it:

1. Pure: documents in, values out. No I/O, no clock, and a document that was read is never changed.
2. Lossless: an edit starts from all that GET showed. What isn't known here stays as it is, where it is (`writable` lists what goes).
3. A hidden value is put back from a source or the edit is refused; never guessed, never left out (`place` lists them all).
4. Property names have no case, names of variables and files do (`shape`).
5. Evidence counts only if it is newer than the PUT; without evidence the verdict is never `healthy` (`evidence`).
6. Nothing here shows a value that may be secret: not in an error, not in a difference, not in a repr.
"""

from rotator.arm_json import registry_servers, user_names
from rotator.group.advice import lines_to_add
from rotator.group.dependent import Choice, Dependent, dependent, dependents, images
from rotator.group.difference import Change, difference, unasked
from rotator.group.edit import edit
from rotator.group.evidence import Phase, Verdict, phase, run_once, verdict
from rotator.group.hidden import hidden, sources, unsourced, wanted_as_objects
from rotator.group.linked import ROLES, links
from rotator.group.manifest import (
    from_manifest,
    manifest_changes,
    manifest_conflicts,
    manifest_problems,
    manifest_sources,
    manifest_unsourced,
    needed,
)
from rotator.group.moved import moved
from rotator.group.outcome import brief, exit_code, ip_address, moved_tags, pulled
from rotator.group.place import as_shown
from rotator.group.recipe import is_object
from rotator.group.refusal import Refusal, misplaced, refusals
from rotator.group.tags import Failed, Shown, shows
from rotator.group.writable import writable

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
