"""Codes that programs may rely on: of steps, waits, notes, vetoes and failures, each with one line of explanation.

A code keeps its text and its meaning; new ones may come. docs/codes.md is made from these enumerations.
"""

from rotator.codes.failures import FailureCode
from rotator.codes.notes import NoteCode
from rotator.codes.reasons import ReasonCode
from rotator.codes.vetoes import VetoCode
from rotator.codes.waits import WaitCode

__all__ = ["FailureCode", "NoteCode", "ReasonCode", "VetoCode", "WaitCode"]
