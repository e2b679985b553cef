"""Parts of the documentation made from the code, and the program that writes them: ``make docs``.

A part stands between ``<!-- made: WHAT -->`` and ``<!-- end -->``. `tests/house/test_docs.py` makes each again and
compares.
"""

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, get_args

import pytest
from local_azure import seed
from local_azure.azure import Azure
from local_azure.cli import app as local
from local_azure.clock import Clock
from local_azure.services import build
from local_azure.wire import Route
from typer.testing import CliRunner

from rotator import events, guard
from rotator.cli.app import command_line
from rotator.plan import RULES
from rotator.policy.jsonschema import schema
from rotator.report import metrics
from tests import manual
from tests.cli.scene import NAME, PASSWORD, START, Said, Scene, make
from tests.codes import GUARD, KINDS, PLAN, TABLES, codes_by_rule, vetoed_steps

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "emulator").glob("*.md"),
        *(ROOT / "emulator" / "docs").glob("*.md"),
    ]
)
PROGRAMS = {"rotator": command_line(), "local-azure": local}
PART = re.compile(r"<!-- made: (?P<what>[^>]+?) -->\n.*?<!-- end -->", re.DOTALL)
STEP = "First rotation"
"""Heading in README.md whose commands are run, in order, in one world."""


def rewritten(text: str) -> str:
    """Return a document with every made part made again."""
    return PART.sub(lambda found: f"<!-- made: {found['what']} -->\n{made(found['what'])}\n<!-- end -->", text)


def made(what: str) -> str:
    """Return one part by the text of its mark: a kind and, for some, a name."""
    kind, _, whose = what.partition(" ")
    return MAKERS[kind](whose)


def help_of(verb: str, program: str = "rotator") -> str:
    """Return the output of ``rotator VERB --help``, on a terminal of 100 columns."""
    done = CliRunner(env={"COLUMNS": "100"}).invoke(PROGRAMS[program], [*verb.split(), "--help"], prog_name=program)
    return f"```text\n{done.stdout.rstrip()}\n```"


def folded_help(verb: str, program: str) -> str:
    """Return the output of ``--help``, folded away."""
    return f"<details><summary><code>{program} {verb}</code></summary>\n\n{help_of(verb, program)}\n\n</details>"


# the policy


def policy_fields(_: str) -> str:
    """Return a table of every key of a policy."""
    rows = [
        f"| `{path}` | {_default(field, required)} | {_sentence(field)} |"
        for path, field, required in _fields(schema(), "", required=True)
    ]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *rows])


def _fields(node: Mapping[str, Any], path: str, *, required: bool) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Yield every key below `node` as a dotted path, with its schema, and true for a required key."""
    target = _target(node)
    if path:
        yield path, {**target, **node}, required
    if "items" in target:
        yield from list(_fields(target["items"], f"{path}[]", required=False))[1:]
    for variant in target.get("oneOf", ()):
        yield from ((inner, field, False) for inner, field, _ in list(_fields(variant, path, required=False))[1:])
    for free in target.get("patternProperties", {}).values():
        yield from list(_fields(free, f"{path}.PATH", required=False))[1:]
    for name, inner in target.get("properties", {}).items():
        yield from _fields(inner, f"{path}.{name}" if path else name, required=name in target.get("required", ()))


def _target(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a node's own schema, without references and without the choice of null."""
    if "$ref" in node:
        return _target(schema()["$defs"][node["$ref"].rsplit("/", 1)[-1]])
    choices = [choice for choice in node.get("anyOf", ()) if choice.get("type") != "null"]
    return _target(choices[0]) if choices else node


def _default(field: Mapping[str, Any], required: bool) -> str:
    if required:
        return "**required**"
    shown = field.get("default")
    return (
        f"`{str(shown).lower() if isinstance(shown, bool) else shown}`"
        if shown not in (None, [], (), {}) and not isinstance(shown, dict)
        else ""
    )


def _sentence(field: Mapping[str, Any]) -> str:
    words = f" One of {', '.join(f'`{word}`' for word in field['enum'])}." if "enum" in field else ""
    example = next(iter(field.get("examples", ())), None)
    if example is None or "enum" in field or example == field.get("default") or len(str(example)) > 60:
        return f"{field.get('description', '')}{words}"
    return (
        f"{field.get('description', '')}{words} Example:"
        f" `{str(example).lower() if isinstance(example, bool) else example}`."
    )


# the events


