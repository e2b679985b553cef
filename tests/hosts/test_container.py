"""Tests of docs/hosts.md, container: the Containerfile's instructions are played in order, and the image is run,
without an engine.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hosts.conftest import Signed
from tests.hosts.host import HOSTS, checkout, environment, lines, played
from tests.hosts.image import Image, instructions, script
from tests.served import ROOT, Scene, scene

pytestmark = pytest.mark.xdist_group("hosts")  # they share an emulator
FILE = HOSTS / "Containerfile"
RUN = """\
set -e
{build}
root={root}
cp /shared/authority.pem $root/etc/ssl/authority.pem
install -m 0444 -D /shared/checkout/certificate.pem $root/run/secrets/certificate.pem
cp -a {volume_in_root} /volume
mount -o remount,bind,ro $root
mount --bind /volume $root{volume}
begin() {{
	unshare --mount --pid --fork --kill-child sh -c 'mount -t proc proc {root}/proc
	. /shared/environment
	exec {inside} $(cut -d= -f1 /shared/environment | while read -r name; do eval echo "$name=\\$$name"; done) \\
		AZURE_CLIENT_CERTIFICATE_PATH=/run/secrets/certificate.pem setpriv --reuid {uid} --regid {gid} --clear-groups \\
		--no-new-privs --inh-caps=-all --bounding-set=-all "$@"' sh "$@" &
}}
echo "== writes"
begin sh -c 'id; for place in /here /opt/rotator/here /policies/here /usr/local/here {volume}/here; do
	touch $place && echo "wrote $place"; done; cat /proc/1/comm'
wait $! || true
echo "== rotate"
begin {entry}
wait $! && code=0 || code=$?
echo "code $code"
mount -o remount,bind,rw $root
cp /shared/late/policies/* $root/policies/
mount -o remount,bind,ro $root
echo "== stopped"
begin {entry} 2>/tmp/said
until grep -q "added credential" /tmp/said; do sleep 0.1; done
kill -{signal} $(pgrep -P $!)
wait $! && code=0 || code=$?
cat /tmp/said
echo "code $code"
echo "== files"
find $root/policies $root/opt/rotator/bin -type f
grep -rlF "$(cat /shared/secret)" $root/opt/rotator $root/policies $root/etc || echo "no secret"
"""


@dataclass(frozen=True)
class Seen:
    parts: dict[str, str]
    due: Scene
    late: Scene
    before: list[str]
    image: Image


def locked(command: str) -> str:
    """Return a command that uses the tests' packages in place of pip's downloads."""
    linked = "echo /opt/libraries >$(echo /opt/{0}/lib/python3.*/site-packages)/locked.pth"
    return re.sub(
        r"python3 -m pip --python /opt/(\w+)/bin/python install --no-cache-dir --require-hashes --requirement \S+",
        lambda found: linked.format(found[1]),
        command,
    )


@pytest.fixture(name="seen", scope="module")
def _seen(tmp_path_factory: pytest.TempPathFactory, signed: Signed) -> Seen:
    folder = tmp_path_factory.mktemp("container")
    azure = signed.azure
    for name in ("due", "late"):
        (folder / name).mkdir()
    due, late = scene(azure, folder / "due"), scene(azure, folder / "late")
    late.write(proof={"times": 5, "over": "4m", "deadline": "5m"})
    context(folder, due, signed.certificate)
    (folder / "environment").write_text(lines(environment(azure, folder)))
    (folder / "secret").write_text(azure.seeded.operator.secret)
    before = late.keys()
    build, image = script(FILE, "/shared/checkout", locked)
    uid, gid = image.user.split(":")
    (volume,) = image.volumes
    steps = RUN.format(
        build=build,
        root=image.root,
        volume=volume,
        volume_in_root=image.root + volume,
        inside=image.inside(),
        uid=uid,
        gid=gid,
        entry=shlex.join([*image.entry, *image.command]),
        signal=image.signal.removeprefix("SIG"),
    )
    said = played(folder, "sh", steps)
    first, *parts = re.split("^== (.*)\n", said, flags=re.MULTILINE)
    return Seen({"": first, **dict(zip(parts[::2], parts[1::2], strict=True))}, due, late, before, image)


def context(folder: Path, made: Scene, certificate: bytes) -> None:
    """Make the checkout for the build of the image."""
    checkout(folder, made, {"certificate.pem": certificate})
    place = folder / "checkout"
    for name in ("function", "rotator", "pyproject.toml", "README.md", "LICENSE", "requirements-build.lock"):
        (place / name).symlink_to(f"/opt/source/{name}")
    for schema in (ROOT / "policies").glob("*.json"):
        (place / "policies" / schema.name).write_bytes(schema.read_bytes())


def test_the_image_rotates_as_a_user_without_rights_on_a_root_that_is_read_only(seen: Seen) -> None:
    assert "uid=65532 gid=65532 groups=65532" in seen.parts["writes"]
    assert re.findall(r"^wrote (.*)", seen.parts["writes"], re.MULTILINE) == ["/var/lib/rotator/here"]
    assert "code 0" in seen.parts["rotate"] and f"{seen.due.name}: 1 done (exit 0)" in seen.parts["rotate"]
    assert seen.due.published() != seen.due.by_hand and seen.due.authenticates(seen.due.published())


def test_a_container_that_is_stopped_takes_back_what_it_added(seen: Seen) -> None:
    part = seen.parts["stopped"]
    assert "code 143" in part and "Interrupted by SIGTERM" in part
    assert seen.late.keys() == seen.before
    assert seen.late.published() == seen.late.by_hand


def test_the_image_has_the_policies_and_no_secret(seen: Seen) -> None:
    files = re.findall(r"^/stages/last(/\S+)$", seen.parts["files"], re.MULTILINE)
    assert f"/policies/{seen.due.name}.yaml" in files and "/opt/rotator/bin/rotator" in files
    assert [name for name in files if name.endswith(("/pip", ".pem"))] == []
    assert "no secret" in seen.parts["files"]


def test_the_file_names_no_host_and_no_identity_and_pins_every_package() -> None:
    said = " ".join(rest for _, rest in instructions(FILE))
    assert re.findall(r"://|AZURE_CLIENT|AZURE_TENANT|SECRET|ADD ", said) == []
    installs = [rest for name, rest in instructions(FILE) if name == "RUN" and " install -" in rest and "pip" in rest]
    assert installs and all("--require-hashes" in each or "--no-deps --no-index" in each for each in installs)
    assert [rest for name, rest in instructions(FILE) if name == "USER"] == ["65532:65532"]
