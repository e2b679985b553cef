"""Tests of rest: granted only without any finding of a rule, without doubt, and after a full look today with the same
result.
"""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rotator.causes import Cause, Denial, Grounds
from rotator.plan import View, fingerprint, still_valid, turn, unrest
from rotator.state import Home, Version
from rotator.steps import Intent
from tests import worlds

REST: dict[str, Any] = {
    "credentials": [{"key": "cur", "start": "-20d", "end": "+70d"}],
    "versions": [{"id": "v1", "holds": "cur", "created": "-20d"}],
    "groups": [{"id": "app", "holds": "cur", "since": "-20d"}],
    "policy": {"groups": ["app"]},
}


def rests(case: dict[str, Any] | None = None, **observed: Any) -> str:
    """Return the reason why a changed world isn't at rest."""
    shown = {**deepcopy(REST), **(case or {})}
    view = View(worlds.policy(shown["policy"]), replace(worlds.observed(shown), **observed), Intent())
    return unrest(view)


def test_one_credential_that_the_newest_version_names_and_every_group_holds_is_rest() -> None:
    assert rests() == ""
    assert rests({"groups": [], "policy": {}}) == ""
    assert rests({"access": "granted"}) == ""


CREDENTIAL = {"key": "other", "start": "-20d", "end": "+70d"}
VERSION = {"id": "v1", "holds": "cur", "created": "-20d"}


ELSE: tuple[tuple[dict[str, Any], str], ...] = (
    ({"access": "revoked"}, "access is revoked"),
    ({"unseen": ["0000"]}, "not everything could be read"),
    ({"versions_complete": False}, "not everything could be read"),
    ({"principal": {"service_principal": None}}, "every sign-in as the principal is refused"),
    ({"principal": {"enabled": False}}, "every sign-in as the principal is refused"),
    ({"versions": []}, "the newest version of the secret names no credential of this policy"),
    ({"credentials": []}, "the newest version of the secret names no credential of this policy"),
    (
        {"versions": [{**VERSION, "enabled": False}]},
        "the newest version of the secret names no credential of this policy",
    ),
    (
        {"versions": [VERSION, {"id": "v2", "created": "-1d"}]},
        "the newest version of the secret names no credential of this policy",
    ),
    (
        {"credentials": [*REST["credentials"], {**CREDENTIAL, "of": "by hand"}]},
        "the principal has another credential",
    ),
    ({"credentials": [*REST["credentials"], CREDENTIAL]}, "the principal has another credential"),
    ({"versions": [{**VERSION, "compromised": ["gone"]}]}, "the newest version of the secret has a mark"),
    ({"credentials": [{**REST["credentials"][0], "end": "+29d"}]}, "issue is due"),
    ({"groups": [{"id": "app", "holds": "old", "since": "-20d"}]}, "deploy is due"),
    ({"groups": [{"id": "app"}]}, "deploy is due"),
    ({"groups": [*REST["groups"], {"id": "stray", "holds": "old"}]}, "undeclared"),
)


def test_anything_else_is_none() -> None:
    for change, why in ELSE:
        assert rests(change) == why, change


def _marked(*tags: tuple[str, str]) -> Version:
    (version,) = worlds.observed(REST).versions
    return replace(version, tags=tuple(sorted((*version.tags, *tags))))


def test_a_vault_that_may_not_be_read_is_no_rest() -> None:
    assert rests(vault_refuses=Denial("403", Grounds(Cause.ROLE))) == "not everything could be read"


def test_a_mark_of_stripped_tags_or_no_room_for_a_mark_is_no_rest() -> None:
    assert rests(versions=(_marked(("rotator-strips", "app")),)) == "the newest version of the secret has a mark"
    room = 15 - len(_marked().tags)
    tags = [(f"tag-{number}", "theirs") for number in range(room)]
    assert rests(versions=(_marked(*tags[1:]),)) == ""
    assert rests(versions=(_marked(*tags),)).startswith("the newest version of the secret has no room for a mark")


def _shown(change: dict[str, Any], **observed: Any) -> str:
    shown = {**deepcopy(REST), **change}
    return fingerprint(View(worlds.policy(shown["policy"]), replace(worlds.observed(shown), **observed), Intent()))


def test_another_credential_version_group_or_move_is_another_state() -> None:
    (credential,) = worlds.observed(REST).credentials
    states = [
        _shown({}),
        _shown({}, versions=(_marked(("team", "theirs")),)),
        _shown({}, versions=()),
        _shown({}, credentials=(replace(credential, end=credential.end + timedelta(1)),)),
        _shown({}, credentials=(replace(credential, home=Home.SERVICE_PRINCIPAL),)),
        _shown({}, credentials=(replace(credential, display_name="renamed"),)),
        _shown({}, credentials=(replace(credential, key_id="another"),)),
        _shown({"groups": [{"id": "app", "holds": "cur", "since": "-19d"}]}),
        _shown({"groups": [{"id": "app", "holds": "old", "since": "-20d"}]}),
        _shown({"groups": [*REST["groups"], {"id": "stray", "holds": "cur", "since": "-20d"}]}),
        _shown({"groups": []}),
    ]
    assert len(set(states)) == len(states)


def test_the_id_of_a_version_which_lists_do_not_show_is_no_state() -> None:
    assert _shown({}, versions=(replace(_marked(), id="another"),)) == _shown({})


def test_the_order_of_groups_their_letter_case_and_groups_without_the_password_are_no_state() -> None:
    more = {"groups": [*REST["groups"], {"id": "b", "holds": "cur", "since": "-20d"}], "policy": {}}
    turned = {"groups": [*more["groups"]][::-1], "policy": {"groups": ["b"]}}
    assert _shown(more) == _shown(turned)
    others = {
        "groups": [*REST["groups"], {"id": "other", "username": "somebody"}],
        "policy": {"groups": ["app", "other"]},
    }
    assert _shown(others) == _shown({})
    (group,) = worlds.observed(REST).groups
    assert _shown({}, groups=(replace(group, id=type(group.id)(group.id.upper())),)) == _shown({})
    absent = {"groups": [*REST["groups"], {"id": "gone", "state": "absent"}], "policy": {"groups": ["app", "gone"]}}
    assert _shown(absent) == _shown({})


NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def _lineage(**since_midnight: float) -> str:
    return f"{int(timedelta(**since_midnight).total_seconds()):012x}"


def test_a_turn_comes_once_a_day_at_a_time_of_the_policys_own() -> None:
    assert turn(_lineage(hours=11), NOON) == NOON - timedelta(hours=1)
    assert turn(_lineage(hours=12), NOON) == NOON
    assert turn(_lineage(hours=13), NOON) == NOON - timedelta(hours=23)
    assert turn(_lineage(hours=24 + 13), NOON) == NOON - timedelta(hours=23)
    turns = {turn(worlds.LINEAGE, NOON + timedelta(hours=hour)) for hour in range(48)}
    assert len(turns) == 3
    assert max(turns) - min(turns) == timedelta(days=2)


def test_a_look_is_valid_until_the_policys_next_turn() -> None:
    lineage, minute = _lineage(hours=11), timedelta(minutes=1)
    began = NOON - timedelta(hours=1)
    assert still_valid(lineage, began + minute, NOON)
    assert still_valid(lineage, NOON, NOON)
    assert not still_valid(lineage, began, NOON)
    assert not still_valid(lineage, began - minute, NOON)
    assert not still_valid(lineage, NOON + minute, NOON)
    assert still_valid(lineage, began + minute, began + timedelta(days=1) - minute)
    assert not still_valid(lineage, began + minute, began + timedelta(days=1))
