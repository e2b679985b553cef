"""Tests of the documentation: made parts are made again, commands are run or parsed, names are looked up."""

import ast
import importlib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import local_azure
import pytest
import typer.main
from local_azure import seed
from ruamel.yaml import YAML

import rotator.rights
from rotator import guard
from rotator.cli.app import command_line
from rotator.plan import ORDER, RULES, STRIPPED, not_ours, rules
from rotator.policy import load
from rotator.report import status
from rotator.state import ACCESS, ADOPTED, ATTEMPT, COMPROMISED, FAILED, HOME, KEY_ID, PREVIOUS, SINCE, Outcome
from tests import written
from tests.cli.scene import JOB, NAME, PASSWORD, Scene, make
from tests.codes import (
    PLAN,
    SOURCES,
    TABLES,
    carried_by,
    carried_by_kind,
    codes_by_kind,
    used_codes,
)
from tests.plan.test_plan import agree, world
from tests.sources import parsed
from tests.written import COLUMNS, DOCUMENTS, PROGRAMS, ROOT, STEP, first_rotation, made, shell_lines, told

README, ARCHITECTURE, CONTRIBUTING, SECURITY = (
    (ROOT / f"{name}.md").read_text() for name in ("README", "ARCHITECTURE", "CONTRIBUTING", "SECURITY")
)
CLI, CODES, OPERATIONS, VERIFICATION = (
    (ROOT / "docs" / f"{name}.md").read_text() for name in ("cli", "codes", "operations", "verification")
)
INDEX = (ROOT / "docs" / "README.md").read_text()
UNWRAPPED = (
    "CHANGELOG.md",
    "docs/azure-facts.md",
    "emulator/CHANGELOG.md",
    "emulator/README.md",
    "emulator/docs/manual.md",
)
COMMAND = typer.main.get_command(command_line())
TAGS = {KEY_ID, HOME, ATTEMPT, ADOPTED, COMPROMISED, SINCE, FAILED, PREVIOUS, ACCESS, STRIPPED}


def shown(file: Path) -> str:
    return str(file.relative_to(ROOT))


def offences(cases: Iterable[tuple[str, ...]], check: Callable[..., None]) -> list[str]:
    """Return the failures of all cases at once: a test for each would mean hundreds of passing tests without
    information.
    """
    found = []
    for case in cases:
        try:
            check(*case)
        except Exception as wrong:  # noqa: BLE001 - a command that click refuses, a module that can't be imported
            found.append(f"{': '.join(case)}: {type(wrong).__name__}: {wrong}")
    return found


