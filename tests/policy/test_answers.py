"""Tests of one policy's answer about a hidden password, which serves all policies of its directory."""

from pathlib import Path
from typing import Any

import pytest

from rotator.container_group import Document
from rotator.container_group.embedded_password import unsaid
from rotator.plan import next_steps
from rotator.policy import Policy, gather
from tests import worlds

GROUP = worlds.group_id("other")
PATH = "containers/app/env/AZURE_CLIENT_SECRET"
OTHER = "0be7a70a-0000-4000-8000-000000000000"
TEXT = """
principal: {{app_id: {app_id}}}
registries: [{{id: {registry}}}]
key_vault: {{url: "https://myvault.vault.azure.net", password_secret: {secret}}}
{groups}
"""


def gathered(directory: Path, source: str) -> Policy:
    """Return the policy of our principal, beside another one that declares the group with a source for its hidden
    value.
    """
    groups = f"container_groups:\n  - id: {GROUP}\n    secrets:\n      {PATH}: {source}"
    registry = worlds.REGISTRY
    ours = TEXT.format(app_id=worlds.APP_ID, registry=registry, secret="pull-pwd", groups="")
    theirs = TEXT.format(app_id=OTHER, registry=registry, secret="their-pwd", groups=groups)
    (directory / "ours.yaml").write_text(ours)
    (directory / "theirs.yaml").write_text(theirs)
    (found,) = gather(directory, ["ours"]).policies
    return found


@pytest.mark.parametrize(
    ("source", "answered"),
    [("{credential: password}", True), ("{key_vault: something-else}", True), ("{key_vault: pull-pwd}", False)],
)
def test_what_another_policy_says_of_a_hidden_variable_is_an_answer(
    tmp_path: Path, source: str, *, answered: bool
) -> None:
    policy = gathered(tmp_path, source)
    assert policy.answered == ({GROUP: (PATH.lower(),)} if answered else {})
    shown = worlds.document(
        {"id": "other", "secure_env": ["AZURE_CLIENT_SECRET"], "env": {"WHO": worlds.APP_ID}, "username": "else"}
    )
    assert unsaid(Document(shown, policy, None)) == (() if answered else (PATH,))


@pytest.mark.parametrize("answered", [False, True])
def test_an_answered_group_is_not_asked_about_elsewhere(*, answered: bool) -> None:
    case: dict[str, Any] = {
        "credentials": [{"key": "a", "end": "+60d"}, {"key": "b", "start": "-1h", "end": "+87d"}],
        "versions": [{"id": "v1", "holds": "a"}, {"id": "v2", "holds": "b", "created": "-1h"}],
        "hiding": ["other"],
    }
    policy = worlds.policy({}).model_copy(update={"answered": {GROUP: (PATH,)} if answered else {}})
    notes = [note.code for note in next_steps(policy, worlds.observed(case)).notes]
    assert ("hiding" in notes) is not answered
