"""Tests of the version that takes a mark, and of its tags afterwards, even if it has no room."""

from rotator.plan import (
    EVERY_GROUP,
    MOST_CARRIED,
    MOST_TAGS,
    STRIPPED,
    Mark,
    carried,
    compromise_marks,
    marked,
    strip_marks,
)
from rotator.plan.marks import Marked
from rotator.resource_id import ArmId
from rotator.state import ADOPTED, COMPROMISED, Version, tags
from tests import worlds

POLICY = worlds.policy({})


def version(*, full: int = 0, **named: str) -> Version:
    """Return a version with so many tags of others, and tags of ours."""
    ours = {name.replace("_", "-"): value for name, value in named.items()}
    return Version("v1", worlds.TODAY, tags=tags({**{f"z{n:02}": str(n) for n in range(full)}, **ours}))


def added(to: Version, mark: Mark) -> Version:
    found = marked(to, mark)
    assert found
    return Version(to.id, to.created, tags=found.tags)


# the tags afterwards


def test_a_mark_is_added_to_what_is_there() -> None:
    before = version(full=3, rotator_adopted="b,a", rotator_compromised="x")
    after = added(before, Mark("v1", ADOPTED, ("C", "a")))
    assert after.adopted == ("a", "b", "c") and after.compromised == ("x",)
    assert {name: value for name, value in after.tags if name != ADOPTED} == {
        name: value for name, value in before.tags if name != ADOPTED
    }


def test_a_list_goes_on_in_another_tag_where_one_can_not_hold_it() -> None:
    keys = [worlds.key(f"{n:08x}") or "" for n in range(15)]
    found = version()
    for key in keys:
        found = added(found, Mark("v1", COMPROMISED, (key,)))
    assert found.compromised == tuple(sorted(keys))
    assert [name for name, _ in found.tags] == [COMPROMISED, f"{COMPROMISED}-2", f"{COMPROMISED}-3"]
    assert all(len(value) <= 256 for _, value in found.tags)
    assert added(found, Mark("v1", COMPROMISED, (keys[-1],))) == found, "what is on a later one is there"


def test_the_names_of_groups_end_in_all_of_them_where_a_tag_can_not_hold_them() -> None:
    found = version()
    for n in range(9):
        for mark in strip_marks([found], "v1", ArmId(f"group-{n}".ljust(40, "x"))):
            found = added(found, mark)
        assert strip_marks([found], "v1", ArmId(f"group-{n}".ljust(40, "x"))) == ()
        assert (EVERY_GROUP in found.listed(STRIPPED)) == (n > 5)
    assert found.tags == ((STRIPPED, EVERY_GROUP),)


def test_a_group_is_remembered_by_the_version_that_it_was_given() -> None:
    other = Version("v2", worlds.TODAY)
    assert strip_marks([version(), other], "v2", ArmId("/subscriptions/s/containerGroups/App")) == (
        Mark("v2", STRIPPED, ("app",), must=True),
    )


def test_without_room_nothing_is_added_unless_it_must_be_and_then_somebodys_last_tag_goes() -> None:
    full = version(full=13, rotator_key_id="a", rotator_home="application")
    assert len(full.tags) == MOST_TAGS
    assert marked(full, Mark("v1", ADOPTED, ("b",))) is None
    found = marked(full, Mark("v1", COMPROMISED, ("b",), must=True))
    assert found and found.dropped == ("z12",)
    assert dict(found.tags).keys() == dict(full.tags).keys() - {"z12"} | {COMPROMISED}
    assert marked(version(full=14, rotator_adopted="a"), Mark("v1", ADOPTED, ("b",))), "a list that is there has room"


PLACES: list[tuple[str, dict[str, int], list[tuple[str, bool]]]] = [
    ("the holder first, then the current one", {"old": 0, "cur": 0, "top": 0}, [("old", False), ("cur", False)]),
    ("no room on the holder", {"old": 12, "cur": 0, "top": 0}, [("cur", False), ("older", False)]),
    ("no room but on an older one of ours", {"old": 12, "cur": 12, "top": 0}, [("older", False), ("top", False)]),
    ("no room on any of ours", {"old": 12, "cur": 12, "older": 12, "top": 0}, [("top", False)]),
    ("room for one more on each", {"old": 11, "cur": 11, "older": 11, "top": 14}, [("old", False), ("cur", False)]),
    ("nowhere", {"old": 12, "cur": 12, "older": 12, "top": 15}, [("old", True)]),
]


