"""The principal: there, enabled, owned by rotator where its passwords live, and with credentials that the rules can work with."""

from rotator.doctor import command
from rotator.doctor.finding import Case, Finding, Found, Severity
from rotator.doctor.identity import ALL
from rotator.examined import Unknown
from rotator.plan.words import day
from rotator.state import Home, marker

SUBJECT = "principal"
MOST_UNRESOLVED = 3
"""Adds without a known outcome that the guard lets be."""


def found(case: Case) -> Found:
    """The tenant has it."""
    if missing := case.examined.principal:
        severity = Severity.FAIL if missing.kind == "absent" else Severity.UNKNOWN
        write = "principal: {app_id: <the client id that `az ad app list --query '[].[appId,displayName]' --output tsv` shows>}"
        yield Finding(severity, SUBJECT, missing.text, (command.edit(case),), write if missing.kind == "absent" else "")


def service_principal(case: Case) -> Found:
    """It has a service principal: without one nobody can sign in as it."""
    if not case.examined.principal and not case.seen.principal.service_principal:
        app_id = case.policy.principal.app_id
        yield Finding(Severity.FAIL, SUBJECT, f"application {app_id} has no service principal in this tenant", (f"az ad sp create --id {app_id}",))


def enabled(case: Case) -> Found:
    """Somebody may sign in as it."""
    if not case.seen.principal.enabled:
        app_id = case.policy.principal.app_id
        mend = f"az ad sp update --id {app_id} --set accountEnabled=true"
        yield Finding(Severity.FAIL, SUBJECT, f"service principal {app_id} is disabled: nobody can sign in as it", (mend,))


def application_owned(case: Case) -> Found:
    """Rotator owns the application, if that is where it adds and removes passwords."""
    owners = case.examined.holding.application_owners
    if _writes(case, Home.APPLICATION):
        mend = f"az ad app owner add --id {case.policy.principal.app_id} --owner-object-id {case.caller.object_id}"
        yield from _owned(case, Home.APPLICATION, owners, mend)


def service_principal_owned(case: Case) -> Found:
    """Rotator owns the service principal, if passwords live there."""
    owners = case.examined.holding.service_principal_owners
    if _writes(case, Home.SERVICE_PRINCIPAL):
        body = f'{{"@odata.id": "{case.cloud.graph}/v1.0/directoryObjects/{case.caller.object_id}"}}'
        mend = command.rest(case, f"servicePrincipals/{case.seen.principal.service_principal}/owners/\\$ref", body)
        yield from _owned(case, Home.SERVICE_PRINCIPAL, owners, mend)


def lock_lifted(case: Case) -> Found:
    """The application's instance lock doesn't forbid what rotator adds."""
    if case.seen.principal.locked and _adds(case) is Home.SERVICE_PRINCIPAL:
        text = "the application's instance lock forbids passwords on its service principal, where the policy wants them"
        yield Finding(Severity.FAIL, SUBJECT, text, (command.edit(case),), "principal: {home: application}")


def slot_free(case: Case) -> Found:
    """One more password fits: an application for personal accounts holds two (Graph, "Supported account types", limits)."""
    held = sorted(c for c in case.seen.credentials if c.home is Home.APPLICATION)
    if case.seen.principal.personal and _adds(case) is Home.APPLICATION and len(held) > 1:
        ended = next((c.key_id for c in held if not c.live(case.seen.at)), "<the one that nothing uses>")
        shown = ", ".join(f"{c.key_id} ({c.display_name or 'no name'}, ends {day(c.end)})" for c in held)
        text = f"an application for personal accounts holds two passwords at most, and this one has {shown}: none can be added before one is removed"
        yield Finding(Severity.FAIL, SUBJECT, text, (f"az ad app credential delete --id {case.policy.principal.app_id} --key-id {ended}",))


