"""Tests of the survey: it reports rest of a policy only if a full look would find no step, no wait and no note."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from local_azure.azure import Azure
from local_azure.clock import Clock as AzureClock
from local_azure.inprocess import Hop, Session
from local_azure.keyvault.secret import Changes
from local_azure.seed import fill
from local_azure.services import build
from local_azure.timing import PROMPT
from local_azure.virtual import VirtualLoop

from rotator.clients import Transports, connect
from rotator.engine import Journal, Run, glance, preview, reconcile
from rotator.report.plan import plan_code
from rotator.report.status import rows, status_code
from rotator.results import Preview
from rotator.state import Access
from rotator.steps import Intent
from rotator.survey import Looked, Looks, sort_out
from tests.cells import cell
from tests.fleets import at_rest
from tests.matrices import worlds
from tests.matrices.people import CHANGES, change
from tests.snapshot import World
from tests.stage import START, Clock, Killed, Stage, play, sign_in, watched


@dataclass
class Scene:
    """Policy, with a second one of the same directory whose world can't be read."""

    made: Stage
    looks: Looks

    async def act(self, act: Callable[[Run], Awaitable[Any]]) -> Any:
        return await self.made.with_world(act)

    async def rotate(self) -> None:
        """Run once, and remember the run's last look."""

        async def rotated(run: Run) -> None:
            result = await reconcile(run)
            if result.exit_code == 0:
                self.looks.note(run)

        await self.act(rotated)
        self.remember()

    def remember(self) -> None:
        """Give the looks of earlier runs to the next run."""
        self.looks = replace(self.looks, known={**self.looks.known, **self.looks.new})

    async def surveyed(self) -> Preview | None:
        """Return the preview proven by the lists; None if the policy needs a look."""

        async def survey(run: Run) -> Preview | None:
            found = await sort_out([run, other(run)], self.looks)
            assert "other" not in found.resting
            return found.resting.get(run.policy.name)

        return await self.act(survey)  # type: ignore[no-any-return]


def other(run: Run) -> Run:
    """Return the run of a policy with an unknown principal."""
    principal = run.policy.principal.model_copy(update={"app_id": "5d3c0a52-9999-4000-8000-000000000000"})
    policy = run.policy.model_copy(update={"name": "other", "principal": principal})
    return replace(run, policy=policy, journal=Journal(run.journal.hear, "other"), latest=[])


def scened(world: World, tell: Callable[[Scene], Awaitable[Any]]) -> Any:
    async def scene(loop: VirtualLoop) -> Any:
        return await tell(Scene(await world(loop), Looks(Path("nowhere"))))

    return play(scene)


async def agreed(scene: Scene, rests: Preview) -> None:
    """Check that the lists hide no finding of a full look."""
    for see in (preview, glance):
        seen: Preview = await scene.act(see)
        assert (seen.plan.steps, seen.plan.waits, seen.plan.notes, seen.vetoes) == ((), (), (), ())
        assert seen.next_due == rests.next_due
        assert plan_code(seen, when_due=5) == plan_code(rests, when_due=5) == 0
        assert status_code([("a", seen)]) == status_code([("a", rests)]) == 0
        (full,), (listed,) = rows([("a", seen)]), rows([("a", rests)])
        shown = (
            "standing",
            "key_id",
            "start",
            "end",
            "next_due",
            "soonest",
            "foreign",
            "drift",
            "compromised",
            "moved",
        )
        assert [getattr(full, name) for name in shown] == [getattr(listed, name) for name in shown]
        assert [each.id for each in full.dependents] == [each.id for each in listed.dependents]


def test_a_policy_at_rest_is_known_by_the_lists_alone_once_a_run_has_seen_everything() -> None:
    async def tell(scene: Scene) -> None:
        assert await scene.surveyed() is None
        await scene.rotate()
        before = len(scene.made.app.served)
        rests = await scene.surveyed()
        asked = [call.operation for call in scene.made.app.served[before:] if not call.operation.startswith("entra.")]
        assert sorted(set(asked)) == [
            "aci.containerGroups.list",
            "graph.batch",
            "keyvault.deletedSecrets.list",
            "keyvault.secrets.list",
        ]
        assert rests is not None
        await agreed(scene, rests)

    scened(worlds.at_rest, tell)


