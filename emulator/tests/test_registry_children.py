"""Tests of replications and webhooks of registries, and of imported images."""

import json
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from containers import ARM, GROUP, ID, REGISTRY, SERVER, Answer, World
from local_azure.acr.image import INDEX, build, digest_of
from local_azure.arm.behaviour import REGISTRIES, ResourceState
from local_azure.faults import Broken
from local_azure.timing import Timing
from pydantic import TypeAdapter

OTHER = f"{GROUP}/providers/{REGISTRIES}/another1"
PUBLIC = {"registryUri": "mcr.microsoft.com", "sourceImage": "hello-world:latest"}


@pytest.fixture
def world() -> World:
    return World()


def call(world: World, method: str, path: str, body: object = None, who: Any = None) -> Answer:
    return world.arm(method, f"{ARM}{path}?api-version=2023-07-01", body, who=who)


def take(
    world: World, source: dict[str, Any], *tags: str, registry: str = REGISTRY, who: Any = None, **more: Any
) -> Answer:
    return call(world, "POST", f"{registry}/importImage", {"source": source, "targetTags": list(tags), **more}, who)


def test_a_registry_is_replicated_to_regions_and_the_first_brings_its_home(world: World) -> None:
    place = f"{REGISTRY}/replications/centralus"
    made = call(world, "PUT", place, {"location": "Central US"})
    assert (made.status, made.body["location"], made.body["type"]) == (201, "centralus", f"{REGISTRIES}/replications")
    properties = made.body["properties"]
    assert (properties["provisioningState"], properties["regionEndpointEnabled"], properties["zoneRedundancy"]) == (
        "Creating",
        True,
        "Disabled",
    )
    assert set(properties["status"]) == {"timestamp"}
    assert world.arm("GET", made.headers["Azure-AsyncOperation"]).body == {"status": "Succeeded"}
    shown = call(world, "GET", place).body
    assert (shown["properties"]["status"]["displayStatus"], shown["systemData"]["createdBy"]) == (
        "Ready",
        world.owner.app_id,
    )
    listed = call(world, "GET", f"{REGISTRY}/replications").body["value"]
    assert [each["name"] for each in listed] == ["centralus", "eastus"]
    assert listed[1]["systemData"]["createdBy"] == "6a0ec4d3-30cb-4a83-91c0-ae56bc0e3d26"
    patched = call(world, "PATCH", place, {"tags": {"a": "b"}, "properties": {"regionEndpointEnabled": False}})
    assert (patched.status, patched.body["properties"]["provisioningState"]) == (201, "Updating")
    changed = patched.body
    assert (changed["tags"], changed["properties"]["regionEndpointEnabled"]) == ({"a": "b"}, False)
    call(world, "PATCH", REGISTRY, {"properties": {"dataEndpointEnabled": True}})
    hosts = [f"mycontainerregistry.{region}.data.azurecr.io" for region in ("centralus", "eastus")]
    assert call(world, "GET", REGISTRY).body["properties"]["dataEndpointHostNames"] == hosts
    gone = call(world, "DELETE", place)
    assert (gone.status, gone.content, gone.headers["Retry-After"]) == (202, b"null", "10")
    assert "/locations/centralus/operationResults/replications-" in gone.headers["Location"]
    ended = world.arm("GET", gone.headers["Location"])
    assert (ended.status, ended.content) == (200, b"")
    assert [call(world, method, place).status for method in ("DELETE", "GET")] == [204, 404]
    missing = call(world, "GET", place)
    assert (missing.body["status"], "x-ms-failure-cause" in missing.headers) == ("Failed", False)
    assert missing.body["error"]["message"] == "The resource centralus could not be found."
    removed = call(world, "DELETE", REGISTRY)
    assert (removed.status, removed.body["properties"]["provisioningState"]) == (202, "Deleting")
    assert "/locations/eastus/operationResults/registries-" in removed.headers["Location"]
    assert world.arm("GET", removed.headers["Location"]).status == 200


def test_replications_are_of_premium_registries(world: World) -> None:
    call(world, "PUT", OTHER, {"location": "eastus", "sku": {"name": "Standard"}})
    refused = call(world, "PUT", f"{OTHER}/replications/westus", {"location": "westus"})
    assert (refused.status, refused.body["status"]) == (400, "Failed")
    assert call(world, "GET", f"{OTHER}/replications").body == {"value": []}


