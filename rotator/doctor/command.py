"""The commands fixing a finding, for the policy, vault and identity of a case; each is built in `rotator.remedy`."""

from collections.abc import Iterable
from dataclasses import replace

from rotator import remedy
from rotator.causes import Cause, Grounds
from rotator.doctor.finding import Case
from rotator.remedy import Bash
from rotator.resource_id import ArmId
from rotator.state import Home

LEASELESS = ("deploy", "manifest")
"""Verbs that take no lease, and no option that says where one is."""


def role(case: Case, name: str, scope: str | Bash) -> str:
    """Assign a built-in role to the identity that rotator signs in as."""
    return remedy.assign_role(
        case.caller.object_id, name, scope, kind="User" if case.caller.person else "ServicePrincipal"
    )


def permitted(case: Case, text: str, grounds: Grounds | None, name: str, scope: str) -> tuple[str, tuple[str, ...]]:
    """Return a refusal's text and the commands that fix its cause; role `name` where a permission is missing."""
    who = case.caller
    known = grounds or Grounds(Cause.ROLE)
    advice = remedy.advise(replace(known, role=name, scope=scope, caller=who.object_id, person=who.person))
    if advice.commands:
        return text, advice.commands
    return f"{text}. {advice.text}", (rotator(case, "doctor"),)


def unless(case: Case, text: str, grounds: Grounds | None, mend: str) -> tuple[str, tuple[str, ...]]:
    """Return a refusal's text and `mend`, which gives a permission; another cause has a fix of its own."""
    if grounds is None or grounds.cause in (Cause.ROLE, Cause.UNCLEAR):
        return text, (mend,)
    advice = remedy.advise(grounds)
    return (text, advice.commands) if advice.commands else (f"{text}. {advice.text}", (rotator(case, "doctor"),))


def vault_scope(case: Case) -> str | Bash:
    """Return the vault's id, or a command looking up the id if rotator may not see the vault."""
    return case.examined.vault.id or remedy.vault_id(case.policy.key_vault.name)


def vault_at(case: Case) -> tuple[str, str | None]:
    """Return the vault's name, and its subscription if rotator sees the vault."""
    found = case.examined.vault.id
    return case.policy.key_vault.name, ArmId(found).subscription if found else None


def edit(case: Case) -> str:
    """Open the policy."""
    return remedy.edit(case.policy.file)


def rotator(case: Case, verb: str, *values: str, **options: str | bool) -> str:
    """Return a command of rotator on this policy, with the options of this command line."""
    given = {
        name: value
        for name, value in case.given
        if verb not in LEASELESS or name not in ("lease_dir", "lease_container")
    }
    return remedy.rotator(verb, case.policy.name, *values, **options, **given)


def issuing(case: Case, verb: str, **options: str | bool) -> tuple[str, ...]:
    """Return a command that issues, moves or adopts a credential; after a revocation, one that grants access first."""
    first = (rotator(case, "grant"),) if case.view.revoked else ()
    return (*first, rotator(case, verb, **options))


def delete_password(case: Case, home: Home, key_id: str) -> str:
    """Delete one of the principal's passwords."""
    return remedy.delete_password(case.policy.principal.app_id, key_id, home)


def in_place(what: str, new: str, old: str) -> str:
    """The line for the policy that puts one entry of a list in another's place."""
    return f"{what}:\n  - id: {new}  # in place of {old}"


def taken_out(what: str, old: Iterable[str]) -> str:
    """Return the lines to remove from the policy."""
    return "\n".join((f"{what}:  # remove from them", *(f"#  - id: {each}" for each in old)))
