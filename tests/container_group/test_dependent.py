"""Tests of the dependents of the principal, as the planner gets them."""

from typing import Any

import pytest

from rotator import container_group
from rotator.container_group import Failed, Phase, Verdict
from rotator.resource_id import ResourceId
from rotator.state import ContainerGroup
from tests.container_group.documents import (
    APP_ID,
    NEW,
    OLD,
    SERVER,
    SINCE,
    declared,
    document,
    group_id,
    manifest,
    observed,
    policy,
    seen_group,
    sourced,
)


def one(name: str, shown: dict[str, Any] | None = None, **said: Any) -> container_group.Dependent:
    made, _ = declared(name, **said)
    (found,) = container_group.dependents(made, observed(seen_group(name, shown)))
    return found


def test_declared_groups_come_first_in_their_order_and_the_others_by_id() -> None:
    made = policy({"name": "transient-pull"}, {"name": "plain"})
    seen = [seen_group(name) for name in ("stopped", "plain", "crash-loop", "transient-pull")]
    found = container_group.dependents(made, observed(*seen))
    assert [(each.name, each.declared) for each in found] == [
        ("transient-pull", True),
        ("plain", True),
        ("crash-loop", False),
        ("stopped", False),
    ]


def test_an_undeclared_group_counts_for_its_user_name_alone_in_any_letters() -> None:
    other = document("plain")
    other["properties"]["imageRegistryCredentials"][0]["username"] = "0be7a70a-0000-4000-8000-00000000000f"
    seen = (
        seen_group("other", other),
        seen_group("odd-letters"),
        seen_group("identity-only"),
        seen_group("several-registries"),
    )
    assert [each.name for each in container_group.dependents(policy(), observed(*seen))] == [
        "odd-letters",
        "several-registries",
    ]


def test_a_strangers_group_that_nobody_can_read_well_disturbs_nothing() -> None:
    odd: list[Any] = [
        {},
        {"properties": None},
        {"properties": {"imageRegistryCredentials": "x"}},
        {"properties": {"imageRegistryCredentials": [None, 1]}},
    ]
    odd.append(
        {
            "properties": {
                "imageRegistryCredentials": [{"server": 4, "username": "${{ secrets.USER }}"}],
                "containers": [{"properties": []}],
            }
        }
    )
    seen = [seen_group(f"odd-{number}", shown) for number, shown in enumerate(odd)]
    assert container_group.dependents(policy(), observed(*seen)) == ()
    assert container_group.images(policy(*({"name": f"odd-{number}"} for number in range(5))), observed(*seen)) == ()


def test_ids_are_the_same_in_any_letters() -> None:
    made, _ = declared("plain")
    seen = ContainerGroup(ResourceId(group_id("plain").upper()), SINCE, document("plain"))
    (found,) = container_group.dependents(made, observed(seen))
    assert found.declared
    assert found.id == seen.id


def test_what_a_group_says_of_itself() -> None:
    shown = document("plain")
    shown["tags"] = {
        "rotator-key-id": NEW,
        "rotator-since": "2026-03-01T04:00:00Z",
        "rotator-previous": OLD,
        "rotator-failed": f"{OLD}/2@2026-03-01T03:00:00Z",
    }
    found = one("plain", shown)
    assert (found.key_id, found.previous, found.verdict, found.phase) == (NEW, OLD, Verdict.HEALTHY, Phase.RUNNING)
    assert isinstance(found.failed, Failed) and (found.failed.key_id, found.failed.count) == (OLD, 2)
    assert found.images == (f"{SERVER}/aci-helloworld:v1",)
    assert (found.at, found.run_once, found.refused, found.unsourced, found.needs_rotation) == (
        SINCE,
        False,
        None,
        (),
        True,
    )


def test_images_are_those_of_registries_that_know_this_user_by_a_password() -> None:
    assert one("several-registries").images == ("Second.azurecr.io/team/worker:2", f"{SERVER}/aci-helloworld:v1")
    everything = (f"{SERVER}/aci-helloworld:v1", f"{SERVER}/migrate:3", f"{SERVER}/tools/logger@sha256:{'cd' * 32}")
    assert one("everything").images == everything
    assert one("identity-only").images == ()


