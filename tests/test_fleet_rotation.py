"""Tests of rotating a whole fleet, with any effects on its calls and any division of the work: no principal loses a
pull meanwhile.
"""

import pytest

from tests.fleet_rotation import simulated

SMALL, LARGE = 4, 200
WORDS = {
    "by one process": (),
    "by one that dies": ("dies",),
    "by workers of which some die": ("workers", "dies"),
    "while calls fail": ("faults",),
}


def rotated(size: int, *words: str) -> None:
    taken = simulated(size, words)
    assert not taken.violations, taken.violations
    assert taken.left == 0
    if "faults" not in words:
        assert set(taken.codes) == {0}, taken.codes
    assert bool(taken.met) == ("faults" in words)


@pytest.mark.parametrize("how", WORDS)
def test_a_fleet_is_rotated(how: str) -> None:
    rotated(SMALL, *WORDS[how], "fast")


def test_a_fleet_is_rotated_on_real_sdk_code() -> None:
    rotated(3, "workers")


@pytest.mark.soak
@pytest.mark.parametrize("how", WORDS)
def test_a_large_fleet_is_rotated(how: str) -> None:
    rotated(LARGE, *WORDS[how], "fast")
