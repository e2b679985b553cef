"""Test of docs/requests.md: the page has each request of a rotation, with the check that needs the request."""

import re
from pathlib import Path

from local_azure.timing import QUICK
from local_azure.virtual import VirtualLoop

from rotator.engine import adopt
from rotator.results import Result
from rotator.steps import Intent
from tests.stage import Stage, play, stage

PAGE = Path(__file__).parents[2] / "docs" / "requests.md"
ROW = re.compile(r"^\| \d+ \| `([a-z]+\.[A-Za-z.]+)` \|", re.MULTILINE)


async def rotated(loop: VirtualLoop) -> Stage:
    """Return a world with one group, rotated once: the next rotation adopts nothing."""
    made = stage(loop, groups=("app",), timing=QUICK)
    made.with_policy(proof={"times": 2, "over": "0s"})
    await made.with_world(lambda run: adopt(run, None))
    assert (await forced(made)).exit_code == 0, made.told()
    made.pass_(days=2)
    return made


async def forced(made: Stage) -> Result:
    """Rotate at once, to the end."""
    return await made.rotate(Intent(force_before=made.azure.clock.now(), no_overlap=True))


def test_a_rotation_sends_the_requests_of_the_page_in_this_order() -> None:
    async def scene(loop: VirtualLoop) -> list[str]:
        made = await rotated(loop)
        before = len(made.app.served)
        assert (await forced(made)).exit_code == 0, made.told()
        return [call.operation for call in made.app.served[before:]]

    assert play(scene) == ROW.findall(PAGE.read_text())
