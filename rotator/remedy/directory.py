"""Change applications, service principals and their credentials."""

import json

from rotator.remedy.line import Bash, Word, az, body, within
from rotator.secret import Home

NOUNS = {Home.APPLICATION: "app", Home.SERVICE_PRINCIPAL: "sp"}
"""Names in az of the two kinds of objects that hold passwords."""
GRAPH_APP = "00000003-0000-0000-c000-000000000000"
"""Microsoft Graph's application id, in every tenant and cloud."""
OWNED_BY = "18a4783c-866b-4cc7-a460-3d5e5662c884"
"""The app role ``Application.ReadWrite.OwnedBy`` (Microsoft Graph permissions reference)."""
DELETE_FEDERATED_CREDENTIAL = "az identity federated-credential delete"


def list_passwords(app_id: str) -> str:
    """Print the passwords of an application: names, key ids and ends, never values."""
    return az("ad app credential list", id=app_id)


def list_applications() -> str:
    """Print the client ids and names of the tenant's applications."""
    return az("ad app list", query="[].[appId,displayName]", output="tsv")


def add_password(app_id: Word) -> str:
    """Add a password to an application, and print only the password."""
    return az("ad app credential reset", id=app_id, append=True, query="password", output="tsv")


def delete_password(app_id: str, key_id: str, home: Home) -> str:
    """Delete a password."""
    return az(f"ad {NOUNS[home]} credential delete", id=app_id, key_id=key_id)


def delete_certificate(app_id: str, key_id: str, home: Home) -> str:
    """Delete a certificate."""
    return az(f"ad {NOUNS[home]} credential delete", id=app_id, key_id=key_id, cert=True)


def delete_federated_credential(app_id: str, credential_id: str) -> str:
    """Delete a federated credential of an application."""
    return az("ad app federated-credential delete", id=app_id, federated_credential_id=credential_id)


def create_service_principal(app_id: str) -> str:
    """Make the service principal of an application."""
    return az("ad sp create", id=app_id)


def restore_application(graph: str, app_id: str) -> str:
    """Restore a deleted application, with its passwords; `graph` is where Microsoft Graph answers."""
    return _restored(graph, "application", app_id)


def restore_service_principal(graph: str, app_id: str) -> str:
    """Restore a deleted service principal, with its role assignments."""
    return _restored(graph, "servicePrincipal", app_id)


def _restored(graph: str, kind: str, app_id: str) -> str:
    bin_, wanted = f"{graph}/v1.0/directory/deletedItems", f"value[?appId=='{app_id}'].id | [0]"
    found = az("rest", method="GET", url=f"{bin_}/microsoft.graph.{kind}", query=wanted, output="tsv")
    return az("rest", method="POST", url=Bash(f'"{bin_}/$({found})/restore"'))


def enable_service_principal(app_id: str) -> str:
    """Let a service principal sign in."""
    return az("ad sp update", id=app_id, set="accountEnabled=true")


def enable_application(app_id: str) -> str:
    """Activate an application again, so that it gets tokens."""
    return az("ad app update", id=app_id, set="isDisabled=false")


def add_application_owner(app_id: str, object_id: str) -> str:
    """Add an owner to an application."""
    return az("ad app owner add", id=app_id, owner_object_id=object_id)


def add_service_principal_owner(graph: str, service_principal: str, object_id: str) -> str:
    """Add an owner to a service principal, for which az has no verb; `graph` is where Microsoft Graph answers."""
    owner = {"@odata.id": f"{graph}/v1.0/directoryObjects/{object_id}"}
    return _rest("POST", f"{graph}/v1.0/servicePrincipals/{service_principal}/owners/$ref", body(owner))


def remove_group_member(group_id: str, member_id: str) -> str:
    """Remove a member from a group."""
    return az("ad group member remove", group=group_id, member_id=member_id)


def permit_owned_applications(graph: str, object_id: str) -> str:
    """Give a service principal the permission to change its own applications (as owner)."""
    found = Bash(f"$({az('ad sp show', id=GRAPH_APP, query='id', output='tsv')})")
    given: dict[str, Word] = {"principalId": object_id, "resourceId": found, "appRoleId": OWNED_BY}
    return _rest("POST", f"{graph}/v1.0/servicePrincipals/{object_id}/appRoleAssignments", body(given))


def unassign_password_policy(graph: str, home: Home, object_id: str, policy_id: str) -> str:
    """Take an app management policy off an object."""
    return _rest("DELETE", f"{_assigned(graph, home, object_id)}/{policy_id}/$ref")


def show_attributes(graph: str, object_id: str) -> str:
    """Print the custom security attributes of a service principal, with the right to read them."""
    return _rest("GET", f"{graph}/v1.0/servicePrincipals/{object_id}?$select=customSecurityAttributes")


def allow_passwords(graph: str, home: Home, object_id: str, name: str) -> tuple[str, str]:
    """Create an app management policy allowing passwords, and assign the policy to an object."""
    allowed = {
        "restrictionType": "passwordAddition",
        "state": "disabled",
        "maxLifetime": None,
        "restrictForAppsCreatedAfterDateTime": None,
    }
    exempt = {"displayName": name, "isEnabled": True, "restrictions": {"passwordCredentials": [allowed]}}
    url = f"{graph}/v1.0/policies/appManagementPolicies"
    made = az("rest", method="POST", url=url, body=json.dumps(exempt), query="id", output="tsv")
    return f"policy=$({made})", _rest(
        "POST", f"{_assigned(graph, home, object_id)}/$ref", body({"@odata.id": within(f"{url}/", "$policy")})
    )


def _assigned(graph: str, home: Home, object_id: str) -> str:
    collection = "applications" if home is Home.APPLICATION else "servicePrincipals"
    return f"{graph}/v1.0/{collection}/{object_id}/appManagementPolicies"


def _rest(method: str, url: str, content: Word | None = None) -> str:
    return az("rest", method=method, url=url, body=content)
