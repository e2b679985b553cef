"""One run of the command as a process, behind a separate proxy, with its output in files."""

import asyncio
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.emulated import BARE, ROTATOR, Emulated
from tests.soak.proxy import Proxies
from tests.soak.scene import Scene
from tests.soak.script import Script, Seen

PATIENCE = 200.0
"""Seconds of real time after which a waiting command is killed."""


@dataclass
class Run:
    """Command of rotator, running or ended."""

    arguments: Sequence[str]
    script: Script
    output: Path
    process: subprocess.Popen[bytes] | None = None
    server: asyncio.Server | None = None
    fate: list[str] = field(default_factory=list)
    """Signals and suspensions of the process."""
    seconds: float = 0.0

    def begin(self, scene: Scene, proxies: Proxies, exports: dict[str, str], number: int) -> None:
        """Start the process."""
        port, self.server = proxies.open(self.script)
        proxy = f"http://127.0.0.1:{port}"
        own = {
            **dict.fromkeys(("HTTPS_PROXY", "https_proxy"), proxy),
            **dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"), str(proxies.bundle)),
            "HOME": str(scene.path),
            "ROTATOR_POLICIES": str(scene.policies),
            "ROTATOR_LEASE_DIR": str(scene.path / f"leases{number}"),
            "ROTATOR_GRACE": "10",
        }
        with self.output.with_suffix(".out").open("wb") as out, self.output.with_suffix(".err").open("wb") as err:
            command = [ROTATOR, *self.arguments]
            self.process = subprocess.Popen(
                command,
                env={**BARE, **exports, **own},
                cwd=scene.path,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def end(self) -> int:
        """Wait for the end of the process, and kill it after PATIENCE; return the exit code."""
        assert self.process and self.server
        begun = time.monotonic()
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill("out of patience")
            code = self.process.wait()
        self.server.close()
        self.seconds = time.monotonic() - begun
        return code

    @property
    def said(self) -> str:
        return "\n".join(self.output.with_suffix(end).read_text(errors="replace") for end in (".out", ".err"))

    def kill(self, why: str) -> None:
        self.signal(signal.SIGKILL, why)

    def signal(self, number: signal.Signals, why: str) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            self.fate.append(f"{number.name} {why}")

    def sleep(self, azure: Emulated, span: float, why: str, *, still: float = 0.2) -> None:
        """Suspend the process for `still` seconds, advance Azure's clock by `span` meanwhile, then continue it."""
        if self.process is None or self.process.poll() is not None:
            return
        self.signal(signal.SIGSTOP, f"for {span:.0f} s of Azure's time, {why}")
        time.sleep(still)
        azure.advance(span)
        self.process.send_signal(signal.SIGCONT)


def killing(run: Run, *, lose: bool) -> Callable[[Seen], bool]:
    def event(seen: Seen) -> bool:
        run.kill(f"at {seen}{', which is lost' if lose else ''}")
        return lose

    return event


def ending(run: Run, number: signal.Signals) -> Callable[[Seen], bool]:
    def event(seen: Seen) -> bool:
        run.signal(number, f"at {seen}")
        return False

    return event


def sleeping(run: Run, azure: Emulated, span: float, still: float) -> Callable[[Seen], bool]:
    def event(seen: Seen) -> bool:
        run.sleep(azure, span, f"at {seen}", still=still)
        return False

    return event
