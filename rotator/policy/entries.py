"""Files of a directory of policies, each read by itself: its text, its policy over its defaults, and its mistakes."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rotator.cloud import Cloud
from rotator.errors import Mistake, PolicyError
from rotator.policy import files, manifest_names
from rotator.policy.defaults import NOTHING, Defaults, Shelf, abroad
from rotator.policy.draft import Draft, completed, is_draft
from rotator.policy.inheritance import DEFAULTS, SUBSCRIPTIONS, WINDOWS, over, window_named, without
from rotator.policy.listing import PolicyPath, listed, unusable
from rotator.policy.located import Located
from rotator.policy.model import Policy, PolicyFile
from rotator.policy.unfilled import besides, waiting_lines
from rotator.policy.values import parse
from rotator.remedy import rotator

MOST = 100
"""Number of mistakes of one file that are reported."""
_MISPLACED = ("named windows, which only defaults can have", f"Move it into {DEFAULTS} of this directory.")
_OF_POLICIES = ("principal", "registries", "key_vault", "container_groups")
_WORDS = re.compile("|".join(_OF_POLICIES))
_WRITTEN = re.compile(rf"""^(?:\{{\s*)?["']?(?P<key>{_WORDS.pattern})["']?\s*:""", re.MULTILINE)


def in_order(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    """Return mistakes in the order of files and lines."""
    return tuple(sorted(mistakes, key=lambda one: (one.file, one.line, one.column, one.path)))


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the directory: its content, as far as readable, and the policy or mistakes found."""

    name: str
    file: str
    text: str
    document: Located | None = None
    policy: Policy | Draft | None = None
    mistakes: tuple[Mistake, ...] = ()
    defaults: Defaults = NOTHING
    below: bool = False

    @property
    def unfinished(self) -> tuple[Mistake, ...]:
        """A draft is a mistake where a policy is meant."""
        if not isinstance(self.policy, Draft) or self.document is None:
            return ()
        remedy = (
            f"Run `{rotator('provision', self.name)}`, which finds or makes the application and writes its app_id here."
        )
        return (self.document.mistake(("principal",), "a draft: app_id is missing", remedy),)

    @property
    def claims(self) -> bool:
        """Tell if the file declares a policy: a manifest has no `principal`.

        In a subdirectory any key that only policies have counts, and a file that can't be read.
        """
        keys = _OF_POLICIES if self.below else _OF_POLICIES[:1]
        if self.document is None:
            found = {match["key"] for match in _WRITTEN.finditer(self.text)}
            return (self.below and not self.text) or not found.isdisjoint(keys)
        return isinstance(self.document.data, dict) and not self.document.data.keys().isdisjoint(keys)


def read_entries(directory: Path, cloud: Cloud | None, *, required: bool) -> list[Entry]:
    """Return the files of a directory that are policies, or mean to be, over their defaults. Raises PolicyError."""
    files_ = listed(directory, required=required)
    found = [(each.file, entry) for each in files_ if (entry := _read(each))]
    manifests = {place for _, entry in found if entry.document for place in manifest_names.places(entry.document)}
    found = [(file, entry) for file, entry in found if entry.claims or _stands(entry, manifests)]
    if required and not found:
        raise unusable(
            directory, "no policy in this directory", "Write one as a file NAME.yaml; README.md shows an example."
        )
    shelf = Shelf(directory, cloud)
    return [_understood(entry, shelf.of(file.parent), cloud) for file, entry in found]


def _stands(entry: Entry, manifests: Collection[Path | None]) -> bool:
    """Tell if a file that declares no policy is a mistake all the same: directly in the directory, and no manifest."""
    return not entry.below and manifest_names.place(Path(entry.file)) not in manifests


def _read(found: PolicyPath) -> Entry | None:
    """Read one file; None if it is in a subdirectory and has no key of a policy, so that it need not be parsed.

    Refuse a path with unprintable characters. The path becomes the name of the policy in terminals and logs, and
    control characters would act there.
    """
    if found.mistake:
        return Entry(found.name, found.shown, "", mistakes=(found.mistake,), below=True)
    content = files.content(found.file, found.shown)
    entry = Entry(found.name, found.shown, content.anyway, below=found.below)
    if found.below and content.text is not None and not _WORDS.search(content.text):
        return None
    if not found.printable:
        problem = "a file name with characters that can't be printed"
        return replace(entry, mistakes=(Mistake(found.shown, 1, 1, "", "", problem, "Rename the file."),))
    if content.text is None:
        return replace(entry, mistakes=(content.mistake,) if content.mistake else ())
    try:
        return replace(entry, text=content.text, document=parse(content.text, found.shown))
    except PolicyError as error:
        return replace(entry, text=content.text, mistakes=error.mistakes)


def _understood(entry: Entry, defaults: Defaults, cloud: Cloud | None) -> Entry:
    entry = replace(entry, defaults=defaults)
    if entry.document is None:
        return replace(entry, mistakes=(*entry.mistakes, *defaults.mistakes))
    waiting = (*entry.document.mistakes, *waiting_lines(entry.text, entry.file))
    document, misplaced = _extended(entry.document, defaults)
    if defaults.mistakes:
        return replace(entry, document=document, mistakes=_first((*waiting, *defaults.mistakes)))
    policy, wrong = _policy(document, entry.name, defaults.subscriptions)
    wrong = [*besides(wrong, entry.text)]
    mistakes = dict.fromkeys((*waiting, *misplaced, *wrong, *abroad(document, cloud)))
    return replace(entry, document=document, policy=policy, mistakes=_first(tuple(mistakes)))


def _extended(document: Located, defaults: Defaults) -> tuple[Located, list[Mistake]]:
    """Return the document laid over its defaults, with the times of the window that it names."""
    if not isinstance(document.data, dict):
        return document, []
    misplaced = [document.mistake((WINDOWS,), *_MISPLACED, key=True)] if WINDOWS in document.data else []
    if defaults.document.data:
        document = over(without(defaults.document, (WINDOWS,), SUBSCRIPTIONS), without(document, (WINDOWS,)))
    elif misplaced:
        document = without(document, (WINDOWS,))
    document, unnamed = window_named(document, defaults.document)
    return document, [*misplaced, *unnamed]


def _first(mistakes: tuple[Mistake, ...]) -> tuple[Mistake, ...]:
    """Return the first mistakes of a file that has very many."""
    if len(mistakes) <= MOST:
        return mistakes
    first = in_order(mistakes)
    rest = f"{len(first) - MOST} more mistakes, of which this is the first"
    return (
        *first[:MOST],
        replace(first[MOST], path="", value="", problem=rest, remedy="Correct those that are named first."),
    )


def _policy(document: Located, name: str, also_in: tuple[str, ...]) -> tuple[Policy | Draft | None, list[Mistake]]:
    if not isinstance(document.data, dict):
        remedy = "Begin with the keys principal, registries and key_vault; a manifest belongs into a directory below."
        return None, [document.mistake((), "not a policy: it has no keys", remedy)]
    data, wrong = _with_manifests(document)
    try:
        draft = is_draft(data)
        parsed = PolicyFile.model_validate(completed(data) if draft else data)
    except ValidationError as error:
        from rotator.policy.mistakes import described

        return None, [*wrong, *described(document, error.errors())]
    if draft:
        return Draft(name, document.file, parsed.principal.display_name or "", parsed, also_in), wrong
    fields = {field: getattr(parsed, field) for field in PolicyFile.model_fields}
    return Policy.model_construct(**fields, name=name, file=document.file, also_in=also_in), wrong


def _with_manifests(document: Located) -> tuple[dict[str, Any], list[Mistake]]:
    """Return the policy's data with manifests read; leave out unusable manifests, and return their mistakes."""
    groups, wrong = document.data.get("container_groups"), dict[Mistake, None]()
    if not isinstance(groups, list):
        return document.data, []
    if not (named := manifest_names.named(document)):
        return document.data, []
    from rotator.policy.manifest_file import Files  # what reads manifests is loaded where a policy names one

    filled, read = list(groups), Files(document)
    for index, manifest in named.items():
        found, mistakes = read.manifest(index, manifest)
        filled[index] = {**groups[index], "manifest": found}
        wrong |= dict.fromkeys(mistakes)
    return {**document.data, "container_groups": filled}, list(wrong)
