"""Work on many policies: side by side in one process, or by the messages of a queue on many machines."""

from rotator.fleet.breakdowns import exhausted, unexpected
from rotator.fleet.queue import MOST, Worker, cut_short, due, enqueue, failed, poisoned, surveyed
from rotator.fleet.side_by_side import (
    AT_REST,
    ORDER,
    Do,
    Urgent,
    after,
    exit_code,
    exposed,
    look,
    past_warning,
    previews,
    run,
)
from rotator.results import Enqueued

__all__ = [
    "AT_REST",
    "MOST",
    "ORDER",
    "Do",
    "Enqueued",
    "Urgent",
    "Worker",
    "after",
    "cut_short",
    "due",
    "enqueue",
    "exhausted",
    "exit_code",
    "exposed",
    "failed",
    "look",
    "past_warning",
    "poisoned",
    "previews",
    "run",
    "surveyed",
    "unexpected",
]
