"""Values hidden by GET and required by a PUT, and their sources.

A value without a source is a veto, never a guess.
"""

from collections.abc import Mapping
from typing import Any

from rotator.arm_json import Json, belongs
from rotator.container_group.hidden_values import Holds, places
from rotator.container_group.value_sources import Lookup, Recipes, baked, named_in
from rotator.policy import GroupPolicy, KeyVaultSource, Policy
from rotator.state import Observed


def hidden(document: Mapping[str, Any], app_id: str | None = None) -> tuple[str, ...]:
    """Return the paths of values missing in a GET's document, sorted; without the registry passwords of `app_id`.

    A secret volume is one path, ``volumes/<v>/secret``: the names of its files are hidden, too.
    """
    missing = (place for place in places(document) if place.missing)
    return tuple(
        sorted(
            {
                place.path
                for place in missing
                if not (app_id and place.name == "password" and belongs(place.owner, app_id))
            }
        )
    )


def unsourced(document: Mapping[str, Any], policy: Policy, group_policy: GroupPolicy | None) -> tuple[str, ...]:
    """Paths of hidden values that neither the policy nor the manifest has a source for, sorted."""
    known = Recipes.of(policy, group_policy)
    lost = (place for place in places(document) if place.missing and not known.entry(place))
    return tuple(sorted({place.path for place in lost if known.for_place(place) is None}))


def sources(
    policy: Policy, document: Mapping[str, Any], group_policy: GroupPolicy | None
) -> tuple[KeyVaultSource, ...]:
    """Return the Key Vault secrets whose values an edit of the document needs, by name.

    The credential itself isn't among them.
    """
    known = Recipes.of(policy, group_policy)
    return known.fetched(
        one for place in places(document) if known.writes(place) for one in named_in(known.for_place(place))
    )


def fill(body: Json, known: Recipes, find: Lookup) -> None:
    """Put back all hidden values of `body` with a recipe.

    A password in plain sight becomes a secure value.
    """
    for place in places(body):
        if known.writes(place):
            place.write(baked(known.for_place(place), place.holds, find))


def wanted_as_objects(policy: Policy, observed: Observed) -> frozenset[str]:
    """Names of the secrets whose values a redeployment needs as JSON objects: protected settings of extensions."""
    found = ((policy.group(each.id), places(each.document)) for each in observed.groups if each.document is not None)
    recipes = (
        (Recipes.of(policy, said).for_place(place))
        for said, there in found
        for place in there
        if place.holds is Holds.OBJECT
    )
    return frozenset(
        one.key_vault
        for recipe in recipes
        if isinstance(recipe, str)
        for one in named_in(recipe)
        if isinstance(one, KeyVaultSource)
    )