def event_table(_: str) -> str:
    """Return a table of every event, with its fields in the JSON form."""
    rows = [f"| `{events.name(kind)}` | {_own(kind)} | {_said(kind)} |" for kind in told()]
    return "\n".join(["| event | fields of its own | meaning |", "|---|---|---|", *rows])


def told() -> tuple[type[events.Event], ...]:
    """Return every kind of event."""
    kinds = (found for found in vars(events).values() if isinstance(found, type) and issubclass(found, events.Event))
    return tuple(kind for kind in kinds if kind is not events.Event)


def _own(kind: type[events.Event]) -> str:
    common = {field.name for field in fields(events.Event)}
    return ", ".join(f"`{field.name}` {_type(field.type)}" for field in fields(kind) if field.name not in common)


def _type(annotation: Any) -> str:
    names = {
        "int": "number",
        "float": "number",
        "bool": "true or false",
        "datetime": "time",
        "tuple": "list of texts",
    }
    kinds = [one for one in get_args(annotation) or (annotation,) if isinstance(one, type) and one is not type(None)]
    if str(annotation).startswith("tuple"):
        return "list of texts"
    return "text" if issubclass(kinds[0], str) else names[kinds[0].__name__]


def _said(kind: type[events.Event]) -> str:
    return " ".join((kind.__doc__ or "").split())


# the codes


COLUMNS = {
    "reason": ("code", "step", "why the step is taken"),
    "wait": ("code", "what happened, and what it means", "what to do"),
    "note": ("code", "what happened, what it means, and what to do"),
    "veto": ("code", "steps", "why the step is refused", "what to do"),
    "failure": ("code", "what happened, and what it means", "what to do"),
}
"""Columns of the codes' tables, by kind."""


def code_table(kind: str) -> str:
    """Return a table of the codes of one kind, each with its explanation."""
    steps = vetoed_steps() if kind == "veto" else {}
    return _table(
        COLUMNS[kind], [(f"`{code}`", *([steps[code]] if steps else []), *code.cells) for code in TABLES[kind]]
    )


def rule_table(whose: str) -> str:
    """Return a table of the rules of plan or guard, each with its docstring and its codes."""
    modules, rules, first, kinds = {
        "plan": (PLAN, RULES, "rule", ("reason", "wait", "note")),
        "guard": (GUARD, guard.RULES, "check", ("veto",)),
    }[whose]
    order = [code.value for kind in kinds for code in KINDS[kind]]
    found = codes_by_rule([ROOT / "rotator" / module for module in modules], {rule.__name__ for rule in rules})
    rows = [
        (f"`{name}`", _summary(rule), " ".join(f"`{code}`" for code in sorted(found[name], key=order.index)))
        for name, rule in ((rule.__name__, rule) for rule in rules)
    ]
    return _table((first, "does", "with the codes"), rows)


def _summary(rule: object) -> str:
    return " ".join((rule.__doc__ or "").partition("\n\n")[0].split())


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (columns, *rows)).replace(
        "\n", f"\n|{'---|' * len(columns)}\n", 1
    )


# the rights


def role(which: str) -> str:
    """Return a custom role for ``az role definition create``, with the actions of the emulator's own role."""
    name, actions = {
        "operator": ("rotator operator", seed.OPERATOR_ACTIONS),
        "access": ("rotator access", seed.ACCESS_ACTIONS),
    }[which]
    body = {
        "Name": name,
        "IsCustom": True,
        "Actions": list(actions),
        "AssignableScopes": ["/subscriptions/SUBSCRIPTION"],
    }
    return f"```json\n{json.dumps(body, indent=2)}\n```"


# the first rotation


def transcript(command: str) -> str:
    """Return the output of a command of README's first rotation, run in order after the earlier ones."""
    return f"```text\n$ {command}\n{first_rotation()[command].out.rstrip()}\n```"


def first_rotation() -> dict[str, Said]:
    """Return the results of README's first rotation by ``rotator`` command, on virtual time, against the emulator in
    process.
    """
    text = (ROOT / "README.md").read_text()
    if text not in _played:
        _played.clear()
        _played[text] = _play(text)
    return _played[text]


_played: dict[str, dict[str, Said]] = {}


def commands(text: str) -> list[str]:
    """Return the ``rotator`` commands in the sh blocks below the heading of the first rotation."""
    section = text.partition(f"## {STEP}\n")[2].partition("\n## ")[0]
    return [line for line in shell_lines(section) if line.startswith("rotator ")]


