"""Tests of the emulator as a process: the wire of unmodified clients, refused connections, and lasting state."""

import http.client
import json
import os
import shlex
import signal
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from local_azure import options
from local_azure.arm.clouds import CLOUDS
from local_azure.arm.regions import region_names
from local_azure.authority import named
from local_azure.cli import app as command_line
from local_azure.detached import Settings, StartFailed, start, stop
from local_azure.directory import AlreadyRunning, NotRunning, StateDirectory
from local_azure.environment import Who, exports, shell
from local_azure.private import UnreadableState
from local_azure.process import open_emulator, run
from local_azure.remote import ControlRefused, ask
from local_azure.timing import TIMINGS
from typer.testing import CliRunner

pytestmark = pytest.mark.xdist_group("server")  # they share the module's fixtures

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/myResourceGroup/providers/Microsoft.ContainerInstance/containerGroups"
VAULT, LOGIN = "myvault.vault.azure.net", "login.microsoftonline.com"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StateDirectory]:
    directory = StateDirectory(tmp_path_factory.mktemp("served") / "state")
    start(Settings(directory))
    yield directory
    stop(directory)


@pytest.fixture
def faults(served: StateDirectory) -> Iterator[Callable[..., None]]:
    yield lambda operation, kind, **more: ask(served, "POST", "/faults", {"operation": operation, "kind": kind, **more})
    ask(served, "DELETE", "/faults")


Connect = Callable[..., http.client.HTTPSConnection]


@pytest.fixture
def connect(served: StateDirectory) -> Iterator[Connect]:
    """Provide connections as any client of Azure has them: through the proxy, by name, with the authority trusted."""
    context, made = ssl.create_default_context(cafile=served.certificate), ExitStack()

    def connected(host: str, timeout: float = 10) -> http.client.HTTPSConnection:
        connection = http.client.HTTPSConnection("127.0.0.1", served.running().port, context=context, timeout=timeout)
        connection.set_tunnel(host, 443)
        made.callback(connection.close)
        return connection

    with made:
        yield connected


def test_the_certificate_is_for_every_endpoint_of_a_registry_and_for_no_other_depth() -> None:
    for cloud in CLOUDS:
        assert named(f"myregistry.{cloud.registries}")
        assert all(named(f"my-label.{region}.geo.{cloud.registries}") for region in region_names(cloud))
    assert not any(map(named, ("a.b.azurecr.io", "eastus.geo.azurecr.io", "a.nowhere.geo.azurecr.io")))


def get(
    connection: http.client.HTTPConnection, path: str, method: str = "GET"
) -> tuple[http.client.HTTPResponse, bytes]:
    """Send one request on a connection that stays open."""
    connection.request(method, path)
    answer = connection.getresponse()
    return answer, answer.read()