def test_a_proof_pulls_every_image_once_and_those_of_manifests_too() -> None:
    written = document("job-finished")
    written["properties"]["containers"][0]["properties"]["image"] = f"{SERVER}/nightly:v2"
    written["properties"]["imageRegistryCredentials"][0]["username"] = "${{ credential:username }}"
    made = policy({"name": "plain"}, {"name": "nightly", "manifest": manifest(written)})
    absent = ContainerGroup(group_id("nightly"), SINCE)
    seen = observed(seen_group("plain"), seen_group("transient-pull"), absent)
    assert container_group.images(made, seen) == (f"{SERVER}/aci-helloworld:v1", f"{SERVER}/nightly:v2")
    assert container_group.dependents(made, seen)[1].phase is Phase.ABSENT


@pytest.mark.parametrize(
    ("name", "says"),
    [("identity-only", "needs no rotation"), ("password-reference", "from a secret that rotator does not write")],
)
def test_a_group_without_a_password_of_its_own_needs_no_rotation_and_says_so(name: str, says: str) -> None:
    found = one(name)
    assert not found.needs_rotation
    assert any(says in note and SERVER in note for note in found.notes)


def test_a_declared_group_of_somebody_else_needs_no_rotation_and_says_why() -> None:
    shown = document("plain")
    shown["properties"]["imageRegistryCredentials"] = []
    found = one("plain", shown)
    assert not found.needs_rotation
    assert any(APP_ID in note for note in found.notes)


def test_a_group_that_takes_the_password_as_a_variable_alone_is_a_dependent() -> None:
    shown = document("plain")
    shown["properties"]["imageRegistryCredentials"] = []
    shown["properties"]["containers"][0]["properties"]["environmentVariables"] = [{"name": "CLIENT_SECRET"}]
    found = one("plain", shown, secrets={"containers/app/env/CLIENT_SECRET": {"credential": "password"}})
    assert found.needs_rotation
    assert found.unsourced == ()


def test_a_wrong_path_for_the_password_does_not_make_a_group_independent() -> None:
    shown = document("plain")
    shown["properties"]["imageRegistryCredentials"] = []
    found = one("plain", shown, secrets={"containers/app/env/TYPO": {"credential": "password"}})
    assert found.needs_rotation
    assert found.refused and "TYPO" in found.refused


def test_hidden_values_without_a_source_are_told_with_the_lines_that_mend_it() -> None:
    found = one("job-finished")
    assert found.unsourced == ("containers/job/env/API_KEY",)
    assert found.lines_to_add == "    secrets:\n      containers/job/env/API_KEY: {key_vault: job-finished-job-api-key}"
    assert one("job-finished", secrets=sourced(document("job-finished"))).lines_to_add == ""


def test_a_manifest_is_a_source_of_hidden_values_too() -> None:
    written = document("job-finished")
    written["properties"]["containers"][0]["properties"]["environmentVariables"] = [
        {"name": "API_KEY", "secureValue": "key=${{ keyvault:api-key }}"}
    ]
    assert one("job-finished", manifest=manifest(written)).unsourced == ()


@pytest.mark.parametrize("name", ["of-an-ngroup", "of-a-profile", "full-of-tags", "two-strangers"])
def test_groups_that_must_not_be_redeployed_say_why(name: str) -> None:
    assert one(name, secrets={}).refused


@pytest.mark.parametrize(
    "server",
    [
        "registry.example.com",
        "mycontainerregistry.azurecr.io.example.com",
        "mycontainerregistry2.azurecr.io",
        "docker.io",
        "mycontainerregistry.azurecr.cn",
        "mycontainerregistry2.eastus.geo.azurecr.io",
        "evil.mycontainerregistry.eastus.geo.azurecr.io",
    ],
)
def test_the_password_is_for_no_server_but_the_policys_registries(server: str) -> None:
    shown = document("plain")
    shown["properties"]["imageRegistryCredentials"].append({"server": server, "username": APP_ID.upper()})
    found = one("plain", shown)
    assert found.needs_rotation
    assert found.refused and server in found.refused


