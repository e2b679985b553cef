"""Random stories: no invariant fails, in any order of events.

Hypothesis draws them and shrinks failures. A story is a value, not a state machine, so that it can be kept, printed in
one line, and played on either adapter. ROTATOR_SEED draws other stories than those of `make test`.
"""

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from local_azure.virtual import VirtualLoop

from tests.matrices.digest import digest
from tests.matrices.effects import Effect
from tests.matrices.fast import fast
from tests.matrices.judge import Judge
from tests.matrices.process import ALWAYS, SLEEPING, Point, Strike
from tests.matrices.story import STORIES, Act, Command, Condition, Pause, Play, Story, Violation, Wait, played
from tests.matrices.told import stories
from tests.matrices.worlds import WORLDS
from tests.stage import Adapter, play, real, watched

SEED = int(os.environ.get("ROTATOR_SEED", "1"))
FEW, MANY = 10, 1000
"""Stories on the fast adapter: of `make test`, and of each seed of `make soak`."""
FEW_REAL, MANY_REAL = 2, 50
"""Stories on real SDK code: of `make test`, and of each seed of `make soak`."""

Record = Callable[[str, object], None]


def tell(many: int, record_property: Record, *, on_real: bool = False) -> None:
    """Play so many random stories; hypothesis raises the smallest failing one."""
    runs = list[int]()

    def body(story: Story) -> None:
        runs.append(played(story, on_real=on_real).runs)

    drawn = given(stories())(body)
    calm = settings(
        max_examples=many,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink],
    )
    try:
        seed(SEED)(calm(drawn))()
    finally:
        record_property(f"cells: stories{' on real SDK code' if on_real else ''}", len(runs))


def test_no_story_violates_an_invariant(record_property: Record) -> None:
    tell(FEW, record_property)


def test_no_story_violates_an_invariant_on_real_sdk_code(record_property: Record) -> None:
    tell(FEW_REAL, record_property, on_real=True)


@pytest.mark.soak
def test_no_story_of_many_violates_an_invariant(record_property: Record) -> None:
    tell(MANY, record_property)


@pytest.mark.soak
def test_no_story_of_many_violates_an_invariant_on_real_sdk_code(record_property: Record) -> None:
    tell(MANY_REAL, record_property, on_real=True)


def test_a_story_is_what_its_text_says() -> None:
    assert [STORIES.validate_json(str(story)) for story in SHARED] == list(SHARED)


PUBLISHED = "keyvault.secrets.set"
DEPLOYED = "aci.containerGroups.createOrUpdate"
SHARED = (
    Story("first", (Command(strikes=(Strike(PUBLISHED, 1, Effect.UNKNOWN_DONE),)),)),
    Story("first", (Command(death=Point(PUBLISHED, 1, "after")),)),
    Story("first", (Command(death=Point(DEPLOYED, 1, "before")),)),
    Story("waiting", (Command(strikes=(Strike("graph.applications.removePassword", 1, Effect.MISLEADING),)),)),
    Story("at rest", (Command("declare compromised"), Wait(1.0), Act("strip tags"))),
    Story("at rest", (Command("revoke"), Wait(1.0), Command("rotate early"), Command("grant"))),
    Story("first", (Command(pause=Pause(Point(PUBLISHED), 700.0, (Command("revoke"),))),)),
    Story(
        "quick",
        (Command(pause=Pause(Point(DEPLOYED, 2, "after"), 3700.0, (Command("rotate early without overlap"),))),),
    ),
)


