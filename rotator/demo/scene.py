"""Stage of the story: a separate emulator process, and processes of the real command line."""

import logging
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from local_azure import detached
from local_azure.directory import StateDirectory
from local_azure.environment import MISLEADING, Who, exports
from local_azure.remote import ask
from local_azure.seeded import Seeded

from rotator.demo.sight import StateShown
from rotator.demo.voice import Voice

if TYPE_CHECKING:
    from rotator.demo.documented import Made


LONG = re.compile(r"\b([0-9a-f]{8})(?:(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{24})\b")
"""Ids of credentials, versions, applications: two are told apart by their first eight digits."""


@dataclass
class Stage:
    """Environment of acts and claims.

    `made` has two principals: ``pull``, to be rotated, and ``other``, not to be rotated.
    """

    directory: Path
    voice: Voice
    emulator: StateDirectory
    made: "dict[str, Made]" = field(default_factory=dict)
    database: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    """Value of the container's ``DB_PASSWORD``, which Azure never shows again."""
    remembered: dict[str, StateShown] = field(default_factory=dict)

    @cached_property
    def seeded(self) -> Seeded:
        """Initial tenant of the emulator."""
        return self.emulator.seeded()

    @property
    def policies(self) -> Path:
        """Directory of the policy."""
        return self.directory / "policies"

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Send the emulator a request outside Azure's API."""
        return ask(self.emulator, method, path, body)

    @property
    def now(self) -> StateShown:
        """Present state of the emulated Azure."""
        return StateShown(self.ask("GET", "/state"), self.ask("GET", "/state?secrets=true"))

    def remember(self, moment: str) -> StateShown:
        """Keep the present state, for a later comparison; return the state first kept under this name."""
        return self.remembered.setdefault(moment, self.now)

    def let_pass(self, span: timedelta) -> None:
        """Advance the clock of the emulated Azure."""
        self.ask("POST", "/clock", {"advance": span.total_seconds()})

    def later(self) -> StateShown:
        """Advance the clock by two minutes, and return the new state.

        Two minutes are long enough for a change to take effect everywhere.
        """
        self.let_pass(timedelta(minutes=2))
        return self.now

    def move(self, name: str) -> bool:
        """Let the platform move a container group to another host, as it does now and then.

        Return True if the group could pull its image again.
        """
        moved: bool = self.ask("POST", "/move-host", {"id": self.group_id(name)})["moved"]
        return moved

    def _short(self, line: str) -> str:
        """Return the line with long ids and paths shortened."""
        for long, short in ((str(self.directory), "."), (self.group_id("").rsplit("/", 3)[0], "…")):
            line = line.replace(long, short)
        return LONG.sub(r"\1…", line)

    def show(self, text: str) -> None:
        """Print the content of a file."""
        for line in text.splitlines():
            self.voice.output(self._short(line))

    def group_id(self, name: str) -> str:
        """Return the resource id of a container group."""
        seeded = self.seeded
        group = f"/subscriptions/{seeded.subscription}/resourceGroups/{seeded.resource_group}"
        return f"{group}/providers/Microsoft.ContainerInstance/containerGroups/{name}"

    def environment(self, who: Who) -> dict[str, str]:
        """Return this process's environment with the exports of ``rotator emulator env`` added."""
        misleading = (*MISLEADING, *(name for name in os.environ if name.startswith("ROTATOR_")))
        kept = {name: value for name, value in os.environ.items() if name not in misleading}
        own = {"ROTATOR_POLICIES": str(self.policies), "XDG_STATE_HOME": str(self.directory), "PYTHONUNBUFFERED": "1"}
        return {**kept, **exports(self.emulator, who), **own}

    @contextmanager
    def as_admin(self) -> Iterator[None]:
        """Sign in this process's SDKs as an administrator with every right."""
        before = dict(os.environ)
        os.environ.clear()
        os.environ.update(self.environment("admin"))
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def rotator(self, *arguments: str) -> int:
        """Run the real command as the operator, show its output line by line, and return its exit code."""
        self.voice.command(f"rotator {' '.join(arguments)}")
        with subprocess.Popen(
            [*program(), *arguments],
            env=self.environment("operator"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as running:
            for line in running.stdout or ():
                self.voice.output(self._short(line.rstrip()))
        return running.returncode


def program() -> list[str]:
    """Return the command line of the installed ``rotator``; without an installation, of the module."""
    installed = Path(sys.executable).with_name("rotator")
    return [str(installed)] if installed.exists() else [sys.executable, "-m", "rotator"]


@contextmanager
def stage(voice: Voice) -> Iterator[Stage]:
    """Yield a stage; its emulator and its directory are removed at the end of the block."""
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with TemporaryDirectory(prefix="rotator-demo-") as name:
        emulator = StateDirectory(Path(name) / "emulator")
        detached.start(detached.Settings(emulator, timing="quick"))
        try:
            yield Stage(Path(name), voice, emulator)
        finally:
            detached.stop(emulator)
