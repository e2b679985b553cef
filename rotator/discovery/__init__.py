"""From what lists show to who pulls with a password: whose it is, which policy looks after it, and a draft of a policy where none does.

Rules for whoever edits this package:

1. Pure: lists and names in, findings and texts out.
2. Only lists were read: what they don't show (does it run, which password does it hold) is never concluded.
3. Names that come from Azure were written by others: they are shown in one line, without control characters, and quoted
   in YAML.
4. A draft never says what only a person can know: each such blank is a comment, and what is left when it is filled is a
   policy.
"""

from rotator.discovery.draft import Draft, drafts
from rotator.discovery.usage import Found, Listed, Other, Passing, Sight, Standing, Use, app_ids, find

__all__ = ["Draft", "Found", "Listed", "Other", "Passing", "Sight", "Standing", "Use", "app_ids", "drafts", "find"]