def test_a_declaration_goes_where_there_is_room() -> None:
    for when, counts, expected in PLACES:
        theirs = {name: {f"z{n}": "1" for n in range(counts.get(name, 0))} for name in ("older", "old", "cur", "top")}
        versions = [
            {"id": "older", "holds": "c", "created": "-19d", "tags": theirs["older"]},
            {"id": "old", "holds": "a", "created": "-9d", "tags": theirs["old"]},
            {"id": "cur", "holds": "b", "created": "-5d", "tags": theirs["cur"]},
            {"id": "top", "created": "-1d", "tags": theirs["top"]},
        ]
        found = compromise_marks(
            POLICY, worlds.observed({"credentials": [{"key": "a"}], "versions": versions}), [worlds.key("a") or ""]
        )
        assert [(mark.version, mark.must) for mark in found] == expected, when


def test_one_version_records_what_there_is_no_second_for_and_the_newest_holder_comes_first() -> None:
    alone = worlds.observed({"versions": [{"id": "v1", "holds": "a"}]})
    assert [mark.version for mark in compromise_marks(POLICY, alone, ["A", "a"])] == ["v1", "v1"][:1]
    two = [
        {"id": "v1", "holds": "a", "created": "-9d"},
        {"id": "v2", "holds": "a", "created": "-5d"},
        {"id": "v3", "holds": "b", "created": "-1d"},
    ]
    keys = [worlds.key("a") or ""]
    assert [mark.version for mark in compromise_marks(POLICY, worlds.observed({"versions": two}), keys)] == ["v2", "v1"]
    half = [{**two[0], "compromised": ["a"]}, *two[1:]]
    assert [mark.version for mark in compromise_marks(POLICY, worlds.observed({"versions": half}), keys)] == ["v2"]
    both = [{**two[0], "compromised": ["a"]}, {**two[1], "compromised": ["a"]}, two[2]]
    assert compromise_marks(POLICY, worlds.observed({"versions": both}), keys) == ()


def test_a_version_with_nothing_but_ours_gives_nothing_up() -> None:
    full = Version("v1", worlds.TODAY, tags=tags({f"rotator-{n:02}": "x" for n in range(15)}))
    assert marked(full, Mark("v1", COMPROMISED, ("b",), must=True)) is None
    over = version(full=16)
    assert marked(over, Mark("v1", COMPROMISED, ("b",), must=True)) == Marked(
        tags({**{f"z{n:02}": str(n) for n in range(14)}, COMPROMISED: "b"}), ("z15", "z14")
    )


def test_a_value_of_256_characters_fits() -> None:
    assert [len(value) for _, value in added(version(rotator_adopted="x" * 254), Mark("v1", ADOPTED, ("y",))).tags] == [
        256
    ]
    assert [len(value) for _, value in added(version(rotator_adopted="x" * 255), Mark("v1", ADOPTED, ("y",))).tags] == [
        255,
        1,
    ]


def test_what_stands_once_and_has_no_other_place_is_not_written_again() -> None:
    full = {f"z{n}": "1" for n in range(12)}
    versions = [
        {"id": "old", "holds": "a", "compromised": ["a"]},
        {"id": "cur", "holds": "b", "created": "-5d", "tags": full},
    ]
    assert (
        compromise_marks(
            POLICY, worlds.observed({"credentials": [{"key": "a"}], "versions": versions}), [worlds.key("a") or ""]
        )
        == ()
    )


def test_a_new_version_takes_over_others_tags_as_far_as_ours_leave_room() -> None:
    found = carried(version(full=11, rotator_key_id="a", rotator_strips="app"))
    assert [name for name, _ in found.tags] == [f"z{n:02}" for n in range(MOST_CARRIED)] and MOST_CARRIED == 9
    assert found.dropped == ("z09", "z10")
    assert carried(version(full=9)).dropped == () == carried(None).tags


def test_the_tags_that_the_policy_declares_come_first_and_replace_others() -> None:
    found = carried(version(full=9), {"owner": "team", "z03": "new"})
    assert dict(found.tags) | {"owner": "team", "z03": "new"} == dict(found.tags)
    assert (len(found.tags), found.dropped) == (MOST_CARRIED, ("z08",))
    assert carried(None, {"owner": "team"}).tags == (("owner", "team"),)
