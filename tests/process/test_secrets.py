"""Tests of I7 from outside: no secret is in rotator's output, after any failure and at any log level."""

import logging
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

import pytest
from local_azure.faults import Fault
from local_azure.wire import Request

from rotator.clients.keyvault import KeyVault
from rotator.errors import Conflict
from rotator.policy import Policy
from rotator.state import Secret
from tests import leaks
from tests.cells import cell
from tests.cli.scene import IMAGE, NAME, Said, make
from tests.cli.scene import Scene as Inside
from tests.served import Scene, scene, serving

pytestmark = pytest.mark.xdist_group("waiting")  # one worker waits in real time while the others compute
HIDDEN = "postgres://orders:correct-horse-battery-staple@db"
OPTIONS = (("-vv",), ("-vv", "--log-format", "json", "--output", "json"))
OPERATIONS = (
    "entra.*",
    "graph.*.get",
    "graph.*.addPassword",
    "graph.*.removePassword",
    "keyvault.secrets.get",
    "keyvault.secrets.versions",
    "keyvault.secrets.set",
    "keyvault.secrets.update",
    "arm.*",
    "rbac.*",
    "acr.token",
    "acr.manifests.*",
    "aci.containerGroups.get",
    "aci.containerGroups.createOrUpdate",
)
TROUBLE = (
    tuple(Fault("", "echo", "before", status=status) for status in (200, 400, 500)),
    tuple(Fault("", "echo", "after", status=status) for status in (200, 403, 500)),
    tuple(Fault("", "echo", status=status, argument="message") for status in (400, 401, 404)),
    tuple(
        Fault("", "echo", status=status, argument=argument, times=0)
        for status, argument in ((200, ""), (400, "message"), (503, "message"))
    ),
    (Fault("", "status", times=0),),
    (Fault("", "reset", times=0),),
    (Fault("", "lost"),),
)
"""Kinds of failures, each with its varieties."""


# in process: every operation, every way to go wrong


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Inside:
    made = make(monkeypatch, tmp_path)
    made.azure.vaults.set("myvault", "orders-database", HIDDEN)
    hidden, resources = [{"name": "DATABASE", "secureValue": HIDDEN}], {"requests": {"cpu": 1, "memoryInGB": 1.5}}
    secure = {"image": IMAGE, "resources": resources, "environmentVariables": hidden}
    entry = {"server": made.seeded.login_server, "username": made.application.app_id, "password": made.password.secret}
    properties = {
        "osType": "Linux",
        "containers": [{"name": "app", "properties": secure}],
        "imageRegistryCredentials": [entry],
    }
    made.azure.container_groups.put(made.group_id(), {"location": "eastus", "properties": properties}, "2025-09-01")
    made.pass_(minutes=5)
    sources = {"containers/app/env/DATABASE": {"key_vault": "orders-database"}}
    made.write(container_groups=[{"id": made.group_id(), "secrets": sources}])
    return made


def overheard(inside: Inside) -> set[str]:
    """Collect every credential on the wire from now on."""
    seen: set[str] = set()

    def before(number: int, operation: str, request: Request) -> None:
        del number, operation
        seen.update(part for part in request.headers.get("authorization", "").split() if len(part) > 10)
        form = parse_qs(request.body.decode(errors="replace"))
        seen.update(
            value
            for name in ("client_secret", "refresh_token", "access_token", "password")
            for value in form.get(name, [])
        )

    inside.app.before = before
    return seen


def written(said: list[Said], tmp_path: Path) -> dict[str, str]:
    texts = {
        f"{kind} {number}": text
        for number, one in enumerate(said)
        for kind, text in (("stdout", one.out), ("stderr", one.err))
    }
    exceptions = {f"exception {number}": leaks.shown(one.raised) for number, one in enumerate(said)}
    return {**texts, **exceptions, **leaks.files(tmp_path)}


def ill_fated(inside: Inside, operation: str, options: tuple[str, ...], troubles: Iterable[Fault]) -> list[Said]:
    """Rotate, and every second time deploy, with one kind of trouble after the other."""
    said = []
    for number, trouble in enumerate(troubles):
        inside.pass_(days=1)
        wanted = {name: getattr(trouble, name) for name in ("kind", "when", "times", "status", "code", "argument")}
        inside.azure.faults.add(Fault(operation, **wanted))
        said.append(inside("rotate", "--force", "--no-overlap", *options))
        if number % 2:
            said.append(inside("deploy", NAME, *options))
        assert inside.azure.faults.struck or operation not in EVERY_RUN
        inside.azure.faults.clear()
    return said


EVERY_RUN = frozenset(OPERATIONS) - {"graph.*.removePassword", "keyvault.secrets.update", "rbac.*"}


