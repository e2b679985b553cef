"""Tests of notifications after a run: webhook, ping, command and metrics, end to end."""

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from local_azure.faults import Fault

from rotator import notices
from rotator.cli import wiring
from rotator.notices import sender
from rotator.report import shapes
from rotator.report.metrics import parse
from rotator.report.status import Urgency
from tests.cli.scene import NAME, PASSWORD, Said, Scene
from tests.cli.test_exposed import _exposed as exposed_scene
from tests.storage import WHERE, MemoryLeases

__all__ = ["exposed_scene"]

WEBHOOK, PING = "https://hooks.example.com/S3CRET-HOOK", "https://ping.example.com/S3CRET-PING"


@dataclass
class Receivers:
    """Receivers at every address: received requests, and the statuses to answer."""

    answers: dict[str, int] = field(default_factory=dict)
    got: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.got.append(request)
        return httpx.Response(self.answers.get(request.url.host, 200), headers={"Location": PING})

    def taken(self, host: str = "hooks.example.com") -> list[Any]:
        """Return the bodies received at a host since the last call."""
        found = [request.content for request in self.got if request.url.host == host]
        self.got[:] = [request for request in self.got if request.url.host != host]
        return [json.loads(body) if body else "" for body in found]

    def pings(self) -> int:
        return len(self.taken("ping.example.com"))


@pytest.fixture(name="receivers")
def _receivers(rotator: Scene, monkeypatch: pytest.MonkeyPatch) -> Receivers:
    """Provide a webhook and a ping, named in the environment."""
    made = Receivers()
    monkeypatch.setattr(wiring, "web", lambda: lambda address: httpx.MockTransport(made))
    monkeypatch.setenv("ROTATOR_WEBHOOK", WEBHOOK)
    monkeypatch.setenv("ROTATOR_PING", PING)
    return made


def failing(rotator: Scene) -> None:
    """Refuse every new password in Graph from now on."""
    fault = Fault("graph.*.addPassword", "status", status=403, code="Authorization_RequestDenied", times=0)
    rotator.azure.faults.add(fault)


def test_a_run_over_all_pings_and_one_without_trouble_says_nothing_else(rotator: Scene, receivers: Receivers) -> None:
    assert rotator("rotate", "--adopt").code == 0
    assert (receivers.pings(), receivers.taken()) == (1, [])
    assert rotator("rotate", NAME).code == 0
    assert rotator("plan").code == 0
    assert (receivers.pings(), receivers.taken()) == (0, [])


def test_what_stands_is_told_once_a_day_with_equal_ids_and_still_pings(rotator: Scene, receivers: Receivers) -> None:
    failing(rotator)
    assert rotator("rotate").code == 1
    (first,) = receivers.taken()
    assert (first["type"], first["subject"], first["data"]["severity"]) == ("rotator.alert.failed", NAME, "warning")
    assert first["data"]["remedy"]
    rotator.pass_(hours=6)
    assert rotator("rotate").code == 1
    assert (receivers.taken(), receivers.pings()) == ([], 2)
    (Path(rotator.policies.parent) / "leases" / notices.LIST).unlink()
    assert rotator("rotate").code == 1
    assert [each["id"] for each in receivers.taken()] == [first["id"]]
    rotator.pass_(hours=24)
    assert rotator("rotate").code == 1
    (later,) = receivers.taken()
    assert later["id"] != first["id"]


