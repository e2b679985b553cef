"""Veto a redeployment without the rights on linked resources.

Azure asks for a right on each identity and subnet in every PUT.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from rotator import container_group
from rotator.codes import VetoCode
from rotator.guard import seen
from rotator.guard.objection import Objection
from rotator.policy import Policy
from rotator.remedy import give_role
from rotator.rights import LINKED
from rotator.state import Observed
from rotator.steps import Intent, Known

PRESSING = timedelta(days=7)
"""Time before its end in which a credential is replaced, even if not all groups can follow."""


def linkable(policy: Policy, observed: Observed, intent: Intent, known: Known) -> Iterator[Objection]:
    """Report a known missing right before a new credential exists."""
    version, current = seen.current_version(observed), seen.current(observed)
    exposed = version is not None and any(version.key_id in v.compromised for v in observed.versions)
    if version and (exposed or current is None or current.end - observed.at < PRESSING):
        return
    waiting = container_group.dependents(policy, observed)
    yield from unlinked(
        observed,
        known,
        (
            d
            for d in waiting
            if d.declared and d.needs_rotation and not d.refused and d.choice is container_group.Choice.DEPLOY
        ),
    )


def unlinked(observed: Observed, known: Known, dependents: Iterable[container_group.Dependent]) -> Iterator[Objection]:
    """Report all missing rights at once, with the commands to give them."""
    refused, names = set(known.links), dict[tuple[str, str], list[str]]()
    for dependent in dependents:
        for link in refused & set(dependent.links):
            names.setdefault(link, []).append(dependent.name)
    if names:
        lacking = [(", ".join(names[link]), *link) for link in sorted(names)]
        what = "; ".join(
            f"a redeployment of {whom} needs {action} on {scope}, which rotator's identity does not have"
            for whom, action, scope in lacking
        )
        commands = "\n".join(give_role(observed.signed_in, LINKED[action], scope) for _, action, scope in lacking)
        yield (
            VetoCode.LINK_REFUSED,
            what,
            (
                "Give rotator's identity this role, or a role with that action alone; Azure may need ten minutes"
                f" to apply it:\n{commands}"
            ),
        )
