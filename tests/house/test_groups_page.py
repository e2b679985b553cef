"""Tests of docs/groups.md: its examples are read as rotator reads them, its claims are played."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from local_azure.wire import ServiceError

from rotator.policy import arm_expression, load
from rotator.policy.manifest_file import Read
from rotator.resource_id import ArmId
from rotator.state import FAILED, KEY_ID, PREVIOUS, SINCE
from tests.engine.test_life import forced, ours, said, settled
from tests.house.test_docs import cells, section, ticked
from tests.stage import GROUPS, Stage

PAGE = (Path(__file__).parents[2] / "docs" / "groups.md").read_text()
NIGHTLY = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/Microsoft.ContainerInstance/containerGroups/nightly"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def by_hand(made: Stage, name: str, password: str, tags: dict[str, str] | None = None) -> None:
    """Deploy a group by a template: only the template's values remain."""
    body = made.body(made.app_id, password)
    made.azure.container_groups.put(made.group_id(name), {**body, "tags": tags or {}}, "2025-09-01")
    made.pass_(minutes=10)


def test_the_manifests_are_manifests_and_the_policy_names_one(tmp_path: Path) -> None:
    manifest, groups, with_parameters = blocks("yaml")
    template = next(one for one in blocks("json") if "resources" in one)
    found = [Read.of(text, "nightly").manifest(ArmId(NIGHTLY)) for text in (manifest, template)]
    assert [(made is not None, wrong) for made, wrong in found] == [(True, ()), (True, ())]
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "nightly.yaml").write_text(manifest)
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    head = re.findall(r"^```yaml\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)[0].partition("container_groups:")[0]
    (tmp_path / "one.yaml").write_text(head + groups)
    (policy,) = load(tmp_path)
    assert policy.container_groups[0].manifest
    (tmp_path / "manifests" / "nightly.json").write_text(template)
    (tmp_path / "manifests" / "nightly.parameters.json").write_text('{"parameters": {}}')
    (tmp_path / "one.yaml").write_text(head + with_parameters)
    (policy,) = load(tmp_path)
    assert policy.container_groups[0].manifest


def test_the_page_names_the_functions_that_are_evaluated() -> None:
    listed = (
        section(PAGE, "Manifests").partition("evaluated where their value follows")[2].partition("Everything else")[0]
    )
    named = {name.lower() for name in re.findall(r"`(\w+)(?:\(\)[\w.]*)?`", listed)}
    assert named == set(arm_expression.EVALUATED)


def test_every_example_of_json_is_json_and_no_example_is_cut_off() -> None:
    assert len([json.loads(text) for text in blocks("json")]) == 2
    for text in (*blocks("hcl"), *blocks("bicep"), *blocks("sh")):
        assert [text.count(left) - text.count(right) for left, right in ("{}", "[]", "()")] == [0, 0, 0]


def test_the_tags_are_the_four_of_a_group_wherever_they_are_named() -> None:
    table = {cell.strip("`") for cell in cells(section(PAGE, "The four tags"), 0)[1:]}
    assert table == {KEY_ID, SINCE, PREVIOUS, FAILED}
    assert set(re.findall(r"rotator-[a-z]+(?:-[a-z]+)*", PAGE)) - {"rotator-pull"} <= table


def test_the_page_names_every_owner_that_rotator_refuses() -> None:
    from rotator.container_group.refusal import _OWNED

    assert set(_OWNED) <= set(ticked(section(PAGE, "If rotator refuses a group")))


def test_a_deployment_without_tags_keeps_the_old_password_and_costs_one_restart() -> None:
    async def scene(made: Stage) -> None:
        (old,) = ours(made)
        since = len(made.app.served)
        await made.rotate(forced(made))
        by_hand(made, "app", made.published())
        made.pass_(hours=25)
        await made.rotate()
        assert old in ours(made)
        made.pass_(hours=25)
        assert (await made.rotate()).exit_code == 0
        assert made.writes(since).count("aci.containerGroups.createOrUpdate") == len(GROUPS) + 1
        assert old not in ours(made)
        assert made.tags_of("app")[KEY_ID] in ours(made)

    settled(scene)


def test_a_pinned_password_keeps_itself_alive_and_is_refused_once_it_is_removed() -> None:
    async def scene(made: Stage) -> None:
        (old,) = ours(made)
        pinned = made.published()
        await made.rotate(forced(made))
        by_hand(made, "app", pinned)
        made.pass_(hours=25)
        made.azure.container_groups.settle()
        assert made.azure.container_groups.could_pull(made.group_id("app"))
        await made.rotate()
        made.pass_(hours=25)
        assert (await made.rotate()).exit_code == 0
        assert old not in ours(made)
        made.pass_(hours=1)
        with pytest.raises(ServiceError) as refused:
            by_hand(made, "app", pinned)
        assert refused.value.code == "InaccessibleImage"

    settled(scene)


def test_both_tags_of_the_version_that_was_deployed_let_the_old_password_go() -> None:
    async def scene(made: Stage) -> None:
        (old,) = ours(made)
        await made.rotate(forced(made))
        newest = max(made.versions(), key=lambda version: version.order)
        key_id = (newest.tags or {})[KEY_ID]
        for tags in ({KEY_ID: key_id, SINCE: f"{made.azure.clock.now():%Y-%m-%dT%H:%M:%SZ}"}, {KEY_ID: key_id}):
            by_hand(made, "app", made.published(), tags)
        made.pass_(hours=25)
        since = len(made.app.served)
        assert (await made.rotate()).exit_code == 0
        assert "aci.containerGroups.createOrUpdate" not in made.writes(since)
        assert old not in ours(made)

    settled(scene)


def test_a_group_that_pulls_with_an_identity_is_not_restarted_and_holds_nothing_back() -> None:
    async def scene(made: Stage) -> None:
        (old,) = ours(made)
        stored: dict[str, Any] = made.azure.container_groups.state.groups[made.group_id("app").lower()].resource
        server = stored["properties"]["imageRegistryCredentials"][0]["server"]
        stored["properties"]["imageRegistryCredentials"] = [{"server": server, "identity": "/subscriptions/x/identity"}]
        stored["tags"] = {}
        since = len(made.app.served)
        await made.rotate(forced(made))
        made.pass_(hours=25)
        assert (await made.rotate()).exit_code == 0
        assert made.writes(since).count("aci.containerGroups.createOrUpdate") == len(GROUPS) - 1
        assert old not in ours(made)
        assert not said(made, "held")

    settled(scene)
