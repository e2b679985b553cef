"""Tests of looks for one run: the reads beside the world itself, and the preview of later steps."""

from dataclasses import replace
from typing import Any, cast

import pytest

from rotator import guard
from rotator.codes import FailureCode, VetoCode
from rotator.engine import Run
from rotator.engine.memory import Memory
from rotator.engine.observation import MOST_VALUES, foreseen, glance, look, look_and_try, preview, remembered
from rotator.engine.run import Sight
from rotator.engine.trial import TRIES
from rotator.errors import Forbidden, NotFound, Unavailable
from rotator.ports import World
from rotator.results import Preview
from rotator.state import Observed, Outcome, Permissions, Proof, Secret, SignIns
from rotator.steps import Intent, Known, kind
from tests import worlds
from tests.answering import Answering
from tests.engine.test_permits import Scene
from tests.engine.test_permits import scene as permitted
from tests.matrices.people import CHANGES
from tests.matrices.test_corners import within
from tests.stage import Stage
from tests.worlds import key

A, B, C = (
    {"key": name, "start": start, "hint": f"{name}{name}{name}"}
    for name, start in zip("abc", ("-60d", "-2d", "-1d"), strict=True)
)
OURS = {"id": "v1", "holds": "a"}
BY_HAND = {"id": "by-hand", "created": "-30d"}
YOUNG = {"id": "young", "created": "-36h"}


def seen_by(run: Run, **case: Any) -> Observed:
    return worlds.observed({"groups": [{"id": "app", "holds": "a"}], **case})


HELD: dict[str, tuple[dict[str, Any], dict[str, str], str, list[str]]] = {
    "nothing is lost": ({"credentials": [A], "versions": [OURS]}, {}, "", []),
    "an orphan in a younger version": (
        {"credentials": [A, B], "versions": [OURS, YOUNG]},
        {"young": "bbb..."},
        "b",
        ["young"],
    ),
    "another value": ({"credentials": [A, B], "versions": [OURS, YOUNG]}, {"young": "zzz"}, "", ["young"]),
    "an orphan without a hint": (
        {"credentials": [A, {**B, "hint": None}], "versions": [OURS, YOUNG]},
        {"young": "zzz"},
        "b",
        ["young"],
    ),
    "a version from before the orphan": (
        {"credentials": [A, {**B, "hint": None}], "versions": [OURS, BY_HAND]},
        {},
        "",
        [],
    ),
    "a version of the same second": (
        {"credentials": [A, B], "versions": [OURS, {**YOUNG, "created": "-2d"}]},
        {"young": "bbb"},
        "b",
        ["young"],
    ),
    "since the first orphan": (
        {"credentials": [A, B, C], "versions": [OURS, YOUNG]},
        {"young": "bbb"},
        "b",
        ["young"],
    ),
    "a disabled version": (
        {"credentials": [A, B], "versions": [{**YOUNG, "enabled": False}, {**OURS, "created": "-1h"}]},
        {},
        "",
        [],
    ),
    "a version that names its credential": (
        {"credentials": [A, B, C], "versions": [OURS, {"id": "v2", "holds": "c", "created": "-1h"}]},
        {},
        "",
        [],
    ),
    "the newest where nothing is current": (
        {"credentials": [B], "versions": [OURS]},
        {"v1": "bbb"},
        "b",
        ["v1"],
    ),
    "a replaced one in the newest": (
        {
            "credentials": [A, C],
            "versions": [OURS, {"id": "v2", "holds": "c", "created": "-1d"}, {**YOUNG, "created": "-1h"}],
        },
        {"young": "aaa"},
        "a",
        ["young"],
    ),
    "a replaced one in an older": (
        {
            "credentials": [A, C],
            "versions": [OURS, {**YOUNG, "created": "-2d"}, {"id": "v2", "holds": "c", "created": "-1d"}],
        },
        {},
        "",
        [],
    ),
    "a replaced one in the newest alone, an orphan in any": (
        {
            "credentials": [A, {**A, "key": "d", "start": "-3d", "hint": "ddd"}, C],
            "versions": [
                OURS,
                {**YOUNG, "created": "-2d"},
                {"id": "v2", "holds": "c", "created": "-1d"},
                {"id": "last", "created": "-1h"},
            ],
        },
        {"young": "aaa", "last": "ddd"},
        "d",
        ["young", "last"],
    ),
    "no orphan in an old newest": (
        {
            "credentials": [A, {**A, "key": "d", "start": "-1h", "hint": "ddd"}, C],
            "versions": [OURS, {"id": "v2", "holds": "c", "created": "-1d"}, {"id": "last", "created": "-2h"}],
        },
        {"last": "ddd"},
        "",
        ["last"],
    ),
}


