"""Azurite, Microsoft's emulator of Azure Storage, as a process on this machine, driven from virtual time.

Azurite runs on the test's clock: Node loads a script first by which `Date` begins at the time in a file, and every
request writes the file before it is sent. So leases end and messages come back without a wait. Requests are sent under
the real host names, over TLS: rotator needs no setting.
"""

import base64
import functools
import http.client
import inspect
import json
import os
import re
import selectors
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from azure.core.credentials import AccessToken
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from local_azure.inprocess import SessionResponse
from multidict import CIMultiDict
from yarl import URL

from rotator.clients.azuretime import AzureTime
from rotator.clients.blob_lease import BlobLeases
from rotator.clients.pipeline import Line
from rotator.clients.queue import StorageQueue
from rotator.cloud import PUBLIC
from rotator.ports import Clock

TENANT = "00000000-0000-4000-8000-00000000cafe"
ACCOUNT = "rotatorstate"
CONTAINER = f"https://{ACCOUNT}.blob.core.windows.net/leases"
QUEUE = f"https://{ACCOUNT}.queue.core.windows.net/rotator"
HERE = Path(__file__).parents[1] / ".venv" / "azurite" / "node_modules" / ".bin" / "azurite"
_LISTENS = re.compile(r"Azurite (Blob|Queue) service is successfully listening at https://127\.0\.0\.1:(\d+)")
_CLOCK = """
const fs = require('fs'), Real = Date, file = process.env.AZURITE_CLOCK;
const now = () => { try { return Number(fs.readFileSync(file, 'utf8')) || Real.now(); } catch { return Real.now(); } };
globalThis.Date = class extends Real {
  constructor(...given) { if (given.length) super(...given); else super(now()); }
  static now() { return now(); }
};
"""


def program() -> str:
    """Return the path of Azurite, or end the test."""
    found = str(HERE) if HERE.exists() else shutil.which("azurite")
    if found:
        return found
    why = "azurite is not here: install it with `npm install --prefix .venv/azurite azurite`, as .ci/run does"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{why}; with CI=true nothing is skipped")
    pytest.skip(why)


def token() -> str:
    """Return a token as Entra issues it for storage, which Azurite reads and doesn't verify."""
    claims = {"aud": "https://storage.azure.com", "iss": f"https://sts.windows.net/{TENANT}/", "nbf": 0, "iat": 0}
    parts = ({"alg": "none", "typ": "JWT"}, {**claims, "exp": 1 << 33})
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), ""])


class Fixed:
    """TokenCredential with the fixed token."""

    async def get_token(self, *_: object, **__: object) -> AccessToken:
        return AccessToken(token(), 1 << 33)

    async def close(self) -> None:
        pass


@dataclass(frozen=True)
class Azurite:
    """Process of Azurite: its ports by service, and the file with its time."""

    ports: dict[str, int]
    clock: Path
    trust: ssl.SSLContext

    def create(self, address: str, now: Callable[[], datetime]) -> None:
        """Create a container or a queue, as an administrator does."""
        headers = {"Authorization": f"Bearer {token()}", "x-ms-version": "2025-05-05", "Content-Length": "0"}
        made = self.session(now).request(
            "PUT", f"{address}?restype=container" if ".blob." in address else address, headers=headers
        )
        assert made.answered().status in (201, 204, 409), made.answered().body

    def session(self, now: Callable[[], datetime]) -> "Blocking":
        """Return a stand-in for aiohttp's session, connected to Azurite at the time `now`."""
        return Blocking(self, now)