def test_the_official_sdks_do_the_whole_chain_with_nothing_but_the_environment(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path / "state")
    start(Settings(directory, timing="prompt"))
    try:
        environment = {**os.environ, **exports(directory, "admin")}
        ran = subprocess.run(
            [sys.executable, Path(__file__).with_name("sdks.py")],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        stop(directory)
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    assert seen["graph"] == {"left": ["kept"], "applications": ["admin", "operator", "pull"]}
    assert seen["sync"] == {
        "secret": "two",
        "tags": ["{'new': 'yes'}", "{'old': 'yes'}"],
        "roles": 1,
        "state": "Succeeded",
        "hidden": None,
        "groups": ["sync"],
    }
    assert seen["async"] == {
        "secret": "two",
        "versions": 2,
        "state": "Succeeded",
        "groups": ["async", "sync"],
        "logs": True,
        "deleted": 1,
        "refused": "InaccessibleImage",
    }


@pytest.mark.parametrize("machine", ["app-service", "virtual-machine"])
def test_a_machine_signs_in_with_its_managed_identity_and_nothing_but_the_environment(
    served: StateDirectory, machine: Who
) -> None:
    environment = {**os.environ, **exports(served, machine)}
    ran = subprocess.run(
        [sys.executable, Path(__file__).with_name("machine.py")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [served.seeded().identity.object_id] * 2
    assert "AZURE_CLIENT_SECRET" not in exports(served, machine)


def test_plain_http_reaches_the_identity_endpoint_and_nothing_else(served: StateDirectory) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", served.running().port, timeout=10)) as connection:
        for path, status in (
            ("/metadata/identity/oauth2/token", 400),
            ("http://169.254.169.254/metadata/identity/oauth2/token", 400),
            ("/v1.0/x", 501),
        ):
            assert get(connection, path)[0].status == status
    with closing(http.client.HTTPConnection("127.0.0.1", served.running().port, timeout=10)) as connection:
        assert get(connection, "http://graph.microsoft.com/v1.0/applications")[0].status == 403


def test_one_connection_carries_many_calls(connect: Connect) -> None:
    connection = connect(VAULT)
    answer, _ = get(connection, "/secrets/x?api-version=7.4")
    socket = connection.sock
    for _ in range(5):
        answer, _ = get(connection, "/secrets/x?api-version=7.4")
    assert answer.status == 401
    assert connection.sock is socket
    assert answer.getheader("WWW-Authenticate", "").startswith("Bearer authorization=")


def test_the_only_date_is_azures_and_no_server_names_itself(connect: Connect) -> None:
    answer, _ = get(connect(VAULT), "/secrets/x?api-version=7.4")
    assert len(answer.headers.get_all("date", [])) == 1
    assert answer.getheader("server") != "uvicorn"


def test_a_head_has_a_length_and_no_body(connect: Connect) -> None:
    connection = connect("mycontainerregistry.azurecr.io")
    answer, body = get(connection, "/v2/aci-helloworld/manifests/v1", "HEAD")
    assert (answer.status, body) == (401, b"")
    assert get(connection, "/v2/")[0].status == 401


def test_what_is_no_http_is_refused_and_holds_up_nobody(connect: Connect) -> None:
    broken = connect(VAULT)
    broken.connect()
    broken.sock.sendall(b"NONSENSE\r\n\r\n")
    assert broken.sock.recv(12) == b"HTTP/1.1 400"
    assert get(connect(VAULT), "/secrets/x?api-version=7.4")[0].status == 401


def test_a_large_body_in_pieces_leaves_the_connection_usable(connect: Connect) -> None:
    connection = connect("mycontainerregistry.azurecr.io")
    connection.request(
        "POST", "/oauth2/token", (b"x" * 65_536 for _ in range(64)), {"Expect": "100-continue"}, encode_chunked=True
    )
    answer = connection.getresponse()
    assert (answer.status, answer.read()[:10]) == (400, b'{"errors":')
    socket = connection.sock
    assert get(connection, "/v2/")[0].status == 401
    assert connection.sock is socket


def test_what_is_not_implemented_is_501(connect: Connect) -> None:
    answer, body = get(connect("graph.microsoft.com"), "/v1.0/me/messages")
    assert answer.status == 501
    assert b"/v1.0/me/messages" in body


@pytest.mark.parametrize(
    "host",
    ["example.com", "azcliprod.blob.core.windows.net", "a.myvault.vault.azure.net", "vault.azure.net", "127.0.0.1"],
)
def test_no_tunnel_leads_anywhere_but_to_azures_names(connect: Connect, served: StateDirectory, host: str) -> None:
    with pytest.raises(OSError, match="403"):
        get(connect(host), "/")
    assert {"method": "CONNECT", "target": f"{host}:443"} in ask(served, "GET", "/turned-away")["value"]


def test_the_proxy_takes_no_plain_requests_and_no_other_port(served: StateDirectory) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", served.running().port, timeout=10)) as plain:
        plain.request("GET", f"http://{VAULT}/")
        assert plain.getresponse().status == 403
    with closing(http.client.HTTPConnection("127.0.0.1", served.running().port, timeout=10)) as other:
        other.set_tunnel(VAULT, 80)
        with pytest.raises(OSError, match="403"):
            other.request("GET", "/")


def test_a_reset_closes_the_connection_without_an_answer(
    connect: Connect, served: StateDirectory, faults: Callable[..., None]
) -> None:
    faults("entra.*", "reset", times=0)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError, ssl.SSLEOFError)):
        get(connect(LOGIN), f"/{served.seeded().tenant}/v2.0/.well-known/openid-configuration")


def test_a_timeout_is_silence_and_holds_up_nobody_else(
    connect: Connect, served: StateDirectory, faults: Callable[..., None]
) -> None:
    faults("entra.*", "timeout")
    path = f"/{served.seeded().tenant}/v2.0/.well-known/openid-configuration"
    with pytest.raises(TimeoutError):
        get(connect(LOGIN, timeout=0.3), path)
    assert get(connect(LOGIN), path)[0].status == 200


def test_the_control_endpoint_wants_its_token(connect: Connect) -> None:
    answer, _ = get(connect("control.local-azure.internal"), "/state?secrets=true")
    assert answer.status == 401


def test_time_can_be_advanced_and_never_turned_back(served: StateDirectory) -> None:
    before = ask(served, "GET", "/clock")["now"]
    after = ask(served, "POST", "/clock", {"advance": 60})["now"]
    assert after > before
    with pytest.raises(ControlRefused, match="back"):
        ask(served, "POST", "/clock", {"advance": -1})
    with pytest.raises(ControlRefused, match="advance"):
        ask(served, "POST", "/clock", {})


def test_a_fault_that_nobody_knows_is_refused(served: StateDirectory) -> None:
    with pytest.raises(ControlRefused, match="wen"):
        ask(served, "POST", "/faults", {"operation": "entra.token", "kind": "reset", "wen": "after"})
    with pytest.raises(ControlRefused, match="kind"):
        ask(served, "POST", "/faults", {"operation": "entra.token"})


def test_the_picture_has_no_secret_in_it_and_the_dump_has_all(served: StateDirectory) -> None:
    everything = ask(served, "GET", "/state?secrets=true")
    shown = json.dumps(ask(served, "GET", "/state"))
    assert served.seeded().operator.secret in everything["issued"]
    assert not [secret for secret in everything["issued"] if secret in shown]
    assert "PRIVATE KEY" not in shown


def test_an_image_can_be_pushed(served: StateDirectory) -> None:
    body = {
        "registry": "mycontainerregistry.azurecr.io",
        "repository": "job",
        "tag": "v2",
        "exit_code": 3,
        "run_seconds": 5,
    }
    assert ask(served, "POST", "/images", body)["digest"].startswith("sha256:")


def test_another_subscription_can_be_made_and_belongs_to_the_admin(served: StateDirectory) -> None:
    other, owner = "00000000-0000-0000-0000-00000000000b", served.seeded().admin.object_id
    assert ask(served, "POST", "/subscriptions", {"id": other, "name": "Other", "owner": owner})["name"] == "Other"
    with pytest.raises(ControlRefused, match="already exists"):
        ask(served, "POST", "/subscriptions", {"id": other, "name": "Other", "owner": owner})
    with pytest.raises(ControlRefused, match="has to be a GUID"):
        ask(served, "POST", "/subscriptions", {"id": "other", "name": "Other", "owner": owner})
    scopes = [each["scope"] for each in ask(served, "GET", "/state")["roleAssignments"] if each["principalId"] == owner]
    assert f"/subscriptions/{other}" in scopes


def test_secrets_on_disk_are_for_their_owner_only(served: StateDirectory) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in served.path.iterdir() if path.is_file()}
    assert stat.S_IMODE(served.path.stat().st_mode) == 0o700
    for name in ("ca-key.pem", "running.json", "seeded.json", "server.log", "state.json"):
        assert modes[name] == 0o600


