"""Effects on the emulator of each az command that `rotator doctor` prints, with the accepted options.

An unknown command or option is an error, so that every printed one has a test that runs it. Stock az has them all
(`tests/az/test_mends.py`), with the same effects.
"""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from local_azure.graph.objects import Application, Holder, Kind, Policy
from local_azure.graph.policies import CUSTOM, checked
from local_azure.keyvault.secret import Changes

from tests.cli.scene import Scene

Json = dict[str, Any]
GLOBAL = ("--output", "--query")
GRAPH = "https://graph.microsoft.com/v1.0/"
DELETED = "directory/deletedItems/"


def az(scene: Scene, words: list[str]) -> str:
    """Run a command; return its output."""
    given = _options(words)
    verb = given.pop("")
    act, options = VERBS[verb]
    assert set(given) <= {*options, *GLOBAL}, (verb, sorted(given))
    printed = act(scene, given)
    assert (printed is None) == (given.get("--output") != "tsv"), words
    return printed or ""


def _options(words: list[str]) -> dict[str, str]:
    found, name = {"": ""}, ""
    for word in words:
        if word.startswith("--"):
            name = word
            found[name] = ""
        else:
            found[name] = f"{found[name]} {word}".strip()
    return found


def _group(given: Json) -> str:
    return f"/subscriptions/{given['--subscription']}/resourceGroups/{given['--resource-group']}"


def _resource(scene: Scene, kind: str, given: Json) -> Json:
    found = scene.azure.resources.get(f"{_group(given)}/providers/{kind}/{given['--name']}")
    assert found
    return found.properties


def _recover_vault(scene: Scene, given: Json) -> None:
    assert given["--name"] == "myvault"
    scene.azure.resources.recover_vault(scene.seeded.vault_id)


def _vault(scene: Scene, given: Json) -> Json:
    assert given["--name"] == "myvault"
    assert given["--subscription"] == scene.seeded.subscription
    found = scene.azure.resources.get(scene.seeded.vault_id)
    assert found
    return found.properties


def _application(scene: Scene, app_id: str) -> Any:
    found = scene.azure.directory.application(app_id)
    assert found
    return found


def _assign(scene: Scene, given: Json) -> None:
    assert given["--assignee-principal-type"] == "ServicePrincipal"
    scene.azure.authorization.assign(given["--scope"], given["--assignee-object-id"], given["--role"], at_once=True)


def _unlock(scene: Scene, given: Json) -> None:
    scope, _, name = given["--ids"].rpartition("/providers/Microsoft.Authorization/locks/")
    assert scene.azure.resources.unlock(scope, name)


def _rest(scene: Scene, given: Json) -> str | None:
    path = given["--url"].removeprefix(GRAPH)
    body = json.loads(given["--body"]) if "--body" in given else {}
    directory = scene.azure.directory
    kind, holder, *more = path.split("/")
    if kind == "policies":
        made = Policy(directory.ids.guid(), {**CUSTOM, **checked(body, CUSTOM, "AppManagementPolicy", new=True)})
        directory.state.policies[made.id] = made
        return f"{made.id}\n"
    if path.startswith(DELETED):
        return _from_the_bin(scene, path.removeprefix(DELETED), given)
    if given["--method"] == "GET":
        assert holder.endswith("?$select=customSecurityAttributes")
        return None
    what = more.pop(0)
    if what == "owners":
        directory.add_owner(holder, body["@odata.id"].rsplit("/", 1)[-1])
    elif what == "appManagementPolicies":
        _assigned(scene, holder, given["--method"], more, body)
    else:
        assert (what, body["principalId"], body["appRoleId"]) == (
            "appRoleAssignments",
            holder,
            "18a4783c-866b-4cc7-a460-3d5e5662c884",
        )
        owner = directory.principal_by_id(holder)
        assert owner
        directory.grant(owner.app_id, "Application.ReadWrite.OwnedBy")
    return None


