"""Tests of Key Vault's limit of 15 tags per version, used up by others: known before any write, and no obstacle to
urgent work.
"""

from typing import Any

import pytest
from local_azure.keyvault.secret import Changes, Version
from local_azure.wire import Request

from rotator.state import ADOPTED, COMPROMISED, KEY_ID
from tests.cli.scene import NAME, PASSWORD, Scene
from tests.cli.test_rotation import rotated, writes

LIMIT = "Key Vault gives a version 15"


def versions(rotator: Scene) -> list[Version]:
    return sorted(rotator.azure.vaults.versions("myvault", PASSWORD), key=lambda version: version.order)


def fill(rotator: Scene, *which: Version, to: int = 15) -> None:
    """Tag versions, by default all, as others do, until they have so many tags."""
    for each in which or versions(rotator):
        mine = each.tags or {}
        tags = {**mine, **{f"z{n:02}": str(n) for n in range(to - len(mine))}}
        rotator.azure.vaults.update("myvault", PASSWORD, each.id, Changes(tags=tags))


def theirs(version: Version) -> list[str]:
    return sorted(name for name in version.tags or {} if not name.startswith("rotator-"))


def recorded(rotator: Scene, key_id: str, tag: str) -> list[int]:
    """Return the positions, from the oldest, of versions with the key id in a tag."""
    return [nth for nth, version in enumerate(versions(rotator)) if key_id in (version.tags or {}).get(tag, "")]


def told(said: Any) -> str:
    return " ".join(said.out.split())


def test_a_rotation_that_can_wait_is_refused_before_a_password_is_added(rotator: Scene) -> None:
    rotated(rotator)
    fill(rotator)
    rotator.pass_(days=75)
    since = len(rotator.app.served)
    said = rotator("rotate", NAME)
    assert (said.code, writes(rotator.served(since))) == (3, [])
    assert "has 12 tags that a new version would take over, and 9 fit" in told(said) and LIMIT in told(said)
    (command,) = [line.strip() for line in said.out.splitlines() if "set-attributes" in line]
    newest = versions(rotator)[-1]
    assert f"--version {newest.id} --tags rotator-attempt=" in command and "z08=8 --output none" in command
    assert rotator("plan", NAME).code == 3
    vault = {"url": rotator.seeded.vault_url, "password_secret": PASSWORD}
    rotator.write(key_vault={**vault, "tags": {"team": "data", "z00": "0"}})
    planned = told(rotator("plan", NAME))
    assert "has 11 tags that a new version would take over, beside 2 that the policy gives it, and 9 fit" in planned
    rotator.write()
    rotator.azure.vaults.update(
        "myvault", PASSWORD, newest.id, Changes(tags={k: v for k, v in (newest.tags or {}).items() if k < "z09"})
    )
    assert rotator("rotate", NAME).code == 0
    assert theirs(versions(rotator)[-1]) == [f"z{n:02}" for n in range(9)], "what fits is taken over"


def test_a_compromised_credential_is_replaced_although_its_version_is_full(rotator: Scene) -> None:
    rotated(rotator)
    (known,) = rotator.live()
    fill(rotator, versions(rotator)[-1])
    said = rotator("rotate", NAME, "--compromised", "--yes")
    assert said.code == 0 and known not in rotator.live() and rotator.pulls()
    assert ": z09, z10, z11" in told(said)
    assert recorded(rotator, known, COMPROMISED) == [0], "on the version that had room"
    assert theirs(versions(rotator)[1]) == [f"z{n:02}" for n in range(12)], (
        "nothing of theirs is lost on the version that they tagged"
    )
    assert theirs(versions(rotator)[-1]) == [f"z{n:02}" for n in range(9)]
    assert rotator("rotate", NAME).code == 0


def test_where_no_version_has_room_a_tag_gives_way_by_name_to_what_is_compromised(rotator: Scene) -> None:
    rotated(rotator)
    (known,) = rotator.live()
    fill(rotator)
    said = rotator("rotate", NAME, "--compromised", "--yes")
    assert said.code == 0 and known not in rotator.live()
    assert recorded(rotator, known, COMPROMISED) == [1], "on the version that holds it"
    assert "tag z11 of version" in told(said) and f"was replaced by {COMPROMISED}" in told(said)
    assert theirs(versions(rotator)[1]) == [f"z{n:02}" for n in range(11)]


def test_in_the_last_week_of_a_credential_what_fits_is_taken_over(rotator: Scene) -> None:
    rotated(rotator)
    (old,) = rotator.live()
    fill(rotator)
    rotator.pass_(days=84)
    said = rotator("rotate", NAME, "--no-overlap")
    assert said.code == 0 and old not in rotator.live()
    assert ": z09, z10, z11" in told(said)


def test_an_adoption_that_nothing_can_record_is_refused_before_any_write(rotator: Scene) -> None:
    fill(rotator)
    since = len(rotator.app.served)
    for arguments in (("adopt", NAME), ("adopt", NAME, "--key-id", rotator.password.key_id)):
        said = rotator(*arguments)
        assert (said.code, writes(rotator.served(since))) == (3, [])
        assert LIMIT in told(said) and "this command removes z14" in told(said)
    (only,) = versions(rotator)
    noted = told(rotator("rotate", NAME, "--adopt"))
    assert (
        f"this command removes z14: `az keyvault secret set-attributes --vault-name myvault --name {PASSWORD}" in noted
    )
    rotator.azure.vaults.update(
        "myvault", PASSWORD, only.id, Changes(tags={k: v for k, v in (only.tags or {}).items() if k != "z14"})
    )
    assert rotator("adopt", NAME).code == 0
    assert recorded(rotator, rotator.password.key_id, ADOPTED) == [0] and len(theirs(versions(rotator)[0])) == 14


@pytest.mark.parametrize("count", [10, 14, 15])
def test_a_version_on_top_with_too_many_tags_is_not_covered_over(rotator: Scene, count: int) -> None:
    rotated(rotator)
    rotator.azure.vaults.set("myvault", PASSWORD, "garbage", {f"k{n}": "1" for n in range(count)})
    since = len(rotator.app.served)
    for _ in range(2):
        said = rotator("rotate", NAME, "--accept-drift")
        assert said.code != 0 and writes(rotator.served(since)) == []
        assert LIMIT in told(said)


def test_a_tag_that_a_person_sets_during_the_proof_is_on_the_new_version(rotator: Scene) -> None:
    rotated(rotator)
    rotator.pass_(days=1)
    rotator.azure.vaults.update(
        "myvault", PASSWORD, None, Changes(tags={**(versions(rotator)[-1].tags or {}), "owner": "before"})
    )

    def change(number: int, operation: str, request: Request) -> None:
        newest = versions(rotator)[-1]
        if operation == "graph.applications.addPassword":
            rotator.azure.vaults.update(
                "myvault", PASSWORD, newest.id, Changes(tags={**(newest.tags or {}), "owner": "after"})
            )

    before = rotator.app.after
    rotator.app.after = change
    said = rotator("rotate", NAME, "--force", "--no-overlap")
    rotator.app.after = before
    assert said.code == 0
    new = versions(rotator)[-1]
    assert len(versions(rotator)) == 3
    assert (new.tags or {})["owner"] == "after" and (new.tags or {})[KEY_ID] in rotator.live()