def shell_lines(text: str) -> list[str]:
    """Return the lines of every sh block, with continued ones joined, and without comments."""
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    return [
        line.strip()
        for line in re.sub(r"\\\n\s*", "", blocks).splitlines()
        if line.strip() and not line.startswith("#")
    ]


def _play(text: str) -> dict[str, Said]:
    policy = re.findall(r"^```yaml\n(.*?)^```", text.partition(f"## {STEP}\n")[2], re.DOTALL | re.MULTILINE)[0]
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as directory:
        rotator = make(patch, Path(directory))
        rotator.azure.vaults.set("myvault", "mycontainerregistry-pull-usr", rotator.application.app_id)
        (app_id,) = re.findall(r"app_id: ([0-9a-f-]{36})", policy)
        (rotator.policies / f"{NAME}.yaml").write_text(policy.replace(app_id, rotator.application.app_id))
        results = {}
        for command in commands(text):
            if command in results:
                rotator.pass_(hours=25)
            said = rotator(*command.split()[1:])
            results[f"{command} # a day later" if command in results else command] = said
        return {command: _readable(rotator, said, app_id) for command, said in results.items()}


def _readable(rotator: Scene, said: Said, app_id: str) -> Said:
    """Return a result as README shows it: with short ids, and with the usual name of the directory of policies."""
    out = said.out.replace(f"{rotator.policies}{os.sep}", "policies/").replace(rotator.application.app_id, app_id)
    versions = [
        version.id
        for version in sorted(rotator.azure.vaults.versions("myvault", PASSWORD), key=lambda version: version.order)
    ]
    keys = [
        rotator.password.key_id,
        *(password.key_id for password in rotator.application.passwords if password.key_id != rotator.password.key_id),
    ]
    for nth, key_id in enumerate(keys, 1):
        out = out.replace(key_id, re.sub("[0-9a-f]", str(nth), key_id)).replace(key_id[:8], str(nth) * 8)
    for nth, version in enumerate(versions):
        out = out.replace(version, "ab"[nth] * 32)
    return Said(said.code, out, said.err, said.raised)


# the house and the emulator


def layers(_: str) -> str:
    """Return import-linter's layers, highest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    found = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return "\n".join(["```text", *(line.replace(" : ", " | ") for line in found), "```"])


def operations(_: str) -> str:
    """Return every operation of the emulator with its requests, in a folded table for each service."""
    routes = [
        route for service in build(Azure.build(Clock(START, lambda: 0.0))).services for route in service.table.routes
    ]
    services = sorted({route.operation.split(".")[0] for route in routes})
    return "\n\n".join(
        _service(name, [route for route in routes if route.operation.split(".")[0] == name]) for name in services
    )


def _service(name: str, routes: list[Route]) -> str:
    asked: dict[str, list[str]] = {}
    for route in sorted(routes, key=lambda route: (route.operation, route.method, route.template)):
        asked.setdefault(route.operation, []).append(f"`{route.method} {route.template or '/'}`")
    rows = [f"| `{operation}` | {'<br>'.join(requests)} |" for operation, requests in asked.items()]
    head = f"<details><summary><code>{name}</code>: {len(asked)} operations</summary>"
    return "\n".join(
        [head, "", "| operation, as `local-azure fault` takes it | requests |", "|---|---|", *rows, "", "</details>"]
    )


# the metrics


def metric_table(_: str) -> str:
    """Return a table of every metric, with the help lines of the file."""
    rows = [
        f"| `{name}` | {'' if name in metrics.FLEET else '`policy`'} | {meaning} |"
        for name, meaning in metrics.HELP.items()
    ]
    return "\n".join(["| metric | label | |", "|---|---|---|", *rows])


MAKERS: Mapping[str, Callable[[str], str]] = {
    "codes": code_table,
    "rules": rule_table,
    "help": help_of,
    "local-help": partial(help_of, program="local-azure"),
    "local-folded": partial(folded_help, program="local-azure"),
    "policy": policy_fields,
    "events": event_table,
    "metrics": metric_table,
    "role": role,
    "layers": layers,
    "operations": operations,
    "run": transcript,
}


def main() -> None:
    """Write every made part of every document, and the manual page."""
    for document in DOCUMENTS:
        document.write_text(rewritten(document.read_text()))
    manual.FILE.write_text(manual.page())


if __name__ == "__main__":
    main()