def test_a_zone_redundant_registry_has_its_home_replication_from_the_start(world: World) -> None:
    body = {"location": "eastus", "sku": {"name": "Premium"}, "properties": {"zoneRedundancy": "Enabled"}}
    call(world, "PUT", OTHER, body)
    assert call(world, "GET", f"{OTHER}/replications/eastus").body["properties"]["zoneRedundancy"] == "Enabled"
    assert call(world, "GET", f"{REGISTRY}/replications").body == {"value": []}


def test_a_patch_of_network_rules_leaves_those_that_it_does_not_name(world: World) -> None:
    latest, subnet = f"{ARM}{REGISTRY}?api-version=2026-09-01-preview", f"{GROUP}/providers/Microsoft.Network/x"
    rules = {
        "defaultAction": "Deny",
        "virtualNetworkRules": [{"virtualNetworkSubnetResourceId": subnet}],
        "ipRules": [{"value": "192.0.2.1"}],
    }
    world.arm("PATCH", latest, {"properties": {"networkRuleSet": rules}})
    changed = world.arm("PATCH", latest, {"properties": {"networkRuleSet": {"defaultAction": "Allow"}}}).body
    assert changed["properties"]["networkRuleSet"] == {
        "defaultAction": "Allow",
        "virtualNetworkRules": [{"virtualNetworkSubnetResourceId": subnet, "action": "Allow"}],
        "ipRules": [{"action": "Allow", "value": "192.0.2.1"}],
    }


def test_a_replication_takes_its_time(world: World) -> None:
    world = World(Timing(role_active=0, secret_valid=0, replicas=1))
    made = call(world, "PUT", f"{REGISTRY}/replications/westus", {"location": "westus"})
    assert made.body["properties"]["provisioningState"] == "Creating"
    url = made.headers["Azure-AsyncOperation"]
    assert world.arm("GET", url).body == {"status": "Creating"}
    pending = call(world, "GET", f"{REGISTRY}/replications/westus").body["properties"]
    assert (pending["provisioningState"], set(pending["status"])) == ("Creating", {"timestamp"})
    world.wait(seconds=10)
    assert world.arm("GET", url).body == {"status": "Succeeded"}
    assert call(world, "GET", f"{REGISTRY}/replications/westus").body["properties"]["provisioningState"] == "Succeeded"


def test_a_webhook_hides_whom_it_calls_and_keeps_what_it_would_have_said(world: World) -> None:
    hook, secret = f"{REGISTRY}/webhooks/mywebhook", {"Authorization": "Basic hidden", "X-Team": "blue"}
    properties = {"serviceUri": "http://example.com", "customHeaders": secret, "actions": ["push"], "scope": "app"}
    made = call(world, "PUT", hook, {"location": "eastus", "properties": properties})
    assert (made.status, made.body["systemData"]["createdBy"]) == (200, world.owner.app_id)
    assert made.body["properties"] == {
        "status": "enabled",
        "scope": "app",
        "actions": ["push"],
        "provisioningState": "Succeeded",
    }
    assert call(world, "POST", f"{hook}/getCallbackConfig").body == {
        "serviceUri": "http://example.com",
        "customHeaders": secret,
    }
    pinged = call(world, "POST", f"{hook}/ping").body["id"]
    world.azure.registries.push(SERVER, "app", "v7")
    world.azure.registries.push(SERVER, "job", "v7")
    first, second = call(world, "POST", f"{hook}/listEvents").body["value"]
    assert (first["id"], first["eventRequestMessage"]["content"]["action"]) == (pinged, "ping")
    content = second["eventRequestMessage"]["content"]
    assert (content["action"], content["target"]["repository"], content["target"]["tag"]) == ("push", "app", "v7")
    assert content["target"]["digest"] == world.azure.registries.stored(SERVER, "app", "v7").digest
    sent = second["eventRequestMessage"]
    assert (sent["requestUri"], sent["headers"]["User-Agent"]) == ("http://example.com/", "AzureContainerRegistry/1.0")
    assert (sent["headers"]["X-Team"], sent["headers"]["Authorization"]) == ("blue", "******")
    assert second["eventResponseMessage"]["statusCode"] == "502"
    assert "hidden" not in json.dumps([first, second])
    used = {row["name"]: row["currentValue"] for row in call(world, "GET", f"{REGISTRY}/listUsages").body["value"]}
    assert used["Webhooks"] == 1
    adapter = TypeAdapter(ResourceState)
    assert adapter.validate_json(adapter.dump_json(world.azure.resources.state)) == world.azure.resources.state


