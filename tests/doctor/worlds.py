"""Worlds for every check of `rotator doctor`, each with a finding."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from certificates import entry
from local_azure.faults import Fault
from local_azure.graph.objects import Policy
from local_azure.keyvault.secret import Changes
from ruamel.yaml import YAML

from tests.cli.scene import IMAGE, JOB, PASSWORD, Scene

Break = Callable[[Scene], object]


@dataclass(frozen=True)
class World:
    """Breakage of a scene, with the severity of the finding, and the way out that a person takes, if there are several.

    Only decisions are filled in between angle brackets; `types` answers prompts, `corrects` edits a file other than the
    policy.
    """

    check: str
    severity: str
    break_: Break
    way: int | None = None
    name: str = ""
    fills: Callable[[Scene], str] = lambda _: ""
    types: str = ""
    corrects: Callable[[Scene, Path], object] | None = None
    before: Break | None = None
    """Change that comes by itself before the way is the right one."""
    then: Break | None = None
    left: str = "ok"
    """Severity afterwards, if a choice of the policy was to accept the finding."""
    undeterred: bool = False
    """True if a command rightly ends with 1 while the password still works, and the person goes on."""
    not_by_az: str = ""
    """Reason why stock az can't run the commands against the emulator."""

    @property
    def id(self) -> str:
        return f"{self.check}: {self.name}" if self.name else self.check


def _policy(scene: Scene) -> Any:
    return YAML(typ="safe").load((scene.policies / "mycontainerregistry.yaml").read_text())


def _resource(scene: Scene, resource_id: str) -> dict[str, Any]:
    found = scene.azure.resources.get(resource_id)
    assert found
    return found.properties


def _drop_role(scene: Scene, role: str) -> None:
    authorization = scene.azure.authorization
    guid = authorization.role(role).name
    for each in authorization.assignments(principals=[scene.seeded.operator.object_id]):
        if each.role == guid:
            authorization.delete(each.id)
    scene.pass_(hours=1)


def _registry(**properties: Any) -> Break:
    return lambda at: _resource(at, at.seeded.registry_id).update(properties)


def _closed(scene: Scene) -> None:
    """Close the registry's network; only registries of the tier Premium have rules for the network."""
    found = scene.azure.resources.get(scene.seeded.registry_id)
    assert found
    found.sku = {"name": "Premium", "tier": "Premium"}
    found.properties["networkRuleSet"] = {"defaultAction": "Deny", "ipRules": []}


def _principal(scene: Scene) -> Any:
    found = scene.azure.directory.principal(scene.application.app_id)
    assert found
    return found


def _sign_in(app_id: str, secret: str) -> None:
    os.environ.update(AZURE_CLIENT_ID=app_id, AZURE_CLIENT_SECRET=secret)


def _bad_secret(scene: Scene) -> None:
    _sign_in(scene.seeded.operator.app_id, "not-the-secret")


def _no_such_tenant(scene: Scene) -> None:
    os.environ.update(AZURE_TENANT_ID="00000000-0000-0000-0000-00000000dead")


def _entra_down(scene: Scene) -> None:
    scene.azure.faults.planned.append(Fault("entra.token", "status", status=503, times=0))


def _up_again(scene: Scene) -> None:
    scene.azure.faults.planned.clear()


def _as_itself(scene: Scene) -> None:
    roles = (
        (f"/subscriptions/{scene.seeded.subscription}", "Owner"),
        (scene.seeded.vault_id, "Key Vault Secrets Officer"),
    )
    for scope, role in roles:
        scene.azure.authorization.assign(scope, _principal(scene).id, role, at_once=True)
    scene.azure.directory.grant(scene.application.app_id, "Application.ReadWrite.OwnedBy")
    _sign_in(scene.application.app_id, scene.password.secret)


def _no_graph_role(scene: Scene) -> None:
    found = scene.azure.directory.principal(scene.seeded.operator.app_id)
    assert found
    found.grants.clear()
    scene.azure.directory.grant(scene.seeded.operator.app_id, "Application.Read.All")


def _not_owned(scene: Scene) -> None:
    scene.application.owners.clear()


def _passwords_on_the_principal(scene: Scene) -> None:
    _principal(scene).owners.clear()
    scene.write(principal={"app_id": scene.application.app_id, "home": "service_principal"})


def _other_tenants(scene: Scene) -> None:
    scene.write(principal={"app_id": "00000000-0000-0000-0000-00000000dead"})


def _deleted(scene: Scene) -> None:
    for each in (_principal(scene), scene.application):
        scene.azure.directory.delete(each)
    scene.pass_(hours=1)


def _no_service_principal(scene: Scene) -> None:
    scene.azure.directory.delete(_principal(scene))
    scene.pass_(hours=1)


def _rotated(scene: Scene) -> None:
    said = scene("rotate")
    assert said.code == 0, said.err
    scene.pass_(minutes=5)


def _untagged(scene: Scene) -> None:
    """Strip the group's tags, while a credential lives that it may hold."""
    _rotated(scene)
    scene.azure.container_groups._known(scene.group_id()).resource.pop("tags", None)


def _locked(scene: Scene) -> None:
    scene.application.properties["servicePrincipalLockConfiguration"] = {"isEnabled": True, "allProperties": True}
    scene.write(principal={"app_id": scene.application.app_id, "home": "service_principal"})


def _full(scene: Scene) -> None:
    scene.application.properties["signInAudience"] = "AzureADandPersonalMicrosoftAccount"
    end = scene.azure.clock.now() + timedelta(days=90)
    scene.azure.directory.add_password(scene.application, display_name="unused", end=end, at_once=True)