def section(text: str, heading: str) -> str:
    """Return the text below a heading, down to the next of any level."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, heading
    return found[1]


def cells(text: str, column: int) -> list[str]:
    """Return the cells of a column in every table of a text, without headings."""
    rows = [
        re.split(r"(?<!\\)\|", line)[1:-1]
        for line in text.splitlines()
        if line.startswith("|") and not line.startswith("|--")
    ]
    return [row[column].strip() for row in rows if len(row) > column]


def fenced(text: str, kind: str) -> list[str]:
    """Return the code blocks of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def ticked(text: str) -> list[str]:
    """Return the texts between single back ticks, without code blocks."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


# made parts


def test_made_parts_are_as_the_code_makes_them() -> None:
    parts = [(document, found) for document in DOCUMENTS for found in written.PART.finditer(document.read_text())]
    old = [
        f"{shown(document)}: '{found['what']}'" for document, found in parts if found[0] != _made_anew(found["what"])
    ]
    assert old == [], "out of date; run make docs"


def _made_anew(what: str) -> str:
    return f"<!-- made: {what} -->\n{made(what)}\n<!-- end -->"


def test_every_verb_is_in_the_reference() -> None:
    parts = {found["what"] for document in DOCUMENTS for found in written.PART.finditer(document.read_text())}
    shown = {what.partition(" ")[2] for what in parts if what.split()[0] == "help"}
    shown |= {f"emulator {what.partition(' ')[2]}" for what in parts if what.split()[0] == "local-folded"}
    assert {name for name in verbs() if name not in shown} == set()


def test_the_reference_has_a_heading_for_each_verb_and_links_it() -> None:
    headings = re.findall(r"^## (.+)$", CLI, re.MULTILINE)
    assert set(headings) == {name for name in verbs() if not name.startswith("emulator ")}
    assert re.findall(r"\[(\w+)\]\(#\1\)", CLI) == headings


def verbs() -> set[str]:
    """Return every command line but ``rotator`` itself."""
    return {" ".join(name) for name, _ in _commands((), COMMAND)}


def _commands(path: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if inner := getattr(command, "commands", None):
        for name, one in inner.items():
            yield from _commands((*path, name), one)
    else:
        yield path, command


# commands


def test_the_first_rotation_of_the_readme_works() -> None:
    results = first_rotation()
    assert list(results) == [
        "rotator validate",
        "rotator doctor",
        "rotator plan",
        f"rotator adopt {NAME}",
        "rotator rotate",
        "rotator rotate # a day later",
    ]
    assert {command: said.code for command, said in results.items()} == dict.fromkeys(results, 0)
    assert "deployed mycontainer" in results["rotator rotate"].out
    assert "removed credential" in results["rotator rotate # a day later"].out


def _lines() -> Iterator[tuple[str, str]]:
    for document in DOCUMENTS:
        text = document.read_text()
        crontab = [
            found[1] for found in re.finditer(r"^[0-9*/ ]+ out=\$\(/\S*/(rotator .+?) 2>&1\)", text, re.MULTILINE)
        ]
        for line in (
            *shell_lines(text),
            *crontab,
            *(tick for tick in ticked(text) if re.match(r"(rotator|local-azure|make) [a-z]", tick)),
        ):
            yield shown(document), line


RUN = sorted(
    {
        (where, found[0])
        for where, line in _lines()
        for found in re.finditer(r"\b(?:rotator|local-azure) [a-z][^\"')|#&;]*", line)
    }
)
MAKE = sorted(
    {
        (where, target)
        for where, line in _lines()
        if line.startswith("make ")
        for target in re.findall(r"(?<= )[a-z]+(?= |$)", line.partition("#")[0])
    }
)


def test_commands_and_their_options_exist() -> None:
    assert offences(RUN, command_exists) == []


@cache
def _program(name: str) -> Any:
    return typer.main.get_command(PROGRAMS[name])


def command_exists(where: str, line: str) -> None:
    program, *words = line.split()
    command = _program(program)
    while hasattr(command, "commands"):
        if not words:
            return  # the group of verbs itself
        assert words[0] in command.commands, f"{where}: {words[0]} is no command"
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)} | {
        "--help",
        "-h",
    }
    assert {word.partition("=")[0] for word in words if word.startswith("-")} <= known, f"{where}: {line}"
    with command.make_context(
        program, [word.replace("ID", "x") for word in words if word != "\\"], resilient_parsing=True
    ):
        pass


A_SECRET = re.compile(
    r"--(?:(?:registry-|client-)?(?:password|secret)|value)(?:\s|\\\n)+\"?\$(?!\{?(?:app_id|client_id|AZURE_CLIENT_ID)\b)"
)
"""A password as a word of its own: one of Entra in forty begins with a hyphen, and az takes it for an option."""


def test_no_command_has_a_password_as_a_word_of_its_own() -> None:
    pages = (
        README,
        SECURITY,
        *(file.read_text() for place in ("docs", "emulator/docs") for file in (ROOT / place).rglob("*.md")),
    )
    scripts = [
        file.read_text() for place in ("docs", "tests/az", "tests/hosts") for file in (ROOT / place).rglob("*.sh")
    ]
    assert [found[0] for text in (*pages, *scripts) for found in A_SECRET.finditer(text)] == []
    for line in ('--registry-password "$pw"', "--value $(az x)", '--password \\\n  "$p"', '--value "${password}"'):
        assert A_SECRET.search(line), line
    for line in ('--registry-password="$pw"', "--value=$(az x)", '--value "$app_id"', "--file <(x)"):
        assert not A_SECRET.search(line), line


def test_there_are_commands_to_check() -> None:
    assert len(RUN) > 20
    assert {"demo", "test"} <= {target for where, target in MAKE if where == "README.md"}


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert [(where, target) for where, target in MAKE if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_the_tags_for_az_are_those_that_rotator_reads() -> None:
    assert set(re.findall(r"(rotator-[a-z-]+)=", section(OPERATIONS, "Nightly jobs"))) == {KEY_ID, SINCE}


def test_a_script_that_sets_these_tags_lets_the_old_password_go(played: Scene) -> None:
    """A job without a manifest, deployed and then tagged by the script of docs/operations.md: the old password is held
    back before, and retired afterwards.
    """
    job = played.group_id("nightly")
    played.deploy("nightly", JOB, "Never")
    played.write(container_groups=[{"id": played.group_id()}, {"id": job, "when_finished": "wait"}])
    assert played("rotate", NAME, "--adopt").code == 0
    played.pass_(hours=25)
    assert played("rotate", NAME).code == 0
    assert played.password.key_id in played.live()
    newest = max(played.azure.vaults.versions("myvault", PASSWORD), key=lambda version: version.order)
    body = played.azure.container_groups.stored(job)
    for entry in body["properties"]["imageRegistryCredentials"]:
        entry["password"] = newest.value
    key_id = (newest.tags or {})[KEY_ID]
    played.azure.container_groups.put(job, {"location": "eastus", "properties": body["properties"]}, "2025-09-01")
    assert played("rotate", NAME).code == 0
    assert played.password.key_id in played.live(), "it isn't tagged yet"
    tags = {KEY_ID: key_id, SINCE: f"{played.azure.clock.now():%Y-%m-%dT%H:%M:%SZ}"}
    played.azure.container_groups.patch_tags(job, tags)
    played.pass_(hours=25)
    assert played("rotate", NAME).code == 0
    assert played.live() == {key_id}


def test_the_policies_of_the_readme_and_of_the_nightly_jobs_are_valid(tmp_path: Path) -> None:
    (example,) = load(ROOT / "policies")
    whole, *parts = (*fenced(README, "yaml"), *fenced(OPERATIONS, "yaml"))
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "nightly.yaml").write_text((ROOT / "policies" / "manifests" / "nightly.yaml").read_text())
    (tmp_path / "one.yaml").write_text(whole + parts[0] + parts[1].partition("\n")[2])
    (policy,) = load(tmp_path)
    assert [group.id.rsplit("/", 1)[-1] for group in policy.container_groups] == [
        g.id.rsplit("/", 1)[-1] for g in example.container_groups
    ]
    assert policy.container_groups[0].secrets
    assert policy.container_groups[1].manifest


def test_what_is_said_of_the_function_app_is_so() -> None:
    settings = importlib.import_module("rotator.function_app.settings")
    page = (ROOT / "docs" / "functions.md").read_text()
    rows = dict(zip(*(cells(section(page, "Settings"), column) for column in (0, 1)), strict=True))
    assert rows["`ROTATOR_SCHEDULE`"] == f"`{settings.DEFAULT_SCHEDULE}`"
    assert rows["`ROTATOR_MAX_DURATION`"] == f"`{settings.DEFAULT_DURATION}`"
    files = (ROOT / "rotator" / part / "settings.py" for part in ("function_app", "notify"))
    read = {name for file in files for name in re.findall(r"ROTATOR_[A-Z_]+", file.read_text())}
    assert {name.strip("`") for name in rows if name.startswith("`")} == read


def test_every_exit_code_is_in_the_table() -> None:
    from rotator.fleet import ORDER as CODES_IN_ORDER

    assert [int(code) for code in cells(section(README, "Exit codes"), 0)[1:]] == [*CODES_IN_ORDER, 0]


def test_the_worked_change_of_contributing_works(monkeypatch: pytest.MonkeyPatch) -> None:
    (case,) = YAML(typ="safe").load(fenced(CONTRIBUTING, "yaml")[0])
    space = dict(vars(not_ours))
    exec(fenced(CONTRIBUTING, "python")[0], space)
    with pytest.raises(AssertionError, match="foreign"):
        agree(case, *world(case))
    monkeypatch.setattr(rules, "RULES", (*RULES, space["long_lived"]))
    agree(case, *world(case))
    mine, theirs = case["credentials"]
    edge = {**case, "credentials": [mine, {**theirs, "end": "+730d"}]}
    with pytest.raises(AssertionError, match="long_lived"):
        agree(edge, *world(edge))


# names


PLACEHOLDERS = {
    "rotator:LINEAGE:ATTEMPT",
    "<password_secret>-access",
    "PUT",
    "Date",
    "wire.py",
    "behaviour.py",
    "revoked",
    "granted",
    "python -m rotator",
}
"""Words that ARCHITECTURE.md writes as code and that are no names of the program."""


def codes_in(text: str) -> set[str]:
    return {tick for tick in ticked(text) if re.fullmatch(r"[a-z_]+", tick)}


def test_the_names_in_the_architecture_exist() -> None:
    assert offences(((name,) for name in sorted(set(ticked(ARCHITECTURE)) - PLACEHOLDERS)), name_exists) == []


def name_exists(name: str) -> None:
    if name.startswith(("rotator ", "make ", "--")) or name in TAGS | used_codes():
        return  # tests above and below look these up
    if "/" in name or name.endswith((".py", ".toml", ".md", ".yaml")):
        assert (ROOT / name).exists()
    elif name.partition(".")[0] in ("rotator", "local_azure"):
        assert found(name)
    else:
        assert name.rpartition(".")[2] in defined() or name in verbs()


def found(dotted: str) -> bool:
    """Tell if a dotted name can be imported, or is an attribute of a module."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            thing: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            assert hasattr(thing, attribute), f"{dotted}: {attribute}"
            thing = getattr(thing, attribute)
        return True
    return False


