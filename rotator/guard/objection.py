"""Objection of a check of the guard."""

from rotator.codes import VetoCode

Objection = tuple[VetoCode, str, str]
"""Code, problem, fix."""
