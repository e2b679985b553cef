"""Who rotator is, and what it may do in Graph: another identity than the principal's, with a permission to change what it owns."""

from rotator.doctor import command
from rotator.doctor.finding import Case, Finding, Found, Severity
from rotator.examined import Unknown

ALL, OWNED = "Application.ReadWrite.All", "Application.ReadWrite.OwnedBy"
SUBJECT = "identity"


def signed_in(case: Case) -> Found:
    """Entra gives rotator a token."""
    if isinstance(who := case.examined.caller, Unknown):
        tenant = case.policy.principal.tenant_id
        yield Finding(Severity.FAIL, SUBJECT, who.text, (f"az login --tenant {tenant}" if tenant else "az login",))


def another(case: Case) -> Found:
    """Rotator isn't the principal: one that rotates its own credential can lock itself out."""
    if case.caller.app_id == case.policy.principal.app_id.lower():
        text = (
            f"rotator is signed in as {case.caller.app_id}, the very principal of this policy; give it an identity of its own, and the rights to that"
        )
        yield Finding(Severity.FAIL, SUBJECT, text, ("az ad sp create-for-rbac --name rotator",))


def graph_permission(case: Case) -> Found:
    """Graph lets rotator change the credentials of what it owns."""
    who = case.caller
    if isinstance(who.roles, Unknown):
        yield Finding(Severity.UNKNOWN, SUBJECT, f"what it may do in Graph: {who.roles.text}", ("az login",))
    elif who.person:
        yield Finding(
            Severity.WARN, SUBJECT, "signed in as a person: what it may do in Graph depends on roles in the directory, which aren't asked for"
        )
    elif not {ALL, OWNED} & set(who.roles):
        has = ", ".join(who.roles) or "no permission"
        graph = f"$(az ad sp show --id {command.GRAPH_APP} --query id --output tsv)"
        body = f'{{"principalId": "{who.object_id}", "resourceId": "{graph}", "appRoleId": "{command.OWNED_BY}"}}'
        mend = command.rest(case, f"servicePrincipals/{who.object_id}/appRoleAssignments", body)
        yield Finding(Severity.FAIL, SUBJECT, f"{who.app_id} has {has} in Graph; adding a password needs {OWNED}", (mend,))
