"""Command of `make soak`: every cell of every matrix; then, for the given minutes, random stories beside the attack
from outside.

Each story and each round of the attack is made from a printed seed. The last line has the attack's counts.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.counts import Counts

PYTEST = (sys.executable, "-m", "pytest", "-q")
STORIES = "tests/matrices/test_stories.py::test_no_story_of_many_violates_an_invariant"
OUTSIDE = (sys.executable, "-m", "tests.soak.outside")


def main(minutes: float, seed: int) -> int:
    """Return 1 if a test, a story or the attack failed; a failed seed doesn't end the run, since others may fail
    differently.
    """
    failed = subprocess.run([*PYTEST, "--dist", "loadgroup", "-n", "auto", "--soak"], check=False).returncode
    if not minutes:
        return min(failed, 1)
    with tempfile.TemporaryDirectory() as directory:
        counts = Path(directory) / "counts.json"
        outside = subprocess.Popen([*OUTSIDE, "--seed", str(seed), "--minutes", str(minutes), "--counts", str(counts)])
        failed |= until(time.monotonic() + 60 * minutes, seed)
        failed |= outside.wait()
        told = json.loads(counts.read_text()) if counts.exists() else {}
        sys.stdout.write(f"{Counts(**told).line()}\n")
    return min(failed, 1)


def until(end: float, seed: int) -> int:
    """Play random stories until `end`, as many at once as there are cores; one core is left to the attack, which mostly
    waits.
    """
    failed, many = 0, max(1, (os.cpu_count() or 1) - 1)
    while time.monotonic() < end:
        failed |= stories(range(seed, seed + many))
        seed += many
    return failed


def stories(seeds: range) -> int:
    """Play random stories from each of the seeds, at once; return 0 if all succeed."""
    running = {
        seed: subprocess.Popen([*PYTEST, STORIES], env={**os.environ, "ROTATOR_SEED": str(seed)}) for seed in seeds
    }
    bad = [seed for seed, process in running.items() if process.wait()]
    again = "".join(f"; again: ROTATOR_SEED={seed} python -m pytest {STORIES}" for seed in bad)
    sys.stdout.write(f"stories of the seeds {seeds[0]} to {seeds[-1]}: {len(bad)} violations{again}\n")
    return len(bad)


if __name__ == "__main__":
    given = [word for word in sys.argv[1:] if word]
    sys.exit(main(float(given[0]) if given else 0.0, int(given[1]) if given[1:] else 1))
