"""Tests of pushes over HTTP, request by request: uploads, mounts, manifests, verification, and the content left after
deletions.
"""

import json

import pytest
from containers import ID, SERVER, World
from local_azure.acr.image import DOCKER_MANIFEST, INDEX, digest_of
from local_azure.acr.state import RegistryState
from local_azure.store import dump, restore
from registry import Client, Made, index_of


@pytest.fixture
def client() -> Client:
    return Client(World())


def test_an_image_pushed_at_once_is_pulled_byte_for_byte(client: Client) -> None:
    image = Made()
    answer = client.push("team/app", "v1", image)
    assert (answer.status, answer.headers["Docker-Content-Digest"]) == (201, image.digest)
    assert answer.headers["Location"] == f"/v2/team/app/manifests/{image.digest}"
    assert client.call("GET", "/v2/team/app/manifests/v1").content == image.manifest
    for content in (image.layer, image.config):
        assert client.call("GET", f"/v2/team/app/blobs/{digest_of(content)}").content == content


def test_a_blob_can_come_in_pieces_whose_order_is_checked(client: Client) -> None:
    where = client.call("POST", "/v2/app/blobs/uploads/").headers["Location"]
    first = client.call("PATCH", where, b"abc", **{"Content-Range": "0-2"})
    assert (first.status, first.headers["Range"]) == (202, "0-2")
    assert client.call("PATCH", where, b"xyz", **{"Content-Range": "1-3"}).status == 416
    second = client.call("PATCH", first.headers["Location"], b"de", **{"Content-Range": "3-4"})
    progress = client.call("GET", where)
    assert (progress.status, progress.headers["Range"], progress.headers["Docker-Upload-Uuid"]) == (
        204,
        "0-4",
        second.headers["Docker-Upload-Uuid"],
    )
    done = client.call("PUT", f"{where}&digest={digest_of(b'abcdef')}", b"f")
    assert (done.status, done.headers["Location"]) == (201, f"/v2/app/blobs/{digest_of(b'abcdef')}")
    assert client.call("GET", where).code == "BLOB_UPLOAD_UNKNOWN"


def test_a_false_digest_is_refused_and_a_cancelled_upload_is_gone(client: Client) -> None:
    where = client.call("POST", "/v2/app/blobs/uploads/").headers["Location"]
    wrong = client.call("PUT", f"{where}&digest={digest_of(b'other')}", b"this")
    assert (wrong.status, wrong.code) == (400, "DIGEST_INVALID")
    where = client.call("POST", "/v2/app/blobs/uploads/").headers["Location"]
    assert client.call("PUT", f"{where}&digest=md5:1", b"this").code == "DIGEST_INVALID"
    assert client.call("DELETE", where).status == 204
    assert client.call("DELETE", where).status == 404
    assert client.call("HEAD", f"/v2/app/blobs/{digest_of(b'this')}").status == 404


def test_a_blob_is_mounted_from_another_repository_if_the_client_may_read_it(client: Client) -> None:
    image = Made()
    client.push("one", "v1", image)
    mount = f"/v2/two/blobs/uploads/?mount={digest_of(image.layer)}&from="
    assert client.call("POST", mount + "one").status == 201
    assert client.call("POST", mount + "none").status == 202
    scope = f"/oauth2/token?service={SERVER}&scope=repository:two:pull,push"
    narrow = client.call("GET", scope).body["access_token"]
    assert client.world.registry("POST", mount + "one", bearer=narrow).status == 202
    wide = client.call("GET", f"{scope}&scope=repository:one:pull").body["access_token"]
    assert client.world.registry("POST", mount + "one", bearer=wide).status == 201


