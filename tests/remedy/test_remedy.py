"""Tests of printed command lines: each is one bash command with exactly its words, for any names; all are built in one
place.
"""

import ast
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rotator import remedy
from rotator.causes import Cause, Grounds
from rotator.cli.app import command_line
from rotator.state import Credential, Home, Version
from rotator.visible import acts
from tests.sources import parsed

SINCE = datetime(2026, 3, 2, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
NAMES = (
    *(
        "plain",
        "my(rg)",
        "a b",
        "$(id)",
        "`id`",
        "it's",
        '"quoted"',
        "back\\slash",
        "a;id",
        "a&id",
        "a|id",
        "!x",
        "~",
        "*",
        "#x",
        "{a,b}",
        "<x",
        "ü",
    ),
    *(
        "two\nlines",
        "tab\there",
        "\u202ereversed",
        "\u2028",
        "\x1b[2J",
        "\x7f",
        "-x",
        "--all",
        "-a b",
        "-\u202e",
        "",
        "name=value",
        "=",
    ),
)
"""Names that other people may give."""
GRAPH = "https://graph.microsoft.us"


def arm(name: str) -> str:
    """Return an id with the name in each part."""
    return f"/subscriptions/{name}/resourceGroups/{name}/providers/Microsoft.Some/things/{name}"


AT = "--subscription @ --resource-group @ --name @"
CASES: Mapping[str, tuple[Callable[[str], str], tuple[str, ...]]] = {
    "add_application_owner": (
        lambda n: remedy.add_application_owner(n, n),
        ("az ad app owner add --id @ --owner-object-id @",),
    ),
    "add_password": (
        remedy.add_password,
        ("az ad app credential reset --id @ --append --query password --output tsv",),
    ),
    "admit_address": (
        lambda n: remedy.admit_address(n, n, n),
        ("az keyvault network-rule add --subscription @ --name @ --ip-address @",),
    ),
    "admit_identity": (
        lambda n: remedy.admit_identity(n, None, n),
        ("az keyvault set-policy --name @ --object-id @ --secret-permissions get list set",),
    ),
    "allow_every_address": (
        lambda n: remedy.allow_every_address(arm(n)),
        (f"az acr update {AT} --default-action Allow",),
    ),
    "assign_role": (
        lambda n: remedy.assign_role(n, n, n, kind="User"),
        ("az role assignment create --assignee-object-id @ --assignee-principal-type User --role @ --scope @",),
    ),
    "begin_secret": (
        lambda n: remedy.begin_secret(n, n, n),
        ("az keyvault secret set-attributes --vault-name @ --name @ --not-before @ --output none",),
    ),
    "create_identity": (lambda n: remedy.create_identity(arm(n)), (f"az identity create {AT}",)),
    "clear_queue": (
        lambda n: remedy.clear_queue(n, n),
        ("az storage message clear --account-name @ --queue-name @ --auth-mode login --output none",),
    ),
    "create_container": (
        lambda n: remedy.create_container(n, n),
        ("az storage container create --account-name @ --name @ --auth-mode login --output none",),
    ),
    "create_queue": (
        lambda n: remedy.create_queue(n, n),
        ("az storage queue create --account-name @ --name @ --auth-mode login --output none",),
    ),
    "create_registry": (lambda n: remedy.create_registry(arm(n)), (f"az acr create {AT} --sku Standard",)),
    "create_rotator_identity": (
        lambda n: remedy.create_rotator_identity(),
        (
            "date +%Y%m%d%H%M%S",
            "az ad app create --display-name rotator-said --query appId --output tsv",
            "az ad sp create --id said --output none",
            "az ad app credential reset --id said --append --query password --output tsv",
            "az account show --query tenantId --output tsv",
        ),
    ),
    "create_service_principal": (remedy.create_service_principal, ("az ad sp create --id @",)),
    "delete_certificate": (
        lambda n: remedy.delete_certificate(n, n, Home.SERVICE_PRINCIPAL),
        ("az ad sp credential delete --id @ --key-id @ --cert",),
    ),
    "delete_federated_credential": (
        lambda n: remedy.delete_federated_credential(n, n),
        ("az ad app federated-credential delete --id @ --federated-credential-id @",),
    ),
    "register_provider": (
        lambda n: remedy.register_provider("Microsoft.ContainerInstance", n),
        ("az provider register --namespace Microsoft.ContainerInstance --subscription @",),
    ),
    "stop_group": (lambda n: remedy.stop_group(arm(n)), (f"az container stop {AT}",)),
    "delete_group": (remedy.delete_group, ("az container delete --ids @",)),
    "delete_password": (
        lambda n: remedy.delete_password(n, n, Home.APPLICATION),
        ("az ad app credential delete --id @ --key-id @",),
    ),
    "delete_lock": (remedy.delete_lock, ("az lock delete --ids @",)),
    "delete_role_assignment": (remedy.delete_role_assignment, ("az role assignment delete --ids @",)),
    "disable_admin_user_of": (remedy.disable_admin_user_of, ("az acr update --name @ --admin-enabled false",)),
    "disable_admin_user": (lambda n: remedy.disable_admin_user(arm(n)), (f"az acr update {AT} --admin-enabled false",)),
    "disable_anonymous_pull": (
        lambda n: remedy.disable_anonymous_pull(arm(n)),
        (f"az acr update {AT} --anonymous-pull-enabled false",),
    ),
    "disable_token": (
        lambda n: remedy.disable_token(arm(n), n),
        ("az acr token update --name @ --registry @ --subscription @ --status disabled",),
    ),
    "edit": (remedy.edit, ("editor @",)),
    "enable_public_network": (
        lambda n: remedy.enable_public_network(arm(n)),
        (f"az acr update {AT} --public-network-enabled true",),
    ),
    "enable_secret": (
        lambda n: remedy.enable_secret(n, n),
        ("az keyvault secret set-attributes --vault-name @ --name @ --enabled true --output none",),
    ),
    "enable_application": (remedy.enable_application, ("az ad app update --id @ --set isDisabled=false",)),
    "show_attributes": (
        lambda n: remedy.show_attributes(GRAPH, n),
        (f"az rest --method GET --url {GRAPH}/v1.0/servicePrincipals/@?$select=customSecurityAttributes",),
    ),
    "restore_application": (
        lambda n: remedy.restore_application(GRAPH, n),
        (
            (
                f"az rest --method GET --url {GRAPH}/v1.0/directory/deletedItems/microsoft.graph.application --query"
                " \"value[?appId=='@'].id | [0]\" --output tsv"
            ),
            f"az rest --method POST --url {GRAPH}/v1.0/directory/deletedItems/said/restore",
        ),
    ),
    "restore_service_principal": (
        lambda n: remedy.restore_service_principal(GRAPH, n),
        (
            (
                f"az rest --method GET --url {GRAPH}/v1.0/directory/deletedItems/microsoft.graph.servicePrincipal --query"
                " \"value[?appId=='@'].id | [0]\" --output tsv"
            ),
            f"az rest --method POST --url {GRAPH}/v1.0/directory/deletedItems/said/restore",
        ),
    ),
    "enable_service_principal": (
        remedy.enable_service_principal,
        ("az ad sp update --id @ --set accountEnabled=true",),
    ),
    "build_bicep_parameters": (remedy.build_bicep_parameters, ("az bicep build-params --file @",)),
    "build_bicep": (remedy.build_bicep, ("az bicep build --file @",)),
    "exempt_from_policy": (
        lambda n: remedy.exempt_from_policy(n, n),
        ("az policy exemption create --name rotator --policy-assignment @ --exemption-category Waiver --scope @",),
    ),
    "export_group": (lambda n: remedy.export_group(arm(n), n), (f"az container export {AT} --file @",)),
    "export_password": (
        remedy.export_password,
        ("az ad app credential reset --id @ --append --query password --output tsv",),
    ),
    "export_tenant": (lambda n: remedy.export_tenant(), ("az account show --query tenantId --output tsv",)),
    "extend_secret": (
        lambda n: remedy.extend_secret(n, n, n),
        ("az keyvault secret set-attributes --vault-name @ --name @ --expires @ --output none",),
    ),
    "forget_environment": (lambda n: remedy.forget_environment(), ()),
    "give_role": (lambda n: remedy.give_role(n, n, n), ("az role assignment create --assignee @ --role @ --scope @",)),
    "identity_principal": (
        lambda n: remedy.assign_role(remedy.identity_principal(arm(n)), n, n),
        (
            f"az identity show {AT} --query principalId --output tsv",
            (
                "az role assignment create --assignee-object-id said --assignee-principal-type ServicePrincipal --role"
                " @ --scope @"
            ),
        ),
    ),
    "install_emulator": (lambda n: remedy.install_emulator("id"), ("id -m pip install ./emulator '.[emulator]'",)),
    "kill_holder": (lambda n: remedy.kill_holder(None, n), ("fuser @", "kill said")),
    "list_applications": (
        lambda n: remedy.list_applications(),
        ("az ad app list --query '[].[appId,displayName]' --output tsv",),
    ),
    "list_subscriptions": (
        lambda n: remedy.list_subscriptions(),
        ("az account list --query '[].[name,id]' --output tsv",),
    ),
    "list_passwords": (remedy.list_passwords, ("az ad app credential list --id @",)),
    "list_tags": (
        lambda n: remedy.list_tags(n, n, n),
        ("az acr repository show-tags --subscription @ --name @ --repository @ --orderby time_desc --output tsv",),
    ),
    "make_directory": (remedy.make_directory, ("mkdir -p @",)),
    "make_private_directory": (remedy.make_private_directory, ("id -un", "sudo install -d -m 700 -o said @")),
    "move_aside": (remedy.move_aside, ("sudo mv @ @.aside",)),
    "open_vault": (
        lambda n: remedy.open_vault(n, n),
        ("az keyvault update --subscription @ --name @ --public-network-access Enabled",),
    ),
    "push_image": (remedy.push_image, ("docker push @",)),
    "recover_secret": (
        lambda n: remedy.recover_secret(n, n),
        ("az keyvault secret recover --vault-name @ --name @ --output none",),
    ),
    "recover_vault": (remedy.recover_vault, ("az keyvault recover --name @ --output none",)),
    "remove_group_member": (
        lambda n: remedy.remove_group_member(n, n),
        ("az ad group member remove --group @ --member-id @",),
    ),
    "remove_lock": (remedy.remove_lock, ("sudo rm -rf @",)),
    "rotator": (
        lambda n: remedy.rotator("deploy", n, n, key_id=n, accept_drift=True, no_overlap=False),
        ("rotator deploy @ @ --key-id @ --accept-drift",),
    ),
    "set_clock": (lambda n: remedy.set_clock(), ("sudo timedatectl set-ntp true",)),
    "set_new_password": (
        lambda n: remedy.set_new_password(n, n, n),
        (
            "az ad app credential reset --id @ --append --query password --output tsv",
            "az keyvault secret set --vault-name @ --name @ --file said --output none",
        ),
    ),
    "show_holder": (lambda n: remedy.show_holder(None, n), ("fuser @", "ps -o pid,etime,args -p said")),
    "show_registry_id": (remedy.show_registry_id, ("az acr show --name @ --query id",)),
    "sign_in": (remedy.sign_in, ("az login --tenant @",)),
    "tag_version": (
        lambda n: remedy.tag_version(n, n, n, [("owner", n), ("x", n)]),
        ("az keyvault secret set-attributes --vault-name @ --name @ --version @ --tags owner=@ x=@ --output none",),
    ),
    "untag": (
        lambda n: remedy.untag(
            n,
            n,
            Version(n, datetime(2026, 3, 2, tzinfo=UTC), True, None, None, (("gone", n), ("owner", n), ("x", n))),
            ("gone",),
        ),
        ("az keyvault secret set-attributes --vault-name @ --name @ --version @ --tags owner=@ x=@ --output none",),
    ),
    "extract_secret": (
        lambda n: remedy.extract_secret(n, n),
        (
            "az keyvault secret show --vault-name @ --name @ --query value --output tsv",
            "az keyvault secret set --vault-name @ --name @ --file '' --output none",
        ),
    ),
    "decode_secret": (
        lambda n: remedy.decode_secret(n, n),
        (
            "az keyvault secret show --vault-name @ --name @ --query value --output tsv",
            "az keyvault secret set --vault-name @ --name @ --file '' --output none",
        ),
    ),
    "unescape_secret": (
        lambda n: remedy.unescape_secret(n, n),
        (
            "az keyvault secret show --vault-name @ --name @ --query value --output tsv",
            "az keyvault secret set --vault-name @ --name @ --file '' --output none",
        ),
    ),
    "trim_secret": (
        lambda n: remedy.trim_secret(n, n),
        (
            "az keyvault secret show --vault-name @ --name @ --query value --output tsv",
            "az keyvault secret set --vault-name @ --name @ --file said --output none",
        ),
    ),
    "type_secret": (
        lambda n: remedy.type_secret(n, n),
        ("az keyvault secret set --vault-name @ --name @ --file typed --output none",),
    ),
    "hand_over": (
        lambda n: remedy.hand_over(
            n,
            n,
            Credential(
                datetime(2026, 3, 2, tzinfo=UTC),
                n,
                datetime(2026, 6, 2, tzinfo=UTC),
                Home.APPLICATION,
                f"rotator:0123456789ab:{n}",
            ),
        ),
        (
            "az keyvault secret set --vault-name @ --name @ --file typed --tags rotator-key-id=@ rotator-home=application rotator-attempt=@ --output none",
        ),
    ),
    "unassign_password_policy": (
        lambda n: remedy.unassign_password_policy(GRAPH, Home.APPLICATION, n, n),
        (f"az rest --method DELETE --url {GRAPH}/v1.0/applications/@/appManagementPolicies/@/$ref",),
    ),
    "storage_account_id": (
        lambda n: remedy.assign_role(n, n, remedy.storage_account_id(n)),
        (
            "az storage account show --name @ --query id --output tsv",
            (
                "az role assignment create --assignee-object-id @ --assignee-principal-type ServicePrincipal --role @"
                " --scope said"
            ),
        ),
    ),
    "vault_id": (
        lambda n: remedy.assign_role(n, n, remedy.vault_id(n)),
        (
            "az keyvault show --name @ --query id --output tsv",
            (
                "az role assignment create --assignee-object-id @ --assignee-principal-type ServicePrincipal --role @"
                " --scope said"
            ),
        ),
    ),
}
"""Each function, and the commands that bash runs when its line is pasted: `@` is the name, `said` the output of another
command.
"""


def _owner(name: str) -> tuple[tuple[str, ...], str, list[dict[str, Any]]]:
    line = remedy.add_service_principal_owner(GRAPH, name, name)
    return (line,), f"servicePrincipals/{name}/owners/$ref", [{"@odata.id": f"{GRAPH}/v1.0/directoryObjects/{name}"}]


def _permit(name: str) -> tuple[tuple[str, ...], str, list[dict[str, Any]]]:
    line = remedy.permit_owned_applications(GRAPH, name)
    role = "18a4783c-866b-4cc7-a460-3d5e5662c884"
    return (
        (line,),
        f"servicePrincipals/{name}/appRoleAssignments",
        [{"principalId": name, "resourceId": "said", "appRoleId": role}],
    )


def _allow(name: str) -> tuple[tuple[str, ...], str, list[dict[str, Any]]]:
    lines = remedy.allow_passwords(GRAPH, Home.SERVICE_PRINCIPAL, name, name)
    allowed = {
        "restrictionType": "passwordAddition",
        "state": "disabled",
        "maxLifetime": None,
        "restrictForAppsCreatedAfterDateTime": None,
    }
    made: dict[str, Any] = {"displayName": name, "isEnabled": True, "restrictions": {"passwordCredentials": [allowed]}}
    reference = {"@odata.id": f"{GRAPH}/v1.0/policies/appManagementPolicies/said"}
    return lines, f"servicePrincipals/{name}/appManagementPolicies/$ref", [made, reference]


BODIES = {"add_service_principal_owner": _owner, "allow_passwords": _allow, "permit_owned_applications": _permit}
"""Functions whose commands send JSON to Graph: the lines, the path of the last, and each body."""

SHELL = r"""
record() {
    local word words=()
    for word in "$@"; do case $word in /dev/fd/*) word=$(cat "$word");; esac; words+=("$word"); done
    printf '%s\0' "${words[@]}" $'\1' >&3
}
for name in az date docker editor fuser id kill mkdir ps rotator sudo curl; do eval "$name() { record $name \"\$@\"; echo said; }"; done
tr() { cat; }
next() { printf '\2\0' >&3; }
EDITOR=editor
"""
"""Programs that record their calls on descriptor 3, and print `said`."""


def ran(lines: Sequence[str], tmp_path: Path) -> list[list[list[str]]]:
    """Return for each line the commands that bash runs after a paste, each with its words."""
    assert [line for line in lines if any(map(acts, line))] == []
    pasted = "\nnext\n".join(lines)
    script = f"{SHELL}\nexec 3>{tmp_path}/asked\n{pasted}\n"
    done = subprocess.run(
        ["/bin/bash", "-eu", "-c", script],
        check=False,
        capture_output=True,
        input=b"typed\n" * len(lines),
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, b""), lines
    assert {file.name for file in tmp_path.iterdir()} == {"asked"}
    told = (tmp_path / "asked").read_text().split("\2\0")
    return [[call.split("\0") for call in calls.split("\0\1\0") if call] for calls in told]


def plain(words: list[str]) -> list[str]:
    """Return the words as a program reads them, sorted: ``--name=-x`` is ``--name`` and its value, and options may come
    first.
    """
    split = [each for word in words for each in (word.split("=", 1) if re.match(r"--[a-z-]+=-", word) else [word])]
    return sorted(each.removeprefix("./") for each in split if each != "--")


@pytest.mark.parametrize("function", sorted(CASES))
def test_a_line_is_exactly_its_commands_whatever_the_names_are(function: str, tmp_path: Path) -> None:
    build, expected = CASES[function]
    for name, found in zip(NAMES, ran([build(name) for name in NAMES], tmp_path), strict=True):
        wanted = [[word.replace("@", name) for word in shlex.split(each)] for each in expected]
        if name.startswith("-"):
            assert sorted(map(plain, found)) == sorted(map(plain, wanted)), build(name)
            assert all(safe(words, name) for words in found), build(name)
        else:
            assert sorted(found) == sorted(wanted), build(name)


def safe(words: list[str], name: str) -> bool:
    """Tell if no program takes the name for an option: the name follows its option's equals sign, or two hyphens."""
    until = words.index("--") if "--" in words else len(words)
    return name not in words[:until]


@pytest.mark.parametrize("function", sorted(BODIES))
def test_a_body_is_exactly_its_json_whatever_the_names_are(function: str, tmp_path: Path) -> None:
    for name in NAMES:
        lines, path, bodies = BODIES[function](name)
        sent = [words for calls in ran(lines, tmp_path) for words in calls if words[1] == "rest"]
        assert [json.loads(words[words.index("--body") + 1]) for words in sent] == bodies, lines
        assert sent[-1][:6] == ["az", "rest", "--method", "POST", "--url", f"{GRAPH}/v1.0/{path}"], lines


def test_which_tag_is_removed_is_left_to_a_person() -> None:
    assert (
        remedy.remove_any_tag("my(rg)")
        == "az tag update --resource-id 'my(rg)' --operation delete --tags <a tag that is not needed>"
    )


def test_every_function_has_its_case() -> None:
    functions = {
        name
        for name in remedy.__all__
        if callable(getattr(remedy, name))
        and name not in ("Advice", "Bash", "advise", "advise_pull", "remove_any_tag", "slow")
    }
    assert functions == {*CASES, *BODIES}


@pytest.mark.parametrize("cause", sorted(Cause))
def test_the_remedy_of_every_cause_is_one_sentence_with_commands_for_bash(cause: Cause, tmp_path: Path) -> None:
    grounds = Grounds(
        cause, "right on it", "Role", "", "myvault", None, "10.0.0.1", "my id", None, "my app", ("an id",), "r"
    )
    advice = remedy.advise(grounds)
    if advice.commands:
        assert all(ran(advice.commands, tmp_path))
    said = {str(advice), str(remedy.advise(Grounds(cause))), remedy.advise_pull(grounds, "app")}
    assert [text for text in said if not text.endswith(".") or "None" in text] == []
    gives_a_role = cause in (Cause.ROLE, Cause.LINKED_ROLE)
    assert [text for text in said if ("Give the identity" in text) and not gives_a_role] == []


def test_an_address_that_nobody_knows_is_looked_up_and_a_known_process_is_named(tmp_path: Path) -> None:
    ((asked, added),) = ran((remedy.admit_address("v", None, None),), tmp_path)
    assert (asked[0], added[-2:]) == ("curl", ["--ip-address", "said"])
    assert (remedy.kill_holder(7, "x"), remedy.show_holder(7, "x")) == ("kill 7", "ps -o pid,etime,args -p 7")
    assert remedy.sign_in(None) == remedy.LOGIN == "az login"


def test_no_printed_command_takes_the_passwords_of_an_existing_application() -> None:
    printed = " ".join(build("name") for build, _ in CASES.values())
    assert "create-for-rbac" not in printed
    assert printed.count("az ad app credential reset") == printed.count(" --append ") > 0


def test_the_last_tags_of_a_version_are_removed_by_an_empty_word(tmp_path: Path) -> None:
    assert ran((remedy.tag_version("v", "s", "1", ()),), tmp_path)[0][0][-4:] == ["--tags", "", "--output", "none"]


# no other module spells a command

AZ = re.compile(
    r"\baz (?:account|acr|ad|container|group|identity|keyvault|lock|login|monitor|network|resource|rest|role|tag)\b"
)
VERBS = "|".join(each.name or each.callback.__name__ for each in command_line().registered_commands if each.callback)
OURS = re.compile(rf"\brotator (?:{VERBS}) (?:--[a-z-]+ )*$")


def texts(file: Path) -> Iterator[tuple[int, str]]:
    """Yield every string of a module with its line, without docstrings, which are never printed."""
    tree = parsed(file)
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.lineno, node.value


def others() -> Iterator[Path]:
    return (file for file in sorted((ROOT / "rotator").rglob("*.py")) if "remedy" not in file.parts)


@pytest.mark.xdist_group("house")
def test_no_other_module_spells_a_command_of_az() -> None:
    assert [
        f"{file.relative_to(ROOT)}:{line} {text}" for file in others() for line, text in texts(file) if AZ.search(text)
    ] == []


@pytest.mark.xdist_group("house")
def test_no_other_module_puts_a_value_into_a_command_of_rotator() -> None:
    found = []
    for file in others():
        for node in (each for each in ast.walk(parsed(file)) if isinstance(each, ast.JoinedStr)):
            filled = (before for before, after in pairwise(node.values) if isinstance(after, ast.FormattedValue))
            written = [str(each.value) for each in filled if isinstance(each, ast.Constant)]
            found += [f"{file.relative_to(ROOT)}:{node.lineno} {text}" for text in written if OURS.search(text)]
    assert found == []


def test_no_other_module_quotes_for_a_shell() -> None:
    assert [
        file
        for file in others()
        if re.search(r"\bshlex\.(?:quote|join)\b|from shlex\b|\bargument\(", file.read_text())
        and file.name != "visible.py"
    ] == []
