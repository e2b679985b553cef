"""Tests of `rotator history`: past rotations, read from the versions of the secret."""

import pytest
from local_azure.faults import Fault

from tests.cli.scene import NAME, PASSWORD, Scene

DAY = 86_400


@pytest.fixture
def lived(rotator: Scene) -> Scene:
    """Return a scene after two rotations, the second for a compromised credential, and with a foreign value on top."""
    assert rotator("rotate", "--adopt", "--no-overlap").code == 0
    rotator.pass_(days=10)
    assert rotator("rotate", NAME, "--compromised", "--yes").code == 0
    rotator.pass_(days=5)
    rotator.azure.vaults.set("myvault", PASSWORD, "somebody's")
    rotator.pass_(days=2)
    return rotator


def test_history_tells_each_version_the_newest_first_with_how_long_it_served(lived: Scene) -> None:
    since = len(lived.app.served)
    said = lived("history", NAME, "--output", "json")
    assert said.code == 0, said.err
    assert not any("PUT" in call.method or "PATCH" in call.method for call in lived.app.served[since:])
    theirs, second, first, by_hand = said.json["versions"]
    assert [each["ours"] for each in (theirs, second, first, by_hand)] == [False, True, True, False]
    assert (round(theirs["served"] / DAY), round(second["served"] / DAY), round(first["served"] / DAY)) == (2, 5, 10)
    assert (second["current"], second["live"], second["enabled"]) == (True, True, True)
    assert second["key_id"] in lived.live()
    assert (first["live"], first["enabled"], first["compromised"]) == (False, False, [first["key_id"]])
    assert (theirs["key_id"], theirs["live"]) == (None, None)
    assert by_hand["adopted"] == [by_hand["key_id"]]
    assert {first["home"], second["home"]} == {"application"}
    assert first["attempt"] != second["attempt"]
    assert (first["until"], second["until"]) == (second["published"], theirs["published"])


def test_history_is_a_table_that_a_terminal_of_120_columns_holds(lived: Scene) -> None:
    text = lived("history", NAME).out.splitlines()
    assert text[0] == f"{NAME}: 2 rotations in 4 versions of {PASSWORD}"
    assert text[1].split() == ["PUBLISHED", "(UTC)", "CREDENTIAL", "HOME", "SERVED", "ENDS", "MARKS"]
    assert [line.split("  ")[-1].strip() for line in text[2:]] == [
        "not ours, on top of ours",
        "current",
        "compromised, disabled, gone",
        "adopted, disabled, gone",
    ]
    assert max(map(len, text)) <= 120
    every = lived("history", NAME, "-v").out
    assert every.count("    version ") == 4
    assert "attempt attempt1" in every


def test_nothing_published_is_no_history_and_no_error(rotator: Scene) -> None:
    rotator.write(key_vault={"url": rotator.seeded.vault_url, "password_secret": "none-yet"})
    said = rotator("history", NAME)
    assert (said.code, said.out) == (0, f"{NAME}: 0 rotations in 0 versions of none-yet\n")


def test_a_deleted_secret_is_no_empty_history_and_every_report_has_the_command_that_recovers_it(lived: Scene) -> None:
    lived.azure.vaults.delete("myvault", PASSWORD)
    lived.pass_(hours=1)
    for verb in ("history", "status", "plan", "rotate"):
        said = lived(verb, NAME)
        assert (said.code, said.out.count(f"az keyvault secret recover --vault-name myvault --name {PASSWORD}")) == (
            1,
            1,
        )
    assert [each["code"] for each in lived("history", NAME, "--output", "json").json["alarms"]] == ["secret_deleted"]


def test_a_compromised_password_that_still_works_is_the_first_line(rotator: Scene) -> None:
    assert rotator("rotate", "--adopt", "--no-overlap").code == 0
    forbidden = Fault("graph.*.addPassword", "status", status=403, code="Authorization_RequestDenied", times=0)
    rotator.azure.faults.add(forbidden)
    assert rotator("rotate", NAME, "--compromised", "--yes").code == 1
    said = rotator("history", NAME)
    assert (said.code, said.out.startswith(f"{NAME}: COMPROMISED CREDENTIAL STILL WORKS")) == (1, True)
