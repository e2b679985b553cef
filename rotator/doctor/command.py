"""The commands that mend, with real ids filled in: what a person can paste into bash as it stands."""

import shlex
from collections.abc import Iterable

from rotator.doctor.finding import Case
from rotator.state import Home
from rotator.visible import argument

GRAPH_APP = "00000003-0000-0000-c000-000000000000"
"""Microsoft Graph's application id, in every tenant and cloud."""
OWNED_BY = "18a4783c-866b-4cc7-a460-3d5e5662c884"
"""The app role ``Application.ReadWrite.OwnedBy`` (Microsoft Graph permissions reference)."""
LEASELESS = ("deploy",)
"""Verbs that take no lease, and no option that says where one is."""
LOOKED_UP = '"$('
"""How a scope begins that a command prints."""
NOUNS = {Home.APPLICATION: "app", Home.SERVICE_PRINCIPAL: "sp"}
"""What az calls the two objects that passwords live on."""


def role(case: Case, name: str, scope: str) -> str:
    """Give the identity that rotator signs in as a built-in role."""
    return assign(case.caller.object_id, name, scope, kind="User" if case.caller.person else "ServicePrincipal")


def assign(object_id: str, name: str, scope: str, *, kind: str = "ServicePrincipal") -> str:
    """Give somebody a built-in role; `scope` is a resource's id, or a command in quotes that prints one."""
    who = f"--assignee-object-id {object_id} --assignee-principal-type {kind}"
    where = scope if scope.startswith(LOOKED_UP) else argument(scope)
    return f"az role assignment create {who} --role {shlex.quote(name)} --scope {where}"


def vault_scope(case: Case) -> str:
    """The vault's id, or what looks it up where rotator may not see it."""
    return case.examined.vault.id or f'{LOOKED_UP}az keyvault show --name {case.policy.key_vault.name} --query id --output tsv)"'


def vault(case: Case, verb: str, *words: str) -> str:
    """Change the vault as a resource."""
    found = case.examined.vault.id
    where = (f"--subscription {found.split('/')[2]}",) if found else ()
    return " ".join(("az keyvault", verb, *where, f"--name {case.policy.key_vault.name}", *words))


def secret(case: Case, verb: str, name: str, *words: str) -> str:
    """Change a secret of the vault; az prints nothing, or it would print the value."""
    return " ".join(("az keyvault secret", verb, f"--vault-name {case.policy.key_vault.name} --name {name}", *words, "--output none"))


def put_secret(case: Case, name: str) -> str:
    """Set a secret to what somebody types: unseen, with no line break behind it, and on no command line."""
    typed = '--file <(printf %s "$value")'
    return f"IFS= read -rsp 'value of {name}: ' value && {secret(case, 'set', name, typed)}"


def new_password(app_id: str) -> str:
    """One more password of an application, printed by itself."""
    return f"az ad app credential reset --id {app_id} --append --query password --output tsv"


def edit(case: Case) -> str:
    """Open the policy."""
    return opened(case.policy.file)


def opened(file: str) -> str:
    """Open a file."""
    return f"${{EDITOR:-vi}} {argument(file)}"


def rotator(case: Case, verb: str, *words: str) -> str:
    """One of rotator's own verbs on this policy, with what this command line was told."""
    given = (option for option in case.given if verb not in LEASELESS or not option.startswith("--lease-dir "))
    return " ".join(("rotator", verb, case.policy.quoted, *words, *given))


def rest(case: Case, method: str, path: str, body: str = "") -> str:
    """A request to Graph that az has no verb for; `body` is JSON, in which ``$(…)`` is a command of its own."""
    escaped = body.replace('"', '\\"')
    return " ".join((f"az rest --method {method} --url {case.cloud.graph}/v1.0/{path}", *([f'--body "{escaped}"'] if body else [])))


def registry(registry_id: str, *words: str) -> str:
    """Change a registry."""
    return " ".join(("az acr update", resource(registry_id), *words))


def resource(resource_id: str) -> str:
    """The options that name a resource to az."""
    return f"{within(resource_id)} --name {argument(resource_id.split('/')[8])}"


def within(resource_id: str) -> str:
    """The options that name a resource's group to az."""
    parts = resource_id.split("/")
    return f"--subscription {parts[2]} --resource-group {argument(parts[4])}"


def remove_password(case: Case, home: Home, key_id: str) -> str:
    """Remove one of the principal's passwords."""
    return f"az ad {NOUNS[home]} credential delete --id {case.policy.principal.app_id} --key-id {key_id}"


def in_place(what: str, new: str, old: str) -> str:
    """The line for the policy that puts one entry of a list in another's place."""
    return f"{what}:\n  - id: {new}  # in place of {old}"


def taken_out(what: str, old: Iterable[str]) -> str:
    """The lines of the policy that are to go."""
    return "\n".join((f"{what}:  # remove from them", *(f"#  - id: {each}" for each in old)))
