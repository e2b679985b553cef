"""Tests of the last stage before the network, over real sockets and in process: one call is one arrival, on the
client's own hosts, within bounds.
"""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
from local_azure.server import loopback

from rotator.clients import body
from rotator.clients.azuretime import AzureTime
from rotator.clients.body import BadBody, unpacked, whole
from rotator.clients.graph_wire import GraphWire
from rotator.clients.retries import PATIENCE
from rotator.clients.transports import direct, proxied, real
from rotator.clients.wire import LONGEST, Carrier, Gate
from rotator.errors import AzureError, Unavailable, Unexpected
from rotator.state import Outcome, Secret
from rotator.system import SystemClock
from tests.clients.scene import IMAGE, PASSWORD, Scene, scene

GET, PUT = b"GET", b"PUT"
ANY_HOST, SHORT = Gate(AzureTime(SystemClock()), None), aiohttp.ClientTimeout(sock_connect=10, sock_read=60)


@dataclass
class Rude:
    """Server on loopback that answers reads on a kept connection, and closes the connection when a write arrives."""

    arrived: list[bytes] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await self._head(reader):
            method = head.split(b" ")[0]
            self.arrived.append(method)
            self.heads.append(head.lower())
            if method != GET:
                await reader.readexactly(5)
                break
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()
        writer.close()

    async def _head(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""


@asynccontextmanager
async def rude() -> AsyncIterator[Rude]:
    made, bound = Rude(), loopback()
    made.port = bound.getsockname()[1]
    async with await asyncio.start_server(made.serve, sock=bound):
        yield made


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
def test_a_write_that_meets_a_dropped_connection_arrives_once(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)

    async def by_aiohttp() -> None:
        async with rude() as server, real().session() as session:
            address = f"http://127.0.0.1:{server.port}/"
            async with session.request("GET", address) as answer:
                await answer.read()
            with pytest.raises(aiohttp.ClientConnectionError):
                await session.request(method, address, data=b"12345")
            assert server.arrived == [GET, method.encode()]

    async def by_httpx() -> None:
        async with (
            rude() as server,
            real().session() as session,
            httpx.AsyncClient(transport=GraphWire(Carrier(ANY_HOST, session, session, direct), SHORT)) as client,
        ):
            address = f"http://127.0.0.1:{server.port}/"
            await client.get(address)
            with pytest.raises(httpx.TransportError):
                await client.request(method, address, content=b"12345")
            assert server.arrived == [GET, method.encode()]

    asyncio.run(by_aiohttp())
    asyncio.run(by_httpx())


def test_no_password_of_the_users_netrc_is_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("default login somebody password a-password-of-theirs\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))

    async def main() -> None:
        async with (
            rude() as server,
            real().session() as session,
            session.get(f"http://127.0.0.1:{server.port}/") as answer,
        ):
            await answer.read()
            assert [b"authorization" in head for head in server.heads] == [False]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("environment", "address", "proxy"),
    [
        ({}, "https://graph.microsoft.com/v1.0", None),
        ({"https_proxy": "http://proxy:3128"}, "https://graph.microsoft.com/v1.0", "http://proxy:3128"),
        ({"https_proxy": "proxy:3128"}, "https://graph.microsoft.com/v1.0", "http://proxy:3128"),
        ({"http_proxy": "http://proxy:3128"}, "https://graph.microsoft.com/v1.0", None),
        ({"http_proxy": "http://proxy:3128"}, "http://169.254.169.254/metadata", "http://proxy:3128"),
        ({"all_proxy": "http://proxy:3128"}, "https://myvault.vault.azure.net/", "http://proxy:3128"),
        (
            {"https_proxy": "http://proxy:3128", "no_proxy": ".vault.azure.net"},
            "https://myvault.vault.azure.net/",
            None,
        ),
        ({"https_proxy": "http://proxy:3128", "no_proxy": "*"}, "https://graph.microsoft.com/", None),
    ],
)
def test_a_proxy_comes_from_the_environment(
    environment: dict[str, str], address: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxied(address) == proxy


# hosts

LISTS: dict[str, Callable[[Scene], Awaitable[Any]]] = {
    "aci.containerGroups.list": lambda at: at.world.groups_of(at.seeded.subscription),
    "arm.registries.list": lambda at: at.world.registries_of(at.seeded.subscription),
    "arm.subscriptions.list": lambda at: at.world.subscriptions(),
    "rbac.roleAssignments.list": lambda at: at.world.assignments(at.policy),
    "keyvault.secrets.versions": lambda at: at.world.versions(at.policy),
}


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/next?token",
        "https://graph.microsoft.com/v1.0/me",
        "http://{host}/next",
        "https://{host}:8443/",
    ],
)
@pytest.mark.parametrize("operation", LISTS)
def test_a_next_page_on_another_host_is_not_asked_for(operation: str, link: str) -> None:
    @scene
    async def test(at: Scene) -> None:
        at.azure.vaults.set("myvault", PASSWORD, "a value")
        host = "myvault.vault.azure.net" if operation.startswith("keyvault") else "management.azure.com"
        at.fault(operation, "changed", argument=f'nextLink="{link.format(host=host)}"', times=0)
        begun = at.clock.elapsed()
        with pytest.raises(Unavailable if link.startswith("http:") else Unexpected) as refused:
            await LISTS[operation](at)
        assert at.clock.elapsed() == begun
        if link.startswith("https:"):
            assert refused.value.code == "ForeignHost"
            assert refused.value.diagnose().state == "Nothing was sent there."
        assert "evil.example" in str(refused.value) or "evil" not in link
        assert not [call for call in at.app.served if call.operation.endswith("notImplemented")]

    with pytest.MonkeyPatch.context() as patch:
        test(patch)


