"""Tests of the function app, indexed and called as by the Functions host, against Azure in process on virtual time."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.functions import FunctionApp, HttpRequest, QueueMessage, TimerRequest
from azure.functions.meta import Datum
from azure.functions.timer import TimerRequestConverter
from local_azure.inprocess import Hop, Session, pause
from local_azure.virtual import VirtualLoop, run
from local_azure.wire import Request
from ruamel.yaml import YAML

from rotator import clients, function_app
from rotator.clients import Transports
from rotator.errors import Forbidden, PolicyError, RotatorError
from rotator.fleet.queue import AGAIN, MOST
from rotator.function_app import RotationFailed, invocation
from rotator.function_app.invocation import GRACE
from rotator.function_app.settings import DEFAULT_DURATION, DEFAULT_SCHEDULE, AppSettings, schedule, trigger
from rotator.notices import LIST
from tests.clients.scene import PASSWORD, USERNAME, Clock, Scene, set_up, sign_in
from tests.storage import QUEUE, WHERE, MemoryLeases, MemoryQueue

ROOT = Path(__file__).parents[1]
FUNCTIONS = {each.get_function_name(): each for each in function_app.app.get_functions()}
"""Functions of the app, indexed once, as by the worker: the library refuses to index an app again."""
FUNCTION = FUNCTIONS["rotate"]
TICK = (
    '{"Schedule": {"AdjustForDST": true}, "ScheduleStatus": {"Last": "2026-03-01T06:00:00+00:00"}, "IsPastDue": false}'
)


def timer() -> TimerRequest:
    """Return the host's timer message, decoded by Microsoft's library."""
    decoded = TimerRequestConverter.decode(Datum(TICK, "json"), trigger_metadata={})
    assert isinstance(decoded, TimerRequest)
    return decoded


async def invoke() -> None:
    """Invoke the function as the host would."""
    await FUNCTION.get_user_function()(timer())


@dataclass
class Tenant:
    """Azure with a pull credential made by hand, in the vault and in a group, and the app in front."""

    scene: Scene
    directory: Path

    def write_policy(self, **rotation: str) -> None:
        """Write the policy into the app's folder of policies."""
        content = {
            "principal": {"app_id": self.scene.app_id},
            "registries": [{"id": str(self.scene.seeded.registry_id)}],
            "key_vault": {"url": self.scene.seeded.vault_url, "password_secret": PASSWORD, "username_secret": USERNAME},
            "rotation": rotation,
            "container_groups": [{"id": str(self.scene.group_id)}],
        }
        (self.directory / "policies").mkdir()
        YAML().dump(content, self.directory / "policies" / "mycontainerregistry.yaml")

    @property
    def versions(self) -> list[Any]:
        """Versions of the published secret, oldest first."""
        found = self.scene.azure.vaults.state.secrets["myvault"][PASSWORD].versions.values()
        return sorted(found, key=lambda version: version.order)

    @property
    def credentials(self) -> list[str]:
        """Key ids of the application, newest first."""
        return [p.key_id for p in self.scene.application.passwords if p.gone_from is None]

    @property
    def group_key(self) -> str:
        """Key id in the group's tag."""
        tag: str = self.scene.azure.container_groups.get(self.scene.group_id)["tags"].get("rotator-key-id", "")
        return tag

    def rotated(self) -> bool:
        """Tell if one new credential is published and held, and the group could pull with it."""
        *new, _ = self.credentials
        tag = self.versions[-1].tags["rotator-key-id"]
        return new == [tag] == [self.group_key] and self.scene.azure.container_groups.move_host(self.scene.group_id)


def on_azure(test: Any) -> Any:
    """Return a test on virtual time, with a Tenant, and with the app's settings and identity in the environment."""

    def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        monkeypatch.setenv("AzureWebJobsScriptRoot", str(tmp_path))
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

        async def main(loop: VirtualLoop) -> None:
            async with set_up(loop, lambda who, tenant: sign_in(monkeypatch, who, tenant)) as made:
                monkeypatch.setattr(invocation, "connected", lambda cloud: _connected(loop, made.hop, cloud))
                made.deploy()
                made.azure.vaults.set("myvault", PASSWORD, made.password.secret)
                tenant = Tenant(made, tmp_path)
                tenant.write_policy()
                try:
                    await test(tenant, caplog)
                finally:
                    assert not [s for s in made.azure.directory.every_secret() if s in caplog.text]

        run(main)

    ran.__name__, ran.__doc__ = test.__name__, test.__doc__
    return ran