def test_two_emulators_never_share_a_directory(served: StateDirectory) -> None:
    running = served.running()
    with pytest.raises(AlreadyRunning, match="already running"):
        start(Settings(served))
    with pytest.raises(AlreadyRunning, match="already running"):
        run(Settings(served))
    assert served.running() == running


def test_a_start_that_fails_says_why(served: StateDirectory, tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="in use"):
        start(Settings(StateDirectory(tmp_path / "other"), port=served.running().port))
    (tmp_path / "other" / "state.json").write_text("{")
    with pytest.raises(StartFailed, match="is not JSON"):
        start(Settings(StateDirectory(tmp_path / "other")))


def test_a_fresh_start_keeps_the_authority_and_nothing_else(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path / "state")
    start(Settings(directory))
    certificate, seeded = directory.certificate.read_bytes(), directory.seeded()
    stop(directory)
    directory.az("admin").mkdir(parents=True)
    start(Settings(directory, fresh=True, timing="prompt"))
    stop(directory)
    assert directory.certificate.read_bytes() == certificate
    assert directory.seeded().operator.app_id != seeded.operator.app_id
    assert not directory.az("admin").exists()


def test_the_exports_survive_a_shell(served: StateDirectory) -> None:
    variables = {**exports(served), "AWKWARD": "it's $HOME; `x`"}
    script = f"{shell(variables)}\nenv -0"
    printed = subprocess.run(
        ["sh", "-c", script], env={"PATH": os.environ["PATH"], "AZURE_USERNAME": "x"}, capture_output=True, check=True
    ).stdout
    seen = dict(line.split("=", 1) for line in printed.decode().split("\0") if "=" in line)
    assert {name: seen[name] for name in variables} == variables
    assert "AZURE_USERNAME" not in seen


