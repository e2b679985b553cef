"""Raw JSON of container groups: values, hidden values, evidence, and edits of the credential alone.

The only package with knowledge of a container group's JSON, and the most dangerous one: values lost here can't be
restored. Rules for editors:

1. Pure: documents in, values out. No I/O, no clock, and a document once read is never changed.
2. Lossless: an edit starts from the complete answer of GET. Unknown properties stay unchanged, in place
   (`put_properties` lists the removed ones).
3. A hidden value is put back from a source or the edit is refused; never guessed, never left out (`hidden_values` lists
   all of them).
4. Property names are case-insensitive, names of variables and files are case-sensitive (`rotator.arm_json`).
5. Evidence counts only if newer than the PUT; without evidence the verdict is never `healthy` (`evidence`).
6. A group's JSON, the policy and the declaration of the group go together, as one `Document`; what is derived from
   all three is a function of it, computed once (`document.once`).
7. Never show a value which may be secret: not in an error, not in a difference, not in a repr.
"""

from rotator.arm_json import registry_servers, user_names
from rotator.container_group.after_redeployment import moved
from rotator.container_group.deployment_outcome import brief, exit_code, ip_address, moved_tags, pulled
from rotator.container_group.differences import Change, difference, unasked
from rotator.container_group.document import Document
from rotator.container_group.evidence import Phase, Verdict, phase, run_once, verdict
from rotator.container_group.hidden_values import as_shown
from rotator.container_group.images import provable, with_images
from rotator.container_group.interpretation import Choice, Dependent, concerned, dependent, dependents, images
from rotator.container_group.linked_resources import links
from rotator.container_group.losses import unaccepted_losses
from rotator.container_group.manifest import (
    from_manifest,
    manifest_changes,
    manifest_conflicts,
    manifest_of,
    manifest_problems,
    manifest_remedy,
    manifest_sources,
    needed,
)
from rotator.container_group.manifest_draft import DraftedManifest, drafted
from rotator.container_group.missing_values import hidden, sources, unsourced, wanted_as_objects
from rotator.container_group.newer_properties import newer_values
from rotator.container_group.policy_lines import ANSWERS, likely_line, lines_to_add, yaml_key
from rotator.container_group.put_body import edit
from rotator.container_group.put_properties import writable
from rotator.container_group.refusal import Refusal, is_registry, misplaced, receivers, refusals
from rotator.container_group.tags import Failed, TagsShown, shows
from rotator.container_group.value_sources import is_object

__all__ = [
    "ANSWERS",
    "Change",
    "Choice",
    "Dependent",
    "Document",
    "DraftedManifest",
    "Failed",
    "Phase",
    "Refusal",
    "TagsShown",
    "Verdict",
    "as_shown",
    "brief",
    "concerned",
    "dependent",
    "dependents",
    "difference",
    "drafted",
    "edit",
    "exit_code",
    "from_manifest",
    "hidden",
    "images",
    "ip_address",
    "is_object",
    "is_registry",
    "likely_line",
    "lines_to_add",
    "links",
    "manifest_changes",
    "manifest_conflicts",
    "manifest_of",
    "manifest_problems",
    "manifest_remedy",
    "manifest_sources",
    "misplaced",
    "moved",
    "moved_tags",
    "needed",
    "newer_values",
    "phase",
    "provable",
    "pulled",
    "receivers",
    "refusals",
    "registry_servers",
    "run_once",
    "shows",
    "sources",
    "unaccepted_losses",
    "unasked",
    "unsourced",
    "user_names",
    "verdict",
    "wanted_as_objects",
    "with_images",
    "writable",
    "yaml_key",
]
