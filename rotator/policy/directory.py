"""Read a directory of policies: the content of each file, all its mistakes, and conflicts between files.

A mistake concerns only the policy of the same file; one of defaults concerns every policy that extends them. Two files
with the same claim are both concerned. A mistake concerning no requested policy stops no policy: such mistakes are
reported separately.

Mistakes are: an unreadable file; a text other than YAML; keys and values refused by the model; lines of a draft that
wait for a person; manifests missing or without a container group; two policies managing the same object; a vault of
another cloud; a requested name without a policy.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rotator.cloud import CLOUDS
from rotator.errors import Mistake, PolicyError
from rotator.policy.answers import Answers, Statements
from rotator.policy.draft import Draft
from rotator.policy.effective import Sources
from rotator.policy.entries import Entry, in_order, read_entries
from rotator.policy.located import plain
from rotator.policy.model import Policy
from rotator.policy.naming import named
from rotator.policy.rivals import Broken, RivalClaim, mentions, rival_claims

MOST_NAMES = 30
"""Most names of policies in one mistake."""


@dataclass(frozen=True, slots=True)
class Unserved:
    """Requested policy with mistakes, with all of its mistakes and the text of the file."""

    name: str
    file: str
    mistakes: tuple[Mistake, ...]
    text: str = field(default="", repr=False)
    inherited: tuple[Mistake, ...] = ()
    """Mistakes in the defaults that the policy extends."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Result of reading a directory, for the requested policies."""

    policies: tuple[Policy, ...]
    """Valid policies, sorted by name."""
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
        return in_order({mistake for one in self.unserved for mistake in one.mistakes})


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
    entries = read_entries(Path(directory), CLOUDS.get(cloud or ""), required=required)
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
        Unserved(entry.name, entry.file, in_order(wrong[entry.file]), entry.text, entry.defaults.mistakes)
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
        policy.model_copy(update={"answered": Answers.to(policy, statements), "owners": statements.owners})
        for policy in served
        if isinstance(policy, Policy)
    )
    drafted = tuple(policy for policy in served if isinstance(policy, Draft))
    written = {
        entry.file: Sources(entry.document, entry.defaults.document)
        for entry in asked
        if entry.document and not wrong[entry.file]
    }
    return Gathered(policies, tuple(unserved), in_order(beside), drafted, written)


def _meant(entries: Sequence[Entry], names: Collection[str], directory: Path) -> dict[str, Sequence[str]]:
    """Return the policies that each requested name may mean."""
    known = {entry.name for entry in entries}
    return {name: named(name, known, directory) for name in names}


def _conflicts(entries: Sequence[Entry], names: Collection[str] | None) -> list[RivalClaim]:
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


def _strangers(entries: Sequence[Entry], meant: Mapping[str, Sequence[str]], directory: str) -> Iterator[Unserved]:
    from difflib import get_close_matches

    known = sorted({entry.name for entry in entries})
    for name, several in sorted(meant.items()):
        if len(several) == 1:
            continue
        near = get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        problem, remedy = "no policy of that name", f"{hint}There are: {_few(known)}."
        if several:
            problem, remedy = "more than one policy with that name", f"Name one of: {_few(several)}."
        yield Unserved(plain(name), directory, (Mistake(directory, 1, 1, "", plain(name), problem, remedy),))


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(names[:MOST_NAMES])}{more}"