@dataclass
class Blocking:
    """The part of ``aiohttp.ClientSession`` that rotator uses; each request is sent and answered within one turn of the
    loop.
    """

    azurite: Azurite
    now: Callable[[], datetime]
    down: bool = False
    page: tuple[str, bytes] | None = None
    """Type and body of an answer in place of Azurite's, as a portal in between gives it."""

    def request(self, method: str, url: URL | str, **options: Any) -> "_Answer":
        inspect.signature(aiohttp.ClientSession._request).bind(
            self, method, url, **options
        )  # refuses arguments as aiohttp does
        return _Answer(functools.partial(self._answered, method, str(url), options))

    def _answered(self, method: str, url: str, options: dict[str, Any]) -> SessionResponse:
        parts = urlsplit(url)
        if self.down:
            raise aiohttp.ServerDisconnectedError
        if self.page:
            kind, page = self.page
            return SessionResponse(method, url, 200, "OK", CIMultiDict({"Content-Type": kind}), page)
        self.azurite.clock.write_text(str(int(self.now().timestamp() * 1000)))
        port = self.azurite.ports["queue" if ".queue." in parts.netloc else "blob"]
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=self.azurite.trust, timeout=20)
        body = options.get("data")
        headers = {"Host": parts.netloc, **{k: str(v) for k, v in dict(options.get("headers") or {}).items()}}
        sent = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else None
        try:
            connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, sent, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        kept = CIMultiDict((k, v) for k, v in answer.getheaders() if k.lower() != "transfer-encoding")
        return SessionResponse(method, url, answer.status, answer.reason, kept, content)

    async def close(self) -> None:
        pass


@dataclass
class _Answer:
    """Answer of aiohttp's session to a request: awaitable, and a context manager."""

    answered: Callable[[], SessionResponse]

    def __await__(self) -> Any:
        return self._made().__await__()

    async def _made(self) -> SessionResponse:
        return self.answered()

    async def __aenter__(self) -> SessionResponse:
        return self.answered()

    async def __aexit__(self, *_: object) -> None:
        pass


def line(found: "Azurite", clock: Clock, now: Callable[[], datetime]) -> Line:
    """Return the line by which rotator's clients reach Azurite."""
    session = found.session(now)
    return Line(clock, AzureTime(clock), (session, session), lambda _: None, 15)


def leases(found: "Azurite", clock: Clock, now: Callable[[], datetime], name: str = "leases") -> BlobLeases:
    """Return the leases in a container, created if absent."""
    address = f"https://{ACCOUNT}.blob.core.windows.net/{name}"
    found.create(address, now)
    return BlobLeases(line(found, clock, now), Fixed(), PUBLIC, address)


def queue(found: "Azurite", clock: Clock, now: Callable[[], datetime], name: str = "rotator") -> StorageQueue:
    """Return a queue, created if absent."""
    address = f"https://{ACCOUNT}.queue.core.windows.net/{name}"
    found.create(address, now)
    return StorageQueue(line(found, clock, now), Fixed(), PUBLIC, address)


@contextmanager
def running(where: Path) -> Iterator[Azurite]:
    """Run Azurite in memory, with files in `where`, until the block ends."""
    found, clock = program(), where / "clock"
    (where / "clock.js").write_text(_CLOCK)
    certificate, key = _certificate(where)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(where),
        "AZURITE_ACCOUNTS": f"{ACCOUNT}:{'QUJD' * 16}",
        "AZURITE_CLOCK": str(clock),
        "NODE_OPTIONS": f"--require={where / 'clock.js'}",
    }
    options = ["--blobPort", "0", "--queuePort", "0", "--tablePort", "0", "--inMemoryPersistence", "--disableTelemetry"]
    secure = ["--oauth", "basic", "--cert", str(certificate), "--key", str(key), "--silent", "--skipApiVersionCheck"]
    process = subprocess.Popen(
        [found, *options, *secure], cwd=where, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        yield Azurite(_ports(process), clock, ssl.create_default_context(cafile=str(certificate)))
    finally:
        process.terminate()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _ports(process: "subprocess.Popen[bytes]") -> dict[str, int]:
    """Wait until both services listen; return their ports. Raises AssertionError with Azurite's output."""
    assert process.stdout
    said, ports = "", dict[str, int]()
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        while len(ports) < 2:
            assert ready.select(60), f"Azurite doesn't start: {said}"
            piece = os.read(process.stdout.fileno(), 65536).decode()
            assert piece, f"Azurite ended: {said}"
            said += piece
            ports = {name.lower(): int(port) for name, port in _LISTENS.findall(said)}
    return ports


def _certificate(where: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate for 127.0.0.1, and its key."""
    from ipaddress import ip_address

    hosts = (f"*.{service}.core.windows.net" for service in ("blob", "queue"))
    names = [x509.IPAddress(ip_address("127.0.0.1")), *map(x509.DNSName, hosts)]
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "azurite")])
    begun = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate, key = where / "certificate.pem", where / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate, key
