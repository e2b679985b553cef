"""Witness of every exchange with an emulator in this process; keeps the differences from the descriptions."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from local_azure.app import App
from local_azure.wire import Request, Response

from descriptions.deviations import unexplained
from descriptions.graph import GraphJudge
from descriptions.judge import Finding, Judge
from descriptions.types import TypesJudge


class Witness:
    """Witness behind every App, however built."""

    def __init__(self, directory: Path) -> None:
        self._judges = (Judge(directory), GraphJudge(directory), TypesJudge(directory))
        self._found: list[Finding] = []
        self.judged = 0
        """Number of exchanges with a description."""
        self.undescribed: Counter[str] = Counter()
        """Number of exchanges without a description, by operation, refusals apart; unimplemented operations (501) don't
        count.
        """

    def watch(self) -> None:
        """Stand there from here on, for as long as the process lives."""
        setattr(App, "handle", self._seen(App.handle))  # noqa: B010 - a method, for the time of the tests

    def _seen(self, handle: Callable[[App, Request], Response]) -> Callable[[App, Request], Response]:
        def seen(app: App, request: Request) -> Response:
            struck = len(app.faults.struck)
            response = handle(app, request)
            if not any(fault.kind == "echo" for fault in app.faults.struck[struck:]):
                self._hold(app, request, response)
            return response

        return seen

    def _hold(self, app: App, request: Request, response: Response) -> None:
        said = [found for judge in self._judges if (found := judge.judge(request, response)) is not None]
        self._found += unexplained([finding for found in said for finding in found])
        if said:
            self.judged += 1
        elif response.status != 501 and app.served:
            self.undescribed[app.served[-1].operation if response.status < 400 else "refusals"] += 1

    def tally(self) -> list[tuple[str, int]]:
        """Return the counts since the last call: `judged`, and each operation without a description."""
        counted = [
            ("judged", self.judged),
            *(("undescribed " + name, times) for name, times in sorted(self.undescribed.items())),
        ]
        self.judged, self.undescribed = 0, Counter()
        return counted

    def report(self) -> list[Finding]:
        """Return the findings since the last call."""
        found, self._found = sorted(set(self._found)), []
        return found