def _from_the_bin(scene: Scene, path: str, given: Json) -> str | None:
    """List a kind of deleted objects, or restore one."""
    bin_ = scene.azure.directory.deleted
    if given["--method"] == "GET":
        kind: Kind = "applications" if path == "microsoft.graph.application" else "servicePrincipals"
        app_id = given["--query"].split("'")[1]
        (found,) = (each.id for each in bin_.every(kind) if isinstance(each, Holder) and each.app_id == app_id)
        return f"{found}\n"
    bin_.restore(path.removesuffix("/restore"))
    return None


def _assigned(scene: Scene, holder: str, method: str, more: list[str], body: Json) -> None:
    found = scene.azure.directory.records.any(holder)
    assert isinstance(found, Application)
    policies = found.policies
    if method == "DELETE":
        policies.remove(more[0])
        assert more[1:] == ["$ref"]
    else:
        assert more == ["$ref"]
        policies.append(body["@odata.id"].rsplit("/", 1)[-1])


def _new_application(scene: Scene, given: Json) -> str:
    """Create an application under a free name: az would change an existing one."""
    directory, name = scene.azure.directory, given["--display-name"]
    assert re.fullmatch(r"rotator-\d{14}", name)
    assert given["--query"] == "appId"
    return f"{directory.create_application(name).app_id}\n"


def _new_password(scene: Scene, given: Json) -> str:
    assert given["--append"] == ""
    assert given["--query"] == "password"
    end = scene.azure.clock.now() + timedelta(days=365)
    made = scene.azure.directory.add_password(
        _application(scene, given["--id"]), display_name="", end=end, at_once=True
    )
    return f"{made.secret}\n"


def _remove(scene: Scene, given: Json) -> None:
    held = _application(scene, given["--id"])
    if "--cert" not in given:
        scene.azure.directory.remove_password(held, given["--key-id"])
        return
    assert [each.key_id for each in held.certificates] == [given["--key-id"]]
    scene.azure.directory.update(held, {"keyCredentials": []})


def _enable(scene: Scene, given: Json) -> None:
    found = scene.azure.directory.principal(given["--id"])
    assert found
    found.account_enabled = given["--set"] == "accountEnabled=true"


def _activate(scene: Scene, given: Json) -> None:
    assert given["--set"] == "isDisabled=false"
    scene.azure.directory.update(_application(scene, given["--id"]), {"isDisabled": False})


def _registry(scene: Scene, given: Json) -> None:
    properties = _resource(scene, "Microsoft.ContainerRegistry/registries", given)
    names: dict[str, tuple[str, dict[str, Any]]] = {
        "--public-network-enabled": ("publicNetworkAccess", {"true": "Enabled"}),
        "--admin-enabled": ("adminUserEnabled", {"false": False}),
        "--anonymous-pull-enabled": ("anonymousPullEnabled", {"false": False}),
        "--default-action": ("networkRuleSet", {"Allow": {"defaultAction": "Allow", "ipRules": []}}),
    }
    for option in set(given) & set(names):
        name, values = names[option]
        properties[name] = values[given[option]]


def _access_policy(scene: Scene, given: Json) -> None:
    permissions = {"secrets": given["--secret-permissions"].split()}
    _vault(scene, given)["accessPolicies"] = [
        {"tenantId": scene.seeded.tenant, "objectId": given["--object-id"], "permissions": permissions}
    ]


def _allow(scene: Scene, given: Json) -> None:
    _vault(scene, given)["networkAcls"]["ipRules"].append({"value": given["--ip-address"]})


def _open(scene: Scene, given: Json) -> None:
    assert given["--public-network-access"] == "Enabled"
    _vault(scene, given)["publicNetworkAccess"] = "Enabled"


def _set_secret(scene: Scene, given: Json) -> None:
    scene.azure.vaults.set(given["--vault-name"], given["--name"], Path(given["--file"]).read_text())


def _show_secret(scene: Scene, given: Json) -> str:
    assert given["--query"] == "value"
    return f"{scene.azure.vaults.get(given['--vault-name'], given['--name']).value}\n"


def _set_attributes(scene: Scene, given: Json) -> None:
    exp, nbf = (
        datetime.fromisoformat(given[name]) if name in given else None for name in ("--expires", "--not-before")
    )
    tags = dict(word.split("=", 1) for word in given["--tags"].split()) if "--tags" in given else None
    changes = Changes(enabled=True if given.get("--enabled") == "true" else None, exp=exp, nbf=nbf, tags=tags)
    scene.azure.vaults.update(given["--vault-name"], given["--name"], given.get("--version"), changes)


