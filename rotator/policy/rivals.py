"""Two owners of one thing undo each other's work, so every principal, secret, container group and registry has one place in one policy."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from rotator.errors import Mistake
from rotator.policy.located import Located, Path
from rotator.policy.rules import access_name


@dataclass(frozen=True, slots=True)
class _Claim:
    """What one place says is its own. `key` is equal for equal things."""

    noun: str
    key: tuple[Any, ...]
    document: Located
    path: Path
    remedy: str


def rivals(documents: Iterable[Located]) -> Iterator[Mistake]:
    """A mistake at every place that claims what an earlier place has claimed; it works on policies with other mistakes, too."""
    first: dict[tuple[Any, ...], _Claim] = {}
    for document in documents:
        told: set[Path] = set()
        for claim in _claims(document):
            owner = first.setdefault((claim.noun, *claim.key), claim)
            if owner is not claim and claim.path not in told:
                told.add(claim.path)
                place = owner.document.place(owner.path)
                problem = f"{claim.noun} that {owner.document.file}:{place.line}:{place.column} has already"
                yield document.mistake(claim.path, problem, claim.remedy)


def _claims(document: Located) -> Iterator[_Claim]:
    def claim(noun: str, path: Path, remedy: str, *around: object, suffix: str = "") -> Iterator[_Claim]:
        if isinstance(value := document.at(path), str):
            yield _Claim(noun, (*around, value.lower().rstrip("/") + suffix), document, path, remedy)

    yield _Claim("a policy's name", (PurePath(document.file).stem,), document, (), "Rename one of the two files.")
    yield from claim("a principal", ("principal", "app_id"), "Keep one policy for each principal.", document.at(("principal", "tenant_id")))
    yield from claim("an application's name", ("principal", "display_name"), "Give every policy an application of its own.")
    vault = str(document.at(("key_vault", "url"))).lower().rstrip("/")
    for name in ("password_secret", "username_secret"):
        yield from claim("a secret's name", ("key_vault", name), "Give every secret a name of its own.", vault)
    mark = "Rotator keeps the access mark in a secret of this name; choose another."
    yield from claim("a secret's name", ("key_vault", "password_secret"), mark, vault, suffix=access_name(""))
    for part, noun in (("registries", "a registry"), ("container_groups", "a container group")):
        listed = document.at((part,))
        for index in range(len(listed) if isinstance(listed, list) else 0):
            yield from claim(noun, (part, index, "id"), "Remove one of the two.", document.file)
