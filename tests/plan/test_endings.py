"""Tests of a revocation's end: decided from remaining access, from sign-ins, and from tries, without any Azure."""

from datetime import timedelta
from itertools import product

from rotator.codes import NoteCode
from rotator.plan import (
    Effect,
    Ending,
    Shown,
    Way,
    alarming,
    ending,
    remains,
    restorable,
    rests_on_absence,
    usable,
    vanished,
)
from rotator.resource_id import ArmId
from rotator.state import Assignment, Credential, Home, Key, Means, SignIns
from tests import worlds

AT = worlds.TODAY
ROLE = Way(NoteCode.STILL_GRANTED, "r", "a", "", Effect.PULLS)
GROUP = Way(NoteCode.THROUGH_GROUP, "r", "a", "", Effect.PULLS)
ANYBODY = Way(NoteCode.ANONYMOUS_PULL, "r", "r", "", Effect.PULLS)
REGAINS = Way(NoteCode.COULD_REGAIN, "r", "b", "", Effect.REGAINS)
ADMIN = Way(NoteCode.ADMIN_USER, "r", "r", "", Effect.OTHERS)
UNKNOWN = Way(NoteCode.UNKNOWN, "r", "c", "", Effect.UNKNOWN)
PASSWORD = SignIns((Credential(AT, "p", AT + timedelta(days=1), Home.APPLICATION),))
CERTIFICATE = SignIns(keys=(Key(Means.CERTIFICATE, "k", Home.APPLICATION, AT + timedelta(days=1)),))
NOTHING, UNREAD = SignIns(), SignIns(unread=("its federated credentials can't be read",))


def of(ways: tuple[Way, ...], signs_in: SignIns, shown: Shown, *, agreed: bool = False) -> Ending:
    return ending(ways, signs_in, shown, agreed=agreed)


def test_where_a_role_stays_whatever_signs_in_is_access_and_no_try_changes_that() -> None:
    for signs_in, way, shown, agreed in product((PASSWORD, CERTIFICATE), (ROLE, GROUP), Shown, (False, True)):
        assert of((ADMIN, REGAINS, way, ANYBODY), signs_in, shown, agreed=agreed) is Ending.REMAINS
        assert remains((way,), signs_in) is Ending.REMAINS


def test_anonymous_pull_needs_nothing_that_signs_in() -> None:
    for signs_in, shown in product((PASSWORD, NOTHING, UNREAD), Shown):
        assert of((ANYBODY, UNKNOWN), signs_in, shown, agreed=True) is Ending.ANYBODY
    assert remains((ROLE, REGAINS, ADMIN, UNKNOWN), NOTHING) is None
    assert remains((REGAINS,), PASSWORD) is None


def test_a_refusal_of_the_role_or_of_the_principal_is_proof_whatever_signs_in() -> None:
    for signs_in, shown, agreed in product(
        (PASSWORD, CERTIFICATE, NOTHING, UNREAD), (Shown.ROLE, Shown.PRINCIPAL), (False, True)
    ):
        assert of((ADMIN,), signs_in, shown, agreed=agreed) is Ending.GONE


def test_a_password_that_does_not_sign_in_shows_nothing_of_what_else_does() -> None:
    for signs_in, agreed in product((PASSWORD, CERTIFICATE, UNREAD), (False, True)):
        assert of((), signs_in, Shown.PASSWORD, agreed=agreed) is Ending.UNPROVEN
        assert of((), signs_in, Shown.UNTRIED, agreed=agreed) is Ending.UNPROVEN


def test_that_nothing_signs_in_counts_when_two_readings_agree_and_no_try_served() -> None:
    for ways, shown in product(((), (ROLE,), (REGAINS,)), (Shown.PASSWORD, Shown.UNTRIED)):
        assert of(ways, NOTHING, shown) is Ending.UNPROVEN
        assert of(ways, NOTHING, shown, agreed=True) is Ending.NOBODY
        assert of(ways, UNREAD, shown, agreed=True) is Ending.UNPROVEN


