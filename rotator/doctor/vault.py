"""Checks of the vault: readable, writable, name free, few versions, the principal's value, sources of hidden values."""

from dataclasses import replace
from datetime import datetime, timedelta

from rotator import remedy
from rotator.causes import Cause, Grounds
from rotator.codes import WaitCode
from rotator.doctor import command
from rotator.doctor.finding import Case, Finding, Found, Remedy, Severity
from rotator.plan import MOST_CARRIED, MOST_TAGS, next_steps
from rotator.preflight import Unknown, Why
from rotator.remedy import Advice, untag
from rotator.state import OWN, Outcome, Version
from rotator.steps import Intent
from rotator.words import day

OFFICER = "Key Vault Secrets Officer"
SET = "Microsoft.KeyVault/vaults/secrets/setSecret/action"
YEAR = timedelta(days=365)
SPARE = 2
"""Tags that others may still add before it is said that room runs out."""
MANY, BACKUP_LIMIT = 450, 500
"""Versions of one secret: when to say so, and beyond how many a backup of it fails (Azure Key Vault backup,
"Limitations").
"""


def _subject(case: Case) -> str:
    return f"vault {case.policy.key_vault.name}"


def _letting_in(case: Case, grounds: Grounds | None = None, secret: str = "") -> Advice:
    """Return what admits rotator to the vault, depending on the cause of the refusal.

    Without one, the vault's own way to give access decides.
    """
    rule = Cause.ACCESS_POLICY if case.examined.vault.rbac is False else Cause.ROLE
    vault, subscription = command.vault_at(case)
    known = replace(
        grounds or Grounds(rule),
        role=OFFICER,
        scope=case.examined.vault.id or "",
        vault=vault,
        subscription=subscription,
        resource=secret,
        caller=case.caller.object_id,
        person=case.caller.person,
    )
    return remedy.advise(known)


def _refused(
    case: Case, text: str, grounds: Grounds | None, severity: Severity = Severity.FAIL, secret: str = ""
) -> Finding:
    """Return the finding on a refusal of the vault, with its remedy."""
    advice = _letting_in(case, grounds, secret)
    if advice.commands:
        return Finding(severity, _subject(case), text, advice.commands)
    return Finding(severity, _subject(case), f"{text}. {advice.text}", (command.rotator(case, "doctor"),))


def readable(case: Case) -> Found:
    """Check that the vault's secrets may be listed and read."""
    if silent := case.examined.vault_silent:
        yield _silent(case, silent.text)
    elif refused := case.seen.vault_refuses:
        if refused.grounds.cause is not Cause.VAULT_CLOSED:
            yield _refused(case, refused.text, refused.grounds)
            return
        mend = _letting_in(case, refused.grounds).commands
        within = Remedy(
            "if the vault must stay closed: from a machine within its network", (command.rotator(case, "doctor"),)
        )
        yield Finding(
            Severity.FAIL,
            _subject(case),
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
            _subject(case),
            f"{text} The vault exists in Azure: it is down, or this machine can't reach it (firewall, proxy, DNS)",
            again.mend,
        )
    meant = (
        Remedy(f"if {url} is meant", (command.edit(case),), f"key_vault: {{url: {url}}}")
        for url in case.examined.vault.others
    )
    return Finding(Severity.FAIL, _subject(case), text, ways=(*meant, again))


def settable(case: Case) -> Found:
    """A new version may be published."""
    vault = case.examined.vault
    if case.examined.vault_silent or case.seen.vault_refuses:
        return
    may = case.examined.may(SET, vault.id or "")
    if may:
        return
    if may is False:
        yield _refused(case, f"{case.caller.object_id} may not set secrets there", None)
    elif vault.unread or vault.id:
        why = vault.unread.text if vault.unread else case.examined.right(SET, vault.id or "").why
        text = f"it is unknown if rotator may set secrets there: {why}"
        if vault.unread and vault.unread.grounds and vault.unread.grounds.cause is not Cause.ROLE:
            yield _refused(case, text, vault.unread.grounds, Severity.UNKNOWN)
            return
        mend = command.role(case, "Reader", command.vault_scope(case))
        yield Finding(Severity.UNKNOWN, _subject(case), text, (mend,))
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
        yield Finding(Severity.UNKNOWN, _subject(case), text, ways=ways)


