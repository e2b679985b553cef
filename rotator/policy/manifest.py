"""Manifests: files deploying a container group, with placeholders in place of secrets.

A manifest is the file of `az container create --file`, or ARM JSON.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rotator.errors import Mistake, PolicyError
from rotator.policy.located import Located, Path, parse, plain, texts
from rotator.policy.model import Manifest
from rotator.policy.rules import GROUP
from rotator.policy.source import CredentialSource, KeyVaultSource, Source
from rotator.remedy import EXPORT_GROUP
from rotator.resource_id import ArmId

_OPEN, _CLOSE = "${{", "}}"
_MEANT = re.compile(
    r"keyvault:(?P<name>[0-9a-zA-Z-]{1,127})(?P<base64>:base64)?|credential:(?P<credential>password|username)"
)


def source(placeholder: str) -> Source | None:
    """Parse a placeholder's inside into a source; None for any other text.

    Known forms: ``keyvault:NAME`` (``:base64``), ``credential:password`` and ``credential:username``.
    """
    match = _MEANT.fullmatch(placeholder)
    if match is None:
        return None
    if match["name"]:
        return KeyVaultSource(key_vault=match["name"], base64=bool(match["base64"]))
    return CredentialSource.model_validate({"credential": match["credential"]})


def placeholders(text: str) -> list[str]:
    """The inside of every placeholder of a text, for :func:`source` to read."""
    return [text[start + len(_OPEN) : end - len(_CLOSE)].strip() for start, end in _spans(text)]


def alone(text: str) -> str | None:
    """Return the placeholder's inside if the text is exactly one placeholder, else None."""
    return placeholders(text)[0] if list(_spans(text)) == [(0, len(text))] else None


def filled(text: str, fill: Callable[[str], str]) -> str:
    """Return the text with `fill` of its inside in place of every placeholder, in one pass."""
    parts, at = list[str](), 0
    for (start, end), inside in zip(_spans(text), placeholders(text), strict=True):
        parts += [text[at:start], fill(inside)]
        at = end
    return "".join([*parts, text[at:]])


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each placeholder, in linear time.

    A regular expression isn't linear for an unclosed placeholder.
    """
    at = 0
    while (start := text.find(_OPEN, at)) >= 0 and (end := text.find(_CLOSE, start + len(_OPEN))) >= 0:
        at = end + len(_CLOSE)
        yield start, at


@dataclass(frozen=True, slots=True)
class Read:
    """Manifest file, read once for all groups naming the file; `mistakes` concern every such group."""

    file: str
    found: Located | None
    path: Path
    mistakes: tuple[Mistake, ...]

    @classmethod
    def of(cls, text: str, file: str) -> "Read":
        """Parse `text`, with all mistakes; one mistake if neither YAML nor JSON (a part of YAML)."""
        try:
            found = parse(text, file, version=(1, 1))
        except PolicyError as error:
            return cls(file, None, (), error.mistakes)
        path = _resource(found)
        return cls(file, found, path, (*found.mistakes, *_mistakes(found, path)))

    def manifest(self, group_id: ArmId) -> tuple[Manifest | None, tuple[Mistake, ...]]:
        """Return the manifest of one group, or the mistakes of this group alone."""
        if self.found is None or not _one(self.found, self.path):
            return None, ()
        own = tuple(_name(self.found, self.path, group_id.name))
        return (None if own or self.mistakes else Manifest(self.file, self.found.at(self.path))), own


def _resource(found: Located) -> Path:
    """Return the path of the container group: the whole document, or the only one in an ARM template."""
    resources = found.at(("resources",))
    if not isinstance(resources, list):
        return ()
    groups = [index for index, item in enumerate(resources) if isinstance(item, dict) and _is_group(item.get("type"))]
    return ("resources", groups[0]) if len(groups) == 1 else ("resources",)


def _is_group(kind: object) -> bool:
    return isinstance(kind, str) and kind.lower() == GROUP.type.lower()


def _one(found: Located, path: Path) -> bool:
    """Tell if there is one container group at `path`."""
    document = found.at(path)
    return isinstance(document, dict) and "principal" not in document


def _mistakes(found: Located, path: Path) -> Iterator[Mistake]:
    document = found.at(path)
    if not isinstance(document, dict):
        yield found.mistake(
            path,
            "not one container group",
            f"Write what `{EXPORT_GROUP} --file` writes, or an ARM template with one container group.",
        )
        return
    if "principal" in document:
        yield found.mistake(
            (*path, "principal"),
            "a policy, where the manifest of a container group is meant",
            "Name the manifest.",
            key=True,
        )
        return
    yield from _shape(found, path)
    for inside, text in texts(document):
        yield from _placeholders(found, (*path, *inside), text)
        if path and text.startswith("[") and not text.startswith("[[") and text.endswith("]"):
            yield found.mistake(
                (*path, *inside),
                "an expression of an ARM template, which only ARM can evaluate",
                "Write the value that it has.",
            )


def _name(found: Located, path: Path, name: str) -> Iterator[Mistake]:
    called = found.at((*path, "name"))
    if called is not None and str(called).lower() != name.lower():
        yield found.mistake(
            (*path, "name"),
            f"not the name that the policy gives, which is {plain(name)}",
            f"Write {plain(name)}, or correct the id in the policy.",
        )


def _shape(found: Located, path: Path) -> Iterator[Mistake]:
    kind, containers = (found.at((*path, *part)) for part in (("type",), ("properties", "containers")))
    if kind is not None and not _is_group(kind):
        yield found.mistake((*path, "type"), "not the type of a container group", f"Write {GROUP.type}.")
    if not isinstance(found.at((*path, "location")), str):
        yield found.mistake(
            (*path, "location"), "no location", "Add the region of the group, for example `location: westeurope`."
        )
    if not (isinstance(containers, list) and containers):
        yield found.mistake(
            (*path, "properties", "containers"), "no containers", f"Add them, as `{EXPORT_GROUP}` writes them."
        )


def _placeholders(found: Located, path: Path, text: str) -> Iterator[Mistake]:
    if any(source(inner) is None for inner in placeholders(text)):
        remedy = "Write ${{ keyvault:NAME }}, ${{ credential:password }} or ${{ credential:username }}."
        yield found.mistake(path, "not a placeholder that rotator knows", remedy)