def _full_of_an_ended_one(scene: Scene) -> None:
    _full(scene)
    scene.pass_(days=91)


def _restricted(scene: Scene, kind: str, longest: str | None = None) -> dict[str, Any]:
    scene.azure.directory.grant(scene.seeded.operator.app_id, "Policy.Read.All")
    limit = {
        "restrictionType": kind,
        "state": "enabled",
        "maxLifetime": longest,
        "restrictForAppsCreatedAfterDateTime": None,
    }
    return {"passwordCredentials": [limit], "keyCredentials": []}


def _deactivated(scene: Scene) -> None:
    scene.azure.directory.update(scene.application, {"isDisabled": True})


def _without_deactivation(scene: Scene) -> None:
    """Make Graph reject the property `isDisabled`, with no published value to try."""
    message = "Could not find a property named 'isDisabled' on type 'microsoft.graph.application'."
    scene.write(key_vault={"url": scene.seeded.vault_url, "password_secret": "not-yet"})
    for operation in ("graph.applications.get", "graph.servicePrincipals.get"):
        scene.azure.faults.add(Fault(operation, "status", status=400, code="BadRequest", message=message))


def _exempting(scene: Scene) -> None:
    """Exempt rotator by custom security attributes, which it may not read: the exemption stays unknown.

    A person looks who may read them; no administrator may by default.
    """
    scene.azure.directory.grant(scene.seeded.admin.app_id, "CustomSecAttributeAssignment.Read.All")
    attribute = {"id": "Automation_Role", "operator": "equals", "value": "rotator"}
    restrictions = _restricted(scene, "passwordAddition")
    restrictions["passwordCredentials"][0]["excludeActors"] = {"customSecurityAttributes": [attribute]}
    scene.azure.directory.state.tenant_policy.update({"isEnabled": True, "applicationRestrictions": restrictions})


def _short_lives(scene: Scene) -> None:
    restrictions = _restricted(scene, "passwordLifetime", "P60D")
    scene.azure.directory.state.tenant_policy.update({"isEnabled": True, "applicationRestrictions": restrictions})


def _forbidden(scene: Scene) -> None:
    restrictions = _restricted(scene, "passwordAddition")
    scene.azure.directory.state.tenant_policy.update({"isEnabled": True, "applicationRestrictions": restrictions})


def _forbidden_to_it(scene: Scene) -> None:
    restrictions = _restricted(scene, "passwordAddition")
    content = {"displayName": "no passwords here", "description": None, "isEnabled": True, "restrictions": restrictions}
    made = Policy("00000000-0000-0000-0000-0000000d0d0d", content)
    scene.azure.directory.state.policies[made.id] = made
    scene.application.policies.append(made.id)


def _ended(scene: Scene) -> None:
    _rotated(scene)
    scene.pass_(days=91)


def _rival(scene: Scene) -> None:
    end = scene.azure.clock.now() + timedelta(days=90)
    scene.azure.directory.add_password(
        scene.application, display_name="rotator:0123456789ab:attempt", end=end, at_once=True
    )


def _certificate(scene: Scene) -> None:
    scene.azure.directory.update(scene.application, {"keyCredentials": [entry()]})


def _lost_adds(scene: Scene) -> None:
    _rotated(scene)
    marked = next(p.display_name for p in scene.application.passwords if (p.display_name or "").startswith("rotator:"))
    assert marked
    for number in range(3):
        end = scene.azure.clock.now() + timedelta(days=90)
        name = f"{marked.rpartition(':')[0]}:lost{number}"
        scene.azure.directory.add_password(scene.application, display_name=name, end=end, at_once=True)


def _unknown_registry(scene: Scene) -> None:
    scene.write(registries=[{"id": f"{scene.seeded.registry_id}x"}])


def _unknown_and_unused(scene: Scene) -> None:
    scene.write(registries=[{"id": f"{scene.seeded.registry_id}x"}], container_groups=[])


def _one_deleted(scene: Scene) -> None:
    scene.write(registries=[{"id": scene.seeded.registry_id}, {"id": f"{scene.seeded.registry_id}x"}])


def _registry_unread(scene: Scene) -> None:
    _drop_role(scene, "rotator operator")


def _no_acr_pull(scene: Scene) -> None:
    for each in scene.azure.authorization.assignments(principals=[_principal(scene).id]):
        scene.azure.authorization.delete(each.id)
    scene.pass_(hours=1)


def _revoked(scene: Scene) -> None:
    assert scene("revoke", "mycontainerregistry", "--yes").code == 0


def _exposed(scene: Scene) -> None:
    """Declare the current credential compromised; no run has replaced it yet."""
    assert scene("rotate", "--adopt", "--no-overlap").code == 0
    scene.pass_(minutes=5)
    newest = scene.azure.vaults.get("myvault", PASSWORD)
    tags = {**(newest.tags or {}), "rotator-compromised": (newest.tags or {})["rotator-key-id"]}
    scene.azure.vaults.update("myvault", PASSWORD, None, Changes(tags=tags))


def _exposed_in_a_stopped_group(scene: Scene) -> None:
    """Replace the compromised credential, which only a stopped group still holds: no run starts such a group."""
    assert scene("rotate", "--adopt", "--no-overlap").code == 0
    scene.pass_(minutes=5)
    scene.azure.container_groups.stop(scene.group_id())
    assert scene("rotate", "mycontainerregistry", "--compromised", "--yes").code == 1
    scene.pass_(minutes=5)


