"""Classes of effects: the eight to which every fault of an operation reduces, as its caller sees it.

A matrix of pairs over all kinds of faults would have millions of cells; over these classes it can be tried whole.
`test_alphabet` shows for each operation, on real SDK code, that a kind belongs to its class.
"""

from enum import StrEnum


class Effect(StrEnum):
    """Class of effects; the value is its name in cells."""

    NOT_SENT = "not-sent"
    """No byte left this machine, and the caller knows that."""
    NO = "no"
    """A definite no, without effect."""
    UNKNOWN = "unknown"
    """No usable answer, and no effect. Of a read: no usable answer within its patience."""
    UNKNOWN_DONE = "unknown-done"
    """No usable answer, but the effect."""
    MISLEADING = "misleading"
    """Effect with a refusal as the answer."""
    STALE = "stale"
    """Answer that was true earlier, or elsewhere."""
    GONE = "gone"
    """Answer that denies an existing object."""
    HANG = "hang"
    """Late answer: after repetitions below the caller, or after minutes."""


WRITES = (Effect.NOT_SENT, Effect.NO, Effect.UNKNOWN, Effect.UNKNOWN_DONE, Effect.MISLEADING, Effect.HANG)
"""Effects that a write can meet."""
READS = (Effect.NO, Effect.UNKNOWN, Effect.STALE, Effect.GONE, Effect.HANG)
"""Effects that a read or a proof can meet."""
