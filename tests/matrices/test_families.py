"""Every matrix on the fast adapter: no cell violates an invariant, and each ends at rest, or with a message for a
person.

Each test plays many cells: a cell takes fifty milliseconds, less than pytest would add. A failure names the command
that plays the cell again.
"""

import os
from collections.abc import Callable

import pytest

from tests.matrices.families import FAMILIES, READING, VERB_WORLDS, WRITING, calls, cells, sampled
from tests.matrices.process import SLEEPING, Point
from tests.matrices.story import Command, Story, Violation, played

PARTS = 4
"""Number of tests that share the cells of a family."""
FROM_A_TRACE = ("points of death", "effects", "suspensions", "interventions", "rivals")
"""Families whose cells name a call that an undisturbed run makes: each cell comes to it."""
Record = Callable[[str, object], None]


def _dealt(family: str, part: int, *, whole: bool) -> tuple[Story, ...]:
    return (cells if whole else sampled)(family)[part::PARTS]


@pytest.mark.xdist_group("stories")  # the calls of each verb are found once
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("family", list(FAMILIES))
def test_no_cell_violates_an_invariant(family: str, part: int, record_property: Record) -> None:
    play_all(family, _dealt(family, part, whole=False), record_property)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS * 16))
@pytest.mark.parametrize("family", list(FAMILIES))
def test_no_cell_of_all_violates_an_invariant(family: str, part: int, record_property: Record) -> None:
    play_all(family, cells(family)[part :: PARTS * 16], record_property)


@pytest.mark.share(2)
@pytest.mark.parametrize(("verb", "world"), [("rotate", "first"), ("deploy", "at rest")])
def test_a_whole_rotation_of_somebody_else_just_before_a_redeployment_is_seen(
    verb: str, world: str, record_property: Record
) -> None:
    made = calls(verb, world, every=True)
    before = (
        made[at - 9 : at] for at, call in enumerate(made) if call.operation == "aci.containerGroups.createOrUpdate"
    )
    points = {Point(call.operation, call.nth, "after") for some in before for call in some}
    stories = [
        each for each in cells("rivals") for first in each.events if isinstance(first, Command) and first.verb == verb
    ]
    chosen = tuple(each for each in stories if each.world == world and _paused(each) in points)
    assert len(chosen) >= 8
    play_all("rivals", chosen, record_property)


def _paused(story: Story) -> Point | None:
    first = story.events[0]
    return first.pause.at if isinstance(first, Command) and first.pause else None


def play_all(family: str, stories: tuple[Story, ...], record_property: Record) -> None:
    """Play each of them, and tell every violation, and every point that no process came to."""
    violations, apart = list[str](), 0
    for story in stories:
        try:
            counts = played(story)
        except Violation as violation:
            violations.append(str(violation))
            continue
        apart += counts.apart
        if family in FROM_A_TRACE and not (counts.suspensions or counts.deaths or counts.strikes):
            violations.append(f"nothing happened in {story}")
    record_property(f"cells: {family}", len(stories))
    record_property("cells: violations", len(violations))
    record_property("cells: apart", apart)
    assert not violations, "\n\n".join(violations[: int(os.environ.get("ROTATOR_TELL", "5"))])


def test_an_operation_that_no_matrix_knows_fails_the_build() -> None:
    """The strategies of random stories need each new call of a verb, too."""
    called = {call.operation for verb, world in VERB_WORLDS for call in calls(verb, world, every=True)}
    assert called <= {*READING, *WRITING, SLEEPING}, "say in `operations` whether it reads or writes"
