"""Choose the foreign credential a person may hand over, and the version to record the adoption.

Rules for editors of this file:

1. A credential is offered if its ``hint`` is that of a value that authenticates. A credential without a hint is offered
   only as the last live foreign one, and only for a value without another explanation: the credential may belong to
   others, and adopted credentials are removed in the end.
2. A credential that may be adopted already counts as adopted: a key id recorded by a version, with an unknown hint
   (Graph shows none, or no longer shows the credential) or the hint of the value; and all key ids recorded on the
   version itself.
3. A repeated adoption changes nothing: a choice left open by one adoption must have been refused before a second one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rotator.errors import UnsafeStep
from rotator.plan.marks import MOST_TAGS, Mark, marked
from rotator.plan.view import View
from rotator.policy import Policy
from rotator.remedy import rotator, untag
from rotator.state import ADOPTED, OWN, Credential, Observed, Version, marker
from rotator.steps import Intent
from rotator.visible import one_line


@dataclass(frozen=True, slots=True)
class Value:
    """Hint and state of the value of a version that isn't ours.

    The hint is the first three characters (Graph's ``hint``). `works`: the value authenticates. `around` are characters
    around a value that would authenticate without them, `unread` is the reason why the value can't be read.
    """

    hint: str
    works: bool = True
    around: str = ""
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Adoption:
    """A credential that becomes ours by a tag on a version.

    With `already`: all credentials adopted before, and the versions that record them. `others` are the live credentials
    that stay foreign.
    """

    key_ids: tuple[str, ...]
    versions: tuple[Version, ...]
    already: bool = False
    others: tuple[str, ...] = ()


Match = tuple[Credential, Version]


def adoptable(policy: Policy, observed: Observed, values: Mapping[str, Value], key_id: str | None = None) -> Adoption:
    """Return the adoption of the credential `key_id`, of the only fitting foreign credential, or an earlier adoption.

    A foreign credential fits if it matches a value that authenticates. `values` are by the id of their version, for
    enabled versions that are not ours. Raises UnsafeStep, with the choices.
    """
    view = View(policy, observed, Intent())
    if key_id:
        return _recorded(view, {key_id.lower()}) or _by_name(view, key_id, values)
    matches = list(_contenders(view, values))
    if len({c.key_id for c, _ in matches}) == 1 and (
        found := [match for match in matches if _offered(view, match, values)]
    ):
        credential, version = found[-1]
        return _on_place(view, credential, version)
    before = _recorded(view, _adopted(view))
    if before and not matches:
        return before
    raise _undecided(view, matches, values)


def adoption_marks(policy: Policy, versions: Sequence[Version], adoption: Adoption) -> tuple[Mark, ...]:
    """Return the marks still to be written to record an adoption; empty if the adoption is recorded.

    Raises UnsafeStep if the version has no room any more.
    """
    lacking = tuple(k for k in adoption.key_ids if not any(k in v.adopted for v in versions))
    places = [v for v in versions if lacking and v.id == adoption.versions[0].id]
    for version in places:
        if marked(version, Mark(version.id, ADOPTED, lacking)) is None:
            raise _full(policy, version)
    return tuple(Mark(v.id, ADOPTED, lacking) for v in places)


def _recorded(view: View, key_ids: set[str]) -> Adoption | None:
    """Return the recorded adoptions, of existing credentials and of removed ones."""
    versions = tuple(v for v in view.versions if key_ids & set(v.adopted))
    named = tuple(sorted({k for v in versions for k in v.adopted} & key_ids))
    others = tuple(c.key_id for c in view.foreign if c.live(view.at))
    return Adoption(named, versions, already=True, others=others) if named else None


def _adopted(view: View) -> set[str]:
    """Return the key ids made ours by a person, by adoption or by declaring a foreign credential compromised."""
    issued = {v.key_id for v in view.versions} | {c.key_id.lower() for c in _made(view)}
    return {k for v in view.versions for k in (*v.adopted, *(k for k in v.compromised if k not in issued))}


def _made(view: View) -> tuple[Credential, ...]:
    """Return the credentials made by rotator."""
    return tuple(c for c in view.ours if c.display_name.startswith(marker(view.observed.lineage, "")))


def _contenders(view: View, values: Mapping[str, Value]) -> Iterator[Match]:
    """Yield the foreign live credentials that may belong to a value: those with its hint, else those without a hint.

    Credentials with the hint count even if the value doesn't authenticate just now, since replicas of Entra differ for
    a while; then the match is only in doubt.
    """
    live = [c for c in view.foreign if c.live(view.at)]
    for version in view.versions:
        value = values.get(version.id)
        if value is None:
            continue
        shown = [c for c in live if c.hint == value.hint]
        hidden = [c for c in live if c.hint is None] if value.works and not _accounted(view, version, value) else []
        yield from ((c, version) for c in shown or hidden)


def _offered(view: View, match: Match, values: Mapping[str, Value]) -> bool:
    """Tell if the only contender may be adopted without its name."""
    credential, version = match
    if credential.hint is None:
        return [c for c in view.foreign if c.live(view.at)] == [credential]
    twin = any(c.hint == credential.hint for c in view.ours)
    return values[version.id].works and not twin


def _accounted(view: View, version: Version, value: Value) -> bool:
    """Tell if the value may belong to another known credential.

    Such a credential was adopted before, or was made by rotator and copied by a person.
    """
    adopted = (view.credentials.get(key_id) for key_id in _adopted(view))
    taken = any(c is None or c.hint in (None, value.hint) for c in adopted)
    copied = any(c.hint == value.hint or (c.hint is None and c.start <= version.created) for c in _made(view))
    return bool(version.adopted) or taken or copied


def _undecided(view: View, matches: list[Match], values: Mapping[str, Value]) -> UnsafeStep:
    name = view.policy.key_vault.password_secret
    keys = sorted({c.key_id for c, _ in matches})
    choices = "; ".join(
        f"--key-id {c.key_id} ({c.home}, {one_line(c.display_name) or 'no name'}, ends {c.end:%Y-%m-%d})"
        for c in view.foreign
    )
    happened = (
        f"{f'{len(keys)} foreign credentials fit' if keys else 'no foreign credential fits'} a value of {name} that"
        " authenticates"
    )
    if len(keys) == 1:
        happened = (
            f"foreign credential {keys[0]} may fit a value of {name}, and it isn't certain:"
            f" {_doubt(view, matches[-1], values)}"
        )
    if spoilt := next(
        (f"version {v.id} has {values[v.id].around}" for v in view.versions if v.id in values and values[v.id].around),
        "",
    ):
        happened = f"{happened}; {spoilt} around a password that is right without these characters"
        return UnsafeStep(
            happened, remedy=f"Set {name} again without them; `{rotator('doctor', view.policy.name)}` has the command."
        )
    happened = f"{happened}{_unread_values(values)}"
    return UnsafeStep(happened, remedy=f"Name the credential: {choices}." if choices else _none_to_adopt(view))


def _unread_values(values: Mapping[str, Value]) -> str:
    """Return the unreadable values as a text: an unreadable value may still fit."""
    return "".join(
        f"; the value of version {name} can't be read ({value.unread})"
        for name, value in values.items()
        if value.unread
    )


def _none_to_adopt(view: View) -> str:
    """Return the advice without a credential to adopt.

    A hidden credential may still exist if Graph doesn't show the application or the service principal.
    """
    principal = view.observed.principal
    for what, there in (("application", principal.application), ("service principal", principal.service_principal)):
        if there is None:
            return (
                f"Microsoft Graph shows no {what} of {principal.app_id} here, so its passwords were not read: run"
                " again if there is one."
            )
    return "There is nothing to adopt: the principal has no foreign credential."


def _doubt(view: View, match: Match, values: Mapping[str, Value]) -> str:
    credential, version = match
    if credential.hint is None:
        return "Graph doesn't show the first characters of its password, and there are other foreign credentials"
    if not values[version.id].works:
        return f"version {version.id} has the first characters of its password, and doesn't authenticate"
    return "a credential of this policy begins with the same characters"


def _by_name(view: View, key_id: str, values: Mapping[str, Value]) -> Adoption:
    credential = view.credentials.get(key_id.lower())
    if credential is None:
        known = ", ".join(sorted(view.credentials)) or "none"
        raise UnsafeStep(f"the principal has no credential {key_id}", remedy=f"Name one of these: {known}.")
    return _on_place(
        view, credential, next((v for v in reversed(view.versions) if _holds(view, v, credential, values)), None)
    )


def _on_place(view: View, credential: Credential, holder: Version | None) -> Adoption:
    """Return the adoption on the version that holds the credential; else on the newest of ours with room.

    A credential of a version on top of ours is recorded on that version only, or the drift would not end. An adoption
    never replaces a tag of others.
    """
    key_id = credential.key_id.lower()
    ours = [] if holder == view.newest else [v for v in reversed(view.versions) if v.ours]
    places = [*([holder] if holder else []), *ours]
    if not places:
        raise UnsafeStep(
            f"no version of {view.policy.key_vault.password_secret} was written by rotator, and none is known to hold"
            f" credential {credential.key_id}, so no version can record the adoption",
            remedy=f"Run `{rotator('rotate', view.policy.name)}` first, to publish a version.",
        )
    found = next((v for v in places if marked(v, Mark(v.id, ADOPTED, (key_id,)))), None)
    if found is None:
        raise _full(view.policy, places[0])
    return Adoption((key_id,), (found,))


def _full(policy: Policy, version: Version) -> UnsafeStep:
    last = [name for name, _ in version.tags if not name.startswith(OWN)][-1:]
    name, count = policy.key_vault.password_secret, len(version.tags)
    command = untag(policy.key_vault.name, name, version, last)
    return UnsafeStep(
        f"version {version.id} of {name}, which would record the adoption, has {count} tags, and Key Vault gives a"
        f" version {MOST_TAGS}",
        remedy=f"Remove one that isn't rotator's; this command removes {one_line(', '.join(last))}:\n{command}",
    )


def _holds(view: View, version: Version, credential: Credential, values: Mapping[str, Value]) -> bool:
    value = values.get(version.id)
    if value is None or not value.works or version.adopted:
        return False
    if credential.hint is not None:
        return credential.hint == value.hint
    return not any(c.hint == value.hint for c in view.foreign) and not _accounted(view, version, value)