@pytest.mark.parametrize("operation", LISTS)
def test_a_list_without_an_end_is_left(operation: str) -> None:
    @scene
    async def test(at: Scene) -> None:
        at.azure.vaults.set("myvault", PASSWORD, "a value")
        host = "myvault.vault.azure.net" if operation.startswith("keyvault") else "management.azure.com"
        first = next(call for call in await _first(at, operation))
        at.fault(operation, "changed", argument=f'nextLink="https://{host}{first}"', times=0)
        with pytest.raises(Unexpected, match="without an end"):
            await LISTS[operation](at)

    with pytest.MonkeyPatch.context() as patch:
        test(patch)


async def _first(at: Scene, operation: str) -> list[str]:
    """Return the addresses of the requests for a list."""
    paths = list[str]()
    at.app.before = lambda _, name, request: (
        paths.append(f"{request.path}?api-version={request.query['api-version']}") if name == operation else None
    )
    await LISTS[operation](at)
    at.app.before = None
    return paths


@scene
async def test_the_password_goes_to_registries_of_the_cloud_only(at: Scene) -> None:
    at.fault("arm.registries.get", "changed", argument='properties.loginServer="registry.evil.example"', times=0)
    since = len(at.app.served)
    proof = await at.world.prove(at.policy, Secret(at.password.secret), [IMAGE])
    assert proof.outcome is Outcome.UNREACHABLE
    assert "registry.evil.example" in proof.detail
    assert "acr.token" not in at.served(since)


@scene
async def test_nothing_follows_a_redirect(at: Scene) -> None:
    for operation, act in (
        ("entra.token", lambda: at.world.observe(at.policy)),
        ("aci.containerGroups.createOrUpdate", lambda: at.world.put_group(at.group_id, at.body())),
        ("keyvault.secrets.get", lambda: at.world.value(at.policy)),
        ("graph.applications.get", lambda: at.world.credentials(at.policy)),
        ("arm.registries.get", lambda: at.world.observe(at.policy)),
    ):
        for status in (301, 302, 307, 308):
            at.fault(operation, "redirect", status=status, argument="https://elsewhere.example/", times=0)
            with pytest.raises(AzureError):
                await act()
            at.azure.faults.clear()
    assert {call.host for call in at.app.served if call.host.endswith("example")} == set()


# bounds


