"""Tests of container groups with one failing group, and of jobs, over a week in which a timer runs every six hours.

For each world `tests/engine/plans/NAME.txt` has the text of `rotator plan`. After a change of wording, look at the
difference:

`ROTATOR_WRITE_PLANS=1 .venv/bin/python -m pytest tests/engine/test_groups.py && git diff tests/engine/plans`
"""

import os
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from local_azure.faults import Fault
from local_azure.virtual import VirtualLoop
from local_azure.wire import Request

from rotator.engine import adopt, deploy_now, preview
from rotator.policy import Manifest
from rotator.report.plan import plan_text
from rotator.state import KEY_ID
from rotator.steps import Intent
from tests import nightly
from tests.cells import cell
from tests.invariants import monitored
from tests.stage import SERVER, Killed, Stage, stage, watched

PLANS = Path(__file__).parent / "plans"
PUT = "aci.containerGroups.createOrUpdate"
FIVE = ("one", "two", "third", "four", "five")
EVERY, WEEK = 6, 28
"""Hours between two runs of the timer, and runs in a week."""
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


# plans as text


async def planned(made: Stage, name: str, intent: Intent | None = None) -> str:
    """Return the text of `rotator plan`, equal to the kept one."""
    seen = await made.with_world(preview, intent)
    text = readable(made, plan_text(seen)) + "\n"
    file = PLANS / f"{name}.txt"
    if os.environ.get("ROTATOR_WRITE_PLANS"):
        file.write_text(text)
    assert text == file.read_text()
    return text


def readable(made: Stage, text: str) -> str:
    """Return the text with readable ids: credentials and versions are numbered by age."""
    keys = [password.key_id for password in made.azure.directory.passwords(made.app_id)]
    versions = sorted(made.versions(), key=lambda version: version.order)
    names = {
        key: f"KEY-{nth}" for nth, key in enumerate(dict.fromkeys([made.by_hand.key_id, *sorted(keys, key=_age(made))]))
    }
    names |= {version.id: f"VERSION-{nth}" for nth, version in enumerate(versions)} | {made.app_id: "APP-ID"}
    for found, shown in names.items():
        text = text.replace(found, shown)
    return re.sub(r"\b20(\.[0-9]+){3}\b", "20.1.2.3", text)


def _age(made: Stage) -> Callable[[str], Any]:
    begun = {
        password.key_id: (password.start, password.key_id) for password in made.azure.directory.passwords(made.app_id)
    }
    return lambda key: begun[key]


# counts


@dataclass
class Story:
    """World after its first rotation, with the observations since then."""

    made: Stage
    old: str
    since: int
    refused: int
    codes: list[int] = field(default_factory=list)

    def puts(self) -> dict[str, int]:
        """Return the number of accepted redeployments of each group; each is a restart."""
        accepted = (
            call.path
            for call in self.made.app.served[self.since :]
            if call.operation == PUT and call.status in (200, 201)
        )
        return dict(Counter(path.rsplit("/", 1)[-1] for path in accepted))

    def holds(self, name: str) -> bool:
        """Tell if a group holds the currently published password."""
        return self.made.password_of(name) == self.made.published()

    def retired(self) -> bool:
        return self.old not in {password.key_id for password in self.made.credentials()}

    def said(self, code: str) -> bool:
        return f'"code": "{code}"' in self.made.told()

    async def run(self, intent: Intent | None = None) -> int:
        """Run the timer once; return the exit code."""
        result = await self.made.rotate(intent)
        self.codes.append(result.exit_code)
        return result.exit_code

    async def go_on(self, runs: int, every: float = EVERY) -> None:
        for _ in range(runs):
            self.made.pass_(hours=every)
            await self.run()

    def no_pull_was_refused(self) -> bool:
        return len(self.made.azure.container_groups.refused) == self.refused


async def told(loop: VirtualLoop, groups: tuple[str, ...]) -> Story:
    """Return a world after its first rotation; the caller forces the next one."""
    made = stage(loop, groups=groups)
    await made.with_world(lambda run: adopt(run, None))
    await made.rotate(Intent(no_overlap=True))
    made.events.clear()
    (old,) = [password.key_id for password in made.credentials()]
    return Story(made, old, len(made.app.served), len(made.azure.container_groups.refused))


