"""Carries out what `rotator doctor` prints: az as operations of the emulator, rotator as it is, an editor by what is to be written.

A command that isn't known here is an error, so that none can be printed that no test has carried out.
"""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.cli.scene import Scene

Json = dict[str, Any]


def carry_out(scene: Scene, finding: Json, fills: str = "") -> None:
    """Everything that a finding says, in its order; `fills` stands for what a person puts between angle brackets."""
    for command in finding["mend"]:
        if command.startswith("${EDITOR:-vi} "):
            _edit(scene, finding, fills)
        else:
            _run(scene, shlex.split(_substituted(scene, re.sub(r"<[^<>]*>", fills, command))))


def _substituted(scene: Scene, command: str) -> str:
    """The command as a shell would run it: with what its inner commands print."""
    for quoted, plain in re.findall(r'("\$\(([^()]*)\)")', command) or []:
        command = command.replace(quoted, _printed(scene, shlex.split(plain)))
    return re.sub(r"\$\(([^()]*)\)", lambda inner: _printed(scene, shlex.split(inner[1])), command)


def _printed(scene: Scene, words: list[str]) -> str:
    if words[:3] == ["az", "keyvault", "show"]:
        return scene.seeded.vault_id
    if words[:4] == ["az", "ad", "sp", "show"]:
        return "00000000-0000-0000-0000-0000000c5a9f"
    if words[:3] == ["az", "identity", "show"]:
        made = scene.azure.resources.get(_identity(_options(words[1:])))
        assert made
        assert words[-2:] == ["--output", "tsv"]
        return str(made.properties[words[words.index("--query") + 1]])
    assert words == ["id", "-un"], words
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def _identity(given: Json) -> str:
    group = f"/subscriptions/{given['--subscription']}/resourceGroups/{given['--resource-group']}"
    return f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{given['--name']}"


def _run(scene: Scene, words: list[str]) -> None:
    if words[0] == "rotator":
        said = scene(*words[1:])
        assert said.code == 0, (said.out, said.err)
    elif words[0] == "az":
        given = _options(words[1:])
        verb = " ".join(given.pop(""))
        VERBS[verb](scene, given)
    elif words[:2] == ["sudo", "timedatectl"]:
        scene.skew *= 0
    else:
        subprocess.run(words[1:] if words[0] == "sudo" else words, check=True)


def _options(words: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"": []}
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word
            found[name] = ""
        elif name:
            found[name] = f"{found[name]} {word}".strip()
        else:
            found[""].append(word)
    return found


def _assign(scene: Scene, given: Json) -> None:
    assert given["--assignee-principal-type"] == "ServicePrincipal"
    scene.azure.authorization.assign(given["--scope"], given["--assignee-object-id"], given["--role"], at_once=True)


def _application(scene: Scene, app_id: str) -> Any:
    found = scene.azure.directory.application(app_id)
    assert found
    return found


def _rest(scene: Scene, given: Json) -> None:
    assert given["--method"] == "POST"
    path, body = given["--url"].removeprefix("https://graph.microsoft.com/v1.0/"), json.loads(given["--body"])
    kind, holder, what = path.split("/", 2)
    assert kind == "servicePrincipals"
    directory = scene.azure.directory
    if what == "owners/$ref":
        directory.add_owner(holder, body["@odata.id"].rsplit("/", 1)[-1])
    else:
        assert (what, body["principalId"], body["appRoleId"]) == ("appRoleAssignments", holder, "18a4783c-866b-4cc7-a460-3d5e5662c884")
        owner = directory.principal_by_id(holder)
        assert owner
        directory.grant(owner.app_id, "Application.ReadWrite.OwnedBy")


def _new_identity(scene: Scene, given: Json) -> None:
    """What a person makes of it: an identity of its own, with the rights of SECURITY.md, as which rotator then signs in."""
    azure, seeded = scene.azure, scene.seeded
    application = azure.directory.create_application(given["--name"])
    principal = azure.directory.create_service_principal(application.app_id)
    azure.directory.grant(application.app_id, "Application.ReadWrite.OwnedBy")
    azure.directory.add_owner(scene.application.id, principal.id)
    for scope, role in ((f"/subscriptions/{seeded.subscription}", "rotator operator"), (seeded.vault_id, "Key Vault Secrets Officer")):
        azure.authorization.assign(scope, principal.id, role, at_once=True)
    password = azure.directory.add_password(application, display_name="rbac", end=azure.clock.now() + timedelta(days=365), at_once=True)
    sign_in(application.app_id, password.secret)


