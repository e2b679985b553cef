"""Tests of the groups that count as users of a principal, and of the facts about each."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rotator.container_group import Document, Phase, dependents
from rotator.container_group.embedded_password import references, unsaid
from rotator.container_group.hidden_values import Holds, places
from rotator.container_group.instance import view
from rotator.container_group.interpretation import (
    LONG,
    Dependent,
    _Look,
    concerned,
    dependent,
    images,
    needs_rotation,
    used_images,
)
from rotator.container_group.manifest import from_manifest, keep_tags, manifest_of, manifest_problems
from rotator.container_group.refusal import refused
from rotator.container_group.tags import shows
from rotator.container_group.value_sources import Recipes, baked
from rotator.errors import UnsafeStep
from tests.container_group.documents import (
    APP_ID,
    NEW,
    PASSWORD,
    SERVER,
    declared,
    group_id,
    manifest,
    observed,
    policy,
    seen_group,
)
from tests.container_group.documents import SINCE as NOW
from tests.container_group.shown import at, container, event, group, running

ENTRY = {"server": SERVER, "username": APP_ID}
REFERENCE = "https://myvault.vault.azure.net/secrets/pull-pwd"


def pulling(*entries: dict[str, Any], env: tuple[dict[str, Any], ...] = (), **properties: Any) -> dict[str, Any]:
    inside = {"image": f"{SERVER}/app:v1", "environmentVariables": list(env)}
    return {
        "location": "westeurope",
        "properties": {
            "osType": "Linux",
            "containers": [{"name": "app", "properties": inside}],
            "imageRegistryCredentials": list(entries),
            **properties,
        },
    }


def test_an_undeclared_group_counts_if_it_pulls_as_the_principal_or_can_not_be_read() -> None:
    made = policy({"name": "said"})
    unread, absent = (replace(seen_group("other", {}), document=None, unreadable=why) for why in ("403", None))
    for shown, counts in (
        (seen_group("other", pulling(ENTRY)), True),
        (seen_group("other", pulling({"server": SERVER, "username": "else"})), False),
        (seen_group("other", pulling(env=({"name": "KEY"}, {"name": "ID", "value": APP_ID}))), True),
        (unread, True),
        (absent, False),
        (seen_group("said", pulling()), True),
    ):
        assert (concerned(made, shown) is not None) is counts
        assert (len(dependents(made, observed(shown))) == 1) is counts


HIDDEN, ENV = {"name": "ACR_PASSWORD"}, "containers/app/env/"


@pytest.mark.parametrize(
    ("shown", "said", "expected"),
    [
        (pulling(ENTRY, env=({"name": "KEY"},)), False, ("containers/app/env/KEY",)),
        (pulling(ENTRY, env=({"name": "LEVEL"},)), False, ("containers/app/env/LEVEL",)),
        (pulling(ENTRY, env=({"name": "KEY", "value": "shown"},)), False, ()),
        (pulling(ENTRY, env=({"name": "KEY", "secureValueReference": "r"},)), False, ()),
        (pulling(env=({"name": "KEY"},)), True, ("containers/app/env/KEY",)),
        (pulling(env=({"name": "SOURCED"},)), True, ()),
        (pulling(volumes=[{"name": "files", "secret": {}}]), True, ("volumes/files/secret",)),
        (pulling(volumes=[{"name": "files", "secret": {}}]), False, ()),
        (
            pulling(env=({"name": "SP_PASSWORD", "value": "x"}, {"name": "I", "value": APP_ID})),
            False,
            (f"{ENV}SP_PASSWORD",),
        ),
        (pulling(ENTRY, env=({"name": "SP_PASSWORD", "value": "x"},)), False, ()),
        (pulling(env=({"name": "SP_PASSWORD", "value": ""}, {"name": "I", "value": APP_ID})), False, ()),
        (pulling(env=({"name": "LEVEL", "value": "x"}, {"name": "I", "value": APP_ID})), False, ()),
    ],
)
def test_a_hidden_variable_is_asked_about_where_the_group_has_to_do_with_the_principal(
    shown: dict[str, Any], said: bool, expected: tuple[str, ...]
) -> None:
    made, one = declared("app", secrets={"containers/app/env/SOURCED": {"key_vault": "s"}})
    assert unsaid(Document(shown, made, one if said else None)) == expected


def test_a_variable_that_another_policy_answers_for_is_not_asked_about() -> None:
    made, one = declared("app")
    answered = made.model_copy(update={"answered": {one.id: ("containers/app/env/key",)}})
    shown = pulling(env=({"name": "KEY"}, {"name": "OTHER"})) | {"id": str(one.id)}
    assert unsaid(Document(shown, answered, one)) == ("containers/app/env/OTHER",)


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        (REFERENCE, [("a", "myvault.vault.azure.net", "pull-pwd", "")]),
        (f"{REFERENCE}/v1", [("a", "myvault.vault.azure.net", "pull-pwd", "v1")]),
        (f"{REFERENCE}/v1/more", []),
        (REFERENCE.replace("secrets", "keys"), []),
        ("https://myvault.vault.azure.net/secrets", []),
    ],
)
def test_only_the_address_of_a_secret_is_a_reference(uri: str, found: list[Any]) -> None:
    body = pulling(secretReferences=[{"name": "A", "secretReferenceUri": uri}])
    assert list(references(body)) == found


@pytest.mark.parametrize(("uri", "reads"), [(REFERENCE, True), (f"{REFERENCE}/v1", True), (f"{REFERENCE}s", False)])
def test_a_group_that_refers_to_the_published_secret_holds_its_password(uri: str, reads: bool) -> None:
    made, _ = declared("app")
    shown = pulling(secretReferences=[{"name": "A", "secretReferenceUri": uri}])
    assert needs_rotation(Document(shown, made, None)) is reads


@pytest.mark.parametrize(
    ("phase", "up", "port", "expected"),
    [
        (Phase.RUNNING, LONG, None, 1),
        (Phase.RUNNING, LONG - timedelta(seconds=1), None, 0),
        (Phase.CRASHING, LONG, None, 0),
        (Phase.CRASHING, timedelta(), 80, 1),
        (Phase.RUNNING, LONG, 80, 2),
    ],
)
def test_what_speaks_for_a_service(phase: Phase, up: timedelta, port: int | None, expected: int) -> None:
    seen = Dependent(group_id("g"), "g", False, None, NOW, phase, run_once=True, up=up, port=port)
    assert len(seen.like_a_service) == expected
    assert len(replace(seen, group=declared("g")[1]).like_a_service) == expected
    assert replace(seen, run_once=False).like_a_service == ()
    assert replace(seen, group=declared("g", runs="job")[1]).like_a_service == ()


def test_lines_are_pasted_under_what_is_written_already() -> None:
    lost = ("containers/app/env/KEY",)
    said = declared("g", secrets={"containers/app/env/OTHER": {"key_vault": "o"}})[1]
    seen = Dependent(group_id("g"), "g", True, None, NOW, Phase.RUNNING, unsourced=lost)
    assert "secrets:" in seen.lines_to_add and "- id:" not in seen.lines_to_add
    assert "secrets:" in replace(seen, group=declared("g")[1]).lines_to_add
    assert "secrets:" not in replace(seen, group=said).lines_to_add
    assert "- id:" in replace(seen, declared=False).lines_to_add
    assert replace(seen, unsourced=()).lines_to_add == ""


def test_a_look_is_the_same_only_with_the_same_policy_and_answer() -> None:
    made, other, shown = policy({"name": "g"}), policy({"name": "g"}), seen_group("g", pulling(ENTRY))
    assert _Look(made, shown) == _Look(made, shown)
    assert _Look(made, shown) not in (_Look(other, shown), _Look(made, seen_group("g", pulling(ENTRY))), "look")


def test_an_absent_group_is_known_by_its_manifest_and_an_unreadable_one_is_guessed() -> None:
    nightly = pulling(ENTRY, restartPolicy="Never")
    made, _ = declared("g", manifest=manifest(nightly))
    gone = replace(seen_group("g", {}), document=None)
    seen = dependent(made, gone)
    assert seen.run_once and seen.images == (f"{SERVER}/app:v1",) and not seen.guessed
    assert not dependent(made, seen_group("g", pulling(ENTRY))).run_once, "what runs counts"
    assert dependent(policy(), replace(gone, unreadable="403")).guessed
    assert not dependent(declared("g")[0], gone).run_once


def test_images_of_manifests_are_proven_too() -> None:
    made = policy({"name": "a", "manifest": manifest(pulling(ENTRY))}, {"name": "b"})
    assert images(made, observed()) == (f"{SERVER}/app:v1",)
    assert images(policy({"name": "b"}), observed()) == ()


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (ENTRY, True),
        ({**ENTRY, "username": "else"}, False),
        ({**ENTRY, "username": "${{ credential:username }}"}, True),
        ({**ENTRY, "identity": "/i"}, False),
        ({**ENTRY, "server": "other.azurecr.io"}, False),
    ],
)
def test_an_image_is_used_by_the_entry_of_its_registry(entry: dict[str, Any], found: bool) -> None:
    assert bool(used_images(pulling(entry), APP_ID)) is found


def test_a_container_alone_can_show_that_there_is_a_view() -> None:
    shown = group(container(running(5)), container({}))
    del shown["properties"]["instanceView"]
    del shown["properties"]["containers"][1]["properties"]["instanceView"]
    assert view(shown) is not None
    del shown["properties"]["containers"][0]["properties"]["instanceView"]
    assert view(shown) is None


def test_an_event_of_the_group_concerns_the_image_that_it_names_or_every_one() -> None:
    shown = group(container(running(5)))
    told = [
        event("Failed", "Failed to pull", 1),
        event("Other", "something", 2),
        event("Failed", 'to pull "r/other"', 3),
    ]
    shown["properties"]["containers"].append({"name": "b", "properties": {"image": "r/other"}})
    shown["properties"]["instanceView"]["events"] = told
    seen = view(shown)
    assert seen and [[each.first for each in one.events] for one in seen.instances] == [[at(1)], [at(1), at(3)]]


def test_an_event_with_one_time_has_happened_then() -> None:
    shown = group(
        container(running(5), {"name": "Failed", "message": "pull", "firstTimestamp": "2026-03-01T04:07:00Z"})
    )
    shown["properties"]["containers"][0]["properties"]["instanceView"]["events"].append(
        {"name": "Failed", "message": "pull"}
    )
    told = shown["properties"]["containers"][0]["properties"]["instanceView"]["events"]
    told.append({"name": "Failed", "message": "pull", "lastTimestamp": "2026-03-01T04:08:00Z"})
    seen = view(shown)
    assert seen and [(one.first, one.last) for one in seen.instances[0].events] == [(at(7), at(7)), (at(8), at(8))]


@pytest.mark.parametrize(
    ("there", "wanted", "kept"),
    [
        ({"a": "1"}, {"b": "2"}, {"a": "1", "b": "2"}),
        ({"A": "1"}, {"a": "2"}, {"a": "2"}),
        ({"a": "1"}, None, {"a": "1"}),
        (None, {"b": "2"}, {"b": "2"}),
        ({}, None, None),
    ],
)
def test_tags_of_others_stay_where_a_manifest_is_deployed(there: Any, wanted: Any, kept: Any) -> None:
    body: dict[str, Any] = {} if wanted is None else {"tags": wanted}
    keep_tags(body, {"tags": there})
    assert body.get("tags") == kept


@pytest.mark.parametrize(
    ("value", "known"),
    [("aaaaaaaa-0000-4000-8000-000000000000/2@2026-03-01T04:00:00Z", True), ("x", False), ("", False)],
)
def test_a_tag_of_a_failure_is_read_whole_or_not_at_all(value: str, known: bool) -> None:
    tags = {"rotator-key-id": "aaaaaaaa-0000-4000-8000-000000000000", "rotator-failed": value}
    assert (shows({"tags": tags}).failed is not None) is known
    late = {**tags, "rotator-failed": value.replace("T04", "T99")}
    assert shows({"tags": late}).failed is None


@pytest.mark.parametrize("place", ["", "properties", "tags"])
def test_a_group_of_a_profile_is_refused_wherever_that_stands(place: str) -> None:
    made, _ = declared("g")
    shown, profile = pulling(ENTRY), {"containerGroupProfile": "p"}
    assert not refused(Document(shown, made, None))
    (shown.setdefault(place, {}) if place else shown).update(profile)
    assert refused(Document(dict(shown), made, None))


def test_a_value_that_azure_reads_by_itself_is_not_written() -> None:
    referenced = {"name": "KEY", "secureValueReference": "ref"}
    made, said = declared("g", secrets={"containers/app/env/KEY": {"credential": "password"}})
    (place,) = (each for each in places(pulling(env=(referenced,))) if each.path.endswith("/KEY"))
    assert not Recipes.of(made, said).writes(place)
    (plain,) = (each for each in places(pulling(env=({"name": "KEY"},))) if each.path.endswith("/KEY"))
    assert Recipes.of(made, said).writes(plain)


def test_the_password_of_the_principals_own_entry_is_no_value_from_a_recipe() -> None:
    written = pulling({**ENTRY, "password": "${{ credential:password }}"})
    made, said = declared("g", manifest=manifest(written))
    (place,) = (each for each in places(pulling(ENTRY)) if each.name == "password")
    assert Recipes.of(made, said).for_place(place) and not Recipes.of(made, said).writes(place)


@pytest.mark.parametrize(("runs", "refused_"), [(None, True), ("job", True), ("service", False)])
def test_a_manifest_is_deployed_over_what_runs_only_if_that_is_a_service(runs: str | None, refused_: bool) -> None:
    shown = pulling(ENTRY, restartPolicy="Never", instanceView={"state": "Running"}, provisioningState="Succeeded")
    shown["properties"]["containers"][0]["properties"]["instanceView"] = {"currentState": running(5)}
    kind = {"runs": runs} if runs else {}
    made, said = declared("g", manifest=manifest(pulling(ENTRY, restartPolicy="Never")), **kind)
    written = manifest_of(made, said)
    assert written
    given: dict[str, Any] = {"values": {}, "password": PASSWORD, "key_id": NEW, "since": NOW}
    with pytest.raises(UnsafeStep) if refused_ else nullcontext():
        assert from_manifest(written, document=shown, **given)["properties"]["containers"]
    assert from_manifest(written, **given)["properties"]["containers"]


@pytest.mark.parametrize(
    ("recipe", "holds", "expected"),
    [
        ("text", Holds.TEXT, "text"),
        ('{"a": 1}', Holds.OBJECT, {"a": 1}),
        ({"a": "text"}, Holds.OBJECT, {"a": "text"}),
        ({"f": " plain "}, Holds.FILES, {"f": " plain "}),
        ({"f": "${{ keyvault:x }}"}, Holds.FILES, {"f": "dmFsdWU="}),
        ({"f": " ${{ keyvault:x:base64 }} "}, Holds.FILES, {"f": "value"}),
        ({"f": "${{ credential:password }}"}, Holds.FILES, {"f": "dmFsdWU="}),
    ],
)
def test_a_recipe_becomes_what_its_place_holds(recipe: Any, holds: Holds, expected: Any) -> None:
    assert baked(recipe, holds, lambda source: "value") == expected


def test_an_event_without_an_image_belongs_to_no_container_without_one() -> None:
    shown = group(container(running(5)))
    shown["properties"]["containers"].append({"name": "b", "properties": {}})
    shown["properties"]["instanceView"]["events"] = [
        event("Other", 'something of ""', 1),
        event("Failed", 'pull ""', 2),
    ]
    seen = view(shown)
    assert seen and [[each.first for each in one.events] for one in seen.instances] == [[at(2)], [at(2)]]


FIRST, SECOND = ({"server": "other.azurecr.io", "username": name} for name in ("first", "second"))


@pytest.mark.parametrize(
    ("entries", "ambiguous"),
    [
        ((ENTRY, FIRST, SECOND), True),
        ((ENTRY, FIRST), False),
        ((ENTRY, {**ENTRY, "username": "first"}), False),
        ((ENTRY, {**FIRST, "identity": "/i"}, SECOND), False),
        ((ENTRY, ENTRY), False),
    ],
)
def test_two_passwords_of_others_for_one_server_can_not_be_told_apart(
    entries: tuple[dict[str, Any], ...], ambiguous: bool
) -> None:
    why = refused(Document(pulling(*entries), declared("g")[0], None)) or ""
    assert ("2 entries of other users for other.azurecr.io" in why) is ambiguous
    assert ("entries of other users" in why) is ambiguous


@pytest.mark.parametrize(("uri", "holds"), [(REFERENCE, True), (f"{REFERENCE}s", False)])
def test_a_manifest_may_leave_the_password_to_azure(uri: str, holds: bool) -> None:
    entry = {**ENTRY, "passwordReference": "a"}
    shown = pulling(entry, secretReferences=[{"name": "a", "secretReferenceUri": uri}])
    made, said = declared("g", manifest=manifest(shown))
    written = manifest_of(made, said)
    assert written and (not any("would not hold" in each for each in manifest_problems(written))) is holds
