"""Tests of the remaining ways to pull a registry's images: decided from role definitions, modes and switches, without
any Azure.
"""

from rotator.plan import Effect, View, Way, credential_steps, fitting, own_roles, remaining
from rotator.plan.access import CONTENT, PULL
from rotator.resource_id import ArmId
from rotator.state import Assignment, Home, Permission, Registry, RegistryAccess, Role
from rotator.steps import Disable, Intent, Retire
from tests import worlds

OID, GROUP_OID, APP = "sp", "team", Home.APPLICATION
ABOVE = worlds.REGISTRY.rsplit("/providers/", 1)[0]
PULLS = Role("p", "AcrPull", (Permission((PULL,)),))
READS = Role("r", "Container Registry Repository Reader", (Permission(data_actions=(CONTENT,)),))


def seen(
    role: Role,
    scope: str = ABOVE,
    *,
    holder: str = OID,
    abac: bool = False,
    condition: str | None = None,
    **registry: bool,
) -> RegistryAccess:
    assignment = Assignment(ArmId(scope), role.id, ArmId("a"), holder, condition)
    where = Registry(worlds.REGISTRY, "mycontainerregistry.azurecr.io", abac, **registry)
    return RegistryAccess(where, (assignment,), (role,), ((GROUP_OID, "Team"),))


def ways(access: RegistryAccess) -> tuple[Way, ...]:
    return remaining(worlds.policy({}), OID, access)


def custom(
    *actions: str, less: tuple[str, ...] = (), data: tuple[str, ...] = (), less_data: tuple[str, ...] = ()
) -> Role:
    return Role("c", "custom", (Permission(actions, less, data, less_data),))


COUNTED: tuple[tuple[Role, str | None, str | None], ...] = (
    (PULLS, "still_granted", None),
    (READS, None, "still_granted"),
    (custom("*/read"), "still_granted", None),
    (custom("*"), "still_granted", "could_regain"),
    (custom("microsoft.containerregistry/REGISTRIES/*"), "still_granted", "could_regain"),
    (custom("*", less=(PULL, "*/write", "*/action")), None, None),
    (custom("*", less=("Microsoft.ContainerRegistry/*",)), "could_regain", "could_regain"),
    (custom("Microsoft.ContainerRegistry/registries/read"), None, None),
    (custom(data=("*",)), None, "still_granted"),
    (custom(data=("*/read",), less_data=(CONTENT,)), None, None),
    (custom("Microsoft.Authorization/roleAssignments/*"), "could_regain", "could_regain"),
    (custom("Microsoft.ContainerRegistry/registries/generateCredentials/action"), "could_regain", "could_regain"),
    (custom("Microsoft.ContainerRegistry/registries/listCredentials/action"), None, None),
)
"""Role, with its effect in a registry with legacy permissions, and in one with repository permissions."""


def test_a_role_counts_by_what_it_allows_in_the_mode_of_the_registry() -> None:
    for role, legacy, abac in COUNTED:
        assert [way.code for way in ways(seen(role))] == ([legacy] if legacy else []), role
        assert [way.code for way in ways(seen(role, abac=True))] == ([abac] if abac else []), role


def test_permissions_of_one_role_add_up_and_an_exception_denies_nothing_that_another_grants() -> None:
    role = Role("c", "custom", (Permission(("*",), (PULL,)), Permission((PULL,))))
    assert [way.code for way in ways(seen(role))] == ["still_granted"]


def test_who_may_list_the_admin_users_passwords_can_help_itself_while_there_is_an_admin_user() -> None:
    role = custom("Microsoft.ContainerRegistry/registries/listCredentials/action")
    assert [way.code for way in ways(seen(role, admin_user=True))] == ["could_regain", "admin_user"]


def test_an_admin_user_helps_nobody_who_may_not_list_its_passwords() -> None:
    assert [way.code for way in ways(seen(custom("Microsoft.ContainerRegistry/registries/read"), admin_user=True))] == [
        "admin_user"
    ]


def test_a_group_is_named_and_a_condition_is_said() -> None:
    (way,) = ways(seen(PULLS, holder=GROUP_OID, condition="@Resource…"))
    assert (way.code, way.effect, way.own) == ("through_group", Effect.PULLS, False)
    assert "AcrPull of group Team under a condition at" in way.text


