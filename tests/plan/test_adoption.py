"""Tests of decisions on adoption and on declarations, both idempotent: cases, and properties over many worlds."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from rotator.errors import UnsafeStep
from rotator.plan import Adoption, Mark, Value, adoptable, adoption_marks, declared
from rotator.state import ADOPTED, Observed, tags
from tests import worlds
from tests.cases import read
from tests.cells import drawn

POLICY = worlds.policy({})
CASES = read(Path(__file__).parent / "adoptions.yaml")


def values(versions: list[dict[str, Any]]) -> dict[str, Value]:
    return {v["id"]: Value(v["value"], v.get("works", True)) for v in versions if "value" in v}


def said(observed: Observed, tried: Mapping[str, Value], asked: str | None = None) -> Adoption | str:
    """Return the adoption, or the text of its refusal."""
    try:
        return adoptable(POLICY, observed, tried, worlds.key(asked))
    except UnsafeStep as error:
        return str(error)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["when"])
def test_what_is_adopted(case: dict[str, Any]) -> None:
    agree(case)


def agree(case: dict[str, Any]) -> None:
    """Compare one case."""
    found = said(worlds.observed(case), values(case["versions"]), case.get("asked"))
    if "refused" in case:
        assert isinstance(found, str) and case["refused"] in found
        return
    assert isinstance(found, Adoption)
    if "before" in case:
        assert found.already and found.key_ids == tuple(worlds.key(k) for k in case["before"])
        assert found.others == tuple(worlds.key(k) for k in case.get("others", ()))
        assert all(any(k in v.adopted for k in found.key_ids) for v in found.versions)
    else:
        key, _, version = case["adopts"].partition(" on ")
        assert not found.already
        assert (found.key_ids, [v.id for v in found.versions]) == ((worlds.key(key),), [version])


# over many worlds

HINTS = st.sampled_from(["abc", "uvw", None])
CREDENTIAL = st.fixed_dictionaries(
    {
        "of": st.sampled_from(["us", "rbac", "theirs"]),
        "hint": HINTS,
        "start": st.sampled_from(["-60d", "-5d"]),
        "end": st.sampled_from(["+30d", "-1d"]),
    }
)
VERSION = st.fixed_dictionaries(
    {
        "value": st.sampled_from(["abc", "abc", "uvw", "xyz", None]),
        "works": st.sampled_from([True, True, False]),
        "holds": st.sampled_from("abcd"),
        "adopted": st.sampled_from([*[[]] * 12, ["a"], ["b"], ["z"], ["a", "b"]]),
        "compromised": st.sampled_from([*[[]] * 12, ["a"], ["z"]]),
    }
)


@st.composite
def world(draw: st.DrawFn) -> tuple[Observed, dict[str, Value]]:
    """Draw up to four credentials and versions, with every relation of tags, hints and values between them."""
    credentials = [{"key": key, **draw(CREDENTIAL)} for key in "abcd"[: draw(st.integers(1, 4))]]
    versions = []
    for nth in range(draw(st.integers(1, 4))):
        version = {k: v for k, v in draw(VERSION).items() if v not in (None, [])}
        del version["holds" if "value" in version else "works"]
        versions.append({"id": f"v{nth}", "created": f"{nth - 10}d", **version})
    return worlds.observed({"credentials": credentials, "versions": versions}), values(versions)


def marked(observed: Observed, adoption: Adoption) -> Observed:
    """Return the world after an adoption."""
    (mark,) = adoption.versions
    listed = ",".join(sorted({*mark.adopted, *adoption.key_ids}))
    after = replace(mark, tags=tags({**dict(mark.tags), ADOPTED: listed}))
    return replace(observed, versions=tuple(after if v == mark else v for v in observed.versions))


CHANGES = ("nothing", "retired", "retired, its version disabled", "its value refused", "ours on top")


def later(
    change: str, observed: Observed, tried: dict[str, Value], adoption: Adoption
) -> tuple[Observed, dict[str, Value]]:
    """Return the world as a later rotation leaves it, or with another result of the tries."""
    (key,), (version,) = adoption.key_ids, adoption.versions
    if "retired" in change:
        observed = replace(observed, credentials=tuple(c for c in observed.credentials if c.key_id != key))
    if "disabled" in change:
        tried = {name: value for name, value in tried.items() if name != version.id}
    if change == "its value refused":
        tried = {name: replace(value, works=value.works and name != version.id) for name, value in tried.items()}
    if change == "ours on top":
        ours = worlds.observed(
            {"credentials": [{"key": "n", "start": "-1m"}], "versions": [{"id": "vn", "holds": "n", "created": "-1m"}]}
        )
        observed = replace(
            observed,
            credentials=(*observed.credentials, *ours.credentials),
            versions=(*observed.versions, *ours.versions),
        )
    return observed, tried


@drawn(600, given_=world(), changes=st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3))
def test_to_adopt_again_is_to_adopt_once(given_: tuple[Observed, dict[str, Value]], changes: list[str]) -> None:
    observed, tried = given_
    first = said(observed, tried)
    if isinstance(first, str) or first.already:
        return
    observed = marked(observed, first)
    for change in changes:
        observed, tried = later(change, observed, tried, first)
        again = said(observed, tried)
        assert isinstance(again, Adoption) and again.already, f"{change}: {again}"
        assert first.key_ids[0] in again.key_ids


@drawn(600, given_=world())
def test_only_a_foreign_live_one_is_adopted_and_only_for_a_value_that_authenticates(
    given_: tuple[Observed, dict[str, Value]],
) -> None:
    observed, tried = given_
    found = said(observed, tried)
    if isinstance(found, str) or found.already:
        return
    (credential,) = [c for c in observed.credentials if c.key_id in found.key_ids]
    (version,) = found.versions
    assert credential.live(observed.at) and tried[version.id].works
    assert not credential.display_name.startswith("rotator:")
    assert not any(credential.key_id in (*v.adopted, v.key_id) for v in observed.versions)
    if credential.hint is None:
        gone = {k for v in observed.versions for k in v.adopted} - {c.key_id for c in observed.credentials}
        assert not gone and not version.adopted, "what is gone may have been this value's"
    else:
        assert credential.hint == tried[version.id].hint


def test_adopting_by_name_is_adopting_once_in_every_world() -> None:
    for case in CASES:
        observed, tried = worlds.observed(case), values(case["versions"])
        for credential in observed.credentials:
            first = said(observed, tried, credential.key_id[0])
            if isinstance(first, Adoption) and not first.already:
                again = said(marked(observed, first), tried, credential.key_id[0])
                assert isinstance(again, Adoption) and again.already and again.key_ids == first.key_ids


# declared compromised, twice

A = {"credentials": [{"key": "a"}, {"key": "b", "start": "-1h"}]}
A_GONE = {"credentials": [{"key": "b", "start": "-1h"}]}
OF_A: dict[str, Any] = {"id": "v1", "holds": "a", "compromised": ["a"]}
DECLARATIONS: list[dict[str, Any]] = [
    {"when": "the replacement is an hour old, what it replaced is there", **A, "replaced": "-1h", "spared": True},
    {"when": "the replacement is an hour old, what it replaced is gone", **A_GONE, "replaced": "-1h", "spared": True},
    {
        "when": "the replacement is almost a day old, what it replaced is gone",
        **A_GONE,
        "replaced": "-23h",
        "spared": True,
    },
    {"when": "the replacement is a day old, what it replaced is gone", **A_GONE, "replaced": "-1d", "spared": False},
    {"when": "the replacement is older, what it replaced is there", **A, "replaced": "-25h", "spared": True},
    {
        "when": "the overlap is longer than a day",
        **A_GONE,
        "replaced": "-2d",
        "policy": {"rotation": {"overlap": "3d"}},
        "spared": True,
    },
    {
        "when": "the overlap is longer than a day, and over",
        **A_GONE,
        "replaced": "-3d",
        "policy": {"rotation": {"overlap": "3d"}},
        "spared": False,
    },
    {
        "when": "what it replaced isn't compromised",
        **A,
        "versions": [{"id": "v1", "holds": "a"}],
        "replaced": "-1h",
        "spared": False,
    },
    {
        "when": "another one is compromised",
        **A,
        "versions": [{"id": "v1", "holds": "a", "compromised": ["z"]}],
        "replaced": "-1h",
        "spared": False,
    },
    {
        "when": "one that a person made lies between, and the one of ours below is compromised",
        **A_GONE,
        "versions": [OF_A, {"id": "v0", "created": "-2h"}],
        "replaced": "-1h",
        "spared": True,
    },
    {"when": "the current one is declared already", **A, "replaced": "-1h", "marks": ["b"], "spared": False},
]


@pytest.mark.parametrize("case", DECLARATIONS, ids=lambda case: case["when"])
def test_whether_a_declaration_without_a_key_id_is_given_again(case: dict[str, Any]) -> None:
    declares(case)


def declares(case: dict[str, Any]) -> None:
    """Compare one case: the current credential is b, spared or declared; declared by name, both b and its predecessor
    always are.
    """
    current = {"id": "v2", "holds": "b", "created": case["replaced"], "compromised": case.get("marks", [])}
    policy, observed = (
        worlds.policy(case.get("policy")),
        worlds.observed({**case, "versions": [*case.get("versions", [OF_A]), current]}),
    )
    found = declared(policy, observed, [])
    assert found.key_ids == (() if case["spared"] else (worlds.key("b"),))
    assert (found.spared, found.replaced) == ((worlds.key("b"), worlds.key("a")) if case["spared"] else (None, None))
    for named in "ab":
        assert declared(policy, observed, [(worlds.key(named) or "").upper()] * 2).key_ids == (worlds.key(named),)


def declaring(case: Mapping[str, Any], *asked: str) -> tuple[str, ...]:
    return declared(POLICY, worlds.observed(case), [worlds.key(k) or "" for k in asked]).key_ids


def test_a_current_credential_that_somebody_removed_by_hand_can_be_declared() -> None:
    assert declaring({"credentials": [], "versions": [{"id": "v1", "holds": "a"}]}) == (worlds.key("a"),)


def test_a_credential_that_somebody_else_made_can_be_declared() -> None:
    case = {"credentials": [{"key": "f", "of": "rbac"}], "versions": [{"id": "v1", "holds": "a"}]}
    assert declaring(case, "f") == (worlds.key("f"),)


def test_what_nobody_knows_can_not_be_declared() -> None:
    for versions, asked in (
        ([{"id": "v0"}], ()),
        ([{"id": "v1", "holds": "a"}], ("z",)),
        ([{"id": "v1", "holds": "a"}], ("a", "z")),
    ):
        with pytest.raises(UnsafeStep, match=r"has no credential|was not written") as refused:
            declaring({**A, "versions": versions}, *asked)
        command = f"`rotator rotate {POLICY.name} --compromised --key-id {worlds.key('a')}`"
        assert command in refused.value.remedy


def test_what_was_adopted_is_the_first_choice_of_a_declaration() -> None:
    credentials = [{"key": "a", "of": "rbac", "end": "+5d"}, {"key": "f", "of": "rbac"}]
    with pytest.raises(UnsafeStep) as refused:
        declaring({"credentials": credentials, "versions": [{"id": "v0", "adopted": ["f"]}]})
    assert refused.value.remedy.find(str(worlds.key("f"))) < refused.value.remedy.find(str(worlds.key("a")))


def test_without_a_credential_there_is_nothing_to_declare() -> None:
    with pytest.raises(UnsafeStep) as refused:
        declaring({"credentials": [], "versions": [{"id": "v0"}]})
    assert "Graph shows no credential" in refused.value.remedy


def test_a_secret_that_is_deleted_is_recovered_before_a_declaration() -> None:
    with pytest.raises(UnsafeStep, match="is deleted and can be recovered") as refused:
        declaring({**A, "versions": [], "secret_deleted": True}, "a")
    assert "az keyvault secret recover" in refused.value.remedy
    assert f"`rotator revoke {POLICY.name} --credentials`" in refused.value.remedy


def test_without_a_version_nothing_can_be_declared() -> None:
    with pytest.raises(UnsafeStep, match="no version that could record"):
        declaring({**A, "versions": []}, "a")


def test_an_adoption_is_written_where_it_was_decided_until_it_is_recorded_and_refused_where_the_room_is_gone() -> None:
    observed = worlds.observed({"versions": [{"id": "v0"}, {"id": "v1"}]})
    adoption = Adoption(("k",), observed.versions[1:])
    assert adoption_marks(POLICY, observed.versions, adoption) == (Mark("v1", ADOPTED, ("k",)),)
    elsewhere = marked(observed, Adoption(("k",), observed.versions[:1]))
    assert adoption_marks(POLICY, elsewhere.versions, adoption) == ()
    full = (observed.versions[0], replace(observed.versions[1], tags=tags({f"z{n}": "1" for n in range(15)})))
    with pytest.raises(UnsafeStep, match="Key Vault gives a version 15"):
        adoption_marks(POLICY, full, adoption)


PURE = (
    test_a_current_credential_that_somebody_removed_by_hand_can_be_declared,
    test_a_credential_that_somebody_else_made_can_be_declared,
    test_what_nobody_knows_can_not_be_declared,
    test_what_was_adopted_is_the_first_choice_of_a_declaration,
    test_without_a_credential_there_is_nothing_to_declare,
    test_a_secret_that_is_deleted_is_recovered_before_a_declaration,
    test_without_a_version_nothing_can_be_declared,
    test_an_adoption_is_written_where_it_was_decided_until_it_is_recorded_and_refused_where_the_room_is_gone,
)
"""Further tests without Azure."""
