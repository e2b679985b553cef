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
from rotator.container_group.document import Document
from rotator.container_group.embedded_password import signing_in
from rotator.container_group.evidence import Phase, activity, run_once
from rotator.container_group.hidden_values import places
from rotator.container_group.missing_values import unsourced
from rotator.container_group.policy_lines import lines_to_add
from rotator.container_group.put_properties import writable
from rotator.container_group.refusal import refused
from rotator.container_group.tags import Failed, shows, tag
from rotator.container_group.value_sources import Lookup, Recipes, baked
from rotator.errors import UnsafeStep
from rotator.policy import Runs, Source
from rotator.state import Secret


def edit(
    document: Document,
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
    _safe(document)
    body, known = writable(document.body), document.recipes
    fill(body, known, known.lookup(values, password))
    enter(body, known, password)
    tag(body, key_id, since, failed, shows(document.body))
    return body


def fill(body: Json, known: Recipes, find: Lookup) -> None:
    """Put back all hidden values of `body` with a recipe.

    A password in plain sight becomes a secure value.
    """
    for place in places(body):
        if known.writes(place):
            place.write(baked(known.for_place(place), place.holds, find))


def enter(body: Json, known: Recipes, password: Secret) -> None:
    """Put the password into every registry entry of the principal."""
    for place in places(body):
        if known.entry(place):
            place.write(password.reveal())


def _safe(document: Document) -> None:
    name = text(document.body, "name")
    if why := refused(document):
        raise UnsafeStep(
            f"container group {name} can't be redeployed: {why}.", remedy="Do what the message says, then run again."
        )
    if lost := unsourced(document):
        lines = lines_to_add(
            document.id,
            lost,
            entry=document.declared is None,
            within=document.says_secrets,
            password=signing_in(document),
        )
        raise UnsafeStep(
            f"container group {name} has values that Azure doesn't show, and a redeployment could lose them:"
            f" {', '.join(lost)}.",
            remedy=(
                f"Put the values that have a secret's name below into {document.policy.key_vault.host}, and add to"
                f" {document.policy.file}:\n{lines}"
            ),
        )
    idle(document.body, document.declared.runs if document.declared else None)


def idle(document: Mapping[str, Any], said: Runs | None) -> None:
    """Refuse to interrupt a job that runs, or may run: the job could have started since the plan was made.

    Raises UnsafeStep.
    """
    name = text(document, "name")
    now = activity(document, said)
    if run_once(document, said) and now in (Phase.RUNNING, Phase.STARTING, Phase.UNKNOWN):
        raise UnsafeStep(
            f"the job of container group {name} is {now.value}, and a redeployment would end it.",
            remedy=(
                "Run again when the job has ended; if the group is a service, write `runs: service` under it in"
                " its policy."
            ),
        )