def forced(made: Stage) -> Intent:
    return Intent(force_before=made.azure.clock.now())


# the third of five


Meddle = Callable[[Story, str, Request], None]


def _fault(kind: str, argument: str = "", *, always: bool = False) -> Meddle:
    """Plan a fault at the first PUT, or at every PUT, with a new credential for the third group."""
    befallen: list[str] = []

    def meddle(story: Story, moment: str, request: Request) -> None:
        holds = request.json()["tags"].get(KEY_ID)
        if moment == "before" and holds != story.old and (always or not befallen):
            befallen.append(holds)
            story.made.azure.faults.add(Fault(PUT, kind, argument=argument))

    return meddle


def _deleted(story: Story, moment: str, request: Request) -> None:
    if moment == "before":
        story.made.azure.container_groups.delete(request.path)


def _new_address(story: Story, moment: str, request: Request) -> None:
    if moment == "after":
        story.made.azure.container_groups.state.groups[request.path.lower()].ip = "20.99.99.99"


Expect = Callable[[Story], None]


def _once(story: Story) -> None:
    """The host retries the pull by itself: no way back, no second PUT, and the old credential is retired."""
    assert story.codes[0] == 0
    assert set(story.codes) == {0}
    assert story.puts() == dict.fromkeys(FIVE, 1)
    assert story.retired()
    assert all(map(story.holds, FIVE))


def _for_good(story: Story) -> None:
    """The group has the previous credential again; rotator tries the new one at growing intervals, and keeps the
    previous one meanwhile.
    """
    assert set(story.codes) == {1}
    assert not story.holds("third")
    assert story.made.tags_of("third")[KEY_ID] == story.old
    assert all(story.holds(name) for name in FIVE if name != "third")
    assert not story.retired()
    assert story.puts() == {**dict.fromkeys(FIVE, 1), "third": 2 * TRIES}


TRIES = 3
"""Tries of a failing group among the 29 runs of a week: at once, after five hours, after two days. Each is a try and a
way back.
"""


def _next_time(story: Story) -> None:
    """Azure refused the PUT once, without effect; the next run moves the group."""
    assert story.codes[0] == 1
    assert set(story.codes[2:]) == {0}
    assert story.puts() == dict.fromkeys(FIVE, 1)
    assert story.retired()
    assert all(map(story.holds, FIVE))


def _recreated(story: Story) -> None:
    """A person deleted the group between the read and the PUT, which created it again: one run reports that."""
    assert story.codes[0] == 1
    assert set(story.codes[1:]) == {0}
    assert story.said("recreated")
    assert story.puts() == dict.fromkeys(FIVE, 1)
    assert story.retired()


def _stripped(story: Story) -> None:
    """The group is redeployed once and never again; the old credential stays, since the group may hold it; every run
    asks for a person.
    """
    assert 0 not in story.codes
    assert story.said("stripped")
    assert story.puts() == dict.fromkeys(FIVE, 1)
    assert story.holds("third")
    assert not story.retired()


def _crashing(story: Story) -> None:
    """The group pulled well, so that no way back applies; runs report the crashes for a day, and then the old
    credential is retired.

    The first look may find the group running, between two crashes.
    """
    assert story.codes[1:4] == [1, 1, 1]
    assert story.codes[-1] == 0
    assert story.said("worse")
    assert story.puts() == dict.fromkeys(FIVE, 1)
    assert story.retired()


def _moved(story: Story) -> None:
    """The rotation succeeds, and the report names the old and the new IP address."""
    _once(story)
    assert re.search(r"its IP address changed from 20\.[0-9.]+ to 20\.99\.99\.99", story.made.told())


@dataclass(frozen=True)
class Trouble:
    """Disturbance of the third group, with the expected outcome; `pull`: the disturbance is a refused pull."""

    meddle: Meddle
    expect: Expect
    pull: bool = False
    runs: int = 6
    """Runs of the timer: those of a week, if the story lasts longer than the overlap."""


