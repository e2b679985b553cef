"""Tests of an owner who restarts or stops a container group during rotator's watch: rotator accepts the change and
reports the outcome.
"""

from collections.abc import Callable

from local_azure.virtual import VirtualLoop
from local_azure.wire import Request, ServiceError

from tests.engine.test_groups import Story, forced, told
from tests.stage import Stage, watched

GET = "aci.containerGroups.get"


async def played(loop: VirtualLoop, act: Callable[[Stage, str], object]) -> tuple[Story, list[str]]:
    """Rotate while the owner acts on the canary at the first moment that Azure allows; return the story and Azure's
    answers to the owner.
    """
    story = await told(loop, ("app", "second"))
    made, answers = story.made, list[str]()

    def meanwhile(number: int, operation: str, request: Request) -> None:
        if operation == GET and story.puts() and "done" not in answers and request.path.endswith("/app"):
            try:
                act(made, made.group_id("app"))
                answers.append("done")
                assert "group_settled" not in made.told(), "rotator still watches"
            except ServiceError as error:
                answers.append(error.code)

    with watched(made, before=meanwhile):
        await story.run(forced(made))
    return story, answers


def state(made: Stage) -> str:
    return str(made.azure.container_groups.get(made.group_id("app"))["properties"]["instanceView"]["state"])


async def test_a_group_that_is_restarted_while_it_is_watched_is_left_to_come_up_and_the_rotation_goes_on(
    loop: VirtualLoop,
) -> None:
    story, answers = await played(loop, lambda made, group: made.azure.container_groups.restart(group))
    assert answers[0] == "ContainerGroupTransitioning"
    assert answers[-1] == "done"
    assert (story.codes, story.puts(), state(story.made)) == ([0], {"app": 1, "second": 1}, "Running")
    assert story.no_pull_was_refused()
    await story.go_on(8)
    assert set(story.codes) == {0}
    assert story.retired()
    assert story.puts() == {"app": 1, "second": 1}


async def test_a_group_that_is_stopped_while_it_is_watched_stays_stopped_and_is_not_said_to_run(
    loop: VirtualLoop,
) -> None:
    story, answers = await played(loop, lambda made, group: made.azure.container_groups.stop(group))
    assert answers[-1] == "done"
    assert "app runs with the new credential" not in story.made.told()
    assert "app has the new credential, and was stopped by others meanwhile" in story.made.told()
    await story.go_on(8)
    assert (set(story.codes), story.puts(), state(story.made)) == ({0}, {"app": 1, "second": 1}, "Stopped")
    assert story.retired()
    story.made.azure.container_groups.start(story.made.group_id("app"))
    story.made.pass_(minutes=5)
    assert state(story.made) == "Running"
    assert story.no_pull_was_refused()