@pytest.mark.parametrize("name", [name for name in worlds.WORLDS if name not in ("at rest", "unattended")])
def test_a_policy_with_anything_to_do_or_to_tell_is_looked_at(name: str) -> None:
    async def tell(scene: Scene) -> None:
        assert await scene.surveyed() is None
        await scene.act(lambda run: _remembered(scene, run))
        assert not scene.looks.new

    scened(worlds.WORLDS[name], tell)


async def _remembered(scene: Scene, run: Run) -> None:
    await run.observe()
    scene.looks.note(run)


@pytest.mark.parametrize("name", [cell(name, name=name, soak=False, share=3) for name in CHANGES])
def test_after_any_change_of_somebody_the_lists_prove_no_more_than_a_look_finds(name: str) -> None:
    async def tell(scene: Scene) -> None:
        await scene.rotate()
        scene.made.pass_(minutes=1)
        change(scene.made, name)
        scene.made.pass_(minutes=10)
        if rests := await scene.surveyed():
            await agreed(scene, rests)

    scened(worlds.at_rest, tell)


def _mark(made: Stage, tags: dict[str, str] | None, enabled: bool = True) -> None:
    made.azure.vaults.set("myvault", made.policy.access_secret, "[]", tags=tags, enabled=enabled)


def _deleted(made: Stage) -> None:
    _mark(made, {"rotator-access": "granted"})
    made.azure.vaults.delete("myvault", made.policy.access_secret)


def _disabled(made: Stage) -> None:
    made.principal.account_enabled = False


MARKS: dict[str, tuple[Callable[[Stage], None], bool]] = {
    "granted": (lambda made: _mark(made, {"rotator-access": "granted"}), True),
    "revoked": (lambda made: _mark(made, {"rotator-access": "revoked"}), False),
    "soft-deleted": (_deleted, False),
    "disabled": (lambda made: _mark(made, {"rotator-access": "granted"}, enabled=False), False),
    "a stranger's": (lambda made: _mark(made, None), False),
    "a principal that nobody can sign in as": (_disabled, False),
}


@pytest.mark.parametrize("name", MARKS)
def test_an_access_mark_other_than_granted_is_looked_at(name: str) -> None:
    async def tell(scene: Scene) -> None:
        await scene.rotate()
        change_, rests = MARKS[name]
        change_(scene.made)
        scene.made.pass_(minutes=1)
        found = await scene.surveyed()
        assert (found is not None) is rests
        if found:
            await agreed(scene, found)

    scened(worlds.at_rest, tell)


def _stray(made: Stage) -> None:
    """Add an undeclared group that pulls as the principal, with the app id in another letter case."""
    body = made.body(made.app_id.upper(), made.published())
    made.azure.container_groups.put(made.group_id("stray"), body, "2025-09-01")


def _signing_in(made: Stage) -> None:
    """Add an undeclared group with the app id in a variable, and a hidden password beside it."""
    body = made.body(made.bystander.app_id, made.bystander.passwords[0].secret)
    variables = [{"name": "CLIENT", "value": made.app_id}, {"name": "SECRET", "secureValue": "hidden"}]
    body["properties"]["containers"][0]["properties"]["environmentVariables"] = variables
    made.azure.container_groups.put(made.group_id("stray"), body, "2025-09-01")


def _odd(made: Stage) -> None:
    """Make a group of others unreadable."""
    group = made.azure.container_groups.state.groups[made.group_id("bystander").lower()]
    group.resource["tags"] = {"odd": {"an": "object"}}


@pytest.mark.parametrize(("stranger", "waits"), [(_stray, True), (_signing_in, False), (_odd, True)])
def test_a_group_of_others_is_looked_at_if_a_run_would_wait_for_it(
    stranger: Callable[[Stage], None], waits: bool
) -> None:
    async def tell(scene: Scene) -> None:
        await scene.rotate()
        stranger(scene.made)
        scene.made.pass_(minutes=10)
        rests = await scene.surveyed()
        assert (rests is None) is waits
        assert bool((await scene.act(preview)).plan.waits) is waits
        if rests:
            await agreed(scene, rests)

    scened(worlds.at_rest, tell)


