"""Translate exceptions of the client libraries into :mod:`rotator.errors`.

No other file reads Azure's error codes and texts. Rules for editors of this file:

1. No part of a request may reach a message: an answer may quote the request. All values of `Asked.secrets` are removed
   from Azure's own words, and so is any text similar to a token or a client secret: rotator's own sign-in secret is
   unknown here.
2. The library's exception is dropped, not chained: it holds the request with its secrets.
3. Where a write is in doubt (`sending.py`), any failure is `OutcomeUnknown`.
"""

import json
import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import httpx
from azure.core.exceptions import AzureError as SdkError
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    DeserializationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
)

from rotator.clients.sending import doubting
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
)
from rotator.remedy import LOGIN
from rotator.secret import struck
from rotator.state import Secret

T = TypeVar("T")

ENTRA = "Microsoft Entra ID"
"""Name of the sign-in service: after its refusal, no other request is possible."""
BROKEN = (SdkError, httpx.RequestError)
"""Exceptions of the libraries for a missing answer, or for an answer refused by the library."""
ODD = (
    DecodeError,
    DeserializationError,
    LookupError,
    ArithmeticError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
)
"""Exceptions from reading an answer without its documented shape."""
ABSENT = frozenset(
    {
        *("Request_ResourceNotFound", "ResourceNotFound", "ResourceGroupNotFound", "ParentResourceNotFound"),
        *("SecretNotFound", "ContainerGroupNotFound", "ContainerNotFound", "ContainerLogNotAvailable"),
        *("RoleAssignmentNotFound", "RoleDefinitionDoesNotExist"),
    }
)
"""Codes of a 404 from Graph, Key Vault and Resource Manager's providers for the absence of the requested object."""
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses worth a retry of the same request."""

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
_REQUEST_IDS = ("x-ms-request-id", "request-id", "x-ms-correlation-request-id")
_LONGEST = 700
UNSENT = (
    "See that the name is right and can be reached from this machine (DNS, proxy, firewall), then run again; nothing is"
    " lost."
)
"""Remedy for a failed connection: a wrong host name fails in the same way."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Subject of a request, for the reader of an error.

    `doing` continues "Azure refused to …"; `needs` names the permission and the scope of its assignment; `secrets` are
    the secrets in the body.
    """

    service: str
    doing: str
    needs: str = ""
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceRefusal:
    """Parsed error answer: Azure's own code (the innermost with content), its words, its request id."""

    status: int
    code: str = ""
    message: str = ""
    request_id: str = ""
    numbers: tuple[int, ...] = ()
    """Entra's ``error_codes``: the numbers after AADSTS."""


class Refused(Exception):
    """Refusal by a client without exceptions of its own."""

    def __init__(self, refusal: ServiceRefusal) -> None:
        super().__init__(refusal.status)
        self.refusal = refusal


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
        return _not_signed_in(asked, _clean(asked, error.message or ""))
    return silent(asked, error, in_doubt=in_doubt)


def answered(asked: Asked, refused: ServiceRefusal, *, in_doubt: bool = False) -> AzureError:
    """Return the error for a refusal."""
    kind = OutcomeUnknown if in_doubt else _kind(refused)
    said = _clean(asked, ": ".join(filter(None, (f"{refused.status} {refused.code}".strip(), refused.message))))
    identified = f" (request id {refused.request_id})" if refused.request_id else ""
    happened = f"{asked.service} refused to {asked.doing}: {said}{identified}"
    if kind is OutcomeUnknown or refused.status < 400:
        happened = f"{asked.service} answered {said} when asked to {asked.doing}{identified}"
    return kind(
        happened, service=asked.service, code=refused.code, status=refused.status, remedy=_remedy(asked, refused, kind)
    )


_REMEDIES = {
    "CredentialTypeNotAllowedAsPerAppPolicy": (
        "An app management policy of the tenant forbids passwords here: "
        "have an administrator exempt this application, or let the groups pull with a managed identity."
    ),
    "CredentialInvalidLifetimeAsPerAppPolicy": (
        "An app management policy of the tenant caps the life of passwords: write a shorter `rotation: {validity: …}`."
    ),
    "CannotUpdateLockedServicePrincipalProperty": (
        "The application's instance lock forbids passwords on the service principal: "
        "write `home: application`, or lift the lock (servicePrincipalLockConfiguration)."
    ),
    "Directory_ResourceSizeExceeded": "The application has about 1000 credentials: remove those that have ended.",
}
"""Remedies by Azure's own codes (azure-facts C4)."""
_TWO = "maximum of 2 encrypted credentials"
"""Part of Graph's message for an application for personal accounts with two passwords; the code is unspecific."""


def _remedy(asked: Asked, refused: ServiceRefusal, kind: type[AzureError]) -> str | None:
    if refused.code == "LinkedAuthorizationFailed":
        return (
            "Give the identity that rotator signs in as the action that Azure names, on the linked scope; `rotator"
            " doctor` prints the command."
        )
    if kind is Forbidden and asked.needs:
        return f"Give the identity that rotator signs in as: {asked.needs}."
    if _TWO in refused.message:
        return (
            "The application is for personal accounts, too, and holds two passwords at most: remove one that nothing"
            " uses."
        )
    return next((remedy for code, remedy in _REMEDIES.items() if refused.code.startswith(code)), None)


