"""Translate exceptions of the client libraries into :mod:`rotator.errors`.

Azure's error codes and texts are read here, in `refusal.py` and in the tables of `codes`.

Rules for editors of this file:

1. No part of a request may reach a message: an answer may quote the request. All values of `Asked.secrets` are removed
   from Azure's own words, and so is any text similar to a token or a client secret: rotator's own sign-in secret is
   unknown here.
2. The library's exception is dropped, not chained: it holds the request with its secrets.
3. Where a write is in doubt (`sending.py`), any failure is `OutcomeUnknown`.
"""

from collections.abc import Awaitable, Mapping
from typing import TypeVar

import aiohttp
import httpx
from azure.core.exceptions import AzureError as SdkError
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
)

from rotator.causes import Cause, Grounds
from rotator.clients.codes import grounds_of, sign_in_grounds
from rotator.clients.redaction import clean
from rotator.clients.refusal import ENTRA, ODD, Asked, Refused, ServiceRefusal, refused_by
from rotator.clients.sending import doubting
from rotator.codes import FailureCode
from rotator.errors import (
    AzureError,
    Conflict,
    Forbidden,
    Locked,
    NotFound,
    OutcomeUnknown,
    Throttled,
    Unavailable,
    Unexpected,
    Unseen,
    UnsupportedVersion,
)
from rotator.remedy import advise, recover_vault

T = TypeVar("T")

BROKEN = (SdkError, httpx.RequestError)
"""Exceptions of the libraries for a missing answer, or for an answer refused by the library."""
ABSENT = frozenset(
    {
        *("Request_ResourceNotFound", "ResourceNotFound", "ResourceGroupNotFound", "ParentResourceNotFound"),
        *("SecretNotFound", "ContainerGroupNotFound", "ContainerNotFound", "ContainerLogNotAvailable"),
        *("RoleAssignmentNotFound", "RoleDefinitionDoesNotExist"),
        *("BlobNotFound", "QueueNotFound", "MessageNotFound"),
    }
)
"""Codes of a 404 for the absence of the requested object: Graph's, Key Vault's, Storage's, and those of providers."""
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses worth a retry of the same request."""
_NEXT_RUNS = frozenset({Cause.ROLE, Cause.UNCLEAR, Cause.SIGN_IN_AGAIN, Cause.CHALLENGE})
"""Causes of a doubtful write that are left to the next run: the doubt comes first."""

_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    ServiceRequestTimeoutError,
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ProxyError,
    httpx.PoolTimeout,
)
_HOPELESS = (aiohttp.ClientSSLError, aiohttp.ClientConnectorCertificateError)
UNSENT = (
    "Check that the host name is right, and that this machine can reach it (DNS, proxy, firewall); then run again."
    " Nothing is lost."
)
"""Remedy for a failed connection: a wrong host name fails in the same way."""


PROXY = (
    "Check that HTTPS_PROXY names the right proxy, with its user's name and password if it wants them, and that the"
    " proxy is up and lets this machine reach the host; then run again. Nothing is lost."
)
"""Remedy for a proxy that doesn't connect."""
PROXY_AUTHENTICATION = 407


async def ask(asked: Asked, call: Awaitable[T]) -> T:
    """Return the result of `call`, including all reads of its answer.

    Raises an AzureError of ours for all exceptions of the libraries.
    """
    with doubting() as doubts:
        try:
            return await call
        except AzureError as error:
            failure = error
        except (Refused, *ODD, *BROKEN) as error:
            failure = translate(asked, error, in_doubt=doubts.number > 0)
    raise failure


def translate(asked: Asked, error: BaseException, *, in_doubt: bool = False) -> AzureError:
    """Return our error for a library's exception; `in_doubt`: a write may have had an effect."""
    refused = refused_by(error)
    if refused and (refused.status >= 300 or not isinstance(error, DecodeError)):
        return answered(asked, refused, in_doubt=in_doubt)
    if isinstance(error, ODD):
        return _odd(asked, error, in_doubt=in_doubt)
    if isinstance(error, ClientAuthenticationError):
        return _not_signed_in(asked, error.message or "")
    return silent(asked, error, in_doubt=in_doubt)


def answered(asked: Asked, refused: ServiceRefusal, *, in_doubt: bool = False) -> AzureError:
    """Return the error for a refusal."""
    grounds = grounds_of(asked, refused)
    kind = OutcomeUnknown if in_doubt else _kind(asked, refused, grounds)
    said = clean(asked.secrets, ": ".join(filter(None, (f"{refused.status} {refused.code}".strip(), refused.message))))
    known = not refused.request_id or refused.request_id in said  # Entra's own words have it as the trace id
    identified = "" if known else f" (request id {refused.request_id})"
    happened = f"{asked.service} refused to {asked.doing}: {said}{identified}"
    if kind is OutcomeUnknown or refused.status < 400:
        happened = f"{asked.service} answered {said} when asked to {asked.doing}{identified}"
    remedy = str(advise(grounds)) if grounds and not (in_doubt and grounds.cause in _NEXT_RUNS) else None
    error = kind(
        happened, service=asked.service, code=refused.code, status=refused.status, remedy=remedy, grounds=grounds
    )
    if isinstance(error, Throttled):
        error.seconds = refused.pause
    return error