@cache
def defined() -> set[str]:
    """Return the names of every class, function, method, field and constant of the program."""
    names = set[str]()
    for file in SOURCES:
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                names.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
                names.add(node.value)
    return names


def test_every_module_is_in_the_map() -> None:
    modules = {
        f"rotator.{path.stem}"
        for path in (ROOT / "rotator").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert {name.strip("`") for name in cells(section(ARCHITECTURE, "Layers"), 0)[1:]} == modules - {"rotator.__init__"}


def test_the_rules_and_their_order_are_those_of_the_planner() -> None:
    cycle = section(ARCHITECTURE, "The life cycle")
    named = [cell.strip("`") for cell in cells(cycle, 0)]
    steps, rules, checks = (named.index(heading) for heading in ("step", "rule", "check"))
    assert named[steps + 1 : rules] == [step.__name__ for step in ORDER]
    assert named[rules + 1 : checks] == [rule.__name__ for rule in RULES]
    assert named[checks + 1 :] == [rule.__name__ for rule in guard.RULES]


def test_every_tag_is_in_the_table() -> None:
    assert {
        tick for tick in ticked(section(ARCHITECTURE, "The state, all of it")) if tick.startswith("rotator-")
    } == TAGS


def test_every_invariant_is_in_the_table() -> None:
    assert [cell for cell in cells(section(ARCHITECTURE, "Invariants"), 0) if cell] == [
        f"I{nth}" for nth in range(1, 11)
    ]


# codes


@pytest.mark.parametrize(
    ("kind", "heading"),
    [
        ("reason", "Why a step is taken"),
        ("wait", "What waits"),
        ("note", "What is worth knowing"),
        ("veto", "What is refused"),
        ("failure", "What fails without a code of Azure"),
    ],
)
def test_every_code_is_explained_and_used_and_no_other(kind: str, heading: str) -> None:
    assert [cell.strip("`") for cell in cells(section(CODES, heading), 0)[1:]] == [code.value for code in TABLES[kind]]
    told = COLUMNS[kind][2:] if kind == "veto" else COLUMNS[kind][1:]  # the guard itself says of a veto which steps
    assert [code for code in TABLES[kind] if len(code.cells) != len(told) or not all(code.cells)] == []
    assert {code.value for code in TABLES[kind]} == carried_by_kind()[kind]


@pytest.mark.xdist_group("house")
def test_the_code_of_a_failure_is_azures_or_one_of_the_enumeration() -> None:
    written = [
        f"{file.relative_to(ROOT)}:{node.value.lineno}"
        for file in SOURCES
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.keyword) and node.arg == "code" and isinstance(node.value, ast.Constant)
        if isinstance(node.value.value, str) and node.value.value
    ]
    assert written == []


