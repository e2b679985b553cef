"""Read a directory of policies: the content of each file, all its mistakes, and conflicts between files.

A mistake concerns only the policy of the same file; one of defaults concerns every policy that extends them. Two files
with the same claim are both concerned. A mistake concerning no requested policy stops no policy: such mistakes are
reported separately.

Mistakes are: an unreadable file; a text other than YAML; keys and values refused by the model; lines of a draft that
wait for a person; manifests missing or without a container group; two policies managing the same object; a vault of
another cloud; a requested name without a policy.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rotator.cloud import CLOUDS, Cloud
from rotator.errors import Mistake, PolicyError
from rotator.policy import files, manifest_file
from rotator.policy.answers import Answers, Statements
from rotator.policy.defaults import NOTHING, Defaults, Shelf, abroad
from rotator.policy.draft import Draft, completed, is_draft
from rotator.policy.effective import Sources
from rotator.policy.inheritance import DEFAULTS, SUBSCRIPTIONS, WINDOWS, over, window_named, without
from rotator.policy.listing import PolicyPath, listed, unusable
from rotator.policy.located import Located, plain
from rotator.policy.model import Policy, PolicyFile
from rotator.policy.naming import named
from rotator.policy.rivals import Broken, RivalClaim, mentions, rival_claims
from rotator.policy.unfilled import waiting_lines
from rotator.policy.values import parse
from rotator.remedy import rotator

MOST = 100
"""Mistakes of one file that are told."""
MOST_NAMES = 30
"""Names of policies that a mistake tells."""
_MISPLACED = ("windows by name, which only defaults can have", f"Move it into {DEFAULTS} of this directory.")
_OF_POLICIES = ("principal", "registries", "key_vault", "container_groups")
_WORDS = re.compile("|".join(_OF_POLICIES))
_WRITTEN = re.compile(rf"""^(?:\{{\s*)?["']?(?P<key>{_WORDS.pattern})["']?\s*:""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Unserved:
    """Requested policy with mistakes, with all of its mistakes and the text of the file."""

    name: str
    file: str
    mistakes: tuple[Mistake, ...]
    text: str = field(default="", repr=False)
    inherited: tuple[Mistake, ...] = ()
    """Those of the mistakes that are in the defaults which it extends."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Result of reading a directory, for the requested policies."""

    policies: tuple[Policy, ...]
    """Those that can be served, sorted by name."""
    unserved: tuple[Unserved, ...] = ()
    """The others, sorted by name."""
    beside: tuple[Mistake, ...] = ()
    """Mistakes that concern none that was asked for."""
    drafts: tuple[Draft, ...] = ()
    written: Mapping[str, Sources] = field(default_factory=dict, repr=False, compare=False)
    """Documents about each served policy, by its file."""

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """Mistakes of all unserved policies, in the order of files and lines."""
        return _in_order({mistake for one in self.unserved for mistake in one.mistakes})


def load(
    directory: Path | str, names: Collection[str] = (), cloud: str | None = None, *, required: bool = True
) -> tuple[Policy, ...]:
    """Return the policies of a directory, sorted by name: those called `names`, or all.

    Raises PolicyError with every mistake concerning one of the policies.

    `cloud` is the cloud used by rotator, where known: a policy with a vault in another cloud is a mistake. `required`:
    a missing directory, or one without a policy, is a mistake, too. A policy is a ``*.yaml`` or ``*.yml`` directly in
    `directory`, except files named as a manifest by another file there; in subdirectories, such a file with a key of
    policies. A draft is a mistake in place of a policy.
    """
    found = gather(directory, names, cloud, required=required)
    if found.mistakes:
        raise PolicyError(found.mistakes)
    return found.policies


def load_draft(directory: Path | str, name: str, cloud: str | None = None) -> Policy | Draft:
    """The one policy called `name`, which may be a draft. Raises PolicyError as :func:`load`."""
    found = gather(directory, (name,), cloud, drafts=True)
    if found.mistakes:
        raise PolicyError(found.mistakes)
    return found.policies[0] if found.policies else found.drafts[0]


def gather(
    directory: Path | str,
    names: Collection[str] = (),
    cloud: str | None = None,
    *,
    required: bool = True,
    drafts: bool = False,
) -> Gathered:
    """Read policies like :func:`load`, but return correct policies beside the mistakes of others.

    Raises PolicyError if the directory itself can't be used.

    `drafts`: return drafts, too, instead of a mistake for each.
    """
    entries = _entries(Path(directory), CLOUDS.get(cloud or ""), required=required)
    meant = _meant(entries, names, Path(directory))
    wanted = {found[0] for found in meant.values() if len(found) == 1}
    conflicts = _conflicts(entries, wanted if names else None)
    asked = sorted(
        (entry for entry in entries if not names or entry.name in wanted), key=lambda entry: (entry.name, entry.file)
    )
    concerned = {entry.file for entry in asked}
    wrong = {entry.file: (*entry.mistakes, *(() if drafts else entry.unfinished)) for entry in asked}
    for conflict in conflicts:
        for file in conflict.files & concerned:
            wrong[file] = (*wrong[file], conflict.mistake)
    unserved = [
        Unserved(entry.name, entry.file, _in_order(wrong[entry.file]), entry.text, entry.defaults.mistakes)
        for entry in asked
        if wrong[entry.file]
    ]
    unserved += _strangers(entries, meant, str(directory))
    told = {mistake for mistakes in wrong.values() for mistake in mistakes}
    others = {mistake for entry in entries if entry.file not in concerned for mistake in entry.mistakes}
    beside = list(others - told)
    beside += [conflict.mistake for conflict in conflicts if not conflict.files & concerned]
    served = [entry.policy for entry in asked if not wrong[entry.file]]
    statements = Statements.of(entry.policy for entry in entries if isinstance(entry.policy, Policy))
    policies = tuple(
        policy.model_copy(update={"answered": Answers.to(policy, statements)})
        for policy in served
        if isinstance(policy, Policy)
    )
    drafted = tuple(policy for policy in served if isinstance(policy, Draft))
    written = {
        entry.file: Sources(entry.document, entry.defaults.document)
        for entry in asked
        if entry.document and not wrong[entry.file]
    }
    return Gathered(policies, tuple(unserved), _in_order(beside), drafted, written)


def _meant(entries: Sequence["_Entry"], names: Collection[str], directory: Path) -> dict[str, Sequence[str]]:
    """Return the policies that each requested name may mean."""
    known = {entry.name for entry in entries}
    return {name: named(name, known, directory) for name in names}


def _in_order(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    return tuple(sorted(mistakes, key=lambda one: (one.file, one.line, one.column, one.path)))


@dataclass(frozen=True, slots=True)
class _Entry:
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


def _entries(directory: Path, cloud: Cloud | None, *, required: bool) -> list[_Entry]:
    files_ = listed(directory, required=required)
    found = [(each.file, entry) for each in files_ if (entry := _read(each))]
    manifests = {place for _, entry in found if entry.document for place in manifest_file.places(entry.document)}
    found = [(file, entry) for file, entry in found if entry.claims or _stands(entry, manifests)]
    if required and not found:
        raise unusable(directory, "no policy here", "Write one as a file NAME.yaml; the documentation begins with one.")
    shelf = Shelf(directory, cloud)
    return [_understood(entry, shelf.of(file.parent), cloud) for file, entry in found]


def _stands(entry: _Entry, manifests: Collection[Path | None]) -> bool:
    """Tell if a file that declares no policy is a mistake all the same: directly in the directory, and no manifest."""
    return not entry.below and manifest_file.place(Path(entry.file)) not in manifests


def _read(found: PolicyPath) -> _Entry | None:
    """Read one file; None if it is in a subdirectory and is no policy by its words, so that it need not be parsed.

    Refuse a path with unprintable characters. The path becomes the name of the policy in terminals and logs, and
    control characters would act there.
    """
    if found.mistake:
        return _Entry(found.name, found.shown, "", mistakes=(found.mistake,), below=True)
    content = files.content(found.file, found.shown)
    entry = _Entry(found.name, found.shown, content.anyway, below=found.below)
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


def _understood(entry: _Entry, defaults: Defaults, cloud: Cloud | None) -> _Entry:
    entry = replace(entry, defaults=defaults)
    if entry.document is None:
        return replace(entry, mistakes=(*entry.mistakes, *defaults.mistakes))
    waiting = (*entry.document.mistakes, *waiting_lines(entry.text, entry.file))
    document, misplaced = _extended(entry.document, defaults)
    if defaults.mistakes:
        return replace(entry, document=document, mistakes=_first((*waiting, *defaults.mistakes)))
    policy, wrong = _policy(document, entry.name, defaults.subscriptions)
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
    """Of very many mistakes in one file the first."""
    if len(mistakes) <= MOST:
        return mistakes
    first = _in_order(mistakes)
    rest = f"{len(first) - MOST} more mistakes, of which this is the first"
    return (
        *first[:MOST],
        replace(first[MOST], path="", value="", problem=rest, remedy="Correct those that are named first."),
    )


def _conflicts(entries: Sequence[_Entry], names: Collection[str] | None) -> list[RivalClaim]:
    """Return the conflicts between files over the same principal, secret, registry or group.

    Conflicts found only in the text of a broken file are returned only against requested policies. The name of a broken
    file conflicts with no other name.
    """
    broken = [Broken(entry.file, entry.text, entry.defaults.text) for entry in entries if entry.mistakes]
    nameless = {one.file for one in broken}
    found = [
        each
        for each in rival_claims(entry.document for entry in entries if entry.document)
        if not (each.by_name and each.files & nameless)
    ]
    between = {conflict.files for conflict in found}
    whole = (
        entry.document
        for entry in entries
        if entry.document and not entry.mistakes and (names is None or entry.name in names)
    )
    return [*found, *(conflict for conflict in mentions(whole, broken) if conflict.files not in between)]


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
    filled, read = list(groups), manifest_file.Files(document)
    for index, manifest in manifest_file.named(document).items():
        found, mistakes = read.manifest(index, manifest)
        filled[index] = {**groups[index], "manifest": found}
        wrong |= dict.fromkeys(mistakes)
    return {**document.data, "container_groups": filled}, list(wrong)


def _strangers(entries: Sequence[_Entry], meant: Mapping[str, Sequence[str]], directory: str) -> Iterator[Unserved]:
    from difflib import get_close_matches

    known = sorted({entry.name for entry in entries})
    for name, several in sorted(meant.items()):
        if len(several) == 1:
            continue
        near = get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        problem, remedy = "no policy of that name", f"{hint}There are: {_few(known)}."
        if several:
            problem, remedy = "more than one policy of that name", f"Name one of: {_few(several)}."
        yield Unserved(plain(name), directory, (Mistake(directory, 1, 1, "", plain(name), problem, remedy),))


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(names[:MOST_NAMES])}{more}"