def name_free(case: Case) -> Found:
    """The published name isn't taken by a deleted secret."""
    deleted, name = case.examined.vault.deleted, case.policy.key_vault.password_secret
    if case.examined.vault_silent or case.seen.vault_refuses:
        return
    if isinstance(deleted, Unknown):
        yield _refused(case, f"it is unknown if {name} is soft-deleted: {deleted.text}", deleted.grounds, Severity.WARN)
    elif deleted:
        text = f"secret {name} is soft-deleted, so nothing can be published under its name"
        yield Finding(Severity.FAIL, _subject(case), text, (remedy.recover_secret(case.policy.key_vault.name, name),))


def few_versions(case: Case) -> Found:
    """The secret can still be backed up."""
    count, name = len(case.seen.versions), case.policy.key_vault.password_secret
    if count >= MANY:
        text = (
            f"secret {name} has {count} versions: a backup fails beyond {BACKUP_LIMIT}, every run lists them all,"
            " and versions can't be deleted"
        )
        write = (
            f"key_vault: {{password_secret: {_next(name)}}}  # begin a new secret: the old credentials are then"
            " foreign, and can be adopted"
        )
        yield Finding(Severity.WARN, _subject(case), text, (command.edit(case),), write)


def tags_fit(case: Case) -> Found:
    """Check that the newest version has room for rotator's tags, and the next version for the tags of others."""
    newest, name = case.view.newest, case.policy.key_vault.password_secret
    kept = [tag for tag, _ in newest.tags if not tag.startswith(OWN)] if newest else []
    theirs = [*case.policy.key_vault.tags, *(tag for tag in kept if tag not in case.policy.key_vault.tags)]
    if newest is None or len(theirs) <= MOST_CARRIED - SPARE:
        return
    room = f"a version can have {MOST_TAGS} (a limit of Key Vault), of which {MOST_CARRIED} are left for others"
    text = f"version {newest.id} of {name} has {len(theirs)} tags of others, and {room}"
    more = (
        ""
        if len(theirs) <= MOST_CARRIED
        else (
            "; no new credential is issued, except if the current one is compromised or ends within a week; then"
            " some tags are lost"
        )
    )
    severity = Severity.FAIL if more else Severity.WARN
    yield Finding(
        severity,
        _subject(case),
        f"{text}{more}",
        (
            untag(
                case.policy.key_vault.name,
                case.policy.key_vault.password_secret,
                newest,
                theirs[MOST_CARRIED - SPARE :],
            ),
        ),
    )


def value_fits(case: Case) -> Found:
    """Check that the present value is the principal's password, before a version is published on top."""
    proof, name = case.examined.known.proof, case.policy.key_vault.password_secret
    if case.view.revoked:
        return
    if proof and proof.around and case.view.current_version is None:
        text = (
            f"the value of {name} is the right password with {proof.around} around it; Microsoft Entra ID accepts"
            " only the password itself"
        )
        yield Finding(Severity.FAIL, _subject(case), text, (_bared(case),))
    elif proof and proof.outcome is Outcome.REFUSED and case.view.current_version is None:
        text = (
            f"the value of {name} does not authenticate as {case.policy.principal.app_id}: the secret belongs to"
            " another principal, or its password was removed"
        )
        standard = f"{case.policy.name}-pull-pwd"
        fresh = standard if standard != name else _next(name)
        fitting = remedy.set_new_password(case.policy.key_vault.name, name, case.policy.principal.app_id)
        ways = (
            Remedy(
                "if the secret belongs to another principal: use a new secret",
                (command.edit(case),),
                f"key_vault: {{password_secret: {fresh}}}",
            ),
            Remedy("if the secret belongs to this principal: set a password that works", (fitting,)),
        )
        yield Finding(Severity.FAIL, _subject(case), text, ways=ways)


def undrifted(case: Case) -> Found:
    """Check that no foreign version is on top of rotator's version."""
    newest = case.view.newest
    if newest and case.view.drift:
        name = case.policy.key_vault.password_secret
        text = (
            f"version {newest.id} of {name} was written by others on top of the version of rotator: no credential"
            " is issued or removed"
        )
        crowded = any(
            wait.code is WaitCode.ON_TOP for wait in next_steps(case.policy, case.seen, Intent(accept_drift=True)).waits
        )
        cover = command.issuing(case, "rotate", accept_drift=True, no_overlap=crowded)
        on_top = Remedy("if not: put a version of rotator on top", cover)
        severity = Severity.WARN if case.view.drift_tolerated or case.view.revoked else Severity.FAIL
        if why := _unusable(case):
            text, right = (
                f"{text}, and every reader is refused: {why}",
                bool(case.examined.known.proof and case.examined.known.proof.around),
            )
            stay = Remedy(
                "if its credential must stay: write the value again without the extra characters",
                (_bared(case), *command.issuing(case, "adopt")),
            )
            severity = Severity.WARN if case.view.revoked else Severity.FAIL
            yield Finding(severity, _subject(case), text, () if right else cover, ways=(stay, on_top) if right else ())
            return
        stay = Remedy(
            "if its credential must stay: rotator then manages that credential", command.issuing(case, "adopt")
        )
        yield Finding(severity, _subject(case), text, ways=(stay, on_top))


