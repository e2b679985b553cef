"""Tests of provisioning a policy's identity, call by call: the order of creations, the reports, and the search for new
objects.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from rotator.codes import FailureCode, NoteCode
from rotator.engine import Run
from rotator.engine.identity import EVERY, VISIBLE, Wanted, ensure_identity, key, sought, until_visible
from rotator.engine.memory import Memory
from rotator.errors import Forbidden, NotFound, Unavailable, UnsafeStep
from rotator.events import AppIdSaved, IdentityCreated, Noted, OwnerAdded, StepDone, StepStarted
from rotator.policy import Draft, Policy
from rotator.state import Home, Identity
from tests import worlds
from tests.answering import Answering, fresh_run
from tests.engine.test_permits import Scene, scene
from tests.plan.test_provision_steps import draft

APP, SP = Home.APPLICATION, Home.SERVICE_PRINCIPAL
BOTH = frozenset({APP, SP})
THERE = Identity(worlds.APP_ID, "pull", "app-object", "sp-object", (APP, SP))
NEW = Identity(worlds.APP_ID, "pull", "app-object", None, (APP,))
MADE = ("sp-object", True)
Act = Callable[[Run, Answering, Scene, list[str]], Awaitable[None]]


def identifying(act: Act, **answers: Any) -> None:
    async def main(at: Scene) -> None:
        given: dict[str, Any] = {
            "identities": (THERE,),
            "signed_in": ("another", "me"),
            "create_application": NEW,
            "create_service_principal": MADE,
            "own": None,
        }
        told = Answering(at.run.world, **given | answers)
        run = fresh_run(at, told, worlds.policy({"groups": ["app"]}))
        await act(run, told, at, [])

    scene(main)


def wanted(saved: list[str], policy: Policy | Draft | None = None) -> Wanted:
    return Wanted(policy or worlds.policy({}), saved.append)


def test_of_a_draft_all_is_made_and_its_app_id_saved_before_the_service_principal() -> None:
    async def act(run: Run, told: Answering, at: Scene, saved: list[str]) -> None:
        policy, homes = await ensure_identity(run, wanted(saved, draft()))
        assert (policy.principal.app_id, homes, saved) == (worlds.APP_ID, BOTH, [worlds.APP_ID])
        assert policy.container_groups == ()
        assert told.asked == [
            ("identities", (None, "pull")),
            ("signed_in", ()),
            ("create_application", ("pull", key(run.policy))),
            ("create_service_principal", (worlds.APP_ID,)),
        ]
        created, after = at.told(IdentityCreated)
        assert (created.home, created.object_id, after.home, after.object_id) == (APP, "app-object", SP, "sp-object")
        (named,) = at.told(AppIdSaved)
        assert (named.app_id, named.file) == (worlds.APP_ID, draft().file)
        order = [type(event) for event in at.made.events if isinstance(event, IdentityCreated | AppIdSaved)]
        assert order == [IdentityCreated, AppIdSaved, IdentityCreated]
        assert len(at.told(StepStarted)) == len(at.told(StepDone)) == 3
        assert worlds.APP_ID in str(at.told(StepStarted)[-1])

    identifying(act, identities=())


def test_of_a_whole_principal_nothing_is_made() -> None:
    async def act(run: Run, told: Answering, at: Scene, saved: list[str]) -> None:
        policy, homes = await ensure_identity(run, wanted(saved))
        assert (policy, homes, saved) == (worlds.policy({}), BOTH, [])
        assert told.questions == ["identities", "signed_in"]

    identifying(act)


def test_a_draft_whose_application_exists_is_settled_with_it() -> None:
    async def act(run: Run, told: Answering, at: Scene, saved: list[str]) -> None:
        policy, _ = await ensure_identity(run, wanted(saved, draft()))
        assert (policy.principal.app_id, saved) == (worlds.APP_ID, [worlds.APP_ID])
        assert "create_application" not in told.questions

    identifying(act)


def test_a_principal_of_another_tenant_has_no_application_here() -> None:
    async def act(run: Run, told: Answering, at: Scene, saved: list[str]) -> None:
        assert (await ensure_identity(run, wanted(saved)))[1] == {SP}

    identifying(act, identities=(replace(THERE, application=None),))


def test_a_service_principal_that_graph_did_not_show_is_told() -> None:
    async def act(run: Run, told: Answering, at: Scene, saved: list[str]) -> None:
        await ensure_identity(run, wanted(saved))
        assert at.told(IdentityCreated) == []
        assert [event.detail for event in at.told(StepDone)] == [
            "the service principal existed, although Microsoft Graph did not show it"
        ]

    identifying(act, identities=(NEW,), create_service_principal=("sp-object", False))


def test_rotators_own_identity_is_never_provisioned() -> None:
    async def act(run: Run, told: Answering, at: Scene, saved: list[str]) -> None:
        with pytest.raises(UnsafeStep, match="is the identity that rotator is signed in as"):
            await ensure_identity(run, wanted(saved))
        assert told.questions == ["identities", "signed_in"]

    identifying(act, identities=(NEW,), signed_in=(worlds.APP_ID, "me"))


def test_an_app_id_that_nothing_has_is_a_mistake_and_a_draft_may_have_none() -> None:
    async def act(run: Run, told: Answering, at: Scene, saved: list[str]) -> None:
        with pytest.raises(NotFound) as caught:
            await sought(run, worlds.policy({}))
        assert caught.value.code == FailureCode.NO_SUCH_PRINCIPAL
        assert told.asked == [("identities", (worlds.APP_ID, None))]
        told.asked.clear()
        assert await sought(run, draft()) == ()
        assert told.asked == [("identities", (None, "pull"))]

    identifying(act, identities=())


def test_what_is_known_of_a_draft_is_all_but_its_principal() -> None:
    saved: list[str] = []
    policy = worlds.policy({})
    assert wanted(saved).known() == policy
    known = wanted(saved, draft()).known()
    assert known.principal.app_id != policy.principal.app_id
    assert known.key_vault == policy.key_vault


OWNED: dict[str, tuple[tuple[Home, ...], list[tuple[Home, str]]]] = {
    "both": ((), [(APP, "app-object"), (SP, "sp-object")]),
    "the application": ((SP,), [(APP, "app-object")]),
    "the service principal": ((APP,), [(SP, "sp-object")]),
}


@pytest.mark.parametrize("which", OWNED)
@pytest.mark.parametrize("permitted", [True, False])
def test_rotator_makes_itself_an_owner_or_says_who_can(which: str, *, permitted: bool) -> None:
    has, owns = OWNED[which]

    async def act(run: Run, told: Answering, at: Scene, saved: list[str]) -> None:
        await ensure_identity(run, wanted(saved))
        assert [args for name, args in told.asked if name == "own"] == [(home, oid, "me") for home, oid in owns]
        assert [(event.home, event.owner) for event in at.told(OwnerAdded)] == [
            (home, "me") for home, _ in owns if permitted
        ]
        assert len(at.told(StepDone)) == (len(owns) if permitted else 0)
        notes = [] if permitted else [(NoteCode.NOT_OWNER, oid, home is APP) for home, oid in owns]
        assert [(event.code, event.subject, event.warn) for event in at.told(Noted)] == notes
        for note, (home, _) in zip(at.told(Noted), owns, strict=False):
            assert ("az ad app owner add" in note.text) == (home is APP)

    refused = None if permitted else Forbidden("No.", service="graph")
    identifying(act, identities=(replace(THERE, owned=has),), own=refused)


# the search for new objects

SEEN = worlds.observed({})
HALF = replace(SEEN, principal=replace(SEEN.principal, service_principal=None))
NONE = NotFound("No such principal.", service="graph", code=FailureCode.NO_SUCH_PRINCIPAL)
LOOKS: dict[str, tuple[list[Any], frozenset[Home], int]] = {
    "at once": ([SEEN], BOTH, 0),
    "half of it at first": ([HALF, SEEN], BOTH, 1),
    "nothing at first": ([NONE, NONE, SEEN], BOTH, 2),
    "more than is wanted": ([SEEN], frozenset({SP}), 0),
    "just what is wanted": ([HALF], frozenset({APP}), 0),
}


@pytest.mark.parametrize("which", LOOKS)
def test_new_objects_are_looked_for_until_one_look_shows_all(which: str) -> None:
    looks, homes, pauses = LOOKS[which]

    async def act(run: Run, told: Answering, at: Scene, saved: list[str]) -> None:
        begun = run.clock.elapsed()
        assert (await until_visible(run, homes, Memory())).observed == looks[-1]
        assert run.clock.elapsed() - begun == EVERY * pauses

    identifying(act, observe_again=[each if isinstance(each, Exception) else (0.0, each) for each in looks])


def test_objects_that_never_show_are_left_to_a_later_run_and_another_absence_is_an_error() -> None:
    async def act(run: Run, told: Answering, at: Scene, saved: list[str]) -> None:
        begun = run.clock.elapsed()
        with pytest.raises(Unavailable) as caught:
            await until_visible(run, BOTH, Memory())
        assert caught.value.code == FailureCode.NOT_VISIBLE
        assert run.clock.elapsed() - begun == VISIBLE
        assert told.questions.count("observe_again") == VISIBLE / EVERY

    identifying(act, observe_again=(0.0, HALF))

    async def other(run: Run, told: Answering, at: Scene, saved: list[str]) -> None:
        with pytest.raises(NotFound):
            await until_visible(run, BOTH, Memory())

    identifying(other, observe_again=NotFound("No registry.", service="arm"))