def test_a_webhook_hears_only_of_what_it_wants(world: World) -> None:
    hook = f"{REGISTRY}/webhooks/mywebhook"
    body = {"location": "eastus", "properties": {"serviceUri": "http://example.com", "actions": ["delete"]}}
    call(world, "PUT", hook, body)
    world.azure.registries.push(SERVER, "app", "v7")
    world.azure.registries.delete_tag(SERVER, "app", "v7")
    [event] = call(world, "POST", f"{hook}/listEvents").body["value"]
    assert event["eventRequestMessage"]["content"]["action"] == "delete"
    call(world, "PATCH", hook, {"properties": {"status": "disabled", "actions": ["push"]}})
    world.azure.registries.push(SERVER, "app", "v8")
    assert len(call(world, "POST", f"{hook}/listEvents").body["value"]) == 1
    assert call(world, "PATCH", hook, {"properties": {"actions": ["everything"]}}).status == 400
    assert [call(world, "DELETE", hook).status for _ in range(2)] == [200, 204]
    assert call(world, "POST", f"{hook}/ping").status == 404


def test_a_public_image_is_imported_under_its_own_name_and_is_the_same_everywhere(world: World) -> None:
    assert take(world, PUBLIC).status == 202
    assert take(world, PUBLIC, "copy:v1", "copy:v2").status == 202
    found = [
        world.azure.registries.stored(SERVER, *each.split(":")).digest
        for each in ("hello-world:latest", "copy:v1", "copy:v2")
    ]
    assert len(set(found)) == 1
    world.deploy(f"{SERVER}/hello-world:latest")
    untagged = take(world, PUBLIC, untaggedTargetRepositories=["bare"])
    assert (untagged.status, world.azure.registries.stored(SERVER, "bare", found[0]).digest) == (202, found[0])


def test_a_tag_that_exists_is_moved_only_by_force(world: World) -> None:
    before = world.azure.registries.stored(SERVER, "app", "v1").digest
    refused = take(world, PUBLIC, "app:v1")
    assert (refused.status, refused.code) == (409, "Conflict")
    assert world.azure.registries.stored(SERVER, "app", "v1").digest == before
    assert take(world, PUBLIC, "app:v1", mode="Force").status == 202
    assert world.azure.registries.stored(SERVER, "app", "v1").digest != before


def test_an_image_of_another_registry_is_imported_with_what_it_consists_of(world: World) -> None:
    call(world, "PUT", OTHER, {"location": "eastus", "sku": {"name": "Basic"}})
    contents, layer, config = world.azure.registries.contents, b"layer", b"{}"
    for content in (layer, config):
        contents.add_blob(SERVER, "made", digest_of(content), content)
    manifest = json.dumps(
        {"schemaVersion": 2, "config": {"digest": digest_of(config)}, "layers": [{"digest": digest_of(layer)}]}
    ).encode()
    stored = contents.put_manifest(
        SERVER, "made", digest_of(manifest), "application/vnd.oci.image.manifest.v1+json", manifest
    )
    index = json.dumps({"schemaVersion": 2, "manifests": [{"digest": stored.digest}]}).encode()
    contents.put_manifest(SERVER, "made", "v1", INDEX, index)
    assert take(world, {"resourceId": REGISTRY, "sourceImage": "made:v1"}, "taken:v1", registry=OTHER).status == 202
    there = "another1.azurecr.io"
    assert world.azure.registries.stored(there, "taken", "v1").digest == digest_of(index)
    assert contents.blob(there, "taken", digest_of(layer)) == layer
    assert (
        take(
            world, {"resourceId": REGISTRY, "sourceImage": f"made@{stored.digest}"}, "digest:v1", registry=OTHER
        ).status
        == 202
    )
    assert take(world, {"registryUri": SERVER, "sourceImage": "app:v1"}, registry=OTHER).status == 202
    assert contents.has(there, "app", "v1")


