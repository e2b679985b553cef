"""`rotator doctor`: for every check a world in which it fails, and the command that it prints mends that."""

import re
from pathlib import Path
from typing import Any

import pytest

from rotator.doctor import CHECKS
from tests.cli.scene import Scene
from tests.doctor.carried import carry_out
from tests.doctor.worlds import WORLDS, World

ROOT = Path(__file__).parents[2]


def looked(rotator: Scene) -> tuple[int, list[dict[str, Any]]]:
    """The exit code and the findings."""
    since = len(rotator.app.served)
    said = rotator("doctor", "--output", "json")
    assert said.raised is None, said.raised
    wrote = [c for c in rotator.app.served[since:] if c.method not in ("GET", "HEAD") and not c.operation.startswith(("entra.", "acr."))]
    assert wrote == [], "doctor writes nothing"
    (found,) = said.json["policies"]
    return said.code, found["findings"]


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.id)
def test_what_a_check_finds_is_mended_by_the_command_that_it_prints(world: World, rotator: Scene) -> None:
    world.break_(rotator)
    code, findings = looked(rotator)
    found = [each for each in findings if each["check"] == world.check]
    assert [each["severity"] for each in found] == [world.severity], found
    assert code == (world.severity in ("fail", "unknown"))
    if world.severity in ("fail", "unknown"):
        assert all(each["mend"] for each in found)
    if world.by_hand:
        world.by_hand(rotator)
    else:
        for each in found:
            carry_out(rotator, each, world.fills(rotator))
    if world.then:
        world.then(rotator)
    _, after = looked(rotator)
    assert [each["severity"] for each in after if each["check"] == world.check] == [world.left], after


def test_every_check_has_such_a_world() -> None:
    assert {world.check for world in WORLDS} == {check.name for check in CHECKS}
    assert len({check.name for check in CHECKS}) == len(CHECKS)


def test_every_check_is_documented() -> None:
    listed = (ROOT / "docs" / "codes.md").read_text().partition("## What doctor checks")[2]
    first = "".join(line.split("|")[1] for line in listed.splitlines() if line.startswith("| `"))
    assert re.findall(r"`([a-z_]+)`", first) == [check.name for check in CHECKS]


def test_a_world_that_is_ready_for_its_first_rotation_ends_with_0(rotator: Scene) -> None:
    code, findings = looked(rotator)
    assert code == 0
    assert {each["check"]: each["severity"] for each in findings} == {
        check.name: "advice" if check.name == "identity_instead" else "ok" for check in CHECKS
    }
    assert rotator("rotate").code == 0