def life_allowed(case: Case) -> Found:
    """No app management policy, as far as rotator may read them, stands against a password of this length."""
    for limit in (one for one in case.examined.limits if one.home is _adds(case)):
        if limit.longest is None:
            text = f"app management policy {limit.policy} forbids new passwords; whoever administers it must exempt this application"
            look = f"az rest --method GET --url {case.cloud.graph}/v1.0/policies/defaultAppManagementPolicy"
            yield Finding(Severity.FAIL, SUBJECT, text, (look,))
        elif limit.longest < case.policy.rotation.validity:
            text = f"app management policy {limit.policy} lets a password live {limit.longest.days} days, and the policy wants more"
            write = f"rotation: {{validity: {limit.longest.days}d}}"
            yield Finding(Severity.FAIL, SUBJECT, text, (command.edit(case),), write)


def _adds(case: Case) -> Home:
    return case.policy.principal.home if case.seen.principal.application else Home.SERVICE_PRINCIPAL


def _writes(case: Case, home: Home) -> bool:
    """Whether rotator adds there, or has something to remove there sooner or later."""
    return _adds(case) is home or any(each.home is home for each in case.view.ours)


def _owned(case: Case, home: Home, owners: tuple[str, ...] | Unknown | None, mend: str) -> Found:
    roles, what = case.caller.roles, home.value.replace("_", " ")
    if owners is None or case.caller.person or isinstance(roles, Unknown) or ALL in roles:
        return
    if isinstance(owners, Unknown):
        yield Finding(Severity.UNKNOWN, SUBJECT, f"who owns the {what}: {owners.text}", (mend,))
    elif case.caller.object_id not in owners:
        text = f"{case.caller.object_id} doesn't own the {what}, so that it may neither add nor remove passwords there"
        yield Finding(Severity.FAIL, SUBJECT, text, (mend,))


def credential_live(case: Case) -> Found:
    """The published credential has not ended."""
    current, version = case.view.current, case.view.current_version
    if version is None or case.examined.principal:
        return
    if current is None or not current.live(case.seen.at):
        ended = f"ended {day(current.end)}" if current else "is gone from Graph"
        text = f"credential {version.key_id}, which is published, {ended}: every new pull fails until it is replaced"
        yield Finding(Severity.FAIL, SUBJECT, text, (command.rotator(case, "rotate"),))


def rivals(case: Case) -> Found:
    """No other policy keeps credentials on this principal: two would undo each other's work."""
    mine = marker(case.seen.lineage, "")
    marked = [c for c in case.view.foreign if c.live(case.seen.at) and c.display_name.startswith("rotator:")]
    for credential in (each for each in marked if not each.display_name.startswith(mine)):
        lineage = credential.display_name.split(":")[1]
        text = (
            f"credential {credential.key_id} was made for another policy (lineage {lineage}): one with another vault or secret manages this "
            "principal, or did. Keep one policy; what the other left behind can be handed over"
        )
        first = () if case.view.current_version else (command.rotator(case, "rotate"),)
        yield Finding(Severity.WARN, SUBJECT, text, (*first, command.rotator(case, "adopt", "--key-id", credential.key_id)))


def unresolved(case: Case) -> Found:
    """Few enough adds are unaccounted for."""
    named = case.view.named
    mine = marker(case.seen.lineage, "")
    lost = [c for c in case.view.ours if c.display_name.startswith(mine) and c.key_id not in named and c.live(case.seen.at)]
    if len(lost) >= MOST_UNRESOLVED:
        text = f"{len(lost)} credentials of ours are named by nothing, so no more is added before one of them is reclaimed"
        nouns = {Home.APPLICATION: "app", Home.SERVICE_PRINCIPAL: "sp"}
        remove = (
            f"az ad {nouns[c.home]} credential delete --id {case.policy.principal.app_id} --key-id {c.key_id}" for c in lost if c in case.view.orphans
        )
        yield Finding(Severity.FAIL, SUBJECT, text, tuple(remove))
