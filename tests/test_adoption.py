"""Adoption, and that a command which is repeated is no other command: `adopt`, `rotate --adopt`, `rotate --compromised`."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from rotator.emulator.inprocess import Hop
from rotator.emulator.keyvault.secret import Changes
from rotator.emulator.timing import QUICK, Timing
from rotator.engine import adopt
from rotator.errors import UnsafeStep
from rotator.plan import Adoption, Intent, Value, adoptable, declared
from rotator.state import ADOPTED, Observed, tags
from tests import worlds
from tests.stage import SECRET, Stage, play, stage
from tests.test_preemption import Held
from tests.virtual import VirtualLoop

POLICY = worlds.policy({})
CASES = YAML(typ="safe").load((Path(__file__).parent / "adoptions.yaml").read_text())


def values(versions: list[dict[str, Any]]) -> dict[str, Value]:
    return {v["id"]: Value(v["value"], v.get("works", True)) for v in versions if "value" in v}


def said(observed: Observed, tried: Mapping[str, Value], asked: str | None = None) -> Adoption | str:
    """What `adopt` comes to, or why it is refused."""
    try:
        return adoptable(POLICY, observed, tried, worlds.key(asked))
    except UnsafeStep as error:
        return str(error)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["when"])
def test_what_is_adopted(case: dict[str, Any]) -> None:
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
    """Up to four credentials and versions in every relation to each other that tags, hints and values can have."""
    credentials = [{"key": key, **draw(CREDENTIAL)} for key in "abcd"[: draw(st.integers(1, 4))]]
    versions = []
    for nth in range(draw(st.integers(1, 4))):
        version = {k: v for k, v in draw(VERSION).items() if v not in (None, [])}
        del version["holds" if "value" in version else "works"]
        versions.append({"id": f"v{nth}", "created": f"{nth - 10}d", **version})
    return worlds.observed({"credentials": credentials, "versions": versions}), values(versions)


def marked(observed: Observed, adoption: Adoption) -> Observed:
    """The world after an adoption."""
    (mark,) = adoption.versions
    listed = ",".join(sorted({*mark.adopted, *adoption.key_ids}))
    after = replace(mark, tags=tags({**dict(mark.tags), ADOPTED: listed}))
    return replace(observed, versions=tuple(after if v == mark else v for v in observed.versions))


CHANGES = ("nothing", "retired", "retired, its version disabled", "its value refused", "ours on top")


def later(change: str, observed: Observed, tried: dict[str, Value], adoption: Adoption) -> tuple[Observed, dict[str, Value]]:
    """What a rotation makes of the world after an adoption, or the emulated Azure of its answers."""
    (key,), (version,) = adoption.key_ids, adoption.versions
    if "retired" in change:
        observed = replace(observed, credentials=tuple(c for c in observed.credentials if c.key_id != key))
    if "disabled" in change:
        tried = {name: value for name, value in tried.items() if name != version.id}
    if change == "its value refused":
        tried = {name: replace(value, works=value.works and name != version.id) for name, value in tried.items()}
    if change == "ours on top":
        ours = worlds.observed({"credentials": [{"key": "n", "start": "-1m"}], "versions": [{"id": "vn", "holds": "n", "created": "-1m"}]})
        observed = replace(observed, credentials=(*observed.credentials, *ours.credentials), versions=(*observed.versions, *ours.versions))
    return observed, tried


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(world(), st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3))
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


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(world())
def test_only_a_foreign_live_one_is_adopted_and_only_for_a_value_that_authenticates(given_: tuple[Observed, dict[str, Value]]) -> None:
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


# in the emulated Azure

SLOW = Timing(secret_gone=900.0)
"""A removed password goes on to authenticate for a quarter of an hour."""


def theirs(made: Stage) -> str:
    """The key id of a password of the service principal that somebody else made; Graph shows no hint of it."""
    end = made.azure.clock.now() + timedelta(days=365)
    added = made.azure.directory.add_password(made.principal, display_name="theirs", end=end, at_once=True)
    made.pass_(minutes=5)
    return added.key_id


def adopted_of(made: Stage) -> set[str]:
    return {key for version in made.versions() for key in (version.tags or {}).get(ADOPTED, "").split(",") if key}


async def adopting(made: Stage, hop: Hop | None = None) -> Adoption:
    return await made.with_world(lambda run: adopt(run, None), hop=hop)


def played(scene: Callable[[Stage, str], Awaitable[None]], timing: Timing | None = None) -> None:
    """Play a scene in a world with a published password of the application, and one of the service principal that is nobody's business."""

    async def begin(loop: VirtualLoop) -> None:
        made = stage(loop, groups=("app",), timing=timing)
        await scene(made, theirs(made))

    play(begin)


def test_the_same_password_is_adopted_however_often_it_is_asked_for() -> None:
    async def scene(made: Stage, other: str) -> None:
        assert (await adopting(made)).key_ids == (made.by_hand.key_id,)
        since = len(made.app.served)
        for _ in range(3):
            again = await adopting(made)
            assert (again.already, again.key_ids, again.others) == (True, (made.by_hand.key_id,), (other,))
        assert made.writes(since) == []

    played(scene)