@pytest.mark.xdist_group("house")
def test_every_wait_and_note_of_a_rotation_says_when_it_becomes_an_alarm() -> None:
    listed = set(ticked(" ".join(cells(section(CODES, "What nobody may miss"), 0)[1:])))
    trees = (parsed(ROOT / "rotator" / module) for module in PLAN)
    carried = {
        code for tree in trees for node in ast.walk(tree) for kind, code in carried_by(node) if kind in ("wait", "note")
    }
    assert carried - listed == set()
    assert listed - codes_by_kind()["wait"] - codes_by_kind()["note"] == set()


def test_the_architecture_assigns_every_code() -> None:
    cycle = section(ARCHITECTURE, "The life cycle")
    assert used_codes() - codes_in(cycle) == set()


# events and output


def test_every_event_that_is_told_is_in_the_table_once() -> None:
    shown = cells(section((ROOT / "docs" / "events.md").read_text(), "Events"), 0)
    names = [cell.strip("`") for cell in shown if cell.startswith("`")]
    assert len(set(names)) == len(names) == len(told()) + 4  # the four fields of every line


@pytest.fixture(name="played")
def _played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scene:
    return make(monkeypatch, tmp_path)


def test_every_key_of_the_json_output_is_documented(played: Scene) -> None:
    text = (ROOT / "docs" / "output.md").read_text()
    commands = [
        ("plan",),
        ("status",),
        ("validate",),
        ("rotate",),
        ("adopt", NAME),
        ("deploy", NAME),
        ("revoke", NAME, "--yes"),
        ("plan", "nobody"),
        ("discover", "--all"),
    ]
    for words in commands:
        body = played(*words, "--output", "json").json
        assert body["version"] == 1
        assert body["command"] == words[0]
        heading = "rotate, adopt, revoke, grant, provision" if words[0] in ("rotate", "adopt", "revoke") else words[0]
        known = set(ticked(section(text, heading))) | set(ticked(section(text, "JSON output")))
        assert (
            keys(body, stop={"changes", "failures", "vetoes", "waits", "notes"} if "rotate" in heading else {"logs"})
            <= known
        ), words


