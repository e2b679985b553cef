"""Marks: words under a tag of a secret's version, which record a person's declaration or a run's finding.

The module chooses the version for a mark, and computes the new tags.

Rules for editors of this file:

1. A mark is added to the present tags, and removes no word of any owner: comma lists are united.
2. Key Vault gives a version 15 tags, and this file a value 256 characters (azure-facts E4; newer documentation says
   512). A longer list goes on in a tag of the same name with a number.
3. Tags of others must not stop a mark that has to succeed: the mark goes to another version, and in the end replaces a
   tag of others, by name.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rotator.plan.stripped_groups import EVERY_GROUP, STRIPPED, short, stripped
from rotator.plan.view import View
from rotator.policy import Policy
from rotator.resource_id import ArmId
from rotator.state import ADOPTED, ATTEMPT, COMPROMISED, HOME, KEY_ID, OWN, Observed, Tags, Version, series, tags
from rotator.steps import Intent

MOST_TAGS, LONGEST = 15, 256
"""Tags of a version, and characters of a tag's value."""
MOST_CARRIED = MOST_TAGS - len((KEY_ID, HOME, ATTEMPT)) - len((ADOPTED, COMPROMISED, STRIPPED))
"""Tags of others taken over from the newest version: the rest is for our own tags, with room for each mark."""
COPIES = 2
"""Versions that record a compromised credential, if as many exist: a single delayed write can't undo the record."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Words to add under `tag` of a version; `must`: in place of a tag of others, if there is no room."""

    version: str
    tag: str
    words: tuple[str, ...]
    must: bool = False


@dataclass(frozen=True, slots=True)
class Marked:
    """Tags of a version, and the names of others' that there was no room for."""

    tags: Tags
    dropped: tuple[str, ...] = ()


def carried(newest: Version | None, declared: Mapping[str, str] | None = None) -> Marked:
    """Return the tags of others that a new version takes over, by name, as many as fit; our own tags are not copied.

    The tags that the policy declares come first, and replace those of the same name.
    """
    wanted = dict(declared or {})
    kept = [(name, value) for name, value in (newest.tags if newest else ()) if not name.startswith(OWN)]
    theirs = [*wanted.items(), *(each for each in kept if each[0] not in wanted)]
    return Marked(tuple(theirs[:MOST_CARRIED]), tuple(name for name, _ in theirs[MOST_CARRIED:]))


def marked(version: Version, mark: Mark) -> Marked | None:
    """Return the version's tags with the mark added; None without room and without permission to make room."""
    found, dropped = dict(version.tags), []
    while (full := _added(found, mark)) is None:
        theirs = sorted(name for name in found if not name.startswith(OWN))
        if not mark.must or not theirs:
            return None
        dropped.append(theirs[-1])
        del found[theirs[-1]]
    return Marked(tags(full), tuple(dropped))


def _added(found: dict[str, str], mark: Mark) -> dict[str, str] | None:
    full = dict(found)
    for word in mark.words:
        if word.lower() not in {each for name in series(full, mark.tag) for each in _words(full[name])}:
            _put(full, mark.tag, word.lower())
    return full if len(full) <= max(MOST_TAGS, len(found)) else None


def _put(full: dict[str, str], tag: str, word: str) -> None:
    for name in series(full, tag):
        listed = ",".join(sorted({*_words(full[name]), word}))
        if len(listed) <= LONGEST:
            full[name] = listed
            return
    if tag == STRIPPED and tag in full:
        full[tag] = EVERY_GROUP
        return
    full[next(name for name in _names(tag) if name not in full)] = word


def _names(tag: str) -> Iterator[str]:
    yield tag
    yield from (f"{tag}-{number}" for number in range(2, MOST_TAGS + 1))


def _words(value: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip().lower() for part in value.split(","))))


def compromise_marks(policy: Policy, observed: Observed, key_ids: Iterable[str]) -> tuple[Mark, ...]:
    """Return the marks still to be written to declare each of these compromised; empty if all are declared.

    The version that holds the credential comes first, then those of ours, the newest of which is current, then any
    other; each if the version has room.
    """
    view = View(policy, observed, Intent())
    return tuple(mark for key_id in dict.fromkeys(k.lower() for k in key_ids) for mark in _compromise(view, key_id))


def _compromise(view: View, key_id: str) -> Iterator[Mark]:
    order = _by_closeness(view, key_id)
    open_ = [v for v in order if key_id not in v.compromised]
    kept, wanted = len(order) - len(open_), min(COPIES, len(order))
    marks = [mark for v in open_ if marked(v, mark := Mark(v.id, COMPROMISED, (key_id,)))]
    if not marks and not kept:
        marks = [mark for v in open_ if marked(v, mark := Mark(v.id, COMPROMISED, (key_id,), must=True))][:1]
    yield from marks[: max(wanted - kept, 0)]


def _by_closeness(view: View, key_id: str) -> Sequence[Version]:
    newest_first = tuple(reversed(view.versions))
    holders = [v for v in newest_first if v.key_id == key_id]
    return tuple(dict.fromkeys([*holders, *(v for v in newest_first if v.ours), *newest_first]))


def strip_marks(versions: Iterable[Version], version_id: str, group_id: ArmId) -> tuple[Mark, ...]:
    """Return the marks still to be written to record a container group that lost our tags; empty if recorded."""
    name = short(group_id)
    lacking = (v for v in versions if v.id == version_id and not stripped(v, group_id))
    return tuple(Mark(v.id, STRIPPED, (name,), must=True) for v in lacking)
