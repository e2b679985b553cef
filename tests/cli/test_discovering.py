"""Tests of `rotator discover` in a world of many owners: its findings, its drafts, and the texts that it never
prints.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from local_azure.aci import wire
from local_azure.faults import Fault
from local_azure.graph.objects import Application
from local_azure.seed import OPERATOR_ACTIONS

from rotator.policy import load
from tests.cli.scene import NAME, PASSWORD, Scene

REGISTRY, OTHER = "mycontainerregistry.azurecr.io", "00000000-0000-0000-0000-000000000002"
OURS = "the app id of the policy's principal, in other letters"
STRANGER = "9f3c0a52-0000-0000-0000-00000000abcd"
PUBLIC = "mcr.microsoft.com/azuredocs/aci-helloworld:latest"
HIDDEN = "s3cret-value-of-nobody"


def entry(user: str, server: str = REGISTRY) -> dict[str, Any]:
    return {"server": server, "username": user, "password": "hunter22hunter22"}


def principal(rotator: Scene, name: str) -> Application:
    """Create another principal that may pull; return its application."""
    made = rotator.azure.directory.create_application(name)
    rotator.azure.directory.create_service_principal(made.app_id)
    return made


def put(
    rotator: Scene,
    name: str,
    *entries: dict[str, Any],
    subscription: str = "",
    group: str = "myResourceGroup",
    **more: Any,
) -> str:
    """Create a group as another person would; its images are public, so that its entries needn't work."""
    where = subscription or rotator.seeded.subscription
    rotator.azure.resources.create_group(where, group, "eastus")
    group_id = (
        f"/subscriptions/{where}/resourceGroups/{group}/providers/Microsoft.ContainerInstance/containerGroups/{name}"
    )
    container = {
        "name": "app",
        "properties": {
            "image": PUBLIC,
            "resources": {"requests": {"cpu": 1, "memoryInGB": 1.5}},
            **more.pop("container", {}),
        },
    }
    properties = {
        "containers": [container],
        "osType": "Linux",
        "restartPolicy": "Always",
        "imageRegistryCredentials": list(entries),
        **more,
    }
    rotator.azure.container_groups.put(group_id, {"location": "eastus", "properties": properties}, "2025-09-01")
    return group_id


@pytest.fixture(name="crowd")
def _crowd(rotator: Scene) -> Scene:
    """Return a scene with a declared group, an undeclared one, one of a principal without a policy, a job of this
    principal, and one of an unknown principal.
    """
    build = principal(rotator, "build agents")
    put(rotator, "forgotten", entry(rotator.application.app_id.upper()), group="elsewhere")
    named = {"name": "AZURE_CLIENT_ID", "value": build.app_id}
    put(
        rotator,
        "web",
        entry(build.app_id),
        container={"environmentVariables": [named, {"name": "DB", "secureValue": HIDDEN}]},
    )
    put(rotator, "night", entry(build.app_id), restartPolicy="Never")
    put(rotator, "lost", entry(STRANGER))
    return rotator


TABLE = """\
subscription 00000000-0000-0000-0000-000000000001: 5 container groups
  GROUP                        PRINCIPAL                         APP ID     REGISTRY                        POLICY
  elsewhere/forgotten  pull  {pull}  mycontainerregistry.azurecr.io  mycontainerregistry, which doesn't declare it
  myResourceGroup/lost         unknown principal in this tenant  9f3c0a52-0000-0000-0000-00000000abcd  mycontainerregistry.azurecr.io  none
  myResourceGroup/mycontainer  pull                              {pull}     mycontainerregistry.azurecr.io  mycontainerregistry
  myResourceGroup/night        build agents                      {build}    mycontainerregistry.azurecr.io  none
  myResourceGroup/web          build agents                      {build}    mycontainerregistry.azurecr.io  none

2 principals without a policy: `rotator discover --write` drafts policies.
Lists show neither whether a group runs nor which password it holds; `rotator plan` reads that of a policy's groups.
"""


def app_id(rotator: Scene, name: str) -> str:
    return next(one.app_id for one in rotator.azure.directory.state.applications.values() if one.display_name == name)


def squeezed(text: str) -> list[list[str]]:
    return [re.split(r" {2,}", line) for line in text.splitlines()]


def drafts_of(rotator: Scene) -> Path:
    return rotator.policies.parent / "drafts"