KEPT = {
    "access is granted in the seconds between the last read of a revocation and its report": Story(
        "at rest", (Command("revoke", pause=Pause(Point("mark.secrets.get", 3, "after"), 5.0, (Command("grant"),))),)
    ),
    "a machine sleeps with its clock between the last look and the publication": Story(
        "first", (Command(pause=Pause(Point("mark.deletedSecrets.get", 2, "after"), 260_000.0, (Command(),), True)),)
    ),
    "a list that is refused once hides a compromised password from a revocation": Story(
        "at rest",
        (
            Command("declare compromised", conditions=(Condition(DEPLOYED, "crash"),)),
            Command("revoke", (Strike("keyvault.secrets.versions", 1, Effect.NO),)),
        ),
    ),
    "a password is declared compromised while a rotation with nothing to do is stopped in a read": Story(
        "revoked", (Command(pause=Pause(Point("arm.registries.get"), 260_000.0, (Command("declare compromised"),))),)
    ),
    "access is granted while a revocation is stopped in its last read": Story(
        "at rest",
        (Command("revoke", pause=Pause(Point("mark.secrets.get", 3, "after"), 260_000.0, (Command("grant"),))),),
    ),
    "lists that are refused for good hide one from a revocation": Story(
        "at rest",
        (
            Command("declare compromised", conditions=(Condition(DEPLOYED, "crash"),)),
            Command("revoke", (Strike("keyvault.secrets.versions", ALWAYS, Effect.NO),)),
        ),
    ),
    "one is declared compromised while a grant that has looked is stopped, and its next look is refused": Story(
        "at rest",
        (
            Command(
                "grant",
                (Strike("keyvault.secrets.versions", 2, Effect.NO),),
                pause=Pause(Point("entra.token"), 700.0, (Command("declare compromised", death=Point(DEPLOYED)),)),
            ),
        ),
    ),
    "access is granted while a revocation waits before it sends an unanswered removal again": Story(
        "at rest",
        (
            Command(
                "revoke with credentials",
                (Strike("graph.applications.removePassword", 1, Effect.UNKNOWN),),
                pause=Pause(Point(SLEEPING, 1, "after"), 700.0, (Command("grant"),)),
            ),
        ),
    ),
    "an application that no lookup of a rotation finds hides one while access is revoked": Story(
        "revoked",
        (
            Command("declare compromised"),
            Wait(0.1),
            Command(strikes=(Strike("graph.applications.get", ALWAYS, Effect.GONE),)),
        ),
    ),
    "an application that no lookup of a grant finds hides one": Story(
        "at rest",
        (
            Command("declare compromised", death=Point("graph.applications.addPassword")),
            Wait(0.1),
            Command("grant", (Strike("graph.applications.get", ALWAYS, Effect.GONE),)),
        ),
    ),
    "a rotation leaves a compromised password alone while access is revoked": Story(
        "revoked", (Command("declare compromised"), Command())
    ),
    "a group's read lags behind an edit, and its redeployment undoes that": Story(
        "waiting", (Act("edit a group"), Command("rotate early", (Strike("aci.containerGroups.get", 9, Effect.STALE),)))
    ),
    "a rotation begins when access is marked as granted, before the grant ends": Story(
        "first",
        (
            Command("revoke with credentials"),
            Wait(73.0),
            Command(
                "grant", pause=Pause(Point("keyvault.secrets.get", 2), 5.0, (Command("rotate early without overlap"),))
            ),
        ),
    ),
}
"""Stories that once violated an invariant, or that the judge misread, by the fault."""


@pytest.mark.parametrize("story", KEPT.values(), ids=KEPT)
def test_a_story_that_went_wrong_once_does_so_no_more(story: Story) -> None:
    counts = played(story)
    assert counts.suspensions + counts.deaths == str(story).count('"pause"') + str(story).count('"death"')


@pytest.mark.share(3)
@pytest.mark.parametrize("story", SHARED, ids=str)
def test_a_story_ends_in_the_same_digest_on_both_adapters(story: Story) -> None:
    def ends(adapter: Adapter) -> str:
        async def scene(loop: VirtualLoop) -> str:
            made = await WORLDS[story.world](loop)
            made.adapter = adapter
            told = Play(made, Judge(made))
            with watched(made, before=told.judge.before, after=told.judge.after):
                await told.happen(story.events)
            told.ensure_sound()
            return "\n".join([*told.trace, digest(made)])

        return play(scene)

    assert ends(fast) == ends(real)


def test_a_violation_tells_its_story_and_how_to_play_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Judge, "published", lambda self: _fail())
    story = SHARED[0]
    with pytest.raises(Violation, match="I2: nobody looked") as failure:
        played(story)
    assert f"python -m tests.matrices.story '{story}'" in str(failure.value)


def _fail() -> None:
    raise AssertionError("I2: nobody looked")
