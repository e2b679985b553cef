"""Sees every exchange with an emulator in this process, and remembers what was not as described."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.emulator.app import App
from rotator.emulator.wire import Request, Response
from tests.descriptions.deviations import unexplained
from tests.descriptions.judge import Finding, Judge


class Witness:
    """Stands behind the door of every App, however it was built."""

    def __init__(self, directory: Path) -> None:
        self._judge = Judge(directory)
        self._found: list[Finding] = []
        self.judged = 0
        """How many exchanges it has seen."""

    @contextmanager
    def watching(self) -> Iterator[None]:
        """From here on, until it ends."""
        handle = App.handle
        setattr(App, "handle", self._seen(handle))  # noqa: B010 - a method, for the time of the tests
        try:
            yield
        finally:
            setattr(App, "handle", handle)  # noqa: B010 - likewise

    def _seen(self, handle: Callable[[App, Request], Response]) -> Callable[[App, Request], Response]:
        def seen(app: App, request: Request) -> Response:
            self.judged += 1
            struck = len(app.faults.struck)
            response = handle(app, request)
            if not any(fault.kind == "echo" for fault in app.faults.struck[struck:]):
                self._found += unexplained(self._judge.judge(request, response))
            return response

        return seen

    def report(self) -> list[Finding]:
        """What was found since the last time."""
        found, self._found = sorted(set(self._found)), []
        return found
