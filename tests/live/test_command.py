"""Tests of the bridge's command line: its refusals, its questions, and its exit codes."""

import io
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from local_azure.faults import Fault

from live import __main__ as command
from live import price
from tests.live.bridge import GROUP, Local
from tests.live.test_run import things
from tests.written import ROOT


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> Local:
    made = Local()

    @contextmanager
    def connected(cloud: object, clock: object) -> Iterator[object]:
        yield made.wire

    monkeypatch.setattr(command, "connected", connected)
    return made


def run(local: Local, verb: str, *options: str) -> int:
    return command.main([verb, "--subscription", local.seeded.subscription, "--group", GROUP, *options])


@pytest.mark.parametrize("target", ["live", "live-clean"])
@pytest.mark.parametrize("given", [[], ["GROUP=x"], ["SUBSCRIPTION=x"], ["SUBSCRIPTION=x", "GROUP="]])
def test_make_refuses_without_both_names(target: str, given: list[str]) -> None:
    wanted = ["make", "--no-print-directory", "-o", ".venv/.ready", target, *given]
    done = subprocess.run(wanted, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "SUBSCRIPTION" in done.stderr
    assert "GROUP" in done.stderr


@pytest.mark.parametrize("options", [["--group", ""], ["--facts", "Z9"], ["--cloud", "moon"]])
def test_what_makes_no_sense_is_refused_before_any_request(local: Local, options: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        run(local, "play", *options)
    assert refused.value.code == 2
    assert local.app.served == []


@pytest.mark.parametrize("answer", ["n\n", "", "\n"])
def test_nothing_is_made_unless_a_person_agrees_to_the_price(
    local: Local, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert run(local, "play") == 2
    assert local.app.served == []
    assert f"at most {price.bound():.2f} USD (prices of {price.AS_OF}" in capsys.readouterr().err


def test_the_report_is_all_of_stdout(local: Local, capsys: pytest.CaptureFixture[str]) -> None:
    before = things(local)
    assert run(local, "play", "--yes", "--facts", "F3,B5", "--output", "json") == 0
    said = json.loads(capsys.readouterr().out)
    assert [(fact["fact"], fact["outcome"]) for fact in said["facts"]] == [("F3", "holds"), ("B5", "not seen")]
    assert said["left"] == []
    assert things(local) == before


def test_a_fact_that_differs_is_exit_code_1(local: Local) -> None:
    def altered(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        gone = request.method == "DELETE" and answer.status_code == 204
        return httpx.Response(200, json={}, request=request) if gone else answer

    local.wire.client = local.client(altered)
    assert run(local, "play", "--yes", "--facts", "F3") == 1


def test_what_is_left_is_named_with_the_command_that_removes_it(
    local: Local, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = Fault("graph.deletedItems.delete", "status", status=403, code="Authorization_RequestDenied", times=0)
    local.azure.faults.add(kept)
    local.scene().application("kept")
    assert run(local, "clean", "--yes") == 1
    said = capsys.readouterr().err
    assert "LEFT: deleted application rotator-live-" in said
    assert "403 Authorization_RequestDenied" in said
    local.azure.faults.clear()
    assert run(local, "clean", "--yes") == 0
    assert run(local, "clean") == 0
    assert "Nothing is left." in capsys.readouterr().err


def test_a_removal_is_asked_for_with_the_names_of_what_goes(
    local: Local, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    local.scene()
    before = things(local)
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    assert run(local, "clean") == 2
    assert f"resource group {GROUP}" in capsys.readouterr().err
    assert things(local) == before


def test_an_interruption_is_exit_code_130(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        raise KeyboardInterrupt

    local.wire.client = local.client(interrupted)
    assert run(local, "play", "--yes") == 130
