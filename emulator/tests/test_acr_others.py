"""Tests of the emulated registry with other programs: skopeo as a client, Docker's own registry as a second opinion.

They run where the programs are installed (Debian: ``apt-get install skopeo docker-registry``); they are no
dependencies.
"""

import http.client
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from containers import World
from local_azure.acr.image import INDEX, digest_of
from local_azure.environment import exports
from registry import Client, Made, index_of
from serving import Served, serving

SKOPEO, REGISTRY = shutil.which("skopeo"), shutil.which("docker-registry")
NO_SKOPEO = "skopeo is not here: Debian's package of that name has it"
NO_REGISTRY = "Docker's registry is not here: Debian's package docker-registry has it"
SERVER = "mycontainerregistry.azurecr.io"


@dataclass
class Skopeo:
    """Skopeo as an operator of the served emulator runs it: through its proxy, with its authority trusted."""

    azure: Served
    home: Path

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"HOME": str(self.home), "PATH": os.environ["PATH"], **exports(self.azure.directory)}
        (self.home / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        command = [str(SKOPEO), "--policy", str(self.home / "policy.json"), *arguments]
        return subprocess.run(command, env=environment, cwd=self.home, capture_output=True, text=True, check=False)

    def done(self, *arguments: str) -> str:
        ran = self(*arguments)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


@pytest.mark.skipif(SKOPEO is None, reason=NO_SKOPEO)
def test_skopeo_copies_inspects_lists_and_deletes(tmp_path: Path) -> None:
    with serving(tmp_path / "state") as azure:
        skopeo, admin = Skopeo(azure, tmp_path), azure.seeded.admin
        creds = f"{admin.app_id}:{admin.secret}"
        source, copy = f"docker://{SERVER}/hello-world:v1", f"docker://{SERVER}/team/copy:v2"
        skopeo.done("copy", "--src-creds", creds, source, "oci:here:v1")
        skopeo.done("copy", "--dest-creds", creds, "oci:here:v1", copy)
        skopeo.done("copy", "--src-creds", creds, "--dest-creds", creds, copy, f"docker://{SERVER}/team/copy:v3")
        skopeo.done("copy", "--dest-creds", creds, "--format", "v2s2", "oci:here:v1", f"docker://{SERVER}/docker:v1")
        seen = json.loads(skopeo.done("inspect", "--creds", creds, copy))
        assert seen["Digest"] == json.loads(skopeo.done("inspect", "--creds", creds, source))["Digest"]
        assert json.loads(skopeo.done("list-tags", "--creds", creds, f"docker://{SERVER}/team/copy"))["Tags"] == [
            "v2",
            "v3",
        ]
        raw = json.loads(skopeo.done("inspect", "--raw", "--creds", creds, f"docker://{SERVER}/docker:v1"))
        assert raw["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
        skopeo.done("delete", "--creds", creds, copy)
        gone = skopeo("inspect", "--creds", creds, copy)
        assert (gone.returncode, "manifest unknown" in gone.stderr) == (1, True)
        refused = skopeo("inspect", "--creds", f"{admin.app_id}:wrong", source)
        assert (refused.returncode, "Invalid clientid or client secret." in refused.stderr) == (1, True)


@dataclass(frozen=True)
class Seen:
    """Parts of an answer that both registries must agree about, without the ids that each draws."""

    status: int
    headers: dict[str, str]
    codes: list[str]
    content: bytes


COMPARED = (
    "docker-distribution-api-version",
    "docker-content-digest",
    "content-type",
    "location",
    "range",
    "content-range",
    "content-length",
)


def seen(status: int, headers: dict[str, str], body: bytes, method: str) -> Seen:
    found = {name.lower(): value for name, value in headers.items() if name.lower() in COMPARED}
    for name in ("location", "link"):
        if name in found:
            path = re.sub(r"^https?://[^/]+", "", found[name])
            found[name] = re.sub(r"(uploads/)[^?]+\?.*", r"\1…", path)
    errors = json.loads(body)["errors"] if status >= 400 and body and method != "HEAD" else []
    if status >= 400 or status == 204:
        found = {
            name: value
            for name, value in found.items()
            if name not in ("content-length", "content-type", "docker-content-digest", "content-range")
        }
    shown = b"" if errors or method == "HEAD" or found.get("content-type", "").startswith("application/json") else body
    if found.get("content-type", "").startswith("application/json"):
        found.pop("content-length")
    return Seen(status, found, [error["code"] for error in errors], shown)


class Docker:
    """Docker's registry in memory, on a port of this machine."""

    def __init__(self, path: Path) -> None:
        settings = {
            "version": 0.1,
            "storage": {"inmemory": {}, "delete": {"enabled": True}},
            "http": {"addr": "127.0.0.1:0", "relativeurls": True},
            "log": {"accesslog": {"disabled": True}},
        }
        (path / "registry.yml").write_text(json.dumps(settings))
        command = [str(REGISTRY), "serve", str(path / "registry.yml")]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env={"OTEL_TRACES_EXPORTER": "none"}
        )
        said = self.process.stderr
        assert said is not None
        self.port = next(
            int(match[1]) for line in said if (match := re.search(r"listening on 127\.0\.0\.1:(\d+)", line))
        )

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[Seen, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content, found = answer.read(), dict(answer.getheaders())
        connection.close()
        return seen(answer.status, found, content, method), found.get("Location", "")


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[Docker]:
    made = Docker(tmp_path)
    yield made
    made.close()


class Both:
    """Both registries, asked the same questions, with the differences between their answers."""

    def __init__(self, client: Client, docker: Docker) -> None:
        self.client, self.docker = client, docker
        self.differences: list[tuple[str, Seen, Seen]] = []
        self.where = ("", "")

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = MappingProxyType({})) -> int:
        """Ask both registries; return our status, and record a difference. ``HERE`` in the path is the address of the
        open upload.
        """
        ours = self.client.call(method, path.replace("HERE", self.where[0]), body, **headers)
        mine = seen(ours.status, dict(ours.headers), ours.content, method)
        theirs, location = self.docker.ask(method, path.replace("HERE", self.where[1]), body, **headers)
        if "Location" in ours.headers:
            self.where = (ours.headers["Location"], location)
        if mine != theirs:
            self.differences.append((f"{method} {path}", mine, theirs))
        return mine.status


IMAGE, OTHER = Made(b"one"), Made(b"two")
LAYER, CONFIG = digest_of(IMAGE.layer), digest_of(IMAGE.config)
OCI = {"Content-Type": IMAGE.kind}
TAKES = {"Accept": f"{IMAGE.kind}, {INDEX}"}


def blob(both: Both, repository: str, content: bytes) -> None:
    both.ask("POST", f"/v2/{repository}/blobs/uploads/")
    both.ask("PUT", f"HERE&digest={digest_of(content)}", content)


def story(both: Both) -> None:
    """Make every kind of request to a registry, once."""
    both.ask("GET", "/v2/")
    both.ask("HEAD", f"/v2/new/one/blobs/{LAYER}")
    both.ask("POST", "/v2/new/one/blobs/uploads/")
    both.ask("PATCH", "HERE", IMAGE.layer[:2])
    both.ask("GET", "HERE")
    both.ask("PATCH", "HERE", IMAGE.layer[2:])
    both.ask("PUT", f"HERE&digest={LAYER}")
    blob(both, "new/one", IMAGE.config)
    both.ask("HEAD", f"/v2/new/one/blobs/{LAYER}")
    both.ask("GET", f"/v2/new/one/blobs/{CONFIG}")
    both.ask("POST", f"/v2/new/two/blobs/uploads/?mount={LAYER}&from=new/one")
    both.ask("POST", "/v2/new/one/blobs/uploads/")
    both.ask("PUT", f"HERE&digest={LAYER}", b"other")
    both.ask("POST", "/v2/new/one/blobs/uploads/")
    both.ask("DELETE", "HERE")
    both.ask("GET", "HERE")
    both.ask("PUT", "/v2/new/two/manifests/v1", IMAGE.manifest, OCI)
    both.ask("PUT", "/v2/new/one/manifests/v1", IMAGE.manifest, OCI)
    both.ask("PUT", "/v2/new/one/manifests/latest", IMAGE.manifest, OCI)
    both.ask("PUT", f"/v2/new/one/manifests/{OTHER.digest}", IMAGE.manifest, OCI)
    both.ask("PUT", "/v2/new/one/manifests/v2", b"{", OCI)
    both.ask("HEAD", "/v2/new/one/manifests/v1", headers=TAKES)
    both.ask("GET", f"/v2/new/one/manifests/{IMAGE.digest}", headers=TAKES)
    both.ask("GET", "/v2/new/one/manifests/v9", headers=TAKES)
    both.ask("GET", f"/v2/new/one/manifests/{OTHER.digest}", headers=TAKES)
    both.ask("PUT", "/v2/new/one/manifests/all", index_of(IMAGE), {"Content-Type": INDEX})
    both.ask("GET", "/v2/new/one/manifests/all", headers=TAKES)
    both.ask("GET", "/v2/new/one/tags/list")
    both.ask("GET", f"/v2/none/blobs/{LAYER}")
    both.ask("DELETE", f"/v2/none/blobs/{LAYER}")
    both.ask("GET", "/v2/none/tags/list")
    both.ask("DELETE", "/v2/new/one/manifests/v1")
    both.ask("DELETE", f"/v2/new/one/manifests/{IMAGE.digest}")
    both.ask("DELETE", f"/v2/new/one/manifests/{IMAGE.digest}")
    both.ask("DELETE", f"/v2/new/one/blobs/{CONFIG}")
    both.ask("DELETE", f"/v2/new/one/blobs/{CONFIG}")


@pytest.mark.skipif(REGISTRY is None, reason=NO_REGISTRY)
def test_dockers_own_registry_answers_the_same(docker: Docker) -> None:
    both = Both(Client(World()), docker)
    story(both)
    said: list[Any] = [f"{step}\n  ours   {mine}\n  theirs {theirs}" for step, mine, theirs in both.differences]
    assert not said, "\n".join(said)
