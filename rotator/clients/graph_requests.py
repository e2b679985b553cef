"""Requests to Microsoft Graph: how one is sent, retried and read, whatever it asks for.

Requests go through msgraph-sdk's request adapter, by URL, and answers come as bytes: the SDK's models take a second to
load. The adapter's retries are off, because they repeat POST.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import httpx
from kiota_abstractions.authentication import AuthenticationProvider
from kiota_abstractions.method import Method
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_abstractions.request_information import RequestInformation
from kiota_http.middleware.options import ResponseHandlerOption
from msgraph_core import BaseGraphRequestAdapter  # type: ignore[import-untyped]

from rotator.clients.api_versions import GRAPH
from rotator.clients.counted_request import Sent
from rotator.clients.directory import Shown
from rotator.clients.pausing import retry_after
from rotator.clients.pipeline import Line
from rotator.clients.refusal import Asked, Refused, decoded, parsed
from rotator.clients.retries import host, repeated
from rotator.clients.token import Token
from rotator.clients.translation import answered, ask
from rotator.clients.typed import labels, record, records, text
from rotator.cloud import Cloud
from rotator.errors import AzureError, NotFound, Unseen
from rotator.state import Home

T = TypeVar("T")
SERVICE = "Microsoft Graph"
COLLECTION = {Home.APPLICATION: "applications", Home.SERVICE_PRINCIPAL: "servicePrincipals"}
READ = "Application.ReadWrite.OwnedBy (or Application.Read.All)"
NO_CONTENT = 204


class _Authentication(AuthenticationProvider):
    """Authentication provider of the adapter: puts our token on each request."""

    def __init__(self, token: Token, scope: str) -> None:
        self._token, self._scope = token, scope

    async def authenticate_request(
        self, request: RequestInformation, additional_authentication_context: dict[str, Any] | None = None
    ) -> None:
        """Add the authorization header; another tenant stands in the parameters of the request.

        The adapter repeats a read whose token was withdrawn, and gives the claims of the challenge.
        """
        tenant, asked = request.path_parameters.get("tenant"), (additional_authentication_context or {}).get("claims")
        claims = decoded(asked) if asked else ""
        said = await (
            self._token.renewed(self._scope, claims, tenant) if claims else self._token.text(self._scope, tenant)
        )
        request.headers.remove("Authorization")
        request.headers.add("Authorization", f"Bearer {said}")


class GraphRequests:
    """Sends requests to Microsoft Graph as one signed-in identity."""

    def __init__(self, line: Line, cloud: Cloud, token: Token, http: httpx.AsyncClient) -> None:
        self._line, self._url = line, f"{cloud.graph}/{GRAPH}"
        self._adapter = BaseGraphRequestAdapter(_Authentication(token, cloud.graph_scope), http_client=http)
        self._tenants: dict[str, str] = {}
        """Tenants of objects outside rotator's own tenant, by object id."""

    async def _find(
        self, home: Home, app_id: str, select: str, tenant: str | None, read: Callable[[Shown], T]
    ) -> T | None:
        """Read one object by its alternate key; None where Graph answers 404."""
        what = home.value.replace("_", " ")
        asked = Asked(SERVICE, f"read the {what} of {app_id}", READ)

        def found(shown: Shown) -> tuple[str, T]:
            return text(shown["id"]), read(shown)

        try:
            object_id, said = await self._send(
                asked, Method.GET, f"{COLLECTION[home]}(appId='{app_id}')?$select={select}", found, tenant=tenant
            )
        except Unseen:
            raise
        except NotFound:
            return None
        if tenant:
            self._tenants[object_id] = tenant
        return said

    async def batch(self, asked: Asked, paths: Sequence[str], tenant: str | None) -> list[Shown | AzureError]:
        """Return the answers to several reads sent as one request, in the order of `paths`; errors in their places."""
        reads = [{"id": str(number), "method": "GET", "url": f"/{path}"} for number, path in enumerate(paths)]

        def answers(shown: Shown) -> list[Shown | AzureError]:
            found = {text(each["id"]): each for each in records(shown["responses"])}
            for answer in found.values():
                self._count(answer)
            return [batched(asked, found[each["id"]]) for each in reads]

        return await self._send(asked, Method.POST, "$batch", answers, {"requests": reads}, tenant=tenant)

    def _count(self, answer: Shown) -> None:
        """Count a read inside a batch by its own price, and obey its refusal. Raises TypeError."""
        headers, status = labels(answer.get("headers")), answer.get("status")
        if self._line.budgets and isinstance(status, int):
            sent = Sent("GET", host(self._url), "")
            self._line.budgets.hear_within(sent, status, headers, retry_after(headers))

    async def _send(
        self,
        asked: Asked,
        method: Method,
        path: str,
        read: Callable[[Shown], T],
        body: Mapping[str, Any] | None = None,
        *,
        tenant: str | None = None,
        once: bool = False,
        prefer: str = "",
    ) -> T:
        """Send one request and return the result of `read` for its JSON ({} for an answer without a body).

        Raises an AzureError of ours.
        """
        tenant = tenant or next((self._tenants[part] for part in path.split("/") if part in self._tenants), None)

        async def attempt() -> httpx.Response:
            response: Any = await self._adapter.send_primitive_async(
                _request(method, f"{self._url}/{path}", body, tenant, prefer), "bytes", {}
            )
            self._line.time.hear(response.headers, host(self._url))
            return response  # type: ignore[no-any-return]

        async def asking() -> T:
            response = await (attempt() if once else self._repeated(attempt))
            if not response.is_success:
                raise Refused(parsed(response.status_code, response.headers, response.text))
            return read({} if response.status_code == NO_CONTENT else _filled(json.loads(response.content)))

        return await ask(asked, asking())

    def _repeated(self, attempt: Callable[[], Awaitable[httpx.Response]]) -> Awaitable[httpx.Response]:
        return repeated(self._line.limit, attempt, also=_disturbed, where=host(self._url))


def batched(asked: Asked, answer: Shown) -> Shown | AzureError:
    """Return the content of one answer of a batch, or its error. Raises KeyError, TypeError."""
    status = answer["status"]
    if not isinstance(status, int):
        raise TypeError("not a status")
    if 200 <= status < 300:
        return _filled(answer["body"])
    refusal = parsed(status, record(answer.get("headers") or {}), json.dumps(answer.get("body")))
    return answered(asked, refusal)


def _filled(content: object) -> Shown:
    """Return a non-empty object of Graph.

    Raises ValueError for an empty one: an answer without content comes without a body (204).
    """
    shown = record(content)
    if not shown:
        raise ValueError("an empty object")
    return shown


def _request(
    method: Method, url: str, body: Mapping[str, Any] | None, tenant: str | None, prefer: str = ""
) -> RequestInformation:
    request = RequestInformation(method=method)
    request.url = url
    if tenant:
        request.path_parameters["tenant"] = tenant
    request.headers.add("Accept", "application/json")
    if prefer:
        request.headers.add("Prefer", prefer)
    if body is not None:
        request.set_stream_content(json.dumps(body).encode(), "application/json")
    request.add_request_options([ResponseHandlerOption(NativeResponseHandler())])
    return request


def _disturbed(response: httpx.Response) -> bool:
    """Tell if Graph refused because of a concurrent write, or of an object not yet replicated.

    Sources: Microsoft Graph error responses; "Create servicePrincipal" (an application created just before is no
    backing application).
    """
    concurrent = response.status_code == 409 and b"Directory_ConcurrencyViolation" in response.content
    return concurrent or (response.status_code == 400 and b"NoBackingApplicationObject" in response.content)