def test_machines_that_share_a_container_for_leases_share_what_was_delivered(
    rotator: Scene, receivers: Receivers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = MemoryLeases(lambda: rotator.azure.clock.now().timestamp())
    monkeypatch.setattr(wiring, "lease_store", lambda world, container: store)
    failing(rotator)
    for machine in ("one", "two"):
        assert rotator("rotate", "--lease-container", WHERE, "--lease-dir", str(tmp_path / machine)).code == 1
    assert len(receivers.taken()) == 1
    store.texts.clear()
    store.broken = True
    said = rotator("rotate", "--lease-container", WHERE)
    assert len(receivers.taken()) == 1
    assert f"{WHERE}/delivered.json can't be written (Azure Blob Storage gave no answer)" in said.err


def test_a_failed_delivery_is_a_warning_without_the_address_and_is_tried_again(
    rotator: Scene, receivers: Receivers, tmp_path: Path
) -> None:
    failing(rotator)
    receivers.answers = {"hooks.example.com": 302, "ping.example.com": 500}
    metrics = tmp_path / "rotator.prom"
    said = rotator("rotate", "--metrics", str(metrics), "-vv")
    assert said.code == 1
    assert "ROTATOR_WEBHOOK: answered with 302 (a redirect, which is not followed)" in said.err
    assert "ROTATOR_PING: answered with 500" in said.err
    assert "S3CRET" not in said.out + said.err
    assert parse(metrics.read_text())["rotator_notification_failures"] == {"": 2}
    assert (len(receivers.taken()), receivers.pings()) == (1, 3)
    receivers.answers = {}
    assert rotator("rotate", "--metrics", str(metrics)).code == 1
    assert (len(receivers.taken()), receivers.pings()) == (1, 1)
    assert parse(metrics.read_text())["rotator_notification_failures"] == {"": 0}


def test_nothing_that_is_sent_carries_a_token_or_a_secret(rotator: Scene, receivers: Receivers) -> None:
    failing(rotator)
    assert rotator("rotate", "--adopt").code == 1
    secrets = [password.secret for password in rotator.azure.directory.passwords(rotator.application.app_id)]
    assert secrets
    for request in receivers.got:
        assert {"authorization", "cookie"} & set(request.headers) == set()
        assert not any(secret.encode() in request.content for secret in [*secrets, rotator.seeded.operator.secret])


def test_rotators_own_sign_in_that_fails_is_told_once_for_all_policies_and_does_not_ping(
    rotator: Scene, receivers: Receivers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    metrics = tmp_path / "rotator.prom"
    assert rotator("rotate", "--adopt", "--metrics", str(metrics)).code == 0
    assert receivers.pings() == 1
    other = rotator.azure.directory.create_application("other")
    rotator.write("other", principal={"app_id": other.app_id}, key_vault={"url": rotator.seeded.vault_url, "password_secret": "other-pwd"}, container_groups=[{"id": rotator.group_id("other")}])  # fmt: skip
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "wrong")
    assert rotator("rotate", "--metrics", str(metrics)).code == 1
    (told,) = receivers.taken()
    assert told["data"]["policies"] == [NAME, "other"]
    assert "sign rotator in" in told["data"]["happened"]
    assert receivers.pings() == 0
    states = parse(metrics.read_text())
    assert states["rotator_state"] == {NAME: 1, "other": 1}
    assert states["rotator_last_success_timestamp_seconds"].keys() == {NAME}


def test_policies_that_can_not_be_served_are_told(rotator: Scene, receivers: Receivers, tmp_path: Path) -> None:
    metrics = tmp_path / "rotator.prom"
    (rotator.policies / "broken.yaml").write_text("principal: 1\n")
    assert rotator("rotate", "--adopt", "--metrics", str(metrics)).code == 2
    assert [each["type"] for each in receivers.taken()] == ["rotator.alert.not_served"]
    assert receivers.pings() == 1
    assert parse(metrics.read_text())["rotator_last_exit_code"] == {NAME: 0, "broken": 2}
    (rotator.policies / f"{NAME}.yaml").unlink()
    assert rotator("rotate", "--metrics", str(metrics)).code == 2
    assert (receivers.taken(), receivers.pings()) == ([], 0)
    rotator.pass_(hours=24)
    assert rotator("rotate", "--metrics", str(metrics)).code == 2
    (told,) = receivers.taken()
    assert (told["data"]["code"], told["data"]["policies"]) == ("not_served", ["broken"])
    assert rotator("rotate", "nobody").code == 2
    assert (receivers.taken(), receivers.pings()) == ([], 0)


def test_broken_defaults_are_one_alert_for_all_that_extend_them_also_where_the_address_is_in_key_vault(
    rotator: Scene, receivers: Receivers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ROTATOR_WEBHOOK", f"keyvault:{rotator.seeded.vault_url}/secrets/webhook-url")
    rotator.azure.vaults.set("myvault", "webhook-url", WEBHOOK)
    other = rotator.azure.directory.create_application("other")
    rotator.write("other", principal={"app_id": other.app_id}, key_vault={"url": rotator.seeded.vault_url, "password_secret": "other-pwd"}, container_groups=[{"id": rotator.group_id("other")}])  # fmt: skip
    (rotator.policies / "_defaults.yaml").write_text("rotation: {validity: soon}\n")
    assert rotator("rotate", "--metrics", str(tmp_path / "rotator.prom")).code == 2
    (told,) = receivers.taken()
    assert told["data"]["policies"] == [NAME, "other"]
    assert "_defaults.yaml:1" in told["data"]["happened"]
    assert parse((tmp_path / "rotator.prom").read_text())["rotator_last_exit_code"] == {NAME: 2, "other": 2}


def test_an_address_may_be_in_key_vault(rotator: Scene, receivers: Receivers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTATOR_PING", f"keyvault:{rotator.seeded.vault_url}/secrets/ping-url")
    said = rotator("rotate", "--adopt")
    assert said.code == 0
    assert "WARNING" in said.err
    assert "ROTATOR_PING" in said.err
    rotator.azure.vaults.set("myvault", "ping-url", PING)
    assert rotator("rotate").code == 0
    assert receivers.pings() == 1
    rotator.azure.vaults.set("myvault", "ping-url", "http://S3CRET")
    said = rotator("rotate")
    assert (said.code, "the secret named by ROTATOR_PING is no address" in said.err) == (0, True)
    assert "S3CRET" not in said.out + said.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROTATOR_WEBHOOK", "http://S3CRET"),
        ("ROTATOR_WEBHOOK_SHAPE", "S3CRET"),
        ("ROTATOR_HOOK", "'S3CRET"),
    ],
)
def test_settings_that_can_not_work_are_refused_before_anything_is_done(
    rotator: Scene, receivers: Receivers, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    since = len(rotator.served())
    said = rotator("rotate")
    assert (said.code, rotator.served(since)) == (2, [])
    assert name in said.err
    assert "S3CRET" not in said.out + said.err


def test_a_command_that_is_not_there_stops_no_run(rotator: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTATOR_HOOK", "/opt/absent it")
    said = rotator("rotate", "--adopt")
    assert (said.code, said.raised) == (0, None), said.err
    assert [
        each
        for each in rotator.azure.directory.passwords(rotator.application.app_id)
        if each.display_name and each.display_name.startswith("rotator:")
    ]


def test_a_command_gets_each_alert_and_one_that_fails_is_a_warning(
    rotator: Scene, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real process is tested in tests/notify: virtual time has none."""
    from rotator import notify

    got: list[tuple[tuple[str, ...], Any]] = []
    answers = ["ended with 3", "", ""]

    async def run_hook(words: tuple[str, ...], event: bytes) -> str:
        got.append((words, json.loads(event)))
        return answers.pop(0)

    monkeypatch.setattr(notify, "run_hook", run_hook)
    monkeypatch.setenv("ROTATOR_HOOK", f"{sys.executable} -c 'two words'")
    failing(rotator)
    said = rotator("rotate")
    assert "the hook ended with 3" in said.err
    for _ in range(2):
        assert rotator("rotate").code == 1
    assert [words for words, _ in got] == [(sys.executable, "-c", "two words")] * 2
    assert got[0][1]["id"] == got[1][1]["id"]
    assert len(receivers.taken()) == 1


def test_a_compromise_rings_in_metrics_webhook_and_chat(
    exposed: Scene, receivers: Receivers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = tmp_path / "rotator.prom"
    monkeypatch.setenv("ROTATOR_WEBHOOK_SHAPE", "teams")
    said: Callable[[], Said] = lambda: exposed("rotate", "--metrics", str(metrics))  # noqa: E731
    assert said().code == 1
    (card,) = receivers.taken()
    text = json.dumps(card)
    assert "COMPROMISED CREDENTIAL STILL WORKS: held by mycontainer, nightly" in text
    assert "CRITICAL" in text
    values = parse(metrics.read_text())
    assert (values["rotator_state"][NAME], values["rotator_compromised_credentials"][NAME]) == (0, 1)
    assert exposed("status", "--html", str(tmp_path / "fleet.html")).code == 1
    assert "Act now: a password that others know still works." in (tmp_path / "fleet.html").read_text()
    exposed.azure.clock.advance(timedelta(hours=6))
    monkeypatch.setenv("ROTATOR_WEBHOOK_SHAPE", "slack")
    assert said().code == 1
    assert [message["text"] for message in receivers.taken()] != []


def test_the_metrics_have_what_a_run_tried_and_refused(rotator: Scene, tmp_path: Path) -> None:
    def state(*options: str) -> tuple[int, float]:
        code = rotator("rotate", *options, "--metrics", str(tmp_path / "rotator.prom")).code
        return code, parse((tmp_path / "rotator.prom").read_text())["rotator_state"][NAME]

    rotator.azure.faults.add(Fault("acr.manifests.head", "status", status=503, times=0))
    assert state() == (3, Urgency.BLOCKED)
    rotator.azure.faults.clear()
    assert rotator("rotate", "--adopt").code == 0
    rotator.azure.vaults.set("myvault", PASSWORD, "no password")
    assert state() == (1, Urgency.OVERDUE)
    assert rotator("status").code == 0


@pytest.mark.parametrize("hook", ["no-such-program --page", "/no/such/program", "/etc", "/etc/passwd"])
def test_a_hook_that_could_not_be_started_is_an_error_before_the_first_alert(
    rotator: Scene, tmp_path: Path, hook: str
) -> None:
    metrics = tmp_path / "rotator.prom"
    said = rotator("rotate", "--adopt", "--hook", hook, "--metrics", str(metrics), "--quiet")
    assert (said.code, f"there is no program {hook.split(maxsplit=1)[0]} that may be run" in said.err) == (0, True)
    assert parse(metrics.read_text())["rotator_notification_failures"][""] == 1
    assert "program" not in rotator("rotate", "--hook", "sh -c false", "--quiet").err


def test_metrics_that_can_not_be_written_are_a_warning(rotator: Scene, tmp_path: Path) -> None:
    said = rotator("rotate", "--adopt", "--metrics", str(tmp_path / "nowhere" / "rotator.prom"))
    assert (said.code, "the metrics can't be written" in said.err) == (0, True)


@pytest.mark.parametrize("error", [asyncio.CancelledError(), ZeroDivisionError("S3CRET")])
def test_neither_a_signal_nor_a_bug_while_telling_keeps_the_report_back(
    rotator: Scene, receivers: Receivers, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def broken(found: object) -> bytes:
        raise error

    monkeypatch.setattr(shapes, "cloud_event", broken)
    failing(rotator)
    said = rotator("rotate", "-vv")
    assert (said.code, said.raised) == (1, None)
    assert said.out.startswith(f"{NAME}: ")
    assert "while sending notifications" in said.err
    assert "S3CRET" not in said.err


def test_a_slow_receiver_does_not_hold_the_run_up_for_each_alert(
    rotator: Scene, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "LONGEST", -1.0)
    failing(rotator)
    said = rotator("rotate")
    assert (said.code, receivers.taken(), receivers.pings()) == (1, [], 1)
    assert "the webhook is slow; messages left: 1" in said.err
