"""Tests of ACR's own API, by which ``az acr repository`` and ``az acr manifest`` read, lock and delete."""

import json

import pytest
from containers import SERVER, World
from registry import Client, Made

OPEN = {"deleteEnabled": True, "writeEnabled": True, "readEnabled": True, "listEnabled": True}


@pytest.fixture
def client() -> Client:
    world = World()
    world.wait(hours=1)
    made = Client(world)
    made.push("team/app", "v1")
    world.wait(hours=1)
    made.push("team/app", "v2", Made(b"other"))
    return made


def change(client: Client, path: str, **switches: bool) -> int:
    return client.call("PATCH", path, json.dumps(switches).encode()).status


def test_a_repository_shows_its_dates_counts_and_switches(client: Client) -> None:
    assert client.call("GET", "/acr/v1/team/app").body == {
        "registry": SERVER,
        "imageName": "team/app",
        "createdTime": "2026-03-01T13:00:00.0000000Z",
        "lastUpdateTime": "2026-03-01T14:00:00.0000000Z",
        "manifestCount": 2,
        "tagCount": 2,
        "changeableAttributes": OPEN,
    }
    assert client.call("GET", "/acr/v1/none").code == "NAME_UNKNOWN"
    assert client.call("GET", "/acr/v1/_catalog").body == {"repositories": ["app", "job", "team/app"]}


def test_tags_come_by_name_or_time_in_pages(client: Client) -> None:
    first = client.call("GET", "/acr/v1/team%2Fapp/_tags?n=1&orderby=timedesc")
    assert [tag["name"] for tag in first.body["tags"]] == ["v2"]
    assert ("Cache-Control" in first.headers, first.headers["X-Content-Type-Options"]) == (False, "nosniff")
    following = first.headers["Link"].partition(">")[0].removeprefix("<")
    assert following.startswith("/acr/v1/team%2Fapp/_tags?")
    second = client.call("GET", following)
    assert ([tag["name"] for tag in second.body["tags"]], "Link" in second.headers) == (["v1"], False)
    assert [tag["name"] for tag in client.call("GET", "/acr/v1/team/app/_tags?orderby=timeasc").body["tags"]] == [
        "v1",
        "v2",
    ]
    assert [
        tag["name"] for tag in client.call("GET", f"/acr/v1/team/app/_tags?digest={Made().digest}").body["tags"]
    ] == ["v1"]
    assert client.call("GET", "/acr/v1/team/app/_tags?n=-1").code == "PAGINATION_NUMBER_INVALID"
    shown = client.call("GET", "/acr/v1/team/app/_tags/v1").body["tag"]
    assert (shown["digest"], shown["createdTime"], shown["changeableAttributes"]) == (
        Made().digest,
        "2026-03-01T13:00:00.0000000Z",
        OPEN,
    )


NONE = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("method", "path", "code", "message"),
    [
        ("GET", "/acr/v1/team/app/_tags/v9", "TAG_UNKNOWN", "the specified tag does not exist"),
        ("DELETE", "/acr/v1/team/app/_tags/v9", "TAG_UNKNOWN", "the specified tag does not exist"),
        ("GET", f"/acr/v1/team/app/_manifests/{NONE}", "MANIFEST_UNKNOWN", "manifest unknown"),
        ("DELETE", f"/v2/team/app/manifests/{NONE}", "MANIFEST_UNKNOWN", f"manifest {NONE} is not found"),
        ("DELETE", f"/v2/team/app/blobs/{NONE}", "BLOB_UNKNOWN", "blob unknown to registry"),
    ],
)
def test_what_is_not_there_is_refused_without_a_detail(
    client: Client, method: str, path: str, code: str, message: str
) -> None:
    missing = client.call(method, path)
    assert (missing.status, missing.body["errors"]) == (404, [{"code": code, "message": message}])


def test_manifests_show_size_platform_and_tags(client: Client) -> None:
    image = Made()
    listed = client.call("GET", "/acr/v1/team/app/_manifests?orderby=timeasc").body["manifests"]
    assert listed[0] == client.call("GET", f"/acr/v1/team/app/_manifests/{image.digest}").body["manifest"]
    assert listed[0] == {
        "digest": image.digest,
        "imageSize": len(image.layer) + len(image.config),
        "createdTime": "2026-03-01T13:00:00.0000000Z",
        "lastUpdateTime": "2026-03-01T13:00:00.0000000Z",
        "architecture": "arm64",
        "os": "linux",
        "mediaType": image.kind,
        "configMediaType": "application/vnd.oci.image.config.v1+json",
        "tags": ["v1"],
        "changeableAttributes": OPEN,
    }


def test_a_tag_goes_alone_and_its_manifest_stays(client: Client) -> None:
    assert client.call("DELETE", "/acr/v1/team/app/_tags/v1").status == 202
    assert client.call("DELETE", "/acr/v1/team/app/_tags/v1").status == 404
    assert "tags" not in client.call("GET", f"/acr/v1/team/app/_manifests/{Made().digest}").body["manifest"]


def test_a_repository_goes_with_everything_in_it(client: Client) -> None:
    gone = client.call("DELETE", "/acr/v1/team/app")
    assert (gone.status, gone.body["tagsDeleted"], len(gone.body["manifestsDeleted"])) == (202, ["v1", "v2"], 2)
    assert client.call("GET", "/v2/team/app/tags/list").status == 404


def test_a_locked_image_can_be_neither_pushed_nor_deleted_nor_pulled(client: Client) -> None:
    tag = "/acr/v1/team/app/_tags/v1"
    assert change(client, tag, writeEnabled=False, deleteEnabled=False) == 200
    answers = [
        client.push("team/app", "v1", Made(b"new")),
        client.call("DELETE", tag),
        client.call("DELETE", "/acr/v1/team/app"),
    ]
    answers.append(client.call("DELETE", f"/v2/team/app/manifests/{Made().digest}"))
    assert {(answer.status, answer.code) for answer in answers} == {(405, "DENIED")}
    assert (
        "The operation is disallowed on this registry, repository or image." in answers[0].body["errors"][0]["message"]
    )
    assert change(client, f"/acr/v1/team/app/_manifests/{Made().digest}", readEnabled=False) == 200
    assert client.call("GET", "/v2/team/app/manifests/v1").status == 405
    assert not client.world.azure.registries.could_pull(
        client.world.owner.app_id, client.world.owner.secret, SERVER, "team/app", "v1"
    )
    assert change(client, "/acr/v1/team/app", listEnabled=False) == 200
    assert "team/app" not in client.call("GET", "/v2/_catalog").body["repositories"]
    assert client.call("PATCH", tag, b"{").status == 400


def test_locks_and_deletions_need_rights_of_their_own(client: Client) -> None:
    world = client.world
    puller = Client(world, world.basic)
    assert puller.call("GET", "/acr/v1/team/app").status == 200
    answers = [
        puller.call("PATCH", "/acr/v1/team/app", b"{}"),
        puller.call("DELETE", "/acr/v1/team/app"),
        puller.call("DELETE", "/acr/v1/app/_tags/v1"),
    ]
    assert {(answer.status, answer.code) for answer in answers} == {(403, "DENIED")}
