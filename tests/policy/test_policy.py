"""Tests of policies: valid content, and mistakes, each with its place, the value found and the value to write."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rotator.errors import Mistake, PolicyError
from rotator.policy import (
    CredentialPart,
    CredentialSource,
    DeployWindow,
    KeyVaultSource,
    Policy,
    StatedSource,
    load,
    next_open,
    open_at,
)
from rotator.policy.durations import parse, render
from rotator.policy.jsonschema import render as rendered_schema
from rotator.resource_id import ArmId
from rotator.state import Home
from tests.cells import cell

ROOT = Path(__file__).parents[2]
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
IN_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/myResourceGroup/providers"
REGISTRY = f"{IN_GROUP}/Microsoft.ContainerRegistry/registries/mycontainerregistry"
GROUP = f"{IN_GROUP}/Microsoft.ContainerInstance/containerGroups/mycontainer"
PASSWORD = "hunter2-is-no-name!"

MINIMAL = f"""\
principal: {{app_id: 5D3C0A52-0000-0000-0000-000000000000}}
registries: [{{id: {REGISTRY}}}]
key_vault: {{url: https://MyVault.vault.azure.net/, password_secret: pull-pwd}}
"""
MANIFEST = """\
apiVersion: 2025-09-01
name: mycontainer
location: westeurope
properties:
  containers:
    - {name: app, properties: {image: "mycontainerregistry.azurecr.io/app:v1"}}
  imageRegistryCredentials:
    - {server: mycontainerregistry.azurecr.io, username: "${{ credential:username }}", password: "${{ credential:password }}"}
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files into a directory of policies; their names are the keywords, with __ for a dot and ___ for a slash."""

    def files(**texts: str) -> Path:
        for name, text in texts.items():
            file = tmp_path / name.replace("___", "/").replace("__", ".")
            file.parent.mkdir(exist_ok=True)
            file.write_text(textwrap.dedent(text))
        return tmp_path

    return files


def refused(directory: Path, *names: str) -> tuple[Mistake, ...]:
    with pytest.raises(PolicyError) as caught:
        load(directory, names)
    assert all(mistake.problem and mistake.remedy for mistake in caught.value.mistakes)
    return caught.value.mistakes


def only(directory: Path, *names: str) -> Mistake:
    mistakes = refused(directory, *names)
    assert len(mistakes) == 1, "\n".join(map(str, mistakes))
    return mistakes[0]


def where(mistake: Mistake) -> tuple[int, int, str]:
    return mistake.line, mistake.column, mistake.path


# Valid content


def test_the_worked_example_is_read_as_it_is_written() -> None:
    (policy,) = load(ROOT / "policies")
    always, nightly = policy.container_groups
    assert (policy.name, policy.key_vault.host, policy.access_secret) == (
        "mycontainerregistry",
        "myvault.vault.azure.net",
        "mycontainerregistry-pull-pwd-access",
    )
    assert always.secrets == {
        "containers/app/env/DB_PASSWORD": KeyVaultSource(key_vault="db-password"),
        "containers/app/env/AZURE_CLIENT_SECRET": CredentialSource(credential=CredentialPart.PASSWORD),
    }
    assert nightly.manifest is not None
    assert nightly.manifest.document["properties"]["restartPolicy"] == "Never"
    assert policy.rotation.deploy_window == DeployWindow(
        cron="0 2 * * SAT", timezone="Europe/Paris", duration=timedelta(hours=4)
    )


def test_the_least_policy_gets_the_defaults_of_the_design(write: Write) -> None:
    (policy,) = load(write(least__yaml=MINIMAL))
    rotation, proof = policy.rotation, policy.proof
    day = timedelta(days=1)
    assert (
        rotation.validity,
        rotation.renew_before,
        rotation.overlap,
        rotation.reclaim_after,
        rotation.warn_before,
    ) == (
        90 * day,
        30 * day,
        day,
        day,
        14 * day,
    )
    assert (rotation.settle, rotation.deploy_window) == (timedelta(minutes=30), None)
    assert (proof.times, proof.over, proof.deadline, proof.registry) == (
        5,
        timedelta(minutes=1),
        timedelta(minutes=5),
        "required",
    )
    assert (policy.principal.home, policy.registries[0].role, policy.discover.unseen, policy.discover.redeploy) == (
        Home.APPLICATION,
        "AcrPull",
        "block",
        False,
    )


def test_ids_that_azure_compares_without_case_are_equal_here(write: Write) -> None:
    (policy,) = load(
        write(
            a__yaml=MINIMAL
            + f"container_groups: [{{id: {GROUP.upper().replace('/SUBSCRIPTIONS', '/subscriptions')}}}]\n"
        )
    )
    assert policy.principal.app_id == "5d3c0a52-0000-0000-0000-000000000000"
    assert policy.key_vault.url == "https://myvault.vault.azure.net"
    assert policy.group(ArmId(GROUP.lower())) is policy.container_groups[0]
    assert policy.group(ArmId(GROUP + "2")) is None


def test_short_lives_get_defaults_that_fit_into_them(write: Write) -> None:
    (policy,) = load(write(a__yaml=MINIMAL + "rotation: {validity: 6h}\n"))
    rotation = policy.rotation
    assert rotation.renew_before == rotation.overlap == timedelta(hours=2)
    assert rotation.warn_before == timedelta(hours=1)


def test_dependents_are_looked_for_where_the_policy_has_something_unless_it_says_where(write: Write) -> None:
    other = GROUP.replace(SUBSCRIPTION, "00000000-0000-0000-0000-00000000000F")
    (policy,) = load(write(a__yaml=MINIMAL + f"container_groups: [{{id: {other}}}]\n"))
    assert policy.subscriptions == (SUBSCRIPTION, "00000000-0000-0000-0000-00000000000f")
    (policy,) = load(write(a__yaml=MINIMAL + "discover: {subscriptions: [00000000-0000-0000-0000-000000000009]}\n"))
    assert policy.subscriptions == ("00000000-0000-0000-0000-000000000009",)


def test_policies_come_by_name_and_only_those_that_were_asked_for(write: Write) -> None:
    second = MINIMAL.replace("5D3C", "6D3C").replace("pull-pwd", "other-pwd")
    directory = write(b__yml=MINIMAL, a__yaml=second, notes__txt="no policy", __hidden__yaml="nor this")
    assert [policy.name for policy in load(directory)] == ["a", "b"]
    assert [policy.name for policy in load(directory, ["b"])] == ["b"]


def test_equal_policies_are_equal_values(write: Write) -> None:
    directory = write(
        a__yaml=MINIMAL + f"container_groups: [{{id: {GROUP}, manifest: m/m.yaml}}]\n", m___m__yaml=MANIFEST
    )
    (one,), (two,) = load(directory), load(directory)
    assert one == two
    assert len({one, two, *one.container_groups, *two.container_groups}) == 2


def test_a_manifest_beside_its_policy_is_not_taken_for_a_policy(write: Write) -> None:
    directory = write(
        a__yaml=MINIMAL + f"container_groups: [{{id: {GROUP}, manifest: nightly.yaml}}]\n", nightly__yaml=MANIFEST
    )
    (policy,) = load(directory)
    manifest = policy.container_groups[0].manifest
    assert manifest is not None
    assert manifest.document["apiVersion"] == "2025-09-01", "a date in a manifest is its letters, as in JSON"


def test_an_arm_template_with_one_container_group_is_a_manifest(write: Write) -> None:
    template = """{"$schema": "x", "resources": [
        {"type": "Microsoft.Network/virtualNetworks", "name": "net"},
        {"type": "Microsoft.ContainerInstance/containerGroups", "name": "mycontainer", "location": "westeurope",
          "properties": {"containers": [{"name": "app"}]}}
    ]}"""
    directory = write(
        a__yaml=MINIMAL + f"container_groups: [{{id: {GROUP}, manifest: m/m.json}}]\n", m___m__json=template
    )
    (policy,) = load(directory)
    assert policy.container_groups[0].manifest is not None
    assert policy.container_groups[0].manifest.document["properties"] == {"containers": [{"name": "app"}]}


def test_a_policy_shows_nothing_of_its_manifests(write: Write) -> None:
    text = MANIFEST.replace('password: "${{ credential:password }}"', f'password: "{PASSWORD}"')
    (policy,) = load(
        write(a__yaml=MINIMAL + f"container_groups: [{{id: {GROUP}, manifest: m/m.yaml}}]\n", m___m__yaml=text)
    )
    assert PASSWORD not in repr(policy)


# Mistakes


def test_six_different_mistakes_give_six_errors_with_place_and_remedy(write: Write) -> None:
    directory = write(
        bad__yaml=f"""\
        principal:
          app_id: 5d3c0a52
        registeries: []
        registries:
          - id: {REGISTRY}
            role: acrpull
        key_vault:
          url: https://myvault.vault.azure.net
        rotation:
          validity: 90
        container_groups:
          - id: {REGISTRY}
        """
    )
    found = [(where(mistake), mistake.value, mistake.problem) for mistake in refused(directory)]
    assert found == [
        ((2, 11, "principal.app_id"), '"5d3c0a52"', "not a GUID"),
        ((3, 1, "registeries"), "", "unknown key"),
        ((6, 11, "registries[0].role"), '"acrpull"', "not one of the allowed values"),
        ((8, 3, "key_vault"), "", "password_secret is missing"),
        ((10, 13, "rotation.validity"), "90", "a number without a unit"),
        (
            (12, 9, "container_groups[0].id"),
            f'"{REGISTRY}"',
            "the ARM id of a Microsoft.ContainerRegistry/registries, where a container group is expected",
        ),
    ]
    remedies = [mistake.remedy for mistake in refused(directory)]
    words = [
        "8-4-4-4-12",
        "Did you mean registries?",
        "Did you mean AcrPull?",
        "Add `password_secret: ",
        "90d",
        "az container show",
    ]
    for remedy, word in zip(remedies, words, strict=True):
        assert word in remedy


def test_mistakes_of_all_files_come_together_and_in_order(write: Write) -> None:
    directory = write(a__yaml=MINIMAL + "x: 1\n", b__yaml="principal: [", c__yaml="", d__yaml="- 1\n")
    text = str(PolicyError(refused(directory)))
    assert [line.split(":")[0].rsplit("/", 1)[-1] for line in text.splitlines()] == [
        "a.yaml",
        "b.yaml",
        "c.yaml",
        "d.yaml",
    ]
    assert f"{directory}/a.yaml:4:1: x: unknown key. " in text


def test_a_mistake_of_many_files_is_shown_in_the_first_and_counted(write: Write) -> None:
    def extends() -> list[str]:
        return [line for line in str(PolicyError(refused(directory))).splitlines() if "extends" in line]

    directory = write(**{f"{name}__yaml": MINIMAL + "extends: base\n" for name in "abcdefg"})
    (line,) = extends()
    assert line.startswith(f"{directory}/a.yaml:4:1: extends: unknown key. A policy extends the `_defaults.yaml`")
    assert line.endswith(f" The same in {directory}/b.yaml, {directory}/c.yaml, {directory}/d.yaml and 3 more.")
    for name in "efg":
        (directory / f"{name}.yaml").unlink()
    assert len(extends()) == 1
    (directory / "d.yaml").unlink()
    assert len(extends()) == 3


def test_defaults_under_another_name_are_told_their_name(write: Write) -> None:
    directory = write(defaults__yaml="key_vault: {url: https://myvault.vault.azure.net}\n")
    assert "call the file `_defaults.yaml`" in str(PolicyError(refused(directory)))


@pytest.mark.parametrize(
    ("line", "path", "word"),
    {
        "a duration without a unit": ("rotation: {overlap: 24}", "rotation.overlap", "24h"),
        "a duration in words": ("rotation: {overlap: one day}", "rotation.overlap", "1d12h"),
        "an endless duration": ("rotation: {overlap: 999999999d}", "rotation.overlap", "units"),
        "a validity of minutes": ("rotation: {validity: 59m}", "rotation.validity", "1h or more"),
        "renewal in the first half": (
            "rotation: {validity: 90d, renew_before: 46d}",
            "rotation.renew_before",
            "at most 45d",
        ),
        "no time to renew": ("rotation: {renew_before: 0s}", "rotation.renew_before", "at most 45d"),
        "an overlap into the next rotation": (
            "rotation: {validity: 10d, overlap: 8d}",
            "rotation.overlap",
            "at most 6d16h",
        ),
        "a warning before the renewal": ("rotation: {warn_before: 31d}", "rotation.warn_before", "at most 30d"),
        "reclaiming what is at work": ("rotation: {reclaim_after: 19m}", "rotation.reclaim_after", "at least 20m"),
        "a deadline that reclaims what is at work": (
            "proof: {deadline: 7h}",
            "rotation.reclaim_after",
            "at least 1d4h",
        ),
        "a deadline before the last try": ("proof: {over: 5m}", "proof.deadline", "more than 5m, for example 10m"),
        "no tries": ("proof: {times: 0}", "proof.times", "from 1 to 100"),
        "tries that are a truth": ("proof: {times: true}", "proof.times", "from 1 to 100"),
        "a proof that nothing needs": ("proof: {registry: off}", "proof.registry", "required or optional"),
        "a truth in other words": ("discover: {redeploy: yes}", "discover.redeploy", "true or false"),
        "a subscription's name": ("discover: {subscriptions: [prod]}", "discover.subscriptions[0]", "8-4-4-4-12"),
        "one thing for a list": (f"container_groups: {{id: {GROUP}}}", "container_groups", "one entry per line"),
        "nothing for a list": ("container_groups:", "container_groups", "one entry per line"),
        "a text for keys": ("proof: required", "proof", "times, over, deadline, registry"),
        "an unknown choice": (
            f"container_groups: [{{id: {GROUP}, when_finished: waits}}]",
            "container_groups[0].when_finished",
            "Did you mean wait?",
        ),
        "the same group twice": (
            f"container_groups: [{{id: {GROUP}}}, {{id: {GROUP.lower()}}}]",
            "container_groups[1].id",
            "Remove one",
        ),
        "a window in no zone": (
            "rotation: {deploy_window: {cron: 0 2 * * *, timezone: Paris, duration: 4h}}",
            "rotation.deploy_window.timezone",
            "Europe/Paris",
        ),
        "a path for a zone": (
            "rotation: {deploy_window: {cron: 0 2 * * *, timezone: ../UTC, duration: 4h}}",
            "rotation.deploy_window.timezone",
            "Europe/Paris",
        ),
        "a window with seconds": (
            "rotation: {deploy_window: {cron: 0 0 2 * * *, duration: 4h}}",
            "rotation.deploy_window.cron",
            "0 2 * * SAT",
        ),
        "a window on no weekday": (
            "rotation: {deploy_window: {cron: 0 2 * * SOON, duration: 4h}}",
            "rotation.deploy_window.cron",
            "0 2 * * SAT",
        ),
        "a window by chance": (
            "rotation: {deploy_window: {cron: R 2 * * *, duration: 4h}}",
            "rotation.deploy_window.cron",
            "0 2 * * SAT",
        ),
        "a window on no day": (
            "rotation: {deploy_window: {cron: 0 2 30 2 *, duration: 4h}}",
            "rotation.deploy_window.cron",
            "0 2 * * SAT",
        ),
        "a window that opens too late": (
            "rotation: {deploy_window: {cron: 0 2 1 */2 *, duration: 4h}}",
            "rotation.deploy_window.cron",
            "more often",
        ),
        "a window in one season": (
            "rotation: {deploy_window: {cron: 0 2 * 1-3 *, duration: 4h}}",
            "rotation.deploy_window.cron",
            "more often",
        ),
        "a window on leap days": (
            "rotation: {deploy_window: {cron: 0 2 29 2 *, duration: 4h}}",
            "rotation.deploy_window.cron",
            "more often",
        ),
        "a window of a minute": (
            "rotation: {deploy_window: {cron: 0 2 * * *, duration: 1m}}",
            "rotation.deploy_window.duration",
            "15m or more",
        ),
        "a YAML tag": ("proof: {over: !!binary aGk=}", "proof.over", "quotes"),
        "a merge": ("proof: {<<: {times: 1}}", "proof", "plain keys"),
    }.values(),
)
def test_a_wrong_value_is_refused_at_its_place_with_what_to_write(
    write: Write, line: str, path: str, word: str
) -> None:
    mistakes = refused(write(a__yaml=MINIMAL + line + "\n"))
    assert path in [mistake.path for mistake in mistakes], mistakes
    assert any(word in mistake.remedy for mistake in mistakes if mistake.path == path), mistakes


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("principal: {app_id: x\nregistries: []\n", (2, 11)),
        ("a:\n\t- b\n", (2, 1)),
        ("a: 'x\n", (2, 1)),
        ("a: \x07\n", (1, 4)),
        ("a: 1\nb: *a\n", (2, 4)),
    ],
)
def test_a_text_that_is_no_yaml_is_refused_where_it_stops_being_yaml(
    write: Write, text: str, place: tuple[int, int]
) -> None:
    mistake = only(write(a__yaml=text))
    assert (mistake.line, mistake.column) == place
    assert mistake.problem.startswith("not YAML: ")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    assert only(tmp_path).problem == "not UTF-8 text"


def test_a_key_that_stands_twice_is_refused_at_the_second_place(write: Write) -> None:
    mistake = only(write(a__yaml=MINIMAL + "proof: {times: 3}\nproof: {times: 4}\n"))
    assert (where(mistake), mistake.problem) == ((5, 1, "proof"), "the same key as in line 4, column 1")


def test_an_alias_of_what_it_stands_in_is_refused(write: Write) -> None:
    mistakes = refused(write(a__yaml=MINIMAL + "proof: &all {times: 3, over: *all}\n"))
    assert "contains itself" in mistakes[0].problem


@pytest.mark.parametrize(
    "line",
    {
        "in place of a source": f"secrets: {{containers/app/env/X: {PASSWORD}}}",
        "in place of all sources": f"secrets: {PASSWORD}",
        "in a list of sources": f"secrets: [{PASSWORD}]",
        "beside a source": f"secrets: {{containers/app/env/X: {{key_vault: db, value: {PASSWORD}}}}}",
        "as the value of a source": f"secrets: {{containers/app/env/X: {{value: {PASSWORD}}}}}",
        "as the name of a secret": f"secrets: {{containers/app/env/X: {{key_vault: {PASSWORD}}}}}",
        "as a kind of credential": f"secrets: {{containers/app/env/X: {{credential: {PASSWORD}}}}}",
        "under a key of its own": f"password: {PASSWORD}",
        "as a YAML tag": f"secrets: {{containers/app/env/X: !{PASSWORD} x}}",
        "as a YAML alias": f"secrets: {{containers/app/env/X: *{PASSWORD} }}",
    }.values(),
)
def test_a_secret_in_a_policy_is_refused_and_not_shown(write: Write, line: str) -> None:
    mistake = only(write(a__yaml=MINIMAL + f"container_groups: [{{id: {GROUP}, {line}}}]\n"))
    assert PASSWORD not in repr(mistake)


def test_a_password_in_place_of_its_secrets_name_or_of_an_id_is_not_shown(write: Write) -> None:
    entra = "abc8Q~" + "x" * 34
    text = MINIMAL.replace("pull-pwd", f'"{PASSWORD}"').replace("5D3C0A52-0000-0000-0000-000000000000", entra)
    text = text.replace("https://MyVault", "https://me:hunter2@MyVault")
    text += f"container_groups: [{{id: {GROUP}, manifest: 'https://me:hunter2@contoso.com/m?sig=hunter2'}}]\n"
    shown = repr(refused(write(a__yaml=text)))
    assert PASSWORD not in shown
    assert entra not in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    "path",
    [
        "DB",
        "containers/app/DB",
        "containers/app/env/",
        "containers/app/env/a/b",
        "Containers/app/env/X",
        "volumes/v/secrets/k",
        "volumes/v/azure_file",
        "diagnostics",
    ],
)
def test_a_place_that_no_container_group_has_is_refused(write: Write, path: str) -> None:
    mistake = only(
        write(a__yaml=MINIMAL + f"container_groups: [{{id: {GROUP}, secrets: {{{path}: {{key_vault: db}}}}}}]\n")
    )
    assert mistake.path == f"container_groups[0].secrets.{path}"
    assert "containers/<container>/env/<NAME>" in mistake.remedy


def test_every_place_that_hides_values_is_accepted(write: Write) -> None:
    paths = [
        "containers/a/env/X",
        "init_containers/a/env/X",
        "volumes/v/secret/k.txt",
        "volumes/v/azure_file/storage_account_key",
        "diagnostics/log_analytics/workspace_key",
        "diagnostics/log_analytics/workspace_resource_id",
        "image_registry_credentials/other.azurecr.io/password",
        "extensions/vk/protected_settings",
    ]
    lines = "".join(f"      {path}: {{key_vault: db}}\n" for path in paths)
    (policy,) = load(write(a__yaml=MINIMAL + f"container_groups:\n  - id: {GROUP}\n    secrets:\n{lines}"))
    assert list(policy.container_groups[0].secrets) == paths


WORKSPACE = "diagnostics/log_analytics/workspace_resource_id"
LOGS = f"/subscriptions/{'0' * 8}-0000-0000-0000-{'0' * 12}/resourcegroups/rg/providers/microsoft.operationalinsights/workspaces/logs"


@pytest.mark.parametrize("value", ["none", LOGS])
def test_a_workspace_s_resource_id_may_be_stated_since_it_is_no_secret(write: Write, value: str) -> None:
    (policy,) = load(
        write(a__yaml=MINIMAL + f"container_groups: [{{id: {GROUP}, secrets: {{{WORKSPACE}: {{value: {value}}}}}}}]\n")
    )
    assert policy.container_groups[0].secrets[WORKSPACE] == StatedSource(value=value)


@pytest.mark.parametrize(
    "value",
    ["", "null", '""', "''", "None", "1", PASSWORD, LOGS.replace("workspaces", "others"), LOGS + "/more", "'${{ x }}'"],
)
def test_a_workspace_s_resource_id_is_an_id_or_none_and_what_is_left_empty_says_nothing(
    write: Write, value: str
) -> None:
    mistake = only(
        write(a__yaml=MINIMAL + f"container_groups: [{{id: {GROUP}, secrets: {{{WORKSPACE}: {{value: {value}}}}}}}]\n")
    )
    assert mistake.path == f"container_groups[0].secrets.{WORKSPACE}.value"
    assert "{value: none} if the group never had one" in mistake.remedy
    assert PASSWORD not in repr(mistake)


@pytest.mark.parametrize("value", [LOGS, PASSWORD])
def test_no_other_value_may_stand_in_a_policy_itself(write: Write, value: str) -> None:
    path = "containers/app/env/DB_PASSWORD"
    mistake = only(
        write(a__yaml=MINIMAL + f"container_groups: [{{id: {GROUP}, secrets: {{{path}: {{value: {value}}}}}}}]\n")
    )
    assert mistake.path == f"container_groups[0].secrets.{path}.value"
    assert WORKSPACE in mistake.problem + mistake.remedy
    assert "{key_vault: NAME}" in mistake.remedy
    assert PASSWORD not in repr(mistake)


EMPTY = ("containers/app/env/X", "init_containers/a/env/X", "volumes/v/secret", "extensions/e/protected_settings")
FULL = (
    "volumes/v/secret/ca.pem",
    "volumes/v/azure_file/storage_account_key",
    "diagnostics/log_analytics/workspace_key",
    "image_registry_credentials/other.azurecr.io/password",
)


def secrets(**lines: str) -> str:
    shown = ", ".join(f"{path}: {source}" for path, source in lines.items())
    return MINIMAL + f"container_groups: [{{id: {GROUP}, secrets: {{{shown}}}}}]\n"


@pytest.mark.parametrize("path", EMPTY)
def test_a_place_that_azure_takes_empty_may_be_stated_as_none(write: Write, path: str) -> None:
    (policy,) = load(write(a__yaml=secrets(**{path: "{value: none}"})))
    assert policy.container_groups[0].secrets[path] == StatedSource(value="none")


@pytest.mark.parametrize("path", FULL)
def test_a_place_that_is_never_empty_may_not(write: Write, path: str) -> None:
    mistake = only(write(a__yaml=secrets(**{path: "{value: none}"})))
    assert mistake.path == f"container_groups[0].secrets.{path}.value"
    assert "Azure refuses a group without it" in mistake.problem


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ({"volumes/v/secret": "{key_vault: x}"}, "one source for each of its files"),
        ({"volumes/v/secret": "{value: none}", "volumes/v/secret/a": "{key_vault: x}"}, "names files"),
    ],
)
def test_a_volume_has_files_or_none(write: Write, lines: dict[str, str], problem: str) -> None:
    mistake = only(write(a__yaml=secrets(**lines)))
    assert (mistake.path, problem in mistake.problem) == ("container_groups[0].secrets.volumes/v/secret", True)


def test_the_published_secret_is_not_read_by_its_name(write: Write) -> None:
    secrets = "secrets: {containers/app/env/X: {key_vault: pull-pwd}}"
    mistake = only(write(a__yaml=MINIMAL + f"container_groups: [{{id: {GROUP}, {secrets}}}]\n"))
    assert mistake.remedy == "Write {credential: password}."


@pytest.mark.parametrize(
    "url",
    [
        "http://myvault.vault.azure.net",
        "https://myvault.vault.azure.net.evil.example",
        "https://my.vault.azure.net/secrets/x",
        "myvault",
    ],
)
def test_an_address_that_is_no_vault_is_refused(write: Write, url: str) -> None:
    assert only(write(a__yaml=MINIMAL.replace("https://MyVault.vault.azure.net/", url))).path == "key_vault.url"


def test_vaults_of_the_sovereign_clouds_are_accepted(write: Write) -> None:
    for host in ("myvault.vault.usgovcloudapi.net", "myvault.vault.azure.cn"):
        (policy,) = load(write(a__yaml=MINIMAL.replace("MyVault.vault.azure.net/", host)))
        assert policy.key_vault.host == host


@pytest.mark.parametrize(
    ("host", "asked", "instead"),
    [
        ("myvault.vault.azure.cn", "public", "--cloud china"),
        ("myvault.vault.usgovcloudapi.net", "china", "--cloud usgov"),
        ("MyVault.vault.azure.net/", "usgov", "--cloud public"),
    ],
)
def test_a_vault_of_another_cloud_than_the_one_that_is_asked_is_a_mistake_that_names_both(
    write: Write, host: str, asked: str, instead: str
) -> None:
    directory = write(a__yaml=MINIMAL.replace("MyVault.vault.azure.net/", host))
    with pytest.raises(PolicyError) as refused:
        load(directory, cloud=asked)
    (mistake,) = refused.value.mistakes
    assert (mistake.path, mistake.line) == ("key_vault.url", 3)
    assert instead in mistake.remedy
    assert load(directory, cloud=instead.rsplit(maxsplit=1)[-1])


# Two owners of one thing


def test_two_policies_on_one_principal_are_refused_naming_both_places(write: Write) -> None:
    directory = write(a__yaml=MINIMAL, b__yaml=MINIMAL.replace("5D3C0A52", "5d3c0a52").replace("pull-pwd", "other-pwd"))
    mistake = only(directory)
    assert (mistake.file, *where(mistake)) == (f"{directory}/b.yaml", 1, 21, "principal.app_id")
    assert f"{directory}/a.yaml:1:21" in mistake.problem


@pytest.mark.parametrize("secret", ["pull-pwd", "PULL-PWD", "pull-pwd-access"])
def test_two_policies_on_one_secret_are_refused_naming_both_places(write: Write, secret: str) -> None:
    directory = write(a__yaml=MINIMAL, b__yaml=MINIMAL.replace("5D3C", "6D3C").replace("pull-pwd", secret))
    mistake = only(directory)
    assert (mistake.file, mistake.path) == (f"{directory}/b.yaml", "key_vault.password_secret")
    assert f"{directory}/a.yaml:3:" in mistake.problem


def test_one_name_for_user_and_password_is_refused(write: Write) -> None:
    assert (
        only(write(a__yaml=MINIMAL.replace("pull-pwd", "pull, username_secret: pull"))).path
        == "key_vault.username_secret"
    )


def test_two_files_of_one_name_are_refused(write: Write) -> None:
    second = MINIMAL.replace("5D3C", "6D3C").replace("pull-pwd", "other-pwd")
    assert "a policy's name" in only(write(a__yaml=MINIMAL, a__yml=second)).problem


def test_rivals_are_found_beside_other_mistakes(write: Write) -> None:
    paths = [mistake.path for mistake in refused(write(a__yaml=MINIMAL, b__yaml=MINIMAL + "x: 1\n"))]
    assert paths == ["principal.app_id", "key_vault.password_secret", "x"]


# Directories and names


def test_an_unknown_name_is_answered_with_the_known_ones(write: Write) -> None:
    mistake = only(write(registry__yaml=MINIMAL), "regisrty")
    assert mistake.value == "regisrty"
    assert mistake.remedy == "Did you mean registry? There are: registry."


def test_a_directory_that_is_absent_or_empty_is_refused(tmp_path: Path) -> None:
    assert only(tmp_path / "none").problem == "no such directory"
    assert only(tmp_path / "none").remedy.endswith("`rotator discover --write` drafts policies.")
    assert only(tmp_path).problem == "no policy in this directory"


# Manifests


@pytest.mark.parametrize(
    ("old", "new", "place", "word"),
    {
        "unparsable": ("name: mycontainer", "name: [mycontainer", (3, 9), "indentation"),
        "of another type": (
            "name: mycontainer",
            "name: mycontainer\ntype: Microsoft.App/containerApps",
            (3, 7),
            "Microsoft.ContainerInstance/containerGroups",
        ),
        "for another group": ("name: mycontainer", "name: other", (2, 7), "Write mycontainer"),
        "nowhere": ("location: westeurope\n", "", (1, 1), "location: westeurope"),
        "without containers": ("containers:", "container:", (5, 3), "az container export"),
        "with an unknown placeholder": (
            "credential:username",
            "credential:user",
            (8, 58),
            "${{ credential:username }}",
        ),
        "with a placeholder of no secret": (
            "credential:username",
            "keyvault:my secret",
            (8, 58),
            "${{ keyvault:NAME }}",
        ),
    }.values(),
)
def test_a_manifest_that_deploys_nothing_is_refused_at_its_own_place(
    write: Write, old: str, new: str, place: tuple[int, int], word: str
) -> None:
    directory = write(
        a__yaml=MINIMAL + f"container_groups: [{{id: {GROUP}, manifest: m/m.yaml}}]\n",
        m___m__yaml=MANIFEST.replace(old, new),
    )
    mistake = only(directory)
    assert (mistake.file, mistake.line, mistake.column) == (f"{directory}/m/m.yaml", *place)
    assert word in mistake.remedy


@pytest.mark.parametrize(
    ("name", "problem"), [("nope.yaml", "no such file"), ("[a]", "not the name of a file"), ("m", "no such file")]
)
def test_a_manifest_that_is_missing_is_refused_where_it_is_named(write: Write, name: str, problem: str) -> None:
    directory = write(a__yaml=MINIMAL + f"container_groups: [{{id: {GROUP}, manifest: {name}}}]\n", m___m__yaml="")
    mistake = only(directory)
    assert mistake.path == "container_groups[0].manifest"
    assert mistake.problem.startswith(problem)


def test_an_expression_of_an_arm_template_is_refused(write: Write) -> None:
    resource = """{type: Microsoft.ContainerInstance/containerGroups, name: mycontainer, location: "[resourceGroup().location]",
        properties: {containers: [{name: app, command: ["[[not an expression]"]}]}}"""
    directory = write(
        a__yaml=MINIMAL + f"container_groups: [{{id: {GROUP}, manifest: m/m.yaml}}]\n",
        m___m__yaml=f"resources: [{resource}]\n",
    )
    assert only(directory).path == "resources[0].location"


# Durations


@pytest.mark.parametrize(
    ("text", "hours"),
    [("90d", 2160), ("24h", 24), ("60m", 1), ("2w", 336), ("1d12h", 36), ("1w1d1h60m3600s", 195), ("0s", 0)],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, hours: int) -> None:
    assert parse(text) == timedelta(hours=hours)
    assert parse(render(parse(text))) == parse(text)


@pytest.mark.parametrize("text", ["", "90", "d", "-1d", "1.5h", "1h1d", "1 d", "1D", "1d\n", "٣d"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse(text)


# Deploy windows


def window(cron: str, duration: str, timezone: str = "Europe/Paris") -> DeployWindow:
    return DeployWindow(cron=cron, timezone=timezone, duration=parse(duration))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_window_is_open_from_its_opening_to_just_before_its_end() -> None:
    saturdays = window("0 2 * * SAT", "4h")
    assert not open_at(saturdays, at("2025-01-04T00:59:59"))
    assert open_at(saturdays, at("2025-01-04T01:00:00"))
    assert open_at(saturdays, at("2025-01-04T04:59:59"))
    assert not open_at(saturdays, at("2025-01-04T05:00:00"))


def test_the_next_opening_is_now_while_the_window_is_open() -> None:
    saturdays = window("0 2 * * SAT", "4h")
    assert next_open(saturdays, at("2025-01-04T03:00:00")) == at("2025-01-04T03:00:00")
    assert next_open(saturdays, at("2025-01-04T05:00:00")) == at("2025-01-11T01:00:00")


@pytest.mark.parametrize("cron", ["0 2 * * SAT", "* * * * *", "0 2 1-31/10 * *", "0 2 1 * *"])
def test_a_window_that_opens_within_the_time_to_renew_is_accepted(write: Write, cron: str) -> None:
    window = f"{{cron: '{cron}', duration: 4h}}"
    (policy,) = load(write(a__yaml=f"{MINIMAL}rotation: {{renew_before: 31d, deploy_window: {window}}}\n"))
    assert policy.rotation.deploy_window


def test_windows_that_overlap_are_one() -> None:
    assert open_at(window("0 * * * *", "90m"), at("2025-01-04T03:30:00"))


def test_a_window_opens_by_the_wall_clock_in_summer_and_winter() -> None:
    nights = window("0 2 * * *", "1h")
    assert next_open(nights, at("2025-01-10T12:00:00")) == at("2025-01-11T01:00:00")
    assert next_open(nights, at("2025-07-10T12:00:00")) == at("2025-07-11T00:00:00")


def test_an_opening_that_the_clocks_skip_happens_an_hour_later_on_the_wall() -> None:
    """Paris, 30 March 2025: at 02:00 the clocks went to 03:00."""
    nights = window("30 2 * * *", "15m")
    assert next_open(nights, at("2025-03-29T12:00:00")) == at("2025-03-30T01:30:00")
    assert open_at(nights, at("2025-03-30T01:44:00"))
    assert not open_at(nights, at("2025-03-30T01:45:00"))


def test_an_opening_that_the_clocks_repeat_happens_once() -> None:
    """Paris, 26 October 2025: at 03:00 the clocks went back to 02:00."""
    nights = window("30 2 * * *", "15m")
    assert next_open(nights, at("2025-10-25T12:00:00")) == at("2025-10-26T00:30:00")
    assert not open_at(nights, at("2025-10-26T01:30:00"))
    assert next_open(nights, at("2025-10-26T00:45:00")) == at("2025-10-27T01:30:00")


def test_openings_around_a_change_of_clocks_come_in_the_order_of_time() -> None:
    """On the wall 02:30 is before 03:00; in time 02:30 comes later, on the day without 02:30."""
    both = window("0,30 2,3 * * *", "15m")
    seen, moment = [], at("2025-03-30T00:00:00")
    for _ in range(3):
        moment = next_open(both, moment)
        seen.append(moment)
        moment += timedelta(minutes=20)
    assert seen == [at("2025-03-30T01:00:00"), at("2025-03-30T01:30:00"), at("2025-03-31T00:00:00")]


def test_a_window_lasts_its_elapsed_time_over_a_change_of_clocks() -> None:
    night = window("0 1 * * *", "4h")
    assert open_at(night, at("2025-10-26T02:59:00"))
    assert not open_at(night, at("2025-10-26T03:00:00"))


@pytest.mark.parametrize(
    "zone",
    [
        *(cell(zone, name=zone, soak=False) for zone in ("Europe/Paris", "Australia/Lord_Howe")),
        *(cell(zone, name=zone, soak=True) for zone in ("America/New_York", "Asia/Kathmandu", "UTC")),
    ],
)
def test_the_next_opening_is_open_and_the_moment_before_is_not(zone: str) -> None:
    nights = window("30 2 * * *", "20m", zone)
    for days in range(366):
        moment = at("2025-01-01T12:00:00") + timedelta(days=days)
        opening = next_open(nights, moment)
        assert timedelta() < opening - moment <= timedelta(days=1, hours=1)
        assert open_at(nights, opening)
        assert not open_at(nights, opening - timedelta(seconds=1))


# Shipped files


def test_the_schema_for_editors_is_fresh() -> None:
    for name, defaults in (("policy", False), ("defaults", True)):
        shipped = (ROOT / "policies" / f"{name}.schema.json").read_text()
        assert shipped == rendered_schema(defaults=defaults), "run `make schema`"


def test_a_policy_can_be_made_in_code_from_the_same_words() -> None:
    policy = Policy.model_validate(
        {
            "name": "x",
            "file": "x.yaml",
            "principal": {"app_id": "5d3c0a52-0000-0000-0000-000000000000"},
            "registries": [{"id": REGISTRY}],
            "key_vault": {"url": "https://myvault.vault.azure.net", "password_secret": "p"},
            "rotation": {"validity": timedelta(hours=6), "overlap": "0s"},
        }
    )
    assert policy.rotation.renew_before == timedelta(hours=2)


def test_policies_are_read_without_any_azure_sdk() -> None:
    program = (
        "import sys, rotator.policy; rotator.policy.load('policies'); print(*sorted({name.split('.')[0] for name in"
        " sys.modules}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"azure", "msgraph", "msal", "kiota_abstractions", "aiohttp", "httpx", "tenacity", "typer"} & set(
        run.stdout.split()
    )


# drafts


def test_a_draft_is_for_provision_only_and_every_other_verb_says_so(write: Write) -> None:
    from rotator.policy import Draft, load_draft

    draft = MINIMAL.replace("app_id: 5D3C0A52-0000-0000-0000-000000000000", "display_name: puller")
    directory = write(a__yaml=draft, b__yaml=MINIMAL.replace("pull-pwd", "other-pwd"))
    found = load_draft(directory, "a")
    assert isinstance(found, Draft)
    assert (found.display_name, found.settled("5d3c0a52-0000-0000-0000-000000000000").principal.display_name) == (
        "puller",
        "puller",
    )
    assert [policy.name for policy in load(directory, ("b",))] == ["b"], "another policy's draft stops nobody"
    with pytest.raises(PolicyError) as refused:
        load(directory)
    (mistake,) = refused.value.mistakes
    assert (where(mistake), "`rotator provision a`" in mistake.remedy) == ((1, 12, "principal"), True)


def test_an_application_s_name_is_one_policy_s_and_another_tenant_s_wants_the_id(write: Write) -> None:
    draft = MINIMAL.replace("app_id: 5D3C0A52-0000-0000-0000-000000000000", "display_name: puller")
    with pytest.raises(PolicyError, match="application's name"):
        load(write(a__yaml=draft, b__yaml=draft.replace("pull-pwd", "other-pwd")))
    foreign = draft.replace("puller", "puller, tenant_id: 72f988bf-0000-0000-0000-000000000001")
    with pytest.raises(PolicyError, match="app_id is missing"):
        load(write(a__yaml=foreign, b__yaml=MINIMAL))


def test_the_published_secrets_content_type_and_tags_are_declared(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    text = MINIMAL.replace("password_secret:", "content_type: text/plain, tags: {owner: team}, password_secret:")
    file.write_text(text)
    (made,) = load(tmp_path)
    assert (made.key_vault.content_type, dict(made.key_vault.tags)) == ("text/plain", {"owner": "team"})
    file.write_text(text.replace("owner: team", "Rotator-key-id: x"))
    with pytest.raises(PolicyError, match="is one of rotator's own tags"):
        load(tmp_path)
