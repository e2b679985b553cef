"""The second opinion: vetoes a step that the rules should never have asked for, or that the world forbids.

Rules for whoever edits this package:

1. It shares no rule with `rotator.plan`, and reads the world by itself (`seen`): a bug there must not be one here.
2. A veto has a code, names and numbers, says that nothing was changed, and ends with what to do.
3. It never makes a step possible; nothing overrides it but what a person can see in the world.
"""

from rotator.guard.veto import RULES, Veto, check, itself

__all__ = ["RULES", "Veto", "check", "itself"]
