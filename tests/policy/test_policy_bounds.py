"""Tests of texts that no person writes: each is a mistake at its place, found in bounded time and memory; the loader
raises no other error.
"""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.container_group.value_sources import is_object
from rotator.errors import Mistake, PolicyError
from rotator.policy import DeployWindow, load, manifest_file, nodes, open_at
from rotator.policy.located import Located
from rotator.policy.manifest import alone, filled, placeholders
from rotator.policy.values import JSON, Language, parse
from rotator.visible import one_line

ROOT = Path(__file__).parents[2]
IN_GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/myResourceGroup/providers"
REGISTRY = f"{IN_GROUP}/Microsoft.ContainerRegistry/registries/mycontainerregistry"
GROUP = f"{IN_GROUP}/Microsoft.ContainerInstance/containerGroups/mycontainer"
MINIMAL = f"""\
principal: {{app_id: 5D3C0A52-0000-0000-0000-000000000000}}
registries: [{{id: {REGISTRY}}}]
key_vault: {{url: https://MyVault.vault.azure.net/, password_secret: pull-pwd}}
"""
LAUGHTER = "a0: &a0 [x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 8)}]\n" for i in range(1, 12)
)
MANIFEST = "name: mycontainer\nlocation: westeurope\nproperties: {containers: [{name: app}], "


def mistakes(directory: Path, policy: str, manifest: str | None = None) -> tuple[Mistake, ...]:
    """Return every mistake in a policy and in its manifest."""
    (directory / "a.yaml").write_text(
        policy + (f"container_groups: [{{id: {GROUP}, manifest: m/m.yaml}}]\n" if manifest is not None else "")
    )
    if manifest is not None:
        (directory / "m").mkdir()
        (directory / "m" / "m.yaml").write_text(manifest)
    with pytest.raises(PolicyError) as caught:
        load(directory)
    assert all(
        mistake.problem and mistake.remedy and one_line(str(mistake)) == str(mistake) and len(str(mistake)) < 2000
        for mistake in caught.value.mistakes
    )
    return caught.value.mistakes


def window(cron: str, more: str = "") -> str:
    return f"rotation: {{deploy_window: {{cron: '{cron}', duration: 4h{more}}}}}\n"


