"""Tests of our tags on a group, which record its credentials."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rotator import container_group
from rotator.container_group import Failed, TagsShown
from tests.container_group.documents import NEW, OLD, OLDER, SINCE, declared, document, edited

HOUR = timedelta(hours=1)


def tagged(**tags: str) -> dict[str, Any]:
    shown = document("plain")
    shown["tags"] |= {f"rotator-{name.replace('_', '-')}": value for name, value in tags.items()}
    return shown


def after(shown: dict[str, Any], **more: Any) -> tuple[TagsShown, dict[str, str]]:
    made, said = declared("plain")
    body = edited(shown, made, said, **more)
    return container_group.shows(body), body["tags"]


def test_a_first_edit_names_the_credential_and_the_second_and_keeps_all_other_tags() -> None:
    shown, tags = after(document("plain"), key_id=NEW.upper())
    assert shown == TagsShown(NEW, SINCE.replace(microsecond=0), None, None)
    assert tags == {"team": "web", "costCentre": "4711", "rotator-key-id": NEW, "rotator-since": "2026-03-04T12:00:01Z"}


def test_an_edit_names_what_the_group_held_before() -> None:
    shown, _ = after(tagged(key_id=OLD, since="2026-02-01T00:00:00Z", previous=OLDER))
    assert (shown.key_id, shown.previous) == (NEW, OLD)


def test_the_same_credential_again_does_not_become_its_own_way_back() -> None:
    shown, _ = after(tagged(key_id=NEW, previous=OLD))
    assert shown.previous == OLD


def test_a_way_back_says_what_failed_and_leads_no_further_back() -> None:
    failed = Failed(NEW, 2, SINCE)
    shown, tags = after(tagged(key_id=NEW, previous=OLD), key_id=OLD, failed=failed)
    assert shown == TagsShown(OLD, SINCE.replace(microsecond=0), None, Failed(NEW, 2, SINCE.replace(microsecond=0)))
    assert tags["rotator-failed"] == f"{NEW}/2@2026-03-04T12:00:01Z"


def test_a_failure_is_remembered_while_the_same_credential_is_tried_again_and_forgotten_with_another() -> None:
    before = tagged(key_id=OLD, failed=f"{NEW}/3@2026-03-01T00:00:00Z")
    again, _ = after(before)
    assert again.failed == Failed(NEW, 3, datetime(2026, 3, 1, tzinfo=UTC))
    other, tags = after(before, key_id=OLDER)
    assert other.failed is None
    assert "rotator-failed" not in tags


def test_tags_in_other_letters_are_ours_too_and_are_not_doubled() -> None:
    shown = document("odd-letters")
    assert container_group.shows(shown).key_id == OLD
    assert container_group.shows(shown).since == datetime(2026, 2, 28, tzinfo=UTC)
    made, said = declared(
        "odd-letters",
        secrets={
            path: {"key_vault": "x"} for path in container_group.hidden(shown, "5d3c0a52-0000-4000-8000-000000000000")
        },
    )
    body = edited(shown, made, said)
    assert body["Tags"] == {
        "team": "x",
        "rotator-key-id": NEW,
        "rotator-since": "2026-03-04T12:00:01Z",
        "rotator-previous": OLD,
    }


@pytest.mark.parametrize(
    "tags",
    [
        {"since": "yesterday", "failed": "what"},
        {"since": "", "failed": f"{OLD}/0@2026-03-01T00:00:00Z"},
        {"since": "2026-13-01", "failed": f"{OLD}/2@never"},
        {"failed": f"{OLD}/2"},
    ],
)
def test_a_tag_that_somebody_else_wrote_is_no_tag(tags: dict[str, str]) -> None:
    assert container_group.shows(tagged(**tags)) == TagsShown()


def test_a_group_without_tags_shows_nothing() -> None:
    assert (
        container_group.shows(None)
        == container_group.shows({})
        == container_group.shows(document("nulls"))
        == TagsShown()
    )


def test_times_are_read_with_any_precision_and_zone() -> None:
    assert container_group.shows(tagged(since="2026-03-01T02:00:00.1234567+02:00")).since == datetime(
        2026, 3, 1, 0, 0, 0, 123456, tzinfo=UTC
    )


def test_a_group_has_room_for_our_tags_or_is_refused() -> None:
    shown = document("full-of-tags")
    for name in ("tag-00", "tag-01"):
        del shown["tags"][name]
    made, said = declared("full-of-tags")
    assert len(edited(shown, made, said)["tags"]) <= 50
    full = edited({**shown, "tags": shown["tags"] | {"rotator-key-id": OLD}}, made, said)
    assert len(full["tags"]) == 49
