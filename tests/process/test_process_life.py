"""Test of a principal's whole life by real processes over HTTPS: one policy file, five commands, each killed, then run,
then repeated.

Death comes by SIGKILL while a request waits: before Azure got it, or after its effect.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bare import MANIFEST
from tests.served import ACR_PULL, ARM, ROOT, Json, Scene, Served, serving

pytestmark = pytest.mark.xdist_group("process_life")  # they share the module's fixtures
DRAFT = """\
# Who pulls, and from where: ask the platform team.
principal:
    display_name: {name}   # provision finds or makes it
registries:
  - id: {registry}   # the only one
key_vault: {{url: "{vault}", password_secret: {name}-pwd, username_secret: {name}-usr}}
proof: {{times: 1, over: 0s}}
container_groups:
  - id: {group}
    manifest: manifests/app.yaml
"""
PROVISION = (
    ("graph.applications.upsert", "after", 1),
    ("graph.servicePrincipals.create", "before", 1),
    ("keyvault.secrets.set", "after", 2),
)
"""Moments of death: the application is made and not in the file; it is in the file; the password is published, after
the user name.
"""
DIES = """\
import os, signal, sys
from pathlib import Path
from rotator.cli.commands.provision import save
os.{call} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
save(Path(sys.argv[1]), "5d3c0a52-0000-0000-0000-000000000000")
"""


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served") / "state") as served:
        yield served


@pytest.fixture
def rotator(azure: Served, tmp_path: Path) -> Iterator[Scene]:
    """Provide a scene with nothing but a draft, linked to a file with rights for others, and its manifest."""
    azure.made += 1
    made = Scene(azure, tmp_path, f"newcomer{azure.made}")
    (made.policies / "manifests").mkdir(parents=True)
    (made.policies / "manifests" / "app.yaml").write_text(MANIFEST)
    real = tmp_path / "real.yaml"
    real.write_text(
        DRAFT.format(
            name=made.name, registry=azure.seeded.registry_id, vault=azure.seeded.vault_url, group=made.group_id
        ),
        newline="\r\n",
    )
    real.chmod(0o640)
    policy(made).symlink_to(real)
    yield made
    azure.control("DELETE", "/faults")


def policy(made: Scene) -> Path:
    return made.policies / f"{made.name}.yaml"


def intact(made: Scene, before: bytes) -> None:
    """Check that the file is unchanged but for the app id of the one application, with the same rights and the same
    link to it.
    """
    now = policy(made).read_bytes()
    lines = [line for line in now.splitlines(keepends=True) if b"app_id: " not in line]
    assert b"".join(lines) == before
    assert policy(made).is_symlink() and policy(made).stat().st_mode & 0o777 == 0o640
    if now != before:
        (made.app_id,) = [
            each["appId"] for each in made.azure.world()["principals"] if each["displayName"] == made.name
        ] or [app_id(made)]
        assert app_id(made) == made.app_id


def app_id(made: Scene) -> str:
    return policy(made).read_text().split("app_id: ")[1].split()[0]


def killed(made: Scene, operation: str, when: str, *command: str, nth: int = 1) -> None:
    """Begin a command, and kill it while the request waits."""
    made.azure.fault(operation, "timeout", when=when, nth=nth)
    before = len(made.azure.control("GET", "/faults")["struck"])
    process = made.begin(*command)
    made.azure.until(lambda: len(made.azure.control("GET", "/faults")["struck"]) > before or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "it had ended before"
    made.azure.control("DELETE", "/faults")


def twice(made: Scene, *command: str, again: tuple[str, ...] = ()) -> None:
    """Run a command to its end twice; the second run writes nothing."""
    since = 0
    for more in ((), again):
        since = len(made.azure.calls())
        said = made(*command, *more)
        assert said.code == 0, said
    wrote = [call["operation"] for call in made.azure.calls()[since:] if call["method"] not in ("GET", "HEAD")]
    assert [operation for operation in wrote if not operation.startswith(("entra.", "acr."))] == []


def whole(made: Scene) -> None:
    """Check for one application, service principal, role, password and user name, and for a group that pulls."""
    world = made.azure.world()
    (principal,) = [each for each in world["principals"] if each["displayName"] == made.name]
    assert (made.app_id, principal["appId"]) == (app_id(made), app_id(made))
    assert len(roles(made, principal)) == 1
    enabled = [version for version in made.versions() if version["enabled"]]
    assert (
        [version["tags"]["rotator-key-id"] for version in enabled]
        == made.keys()
        == [made.shown()["tags"]["rotator-key-id"]]
    )
    assert (
        made.azure.call("GET", f"{made.azure.seeded.vault_url}/secrets/{made.name}-usr/?api-version=7.4")["value"]
        == made.app_id
    )
    assert made.authenticates(made.published()) and made.moves()


def roles(made: Scene, principal: Json) -> list[Json]:
    url = (
        f"{ARM}{made.azure.seeded.registry_id}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01"
    )
    found = made.azure.call("GET", f"{url}&$filter=principalId%20eq%20'{principal['servicePrincipalId']}'")["value"]
    assert all(each["properties"]["roleDefinitionId"].endswith(ACR_PULL) for each in found)
    return list(found)


@pytest.mark.soak
def test_from_an_empty_subscription_to_the_end_and_back_with_every_command_killed_and_repeated(rotator: Scene) -> None:
    before = policy(rotator).read_bytes()
    for operation, when, nth in PROVISION:
        killed(rotator, operation, when, "provision", rotator.name, "--yes", nth=nth)
        intact(rotator, before)
    twice(rotator, "provision", rotator.name, "--yes")
    intact(rotator, before)
    whole(rotator)
    forced = ("rotate", rotator.name, "--force", "--no-overlap")
    killed(rotator, "keyvault.secrets.set", "after", *forced)
    assert rotator.moves()
    twice(rotator, "rotate", rotator.name, "--no-overlap")
    whole(rotator)
    killed(rotator, "rbac.roleAssignments.delete", "after", "revoke", rotator.name, "--yes")
    twice(rotator, "revoke", rotator.name, "--yes", again=("--no-wait",))
    assert not rotator.moves()
    twice(rotator, "rotate", rotator.name)
    assert not rotator.moves(), "every later run respects the mark"
    killed(rotator, "rbac.roleAssignments.create", "after", "grant", rotator.name)
    twice(rotator, "grant", rotator.name)
    twice(rotator, "rotate", rotator.name)
    whole(rotator)
    intact(rotator, before)


@pytest.mark.parametrize("call", ["fsync", "fchmod", "replace"])
def test_who_is_killed_while_the_policy_is_written_leaves_it_as_it_was(call: str, tmp_path: Path) -> None:
    from rotator.cli.commands.provision import save

    file = tmp_path / "a.yaml"
    file.write_text("# why\nprincipal: {display_name: x}\n")
    before = file.read_bytes()
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    died = subprocess.run([sys.executable, "-c", DIES.format(call=call), str(file)], env=environment, check=False)
    assert died.returncode == -signal.SIGKILL
    assert file.read_bytes() == before
    save(file, "5d3c0a52-0000-0000-0000-000000000000")
    assert file.read_text() == "# why\nprincipal: {app_id: 5d3c0a52-0000-0000-0000-000000000000, display_name: x}\n"


def test_the_policy_keeps_its_owner(tmp_path: Path) -> None:
    from rotator.cli.commands.provision import save

    file = tmp_path / "a.yaml"
    file.write_text("principal: {display_name: x}\n")
    owner = (12_345, 12_346) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(file, *owner)
    save(file, "5d3c0a52-0000-0000-0000-000000000000")
    assert (file.stat().st_uid, file.stat().st_gid) == owner
