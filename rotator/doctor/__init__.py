"""Reports future failures of rotations: pure checks over examined data, each with the command that fixes the finding.

Rules for editors of this package:

1. A check is a small function over a `Case`: it yields a finding for each fault, and none without a fault. A check
   reads no service, and writes nothing.
2. A finding names the fault, the place, and the consequence; facts needed by a rotation and not known are `UNKNOWN`,
   never silently skipped.
3. A failing finding ends with commands that bash takes unchanged, with real ids; lines for the policy stand before
   them. If the right command depends on a person's choice, the finding ends with a `Remedy` for each choice. Angle
   brackets stand only for values that rotator can't know.
4. Every check is in `CHECKS`, and `tests/doctor/worlds.py` has a world with a finding of the check, where the finding's
   command, run by bash, fixes the fault.
"""

from collections.abc import Iterator
from dataclasses import replace

from rotator.doctor import (
    advice,
    declarations,
    groups,
    identity,
    locks,
    machine,
    passwords,
    principal,
    published_secret,
    registry,
    secret_sources,
    vault,
)
from rotator.doctor.finding import Case, Check, Finding, Remedy, Severity
from rotator.preflight import Unknown

CHECKS: tuple[Check, ...] = (
    Check("signed_in", "identity", "Entra knows who rotator is", identity.signed_in),
    Check("none_exposed", "vault", "no compromised password works", passwords.none_exposed),
    Check("another", "identity", "rotator is not the principal itself", identity.another),
    Check(
        "graph_permission", "identity", "rotator may change the applications that it owns", identity.graph_permission
    ),
    Check("principal_found", "principal", "the tenant has the principal", principal.found),
    Check("service_principal", "principal", "the application has a service principal", principal.service_principal),
    Check("enabled", "principal", "the principal may sign in", principal.enabled),
    Check("application_owned", "principal", "rotator owns the application, if needed", principal.application_owned),
    Check(
        "service_principal_owned",
        "principal",
        "rotator owns the service principal, if needed",
        principal.service_principal_owned,
    ),
    Check("lock_lifted", "principal", "no instance lock forbids its passwords", principal.lock_lifted),
    Check("slot_free", "principal", "there is room for one more password", passwords.slot_free),
    Check(
        "life_allowed",
        "principal",
        "no app management policy limits passwords",
        passwords.life_allowed,
    ),
    Check(
        "credential_live",
        "principal",
        "the published credential has not ended",
        passwords.credential_live,
        with_versions=True,
    ),
    Check("rivals", "principal", "no other policy manages the principal", passwords.rivals, with_versions=True),
    Check("signs_in", "principal", "only passwords sign in as the principal", passwords.signs_in),
    Check("unresolved", "principal", "all added passwords are accounted for", passwords.unresolved, with_versions=True),
    Check("registry_readable", "registry", "the registry can be read", registry.readable),
    Check("role_honoured", "registry", "the declared role is valid in the registry's mode", registry.role_honoured),
    Check("public", "registry", "container groups can reach the registry", registry.public),
    Check("open_to_groups", "registry", "the registry's firewall lets container groups in", registry.open_to_groups),
    Check("registry_reached", "registry", "the registry answers this machine", registry.reached),
    Check("pull_proven", "registry", "a pull with the current value succeeds", registry.pull_proven),
    Check("access_unrevoked", "registry", "access is not revoked", registry.access_unrevoked),
    Check("admin_user_off", "registry", "the registry's admin user is off", registry.admin_user_off),
    Check("anonymous_off", "registry", "anonymous pull is off", registry.anonymous_off),
    Check("assignable", "registry", "this identity may revoke and grant", registry.assignable),
    Check("revocable", "registry", "no lock keeps a role from being revoked", locks.revocable),
    Check("vault_readable", "vault", "the vault's secrets can be read", vault.readable),
    Check("settable", "vault", "a new version can be published", vault.settable),
    Check("name_free", "vault", "the secret's name is free", vault.name_free),
    Check("few_versions", "vault", "the secret can be backed up", published_secret.few_versions),
    Check("tags_fit", "vault", "the newest version has room for tags", published_secret.tags_fit),
    Check("value_fits", "vault", "the secret is this principal's", published_secret.value_fits),
    Check("undrifted", "vault", "the newest version was written by rotator", published_secret.undrifted),
    Check("version_valid", "vault", "the newest version is valid by its own dates", published_secret.version_valid),
    Check("sources_there", "vault", "every source of a hidden value exists", secret_sources.sources_there),
    Check("sources_valid", "vault", "every source is valid by its own dates", secret_sources.sources_valid),
    Check("group_readable", "groups", "each container group can be read", groups.readable),
    Check("group_writable", "groups", "each container group can be redeployed", groups.writable),
    Check("group_unlocked", "groups", "no lock forbids a redeployment", locks.redeployable),
    Check("group_linkable", "groups", "each container group may use its identities and subnets again", groups.linkable),
    Check("hidden_values_known", "groups", "every hidden value has a source", declarations.hidden_values_known),
    Check("passwords_said", "groups", "the policy says what hidden variables are", declarations.passwords_said),
    Check("jobs_decided", "groups", "the policy decides on ended jobs", declarations.jobs_decided),
    Check("services_said", "groups", "each group is known as a service or a job", declarations.services_said),
    Check("redeployable", "groups", "no group is of a kind that rotator must not redeploy", declarations.redeployable),
    Check("declared", "groups", "every group with the principal is in the policy", declarations.declared),
    Check("passwords_declared", "groups", "no other group may hide the password", declarations.passwords_declared),
    Check("holding_known", "groups", "each group has a tag with its credential", groups.holding_known),
    Check("listed", "groups", "every subscription can be listed", groups.listed),
    Check("present", "groups", "each declared group exists", groups.present),
    Check("window_in_time", "groups", "the deployment window opens in time", groups.window_in_time),
    Check("logs_readable", "groups", "the logs of jobs can be read", groups.logs_readable),
    Check("identity_instead", "groups", "no group could use a managed identity instead", advice.identity_instead),
    Check("clock_right", "machine", "this machine's clock agrees with Azure's", machine.clock_right),
    Check("leases_kept", "machine", "two runs of one policy can't start at once", machine.leases_kept),
    Check("lease_free", "machine", "no other run is at work", machine.lease_free),
)
"""Every check, in the order of the report."""


def diagnose(case: Case) -> tuple[Finding, ...]:
    """Return all findings of all checks, in the order of `CHECKS`; a check without a fault gives one OK finding.

    A check of a part that couldn't be read gives no OK finding, since nothing is known of that part.
    """
    if isinstance(case.examined.caller, Unknown) or case.examined.observed is None:
        return tuple(_of(CHECKS[0], case))
    return tuple(finding for check in CHECKS for finding in _of(check, case))


def _of(check: Check, case: Case) -> Iterator[Finding]:
    found = [replace(each, check=check.name) for each in check.run(case)]
    if not found and _seen(check, case):
        found = [Finding(Severity.OK, check.about, check.ok, check=check.name)]
    yield from found


def _seen(check: Check, case: Case) -> bool:
    """Tell if all of a check's part of the world could be read."""
    examined, part = case.examined, check.about
    if part == "principal":
        return examined.principal is None and not (check.with_versions and passwords.unpublished(case))
    if part == "registry":
        return not any(isinstance(each.shown, Unknown) for each in examined.registries)
    if part == "vault":
        return not (examined.vault_silent or case.seen.vault_refuses)
    return part != "groups" or not any(each.unreadable for each in case.seen.groups)


__all__ = ["CHECKS", "Case", "Check", "Finding", "Remedy", "Severity", "diagnose"]