def silent(asked: Asked, error: BaseException, *, in_doubt: bool = False) -> AzureError:
    """Return the error for a request without an answer."""
    why = type(getattr(error, "inner_exception", None) or error.__cause__ or error).__name__
    unsent = never_sent(error)
    kind: type[AzureError] = OutcomeUnknown if in_doubt else Unavailable
    happened = f"{asked.service} gave no answer when asked to {asked.doing} ({why})"
    return kind(happened, service=asked.service, code=why, remedy=UNSENT if unsent else None)


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
    return kind(happened, service=asked.service, code="UnreadableAnswer")


def _not_signed_in(asked: Asked, message: str) -> AzureError:
    remedy = (
        f"Sign in: set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, run `{LOGIN}`, or run where a managed"
        " identity is."
    )
    purpose = "" if asked.service == ENTRA else f", so it can't {asked.doing}"
    return Forbidden(f"rotator can't sign in{purpose}: {message}", service=ENTRA, code="NotSignedIn", remedy=remedy)


def no_identity(error: ValueError | OSError, environment: Mapping[str, str]) -> AzureError:
    """Return the error for variables unusable by azure-identity: an invalid tenant, a missing certificate file."""
    why = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
    names = ", ".join(sorted(name for name in environment if name.startswith("AZURE_")))
    remedy = f"Correct or unset what is wrong of the variables that are set ({names}), then run again."
    said = _clean(Asked(ENTRA, "sign rotator in"), why)
    return Forbidden(
        f"rotator can't sign in: {said}", service=ENTRA, code="NotSignedIn", state="No request was made.", remedy=remedy
    )


def _kind(refused: ServiceRefusal) -> type[AzureError]:
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
    if refused.status in (401, 403):
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


def refused_by(error: BaseException) -> ServiceRefusal | None:
    """Return the answer behind an exception, None without an answer."""
    if isinstance(error, Refused):
        return error.refusal
    response: Any = error.response if isinstance(error, HttpResponseError) else None
    return None if response is None else refusal(response.status_code, response.headers, _text(response))


def refusal(status: int, headers: Mapping[str, str], text: str) -> ServiceRefusal:
    """Read an error answer of Graph, ARM, Key Vault (``error``), Entra (``error_description``) or the registry.

    The registry's errors are in ``errors``.
    """
    request_id = next((headers[name] for name in _REQUEST_IDS if name in headers), "")
    content = _json(text)
    error = content.get("error")
    if isinstance(error, str):
        return ServiceRefusal(
            status, _code(error), str(content.get("error_description", "")), request_id, _numbers(content)
        )
    if not isinstance(error, dict):
        listed = content.get("errors")
        error = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else content
    inner = error.get("innererror") or {}
    code = inner.get("code") if isinstance(inner, dict) else None
    message = error.get("message")
    return ServiceRefusal(
        status, _code(code or error.get("code")), message if isinstance(message, str) else "", request_id
    )


def _code(said: object) -> str:
    """Return an error code, a word compared by programs; empty for any other value."""
    return said if isinstance(said, str) and re.fullmatch(r"[\w.:-]{1,100}", said) else ""


def _numbers(content: Mapping[str, Any]) -> tuple[int, ...]:
    listed = content.get("error_codes")
    if isinstance(listed, list) and all(isinstance(each, int) for each in listed):
        return tuple(listed)
    return tuple(map(int, re.findall(r"AADSTS(\d{1,9})", str(content.get("error_description", "")))))


def _json(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _text(response: Any) -> str:
    try:
        return str(response.text())
    except (*ODD, SdkError):
        return ""


def _clean(asked: Asked, message: str) -> str:
    for secret in sorted(filter(None, asked.secrets), key=len, reverse=True):
        message = message.replace(secret, "***")
    message = struck(" ".join(message.split()))
    return message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"


def secrets_of(document: object) -> tuple[str, ...]:
    """Return every possible secret of a body, to remove them from Azure's words.

    These are the values of the properties never shown by Azure. Source: the properties marked as secret in the
    container group's description.
    """
    match document:
        case Mapping():
            return tuple(
                text
                for name, value in document.items()
                for text in (_texts(value) if name in _HIDDEN else secrets_of(value))
            )
        case list() | tuple():
            return tuple(text for value in document for text in secrets_of(value))
    return ()


_HIDDEN = frozenset({"password", "secureValue", "secret", "storageAccountKey", "workspaceKey", "protectedSettings"})


def _texts(value: object) -> tuple[str, ...]:
    match value:
        case str():
            return (value,)
        case Secret():
            return (value.reveal(),)
        case Mapping():
            return tuple(text for each in value.values() for text in _texts(each))
        case list() | tuple():
            return tuple(text for each in value for text in _texts(each))
    return ()