def draft(rotator: Scene, *more: str) -> dict[str, str]:
    """Return the files that `--write` writes, by name."""
    said = rotator("discover", "--write", "--drafts", str(drafts_of(rotator)), *more)
    assert said.raised is None, said.err
    return (
        {file.name: file.read_text() for file in sorted(drafts_of(rotator).glob("*.yaml"))}
        if drafts_of(rotator).exists()
        else {}
    )


def filled(text: str) -> str:
    """Return a draft filled in as a reader would: no FILL IN, the lines below each uncommented, and a vault."""
    lines, waiting = list[str](), False
    for line in text.replace("https://NAME.", "https://theirs.").splitlines():
        bare = re.sub(r"^( *)# ?(?=( *[\w/'\]-]+: |  *secrets:$|secrets:$|- id: ))", r"\1", line)
        waiting = "# FILL IN" in line or (waiting and line.lstrip().startswith("#"))
        lines += [] if line.lstrip().startswith("# FILL IN") else [bare if waiting else line]
    return "\n".join(lines) + "\n"


def test_everything_that_pulls_with_a_password_is_named_with_its_principal_and_its_policy(crowd: Scene) -> None:
    said = crowd("discover")
    assert said.code == 0
    expected = TABLE.format(pull=crowd.application.app_id, build=app_id(crowd, "build agents"))
    assert squeezed(said.out) == squeezed(expected)
    uses = crowd("discover", "--output", "json").json["uses"]
    assert [(use["name"], use["standing"], use["principal"]["known"], use["job"]) for use in uses] == [
        ("forgotten", "undeclared", True, False),
        ("lost", "none", False, False),
        ("mycontainer", "declared", True, False),
        ("night", "none", True, True),
        ("web", "none", True, False),
    ]
    assert uses[-1]["hidden_values"] == ["containers/app/env/DB"]


