"""Tests of each method of the World against the emulated Azure, as the operator with the documented rights."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from local_azure.keyvault.secret import Changes
from local_azure.wire import Request

from rotator.causes import Cause
from rotator.clients.principals import by_app_id
from rotator.errors import Conflict, Forbidden, NotFound, Unavailable, UnsafeStep
from rotator.resource_id import ArmId
from rotator.state import Access, Assignment, Home, Outcome, Principal, Secret
from tests.clients.scene import IMAGE, PASSWORD, START, USERNAME, Scene, scene

END = START + timedelta(days=90)


@scene
async def test_a_new_tenant_is_observed_with_nothing_of_ours_in_it(at: Scene) -> None:
    seen = await at.world.observe(at.policy)
    assert (seen.tenant, seen.signed_in) == (at.seeded.tenant, at.seeded.operator.app_id)
    assert (seen.principal.application, seen.principal.service_principal) == (
        at.application.id,
        at.service_principal.id,
    )
    assert [(c.key_id, c.home, c.hint) for c in seen.credentials] == [
        (at.password.key_id, Home.APPLICATION, at.password.secret[:3])
    ]
    assert (seen.versions, seen.latest, seen.access, seen.vault_refuses) == ((), None, Access.UNMARKED, None)
    assert [registry.login_server for registry in seen.registries] == [at.seeded.login_server]
    assert [(group.id, group.document) for group in seen.groups] == [(at.group_id, None)]
    assert seen.at == at.azure.clock.now().replace(microsecond=0)


@scene
async def test_a_declared_group_is_seen_whole_and_others_are_found_by_the_user_name(at: Scene) -> None:
    other = at.deploy(at.group_id.replace("mycontainer", "other"))
    at.deploy()
    seen = await at.world.observe(at.policy)
    assert [group.id for group in seen.groups] == [at.group_id, other]
    assert all(group.document and "instanceView" in group.document["properties"] for group in seen.groups)


@scene
async def test_versions_are_sorted_and_the_one_that_readers_get_is_known_although_disabled(at: Scene) -> None:
    for value in ("one", "two"):
        at.azure.vaults.set("myvault", PASSWORD, value)
    newest = at.azure.vaults.set("myvault", PASSWORD, "three", enabled=False)
    seen = await at.world.observe(at.policy)
    assert (len(seen.versions), seen.latest, seen.versions[-1].enabled) == (3, newest.id, False)


@scene
async def test_a_password_is_added_to_its_home_and_removed_again(at: Scene) -> None:
    principal = (await at.world.observe(at.policy)).principal
    for home in Home:
        issued = await at.world.add_password(principal, home, "rotator:abc:1", END)
        assert at.azure.tokens.authenticates(at.app_id, issued.secret.reveal())
        assert issued.credential in await at.world.credentials(at.policy)
        assert (issued.credential.end, issued.credential.home) == (END, home)
        await at.world.remove_password(principal, home, issued.credential.key_id)
        assert not at.azure.tokens.authenticates(at.app_id, issued.secret.reveal())
        with pytest.raises(NotFound):
            await at.world.remove_password(principal, home, issued.credential.key_id)


@scene
async def test_a_published_version_has_all_that_was_said_of_it(at: Scene) -> None:
    made = await at.world.publish(at.policy, Secret("s3cret"), END, "text/plain", (("owner", "me"),))
    assert await at.world.versions(at.policy) == (made,)
    assert (made.expires, made.content_type, made.tags) == (END, "text/plain", (("owner", "me"),))
    assert (await at.world.value(at.policy)).reveal() == (await at.world.value(at.policy, made.id)).reveal() == "s3cret"
    await at.world.mark_version(at.policy, made.id, tags=(("rotator-compromised", "k"),))
    (marked,) = await at.world.versions(at.policy)
    assert (marked.compromised, marked.enabled, marked.expires, marked.content_type) == (
        ("k",),
        True,
        END,
        "text/plain",
    )
    await at.world.mark_version(at.policy, made.id, enabled=False)
    (disabled,) = await at.world.versions(at.policy)
    assert (disabled.enabled, disabled.compromised) == (False, ("k",))


@scene
async def test_the_user_name_is_written_once(at: Scene) -> None:
    assert await at.world.publish_username(at.policy)
    assert not await at.world.publish_username(at.policy)
    assert (await at.world.secret(at.policy, USERNAME)).reveal() == at.app_id
    assert len(at.azure.vaults.versions("myvault", USERNAME)) == 1


@scene
async def test_a_good_password_proves_and_a_missing_image_is_named(at: Scene) -> None:
    missing = IMAGE.replace("v1", "v9")
    proof = await at.world.prove(at.policy, Secret(at.password.secret), [IMAGE, missing])
    assert (proof.outcome, proof.missing, proof.registry_reached) == (Outcome.PROVEN, (missing,), True)
    assert (await at.world.prove(at.policy, Secret(at.password.secret), [])).ok


@scene
async def test_a_wrong_password_is_refused_without_asking_the_registry(at: Scene) -> None:
    proof = await at.world.prove(at.policy, Secret("wrong"), [IMAGE])
    assert (proof.outcome, "AADSTS7000215" in proof.detail) == (Outcome.REFUSED, True)
    assert "acr.token" not in at.served()


@scene
async def test_a_password_without_a_role_authenticates_and_cannot_pull(at: Scene) -> None:
    for assignment in await at.world.assignments(at.policy):
        assert await at.world.delete_assignment(assignment)
        assert not await at.world.delete_assignment(assignment)
    for images in ([IMAGE], []):
        assert (await at.world.prove(at.policy, Secret(at.password.secret), images)).outcome is Outcome.NO_PULL


@scene
async def test_a_disabled_principal_is_told_from_a_wrong_password(at: Scene) -> None:
    at.azure.directory.update(at.service_principal, {"accountEnabled": False})
    assert (await at.world.prove(at.policy, Secret(at.password.secret), [IMAGE])).outcome is Outcome.DISABLED
    assert not (await at.world.observe(at.policy)).principal.enabled


@scene
async def test_a_deactivated_application_is_told_from_a_disabled_principal(at: Scene) -> None:
    assert (await at.world.observe(at.policy)).principal.deactivated is False
    at.azure.directory.update(at.application, {"isDisabled": True})
    assert (await at.world.prove(at.policy, Secret(at.password.secret), [IMAGE])).outcome is Outcome.DISABLED
    for principal in ((await at.world.observe(at.policy)).principal, await listed(at)):
        assert (principal.enabled, principal.deactivated) == (False, True)


async def listed(at: Scene) -> Principal:
    found = await by_app_id(at.world.graph, [at.app_id], at.seeded.tenant, foreign=False)
    principal = found[at.app_id]
    assert isinstance(principal, tuple)
    return principal[0]


@scene
async def test_a_graph_that_does_not_know_deactivation_is_asked_once_and_it_is_unknown(at: Scene) -> None:
    """Graph refuses every list and read that selects the property."""
    message = "Could not find a property named 'isDisabled' on type 'microsoft.graph.application'."
    for operation in ("graph.applications.get", "graph.servicePrincipals.get"):
        at.fault(operation, times=1, code="BadRequest", status=400, message=message)
    principal = (await at.world.observe(at.policy)).principal
    assert (principal.enabled, principal.application) == (True, at.application.id)
    before = len(at.app.served)
    principal = (await at.world.observe(at.policy)).principal
    assert (principal.deactivated, principal.enabled) == (None, True)
    assert at.served(before).count("graph.applications.get") == 1


@scene
async def test_lists_of_such_a_graph_are_asked_for_again_without_it(at: Scene) -> None:
    message = "Could not find a property named 'isDisabled' on type 'microsoft.graph.application'."
    at.fault("graph.batch", times=1, code="BadRequest", status=400, message=message)
    assert (await listed(at)).deactivated is None
    assert at.served().count("graph.batch") == 2
    assert (await listed(at)).deactivated is None
    assert at.served().count("graph.batch") == 3


EXEMPT = {"id": "Automation_Role", "operator": "equals", "value": "rotator"}


@pytest.mark.parametrize(
    ("attributes", "readable", "exempts"),
    [
        ({"Automation": {"Role": "rotator"}}, False, ("Automation_Role=rotator",)),
        ({}, True, ("Automation_Role=rotator",)),
        ({"Automation": {"Role": "Rotator"}}, True, ()),
        ({"Automation_Role": {"x": "rotator"}}, True, ()),
        ({"Automation": {"Role": "rotator"}}, True, None),
        ({"Automation": {"Role": ["a", "rotator"]}, "B": {"c": "d"}}, True, None),
    ],
)
def test_a_limit_exempts_callers_by_an_attribute_and_who_may_not_look_does_not_know(
    attributes: dict[str, Any], readable: bool, exempts: tuple[str, ...] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    @scene
    async def test(at: Scene) -> None:
        rule = {"restrictionType": "passwordAddition", "excludeActors": {"customSecurityAttributes": [EXEMPT]}}
        content = {"isEnabled": True, "applicationRestrictions": {"passwordCredentials": [rule]}}
        at.azure.directory.state.tenant_policy.update(content)
        operator = at.azure.directory.principal(at.seeded.operator.app_id)
        assert operator
        operator.attributes = attributes
        at.azure.directory.grant(operator.app_id, "Policy.Read.All")
        if readable:
            at.azure.directory.grant(operator.app_id, "CustomSecAttributeAssignment.Read.All")
        limits = await at.world.limits(at.policy)
        assert [limit.exempts for limit in limits] == ([] if exempts is None else [exempts])
        unknown = (await at.world.permissions(at.policy, [])).unknown
        said = "whether app management policy Default app management tenant policy exempts rotator by Automation_Role=rotator"
        assert [question for question, _ in unknown if "exempts" in question] == ([said] if exempts else [])

    test(monkeypatch)


@scene
async def test_a_registry_that_is_out_of_reach_is_told_from_entra(at: Scene) -> None:
    at.fault("acr.*", "reset", times=0)
    proof = await at.world.prove(at.policy, Secret(at.password.secret), [IMAGE])
    assert (proof.outcome, proof.registry_reached) == (Outcome.UNREACHABLE, False)
    at.azure.faults.clear()
    await at.world.token.who()
    at.fault("entra.token", times=0)
    proof = await at.world.prove(at.policy, Secret(at.password.secret), [IMAGE])
    assert (proof.outcome, proof.registry_reached) == (Outcome.UNREACHABLE, True)


@scene
async def test_an_endpoint_of_a_region_without_an_answer_costs_only_the_images_there(at: Scene) -> None:
    gone = IMAGE.replace(".", ".northeurope.geo.", 1)
    for images in ([IMAGE, gone], [gone]):
        proof = await at.world.prove(at.policy, Secret(at.password.secret), images)
        assert (proof.outcome, proof.missing, proof.unanswered) == (Outcome.PROVEN, (gone,), (gone,))
    unproven = at.policy_with(proof={**at.policy.proof.model_dump(), "registry": "optional"})
    proof = await at.world.prove(unproven, Secret(at.password.secret), [IMAGE, gone])
    assert (proof.outcome, proof.registry_reached, proof.missing) == (Outcome.UNREACHABLE, False, ())
    at.fault("acr.*", "reset", times=0)
    proof = await at.world.prove(at.policy, Secret(at.password.secret), [IMAGE, gone])
    assert (proof.outcome, proof.registry_reached) == (Outcome.UNREACHABLE, False)


@scene
async def test_no_host_but_the_policys_registries_is_shown_the_password(at: Scene) -> None:
    await at.world.prove(at.policy, Secret(at.password.secret), ["evil.azurecr.io/app:v1", IMAGE])
    assert {call.host for call in at.app.served if call.operation.startswith("acr.")} == {at.seeded.login_server}


@scene
async def test_a_group_is_put_as_it_is_given_and_read_back_raw(at: Scene) -> None:
    put = await at.world.put_group(at.group_id, at.body(confidentialComputeProperties={"ccePolicy": "eyJ"}))
    assert (put.created, put.at) == (True, at.azure.clock.now().replace(microsecond=0))
    at.azure.clock.advance(timedelta(minutes=2))
    document = (await at.world.group(at.group_id)).document
    assert document and document["properties"]["confidentialComputeProperties"] == {"ccePolicy": "eyJ"}
    stored = at.azure.container_groups.stored(at.group_id)
    assert stored["properties"]["imageRegistryCredentials"][0]["password"] == at.password.secret
    assert not (await at.world.put_group(at.group_id, at.body())).created


@scene
async def test_logs_are_what_the_container_printed(at: Scene) -> None:
    at.azure.registries.push(at.seeded.login_server, "aci-helloworld", "v1", logs="listening\n")
    at.deploy()
    at.azure.authorization.define(
        "logs", actions=["Microsoft.ContainerInstance/containerGroups/containers/logs/read"], scopes=["/"]
    )
    at.azure.authorization.assign(at.group_id, at.seeded.operator.object_id, "logs", at_once=True)
    assert await at.world.logs(at.group_id, "app") == "listening\n"


@scene
async def test_the_access_mark_restores_what_was_recorded(at: Scene) -> None:
    found = await at.world.assignments(at.policy)
    assert [(a.scope, a.role) for a in found] == [
        (at.seeded.registry_id, await at.world.role("AcrPull", at.registry_id))
    ]
    await at.world.record_access(at.policy, Access.REVOKED, found)
    record = await at.world.access(at.policy)
    assert (record.access, record.assignments) == (Access.REVOKED, found)
    assert (await at.world.observe(at.policy)).access is Access.REVOKED
    await at.world.delete_assignment(found[0])
    assert await at.world.create_assignment(record.assignments[0])
    assert not await at.world.create_assignment(record.assignments[0])
    assert await at.world.assignments(at.policy) == found


@scene
async def test_a_record_that_has_no_room_is_refused_before_it_is_written_and_a_long_one_is_written_closer(
    at: Scene,
) -> None:
    (one,) = await at.world.assignments(at.policy)
    many = tuple(sorted(replace(one, id=ArmId(f"{one.id[:-12]}{number:012}")) for number in range(60)))
    fits = next(number for number in range(60, 0, -1) if len(_indented(many[:number])) <= 25 * 1024)
    for count in (fits, fits + 1):
        await at.world.record_access(at.policy, Access.REVOKED, many[:count])
        assert (await at.world.access(at.policy)).assignments == many[:count]
    since = len(at.served())
    with pytest.raises(UnsafeStep, match="record of 60 role assignments takes"):
        await at.world.record_access(at.policy, Access.REVOKED, many)
    assert at.served(since) == []


def _indented(assignments: Sequence[Assignment]) -> str:
    return json.dumps([asdict(each) for each in assignments], indent=1)


@scene
async def test_a_mark_that_is_to_be_enabled_and_is_not_listed_is_an_answer_to_ask_for_again(at: Scene) -> None:
    await at.world.record_access(at.policy, Access.REVOKED, ())
    at.fault("keyvault.secrets.versions", "changed", argument="value=[]", times=0)
    with pytest.raises(Unavailable, match="lists no version"):
        await at.world.enable_record(at.policy)


@scene
async def test_a_user_name_keeps_what_others_wrote_around_it(at: Scene) -> None:
    at.azure.vaults.set("myvault", USERNAME, "somebody else", content_type="text/plain", tags={"owner": "us"})
    assert await at.world.publish_username(at.policy)
    newest = at.azure.vaults.get("myvault", USERNAME)
    assert (newest.value, newest.content_type, newest.tags) == (at.app_id, "text/plain", {"owner": "us"})


@scene
async def test_a_disabled_mark_still_marks(at: Scene) -> None:
    await at.world.record_access(at.policy, Access.REVOKED, ())
    (version,) = at.azure.vaults.versions("myvault", at.policy.access_secret)
    at.azure.vaults.update("myvault", at.policy.access_secret, version.id, Changes(enabled=False))
    assert (await at.world.access(at.policy)).access is Access.REVOKED


@scene
async def test_a_secret_of_the_marks_name_that_is_somebody_elses_stops_everything(at: Scene) -> None:
    at.azure.vaults.set("myvault", at.policy.access_secret, "theirs")
    with pytest.raises(Conflict, match="was not written by rotator"):
        await at.world.observe(at.policy)


@scene
async def test_the_operator_may_write_its_groups_and_vault(at: Scene) -> None:
    at.deploy()
    allowed = await at.world.permissions(at.policy, [at.group_id])
    assert (allowed.groups_refused, allowed.vault_refused) == ((), None)


@scene
async def test_a_missing_right_is_known_before_any_write(at: Scene) -> None:
    at.deploy()
    for assignment in at.azure.authorization.assignments(
        f"/subscriptions/{at.seeded.subscription}", principals={at.seeded.operator.object_id}
    ):
        at.azure.authorization.delete(assignment.id)
    reader = (
        "Microsoft.KeyVault/vaults/read",
        "Microsoft.Resources/subscriptions/resources/read",
        "Microsoft.ContainerInstance/*/read",
    )
    at.azure.authorization.define("reader", actions=[*reader, "Microsoft.Authorization/*/read"], scopes=["/"])
    at.azure.authorization.assign(
        f"/subscriptions/{at.seeded.subscription}", at.seeded.operator.object_id, "reader", at_once=True
    )
    refused = await at.world.permissions(at.policy, [at.group_id])
    assert refused.groups_refused == (at.group_id,)
    assert (
        refused.vault_refused
        and "setSecret" in refused.vault_refused.text
        and at.seeded.vault_id in refused.vault_refused.text
    )


@scene
async def test_a_soft_deleted_name_is_no_version_and_known_to_be_taken(at: Scene) -> None:
    at.azure.vaults.set("myvault", PASSWORD, "old")
    at.azure.vaults.delete("myvault", PASSWORD)
    seen = await at.world.observe(at.policy)
    assert (seen.versions, seen.latest, seen.secret_deleted) == ((), None, True)
    with pytest.raises(Conflict) as refused:
        await at.world.publish(at.policy, Secret("new"), END, None, ())
    assert refused.value.code == "ObjectIsDeletedButRecoverable"


@scene
async def test_a_soft_deleted_secret_that_is_disabled_is_found_in_the_list(at: Scene) -> None:
    for name in (at.policy.access_secret, PASSWORD):
        at.azure.vaults.set("myvault", name, "[]", {"rotator-access": "revoked"}, enabled=False)
        at.azure.vaults.delete("myvault", name)
    assert (await at.world.observe(at.policy)).secret_deleted
    record = await at.world.access(at.policy)
    assert (record.access, record.deleted) == (Access.REVOKED, True)


@scene
async def test_a_vault_that_refuses_is_part_of_the_picture(at: Scene) -> None:
    for assignment in at.azure.authorization.assignments(at.seeded.vault_id, principals={at.seeded.operator.object_id}):
        if assignment.scope == at.seeded.vault_id:
            at.azure.authorization.delete(assignment.id)
    seen = await at.world.observe(at.policy)
    assert seen.vault_refuses and "ForbiddenByRbac" in seen.vault_refuses.text
    assert seen.vault_refuses.grounds.cause is Cause.ROLE


@scene
async def test_a_subscription_that_may_not_be_listed_is_unseen_and_its_groups_unreadable(at: Scene) -> None:
    at.deploy()
    for assignment in at.azure.authorization.assignments(
        f"/subscriptions/{at.seeded.subscription}", principals={at.seeded.operator.object_id}
    ):
        if assignment.scope == f"/subscriptions/{at.seeded.subscription}":
            at.azure.authorization.delete(assignment.id)
    at.azure.authorization.define("registries", actions=["Microsoft.ContainerRegistry/registries/read"], scopes=["/"])
    at.azure.authorization.assign(at.seeded.registry_id, at.seeded.operator.object_id, "registries", at_once=True)
    seen = await at.world.observe(at.policy)
    assert [unseen.subscription for unseen in seen.unseen] == [at.seeded.subscription]
    assert [group.document for group in seen.groups] == [None]
    assert "AuthorizationFailed" in (seen.groups[0].unreadable or "")


@scene
async def test_an_unknown_principal_and_a_missing_registry_are_named(at: Scene) -> None:
    stranger = "5d3c0a52-0000-0000-0000-000000000000"
    with pytest.raises(NotFound, match=f"{stranger} is in tenant {at.seeded.tenant}"):
        await at.world.observe(at.policy_with(principal={"app_id": stranger}))
    gone = at.seeded.registry_id.replace("mycontainerregistry", "gone")
    with pytest.raises(NotFound, match="registry gone doesn't exist"):
        await at.world.observe(at.policy_with(registries=[{"id": gone}]))


@scene
async def test_a_refusal_names_the_permission_and_where_it_must_be_given(at: Scene) -> None:
    principal = (await at.world.observe(at.policy)).principal
    at.azure.directory.state.applications[at.application.id].owners.clear()
    with pytest.raises(Forbidden) as refused:
        await at.world.add_password(principal, Home.APPLICATION, "rotator:abc:1", END)
    assert f"Application.ReadWrite.OwnedBy, as an owner of {at.application.id}" in refused.value.diagnose().remedy
    assert "Authorization_RequestDenied" in str(refused.value)


class Killed(BaseException):
    """Death of a process in the middle of a call."""


@scene
async def test_a_death_in_any_call_comes_out_as_itself_and_leaves_no_task_behind(at: Scene) -> None:
    at.azure.vaults.set("myvault", PASSWORD, at.password.secret)
    deaths = 0
    while True:
        left = iter(range(deaths))

        async def die(request: Request, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise Killed

        at.hop.arriving = die
        try:
            await at.world.observe(at.policy)
        except Killed:
            deaths += 1
            assert len(asyncio.all_tasks()) == 1
            continue
        break
    assert deaths >= 8


@scene
async def test_looking_again_takes_one_request_for_each_thing_that_is_looked_at(at: Scene) -> None:
    at.azure.vaults.set("myvault", PASSWORD, at.password.secret)
    at.deploy()
    await at.world.observe(at.policy)
    before = len(at.app.served)
    await at.world.observe(at.policy)
    assert sorted(at.served(before)) == [
        "aci.containerGroups.get",
        "aci.containerGroups.list",
        "arm.registries.get",
        "graph.applications.get",
        "graph.servicePrincipals.get",
        "keyvault.secrets.get",
        "keyvault.secrets.get",
        "keyvault.secrets.versions",
    ]
