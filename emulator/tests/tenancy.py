"""One emulated tenant with its Entra and Graph, for tests of their answers."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from local_azure.app import App
from local_azure.clock import Clock
from local_azure.entra.behaviour import Tokens
from local_azure.entra.wire import Entra
from local_azure.faults import Faults
from local_azure.graph.behaviour import Directory
from local_azure.graph.wire import Graph
from local_azure.ids import Ids
from local_azure.timing import PROMPT, Timing
from local_azure.wire import Request

TENANT = "5a1e0d3c-0000-4000-8000-000000000001"
GRAPH = "https://graph.microsoft.com/v1.0"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALL, OWNED, READ = "Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", "Application.Read.All"

Answer = tuple[int, Any, dict[str, str]]


class Tenancy:
    """Directory with a caller that has the given permissions."""

    def __init__(self, *roles: str, timing: Timing = PROMPT) -> None:
        self.clock = Clock(START, lambda: 0.0)
        ids, self.faults = Ids(7), Faults()
        self.directory = Directory(self.clock, ids, timing, self.faults, TENANT)
        self.tokens = Tokens(self.clock, ids, timing, self.faults, self.directory)
        parts: Any = SimpleNamespace(
            directory=self.directory, tokens=self.tokens, ids=ids, clock=self.clock, faults=self.faults
        )
        self.app = App(self.clock, ids, (Entra(parts), Graph(parts)), self.faults)
        own = self.directory.create_application("caller")
        self.caller = self.directory.create_service_principal(own.app_id)
        self.secret = self.directory.add_password(own, at_once=True).secret
        for role in roles:
            self.directory.grant(own.app_id, role)

    def bearer(self, resource: str = "https://graph.microsoft.com") -> str:
        token = self.tokens.issue(TENANT, self.caller.app_id, self.secret, f"{resource}/.default")["access_token"]
        return f"Bearer {token}"

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        url = path if path.startswith("https:") else GRAPH + path
        sent = {"Authorization": self.bearer(), **{name.replace("_", "-"): value for name, value in headers.items()}}
        raw = b"" if body is None else json.dumps(body).encode()
        response = self.app.handle(Request.parse(method, url, sent, raw))
        is_json = "json" in response.headers.get("Content-Type", "")
        return (
            response.status,
            json.loads(response.body) if is_json else response.body.decode() or None,
            response.headers,
        )


def code(answer: Answer) -> tuple[int, str]:
    return answer[0], answer[1]["error"]["code"]
