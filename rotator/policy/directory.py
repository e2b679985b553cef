"""Read a directory of policies: the content of each file, all its mistakes, and conflicts between files.

A mistake concerns only the policy of the same file. Two files with the same claim are both concerned. A mistake
concerning no requested policy stops no policy: such mistakes are reported separately.

Mistakes are: an unreadable file; a text other than YAML; keys and values refused by the model; manifests missing or
without a container group; two policies managing the same object; a vault of another cloud; a requested name without a
policy.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rotator.cloud import CLOUDS, Cloud
from rotator.errors import Mistake, PolicyError
from rotator.policy import files, manifest_file
from rotator.policy.answers import Answers, Statements
from rotator.policy.draft import Draft, completed, is_draft
from rotator.policy.located import Located, plain
from rotator.policy.model import Policy, PolicyFile
from rotator.policy.rivals import Broken, RivalClaim, mentions, rival_claims
from rotator.policy.values import parse
from rotator.remedy import rotator

_SUFFIXES = (".yaml", ".yml")
MOST = 100
"""Mistakes of one file that are told."""
_PRINCIPAL = re.compile(r"""^["']?principal["']?\s*:""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Unserved:
    """Requested policy with mistakes, with all of its mistakes and the text of the file."""

    name: str
    file: str
    mistakes: tuple[Mistake, ...]
    text: str = field(default="", repr=False)


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
    `directory`, except files named as a manifest by another file there. A draft is a mistake in place of a policy.
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
    conflicts = _conflicts(entries, names)
    asked = sorted(
        (entry for entry in entries if not names or entry.name in names), key=lambda entry: (entry.name, entry.file)
    )
    concerned = {entry.file for entry in asked}
    wrong = {entry.file: (*entry.mistakes, *(() if drafts else entry.unfinished)) for entry in asked}
    for conflict in conflicts:
        for file in conflict.files & concerned:
            wrong[file] = (*wrong[file], conflict.mistake)
    unserved = [
        Unserved(entry.name, entry.file, _in_order(wrong[entry.file]), entry.text)
        for entry in asked
        if wrong[entry.file]
    ]
    unserved += _strangers(entries, names, str(directory))
    beside = [mistake for entry in entries if entry.file not in concerned for mistake in entry.mistakes]
    beside += [conflict.mistake for conflict in conflicts if not conflict.files & concerned]
    served = [entry.policy for entry in asked if not wrong[entry.file]]
    statements = Statements.of(entry.policy for entry in entries if isinstance(entry.policy, Policy))
    policies = tuple(
        policy.model_copy(update={"answered": Answers.to(policy, statements)})
        for policy in served
        if isinstance(policy, Policy)
    )
    return Gathered(
        policies, tuple(unserved), _in_order(beside), tuple(policy for policy in served if isinstance(policy, Draft))
    )


def _in_order(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    return tuple(sorted(mistakes, key=lambda one: (one.file, one.line, one.column, one.path)))


@dataclass(frozen=True, slots=True)
class _Entry:
    """One file of the directory: its content, as far as readable, and the policy or mistakes found."""

    file: str
    text: str
    document: Located | None = None
    policy: Policy | Draft | None = None
    mistakes: tuple[Mistake, ...] = ()

    @property
    def name(self) -> str:
        """The policy's name."""
        return Path(self.file).stem

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
        """Tell if the file declares a policy: a manifest has no `principal`."""
        if self.document is None:
            return bool(_PRINCIPAL.search(self.text))
        return isinstance(self.document.data, dict) and "principal" in self.document.data


def _entries(directory: Path, cloud: Cloud | None, *, required: bool) -> list[_Entry]:
    found = [_read(file) for file in _listed(directory, required=required)]
    named = {place for entry in found if entry.document for place in manifest_file.places(entry.document)}
    found = [entry for entry in found if entry.claims or manifest_file.place(Path(entry.file)) not in named]
    if required and not found:
        raise _unusable(
            directory, "no policy here", "Write one as a file NAME.yaml; the documentation begins with one."
        )
    return [_understood(entry, cloud) for entry in found]


def _listed(directory: Path, *, required: bool) -> list[Path]:
    try:
        listed = sorted(directory.iterdir())
    except FileNotFoundError:
        if not required:
            return []
        raise _unusable(directory, "no such directory", "Name the one that has the policies with --policies.") from None
    except NotADirectoryError:
        raise _unusable(directory, "no such directory", "Name the one that has the policies with --policies.") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no file has such a name"
        raise _unusable(
            directory, f"can't be read: {why}", "Make the directory readable, or name another with --policies."
        ) from None
    return [file for file in listed if file.suffix.lower() in _SUFFIXES and not file.name.startswith(".")]


def _unusable(directory: Path, problem: str, remedy: str) -> PolicyError:
    return PolicyError((Mistake(plain(str(directory), 1000), 1, 1, "", "", problem, remedy),))


def _read(file: Path) -> _Entry:
    """Read one file. Refuse a file name with unprintable characters.

    The file name becomes the name of the policy in terminals and logs, and control characters would act there.
    """
    name = str(file.parent / plain(file.name, 300))
    found = files.content(file, name)
    if not file.name.isprintable():
        return _Entry(
            name,
            found.anyway,
            None,
            None,
            (Mistake(name, 1, 1, "", "", "a file name with characters that can't be printed", "Rename the file."),),
        )
    if found.text is None:
        return _Entry(name, found.anyway, None, None, (found.mistake,) if found.mistake else ())
    try:
        return _Entry(name, found.text, parse(found.text, name))
    except PolicyError as error:
        return _Entry(name, found.text, None, None, error.mistakes)


def _understood(entry: _Entry, cloud: Cloud | None) -> _Entry:
    if entry.document is None:
        return entry
    policy, wrong = _policy(entry.document)
    return replace(entry, policy=policy, mistakes=_first((*wrong, *_abroad(entry.document, cloud))))


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


def _conflicts(entries: Sequence[_Entry], names: Collection[str]) -> list[RivalClaim]:
    """Return the conflicts between files over the same principal, secret, registry or group.

    Conflicts found only in the text of a broken file are returned only against requested policies. The name of a broken
    file conflicts with no other name.
    """
    broken = [Broken(entry.file, entry.text) for entry in entries if entry.mistakes]
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
        if entry.document and not entry.mistakes and (not names or entry.name in names)
    )
    return [*found, *(conflict for conflict in mentions(whole, broken) if conflict.files not in between)]


def _policy(document: Located) -> tuple[Policy | Draft | None, list[Mistake]]:
    if not isinstance(document.data, dict):
        remedy = "Begin with the keys principal, registries and key_vault; a manifest belongs into a directory below."
        return None, [*document.mistakes, document.mistake((), "not a policy: it has no keys", remedy)]
    data, wrong = _with_manifests(document)
    try:
        draft = is_draft(data)
        parsed = PolicyFile.model_validate(completed(data) if draft else data)
    except ValidationError as error:
        from rotator.policy.mistakes import described

        return None, [*document.mistakes, *wrong, *described(document, error.errors())]
    if draft:
        name, found = Path(document.file).stem, [*document.mistakes, *wrong]
        return Draft(name, document.file, parsed.principal.display_name or "", parsed), found
    fields = {name: getattr(parsed, name) for name in PolicyFile.model_fields}
    return Policy.model_construct(**fields, name=Path(document.file).stem, file=document.file), [
        *document.mistakes,
        *wrong,
    ]


def _with_manifests(document: Located) -> tuple[dict[str, Any], list[Mistake]]:
    """Return the policy's data with manifests read; leave out unusable manifests, and return their mistakes."""
    groups, wrong = document.data.get("container_groups"), dict[Mistake, None]()
    if not isinstance(groups, list):
        return document.data, []
    filled, read = list(groups), manifest_file.Files(document)
    for index, named in manifest_file.named(document).items():
        found, mistakes = read.manifest(index, named)
        filled[index] = {**groups[index], "manifest": found}
        wrong |= dict.fromkeys(mistakes)
    return {**document.data, "container_groups": filled}, list(wrong)


def _abroad(document: Located, cloud: Cloud | None) -> Iterator[Mistake]:
    """Yield a mistake for a vault of another cloud than `cloud`.

    Tenants, registries and container groups of another cloud are other objects, even with equal names.
    """
    path = ("key_vault", "url")
    url = str(document.at(path)).lower().rstrip("/")
    for other in CLOUDS.values() if cloud else ():
        if other is not cloud and cloud and url.startswith("https://") and url.endswith(f".{other.vault_suffix}"):
            remedy = (
                f"Run with --cloud {other.name} (or ROTATOR_CLOUD={other.name}), or write the URL of a vault at"
                f" .{cloud.vault_suffix}."
            )
            yield document.mistake(path, f"a vault of {other.shown}, and rotator is to ask {cloud.shown}", remedy)


def _strangers(entries: Sequence[_Entry], names: Collection[str], directory: str) -> Iterator[Unserved]:
    from difflib import get_close_matches

    known = sorted(entry.name for entry in entries)
    for name in sorted(set(names) - set(known)):
        near = get_close_matches(name, known, n=1)
        meant = f"Did you mean {near[0]}? " if near else ""
        problem = Mistake(
            directory, 1, 1, "", plain(name), "no policy of that name", f"{meant}There are: {', '.join(known)}."
        )
        yield Unserved(plain(name), directory, (problem,))
