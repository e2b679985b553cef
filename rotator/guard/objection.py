"""Objection of a check of the guard."""

Objection = tuple[str, str, str]
"""Code, problem, fix."""