def _chosen() -> Iterator[Any]:
    """Yield cells of failures for each operation: for `make test` one variety of every other failure of a third of them, and for `make
    soak` all of them.
    """
    for number, operation in enumerate(OPERATIONS):
        ways = TROUBLE[number % 2 :: 2]
        in_turn = [varieties[number // 2 % len(varieties)] for varieties in ways]
        yield cell(operation, in_turn, name=operation, soak=number % 3 != 0)
        yield cell(operation, list(chain(*TROUBLE)), name=f"{operation}-all", soak=True)


@pytest.mark.share(2)
@pytest.mark.parametrize(("operation", "troubles"), list(_chosen()))
def test_trouble_shows_no_secret(operation: str, troubles: list[Fault], inside: Inside, tmp_path: Path) -> None:
    seen = overheard(inside)
    assert inside("rotate", "--adopt").code == 0
    said = ill_fated(inside, operation, OPTIONS[len(operation) % 2], troubles)
    assert inside.azure.faults.struck
    secrets = {*inside.azure.directory.every_secret(), *seen, HIDDEN, "correct-horse-battery-staple"}
    assert len(secrets) > 20
    assert leaks.found(secrets, written(said, tmp_path)) == []


PLANTS = ("a log", "an exception", "a file")


@pytest.mark.parametrize("plant", PLANTS)
def test_a_leak_would_be_found(plant: str, inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = KeyVault.value

    async def leaking(self: KeyVault, policy: Policy, name: str, version: str | None = None) -> Secret:
        value = await published(self, policy, name, version)
        if name == "orders-database":
            match plant:
                case "a log":
                    logging.getLogger("rotator.clients.keyvault").debug("read %s", quote(value.reveal(), safe=""))
                case "an exception":
                    raise Conflict(f"what is {value.reveal()}", service="Key Vault")
                case "a file":
                    (tmp_path / "notes.txt").write_text(value.reveal())
        return value

    monkeypatch.setattr(KeyVault, "value", leaking)
    said = [inside("rotate", "--adopt", "-vv")]
    assert leaks.found({HIDDEN}, written(said, tmp_path))


def test_what_looks_like_a_secret_is_struck_even_if_somebody_logs_it(
    inside: Inside, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    published = KeyVault.value

    async def leaking(self: KeyVault, policy: Policy, name: str, version: str | None = None) -> Secret:
        value = await published(self, policy, name, version)
        logging.getLogger("rotator.clients.keyvault").debug(
            "read %s with %s", value.reveal(), await self._token.text("https://vault.azure.net/.default")
        )
        return value

    monkeypatch.setattr(KeyVault, "value", leaking)
    said = [inside("plan", "-vv")]
    assert "read *** with ***" in said[0].err
    assert leaks.found(inside.azure.directory.every_secret(), written(said, tmp_path)) == []


# real processes


@pytest.fixture
def rotator(tmp_path: Path) -> Iterator[Scene]:
    (tmp_path / "home").mkdir()
    with serving(tmp_path / "azure") as served:
        yield scene(served, tmp_path / "home")


LIFE = (
    ("plan",),
    ("rotate", "--adopt", "--no-overlap"),
    ("rotate", "--force"),
    ("rotate", "{name}", "--compromised", "--yes"),
    ("deploy", "{name}", "--logs"),
    ("revoke", "{name}", "--yes", "--record", "record.json"),
    ("grant", "{name}"),
)
ON_THE_WAY = (
    ("graph.applications.addPassword", "echo", {"status": 400, "argument": "message"}),
    ("keyvault.secrets.set", "echo", {"status": 400, "argument": "message"}),
    ("entra.*", "echo", {"status": 400, "nth": 3}),
    ("aci.containerGroups.createOrUpdate", "echo", {"status": 200, "when": "after"}),
    ("keyvault.secrets.get", "reset", {"nth": 2}),
)


def test_a_whole_life_at_debug_level_leaves_no_secret_on_this_machine(rotator: Scene) -> None:
    azure, texts = rotator.azure, dict[str, str]()
    azure.advance(seconds=1)
    for number, (verb, *rest) in enumerate(LIFE):
        for fault in ON_THE_WAY[number - 2 :][:1] if number >= 2 else ():
            azure.fault(fault[0], fault[1], **fault[2])
        said = rotator(verb, *(word.format(name=rotator.name) for word in rest), *OPTIONS[number % 2])
        azure.control("DELETE", "/faults")
        texts |= {f"{verb} {number} stdout": said.out, f"{verb} {number} stderr": said.err}
    assert len(azure.control("GET", "/faults")["struck"]) >= 3
    secrets = {*azure.issued(), rotator.published(), rotator.by_hand, f"hidden-value-of-{rotator.name}"}
    assert len(secrets) >= 6
    texts |= leaks.files(rotator.path)
    assert any(path.endswith("record.json") for path in texts)
    assert any("azure.core" in text for text in texts.values())
    assert leaks.found(secrets, texts) == []
    assert leaks.found(secrets, leaks.files(azure.directory.path)), "the emulator keeps them, so they can be found"


def test_no_secret_is_in_the_arguments_of_a_process(rotator: Scene) -> None:
    rotator.azure.fault("keyvault.secrets.set", "timeout")
    process = rotator.begin("rotate", "-vv")
    rotator.azure.until(lambda: bool(rotator.azure.control("GET", "/faults")["struck"]) or process.poll() is not None)
    listed = {
        str(file): file.read_bytes().decode()
        for file in Path("/proc").glob("[0-9]*/cmdline")
        if _ours(file, process.pid)
    }
    process.kill()
    process.communicate()
    assert listed
    assert leaks.found(rotator.azure.issued(), listed) == []


def _ours(file: Path, pid: int) -> bool:
    """Tell if a process is the given one or its child."""
    try:
        return file.parent.name == str(pid) or f"PPid:\t{pid}\n" in (file.parent / "status").read_text()
    except OSError:
        return False
