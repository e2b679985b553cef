"""Which foreign credential a person may hand over, and where that is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass

from rotator.errors import UnsafeStep
from rotator.plan.step import Intent
from rotator.plan.view import View
from rotator.policy import Policy
from rotator.state import Credential, Observed, Version


@dataclass(frozen=True, slots=True)
class Adoption:
    """`credential` becomes ours by a tag on `version`; `already`: it is."""

    credential: Credential
    version: Version
    already: bool = False


def adoptable(policy: Policy, observed: Observed, hints: Mapping[str, str], key_id: str | None = None) -> Adoption:
    """What to adopt: the credential named by `key_id`, or the only foreign one that fits a value that authenticates.

    `hints` maps the id of each enabled version that is not ours and whose value authenticates as this principal to the value's first
    three characters (Graph's ``hint``; service principals have none). What was adopted before is `already`, so that a command that is repeated
    does nothing. Raises UnsafeStep, with the choices, where it isn't one.
    """
    view = View(policy, observed, Intent())
    before = _before(view)
    if key_id:
        credential = _named(view, key_id)
        known = next((a for a in before if a.credential == credential), None)
        return known or Adoption(credential, _record_on(view, credential, hints))
    matches = [(c, v) for v in view.versions if v.id in hints for c in _fitting(view, hints[v.id])]
    distinct = {c.key_id for c, _ in matches}
    if not distinct and len(before) == 1:
        return before[0]
    if len(distinct) != 1:
        choices = "; ".join(f"--key-id {c.key_id} ({c.home}, {c.display_name or 'no name'}, ends {c.end:%Y-%m-%d})" for c in view.foreign)
        found = "no foreign credential fits" if not distinct else f"{len(distinct)} foreign credentials fit"
        raise UnsafeStep(
            f"{found} a value of {policy.key_vault.password_secret} that authenticates",
            remedy=f"Name the credential: {choices}." if choices else "There is nothing to adopt: the principal has no foreign credential.",
        )
    return Adoption(*matches[-1])


def _before(view: View) -> tuple[Adoption, ...]:
    """What was adopted and is still there."""
    named = {key_id: version for version in view.versions for key_id in version.adopted}
    return tuple(Adoption(c, named[c.key_id], already=True) for c in view.ours if c.key_id in named)


def _fitting(view: View, hint: str) -> tuple[Credential, ...]:
    """The foreign credentials that a value may be the secret of: those that show its first characters, else those that show none."""
    fits = tuple(c for c in view.foreign if c.live(view.at) and _fits(c, hint))
    return tuple(c for c in fits if c.hint) or fits


def _fits(credential: Credential, hint: str) -> bool:
    return credential.hint is None or credential.hint == hint


def _named(view: View, key_id: str) -> Credential:
    credential = view.credentials.get(key_id.lower())
    if credential is None:
        known = ", ".join(sorted(view.credentials)) or "none"
        raise UnsafeStep(f"the principal has no credential {key_id}", remedy=f"Name one of these: {known}.")
    return credential


def _record_on(view: View, credential: Credential, hints: Mapping[str, str]) -> Version:
    fitting = (v for v in reversed(view.versions) if v.id in hints and _fits(credential, hints[v.id]))
    version = view.current_version or next(fitting, None)
    if version is None:
        raise UnsafeStep(
            f"no version of {view.policy.key_vault.password_secret} is ours or authenticates as this principal, so nothing can record the adoption",
            remedy=f"Run `rotator rotate {view.policy.name}` first; it publishes a version of ours.",
        )
    return version