def test_an_import_reads_the_source_as_the_caller_or_with_what_it_is_given(world: World) -> None:
    call(world, "PUT", OTHER, {"location": "eastus", "sku": {"name": "Basic"}})
    mover = world.principal("mover")
    world.azure.authorization.assign(OTHER, mover.oid, "Contributor", at_once=True)
    source = {"registryUri": SERVER, "sourceImage": "app:v1"}
    refused = take(world, source, registry=OTHER, who=mover)
    assert (refused.status, refused.code) == (400, "InvalidParameters")
    given = {"username": world.puller.app_id, "password": world.puller.secret}
    assert take(world, {**source, "credentials": given}, registry=OTHER, who=mover).status == 202
    assert (
        take(world, {**source, "credentials": {**given, "password": "wrong"}}, "x:y", registry=OTHER, who=mover).status
        == 400
    )
    assert take(world, PUBLIC, registry=REGISTRY, who=mover).status == 403
    assert take(world, {"registryUri": SERVER, "sourceImage": "nothing:v1"}, registry=OTHER).status == 400


def test_an_import_that_takes_its_time_is_followed_by_its_location(world: World) -> None:
    world = World(Timing(role_active=0, secret_valid=0, replicas=1))
    begun = take(world, PUBLIC)
    assert (begun.status, begun.content) == (202, b"")
    assert "/locations/EASTUS/operationResults/registries-" in begun.headers["Location"]
    pending = world.arm("GET", begun.headers["Location"])
    assert (pending.status, pending.body) == (202, {"hello-world:latest": "Pending", "status": "Accepted"})
    world.clock.advance(timedelta(seconds=10))
    ended = world.arm("GET", begun.headers["Location"])
    assert (ended.status, ended.body) == (200, {"status": "Succeeded"})
    elsewhere = take(world, {"registryUri": "docker.io", "sourceImage": "library/busybox:latest"}, "busybox:v1")
    assert world.arm("GET", elsewhere.headers["Location"]).body == {"status": "Accepted"}


def test_what_a_registry_cannot_be_given_here_it_has_none_of(world: World) -> None:
    for kind in ("tasks", "runs", "agentPools"):
        assert call(world, "GET", f"{REGISTRY}/{kind}").body == {"value": []}
        assert call(world, "PUT", f"{REGISTRY}/{kind}/one", {}).status == 501
    for kind in ("tasks", "agentPools"):
        absent = call(world, "GET", f"{REGISTRY}/{kind}/one")
        assert (absent.status, absent.code, f"/{kind}/one'" in absent.body["error"]["message"]) == (
            *(404, "ResourceNotFound"),
            True,
        )


def test_tokens_and_scope_maps_are_changed_by_operations_at_any_timing(world: World) -> None:
    scope_map, token = f"{REGISTRY}/scopeMaps/readers", f"{REGISTRY}/tokens/puller"
    rights = {"actions": ["repositories/app/content/read"]}
    for path, properties in ((scope_map, rights), (token, {"scopeMapId": scope_map})):
        for method, word in (("PUT", "Creating"), ("PATCH", "Updating")):
            answer = call(world, method, path, {"properties": properties})
            assert (answer.status, answer.body["properties"]["provisioningState"]) == (201, word)
            url = answer.headers["Azure-AsyncOperation"]
            assert f"{path}/operationStatuses/token-" in url
            assert world.arm("GET", url).body == {"status": "Succeeded"}
    shown = call(world, "GET", token).body
    assert list(shown) == ["type", "id", "name", "systemData", "properties"]
    assert list(shown["properties"]) == ["creationDate", "provisioningState", "scopeMapId", "credentials", "status"]
    assert shown["properties"]["credentials"] == {"passwords": []}
    maps = call(world, "GET", f"{REGISTRY}/scopeMaps").body["value"]
    assert ["systemData" in each for each in maps if each["name"].startswith("_")] == [False] * 5
    assert [call(world, "DELETE", path).status for path in (token, scope_map, token)] == [202, 202, 204]


