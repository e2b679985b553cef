"""An emulated Azure in a separate process, reached by its public interfaces: the command line, HTTPS through its proxy,
its control endpoint.
"""

import http.client
import json
import os
import shlex
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

Json = dict[str, Any]

ROOT = Path(__file__).parent.parent.parent
ROTATOR = str(Path(sys.executable).with_name("rotator"))
"""Installed command; `PYTHONPATH` leads it to this source."""
ARM, GRAPH, LOGIN, CONTROL = (
    "management.azure.com",
    "graph.microsoft.com",
    "login.microsoftonline.com",
    "control.local-azure.internal",
)
BARE = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
TRIES = 40
"""Tries of an administrator's request, which faults meet, too."""


class Refused(Exception):
    """Answer other than a success; the message has the status and the body."""

    def __init__(self, status: int, content: object) -> None:
        super().__init__(f"{status}: {content}")
        self.status = status


@dataclass
class Emulated:
    """One emulator with its state directory."""

    directory: Path
    timing: str
    running: Json = field(default_factory=dict)
    seeded: Json = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    jumped: Callable[[float], None] = lambda seconds: None
    """Function called before each jump of Azure's time."""

    def start(self) -> None:
        """Start the emulator, detached, by rotator's own command."""
        self._command("start", "--timing", self.timing, "--detach")
        self.running = json.loads((self.directory / "running.json").read_text())
        self.seeded = json.loads((self.directory / "seeded.json").read_text())

    def stop(self) -> None:
        """Stop the emulator, if running."""
        subprocess.run(
            [ROTATOR, "emulator", "stop", "--dir", str(self.directory)], env=BARE, capture_output=True, check=False
        )

    def exports(self) -> dict[str, str]:
        """Return the variables that `rotator emulator env` prints for a shell."""
        lines = (line for line in self._command("env").splitlines() if line.startswith("export "))
        return dict(shlex.split(line.removeprefix("export "))[0].split("=", 1) for line in lines)

    def _command(self, *arguments: str) -> str:
        command = [ROTATOR, "emulator", arguments[0], "--dir", str(self.directory), *arguments[1:]]
        return subprocess.run(command, env=BARE, capture_output=True, text=True, check=True).stdout

    @property
    def certificate(self) -> Path:
        return self.directory / "ca.pem"

    # the control endpoint

    def control(self, method: str, path: str, body: object = None) -> Any:
        status, content = self.request(
            method, f"https://{CONTROL}{path}", body, {"Authorization": f"Bearer {self.running['token']}"}
        )
        if status >= 300:
            raise Refused(status, content)
        return content

    def dump(self) -> Json:
        """Return the emulator's whole state, secrets included."""
        found: Json = self.control("GET", "/state?secrets=true")
        found.pop("ids", None)
        return found

    def advance(self, seconds: float) -> None:
        self.jumped(seconds)
        self.control("POST", "/clock", {"advance": seconds})
        self.tokens.clear()

    def fault(self, **fields: object) -> None:
        self.control("POST", "/faults", fields)

    def struck(self) -> list[Json]:
        return list(self.control("GET", "/faults")["struck"])

    def heal(self) -> None:
        """Forget every planned fault."""
        self.control("DELETE", "/faults")

    def moves(self, group_id: str) -> bool:
        return bool(self.control("POST", "/move-host", {"id": group_id})["moved"])

    # an administrator

    def request(
        self, method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Send one request through the emulator's proxy; return status and body."""
        there, context = urlsplit(url), ssl.create_default_context(cafile=self.certificate)
        content = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
        kind = "application/x-www-form-urlencoded" if isinstance(body, str) else "application/json"
        with closing(
            http.client.HTTPSConnection("127.0.0.1", self.running["port"], context=context, timeout=30)
        ) as connection:
            connection.set_tunnel(there.netloc, 443)
            connection.request(
                method, f"{there.path}?{there.query}", content, {"Content-Type": kind, **(headers or {})}
            )
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")

    def sign_in(self, app_id: str, secret: str, resource: str = f"https://{GRAPH}") -> str | None:
        """Return an access token; None if Entra refuses the secret."""
        form = {
            "grant_type": "client_credentials",
            "client_id": app_id,
            "client_secret": secret,
            "scope": f"{resource}/.default",
        }
        status, content = self.request(
            "POST", f"https://{LOGIN}/{self.seeded['tenant']}/oauth2/v2.0/token", urlencode(form)
        )
        if status not in (200, 400, 401):
            raise Refused(status, content)
        return str(content["access_token"]) if status == 200 else None

    def call(self, method: str, url: str, body: object = None) -> Any:
        """Send one request as an administrator; return the body. Raises Refused."""
        host = urlsplit(url).netloc
        resource = f"https://{host}" if host in (ARM, GRAPH) else "https://vault.azure.net"
        if resource not in self.tokens:
            admin = self.seeded["admin"]
            token = self.sign_in(admin["app_id"], admin["secret"], resource)
            if token is None:
                raise Refused(401, "the administrator's secret")
            self.tokens[resource] = token
        status, content = self.request(method, url, body, {"Authorization": f"Bearer {self.tokens[resource]}"})
        if status >= 300:
            raise Refused(status, content)
        return content

    def patiently(self, method: str, url: str, body: object = None) -> Any:
        """Send one request as an administrator, again until reads and rights show earlier writes. Raises Refused."""
        for _ in range(TRIES):
            try:
                return self.call(method, url, body)
            except Refused:
                time.sleep(0.25)
        return self.call(method, url, body)
