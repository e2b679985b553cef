"""Tests of notes on certificates and federated credentials, for worlds in which passwords aren't the only risk."""

from typing import Any

from rotator.plan import View, keys_matter, next_steps
from rotator.state import Home, Key, Means, SignIns
from rotator.steps import Intent, Known
from tests import worlds
from tests.plan.test_plan import world

AT_REST: dict[str, Any] = {
    "policy": {"groups": ["app"]},
    "credentials": [{"key": "a", "end": "+80d"}],
    "versions": [{"id": "v1", "holds": "a"}],
    "groups": [{"id": "app", "holds": "a"}],
}
TWO = {
    "credentials": [{"key": "a", "end": "+80d"}, {"key": "b", "end": "+80d"}],
    "versions": [{"id": "v1", "holds": "a"}, {"id": "v2", "holds": "b", "compromised": ["a"]}],
}


GONE = {"credentials": [{"key": "b", "end": "+80d"}]}
DISABLED = [{"id": "v1", "holds": "a", "enabled": False}, {"id": "v2", "holds": "b", "compromised": ["a"]}]
WORLDS: tuple[tuple[dict[str, Any], bool], ...] = (
    ({}, False),
    ({"access": "revoked"}, True),
    ({"access": "granted"}, False),
    (TWO, True),
    ({**TWO, "credentials": [{"key": "a", "end": "-1d"}, {"key": "b", "end": "+80d"}]}, False),
    ({**TWO, **GONE}, True),
    ({**GONE, "versions": DISABLED}, False),
)
FOUND = SignIns(keys=(Key(Means.CERTIFICATE, "k1", Home.APPLICATION, None, "CN=pull"),), unread=("x may not be read",))


def test_keys_matter_after_a_revocation_and_while_a_compromised_password_may_work() -> None:
    for changed, matters in WORLDS:
        assert (changed, keys_matter(View(*world({**AT_REST, **changed})))) == (changed, matters)


def test_each_key_is_a_note_with_its_command_and_what_is_unread_is_unknown() -> None:
    for access in ("revoked", "granted"):
        policy, observed, *_ = world({**AT_REST, "access": access})
        notes = next_steps(policy, observed, Intent(), Known(signs_in=FOUND)).notes
        certificate, unknown = (note for note in notes if note.code in {"certificate", "unknown"})
        assert f"az ad app credential delete --id {worlds.APP_ID} --key-id k1 --cert" in certificate.text
        assert (unknown.text, certificate.warn, unknown.warn) == ("unknown: x may not be read", False, False)
        quiet = next_steps(policy, observed).notes
        assert not {"certificate", "unknown"} & {note.code for note in quiet}
