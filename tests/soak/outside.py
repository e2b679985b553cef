"""The attack from outside: real processes over HTTPS, killed, stopped and given damaged answers while people change
Azure.

`python -m tests.soak.outside --seed N --rounds K` repeats rounds: each is made from its own seed, which is N, N + 1 …
Equal seeds choose the same commands, damage and changes; only the timing of real processes differs. The truth comes
from the emulator's dump alone.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
import traceback
from dataclasses import asdict
from pathlib import Path

from tests.soak.counts import Counts
from tests.soak.story import Story


def attack(seed: int, *, rounds: int | None, minutes: float, keep: Path) -> Counts:
    """Play rounds, by number or until the minutes are over; print each violation with its trace and the command that
    repeats its round.
    """
    total, until = Counts(), time.monotonic() + 60 * minutes
    while total.rounds < rounds if rounds is not None else time.monotonic() < until:
        story = Story(seed, Path(tempfile.mkdtemp(prefix=f"seed{seed}-", dir=keep)))
        try:
            story.play()
        except Exception:  # noqa: BLE001 - a checker that breaks is told like what it looks for
            story.problems.append(f"the attack itself failed: {traceback.format_exc()}")
            story.counts.rounds, story.counts.violations = 1, len(story.problems)
        total.add(story.counts)
        _tell(story)
        seed += 1
    return total


def _tell(story: Story) -> None:
    if not story.problems:
        sys.stdout.write(
            f"seed {story.seed}: {story.counts.commands} commands, no"
            f" violation{f', {story.counts.excused} excused' * bool(story.counts.excused)}\n"
        )
    else:
        again = f"python -m tests.soak.outside --seed {story.seed} --rounds 1"
        sys.stdout.write(
            "\n".join(
                (
                    f"seed {story.seed}: VIOLATIONS",
                    *story.trace,
                    *story.problems,
                    f"again: {again}",
                    f"kept: {story.directory}",
                    "",
                )
            )
        )
    sys.stdout.flush()


def main() -> int:
    """Play the attack; return 1 after a violation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument(
        "--keep",
        type=Path,
        default=Path(tempfile.gettempdir()),
        help="where the files of a round stay that broke something",
    )
    parser.add_argument("--counts", type=Path, help="write the counts there, as JSON")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the processes of a round
    total = attack(given.seed, rounds=given.rounds, minutes=given.minutes, keep=given.keep)
    if given.counts:
        given.counts.write_text(json.dumps(asdict(total)))
    sys.stdout.write(f"{total.line()}\n")
    return 1 if total.violations else 0


if __name__ == "__main__":
    sys.exit(main())
