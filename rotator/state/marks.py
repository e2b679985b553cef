"""Names by which rotator knows its own: tags, the display name of a credential, the lineage of a policy."""

import hashlib
import re

KEY_ID, HOME, ATTEMPT = "rotator-key-id", "rotator-home", "rotator-attempt"
"""Tags of a secret version of ours; `KEY_ID` is also a container group's: the credential that it holds."""
ADOPTED, COMPROMISED = "rotator-adopted", "rotator-compromised"
"""Tags of a secret version: key ids, separated by commas, that a person gave to rotator, or declared known to others
(see `series`).
"""
SINCE, FAILED, PREVIOUS = "rotator-since", "rotator-failed", "rotator-previous"
"""Tags of a container group: since when it holds its credential, which one failed on it, which one it held before."""
ACCESS = "rotator-access"
"""Tag of the access record: ``revoked`` or ``granted``."""
OWN = "rotator-"
"""Common prefix of the names of rotator's tags. They belong to one version, or to one group."""


def lineage(tenant: str, app_id: str, vault_host: str, secret: str) -> str:
    """Return the lineage of a policy: 12 hex digits marking every credential of ours, whatever the file's name."""
    parts = "\n".join(part.strip().lower() for part in (tenant, app_id, vault_host, secret))
    return hashlib.sha256(parts.encode()).hexdigest()[:12]


def marker(lineage_: str, attempt: str) -> str:
    """Return the display name of a credential of ours: the only trace of an add with a lost answer."""
    return f"rotator:{lineage_}:{attempt}"


MARKED = re.compile(marker("(?P<lineage>[0-9a-f]{12})", ""))