def test_a_revocation_that_a_run_has_read_counts_in_its_later_surveys() -> None:
    async def tell(scene: Scene) -> None:
        await scene.rotate()

        async def both(run: Run) -> None:
            assert (await sort_out([run, other(run)], scene.looks)).resting
            _mark(scene.made, {"rotator-access": "revoked"})
            assert (await run.world.access(run.policy)).access is Access.REVOKED
            scene.made.azure.vaults.delete("myvault", run.policy.access_secret)
            scene.made.pass_(minutes=1)
            scene.made.azure.vaults.purge("myvault", run.policy.access_secret)
            scene.made.pass_(minutes=1)
            assert not (await sort_out([run, other(run)], scene.looks)).resting

        await scene.act(both)

    scened(worlds.at_rest, tell)


def test_others_come_by_the_ends_of_their_credentials_and_what_can_not_be_seen_last() -> None:
    async def scene(loop: VirtualLoop) -> list[str]:
        azure = Azure.build(AzureClock(START, loop.time), seed=7, timing=PROMPT)
        made = at_rest(azure, fill(azure), 6)
        held = [azure.directory.application(each.principal.app_id).passwords[0] for each in made.policies]  # type: ignore[union-attr]
        held[2].end -= timedelta(days=5)
        newest = azure.vaults.versions("fleetvault0", "p00004-pwd")[0]
        tags = {**(newest.tags or {}), "rotator-compromised": held[4].key_id}
        azure.vaults.update("fleetvault0", "p00004-pwd", newest.id, Changes(tags=tags))
        azure.directory.delete(azure.directory.application(made.policies[1].principal.app_id))  # type: ignore[arg-type]
        sign_in(made.seeded)
        clock, hop = Clock(loop), Hop(build(azure))
        async with connect(clock, transports=Transports(lambda: Session(hop))) as world:
            runs = [Run(world, clock, Journal(lambda _: None, each.name), each) for each in made.policies]
            found = await sort_out(runs, Looks(Path("nowhere")))
        assert not found.resting
        return [one.policy.name for one in found.others]

    assert play(scene) == ["p00004", "p00002", "p00000", "p00003", "p00005", "p00001"]


async def test_looks_of_two_runs_are_kept_together_the_later_one_of_each_policy(
    loop: VirtualLoop, tmp_path: Path
) -> None:
    file, day = tmp_path / "state" / "looks.json", timedelta(days=1)
    early, late = Looked(START, "early"), Looked(START + timedelta(hours=1), "late")

    clock = Clock(loop)

    async def write(**new: Looked) -> None:
        await Looks(file, new=new).write(clock)

    await write(a=late, b=early)
    await write(a=early, c=late)
    assert Looks.read(file).known == {"a": late, "b": early, "c": late}
    await write(d=Looked(START + 3 * day, "later"))
    assert Looks.read(file).known == {"d": Looked(START + 3 * day, "later")}
    await Looks(file / "no directory", new={"e": late}).write(clock)
    assert len(Looks.read(file).known) == 1
    assert Looks.read(file / "no directory").known == {}


CALLS = 90
"""Number above the calls of a whole rotation of two groups."""


def _kills() -> Iterator[Any]:
    for name in ("first", "waiting", "at rest"):
        for nth in range(1, CALLS):
            yield cell(name, nth, name=f"{name}-{nth}", soak=False, share=130)


@pytest.mark.parametrize(("name", "nth"), list(_kills()))
def test_wherever_a_rotation_died_the_lists_prove_no_more_than_a_look_finds(name: str, nth: int) -> None:
    async def tell(scene: Scene) -> None:
        made, early = scene.made, Intent(force_before=scene.made.azure.clock.now())
        await scene.act(lambda run: _remembered(scene, run))
        scene.remember()
        asked = Counter[str]()

        def kill(number: int, operation: str, request: object) -> None:
            del number, request
            asked[operation] += 1
            if asked.total() == nth:
                raise Killed

        with watched(made, before=kill):
            await made.dies(made.rotate(early if name == "at rest" else None))
        for _ in range(4):
            made.pass_(minutes=1)
            if rests := await scene.surveyed():
                await agreed(scene, rests)
            await scene.rotate()
            made.pass_(hours=25)
        await scene.rotate()
        made.pass_(minutes=1)
        rests = await scene.surveyed()
        assert rests, "never at rest"
        await agreed(scene, rests)

    scened(worlds.WORLDS[name], tell)
