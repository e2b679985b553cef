"""Detect principals, secrets, container groups and registries claimed by more than one policy.

A conflict concerns the two files in conflict, and no other. A file without a valid policy claims its content: by the
parsed fields as far as possible, else by names anywhere in the text.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from rotator.errors import Mistake
from rotator.policy.located import Located, Path
from rotator.policy.rules import access_name

_INSIDE_A_NAME = frozenset("0123456789abcdefghijklmnopqrstuvwxyz-_")
_WORD = re.compile(r"[0-9a-z_-]+")


@dataclass(frozen=True, slots=True)
class Broken:
    """File without a valid policy, with its text, and the text of the defaults that it extends.

    `around` is None if these can't be read: the vault may be any.
    """

    file: str
    text: str
    around: str | None = ""


@dataclass(frozen=True, slots=True)
class RivalClaim:
    """Mistake between two files, or in one file alone."""

    mistake: Mistake
    files: frozenset[str]
    by_name: bool = False
    """True if only the names of the files collide."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """Claim of one place of a policy on an object.

    `key` is equal for equal objects; a text containing all `words` mentions the object.
    """

    noun: str
    key: tuple[Any, ...]
    document: Located
    path: Path
    remedy: str
    words: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Position of the claim, in the form used by mistakes."""
        return self.document.source(self.path)


def rival_claims(documents: Iterable[Located]) -> Iterator[RivalClaim]:
    """Yield a mistake at every place repeating an earlier claim; also for policies with other mistakes."""
    first: dict[tuple[Any, ...], _Claim] = {}
    for document in documents:
        told: set[Path] = set()
        for claim in _claims(document):
            owner = first.setdefault((claim.noun, *claim.key), claim)
            if owner is not claim and claim.path not in told:
                told.add(claim.path)
                mistake = document.mistake(claim.path, f"{claim.noun} that {owner.place} already has", claim.remedy)
                yield RivalClaim(mistake, frozenset({document.file, owner.document.file}), by_name=not claim.path)


def mentions(documents: Iterable[Located], broken: Sequence[Broken]) -> Iterator[RivalClaim]:
    """Yield a mistake for every policy mentioned in a file without a valid policy.

    The purpose of such a file is unknown: the file may be meant as a second policy for the same objects.
    """
    texts = _Texts.of(broken)
    for document in documents if broken else ():
        told = {document.file}
        for claim in (each for each in _claims(document) if each.words):
            for one, at in texts.naming(claim.words):
                if one.file not in told:
                    told.add(one.file)
                    yield RivalClaim(_mention(one, claim, at), frozenset({document.file, one.file}))


@dataclass(frozen=True, slots=True)
class _Texts:
    """Texts of broken files by the words in them, so that a claim is looked for only where it can stand."""

    texts: Sequence[tuple[Broken, str, str | None]]
    by_word: Mapping[str, Sequence[int]]

    @classmethod
    def of(cls, broken: Sequence[Broken]) -> "_Texts":
        """Read the words of every text once."""
        texts = [(one, one.text.lower(), one.around and one.around.lower()) for one in broken]
        by_word: dict[str, list[int]] = {}
        for number, (_, text, _) in enumerate(texts):
            for word in set(_WORD.findall(text)):
                by_word.setdefault(word, []).append(number)
        return cls(texts, by_word)

    def naming(self, words: Sequence[str]) -> Iterator[tuple[Broken, int]]:
        """Yield the texts with all words as whole names, each with the position of the last.

        All but the last may stand in the defaults that the file extends.
        """
        *hosts, name = words
        parts = _WORD.findall(name)
        fewest = min((self.by_word.get(part, ()) for part in parts), key=len, default=range(len(self.texts)))
        for one, text, around in (self.texts[number] for number in fewest):
            at = next(_places(text, name), -1)
            if at >= 0 and (around is None or all(_named(host, text, around) for host in hosts)):
                yield one, at


def _mention(one: Broken, claim: _Claim, at: int) -> Mistake:
    line, column = one.text.count("\n", 0, at) + 1, at - one.text.rfind("\n", 0, at)
    problem = f"{claim.noun} that {claim.place} also has, in a file with mistakes"
    return Mistake(
        one.file,
        line,
        column,
        "",
        "",
        problem,
        "Correct that file, or remove it from the directory: only one of the two can have it.",
    )


def _named(word: str, *texts: str) -> bool:
    """Tell if one of the texts has a word as a whole name."""
    return any(True for text in texts for _ in _places(text, word))


def _places(text: str, word: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        around = (text[at - 1 : at], text[at + len(word) : at + len(word) + 1])
        if not _INSIDE_A_NAME.intersection(around):
            yield at
        at = text.find(word, at + 1)


def _claims(document: Located) -> Iterator[_Claim]:
    yield _Claim(
        "a policy's name",
        (str(PurePath(document.file).with_suffix("")).lower(),),
        document,
        (),
        "Rename one of the two files.",
    )
    tenant = str(document.at(("principal", "tenant_id"))).lower()
    yield from _claim(
        document, "a principal", ("principal", "app_id"), "Keep one policy for each principal.", tenant, literally=True
    )
    yield from _claim(
        document, "an application's name", ("principal", "display_name"), "Give every policy an application of its own."
    )
    vault = str(document.at(("key_vault", "url"))).lower().rstrip("/")
    for name in ("password_secret", "username_secret"):
        yield from _claim(
            document,
            "a secret's name",
            ("key_vault", name),
            "Give every secret a name of its own.",
            vault,
            literally=True,
        )
    mark = "Rotator keeps the access mark in a secret of this name; choose another."
    yield from _claim(
        document,
        "a secret's name",
        ("key_vault", "password_secret"),
        mark,
        vault,
        literally=True,
        suffix=access_name(""),
    )
    yield from _each(document, "registries", "a registry", document.file)
    yield from _each(document, "container_groups", "a container group", literally=True)


def _each(document: Located, part: str, noun: str, *around: object, literally: bool = False) -> Iterator[_Claim]:
    listed = document.at((part,))
    remedy = "Remove one of the two."
    for index in range(len(listed) if isinstance(listed, list) else 0):
        yield from _claim(document, noun, (part, index, "id"), remedy, *around, literally=literally)


def _claim(
    document: Located, noun: str, path: Path, remedy: str, *around: object, literally: bool = False, suffix: str = ""
) -> Iterator[_Claim]:
    value = document.at(path)
    if not isinstance(value, str) or not value.strip("/ "):
        return
    key = value.lower().rstrip("/") + suffix
    hosts = tuple(str(one).removeprefix("https://") for one in around if str(one).startswith("https://"))
    yield _Claim(noun, (*around, key), document, path, remedy, (*hosts, key) if literally else ())