def silent(asked: Asked, error: BaseException, *, in_doubt: bool = False) -> AzureError:
    """Return the error for a request without an answer."""
    why = type(getattr(error, "inner_exception", None) or error.__cause__ or error).__name__
    remedy = UNSENT + _if_deleted(asked, error) if never_sent(error) else None
    kind: type[AzureError] = OutcomeUnknown if in_doubt else Unavailable
    happened = f"{asked.service} gave no answer when asked to {asked.doing} ({why})"
    if by_proxy := proxy_failure(error):
        happened = f"{asked.service} was not asked to {asked.doing}: {by_proxy}"
        remedy = PROXY + _if_deleted(asked, error)
    return kind(happened, service=asked.service, code=why, remedy=remedy)


def _if_deleted(asked: Asked, error: BaseException) -> str:
    """Return the way back to a deleted vault, whose host is not found; empty where another cause is known."""
    known = hopeless(error) or any(
        isinstance(each, aiohttp.ClientProxyConnectionError)
        or (isinstance(each, aiohttp.ClientHttpProxyError) and each.status == PROXY_AUTHENTICATION)
        for each in _below(error)
    )
    way = f" The host of a deleted vault isn't found either: `{recover_vault(asked.vault)}` brings the vault back."
    return "" if known or not asked.vault else way


def proxy_failure(error: BaseException) -> str:
    """Return the failure of the proxy that kept a request from its host; empty if it was none."""
    for each in _below(error):
        if isinstance(each, aiohttp.ClientProxyConnectionError):
            return f"no connection to the proxy at {each.host}:{each.port}"
        if isinstance(each, aiohttp.ClientHttpProxyError):
            return f"the proxy refused, with {each.status}"
    return ""


def never_sent(error: BaseException) -> bool:
    """Tell if no byte of the request can have arrived, because no connection was made.

    A connection closed by the server is a ServiceRequestError of azure-core as well, so the exception below decides.
    """
    return any(isinstance(each, _NEVER_SENT) for each in _below(error))


def hopeless(error: BaseException) -> bool:
    """Tell if the same request must fail again.

    An untrusted certificate stays untrusted, and a token is never sent without TLS.
    """
    refused_here = isinstance(error, ServiceRequestError) and _below(error) == (error,)
    return refused_here or any(isinstance(each, _HOPELESS) for each in _below(error))


def _below(error: BaseException) -> tuple[BaseException, ...]:
    return tuple(filter(None, (error, getattr(error, "inner_exception", None), error.__cause__)))


def _odd(asked: Asked, error: BaseException, *, in_doubt: bool) -> AzureError:
    kind: type[AzureError] = OutcomeUnknown if in_doubt else Unexpected
    happened = f"{asked.service} gave an answer that can't be read when asked to {asked.doing} ({type(error).__name__})"
    return kind(happened, service=asked.service, code=FailureCode.UNREADABLE_ANSWER)


def _not_signed_in(asked: Asked, message: str) -> AzureError:
    grounds = sign_in_grounds(message)
    purpose = "" if asked.service == ENTRA else f", so it can't {asked.doing}"
    happened = f"rotator can't sign in{purpose}: {clean(asked.secrets, message)}"
    return Forbidden(
        happened, service=ENTRA, code=FailureCode.NOT_SIGNED_IN, remedy=str(advise(grounds)), grounds=grounds
    )


def no_identity(error: ValueError | OSError, environment: Mapping[str, str]) -> AzureError:
    """Return the error for variables unusable by azure-identity: an invalid tenant, a missing certificate file."""
    why = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
    names = ", ".join(sorted(name for name in environment if name.startswith("AZURE_")))
    remedy = f"Correct or unset the wrong one of these variables ({names}), then run again."
    said = clean((), why)
    return Forbidden(
        f"rotator can't sign in: {said}",
        service=ENTRA,
        code=FailureCode.NOT_SIGNED_IN,
        state="No request was made.",
        remedy=remedy,
    )


def _kind(asked: Asked, refused: ServiceRefusal, grounds: Grounds | None) -> type[AzureError]:
    """Return the error class of a refusal without doubt about the outcome.

    A 404 without a code doesn't prove absence: a proxy gives such an answer, too. Neither does a 404 with a code about
    another object.
    """
    if refused.status == 429:
        return Throttled
    if refused.status == 501 or refused.status < 400:
        return Unexpected
    if refused.status >= 500 or refused.status == 408:
        return Unavailable
    if grounds and grounds.cause is Cause.API_VERSION:
        return UnsupportedVersion
    if refused.status in (401, 403) or (asked.service == ENTRA and grounds):
        return Forbidden
    if refused.code == "ScopeLocked":
        return Locked
    if refused.status == 404:
        return _kind_of_absence(refused.code)
    return NotFound if _says_gone(refused) else Conflict


def _kind_of_absence(code: str) -> type[AzureError]:
    return NotFound if code in ABSENT else Unseen if code else Unexpected


def _says_gone(refused: ServiceRefusal) -> bool:
    """Tell if Graph reports an unknown key id: status 400, with a code also used for other errors."""
    return "No password credential found" in refused.message