@pytest.mark.parametrize(
    ("text", "line", "path", "word"),
    {
        "a cron field of 200,000 items": (
            window(f"{','.join('59' for _ in range(200_000))} 2 * * *"),
            4,
            "rotation.deploy_window.cron",
            "longer than",
        ),
        "a cron field of one enormous number": (
            window("9" * 100_000 + " 2 * * *"),
            4,
            "rotation.deploy_window.cron",
            "longer than",
        ),
        "lists 100,000 levels deep": ("x: " + "[" * 100_000 + "]" * 100_000, 4, "", "nested too deeply"),
        "keys 100,000 levels deep": ("x: " + "{a: " * 100_000 + "}" * 100_000, 4, "", "nested too deeply"),
        "dashes 100,000 levels deep": ("x:\n " + "- " * 100_000 + "a\n", 5, "", "nested too deeply"),
        "questions 100,000 levels deep": ("? " * 100_000 + "a\n", 4, "", "nested too deeply"),
        "lines a thousand levels deep": (
            "x:\n" + "".join(" " * level + "a:\n" for level in range(1, 1000)),
            67,
            "",
            "nested too deeply",
        ),
        "aliases of aliases of aliases": (LAUGHTER, 4, "", "aliases that repeat too many values"),
        "a long text behind many aliases": (
            'a: &a "' + "x" * 500_000 + '"\nb: [' + ", ".join(["*a"] * 5000) + "]\n",
            4,
            "",
            "aliases that repeat too many values",
        ),
        "more mistakes than are read": (
            "".join(f"k{number}: 1\n" for number in range(300)),
            104,
            "",
            "200 more mistakes",
        ),
        "a NUL": ("x: a\0b\n", 4, "", "a character that YAML forbids"),
        "a NUL by an escape": ('x: "a\\0b"\n', 4, "x", "a character that is not allowed"),
        "half a character": ('x: "\\ud800"\n', 4, "x", "a character that is not allowed"),
        "a number of 9,000 digits": (
            f"rotation: {{validity: {'9' * 9000}}}\n",
            4,
            "rotation.validity",
            "not a valid number",
        ),
        "an infinite number": ("rotation: {validity: .inf}\n", 4, "rotation.validity", "not a valid number"),
        "an empty truth": ("discover: {redeploy: !!bool perhaps}\n", 4, "discover.redeploy", "not a valid number"),
        "an empty number": ("proof: {times: !!int ''}\n", 4, "proof.times", "not a valid number"),
        "a duration in exponents": ("rotation: {validity: 1e9d}\n", 4, "rotation.validity", "not a duration"),
        "a duration of fourteen digits": (
            "rotation: {validity: 99999999999999d}\n",
            4,
            "rotation.validity",
            "not a duration",
        ),
        "a duration of 9,000 digits": (
            f"rotation: {{validity: {'9' * 9000}d}}\n",
            4,
            "rotation.validity",
            "not a duration",
        ),
        "no time to renew, of a life that is none": (
            "rotation: {validity: x, renew_before: 0s, deploy_window: {cron: 0 2 * * *, duration: 4h}}\n",
            4,
            "rotation.renew_before",
            "too short",
        ),
        "a zone that leads elsewhere": (
            window("0 2 * * *", ", timezone: ../../etc/passwd"),
            4,
            "rotation.deploy_window.timezone",
            "not a time zone",
        ),
        "a zone that is a path": (
            window("0 2 * * *", ", timezone: /etc/passwd"),
            4,
            "rotation.deploy_window.timezone",
            "not a time zone",
        ),
        "a zone that is another one on each machine": (
            window("0 2 * * *", ", timezone: localtime"),
            4,
            "rotation.deploy_window.timezone",
            "not a time zone",
        ),
        "a zone that counts leap seconds": (
            window("0 2 * * *", ", timezone: right/UTC"),
            4,
            "rotation.deploy_window.timezone",
            "not a time zone",
        ),
        "a zone that is a directory": (
            window("0 2 * * *", ", timezone: America"),
            4,
            "rotation.deploy_window.timezone",
            "not a time zone",
        ),
        "a zone of 100,000 letters": (
            window("0 2 * * *", f", timezone: {'a' * 100_000}"),
            4,
            "rotation.deploy_window.timezone",
            "not a time zone",
        ),
        "a manifest with a name that no file has": (
            f"container_groups: [{{id: {GROUP}, manifest: {'m' * 100_000}}}]\n",
            4,
            "container_groups[0].manifest",
            "no such file",
        ),
        "a manifest that is a device": (
            f"container_groups: [{{id: {GROUP}, manifest: /dev/zero}}]\n",
            4,
            "container_groups[0].manifest",
            "no such file",
        ),
        "a key that begins like a step of the checker": ("$schema: policy.schema.json\n", 4, "$schema", "unknown key"),
        "a key that is called like one": ("'[key]': 1\n", 4, "[key]", "unknown key"),
        "a key that is called like another": ("proof: {$value: 1}\n", 4, "proof.$value", "unknown key"),
        "a name that a terminal would obey": ('"\\e[31m\\u202e": 1\n', 4, "\\x1b[31m\\u202e", "unknown key"),
    }.values(),
)
def test_what_nobody_writes_is_a_mistake_at_its_place(
    tmp_path: Path, text: str, line: int, path: str, word: str
) -> None:
    found = mistakes(tmp_path, MINIMAL + text)
    assert [
        mistake
        for mistake in found
        if word in mistake.problem and line == mistake.line and (not path or mistake.path == path)
    ], found


