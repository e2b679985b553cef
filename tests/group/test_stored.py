"""Whole groups through the real engine and clients: rotated against the emulator, which knows what is hidden, and nothing is lost.

The corpus has every property of Azure's API descriptions, by a list that stands beside it; random groups are grown from that list.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random  # noqa: TID251 (from a seed that is told)
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from rotator import group
from rotator.emulator.aci.shape import answer, canonical, writable
from rotator.engine import adopt, preview
from rotator.plan import Intent
from rotator.policy import KeyVaultSource, Source, load
from rotator.state import Secret
from tests.group.documents import APP_ID, CORPUS, NEW, PASSWORD, SINCE, declared, group_id
from tests.group.grown import Values, bare, grown, hidden_values, in_vault, listed
from tests.stage import Stage, play, stage
from tests.virtual import VirtualLoop

STORED = Path(__file__).parent / "stored.yaml"
REFUSED = {"of-a-profile": "containerGroupProfile"}


def corpus(password: str = "the-principals-own", **put_in: str) -> dict[str, dict[str, Any]]:
    """The documents of the corpus, with what the test puts in."""
    text = STORED.read_text()
    for name, value in {"the-principals-own": password, **put_in}.items():
        text = text.replace(name, value)
    loaded: dict[str, dict[str, Any]] = YAML(typ="safe").load(text)
    return loaded


NAMES = [name for name in corpus() if name not in REFUSED]


def paths(node: Any, path: str = "") -> Iterator[str]:
    """Every property that a document has, as the list writes them."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from paths(value, f"{path}.{name}" if path else name)
    elif isinstance(node, list):
        for value in node:
            yield from paths(value, f"{path}[]")
    yield path


def test_every_property_of_the_api_descriptions_is_in_the_corpus() -> None:
    documents = [*corpus().values(), *(json.loads(file.read_text()) for file in CORPUS.glob("*.json")), {"apiVersion": "2025-09-01"}]
    found = {path for document in documents for path in paths(document)}
    found |= {re.sub(r"(keyValuePairs|metadata|secret|secretReference|tags)\.(.+)$", r"\1.*", path) for path in found}
    found |= {re.sub(r"userAssignedIdentities\..+\.(\w+)$", r"userAssignedIdentities.*.\1", path) for path in found}
    assert [path for path in listed() if path not in found] == []
    hidden = [path for path, (_, marks) in listed().items() if "hidden" in marks]
    assert len(listed()) > 180
    assert len(hidden) == 8


def sourced(made: Stage, name: str, values: Values) -> dict[str, Any]:
    """What the policy says of a group: a source for each hidden value, which the vault has."""
    secrets = {}
    for nth, (path, (value, said)) in enumerate(sorted(values.items())):
        if in_vault(said):
            made.azure.vaults.set("myvault", f"{name}-{nth}", value)
        secrets[path] = {"key_vault": f"{name}-{nth}", **said} if in_vault(said) else said
    return {"id": made.group_id(name), "secrets": secrets}


