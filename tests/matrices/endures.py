"""How a run ends whose write meets one effect, as `endures.yaml` keeps it: what rotator mends within a run must not become a failure that it tells.

The invariants don't see that: the next run repairs what this one leaves. `python -m tests.matrices.endures` writes the table anew.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

from tests.matrices.families import VERB_WORLDS, calls
from tests.matrices.fast import fast
from tests.matrices.judge import Judge
from tests.matrices.process import Strike
from tests.matrices.story import Command, Play
from tests.matrices.worlds import WORLDS
from tests.stage import play, watched
from tests.virtual import VirtualLoop

TABLE = Path(__file__).with_name("endures.yaml")
Row = tuple[str, str, Strike]


def rows() -> Iterator[Row]:
    """Each write of each verb with each effect."""
    for verb, world in VERB_WORLDS:
        yield from ((verb, world, strike) for call in calls(verb, world) if call.writes for strike in call.strikes())


def ends(row: Row) -> str:
    """How the run ends: its exit code, the kind of its error, or that it says what it did."""
    verb, world, strike = row

    async def scene(loop: VirtualLoop) -> str:
        made = await WORLDS[world](loop)
        made.adapter = fast
        told = Play(made, Judge(made))
        with watched(made, before=told.judge.before, after=told.judge.after):
            await told.happen([Command(verb, (strike,))])
        return told.trace[-1].rpartition("): ")[2] if verb != "adopt" else str("Adoption(" in told.trace[-1])

    return play(scene)


@cache
def kept() -> dict[str, dict[str, str]]:
    """The table: how each run ends, by verb and world, and by effect."""
    return dict(YAML(typ="safe", pure=True).load(TABLE.read_text()))


def table() -> dict[str, dict[str, str]]:
    """The table as it is now."""
    made: dict[str, dict[str, str]] = {}
    for row in rows():
        made.setdefault(f"{row[0]}, {row[1]}", {})[str(row[2])] = ends(row)
    return made


def agree(row: Row) -> None:
    """Raise AssertionError where a run ends otherwise."""
    assert ends(row) == kept()[f"{row[0]}, {row[1]}"][str(row[2])], f"{row} ends otherwise"


if __name__ == "__main__":
    with TABLE.open("w") as file:
        YAML().dump(table(), file)