@pytest.mark.parametrize(
    "tail",
    [
        "\\n",
        "?x=1",
        "#x",
        "$(id)",
        "`id`",
        " x",
        "\\e[31m",
        "\\u202e",
        "/..",
        "%2e",
        "x" * 9000,
        "'",
        ";id",
        "/",
        "\\r",
        "\\t",
    ],
)
def test_an_id_that_would_mean_something_to_a_url_or_a_shell_is_refused(tmp_path: Path, tail: str) -> None:
    (mistake,) = mistakes(tmp_path, MINIMAL + f'container_groups: [{{id: "{GROUP}{tail}"}}]\n')
    assert (mistake.file, mistake.line, mistake.column, mistake.path) == (
        str(tmp_path / "a.yaml"),
        4,
        25,
        "container_groups[0].id",
    )
    assert mistake.value.startswith(f'"{GROUP}'[:60])
    assert (
        mistake.problem.startswith("not the ARM id of a container group: ")
        or mistake.problem == "not a valid name of a container group"
    )
    assert (
        "`az container show -g GROUP -n NAME --query id` prints:"
        " /subscriptions/<GUID>/resourceGroups/<group>/providers/" in mistake.remedy
    )


@pytest.mark.parametrize("tail", ["\\n", "?x=1", "$(id)", "/"])
def test_so_is_that_of_a_registry_or_a_workspace(tmp_path: Path, tail: str) -> None:
    text = MINIMAL.replace(REGISTRY, f'"{REGISTRY}{tail}"')
    workspace = f"{REGISTRY.partition('/Microsoft.')[0]}/Microsoft.OperationalInsights/workspaces/logs"
    place = "diagnostics/log_analytics/workspace_resource_id"
    text += f'container_groups: [{{id: {GROUP}, secrets: {{{place}: {{value: "{workspace}{tail}"}}}}}}]\n'
    assert [mistake.path for mistake in mistakes(tmp_path, text)] == [
        "registries[0].id",
        f"container_groups[0].secrets.{place}.value",
    ]
    (tmp_path / "a.yaml").write_text(text.replace(f'{tail}"', '"'))
    assert load(tmp_path)


@pytest.mark.parametrize("name", ["..", ".", "a/b", "my group", "a?x=1", "$(id)", "a\\n", "x" * 91, "ends."])
def test_so_is_one_in_such_a_resource_group(tmp_path: Path, name: str) -> None:
    text = MINIMAL.replace(REGISTRY, '"' + REGISTRY.replace("myResourceGroup", name) + '"')
    assert [mistake.path for mistake in mistakes(tmp_path, text)] == ["registries[0].id"]


@pytest.mark.parametrize("name", ["my.Group_(1)-x", "Größe", "x" * 90])
def test_names_that_azure_allows_are_accepted(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.yaml").write_text(MINIMAL.replace("myResourceGroup", name))
    assert load(tmp_path)


@pytest.mark.parametrize(
    ("text", "word"),
    {
        "lists 100,000 levels deep": ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        "ARM JSON 100,000 levels deep": (
            '{"resources": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}",
            "nested too deeply",
        ),
        "aliases of aliases": (LAUGHTER, "aliases that repeat too many values"),
        "a number to base 60 of 100,000 digits": (
            MANIFEST + "x: " + ":".join(["59"] * 100_000) + "}\n",
            "not a valid number",
        ),
        "numbers that JSON doesn't have": (MANIFEST + "x: .nan}\n", "not a valid number"),
        "a number beyond all bounds": (MANIFEST + "x: 1.0e+999}\n", "not a valid number"),
        "a placeholder that is opened 2,000 times": (
            MANIFEST + f'x: "{"${{ " * 2000}}}}}"}}\n',
            "not a known placeholder",
        ),
        "half a character": (MANIFEST + 'x: "\\ud800"}\n', "a character that is not allowed"),
        "a key of half a character": (MANIFEST + '"\\ud800": 1}\n', "a character that is not allowed"),
        "a NUL in a key": (MANIFEST + '"\\0": 1}\n', "a character that is not allowed"),
        "another name than that of an id without end": (
            "name: " + "n" * 9000,
            "not the name of the group in the policy",
        ),
    }.values(),
)
def test_so_is_what_nobody_writes_into_a_manifest(tmp_path: Path, text: str, word: str) -> None:
    found = mistakes(tmp_path, MINIMAL, text)
    assert [mistake for mistake in found if word in mistake.problem and mistake.file == f"{tmp_path}/m/m.yaml"], found


def test_a_document_of_more_keys_and_values_than_are_read_is_refused_where_they_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "MOST_NODES", 500)
    (mistake,) = mistakes(tmp_path, MINIMAL + "".join(f"k{number}: 1\n" for number in range(300)))
    assert (mistake.problem, mistake.line) == ("more than 500 keys and values", 246)


