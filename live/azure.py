"""Azure over HTTP, as raw requests: a check must also see the parts of an answer that client libraries hide."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from live.hidden import Hidden
from live.ports import Clock, Credential
from rotator.cloud import Cloud

PATIENCE = 5
"""Tries of a request that Azure asks to be sent again."""
AGAIN = frozenset((429, 502, 503, 504))
LONGEST = 1800.0
"""Seconds for which an operation is followed (azure-facts A8)."""
VERSIONS = {
    "Microsoft.Authorization": "2022-04-01",
    "Microsoft.ContainerInstance": "2025-09-01",
    "Microsoft.ContainerRegistry": "2025-11-01",
    "Microsoft.KeyVault": "2026-02-01",
    "Microsoft.ManagedIdentity": "2023-01-31",
    "Microsoft.Storage": "2023-05-01",
    "": "2021-04-01",
}
"""The api-version of a path without one, by its last provider."""
VAULT_VERSION = "7.4"


class Stopped(Exception):
    """Failure of a preparation; the claims that depend on the preparation are not seen."""

    def __init__(self, reason: str, answer: "Answer | None" = None) -> None:
        super().__init__(reason if answer is None else f"{reason}: {answer.brief}")
        self.answer = answer


@dataclass(frozen=True)
class Answer:
    """One answer of Azure, unchanged."""

    method: str
    url: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)

    def at(self, *path: str | int) -> Any:
        """Return the part of the body at a place; None where there is none."""
        found = self.body
        for step in path:
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    @property
    def code(self) -> str:
        """Code of an error, in any of the services' envelopes."""
        codes = (self.at("error", "innererror", "code"), self.at("error", "code"), self.at("errors", 0, "code"))
        return str(next((code for code in codes if code), self.at("code") or self.at("error") or ""))

    @property
    def message(self) -> str:
        """Message of an error, in any of the services' envelopes."""
        texts = (self.at("error", "message"), self.at("errors", 0, "message"), self.at("error_description"))
        return str(next((text for text in texts if text), ""))

    @property
    def brief(self) -> str:
        """One line with the request, its status and its error."""
        return f"{self.method} {urlsplit(self.url).path} answered {self.status} {self.code} {self.message}".strip()

    def header(self, name: str) -> str:
        """Return a header; empty where there is none."""
        return str(self.headers.get(name, ""))


def provider(path: str) -> str:
    """Return the name of the last resource provider in a path; empty for Resource Manager itself."""
    _, found, rest = path.rpartition("/providers/")
    return rest.split("/", 1)[0] if found else ""


class Azure:
    """One cloud, as one identity."""

    def __init__(
        self, client: httpx.Client, credential: Credential, cloud: Cloud, clock: Clock, hidden: Hidden
    ) -> None:
        self.client, self.credential, self.cloud, self.clock, self.hidden = client, credential, cloud, clock, hidden
        self.last: Answer | None = None

    def send(
        self,
        method: str,
        url: str,
        body: object = None,
        *,
        form: Mapping[str, str] | None = None,
        text: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request unchanged; repeat a throttled one after the delay that Azure names."""
        content = _content(body, form, text)
        attempt, answer = 1, self._once(method, url, content, headers or {})
        while answer.status in AGAIN and attempt < PATIENCE:
            self.clock.sleep(_pause(answer, 2.0**attempt))
            attempt, answer = attempt + 1, self._once(method, url, content, headers or {})
        self.last = answer
        return answer

    def _once(self, method: str, url: str, content: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
        try:
            came = self.client.request(method, url, headers=dict(headers), **content)
        except httpx.HTTPError as error:
            raise Stopped(f"{method} {urlsplit(url).netloc} got no answer ({type(error).__name__})") from None
        return Answer(method, url, came.status_code, came.headers, _parsed(came))

    def signed(self, method: str, url: str, scope: str, body: object = None, **headers: str) -> Answer:
        """Send a request with the run's own token."""
        bearer = {"Authorization": f"Bearer {self.credential.token(scope)}", **headers}
        return self.send(method, url, body, headers=bearer)

    def arm(self, method: str, path: str, body: object = None, version: str = "", **headers: str) -> Answer:
        """Send a request to Azure Resource Manager, by path or by an absolute address from an earlier answer."""
        if not path.startswith("https://"):
            mark = "&" if "?" in path else "?"
            version = version or VERSIONS.get(provider(path.partition("?")[0]), VERSIONS[""])
            path = f"{self.cloud.arm}{path}{mark}api-version={version}"
        return self.signed(method, path, self.cloud.arm_scope, body, **headers)

    def graph(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Send a request to Microsoft Graph."""
        answer = self.signed(method, f"{self.cloud.graph}/v1.0{path}", self.cloud.graph_scope, body, **headers)
        self.hidden.secret(str(answer.at("secretText") or ""))
        return answer

    def vault(self, method: str, url: str, body: object = None, version: str = VAULT_VERSION) -> Answer:
        """Send a request to a vault's data plane; the address has no api-version yet."""
        mark = "&" if "?" in url else "?"
        scope = f"https://{self.cloud.vault_suffix}/.default"
        return self.signed(method, f"{url}{mark}api-version={version}", scope, body)

    def until(self, ask: Callable[[], Answer], good: Callable[[Answer], bool], seconds: float, every: float) -> Answer:
        """Ask again and again until the answer is good, or the time is over; return the last answer."""
        end = self.clock.elapsed() + seconds
        while not good(answer := ask()) and self.clock.elapsed() < end:
            self.clock.sleep(every)
        return answer

    def finished(self, answer: Answer) -> Answer:
        """Follow a long-running operation of Resource Manager to its end; return its last answer."""
        if operation := answer.header("Azure-AsyncOperation"):
            return self.until(lambda: self.arm("GET", operation), _is_final, LONGEST, 5)
        if answer.status in (201, 202) and (address := answer.header("Location")):
            return self.until(lambda: self.arm("GET", address), lambda each: each.status != 202, LONGEST, 5)
        return answer


def _pause(answer: Answer, otherwise: float) -> float:
    """Return the seconds of a Retry-After header; `otherwise` if it is absent or a date, which some gateways send."""
    named = answer.header("Retry-After")
    return float(named) if named.isdigit() else otherwise


def _content(body: object, form: Mapping[str, str] | None, text: str | None) -> Mapping[str, Any]:
    """Return a request's content as arguments of httpx."""
    if text is not None:
        return {"content": text.encode()}
    return {"data": form} if form else {"json": body} if body is not None else {}


def _is_final(answer: Answer) -> bool:
    return answer.status >= 400 or answer.at("status") in ("Succeeded", "Failed", "Canceled")


def basic(user: str, password: str) -> dict[str, str]:
    """Return the header of a sign-in by name and password."""
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


def bearer(token: str) -> dict[str, str]:
    """Return the header of a sign-in by token."""
    return {"Authorization": f"Bearer {token}"}


def _parsed(came: httpx.Response) -> Any:
    try:
        return json.loads(came.content) if came.content else None
    except ValueError:
        return came.text
