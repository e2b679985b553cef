"""Signals: the first signal ends a run in order; a second signal, or the end of the grace, ends the process at once.

"In order" means: a write already sent is awaited, no new step begins, and the removal of a credential certainly not
published is sent once. Cancellation carries the signal to the engine: cancellation reaches every wait, but no write
already sent from this machine.
"""

import os
import signal
from collections.abc import Coroutine, Mapping
from typing import Any, NoReturn, TypeVar

from rotator.cli.terminal import tell_interrupted

T = TypeVar("T")
GRACE, VARIABLE = 25.0, "ROTATOR_GRACE"
"""Seconds between the first signal and the end, and the environment variable for another number: platforms kill after
30 seconds.
"""
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupted(Exception):
    """Signal has ended a run in order. `left`: sentences about unfinished work."""

    def __init__(self, number: int) -> None:
        super().__init__(name_of(number))
        self.number = number
        self.left: tuple[str, ...] = ()


def name_of(number: int) -> str:
    """Return the signal's name, such as SIGTERM."""
    return signal.Signals(number).name


def grace(environment: Mapping[str, str]) -> float:
    """Return the seconds of grace: the variable's value if a valid number of seconds, else the default."""
    try:
        stated = float(environment.get(VARIABLE, GRACE))
    except ValueError:
        return GRACE
    return stated if 0 <= stated < float("inf") else GRACE


async def heeding(main: Coroutine[Any, Any, T], seconds: float) -> T:
    """Run `main` until its end or until a signal. Raises Interrupted."""
    import asyncio

    loop, task, caught = asyncio.get_running_loop(), asyncio.current_task(), list[int]()

    def stop(number: int) -> None:
        if caught or task is None:
            _at_once(number)
        caught.append(number)
        tell_interrupted(
            f"{name_of(number)}: no new request is begun; rotator waits for the request under way, for"
            f" {seconds:.0f} s at most. A second signal ends at once."
        )
        task.cancel()
        loop.call_later(seconds, _at_once, number)

    heeded = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    for number in heeded:
        loop.add_signal_handler(number, stop, number)
    try:
        return await main
    except asyncio.CancelledError:
        if not caught:
            raise
        interrupted = Interrupted(caught[0])
    finally:
        for number in heeded:
            loop.remove_signal_handler(number)
    raise interrupted


def _at_once(number: int) -> NoReturn:
    """End the process at once, without cleaning up."""
    tell_interrupted(
        f"{name_of(number)}: ended at once. A request may have been under way: the next run reads the state of"
        " Azure and goes on from there."
    )
    os._exit(128 + number)
