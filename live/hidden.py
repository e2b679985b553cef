"""Text without secrets, for reports that leave the machine. Pure, but for the record of known secrets."""

import re
from collections.abc import Mapping
from typing import Any

from rotator.secret import struck
from rotator.visible import one_line

SIGNED = re.compile(r"([?&](?:t|c|s|h|sig|code|sktn|skn|_state)=)[^&\"'\s]+")
"""Signatures in the addresses of operations and uploads."""
KEYS = frozenset(
    ("secrettext", "password", "access_token", "refresh_token", "value", "securevalue", "client_secret", "id_token")
)
"""Members of JSON with secret texts; `value` is one in a vault's secret."""
SHOWN = frozenset(
    (
        "azure-asyncoperation",
        "content-type",
        "docker-distribution-api-version",
        "etag",
        "location",
        "retry-after",
        "www-authenticate",
    )
)
"""Headers of answers in a report, beside those of limits."""
MOST = 1500
"""Characters of a body in a report."""


class Hidden:
    """Names and secrets to keep out of reports, each with its replacement."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._names: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Hidden({len(self._secrets)} secrets)"

    def secret(self, value: str) -> str:
        """Remember a secret; return the secret."""
        if value:
            self._secrets.add(value)
        return value

    def name(self, value: str, shown: str) -> str:
        """Remember a name of the user's environment, such as a tenant; return the name."""
        if value:
            self._names[value] = shown
        return value

    def text(self, text: str) -> str:
        """Return the text without secrets and without names of the user's."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        for name, shown in self._names.items():
            text = re.sub(re.escape(name), shown, text, flags=re.IGNORECASE)
        return one_line(SIGNED.sub(r"\1***", struck(text)))

    def body(self, body: Any) -> Any:
        """Return JSON without secrets: known values, and texts under names for secrets."""
        match body:
            case Mapping():
                return {name: self._member(str(name), value) for name, value in body.items()}
            case list():
                return [self.body(each) for each in body]
            case str():
                return self.text(body)[:MOST]
        return body

    def _member(self, name: str, value: Any) -> Any:
        return "***" if name.lower() in KEYS and isinstance(value, str) else self.body(value)

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers with facts about Azure, without secrets."""
        return {name: self.text(value) for name, value in headers.items() if _is_shown(name)}


def _is_shown(name: str) -> bool:
    return name.lower() in SHOWN or name.lower().startswith(("x-ms-ratelimit", "x-ms-throttle", "x-ms-resource"))
