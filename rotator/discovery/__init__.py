"""Finds users of pull passwords in lists: the principal, its policy, and a draft of a policy if there is none.

Rules for editors of this package:

1. Pure: lists and names in, findings and texts out.
2. Only lists were read: facts missing in lists (is the group running, which password does the group hold) are never
   concluded.
3. Names from Azure were written by others: they are shown in one line, without control characters, and quoted in YAML.
4. A draft never states facts known only to a person: each such blank is a comment, and the filled-in draft is a policy.
"""

from rotator.discovery.draft import SCHEMA, PolicyText, drafts
from rotator.discovery.usage import Found, Listed, Listing, Other, Passing, Standing, Use, app_ids, find

__all__ = [
    "SCHEMA",
    "Found",
    "Listed",
    "Listing",
    "Other",
    "Passing",
    "PolicyText",
    "Standing",
    "Use",
    "app_ids",
    "drafts",
    "find",
]
