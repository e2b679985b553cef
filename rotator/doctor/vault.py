"""Checks of the vault: its secrets can be read and set, and the published name is free."""

from dataclasses import replace
from datetime import datetime

from rotator import remedy
from rotator.causes import Cause, Grounds
from rotator.doctor import command
from rotator.doctor.finding import Case, Finding, Found, Remedy, Severity
from rotator.preflight import Unknown
from rotator.remedy import Advice
from rotator.rights import SECRETS_OFFICER, SET_SECRETS


def subject(case: Case) -> str:
    """Return the words that name the vault in a finding."""
    return f"vault {case.policy.key_vault.name}"


def _letting_in(case: Case, grounds: Grounds | None = None, secret: str = "") -> Advice:
    """Return what admits rotator to the vault, depending on the cause of the refusal.

    Without one, the vault's own way to give access decides.
    """
    rule = Cause.ACCESS_POLICY if case.examined.vault.rbac is False else Cause.ROLE
    vault, subscription = command.vault_at(case)
    known = replace(
        grounds or Grounds(rule),
        role=SECRETS_OFFICER,
        scope=case.examined.vault.id or "",
        vault=vault,
        subscription=subscription,
        resource=secret,
        caller=case.caller.object_id,
        person=case.caller.person,
    )
    return remedy.advise(known)


def refusal(
    case: Case, text: str, grounds: Grounds | None, severity: Severity = Severity.FAIL, secret: str = ""
) -> Finding:
    """Return the finding on a refusal of the vault, with its remedy."""
    advice = _letting_in(case, grounds, secret)
    if advice.commands:
        return Finding(severity, subject(case), text, advice.commands)
    return Finding(severity, subject(case), f"{text}. {advice.text}", (command.rotator(case, "doctor"),))


def readable(case: Case) -> Found:
    """Check that the vault's secrets may be listed and read."""
    if silent := case.examined.vault_silent:
        yield refusal(case, silent.text, silent.grounds) if silent.grounds else _silent(case, silent.text)
    elif refused := case.seen.vault_refuses:
        if refused.grounds.cause is not Cause.VAULT_CLOSED:
            yield refusal(case, refused.text, refused.grounds)
            return
        mend = _letting_in(case, refused.grounds).commands
        within = Remedy(
            "if the vault must stay closed: from a machine within its network", (command.rotator(case, "doctor"),)
        )
        yield Finding(
            Severity.FAIL,
            subject(case),
            refused.text,
            ways=(within, Remedy("if the vault may be opened to this machine", mend)),
        )


def _silent(case: Case, text: str) -> Finding:
    """Return the finding on a vault without an answer: no vault at the address, or an obstacle in the network."""
    again = Remedy(
        "if the address is right: after this machine can reach it (HTTPS_PROXY names a proxy)",
        (command.rotator(case, "doctor"),),
    )
    if case.examined.vault.id:
        return Finding(
            Severity.FAIL,
            subject(case),
            f"{text} The vault exists in Azure: it is down, or this machine can't reach it (firewall, proxy, DNS)",
            again.mend,
        )
    meant = (
        Remedy(f"if {url} is meant", (command.edit(case),), f"key_vault: {{url: {url}}}")
        for url in case.examined.vault.others
    )
    deleted = Remedy(
        "if it was deleted: this brings it back with its secrets; roles on it have to be assigned again",
        (remedy.recover_vault(case.policy.key_vault.name),),
    )
    return Finding(Severity.FAIL, subject(case), text, ways=(*meant, again, deleted))


def settable(case: Case) -> Found:
    """Check that a new version may be published."""
    vault = case.examined.vault
    if case.examined.vault_silent or case.seen.vault_refuses:
        return
    may = case.examined.may(SET_SECRETS, vault.id or "")
    if may:
        return
    if may is False:
        yield refusal(case, f"{case.caller.object_id} may not set secrets there", None)
    elif vault.unread or vault.id:
        right = case.examined.right(SET_SECRETS, vault.id or "")
        why, grounds = (vault.unread.text, vault.unread.grounds) if vault.unread else (right.why, right.grounds)
        text = f"it is unknown if rotator may set secrets there: {why}"
        if grounds and grounds.cause is not Cause.ROLE:
            yield refusal(case, text, grounds, Severity.UNKNOWN)
            return
        mend = command.role(case, "Reader", command.vault_scope(case))
        yield Finding(Severity.UNKNOWN, subject(case), text, (mend,))
    else:
        text = (
            "it is unknown if rotator may set secrets there, because the vault was not found in the policy's"
            " subscriptions"
        )
        known = ", ".join(case.policy.subscriptions)
        write = f"discover: {{subscriptions: [{known}, <the one that `{remedy.LIST_VAULTS}` finds it in>]}}"
        ways = (
            Remedy(
                "if the vault is in one of them: rotator needs a role to read it",
                (command.role(case, "Reader", command.vault_scope(case)),),
            ),
            Remedy("if the vault is in another subscription: add that", (command.edit(case),), write),
        )
        yield Finding(Severity.UNKNOWN, subject(case), text, ways=ways)


def name_free(case: Case) -> Found:
    """Check that no deleted secret has the published name."""
    deleted, name = case.examined.vault.deleted, case.policy.key_vault.password_secret
    if case.examined.vault_silent or case.seen.vault_refuses:
        return
    if isinstance(deleted, Unknown):
        yield refusal(case, f"it is unknown if {name} is soft-deleted: {deleted.text}", deleted.grounds, Severity.WARN)
    elif deleted:
        text = f"secret {name} is soft-deleted, so nothing can be published under its name"
        yield Finding(Severity.FAIL, subject(case), text, (remedy.recover_secret(case.policy.key_vault.name, name),))


def instant(at: datetime) -> str:
    """Return a moment in the format of az."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
