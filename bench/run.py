"""Speed of rotator, as ratios measured in one run: a ratio is the same on every machine, seconds are not.

Compared programs take turns, so that a busy moment affects all of them; the median of their processor time counts.
"""

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import against_az
import fleet
import load
from costs import cost

ROUNDS = 15
BARE = (
    "import typer\napp = typer.Typer()\n@app.command()\ndef main(name: str = 'you') -> None:\n    print(name)\napp()\n"
)
"""A bare Typer program, the least cost of such a command line: the measure of ours."""
ROTATOR = (sys.executable, "-c", "import sys; from rotator.cli import main; sys.argv[0] = 'rotator'; main()")


@dataclass(frozen=True, slots=True)
class Compared:
    """One line of the table: `ours` may cost at most `aim` times as much as `theirs`."""

    what: str
    ours: Sequence[str]
    theirs: Sequence[str]
    aim: float


STARTUP = (
    Compared("rotator --help", (*ROTATOR, "--help"), (sys.executable, "-c", BARE, "--help"), 1.5),
    Compared("rotator validate", (*ROTATOR, "validate", "--policies", "policies"), (sys.executable, "-c", BARE), 1.5),
)


def measured(compared: Compared) -> str:
    """Return one line of the table."""
    turns = [(cost(compared.ours), cost(compared.theirs)) for _ in range(ROUNDS)]
    ours, theirs = (statistics.median(side.processor for side in sides) for sides in zip(*turns, strict=True))
    elapsed = statistics.median(mine.elapsed / other.elapsed for mine, other in turns)
    verdict = "" if ours / theirs <= compared.aim else "  MISSED"
    row = f"{compared.what:20} {ours / theirs:5.2f} x processor  {elapsed:5.2f} x wall   aim {compared.aim} x"
    return f"{row}   ({ours * 1000:.0f} ms against {theirs * 1000:.0f} ms){verdict}"


def main() -> None:
    """Measure every ratio and print the table."""
    print(f"against a bare Typer program, median of {ROUNDS} turns each:")
    for compared in STARTUP:
        print(measured(compared), flush=True)
    print("the emulator under load, by its own processor time:")
    print(load.measured())
    print("rotation of many principals by the real command, and of one by the commands of az, over TLS:", flush=True)
    print("\n".join(against_az.lines()))
    print("a run with nothing due, in front of the emulator, whose own time isn't counted:", flush=True)
    print("\n".join(fleet.lines()))


if __name__ == "__main__":
    main()