def _connected(loop: VirtualLoop, hop: Hop, cloud: str) -> Any:
    clock = Clock(loop)
    return clock, clients.connect(clock, cloud, Transports(lambda: Session(hop)))


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, dict[str, Any]]]:
    """Return events as logged, with their levels."""
    records = [record for record in caplog.records if record.name == "rotator.function"]
    return [(record.levelno, json.loads(record.getMessage())) for record in records]


def bindings(environment: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    """Return the bindings of each function, as the host gets them."""
    found = function_app.build(environment).get_functions()
    return {str(each.get_function_name()): json.loads(each.get_function_json())["bindings"] for each in found}


def test_with_a_queue_its_messages_are_taken_and_without_one_there_is_no_trigger() -> None:
    assert set(bindings({})) == {"rotate", "status"}
    made = bindings({"ROTATOR_QUEUE": QUEUE})
    assert made["reconcile"] == [
        {
            "direction": "IN",
            "type": "queueTrigger",
            "name": "message",
            "queueName": "rotator",
            "connection": "AzureWebJobsStorage",
        }
    ]
    (request, response) = made["status"]
    assert request["name"] == "request"
    assert (request["type"], request["authLevel"], request["route"]) == ("httpTrigger", "FUNCTION", "status")
    assert [str(each).upper() for each in request["methods"]] == ["GET"]
    assert response["type"] == "http"
    assert (
        bindings({"ROTATOR_QUEUE": QUEUE, "ROTATOR_QUEUE_CONNECTION": "Other"})["reconcile"][0]["connection"] == "Other"
    )
    assert set(bindings({"ROTATOR_QUEUE": "queue"})) == {"rotate", "status"}
    with pytest.raises(RotatorError, match="the app setting ROTATOR_QUEUE is 'queue'"):
        AppSettings.read({"ROTATOR_QUEUE": "queue"})
    with pytest.raises(RotatorError, match=r"is 'https://x\?sig=\*\*\*'"):
        AppSettings.read({"ROTATOR_LEASE_CONTAINER": "https://x?sig=hunter2"})
    assert trigger({}) is None


def test_the_host_finds_one_timer_that_takes_its_schedule_from_a_setting() -> None:
    assert isinstance(function_app.app, FunctionApp)
    (binding,) = json.loads(FUNCTION.get_function_json())["bindings"]
    assert FUNCTION.get_function_name() == "rotate"
    assert binding == {
        "direction": "IN",
        "type": "timerTrigger",
        "name": "timer",
        "schedule": DEFAULT_SCHEDULE,
        "useMonitor": True,
    }
    assert schedule({"ROTATOR_SCHEDULE": "0 */30 * * * *"}) == "%ROTATOR_SCHEDULE%"


def test_the_deployed_folder_gives_a_run_the_time_it_takes() -> None:
    host = json.loads((ROOT / "function" / "host.json").read_text())
    hours, minutes, seconds = map(int, host["functionTimeout"].split(":"))
    allowed = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    assert AppSettings.read({}).at_most + 2 * GRACE <= allowed <= timedelta(minutes=30)
    assert "retry" not in host
    queues = host["extensions"]["queues"]
    assert queues["maxDequeueCount"] == MOST
    assert timedelta(seconds=AGAIN) == timedelta(minutes=int(queues["visibilityTimeout"].split(":")[1]))
    assert queues["messageEncoding"] == "base64"
    assert "from rotator.function_app import app" in (ROOT / "function" / "function_app.py").read_text()


def test_the_staged_folder_holds_all_that_the_platform_needs() -> None:
    subprocess.run(
        ["make", "--silent", "--old-file=.venv/.ready", "function"], cwd=ROOT, check=True, capture_output=True
    )
    staged = ROOT / "build" / "function"
    look = (
        "import function_app, rotator; print(rotator.__file__, [f.get_function_name() for f in"
        " function_app.app.get_functions()])"
    )
    seen = subprocess.run(
        [sys.executable, "-c", look], cwd=staged, check=True, capture_output=True, text=True, env={"PATH": os.defpath}
    )
    assert seen.stdout.strip() == f"{staged / 'rotator' / '__init__.py'} ['rotate', 'status']"
    assert {"host.json", "function_app.py", "requirements.txt", "rotator", "policies"} <= {
        path.name for path in staged.iterdir()
    }
    assert not (staged / "local_azure").exists()
    requirements = (staged / "requirements.txt").read_text()
    assert requirements.startswith("aiohappyeyeballs==")
    assert "azure-functions==" in requirements
    assert "--hash=sha256:" in requirements


def test_settings_say_where_how_long_and_which_azure() -> None:
    assert AppSettings.read({"AzureWebJobsScriptRoot": "/app"}) == AppSettings(
        Path("/app/policies"), timedelta(minutes=25), "public"
    )
    given = {
        "AzureWebJobsScriptRoot": "/app",
        "ROTATOR_POLICIES": "/elsewhere",
        "ROTATOR_MAX_DURATION": "25m",
        "ROTATOR_CLOUD": "china",
    }
    assert AppSettings.read(given) == AppSettings(Path("/elsewhere"), timedelta(minutes=25), "china")
    with pytest.raises(RotatorError, match="ROTATOR_MAX_DURATION is '8'"):
        AppSettings.read({"ROTATOR_MAX_DURATION": "8"})
    assert DEFAULT_DURATION == "25m"


@on_azure
async def test_a_tick_rotates_what_is_due_and_the_next_writes_nothing(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    await invoke()
    assert tenant.rotated()
    assert [event["event"] for _, event in lines(caplog)][-1] == "finished"
    before = len(tenant.scene.app.served)
    await invoke()
    assert len(tenant.scene.app.served) > before
    assert {call.operation for call in tenant.scene.app.served[before:] if call.method not in ("GET", "HEAD")} == {
        "entra.token"
    }


class Killed(BaseException):
    """Death of the instance."""


@contextmanager
def striking(hop: Hop, method: str, place: str, strike: Any) -> Iterator[None]:
    """Call `strike` once a request to `place` (a host and a path, or their beginning) has had its effect, before the
    answer arrives.
    """

    async def leaving(request: Request) -> None:
        if request.method == method and f"{request.host}{request.path}".startswith(place):
            strike()

    hop.leaving = leaving
    yield
    hop.leaving = None


@on_azure
async def test_a_tick_killed_once_the_credential_was_published_is_resumed_by_the_next(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    def die() -> None:
        raise Killed

    with (
        striking(tenant.scene.hop, "PUT", "myvault.vault.azure.net/secrets/mycontainerregistry-pull-pwd", die),
        pytest.raises((Killed, BaseExceptionGroup)),
    ):
        await invoke()
    published, held = tenant.versions[-1].tags["rotator-key-id"], tenant.group_key
    assert published in tenant.credentials
    assert held == ""
    await invoke()
    assert tenant.group_key == published
    assert tenant.rotated()


@on_azure
async def test_a_tick_cancelled_while_a_group_restarts_is_resumed_by_the_next(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    ticking = asyncio.ensure_future(invoke())
    with striking(tenant.scene.hop, "PUT", "management", ticking.cancel), pytest.raises(asyncio.CancelledError):
        await ticking
    published = tenant.versions[-1].tags["rotator-key-id"]
    await invoke()
    assert tenant.group_key == published
    assert tenant.rotated()


@on_azure
async def test_what_fails_makes_the_invocation_fail_and_the_log_say_why(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    tenant.scene.fault("aci.containerGroups.createOrUpdate", status=400, code="BadRequest", times=0)
    with pytest.raises(RotationFailed, match=r"mycontainerregistry: .*1 failed"):
        await invoke()
    failed = [event for level, event in lines(caplog) if level == logging.ERROR]
    assert [(event["event"], event["step"]) for event in failed] == [("step_failed", "deploy")]
    assert tenant.scene.azure.container_groups.move_host(tenant.scene.group_id)
    tenant.scene.azure.faults.clear()
    await invoke()
    assert tenant.rotated()


@on_azure
async def test_a_run_that_hangs_is_cut_off_before_the_platform_does_it(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    async def never(request: Request) -> None:
        """Leave every request from the first PUT on without an answer."""
        hanging.append(request.method)
        if "PUT" in hanging:
            await pause(86400)

    hanging: list[str] = []

    tenant.scene.hop.arriving = never
    began = tenant.scene.clock.elapsed()
    with pytest.MonkeyPatch.context() as settings:
        settings.setenv("ROTATOR_MAX_DURATION", "8m")
        with pytest.raises(RotationFailed, match="cut off 9m"):
            await invoke()
    assert tenant.scene.clock.elapsed() - began == pytest.approx(540, abs=1)
    tenant.scene.hop.arriving = None
    await pause(6 * 3600)
    await invoke()
    newest, *_ = tenant.credentials
    assert newest == tenant.versions[-1].tags["rotator-key-id"] == tenant.group_key


@on_azure
async def test_a_mistake_in_a_policy_fails_the_invocation_after_the_others_were_served(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    (tenant.directory / "policies" / "other.yaml").write_text("principal: {}\n")
    with pytest.raises(PolicyError, match=r"other\.yaml:1") as raised:
        await invoke()
    assert raised.value.state == "The other policies were served."
    assert tenant.rotated()
    told = [
        (event["event"], Path(event.get("file", "")).name) for level, event in lines(caplog) if level == logging.ERROR
    ]
    assert set(told) == {("mistake", "other.yaml")}


@on_azure
async def test_a_failure_and_a_mistake_are_both_in_what_the_invocation_fails_with(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    (tenant.directory / "policies" / "other.yaml").write_text("principal: {}\n")
    tenant.scene.fault("aci.containerGroups.createOrUpdate", status=400, code="BadRequest", times=0)
    with pytest.raises(RotationFailed, match=r"(?s)mycontainerregistry: .*1 failed.*other\.yaml:1"):
        await invoke()


@on_azure
async def test_without_a_policy_that_can_be_served_no_request_is_made(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    (tenant.directory / "policies" / "mycontainerregistry.yaml").write_text("principal: {}\n")
    before = len(tenant.scene.app.served)
    with pytest.raises(PolicyError, match=r"mycontainerregistry\.yaml:1"):
        await invoke()
    assert len(tenant.scene.app.served) == before


@on_azure
async def test_a_policy_that_could_never_be_proven_in_time_is_named_and_stops_no_other(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    slow = yaml_of(tenant, "mycontainerregistry")
    slow["principal"], slow["key_vault"]["password_secret"], slow["proof"] = (
        {"app_id": "0" * 8 + "-0000-0000-0000-" + "0" * 12},
        "slow",
        {"deadline": "26m"},
    )
    del slow["container_groups"], slow["key_vault"]["username_secret"]
    YAML().dump(slow, tenant.directory / "policies" / "slow.yaml")
    with pytest.raises(RotatorError, match=r"ROTATOR_MAX_DURATION is 25m.*: slow$") as raised:
        await invoke()
    assert raised.value.remedy.startswith("Write 26m or more")
    assert tenant.rotated()


class Told:
    """Webhook and ping of the app's settings, with the received messages."""

    def __init__(self, settings: pytest.MonkeyPatch, **more: str) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.pings = 0
        settings.setattr(invocation, "web", lambda: lambda address: httpx.MockTransport(self._got))
        given = {
            "ROTATOR_WEBHOOK": "https://hooks.example.com/S3CRET",
            "ROTATOR_PING": "https://ping.example.com/S3CRET",
        }
        for name, value in (given | more).items():
            settings.setenv(name, value)

    def _got(self, request: httpx.Request) -> httpx.Response:
        self.pings += request.method == "GET"
        if request.content:
            self.bodies.append(json.loads(request.content))
        return httpx.Response(202)

    def taken(self) -> list[tuple[str, list[str]]]:
        """Return codes and policies of the alerts since the last call."""
        found = [(each["data"]["code"], each["data"]["policies"]) for each in self.bodies]
        self.bodies.clear()
        return found


@on_azure
async def test_a_tick_tells_the_receivers_of_the_app_once_and_pings(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    tenant.scene.azure.vaults.set("myvault", "webhook-url", "https://hooks.example.com/S3CRET")
    (tenant.directory / "policies" / "other.yaml").write_text("principal: {}\n")
    tenant.scene.fault("aci.containerGroups.createOrUpdate", status=400, code="BadRequest", times=0)
    with pytest.MonkeyPatch.context() as settings:
        told = Told(settings, ROTATOR_WEBHOOK=f"keyvault:{tenant.scene.seeded.vault_url}/secrets/webhook-url")
        for alerts in ([("failed", ["mycontainerregistry"]), ("not_served", ["other"])], []):
            with pytest.raises(RotationFailed):
                await invoke()
            assert (told.taken(), told.pings) == (alerts, 1)
            told.pings = 0
        (tenant.directory / "policies" / "mycontainerregistry.yaml").unlink()
        (invocation.state() / LIST).unlink()
        with pytest.raises(PolicyError):
            await invoke()
        assert (told.taken(), told.pings) == ([("not_served", ["other"])], 0)
    assert "S3CRET" not in caplog.text


@on_azure
async def test_a_survey_and_a_message_tell_the_receivers_and_only_the_survey_pings(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    with with_queue(tenant) as (queue, leases), pytest.MonkeyPatch.context() as settings:
        told = Told(settings)
        tenant.scene.fault("graph.*.addPassword", status=403, code="Authorization_RequestDenied", times=0)
        await invoke()
        assert (told.taken(), told.pings) == ([], 1)
        with pytest.raises(RotationFailed):
            await function_app.reconcile(Message("mycontainerregistry"))
        assert (told.taken(), told.pings) == ([("failed", ["mycontainerregistry"])], 1)
        queue.aside.append("mycontainerregistry")
        with pytest.raises(RotationFailed):
            await invoke()
        assert (told.taken(), told.pings) == ([("poisoned", ["mycontainerregistry"])], 2)
        assert len(json.loads(leases.texts[LIST])["delivered"]) == 2
        assert not (invocation.state() / LIST).exists()


@on_azure
async def test_an_app_that_can_not_sign_in_says_so_once(tenant: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    other = yaml_of(tenant, "mycontainerregistry")
    other["principal"], other["key_vault"]["password_secret"] = {"app_id": "0" * 8 + "-0000" * 3 + "-" + "0" * 12}, "b"
    del other["container_groups"], other["key_vault"]["username_secret"]
    YAML().dump(other, tenant.directory / "policies" / "other.yaml")
    with pytest.MonkeyPatch.context() as settings:
        told = Told(settings)
        settings.setenv("AZURE_CLIENT_SECRET", "wrong")
        with pytest.raises(Forbidden, match="sign rotator in"):
            await invoke()
        assert (told.taken(), told.pings) == ([("failed", ["mycontainerregistry", "other"])], 0)
    assert lines(caplog) == []


def yaml_of(tenant: Tenant, name: str) -> Any:
    return YAML().load((tenant.directory / "policies" / f"{name}.yaml").read_text())


def test_a_receiver_that_can_not_work_is_an_error_without_the_address_and_keeps_the_trigger() -> None:
    given = {"ROTATOR_WEBHOOK": "http://S3CRET", "ROTATOR_QUEUE": QUEUE}
    with pytest.raises(RotatorError, match="ROTATOR_WEBHOOK") as raised:
        AppSettings.read(given)
    assert "S3CRET" not in str(raised.value.diagnose())
    assert "reconcile" in bindings(given)


@pytest.mark.parametrize("taken", ["by nobody", "by a file", "by a link", "by others"])
def test_leases_are_kept_where_nobody_else_can_hold_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, taken: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    usual = tmp_path / f"rotator-{os.geteuid()}"
    match taken:
        case "by a file":
            usual.touch()
        case "by a link":
            usual.symlink_to(tmp_path)
        case "by others":
            usual.mkdir()
            usual.chmod(0o777)
    found = invocation.state()
    assert (found == usual) == (taken == "by nobody")
    assert found.stat().st_mode & 0o777 == 0o700
    if taken == "by nobody":
        assert invocation.state() == usual


# a queue, and the status


class Message(QueueMessage):
    """Message of a queue from the host, as far as the app reads it."""

    def __init__(self, text: str, tries: int = 1) -> None:
        super().__init__(id="1", body=text)
        self._tries = tries

    @property
    def dequeue_count(self) -> int:
        return self._tries


@contextmanager
def with_queue(tenant: Tenant) -> Iterator[tuple[MemoryQueue, MemoryLeases]]:
    """Provide the app with a queue and a lease container."""
    queue, leases = MemoryQueue(tenant.scene.clock.elapsed), MemoryLeases(tenant.scene.clock.elapsed)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("ROTATOR_QUEUE", QUEUE)
        patched.setenv("ROTATOR_LEASE_CONTAINER", WHERE)
        patched.setattr(invocation, "queue", lambda world, address: queue)
        patched.setattr(invocation, "lease_store", lambda world, container: leases)
        yield queue, leases


@on_azure
async def test_with_a_queue_the_timer_adds_what_is_due_and_a_message_rotates_it(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    with with_queue(tenant) as (queue, leases):
        await invoke()
        assert [each.message.text for each in queue.waiting] == ["mycontainerregistry"]
        assert tenant.group_key == ""
        await function_app.reconcile(Message("mycontainerregistry"))
        assert tenant.rotated()
        queue.waiting.clear()
        await invoke()
        assert queue.waiting == []
        assert [blob.id for blob in leases.blobs.values()] == [""]


@on_azure
async def test_a_message_fails_its_invocation_only_where_another_try_may_help(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    with with_queue(tenant) as (queue, leases):
        await function_app.reconcile(Message("\x1b[2Jnobody"))
        assert "which is no policy in this directory" in caplog.text
        await leases.acquire(f"{tenant.scene.app_id}.lock", "another", {"host": "b"})
        await function_app.reconcile(Message("mycontainerregistry"))
        assert tenant.group_key == ""
        leases.blobs.clear()
        tenant.scene.fault("keyvault.secrets.set", status=403, code="Forbidden", times=0)
        with pytest.raises(RotationFailed, match="mycontainerregistry: "):
            await function_app.reconcile(Message("mycontainerregistry", 4))
        assert "poisoned" not in caplog.text
        with pytest.raises(RotationFailed):
            await function_app.reconcile(Message("mycontainerregistry", 5))
        assert [event["code"] for _, event in lines(caplog) if event.get("code") == "poisoned"] == ["poisoned"]
        queue.aside.append("mycontainerregistry")
        with pytest.raises(RotationFailed, match="its message was moved aside"):
            await invoke()


@on_azure
async def test_the_status_is_that_of_the_command_line_and_503_where_a_person_is_needed(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    def request() -> HttpRequest:
        return HttpRequest("GET", "https://app.example/api/status", body=b"")

    await invoke()
    answer = await function_app.status(request())
    body = json.loads(answer.get_body())
    assert (answer.status_code, answer.mimetype, body["exit_code"]) == (200, "application/json", 0)
    assert [(each["policy"], each["state"]) for each in body["policies"]] == [("mycontainerregistry", "resting")]
    tenant.scene.fault("keyvault.secrets.*", status=403, code="Forbidden", times=0)
    answer = await function_app.status(request())
    assert (answer.status_code, json.loads(answer.get_body())["policies"][0]["state"]) == (503, "unreadable")
    tenant.scene.azure.faults.clear()
    (tenant.directory / "policies" / "other.yaml").write_text("principal: {}\n")
    answer = await function_app.status(request())
    assert (answer.status_code, [each["policy"] for each in json.loads(answer.get_body())["errors"]]) == (
        503,
        ["other"],
    )
    with pytest.MonkeyPatch.context() as settings:
        settings.setenv("ROTATOR_CLOUD", "mars")
        answer = await function_app.status(request())
    assert (answer.status_code, json.loads(answer.get_body())["error"]["happened"]) == (
        503,
        "the app setting ROTATOR_CLOUD is 'mars', which is not a cloud",
    )