def test_credential_sets_have_an_identity_that_may_or_may_not_read_the_secrets(world: World) -> None:
    path, vault = f"{REGISTRY}/credentialSets/docker", "https://myvault.vault.azure.net/secrets"
    entry = {"name": "Credential1", "usernameSecretIdentifier": f"{vault}/u", "passwordSecretIdentifier": f"{vault}/p"}
    body = {
        "properties": {"loginServer": "docker.io", "authCredentials": [entry]},
        "identity": {"type": "SystemAssigned"},
    }
    made = call(world, "PUT", path, body)
    assert (made.status, made.body["properties"]["provisioningState"]) == (201, "Creating")
    assert "/operationStatuses/credentialsets-" in made.headers["Azure-AsyncOperation"]
    shown = call(world, "GET", path).body
    assert (shown["identity"]["type"], shown["properties"]["loginServer"]) == ("systemAssigned", "docker.io")
    health = shown["properties"]["authCredentials"][0]["credentialHealth"]
    assert (health["status"], health["errorCode"]) == ("Unhealthy", "Forbidden")
    principal = shown["identity"]["principalId"]
    scope = f"{GROUP}/providers/Microsoft.KeyVault/vaults/myvault"
    world.azure.authorization.assign(scope, principal, "Key Vault Secrets User", at_once=True)
    listed = call(world, "GET", f"{REGISTRY}/credentialSets").body["value"]
    assert listed[0]["properties"]["authCredentials"][0]["credentialHealth"] == {"status": "Healthy"}
    assert call(world, "PATCH", path, {"properties": {"authCredentials": []}}).status == 201
    assert [call(world, "DELETE", path).status for _ in range(2)] == [202, 204]
    assert world.azure.directory.principal_by_id(principal) is None
    assert call(world, "PUT", path, {"properties": {"loginServer": "docker.io"}}).status == 400


def test_a_regional_endpoint_serves_while_it_is_switched_on(world: World) -> None:
    host = "mycontainerregistry.eastus.geo.azurecr.io"
    with pytest.raises(Broken):
        world.send("GET", f"https://{host}/v2/")
    world.arm(
        "PATCH", f"{ARM}{REGISTRY}?api-version=2026-03-01-preview", {"properties": {"regionalEndpoints": "Enabled"}}
    )
    challenge = world.send("GET", f"https://{host}/v2/app/manifests/v1")
    assert (challenge.status, f'service="{host}"' in challenge.headers["WWW-Authenticate"]) == (401, True)
    user = {"Authorization": "Basic " + b64encode(":".join(world.basic).encode()).decode()}
    found = world.send("GET", f"https://{host}/v2/app/manifests/v1", None, user)
    assert found.status == 200
    body = world.body(f"{host}/app:v1")
    body["properties"]["imageRegistryCredentials"][0]["server"] = host
    assert world.arm("PUT", ID, body).status == 201


def test_a_cache_rule_brings_what_is_missing_at_the_first_pull_by_tag(world: World) -> None:
    path, contents = f"{REGISTRY}/cacheRules/ubuntu", world.azure.registries.contents
    rule = {"sourceRepository": "docker.io/library/ubuntu", "targetRepository": "ubuntu"}
    made = call(world, "PUT", path, {"properties": {**rule, "credentialSetResourceId": f"{REGISTRY}/credentialSets/x"}})
    assert (made.status, made.body["properties"]["provisioningState"]) == (201, "Creating")
    assert "/operationStatuses/cacherules-" in made.headers["Azure-AsyncOperation"]
    assert list(made.body["properties"])[:3] == ["credentialSetResourceId", "sourceRepository", "targetRepository"]
    changed = call(world, "PATCH", path, {"properties": {"credentialSetResourceId": None}}).body["properties"]
    assert (changed["provisioningState"], "credentialSetResourceId" in changed) == ("Updating", False)
    assert not contents.has(SERVER, "ubuntu", "24.04")
    world.deploy(f"{SERVER}/ubuntu:24.04")
    assert contents.has(SERVER, "ubuntu", "24.04")
    assert contents.stored(SERVER, "ubuntu", "24.04").digest != contents.stored(SERVER, "ubuntu", "22.04").digest
    other = {"sourceRepository": "mcr.microsoft.com/dotnet/*", "targetRepository": "dotnet/*"}
    assert call(world, "PUT", f"{REGISTRY}/cacheRules/dotnet", {"properties": other}).status == 201
    assert contents.stored(SERVER, "dotnet/sdk", "8.0").digest == build("mcr.microsoft.com/dotnet/sdk:8.0").digest
    assert [each["name"] for each in call(world, "GET", f"{REGISTRY}/cacheRules").body["value"]] == ["ubuntu", "dotnet"]
    for wrong, status in (
        ({**rule, "sourceRepository": f"{SERVER}/app", "targetRepository": "x"}, 501),
        (rule, 409),
        ({"sourceRepository": "docker.io/library/*", "targetRepository": "x"}, 400),
        ({"sourceRepository": "docker.io/library/ubuntu"}, 400),
    ):
        assert call(world, "PUT", f"{REGISTRY}/cacheRules/wrong", {"properties": wrong}).status == status
    assert [call(world, "DELETE", path).status for _ in range(2)] == [202, 204]