@pytest.mark.parametrize("which", HELD)
def test_passwords_that_readers_may_have_are_told_by_their_first_characters(which: str) -> None:
    case, values, found, read = HELD[which]

    async def act(at: Scene) -> None:
        wanted = [Secret(values[name]) for name in read] or [Secret("")]
        told = Answering(at.run.world, observe_again=(0.0, seen_by(at.run, **case)), value=wanted)
        run = replace(at.run, world=cast("World", told), policy=worlds.policy({"groups": ["app"]}))
        seen = await look(run, Memory())
        assert seen.known.may_be_published == tuple(key(name) for name in found)
        assert [about for name, about in told.asked if name == "value"] == [(name,) for name in read]

    permitted(act)


@pytest.mark.parametrize(
    ("many", "error", "known"),
    [
        (MOST_VALUES, None, True),
        (MOST_VALUES + 1, None, False),
        (1, NotFound("No.", service="keyvault"), False),
        (1, Forbidden("No.", service="keyvault"), False),
    ],
)
def test_what_readers_may_have_is_unknown_where_not_every_value_is_read(
    many: int, error: Exception | None, *, known: bool
) -> None:
    versions = [OURS, *({**YOUNG, "id": f"young{nth:02}"} for nth in range(many))]

    async def act(at: Scene) -> None:
        observed = seen_by(at.run, credentials=[A, B], versions=versions)
        told = Answering(at.run.world, observe_again=(0.0, observed), value=error or Secret("zzz"))
        run = replace(at.run, world=cast("World", told), policy=worlds.policy({"groups": ["app"]}))
        assert (await look(run, Memory())).known.may_be_published == (() if known else None)

    permitted(act)


def test_a_look_is_dated_after_its_readings_and_tries_what_the_rules_need() -> None:
    async def act(at: Scene) -> None:
        class Slow(Answering):
            async def observe_again(self, *args: Any, **how: Any) -> Any:
                await at.run.clock.sleep(20)
                return 0.0, seen_by(at.run, credentials=[A], versions=[OURS, {**YOUNG, "created": "-1h"}])

        told = Slow(at.run.world, value=Secret("zzz"), prove=Proof(Outcome.PROVEN, signed_in=True))
        memory, begun = Memory(), at.run.world.moment()
        run = replace(at.run, world=cast("World", told), policy=worlds.policy({"groups": ["app"]}))
        seen = await look_and_try(run, memory)
        assert memory.seen_at == begun + 20
        assert seen.known == memory.known
        assert seen.known.tried == (("young", Proof(Outcome.PROVEN, signed_in=True)),)

    permitted(act)


def test_a_vault_that_may_not_be_read_ends_a_look() -> None:
    async def act(made: Stage) -> None:
        CHANGES["take the vault's role"](made)
        made.pass_(minutes=30)
        with pytest.raises(Forbidden) as caught:
            await made.with_world(lambda run: look(run, Memory()))
        assert caught.value.code == FailureCode.VAULT_UNREADABLE

    within("first", act)


LEAVING: dict[str, Any] = {"credentials": [A], "versions": [{**OURS, "compromised": ["a"]}]}


@pytest.mark.parametrize(
    ("case", "answer", "found"),
    [
        ({"credentials": [A], "versions": [OURS]}, SignIns(), None),
        (LEAVING, SignIns(), SignIns()),
        (LEAVING, Unavailable("No answer.", service="graph"), "what signs in as the principal (No answer.)"),
    ],
)
def test_what_else_signs_in_is_read_where_passwords_are_not_all_that_matters(
    case: dict[str, Any], answer: Any, found: Any
) -> None:
    async def act(at: Scene) -> None:
        told = Answering(at.run.world, observe_again=(0.0, seen_by(at.run, **case)), sign_ins=answer)
        run = replace(at.run, world=cast("World", told), policy=worlds.policy({"groups": ["app"]}))
        signs_in = (await glance(run)).known.signs_in
        assert signs_in == (SignIns(unread=(found,)) if isinstance(found, str) else found)
        assert ("sign_ins" in told.questions) == (found is not None)

    permitted(act)


