"""Tests of the notes at a revocation's end, and of the judgment on tries of the old value, without any Azure."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from rotator.causes import Cause, Denial, Grounds
from rotator.codes import NoteCode, ReasonCode
from rotator.errors import UnsafeStep
from rotator.plan import Effect, Shown, Tries, View, Way, declared_role, in_a_row
from rotator.plan.revocation_end import proves, refused, shown
from rotator.plan.revocation_notes import (
    NOT_WAITED,
    absent,
    doubts,
    known_to_remain,
    locked,
    losers,
    not_proven,
    open_ways,
    regranted,
    residue,
    untaken,
)
from rotator.resource_id import ArmId
from rotator.state import Assignment, Credential, Home, Key, Means, Outcome, Proof, Registry, SignIns
from rotator.steps import Intent, Note, Reason, Revoke
from tests import worlds

AT, POLICY = worlds.TODAY, worlds.policy({})
ROLE = Way(NoteCode.STILL_GRANTED, "r", "a", "a role", Effect.PULLS)
ANYBODY = Way(NoteCode.ANONYMOUS_PULL, "r", "r", "anybody", Effect.PULLS)
ADMIN = Way(NoteCode.ADMIN_USER, "r", "r", "the admin user", Effect.OTHERS)
UNKNOWN = Way(NoteCode.UNKNOWN, "r", "c", "unknown", Effect.UNKNOWN)
PASSWORD = Credential(AT, "p", AT + timedelta(days=1), Home.APPLICATION)
KEYS = tuple(Key(means, means.value, Home.APPLICATION, AT, "named") for means in Means)
NOTHING, UNREAD = SignIns(), SignIns(unread=("its keys",))


def said(notes: object) -> list[tuple[str, str, bool]]:
    """Return code, subject and warning of each note."""
    return [(note.code, note.subject, note.warn) for note in notes]  # type: ignore[attr-defined]


def view(**case: object) -> View:
    return View(worlds.policy({"groups": ["app"]}), worlds.observed(case), Intent())


def test_each_way_and_each_key_is_told_with_what_it_opens() -> None:
    notes = list(open_ways(POLICY, (ROLE, ANYBODY, ADMIN), SignIns((PASSWORD,), KEYS)))
    assert said(notes) == [
        ("still_granted", "a", True),
        ("anonymous_pull", "r", True),
        ("admin_user", "r", False),
        ("certificate", "certificate", True),
        ("federated_credential", "federated_credential", True),
        ("managed_identity", "managed_identity", True),
    ]
    assert notes[0].text == "a role"
    assert all("az " in note.text for note in notes[3:5])


def test_keys_open_nothing_where_only_the_public_pulls() -> None:
    notes = open_ways(POLICY, (ANYBODY, ADMIN), SignIns(keys=KEYS))
    assert [warn for _, _, warn in said(notes)] == [True, False, False, False, False, False]


def test_a_role_that_nobody_can_use_is_told_as_closed_and_the_public_way_never() -> None:
    notes = list(open_ways(POLICY, (ROLE, ANYBODY, ADMIN), NOTHING))
    assert [note.text.startswith("as soon as the principal can sign in") for note in notes] == [
        True,
        False,
        False,
        False,
    ]
    assert said(notes)[-1] == ("no_password", POLICY.principal.app_id, False)
    assert [note.text for note in open_ways(POLICY, (ROLE,), UNREAD)] == ["a role", "unknown: its keys"]


def test_a_certificate_says_until_when_and_a_federated_credential_how_to_end_it() -> None:
    (certificate,) = open_ways(POLICY, (), SignIns((PASSWORD,), (Key(Means.CERTIFICATE, "k", Home.APPLICATION),)))
    assert "valid until" not in certificate.text
    assert "(unnamed)" in certificate.text
    (certificate,) = open_ways(POLICY, (), SignIns((PASSWORD,), KEYS[:1]))
    assert f"valid until {AT:%Y-%m-%d}" in certificate.text
    homes = (Home.APPLICATION, Home.SERVICE_PRINCIPAL)
    texts = [
        next(iter(open_ways(POLICY, (), SignIns((PASSWORD,), (Key(Means.FEDERATED, "k", home, AT, "f"),))))).text
        for home in homes
    ]
    assert all("removes it" in text for text in texts)
    assert [", with the identity's name," in text for text in texts] == [False, True]


DOUBTS: tuple[tuple[tuple[Way, ...], SignIns, Tries, list[str]], ...] = (
    ((UNKNOWN, ROLE), UNREAD, Tries(Shown.NOTHING, "no answer"), ["1 way(s)", "cannot be read", "no answer"]),
    ((UNKNOWN,), NOTHING, Tries(Shown.ROLE), ["the id of a registry that doesn't exist"]),
    ((), NOTHING, Tries(Shown.NOTHING, NOT_WAITED), [NOT_WAITED]),
    ((), NOTHING, Tries(Shown.PASSWORD, "ignored"), []),
    ((ADMIN, ROLE), UNREAD, Tries(Shown.ROLE), ["cannot be read", "although a role should allow them"]),
    ((), SignIns((PASSWORD,), KEYS[:1]), Tries(Shown.PASSWORD), ["(passwords p, certificate certificate)"]),
    (
        (),
        SignIns(keys=KEYS[:1]),
        Tries(Shown.UNTRIED),
        ["no published value can be tried, and that proves nothing about"],
    ),
)


def test_a_missing_proof_says_each_reason() -> None:
    for ways, signs_in, tries, words in DOUBTS:
        notes = list(doubts(POLICY, ways, signs_in, tries))
        assert len(notes) == len(words)
        for note, word in zip(notes, words, strict=True):
            assert (note.code, word in note.text, note.warn) == ("not_proven", True, word != NOT_WAITED)


def test_what_remains_is_a_warning_that_names_the_faster_way_where_there_are_passwords() -> None:
    faster = "revoke mycontainerregistry --credentials"
    for ways, signs_in, ours, expected in (
        ((ROLE,), SignIns((PASSWORD,)), [PASSWORD], True),
        ((ROLE,), SignIns((PASSWORD,)), [], False),
        ((ROLE,), SignIns(keys=KEYS), [PASSWORD], False),
        ((ANYBODY,), SignIns((PASSWORD,)), [PASSWORD], False),
    ):
        note = known_to_remain(POLICY, ways, signs_in, ours)
        assert (note.warn, faster in note.text) == (True, expected)


def test_the_other_notes_say_whom_they_are_about() -> None:
    step = Revoke(Assignment(worlds.REGISTRY, "r", ArmId("id"), "p"), Reason(ReasonCode.REVOKE, ""))
    notes: list[Note] = [residue(POLICY), regranted(POLICY), locked(step, "ScopeLocked"), absent(POLICY, "not found")]
    assert said([*notes, not_proven(POLICY, "why")]) == [
        ("residue", POLICY.name, False),
        ("regranted", POLICY.name, True),
        ("locked", "id", False),
        ("no_principal", POLICY.principal.app_id, False),
        ("not_proven", POLICY.name, True),
    ]


def test_a_declared_group_that_pulls_otherwise_loses_a_password_only_if_it_shows_one() -> None:
    password = "Abc8Q~0123456789012345678901234567890123"
    groups = [
        {"id": "shows", "username": "somebody-else", "command": [password]},
        {"id": "silent", "username": "somebody-else", "command": ["run"]},
    ]
    seen = View(worlds.policy({"groups": ["shows", "silent"]}), worlds.observed({"groups": groups}), Intent())
    assert [ArmId(note.subject).name for note in losers(seen)] == ["shows"]


def test_groups_lose_what_they_hold_or_may_hold_and_foreign_passwords_stay() -> None:
    seen = view(
        credentials=[
            {"key": "a", "end": "+60d"},
            {"key": "f", "of": "rbac", "end": "+60d"},
            {"key": "g", "of": "", "end": "+60d"},
            {"key": "h", "of": "rbac", "end": "-1d"},
        ],
        versions=[{"id": "v1", "holds": "a"}],
        groups=[{"id": "app", "holds": "a"}, {"id": "untold"}],
    )
    texts = {note.subject: note.text for note in losers(seen)}
    assert {ArmId(subject).name: "may hold" in text for subject, text in texts.items()} == {
        "app": False,
        "untold": True,
    }
    left = list(untaken(seen))
    assert said(left) == [("foreign", worlds.key("f"), False), ("foreign", worlds.key("g"), False)]
    assert ["(unnamed)" in note.text for note in left] == [False, True]
    assert "isn't ours" in left[0].text


def test_a_vault_that_hides_the_tags_leaves_more_than_is_known() -> None:
    world = worlds.observed({"credentials": [{"key": "f", "of": "rbac", "end": "+60d"}]})
    notes = list(untaken(View(POLICY, replace(world, vault_refuses=Denial("403", Grounds(Cause.ROLE))), Intent())))
    assert said(notes)[0] == ("vault_refused", "pull-pwd", True)
    assert "isn't known to be ours" in notes[1].text


def test_a_refusal_is_one_by_every_registry_and_for_every_image() -> None:
    for outcome, reached, served in product(Outcome, (True, False), ((), ("image",))):
        proof = Proof(outcome, registry_reached=reached, served=served)
        no = outcome in (Outcome.NO_PULL, Outcome.REFUSED, Outcome.EXPIRED) and reached and not served
        assert refused(proof) is no
        expected = (Shown.ROLE if outcome is Outcome.NO_PULL else Shown.PASSWORD) if no else Shown.NOTHING
        assert shown(proof) is expected
    assert shown(Proof(Outcome.DISABLED, nobody=True)) is Shown.PRINCIPAL


def test_three_refusals_of_one_kind_in_a_row_count() -> None:
    role, password, nothing = Shown.ROLE, Shown.PASSWORD, Shown.NOTHING
    assert in_a_row(()) is None
    assert in_a_row((role, role)) is None
    assert in_a_row((role, role, role)) is role
    assert in_a_row((role, role, password)) is None
    assert in_a_row((role, nothing, role, role)) is None
    assert in_a_row((nothing, nothing, nothing)) is None
    assert in_a_row((nothing, password, password, password)) is password


def test_a_refused_password_proves_nothing_about_others() -> None:
    kinds = (Shown.PASSWORD, Shown.ROLE, Shown.PRINCIPAL)
    assert [proves(kind, others=True) for kind in kinds] == [False, True, True]
    assert all(proves(kind, others=False) for kind in kinds)


def test_a_role_is_given_as_the_registrys_mode_heeds_it_and_owner_only_where_it_pulls() -> None:
    legacy, abac = (Registry(worlds.REGISTRY, "r.azurecr.io", abac=mode) for mode in (False, True))
    reader = "Container Registry Repository Reader"
    assert declared_role("AcrPull", worlds.REGISTRY, abac) == reader
    assert [declared_role(role, worlds.REGISTRY, legacy) for role in ("AcrPull", reader, "Owner")] == [
        "AcrPull",
        "AcrPull",
        "Owner",
    ]
    assert declared_role("Owner", worlds.REGISTRY, None) == "Owner"
    with pytest.raises(UnsafeStep, match="with which the role Owner allows no pull"):
        declared_role("Owner", worlds.REGISTRY, abac)