TROUBLES = {
    "fails its pull once": Trouble(_fault("failed_pull", "1"), _once, pull=True),
    "fails its pull for good": Trouble(_fault("failed_pull", "0", always=True), _for_good, pull=True, runs=WEEK),
    "is transitioning": Trouble(_fault("transitioning"), _next_time),
    "is deleted meanwhile": Trouble(_deleted, _recreated),
    "hits the quota": Trouble(_fault("quota"), _next_time),
    "loses its tags": Trouble(_fault("strip_tags", always=True), _stripped, runs=WEEK),
    "crashes for reasons of its own": Trouble(_fault("crash"), _crashing, runs=WEEK),
    "gets a new IP": Trouble(_new_address, _moved),
}


SELDOM = ("fails its pull once", "hits the quota", "crashes for reasons of its own")
"""Troubles for `make soak`."""


@pytest.mark.share(3)
@pytest.mark.parametrize("trouble", [cell(each, name=each, soak=each in SELDOM) for each in TROUBLES])
async def test_the_third_of_five_groups(loop: VirtualLoop, trouble: str) -> None:
    befalls = TROUBLES[trouble]

    story = await told(loop, FIVE)

    def meddle(moment: str) -> Callable[[int, str, Request], None]:
        return lambda number, operation, request: (
            befalls.meddle(story, moment, request) if operation == PUT and request.path.endswith("/third") else None
        )

    others = tuple(name for name in FIVE if name != "third")
    with watched(story.made, before=meddle("before"), after=meddle("after")):
        with monitored(story.made, others):
            await story.run(forced(story.made))
        await planned(story.made, f"the third of five {trouble}".replace(" ", "-"))
        await story.go_on(befalls.runs)
    befalls.expect(story)
    assert befalls.pull or story.no_pull_was_refused()
    assert all(story.made.azure.container_groups.could_pull(story.made.group_id(name)) for name in FIVE)


async def test_a_group_that_fails_for_weeks_is_restarted_twice_a_week_and_moves_within_one_when_its_cause_is_mended(
    loop: VirtualLoop,
) -> None:
    story = await told(loop, FIVE)
    broken = [True]

    def meddle(number: int, operation: str, request: Request) -> None:
        if (
            broken[0]
            and operation == PUT
            and request.path.endswith("/third")
            and request.json()["tags"].get(KEY_ID) != story.old
        ):
            story.made.azure.faults.add(Fault(PUT, "failed_pull", argument="0"))

    with watched(story.made, before=meddle):
        await story.run(forced(story.made))
        restarts = [0]
        for _ in range(4):
            await story.go_on(7, every=24)
            restarts.append(story.puts()["third"])
        assert restarts == [0, 6, 8, 10, 12]
        assert set(story.codes) == {1}, "a person is told for as long as it is so"
        assert "--retry` tries at once" in story.made.told()
        broken[0] = False
        await story.go_on(9, every=24)
    assert story.holds("third")
    assert story.retired()
    assert story.codes[-1] == 0
    assert story.puts() == {**dict.fromkeys(FIVE, 1), "third": 13}


async def test_a_group_that_always_fails_is_tried_once_more_before_what_it_holds_ends(loop: VirtualLoop) -> None:
    story = await told(loop, ("app",))
    made = story.made
    meddle = _fault("failed_pull", "0", always=True)
    with watched(
        made,
        before=lambda number, operation, request: meddle(story, "before", request) if operation == PUT else None,
    ):
        await story.run(forced(made))
        end = next(password.end for password in made.credentials() if password.key_id == story.old)
        made.pass_(seconds=(end - made.azure.clock.now()).total_seconds() - 13 * 86400)
        before = story.puts()["app"]
        await story.go_on(13, every=24)
    assert story.puts()["app"] - before >= 4, "a week before the end at the latest, and once more"
    assert story.puts()["app"] - before <= 12


# the first of five


