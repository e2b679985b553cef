"""Tests of defaults for policies: precedence, keys that aren't inherited, the origin of each value, and the policies
that a mistake stops.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rotator.policy import Gathered, effective_values, gather, load
from tests.policy.test_policy import GROUP, MINIMAL, REGISTRY, ROOT, Write, only, write

__all__ = ["write"]

APP = "5d3c0a52-0000-0000-0000-00000000000"
DEFAULTS = f"""\
registries: [{{id: {REGISTRY}}}]
key_vault: {{url: https://myvault.vault.azure.net, tags: {{team: platform, level: one}}}}
rotation:
  validity: 60d
  deploy_window: weekend
discover: {{subscriptions: [00000000-0000-0000-0000-0000000000aa]}}
windows:
  weekend: {{timezone: Europe/Paris, cron: 0 2 * * SAT, duration: 4h}}
  night: {{cron: 0 3 * * *, duration: 2h}}
"""


def plain(number: int, more: str = "") -> str:
    return f"principal: {{app_id: {APP}{number}}}\nkey_vault: {{password_secret: pwd-{number}}}\n{more}"


def names(found: Gathered) -> tuple[list[str], list[str]]:
    return [policy.name for policy in found.policies], [one.name for one in found.unserved]


def test_a_policy_takes_what_it_does_not_say_from_the_defaults_of_its_directory(write: Write) -> None:
    own = "rotation: {validity: 90d}\ndiscover: {subscriptions: [00000000-0000-0000-0000-0000000000BB]}\n"
    (a, b) = load(write(_defaults__yaml=DEFAULTS, a__yaml=plain(1), b__yaml=plain(2, own)))
    assert (a.key_vault.url, a.key_vault.password_secret) == ("https://myvault.vault.azure.net", "pwd-1")
    assert (a.rotation.validity, b.rotation.validity) == (timedelta(days=60), timedelta(days=90))
    assert a.rotation.renew_before == timedelta(days=20), "what follows from a value follows from an inherited one"
    assert [str(one.id) for one in a.registries] == [REGISTRY]
    assert a.rotation.deploy_window == b.rotation.deploy_window
    assert a.rotation.deploy_window and a.rotation.deploy_window.timezone == "Europe/Paris"


def test_subscriptions_are_added_to_those_that_a_policy_looks_in_anyway(write: Write) -> None:
    own = "discover: {subscriptions: [00000000-0000-0000-0000-0000000000BB]}\n"
    team = "discover: {subscriptions: [00000000-0000-0000-0000-0000000000cc, 00000000-0000-0000-0000-0000000000AA]}\n"
    directory = write(_defaults__yaml=DEFAULTS, a__yaml=plain(1), b__yaml=plain(2, own), team____defaults__yaml=team)
    (directory / "team" / "_defaults.yaml").write_text(team)
    (directory / "team" / "c.yaml").write_text(plain(3))
    (a, b, c) = load(directory)
    ending = [[each[-2:] for each in policy.subscriptions] for policy in (a, b, c)]
    assert ending == [["01", "aa"], ["aa", "bb"], ["01", "aa", "cc"]]
    assert a.discover.subscriptions == ()


def test_the_nearer_defaults_win_key_by_key_and_all_else_is_taken_whole(write: Write) -> None:
    directory = write(_defaults__yaml=DEFAULTS, a__yaml=plain(1))
    (directory / "team" / "sub").mkdir(parents=True)
    team = f"""\
registries: [{{id: {REGISTRY}2}}]
key_vault: {{tags: {{level: two}}, content_type: text/plain}}
rotation: {{deploy_window: {{cron: 0 4 * * *, duration: 1h}}}}
windows: {{night: {{cron: 0 1 * * *, duration: 1h}}}}
"""
    (directory / "team" / "_defaults.yaml").write_text(team)
    (directory / "team" / "sub" / "b.yaml").write_text(plain(2))
    (directory / "team" / "c.yaml").write_text(plain(3, "rotation: {deploy_window: night, validity: 120d}\n"))
    (directory / "team" / "d.yaml").write_text(plain(4, "rotation: {deploy_window: null}\n"))
    a, b, c, d = (policy for name in "abcd" for policy in load(directory, (name,)))
    assert b.name == "team/sub/b"
    assert b.key_vault.tags == {"team": "platform", "level": "two"}
    assert [one.id.name for one in b.registries] == ["mycontainerregistry2"]
    assert b.rotation.validity == timedelta(days=60)
    windows = [policy.rotation.deploy_window for policy in (b, c, d)]
    assert [(each.cron, each.timezone) if each else None for each in windows] == [
        ("0 4 * * *", "UTC"),
        ("0 1 * * *", "UTC"),
        None,
    ]
    assert a.key_vault.tags == {"team": "platform", "level": "one"}


NOT_INHERITED = {
    "principal.app_id": "principal: {app_id: 5d3c0a52-0000-0000-0000-000000000009}",
    "principal.display_name": "principal: {display_name: puller}",
    "key_vault.password_secret": "key_vault: {password_secret: shared-pwd}",
    "key_vault.username_secret": "key_vault: {username_secret: shared-usr}",
    "container_groups": f"container_groups: [{{id: {GROUP}}}]",
    "discover.redeploy": "discover: {redeploy: false}",
    "discover.unseen": "discover: {unseen: accept}",
}


@pytest.mark.parametrize("path", NOT_INHERITED)
def test_what_belongs_to_one_policy_is_never_inherited(write: Write, path: str) -> None:
    directory = write(_defaults__yaml=f"\n{NOT_INHERITED[path]}\n", a__yaml=MINIMAL)
    mistake = only(directory)
    assert (Path(mistake.file).name, mistake.line, mistake.path) == ("_defaults.yaml", 2, path)
    assert mistake.problem == "not to be inherited"
    assert mistake.remedy.endswith("Write it in each policy.")
    assert names(gather(directory)) == ([], ["a"])


WRONG: dict[str, tuple[str, str, str]] = {
    "no YAML": ("rotation: {validity: 60d\n", "2:1", "not YAML"),
    "no keys": ("- 1\n", "1:1", "not defaults: it has no keys"),
    "an unknown key": ("rotation:\n  validty: 60d\n", "2:3", "unknown key"),
    "a value": ("rotation: {validity: 60}\n", "1:22", "a number without a unit"),
    "values that don't fit": (
        "rotation: {validity: 60d, renew_before: 50d}\n",
        "1:41",
        "not between 0 and 30d, which is half of validity",
    ),
    "a window's cron": (
        "windows:\n  night: {cron: often, duration: 4h}\n",
        "2:17",
        "1 fields, where a cron expression has five",
    ),
    "a window without a duration": ("windows:\n  night: {cron: 0 2 * * *}\n", "2:10", "duration is missing"),
    "windows that are none": ("windows: [night]\n", "1:10", "no windows by name"),
    "a window that nobody defines": ("rotation: {deploy_window: weekend}\n", "1:27", "no deploy window has this name"),
    "a vault": ("key_vault: {url: http://x}\n", "1:18", "not the URL of a key vault"),
    "a vault of another cloud": ("key_vault: {url: https://myvault.vault.azure.cn}\n", "1:18", "a vault of Azure"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_defaults_stop_every_policy_that_extends_them_and_are_told_at_their_place(
    write: Write, kind: str
) -> None:
    text, place, problem = WRONG[kind]
    directory = write(a__yaml=MINIMAL)
    (directory / "team").mkdir()
    (directory / "team" / "_defaults.yaml").write_text(text)
    for number in range(1, 4):
        (directory / "team" / f"p{number}.yaml").write_text(
            MINIMAL.replace("5D3C", f"{number}D3C").replace("pull", f"p{number}")
        )
    found = gather(directory, cloud="public")
    assert names(found) == (["a"], ["team/p1", "team/p2", "team/p3"])
    assert [
        f"{Path(each.file).parent.name}/{Path(each.file).name}:{each.line}:{each.column}" for each in found.mistakes
    ] == [f"team/_defaults.yaml:{place}"]
    assert problem in found.mistakes[0].problem
    assert found.mistakes[0].remedy
    assert [one.inherited for one in found.unserved] == [found.mistakes] * 3
    named = gather(directory, ("a",), "public")
    assert (names(named), named.beside) == ((["a"], []), found.mistakes)


@pytest.mark.parametrize("how", ["a directory", "a link to nowhere", "bytes", "another name"])
def test_defaults_that_can_not_be_read_stop_too(write: Write, how: str) -> None:
    directory = write(a__yaml=MINIMAL)
    file = directory / "_defaults.yaml"
    match how:
        case "a directory":
            file.mkdir()
        case "a link to nowhere":
            file.symlink_to("nowhere")
        case "bytes":
            file.write_bytes(b"\xff\xfe\x00")
        case _:
            (directory / "_defaults.yml").write_text("rotation: {validity: 60d}\n")
    mistake = only(directory)
    assert Path(mistake.file).name.startswith("_defaults.y")


STRANGE = (
    "5",
    "text",
    "[]",
    "[1]",
    "{}",
    "{a: 1}",
    "null",
    "[{a: [1]}]",
    "{subscriptions: {a: 1}, url: [], deploy_window: 7}",
)


@pytest.mark.parametrize("key", ["principal", "registries", "key_vault", "rotation", "proof", "discover", "windows"])
def test_a_key_with_something_else_below_it_is_a_mistake_or_harmless_on_either_side(write: Write, key: str) -> None:
    for value in STRANGE:
        for defaults, own in (
            (f"{key}: {value}\n", MINIMAL),
            (DEFAULTS, plain(1).replace(f"{key}:", "x:") + f"{key}: {value}\n"),
        ):
            directory = write(_defaults__yaml=defaults, a__yaml=own)
            found = gather(directory)
            assert len(found.policies) + len(found.unserved) == 1
            assert all(mistake.line and mistake.remedy for mistake in found.mistakes)
            for policy in found.policies:
                assert effective_values(policy, found.written[policy.file])


def test_defaults_without_content_change_nothing(write: Write) -> None:
    (before,) = load(write(a__yaml=MINIMAL))
    for text in ("", "# nothing yet\n", "{}\n"):
        (after,) = load(write(_defaults__yaml=text))
        assert after == before


def test_a_value_that_only_does_not_fit_together_with_the_policys_own_is_told_where_it_stands(write: Write) -> None:
    defaults = DEFAULTS + "proof: {deadline: 10m}\n"
    directory = write(_defaults__yaml=defaults, a__yaml=plain(1, "rotation: {reclaim_after: 30m}\n"), b__yaml=plain(2))
    mistake = only(directory)
    assert (Path(mistake.file).name, mistake.line, mistake.path) == ("a.yaml", 3, "rotation.reclaim_after")
    directory = write(a__yaml=plain(1, "rotation: {validity: 30d, renew_before: 15d}\n"))
    directory = write(
        _defaults__yaml=DEFAULTS.replace("60d", "60d\n  renew_before: 20d"),
        a__yaml=plain(1, "rotation: {validity: 30d}\n"),
    )
    mistake = only(directory)
    assert (Path(mistake.file).name, mistake.line, mistake.path) == ("_defaults.yaml", 5, "rotation.renew_before")
    assert names(gather(directory)) == (["b"], ["a"])


def test_what_a_policy_must_say_itself_is_missing_in_the_policy(write: Write) -> None:
    directory = write(_defaults__yaml=DEFAULTS, a__yaml=f"principal: {{app_id: {APP}1}}\n")
    mistake = only(directory)
    assert (Path(mistake.file).name, mistake.line) == ("a.yaml", 1)
    assert mistake.problem == "password_secret is missing"


def test_an_unknown_window_is_told_with_those_that_there_are(write: Write) -> None:
    mistake = only(write(_defaults__yaml=DEFAULTS, a__yaml=plain(1, "rotation: {deploy_window: weekends}\n")))
    assert (Path(mistake.file).name, mistake.line, mistake.column) == ("a.yaml", 3, 27)
    assert "Did you mean weekend? Known here: night, weekend" in mistake.remedy
    mistake = only(write(_defaults__yaml="", a__yaml=MINIMAL + "rotation: {deploy_window: weekend}\n"))
    assert "No window has a name here" in mistake.remedy
    assert "duration: 4h" in mistake.remedy


def test_windows_by_name_belong_into_defaults(write: Write) -> None:
    text = MINIMAL + "windows: {night: {cron: 0 1 * * *, duration: 1h}}\n"
    for defaults in ("", DEFAULTS):
        mistake = only(write(_defaults__yaml=defaults, a__yaml=text))
        assert (mistake.line, mistake.path, "_defaults.yaml" in mistake.remedy) == (4, "windows", True)


def test_a_window_that_opens_too_seldom_for_one_policy_is_told_at_its_definition(write: Write) -> None:
    defaults = DEFAULTS.replace("0 2 * * SAT", "0 2 1 * *")
    own = "rotation: {validity: 20d}\n"
    mistake = only(write(_defaults__yaml=defaults.replace("60d", "120d"), a__yaml=plain(1, own), b__yaml=plain(2)))
    assert (Path(mistake.file).name, mistake.line, mistake.path) == (
        "_defaults.yaml",
        8,
        "rotation.deploy_window.cron",
    )


def test_the_example_of_the_documentation_is_read(write: Write) -> None:
    text = (ROOT / "docs" / "policy.md").read_text().partition("## Defaults\n")[2]
    blocks = re.findall(r"^```yaml\n# policies/(\S+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    directory = write()
    for name, content in blocks:
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(content)
    (shop,) = load(directory)
    assert shop.name == "team-a/shop"
    assert shop.rotation.deploy_window and shop.rotation.deploy_window.cron == "0 3 * * *"
    assert len(shop.subscriptions) == 2


# rivals


def test_the_vault_of_the_defaults_counts_for_rivals(write: Write) -> None:
    directory = write(
        _defaults__yaml=DEFAULTS, a__yaml=plain(1), b__yaml=plain(2).replace("pwd-2", "PWD-1"), c__yaml=plain(3)
    )
    found = gather(directory)
    assert names(found) == (["c"], ["a", "b"])
    assert found.mistakes[0].problem.startswith("a secret's name that ")
    assert names(gather(directory, ("c",))) == (["c"], [])
    other = DEFAULTS.replace("myvault", "othervault")
    (directory / "team").mkdir()
    (directory / "b.yaml").rename(directory / "team" / "b.yaml")
    (directory / "team" / "_defaults.yaml").write_text(other)
    assert names(gather(directory)) == (["a", "c", "team/b"], [])


@pytest.mark.parametrize(
    ("defaults", "stopped"),
    [(DEFAULTS, True), (DEFAULTS.replace("myvault", "othervault"), False), (None, True), (DEFAULTS + "x: [\n", True)],
    ids=["the same vault", "another vault", "which can't be read", "which is no YAML"],
)
def test_a_broken_file_claims_its_secret_in_the_vault_of_its_defaults(
    write: Write, defaults: str | None, stopped: bool
) -> None:
    directory = write(a__yaml=MINIMAL)
    (directory / "team").mkdir()
    (directory / "team" / "b.yaml").write_text("principal: {\nkey_vault: {password_secret: pull-pwd}\n")
    if defaults is None:
        (directory / "team" / "_defaults.yaml").write_bytes(b"\xff\xfe")
    else:
        (directory / "team" / "_defaults.yaml").write_text(defaults)
    assert names(gather(directory, ("a",))) == (([], ["a"]) if stopped else (["a"], []))


def test_in_an_emergency_one_policy_is_served_whatever_the_defaults_of_others_are(write: Write) -> None:
    directory = write(a__yaml=MINIMAL)
    (directory / "team").mkdir()
    (directory / "team" / "_defaults.yaml").write_text("]")
    for number in range(1, 30):
        (directory / "team" / f"p{number}.yaml").write_text(
            plain(number).replace(f"{APP}{number}", f"{APP[:-2]}{number:03}")
        )
    found = gather(directory, ("a",))
    assert (names(found), len(found.beside)) == ((["a"], []), 1)


# where values come from


def values(directory: Path, name: str) -> dict[str, tuple[Any, str]]:
    found = gather(directory, (name,))
    (policy,) = found.policies
    return {
        each.path: (
            each.value,
            f"{Path(each.place.file).relative_to(directory)}:{each.place.line}:{each.place.column}"
            if each.place
            else "",
        )
        for each in effective_values(policy, found.written[policy.file])
    }


def test_every_value_has_the_place_that_says_it(write: Write) -> None:
    (directory := write(_defaults__yaml=DEFAULTS)).joinpath("team").mkdir()
    (directory / "team" / "_defaults.yaml").write_text("rotation: {validity: 120d}\n")
    text = plain(1, f"container_groups:\n  - id: {GROUP}\n    secrets: {{containers/a/env/B: {{key_vault: db}}}}\n")
    (directory / "team" / "a.yaml").write_text(text)
    found = values(directory, "team/a")
    assert found["principal.app_id"] == (f"{APP}1", "team/a.yaml:1:21")
    assert found["principal.home"] == ("application", "")
    assert found["key_vault.url"] == ("https://myvault.vault.azure.net", "_defaults.yaml:2:18")
    assert found["key_vault.password_secret"] == ("pwd-1", "team/a.yaml:2:30")
    assert found["rotation.validity"] == ("120d", "team/_defaults.yaml:1:22")
    assert found["rotation.renew_before"] == ("30d", "")
    assert found["rotation.deploy_window.cron"] == ("0 2 * * SAT", "_defaults.yaml:8:43")
    assert found["registries[0].id"] == (REGISTRY, "_defaults.yaml:1:19")
    assert found["registries[0].role"] == ("AcrPull", "")
    assert found["container_groups[0].secrets.containers/a/env/B.key_vault"] == ("db", "team/a.yaml:5:47")
    assert found["discover.subscriptions[0]"] == ("00000000-0000-0000-0000-0000000000aa", "_defaults.yaml:6:28")
    assert found["proof.times"] == (5, "")
    assert "windows" not in "".join(found)
