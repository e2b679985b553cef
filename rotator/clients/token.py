"""Identity of rotator and its tokens: one cache for every client, on `ports.Clock`.

azure-core and azure-identity cache by this machine's wall clock. Here a token lives until its own ``exp`` by Azure's
time; clients receive tokens marked as expired, so that they ask every time.
"""

import asyncio
import base64
import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError as SdkError
from azure.identity.aio import DefaultAzureCredential

from rotator.clients.pipeline import Line
from rotator.clients.refusal import ENTRA, ODD, Asked, parsed
from rotator.clients.translation import TRANSIENT, answered, no_identity, silent, translate
from rotator.clients.typed import text
from rotator.cloud import Cloud
from rotator.errors import AzureError, RotatorError

log = logging.getLogger(__name__)
REFRESH_BEFORE = 300.0
"""Seconds before a token's end for the request of a new one, as in azure-identity."""
FOREVER = 1e11
"""Upper limit for a token's end, in seconds of the epoch."""
AZ_TIMEOUT = "ROTATOR_AZ_TIMEOUT"
AZ_PATIENCE, LONGEST_AZ = 30, 600
"""Seconds to wait for az: by default (azure-identity's own default is 10), and at most."""
UNREADABLE_LIFE = 300.0
"""Seconds to keep a token without a readable end."""


@dataclass(frozen=True, slots=True)
class Who:
    """Identity in a token: tenant, object id, application id; empty where absent from the token."""

    tenant: str = ""
    object_id: str = ""
    app_id: str = ""


@dataclass(frozen=True, slots=True)
class _Held:
    text: str = field(repr=False)
    until: float | None
    """``exp`` in seconds of Azure's epoch."""
    got: float
    """Arrival of the token, in elapsed seconds."""


