"""Search for leaked secrets in written text, in every form that a secret can have there."""

import base64
import json
import re
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

TOKEN = re.compile(r"\bey[\w-]{10,}\.[\w-]{10,}\.[\w-]+")
"""JSON web token of any issuer: access tokens, refresh tokens of a registry."""
SHORTEST = 8
"""Shortest secret to search for: shorter ones are part of ordinary words."""


def forms(secret: str) -> set[str]:
    """Return a secret's forms in text, in URLs, in JSON, in Python and in base64, alone or behind a user name."""
    encoded = {
        base64.b64encode(secret.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
    }
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1], *encoded}


def found(secrets: Iterable[str], written: Mapping[str, str]) -> list[str]:
    """Return the names of texts with a secret; never the secret, or a failing test would be the next leak."""
    sought = {form for secret in secrets if len(secret) >= SHORTEST for form in forms(secret)}
    assert sought
    return [name for name, text in written.items() if TOKEN.search(text) or any(form in text for form in sought)]


def files(directory: Path, but: Path | None = None) -> dict[str, str]:
    """Return the text of the files below a directory, by path."""
    kept = (path for path in directory.rglob("*") if path.is_file() and not (but and path.is_relative_to(but)))
    return {str(path): f"{path.name}\n{path.read_bytes().decode(errors='replace')}" for path in kept}


def shown(error: BaseException | None) -> str:
    """Return the visible text of an exception and of its causes and contexts."""
    if error is None:
        return ""
    own = "".join(traceback.TracebackException.from_exception(error, capture_locals=False).format())
    return "\n".join((own, repr(error.args), repr(vars(error)), shown(error.__cause__), shown(error.__context__)))