def _export(scene: Scene, given: Json) -> None:
    group_id = f"{_group(given)}/providers/Microsoft.ContainerInstance/containerGroups/{given['--name']}"
    shown = scene.azure.container_groups.get(group_id)
    Path(given["--file"]).write_text(json.dumps(shown))


def _identity(given: Json) -> str:
    return f"{_group(given)}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{given['--name']}"


def _principal_of(scene: Scene, given: Json) -> str:
    made = scene.azure.resources.get(_identity(given))
    assert made
    return f"{made.properties[given['--query']]}\n"


def _untag(scene: Scene, given: Json) -> None:
    assert given["--operation"] == "delete"
    scene.azure.container_groups._known(given["--resource-id"]).resource["tags"].pop(given["--tags"].partition("=")[0])


def _nothing(_: object) -> None:
    """Drop a result: the command prints nothing."""


Act = Callable[[Scene, Json], str | None]
WHERE = ("--subscription", "--resource-group", "--name")
VERBS: dict[str, tuple[Act, tuple[str, ...]]] = {
    "account show": (lambda at, given: f"{at.seeded.tenant}\n", ()),
    "acr repository show-tags": (lambda at, given: "v1\n", ("--subscription", "--name", "--repository", "--orderby")),
    "acr update": (
        _registry,
        (*WHERE, "--public-network-enabled", "--admin-enabled", "--anonymous-pull-enabled", "--default-action"),
    ),
    "ad app create": (_new_application, ("--display-name",)),
    "ad app credential delete": (_remove, ("--id", "--key-id", "--cert")),
    "ad app credential reset": (_new_password, ("--id", "--append")),
    "ad app update": (_activate, ("--id", "--set")),
    "ad app owner add": (
        lambda at, given: at.azure.directory.add_owner(_application(at, given["--id"]).id, given["--owner-object-id"]),
        ("--id", "--owner-object-id"),
    ),
    "ad sp create": (lambda at, given: _nothing(at.azure.directory.create_service_principal(given["--id"])), ("--id",)),
    "ad sp show": (lambda at, given: "00000000-0000-0000-0000-0000000c5a9f\n", ("--id",)),
    "ad sp update": (_enable, ("--id", "--set")),
    "container export": (_export, (*WHERE, "--file")),
    "identity create": (lambda at, given: _nothing(at.azure.identities.put(_identity(given), "eastus")), WHERE),
    "identity show": (_principal_of, WHERE),
    "keyvault network-rule add": (_allow, ("--subscription", "--name", "--ip-address")),
    "keyvault recover": (_recover_vault, ("--name", "--output")),
    "keyvault secret recover": (
        lambda at, given: _nothing(at.azure.vaults.recover(given["--vault-name"], given["--name"])),
        ("--vault-name", "--name"),
    ),
    "keyvault secret set": (_set_secret, ("--vault-name", "--name", "--file")),
    "keyvault secret show": (_show_secret, ("--vault-name", "--name", "--query")),
    "keyvault secret set-attributes": (
        _set_attributes,
        ("--vault-name", "--name", "--version", "--enabled", "--expires", "--not-before", "--tags"),
    ),
    "keyvault set-policy": (_access_policy, ("--subscription", "--name", "--object-id", "--secret-permissions")),
    "keyvault show": (lambda at, given: f"{at.seeded.vault_id}\n", ("--name",)),
    "keyvault update": (_open, ("--subscription", "--name", "--public-network-access")),
    "login": (lambda at, given: setattr(at, "logged_in", True), ("--tenant",)),
    "rest": (_rest, ("--method", "--url", "--body", "--query")),
    "lock delete": (_unlock, ("--ids",)),
    "role assignment create": (_assign, ("--assignee-object-id", "--assignee-principal-type", "--role", "--scope")),
    "tag update": (_untag, ("--resource-id", "--operation", "--tags")),
}
"""Every command, with the permitted options beside those of every az command."""