def keys(body: Any, stop: set[str]) -> set[str]:
    """Return every key at any depth, but those below keys in `stop`."""
    if isinstance(body, list):
        return {key for item in body for key in keys(item, stop)}
    if isinstance(body, dict):
        return set(body) | {key for name, item in body.items() if name not in stop for key in keys(item, stop)}
    return set()


def test_the_states_and_outcomes_are_all_named() -> None:
    standings = {standing.name.lower() for standing in status.Urgency}
    assert standings <= set(ticked((ROOT / "docs" / "output.md").read_text()))
    assert {outcome.value for outcome in Outcome} <= set(ticked((ROOT / "docs" / "events.md").read_text()))


def test_every_place_of_a_hidden_value_is_in_the_policy_page() -> None:
    from rotator.policy.secret_rules import PATHS

    page = section((ROOT / "docs" / "policy.md").read_text(), "Where hidden values come from")
    assert tuple(cell.strip("`") for cell in cells(page, 0)[1:]) == PATHS


# rights


def rights(heading: str) -> set[str]:
    return {tick for cell in cells(section(SECURITY, heading), 0)[1:] for tick in ticked(cell)}


def test_the_rights_are_those_of_the_emulators_operator() -> None:
    azure, seeded = seeded_azure()
    principal = azure.directory.principal(seeded.operator.app_id)
    assert rights("Microsoft Graph") == set(principal.app_roles)
    assert rights("Container groups and registries") == set(seed.OPERATOR_ACTIONS)
    assert rights("Role assignments") == set(seed.ACCESS_ACTIONS)
    held = {
        (azure.authorization.role(a.role).role_name, a.scope.lower())
        for a in azure.authorization.assignments()
        if a.principal_id == principal.id
    }
    assert {name for name, scope in held if scope == seeded.vault_id.lower()} == rights("Key Vault")
    assert {name for name, _ in held} == {*rights("Key Vault"), "rotator operator", "rotator access"}


def seeded_azure() -> Any:
    from local_azure.azure import Azure
    from local_azure.clock import Clock

    from tests.cli.scene import START

    azure = Azure.build(Clock(START, lambda: 0.0))
    return azure, seed.fill(azure)


def test_the_readme_counts_the_rights_of_the_role() -> None:
    assert "a custom role with six actions" in section(README, "Permissions")
    assert len(seed.OPERATOR_ACTIONS) == 6


def test_every_right_that_a_client_asks_for_is_granted() -> None:
    """Check that the rights named by errors of the clients are those of SECURITY.md."""
    asked = {found for file in (ROOT / "rotator" / "clients").glob("*.py") for found in _asked(file)}
    assert asked
    documented = {*seed.OPERATOR_ACTIONS, *seed.ACCESS_ACTIONS}
    assert asked <= documented, asked - documented


def _asked(file: Path) -> Iterator[str]:
    names = {f"{{{name}}}": value for name, value in vars(rotator.rights).items() if isinstance(value, str)}
    for prefix, suffix in re.findall(
        r"(\{[A-Z_]+\}|Microsoft\.[A-Za-z]+/[A-Za-z]+)((?:/[a-z]+)*) on", file.read_text()
    ):
        right = f"{names.get(prefix, prefix)}{suffix}"
        if right.rpartition("/")[2] in {"read", "write", "delete"}:
            yield right


