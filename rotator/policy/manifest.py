"""Placeholders, which stand in a manifest in place of secrets: ``${{ keyvault:NAME }}``."""

import re
from collections.abc import Callable, Iterator

from rotator.policy.choices import CredentialPart
from rotator.policy.located import Path, texts
from rotator.policy.source import CredentialSource, KeyVaultSource, Source

_OPEN, _CLOSE = "${{", "}}"
_MEANT = re.compile(
    r"keyvault:(?P<name>[0-9a-zA-Z-]{1,127})(?P<base64>:base64)?|credential:(?P<credential>password|username)"
)


def source(placeholder: str) -> Source | None:
    """Parse a placeholder's inside into a source; None for any other text.

    Known forms: ``keyvault:NAME`` (``:base64``), ``credential:password`` and ``credential:username``. The pattern
    follows the rules for these sources in a policy.
    """
    match = _MEANT.fullmatch(placeholder)
    if match is None:
        return None
    if match["name"]:
        return KeyVaultSource.model_construct(key_vault=match["name"], base64=bool(match["base64"]))
    return CredentialSource.model_construct(credential=CredentialPart(match["credential"]))


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


def has_placeholder(value: object) -> bool:
    """Tell if a placeholder stands in any text of a value."""
    return any(placeholders(text) for _, text in texts(value))


def unknown_placeholders(value: object) -> Iterator[Path]:
    """Yield the path of every text with a placeholder that rotator doesn't know."""
    for path, text in texts(value):
        if any(source(inner) is None for inner in placeholders(text)):
            yield path
