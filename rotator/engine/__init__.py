"""Acts: takes the steps that `rotator.plan` decides, one batch at a time, and looks at the world again after each.

Rules for whoever edits this package:

1. Nothing is decided here. What is due comes from `plan`, what must not be done from `guard`, what a container group
   says from `group`.
2. Every write follows a read, at most `run.FRESH` seconds old, of what it depends on; the access mark is read before
   every add, publish and PUT, so that a revocation always wins.
3. A write whose answer never came is followed by a look, never by another write of the same kind on faith.
4. What was added for a step that failed is taken away again, or named.
5. All state is in the world. A run may die at any line.
"""

from rotator.engine.access import grant
from rotator.engine.adoption import adopt, compromise
from rotator.engine.examination import examine
from rotator.engine.exposed import finish, tell_exposed
from rotator.engine.job import Deployed, deploy_now
from rotator.engine.look import Preview, glance, preview
from rotator.engine.provisioning import Wanted, outline, provision
from rotator.engine.reconciliation import reconcile
from rotator.engine.revocation import revoke
from rotator.engine.run import Result, Run, Score, counted

__all__ = [
    "Deployed",
    "Preview",
    "Result",
    "Run",
    "Score",
    "Wanted",
    "adopt",
    "compromise",
    "counted",
    "deploy_now",
    "examine",
    "finish",
    "glance",
    "grant",
    "outline",
    "preview",
    "provision",
    "reconcile",
    "revoke",
    "tell_exposed",
]
