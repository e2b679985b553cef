"""Load on the emulator: requests per second on one core, with keep-alive, over TLS, through its proxy.

Reads each service in turn, with a token, from another process. The result counts the emulator's processor time alone,
so that a busy machine gives the same figure.
"""

import http.client
import json
import ssl
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from local_azure.detached import Settings, start, stop
from local_azure.directory import StateDirectory
from local_azure.remote import ask

REQUESTS = 2000
AIM = 200
"""Requests per second, as the aim for one core."""


@dataclass(frozen=True, slots=True)
class Page:
    """Resource on one host, read over and over."""

    host: str
    path: str
    resource: str


def pages(directory: StateDirectory) -> list[Page]:
    """Return one read of each service with more than a token endpoint."""
    seeded = directory.seeded()
    arm, graph, vaults = "https://management.azure.com", "https://graph.microsoft.com", "https://vault.azure.net"
    query = "$filter=atScope()&api-version=2022-04-01"
    assignments = f"{seeded.registry_id}/providers/Microsoft.Authorization/roleAssignments?{query}"
    return [
        Page("management.azure.com", f"{seeded.registry_id}?api-version=2023-07-01", arm),
        Page("management.azure.com", assignments, arm),
        Page("graph.microsoft.com", f"/v1.0/applications?$filter=appId%20eq%20'{seeded.operator.app_id}'", graph),
        Page("myvault.vault.azure.net", "/secrets?api-version=7.4", vaults),
    ]


class Load:
    """Connections to the emulator: one per host, used again and again."""

    def __init__(self, directory: StateDirectory) -> None:
        self.directory, self._context = directory, ssl.create_default_context(cafile=directory.certificate)
        self._open: dict[str, http.client.HTTPSConnection] = {}
        self._tokens: dict[str, str] = {}

    def get(self, page: Page) -> None:
        """Send one request; exit unless it succeeds."""
        headers = {"Authorization": f"Bearer {self._token(page.resource)}"}
        status, body = self._send(page.host, "GET", page.path, None, headers)
        if status != 200:
            sys.exit(f"GET {page.host}{page.path} answered {status}: {body.decode()}")

    def _token(self, resource: str) -> str:
        if resource not in self._tokens:
            who, tenant = self.directory.seeded().admin, self.directory.seeded().tenant
            form = {
                "grant_type": "client_credentials",
                "client_id": who.app_id,
                "client_secret": who.secret,
                "scope": f"{resource}/.default",
            }
            _, body = self._send(
                "login.microsoftonline.com", "POST", f"/{tenant}/oauth2/v2.0/token", urlencode(form).encode(), {}
            )
            self._tokens[resource] = json.loads(body)["access_token"]
        return self._tokens[resource]

    def _send(
        self, host: str, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        if host not in self._open:
            self._open[host] = http.client.HTTPSConnection(
                "127.0.0.1", self.directory.running().port, context=self._context, timeout=30
            )
            self._open[host].set_tunnel(host, 443)
        self._open[host].request(method, path, body, headers)
        answer = self._open[host].getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """End every connection."""
        for connection in self._open.values():
            connection.close()


def processor(pid: int) -> float:
    """Return the processor time of a process in seconds (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def measured(requests: int = REQUESTS) -> str:
    """Return the line of the table for the emulator's load."""
    with tempfile.TemporaryDirectory() as folder:
        directory = StateDirectory(Path(folder) / "state")
        pid = start(Settings(directory, timing="prompt")).pid
        try:
            with closing(Load(directory)) as load:
                asked = pages(directory)
                for page in asked * 5:
                    load.get(page)
                before, began = processor(pid), time.perf_counter()
                for number in range(requests):
                    if number % 40 == 0:  # Azure's budgets are per second of Azure's time
                        ask(directory, "POST", "/clock", {"advance": 2})
                    load.get(asked[number % len(asked)])
                taken, elapsed = processor(pid) - before, time.perf_counter() - began
        finally:
            stop(directory)
    core, wall = requests / taken, requests / elapsed
    verdict = "" if core >= AIM else "  MISSED"
    return (
        f"{'emulator, over TLS':20} {core:5.0f} requests a second of one core  {wall:5.0f} a second of wall   aim"
        f" {AIM}{verdict}"
    )


if __name__ == "__main__":
    print(measured())
