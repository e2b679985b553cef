"""Tests of a failed sign-in, and of a network without an answer: one report for all policies."""

import json
import re

import pytest
from local_azure.faults import Fault

from tests.cli.scene import NAME, Scene

SEVERAL = tuple(f"p{number:02}" for number in range(12))


@pytest.fixture(name="many")
def _many(rotator: Scene) -> Scene:
    (rotator.policies / f"{NAME}.yaml").unlink()
    for number, name in enumerate(SEVERAL):
        vault = {"url": rotator.seeded.vault_url, "password_secret": f"{name}-pwd"}
        groups = [{"id": rotator.group_id(name)}]
        principal = {"app_id": f"5d3c0a52-0000-4000-8000-{number:012}"}
        rotator.write(name, principal=principal, key_vault=vault, container_groups=groups)
    return rotator


def paragraphs(text: str) -> list[str]:
    """Return the beginnings of an error's lines."""
    return [line.partition(":")[0] for line in text.splitlines()]


@pytest.mark.parametrize("verb", ["rotate", "plan", "status", "doctor"])
def test_who_is_not_signed_in_is_told_so_once(many: Scene, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.delenv(f"AZURE_{name}")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    said = many(verb)
    assert (said.code, said.out) == (1, "")
    assert paragraphs(said.err) == ["rotator can't sign in", "State", "What to do"]
    assert "none of the 12 policies was looked at" in said.err
    told = many(verb, "--output", "json").json
    assert [(each["policy"], each["exit_code"]) for each in told["policies"]] == [(name, 1) for name in SEVERAL]
    assert {each["error"]["happened"] for each in told["policies"]} == {told["error"]["happened"]}


def test_a_refused_secret_of_rotator_s_own_is_said_once(many: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "wrong")
    said = many("rotate")
    assert (said.code, said.out, len(said.err.splitlines())) == (1, "", 3), said.err


@pytest.mark.parametrize("operation", ["entra.token", "*"])
def test_a_network_without_an_answer_is_said_once(many: Scene, operation: str) -> None:
    quiet = ("arm.*", "aci.*", "keyvault.*", "graph.*") if operation == "*" else (operation,)
    for each in quiet:
        many.azure.faults.add(Fault(each, "reset", times=0))
    said = many("rotate")
    told = [line for line in said.err.splitlines() if " waiting for " not in line]
    assert (said.code, said.out, paragraphs("\n".join(told))[1:]) == (1, "", ["State", "What to do"]), said.err
    *waits, error = [json.loads(line) for line in many("rotate", "--log-format", "json").err.splitlines()]
    assert (error["event"], {each["event"] for each in waits}) == ("error", {"host_awaited"})


@pytest.mark.parametrize("verb", ["rotate", "plan", "status"])
def test_a_vault_without_an_answer_keeps_no_other_policy_from_being_served_and_the_wait_is_told(
    many: Scene, verb: str
) -> None:
    many.azure.faults.add(Fault("keyvault.*", "reset", times=0))
    said = many(verb, "--output", "json")
    assert len(said.json["policies"]) == len(SEVERAL)
    assert "error" not in said.json
    waits = [line for line in said.err.splitlines() if "waiting for" in line]
    assert len(waits) == 1
    host = many.seeded.vault_url.removeprefix("https://")
    times = r"since \d\d:\d\d:\d\d UTC: no answer; goes on waiting until \d\d:\d\d:\d\d UTC at the latest"
    assert re.fullmatch(rf"\S+Z waiting for {host} {times}", waits[0])
