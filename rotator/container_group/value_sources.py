"""Sources of hidden values: the policy's `secrets:` and the placeholders of a manifest, in one form.

A recipe is JSON with placeholders in its texts, as a manifest writes them; a source of the policy is a recipe of one
placeholder. Recipes hold no secret unless a manifest's author wrote one; the results of `baked` do.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from rotator.arm_json import Value, belongs, takes_password
from rotator.container_group.hidden_values import VARIABLE, Holds, Place, normal, places
from rotator.errors import UnsafeStep
from rotator.policy import CredentialPart, CredentialSource, GroupPolicy, KeyVaultSource, Policy, Source, StatedSource
from rotator.policy.manifest import alone, filled, placeholders, source
from rotator.state import Secret

Recipe = Value
Lookup = Callable[[Source], str]


class Said(Enum):
    """Knowledge about a hidden value other than a source."""

    NOTHING = "nothing"
    """The value never existed."""


PASSWORD, USERNAME = (
    CredentialSource(credential=CredentialPart.PASSWORD),
    CredentialSource(credential=CredentialPart.USERNAME),
)


@dataclass(frozen=True, slots=True)
class Recipes:
    """Recipes of a policy for the hidden values of one group, by `normal` path.

    The policy's own lines take precedence over the manifest's.
    """

    policy: Policy
    by_path: Mapping[str, Recipe] = field(repr=False)

    @classmethod
    def of(cls, policy: Policy, group: GroupPolicy | None) -> "Recipes":
        """Collect all recipes for a group; empty for a group not declared by the policy."""
        if group is None:
            return cls(policy, {})
        manifest = places(group.manifest.document) if group.manifest else ()
        written = {path: recipe for place in manifest for path, recipe in _written(place)}
        return cls(policy, written | {normal(path): _recipe(path, one) for path, one in group.secrets.items()})

    def for_place(self, place: Place) -> Recipe:
        """Return the recipe for a place; for a volume the recipes of its files by name; None without a recipe."""
        path = normal(place.path)
        if place.holds is not Holds.FILES or path in self.by_path:
            return self.by_path.get(path)
        return {
            name.removeprefix(f"{path}/"): recipe
            for name, recipe in self.by_path.items()
            if name.startswith(f"{path}/")
        } or None

    def entry(self, place: Place) -> bool:
        """Tell if a place is the password of the principal's own registry entry."""
        return (
            place.name == "password"
            and belongs(place.owner, self.policy.principal.app_id)
            and takes_password(place.owner)
        )

    def password(self, place: Place) -> bool:
        """Tell if a place holds the principal's password.

        Such a place is the principal's registry entry, or a place to which the policy gives the password.
        """
        return self.entry(place) or (
            not place.referenced and any(self.resolved(one) == PASSWORD for one in named_in(self.for_place(place)))
        )

    def writes(self, place: Place) -> bool:
        """Tell if an edit fills the place from a recipe: missing values, and places with the password."""
        recipe = self.for_place(place)
        if recipe in (None, Said.NOTHING) or place.referenced or self.entry(place):
            return False
        return place.missing or self.password(place)

    def given(self, group: GroupPolicy | None) -> tuple[str, ...]:
        """Return the paths of the policy for the principal's password, as written in the policy, sorted."""
        said = group.secrets.items() if group else ()
        return tuple(
            sorted(path for path, one in said if not isinstance(one, StatedSource) and self.resolved(one) == PASSWORD)
        )

    def resolved(self, one: Source) -> Source:
        """Return the credential for a source named like a published secret; else the source itself.

        Without this rule a group could hold two different passwords.
        """
        vault = self.policy.key_vault
        published = {vault.password_secret.lower(): PASSWORD, (vault.username_secret or "").lower(): USERNAME}
        return published.get(one.key_vault.lower(), one) if isinstance(one, KeyVaultSource) else one

    def fetched(self, used: Iterable[Source]) -> tuple[KeyVaultSource, ...]:
        """Return the secrets whose values have to be read among some sources, by name.

        The credential isn't among them: the deployer has the credential at hand.
        """
        resolved = {self.resolved(one) for one in used}
        return tuple(
            sorted((one for one in resolved if isinstance(one, KeyVaultSource)), key=lambda one: one.key_vault)
        )

    def lookup(self, values: Mapping[Source, Secret], password: Secret) -> Lookup:
        """Return a function from source to value. The function raises UnsafeStep for a value that was not read."""

        def find(one: Source) -> str:
            meant = self.resolved(one)
            if isinstance(meant, CredentialSource):
                return password.reveal() if meant == PASSWORD else self.policy.principal.app_id
            if meant not in values:
                raise UnsafeStep(
                    f"the value of Key Vault secret {meant.key_vault} was not read",
                    remedy="Report this: rotator should have read it.",
                )
            return values[meant].reveal()

        return find


