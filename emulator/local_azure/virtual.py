"""Virtual time: an asyncio event loop without real waiting, so that a test can run a year.

``loop.time()`` stands still while a task is ready to run and jumps to the next timer when no task is ready. There is no
I/O to wait for and there are no threads: either would make a run depend on the machine, so both raise.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")


class Stuck(RuntimeError):
    """Every task waits, and no timer is set to end a wait."""


class _Leap(selectors.SelectSelector):
    """Move the loop's time to the next timer instead of sleeping."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck("nothing is ready and no timer is set: a deadlock, or a wait for a thread or a socket")
        self.reached += max(timeout, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time, in seconds from `start`."""

    def __init__(self, start: float = 0.0) -> None:
        self._leap = _Leap()
        self._leap.reached = start
        super().__init__(self._leap)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Return the virtual seconds; pass the method as ``Clock(start, elapsed=loop.time)``."""
        return self._leap.reached

    def run_in_executor(self, *_: object) -> NoReturn:
        """Refused: what a thread does, and when, is not part of a repeatable run."""
        raise Stuck("a thread was asked for in virtual time")


def run(main: Callable[[VirtualLoop], Coroutine[Any, Any, T]], start: float = 0.0) -> T:
    """Run ``main(loop)`` to the end on a new virtual loop."""
    loop = VirtualLoop(start)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main(loop))
