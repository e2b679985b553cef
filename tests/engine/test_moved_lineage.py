"""Tests of a policy whose vault, secret name or tenant changes while a credential of ours is live: no accidental issue,
and an intended move completes.
"""

from rotator.engine import adopt
from rotator.state import ATTEMPT, HOME, KEY_ID
from tests.engine.test_life import forced, ours, said, settled
from tests.stage import GROUPS, SECRET, Stage

ELSEWHERE = "moved-pull-pwd"


def moved(made: Stage, name: str) -> None:
    """Name another secret in the policy, as a default of a directory might."""
    made.with_policy(key_vault={**made.policy.key_vault.model_dump(exclude_unset=True), "password_secret": name})


def test_a_changed_place_issues_nothing_while_a_credential_lives_under_the_old_one() -> None:
    async def scene(made: Stage) -> None:
        (live,) = ours(made)
        moved(made, ELSEWHERE)
        since = len(made.app.served)
        assert (await made.rotate(forced(made))).exit_code == 3
        assert said(made, "lineage_changed")
        assert (ours(made), made.writes(since)) == ([live], [])
        moved(made, SECRET)
        made.pass_(days=65)
        assert (await made.rotate()).exit_code == 0
        assert len(ours(made)) == 2

    settled(scene)


def test_a_move_on_purpose_goes_on_with_the_credential_that_was_handed_over() -> None:
    async def scene(made: Stage) -> None:
        (live,) = ours(made)
        tags = made.azure.vaults.get("myvault", SECRET).tags or {}
        moved(made, ELSEWHERE)
        handed = {name: tags[name] for name in (KEY_ID, HOME, ATTEMPT)}
        made.azure.vaults.set("myvault", ELSEWHERE, made.published(), handed)
        assert (await made.rotate()).exit_code == 0
        assert ours(made) == [live]
        made.pass_(hours=1)
        await made.rotate(forced(made))
        made.pass_(hours=25)
        assert (await made.rotate()).exit_code == 0, made.told()
        (now,) = ours(made)
        assert now != live
        assert {made.tags_of(name)[KEY_ID] for name in GROUPS} == {now}
        assert all(made.azure.container_groups.could_pull(made.group_id(name)) for name in GROUPS)

    settled(scene)


def test_back_where_a_credential_has_ended_the_newer_one_is_adopted_first() -> None:
    async def scene(made: Stage) -> None:
        (live,) = ours(made)
        tags = made.azure.vaults.get("myvault", SECRET).tags or {}
        moved(made, ELSEWHERE)
        handed = {name: tags[name] for name in (KEY_ID, HOME, ATTEMPT)}
        made.azure.vaults.set("myvault", ELSEWHERE, made.published(), handed)
        made.pass_(hours=1)
        await made.rotate(forced(made))
        made.pass_(hours=25)
        await made.rotate()
        (newer,) = ours(made)
        moved(made, SECRET)
        assert (await made.rotate()).exit_code == 1, "vetoed, and there is no current credential at that place"
        assert said(made, "lineage_changed")
        assert (ours(made), live in ours(made)) == ([newer], False)
        await made.with_world(lambda run: adopt(run, newer))
        await made.rotate()
        made.pass_(hours=25)
        assert (await made.rotate()).exit_code == 0, made.told()
        (last,) = ours(made)
        assert {made.tags_of(name)[KEY_ID] for name in GROUPS} == {last}

    settled(scene)
