"""Assign roles, and create the identities to assign roles to."""

from rotator.remedy.line import Bash, Word, az, output, resource


def assign_role(object_id: Word, role: str, scope: Word, *, kind: str = "ServicePrincipal") -> str:
    """Assign a built-in role to an object of the tenant, whose kind Azure then needn't look up."""
    return az(
        "role assignment create", assignee_object_id=object_id, assignee_principal_type=kind, role=role, scope=scope
    )


def give_role(assignee: str, role: str, scope: Word) -> str:
    """Assign a built-in role to an object or a client id, of whatever kind it is."""
    return az("role assignment create", assignee=assignee, role=role, scope=scope)


def exempt_from_policy(assignment_id: str, resource_id: str) -> str:
    """Exempt a resource from an assignment of Azure Policy."""
    return az(
        "policy exemption create",
        name="rotator",
        policy_assignment=assignment_id,
        exemption_category="Waiver",
        scope=resource_id,
    )


def delete_role_assignment(assignment_id: str) -> str:
    """Delete a role assignment."""
    return az("role assignment delete", ids=assignment_id)


def delete_lock(lock_id: str) -> str:
    """Delete a management lock."""
    return az("lock delete", ids=lock_id)


def create_identity(identity_id: str) -> str:
    """Make a user-assigned managed identity."""
    return az("identity create", **resource(identity_id))


def identity_principal(identity_id: str) -> Bash:
    """Return the object id of a managed identity, known only after creation."""
    return output(az("identity show", **resource(identity_id), query="principalId", output="tsv"))