class Token:
    """azure-core TokenCredential around DefaultAzureCredential: one request per scope and token life."""

    def __init__(self, line: Line, cloud: Cloud) -> None:
        self._line, self._cloud = line, cloud
        self._held: dict[tuple[str, str | None], _Held] = {}
        self._locks: dict[tuple[str, str | None], asyncio.Lock] = {}
        self._inner: AsyncTokenCredential | None = None
        self._last: object = None
        self._told = False

    async def get_token(
        self, *scopes: str, tenant_id: str | None = None, claims: str | None = None, **_: object
    ) -> AccessToken:
        """Return a token to a client library. Raises Forbidden, Throttled or Unavailable of ours.

        `claims` come from a challenge of continuous access evaluation: the cached token is refused by now.
        """
        said = await (self.renewed(scopes[0], claims, tenant_id) if claims else self.text(scopes[0], tenant_id))
        return AccessToken(said, 0)

    async def renewed(self, scope: str, claims: str, tenant: str | None = None) -> str:
        """Return a new token with the claims of a challenge, in place of the cached one. Raises as :meth:`text`."""
        key = (scope, tenant)
        async with self._locks.setdefault(key, asyncio.Lock()):
            held = self._held[key] = await self._fetch(scope, tenant, again=True, claims=claims)
            return held.text

    async def text(self, scope: str, tenant: str | None = None) -> str:
        """Return a valid token for `scope`, of `tenant` if different from rotator's own."""
        key = (scope, tenant)
        async with self._locks.setdefault(key, asyncio.Lock()):
            held = self._held.get(key)
            if held is None or self._ends(held):
                held = self._held[key] = await self._fetch(scope, tenant, again=held is not None)
            return held.text

    async def claims(self, scope: str) -> dict[str, Any]:
        """Return the claims of a token for `scope`. Raises as :meth:`text`."""
        return _claims(await self.text(scope))

    async def who(self) -> Who:
        """Return rotator's signed-in identity.

        Raises as :meth:`text`, and Unexpected for an unreadable token.
        """
        claims = await self.claims(self._cloud.arm_scope)
        if not claims:
            raise translate(
                Asked(ENTRA, "read the identity in rotator's token"), ValueError("a token that can't be read")
            )
        return _who(claims)

    async def close(self) -> None:
        """Close the credential's connections."""
        if self._inner is not None:
            await self._inner.close()

    def _ends(self, held: _Held) -> bool:
        now = self._line.time.now()
        if held.until is None or now is None:
            return self._line.clock.elapsed() - held.got >= UNREADABLE_LIFE
        return held.until - now.timestamp() < REFRESH_BEFORE

    async def _fetch(self, scope: str, tenant: str | None, *, again: bool, claims: str | None = None) -> _Held:
        if again:
            await self.close()
            self._inner = None
        self._inner = self._inner or self._credential()
        self._last = None
        try:
            said = text((await self._inner.get_token(scope, tenant_id=tenant, claims=claims)).token)
        except (SdkError, *ODD) as error:
            failure = self._failure(error)
        else:
            self._tell(said)
            return _Held(said, _end(_claims(said)), self._line.clock.elapsed())
        raise failure

    @property
    def credential(self) -> str:
        """Name of the credential of the chain that signed in, as AZURE_TOKEN_CREDENTIALS takes it."""
        found = getattr(self._inner, "_successful_credential", None)
        return type(found).__name__ if found else ""

    def _tell(self, said: str) -> None:
        """Log once who signed in, and by which credential."""
        if not self._told:
            who = _who(_claims(said))
            log.info("signed in as %s (object %s) by %s", who.app_id or "a person", who.object_id, self.credential)
        self._told = True

    def _failure(self, error: Exception) -> AzureError:
        """Return the error of a failed sign-in, by the last request.

        The chain of credentials keeps only the words of its failures, so the last request decides the kind.
        """
        asked, last = Asked(ENTRA, "sign rotator in"), self._last
        if isinstance(last, SdkError):
            return silent(asked, last)
        status = getattr(last, "status_code", None)
        if status is not None and status < 400:  # neither a refusal nor a token
            return translate(asked, ValueError("no token"))
        if status in TRANSIENT or status in (400, 401, 403):
            return answered(asked, parsed(status, last.headers, last.text()))  # type: ignore[attr-defined]
        return translate(asked, error)

    def _credential(self) -> AsyncTokenCredential:
        """Create a new credential: its own cache is empty, so an old token isn't returned again. Raises Forbidden."""
        try:
            return DefaultAzureCredential(
                authority=self._cloud.authority,
                additionally_allowed_tenants=["*"],
                transport=self._line.transport(None),
                retry_policy_class=self._policy(),
                process_timeout=patience_with_az(os.environ),
            )
        except (ValueError, OSError) as error:
            raise no_identity(error, os.environ) from None

    def _policy(self) -> Callable[..., Any]:
        def note(outcome: object) -> None:
            self._last = outcome

        return lambda **_: self._line.retry(once=False, note=note)


def _who(claims: Mapping[str, Any]) -> Who:
    app_id = claims.get("appid") or claims.get("azp")
    return Who(*(str(value or "").lower() for value in (claims.get("tid"), claims.get("oid"), app_id)))


def patience_with_az(environment: Mapping[str, str]) -> int:
    """Return the seconds to wait for az to give a token. Raises RotatorError for a value that is no number of them."""
    said = environment.get(AZ_TIMEOUT, "").strip()
    if not said:
        return AZ_PATIENCE
    if said.isascii() and said.isdigit() and 0 < int(said) <= LONGEST_AZ:
        return int(said)
    remedy = f"Write {AZ_TIMEOUT}=SECONDS, a whole number from 1 to {LONGEST_AZ}, or unset it."
    raise RotatorError(f"{AZ_TIMEOUT} is {said!r}", state="No request was made.", remedy=remedy)


def _end(claims: dict[str, Any]) -> float | None:
    """Return the end of a token, if given as a number valid as a time."""
    end = claims.get("exp")
    return float(end) if isinstance(end, int | float) and 0 < end < FOREVER else None


def _claims(token: str) -> dict[str, Any]:
    """Return the claims of a JSON web token, unverified, because the token is our own; empty for any other text."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