def _exposed_and_revoked(scene: Scene) -> None:
    _exposed(scene)
    assert scene("revoke", "mycontainerregistry", "--yes").code == 1


def _exposed_and_covered(scene: Scene) -> None:
    _exposed(scene)
    theirs = scene.azure.directory.add_password(
        scene.application, end=scene.azure.clock.now() + timedelta(days=90), at_once=True
    )
    scene.azure.vaults.set("myvault", PASSWORD, theirs.secret)


def _killed(scene: Scene) -> None:
    """End a run after its publication, before a group has moved."""
    assert scene("rotate", "--adopt", "--no-overlap").code == 0
    scene.pass_(minutes=5)
    scene.azure.faults.add(Fault("aci.containerGroups.createOrUpdate", "reset", times=0))
    assert scene("rotate", "--force").code == 1
    scene.azure.faults.planned.clear()
    scene.pass_(minutes=5)
    newest = scene.azure.vaults.get("myvault", PASSWORD).tags or {}
    held = scene.azure.container_groups._known(scene.group_id()).resource["tags"]
    assert newest["rotator-key-id"] != held["rotator-key-id"]


def _killed_and_full(scene: Scene) -> None:
    """Leave the group with the older of the two passwords that the application may have."""
    _killed(scene)
    scene.application.properties["signInAudience"] = "AzureADandPersonalMicrosoftAccount"


def _finished(scene: Scene) -> None:
    """Run again after the overlap; check that the group could pull at each moment."""
    assert scene.pulls()
    scene.pass_(hours=25)
    assert scene("rotate").code == 0
    assert scene.pulls()


def _with_drift(broken: Break) -> Break:
    """Return the breakage with a foreign password on top afterwards."""

    def both(scene: Scene) -> None:
        broken(scene)
        end = scene.azure.clock.now() + timedelta(days=300)
        theirs = scene.azure.directory.add_password(scene.application, display_name="theirs", end=end, at_once=True)
        scene.azure.vaults.set("myvault", PASSWORD, theirs.secret)
        scene.pass_(minutes=1)

    return both


def _in_the_overlap(scene: Scene) -> None:
    assert scene("rotate", "--adopt", "--no-overlap").code == 0
    scene.pass_(minutes=5)
    assert scene("rotate", "--force").code == 0


def _ours_on_top(scene: Scene) -> None:
    """Check that our credential is published, pulls work, and the foreign password is still there."""
    tags = scene.azure.vaults.get("myvault", PASSWORD).tags or {}
    assert tags["rotator-key-id"] in scene.live()
    assert "theirs" in {each.display_name for each in scene.application.passwords}
    assert scene.pulls()


def _then(*breaks: Break) -> Break:
    def all_of_them(scene: Scene) -> None:
        for each in breaks:
            each(scene)

    return all_of_them


def _revoked_with_credentials(scene: Scene) -> None:
    """Revoke with the passwords; a foreign one prevents the proof."""
    scene("revoke", "mycontainerregistry", "--credentials", "--yes")
    scene.pass_(minutes=5)
    assert not scene.pulls()


def _locked_against_deletions(scene: Scene) -> None:
    group = f"/subscriptions/{scene.seeded.subscription}/resourceGroups/myResourceGroup"
    scene.azure.resources.lock(group, "CanNotDelete", "keep")


def _locked_against_writes(scene: Scene) -> None:
    scene.azure.resources.lock(scene.group_id(), "ReadOnly", "keep")


def _revoked_in_vain(scene: Scene) -> None:
    assert scene("revoke", "mycontainerregistry", "--yes").code == 1


def _unlock(scene: Scene) -> None:
    group = f"/subscriptions/{scene.seeded.subscription}/resourceGroups/myResourceGroup"
    scene.azure.resources.unlock(group, "keep")


def _dated(**days: int) -> Break:
    """Return a breakage that dates the newest version so many days from now."""

    def dated(scene: Scene) -> None:
        now = scene.azure.clock.now()
        dates: Any = {name: now + timedelta(days=count) for name, count in days.items()}
        scene.azure.vaults.update("myvault", PASSWORD, None, Changes(**dates))

    return dated


def _registry_down(scene: Scene) -> None:
    scene.azure.faults.planned.append(Fault("acr.*", "status", status=503, times=0))


def _access_policies(scene: Scene) -> None:
    _resource(scene, scene.seeded.vault_id).update(enableRbacAuthorization=False, accessPolicies=[])


def _firewall(scene: Scene) -> None:
    _resource(scene, scene.seeded.vault_id).update(
        networkAcls={"defaultAction": "Deny", "bypass": "AzureServices", "ipRules": []}
    )


def _vault_down(scene: Scene) -> None:
    scene.azure.faults.planned.append(Fault("keyvault.*", "status", status=503, times=0))


def _vault_within(scene: Scene) -> None:
    _resource(scene, scene.seeded.vault_id).update(publicNetworkAccess="Disabled")


def _connected(scene: Scene) -> None:
    """Open the vault, as for a machine in its network."""
    _resource(scene, scene.seeded.vault_id).update(publicNetworkAccess="Enabled")


def _no_right_to_grant(scene: Scene) -> None:
    _no_acr_pull(scene)
    _drop_role(scene, "rotator access")


def _image_gone(scene: Scene) -> None:
    scene.azure.registries.delete_tag(scene.seeded.login_server, "aci-helloworld", "v1")


def _endpoint_gone(scene: Scene) -> None:
    stored = scene.azure.container_groups.state.groups[scene.group_id().lower()].resource
    at = json.dumps(stored["properties"]).replace("mycontainerregistry.", "mycontainerregistry.northeurope.geo.")
    stored["properties"] = json.loads(at)