def deployed(made: Stage, documents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Deploy each by hand, and let it come up; what is stored then, by name."""
    for quota in ("DedicatedContainerGroups", "StandardV100Cores", "StandardSpotCores"):
        made.azure.container_groups.quotas.allow(made.seeded.subscription, "eastus", quota, 100)
    made.azure.authorization.assign(f"/subscriptions/{made.seeded.subscription}", made.seeded.operator.object_id, "Contributor", at_once=True)
    for name, document in documents.items():
        made.azure.container_groups.put(made.group_id(name), document, "2025-09-01")
    made.pass_(hours=1)
    return {name: made.azure.container_groups.stored(made.group_id(name)) for name in documents}


def corpus_of(made: Stage) -> dict[str, dict[str, Any]]:
    for name in ("db", "other-pull"):
        made.azure.vaults.set("myvault", name, "a secret of others")
    subscription = made.seeded.subscription
    put_in = {"APP_ID": made.app_id, "SERVER": "mycontainerregistry.azurecr.io", "SUBSCRIPTION": subscription}
    return corpus(made.by_hand.secret, **put_in, IDENTITY=made.seeded.identity.resource_id)


async def rotated(made: Stage, before: dict[str, Any]) -> None:
    """The whole first rotation; every group is what it was, and holds the new password wherever it held the old one."""
    refused = len(made.azure.container_groups.refused)
    await made.with_world(lambda run: adopt(run, None))
    result = await made.rotate(Intent(no_overlap=True))
    assert result.exit_code == 0, made.told()[-4000:]
    for name, was in before.items():
        now = made.azure.container_groups.stored(made.group_id(name))
        assert bare(now, made.app_id, made.published()) == bare(was, made.app_id, made.by_hand.secret)
        assert made.by_hand.secret not in json.dumps(now)
        assert made.published() in json.dumps(now)
    assert len(made.azure.container_groups.refused) == refused


def test_every_group_of_the_corpus_is_rotated_and_is_what_it_was() -> None:
    async def scene(loop: VirtualLoop) -> None:
        made = stage(loop, groups=())
        documents = {name: document for name, document in corpus_of(made).items() if name not in REFUSED}
        before = deployed(made, documents)
        said = [sourced(made, name, hidden_values(document, made.app_id, made.by_hand.secret)) for name, document in documents.items()]
        made.with_policy(container_groups=said)
        await rotated(made, before)

    play(scene)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_groups_are_rotated_and_are_what_they_were(seed: int) -> None:
    async def scene(loop: VirtualLoop) -> None:
        made, random = stage(loop, groups=()), Random(seed)
        made.azure.vaults.set("myvault", "other", "a secret of others")
        documents = {f"g{nth}": grown(random, made.app_id, made.by_hand.secret, made.seeded.identity.resource_id) for nth in range(15)}
        before = deployed(made, documents)
        said = [sourced(made, name, hidden_values(document, made.app_id, made.by_hand.secret)) for name, document in documents.items()]
        made.with_policy(container_groups=said)
        await rotated(made, before)

    play(scene)


@settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32))
def test_no_random_group_loses_a_byte_in_an_edit(seed: int) -> None:
    old = "the old password"
    resource = writable(canonical(grown(Random(seed), APP_ID, old)))
    shown = answer(group_id("g"), resource, "Succeeded", "20.0.0.1", {"": {"events": [], "state": "Succeeded"}})
    held = {f"s{nth}": one for nth, one in enumerate(sorted(hidden_values(resource, APP_ID, old).items()))}
    secrets = {path: {"key_vault": name, **said} if in_vault(said) else said for name, (path, (_, said)) in held.items()}
    values: dict[Source, Secret] = {
        KeyVaultSource(key_vault=name, base64="base64" in said): Secret(value) for name, (_, (value, said)) in held.items()
    }
    made, said = declared("g", secrets=secrets)
    assert group.unsourced(shown, made, said) == ()
    body = group.edit(shown, made, said, values=values, password=PASSWORD, key_id=NEW, since=SINCE)
    assert bare(writable(canonical(body)), APP_ID, PASSWORD.reveal()) == bare(resource, APP_ID, old)
    assert old not in json.dumps(body)


def written(made: Stage, directory: Path, said: dict[str, Any]) -> Path:
    """The policy as a file whose last lines are those of the group."""
    content = {
        "principal": {"app_id": made.app_id},
        "registries": [{"id": made.seeded.registry_id}],
        "key_vault": {"url": made.seeded.vault_url, "password_secret": made.policy.key_vault.password_secret},
        "proof": {"times": 1, "over": "0s"},
        "container_groups": [{"id": said["id"], **({"secrets": said["secrets"]} if said["secrets"] else {})}],
    }
    file, yaml = directory / "p.yaml", YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 4000
    with file.open("w") as opened:
        yaml.dump(content, opened)
    return file


def without(values: Values, path: str) -> Values:
    """The sources but for one value; of a secret volume but for all its files, since it is one value to whoever can't see them."""
    volume = path.rpartition("/")[0] if path.split("/")[2:3] == ["secret"] else path
    return {each: value for each, value in values.items() if each != path and not each.startswith(f"{volume}/")}


@pytest.mark.parametrize("name", ["everything", "references"])
def test_each_value_without_a_source_is_vetoed_before_any_write_and_its_lines_mend_the_policy(name: str, tmp_path: Path) -> None:
    async def scene(loop: VirtualLoop) -> None:
        made = stage(loop, groups=())
        document = corpus_of(made)[name]
        deployed(made, {name: document})
        values = hidden_values(document, made.app_id, made.by_hand.secret)
        for path in values:
            await mended(made, name, values, path)

    async def mended(made: Stage, name: str, values: Values, path: str) -> None:
        said = sourced(made, name, without(values, path))
        file = written(made, tmp_path, said)
        (made.policy,) = load(tmp_path)
        since = len(made.app.served)
        assert (await made.rotate()).exit_code == 3
        assert made.writes(since) == []
        (veto,) = [event for event in json_of(made) if event["event"] == "vetoed"]
        assert (veto["code"], veto["state"]) == ("hidden_values", "Nothing was changed.")
        paste(made, file, veto["remedy"], values, path)
        made.events.clear()
        (made.policy,) = load(tmp_path)
        seen = await made.with_world(preview)
        assert [veto.happened for veto in seen.vetoes] == []

    play(scene)


def json_of(made: Stage) -> list[dict[str, Any]]:
    return [json.loads(line) for line in made.told().splitlines()]


def paste(made: Stage, file: Path, remedy: str, values: Values, path: str) -> None:
    """Do what the message says: put each value into the vault under the name that the lines say, and paste the lines."""
    lines = remedy.splitlines()[1:]
    if path.split("/")[2:3] == ["secret"]:
        volume = path.rpartition("/")[0]
        files = [each.rpartition("/")[2] for each in values if each.startswith(f"{volume}/")]
        lines = [line.replace("/FILE", f"/{name}") if "/FILE" in line else line for line in lines for name in (files if "/FILE" in line else [""])]
    for line in lines:
        for secret in re.findall(r"key_vault: ([0-9a-z-]+)", line):
            made.azure.vaults.set("myvault", secret, values[path][0])
    file.write_text(file.read_text() + "\n".join(lines) + "\n")


def test_a_group_of_a_profile_is_refused_by_name_and_nothing_is_done_to_it() -> None:
    async def scene(loop: VirtualLoop) -> None:
        made = stage(loop, groups=())
        before = deployed(made, {"of-a-profile": corpus_of(made)["of-a-profile"]})
        made.with_policy(container_groups=[{"id": made.group_id("of-a-profile")}])
        await made.with_world(lambda run: adopt(run, None))
        await made.rotate(Intent(no_overlap=True))
        assert "containerGroupProfile" in made.told()
        assert made.azure.container_groups.stored(made.group_id("of-a-profile")) == before["of-a-profile"]
        assert made.by_hand in made.credentials(), "what it holds stays"

    play(scene)
