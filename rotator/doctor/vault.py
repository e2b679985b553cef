"""The vault: read, written, its name free, its versions few enough, its value the principal's, and every source of a hidden value there."""

import re

from rotator.doctor import command
from rotator.doctor.finding import Case, Finding, Found, Severity
from rotator.examined import Unknown
from rotator.state import Outcome

OFFICER = "Key Vault Secrets Officer"
SET = "Microsoft.KeyVault/vaults/secrets/setSecret/action"
MANY, BACKUP_LIMIT = 450, 500
"""Versions of one secret: when to say so, and beyond how many a backup of it fails (Azure Key Vault backup, "Limitations")."""


def _subject(case: Case) -> str:
    return f"vault {case.policy.key_vault.name}"


def _letting_in(case: Case, said: str) -> str:
    """What lets rotator into the vault, by what kept it out: its firewall, its access policies, or RBAC."""
    name = case.policy.key_vault.name
    if "Firewall" in said:
        address = re.search(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", said)
        return f"az keyvault network-rule add --name {name} --ip-address {address[0] if address else '$(curl -s https://ifconfig.me)'}"
    if "AccessDenied" in said or case.examined.vault.rbac is False:
        return f"az keyvault set-policy --name {name} --object-id {case.caller.object_id} --secret-permissions get list set"
    return command.role(case, OFFICER, command.vault_scope(case))


def readable(case: Case) -> Found:
    """Its secrets may be listed and read."""
    if silent := case.examined.vault_silent:
        write = "key_vault: {url: <what `az keyvault list --query '[].properties.vaultUri' --output tsv` shows>}"
        yield Finding(Severity.FAIL, _subject(case), silent.text, (command.edit(case),), write)
    elif refused := case.seen.vault_refuses:
        yield Finding(Severity.FAIL, _subject(case), refused, (_letting_in(case, refused),))


def settable(case: Case) -> Found:
    """A new version may be published."""
    vault = case.examined.vault
    if case.examined.vault_silent or case.seen.vault_refuses:
        return
    may = case.examined.may(SET, vault.id or "")
    if may is False:
        mend = _letting_in(case, "")
        yield Finding(Severity.FAIL, _subject(case), f"{case.caller.object_id} may not set secrets there", (mend,))
    elif may is None:
        text = "whether secrets may be set there can't be told, since the vault isn't seen in the policy's subscriptions; reading it needs a role"
        yield Finding(Severity.UNKNOWN, _subject(case), text, (command.role(case, "Reader", command.vault_scope(case)),))


def name_free(case: Case) -> Found:
    """The published name isn't taken by a deleted secret."""
    deleted, name = case.examined.vault.deleted, case.policy.key_vault.password_secret
    if case.examined.vault_silent or case.seen.vault_refuses:
        return
    if isinstance(deleted, Unknown):
        yield Finding(Severity.WARN, _subject(case), f"whether {name} is soft-deleted: {deleted.text}", (_letting_in(case, deleted.text),))
    elif deleted:
        text = f"secret {name} is deleted but recoverable, so that nothing can be published under its name"
        mend = f"az keyvault secret recover --vault-name {case.policy.key_vault.name} --name {name}"
        yield Finding(Severity.FAIL, _subject(case), text, (mend,))


def few_versions(case: Case) -> Found:
    """The secret can still be backed up."""
    count, name = len(case.seen.versions), case.policy.key_vault.password_secret
    if count >= MANY:
        text = f"secret {name} has {count} versions: a backup fails beyond {BACKUP_LIMIT}, and every look lists them all; versions can't be deleted"
        write = f"key_vault: {{password_secret: {name[:110]}-2}}  # begin a new secret: the old credentials are then foreign, and can be adopted"
        yield Finding(Severity.WARN, _subject(case), text, (command.edit(case),), write)


def value_fits(case: Case) -> Found:
    """The value that is there is the principal's password, before anything is put on top of it."""
    proof, name = case.seen.proof, case.policy.key_vault.password_secret
    if proof and proof.outcome is Outcome.REFUSED and case.view.current_version is None:
        text = f"the value of {name} doesn't authenticate as {case.policy.principal.app_id}: the secret is somebody else's, or its password is gone"
        write = "key_vault: {password_secret: <the name of the secret that holds this principal's password, or of none that exists>}"
        yield Finding(Severity.FAIL, _subject(case), text, (command.edit(case),), write)


def undrifted(case: Case) -> Found:
    """Nobody wrote a version of their own on top of ours."""
    newest = case.view.newest
    if newest and case.view.drift:
        text = (
            f"version {newest.id} of {case.policy.key_vault.password_secret} was written by others on top of ours: nothing is issued or removed. "
            f"Adopt that credential if it is to stay (`rotator adopt {case.policy.name}`), or put ours on top"
        )
        severity = Severity.WARN if case.view.drift_tolerated else Severity.FAIL
        yield Finding(severity, _subject(case), text, (command.rotator(case, "rotate", "--accept-drift"),))


def sources_there(case: Case) -> Found:
    """Every secret that a redeployment puts back into a container group is there and may be read."""
    for name, why in case.examined.vault.sources:
        if why is None or case.examined.vault_silent:
            continue
        text = f"secret {name}, which a container group needs: {why.text}"
        vault = case.policy.key_vault.name
        if why.kind == "absent":
            mend = f"az keyvault secret set --vault-name {vault} --name {name} --file /dev/stdin"
        elif "SecretDisabled" in (why.code, why.text):
            mend = f"az keyvault secret set-attributes --vault-name {vault} --name {name} --enabled true"
        else:
            mend = _letting_in(case, why.text)
        yield Finding(Severity.FAIL, _subject(case), text, (mend,))
