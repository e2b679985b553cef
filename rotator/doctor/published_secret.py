"""Checks of the published secret: the principal's value, a newest version of rotator's that is valid and has room."""

from rotator import remedy
from rotator.codes import WaitCode
from rotator.doctor import command
from rotator.doctor.finding import Case, Finding, Found, Remedy, Severity
from rotator.doctor.vault import instant, subject
from rotator.plan import MOST_CARRIED, MOST_TAGS, next_steps
from rotator.remedy import untag
from rotator.state import BASE64, OTHER_TEXT, OWN, URL, Outcome, Version
from rotator.steps import Intent
from rotator.words import day

SPARE = 2
"""Tags that others may still add before it is said that room runs out."""
MANY, BACKUP_LIMIT = 450, 500
"""Versions of one secret: when to say so, and beyond how many a backup of it fails (Azure Key Vault backup,
"Limitations").
"""


def few_versions(case: Case) -> Found:
    """Check that the secret can still be backed up."""
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
        yield Finding(Severity.WARN, subject(case), text, (command.edit(case),), write)


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
        subject(case),
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
        yield Finding(Severity.FAIL, subject(case), text, (_bared(case),))
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
        yield Finding(Severity.FAIL, subject(case), text, ways=ways)


def undrifted(case: Case) -> Found:
    """Check that no foreign version is on top of rotator's version."""
    newest = case.view.newest
    if newest and case.view.drift:
        name = case.policy.key_vault.password_secret
        text = (
            f"version {newest.id} of {name} was written by others on top of the one that rotator wrote: no credential"
            " is issued or removed"
        )
        crowded = any(
            wait.code is WaitCode.ON_TOP for wait in next_steps(case.policy, case.seen, Intent(accept_drift=True)).waits
        )
        cover = command.issuing(case, "rotate", accept_drift=True, no_overlap=crowded)
        on_top = Remedy("if not: publish a new version on top", cover)
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
            yield Finding(severity, subject(case), text, () if right else cover, ways=(stay, on_top) if right else ())
            return
        stay = Remedy(
            "if its credential must stay: rotator then manages that credential", command.issuing(case, "adopt")
        )
        yield Finding(severity, subject(case), text, ways=(stay, on_top))


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
        mend = remedy.begin_secret(case.policy.key_vault.name, name, instant(at))
        yield Finding(Severity.WARN, subject(case), text, (mend,))
    elif newest and newest.expires and newest.expires <= at:
        text = (
            f"version {newest.id} of {name} expired {day(newest.expires)}: Key Vault returns its value all the"
            " same, but a reader that checks the date refuses it"
        )
        yield Finding(Severity.WARN, subject(case), text, _extended(case, newest))


def _extended(case: Case, version: Version) -> tuple[str, ...]:
    """Return the commands that make an expired version valid until its credential's end, or replace the version."""
    held = case.view.credentials.get(version.key_id or "")
    if held and held.live(case.seen.at):
        vault, name = case.policy.key_vault.name, case.policy.key_vault.password_secret
        return (remedy.extend_secret(vault, name, instant(held.end)),)
    return command.issuing(case, "rotate", accept_drift=case.view.drift and not case.view.drift_tolerated)


def _unusable(case: Case) -> str:
    """Return the reason why no reader can sign in with the newest value; empty if one can, or the answer is unknown."""
    proof, newest = case.examined.known.proof, case.view.newest
    if newest and not newest.enabled:
        return "it is disabled, so Key Vault answers 403"
    return proof.detail if proof and proof.outcome in (Outcome.REFUSED, Outcome.EXPIRED) else ""


def _bared(case: Case) -> str:
    """Return the command that sets the value again without what surrounds the password."""
    proof, vault = case.examined.known.proof, case.policy.key_vault
    take = _TAKING.get(proof.around if proof else "", remedy.trim_secret)
    return take(vault.name, vault.password_secret)


_TAKING = {OTHER_TEXT: remedy.extract_secret, BASE64: remedy.decode_secret, URL: remedy.unescape_secret}
"""Commands by the name of what is around a password; the others are trimmed."""


def _next(name: str) -> str:
    """Return a similar name, within Key Vault's 127 characters."""
    return f"{name[:110]}-2"