def sign_in(app_id: str, secret: str) -> None:
    """Sign in as somebody from now on; the scene's own monkeypatch takes it back."""
    os.environ.update(AZURE_CLIENT_ID=app_id, AZURE_CLIENT_SECRET=secret)


def _remove(scene: Scene, given: Json) -> None:
    scene.azure.directory.remove_password(_application(scene, given["--id"]), given["--key-id"])


def _registry(scene: Scene, given: Json) -> None:
    group = f"/subscriptions/{given.pop('--subscription')}/resourceGroups/{given.pop('--resource-group')}"
    found = scene.azure.resources.get(f"{group}/providers/Microsoft.ContainerRegistry/registries/{given.pop('--name')}")
    assert found
    properties = found.properties
    names: dict[str, tuple[str, dict[str, Any]]] = {
        "--public-network-enabled": ("publicNetworkAccess", {"true": "Enabled"}),
        "--admin-enabled": ("adminUserEnabled", {"false": False}),
        "--anonymous-pull-enabled": ("anonymousPullEnabled", {"false": False}),
        "--default-action": ("networkRuleSet", {"Allow": {"defaultAction": "Allow", "ipRules": []}}),
    }
    for option, value in given.items():
        name, values = names[option]
        properties[name] = values[value]


def _policy(scene: Scene, given: Json) -> None:
    vault = scene.azure.resources.get(scene.seeded.vault_id)
    assert vault
    permissions = {"secrets": given["--secret-permissions"].split()}
    vault.properties["accessPolicies"] = [{"tenantId": scene.seeded.tenant, "objectId": given["--object-id"], "permissions": permissions}]


def _exported(scene: Scene, given: Json) -> None:
    scene.exported = scene.azure.container_groups.stored(scene.group_id(given["--name"]))  # type: ignore[attr-defined]


VERBS: dict[str, Callable[[Scene, Json], object]] = {
    "login": lambda at, _: sign_in(at.seeded.operator.app_id, at.seeded.operator.secret),
    "role assignment create": _assign,
    "identity create": lambda at, given: at.azure.identities.put(_identity(given), "eastus"),
    "rest": _rest,
    "ad sp create-for-rbac": _new_identity,
    "ad sp create": lambda at, given: at.azure.directory.create_service_principal(given["--id"]),
    "ad sp update": lambda at, given: setattr(
        at.azure.directory.principal(given["--id"]), "account_enabled", given["--set"] == "accountEnabled=true"
    ),
    "ad app owner add": lambda at, given: at.azure.directory.add_owner(_application(at, given["--id"]).id, given["--owner-object-id"]),
    "ad app credential delete": _remove,
    "acr update": _registry,
    "acr repository show": lambda at, given: pytest.fail("never carried out"),
    "keyvault secret recover": lambda at, given: at.azure.vaults.recover(given["--vault-name"], given["--name"]),
    "keyvault secret set": lambda at, given: at.azure.vaults.set(given["--vault-name"], given["--name"], "hidden"),
    "keyvault set-policy": _policy,
    "keyvault network-rule add": lambda at, _: at.azure.faults.planned.clear(),
}


# the editor


def _edit(scene: Scene, finding: Json, fills: str) -> None:
    """Put into the policy what is to be written: at its place, beside what is there."""
    file = scene.policies / "mycontainerregistry.yaml"
    policy = YAML(typ="safe").load(file.read_text())
    text = re.sub(r"<[^<>]*>", fills, finding["write"])
    written = YAML(typ="safe").load(text)
    if isinstance(written, list):
        written = {"container_groups": written}
    elif "secrets" in written:
        written = {"container_groups": [{"id": scene.group_id(finding["subject"].split()[1]), **written}]}
    with file.open("w") as out:
        YAML().dump(_merged(policy, written), out)


def _merged(there: Any, new: Any) -> Any:
    if isinstance(there, dict) and isinstance(new, dict):
        return {**there, **{name: _merged(there.get(name), value) for name, value in new.items()}}
    if isinstance(there, list) and isinstance(new, list):
        by_id = {one["id"]: one for one in there}
        return list({**by_id, **{one["id"]: _merged(by_id.get(one["id"], {}), one) for one in new}}.values())
    return new
