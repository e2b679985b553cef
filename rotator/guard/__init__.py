"""Second opinion: veto a step that the rules should never have asked for, or that the world forbids.

Rules for editors of this package:

1. The guard shares no rule with `rotator.plan`, and reads the world by itself (`seen`): a bug there must not be a bug
   here.
2. A veto has a code, names and numbers, says that no change was made, and ends with the fix.
3. The guard never makes a step possible; a veto is overridden only by facts visible in the world to a person.
"""

from rotator.guard.veto import PASSING, RULES, Veto, check, check_asked, itself

__all__ = ["PASSING", "RULES", "Veto", "check", "check_asked", "itself"]