def test_the_policys_own_assignment_is_told_from_one_that_isn_t_its_to_delete() -> None:
    (mine,) = ways(seen(PULLS, worlds.REGISTRY.upper()))
    (above,) = ways(seen(PULLS))
    (theirs,) = ways(seen(PULLS, worlds.REGISTRY, holder=GROUP_OID))
    (reader,) = ways(seen(Role("r", "Reader", (Permission(("*/read",)),)), worlds.REGISTRY))
    (helps,) = ways(seen(Role("p", "AcrPull", (Permission(("*/write",)),)), worlds.REGISTRY, holder=GROUP_OID))
    assert (mine.own, above.own, theirs.own, reader.own, helps.own) == (True, False, False, False, False)
    assert "own" in mine.text
    assert "the assignment is not this policy's" in above.text


def test_a_role_that_may_not_be_read_is_unknown_and_so_is_what_wasn_t_read() -> None:
    access = seen(PULLS)
    unread = RegistryAccess(access.registry, access.assignments, (), (), (), ("tokens may not be read",))
    found = ways(unread)
    assert [(way.code, way.effect) for way in found] == [("unknown", Effect.UNKNOWN)] * 2
    assert any("tokens may not be read" in way.text for way in found)


def test_switches_and_tokens_are_told_and_only_anonymous_pull_needs_no_credential() -> None:
    where = Registry(worlds.REGISTRY, "mycontainerregistry.azurecr.io", admin_user=True, anonymous_pull=True)
    found = remaining(worlds.policy({}), None, RegistryAccess(where, tokens=("ci",)))
    assert [(way.code, way.effect) for way in found] == [
        ("anonymous_pull", Effect.PULLS),
        ("admin_user", Effect.OTHERS),
        ("registry_token", Effect.OTHERS),
    ]


def test_a_role_means_its_twin_in_the_other_mode() -> None:
    assert (fitting("AcrPull", abac=True), fitting("AcrPull", abac=False)) == (READS.name, "AcrPull")
    assert (fitting(READS.name, abac=True), fitting(READS.name, abac=False)) == (READS.name, "AcrPull")
    assert fitting("AcrPush", abac=True) == "Container Registry Repository Writer"
    assert (fitting("Owner", abac=True), own_roles("Owner")) == ("Owner", ("Owner",))
    assert own_roles("AcrPull") == own_roles(READS.name) == ("AcrPull", READS.name)


def test_taking_the_credentials_takes_ours_on_both_homes_and_what_holds_them() -> None:
    said = {
        "credentials": [
            {"key": "a"},
            {"key": "b", "home": "service_principal"},
            {"key": "f", "of": "rbac"},
            {"key": "d", "of": "adopted"},
        ],
        "versions": [
            {"id": "v0"},
            {"id": "v1", "holds": "a", "adopted": ["d"]},
            {"id": "v2", "holds": "b"},
            {"id": "v3", "holds": "b", "enabled": False},
            {"id": "v4", "holds": "e"},
            {"id": "v5", "adopted": ["g"]},
        ],
    }
    steps = credential_steps(View(worlds.policy({}), worlds.observed(said), Intent()))
    assert {(s.key_id[0], s.home) for s in steps if isinstance(s, Retire)} == {
        ("a", APP),
        ("d", APP),
        ("b", Home.SERVICE_PRINCIPAL),
    }
    assert [s.version for s in steps if isinstance(s, Disable)] == ["v1", "v2", "v4", "v5"]


def test_each_registry_has_the_role_that_the_policy_declares_for_it() -> None:
    other = worlds.REGISTRY.replace("mycontainerregistry", "another")
    policy = worlds.policy({"registries": [{"id": other, "role": "AcrPush"}, {"id": worlds.REGISTRY}]})
    (way,) = remaining(policy, OID, seen(PULLS, worlds.REGISTRY))
    assert way.own


def test_each_way_comes_with_what_it_does_and_the_command_that_closes_it() -> None:
    (direct,), (grouped,) = ways(seen(PULLS)), ways(seen(PULLS, holder=GROUP_OID))
    (regains,) = ways(seen(custom("Microsoft.Authorization/roleAssignments/*")))
    assert "still lets the principal pull" in direct.text and "`az role assignment delete --ids a`" in direct.text
    assert "`az ad group member remove --group team --member-id sp`" in grouped.text
    assert "`az role assignment delete --ids a` takes the role from all its members" in grouped.text
    assert "give itself access again" in regains.text and "still lets" not in regains.text
    switches = [way.text for way in ways(seen(READS, admin_user=True, anonymous_pull=True))]
    assert [
        f"az acr update --subscription {worlds.SUB} --resource-group myResourceGroup --name mycontainerregistry"
        f" --{switch}" in text
        for switch, text in zip(("anonymous", "admin"), switches, strict=True)
    ] == [True, True]
