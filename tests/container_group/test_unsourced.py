"""Tests of every hidden value in the corpus, one by one, without a source: `rotator rotate` refuses before any write,
and prints the remedy.
"""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from rotator.policy.secret_rules import WORKSPACE_ID
from tests.cells import cell
from tests.cli.scene import NAME, PASSWORD, Said, Scene, make
from tests.container_group.grown import Values, bare, hidden_values, in_vault
from tests.container_group.stored import NAMES, corpus, corpus_of, deployed, sourced

INSIDE = "inside-only"
"""Group without a registry entry. Unless the policy gives it the password, it isn't the principal's, and is not
redeployed.
"""
HIDING = [name for name in NAMES if name != INSIDE and hidden_values(corpus()[name], "APP_ID", "the-principals-own")]


def volume(path: str) -> str | None:
    """Return the secret volume of a file's path: all files of a volume are one hidden value."""
    return path.rpartition("/")[0] if path.split("/")[2:3] == ["secret"] else None


def unseen(values: Values) -> list[str]:
    """Return the values that may lack a source: one for all files of a volume."""
    return [
        path
        for nth, path in enumerate(values)
        if volume(path) not in {volume(other) or "" for other in list(values)[:nth]}
    ]


def without(values: Values, path: str) -> Values:
    return {
        each: value
        for each, value in values.items()
        if each != path and not (volume(path) and volume(each) == volume(path))
    }


def write(made: Scene, said: dict[str, Any]) -> Path:
    """Write the policy as a file that ends with the lines of the group."""
    content = {
        "principal": {"app_id": made.application.app_id},
        "registries": [{"id": made.seeded.registry_id}],
        "key_vault": {"url": made.seeded.vault_url, "password_secret": PASSWORD},
        "proof": {"times": 1, "over": "0s"},
        "container_groups": [{"id": said["id"], **({"secrets": said["secrets"]} if said["secrets"] else {})}],
    }
    file, yaml = made.policies / f"{NAME}.yaml", YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 4000
    with file.open("w") as opened:
        yaml.dump(content, opened)
    return file


def paste(made: Scene, file: Path, remedy: str, values: Values, path: str) -> None:
    """Follow the message: put each value into the vault under the name in the lines, and paste the lines."""
    lines = [line for each in remedy.splitlines()[1:] for line in completed(made, each, values, path)]
    file.write_text(file.read_text() + "\n".join(lines) + "\n")


def completed(made: Scene, line: str, values: Values, path: str) -> Iterator[str]:
    """Yield a line of the message, completed as a person must."""
    value, said = values[path]
    if WORKSPACE_ID in line and said.get("value") not in (None, "none"):
        line = line.replace("# ", "").partition("{")[0] + f"{{value: {value}}}" if line.lstrip().startswith("#") else ""
    names = [each for each in values if volume(each) == volume(path)] if "/FILE" in line else []
    for nth, each in enumerate(names):
        content, secret = base64.b64decode(values[each][0]), f"-file-{nth}"
        text = content.isascii() and content.decode().isprintable()
        keep(
            made,
            one := line.replace("/FILE", "/" + each.rpartition("/")[2]).replace("-FILE", secret),
            content.decode() if text else values[each][0],
        )
        yield one if text else one.replace("}", ", base64: true}")
    if not names:
        keep(made, line, value)
        yield line


def keep(made: Scene, line: str, value: str) -> None:
    for secret in re.findall(r"key_vault: ([0-9a-zA-Z-]+)", line):
        made.azure.vaults.set("myvault", secret, value)


def rotate(made: Scene) -> Said:
    return made("rotate", "--force", "--no-overlap", "--output", "json")


def writes(made: Scene, since: int) -> list[str]:
    """Return the operations that change Azure; requests for tokens and manifests don't."""
    called = (call for call in made.app.served[since:] if call.method not in ("GET", "HEAD"))
    return [call.operation for call in called if not call.operation.startswith(("entra.", "acr."))]


def alone(made: Scene, name: str) -> tuple[Values, dict[str, Any]]:
    """Deploy a single group of the corpus; return its hidden values, and the stored group."""
    document = corpus_of(made, made.password.secret)[name]
    made.azure.container_groups.delete(made.group_id())
    return (
        hidden_values(document, made.application.app_id, made.password.secret),
        deployed(made, {name: document})[name],
    )


@pytest.mark.share(2)
@pytest.mark.parametrize(
    ("name", "stride"),
    [cell(name, stride, name=f"{name}-{stride}", soak=stride == 1) for name in HIDING for stride in (2, 1)],
)
def test_each_value_without_a_source_is_refused_before_any_write_and_the_message_s_lines_mend_it(
    name: str, stride: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = make(monkeypatch, tmp_path)
    values, stored = alone(made, name)
    before = bare(stored, made.application.app_id, made.password.secret)
    write(made, sourced(made, name, values))
    assert made("adopt", NAME).code == 0
    for path in unseen(values)[::stride]:
        made.pass_(hours=1)
        mended(made, name, values, path)
        published = made.azure.vaults.get("myvault", PASSWORD).value
        assert (
            bare(made.azure.container_groups.stored(made.group_id(name)), made.application.app_id, published) == before
        )
    assert made.azure.container_groups.refused == []


def mended(made: Scene, name: str, values: Values, path: str) -> None:
    file, since = write(made, sourced(made, name, without(values, path))), len(made.app.served)
    said = rotate(made)
    assert (said.code, writes(made, since)) == (3, [])
    (veto,) = said.json["policies"][0]["vetoes"]
    assert veto["code"] == "hidden_values"
    assert values[path][0] not in said.out + said.err or not in_vault(values[path][1])
    paste(made, file, veto["remedy"], values, path)
    since = len(made.app.served)
    said = rotate(made)
    assert (said.code, "aci.containerGroups.createOrUpdate" in writes(made, since)) == (0, True), said.out + said.err


def test_a_group_that_nothing_gives_the_password_to_is_left_alone_with_all_that_it_hides(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = make(monkeypatch, tmp_path)
    _, stored = alone(made, INSIDE)
    write(made, {"id": made.group_id(INSIDE), "secrets": {}})
    since = len(made.app.served)
    assert rotate(made).code == 0
    assert "aci.containerGroups.createOrUpdate" not in writes(made, since)
    assert made.azure.container_groups.stored(made.group_id(INSIDE)) == stored