def test_a_part_of_a_blob_can_be_had(client: Client) -> None:
    client.upload("app", b"0123456789")
    path = f"/v2/app/blobs/{digest_of(b'0123456789')}"
    part = client.call("GET", path, Range="bytes=2-4")
    assert (part.status, part.content, part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    assert client.call("GET", path, Range="bytes=-3").content == b"789"
    assert client.call("GET", path, Range="bytes=8-").content == b"89"
    assert client.call("GET", path, Range="bytes=20-").status == 416
    assert client.call("GET", path, Range="lines=1").status == 200


def test_a_manifest_needs_everything_that_it_names_and_its_own_digest(client: Client) -> None:
    image = Made()
    client.upload("app", image.config)
    answer = client.put("app", "v5", image.manifest)
    assert (answer.status, answer.code, answer.body["errors"][0]["detail"]) == (
        400,
        "MANIFEST_BLOB_UNKNOWN",
        {"digest": digest_of(image.layer)},
    )
    client.upload("app", image.layer)
    assert client.put("app", "sha256:" + "0" * 64, image.manifest).code == "DIGEST_INVALID"
    assert client.put("app", "a:b:c", image.manifest).code == "DIGEST_INVALID"
    assert client.put("app", "-x", image.manifest).code == "TAG_INVALID"
    assert client.put("app", "v5", b"{").code == "MANIFEST_INVALID"
    assert (
        client.put("app", "v5", b'{"schemaVersion": 1}', "application/vnd.docker.distribution.manifest.v1+json").code
        == "MANIFEST_INVALID"
    )
    assert client.call("POST", "/v2/App/blobs/uploads/").code == "NAME_INVALID"
    assert client.put("app", image.digest, image.manifest).status == 201
    assert client.call("HEAD", f"/v2/app/manifests/{image.digest}").status == 200


def test_an_index_names_manifests_and_its_first_image_speaks_for_it(client: Client) -> None:
    images = Made(b"one", {"local-azure.exit-code": "3"}), Made(b"two")
    index = index_of(*images)
    assert client.put("app", "all", index, INDEX).code == "MANIFEST_BLOB_UNKNOWN"
    for image in images:
        client.push("app", image.digest, image)
    assert client.put("app", "all", index, INDEX).status == 201
    accept = "application/vnd.oci.image.manifest.v1+json"
    assert "index" in client.call("GET", "/v2/app/manifests/all", Accept=accept).body["errors"][0]["message"]
    assert client.call("GET", "/v2/app/manifests/all", Accept=f"{accept}, {INDEX};q=1").headers["Content-Type"] == INDEX
    assert client.world.azure.registries.stored(SERVER, "app", "all").image().exit_code == 3


def test_a_docker_manifest_is_served_as_one(client: Client) -> None:
    client.push("app", "docker", Made(kind=DOCKER_MANIFEST))
    assert (
        client.call("GET", "/v2/app/manifests/docker", Accept=DOCKER_MANIFEST).headers["Content-Type"]
        == DOCKER_MANIFEST
    )


def test_what_refers_to_an_image_is_listed_with_it(client: Client) -> None:
    image = Made()
    client.push("app", "v5", image)
    about = json.dumps(
        {**json.loads(image.manifest), "artifactType": "text/sbom", "subject": {"digest": image.digest}}
    ).encode()
    assert client.put("app", digest_of(about), about).headers["OCI-Subject"] == image.digest
    found = client.call("GET", f"/v2/app/referrers/{image.digest}").body["manifests"]
    assert [(each["digest"], each["artifactType"]) for each in found] == [(digest_of(about), "text/sbom")]
    assert client.call("GET", f"/v2/app/referrers/{image.digest}?artifactType=other").body["manifests"] == []


def test_a_manifest_goes_with_its_tags_and_only_by_digest(client: Client) -> None:
    client.push("app", "v5")
    client.push("app", "v6")
    assert (
        client.call("DELETE", "/v2/app/manifests/v5").status,
        client.call("DELETE", f"/v2/app/manifests/{Made().digest}").status,
    ) == (400, 202)
    assert client.call("GET", "/v2/app/tags/list").body["tags"] == ["latest", "v1"]
    assert client.call("DELETE", f"/v2/app/manifests/{Made().digest}").status == 404


def test_a_blob_that_no_repository_has_any_more_is_forgotten(client: Client) -> None:
    image = Made()
    client.push("one", "v1", image)
    client.push("two", "v1", image)
    state = client.world.azure.registries.state
    client.call("DELETE", "/acr/v1/one")
    assert len(state.blobs[SERVER]) == 2
    assert client.call("DELETE", f"/v2/two/blobs/{digest_of(image.layer)}").status == 202
    assert client.call("DELETE", f"/v2/two/blobs/{digest_of(image.layer)}").status == 404
    assert list(state.blobs[SERVER]) == [digest_of(image.config)]


@pytest.mark.parametrize(("label", "wrong"), [("local-azure.exit-code", "two"), ("local-azure.run-seconds", "soon")])
def test_a_label_of_the_emulators_that_is_no_number_is_refused(client: Client, label: str, wrong: str) -> None:
    assert client.push("app", "v5", Made(labels={label: wrong})).code == "MANIFEST_INVALID"


def test_a_group_pulls_and_runs_what_a_client_pushed(client: Client) -> None:
    world = client.world
    labels = {"local-azure.exit-code": "4", "local-azure.run-seconds": "30", "local-azure.logs": "pushed\n"}
    client.push("team/job", "v1", Made(labels=labels))
    world.deploy(f"{SERVER}/team/job:v1", restartPolicy="Never", seconds=31)
    assert world.view()["currentState"]["exitCode"] == 4
    assert Made(labels=labels).digest in world.view()["events"][0]["message"]
    assert world.arm("GET", f"{ID}/containers/app/logs").body == {"content": "pushed\n"}


def test_what_was_pushed_survives_a_restart_of_the_emulator(client: Client) -> None:
    image = Made()
    client.push("app", "v5", image)
    where = client.call("POST", "/v2/app/blobs/uploads/").headers["Location"]
    client.call("PATCH", where, b"\xff\x00")
    saved = json.loads(json.dumps(dump(client.world.azure)))
    again = Client(World(), client.basic)
    restore(again.world.azure, saved)
    assert again.world.azure.registries.state == client.world.azure.registries.state
    assert isinstance(again.world.azure.registries.state, RegistryState)
    again.basic = (client.world.owner.app_id, client.world.owner.secret)
    assert again.call("GET", f"/v2/app/blobs/{digest_of(image.layer)}").content == image.layer
    assert again.call("PUT", f"{where}&digest={digest_of(bytes([255, 0, 1]))}", b"\x01").status == 201