def test_lists_are_all_that_is_read(crowd: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PAGE", 2)
    since = len(crowd.app.served)
    draft(crowd)
    asked = [operation for operation in crowd.served(since) if operation != "entra.token"]
    assert sorted(asked) == ["aci.containerGroups.list"] * 3 + ["arm.registries.list", "graph.servicePrincipals.list"]


def test_fifteen_principals_cost_one_question_and_the_sixteenth_another(rotator: Scene) -> None:
    for number in range(15):
        put(rotator, f"group{number}", entry(STRANGER.replace("abcd", f"ab{number:02}")))
    since = len(rotator.app.served)
    said = rotator("discover")
    assert said.out.count("unknown principal in this tenant") == 15
    assert " pull  " in said.out
    assert rotator.served(since).count("graph.servicePrincipals.list") == 2


def test_groups_that_need_no_rotation_are_counted_and_named_on_request(rotator: Scene) -> None:
    identity = f"{rotator.seeded.registry_id.rpartition('/providers/')[0]}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/puller"
    assigned = {"server": REGISTRY, "identity": identity}
    group = put(rotator, "open")
    put(rotator, "admin", entry("mycontainerregistry"))
    put(rotator, "token", entry("00000000-0000-0000-0000-000000000000"))
    stored = rotator.azure.container_groups.state.groups[group.lower().replace("/open", "/admin")].resource
    stored["properties"]["imageRegistryCredentials"] += [
        assigned,
        {"server": "other.azurecr.io", "username": STRANGER, "passwordReference": "kv"},
    ]
    said = rotator("discover")
    assert said.code == 0
    counted = (
        "3 groups with nothing to rotate: 1 with an identity, 1 with a passwordReference, 1 with a registry's own"
        " token, "
    )
    assert f"{counted}1 as a registry's admin user, 1 without any password" in said.out
    assert "myResourceGroup/admin pulls as the admin user of registry mycontainerregistry" in said.out
    assert "`az acr update --name mycontainerregistry --admin-enabled false` ends it." in said.out
    assert "myResourceGroup/open" not in said.out
    named = rotator("discover", "--all").out
    assert "myResourceGroup/open pulls without any password: the registry asks for none" in named
    assert "myResourceGroup/admin pulls as a registry's admin user: one shared password" in named
    assert "neither rotates nor revokes; with an identity: it has no password; with a passwordReference" in named
    body = rotator("discover", "--all", "--output", "json").json
    counts = {"identity": 1, "reference": 1, "admin": 1, "token": 1, "user": 0, "anonymous": 1}
    assert body["no_rotation"]["counts"] == counts
    assert [one["ways"] for one in body["no_rotation"]["groups"]] == [
        ["admin", "identity", "reference"],
        ["anonymous"],
        ["token"],
    ]
    assert rotator("discover", "--output", "json").json["no_rotation"]["groups"] is None


@pytest.mark.parametrize(
    ("variables", "declared", "told"),
    [
        ([{"name": "AZURE_CLIENT_ID"}, {"name": "AZURE_CLIENT_SECRET"}], False, True),
        ([{"name": "AZURE_CLIENT_ID", "value": STRANGER}, {"name": "AZURE_CLIENT_SECRET"}], False, False),
        ([{"name": "AZURE_CLIENT_ID"}, {"name": "AZURE_CLIENT_SECRET"}], True, False),
        ([{"name": "MODE"}], False, False),
        ([{"name": "ID", "value": OURS}, {"name": "KEY"}], False, True),
        ([{"name": "ID", "value": OURS}, {"name": "MODE"}], False, False),
    ],
    ids=[
        "hidden",
        "another's in plain sight",
        "in a policy",
        "not called like a password",
        "beside the app id",
        "MODE",
    ],
)
def test_a_hidden_client_secret_in_no_policy_is_one_remark(
    rotator: Scene, variables: list[dict[str, str]], *, declared: bool, told: bool
) -> None:
    group = put(rotator, "crawler")
    stored = rotator.azure.container_groups.state.groups[group.lower()].resource["properties"]
    ours = {"value": rotator.application.app_id.upper()}
    variables = [each | (ours if each.get("value") == OURS else {}) for each in variables]
    stored["containers"][0]["properties"]["environmentVariables"] = variables
    if declared:
        rotator.write(container_groups=[{"id": group}])
    said = rotator("discover")
    assert ("myResourceGroup/crawler: a variable is named like a principal's password" in said.out) is told
    assert rotator("discover", "--output", "json").json["hiding"] == ([group] if told else [])


def refer(scene: Scene, name: str, app_id: str, secret: str) -> None:
    """Create a group whose password Azure reads from a secret of the vault."""
    group = put(scene, name)
    properties = scene.azure.container_groups.state.groups[group.lower()].resource["properties"]
    properties["imageRegistryCredentials"] = [{"server": REGISTRY, "username": app_id, "passwordReference": "pull"}]
    properties["secretReferences"] = [
        {"name": "pull", "secretReferenceUri": f"{scene.seeded.vault_url}/secrets/{secret}"}
    ]


def test_a_group_that_reads_the_published_secret_is_the_policys_and_one_that_reads_another_is_left_alone(
    rotator: Scene,
) -> None:
    refer(rotator, "reads", rotator.application.app_id, PASSWORD)
    refer(rotator, "elsewhere", rotator.application.app_id, "another")
    uses = rotator("discover", "--output", "json").json["uses"]
    assert [(use["name"], use["standing"], use["policy"]) for use in uses if use["name"] != "mycontainer"] == [
        ("reads", "undeclared", NAME)
    ]
    assert "1 group with nothing to rotate: 1 with a passwordReference" in rotator("discover").out


def test_a_group_that_reads_the_password_of_a_principal_without_a_policy_is_drafted_with_its_vault(
    rotator: Scene,
) -> None:
    refer(rotator, "reads", principal(rotator, "reader").app_id, "reader-pwd")
    (text,) = draft(rotator).values()
    assert (
        f"  url: {rotator.seeded.vault_url}  # a group reads the password from there\n  password_secret: reader-pwd\n"
        in text
    )
    assert f"  - id: {rotator.group_id('reads')}" in text
    (rotator.policies / "reader.yaml").write_text(text)
    assert rotator("validate").code == 0
    assert [
        use["policy"] for use in rotator("discover", "--output", "json").json["uses"] if use["name"] == "reads"
    ] == ["reader"]


def test_a_principals_password_at_another_registry_is_named_and_can_not_be_drafted(rotator: Scene) -> None:
    put(rotator, "abroad", entry(principal(rotator, "harbor robot").app_id, "harbor.example.com"))
    said = rotator("discover")
    assert "myResourceGroup/abroad: harbor.example.com is no Azure Container Registry of this cloud" in said.out
    assert draft(rotator) == {}
    body = rotator("discover", "--write", "--drafts", str(drafts_of(rotator)), "--output", "json").json
    assert [(one["file"], one["written"]) for one in body["drafts"]] == [(None, False)]
    assert "harbor.example.com is no Azure Container Registry" in body["drafts"][0]["why"]


def test_a_subscription_that_can_not_be_listed_is_named_and_ends_with_1(crowd: Scene) -> None:
    crowd.azure.resources.add_subscription(OTHER, "Another")
    missing = OTHER.replace("2", "3")
    said = crowd(
        "discover", "--subscription", OTHER, "--subscription", crowd.seeded.subscription, "--subscription", missing
    )
    assert said.code == 1
    assert "myResourceGroup/web" in said.out
    assert f"subscription {OTHER}: can't be read\n" in said.out
    assert f"Microsoft.ContainerInstance/containerGroups/read on /subscriptions/{OTHER}" in said.out
    assert f"subscription {missing}: can't be read\n" in said.out
    body = crowd("discover", "--subscription", OTHER, "--output", "json").json
    assert (body["exit_code"], body["subscriptions"][0]["error"]["type"], body["uses"]) == (1, "Forbidden", [])


def test_groups_of_several_subscriptions_are_told_apart(crowd: Scene) -> None:
    crowd.azure.resources.add_subscription(OTHER, "Another")
    crowd.azure.authorization.define(
        "rotator operator there", actions=list(OPERATOR_ACTIONS), scopes=[f"/subscriptions/{OTHER}"]
    )
    crowd.azure.authorization.assign(
        f"/subscriptions/{OTHER}", crowd.seeded.operator.object_id, "rotator operator there", at_once=True
    )
    put(crowd, "web", entry(app_id(crowd, "build agents")), subscription=OTHER)
    (crowd.policies / f"{NAME}.yaml").unlink()
    said = crowd("discover")
    assert said.code == 0
    assert [line for line in said.out.splitlines() if line.startswith("subscription")] == [
        f"subscription {crowd.seeded.subscription}: 5 container groups",
        f"subscription {OTHER}: 1 container group",
    ]
    (text,) = [text for name, text in draft(crowd).items() if name == "build-agents.yaml"]
    assert text.count("containerGroups/web") == 2


def test_without_policies_and_roles_it_says_what_is_missing(rotator: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTATOR_POLICIES", str(rotator.policies / "none"))
    for held in rotator.azure.authorization.assignments(principals={rotator.seeded.operator.object_id}):
        rotator.azure.authorization.delete(held.id)
    said = rotator("discover")
    assert said.code == 1
    assert "can list no subscription" in said.err
    assert "--subscription" in said.err


def test_names_that_may_not_be_read_are_said_and_end_with_1(crowd: Scene) -> None:
    crowd.azure.faults.add(
        Fault("graph.servicePrincipals.list", "status", status=403, code="Authorization_RequestDenied", times=0)
    )
    said = crowd("discover")
    assert said.code == 1
    assert "The principals' names can't be read: " in said.out
    assert "unknown principal" not in said.out
    assert set(draft(crowd)) == {f"{STRANGER}.yaml", f"{app_id(crowd, 'build agents')}.yaml"}


def test_what_is_no_subscription_is_a_mistake(rotator: Scene) -> None:
    said = rotator("discover", "--subscription", "my subscription")
    assert said.code == 2
    assert "az account list" in said.err


def test_policies_with_mistakes_are_shown_first(crowd: Scene) -> None:
    (crowd.policies / "broken.yaml").write_text("principal: 1\n")
    assert crowd("discover").code == 2


# drafts


def test_what_is_no_host_is_no_registry(rotator: Scene) -> None:
    group_id = put(rotator, "web", entry(principal(rotator, "build agents").app_id))
    held = rotator.azure.container_groups.state.groups[group_id.lower()].resource["properties"]
    held["imageRegistryCredentials"][0]["server"] = "$(touch x).azurecr.io"
    assert draft(rotator) == {}
    assert "$(touch x).azurecr.io is no Azure Container Registry of this cloud" in rotator("discover").out


def test_a_group_at_a_regional_endpoint_belongs_to_its_registry(rotator: Scene) -> None:
    app_id = principal(rotator, "build agents").app_id
    group_id = put(rotator, "web", entry(app_id))
    held = rotator.azure.container_groups.state.groups[group_id.lower()].resource["properties"]
    held["imageRegistryCredentials"] += [{**entry(app_id), "server": REGISTRY.replace(".", ".eastus.geo.", 1)}]
    (text,) = draft(rotator).values()
    assert text.count("  - id: ") == 2, "one registry, one group"
    assert "is no Azure Container Registry" not in rotator("discover").out


def test_a_draft_lacks_only_what_a_person_must_say(crowd: Scene) -> None:
    assert list(draft(crowd)) == ["build-agents.yaml"]
    said = crowd("validate", "--policies", str(drafts_of(crowd)))
    assert said.code == 2
    file = drafts_of(crowd) / "build-agents.yaml"
    mistakes = [line for line in said.err.splitlines() if "build-agents.yaml:" in line]
    waiting = [number for number, line in enumerate(file.read_text().splitlines(), 1) if "# FILL IN: " in line]
    assert [line.split("build-agents.yaml:")[1].split(":")[0] for line in mistakes if "not filled" in line] == [
        str(number) for number in waiting
    ]
    assert "the vault that is to hold the password. Then remove this line." in said.err
    assert [line for line in mistakes if "not filled" not in line and "url is missing" not in line] == []
    file.write_text(filled(file.read_text()))
    (policy,) = load(drafts_of(crowd))
    assert (policy.principal.app_id, policy.key_vault.url) == (
        app_id(crowd, "build agents"),
        "https://theirs.vault.azure.net",
    )
    assert [registry.id for registry in policy.registries] == [crowd.seeded.registry_id]
    night, web = policy.container_groups
    assert (night.id, night.when_finished, dict(night.secrets)) == (crowd.group_id("night"), "wait", {})
    assert (web.id, web.when_finished, set(web.secrets)) == (crowd.group_id("web"), None, {"containers/app/env/DB"})
    assert "AZURE_CLIENT_ID names this very principal" in file.read_text()


def test_a_filled_draft_among_the_policies_is_a_policy_and_is_drafted_no_more(crowd: Scene) -> None:
    (text,) = draft(crowd).values()
    (crowd.policies / "build-agents.yaml").write_text(filled(text))
    assert crowd("validate").code == 0
    said = crowd("discover")
    assert (
        squeezed(said.out)[-4][-1] == "1 principal without a policy: `rotator discover --write` drafts policies."
        or "1 principal" in said.out
    )
    uses = crowd("discover", "--output", "json").json["uses"]
    assert {use["policy"] for use in uses if use["principal"]["display_name"] == "build agents"} == {"build-agents"}


def test_a_draft_names_the_schema_that_is_written_beside_it(crowd: Scene) -> None:
    (text,) = draft(crowd).values()
    schema = drafts_of(crowd) / text.partition("$schema=")[2].splitlines()[0]
    assert text.startswith("# yaml-language-server: $schema=")
    assert json.loads(schema.read_text())["title"] == "A policy of rotator"
    schema.write_text("mine")
    assert "by which editors check" not in crowd("discover", "--write", "--drafts", str(drafts_of(crowd))).out
    assert schema.read_text() == "mine"


def test_what_is_left_to_fill_in_is_a_mistake_though_all_else_is_right(crowd: Scene) -> None:
    (text,) = draft(crowd).values()
    (drafts_of(crowd) / "build-agents.yaml").write_text(f"{filled(text)}# FILL IN: one thing more.\n")
    said = crowd("validate", "--policies", str(drafts_of(crowd)))
    assert said.code == 2
    assert "not filled in yet" in said.err
    assert "one thing more. Then remove this line." in said.err


def test_a_second_run_writes_nothing_and_keeps_what_a_person_wrote(crowd: Scene) -> None:
    (before,) = draft(crowd).values()
    assert list(draft(crowd).values()) == [before]
    (drafts_of(crowd) / "build-agents.yaml").rename(drafts_of(crowd) / "mine.yaml")
    (drafts_of(crowd) / "mine.yaml").write_text(f"# mine\n{before}")
    said = crowd("discover", "--write", "--drafts", str(drafts_of(crowd)))
    assert f"kept {drafts_of(crowd) / 'mine.yaml'} for build agents" in said.out
    assert f"Next: fill in what `rotator validate --policies {drafts_of(crowd)}` names" in said.out
    assert [file.read_text() for file in drafts_of(crowd).glob("*.yaml")] == [f"# mine\n{before}"]


def test_a_file_of_another_is_never_overwritten(crowd: Scene) -> None:
    drafts_of(crowd).mkdir()
    (drafts_of(crowd) / "build-agents.yaml").write_text("somebody's\n")
    found = draft(crowd)
    assert found["build-agents.yaml"] == "somebody's\n"
    assert [name for name in found if name.startswith("build-agents-")] == [
        f"build-agents-{app_id(crowd, 'build agents')[:8]}.yaml"
    ]


def test_two_principals_at_one_registry_get_drafts_that_are_valid_together(rotator: Scene) -> None:
    (rotator.policies / f"{NAME}.yaml").unlink()
    for nth in ("one", "two"):
        put(rotator, nth, entry(principal(rotator, "same name").app_id))
    found = draft(rotator)
    assert len(found) == 3
    for name, text in found.items():
        (rotator.policies / name).write_text(filled(text))
    assert rotator("validate").code == 0
    assert len({policy.key_vault.password_secret for policy in load(rotator.policies)}) == 3


def test_a_registry_that_can_not_be_found_is_left_to_a_person(rotator: Scene) -> None:
    put(rotator, "far", entry(principal(rotator, "far").app_id, "faraway.azurecr.io"))
    (text,) = draft(rotator).values()
    assert "  # FILL IN: the id of faraway.azurecr.io" in text
    assert "password_secret: faraway-pull-pwd" in text
    given = (
        text.replace("/SUBSCRIPTION/", f"/{OTHER}/")
        .replace("/GROUP/", "/g/")
        .replace("registries/NAME", "registries/faraway")
    )
    (drafts_of(rotator) / "far.yaml").write_text(filled(given))
    (policy,) = load(drafts_of(rotator))
    assert policy.registries[0].id.endswith("/registries/faraway")


def test_a_registry_by_repository_gets_the_role_that_counts_there(crowd: Scene) -> None:
    registry = crowd.azure.resources.get(crowd.seeded.registry_id)
    assert registry
    registry.properties["roleAssignmentMode"] = "AbacRepositoryPermissions"
    (text,) = draft(crowd).values()
    (drafts_of(crowd) / "build-agents.yaml").write_text(filled(text))
    assert [one.role for one in load(drafts_of(crowd))[0].registries] == ["Container Registry Repository Reader"]


def test_what_rotator_will_refuse_is_said_in_the_draft(rotator: Scene) -> None:
    owner = principal(rotator, "many")
    group = put(rotator, "many", entry(owner.app_id))
    stored = rotator.azure.container_groups.state.groups[group.lower()].resource["properties"][
        "imageRegistryCredentials"
    ]
    stored.append(entry(owner.app_id, "harbor.example.com"))
    (text,) = draft(rotator).values()
    assert (
        "    # rotator will refuse to redeploy it: it would give the password to harbor.example.com, which is not"
        " a registry of the policy" in text
    )


@pytest.mark.parametrize(
    "name",
    [
        "x\nkey_vault:\n  url: https://evil.vault.azure.net",
        "a\x1b[2J\u202eb",
        "",
        "../../etc/passwd",
        "# FILL IN \r\nsecret: y",
    ],
)
def test_a_principals_name_is_never_obeyed(rotator: Scene, name: str) -> None:
    owner = principal(rotator, "placeholder")
    for held in (owner, rotator.azure.directory.principal(owner.app_id)):
        assert held
        held.display_name = name
    put(rotator, "theirs", entry(owner.app_id))
    said = rotator("discover")
    assert said.code == 0
    assert all(char.isprintable() or char == "\n" for char in said.out)
    assert sum("theirs" in line and owner.app_id in line for line in said.out.splitlines()) == 1
    ((file, text),) = draft(rotator).items()
    assert re.fullmatch(r"[a-z0-9-]+\.yaml", file)
    assert "https://evil" not in "".join(line.partition("#")[0] for line in text.splitlines())
    (drafts_of(rotator) / file).write_text(filled(text))
    (policy,) = load(drafts_of(rotator))
    assert policy.key_vault.url == "https://theirs.vault.azure.net"


def test_drafts_do_not_go_among_policies(crowd: Scene) -> None:
    said = crowd("discover", "--write", "--drafts", str(crowd.policies))
    assert said.code == 2
    assert "another directory" in said.err
    (crowd.policies / f"{NAME}.yaml").unlink()
    assert crowd("discover", "--write", "--drafts", str(crowd.policies)).code == 0
    assert (crowd.policies / "build-agents.yaml").exists()


def test_no_secret_is_told_or_written(crowd: Scene) -> None:
    told = [
        f"{said.out}{said.err}"
        for said in (crowd("discover", *more, "-vv") for more in ((), ("--all", "--output", "json")))
    ]
    written = "\n".join(draft(crowd, "-vv").values())
    for secret in (HIDDEN, "hunter22hunter22", crowd.password.secret, crowd.seeded.operator.secret):
        assert secret not in "\n".join([*told, written])
