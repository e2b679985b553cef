"""`make soak`: every cell of every matrix, and then random stories until the minutes are over, each from a seed that is told."""

import os
import subprocess
import sys

from rotator.system import SystemClock

PYTEST = (sys.executable, "-m", "pytest", "-q")
STORIES = "tests/test_machine.py"


def main(minutes: float, seed: int) -> int:
    """1 if anything failed; a seed that fails ends nothing, since another may fail in another way."""
    clock = SystemClock()
    begun = clock.elapsed()
    failed = subprocess.run([*PYTEST, "-n", "auto", "--soak"], check=False).returncode
    many = os.cpu_count() or 1
    while clock.elapsed() < begun + 60 * minutes:
        failed |= stories(range(seed, seed + many))
        seed += many
    return min(failed, 1)


def stories(seeds: range) -> int:
    """Random stories from each of these seeds, at once; not 0 if a story of one fails."""
    running = {seed: subprocess.Popen([*PYTEST, STORIES], env={**os.environ, "ROTATOR_SEED": str(seed)}) for seed in seeds}
    bad = [seed for seed, process in running.items() if process.wait()]
    again = "".join(f"; again: ROTATOR_SEED={seed} python -m pytest {STORIES}" for seed in bad)
    sys.stdout.write(f"stories of the seeds {seeds[0]} to {seeds[-1]}: {len(bad)} violations{again}\n")
    return len(bad)


if __name__ == "__main__":
    given = [word for word in sys.argv[1:] if word]
    sys.exit(main(float(given[0]) if given else 0.0, int(given[1]) if given[1:] else 1))
