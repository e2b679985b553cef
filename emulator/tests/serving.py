"""Azure served over HTTPS by a separate process, with plain requests as any client sends them."""

import http.client
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from local_azure.arm.clouds import PUBLIC, named
from local_azure.detached import Settings, start, stop
from local_azure.directory import StateDirectory
from local_azure.remote import ask
from local_azure.seeded import Identity, Seeded

ARM, GRAPH, LOGIN = "https://management.azure.com", "https://graph.microsoft.com", "https://login.microsoftonline.com"
LOOKS = 10_000
"""Most questions to the emulator, a few milliseconds each, before a wait is given up."""
Json = dict[str, Any]


@dataclass
class Served:
    """Running emulator, with an administrator."""

    directory: StateDirectory
    made: int = 0

    @property
    def seeded(self) -> Seeded:
        return self.directory.seeded()

    def here(self, url: str) -> str:
        """Return the URL with the host names of the tenant's cloud."""
        cloud = named(self.seeded.cloud)
        for there, here in ((ARM, cloud.resource_manager), (GRAPH, cloud.graph), (LOGIN, cloud.login)):
            if url.startswith(there):
                return f"https://{here}{url.removeprefix(there)}"
        return url

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Ask the control endpoint, which no client of Azure has."""
        return ask(self.directory, method, path, body)

    def fault(self, operation: str, kind: str, **more: object) -> None:
        self.control("POST", "/faults", {"operation": operation, "kind": kind, **more})

    def calls(self) -> list[Json]:
        """Return every request to Azure so far."""
        return list(self.control("GET", "/calls")["value"])

    def world(self) -> Json:
        """Return the state of Azure without the time."""
        return {name: value for name, value in self.control("GET", "/state").items() if name != "now"}

    def issued(self) -> set[str]:
        """Return every secret that Azure ever issued."""
        return set(self.control("GET", "/state?secrets=true")["issued"])

    def request(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Send one request as any client does: through the proxy, by name, with the authority trusted."""
        there, context = urlsplit(self.here(url)), ssl.create_default_context(cafile=self.directory.certificate)
        with closing(
            http.client.HTTPSConnection("127.0.0.1", self.directory.running().port, context=context, timeout=30)
        ) as connection:
            connection.set_tunnel(there.netloc, 443)
            connection.request(method, f"{there.path}?{there.query}", body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")

    def sign_in(self, who: Identity, resource: str) -> tuple[int, Any]:
        """Ask Entra for a token."""
        resource = self.here(resource)
        form = {
            "grant_type": "client_credentials",
            "client_id": who.app_id,
            "client_secret": who.secret,
            "scope": f"{resource}/.default",
        }
        url = f"{LOGIN}/{self.seeded.tenant}/oauth2/v2.0/token"
        return self.request(
            "POST", url, urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
        )

    def call(self, method: str, url: str, body: object = None) -> Any:
        """Send one request as administrator; return its content. The request must succeed."""
        host, vaults = urlsplit(self.here(url)).netloc, named(self.seeded.cloud).vaults
        resource = f"https://{vaults}" if host.endswith(f".{vaults}") else f"https://{host}"
        answered, token = self.sign_in(self.seeded.admin, resource)
        assert answered == 200, token
        headers = {"Authorization": f"Bearer {token['access_token']}", "Content-Type": "application/json"}
        status, content = self.request(method, url, None if body is None else json.dumps(body).encode(), headers)
        assert status < 300, content
        return content

    def advance(self, **span: float) -> None:
        units = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
        self.control("POST", "/clock", {"advance": sum(units[unit] * number for unit, number in span.items())})

    def until(self, true: Callable[[], bool]) -> None:
        """Ask again until the condition holds."""
        assert any(true() for _ in range(LOOKS)), "it never became so"


@contextmanager
def serving(path: Path, cloud: str = PUBLIC.short) -> Iterator[Served]:
    """Serve an emulator in a separate process, without any delay."""
    directory = StateDirectory(path)
    start(Settings(directory, timing="prompt", cloud=cloud))
    try:
        yield Served(directory)
    finally:
        stop(directory)