def test_what_is_retired_was_adopted_while_its_value_still_authenticates_and_ever_after() -> None:
    async def scene(made: Stage, other: str) -> None:
        await adopting(made)
        assert (await made.rotate(Intent(no_overlap=True))).exit_code == 0
        assert made.by_hand not in made.credentials()
        (version,) = [v for v in made.versions() if ADOPTED in (v.tags or {})]
        made.azure.vaults.update("myvault", SECRET, version.id, Changes(enabled=True))
        assert made.azure.tokens.authenticates_everywhere(made.app_id, version.value)
        assert (await adopting(made)).already
        made.pass_(hours=1)
        assert not made.azure.tokens.authenticates_everywhere(made.app_id, version.value)
        assert (await adopting(made)).already
        assert adopted_of(made) == {made.by_hand.key_id}
        assert other in {p.key_id for p in made.credentials()}

    played(scene, SLOW)


def test_several_that_were_adopted_by_name_were_adopted() -> None:
    async def scene(made: Stage, other: str) -> None:
        await made.rotate()
        third = theirs(made)
        for key_id in (made.by_hand.key_id, other):
            await made.with_world(partial(adopt, key_id=key_id))
        again = await adopting(made)
        assert (again.already, set(again.key_ids), again.others) == (True, {made.by_hand.key_id, other}, (third,))

    played(scene)


def _calls_of_an_adoption() -> int:
    async def scene(loop: VirtualLoop) -> int:
        made = stage(loop, groups=("app",), timing=QUICK)
        theirs(made)
        since = len(made.app.served)
        await adopting(made)
        return len(made.app.served) - since

    return play(scene)


@pytest.mark.parametrize("index", range(_calls_of_an_adoption()))
def test_two_adoptions_at_once_are_one_also_where_the_first_is_retired_already(index: int) -> None:
    """The second sleeps at one of its calls while the first adopts, rotates and removes."""

    async def scene(made: Stage, other: str) -> None:
        made.with_policy(proof={"times": 1, "over": "0s", "deadline": "5m"})

        async def meanwhile() -> None:
            await adopting(made)
            await made.rotate(Intent(no_overlap=True))
            assert made.by_hand not in made.credentials()

        held = Held(index, "arriving", meanwhile)
        assert (await adopting(made, held.hop(made))).key_ids == (made.by_hand.key_id,)
        assert held.over.is_set() and (await adopting(made)).already
        assert adopted_of(made) == {made.by_hand.key_id}

    played(scene, QUICK)


# declared compromised, twice

TWO = {"credentials": [{"key": "a"}, {"key": "b", "start": "-1h"}]}


def declaring(case: Mapping[str, Any], *asked: str) -> tuple[str, ...]:
    return declared(POLICY, worlds.observed(case), [worlds.key(k) or "" for k in asked]).key_ids


@pytest.mark.parametrize(
    ("created", "left", "expected"),
    [("-1h", True, ()), ("-1h", False, ()), ("-23h", False, ()), ("-25h", False, ("b",)), ("-25h", True, ())],
)
def test_the_fresh_replacement_of_a_compromised_credential_is_spared(created: str, left: bool, expected: tuple[str, ...]) -> None:
    credentials = TWO["credentials"][0 if left else 1 :]
    versions = [{"id": "v1", "holds": "a", "compromised": ["a"]}, {"id": "v2", "holds": "b", "created": created}]
    case = {"credentials": credentials, "versions": versions}
    assert declaring(case) == tuple(worlds.key(k) for k in expected)
    assert declaring(case, "b") == (worlds.key("b"),), "by its name it is declared"
    assert declaring(case, "a") == (worlds.key("a"),), "a command with a key id, given again, is no mistake although the credential is gone"


def test_an_overlap_longer_than_a_day_is_as_long_as_a_declaration_counts() -> None:
    policy = worlds.policy({"rotation": {"overlap": "3d"}})
    versions = [{"id": "v1", "holds": "a", "compromised": ["a"]}, {"id": "v2", "holds": "b", "created": "-2d"}]
    observed = worlds.observed({"credentials": TWO["credentials"][1:], "versions": versions})
    assert declared(policy, observed, []).spared == worlds.key("b")
    assert declared(POLICY, observed, []).spared is None
    assert declared(policy, replace(observed, at=observed.at + timedelta(days=1)), []).spared is None


@pytest.mark.parametrize("marks", [{}, {"compromised": ["z"]}])
def test_the_current_credential_is_declared_where_what_it_replaced_is_not_compromised(marks: dict[str, list[str]]) -> None:
    versions = [{"id": "v1", "holds": "a", **marks}, {"id": "v2", "holds": "b", "created": "-1h"}]
    assert declaring({**TWO, "versions": versions}) == (worlds.key("b"),)


def test_a_current_credential_that_is_declared_already_is_no_mistake() -> None:
    versions = [{"id": "v1", "holds": "a", "compromised": ["a"]}, {"id": "v2", "holds": "b", "created": "-1h", "compromised": ["b"]}]
    assert declaring({**TWO, "versions": versions}) == (worlds.key("b"),)


def test_a_current_credential_that_somebody_removed_by_hand_can_be_declared() -> None:
    assert declaring({"credentials": [], "versions": [{"id": "v1", "holds": "a"}]}) == (worlds.key("a"),)


@pytest.mark.parametrize(("versions", "asked"), [([{"id": "v0"}], ()), ([{"id": "v1", "holds": "a"}], ("z",))])
def test_what_nobody_knows_can_not_be_declared(versions: list[dict[str, str]], asked: tuple[str, ...]) -> None:
    with pytest.raises(UnsafeStep, match="the principal has no credential"):
        declaring({**TWO, "versions": versions}, *asked)


def test_without_a_version_nothing_can_be_declared() -> None:
    with pytest.raises(UnsafeStep, match="no version that could record"):
        declaring({**TWO, "versions": []}, "a")
