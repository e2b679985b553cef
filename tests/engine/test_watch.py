"""Tests of the watch after a redeployment: a group that disappears, that can't be read, that lost its tags, or that
never starts.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest
from local_azure.virtual import VirtualLoop

from rotator.engine import adopt
from rotator.engine.settling import _also
from rotator.resource_id import ResourceId
from rotator.state import ContainerGroup
from tests.matrices.effects import Effect
from tests.matrices.fast import fast
from tests.matrices.process import Point, Stop, Strike
from tests.matrices.test_corners import rotated, within
from tests.matrices.worlds import PROOF
from tests.stage import GROUPS, HASTY, Stage, stage

GET, PUT = "aci.containerGroups.get", "aci.containerGroups.createOrUpdate"
FIRST = 4
"""Number of the first reading of the canary after its PUT, 15 s after the run's begin; the others follow in tens of
seconds.
"""
SETTLE = 600.0
Act = Callable[[Stage], object]
GONE, REFUSED = Effect.GONE, Effect.NO
UNKNOWN, STRIPPED = "app has an unknown state", "app has no tags of rotator after a redeployment"


def _delete(made: Stage) -> None:
    made.azure.container_groups.delete(made.group_id(GROUPS[0]))


def _strip(made: Stage) -> None:
    made.azure.container_groups.patch_tags(made.group_id(GROUPS[0]), {"owner": "somebody"})


def _strip_for(seconds: float) -> Act:
    def act(made: Stage) -> None:
        tags = made.tags_of(GROUPS[0])
        _strip(made)
        again = partial(made.azure.container_groups.patch_tags, made.group_id(GROUPS[0]), tags)
        made.loop.call_later(seconds, again)

    return act


WATCHED: dict[str, tuple[tuple[Effect | None, ...], Act | None, str, float]] = {
    "well": ((), None, "", 85),
    "deleted: two readings say so": ((), _delete, UNKNOWN, 45),
    "one reading doesn't find it": ((GONE,), None, "", 85),
    "one finds it, and one doesn't": ((None, GONE), None, "", 85),
    "one doesn't find it, one is refused, one doesn't find it": ((GONE, REFUSED, GONE), None, "", 85),
    "refused for a minute": ((REFUSED,) * 7, None, "", 105),
    "refused until settle is over": ((REFUSED,) * 80, None, UNKNOWN, 15 + SETTLE),
    "without tags for less than a minute": ((), _strip_for(55), "", 95),
    "without tags for a minute, and six seconds until that is marked": ((), _strip, STRIPPED, 101),
}
"""Faults of the readings, a person's act at the first of them, the report, and the seconds until the end of the run."""


@pytest.mark.parametrize("what", WATCHED)
def test_a_watch_lasts_until_there_is_evidence(what: str) -> None:
    effects, act, said, lasts = WATCHED[what]

    async def scene(made: Stage) -> None:
        async def acting() -> None:
            if act:
                act(made)

        made.with_policy(rotation={"settle": f"{SETTLE:.0f}s"})
        strikes = [Strike(GET, FIRST + nth, effect) for nth, effect in enumerate(effects) if effect]
        result, seconds = await rotated(made, *strikes, stop=Stop(Point(GET, FIRST), 0.0, acting))
        assert (result.exit_code, said in made.told(), seconds) == (bool(said), True, lasts)

    within("first", scene)


@pytest.mark.parametrize("stripped", [0.0, 10.0, 55.0])
async def test_a_group_that_does_not_start_is_watched_until_settle_is_over(loop: VirtualLoop, stripped: float) -> None:
    """The tags may be absent for less than a minute, at any time."""
    made = stage(loop, groups=GROUPS[:1], timing=replace(HASTY, group_start=2 * SETTLE))
    made.adapter = fast
    made.with_policy(proof=PROOF, rotation={"settle": f"{SETTLE:.0f}s"})
    made.pass_(hours=1)
    await made.with_world(lambda run: adopt(run, None))
    if stripped:
        loop.call_later(SETTLE / 2, _strip_for(stripped), made)
    result, seconds = await rotated(made)
    assert (result.exit_code, "app has not started within" in made.told()) == (1, True)
    assert SETTLE <= seconds < SETTLE + 10


IMAGE = "registry.example/app:v1"
OLD, NEW = "sha256:" + 64 * "0", "sha256:" + 64 * "1"
MOVED, OTHER = "its IP address changed from 20.0.0.1 to 20.0.0.2", f"{IMAGE} has another digest than before: "


def _group(ip: str = "", digest: str = "") -> ContainerGroup:
    at = "2026-03-05T12:00:00Z"
    message = f'Successfully pulled image "{IMAGE.partition(":")[0]}@{digest}"'
    event = {"name": "Pulled", "message": message, "count": 1, "firstTimestamp": at, "lastTimestamp": at}
    container = {"image": IMAGE, "instanceView": {"events": [event] if digest else []}}
    properties = {"ipAddress": {"ip": ip}, "containers": [{"name": "app", "properties": container}]}
    return ContainerGroup(
        ResourceId("/subscriptions/s/a"), datetime(2026, 3, 5, tzinfo=UTC), {"properties": properties}
    )


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (_group("20.0.0.1", OLD), _group("20.0.0.1", OLD), ()),
        (_group("20.0.0.1"), _group("20.0.0.2"), (MOVED,)),
        (_group("20.0.0.1"), _group(), ()),
        (_group(), _group("20.0.0.2"), ()),
        (_group(digest=OLD), _group(digest=NEW), (OTHER,)),
        (_group(), _group(digest=NEW), ()),
    ],
)
def test_what_else_is_different_after_a_redeployment_is_told(
    before: ContainerGroup, after: ContainerGroup, told: tuple[str, ...]
) -> None:
    found = tuple(_also(before, after))
    assert len(found) == len(told) and all(map(str.startswith, found, told))
