"""Tests of isolation: a mistake stops the policy of its own file, and policies with the same claim; all others are
served.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from rotator.errors import PolicyError
from rotator.policy import Gathered, gather, load
from tests.policy.test_policy import GROUP, MANIFEST, MINIMAL, Write, write

__all__ = ["write"]

OTHER = MINIMAL.replace("5D3C", "6D3C").replace("pull-pwd", "other-pwd")
THIRD = MINIMAL.replace("5D3C", "7D3C").replace("pull-pwd", "third-pwd")
APP_ID = "5d3c0a52-0000-0000-0000-000000000000"
UNCLOSED = "principal: {app_id: x\nregistries: []\n"


def names(found: Gathered) -> tuple[list[str], list[str]]:
    """Return the served policies, and the requested ones that aren't served."""
    return [policy.name for policy in found.policies], [one.name for one in found.unserved]


def places(found: Gathered) -> list[str]:
    """Return the places of mistakes outside the requested policies."""
    return [f"{Path(mistake.file).name}:{mistake.line}" for mistake in found.beside]


BROKEN = {
    "no YAML": UNCLOSED.encode(),
    "no policy": b"a: 1\n",
    "a list": b"- 1\n",
    "nothing": b"",
    "bytes": bytes(range(256)),
    "another encoding": MINIMAL.replace("5D3C", "9D3C").replace("pull-pwd", "nobodys").encode("utf-16"),
    "a hundred megabytes": None,
    "too deep": b"x: " + b"[" * 100_000,
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_wrong_with_one_file_concerns_its_policy_alone(write: Write, kind: str) -> None:
    directory = write(a__yaml=MINIMAL, b__yaml=OTHER)
    content = BROKEN[kind]
    if content is None:
        with (directory / "team-x.yaml").open("wb") as sparse:
            sparse.truncate(100 << 20)
    else:
        (directory / "team-x.yaml").write_bytes(content)
    found = gather(directory)
    assert names(found) == (["a", "b"], ["team-x"])
    assert [Path(mistake.file).name for mistake in found.mistakes][:1] == ["team-x.yaml"]
    for name in ("a", "b"):
        found = gather(directory, (name,))
        assert names(found) == ([name], [])
        assert places(found)[0].startswith("team-x.yaml:")
        assert [policy.name for policy in load(directory, (name,))] == [name]
    assert names(gather(directory, ("team-x",))) == ([], ["team-x"])


@pytest.mark.parametrize(
    "kind",
    ["a directory", "a pipe", "a link to nowhere", "a link to itself", "a device", "the kernel", "a name to obey"],
)
def test_what_is_no_file_stops_nobody_either(write: Write, kind: str) -> None:
    directory = write(a__yaml=MINIMAL)
    bad = directory / "bad.yaml"
    match kind:
        case "a directory":
            bad.mkdir()
        case "a pipe":
            os.mkfifo(bad)
        case "a name to obey":
            (directory / "bad\x1b[2J.yaml").write_text(OTHER)
        case _:
            links = {"a link to nowhere": "nowhere", "a link to itself": "bad.yaml", "a device": "/dev/zero"}
            bad.symlink_to(links.get(kind, "/proc/uptime"))  # as /proc/kmsg, which never ends
    found = gather(directory)
    assert [len(part) for part in names(found)] == [1, 1]
    assert names(gather(directory, ("a",))) == (["a"], [])
    problem = found.unserved[0].mistakes[0].problem
    assert problem == "not a file" or kind not in ("a pipe", "a device", "the kernel")


def test_a_file_that_may_not_be_read_stops_nobody(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    directory, opened = write(a__yaml=MINIMAL, b__yaml=OTHER), Path.open

    def refusing(file: Path, *mode: Any) -> Any:
        if file.name == "b.yaml":
            raise PermissionError(13, "Permission denied")
        return opened(file, *mode)

    monkeypatch.setattr(Path, "open", refusing)
    found = gather(directory)
    assert names(found) == (["a"], ["b"])
    assert "can't be read: Permission denied" in str(found.mistakes[0])


def test_a_directory_that_can_not_be_listed_is_a_mistake_and_no_crash(tmp_path: Path) -> None:
    for directory in (tmp_path / ("x" * 300), tmp_path / "a\0b", tmp_path / "none"):
        with pytest.raises(PolicyError):
            load(directory)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(PolicyError, match="can't be read: Too many levels"):
        load(tmp_path / "loop")


def test_several_names_are_served_as_far_as_they_can_be(write: Write) -> None:
    directory = write(a__yaml=MINIMAL, b__yaml=OTHER, c__yaml=UNCLOSED)
    found = gather(directory, ("a", "c", "nobody"))
    assert names(found) == (["a"], ["c", "nobody"])
    assert found.beside == ()


def test_a_broken_manifest_concerns_its_policy_alone(write: Write) -> None:
    mine = f"container_groups: [{{id: {GROUP}, manifest: m/m.yaml}}]\n"
    directory = write(a__yaml=MINIMAL + mine, b__yaml=OTHER, m___m__yaml="name: [")
    assert names(gather(directory)) == (["b"], ["a"])
    assert places(gather(directory, ("b",))) == ["m.yaml:1"]


def test_a_manifest_in_the_directory_that_is_no_yaml_is_told_once_as_its_policy_s(write: Write) -> None:
    directory = write(
        a__yaml=MINIMAL + f"container_groups: [{{id: {GROUP}, manifest: nightly.yaml}}]\n",
        b__yaml=OTHER,
        nightly__yaml="name: [",
    )
    found = gather(directory)
    assert names(found) == (["b"], ["a"])
    assert len(found.mistakes) == 1


def test_a_policy_that_another_names_as_its_manifest_is_a_policy_all_the_same(write: Write) -> None:
    thief = OTHER + f"container_groups: [{{id: {GROUP}, manifest: a.yaml}}]\n"
    for text in (MINIMAL, MINIMAL + "x: ["):
        directory = write(a__yaml=text, b__yaml=thief)
        served, unserved = names(gather(directory, ("a",)))
        assert served + unserved == ["a"]
    mistake, *_ = gather(write(a__yaml=MINIMAL), ("b",)).mistakes
    assert mistake.problem == "a policy, where the manifest of a container group is expected"


def test_a_policy_that_names_itself_as_its_manifest_is_told_so(write: Write) -> None:
    directory = write(a__yaml=MINIMAL + f"container_groups: [{{id: {GROUP}, manifest: a.yaml}}]\n")
    assert [mistake.problem for mistake in gather(directory).mistakes] == [
        "a policy, where the manifest of a container group is expected"
    ]


# Two policies with one claim


@pytest.mark.parametrize(
    ("text", "noun"),
    {
        "principal": (MINIMAL.replace("5D3C", "5d3c").replace("pull-pwd", "other-pwd"), "a principal"),
        "secret": (MINIMAL.replace("5D3C", "6D3C"), "a secret's name"),
        "access mark": (MINIMAL.replace("5D3C", "6D3C").replace("pull-pwd", "pull-pwd-access"), "a secret's name"),
        "container group": (OTHER + f"container_groups: [{{id: {GROUP.lower()}}}]\n", "a container group"),
    }.values(),
)
def test_what_two_claim_stops_the_two_and_no_third(write: Write, text: str, noun: str) -> None:
    directory = write(a__yaml=MINIMAL + f"container_groups: [{{id: {GROUP}}}]\n", b__yaml=text, c__yaml=THIRD)
    found = gather(directory)
    assert names(found) == (["c"], ["a", "b"])
    (mistake,) = found.mistakes
    assert noun in mistake.problem
    assert f"{directory}/a.yaml:" in mistake.problem
    assert mistake.file == f"{directory}/b.yaml"
    for name in ("a", "b"):
        assert gather(directory, (name,)).mistakes == (mistake,)
    alone = gather(directory, ("c",))
    assert (names(alone), alone.beside) == ((["c"], []), (mistake,))


def test_names_that_differ_in_letter_case_only_are_two_of_one_name(write: Write) -> None:
    directory = write(team__yaml=MINIMAL, Team__yml=OTHER, c__yaml=THIRD)
    found = gather(directory)
    assert names(found) == (["c"], ["Team", "team"])
    assert "a policy's name" in found.mistakes[0].problem


@pytest.mark.parametrize("text", ["", "a: 1\n", UNCLOSED])
def test_a_file_of_the_same_name_that_is_no_policy_stops_nobody(write: Write, text: str) -> None:
    for name in ("Team.yaml", "team.yml"):
        directory = write(team__yaml=MINIMAL)
        (directory / name).write_text(text)
        assert [policy.name for policy in gather(directory, ("team",)).policies] == ["team"]
        (directory / name).unlink()


def test_a_link_to_a_policy_is_a_second_one_on_the_same_things(write: Write) -> None:
    directory = write(a__yaml=MINIMAL, c__yaml=THIRD)
    (directory / "b.yaml").symlink_to("a.yaml")
    assert names(gather(directory)) == (["c"], ["a", "b"])


# Files that are no policies

SPOKEN = {
    "a principal": f"principal: {{app_id: {APP_ID.upper()}\n",
    "a principal under a wrong key": f"principle: {{app_id: {APP_ID}}}\n",
    "a principal in a comment": f"# {APP_ID}\n[",
    "vault and secret": "key_vault: {url: https://MYVAULT.vault.azure.net, password_secret: Pull-Pwd\n",
    "vault and access mark": "x: [https://myvault.vault.azure.net/secrets/pull-pwd-access\n",
    "a container group": f"container_groups: [{{id: {GROUP.upper()}\n",
}


@pytest.mark.parametrize("kind", SPOKEN)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_broken_file_counts_by_what_stands_in_it(write: Write, kind: str, encoding: str) -> None:
    directory = write(a__yaml=MINIMAL + f"container_groups: [{{id: {GROUP}}}]\n", c__yaml=THIRD)
    (directory / "team-x.yaml").write_bytes(("# one\n" + SPOKEN[kind]).encode(encoding))
    found = gather(directory)
    assert names(found) == (["c"], ["a", "team-x"])
    (mistake,) = found.unserved[0].mistakes
    assert (mistake.file, mistake.line) == (f"{directory}/team-x.yaml", 2)
    assert f"{directory}/a.yaml:" in mistake.problem
    assert gather(directory, ("a",)).mistakes == (mistake,)
    assert names(gather(directory, ("c",))) == (["c"], [])


@pytest.mark.parametrize(
    "text",
    [
        f"principal: {{app_id: {APP_ID}0\n",
        "key_vault: {url: https://yourvault.vault.azure.net, password_secret: pull-pwd\n",
        "key_vault: {url: https://myvault.vault.azure.net, password_secret: their-pull-pwd\n",
        f"container_groups: [{{id: {GROUP}-2\n",
    ],
)
def test_a_broken_file_that_speaks_of_something_else_stops_nobody(write: Write, text: str) -> None:
    directory = write(a__yaml=MINIMAL + f"container_groups: [{{id: {GROUP}}}]\n", team__yaml=text)
    assert names(gather(directory, ("a",))) == (["a"], [])


def test_a_whole_policy_may_read_what_another_publishes(write: Write) -> None:
    reads = (
        f"container_groups: [{{id: {GROUP}, secrets: {{containers/app/env/X: {{key_vault: pull-pwd}}}}}}]\n# {APP_ID}\n"
    )
    assert names(gather(write(a__yaml=MINIMAL, b__yaml=OTHER + reads))) == (["a", "b"], [])


def test_a_claim_beside_other_mistakes_counts_in_its_place(write: Write) -> None:
    found = gather(write(a__yaml=MINIMAL, b__yaml=MINIMAL + "x: 1\n", c__yaml=THIRD))
    assert names(found) == (["c"], ["a", "b"])
    assert [mistake.path for mistake in found.mistakes] == ["principal.app_id", "key_vault.password_secret", "x"]


def test_a_draft_is_a_mistake_of_its_own(write: Write) -> None:
    draft = THIRD.replace("app_id: 7D3C0A52-0000-0000-0000-000000000000", "display_name: puller")
    directory = write(a__yaml=MINIMAL, b__yaml=MANIFEST, c__yaml=draft)
    assert names(gather(directory)) == (["a"], ["b", "c"])
    assert [one.name for one in gather(directory, ("c",), drafts=True).drafts] == ["c"]
    assert places(gather(directory, ("a",)))[0] == "b.yaml:1", "a draft is no mistake of anybody else's"
