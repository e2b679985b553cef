"""Tests of real processes over HTTPS: killed at the worst moments, and run with common mistakes."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cells import cell
from tests.served import ARM, Scene, Served, scene, serving

pytestmark = pytest.mark.xdist_group("process")  # they share the module's fixtures

MISTAKEN = """\
principal:
  app_id: nobody
registries: []
key_vault:
  url: http://myvault
  password_secret: my_secret
rotation:
  validity: 90
  renew_befor: 30d
"""
MISTAKES = ((2, 11), (3, 13), (5, 8), (6, 20), (8, 13), (9, 3))
"""Line and column of each mistake in the text above."""


Changes = Callable[[Scene], dict[str, Any]]


def _vault(name: str, secret: str) -> dict[str, Any]:
    return {"key_vault": {"url": f"https://{name}.vault.azure.net", "password_secret": secret}}


FIRST, LAST = "a vault without permission", "a secret that is something else"
"""Case tried by a look and by a run; the others by a run alone."""
WRONG: dict[str, tuple[int, Changes, tuple[str, ...]]] = {
    FIRST: (
        1,
        lambda at: _vault("closedvault", at.secret),
        (
            "Key Vault refused to",
            "closedvault.vault.azure.net",
            "ForbiddenByRbac",
            "--role 'Key Vault Secrets Officer'",
        ),
    ),
    "a missing registry": (
        1,
        lambda at: {"registries": [{"id": f"{at.azure.seeded.registry_id}x"}]},
        ("registry mycontainerregistryx doesn't exist", "Correct the registry's id"),
    ),
    "an unknown principal": (
        1,
        lambda _: {"principal": {"app_id": "00000000-0000-0000-0000-00000000dead"}},
        ("no application or service principal with app id 00000000-0000-0000-0000-00000000dead", "principal.app_id"),
    ),
    LAST: (
        3,
        lambda _: _vault("myvault", "orders-database"),
        ("the value of orders-database doesn't authenticate as {0.app_id}", "key_vault.password_secret"),
    ),
}
"""Exit code, the mistake, and the required words about it."""


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served") / "state") as served:
        vault = served.seeded.vault_id.replace("myvault", "closedvault")
        properties = {
            "tenantId": served.seeded.tenant,
            "enableRbacAuthorization": True,
            "sku": {"family": "A", "name": "standard"},
        }
        served.call("PUT", f"{ARM}{vault}?api-version=2026-02-01", {"location": "eastus", "properties": properties})
        served.call(
            "PUT",
            f"{served.seeded.vault_url}/secrets/orders-database?api-version=7.4",
            {"value": "postgres://somewhere"},
        )
        yield served


@pytest.fixture
def rotator(azure: Served, tmp_path: Path) -> Iterator[Scene]:
    yield scene(azure, tmp_path)
    azure.control("DELETE", "/faults")


FIRST_ROTATION = ("--adopt", "--no-overlap")


def killed(rotator: Scene, operation: str, when: str, nth: int) -> None:
    """Rotate, and kill the process in the midst of a request: before Azure got it, or after its effect."""
    rotator.azure.fault(operation, "timeout", when=when, nth=nth)
    before = len(rotator.azure.control("GET", "/faults")["struck"])
    process = rotator.begin("rotate", rotator.name, *FIRST_ROTATION)
    rotator.azure.until(
        lambda: len(rotator.azure.control("GET", "/faults")["struck"]) > before or process.poll() is not None
    )
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    rotator.azure.control("DELETE", "/faults")


def unharmed(rotator: Scene) -> None:
    """Check that the published value works, and the group could be moved at any moment."""
    assert rotator.authenticates(rotator.published())
    assert rotator.moves()


@pytest.mark.parametrize(
    ("operation", "when", "nth"),
    [
        cell(operation, when, nth, name=f"{operation}-{when}-{nth}", soak=soak)
        for operation, when, nth, soak in (
            ("graph.applications.addPassword", "after", 1, False),
            ("keyvault.secrets.set", "after", 1, True),
            ("aci.containerGroups.createOrUpdate", "after", 1, True),
            ("graph.applications.removePassword", "after", 1, True),
            ("[agkr]*", "before", 12, True),
        )
    ],
)
def test_whoever_is_killed_leaves_nothing_that_the_same_command_does_not_finish(
    operation: str, when: str, nth: int, rotator: Scene
) -> None:
    killed(rotator, operation, when, nth)
    unharmed(rotator)
    ended = rotator("rotate", rotator.name, *FIRST_ROTATION)
    assert ended.code == 0, ended
    unharmed(rotator)
    if len(rotator.keys()) > 1:
        rotator.azure.advance(hours=25)
        assert rotator("rotate", rotator.name).code == 0
        unharmed(rotator)
    newest = rotator.versions()[-1]
    assert rotator.keys() == [newest["tags"]["rotator-key-id"]] == [rotator.shown()["tags"]["rotator-key-id"]]
    assert not rotator.authenticates(rotator.by_hand)


def test_a_policy_with_six_mistakes_names_each_with_its_place_and_no_request_is_made(rotator: Scene) -> None:
    mistaken = rotator.path / "mistaken"
    mistaken.mkdir()
    (mistaken / "wrong.yaml").write_text(MISTAKEN)
    before = len(rotator.azure.calls())
    for verb in ("validate", "plan", "rotate"):
        said = rotator(verb, "--policies", "mistaken")
        assert (said.code, said.out) == (2, "")
        lines = [
            line.removeprefix("mistaken/wrong.yaml:").split(": ", 1)
            for line in said.err.splitlines()
            if "wrong.yaml:" in line
        ]
        assert [tuple(map(int, place.split(":"))) for place, _ in lines] == list(MISTAKES)
        assert all(len(text.rsplit(". ", 1)[-1]) > 10 for _, text in lines)
    body = rotator("rotate", "--policies", "mistaken", "--output", "json").json
    assert [(mistake["line"], mistake["column"]) for mistake in body["error"]["mistakes"]] == list(MISTAKES)
    assert all(mistake["problem"] and mistake["remedy"] for mistake in body["error"]["mistakes"])
    assert len(rotator.azure.calls()) == before


@pytest.mark.share(2)
@pytest.mark.parametrize("case", [cell(case, name=case, soak=case not in (FIRST, LAST)) for case in WRONG])
def test_a_name_that_leads_nowhere_is_told_with_what_was_changed_and_what_to_do(case: str, rotator: Scene) -> None:
    code, changes, words = WRONG[case]
    rotator.write(**changes(rotator))
    before = rotator.azure.world()
    for verb in ("plan", "rotate")[case != FIRST :]:
        said = rotator(verb, rotator.name)
        assert said.code == code, said
        for word in (*words, "State: Nothing was changed", "What to do: "):
            assert word.format(rotator) in said.out, said
        assert said.out.count("issue application") <= 1
        assert rotator.azure.world() == before


def test_a_group_that_is_absent_is_told_and_stops_nothing(rotator: Scene) -> None:
    rotator.write(container_groups=[{"id": f"{rotator.group_id}-mistyped"}])
    before = rotator.azure.world()
    said = rotator("plan", rotator.name)
    assert said.code == 0
    assert f"container group {rotator.name}-mistyped is in the policy and not in Azure" in said.out
    assert "correct its id" in said.out
    assert rotator.azure.world() == before
    assert rotator("rotate", rotator.name).code == 0
    before = rotator.azure.world()
    said = rotator("deploy", rotator.name)
    assert said.code == 3
    for word in (f"{rotator.name}-mistyped does not exist", "State: Nothing was deployed", "What to do: "):
        assert word in said.err, said
    assert rotator.azure.world() == before
