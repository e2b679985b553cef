"""The registry's own tokens; they outlive the password used to get them, so revoking is not instant.

Lifetimes: access tokens `Timing.registry_token_life` (75 min), refresh tokens 3 h (Azure/acr, AAD-OAuth.md). Rights are
fixed when an access token is issued, so a token issued before the removal of a role still pulls.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import jwt

from local_azure.clock import Clock
from local_azure.ids import Ids
from local_azure.wire import Json

REFRESH_LIFE = 3 * 3600.0
"""Seconds that a refresh token lives (documented: 3 h)."""
ISSUER = "Azure Container Registry"
Kind = Literal["access", "refresh"]


class BadRegistryToken(Exception):
    """A token not issued by the registry, expired, or of the other kind."""


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """One entry of an access token's ``access`` claim."""

    type: str
    name: str
    actions: tuple[str, ...]

    @classmethod
    def parse(cls, scope: str) -> "list[TokenGrant]":
        """From a ``scope`` parameter: ``repository:team/app:pull,push``, several separated by spaces.

        ValueError if it is neither.
        """
        return [cls._one(text) for text in scope.split()]

    @classmethod
    def _one(cls, text: str) -> "TokenGrant":
        kind, _, rest = text.partition(":")
        name, _, actions = rest.rpartition(":")
        if kind not in ("repository", "registry") or not name or not actions:
            raise ValueError(f"scope {text!r} is not type:name:actions")
        return cls(kind, name, tuple(actions.split(",")))

    def claim(self) -> dict[str, Json]:
        """Return the grant as written in the token."""
        return {"type": self.type, "name": self.name, "actions": list(self.actions)}


class Mint:
    """Issues and reads the tokens of all registries with one key."""

    def __init__(self, clock: Clock, key: Callable[[], str], access_life: float) -> None:
        self._clock, self._key, self._ids = clock, key, Ids(0)
        self._life = {"access": access_life, "refresh": REFRESH_LIFE}

    def issue(
        self, kind: Kind, host: str, subject: str, grant_type: str, access: Sequence[TokenGrant] | None = None
    ) -> str:
        """A signed token for `subject` (an application id, or the admin user's name) at the registry `host`."""
        now = int(self._clock.now().timestamp())
        claims: dict[str, Json] = {
            "jti": self._ids.guid(),
            "sub": subject,
            "nbf": now,
            "exp": now + int(self._life[kind]),
            "iat": now,
        }
        claims |= {"iss": ISSUER, "aud": host, "version": "1.0", "grant_type": grant_type, "appid": subject}
        if kind == "refresh":
            claims["permissions"] = {"actions": ["read", "write", "delete"], "notActions": None}
        elif access is not None:
            claims["access"] = [grant.claim() for grant in access]
        return jwt.encode(claims, self._key(), algorithm="HS256", headers={"kid": kind})

    def read(self, kind: Kind, host: str, token: str) -> dict[str, Json]:
        """The claims of a token of ours. Raises BadRegistryToken."""
        try:
            claims: dict[str, Json] = jwt.decode(
                token,
                self._key(),
                algorithms=["HS256"],
                audience=host,
                issuer=ISSUER,
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError as error:
            raise BadRegistryToken(str(error)) from error
        if jwt.get_unverified_header(token).get("kid") != kind or claims["exp"] <= self._clock.now().timestamp():
            raise BadRegistryToken("The token has ended or is of another kind.")
        return claims
