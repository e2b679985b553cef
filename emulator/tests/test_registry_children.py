"""Replications and webhooks of registries, and images that come from elsewhere."""

import json
from datetime import timedelta
from typing import Any

import pytest
from containers import ARM, GROUP, REGISTRY, SERVER, Answer, World
from local_azure.acr.image import INDEX, digest_of
from local_azure.arm.behaviour import REGISTRIES, State
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
        "Succeeded",
        True,
        "Disabled",
    )
    assert properties["status"]["displayStatus"] == "Ready"
    assert sorted(each["name"] for each in call(world, "GET", f"{REGISTRY}/replications").body["value"]) == [
        "centralus",
        "eastus",
    ]
    changed = call(world, "PATCH", place, {"tags": {"a": "b"}, "properties": {"regionEndpointEnabled": False}}).body
    assert (changed["tags"], changed["properties"]["regionEndpointEnabled"]) == ({"a": "b"}, False)
    call(world, "PATCH", REGISTRY, {"properties": {"dataEndpointEnabled": True}})
    hosts = [f"mycontainerregistry.{region}.data.azurecr.io" for region in ("centralus", "eastus")]
    assert call(world, "GET", REGISTRY).body["properties"]["dataEndpointHostNames"] == hosts
    assert [call(world, method, place).status for method in ("DELETE", "DELETE", "GET")] == [200, 204, 404]


def test_replications_are_of_premium_registries(world: World) -> None:
    call(world, "PUT", OTHER, {"location": "eastus", "sku": {"name": "Standard"}})
    refused = call(world, "PUT", f"{OTHER}/replications/westus", {"location": "westus"})
    assert (refused.status, refused.body["status"]) == (400, "Failed")
    assert call(world, "GET", f"{OTHER}/replications").body == {"value": []}


def test_a_replication_takes_its_time(world: World) -> None:
    world = World(Timing(role_active=0, secret_valid=0, replicas=1))
    made = call(world, "PUT", f"{REGISTRY}/replications/westus", {"location": "westus"})
    assert made.body["properties"]["provisioningState"] == "Creating"
    url = made.headers["Azure-AsyncOperation"]
    assert world.arm("GET", url).body == {"status": "Creating"}
    world.wait(seconds=10)
    assert world.arm("GET", url).body == {"status": "Succeeded"}
    assert call(world, "GET", f"{REGISTRY}/replications/westus").body["properties"]["provisioningState"] == "Succeeded"


def test_a_webhook_hides_whom_it_calls_and_keeps_what_it_would_have_said(world: World) -> None:
    hook, secret = f"{REGISTRY}/webhooks/mywebhook", {"Authorization": "Basic hidden"}
    properties = {"serviceUri": "http://example.com", "customHeaders": secret, "actions": ["push"], "scope": "app"}
    made = call(world, "PUT", hook, {"location": "eastus", "properties": properties})
    assert made.status == 201
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
    assert second["eventResponseMessage"]["statusCode"] == "502"
    assert "hidden" not in json.dumps([first, second])
    used = {row["name"]: row["currentValue"] for row in call(world, "GET", f"{REGISTRY}/listUsages").body["value"]}
    assert used["Webhooks"] == 1
    adapter = TypeAdapter(State)
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
    assert take(world, PUBLIC).status == 200
    assert take(world, PUBLIC, "copy:v1", "copy:v2").status == 200
    found = [
        world.azure.registries.stored(SERVER, *each.split(":")).digest
        for each in ("hello-world:latest", "copy:v1", "copy:v2")
    ]
    assert len(set(found)) == 1
    world.deploy(f"{SERVER}/hello-world:latest")
    untagged = take(world, PUBLIC, untaggedTargetRepositories=["bare"])
    assert (untagged.status, world.azure.registries.stored(SERVER, "bare", found[0]).digest) == (200, found[0])


def test_a_tag_that_exists_is_moved_only_by_force(world: World) -> None:
    before = world.azure.registries.stored(SERVER, "app", "v1").digest
    refused = take(world, PUBLIC, "app:v1")
    assert (refused.status, refused.code) == (409, "Conflict")
    assert world.azure.registries.stored(SERVER, "app", "v1").digest == before
    assert take(world, PUBLIC, "app:v1", mode="Force").status == 200
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
    assert take(world, {"resourceId": REGISTRY, "sourceImage": "made:v1"}, "taken:v1", registry=OTHER).status == 200
    there = "another1.azurecr.io"
    assert world.azure.registries.stored(there, "taken", "v1").digest == digest_of(index)
    assert contents.blob(there, "taken", digest_of(layer)) == layer
    assert (
        take(
            world, {"resourceId": REGISTRY, "sourceImage": f"made@{stored.digest}"}, "digest:v1", registry=OTHER
        ).status
        == 200
    )
    assert take(world, {"registryUri": SERVER, "sourceImage": "app:v1"}, registry=OTHER).status == 200
    assert contents.has(there, "app", "v1")


def test_an_import_reads_the_source_as_the_caller_or_with_what_it_is_given(world: World) -> None:
    call(world, "PUT", OTHER, {"location": "eastus", "sku": {"name": "Basic"}})
    mover = world.principal("mover")
    world.azure.authorization.assign(OTHER, mover.oid, "Contributor", at_once=True)
    source = {"registryUri": SERVER, "sourceImage": "app:v1"}
    refused = take(world, source, registry=OTHER, who=mover)
    assert (refused.status, refused.code) == (400, "InvalidParameters")
    given = {"username": world.puller.app_id, "password": world.puller.secret}
    assert take(world, {**source, "credentials": given}, registry=OTHER, who=mover).status == 200
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
    assert world.arm("GET", begun.headers["Location"]).status == 202
    world.clock.advance(timedelta(seconds=10))
    assert world.arm("GET", begun.headers["Location"]).status == 200


def test_what_a_registry_cannot_be_given_here_it_has_none_of(world: World) -> None:
    for kind in (
        "privateEndpointConnections",
        "cacheRules",
        "credentialSets",
        "tasks",
        "runs",
        "agentPools",
        "connectedRegistries",
    ):
        assert call(world, "GET", f"{REGISTRY}/{kind}").body == {"value": []}
        assert call(world, "PUT", f"{REGISTRY}/{kind}/one", {}).status == 501
