"""Tests of `rotator validate` and `rotator schema` by the command line: a fleet with defaults, and the policies that a
mistake stops.
"""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from ruamel.yaml import YAML

from rotator.policy import gather
from tests.cli.scene import Scene
from tests.policy.test_defaults import DEFAULTS, NOT_INHERITED, plain
from tests.policy.test_policy import MINIMAL

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fleet(rotator: Scene) -> Scene:
    """Return a scene with thirty policies of one team on its defaults, and one of another team."""
    for file in rotator.policies.glob("*.yaml"):
        file.unlink()
    (rotator.policies / "team").mkdir()
    (rotator.policies / "team" / "_defaults.yaml").write_text(DEFAULTS)
    for number in range(10, 40):
        text = plain(0).replace("00000000000", f"0000000000{number}"[1:]).replace("pwd-0", f"pwd-{number}")
        (rotator.policies / "team" / f"p{number}.yaml").write_text(text)
    (rotator.policies / "other.yaml").write_text(MINIMAL.replace("5D3C", "6D3C"))
    return rotator


def test_many_valid_policies_are_counted_and_each_is_shown_if_asked_for(fleet: Scene) -> None:
    assert fleet("validate").out == "31 policies are valid; -v shows each\n"
    assert len(fleet("validate", "-v").out.splitlines()) == 31
    assert len(fleet("validate", "--output", "json").json["policies"]) == 31


def test_a_policy_is_shown_with_the_place_of_each_value(fleet: Scene) -> None:
    said = fleet("validate", "p10", "--effective")
    head, *lines = said.out.splitlines()
    file, defaults = fleet.policies / "team" / "p10.yaml", fleet.policies / "team" / "_defaults.yaml"
    assert (said.code, head) == (0, f"team/p10 ({file})")
    shown = {line.split()[0]: " ".join(line.split()[1:]) for line in lines}
    assert shown["key_vault.password_secret"] == f"{file}:2:30 pwd-10"
    assert shown["rotation.deploy_window.cron"] == f"{defaults}:8:43 0 2 * * SAT"
    assert shown["rotation.settle"] == "rotator's default 30m"
    (policy,) = fleet("validate", "p10", "--effective", "--output", "json").json["policies"]
    (validity,) = [each for each in policy["values"] if each["path"] == "rotation.validity"]
    assert validity == {"path": "rotation.validity", "value": "60d", "file": str(defaults), "line": 4, "column": 13}


def test_broken_defaults_are_told_once_and_stop_all_that_extend_them_and_nobody_else(fleet: Scene) -> None:
    defaults = fleet.policies / "team" / "_defaults.yaml"
    defaults.write_text(DEFAULTS.replace("validity: 60d", "validty: 60d"))
    (fleet.policies / "team" / "p11.yaml").write_text("principal: [\n")
    said = fleet("validate")
    assert said.code == 2
    assert said.out.count(str(defaults) + ":4:3: rotation.validty: unknown key") == 1
    assert f"{defaults}: extended by team/p10, " in said.out
    assert "and 20 more, not served (exit 2)" in said.out
    assert "team/p11: not served (exit 2)\n" in said.out
    assert "other: valid" in said.out
    errors = fleet("validate", "--output", "json").json["errors"]
    assert (len(errors), {len(each["mistakes"]) for each in errors if each["policy"] != "team/p11"}) == (30, {1})
    said = fleet("plan", "team/p10")
    assert (said.code, said.err.count(f"{defaults}:4:3"), fleet.app.served) == (2, 1, [])
    said = fleet("validate", "other")
    assert (said.code, said.err.count(f"warning: {defaults}:4:3")) == (0, 1)


def test_a_mistake_of_many_policies_is_one_paragraph_and_each_is_in_the_json(fleet: Scene) -> None:
    for number in range(10, 20):
        file = fleet.policies / "team" / f"p{number}.yaml"
        file.write_text(file.read_text() + "extends: base\n")
    said = fleet("validate")
    assert said.code == 2
    assert said.out.count("extends: unknown key") == 1
    assert "team/p18, team/p19: not served (exit 2)\n" in said.out
    errors = fleet("validate", "--output", "json").json["errors"]
    assert [len(each["mistakes"]) for each in errors] == [1] * 10


@pytest.mark.parametrize("more", [(), ("--defaults",)])
def test_the_schema_comes_with_the_command(rotator: Scene, more: tuple[str, ...]) -> None:
    said = rotator("schema", *more)
    name = "defaults" if more else "policy"
    assert (said.code, said.out) == (0, (ROOT / "policies" / f"{name}.schema.json").read_text())


def test_the_schemas_take_what_rotator_takes_and_refuse_what_is_not_inherited(fleet: Scene) -> None:
    of_policies, of_defaults = (json.loads(fleet("schema", *more).out) for more in ((), ("--defaults",)))
    yaml = YAML(typ="safe")
    assert not list(Draft202012Validator(of_defaults).iter_errors(yaml.load(DEFAULTS)))
    for text in NOT_INHERITED.values():
        assert list(Draft202012Validator(of_defaults).iter_errors(yaml.load(text)))
    policies = Draft202012Validator(of_policies)
    assert len(gather(fleet.policies).policies) == 31
    for text in (plain(1, "rotation: {deploy_window: weekend}\n"), MINIMAL):
        assert not list(policies.iter_errors(yaml.load(text)))
    for text in ("key_vault: {password_secret: x}", "principal: {app_id: 5d3c0a52-0000-0000-0000-000000000009}"):
        assert list(policies.iter_errors(yaml.load(text)))


@pytest.mark.parametrize("words", [("--policies", ""), ("--policies=",), ("--lease-dir", "", "-v")])
def test_an_empty_directory_is_refused_and_is_not_the_working_directory(
    rotator: Scene, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(rotator.policies)
    said = rotator("status", *words)
    assert (said.code, f"{words[0].rstrip('=')} is followed by an empty text" in said.err) == (2, True)
