"""Objection of a check of the guard."""

Objection = tuple[str, str, str]
"""A code, what is wrong, what to do."""
