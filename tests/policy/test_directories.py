"""Tests of policies in subdirectories: the files that count as policies, their names, and the lookup by name."""

from pathlib import Path

import pytest

from rotator.policy import Draft, gather, load_draft
from rotator.policy.unfilled import waiting_lines
from tests.policy.test_defaults import names
from tests.policy.test_policy import MANIFEST, MINIMAL, Write, write

__all__ = ["write"]


def policy(number: int) -> str:
    return MINIMAL.replace("5D3C", f"{number}D3C").replace("pull-pwd", f"pwd-{number}")


@pytest.fixture
def tree(write: Write) -> Path:
    """Write a policy at the top and some in directories of teams, two of them with the same name."""
    directory = write(web__yaml=policy(1))
    for number, name in enumerate(("team-a/shop.yaml", "team-b/shop.yml", "team-b/old/till.yaml"), 2):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(policy(number))
    return directory


def test_a_policy_is_called_by_its_path_below_the_directory(tree: Path) -> None:
    assert names(gather(tree)) == (["team-a/shop", "team-b/old/till", "team-b/shop", "web"], [])


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("team-a/shop", "team-a/shop"),
        ("team-a/shop.yaml", "team-a/shop"),
        ("{}/team-b/shop.yml", "team-b/shop"),
        ("{}/team-a/../web.yaml", "web"),
        ("{}/web", "web"),
        ("till", "team-b/old/till"),
        ("web", "web"),
    ],
)
def test_a_policy_is_found_by_its_name_its_file_and_by_its_last_part(tree: Path, asked: str, name: str) -> None:
    assert names(gather(tree, (asked.format(tree),))) == ([name], [])


def test_a_path_relative_to_where_one_stands_is_a_name_too(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree / "team-a")
    assert names(gather(tree, ("shop.yaml",))) == (["team-a/shop"], [])
    monkeypatch.chdir(tree.parent)
    assert names(gather(tree.name, (f"{tree.name}/team-b/shop.yml", "web"))) == (["team-b/shop", "web"], [])


def test_a_last_part_of_several_names_is_a_mistake_with_those_to_choose_from(tree: Path) -> None:
    (mistake,) = gather(tree, ("shop",)).mistakes
    assert (mistake.problem, mistake.remedy) == (
        "more than one policy with that name",
        "Name one of: team-a/shop, team-b/shop.",
    )
    (mistake,) = gather(tree, ("team-c/shop",)).mistakes
    assert mistake.problem == "no policy of that name"
    assert "Did you mean team-a/shop?" in mistake.remedy or "Did you mean team-b/shop?" in mistake.remedy


def test_a_whole_name_wins_over_a_last_part(tree: Path) -> None:
    (tree / "shop.yaml").write_text(policy(9))
    assert names(gather(tree, ("shop",))) == (["shop"], [])


