"""Values hidden by GET and required by a PUT, and their sources.

A value without a source is a veto, never a guess.
"""

from collections.abc import Mapping
from typing import Any

from rotator.arm_json import belongs
from rotator.container_group.document import Document, once
from rotator.container_group.hidden_values import Holds, places
from rotator.container_group.value_sources import named_in
from rotator.policy import KeyVaultSource, Policy
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


@once
def unsourced(document: Document) -> tuple[str, ...]:
    """Paths of hidden values that neither the policy nor the manifest has a source for, sorted."""
    known = document.recipes
    lost = (place for place in document.places if place.missing and not known.entry(place))
    return tuple(sorted({place.path for place in lost if known.for_place(place) is None}))


@once
def sources(document: Document) -> tuple[KeyVaultSource, ...]:
    """Return the Key Vault secrets whose values an edit of the document needs, by name.

    The credential itself isn't among them.
    """
    known = document.recipes
    return known.fetched(
        one for place in document.places if known.writes(place) for one in named_in(known.for_place(place))
    )


def wanted_as_objects(policy: Policy, observed: Observed) -> frozenset[str]:
    """Names of the secrets whose values a redeployment needs as JSON objects: protected settings of extensions."""
    seen = (Document.seen(policy, each) for each in observed.groups)
    recipes = (one.recipes.for_place(place) for one in seen for place in one.places if place.holds is Holds.OBJECT)
    return frozenset(
        one.key_vault
        for recipe in recipes
        if isinstance(recipe, str)
        for one in named_in(recipe)
        if isinstance(one, KeyVaultSource)
    )
