"""Draft a manifest from a running group: all that the group has, with placeholders where Azure hides a value.

Rules for editors of this file:

1. Nothing of the group is left out but the properties written by the service, its address, nulls and rotator's tags.
2. A hidden value without a source gets the placeholder of a secret that isn't in the vault yet, so that a deployment is
   refused until a person has put it there; an absence is never assumed.
3. A draft holds no secret: of a recipe only a placeholder standing alone is taken over. Of a text that an author wrote
   into the group's present manifest, alone or around a placeholder, only the path is reported, and a person copies the
   text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rotator.arm_json import Json, Value, drop, get, put
from rotator.container_group.differences import DATA
from rotator.container_group.document import Document
from rotator.container_group.embedded_password import signing_in
from rotator.container_group.hidden_values import Holds, Place, normal, places
from rotator.container_group.plain_sight import places_of_passwords
from rotator.container_group.policy_lines import secret_names
from rotator.container_group.put_properties import writable
from rotator.container_group.tags import OURS
from rotator.container_group.value_sources import PASSWORD, USERNAME, Recipe, Recipes, Said, placeholder
from rotator.errors import UnsafeStep
from rotator.policy import KeyVaultSource
from rotator.policy.manifest import alone, has_placeholder, source
from rotator.policy.secret_rules import WORKSPACE_ID
from rotator.remedy import export_group

FILE = "FILE"
"""Name of a file in a secret volume whose files can't be seen."""


@dataclass(frozen=True, slots=True)
class DraftedManifest:
    """Drafted manifest.

    `wanted` are the secrets to be put into the vault, each with the path of its value; `empty` are those paths of
    `wanted` that may always have been empty. `authored` are the paths whose value stands in the group's present
    manifest as a text of its author, each with the placeholder that holds its place.
    """

    body: Json = field(repr=False)
    wanted: tuple[tuple[str, str], ...]
    empty: tuple[str, ...]
    authored: tuple[tuple[str, str], ...] = ()


def drafted(document: Document) -> DraftedManifest:
    """Draft the manifest of a group just shown by a GET.

    Raises UnsafeStep for a group with a text that a manifest couldn't hold, or with an Entra password in plain sight.
    """
    body: Json = _without_nulls(writable(document.body))
    _ensure_plain(body)
    drop(get(body, "properties", "ipAddress"), "ip")
    tags = get(body, "tags")
    drop(tags, *OURS)
    if not tags:
        drop(body, "tags")
    known, inside, found = document.recipes, signing_in(document), places(body)
    lost = [place for place in found if _unknown(place, known, inside)]
    names = secret_names(document.id, [place.path for place in lost])
    wanted = [(place, f"{name}-{FILE}" if _files(place) else name) for place, name in zip(lost, names, strict=True)]
    for place in found:
        if place not in lost:
            _write(place, known, inside)
    for place, name in wanted:
        place.write(_held(place, placeholder(KeyVaultSource(key_vault=name)), known))
    _ensure_no_password(document, body)
    unsaid = [(place, name) for place, name in wanted if known.for_place(place) is None]
    authored = [(path, name) for place, name in wanted for path in _authored(place, known)]
    empty = tuple(place.path for place, _ in unsaid if place.optional or place.holds is not Holds.TEXT)
    return DraftedManifest(body, tuple((place.path, name) for place, name in unsaid), empty, tuple(authored))


def _held(place: Place, named: str, known: Recipes) -> Value:
    """Return what holds the place of a value that the draft can't have: for a volume, of each such file."""
    if not _files(place):
        return named
    files = known.for_place(place) or {FILE: None}
    return {name: recipe if recipe is not None and _harmless(recipe) else named for name, recipe in files.items()}


def _authored(place: Place, known: Recipes) -> tuple[str, ...]:
    """Return the paths at which the present manifest has a text of its author."""
    found = known.for_place(place)
    if isinstance(found, Mapping) and _files(place):
        return tuple(f"{place.path}/{name}" for name, recipe in found.items() if not _harmless(recipe))
    return () if found is None else (place.path,)


def _write(place: Place, known: Recipes, inside: tuple[str, ...]) -> None:
    """Put the placeholder of its source into a place."""
    if known.entry(place):
        put(place.owner, "username", placeholder(USERNAME))
        place.write(placeholder(PASSWORD))
    elif place.missing or known.password(place):
        recipe = _recipe(place, known, inside)
        if recipe is not Said.NOTHING:
            place.write(recipe)


def _unknown(place: Place, known: Recipes, inside: tuple[str, ...]) -> bool:
    return place.missing and not known.entry(place) and _recipe(place, known, inside) is None


def _recipe(place: Place, known: Recipes, inside: tuple[str, ...]) -> Recipe:
    """Return the recipe of a place if it shows no secret, else None."""
    found = known.for_place(place)
    if found is None and place.path in inside:
        return placeholder(PASSWORD)
    if normal(place.path) == normal(WORKSPACE_ID):
        return found
    parts = list(found.values()) if isinstance(found, Mapping) else [found]
    return found if parts and all(map(_harmless, parts)) else None


def _harmless(recipe: Recipe) -> bool:
    """Tell if a recipe shows nothing: it is empty, stated, or one placeholder."""
    if recipe == "" or recipe is Said.NOTHING:
        return True
    inner = alone(recipe.strip()) if isinstance(recipe, str) else None
    return inner is not None and source(inner) is not None


def _files(place: Place) -> bool:
    return place.holds is Holds.FILES


def _without_nulls(value: Value) -> Value:
    """Return a value without properties that are null; a null inside data is data."""
    if isinstance(value, dict):
        kept = {name: item for name, item in value.items() if item is not None}
        return {name: item if name.lower() in DATA else _without_nulls(item) for name, item in kept.items()}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _ensure_plain(body: Json) -> None:
    """Refuse a group with a text like a placeholder: a deployment would put a secret there."""
    if has_placeholder(body):
        raise UnsafeStep(
            "a text of the container group reads like a placeholder, ${{ … }}, which a manifest can't hold as a text",
            remedy="Change that text of the group first.",
        )


def _ensure_no_password(document: Document, body: Json) -> None:
    """Refuse a group that shows an Entra password, which no file of rotator's may hold."""
    if places := places_of_passwords(body):
        raise UnsafeStep(
            f"{document.id.name} shows an Entra password in plain sight, in {', '.join(places)}, and a drafted manifest"
            " holds no secret",
            remedy="Move the password into a secure variable and deploy the group so, or write the file with"
            f" `{export_group(document.id, 'manifest.yaml')}`, which keeps the text as it is.",
        )