# the whole


def test_the_readme_is_read_in_ten_minutes() -> None:
    assert len(README.splitlines()) <= 250


def test_a_decision_is_cited_by_its_number() -> None:
    cited = re.compile(r"\[ADR\s+(\d+)\]\([^)]*?(\d{4})-[^)]*\)")
    found = [(shown(each), *match.groups()) for each in DOCUMENTS for match in cited.finditer(each.read_text())]
    assert found
    assert [each for each in found if int(each[1]) != int(each[2])] == []


def test_prose_is_wrapped() -> None:
    """Lines have at most 120 characters, but for tables, code blocks, made parts and single long words."""
    apart = re.compile(r"<!-- made: .*?<!-- end -->|^```.*?^```|^\|.*?$", re.DOTALL | re.MULTILINE)
    texts = {
        name: apart.sub("", document.read_text())
        for document in DOCUMENTS
        if (name := shown(document)) not in UNWRAPPED
    }
    assert [
        (name, line)
        for name, text in texts.items()
        for line in text.splitlines()
        if len(line) > 120 and " " in line.strip()
    ] == []


def test_every_page_is_in_the_index() -> None:
    listed = set(re.findall(r"\]\(([^)]+)\)", INDEX))
    pages = {file.name for file in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages | {f"../{file.name}" for file in ROOT.glob("*.md")} <= listed


def test_every_matrix_is_in_the_page_on_verification() -> None:
    from tests.counts import NETS
    from tests.matrices.families import FAMILIES

    real, fast = VERIFICATION.partition("On real SDK code:")[2].partition("On the fast adapter, as stories:")[::2]
    assert set(cells(real, 0)[1:]) == set(NETS)
    assert cells(fast.partition("\n## ")[0], 0)[1:] == list(FAMILIES)


def test_links_resolve() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
            if target.startswith("https://"):
                continue
            path, _, anchor = target.partition("#")
            file = (document.parent / path).resolve() if path else document
            assert file.exists(), f"{document.name}: {target}"
            if anchor:
                assert anchor in anchors(file.read_text()), f"{document.name}: {target}"


def anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings, as published."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


FORBIDDEN = (
    re.escape(str(ROOT)),
    r"/root\b",
    r"/home/",
    r"/tmp/",
    r"\bpypi\.org",
    r"index[-_]url",
    r"\bsubagent",
    r"\bLLM\b",
    r"\bClaude\b",
    r"\bChatGPT\b",
    r"\bCopilot\b",
)


def test_nothing_of_a_machine_is_in_the_documentation() -> None:
    texts = {shown(document): document.read_text() for document in DOCUMENTS}
    assert [
        (name, word) for name, text in texts.items() for word in FORBIDDEN if re.search(word, text, re.IGNORECASE)
    ] == []


def test_the_decisions_are_all_listed() -> None:
    listed = re.findall(r"\((\d{4}-[a-z-]+\.md)\)", (ROOT / "docs" / "adr" / "README.md").read_text())
    assert listed == sorted(file.name for file in (ROOT / "docs" / "adr").glob("0*.md"))
    for file in listed:
        headings = re.findall(r"^## (.+)$", (ROOT / "docs" / "adr" / file).read_text(), re.MULTILINE)
        assert headings == ["Decision", "Why", "What speaks against it", "To undo it"]


def test_the_changelog_has_this_version() -> None:
    for document, version in (
        (ROOT / "CHANGELOG.md", rotator.__version__),
        (ROOT / "emulator" / "CHANGELOG.md", local_azure.__version__),
    ):
        assert f"## [{version}]" in document.read_text()


def test_the_extra_asks_for_the_emulator_beside_it() -> None:
    """The extra has the exact version, whose local part no public index can have."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert f"local-azure=={local_azure.__version__}" in extras["emulator"]
    assert "+" in local_azure.__version__


def test_every_heading_of_the_first_rotation_is_there() -> None:
    assert f"## {STEP}\n" in README
    transcripts = {found["what"] for document in DOCUMENTS for found in written.PART.finditer(document.read_text())}
    assert {f"run {command}" for command in first_rotation()} - {"run rotator validate"} <= transcripts
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