def _at_the_login_server(_: Scene, manifest: Path) -> None:
    manifest.write_text(manifest.read_text().replace(".northeurope.geo.", "."))


def _new_image(scene: Scene) -> None:
    """Run another tag from now on."""
    scene.azure.container_groups.delete(scene.group_id())
    scene.deploy(image=IMAGE.replace(":v1", ":latest"))


def _vault_elsewhere(scene: Scene) -> None:
    azure, other = scene.azure, "00000000-0000-0000-0000-000000000002"
    azure.resources.add_subscription(other, "Another subscription")
    azure.resources.create_group(other, "vaults", "eastus")
    vault = f"/subscriptions/{other}/resourceGroups/vaults/providers/Microsoft.KeyVault/vaults/othervault"
    azure.resources.put(
        vault, "Microsoft.KeyVault/vaults", "eastus", {"tenantId": scene.seeded.tenant, "enableRbacAuthorization": True}
    )
    for scope, role in ((vault, "Key Vault Secrets Officer"), (f"/subscriptions/{other}", "Reader")):
        azure.authorization.assign(scope, scene.seeded.operator.object_id, role, at_once=True)
    azure.vaults.set("othervault", PASSWORD, scene.password.secret)
    scene.write(key_vault={"url": "https://othervault.vault.azure.net", "password_secret": PASSWORD})


def _reader_only(scene: Scene) -> None:
    _drop_role(scene, "Key Vault Secrets Officer")
    scene.azure.authorization.assign(
        scene.seeded.vault_id, scene.seeded.operator.object_id, "Key Vault Secrets User", at_once=True
    )


def _vault_unseen(scene: Scene) -> None:
    _drop_role(scene, "rotator operator")
    _drop_role(scene, "Key Vault Secrets Officer")
    subscription = f"/subscriptions/{scene.seeded.subscription}"
    scene.azure.authorization.define(
        "secrets only", data_actions=["Microsoft.KeyVault/vaults/secrets/*"], scopes=[subscription]
    )
    scene.azure.authorization.assign(
        scene.seeded.vault_id, scene.seeded.operator.object_id, "secrets only", at_once=True
    )
    scene.azure.authorization.define(
        "without vaults",
        actions=["Microsoft.ContainerInstance/*", "Microsoft.ContainerRegistry/*"],
        scopes=[subscription],
    )
    scene.azure.authorization.assign(subscription, scene.seeded.operator.object_id, "without vaults", at_once=True)


def _no_such_vault(scene: Scene) -> None:
    scene.write(key_vault={"url": "https://nowhere.vault.azure.net", "password_secret": PASSWORD})


def _vault_deleted(scene: Scene) -> None:
    assert scene.azure.resources.delete(scene.seeded.vault_id)


def _vault_role(scene: Scene) -> None:
    vault, who = scene.seeded.vault_id, scene.seeded.operator.object_id
    scene.azure.authorization.assign(vault, who, "Key Vault Secrets Officer", at_once=True)


def _many_versions(scene: Scene) -> None:
    for _ in range(460):
        scene.azure.vaults.set("myvault", PASSWORD, scene.password.secret)


def _tagged(count: int) -> Break:
    """Return a breakage in which others have tagged the published version so many times."""
    return lambda at: at.azure.vaults.set(
        "myvault", PASSWORD, at.password.secret, {f"team-{n:02}": "it's;$HOME" for n in range(count)}
    )


def _wrong_secret(scene: Scene) -> None:
    scene.azure.vaults.set("myvault", "somebody-elses", "something else")
    scene.write(key_vault={"url": scene.seeded.vault_url, "password_secret": "somebody-elses"})


def _surrounded(text: str) -> Break:
    """Return a breakage whose published value is a text with the right password inside."""
    return lambda scene: scene.azure.vaults.set("myvault", PASSWORD, text.replace("*", scene.password.secret))


def _encoded(encode: Callable[[str], str]) -> Break:
    """Return a breakage whose published value is the right password, encoded."""
    return lambda scene: scene.azure.vaults.set("myvault", PASSWORD, encode(scene.password.secret))


def _drift(scene: Scene, around: str = "") -> None:
    assert scene("rotate", "--adopt", "--no-overlap").code == 0
    scene.pass_(minutes=5)
    end = scene.azure.clock.now() + timedelta(days=300)
    theirs = scene.azure.directory.add_password(scene.application, display_name="somebody", end=end, at_once=True)
    scene.azure.vaults.set("myvault", PASSWORD, f"{around}{theirs.secret}{around}")
    scene.pass_(minutes=1)


def _garbage_in_the_overlap(scene: Scene) -> None:
    assert scene("rotate", "--adopt", "--no-overlap").code == 0
    scene.pass_(minutes=5)
    assert scene("rotate", "--force").code == 0
    scene.azure.vaults.set("myvault", PASSWORD, "garbage")
    scene.pass_(minutes=1)


def _disabled_on_top(scene: Scene) -> None:
    _drift(scene)
    scene.azure.vaults.update("myvault", PASSWORD, None, Changes(enabled=False))


def _with_source(scene: Scene) -> None:
    secrets = {"containers/app/env/DB_PASSWORD": {"key_vault": "db-password"}}
    scene.write(container_groups=[{"id": scene.group_id(), "secrets": secrets}])


