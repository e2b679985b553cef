"""Select the credentials a person declares compromised, and detect repetitions of the same command."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotator.errors import UnsafeStep
from rotator.plan.view import View
from rotator.policy import Policy
from rotator.remedy import recover_secret, rotator
from rotator.state import Observed, Version
from rotator.steps import Intent
from rotator.visible import one_line

REPEATED = timedelta(days=1)
"""Time during which a declaration without a key id repeats the one answered by the current credential.

The overlap counts instead if longer.
"""


@dataclass(frozen=True, slots=True)
class CompromiseDeclared:
    """Key ids to declare compromised.

    `spared`: the current credential, if it is not declared compromised. It replaced the credential `replaced`, and was
    published at `since`.
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
        raise _no_version(policy, deleted=observed.secret_deleted is True)
    named = tuple(dict.fromkeys(k.lower() for k in key_ids))
    if not named:
        return _unnamed(view)
    unknown = [k for k in named if k not in view.credentials and k not in view.named]
    if unknown:
        name = policy.key_vault.password_secret
        happened = f"the principal has no credential {', '.join(unknown)}, and no version of {name} names it"
        raise UnsafeStep(happened, remedy=_choices(view))
    return CompromiseDeclared(named)


def _no_version(policy: Policy, *, deleted: bool) -> UnsafeStep:
    name, vault = policy.key_vault.password_secret, policy.key_vault.name
    if not deleted:
        happened = f"{name} has no version that could record what is compromised"
        return UnsafeStep(happened, remedy=f"Run `{rotator('rotate', policy.name)}` first.")
    emergency = f"`{rotator('revoke', policy.name, credentials=True)}` removes every password of rotator now"
    return UnsafeStep(
        f"secret {name} is deleted and can be recovered, so no version can record what is compromised",
        remedy=f"`{recover_secret(vault, name)}`, and run again; or {emergency}, and takes its role away.",
    )


def _unnamed(view: View) -> CompromiseDeclared:
    version = view.current_version
    if version is None:
        name = view.policy.key_vault.password_secret
        happened = f"{name} was not written by rotator yet, so no credential is the current one"
        raise UnsafeStep(happened, remedy=_choices(view))
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


def _choices(view: View) -> str:
    """Return the commands that declare a credential of the principal: those of adopted ones first."""
    shown = sorted(view.observed.credentials, key=lambda c: (c.key_id.lower() not in view.named, c.end, c.key_id))
    commands = (
        f"`{rotator('rotate', view.policy.name, compromised=True, key_id=c.key_id)}`"
        f" ({c.home}, {one_line(c.display_name) or 'no name'}, ends {c.end:%Y-%m-%d})"
        for c in shown
    )
    return f"Name the credential: {'; '.join(commands)}." if shown else "Graph shows no credential of the principal."
