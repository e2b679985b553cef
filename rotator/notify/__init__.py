"""Messages to people and monitors: a webhook, a dead-man's ping, a command, and files replaced at once.

Rules for editors of this package:

1. No message is composed here, and none is read: `rotator.report` makes the bytes, this package delivers them.
2. Addresses are secrets: a `Secret` from the environment or Key Vault, never in a message, a log, an exception or an
   argument of a process. The report of a failure has no address.
3. HTTPS only, by an HTTP client of its own: no token, no cookie, no redirect, nothing from ``.netrc``.
4. A failed delivery is a note, and never the exit code of a run.
5. Of rotator, only ports, policy and the modules below them are imported.
"""

from rotator.notify.command import run_hook, unstartable
from rotator.notify.delivered import Delivered, DeliveredIds, LocalIds, SharedIds
from rotator.notify.files import exchanged, plain, replaced
from rotator.notify.settings import HOOK, KeyVaultSecret, Receivers, Shape
from rotator.notify.web import Transport, Web

__all__ = [
    "HOOK",
    "Delivered",
    "DeliveredIds",
    "KeyVaultSecret",
    "LocalIds",
    "Receivers",
    "Shape",
    "SharedIds",
    "Transport",
    "Web",
    "exchanged",
    "plain",
    "replaced",
    "run_hook",
    "unstartable",
]