def _written(place: Place) -> Iterator[tuple[str, Recipe]]:
    if place.holds is not Holds.FILES:
        value = Said.NOTHING if place.optional and place.value is None else place.value
        yield from [(normal(place.path), value)] if value is not None else []
    elif isinstance(place.value, Mapping):
        yield from ((normal(f"{place.path}/{name}"), content) for name, content in place.value.items())


def _recipe(path: str, one: Source | StatedSource) -> Recipe:
    """Return a policy's line as a recipe.

    A variable stated to have none is an empty text: Azure refuses a variable without a value.
    """
    if isinstance(one, StatedSource):
        empty = "" if f"/{VARIABLE}/" in path else Said.NOTHING
        return empty if one.none else one.value
    return placeholder(one)


def placeholder(one: Source) -> str:
    """Return a policy's source as a manifest's placeholder."""
    return (
        f"${{{{ keyvault:{one.key_vault}{':base64' if one.base64 else ''} }}}}"
        if isinstance(one, KeyVaultSource)
        else f"${{{{ credential:{one.credential} }}}}"
    )


def named_in(value: Recipe) -> Iterator[Source]:
    """Yield all sources named in a piece of JSON."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from named_in(item)
    elif isinstance(value, str):
        yield from (_source(inner) for inner in placeholders(value))


@lru_cache(maxsize=1024)
def _source(inner: str) -> Source:
    found = source(inner)
    if found is None:
        raise UnsafeStep(
            "a manifest has a placeholder that rotator doesn't know",
            remedy="Run `rotator validate`: it names the line.",
        )
    return found


def baked(recipe: Recipe, holds: Holds, find: Lookup) -> Value:
    """Return the value of a recipe for a place of this kind."""
    if holds is Holds.FILES:
        return {name: _file(content, find) for name, content in recipe.items()}
    value = substituted(recipe, find)
    return _parsed(value) if holds is Holds.OBJECT and isinstance(value, str) else value


def _file(content: Recipe, find: Lookup) -> Value:
    """Return a file of a secret volume in base64 (azure-facts A9).

    A placeholder alone names the content itself, encoded here unless already in base64.
    """
    inside = alone(content.strip()) if isinstance(content, str) else None
    named = _source(inside) if inside is not None else None
    if named is None or (isinstance(named, KeyVaultSource) and named.base64):
        return substituted(content.strip() if named else content, find)
    return base64.b64encode(substituted(content.strip(), find).encode()).decode()


def _parsed(value: str) -> Value:
    if is_object(value):
        return json.loads(value)
    raise UnsafeStep(
        "the protected settings of an extension must be a JSON object, and their source isn't one",
        remedy="Store the object as JSON text.",
    )


def is_object(value: str) -> bool:
    """Tell if a text is a JSON object, as required for an extension's protected settings."""
    try:
        return isinstance(json.loads(value), dict)
    except (ValueError, RecursionError):
        return False


def substituted(value: Recipe, find: Lookup) -> Value:
    """Return a copy with all placeholders replaced once.

    The content of a secret is never searched for placeholders.
    """
    if isinstance(value, Mapping):
        return {name: substituted(item, find) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [substituted(item, find) for item in value]
    return filled(value, lambda inside: find(_source(inside))) if isinstance(value, str) else value
