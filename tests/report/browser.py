"""A real browser without a window, driven through Chromium's own debugging pipe: no port, no driver, no dependency."""

import base64
import fcntl
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.programs import needed

PATIENCE = 60
"""Seconds for an answer: a machine with other work is slow to start a browser."""
FLAGS = (
    *("--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-extensions", "--hide-scrollbars"),
)


@dataclass
class Page:
    """Page in the browser; `events` are the browser's messages about it, in order."""

    to: int
    of: int
    session: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    number: int = 0
    rest: bytes = b""

    def call(self, method: str, **given: Any) -> dict[str, Any]:
        """Call a method of the DevTools protocol; return its answer."""
        self.number += 1
        session = {"sessionId": self.session} if self.session else {}
        os.write(
            self.to, json.dumps({"id": self.number, "method": method, "params": given, **session}).encode() + b"\0"
        )
        while (said := self._next()).get("id") != self.number:
            self.events.append(said)
        assert "error" not in said, (method, said)
        return dict(said["result"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.of], [], [], PATIENCE)
            assert ready, f"no word of the browser for {PATIENCE} s"
            got = os.read(self.of, 1 << 16)
            assert got, "the browser has ended"
            self.rest += got
        said, _, self.rest = self.rest.partition(b"\0")
        return dict(json.loads(said))

    def open(self, file: Path, fragment: str = "") -> None:
        """Load a file, and wait for its end."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=f"{file.as_uri()}{fragment}")
        while self.js("document.readyState + location.protocol") != "completefile:":
            self.events.append(self._next())

    def js(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        done = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def click(self, selector: str) -> None:
        """Press the mouse in the middle of an element, as a person does."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.js(f"{found}.scrollIntoView({{block: 'center'}})")
        x, y = self.js(f"(r => [r.x + r.width / 2, r.y + r.height / 2])({found}.getBoundingClientRect())")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def write(self, text: str) -> None:
        """Type a text into the focused element."""
        self.call("Input.insertText", text=text)

    def size(self, width: int, height: int) -> None:
        """Set the size of the page."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )

    def look(self, **features: str) -> None:
        """Take another medium (`media`), or another `scheme` of colors."""
        scheme = [{"name": "prefers-color-scheme", "value": features.get("scheme", "light")}]
        self.call("Emulation.setEmulatedMedia", media=features.get("media", ""), features=scheme)

    def picture(self, file: Path) -> None:
        """Save a picture of the whole page."""
        made = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(made["data"]))

    def complaints(self) -> list[dict[str, Any]]:
        """Return every message of the console, error and refusal."""
        kinds = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        return [event for event in self.events if event.get("method") in kinds]

    def requests(self) -> set[str]:
        """Return the addresses of the page's requests."""
        asked = (event for event in self.events if event.get("method") == "Network.requestWillBeSent")
        return {event["params"]["request"]["url"].partition("#")[0] for event in asked}


START = "import os, sys; given = sys.argv; os.dup2(int(given[1]), 3); os.dup2(int(given[2]), 4); os.execv(given[3], given[3:])"
"""Program that becomes the browser, with its pipes at descriptors 3 and 4."""


def _pipe() -> tuple[int, int]:
    """Return a pipe whose ends are above the first descriptors."""
    low = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in low)
    for end in low:
        os.close(end)
    return high[0], high[1]


@contextmanager
def browser(directory: Path) -> Iterator[Page]:
    """Start a browser with an empty profile, and one page."""
    program = needed("chromium", "chromium", "chromium-browser", "google-chrome")
    (theirs_in, to), (of, theirs_out) = _pipe(), _pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", START, str(theirs_in), str(theirs_out), program, *FLAGS, f"--user-data-dir={directory}"],
        pass_fds=(theirs_in, theirs_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        page = Page(to, of)
        made = page.call("Target.createTarget", url="about:blank")
        page.session = page.call("Target.attachToTarget", targetId=made["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        yield page
    finally:
        process.kill()
        process.wait()
        os.close(to)
        os.close(of)
