"""Tests of the lines for a policy in messages: they are YAML, and the policy with these lines loads."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from rotator import guard
from rotator.plan import next_steps
from rotator.policy import load
from tests import worlds
from tests.guard import test_guard
from tests.plan import test_plan

ODD = {
    "policy": {"groups": ["app", "second"]},
    "credentials": [{"key": "a", "start": "-60d", "end": "+30d"}, {"key": "b", "start": "-1d", "end": "+89d"}],
    "versions": [{"id": "v1", "holds": "a", "created": "-60d"}, {"id": "v2", "holds": "b", "created": "-1d"}],
    "groups": [
        {"id": "app", "holds": "b", "since": "-1d", "secure_env": ["PASSWORD: #1", "it's a PASSWORD", "[PASSWORD]"]},
        {"id": "second", "holds": "b", "since": "-1d"},
    ],
}
"""Group with hidden variables whose names have a meaning in YAML."""
TICKED = re.compile(r"`([^`]+)`")
INLINE = re.compile(r"- id: .+|\{.+\}|(?!rotator |az |export )['\"\w][^`]*: .+")
BLOCK = re.compile(r"(?:^ +(?:- id: |['\"\w/].*:).*$\n?)+", re.MULTILINE)
GROUP = ("runs", "when_finished", "when_stopped", "manifest", "secrets", "accept_loss")
OTHER = {"id": str(worlds.group_id("other"))}


def told() -> Iterator[str]:
    """Yield every text of plan and guard, in every case."""
    for case in (*(param.values[0] for param in test_plan.cases()), ODD):
        policy, observed, intent, known = test_plan.world(case)
        following = next_steps(policy, observed, intent, known)
        yield from (each.text for each in following.waits)
        yield from (each.text for each in following.notes)
        for step in following.steps:
            if veto := guard.check(step, policy, observed, intent, known):
                yield veto.remedy
    for param in test_guard.vetoes():
        policy, observed, intent, known = test_guard.world(param.values[0])
        if veto := guard.check(test_guard.asked(param.values[0]["asked"]), policy, observed, intent, known):
            yield veto.remedy


def snippets(text: str) -> Iterator[str]:
    """Yield the lines for a policy in a message."""
    yield from (found for found in TICKED.findall(text) if INLINE.fullmatch(found))
    yield from (block.rstrip("\n") for block in BLOCK.findall(text))


def group(content: Any) -> Mapping[str, Any]:
    """Return a group of the policy with the lines below it: keys of the group, or a source for hidden values."""
    if isinstance(content, dict) and set(content) <= set(GROUP):
        return {**OTHER, **content}
    values = content if any("/" in key for key in content) else {"containers/app/env/A": content}
    return {**OTHER, "secrets": values}


def policy_with(content: Any) -> dict[str, Any]:
    """Return a policy with the lines of a message in their place."""
    base: dict[str, Any] = {
        "principal": {"app_id": worlds.APP_ID},
        "registries": [{"id": str(worlds.REGISTRY)}],
        "key_vault": {"url": "https://myvault.vault.azure.net", "password_secret": "pull-pwd"},
    }
    if isinstance(content, list):
        return {**base, "container_groups": content}
    if set(content) <= {"discover", "rotation", "proof", "principal"}:
        return {**base, **{key: {**base.get(key, {}), **part} for key, part in content.items()}}
    return {**base, "container_groups": [group(content)]}


def test_what_a_message_tells_people_to_write_makes_a_policy_that_loads(tmp_path: Path) -> None:
    found = sorted({snippet for text in told() for snippet in snippets(text)})
    wrong = []
    for snippet in found:
        try:
            content = YAML(typ="safe").load(snippet)
            with (tmp_path / "one.yaml").open("w") as file:
                YAML().dump(policy_with(content), file)
            load(tmp_path, ())
        except Exception as error:  # noqa: BLE001 - a parser's, or a policy's: each is told
            wrong.append(f"{snippet}\n  {error}")
    assert wrong == []
    assert len(found) >= 20
    assert any("PASSWORD: #1" in snippet for snippet in found)