def _source(**attributes: Any) -> Break:
    """Return a breakage with an existing secret; its times are days from now."""

    def broken(scene: Scene) -> None:
        _with_source(scene)
        now = scene.azure.clock.now()
        given: Any = {
            name: now + timedelta(days=value) if name in ("exp", "nbf") else value for name, value in attributes.items()
        }
        scene.azure.vaults.set("myvault", "db-password", "hidden", **given)

    return broken


def _group_unread(scene: Scene) -> None:
    _drop_role(scene, "rotator operator")
    subscription = f"/subscriptions/{scene.seeded.subscription}"
    scene.azure.authorization.define(
        "without groups", actions=["Microsoft.KeyVault/*", "Microsoft.ContainerRegistry/*"], scopes=[subscription]
    )
    scene.azure.authorization.assign(subscription, scene.seeded.operator.object_id, "without groups", at_once=True)


def _group_unwritten(scene: Scene) -> None:
    _drop_role(scene, "rotator operator")
    scene.azure.authorization.assign(
        f"/subscriptions/{scene.seeded.subscription}", scene.seeded.operator.object_id, "Reader", at_once=True
    )


def _linked(scene: Scene) -> None:
    body = _stored(scene)
    scene.azure.container_groups.delete(scene.group_id())
    body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {scene.seeded.identity.resource_id: {}}}
    body["properties"]["imageRegistryCredentials"][0]["password"] = scene.password.secret
    _put(scene, body)


def _linked_and_not_told(scene: Scene) -> None:
    _linked(scene)
    scene.azure.faults.planned.append(Fault("rbac.permissions.list", "status", status=403, times=0))


def _stored(scene: Scene, name: str = "mycontainer") -> Any:
    return scene.azure.container_groups.stored(scene.group_id(name))


def _put(scene: Scene, body: Any, name: str = "mycontainer") -> None:
    kept = {key: body[key] for key in ("location", "properties", "tags", "identity") if key in body}
    scene.azure.container_groups.put(scene.group_id(name), kept, "2025-09-01")
    scene.pass_(minutes=5)


def _hidden(scene: Scene) -> None:
    body = _stored(scene)
    body["properties"]["containers"][0]["properties"]["environmentVariables"] = [
        {"name": "DB_PASSWORD", "secureValue": "hidden"}
    ]
    _put(scene, body)


def _job(scene: Scene) -> None:
    scene.deploy("nightly", JOB, "Never")
    scene.pass_(minutes=30)
    scene.write(container_groups=[{"id": scene.group_id()}, {"id": scene.group_id("nightly")}])


def _service(scene: Scene) -> None:
    server = scene.seeded.login_server
    scene.azure.registries.push(server, "srv", "1", exit_code=0, run_seconds=4e8)
    scene.deploy("nightly", f"{server}/srv:1", "OnFailure")
    body = _stored(scene, "nightly")
    scene.azure.container_groups.delete(scene.group_id("nightly"))
    ports = [{"protocol": "TCP", "port": 2222}]
    body["properties"]["ipAddress"] = {"type": "Public", "ports": ports}
    body["properties"]["containers"][0]["properties"]["ports"] = ports
    _put(scene, body, "nightly")
    scene.write(container_groups=[{"id": scene.group_id()}, {"id": scene.group_id("nightly")}])


def _entry_of_another_server(scene: Scene, server: str = "docker.io") -> None:
    scene.deploy("second")
    body = _stored(scene, "second")
    scene.azure.container_groups.delete(scene.group_id("second"))
    body["properties"]["containers"].append({**body["properties"]["containers"][0], "name": "other"})
    body["properties"]["imageRegistryCredentials"].append(
        {"server": server, "username": scene.application.app_id, "password": "anything"}
    )
    _put(scene, body, "second")
    scene.write(container_groups=[{"id": scene.group_id()}, {"id": scene.group_id("second")}])


def _entry_of_another_registry(scene: Scene) -> None:
    """A group pulls from a registry whose name begins with that of the policy's registry."""
    azure, registry = scene.azure, f"{scene.seeded.registry_id}2"
    made = azure.resources.put(registry, "Microsoft.ContainerRegistry/registries", "eastus", {}, sku={"name": "Basic"})
    azure.registries.push(server := str(made.properties["loginServer"]), "aci-helloworld", "v1")
    azure.authorization.assign(registry, _principal(scene).id, "AcrPull", at_once=True)
    azure.authorization.assign(registry, scene.seeded.operator.object_id, "rotator operator", at_once=True)
    scene.deploy("second")
    body = json.loads(json.dumps(_stored(scene, "second")).replace(scene.seeded.login_server, server))
    _put(scene, body, "second")
    scene.write(container_groups=[{"id": scene.group_id()}, {"id": scene.group_id("second")}])


def _without_the_other_server(scene: Scene, manifest: Path) -> None:
    document = YAML(typ="safe").load(manifest.read_text())
    document["properties"]["imageRegistryCredentials"].pop()
    with manifest.open("w") as file:
        YAML().dump(document, file)


def _of_a_profile(scene: Scene) -> None:
    scene.deploy("second")
    scene.azure.container_groups._known(scene.group_id("second")).resource["properties"]["orchestratorId"] = (
        "/somebody/elses"
    )
    scene.write(container_groups=[{"id": scene.group_id()}, {"id": scene.group_id("second")}])


def _wrong_path(scene: Scene) -> None:
    secrets = {"containers/nobody/env/PASSWORD": {"credential": "password"}}
    scene.write(container_groups=[{"id": scene.group_id(), "secrets": secrets}])


def _full_of_tags(scene: Scene) -> None:
    scene.azure.container_groups._known(scene.group_id()).resource["tags"] = {
        f"tag{number}": "x" for number in range(47)
    }