@pytest.mark.share(2)
@pytest.mark.parametrize("seconds", [5, 20])
async def test_a_first_group_that_crashes_within_half_a_minute_of_its_start_is_followed_by_none(
    loop: VirtualLoop, seconds: int
) -> None:
    story = await told(loop, FIVE)
    made = story.made
    made.azure.faults.add(Fault(PUT, "crash", argument=str(seconds)))
    assert await story.run(forced(made)) == 1
    assert story.puts() == {"one": 1}
    assert story.said("worse")
    assert story.holds("one"), (
        "it pulled well, so the new credential did no harm, and going back would be one more restart"
    )
    assert not any(map(story.holds, FIVE[1:]))
    await story.go_on(2)
    assert (story.codes, story.puts()) == ([1, 1, 1], {"one": 1}), "nobody follows while that is so, for a day"
    made.azure.container_groups.put(
        made.group_id("one"), made.azure.container_groups.stored(made.group_id("one")), "2025-09-01"
    )
    await story.go_on(6)
    assert story.codes[-1] == 0
    assert all(map(story.holds, FIVE)), "its owner mended it, and the others follow"
    assert story.puts() == dict.fromkeys(FIVE, 1)
    assert story.retired()


async def test_a_first_group_that_crashes_later_is_followed_by_the_others_and_told_of(loop: VirtualLoop) -> None:
    story = await told(loop, FIVE)
    made = story.made
    made.azure.faults.add(Fault(PUT, "crash", argument="40"))
    assert await story.run(forced(made)) == 1
    assert story.said("worse")
    assert story.puts() == dict.fromkeys(FIVE, 1)


@pytest.mark.parametrize("seconds", [5, 20])
async def test_a_run_that_dies_right_after_the_first_group_came_up_leaves_the_next_one_no_wiser(
    loop: VirtualLoop, seconds: int
) -> None:
    story = await told(loop, FIVE)
    made = story.made

    def dies(number: int, operation: str, request: Request) -> None:
        if operation == PUT:
            raise Killed

    made.azure.faults.add(Fault(PUT, "crash", argument=str(seconds)))
    with watched(made, after=dies):
        assert await made.dies(story.run(forced(made)))
    assert await story.run() == 1
    assert story.puts() == {"one": 1}


# changes by a group's owner meanwhile


async def test_a_group_that_is_stopped_after_it_was_looked_at_is_not_started_by_its_redeployment(
    loop: VirtualLoop,
) -> None:
    story = await told(loop, ("app", "second"))
    made, stopped = story.made, list[str]()

    def stop(number: int, operation: str, request: Request) -> None:
        if operation == "keyvault.secrets.set" and not stopped:
            stopped.append("published")
        if operation == "keyvault.deletedSecrets.get" and len(stopped) in (1, 2):
            stopped.append("mark read")

    def meanwhile(number: int, operation: str, request: Request) -> None:
        if len(stopped) == 3 and operation == "aci.containerGroups.get":
            stopped.append("stopped")
            made.azure.container_groups.stop(made.group_id("app"))

    with watched(made, after=stop, before=meanwhile):
        await story.run(forced(made))
    assert stopped == ["published", "mark read", "mark read", "stopped"]
    assert "was stopped by others meanwhile" in made.told()
    assert made.azure.container_groups.get(made.group_id("app"))["properties"]["instanceView"]["state"] == "Stopped"
    await story.go_on(1)
    assert story.codes == [0, 0]
    assert story.puts() == {"second": 1}
    assert story.said("next_run")


# jobs


MANIFEST_ENTRY = {"server": SERVER, "username": "${{ credential:username }}", "password": "${{ credential:password }}"}


def job(made: Stage, **properties: Any) -> dict[str, Any]:
    """Return the nightly job as in its manifest: with the properties that `az container create` sets, and a container
    named like the group.
    """
    resources = {"requests": {"cpu": 1.0, "memoryInGB": 1.5}}
    container = {"name": "nightly", "properties": {"image": f"{SERVER}/nightly:v1", "resources": resources}}
    made_of = {
        "osType": "Linux",
        "restartPolicy": "Never",
        "containers": [container],
        "imageRegistryCredentials": [MANIFEST_ENTRY],
    }
    return {"location": "eastus", "properties": made_of | properties}


def declare(made: Stage, document: dict[str, Any]) -> None:
    groups: list[dict[str, Any]] = [
        {"id": group.id} for group in made.policy.container_groups if not group.id.endswith("/nightly")
    ]
    nightly = {"id": made.group_id("nightly"), "manifest": Manifest("policies/manifests/nightly.yaml", document)}
    made.with_policy(container_groups=[*groups, nightly])


