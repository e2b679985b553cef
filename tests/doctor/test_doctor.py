"""`rotator doctor`: for every check a world in which it fails, and the command that it prints mends that."""

import re
from pathlib import Path

import pytest

from rotator.doctor import CHECKS
from tests.cli.scene import Scene
from tests.doctor.mending import looked, mend
from tests.doctor.worlds import WORLDS, World

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.id)
def test_what_a_check_finds_is_mended_by_the_command_that_it_prints(world: World, rotator: Scene, tmp_path: Path) -> None:
    mend(world, rotator, tmp_path / "terminal")


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