@pytest.mark.parametrize("each", ["&a{} x", "!!str x", '&a{} !!str "x"'])
def test_anchors_and_tags_count_as_much_as_what_they_are_put_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, each: str
) -> None:
    monkeypatch.setattr(nodes, "MOST_NODES", 500)
    (mistake,) = mistakes(
        tmp_path, MINIMAL + f"x: [{', '.join(each.replace('{}', str(number)) for number in range(260))}]\n"
    )
    assert mistake.problem == "more than 500 keys and values"


def test_a_manifest_that_many_groups_name_is_read_once_and_its_mistakes_are_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def counted(text: str, file: str, language: Language) -> Located:
        parsed.append(file)
        return parse(text, file, language)

    monkeypatch.setattr(manifest_file, "parse", counted)
    (tmp_path / "m").mkdir()
    groups = "".join(f"- {{id: {GROUP}{number}, manifest: m/m.yaml}}\n" for number in range(50))
    (tmp_path / "a.yaml").write_text(f"{MINIMAL}container_groups:\n{groups}")
    (tmp_path / "m" / "m.yaml").write_text("location: westeurope\nproperties: {containers: [{name: app}]}\n")
    (policy,) = load(tmp_path)
    assert [group.manifest and group.manifest.file for group in policy.container_groups] == [
        f"{tmp_path}/m/m.yaml"
    ] * 50
    assert len(parsed) == 1
    (tmp_path / "m" / "m.yaml").write_text("name: mycontainer7\nproperties: {containers: [{name: app}]}\n")
    with pytest.raises(PolicyError) as caught:
        load(tmp_path)
    told = [mistake.problem for mistake in caught.value.mistakes]
    assert (told.count("no location"), sum("not the name of the group in the policy" in each for each in told)) == (
        1,
        49,
    )


def test_a_placeholder_that_is_never_closed_is_a_text_found_in_one_pass() -> None:
    for text in ("${{ " * 200_000, "${{" + " " * 900_000, "a ${{ b"):
        assert placeholders(text) == []
        assert filled(text, lambda inside: "never") == text


def test_placeholders_are_replaced_once_and_one_alone_is_told_from_more() -> None:
    assert filled("a${{ x }}b${{y}}c", lambda inside: f"<{inside}${{{{ x }}}}>") == "a<x${{ x }}>b<y${{ x }}>c"
    assert [alone(text) for text in ("${{ x }}", "${{ x }} ", "${{x}}${{y}}", "x", "${{}}")] == [
        "x",
        None,
        None,
        None,
        "",
    ]


def test_numbers_and_characters_of_json_are_read_and_nothing_is_said_of_them(recwarn: pytest.WarningsRecorder) -> None:
    found = parse('{"a": 1e3, "b": -2.5E-1, "c": "\\ud83d\\ude00", "d": &x [1], "e": &y [2]}', "m.json", JSON)
    assert found.data == {"a": 1000.0, "b": -0.25, "c": "\N{GRINNING FACE}", "d": [1], "e": [2]}
    assert not found.mistakes
    assert not recwarn.list


