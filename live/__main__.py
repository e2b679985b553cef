"""Entry of ``make live`` and ``make live-clean``: the only place with a real clock, real ids and a real network."""

import argparse
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import httpx

from live import price
from live.azure import Azure, Stopped
from live.facts import CHECKS, UNSHOWN
from live.hidden import Hidden
from live.marks import Marks
from live.ports import Said
from live.removal import Removal
from live.report import as_json, as_text
from live.run import Bridge, Refused
from rotator.cloud import CLOUDS, Cloud
from rotator.visible import argument

TIMEOUT = 120.0


class Machine:
    """Clock of the machine."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        return datetime.now(UTC)

    def elapsed(self) -> float:
        """Return seconds of a clock that never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class SignedIn:
    """Identity of the environment, found in the same way as rotator finds its own."""

    def __init__(self, cloud: Cloud) -> None:
        from azure.identity import DefaultAzureCredential

        self._credential = DefaultAzureCredential(authority=cloud.authority)

    def token(self, scope: str) -> str:
        """Return an access token. Raises Stopped if Entra issues none."""
        from azure.core.exceptions import ClientAuthenticationError

        try:
            return self._credential.get_token(scope).token
        except ClientAuthenticationError as error:
            raise Stopped(f"No token for {scope}: {str(error).splitlines()[0]}") from None


@dataclass(frozen=True, slots=True)
class Command:
    """Command line of rotator, as a separate process."""

    cloud: str

    def __call__(self, arguments: Sequence[str], policies: str) -> Said:
        """Run one command to its end; return its exit code and output."""
        where = {"ROTATOR_POLICIES": policies, "ROTATOR_LEASE_DIR": f"{policies}/.leases", "ROTATOR_CLOUD": self.cloud}
        done = subprocess.run(
            [sys.executable, "-m", "rotator", *arguments],
            env={**os.environ, **where},
            capture_output=True,
            text=True,
            check=False,
        )
        return Said(done.returncode, done.stdout + done.stderr)


@contextmanager
def connected(cloud: Cloud, clock: Machine) -> Iterator[Azure]:
    """Yield the Azure to which the environment leads."""
    with httpx.Client(timeout=TIMEOUT) as client:
        yield Azure(client, SignedIn(cloud), cloud, clock, Hidden())


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m live", description=__doc__)
    parser.add_argument("verb", choices=["play", "clean"])
    parser.add_argument("--subscription", required=True)
    parser.add_argument("--group", required=True, help="resource group to make and to delete; must not exist")
    parser.add_argument("--location", default="eastus")
    parser.add_argument("--cloud", choices=[*CLOUDS], default=os.environ.get("ROTATOR_CLOUD") or "public")
    parser.add_argument("--facts", default="", help="ids, separated by commas; without: all, and the chain")
    parser.add_argument("--output", choices=["text", "json"], default="text")
    parser.add_argument("--yes", action="store_true", help="don't ask")
    given = parser.parse_args(argv)
    if not given.subscription or not given.group:
        parser.error("name a subscription and a resource group that may be made and deleted")
    unknown = set(filter(None, given.facts.split(","))) - {*CHECKS, *UNSHOWN}
    if unknown:
        parser.error(f"no such fact: {', '.join(sorted(unknown))}")
    return given


def tell(text: str) -> None:
    """Tell progress."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def agreed(question: str, given: argparse.Namespace) -> bool:
    """Ask a person, unless told not to."""
    tell(question)
    if given.yes:
        return True
    sys.stderr.write("Go on? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def play(given: argparse.Namespace, azure: Azure) -> int:
    """Play a run and print its report; return the exit code."""
    marks = Marks(given.subscription, given.group, secrets.token_hex(3))
    facts = [each for each in given.facts.split(",") if each] or [*CHECKS, *UNSHOWN]
    question = (
        f"Resource group {given.group}, a registry, a vault, a storage account, container groups, role assignments,"
        " and applications and groups of Entra named rotator-live-… are made, and deleted again: that takes a quarter"
        f" of an hour where nothing is slow, and ends after {price.HOURS} hours at most.\n{price.words()}"
    )
    if not agreed(question, given):
        return 2
    with tempfile.TemporaryDirectory() as directory:
        bridge = Bridge(
            azure,
            marks,
            given.location,
            azure.clock,
            lambda: str(uuid.uuid4()),
            Command(given.cloud),
            Path(directory),
            tell,
            chain=not given.facts,
        )
        report = bridge.play(facts)
    sys.stdout.write(as_json(report) + "\n" if given.output == "json" else as_text(report))
    if report.left:
        tell(f"Something is left. Run: make live-clean {_where(given)}")
    return 130 if report.interrupted else int(not report.good)


def _where(given: argparse.Namespace) -> str:
    return f"SUBSCRIPTION={argument(given.subscription)} GROUP={argument(given.group)}"


def clean(given: argparse.Namespace, azure: Azure) -> int:
    """Remove the resources of a killed run; return the exit code."""
    removal = Removal(azure, given.subscription, given.group)
    things = removal.look()
    if not things:
        tell("Nothing is left.")
        return 0
    listed = "\n".join(f"  {thing.name}" for thing in things)
    if not agreed(f"This is removed for good:\n{listed}", given):
        return 2
    left = removal.clear(tell)
    for name in left:
        tell(f"LEFT: {name}")
    return int(bool(left))


def main(argv: Sequence[str]) -> int:
    """Run a command; return its exit code."""
    given, clock = arguments(argv), Machine()
    cloud = CLOUDS[given.cloud]
    for each in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores the first
        signal.signal(each, interrupted)
    try:
        with connected(cloud, clock) as azure:
            return play(given, azure) if given.verb == "play" else clean(given, azure)
    except (Refused, Stopped) as refused:
        tell(str(refused))
        return 2
    except KeyboardInterrupt:
        tell(f"Interrupted. What may be left is removed by: make live-clean {_where(given)}")
        return 130


def interrupted(number: int, frame: FrameType | None) -> None:
    """End as an interruption from the keyboard does."""
    del number, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