async def _running(made: Stage) -> None:
    assert made.azure.container_groups.get(made.group_id("nightly"))["properties"]["instanceView"]["state"] == "Running"


async def _ended(made: Stage) -> None:
    made.pass_(minutes=30)


async def _stopped(made: Stage) -> None:
    made.azure.container_groups.stop(made.group_id("nightly"))


async def _gone(made: Stage) -> None:
    await _ended(made)
    made.azure.container_groups.delete(made.group_id("nightly"))


STATES: dict[str, tuple[Callable[[Stage], Awaitable[None]], dict[str, Any]]] = {
    "running": (_running, {"run_seconds": 8 * 3600}),
    "finished": (_ended, {"exit_code": 0, "run_seconds": 60}),
    "stopped": (_stopped, {"run_seconds": 8 * 3600}),
    "failed": (_ended, {"exit_code": 3, "run_seconds": 60}),
    "deleted": (_gone, {"exit_code": 0, "run_seconds": 60}),
}


async def by_rotator(made: Stage) -> None:
    """Deploy the job as the nightly script does, by `rotator deploy --wait`."""
    deployed = await made.with_world(lambda run: deploy_now(run, made.group_id("nightly"), wait=True))
    assert deployed.exit_code == 0


async def by_az(made: Stage) -> None:
    """Run a script that uses az: it creates the group with the published password, and then tags the group with its key
    id.
    """
    since = await nightly.create(made)
    await nightly.tag(made, since)
    made.pass_(minutes=5)


@pytest.mark.share(3)
@pytest.mark.parametrize("again", [by_rotator, by_az], ids=["rotator-deploy", "az"])
@pytest.mark.parametrize("state", STATES)
async def test_a_nightly_job_through_a_rotation(
    loop: VirtualLoop, state: str, again: Callable[[Stage], Awaitable[None]]
) -> None:
    story = await told(loop, ("app",))
    made, (reach, image) = story.made, STATES[state]
    made.azure.registries.push(SERVER, "nightly", "v1", **image)
    declare(made, job(made))
    await by_az(made)
    await reach(made)
    story.since = len(made.app.served)
    assert await story.run(forced(made)) == 0
    if again is by_rotator:
        await planned(made, f"a-nightly-job-is-{state}")
    assert "nightly" not in story.puts(), "a rotation neither interrupts nor runs a job"
    made.pass_(hours=26)
    await story.run()
    assert story.retired() is (state == "deleted"), "what the job holds stays, and what doesn't exist holds nothing"
    made.azure.registries.push(SERVER, "nightly", "v1", exit_code=0, run_seconds=60)
    await again(made)
    made.pass_(hours=26)
    assert await story.run() == 0
    assert story.retired()
    assert story.holds("nightly")
    assert story.no_pull_was_refused()


@pytest.mark.parametrize("afterwards", [nightly.tag, by_rotator], ids=["tagged", "rotator-deploy"])
async def test_a_job_that_a_script_creates_and_does_not_tag_keeps_the_old_credential_until_something_says_what_it_holds(
    loop: VirtualLoop,
    afterwards: Callable[[Stage], Awaitable[None]],
) -> None:
    story = await told(loop, ("app",))
    made = story.made
    made.azure.registries.push(SERVER, "nightly", "v1", exit_code=0, run_seconds=60)
    declare(made, job(made))
    await by_az(made)
    assert await story.run(forced(made)) == 0
    made.pass_(hours=26)
    await nightly.create(made)
    assert story.holds("nightly"), "it has the new password, and nothing shows that"
    made.pass_(hours=26)
    since = len(made.app.served)
    await story.run()
    assert not story.retired()
    assert PUT not in made.writes(since), "a job isn't run to learn what it holds"
    await afterwards(made)
    made.pass_(hours=26)
    assert await story.run() == 0
    assert story.retired()
    assert story.no_pull_was_refused()


