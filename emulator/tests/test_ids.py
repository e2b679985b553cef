"""Tests of the seeded source of identifiers and passwords."""

import re

from local_azure.ids import Ids


def test_about_one_password_of_graph_in_forty_begins_with_a_hyphen_as_in_entra() -> None:
    ids = Ids(1)
    made = [ids.secret() for _ in range(8000)]
    assert all(re.fullmatch(r"[\w~.-]{3}8Q~[\w~.-]{34}", each, re.ASCII) for each in made)
    assert 150 < sum(each.startswith("-") for each in made) < 250
    assert {each[1] for each in made} == {each[20] for each in made}


def test_passwords_of_registries_have_the_mark_that_scanners_look_for() -> None:
    ids = Ids(1)
    assert all(re.fullmatch(r"[A-Za-z0-9+/]{42}\+ACR[A-D][A-Za-z0-9+/]{5}", ids.registry_secret()) for _ in range(1000))


def test_a_seed_gives_the_same_sequence() -> None:
    one, other = Ids(7), Ids(7)
    assert [one.secret(), one.registry_secret(), one.guid()] == [other.secret(), other.registry_secret(), other.guid()]
