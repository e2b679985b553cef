"""Rotator's identity and its permissions in Graph.

The identity must differ from the principal, and have a permission to change the objects owned by rotator.
"""

from rotator import remedy
from rotator.causes import Cause
from rotator.doctor import command
from rotator.doctor.finding import Case, Finding, Found, Remedy, Severity
from rotator.preflight import Unknown, Why

ALL, OWNED = "Application.ReadWrite.All", "Application.ReadWrite.OwnedBy"
SUBJECT = "identity"
OTHER_TENANT = frozenset({Cause.UNKNOWN_APPLICATION, Cause.WRONG_TENANT})
"""Causes for which the environment's tenant or client id is wrong."""
BY_NEW_SIGN_IN = OTHER_TENANT | {Cause.WRONG_SECRET, Cause.EXPIRED_SECRET, Cause.SIGN_IN_AGAIN, Cause.NOT_SIGNED_IN}
"""Causes fixed by another sign-in, or by a new secret."""


def signed_in(case: Case) -> Found:
    """Check that Entra gives rotator a token; the finding names the identity and its credential of the chain."""
    if isinstance(who := case.examined.caller, Unknown):
        yield _to_sign_in(case, Severity.FAIL, who.text, who)
        return
    whom = f"{who.name or 'a person'}" if who.person else f"application {who.app_id}"
    by = f" by {who.credential}" if who.credential else ""
    yield Finding(Severity.OK, SUBJECT, f"signed in{by} as {whom} (object {who.object_id}, tenant {who.tenant})")


def _to_sign_in(case: Case, severity: Severity, text: str, why: Unknown) -> Finding:
    """Return a finding with the way to sign in, depending on the cause of the failure.

    The cause is a client secret of the environment, used before all other ways to sign in, or no usable sign-in at all.
    """
    tenant, app_id = case.policy.principal.tenant_id, case.machine.signs_in_as
    login = remedy.sign_in(tenant)
    cause = why.grounds.cause if why.grounds else None
    if cause is None and why.kind is Why.SILENT:
        text = f"{text} Let this machine reach Entra (HTTPS_PROXY names a proxy), and run doctor again"
        return Finding(severity, SUBJECT, text, (command.rotator(case, "doctor"),))
    if why.grounds and cause not in BY_NEW_SIGN_IN:
        advice = remedy.advise(why.grounds)
        commands = advice.commands or (command.rotator(case, "doctor"),)
        return Finding(severity, SUBJECT, f"{text}. {advice.text}", commands)
    if not app_id:
        return Finding(severity, SUBJECT, text, (login,))
    how, stay = "a person who may change it", remedy.export_password(app_id)
    if cause in OTHER_TENANT:
        how, stay = "an account of its tenant", remedy.export_tenant()
    ways = (
        Remedy(f"to stay with {app_id}, the id in AZURE_CLIENT_ID, while az is signed in as {how}", (stay,)),
        Remedy("to sign in as az does", (remedy.forget_environment(), login)),
    )
    return Finding(severity, SUBJECT, text, ways=ways)


def another(case: Case) -> Found:
    """Check that rotator isn't the principal: a rotation of its own credential can lock rotator out."""
    if case.caller.app_id == case.policy.principal.app_id.lower():
        text = (
            f"rotator is signed in as {case.caller.app_id}, the principal of this policy; give rotator an identity"
            " of its own, with its rights"
        )
        yield Finding(Severity.FAIL, SUBJECT, text, (remedy.create_rotator_identity(),))


def graph_permission(case: Case) -> Found:
    """Check that Graph lets rotator change the credentials of the objects owned by rotator."""
    who = case.caller
    if isinstance(who.roles, Unknown):
        yield _to_sign_in(
            case, Severity.UNKNOWN, f"it is unknown what rotator may do in Graph: {who.roles.text}", who.roles
        )
    elif who.person:
        yield Finding(
            Severity.WARN,
            SUBJECT,
            "signed in as a person: the rights in Graph depend on directory roles, which rotator does not read",
        )
    elif not {ALL, OWNED} & set(who.roles):
        has = ", ".join(who.roles) or "no permission"
        yield Finding(
            Severity.FAIL, SUBJECT, f"{who.app_id} has {has} in Graph; adding a password needs {OWNED}", (permit(case),)
        )


def permit(case: Case) -> str:
    """Give rotator's identity its permission in Graph."""
    return remedy.permit_owned_applications(case.cloud.graph, case.caller.object_id)
