"""Decide: derive the steps that are safe now, each with a reason, from a policy and an observation.

No other package decides. Rules for editors of this package:

1. No I/O, no clock, no ids. Time is `observed.at`; a credential that doesn't exist yet is `TO_COME`.
2. Level-triggered: a rule looks at the world, never at earlier actions of a run. A crash is just another world.
3. The order is the safety argument: prove before publish, publish before redeploy, redeploy before retire. The order is
   `ORDER`, and each rule of `RULES` checks for itself that its preconditions are visible in the world.
4. Every finding has a reason with numbers or names: for acting, for waiting, for doing nothing.
5. Credentials and versions of others are never the target of `Retire` or `Disable`.
6. `rotator.guard` must be able to refuse every step from the same two values; the guard shares no rule with this
   package.
7. Collections are sorted tuples; a set's order would make a plan differ from its run.
"""

from rotator.plan.access import (
    Effect,
    Way,
    credential_steps,
    declared_role,
    fitting,
    grant_steps,
    own_roles,
    remaining,
    restorable,
    revoke_steps,
)
from rotator.plan.adoption import Adoption, Value, adoptable, adoption_marks
from rotator.plan.alarms import UNKNOWN, headline, refused_readers, unseen_marks, worth_trying
from rotator.plan.at_rest import fingerprint, still_valid, turn, unrest
from rotator.plan.compromise import CompromiseDeclared, declared
from rotator.plan.due import later, next_due
from rotator.plan.keys import called, counted, removal
from rotator.plan.marks import MOST_CARRIED, MOST_TAGS, Mark, carried, compromise_marks, marked, strip_marks
from rotator.plan.not_ours import keys_matter
from rotator.plan.postponed import urgency
from rotator.plan.provision import Missing, chosen, first_steps, group_steps, identity_steps
from rotator.plan.revocation_end import (
    Ending,
    Shown,
    Tries,
    alarming,
    ending,
    in_a_row,
    remains,
    rests_on_absence,
    usable,
    vanished,
)
from rotator.plan.rules import ORDER, RULES, next_steps
from rotator.plan.spread import renewal, spread_over
from rotator.plan.stripped_groups import EVERY_GROUP, STRIPPED, short
from rotator.plan.unfold import evolve, plan
from rotator.plan.view import View
from rotator.plan.workload import Redeployed, Workload, forecast

__all__ = [
    "EVERY_GROUP",
    "MOST_CARRIED",
    "MOST_TAGS",
    "ORDER",
    "RULES",
    "STRIPPED",
    "UNKNOWN",
    "Adoption",
    "CompromiseDeclared",
    "Effect",
    "Ending",
    "Mark",
    "Missing",
    "Redeployed",
    "Shown",
    "Tries",
    "Value",
    "View",
    "Way",
    "Workload",
    "adoptable",
    "adoption_marks",
    "alarming",
    "called",
    "carried",
    "chosen",
    "compromise_marks",
    "counted",
    "credential_steps",
    "declared",
    "declared_role",
    "ending",
    "evolve",
    "fingerprint",
    "first_steps",
    "fitting",
    "forecast",
    "grant_steps",
    "group_steps",
    "headline",
    "identity_steps",
    "in_a_row",
    "keys_matter",
    "later",
    "marked",
    "next_due",
    "next_steps",
    "own_roles",
    "plan",
    "refused_readers",
    "remaining",
    "remains",
    "removal",
    "renewal",
    "restorable",
    "rests_on_absence",
    "revoke_steps",
    "short",
    "spread_over",
    "still_valid",
    "strip_marks",
    "turn",
    "unrest",
    "unseen_marks",
    "urgency",
    "usable",
    "vanished",
    "worth_trying",
]
