"""Errors that no other module handles: a machine that has run out of a resource, or a bug in rotator."""

import errno
import logging

from rotator.errors import RotatorError

log = logging.getLogger(__name__)

STATE = "Steps that were reported as done are done; nothing was undone."
SPENT = {
    errno.EMFILE: ("this process has too many open files", "Raise its limit on open files (`ulimit -n`)"),
    errno.ENFILE: ("this machine has too many open files", "Raise its limit on open files, or end other processes"),
    errno.ENOMEM: (
        "no memory is left for this process",
        "Give it more: the limit is `ulimit -v`, or that of the service or of the container",
    ),
    errno.ENOSPC: ("a disk of this machine is full", "Free space on it"),
    errno.EDQUOT: ("the disk quota of this user is used up", "Free space, or raise the quota"),
}
"""Resources of a machine, and how to get more of each, by the error number."""


def unexpected(error: Exception) -> RotatorError:
    """Return an error for people about a resource that is used up, or else about a bug in rotator.

    The error names only the type: the message of an unknown exception may quote a secret.
    """
    log.debug("unexpected exception", exc_info=error)
    return exhausted(error) or RotatorError(
        f"an unexpected {type(error).__name__}: a bug in rotator",
        state=STATE,
        remedy=(
            "Run again: the next run reads the state of Azure and goes on from there. `-vv` shows where it"
            " happened; please report that."
        ),
    )


def exhausted(error: Exception) -> RotatorError | None:
    """Return an error for people about the resource that is used up; None if it is something else."""
    number = errno.ENOMEM if isinstance(error, MemoryError) else getattr(error, "errno", None)
    if number not in SPENT:
        return None
    what, how = SPENT[number]
    where = f"{file}: " if (file := getattr(error, "filename", None)) else ""
    return RotatorError(
        f"{where}{what}",
        state=STATE,
        remedy=f"{how}, then run again: the next run reads the state of Azure and goes on from there.",
    )