def version_valid(case: Case) -> Found:
    """Check that the newest version is valid now by its own dates, for readers that keep to them.

    Key Vault returns the value outside the dates, too (azure-facts E4).
    """
    newest, name, at = case.view.newest, case.policy.key_vault.password_secret, case.seen.at
    if newest and newest.begins and newest.begins > at:
        text = (
            f"version {newest.id} of {name} is not valid before {day(newest.begins)}: Key Vault returns its value"
            " all the same, but a reader that checks the date waits until then; or make the version valid now"
        )
        mend = remedy.begin_secret(case.policy.key_vault.name, name, _instant(at))
        yield Finding(Severity.WARN, _subject(case), text, (mend,))
    elif newest and newest.expires and newest.expires <= at:
        text = (
            f"version {newest.id} of {name} expired {day(newest.expires)}: Key Vault returns its value all the"
            " same, but a reader that checks the date refuses it"
        )
        yield Finding(Severity.WARN, _subject(case), text, _extended(case, newest))


def _extended(case: Case, version: Version) -> tuple[str, ...]:
    """Return the commands that make an expired version valid until its credential's end, or replace the version."""
    held = case.view.credentials.get(version.key_id or "")
    if held and held.live(case.seen.at):
        vault, name = case.policy.key_vault.name, case.policy.key_vault.password_secret
        return (remedy.extend_secret(vault, name, _instant(held.end)),)
    return command.issuing(case, "rotate", accept_drift=case.view.drift and not case.view.drift_tolerated)


def _unusable(case: Case) -> str:
    """Return the reason why no reader can sign in with the newest value; empty if one can, or the answer is unknown."""
    proof, newest = case.examined.known.proof, case.view.newest
    if newest and not newest.enabled:
        return "it is disabled, so Key Vault answers 403"
    return proof.detail if proof and proof.outcome in (Outcome.REFUSED, Outcome.EXPIRED) else ""


def _bared(case: Case) -> str:
    """Return the command that sets the value again without surrounding white space and quotes.

    A password never has any around it.
    """
    return remedy.trim_secret(case.policy.key_vault.name, case.policy.key_vault.password_secret)


def sources_there(case: Case) -> Found:
    """Every secret that a redeployment puts back into a container group is there and may be read."""
    for each in case.examined.vault.sources:
        if each.unread is None or case.examined.vault_silent:
            continue
        text = f"secret {each.name}, which a container group needs: {each.unread.text}"
        if each.unread.kind is Why.ABSENT:
            mend = remedy.type_secret(case.policy.key_vault.name, each.name)
            yield Finding(Severity.FAIL, _subject(case), text, (mend,))
        else:
            yield _refused(case, text, each.unread.grounds, secret=each.name)


def sources_valid(case: Case) -> Found:
    """Check that each source is valid now by its own dates.

    Key Vault returns the value of an invalid source all the same, and a redeployment would use a value due for
    replacement by its owner.
    """
    vault = case.policy.key_vault.name
    for each in case.examined.vault.sources:
        if each.expires and each.expires <= case.seen.at:
            until = _instant(case.seen.at + YEAR)
            ways = (
                Remedy("if there is a new value", (remedy.type_secret(vault, each.name),)),
                Remedy("if its value is still right", (remedy.extend_secret(vault, each.name, until),)),
            )
            text = (
                f"secret {each.name}, which a container group needs, expired {day(each.expires)}; a redeployment"
                " would still use its value"
            )
            yield Finding(Severity.WARN, _subject(case), text, ways=ways)
        elif each.begins and each.begins > case.seen.at:
            begins = day(each.begins)
            text = (
                f"secret {each.name}, which a container group needs, is not valid before {begins}; a redeployment"
                " would use its value now"
            )
            mend = remedy.begin_secret(vault, each.name, _instant(case.seen.at))
            yield Finding(Severity.WARN, _subject(case), text, (mend,))


def _next(name: str) -> str:
    """Return a similar name, within Key Vault's 127 characters."""
    return f"{name[:110]}-2"


def _instant(at: datetime) -> str:
    """Return a moment in the format of az."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
