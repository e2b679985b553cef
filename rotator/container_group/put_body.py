"""Make the body of a PUT to change a group's credential and no other property.

Rules for editors of this file:

1. Start from the complete answer of GET and remove only the properties named by `writable`; never build a body from
   known properties.
2. A hidden value without a source is a veto. There is no default for a secret.
3. The document once read is never changed; exceptions, returned errors and output hold no value.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rotator.arm_json import Json, text
from rotator.container_group.embedded_password import signing_in
from rotator.container_group.evidence import Phase, activity, run_once
from rotator.container_group.hidden_values import places
from rotator.container_group.missing_values import fill, unsourced
from rotator.container_group.policy_lines import lines_to_add
from rotator.container_group.put_properties import writable
from rotator.container_group.refusal import refused
from rotator.container_group.tags import Failed, shows, tag
from rotator.container_group.value_sources import Recipes
from rotator.errors import UnsafeStep
from rotator.policy import GroupPolicy, Policy, Source
from rotator.resource_id import ArmId
from rotator.state import Secret


def edit(
    document: Mapping[str, Any],
    policy: Policy,
    group_policy: GroupPolicy | None,
    *,
    values: Mapping[Source, Secret],
    password: Secret,
    key_id: str,
    since: datetime,
    failed: Failed | None = None,
) -> Json:
    """Return the PUT body for the group just shown by a GET, with `password`, the secret of `key_id`.

    All other properties are unchanged. `values` are those of `sources()`; `failed` is set on a way back. Raises
    UnsafeStep if a value would be lost, or a job interrupted.
    """
    _safe(document, policy, group_policy)
    body = writable(document)
    known = Recipes.of(policy, group_policy)
    fill(body, known, known.lookup(values, password))
    enter(body, known, password)
    tag(body, key_id, since, failed, shows(document))
    return body


def enter(body: Json, known: Recipes, password: Secret) -> None:
    """Put the password into every registry entry of the principal."""
    for place in places(body):
        if known.entry(place):
            place.write(password.reveal())


def _safe(document: Mapping[str, Any], policy: Policy, group: GroupPolicy | None) -> None:
    name, group_id = text(document, "name"), ArmId(text(document, "id") or (group.id if group else ""))
    why = refused(document, policy, group)
    if why:
        raise UnsafeStep(
            f"container group {name} can't be redeployed: {why}.", remedy="Do what the message says, then run again."
        )
    lost = unsourced(document, policy, group)
    if lost:
        password = signing_in(document, policy.principal.app_id)
        lines = lines_to_add(
            group_id, lost, entry=group is None, within=bool(group and group.secrets), password=password
        )
        raise UnsafeStep(
            f"container group {name} has values that Azure doesn't show, and a redeployment could lose them:"
            f" {', '.join(lost)}.",
            remedy=(
                f"Put those that have a secret's name below into {policy.key_vault.host}, and add to"
                f" {policy.file}:\n{lines}"
            ),
        )
    idle(document)


def idle(document: Mapping[str, Any]) -> None:
    """Refuse to interrupt a job that runs, or may run: the job could have started since the plan was made.

    Raises UnsafeStep.
    """
    name = text(document, "name")
    now = activity(document)
    if run_once(document) and now in (Phase.RUNNING, Phase.STARTING, Phase.UNKNOWN):
        raise UnsafeStep(
            f"the job of container group {name} is {now.value}, and a redeployment would end it.",
            remedy="Run again when it has ended.",
        )
