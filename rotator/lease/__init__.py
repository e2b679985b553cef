"""Leases: they keep two runs from doing the same work twice, and safety doesn't rest on them.

`local` keeps them in files of one machine; the default. `renewed` keeps them in a service that all machines reach, for
a minute at a time. `leased` is the world of a run that holds such a lease.
"""

from rotator.lease.local import LONGEST, LocalLease, directory, exposed, held, standing
from rotator.lease.renewed import BELIEVED, EVERY, LIFE, RenewedLease, holder
from rotator.lease.without_writes import WRITES, leased

__all__ = [
    "BELIEVED",
    "EVERY",
    "LIFE",
    "LONGEST",
    "WRITES",
    "LocalLease",
    "RenewedLease",
    "directory",
    "exposed",
    "held",
    "holder",
    "leased",
    "standing",
]
