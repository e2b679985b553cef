"""Select the credentials a person declares compromised, and detect repetitions of the same command."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotator.errors import UnsafeStep
from rotator.plan.view import View
from rotator.policy import Policy
from rotator.remedy import rotator
from rotator.state import Observed, Version
from rotator.steps import Intent

REPEATED = timedelta(days=1)
"""Time during which a declaration without a key id repeats the one answered by the current credential.

The overlap counts instead if longer.
"""


@dataclass(frozen=True, slots=True)
class CompromiseDeclared:
    """Key ids to declare compromised.

    `spared` is the current credential if not among the key ids: published, at `since`, in place of `replaced`.
    """

    key_ids: tuple[str, ...]
    spared: str | None = None
    replaced: str | None = None
    since: datetime | None = None


def declared(policy: Policy, observed: Observed, key_ids: Sequence[str]) -> CompromiseDeclared:
    """Return the declaration for the named credentials, or for the current one without names.

    A repeated declaration spares the current credential that replaced the compromised one: while the compromised one
    exists, and for `REPEATED` after its replacement. Raises UnsafeStep, with the choices, for a key id unknown to the
    principal and to all versions.
    """
    view = View(policy, observed, Intent())
    if view.newest is None:
        happened = f"{policy.key_vault.password_secret} has no version that could record what is compromised"
        raise UnsafeStep(happened, remedy=f"Run `{rotator('rotate', policy.name)}` first.")
    named = tuple(dict.fromkeys(k.lower() for k in key_ids))
    if not named:
        return _unnamed(view)
    unknown = [k for k in named if k not in view.credentials and k not in view.named]
    if unknown:
        raise _unknown(view, ", ".join(unknown))
    return CompromiseDeclared(named)


def _unnamed(view: View) -> CompromiseDeclared:
    version = view.current_version
    if version is None:
        raise _unknown(view, "of ours")
    key_id, replaced = version.key_id or "", _replaced(view, version)
    if replaced is None or key_id in view.compromised:
        return CompromiseDeclared((key_id,))
    fresh = view.at - version.created < max(view.policy.rotation.overlap, REPEATED)
    if replaced in view.credentials or fresh:
        return CompromiseDeclared((), key_id, replaced, version.created)
    return CompromiseDeclared((key_id,))


def _replaced(view: View, current: Version) -> str | None:
    """Return the compromised credential replaced by the current one."""
    older = view.versions[: view.versions.index(current)]
    key_id = next((v.key_id for v in reversed(older) if v.ours), None)
    return key_id if key_id in view.compromised else None


def _unknown(view: View, what: str) -> UnsafeStep:
    known = ", ".join(sorted(view.credentials)) or "none"
    return UnsafeStep(f"the principal has no credential {what}", remedy=f"Name some of these: {known}.")
