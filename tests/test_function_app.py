"""The timer, indexed and called as the Functions host does it, against Azure in process on virtual time."""

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

import pytest
from azure.functions import FunctionApp, TimerRequest
from azure.functions.meta import Datum
from azure.functions.timer import TimerRequestConverter
from local_azure.inprocess import GraphTransport, Hop, Session, pause
from local_azure.virtual import VirtualLoop, run
from local_azure.wire import Request
from ruamel.yaml import YAML

from rotator import clients, function_app
from rotator.clients import Transports
from rotator.errors import PolicyError, RotatorError
from rotator.function_app import DEFAULT_DURATION, DEFAULT_SCHEDULE, GRACE, AppSettings, RotationFailed, schedule
from tests.clients.scene import PASSWORD, USERNAME, Clock, Scene, set_up, sign_in

ROOT = Path(__file__).parents[1]
(FUNCTION,) = function_app.app.get_functions()  # once, as the worker does: the library refuses to index an app again
TICK = (
    '{"Schedule": {"AdjustForDST": true}, "ScheduleStatus": {"Last": "2026-03-01T06:00:00+00:00"}, "IsPastDue": false}'
)


def timer() -> TimerRequest:
    """What the host sends, decoded by Microsoft's library."""
    decoded = TimerRequestConverter.decode(Datum(TICK, "json"), trigger_metadata={})
    assert isinstance(decoded, TimerRequest)
    return decoded


async def invoke() -> None:
    """Call what the host would call."""
    await FUNCTION.get_user_function()(timer())


@dataclass
class Tenant:
    """An Azure with a pull credential made by hand, in the vault and in a group, and the app over it."""

    scene: Scene
    directory: Path

    def write_policy(self, **rotation: str) -> None:
        """Where the app looks for policies."""
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
        """The versions of the published secret, oldest first."""
        found = self.scene.azure.vaults.state.secrets["myvault"][PASSWORD].versions.values()
        return sorted(found, key=lambda version: version.order)

    @property
    def credentials(self) -> list[str]:
        """The key ids of the application, newest first."""
        return [p.key_id for p in self.scene.application.passwords if p.gone_from is None]

    @property
    def group_key(self) -> str:
        """The credential that the group says it holds."""
        tag: str = self.scene.azure.container_groups.get(self.scene.group_id)["tags"].get("rotator-key-id", "")
        return tag

    def rotated(self) -> bool:
        """Whether one new credential is everywhere, and the group could pull with it."""
        *new, _ = self.credentials
        tag = self.versions[-1].tags["rotator-key-id"]
        return new == [tag] == [self.group_key] and self.scene.azure.container_groups.move_host(self.scene.group_id)


def on_azure(test: Any) -> Any:
    """Make a test that takes a Tenant run on virtual time, with the app's settings and identity in the environment."""

    def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        monkeypatch.setenv("AzureWebJobsScriptRoot", str(tmp_path))
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

        async def main(loop: VirtualLoop) -> None:
            async with set_up(loop, lambda who, tenant: sign_in(monkeypatch, who, tenant)) as made:
                monkeypatch.setattr(function_app, "connected", lambda cloud: _connected(loop, made.hop, cloud))
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
    return clock, clients.connect(clock, cloud, Transports(lambda: Session(hop), lambda: GraphTransport(hop)))


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, dict[str, Any]]]:
    """Events as they were logged, with their levels."""
    records = [record for record in caplog.records if record.name == "rotator.function"]
    return [(record.levelno, json.loads(record.getMessage())) for record in records]


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
    assert AppSettings.read({}).at_most + GRACE < allowed <= timedelta(minutes=10)
    assert "retry" not in host
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
    assert seen.stdout.strip() == f"{staged / 'rotator' / '__init__.py'} ['rotate']"
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
        Path("/app/policies"), timedelta(minutes=8), "public"
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
    assert DEFAULT_DURATION == "8m"


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
    """The instance is gone."""


@contextmanager
def striking(hop: Hop, method: str, place: str, strike: Any) -> Iterator[None]:
    """Let something happen once a request to `place` (a host and a path, or their beginning) has had its effect, before its answer arrives."""

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
        """From the first PUT on, no request has an answer."""
        hanging.append(request.method)
        if "PUT" in hanging:
            await pause(86400)

    hanging: list[str] = []

    tenant.scene.hop.arriving = never
    began = tenant.scene.clock.elapsed()
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
    file = tenant.directory / "policies" / "mycontainerregistry.yaml"
    slow = YAML().load(file.read_text())
    slow["principal"], slow["key_vault"]["password_secret"], slow["proof"] = (
        {"app_id": "0" * 8 + "-0000-0000-0000-" + "0" * 12},
        "slow",
        {"deadline": "9m"},
    )
    del slow["container_groups"], slow["key_vault"]["username_secret"]
    YAML().dump(slow, tenant.directory / "policies" / "slow.yaml")
    with pytest.raises(RotatorError, match=r"ROTATOR_MAX_DURATION is 8m.*: slow$") as raised:
        await invoke()
    assert raised.value.remedy.startswith("Write 9m or more")
    assert tenant.rotated()


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
    found = function_app._leases()
    assert (found == usual) == (taken == "by nobody")
    assert found.stat().st_mode & 0o777 == 0o700
    if taken == "by nobody":
        assert function_app._leases() == usual
