"""Tests of a run's memory from look to look: the first time of an absence, and the steps not to ask for again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from rotator.codes import WaitCode
from rotator.engine.memory import Memory
from rotator.plan import View
from rotator.state import Outcome, Proof
from rotator.steps import Intent, Known, Postponed, Wait
from tests import worlds
from tests.worlds import TODAY, key

LATER = timedelta(minutes=5)
USED: dict[str, Any] = {
    "credentials": [{"key": "a"}],
    "versions": [{"id": "v1", "holds": "a"}],
    "groups": [{"id": "app", "holds": "a"}],
}
GONE = {**USED, "credentials": []}
ORPHANS = {**USED, "credentials": [{"key": "a"}, {"key": "b"}, {"key": "c"}]}


def view(case: dict[str, Any], later: timedelta = timedelta(0)) -> View:
    seen = worlds.observed(case)
    return View(worlds.policy({"groups": ["app"]}), replace(seen, at=seen.at + later), Intent())


def test_the_first_time_that_the_current_credential_was_missing_is_kept_until_it_shows() -> None:
    memory = Memory()
    memory.saw(view(USED), ())
    assert memory.known.absent_since is None
    memory.saw(view(GONE), ())
    memory.saw(view(GONE, LATER), ())
    assert memory.known.absent_since == TODAY
    memory.saw(view(USED, 2 * LATER), ())
    assert memory.known.absent_since is None
    memory.saw(view({**GONE, "versions": []}, 3 * LATER), ())
    assert memory.known.absent_since is None, "nothing is current"


def test_the_first_time_that_nothing_named_an_orphan_is_kept_while_it_is_seen() -> None:
    memory = Memory()
    memory.saw(view({**ORPHANS, "credentials": ORPHANS["credentials"][:2]}), ("b",))
    memory.saw(view(ORPHANS, LATER), None)
    assert memory.known.unnamed_since == ((key("b"), TODAY), (key("c"), TODAY + LATER))
    assert memory.known.may_be_published is None
    memory.saw(view({**ORPHANS, "versions_complete": False}, 2 * LATER), ())
    assert not memory.known.unnamed_since, "a list without the newest version shows no orphan"


def test_a_look_forgets_the_proof_of_an_earlier_one_and_what_an_add_made_once_it_shows() -> None:
    names = [each.display_name for each in view(USED).observed.credentials]
    memory = Memory(Known(proof=Proof(Outcome.PROVEN), proof_at=TODAY), lost={"rotator:made", *names})
    memory.saw(view(USED), ())
    assert (memory.known.proof, memory.known.proof_at, memory.known.lost) == (None, None, ("rotator:made",))


def test_a_step_that_was_refused_or_waits_for_a_limit_is_not_asked_for_again() -> None:
    memory = Memory()
    memory.refuse(("deploy", "app"))
    memory.refuse(("retire", "a"), ("retire", "b"))
    assert memory.known.refused == {("deploy", "app"), ("retire", "a"), ("retire", "b")}
    first, second, other = (
        Postponed("deploy", "b", TODAY, "one"),
        Postponed("deploy", "b", TODAY + LATER, "two"),
        Postponed("deploy", "a", TODAY, "one"),
    )
    memory.postpone([first])
    memory.postpone([second, other])
    assert memory.known.limited == (other, second)


def test_a_wait_is_worth_as_many_looks_as_it_says() -> None:
    never, always, twice = (
        Wait(WaitCode.SETTLING, "a", "text"),
        Wait(WaitCode.SETTLING, "b", "text", look_again=5.0),
        Wait(WaitCode.SETTLING, "c", "text", look_again=5.0, looks=2),
    )
    memory, waits = Memory(), (never, always, twice)
    for _ in range(2):
        assert memory.worth_a_look(waits) == (always, twice)
        memory.looked["settling", "b"] += 1
        memory.looked["settling", "c"] += 1
    assert memory.worth_a_look(waits) == (always,)
