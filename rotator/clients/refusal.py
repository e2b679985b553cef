"""Subjects of requests, and parsed error answers of Graph, Resource Manager, Key Vault, Entra, registries, Storage."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import AzureError as SdkError
from azure.core.exceptions import DecodeError, DeserializationError, HttpResponseError

from rotator.clients.pausing import retry_after

ENTRA = "Microsoft Entra ID"
"""Name of the sign-in service: after its refusal, no other request is possible."""
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
CHALLENGED = "rotator-challenged"
"""Header set by the transport in place of a challenge to a write, which no client library may answer."""
_REQUEST_IDS = ("x-ms-request-id", "request-id", "x-ms-correlation-request-id")
STORAGE_CODE = "x-ms-error-code"
"""Header of Azure Storage with the code of an error; an answer to HEAD has nothing else (azure-facts I)."""
_CLAIMS = "insufficient_claims"
"""Error in the challenge of continuous access evaluation (azure-facts D5)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Subject of a request, for the reader of an error.

    `doing` continues "Azure refused to …"; `needs` names the permission and the scope of its assignment; `secrets` are
    the secrets in the body. `role` is the built-in role with the permission, `vault` the name of the vault asked, and
    `resource` the id of the resource to change.
    """

    service: str
    doing: str
    needs: str = ""
    secrets: tuple[str, ...] = ()
    role: str = ""
    vault: str = ""
    resource: str = ""


@dataclass(frozen=True, slots=True)
class ServiceRefusal:
    """Parsed error answer: Azure's own code (the innermost with content), its words, its request id."""

    status: int
    code: str = ""
    message: str = ""
    request_id: str = ""
    numbers: tuple[int, ...] = ()
    """Entra's ``error_codes``: the numbers after AADSTS."""
    policies: tuple[str, ...] = ()
    """Ids of the assignments of Azure Policy that disallow the request."""
    challenged: bool = False
    """True for a challenge of continuous access evaluation."""
    pause: float | None = None
    """Seconds after which the request may be repeated, if the answer says so."""


class Refused(Exception):
    """ServiceRefusal by a client without exceptions of its own."""

    def __init__(self, refusal: ServiceRefusal) -> None:
        super().__init__(refusal.status)
        self.refusal = refusal


def refused_by(error: BaseException) -> ServiceRefusal | None:
    """Return the answer behind an exception, None without an answer."""
    if isinstance(error, Refused):
        return error.refusal
    response: Any = error.response if isinstance(error, HttpResponseError) else None
    return None if response is None else parsed(response.status_code, response.headers, _text(response))


def parsed(status: int, headers: Mapping[str, str], text: str) -> ServiceRefusal:
    """Read an error answer of Graph, ARM, Key Vault (``error``), Entra (``error_description``) or the registry.

    The registry's errors are in ``errors``; Storage's are XML, and its code is in a header, too.
    """
    request_id = next((headers[name] for name in _REQUEST_IDS if name in headers), "")
    if STORAGE_CODE in headers:
        return _of_storage(status, headers, text, request_id)
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
        status,
        _code(code or error.get("code")),
        message if isinstance(message, str) else "",
        request_id,
        policies=tuple(dict.fromkeys(_policies(error))),
        challenged=challenged(status, headers),
        pause=retry_after(headers),
    )


def _of_storage(status: int, headers: Mapping[str, str], text: str, request_id: str) -> ServiceRefusal:
    """Read an error answer of Azure Storage: its message ends with lines that name request and time."""
    said = re.search(r"<Message>([^<]*)", text)
    message = said[1].partition("\n")[0].strip() if said else ""
    code = _code(headers[STORAGE_CODE])
    return ServiceRefusal(status, code, message, request_id, challenged=challenged(status, headers))


def challenged(status: int, headers: Mapping[str, str]) -> bool:
    """Tell if an answer asks for a token with more claims: a challenge of continuous access evaluation."""
    return status == 401 and (CHALLENGED in headers or _CLAIMS in headers.get("WWW-Authenticate", ""))


def decoded(claims: str) -> str:
    """Return the claims of a challenge of continuous access evaluation; empty where they can't be read."""
    try:
        return base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)).decode()
    except ValueError:
        return ""


def numbers_of(text: str) -> tuple[int, ...]:
    """Return the numbers of Entra's errors in a text."""
    return tuple(map(int, re.findall(r"AADSTS(\d{1,9})", text)))


def _policies(error: Mapping[str, Any]) -> Iterator[str]:
    """Yield the assignments of Azure Policy in an error and in its details (azure-facts B9)."""
    for each in _objects(error.get("additionalInfo")):
        info = each.get("info")
        named = info.get("policyAssignmentId") if isinstance(info, dict) else None
        if isinstance(named, str) and named:
            yield named
    for detail in _objects(error.get("details")):
        yield from _policies({"additionalInfo": detail.get("additionalInfo"), "message": detail.get("message")})
    yield from re.findall(r"/[\w./() -]*?/policyAssignments/[\w.-]+", str(error.get("message") or ""), re.IGNORECASE)


def _objects(listed: object) -> list[dict[str, Any]]:
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _code(said: object) -> str:
    """Return an error code, a word compared by programs; empty for any other value."""
    return said if isinstance(said, str) and re.fullmatch(r"[\w.:-]{1,100}", said) else ""


def _numbers(content: Mapping[str, Any]) -> tuple[int, ...]:
    listed = content.get("error_codes")
    if isinstance(listed, list) and all(isinstance(each, int) for each in listed):
        return tuple(listed)
    return numbers_of(str(content.get("error_description", "")))


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