OTHERS = {
    "a manifest": MANIFEST,
    "something else": "services: {web: {image: x}}\n",
    "a template of something else": "{{ if .x }}\n  registries: []\n{{ end }}\n",
    "nothing": "",
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_has_no_key_of_policies_is_none_in_a_subdirectory(tree: Path, kind: str) -> None:
    (tree / "team-a" / "other.yaml").write_text(OTHERS[kind])
    found = gather(tree)
    assert (len(found.policies), found.mistakes) == (4, ())


WRONG: dict[str, str | bytes] = {
    "a misspelt key": "principle: {app_id: 5d3c0a52-0000-0000-0000-000000000009}\nregistries: []\n",
    "no YAML": "principal: {app_id: x\n",
    "another encoding": policy(9).encode("utf-16"),
    "bytes that are no text": b"principal: {}\n\xff",
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_may_be_a_policy_is_a_mistake_in_a_subdirectory(tree: Path, kind: str) -> None:
    content = WRONG[kind]
    (tree / "team-a" / "other.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert names(gather(tree))[1] == ["team-a/other"]


def test_hidden_directories_and_links_to_directories_are_not_looked_into(tree: Path) -> None:
    (tree / ".git").mkdir()
    (tree / ".git" / "web.yaml").write_text(policy(1))
    (tree / "again").symlink_to(tree)
    assert len(gather(tree).policies) == 4


def test_two_files_of_one_name_in_one_directory_are_refused_and_in_two_they_are_two_policies(tree: Path) -> None:
    (tree / "team-a" / "SHOP.yml").write_text(policy(8))
    (tree / "team-b" / "web.yaml").write_text(policy(9))
    found = gather(tree)
    assert names(found) == (["team-b/old/till", "team-b/shop", "team-b/web", "web"], ["team-a/SHOP", "team-a/shop"])
    assert "a policy's name that" in found.mistakes[0].problem


def test_a_name_that_a_terminal_would_obey_is_refused_wherever_it_stands(tree: Path) -> None:
    (tree / "a\x1b[2J").mkdir()
    (tree / "a\x1b[2J" / "b.yaml").write_text(policy(9))
    (one,) = gather(tree).unserved
    assert one.name.isprintable()
    assert "can't be printed" in one.mistakes[0].problem


def test_a_manifest_beside_a_policy_in_a_subdirectory_is_found_from_there(tree: Path) -> None:
    group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/Microsoft.ContainerInstance/containerGroups/mycontainer"
    (tree / "team-a" / "files").mkdir()
    (tree / "team-a" / "files" / "m.yaml").write_text(MANIFEST)
    text = f"{policy(2)}container_groups: [{{id: {group}, manifest: files/m.yaml}}]\n"
    (tree / "team-a" / "shop.yaml").write_text(text)
    (found,) = gather(tree, ("team-a/shop",)).policies
    assert found.container_groups[0].manifest


def test_a_draft_in_a_subdirectory_extends_its_defaults_and_keeps_its_name(tree: Path) -> None:
    (tree / "team-a" / "_defaults.yaml").write_text(
        "discover: {subscriptions: [00000000-0000-0000-0000-0000000000aa]}\n"
    )
    (tree / "team-a" / "new.yaml").write_text(
        policy(9)
        .replace("app_id: 9D3C0a52", "x")
        .replace("{app_id: 9D3C0A52-0000-0000-0000-000000000000}", "{display_name: new}")
    )
    found = load_draft(tree, "team-a/new")
    assert isinstance(found, Draft)
    settled = found.settled("5d3c0a52-0000-0000-0000-000000000009")
    assert (settled.name, "00000000-0000-0000-0000-0000000000aa" in settled.subscriptions) == ("team-a/new", True)


WAITS = "not filled in yet"
FILLED = "# FILL IN: the vault that is to hold the password.\n"


def test_a_line_that_waits_for_a_person_is_a_mistake_that_says_what_for(write: Write) -> None:
    directory = write(a__yaml=f"{MINIMAL}\n  {FILLED}", b__yaml=policy(2))
    found = gather(directory)
    assert names(found) == (["b"], ["a"])
    (mistake,) = found.mistakes
    assert (mistake.line, mistake.column, mistake.problem) == (5, 3, "not filled in yet")
    assert mistake.remedy == "Fill in: the vault that is to hold the password. Then remove this line."
    (other,) = waiting_lines("# FILL IN: say what happens\n", "web.yaml")
    assert other.remedy == "Fill in: say what happens. Then remove this line."


GAPS = """\
principal: {app_id: 5d3c0a52-0000-4000-8000-000000000000}
registries:
  # FILL IN: the id of x.azurecr.io.
  # `az acr show` prints it.
  # - id: /subscriptions/SUBSCRIPTION
key_vault:
  # FILL IN: the vault.
  # url: https://NAME.vault.azure.net
  username_secret: x-pull-usr
"""


def test_what_such_a_line_asks_for_is_no_other_mistake(write: Write) -> None:
    told = [(each.line, each.problem) for each in gather(write(a__yaml=GAPS, b__yaml=policy(2))).mistakes]
    assert told == [(3, WAITS), (7, WAITS), (9, "password_secret is missing")]
    bare = "\n".join(line for line in GAPS.splitlines() if "FILL IN" not in line)
    found = gather(write(a__yaml=bare, b__yaml=policy(2))).mistakes
    problems = ["nothing, where a list is needed", "url is missing", "password_secret is missing"]
    assert sorted(each.problem for each in found) == sorted(problems)


def test_a_secret_in_such_a_line_is_not_repeated(write: Write) -> None:
    secret = "abc8Q~" + "x" * 34
    (mistake,) = gather(write(a__yaml=f"{MINIMAL}# FILL IN: {secret}\n")).mistakes
    assert secret not in str(mistake)
