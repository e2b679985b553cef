"""Checks of the secrets from which a redeployment takes hidden values of container groups."""

from datetime import timedelta

from rotator import remedy
from rotator.doctor.finding import Case, Finding, Found, Remedy, Severity
from rotator.doctor.vault import instant, refusal, subject
from rotator.preflight import Why
from rotator.words import day

YEAR = timedelta(days=365)


def sources_there(case: Case) -> Found:
    """Check that each secret that a redeployment puts back into a container group exists and may be read."""
    for each in case.examined.vault.sources:
        if each.unread is None or case.examined.vault_silent:
            continue
        text = f"secret {each.name}, which a container group needs: {each.unread.text}"
        if each.unread.kind is Why.ABSENT:
            mend = remedy.type_secret(case.policy.key_vault.name, each.name)
            yield Finding(Severity.FAIL, subject(case), text, (mend,))
        else:
            yield refusal(case, text, each.unread.grounds, secret=each.name)


def sources_valid(case: Case) -> Found:
    """Check that each source is valid now by its own dates.

    Key Vault returns the value of an invalid source all the same, and a redeployment would use a value due for
    replacement by its owner.
    """
    vault = case.policy.key_vault.name
    for each in case.examined.vault.sources:
        if each.expires and each.expires <= case.seen.at:
            until = instant(case.seen.at + YEAR)
            ways = (
                Remedy("if there is a new value", (remedy.type_secret(vault, each.name),)),
                Remedy("if its value is still right", (remedy.extend_secret(vault, each.name, until),)),
            )
            text = (
                f"secret {each.name}, which a container group needs, expired {day(each.expires)}; a redeployment"
                " would still use its value"
            )
            yield Finding(Severity.WARN, subject(case), text, ways=ways)
        elif each.begins and each.begins > case.seen.at:
            begins = day(each.begins)
            text = (
                f"secret {each.name}, which a container group needs, is not valid before {begins}; a redeployment"
                " would use its value now"
            )
            mend = remedy.begin_secret(vault, each.name, instant(case.seen.at))
            yield Finding(Severity.WARN, subject(case), text, (mend,))
