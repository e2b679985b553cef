"""Tests of the objects that a provision creates, and their order: only missing ones, and no existing one is changed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from rotator.errors import UnsafeStep
from rotator.plan import chosen, first_steps, group_steps, identity_steps
from rotator.policy import Draft, Policy
from rotator.policy.model import PolicyFile
from rotator.resource_id import ResourceId
from rotator.state import ContainerGroup, Home, Identity
from rotator.steps import TO_COME, Create, Deploy, Issue, Own, Publish, Save
from tests import worlds

APP, SP = Home.APPLICATION, Home.SERVICE_PRINCIPAL
ID = "5d3c0a52-0000-0000-0000-000000000000"
OTHER = "5d3c0a53-0000-0000-0000-000000000000"
GROUP, BARE = worlds.group_id("app"), worlds.group_id("bare")
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
USER = {"key_vault": {"url": "https://myvault.vault.azure.net", "password_secret": "pwd", "username_secret": "usr"}}


def draft() -> Draft:
    policy = worlds.policy({})
    said = PolicyFile.model_construct(**{name: getattr(policy, name) for name in PolicyFile.model_fields})
    return Draft(policy.name, policy.file, "pull", said)


def identity(
    app_id: str = ID, application: str | None = "a", principal: str | None = "s", owned: tuple[Home, ...] = (APP, SP)
) -> Identity:
    return Identity(app_id, "pull", application, principal, owned)


def said(wanted: Policy | Draft, found: Identity | None) -> list[Any]:
    return [
        (type(step), step.home) if isinstance(step, Create | Own) else (type(step), step.app_id)
        for step in identity_steps(wanted, found)
    ]


def test_of_nothing_the_application_comes_first_then_its_place_in_the_file_then_the_service_principal() -> None:
    assert said(draft(), None) == [(Create, APP), (Save, TO_COME), (Create, SP)]


def test_of_a_draft_whose_application_exists_the_file_comes_first() -> None:
    assert said(draft(), identity()) == [(Save, ID)]
    assert said(draft(), identity(principal=None, owned=(APP,))) == [(Save, ID), (Create, SP)]


def test_of_a_whole_principal_nothing_is_made() -> None:
    assert said(worlds.policy({}), identity()) == []


def test_ownership_is_asked_for_where_it_is_missing_and_only_of_what_the_tenant_has() -> None:
    policy = worlds.policy({})
    assert said(policy, identity(owned=())) == [(Own, APP), (Own, SP)]
    assert said(policy, identity(owned=(SP,))) == [(Own, APP)]
    assert said(policy, identity(application=None, owned=())) == [(Own, SP)]
    assert said(policy, identity(principal=None, owned=())) == [(Create, SP), (Own, APP)]


def test_a_policy_whose_application_is_gone_gets_no_other() -> None:
    assert said(worlds.policy({}), None) == [(Create, SP)]


def test_one_name_means_one_application() -> None:
    assert chosen(draft(), ()) is None
    assert chosen(draft(), (identity(),)) == identity()
    with pytest.raises(
        UnsafeStep, match=f"2 applications are called pull: {ID} .object a., {OTHER} .object s."
    ) as refused:
        chosen(draft(), (identity(OTHER, None), identity()))
    assert draft().file in refused.value.diagnose().remedy


def test_a_first_password_and_a_user_name_where_there_is_none() -> None:
    policy = worlds.policy(USER)
    app_id = policy.principal.app_id
    assert [type(step) for step in first_steps(policy, published=False, username=None)] == [Issue, Publish]
    assert [type(step) for step in first_steps(policy, published=False, username=app_id)] == [Issue]
    (step,) = first_steps(policy, published=True, username="somebody else")
    assert isinstance(step, Publish) and step.secret == "usr"
    assert first_steps(policy, published=True, username=app_id) == ()
    assert first_steps(worlds.policy({}), published=True, username=None) == (), "no user name is wanted"


def manifested() -> Policy:
    """Return a policy with two groups, the first with a manifest."""
    return worlds.policy({"groups": [{"id": "app", "manifest": True}, "bare"]})


def seen(group: str, **more: Any) -> ContainerGroup:
    return ContainerGroup(ResourceId(group.upper()), NOW, **more)


def test_a_group_is_made_from_its_manifest_and_one_without_is_named() -> None:
    left = group_steps(manifested(), [seen(GROUP), seen(BARE)], "key")
    assert [(type(step), step.group, step.key_id) for step in left.steps] == [(Deploy, GROUP, "key")]
    assert [(note.code, note.subject, note.warn) for note in left.notes] == [("missing", BARE, False)]
    assert group_steps(manifested(), [], "key") == left, "what nobody has seen isn't there"


def test_a_group_that_exists_is_left_alone_also_where_only_a_list_shows_it() -> None:
    there = [seen(GROUP, document={}), seen(BARE, document={}, unreadable="403")]
    left = group_steps(manifested(), there, "key")
    assert (left.steps, left.notes) == ((), ())


def test_a_group_that_may_not_be_read_is_neither_made_nor_called_missing() -> None:
    left = group_steps(manifested(), [seen(GROUP, unreadable="403"), seen(BARE, unreadable="403")], "key")
    assert left.steps == ()
    assert [(note.code, note.subject, note.warn) for note in left.notes] == [
        ("unreadable", GROUP, True),
        ("unreadable", BARE, True),
    ]