def test_an_emulator_of_another_version_can_be_ended_and_is_named(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path / "state")
    pid = start(Settings(directory, timing="prompt")).pid
    file = directory.path / "running.json"
    try:
        file.write_text(json.dumps({"pid": pid, "port": 1}))
        with pytest.raises(
            UnreadableState, match=rf"process {pid}\) is of another version: end it with `local-azure stop`"
        ):
            directory.running()
    finally:
        assert stop(directory) == pid
    (directory.path / "seeded.json").write_text("{}")
    with pytest.raises(UnreadableState, match="start --fresh"):
        directory.seeded()


@pytest.mark.parametrize("written", ["[]", "{}", '{"pid": "one"}', "{"])
def test_an_announcement_that_names_no_process_is_no_traceback(tmp_path: Path, written: str) -> None:
    directory = StateDirectory(tmp_path / "state")
    directory.make()
    file = directory.path / "running.json"
    file.write_text(written)
    with pytest.raises(NotRunning):
        stop(directory)
    with directory.held():
        file.write_text(written)
        with pytest.raises(UnreadableState, match=r"running\.json names no process"):
            stop(directory)


@pytest.mark.parametrize(
    "damaged", [{"port": 70_000}, {"port": 1}, {"token": "a\nb"}, {"token": "\u20ac"}, {"pid": 1}, {"pid": -1}], ids=str
)
def test_a_damaged_announcement_is_one_line_and_signals_nobody_else(
    served: StateDirectory, tmp_path: Path, damaged: dict[str, object]
) -> None:
    directory = StateDirectory(tmp_path / "state")
    directory.make()
    content = json.loads((served.path / "running.json").read_text())
    (directory.path / "ca.pem").write_bytes(served.certificate.read_bytes())
    with directory.held():
        (directory.path / "running.json").write_text(json.dumps({**content, **damaged}))
        with pytest.raises((ControlRefused, UnreadableState), match=r"no answer that can be read|names no process"):
            ask(directory, "GET", "/clock")


