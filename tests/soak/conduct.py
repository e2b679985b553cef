"""Conduct of one run: the hosts of its requests, its output, and the passwords left after a signal."""

import unicodedata
from collections.abc import Iterator

from tests.soak.process import Run
from tests.soak.truth import KEY_ID, Truth

HOSTS = (".microsoftonline.com", ".graph.microsoft.com", ".management.azure.com", ".vault.azure.net", ".azurecr.io")
"""Ends of host names, each with a dot before it, that may get a token or a password."""
ACTING = ("Cc", "Cf", "Zl", "Zp")
"""Categories of characters that act on a terminal, or are invisible."""
SIGNALS = ("SIGTERM", "SIGINT")


def conduct(run: Run, before: Truth, after: Truth, *, alone: bool) -> Iterator[str]:
    """Yield the violations of one run after its end."""
    yield from strangers(run.script.hosts)
    yield from acting(run.said)
    if alone and len(run.fate) == 1 and run.fate[0].startswith(SIGNALS):
        yield from abandoned(run, before, after)


def strangers(hosts: set[str]) -> Iterator[str]:
    """Yield the hosts outside Azure."""
    yield from (f"I7: {host} was asked for" for host in sorted(hosts) if not f".{host}".endswith(HOSTS))


def acting(text: str) -> Iterator[str]:
    """Yield the characters of an output that act on a terminal, other than line ends and tabs."""
    found = {char for char in text if char not in "\n\t" and unicodedata.category(char) in ACTING}
    yield from (f"the output has {char!a} in it, as it came" for char in sorted(found))


def abandoned(run: Run, before: Truth, after: Truth) -> Iterator[str]:
    """Yield the passwords that a run added, and neither published nor tried to remove before a signal ended the run.

    A password whose answer was damaged is left to a later run: the run doesn't know its key id.
    """
    asked = [seen.path for seen in run.script.seen if seen.writes]
    if any("/secrets/" in path or path.endswith("/removePassword") for path in asked):
        return
    if any("addPassword" in each for each in run.script.struck):
        return
    known, named = {each.key_id for each in before.passwords}, after.marked(KEY_ID)
    for each in after.passwords:
        if each.ours and not each.gone and each.key_id not in known | named:
            yield f"I5: the run was ended by {run.fate[0]}, and left the password {each.key_id} that nobody has"