@pytest.mark.parametrize("kind", ["drip", "endless"])
@pytest.mark.parametrize(
    "operation",
    ["graph.applications.get", "keyvault.secrets.get", "aci.containerGroups.get", "entra.token", "arm.registries.get"],
)
def test_an_answer_that_drips_is_left_when_its_time_is_over(operation: str, kind: str) -> None:
    @scene
    async def test(at: Scene) -> None:
        at.azure.vaults.set("myvault", PASSWORD, "a value")
        at.deploy()
        at.fault(operation, kind, times=0)
        before = at.clock.elapsed()
        with pytest.raises(Unavailable):
            await at.world.observe(at.policy)
        assert at.clock.elapsed() - before <= PATIENCE + 2 * LONGEST

    with pytest.MonkeyPatch.context() as patch:
        test(patch)


@pytest.mark.parametrize(("kind", "rest"), [("status", {"status": 503}), ("drip", {}), ("timeout", {})])
@pytest.mark.parametrize("operation", ["graph.applications.get", "keyvault.secrets.get", "entra.token"])
def test_nothing_is_repeated_after_the_deadline_of_the_run(operation: str, kind: str, rest: dict[str, Any]) -> None:
    @scene
    async def test(at: Scene) -> None:
        at.azure.vaults.set("myvault", PASSWORD, "a value")
        at.deploy()
        at.fault(operation, kind, times=0, **rest)
        at.world.repeat_until(at.clock.elapsed() + 60)
        begun = at.clock.elapsed()
        with pytest.raises(Unavailable):
            await at.world.observe(at.policy)
        assert at.clock.elapsed() - begun <= (60 if kind == "status" else 60 + LONGEST)

    with pytest.MonkeyPatch.context() as patch:
        test(patch)


@pytest.mark.parametrize(
    "asked",
    ["nan", "inf", "-inf", "1e300", "-5", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT", "soon", "\u0665"],
)
@pytest.mark.parametrize("header", ["Retry-After", "retry-after-ms"])
def test_an_absurd_wait_ends_with_the_patience(header: str, asked: str) -> None:
    @scene
    async def test(at: Scene) -> None:
        at.azure.vaults.set("myvault", PASSWORD, "a value")
        at.fault("keyvault.secrets.get", "status", status=503, times=0)
        at.fault("keyvault.secrets.get", "header", argument=f"{header}: {asked}", times=0)
        before = at.clock.elapsed()
        with pytest.raises(Unavailable):
            await at.world.value(at.policy)
        assert at.clock.elapsed() - before <= PATIENCE
        assert all(0 < each <= PATIENCE for each in at.clock.slept)

    with pytest.MonkeyPatch.context() as patch:
        test(patch)


def pieces(*found: bytes) -> Callable[[], Awaitable[bytes]]:
    left = iter((*found, b""))

    async def read() -> bytes:
        return next(left)

    return read


def test_a_body_is_unpacked_by_what_it_says() -> None:
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = {
        "gzip": gzip.compress(b"text", mtime=0),
        "x-gzip": gzip.compress(b"text"),
        "deflate": zlib.compress(b"text"),
        "": b"text",
        "identity": b"text",
    }
    for encoding, found in packed.items():
        assert unpacked(found, encoding) == b"text"
    assert unpacked(raw.compress(b"text") + raw.flush(), "deflate") == b"text"


@pytest.mark.parametrize(
    ("found", "encoding"),
    [
        (b"text", "gzip"),
        (gzip.compress(b"text", mtime=0)[:-4], "gzip"),
        (b"text", "deflate"),
        (b"text", "br"),
        (b"\x1f\x8b", "gzip"),
    ],
)
def test_a_damaged_body_is_not_read(found: bytes, encoding: str) -> None:
    with pytest.raises(BadBody):
        unpacked(found, encoding)


def test_a_body_has_a_largest_size_packed_and_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "LARGEST", 1000)
    assert asyncio.run(whole(pieces(b"a" * 1000), "")) == b"a" * 1000
    with pytest.raises(BadBody):
        asyncio.run(whole(pieces(b"a" * 600, b"a" * 600), ""))
    with pytest.raises(BadBody):
        asyncio.run(whole(pieces(gzip.compress(b"a" * 100_000, mtime=0)), "gzip"))
