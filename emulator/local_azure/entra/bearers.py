"""Bearer tokens that services receive: the callers, and the reasons of a refusal."""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import jwt

from local_azure.clock import Clock
from local_azure.entra import signing
from local_azure.entra.audiences import plain
from local_azure.graph.behaviour import Directory
from local_azure.wire import Caller, ServiceError

Reason = Literal["missing", "malformed", "signature", "expired", "audience"]
REMEMBERED = 4096
"""Most verified tokens that are remembered by their text."""


class BadToken(ServiceError):
    """An invalid bearer token: 401 ``InvalidAuthenticationToken``.

    `reason` lets each service phrase the refusal.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(401, "InvalidAuthenticationToken", message)
        self.reason: Reason = reason


@dataclass(slots=True)
class TokenState:
    """The signing key (PEM), and the count of answers per application, for the replicas' turns."""

    key: str = field(repr=False)
    turns: dict[str, int] = field(default_factory=dict)


class Bearers:
    """Verification of the tokens of one tenant."""

    clock: Clock
    directory: Directory
    state: TokenState
    _verified: OrderedDict[tuple[str, str], dict[str, Any]]

    def verify(self, authorization: str | None, audiences: Collection[str]) -> Caller:
        """Return the caller of a request with this ``Authorization``. Raises BadToken 401.

        A token is valid until expiry, also after a removal of the secret or the principal.
        """
        claims = self.claims(authorization)
        now = self.clock.now()
        expires = datetime.fromtimestamp(claims["exp"], now.tzinfo)
        if now >= expires:
            raise BadToken(
                "expired",
                f"The access token expiry UTC time '{_us(expires)}' is earlier than current UTC time '{_us(now)}'.",
            )
        if plain(claims["aud"]) not in {plain(each) for each in audiences}:
            message = f"The access token has been obtained for wrong audience or resource '{claims['aud']}'."
            raise BadToken(
                "audience", f"{message} It should exactly match with one of the allowed audiences {_quoted(audiences)}."
            )
        return Caller(claims["tid"], claims["oid"], claims["appid"])

    def claims(self, authorization: str | None) -> dict[str, Any]:
        """Return the claims of a bearer token of ours, expired or not. Raises BadToken 401.

        A token is verified once, then cached.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise BadToken(
                "missing", "Authentication failed. The 'Authorization' header is missing or its scheme is not Bearer."
            )
        known = (self.state.key, token.strip())
        if known not in self._verified:
            self._verified[known] = self._checked(token.strip())
            if len(self._verified) > REMEMBERED:
                self._verified.popitem(last=False)
        return self._verified[known]

    def _checked(self, token: str) -> dict[str, Any]:
        try:
            claims = signing.verified(token, self.state.key)
        except jwt.InvalidSignatureError as error:
            raise BadToken("signature", "The access token is invalid: its signature doesn't verify.") from error
        except jwt.InvalidTokenError as error:
            raise BadToken("malformed", "The access token is invalid.") from error
        if claims.get("tid") != self.directory.tenant:
            raise BadToken(
                "signature",
                f"The access token is from the wrong issuer '{claims.get('iss')}'. It must match one of"
                f" '{self.issuer()}'.",
            )
        return claims

    def issuer(self) -> str:
        """Return the v1 issuer, used in tokens for Azure's own resources."""
        return f"https://sts.windows.net/{self.directory.tenant}/"


def _us(at: datetime) -> str:
    return f"{at:%m/%d/%Y %H:%M:%S}"


def _quoted(audiences: Collection[str]) -> str:
    return ",".join(f"'{audience}'" for audience in audiences)
