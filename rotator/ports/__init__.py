"""Protocols between the engine and the outside: Azure in rotator's own types, time, leases, a queue, events."""

from rotator.ports.machine import Clock, Held, Lease, LeaseStore, Message, Queue, Tell
from rotator.ports.values import (
    AccessRecord,
    Issued,
    PasswordChange,
    Publication,
    Put,
    Redeployment,
    Survey,
    Surveyed,
    Write,
)
from rotator.ports.world import World

__all__ = [
    "AccessRecord",
    "Clock",
    "Held",
    "Issued",
    "Lease",
    "LeaseStore",
    "Message",
    "PasswordChange",
    "Publication",
    "Put",
    "Queue",
    "Redeployment",
    "Survey",
    "Surveyed",
    "Tell",
    "World",
    "Write",
]