ENDING: dict[str, Any] = {
    "credentials": [{**A, "end": "+5d"}, {**B, "start": "-90d"}],
    "versions": [{"id": "v0", "holds": "b", "created": "-90d"}, OURS],
}
HIDDEN = {"groups": [{"id": "app", "holds": "a", "secure_env": ["DB"]}]}
YES, NO_PULL = Proof(Outcome.PROVEN, signed_in=True), Proof(Outcome.NO_PULL, "No role.", signed_in=True)


def foreseeing(at: Scene, case: dict[str, Any], **answers: Any) -> tuple[Run, Answering]:
    """Return a run with a given world and an answer to every other question."""
    given: dict[str, Any] = {
        "observe_again": (0.0, seen_by(at.run, **case)),
        "rights": (),
        "permissions": Permissions(),
        "newer_groups": (),
        "value": Secret("a password"),
        "prove": YES,
    }
    told = Answering(at.run.world, **given | answers)
    return replace(at.run, world=cast("World", told), policy=worlds.policy({"groups": ["app"]}), latest=[]), told


def codes(shown: Preview) -> list[tuple[str, str]]:
    return [(kind(veto.step), veto.code) for veto in shown.vetoes]


def test_a_preview_asks_what_a_run_would_and_proves_once() -> None:
    async def act(at: Scene) -> None:
        run, told = foreseeing(at, ENDING)
        shown = await preview(run)
        assert codes(shown) == []
        assert [kind(step) for batch in shown.plan.batches for step in batch][:1] == ["issue"]
        assert told.questions == ["observe_again", "rights", "permissions", "value", "prove", "newer_groups"]
        assert told.ways[0]["confirmed"]
        assert shown.known.proof == YES

    permitted(act)


def test_a_preview_goes_on_behind_each_veto() -> None:
    async def act(at: Scene) -> None:
        run, told = foreseeing(at, ENDING, prove=NO_PULL)
        shown = await preview(run)
        assert codes(shown) == [("issue", "no_pull"), ("retire", "unproven")]
        assert told.questions.count("prove") == TRIES
        assert not shown.plan.batches

    permitted(act)


def test_a_preview_reads_what_else_signs_in() -> None:
    async def act(at: Scene) -> None:
        run, _ = foreseeing(at, LEAVING, sign_ins=SignIns())
        assert (await preview(run)).known.signs_in == SignIns()

    permitted(act)


def test_a_glance_tells_the_vetoes_that_rest_on_no_try() -> None:
    async def act(at: Scene) -> None:
        run, told = foreseeing(at, {**ENDING, **HIDDEN})
        shown = await glance(run)
        assert codes(shown) == [("issue", "hidden_values")]
        assert ("issue", "application") in shown.known.refused
        assert told.questions == ["observe_again"]
        assert told.ways[0]["confirmed"]

    permitted(act)


@pytest.mark.parametrize("but", [(), guard.PASSING])
def test_vetoes_that_pass_by_themselves_are_left_to_the_run(but: tuple[VetoCode, ...]) -> None:
    case = {"groups": [{"id": "app", "holds": "a"}], **ENDING}
    _, vetoes = foreseen(worlds.policy({"groups": ["app"]}), worlds.observed(case), Intent(), Known(), but)
    assert [veto.code for veto in vetoes] == ([] if but else ["unproven", "unproven"])


def test_what_a_run_saw_last_is_shown_without_another_look() -> None:
    async def act(at: Scene) -> None:
        run, told = foreseeing(at, {})
        assert remembered(run) is None
        run.latest[:] = [Sight(run.policy, 0.0, seen_by(run, **{**ENDING, **HIDDEN}))]
        shown = remembered(run)
        assert shown
        assert codes(shown) == [("issue", "hidden_values")]
        run.latest[:] = [replace(run.latest[0], preview=replace(shown, vetoes=()))]
        again = remembered(run)
        assert again
        assert codes(again) == []
        assert told.questions == []

    permitted(act)
