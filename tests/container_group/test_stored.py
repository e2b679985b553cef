"""Tests of whole groups through the real engine and clients: a rotation against the emulator, which knows hidden
values, loses none.

The corpus has every property of Azure's API descriptions, by a list beside it; random groups grow from the list.
"""

import json
import re
from collections.abc import Iterator
from random import Random  # noqa: TID251 (from a seed that is told)
from typing import Any

import pytest
from hypothesis import strategies as st
from local_azure.aci.shape import answer, canonical, writable
from local_azure.virtual import VirtualLoop

from rotator import container_group
from rotator.container_group import Document
from rotator.engine import adopt
from rotator.policy import KeyVaultSource, Source
from rotator.state import Secret
from rotator.steps import Intent
from tests.cells import drawn
from tests.container_group.documents import APP_ID, CORPUS, NEW, PASSWORD, SINCE, declared, group_id
from tests.container_group.grown import bare, grown, hidden_values, in_vault, listed
from tests.container_group.stored import REFUSED, corpus, corpus_of, deployed, sourced
from tests.stage import Stage, stage


def paths(node: Any, path: str = "") -> Iterator[str]:
    """Yield every property of a document, spelled as in the list."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from paths(value, f"{path}.{name}" if path else name)
    elif isinstance(node, list):
        for value in node:
            yield from paths(value, f"{path}[]")
    yield path


def test_every_property_of_the_api_descriptions_is_in_the_corpus() -> None:
    documents = [
        *corpus().values(),
        *(json.loads(file.read_text()) for file in CORPUS.glob("*.json")),
        {"apiVersion": "2025-09-01"},
    ]
    found = {path for document in documents for path in paths(document)}
    found |= {re.sub(r"(keyValuePairs|metadata|secret|secretReference|tags)\.(.+)$", r"\1.*", path) for path in found}
    found |= {re.sub(r"userAssignedIdentities\..+\.(\w+)$", r"userAssignedIdentities.*.\1", path) for path in found}
    assert [path for path in listed() if path not in found] == []
    hidden = [path for path, (_, marks) in listed().items() if "hidden" in marks]
    assert len(listed()) > 180
    assert len(hidden) == 8


async def rotated(made: Stage, before: dict[str, Any]) -> None:
    """Play the whole first rotation; check that every group is unchanged but for the new password in every place of the
    old one.
    """
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


async def test_every_group_of_the_corpus_is_rotated_and_is_what_it_was(loop: VirtualLoop) -> None:
    made = stage(loop, groups=())
    made.azure.container_groups.known = ""  # every API version has unknown properties
    documents = {
        name: document for name, document in corpus_of(made, made.by_hand.secret).items() if name not in REFUSED
    }
    before = deployed(made, documents)
    said = [
        sourced(made, name, hidden_values(document, made.app_id, made.by_hand.secret))
        for name, document in documents.items()
    ]
    made.with_policy(container_groups=said)
    await rotated(made, before)


@pytest.mark.parametrize("seed", [1, 2])
async def test_random_groups_are_rotated_and_are_what_they_were(loop: VirtualLoop, seed: int) -> None:
    made, random = stage(loop, groups=()), Random(seed)
    made.azure.vaults.set("myvault", "other", "a secret of others")
    documents = {
        f"g{nth}": grown(random, made.app_id, made.by_hand.secret, made.seeded.identity.resource_id)
        for nth in range(15)
    }
    before = deployed(made, documents)
    said = [
        sourced(made, name, hidden_values(document, made.app_id, made.by_hand.secret))
        for name, document in documents.items()
    ]
    made.with_policy(container_groups=said)
    await rotated(made, before)


@drawn(3000, seed=st.integers(0, 2**32))
def test_no_random_group_loses_a_byte_in_an_edit(seed: int) -> None:
    old = "the old password"
    resource = writable(canonical(grown(Random(seed), APP_ID, old)))
    shown = answer(group_id("g"), resource, "Succeeded", "20.0.0.1", {"": {"events": [], "state": "Succeeded"}})
    held = {f"s{nth}": one for nth, one in enumerate(sorted(hidden_values(resource, APP_ID, old).items()))}
    secrets = {
        path: {"key_vault": name, **said} if in_vault(said) else said for name, (path, (_, said)) in held.items()
    }
    values: dict[Source, Secret] = {
        KeyVaultSource(key_vault=name, base64="base64" in said): Secret(value)
        for name, (_, (value, said)) in held.items()
    }
    made, said = declared("g", secrets=secrets)
    assert container_group.unsourced(Document(shown, made, said)) == ()
    body = container_group.edit(Document(shown, made, said), values=values, password=PASSWORD, key_id=NEW, since=SINCE)
    assert bare(writable(canonical(body)), APP_ID, PASSWORD.reveal()) == bare(resource, APP_ID, old)
    assert old not in json.dumps(body)


async def test_a_group_of_a_profile_is_refused_by_name_and_nothing_is_done_to_it(loop: VirtualLoop) -> None:
    made = stage(loop, groups=())
    before = deployed(made, {"of-a-profile": corpus_of(made, made.by_hand.secret)["of-a-profile"]})
    made.with_policy(container_groups=[{"id": made.group_id("of-a-profile")}])
    await made.with_world(lambda run: adopt(run, None))
    await made.rotate(Intent(no_overlap=True))
    assert "containerGroupProfile" in made.told()
    assert made.azure.container_groups.stored(made.group_id("of-a-profile")) == before["of-a-profile"]
    assert made.by_hand in made.credentials(), "what it holds stays"