def test_the_key_of_an_encrypted_registry_is_shown_with_its_version(world: World) -> None:
    key = {"keyIdentifier": "https://myvault.vault.azure.net/keys/k/3c1d23fec54040e78781eb88bf52ef7a", "identity": "i"}
    body = {"status": "enabled", "keyVaultProperties": key}
    made = call(
        world, "PUT", OTHER, {"location": "eastus", "sku": {"name": "Premium"}, "properties": {"encryption": body}}
    )
    shown = made.body["properties"]["encryption"]["keyVaultProperties"]
    assert list(shown) == ["keyIdentifier", "versionedKeyIdentifier", "identity", "keyRotationEnabled"]
    assert (shown["versionedKeyIdentifier"], shown["keyRotationEnabled"]) == (key["keyIdentifier"], False)
    other = {**body, "keyVaultProperties": {**key, "keyIdentifier": key["keyIdentifier"].replace("/k/", "/l/")}}
    for asked, rotated in ((body, False), (other, True), (other, True)):
        call(world, "PATCH", OTHER, {"properties": {"encryption": asked}})
        shown = call(world, "GET", OTHER).body["properties"]["encryption"]["keyVaultProperties"]
        assert ("lastKeyRotationTimestamp" in shown) is rotated


def test_a_change_that_azure_runs_as_an_operation_is_answered_as_one(world: World) -> None:
    previews = "2023-11-01-preview"
    made = world.arm("PUT", f"{ARM}{OTHER}?api-version={previews}", {"location": "eastus", "sku": {"name": "Basic"}})
    assert (made.status, made.body["properties"]["provisioningState"]) == (201, "Creating")
    again = world.arm("PUT", f"{ARM}{REGISTRY}?api-version={previews}", {"location": "eastus", "sku": made.body["sku"]})
    assert again.body["properties"]["provisioningState"] == "Updating" and "Azure-AsyncOperation" in again.headers
    for body, status in (
        ({"properties": {"adminUserEnabled": True}}, 200),
        ({"identity": {"type": "SystemAssigned"}}, 201),
        ({"sku": {"name": "Standard"}, "properties": {"anonymousPullEnabled": True}}, 201),
    ):
        changed = call(world, "PATCH", OTHER, body)
        assert (changed.status, "Azure-AsyncOperation" in changed.headers) == (status, status == 201)
    listed = world.arm("GET", f"{GROUP}/resources").body["value"]
    [identity] = [each["identity"]["type"] for each in listed if each["name"] == "another1"]
    assert (identity, call(world, "GET", OTHER).body["identity"]["type"]) == ("SystemAssigned", "systemAssigned")
    older = f"{ARM}{REGISTRY}/scopeMaps/readers?api-version=2020-11-01-preview"
    assert world.arm("PUT", older, {"properties": {"actions": ["repositories/app/content/read"]}}).status == 200


@pytest.mark.parametrize(("tier", "status"), [("Basic", 200), ("Standard", 200), ("Premium", 201)])
def test_a_premium_registry_is_made_by_an_operation_at_any_timing(world: World, tier: str, status: int) -> None:
    made = call(world, "PUT", OTHER, {"location": "eastus", "sku": {"name": tier}})
    assert (made.status, "Azure-AsyncOperation" in made.headers) == (status, status == 201)
    state = made.body["properties"]["provisioningState"]
    assert state == ("Creating" if status == 201 else "Succeeded")
    assert call(world, "GET", OTHER).body["properties"]["provisioningState"] == "Succeeded"
    rules = {"networkRuleSet": {"defaultAction": "Allow", "ipRules": [{"action": "Forbidden", "value": "192.0.2.1"}]}}
    if tier == "Premium":
        patched = call(world, "PATCH", OTHER, {"properties": rules})
        assert patched.body["properties"]["networkRuleSet"]["ipRules"] == [{"action": "Allow", "value": "192.0.2.1"}]
    gone = call(world, "DELETE", OTHER)
    assert (gone.status, gone.headers["api-supported-versions"]) == (200, "2023-07-01")
