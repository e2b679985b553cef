"""What a check of the guard says."""

Objection = tuple[str, str, str]
"""A code, what is wrong, what to do."""
