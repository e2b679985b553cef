"""Cost of a run with nothing due, by the number of policies: requests, processor time, memory."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
MOST_REQUESTS, MOST_PROCESSOR = 1.2, 2.2
"""Aims: a multiple of the fewest possible requests, and of the processor time for half as many policies."""

MOST_LOOKED_AT = 0.001
"""Share of the policies that may be looked at: the lists of thousands take some seconds of Azure's time, in which a few
have their turn.
"""


def _measured(size: int, *more: str) -> dict[str, Any]:
    """Measure in a separate process."""
    words = [sys.executable, "-m", "tests.fleet_cost", str(size), *more]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout)
    if found["rested"] < size * (1 - MOST_LOOKED_AT):
        sys.exit(f"only {found['rested']} of {size} policies were at rest")
    return found


def lines() -> list[str]:
    """Return the lines of the table."""
    thousand, double = _measured(1000), _measured(2000)
    asked, least = (sum(thousand[name].values()) for name in ("requests", "fewest"))
    took, twice = thousand["processor"], double["processor"]
    small, large = (_measured(size, "memory")["peak"] / size / 1024 for size in (100, 10_000))
    requests = f"{asked / least:.2f} x the fewest   aim {MOST_REQUESTS} x   ({asked} against {least})"
    processor = f"{twice / took:.2f} x that of 1,000   aim {MOST_PROCESSOR} x   ({twice:.2f} s against {took:.2f} s)"
    memory = f"{large:.1f} KiB a policy at 10,000, {small:.1f} at 100, beside policies and clients"
    return [
        f"{'requests, 1,000':20} {requests}{_missed(asked / least, MOST_REQUESTS)}",
        *(f"{number:26}  {what}" for what, number in thousand["fewest"].items()),
        f"{'processor, 2,000':20} {processor}{_missed(twice / took, MOST_PROCESSOR)}",
        f"{'memory':20} {memory}",
    ]


def _missed(ratio: float, aim: float) -> str:
    return "" if ratio <= aim else "  MISSED"


if __name__ == "__main__":
    print("\n".join(lines()))