def _undeclared(scene: Scene) -> None:
    scene.deploy("stranger", IMAGE)


def _hiding(scene: Scene) -> None:
    """Add a group that pulls by other means, with a hidden value that may be the principal's password."""
    body = _stored(scene)
    body["properties"]["imageRegistryCredentials"] = []
    body["properties"]["containers"][0]["properties"].update(
        image="mcr.microsoft.com/azuredocs/aci-helloworld",
        environmentVariables=[{"name": "AZURE_CLIENT_SECRET", "secureValue": "hidden"}],
    )
    _put(scene, body, "crawler")


def _unsaid(scene: Scene) -> None:
    """The policy declares a group that pulls by other means, and doesn't say what the group hides."""
    _hiding(scene)
    scene.write(container_groups=[{"id": scene.group_id()}, {"id": scene.group_id("crawler")}])


def _missing(scene: Scene) -> None:
    scene.write(container_groups=[{"id": scene.group_id()}, {"id": scene.group_id("gone")}])


def _moved_away(scene: Scene) -> None:
    """Declare the group in another resource group than its own."""
    azure = scene.azure
    azure.resources.create_group(scene.seeded.subscription, "elsewhere", "eastus")
    scene.write(container_groups=[{"id": scene.group_id().replace("myResourceGroup", "elsewhere")}])


def _window(scene: Scene) -> None:
    assert scene("rotate", "--adopt").code == 0
    window = {"cron": "0 2 * * SAT", "duration": "1h"}
    scene.write(rotation={"validity": "30d", "renew_before": "10d", "deploy_window": window})
    scene.pass_(days=89, hours=22)


def _manifest_linked(scene: Scene) -> None:
    """Declare a group with an identity, to be made from its manifest."""
    _job_with_manifest(scene)
    file = scene.policies / "manifests" / "nightly.yaml"
    identity = f"{{type: UserAssigned, userAssignedIdentities: {{{scene.seeded.identity.resource_id}: {{}}}}}}"
    file.write_text(f"{file.read_text()}identity: {identity}\n")


def _job_with_manifest(scene: Scene) -> None:
    entry = {
        "server": scene.seeded.login_server,
        "username": "${{ credential:username }}",
        "password": "${{ credential:password }}",
    }
    container = {"name": "app", "properties": {"image": JOB, "resources": {"requests": {"cpu": 1, "memoryInGB": 1}}}}
    properties = {
        "containers": [container],
        "osType": "Linux",
        "restartPolicy": "Never",
        "imageRegistryCredentials": [entry],
    }
    (scene.policies / "manifests").mkdir()
    with (scene.policies / "manifests" / "nightly.yaml").open("w") as file:
        YAML().dump(
            {"apiVersion": "2023-05-01", "name": "nightly", "location": "eastus", "properties": properties}, file
        )
    scene.write(
        container_groups=[
            {"id": scene.group_id()},
            {"id": scene.group_id("nightly"), "manifest": "manifests/nightly.yaml"},
        ]
    )
    _drop_role(scene, "rotator operator")
    verbs = ("Instance/containerGroups/read", "Instance/containerGroups/write", "Registry/registries/read")
    actions = [*(f"Microsoft.Container{verb}" for verb in verbs), "Microsoft.KeyVault/vaults/read"]
    subscription = f"/subscriptions/{scene.seeded.subscription}"
    scene.azure.authorization.define("no logs", actions=actions, scopes=[subscription])
    scene.azure.authorization.assign(subscription, scene.seeded.operator.object_id, "no logs", at_once=True)


def _with_an_identity(scene: Scene) -> None:
    """Let the group pull with a managed identity from now on, as advised."""
    body = _stored(scene)
    group = f"/subscriptions/{scene.seeded.subscription}/resourceGroups/myResourceGroup"
    identity = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/mycontainerregistry-pull"
    scene.azure.container_groups.delete(scene.group_id())
    body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
    body["properties"]["imageRegistryCredentials"] = [{"server": scene.seeded.login_server, "identity": identity}]
    _put(scene, body)
    assert scene.pulls()


def _no_lease_directory(scene: Scene) -> None:
    leases = scene.policies.parent / "leases"
    leases.rmdir()
    leases.write_text("a file")


HOLDER = (
    "import fcntl, os, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print(os.getpid(), file=f,"
    " flush=True); print(); input()"
)


def _held(scene: Scene) -> None:
    """Hold the lease by a process that doesn't end."""
    file = scene.policies.parent / "leases" / f"{scene.application.app_id}.lock"
    command = [sys.executable, "-u", "-c", HOLDER, str(file)]
    scene.holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # type: ignore[attr-defined]
    assert scene.holder.stdout.readline() == b"\n"  # type: ignore[attr-defined]


def _let_go(scene: Scene) -> None:
    scene.holder.communicate()  # type: ignore[attr-defined]


def _fast(scene: Scene) -> None:
    scene.skew = timedelta(minutes=6)


