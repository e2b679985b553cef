"""Tests of the questions before each kind of step: permissions, secrets, a proof, and the roles for pulls; each once
where once is enough.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from rotator.engine import Run
from rotator.engine.memory import Memory
from rotator.engine.preparation import NEWER_VERSION, PULLING, compare, linked, newer_values, prepared, proven
from rotator.engine.run import FRESH, Seen
from rotator.errors import Forbidden, NotFound, Unavailable
from rotator.policy import Policy
from rotator.ports import World
from rotator.preflight import Right
from rotator.resource_id import ArmId
from rotator.state import (
    Assignment,
    ContainerGroup,
    Home,
    NewerGroups,
    Observed,
    Outcome,
    Permissions,
    Proof,
    RegistryAccess,
    Role,
    Secret,
)
from rotator.steps import Deploy, Disable, Issue, Restore, Retire, Step
from tests import worlds
from tests.answering import Answering
from tests.engine.test_permits import WHY
from tests.matrices.test_corners import within
from tests.stage import Stage
from tests.worlds import JOIN, group_id, key, subnet_id

A = key("a") or ""
STEPS: dict[str, Step] = {
    "issue": Issue(Home.APPLICATION, timedelta(days=90), WHY),
    "deploy": Deploy(group_id("app"), A, WHY),
    "restore": Restore(group_id("app"), A, "v1", "failed", 1, WHY),
    "retire": Retire(A, Home.APPLICATION, WHY),
    "disable": Disable("v1", WHY),
}
USED: dict[str, Any] = {
    "credentials": [{"key": "a"}],
    "versions": [{"id": "v0", "created": "-90d"}, {"id": "v1", "holds": "a"}],
    "groups": [{"id": "app", "holds": "a"}],
}
NEW = {**USED, "versions": [], "groups": [{"id": "app"}]}
SECRETS = {"groups": [{"id": "app", "secrets": {"containers/app/env/DB": {"key_vault": "db-password"}}}]}
PROVEN, REFUSED = Proof(Outcome.PROVEN, signed_in=True), Proof(Outcome.REFUSED)


@dataclass
class Asking:
    """Run before its steps."""

    run: Run
    told: Answering
    observed: Observed
    memory: Memory

    @property
    def seen(self) -> Seen:
        return Seen(self.observed, self.run.world.moment(), self.memory.known)

    async def prepare(self, *steps: Step) -> list[str]:
        """Return the questions before steps."""
        self.told.asked.clear()
        ready = await prepared(self.run, self.seen, self.memory, steps)
        assert ready == replace(self.seen, read=ready.read)
        return self.told.questions


def asking(
    case: dict[str, Any], act: Callable[[Asking], Awaitable[None]], policy: Policy | None = None, **answers: Any
) -> None:
    given = {
        "rights": (),
        "permissions": Permissions(),
        "newer_groups": (),
        "secret": Secret("a value"),
        "value": Secret("a password"),
        "prove": PROVEN,
        "registry_access": (),
    }

    async def scene(made: Stage) -> None:
        async def main(run: Run) -> None:
            told = Answering(run.world, **given | answers)
            asked = replace(run, world=cast("World", told), policy=policy or worlds.policy({"groups": ["app"]}))
            await act(Asking(asked, told, worlds.observed(case), Memory()))

        await made.with_world(main)

    within("first", scene)


QUESTIONS: dict[str, tuple[list[str], list[str]]] = {
    "issue": (["rights", "permissions", "value", "prove"], ["value", "prove"]),
    "deploy": (["rights", "permissions", "newer_groups", "value", "prove"], []),
    "restore": (["newer_groups"], []),
    "retire": (["value", "prove"], ["value", "prove"]),
    "disable": ([], []),
}


@pytest.mark.parametrize("kind", QUESTIONS)
def test_each_kind_of_step_has_its_questions_and_a_second_one_those_that_grow_old(kind: str) -> None:
    first, second = QUESTIONS[kind]

    async def act(at: Asking) -> None:
        assert await at.prepare(STEPS[kind]) == first
        at.memory.known = replace(at.memory.known, proof=None)
        assert await at.prepare(STEPS[kind]) == second
        about = dict(at.told.asked)
        assert about.get("value") == ({"issue": (None,), "retire": ("v1",)}.get(kind))
        assert bool(at.memory.known.proof) == (kind in ("issue", "deploy", "retire"))

    asking(USED, act)


def test_before_the_first_issue_its_groups_are_compared_and_their_secrets_read_once() -> None:
    async def act(at: Asking) -> None:
        whole = ["rights", "permissions", "newer_groups", "secret", "value", "prove"]
        assert await at.prepare(STEPS["issue"]) == whole
        assert ("secret", ("db-password",)) in at.told.asked
        assert await at.prepare(STEPS["issue"]) == ["value", "prove"]
        assert at.memory.known.sources == (("db-password", "It is gone.", ""),)
        at.memory = Memory()
        assert "secret" not in await at.prepare(STEPS["deploy"])

    secrets = [NotFound("It is gone.", service="keyvault"), Secret("a value")]
    asking(NEW | {"groups": [{"id": "app", "secure_env": ["DB"]}]}, act, worlds.policy(SECRETS), secret=secrets)


SECRETS_READ: dict[str, tuple[Secret | Exception, tuple[tuple[str, str, str], ...]]] = {
    "a value": (Secret("a value"), ()),
    "none": (NotFound("It is gone.", service="keyvault"), (("db-password", "It is gone.", ""),)),
    "a refusal": (
        Forbidden("No.", service="keyvault", remedy="Give the role."),
        (("db-password", "No.", "Give the role."),),
    ),
}


@pytest.mark.parametrize("which", SECRETS_READ)
def test_a_secret_that_a_group_needs_is_told_where_it_cannot_be_read(which: str) -> None:
    value, found = SECRETS_READ[which]

    async def act(at: Asking) -> None:
        await at.prepare(STEPS["issue"])
        assert at.memory.known.sources == found

    asking(NEW | {"groups": [{"id": "app", "secure_env": ["DB"]}]}, act, worlds.policy(SECRETS), secret=value)


ANOTHERS = {
    "imageRegistryCredentials": [],
    "containers": [
        {
            "name": "app",
            "properties": {
                "image": "mcr.microsoft.com/x",
                "resources": {"requests": {"cpu": 1.0, "memoryInGB": 1.5}},
                "environmentVariables": [{"name": "DB", "secureValue": "${{ keyvault:db-password }}"}],
            },
        }
    ],
}


@pytest.mark.parametrize(("manifest", "read"), [(ANOTHERS, False), ({"containers": ANOTHERS["containers"]}, True)])
def test_secrets_of_a_group_that_needs_no_rotation_are_not_read(manifest: dict[str, Any], *, read: bool) -> None:
    async def act(at: Asking) -> None:
        assert ("secret" in await at.prepare(STEPS["issue"])) == read

    strange = [{"id": "app", "username": "somebody-else"}]
    asking(NEW | {"groups": strange}, act, worlds.policy({"groups": [{"id": "app", "manifest": manifest}]}))


EXTENSION = {"name": "e", "properties": {"extensionType": "DNSLabel", "version": "1.0", "settings": {}}}
PROTECTED = {"groups": [{"id": "app", "secrets": {"extensions/e/protected_settings": {"key_vault": "settings"}}}]}


@pytest.mark.parametrize(("value", "usable"), [('{"a": 1}', True), ("[]", False), ("a", False)])
def test_protected_settings_of_an_extension_must_be_an_object(value: str, *, usable: bool) -> None:
    async def act(at: Asking) -> None:
        await at.prepare(STEPS["issue"])
        assert not at.memory.known.sources if usable else at.memory.known.sources[0][0] == "settings"
        if not usable:
            assert "not a JSON object" in at.memory.known.sources[0][1]

    group = {"id": "app", "properties": {"extensions": [EXTENSION]}}
    asking(NEW | {"groups": [group]}, act, worlds.policy(PROTECTED), secret=Secret(value))


def test_what_azure_refuses_or_does_not_answer_is_kept_apart() -> None:
    groups = ({"id": name, "holds": "a", "subnet": name} for name in ("yes", "no", "unknown"))
    case = {**USED, "groups": [*groups, {"id": "gone", "state": "absent"}]}
    policy = worlds.policy({"groups": ["yes", "no", "unknown", "gone"]})
    rights = {"no": False, "unknown": None, "yes": True}
    answers = tuple(Right(JOIN, subnet_id(name), each, "Nobody knows.") for name, each in rights.items())

    async def act(at: Asking) -> None:
        await at.prepare(STEPS["deploy"])
        about = dict(at.told.asked)
        assert about["rights"] == (tuple((JOIN, subnet_id(name)) for name in rights),)
        assert about["permissions"] == (tuple(group_id(name) for name in ("yes", "no", "unknown")),)
        known = at.memory.known
        assert known.links == ((JOIN, subnet_id("no")),)
        assert known.unanswered == (("q", "w"), (answers[1].question, "Nobody knows."))
        assert known.permissions == Permissions(unknown=(("q", "w"),))

    asking(case, act, policy, rights=answers, permissions=Permissions(unknown=(("q", "w"),)))


def test_only_groups_that_are_redeployed_take_other_permissions() -> None:
    case = {
        **USED,
        "groups": [
            {"id": "app", "holds": "a", "subnet": "x"},
            {"id": "found", "holds": "a", "subnet": "y"},
            {"id": "other", "username": "somebody-else", "subnet": "z"},
        ],
    }
    declared = {"groups": ["app", "other"]}
    assert linked(worlds.policy(declared), worlds.observed(case)) == ((JOIN, subnet_id("x")),)
    every = worlds.policy({**declared, "discover": {"redeploy": True}})
    assert linked(every, worlds.observed(case)) == ((JOIN, subnet_id("x")), (JOIN, subnet_id("y")))


ROLE = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
AT_REGISTRY = Assignment(worlds.REGISTRY, ROLE.upper(), ArmId(f"{worlds.REGISTRY}/x"), "sp-object")
READ = RegistryAccess(worlds.observed(USED).registries[0], (AT_REGISTRY,), (Role(ROLE, "AcrPull"),))
TRIED: dict[str, tuple[Proof | Exception, Any, bool, tuple[tuple[str, str], ...]]] = {
    "a proof": (PROVEN, (READ,), False, ()),
    "no answer": (Proof(Outcome.UNREACHABLE), (READ,), False, ()),
    "a refusal": (REFUSED, (READ,), True, ()),
    "an expired value": (Proof(Outcome.EXPIRED), (READ,), True, ()),
    "a part that could not be read": (REFUSED, (replace(READ, unread=("Why.",)),), True, ((PULLING, "Why."),)),
    "a role that could not be read": (
        REFUSED,
        (replace(READ, roles=()),),
        True,
        ((PULLING, f"the permissions of role {ROLE} at {worlds.REGISTRY} cannot be read"),),
    ),
    "nobody answers": (REFUSED, Unavailable("No answer.", service="arm"), True, ((PULLING, "No answer."),)),
}


@pytest.mark.parametrize("which", TRIED)
def test_who_may_pull_is_asked_where_no_try_could_show_it(which: str) -> None:
    proof, access, asked, unanswered = TRIED[which]

    async def act(at: Asking) -> None:
        assert ("registry_access" in await at.prepare(STEPS["issue"])) == asked
        assert at.memory.known.access == (access if asked and isinstance(access, tuple) else ())
        assert at.memory.known.unanswered == (("q", "w"), *unanswered)

    asking(USED, act, prove=proof, registry_access=access, permissions=Permissions(unknown=(("q", "w"),)))


def test_who_may_pull_is_asked_where_no_value_could_be_read_and_not_of_a_principal_that_is_not_there() -> None:
    async def act(at: Asking) -> None:
        assert (await at.prepare(STEPS["issue"]))[-2:] == ["value", "registry_access"]
        assert at.memory.known.unproven is not None
        at.observed = replace(at.observed, principal=replace(at.observed.principal, service_principal=None))
        assert (await at.prepare(STEPS["issue"]))[-1] == "value"
        assert "registry_access" not in await at.prepare(STEPS["retire"])

    asking(USED, act, value=NotFound("It is gone.", service="keyvault"))


def shown(name: str, **properties: Any) -> dict[str, Any]:
    """Return a group as a newer API version shows it."""
    return worlds.document({"id": name, "holds": "a", "properties": properties})


COMPARED = {"groups": ["app", "new", "other"]}
GROUPS = [
    {"id": "app", "holds": "a"},
    {"id": "new"},
    {"id": "found", "holds": "a"},
    {"id": "other", "username": "somebody-else"},
]


def test_groups_are_compared_once_and_untagged_ones_before_any_write() -> None:
    async def act(at: Asking) -> None:
        await compare(at.run, at.observed, at.memory, tagged=False)
        assert at.memory.compared == {group_id("new")}
        await compare(at.run, at.observed, at.memory, tagged=True)
        assert at.memory.compared == {group_id("new"), group_id("app")}
        await compare(at.run, at.observed, at.memory, tagged=True)
        assert at.told.questions == ["newer_groups"] * 2
        at.run = replace(at.run, policy=worlds.policy({**COMPARED, "discover": {"redeploy": True}}))
        await compare(at.run, at.observed, at.memory, tagged=True)
        assert at.memory.compared == {group_id("new"), group_id("app"), group_id("found")}

    asking({**USED, "groups": GROUPS}, act, worlds.policy(COMPARED))


def test_a_newer_value_is_believed_where_a_second_read_of_the_group_lacks_it_too() -> None:
    seen = [{"id": name, "holds": "a"} for name in ("app", "both", "gone")]
    case = {**USED, "groups": [*seen, {"id": "absent", "state": "absent"}]}
    newer = {group_id(name): shown(name, priority="Spot") for name in ("app", "both", "gone")}
    reads = [
        ContainerGroup(group_id("app"), worlds.TODAY, shown("app")),
        ContainerGroup(group_id("both"), worlds.TODAY, shown("both", priority="Spot")),
        ContainerGroup(group_id("gone"), worlds.TODAY),
    ]

    async def act(at: Asking) -> None:
        every = {group_id(name) for name in ("app", "both", "gone")}
        found = await newer_values(at.run, at.observed, every)
        assert [each.group for each in found] == [group_id("app"), group_id("gone")]
        assert at.told.asked[0] == ("newer_groups", ([worlds.SUB],))
        at.told.asked.clear()
        assert await newer_values(at.run, at.observed, {group_id("absent"), group_id("other")}) == ()
        assert at.told.asked == []

    asking(case, act, newer_groups=(NewerGroups(newer),), group=reads)


def test_what_every_comparison_found_is_known() -> None:
    case = {**USED, "groups": [{"id": "app", "holds": "a"}, {"id": "new"}]}
    newer = {group_id(name): shown(name, priority=name) for name in ("app", "new")}

    async def act(at: Asking) -> None:
        await compare(at.run, at.observed, at.memory, tagged=False)
        await compare(at.run, at.observed, at.memory, tagged=True)
        assert [each.group for each in at.memory.known.newer] == [group_id("new"), group_id("app")]

    alone = ContainerGroup(group_id("app"), worlds.TODAY)
    asking(case, act, worlds.policy({"groups": ["app", "new"]}), newer_groups=(NewerGroups(newer),), group=alone)


def test_a_comparison_without_an_answer_is_told_as_a_question() -> None:
    async def act(at: Asking) -> None:
        at.memory.known = replace(at.memory.known, unanswered=(("q", "w"),))
        await compare(at.run, at.observed, at.memory, tagged=True)
        assert at.memory.known.unanswered == (("q", "w"), (NEWER_VERSION, "No answer."))

    asking(USED, act, newer_groups=Unavailable("No answer.", service="arm"))


def test_a_proof_of_the_last_minute_serves_a_redeployment_of_the_same_images_alone() -> None:
    async def act(at: Asking) -> None:
        async def asked(version: str | None = "v1", *, recent: bool = True) -> bool:
            at.told.asked.clear()
            known = await proven(at.run, at.observed, version, recent=recent)
            assert known.proof == PROVEN
            at.known = known  # type: ignore[attr-defined]
            return bool(at.told.asked)

        assert await asked()
        await at.run.clock.sleep(FRESH / 2)
        assert not await asked()
        assert at.known.proof_at == at.observed.at - timedelta(seconds=FRESH / 2)  # type: ignore[attr-defined]
        assert await asked(recent=False)
        assert at.known.proof_at == at.observed.at  # type: ignore[attr-defined]
        assert not await asked()
        assert await asked("v0")
        assert await asked("v1"), "the last proof alone is kept"
        await at.run.clock.sleep(FRESH / 2 + 1)
        assert await asked()
        at.observed = worlds.observed({**USED, "groups": [{"id": "app", "holds": "a", "image": f"{worlds.IMAGE}2"}]})
        assert await asked()
        assert await asked(None)
        assert await asked(None), "what is newest may be another version now"

    asking(USED, act)


def test_a_failed_proof_is_not_kept() -> None:
    async def act(at: Asking) -> None:
        assert (await proven(at.run, at.observed, "v1", recent=True)).proof == REFUSED
        assert (await proven(at.run, at.observed, "v1", recent=True)).proof == PROVEN

    asking(USED, act, prove=[REFUSED, REFUSED, REFUSED, PROVEN])


@pytest.mark.parametrize("error", [NotFound("No.", service="keyvault"), Forbidden("No.", service="keyvault")])
def test_a_value_that_cannot_be_read_proves_nothing(error: NotFound | Forbidden) -> None:
    async def act(at: Asking) -> None:
        before = replace(at.memory.known, proof=PROVEN, proof_at=worlds.TODAY)
        known = await proven(at.run, at.observed, "v1", before)
        assert (known.proof, known.proof_at, known.unproven) == (None, None, error.denial)

    asking(USED, act, value=error)
