"""Tests of real processes with a queue and leases: a survey, a killed worker, and two at once, over HTTPS through one
proxy to Azurite and to a served Azure.
"""

import os
import selectors
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rotator.system import now
from tests import azurite
from tests.served import Scene, Served, scene, serving

pytestmark = pytest.mark.xdist_group("process_queue")


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served") / "state") as served:
        yield served


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[azurite.Azurite]:
    with azurite.running(tmp_path_factory.mktemp("azurite")) as found:
        yield found


@pytest.fixture
def rotator(azure: Served, storage: azurite.Azurite, tmp_path: Path) -> Iterator[Scene]:
    """Provide a scene whose processes reach storage, too."""
    made = scene(azure, tmp_path)
    for address in (azurite.CONTAINER, azurite.QUEUE):
        storage.create(address, now)
    storage.clock.unlink(missing_ok=True)  # this machine's time from here on, as for the processes
    environment = made.environment()
    trusted = tmp_path / "authorities.pem"
    both = (Path(environment["SSL_CERT_FILE"]), storage.clock.parent / "certificate.pem")
    trusted.write_text("".join(each.read_text() for each in both))
    with proxy(storage, urlsplit(environment["HTTPS_PROXY"]).port or 0) as port:
        proxies = {name: f"http://127.0.0.1:{port}" for name in environment if name.lower() == "https_proxy"}
        made.extra = {
            **proxies,
            "SSL_CERT_FILE": str(trusted),
            "REQUESTS_CA_BUNDLE": str(trusted),
            "ROTATOR_QUEUE": azurite.QUEUE,
            "ROTATOR_LEASE_CONTAINER": azurite.CONTAINER,
        }
        yield made


@contextmanager
def proxy(storage: azurite.Azurite, other: int) -> Iterator[int]:
    """Serve a CONNECT proxy to Azurite for storage, and to the proxy on port `other` for other hosts."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_serve, args=(listening, storage, other), daemon=True).start()
        yield listening.getsockname()[1]


def _serve(listening: socket.socket, storage: azurite.Azurite, other: int) -> None:
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_tunnel, args=(client, storage, other), daemon=True).start()


def _tunnel(client: socket.socket, storage: azurite.Azurite, other: int) -> None:
    """Carry bytes both ways until one end closes; a killed worker's end is reset."""
    with suppress(ConnectionError):
        _carried(client, storage, other)


def _carried(client: socket.socket, storage: azurite.Azurite, other: int) -> None:
    asked = client.recv(65536)
    host = asked.split()[1].decode().partition(":")[0] if asked else ""
    service = next((name for name in storage.ports if f".{name}.core.windows.net" in host), "")
    with client, socket.create_connection(("127.0.0.1", storage.ports[service] if service else other)) as server:
        if service:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            server.sendall(asked)
        with selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in ready.select():
                    piece = key.fileobj.recv(65536)  # type: ignore[union-attr]
                    if not piece:
                        return
                    key.data.sendall(piece)


def test_a_killed_worker_s_message_comes_back_and_two_workers_at_once_rotate_what_it_names_once(
    rotator: Scene, storage: azurite.Azurite
) -> None:
    said = rotator("enqueue")
    assert said.code == 0, said.err
    assert f"1 of 1 policies added to {azurite.QUEUE}" in said.out
    worker = rotator.begin("work", "--log-format", "json")
    assert worker.stderr
    for line in worker.stderr:
        if '"event": "step_started"' in line:
            break
    worker.send_signal(signal.SIGSTOP)
    shown = rotator("status")
    assert f"{rotator.name}: process {worker.pid} on {os.uname().nodename}, since " in shown.out, shown.text
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    later(storage, 200)
    said = rotator("work")
    assert (said.code, said.out.strip(), len(rotator.versions())) == (0, "", 1)
    later(storage, 310)
    workers = [rotator.begin("work", "--max-duration", "10m") for _ in range(2)]
    ends = [(worker.communicate(), worker.returncode) for worker in workers]
    assert {code for _, code in ends} == {0}, ends
    assert len(rotator.versions()) == 2
    assert rotator.authenticates(rotator.published())
    said = rotator("enqueue")
    assert (said.code, said.out.splitlines()[0]) == (0, f"0 of 1 policies added to {azurite.QUEUE}")


def later(storage: azurite.Azurite, seconds: float) -> None:
    """Set Azurite's clock ahead of this machine's."""
    storage.clock.write_text(str(int((now().timestamp() + seconds) * 1000)))