BROWSER = "az login asks a person, in a browser"
WORLDS = (
    World("signed_in", "fail", _bad_secret, 0),
    World("signed_in", "fail", _bad_secret, 1, "as whoever az is", not_by_az=BROWSER),
    World("signed_in", "fail", _no_such_tenant, 0, "another tenant"),
    World("signed_in", "fail", _entra_down, name="no answer", before=_up_again),
    World("none_exposed", "fail", _exposed),
    World(
        "none_exposed",
        "fail",
        _exposed_in_a_stopped_group,
        way=0,
        name="a stopped group holds it, and may start",
        undeterred=True,
    ),
    World(
        "none_exposed",
        "fail",
        _exposed_in_a_stopped_group,
        way=1,
        name="a stopped group holds it, and may fail to pull",
        undeterred=True,
        types="y\n",
    ),
    World("none_exposed", "fail", _exposed_and_revoked, name="access is revoked", types="y\n"),
    World("none_exposed", "fail", _exposed_and_covered, name="somebody wrote on top of ours"),
    World(
        "none_exposed",
        "fail",
        _then(_exposed, _locked_against_deletions, _revoked_in_vain),
        name="a lock keeps the role",
        types="y\n",
    ),
    World("another", "fail", _as_itself),
    World("graph_permission", "fail", _no_graph_role),
    World("principal_found", "fail", _other_tenants),
    World("principal_found", "fail", _deleted, name="deleted"),
    World("service_principal", "fail", _no_service_principal, 0, "deleted"),
    World("service_principal", "fail", _no_service_principal, 1, "never made"),
    World("enabled", "fail", lambda at: setattr(_principal(at), "account_enabled", False)),
    World("enabled", "fail", _deactivated, name="its application is deactivated"),
    World(
        "enabled",
        "unknown",
        _without_deactivation,
        name="Graph doesn't show if its application is",
    ),
    World("application_owned", "fail", _not_owned),
    World("service_principal_owned", "fail", _passwords_on_the_principal),
    World("lock_lifted", "fail", _locked),
    World("slot_free", "fail", _full, 1),
    World("slot_free", "warn", _killed_and_full, name="in the middle of a rotation", then=_finished),
    World("slot_free", "fail", _full_of_an_ended_one, name="one has ended"),
    World("life_allowed", "fail", _short_lives),
    World("life_allowed", "warn", _exempting, name="it may exempt rotator", left="warn"),
    World("life_allowed", "fail", _forbidden, name="passwords are forbidden"),
    World("life_allowed", "fail", _forbidden_to_it, name="passwords are forbidden to it"),
    World("credential_live", "fail", _ended),
    World("credential_live", "warn", _then(_rotated, _revoked_with_credentials), name="access is revoked"),
    World("rivals", "fail", _rival, way=1),
    World("signs_in", "advice", _certificate, 0),
    World("unresolved", "fail", _lost_adds),
    World("registry_readable", "fail", _unknown_registry),
    World("registry_readable", "fail", _unknown_and_unused, 0, "no group tells which"),
    World("registry_readable", "fail", _one_deleted, 1, "one of two was deleted"),
    World("registry_readable", "fail", _registry_unread, name="a role is missing"),
    World("role_honoured", "fail", _registry(roleAssignmentMode="AbacRepositoryPermissions")),
    World("public", "fail", _registry(publicNetworkAccess="Disabled")),
    World("open_to_groups", "fail", _closed),
    World("registry_reached", "fail", _registry_down, 0, before=_up_again),
    World("registry_reached", "fail", _registry_down, 1, "accepted", left="warn"),
    World("pull_proven", "fail", _no_acr_pull),
    World("pull_proven", "fail", _no_right_to_grant, name="this identity can't grant"),
    World("pull_proven", "warn", _image_gone, 0, "the image is gone"),
    World("pull_proven", "warn", _image_gone, 1, "the image is gone for good", then=_new_image),
    World(
        "pull_proven",
        "warn",
        _endpoint_gone,
        2,
        "the endpoint of a region is gone",
        corrects=_at_the_login_server,
    ),
    World("pull_proven", "warn", _endpoint_gone, 1, "this machine can't reach a region", left="warn"),
    World("access_unrevoked", "warn", _revoked),
    World("access_unrevoked", "warn", _then(_rotated, _revoked), name="after a rotation"),
    World(
        "access_unrevoked",
        "fail",
        _then(_rotated, _locked_against_deletions, _revoked_in_vain),
        0,
        "a lock keeps the role until it is removed",
        types="y\n",
        before=_unlock,
        left="warn",
    ),
    World(
        "access_unrevoked",
        "fail",
        _then(_exposed, _locked_against_deletions, _revoked_in_vain),
        1,
        "a lock keeps the role",
        types="y\n",
        left="warn",
    ),
    World(
        "access_unrevoked",
        "fail",
        _then(_rotated, _locked_against_deletions, _revoked_in_vain),
        2,
        "a lock kept the role, and access is to go on",
    ),
    World("admin_user_off", "warn", _registry(adminUserEnabled=True)),
    World("anonymous_off", "warn", _registry(anonymousPullEnabled=True)),
    World("assignable", "advice", lambda at: _drop_role(at, "rotator access")),
    World("revocable", "advice", _locked_against_deletions, 0),
    World("vault_readable", "fail", lambda at: _drop_role(at, "Key Vault Secrets Officer")),
    World("vault_readable", "fail", _access_policies, name="access policies"),
    World("vault_readable", "fail", _firewall, name="firewall"),
    World("vault_readable", "fail", _vault_within, 0, "within its network", before=_connected),
    World("vault_readable", "fail", _vault_within, 1, "closed to others"),
    World("vault_readable", "fail", _vault_down, name="no answer", before=_up_again),
    World("vault_readable", "fail", _no_such_vault, 0, "no such vault"),
    World("vault_readable", "fail", _vault_deleted, 1, "it is deleted", then=_vault_role),
    World("settable", "fail", _reader_only),
    World("settable", "unknown", _vault_unseen, 0, "the vault is unseen"),
    World(
        "settable",
        "unknown",
        _vault_elsewhere,
        1,
        "the vault is elsewhere",
        lambda _: "00000000-0000-0000-0000-000000000002",
    ),
    World("name_free", "fail", lambda at: at.azure.vaults.delete("myvault", PASSWORD)),
    World("few_versions", "warn", _many_versions),
    World("tags_fit", "warn", _tagged(8)),
    World("tags_fit", "fail", _tagged(15), name="one can't be taken over"),
    World("value_fits", "fail", _wrong_secret, 0),
    World("value_fits", "fail", _wrong_secret, 1, "its password is gone"),
    World("value_fits", "fail", _surrounded("'*'\n"), name="it is right but for what is around it"),
    World("value_fits", "fail", _surrounded("\ufeff*\u00a0\r\n"), name="it is right but for what an editor added"),
    World("value_fits", "fail", _surrounded('{"password": "*",}'), name="it is right, in a line that was copied"),
    World(
        "value_fits", "fail", _encoded(lambda text: base64.b64encode(text.encode()).decode()), name="it is in base64"
    ),
    World("value_fits", "fail", _encoded(lambda text: text.replace("~", "%7E")), name="it is as in a URL"),
    World("undrifted", "fail", _drift, 0, "theirs is to stay"),
    World("undrifted", "fail", lambda at: _drift(at, '"'), 0, "theirs is to stay, without the quotes around it"),
    World("undrifted", "fail", lambda at: _drift(at, "\n"), 1, "theirs has line ends around it"),
    World("undrifted", "fail", _garbage_in_the_overlap, name="what is there doesn't work, and an overlap isn't over"),
    World("undrifted", "fail", _disabled_on_top, name="theirs is disabled"),
    World("undrifted", "fail", _drift, 1),
    World("undrifted", "fail", _with_drift(_killed), 0, "theirs is to stay, in the middle of a rotation"),
    World("undrifted", "fail", _with_drift(_killed), 1, "in the middle of a rotation", then=_ours_on_top),
    World("undrifted", "fail", _with_drift(_in_the_overlap), 1, "in an overlap", then=_ours_on_top),
    World("undrifted", "warn", _then(_drift, _revoked), 0, "theirs is to stay, and access is revoked"),
    World("undrifted", "warn", _then(_with_drift(_rotated), _revoked), 1, "access is revoked", then=_ours_on_top),
    World(
        "undrifted",
        "fail",
        _then(_with_drift(_in_the_overlap), _dated(nbf=9)),
        1,
        "theirs isn't valid yet",
        then=_ours_on_top,
    ),
    World("undrifted", "fail", _then(_with_drift(_rotated), _dated(exp=-1)), 1, "theirs expired", then=_ours_on_top),
    World("version_valid", "warn", _then(_rotated, _dated(nbf=9)), name="not yet"),
    World("version_valid", "warn", _then(_rotated, _dated(exp=-1)), name="no longer"),
    World("version_valid", "warn", _dated(exp=-1), name="no longer, and made by hand"),
    World("sources_there", "fail", _with_source, types="hidden\n"),
    World("sources_there", "fail", _source(enabled=False), name="disabled"),
    World("sources_valid", "warn", _source(exp=-1), 0, types="replaced\n"),
    World("sources_valid", "warn", _source(exp=-1), 1, "its value is right"),
    World("sources_valid", "warn", _source(nbf=9), name="not yet valid"),
    World("group_readable", "fail", _group_unread),
    World("group_writable", "fail", _group_unwritten),
    World("group_unlocked", "fail", _locked_against_writes),
    World("group_linkable", "fail", _linked, then=_rotated),
    World("group_linkable", "fail", _manifest_linked, name="its manifest is still to make it"),
    World(
        "group_linkable",
        "unknown",
        _linked_and_not_told,
        then=lambda at: at.azure.faults.planned.clear(),
        name="Azure doesn't tell",
    ),
    World("hidden_values_known", "fail", _hidden),
    World("jobs_decided", "fail", _job),
    World("services_said", "advice", _service),
    World("redeployable", "fail", _entry_of_another_server, 0, corrects=_without_the_other_server),
    World(
        "redeployable",
        "fail",
        _entry_of_another_registry,
        0,
        "its registry isn't in the policy",
    ),
    World(
        "redeployable",
        "fail",
        partial(_entry_of_another_server, server="mycontainerregistry-a1b2c3d4e5f6g7h8.azurecr.io"),
        1,
        "another registry of the same name",
        corrects=_without_the_other_server,
    ),
    World("redeployable", "fail", _wrong_path, 0, "a path is wrong"),
    World(
        "redeployable",
        "fail",
        _full_of_tags,
        0,
        "no room for tags",
        lambda _: "tag1=x",
        not_by_az="the emulator has no operations on tags",
    ),
    World("redeployable", "fail", _of_a_profile, 0, "made from a profile"),
    World("declared", "warn", _undeclared),
    World("passwords_declared", "advice", _hiding),
    World("passwords_said", "warn", _unsaid),
    World("holding_known", "advice", _untagged),
    World("listed", "fail", _group_unread),
    World("present", "warn", _missing, 0),
    World("present", "warn", _moved_away, 0, "it is elsewhere"),
    World("window_in_time", "fail", _window),
    World("logs_readable", "warn", _job_with_manifest),
    World("identity_instead", "advice", lambda _: None, then=_with_an_identity),
    World("clock_right", "warn", _fast),
    World("leases_kept", "fail", _no_lease_directory),
    World("lease_free", "warn", _held, 1, then=_let_go),
)
