"""How fast, as ratios measured in one run: a ratio means the same on every machine, seconds don't.

The programs that are compared take turns, so that a noisy moment meets all of them; the median of their processor time
counts.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import fleet
import load

ROOT = Path(__file__).parent.parent
ROUNDS = 15
BARE = (
    "import typer\napp = typer.Typer()\n@app.command()\ndef main(name: str = 'you') -> None:\n    print(name)\napp()\n"
)
"""The least that a command line made with Typer costs: what ours is measured against."""
ROTATOR = (sys.executable, "-c", "import sys; from rotator.cli import main; sys.argv[0] = 'rotator'; main()")


@dataclass(frozen=True, slots=True)
class Compared:
    """One line of the table: `ours` may cost at most `aim` times what `theirs` does."""

    what: str
    ours: Sequence[str]
    theirs: Sequence[str]
    aim: float


STARTUP = (
    Compared("rotator --help", (*ROTATOR, "--help"), (sys.executable, "-c", BARE, "--help"), 1.5),
    Compared("rotator validate", (*ROTATOR, "validate", "--policies", "policies"), (sys.executable, "-c", BARE), 1.5),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took, in seconds."""

    processor: float
    elapsed: float


def cost(command: Sequence[str]) -> Cost:
    """Run a program to its end and see what it took; one that fails stops the measurement."""
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command[-3:])} failed: {said.decode()}")
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - began)


def measured(compared: Compared) -> str:
    """A line of the table."""
    turns = [(cost(compared.ours), cost(compared.theirs)) for _ in range(ROUNDS)]
    ours, theirs = (statistics.median(side.processor for side in sides) for sides in zip(*turns, strict=True))
    elapsed = statistics.median(mine.elapsed / other.elapsed for mine, other in turns)
    verdict = "" if ours / theirs <= compared.aim else "  MISSED"
    row = f"{compared.what:20} {ours / theirs:5.2f} x processor  {elapsed:5.2f} x wall   aim {compared.aim} x"
    return f"{row}   ({ours * 1000:.0f} ms against {theirs * 1000:.0f} ms){verdict}"


def main() -> None:
    """Measure everything and print the table."""
    print(f"against a bare Typer program, median of {ROUNDS} turns each:")
    for compared in STARTUP:
        print(measured(compared), flush=True)
    print("the emulator under load, by its own processor time:")
    print(load.measured())
    print("a run with nothing due, in front of the emulator, whose own time isn't counted:", flush=True)
    print("\n".join(fleet.lines()))


if __name__ == "__main__":
    main()