def test_a_policy_is_yaml_1_2() -> None:
    text = "a: {b: https://contoso.com/x?y=1&z=?, c: d?}\nyes: no\n? e\n: [012, 0o12, 0x1F, 1e3, 1_000, 12:30, 2026-03-01, =, .5]\n"
    found = parse(text, "p.yaml")
    assert not found.mistakes
    assert found.data == {
        "a": {"b": "https://contoso.com/x?y=1&z=?", "c": "d?"},
        "yes": "no",
        "e": [12, 10, 31, 1000.0, "1_000", "12:30", "2026-03-01", "=", 0.5],
    }
    every = "".join(map(chr, range(0xE000, 0xF8FF)))
    assert parse(f"a: {every[:-1]}\nb: {{c: d?}}", "p.yaml").data == {"a": every[:-1], "b": {"c": "d?"}}
    with pytest.raises(PolicyError):
        parse(f"a: {every}\nb: {{c: d?}}", "p.yaml")
    assert parse("a: {b: 'c'}  # ?", "p.yaml").place(("a", "b")).column == 8


def test_a_window_that_is_open_for_years_costs_no_more_than_a_short_one() -> None:
    always = DeployWindow.model_validate(
        {"cron": "* * * * *", "duration": timedelta(days=3650), "timezone": "Europe/Paris"}
    )
    assert open_at(always, datetime(2026, 3, 1, tzinfo=UTC))


def test_a_secret_of_many_levels_is_no_object() -> None:
    assert not is_object("[" * 100_000)


# Mutations of the worked example

TOKENS = [
    *(
        "'",
        '"',
        "[",
        "]",
        "{",
        "}",
        ": ",
        "- ",
        "\n",
        "\n  ",
        "&a ",
        "*a",
        "!!bool ",
        "!!int ",
        "!!float ",
        "!x ",
        "<<: ",
        "? ",
        "| ",
        "%YAML 1.1\n",
    ),
    *(
        "---\n",
        "#",
        "\0",
        "\x07",
        "\x85",
        "\u2028",
        "\u202e",
        "\ufeff",
        '"\\ud800"',
        '"\\0"',
        "~",
        "1e999",
        ".inf",
        "9" * 5000,
        "99999999999999d",
    ),
    *(
        "1e9d",
        "-1",
        "0",
        "0s",
        "3650d",
        "../",
        "/dev/zero",
        "?x=1",
        "$(id)",
        "${{ ",
        "}}",
        "${{ keyvault:a }}",
        "\t",
        "\r",
        "principal",
        "manifest",
    ),
    *(
        "* * * * *",
        "0 0 31 2 *",
        "*/0 * * * *",
        "L",
        "SAT#1",
        "1-1000000",
        "[[" * 40,
        "12:30:45",
        "=",
        "[resourceGroup().location]",
        "manifests",
    ),
]
"""Tokens with a meaning for YAML, JSON, cron, URLs or shells."""
FILES = {
    name: (ROOT / "policies" / name).read_text() for name in ("mycontainerregistry.yaml", "manifests/nightly.yaml")
}
CHANGES = st.tuples(
    st.floats(0, 1, exclude_max=True),
    st.sampled_from([0, 0, 1, 5, 20, 200]),
    st.sampled_from(TOKENS) | st.text(max_size=3),
)


def mutated(text: str, changes: list[tuple[float, int, str]]) -> str:
    """Return the text with a few places overwritten, cut out or filled with other text."""
    for where, length, instead in changes:
        start = int(where * (len(text) + 1))
        text = text[:start] + instead + text[start + length :]
    return text


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(sorted(FILES)), st.lists(CHANGES, min_size=1, max_size=5))
def test_only_policy_errors_come_of_mutated_examples(changed: str, changes: list[tuple[float, int, str]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "manifests").mkdir()
        for name, text in FILES.items():
            (Path(directory) / name).write_text(mutated(text, changes) if name == changed else text)
        for mistake in told(Path(directory)):
            assert mistake.line > 0
            assert mistake.column > 0
            assert one_line(str(mistake)) == str(mistake)


def told(directory: Path) -> tuple[Mistake, ...]:
    try:
        load(directory)
    except PolicyError as error:
        return error.mistakes
    return ()