@pytest.mark.parametrize(
    "server",
    [
        SERVER.upper(),
        "mycontainerregistry-a1b2c3.azurecr.io",
        "mycontainerregistry.eastus.geo.azurecr.io",
        "mycontainerregistry-a1b2c3.eastus.geo.azurecr.io",
        "mycontainerregistry.eastus.data.azurecr.io",
    ],
)
def test_a_registry_of_the_policy_is_known_by_each_of_its_hosts(server: str) -> None:
    shown = document("plain")
    shown["properties"]["imageRegistryCredentials"][0]["server"] = server
    assert one("plain", shown).refused is None


@pytest.mark.parametrize("written", ["{}", "https://{}", "{}/", "HTTPS://{}/", " {} "])
def test_each_of_these_hosts_is_known_in_any_spelling_and_no_other_registrys(written: str) -> None:
    regions, kinds = ("eastus", "westeurope", "uksouth2"), ("geo", "data")
    ends = ["", "-a1b2c3", *(f".{region}.{kind}" for region in regions for kind in kinds)]
    ends += [f"-a1b2c3.{region}.geo" for region in regions]
    for label, ours in (
        ("mycontainerregistry", True),
        ("mycontainerregistry2", False),
        ("xmycontainerregistry", False),
    ):
        for end in ends:
            shown = document("plain")
            host = f"{label}{end}.azurecr.io"
            for each in (host, host.upper()):
                shown["properties"]["imageRegistryCredentials"][0]["server"] = written.format(each)
                assert (each, one("plain", shown).refused is None) == (each, ours)


def test_an_unreadable_group_says_so_and_may_hold_anything() -> None:
    made, _ = declared("plain")
    (found,) = container_group.dependents(
        made, observed(ContainerGroup(group_id("plain"), SINCE, unreadable="403 AuthorizationFailed"))
    )
    assert (found.phase, found.refused, found.needs_rotation) == (
        Phase.UNREADABLE,
        "403 AuthorizationFailed",
        True,
    )


def test_an_address_that_may_change_is_noted() -> None:
    assert any("20.31.7.9" in note for note in one("plain").notes)
    assert not any("20.31.7.10" in note for note in one("everything").notes)


JOB = "job-finished"


@pytest.mark.parametrize(
    ("name", "said", "choice"),
    [
        ("plain", {}, "deploy"),
        ("crash-loop", {}, "deploy"),
        ("pull-failing", {"when_stopped": "ignore", "when_finished": "ignore"}, "deploy"),
        ("stopped", {}, "wait"),
        ("stopped", {"when_stopped": "redeploy"}, "deploy"),
        ("stopped", {"when_stopped": "ignore"}, "ignore"),
        (JOB, {}, "undecided"),
        (JOB, {"when_finished": "wait"}, "wait"),
        (JOB, {"when_finished": "redeploy"}, "deploy"),
        (JOB, {"when_finished": "ignore"}, "ignore"),
        (JOB, {"manifest": True}, "wait"),
        (JOB, {"manifest": True, "when_finished": "redeploy"}, "deploy"),
        ("job-failed", {}, "undecided"),
        ("job-running", {"when_finished": "redeploy"}, "wait"),
        ("job-retrying", {}, "wait"),
        ("job-pull-failing", {}, "deploy"),
    ],
)
def test_what_the_policy_wants_of_it(name: str, said: dict[str, Any], choice: str) -> None:
    given = {**said, "manifest": manifest(document(JOB))} if said.get("manifest") else said
    assert one(name, **given).choice == choice


def test_what_nobody_declared_is_not_started_for_a_password() -> None:
    found = container_group.dependents(policy(), observed(seen_group("stopped"), seen_group(JOB)))
    assert {each.name: each.choice for each in found} == {JOB: "undecided", "stopped": "wait"}
