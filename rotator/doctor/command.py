"""The commands that mend, with real ids filled in: what a person can paste into a shell as it stands."""

import shlex

from rotator.doctor.finding import Case

GRAPH_APP = "00000003-0000-0000-c000-000000000000"
"""Microsoft Graph's application id, in every tenant and cloud."""
OWNED_BY = "18a4783c-866b-4cc7-a460-3d5e5662c884"
"""The app role ``Application.ReadWrite.OwnedBy`` (Microsoft Graph permissions reference)."""


def role(case: Case, name: str, scope: str) -> str:
    """Give the identity that rotator signs in as a built-in role."""
    kind = "User" if case.caller.person else "ServicePrincipal"
    who = f"--assignee-object-id {case.caller.object_id} --assignee-principal-type {kind}"
    return f"az role assignment create {who} --role {shlex.quote(name)} --scope {scope}"


def vault_scope(case: Case) -> str:
    """The vault's id, or what looks it up where rotator may not see it."""
    return case.examined.vault.id or f'"$(az keyvault show --name {case.policy.key_vault.name} --query id --output tsv)"'


def edit(case: Case) -> str:
    """Open the policy."""
    return f"${{EDITOR:-vi}} {shlex.quote(case.policy.file)}"


def rotator(case: Case, verb: str, *words: str) -> str:
    """One of rotator's own verbs on this policy."""
    return " ".join(("rotator", verb, case.policy.name, *words))


def rest(case: Case, path: str, body: str) -> str:
    """A request to Graph that az has no verb for; `body` is JSON, in which ``$(…)`` is a command of its own."""
    escaped = body.replace('"', '\\"')
    return f'az rest --method POST --url {case.cloud.graph}/v1.0/{path} --body "{escaped}"'


def registry(registry_id: str, *words: str) -> str:
    """Change a registry."""
    return " ".join(("az acr update", resource(registry_id), *words))


def resource(resource_id: str) -> str:
    """The options that name a resource to az."""
    parts = resource_id.split("/")
    return f"--subscription {parts[2]} --resource-group {parts[4]} --name {parts[8]}"