@pytest.mark.parametrize(
    "written",
    [
        b"[]",
        b'{"format": 2}',
        b'{"format": 2, "now": NaN}',
        b'{"format": 2, "now": "9999-12-31T23:59:59-10:00"}',
        b"\xff",
    ],
)
def test_a_damaged_state_is_one_line(tmp_path: Path, written: bytes) -> None:
    directory = StateDirectory(tmp_path / "state")
    directory.make()
    directory.state.write_bytes(written)
    with pytest.raises(UnreadableState):
        open_emulator(Settings(directory))


def test_the_state_and_the_authority_last(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path / "state")
    start(Settings(directory))
    certificate, seeded = directory.certificate.read_bytes(), directory.seeded()
    now = ask(directory, "POST", "/clock", {"advance": 86_400})["now"]
    ask(directory, "POST", "/faults", {"operation": "entra.token", "kind": "reset", "nth": 7})
    stop(directory)
    with pytest.raises(NotRunning):
        directory.running()
    start(Settings(directory))
    try:
        assert ask(directory, "GET", "/clock")["now"] > now
        assert [fault["nth"] for fault in ask(directory, "GET", "/faults")["planned"]] == [7]
        assert (directory.certificate.read_bytes(), directory.seeded()) == (certificate, seeded)
    finally:
        stop(directory)


def test_commands_on_a_running_emulator_load_none_of_its_services() -> None:
    modules = "cli, detached, directory, environment, remote"
    loaded = (
        f"from local_azure import {modules}; import sys; print([m for m in sys.modules if m == 'local_azure.azure'])"
    )
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, check=True).stdout.strip() == b"[]"


def test_a_killed_emulator_is_not_taken_for_a_running_one(tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path / "state")
    killed = start(Settings(directory)).pid
    os.kill(killed, signal.SIGKILL)
    os.waitpid(killed, 0)
    again = start(Settings(directory))
    assert directory.running() == again
    stop(directory)


def test_the_command_line_tells_what_runs_and_changes_it(served: StateDirectory) -> None:
    def local(*words: str) -> str:
        ran = CliRunner().invoke(command_line, [*words, "--dir", str(served.path)])
        assert ran.exit_code == 0, ran.output
        return ran.stdout

    assert json.loads(local("status", "--output", "json"))["operator"] == served.seeded().operator.app_id
    assert f"AZURE_CLIENT_ID={shlex.quote(served.seeded().admin.app_id)}" in local("env", "--as", "admin")
    assert local("advance", "1h30m") < local("advance", "1s")
    local("fault", "aci.containerGroups.get", "--status", "429", "--retry-after", "5", "--nth", "9")
    assert json.loads(local("fault"))["planned"][0]["retry_after"] == 5
    local("fault", "--clear")
    assert local("push", "mycontainerregistry.azurecr.io/a/b:c").startswith("sha256:")
    assert local("refused") == "No pull was refused.\n"
    assert served.seeded().operator.secret not in local("dump")


def test_the_command_line_says_in_one_line_what_is_wrong(served: StateDirectory, tmp_path: Path) -> None:
    for words, expected in (
        (["status", "--dir", str(tmp_path)], "no emulator is running"),
        (["stop", "--dir", str(tmp_path)], "no emulator is running"),
        (["move-host", f"{GROUP}/absent", "--dir", str(served.path)], "absent"),
        (["move-host", "/x", "--dir", str(served.path)], "resource id of a container group"),
        (["subscription", "x", "--dir", str(tmp_path)], "no emulator in"),
        (["push", "nowhere/a:b", "--dir", str(served.path)], "no registry nowhere"),
        (["fault", "entra.token", "reset", "--when", "during", "--dir", str(served.path)], "when"),
        (["fault", "entra.token", "--retry-after", "nan", "--dir", str(served.path)], "retry_after"),
    ):
        ran = CliRunner().invoke(command_line, words)
        assert ran.exit_code == 1
        assert expected in ran.stderr
    assert CliRunner().invoke(command_line, ["advance", "soon", "--dir", str(served.path)]).exit_code == 2


def test_the_command_line_offers_every_timing() -> None:
    assert [one.value for one in options.TimingName] == list(TIMINGS)
