"""Checks of the principal: present, enabled, and owned by rotator where its passwords are."""

import json
import re

from rotator import container_group, remedy
from rotator.doctor import command, identity
from rotator.doctor.finding import Case, Finding, Found, Remedy, Severity
from rotator.doctor.identity import ALL
from rotator.preflight import Unknown, Why
from rotator.state import Home

SUBJECT = "principal"


def found(case: Case) -> Found:
    """Check that the tenant has the principal."""
    if missing := case.examined.principal:
        if missing.kind is Why.ABSENT:
            yield _absent(case, missing.text)
        else:
            mend = identity.permit(case) if missing.kind is Why.REFUSED else command.rotator(case, "doctor")
            yield Finding(Severity.UNKNOWN, SUBJECT, *command.unless(case, missing.text, missing.grounds, mend))


def _absent(case: Case, text: str) -> Finding:
    """Return the finding of an app id unknown to the tenant; the container groups show the principals that pull."""
    named = sorted(
        {
            name
            for each in case.seen.groups
            if case.policy.group(each.id)
            for name in container_group.user_names(each.document)
        }
    )
    if not named:
        known = f"principal: {{app_id: <the client id that `{remedy.list_applications()}` shows>}}"
        new = (
            f"principal: {{display_name: {_scalar(case.policy.principal.display_name or f'{case.policy.name}-pull')}}} "
            " # and no app_id"
        )
        ways = (
            Remedy("if the application exists", (command.edit(case),), known),
            Remedy("if the application must be created", (command.edit(case), command.rotator(case, "provision")), new),
        )
        return Finding(Severity.FAIL, SUBJECT, text, ways=ways)
    if named == [case.policy.principal.app_id]:
        return _deleted(case, text)
    if len(named) == 1:
        text = f"{text}; the policy's container groups pull as {named[0]}"
        return Finding(Severity.FAIL, SUBJECT, text, (command.edit(case),), f"principal: {{app_id: {named[0]}}}")
    meant = (
        Remedy(
            f"if {name} is meant, with which container groups pull",
            (command.edit(case),),
            f"principal: {{app_id: {name}}}",
        )
        for name in named
    )
    return Finding(Severity.FAIL, SUBJECT, text, ways=tuple(meant))


def _deleted(case: Case, text: str) -> Finding:
    """Return the finding of a principal that is gone, though its id is right: the container groups pull as it."""
    app_id, graph = case.policy.principal.app_id, case.cloud.graph
    text = (
        f"{text}; the policy's container groups pull as that application, so it was deleted, or rotator is signed in to"
        " another tenant. For 30 days it can be restored, with its passwords and roles"
    )
    restored = (remedy.restore_application(graph, app_id), remedy.restore_service_principal(graph, app_id))
    return Finding(Severity.FAIL, SUBJECT, text, restored)


def _scalar(name: str) -> str:
    """Return a name as YAML takes it, between braces too."""
    return name if re.fullmatch(r"[A-Za-z][\w-]*", name) else json.dumps(name)


def service_principal(case: Case) -> Found:
    """Check that the principal has a service principal: without one, no sign-in is possible."""
    if not case.examined.principal and not case.seen.principal.service_principal:
        app_id = case.policy.principal.app_id
        ways = (
            Remedy(
                "if it was deleted, in the last 30 days: it comes back with its roles",
                (remedy.restore_service_principal(case.cloud.graph, app_id),),
            ),
            Remedy("if there never was one", (remedy.create_service_principal(app_id),)),
        )
        text = f"application {app_id} has no service principal in this tenant"
        yield Finding(Severity.FAIL, SUBJECT, text, ways=ways)


def enabled(case: Case) -> Found:
    """Check that sign-ins as the principal are enabled."""
    principal, app_id = case.seen.principal, case.policy.principal.app_id
    if principal.deactivated:
        text = f"application {app_id} is deactivated (isDisabled): it gets no token, in any tenant"
        yield Finding(Severity.FAIL, SUBJECT, text, (remedy.enable_application(app_id),))
    elif not principal.enabled:
        text = f"service principal {app_id} is disabled: every sign-in as it is refused"
        yield Finding(Severity.FAIL, SUBJECT, text, (remedy.enable_service_principal(app_id),))
    elif principal.deactivated is None and not (case.examined.known.proof and case.examined.known.proof.signed_in):
        text = f"it is unknown if application {app_id} is deactivated: Microsoft Graph does not show isDisabled here"
        yield Finding(
            Severity.UNKNOWN, SUBJECT, f"{text}, and no sign-in showed it", (command.rotator(case, "doctor"),)
        )


def application_owned(case: Case) -> Found:
    """Check that rotator owns the application, if rotator adds and removes passwords there."""
    owners = case.examined.holding.application_owners
    if _writes(case, Home.APPLICATION):
        mend = remedy.add_application_owner(case.policy.principal.app_id, case.caller.object_id)
        yield from _owned(case, Home.APPLICATION, owners, mend)


def service_principal_owned(case: Case) -> Found:
    """Check that rotator owns the service principal, if rotator adds and removes passwords there."""
    owners = case.examined.holding.service_principal_owners
    if _writes(case, Home.SERVICE_PRINCIPAL):
        mend = remedy.add_service_principal_owner(
            case.cloud.graph, str(case.seen.principal.service_principal), case.caller.object_id
        )
        yield from _owned(case, Home.SERVICE_PRINCIPAL, owners, mend)


def lock_lifted(case: Case) -> Found:
    """Check that the application's instance lock doesn't forbid the passwords added by rotator."""
    if case.seen.principal.locked and adds(case) is Home.SERVICE_PRINCIPAL:
        text = "the application's instance lock forbids passwords on its service principal, where the policy wants them"
        yield Finding(Severity.FAIL, SUBJECT, text, (command.edit(case),), "principal: {home: application}")


def adds(case: Case) -> Home:
    """Return the object to which rotator adds passwords."""
    return case.policy.principal.home if case.seen.principal.application else Home.SERVICE_PRINCIPAL


def _writes(case: Case, home: Home) -> bool:
    """Tell if rotator adds passwords in this home, or has passwords to remove there sooner or later."""
    return not case.examined.principal and (adds(case) is home or any(each.home is home for each in case.view.ours))


def _owned(case: Case, home: Home, owners: tuple[str, ...] | Unknown | None, mend: str) -> Found:
    roles, what = case.caller.roles, home.value.replace("_", " ")
    there = case.seen.principal.application if home is Home.APPLICATION else case.seen.principal.service_principal
    if case.caller.person or isinstance(roles, Unknown) or ALL in roles or (owners is None and there is None):
        return
    if owners is None:
        yield Finding(
            Severity.UNKNOWN,
            SUBJECT,
            (
                f"the owners of the {what} are unknown: Microsoft Graph shows the {what}, but answers 404 when"
                " asked for its owners"
            ),
            (mend,),
        )
    elif isinstance(owners, Unknown):
        text = f"the owners of the {what} are unknown: {owners.text}"
        yield Finding(Severity.UNKNOWN, SUBJECT, *command.unless(case, text, owners.grounds, mend))
    elif case.caller.object_id not in owners:
        text = f"{case.caller.object_id} does not own the {what}, so it may neither add nor remove passwords there"
        yield Finding(Severity.FAIL, SUBJECT, text, (mend,))