def test_nothing_is_gone_without_a_refusal() -> None:
    for ways, signs_in, agreed in product(((), (ROLE,)), (NOTHING, UNREAD), (False, True)):
        assert of(ways, signs_in, Shown.NOTHING, agreed=agreed) is Ending.UNPROVEN
    assert of((), PASSWORD, Shown.NOTHING) is Ending.UNPROVEN


def test_a_role_that_stays_contradicts_a_registry_that_refuses_it() -> None:
    assert of((ROLE,), UNREAD, Shown.ROLE, agreed=True) is Ending.UNPROVEN
    assert of((ROLE,), NOTHING, Shown.ROLE) is Ending.UNPROVEN
    assert of((ROLE,), NOTHING, Shown.ROLE, agreed=True) is Ending.NOBODY
    assert of((ROLE,), UNREAD, Shown.PRINCIPAL) is Ending.GONE, "nobody signs in, so no role helps"


def test_what_may_not_be_read_keeps_everything_from_being_proven() -> None:
    for signs_in, shown in product((PASSWORD, NOTHING), Shown):
        assert of((UNKNOWN,), signs_in, shown, agreed=True) is Ending.UNPROVEN


def test_a_principal_that_could_help_itself_is_told_from_one_that_nobody_can_be() -> None:
    for signs_in, agreed in product((PASSWORD, CERTIFICATE, UNREAD), (False, True)):
        assert of((REGAINS,), signs_in, Shown.ROLE, agreed=agreed) is Ending.REGAINS
    assert of((REGAINS,), NOTHING, Shown.ROLE) is Ending.REGAINS
    assert of((REGAINS,), NOTHING, Shown.ROLE, agreed=True) is Ending.GONE


def test_a_second_reading_is_made_where_the_ending_rests_on_it() -> None:
    assert rests_on_absence((ROLE,), NOTHING, Shown.PASSWORD)
    assert rests_on_absence((), NOTHING, Shown.UNTRIED)
    assert rests_on_absence((REGAINS,), NOTHING, Shown.ROLE)
    assert not rests_on_absence((), NOTHING, Shown.ROLE)
    assert not rests_on_absence((), NOTHING, Shown.NOTHING)
    assert not rests_on_absence((), UNREAD, Shown.PASSWORD)
    assert not rests_on_absence((ROLE,), PASSWORD, Shown.PASSWORD)


def test_a_way_warns_where_it_is_open_or_where_nobody_knows() -> None:
    assert [usable(way, PASSWORD) for way in (ROLE, ANYBODY, REGAINS, ADMIN, UNKNOWN)] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert [usable(way, NOTHING) for way in (ROLE, ANYBODY, REGAINS, ADMIN, UNKNOWN)] == [
        False,
        True,
        False,
        False,
        False,
    ]
    assert [usable(way, UNREAD) for way in (ROLE, REGAINS)] == [False, False]
    assert [alarming(way, CERTIFICATE) for way in (ROLE, ANYBODY, REGAINS, ADMIN, UNKNOWN)] == [
        True,
        True,
        True,
        False,
        True,
    ]
    assert [alarming(way, NOTHING) for way in (ROLE, ANYBODY, REGAINS, ADMIN, UNKNOWN)] == [
        False,
        True,
        False,
        False,
        True,
    ]
    assert [alarming(way, UNREAD) for way in (ROLE, REGAINS, ADMIN)] == [True, True, False]


def test_a_principal_that_is_not_found_is_gone_only_if_looks_agree_and_everybody_refuses_it() -> None:
    for shown, agreed, served in product(Shown, (False, True), (False, True)):
        gone = shown is Shown.PRINCIPAL and agreed and not served
        assert vanished(shown, agreed=agreed, served=served) is (Ending.ABSENT if gone else Ending.UNPROVEN)


def test_a_grant_restores_what_the_same_principal_had() -> None:
    mine, anothers = (
        Assignment(ArmId("r"), "role", ArmId("a"), "SP"),
        Assignment(ArmId("r"), "role", ArmId("b"), "another"),
    )
    assert restorable([mine, anothers], "sp") == (mine,)
    assert restorable([mine], None) == ()
