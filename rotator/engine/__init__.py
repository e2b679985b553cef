"""Acts: takes the steps decided by `rotator.plan`, one batch at a time, and observes again after each batch.

Rules for editors of this package:

1. No decisions here. Due steps come from `plan`, vetoes from `guard`, the content of a container group from
   `container_group`.
2. Every write follows a read of all its inputs, at most `run.FRESH` seconds old; the access mark is read before every
   add, publish and PUT, so that a revocation always wins.
3. A write without an answer is followed by a look, never by a blind second write of the same kind.
4. Additions made for a failed step are removed again, or named.
5. All state is in the world. A run may die at any line.
"""

from rotator.engine.access import grant
from rotator.engine.adoption import adopt, compromise
from rotator.engine.examination import examine
from rotator.engine.exposed import finish, tell_exposed
from rotator.engine.identity import Wanted
from rotator.engine.job import Deployed, deploy_now
from rotator.engine.journal import Journal
from rotator.engine.observation import glance, preview, remembered
from rotator.engine.provisioning import outline, provision
from rotator.engine.reconciliation import reconcile
from rotator.engine.revocation import revoke
from rotator.engine.run import Run, Sight, undenied

__all__ = [
    "Deployed",
    "Journal",
    "Run",
    "Sight",
    "Wanted",
    "adopt",
    "compromise",
    "deploy_now",
    "examine",
    "finish",
    "glance",
    "grant",
    "outline",
    "preview",
    "provision",
    "reconcile",
    "remembered",
    "revoke",
    "tell_exposed",
    "undenied",
]