async def test_a_job_that_still_holds_an_old_credential_warns_before_that_ends(loop: VirtualLoop) -> None:
    story = await told(loop, ("app",))
    made = story.made
    declare(made, job(made))
    await by_az(made)
    await _ended(made)
    await story.run(forced(made))
    made.pass_(days=75)
    assert await story.run() == 0
    made.pass_(days=2)
    assert await story.run() == 1
    await planned(made, "a-nightly-job-holds-what-ends-soon")


# manifests


async def test_a_manifest_that_differs_is_shown_property_by_property_and_a_rotation_keeps_what_runs(
    loop: VirtualLoop,
) -> None:
    story = await told(loop, ("app",))
    made = story.made
    await by_az(made)
    await _ended(made)
    made.azure.vaults.set("myvault", "db", "hidden")
    changed = job(made)
    changed["tags"] = {"team": "night"}
    container = changed["properties"]["containers"][0]["properties"]
    container |= {"image": f"{SERVER}/nightly:v2", "command": ["/bin/job", "--password=x"]}
    container["environmentVariables"] = [
        {"name": "MODE", "value": "test"},
        {"name": "DB", "secureValue": "${{ keyvault:db }}"},
    ]
    container["resources"]["requests"] |= {"cpu": 4.0}
    declare(made, changed)
    since = len(made.app.served)
    text = await planned(made, "a-manifest-differs")
    assert made.writes(since) == []
    assert "hidden" not in text
    assert "--password" not in text


async def test_what_azure_refuses_to_change_is_refused_by_name_before_the_put(loop: VirtualLoop) -> None:
    story = await told(loop, ("app",))
    made = story.made
    body = made.body(made.app_id, "x", imageRegistryCredentials=[MANIFEST_ENTRY], osType="Windows")
    body["properties"]["containers"][0]["properties"]["resources"]["requests"]["cpu"] = 2.0
    made.with_policy(
        container_groups=[{"id": made.group_id("app"), "manifest": Manifest("policies/manifests/app.yaml", body)}]
    )
    await planned(made, "a-manifest-asks-for-what-azure-never-changes")
    with pytest.raises(
        Exception, match=r"properties\.osType: \"Linux\" -> \"Windows\"; cpu, all containers: 1\.0 -> 2\.0"
    ):
        await made.with_world(lambda run: deploy_now(run, made.group_id("app"), wait=False))
    assert story.puts() == {}


# strangers


async def test_a_group_made_by_hand_elsewhere_is_what_retirement_waits_for_until_it_may_be_moved(
    loop: VirtualLoop,
) -> None:
    story = await told(loop, ("app",))
    made = story.made
    made.azure.resources.create_group(made.seeded.subscription, "elsewhere", "eastus")
    stranger = made.group_id("by-hand").replace(made.seeded.resource_group, "elsewhere")
    made.azure.container_groups.put(stranger, made.body(made.app_id, made.published()), "2025-09-01")
    made.pass_(hours=1)
    await story.run(forced(made))
    made.pass_(hours=26)
    assert await story.run() == 0
    assert not story.retired()
    assert "by-hand" in await planned(made, "a-group-made-by-hand-elsewhere")
    made.with_policy(discover={"redeploy": True})
    await planned(made, "a-group-made-by-hand-may-be-moved")
    await story.run()
    made.pass_(hours=26)
    assert await story.run() == 0
    assert story.retired()
    stored = made.azure.container_groups.stored(stranger)
    assert stored["properties"]["imageRegistryCredentials"][0]["password"] == made.published()
    assert story.puts() == {"app": 1, "by-hand": 1}


async def test_a_moved_tag_is_told_before_and_after_and_so_is_a_window_that_is_not_waited_for(
    loop: VirtualLoop,
) -> None:
    story = await told(loop, ("app",))
    made = story.made
    made.azure.registries.push(SERVER, "aci-helloworld", "v1", logs="another image\n")
    made.with_policy(
        rotation={
            "deploy_window": {"cron": "0 2 1 * *", "timezone": "Europe/Paris", "duration": "2h"},
            "renew_before": "40d",
        }
    )
    made.pass_(days=84)
    await planned(made, "a-tag-moved-and-the-window-is-not-waited-for")
    assert await story.run() == 1
    assert story.said("window_ignored")
    assert "has another digest than before" in made.told()
    made.pass_(hours=26)
    assert await story.run() == 0
