"""Tests in Azure China and US Government: every verb uses the names of the tenant's cloud, and no request goes to
another cloud.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from local_azure.arm.clouds import CHINA, US_GOVERNMENT, Cloud
from local_azure.environment import MISLEADING, exports, shell
from local_azure.virtual import VirtualLoop
from local_azure.wire import Request

from rotator.cloud import CLOUDS
from rotator.engine import adopt, grant, revoke
from tests.invariants import monitored, rested
from tests.matrices.test_crash_matrix import whole
from tests.served import Served, scene, serving
from tests.stage import GROUPS, play, stage, watched

pytestmark = pytest.mark.xdist_group("waiting")  # one worker waits in real time while the others compute

SOVEREIGN = pytest.mark.parametrize("cloud", [US_GOVERNMENT, CHINA], ids=lambda cloud: cloud.short)


def _of(cloud: Cloud, host: str) -> bool:
    return host in (cloud.login, cloud.graph, cloud.resource_manager) or host.endswith(
        (f".{cloud.vaults}", f".{cloud.registries}")
    )


@SOVEREIGN
def test_rotate_revoke_and_grant_ask_only_the_names_of_their_cloud(cloud: Cloud) -> None:
    async def life(loop: VirtualLoop) -> None:
        made = stage(loop, cloud=cloud)
        scopes: set[str] = set()

        def hear(number: int, operation: str, request: Request) -> None:
            if operation == "entra.token":
                scopes.update(parse_qs(request.body.decode())["scope"])

        with watched(made, before=hear):
            await made.with_world(lambda run: adopt(run, None))
            with monitored(made, GROUPS):
                await whole(made)
            assert rested(made)
            assert (await made.with_world(lambda run: revoke(run, wait=True))).exit_code == 0
            assert not any(made.azure.container_groups.could_pull(made.group_id(name)) for name in GROUPS)
            assert (await made.with_world(grant)).exit_code == 0
        made.pass_(minutes=15)
        assert all(made.azure.container_groups.could_pull(made.group_id(name)) for name in GROUPS)
        assert {call.host for call in made.app.served if not _of(cloud, call.host)} == set()
        assert len(scopes) == 3
        assert all(
            _of(cloud, scope.removeprefix("https://").removesuffix("/.default")) or cloud.vaults in scope
            for scope in scopes
        )

    play(life)


def test_the_table_says_the_same_as_the_metadata_of_azure() -> None:
    for cloud in (US_GOVERNMENT, CHINA):
        ours = CLOUDS[cloud.short]
        assert (ours.az, ours.authority, ours.graph) == (cloud.name, cloud.login, f"https://{cloud.graph}")
        assert (ours.arm, ours.vault_suffix, ours.registry_suffix) == (
            f"https://{cloud.resource_manager}",
            cloud.vaults,
            cloud.registries,
        )


@pytest.fixture(scope="module", params=[pytest.param("china", marks=pytest.mark.soak), "usgov"])
def azure(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served") / "state", request.param) as served:
        yield served


def test_the_real_command_rotates_revokes_and_grants_with_nothing_but_the_emulators_exports(
    azure: Served, tmp_path: Path
) -> None:
    rotator = scene(azure, tmp_path)
    begun = len(azure.calls())
    done = rotator("rotate", rotator.name, "--adopt", "--no-overlap")
    assert done.code == 0, done.text
    assert rotator.keys() != [rotator.key_id]
    assert rotator.authenticates(rotator.published())
    assert not rotator.authenticates(rotator.by_hand)
    assert rotator.moves()
    assert rotator("revoke", rotator.name, "--yes").code == 0
    assert not rotator.moves()
    assert rotator("grant", rotator.name).code == 0
    assert rotator.moves()
    cloud = next(each for each in (US_GOVERNMENT, CHINA) if each.short == azure.seeded.cloud)
    hosts = {call["host"] for call in azure.calls()[begun:]} - {"control.local-azure.internal"}
    assert {host for host in hosts if not _of(cloud, host)} == set()


def test_the_public_cloud_refuses_a_policy_of_another_ones_before_any_request(azure: Served, tmp_path: Path) -> None:
    rotator = scene(azure, tmp_path)
    begun = len(azure.calls())
    done = rotator("rotate", "--cloud", "public")
    assert done.code == 2
    assert f"--cloud {azure.seeded.cloud}" in done.text
    assert len(azure.calls()) == begun


def test_a_shell_is_led_into_the_cloud_and_out_of_it_again(azure: Served) -> None:
    cloud = CLOUDS[azure.seeded.cloud]
    given = exports(azure.directory)
    assert given["AZURE_AUTHORITY_HOST"] == f"https://{cloud.authority}"
    assert (given["AZURE_CLOUD_NAME"], given["ROTATOR_CLOUD"]) == (cloud.az, cloud.name)
    assert {"AZURE_AUTHORITY_HOST", "AZURE_CLOUD_NAME", "ROTATOR_CLOUD"} <= set(MISLEADING)
    assert shell(given).startswith("unset ")


AZ = os.environ.get("ROTATOR_AZ")


@pytest.mark.skipif(AZ is None, reason="the Azure CLI is not here: name it in ROTATOR_AZ")
def test_stock_az_signs_in_and_reads_the_vault_by_the_clouds_names(azure: Served, tmp_path: Path) -> None:
    assert AZ is not None
    given = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], **exports(azure.directory, "admin", az=True)}
    who = (
        "--username",
        given["AZURE_CLIENT_ID"],
        f"--password={given['AZURE_CLIENT_SECRET']}",
        "--tenant",
        given["AZURE_TENANT_ID"],
    )

    def az(*words: str) -> str:
        done = subprocess.run(
            [str(AZ), *words, "--output", "tsv"], env=given, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    az("login", "--service-principal", *who)
    assert az("keyvault", "show", "--name", "myvault", "--query", "properties.vaultUri") == f"{azure.seeded.vault_url}/"
    az("keyvault", "secret", "set", "--vault-name", "myvault", "--name", "greeting", "--value", "hello")
    assert az("acr", "show", "--name", "mycontainerregistry", "--query", "loginServer") == azure.seeded.login_server
