"""Tests of randomly damaged manifests: each is a manifest or a mistake at its place; the reader raises no other
error.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotator.policy.manifest_file import Read
from rotator.resource_id import ArmId
from tests.container_group.documents import group_id
from tests.policy.manifests import corpus

PUBLISHED = Path(__file__).parents[2] / "cli" / "published"
SIGNS = [
    *("[", "]", "{", "}", ":", " ", "\n", "- ", "&a ", "*a", "<<: ", "!!int ", "'", '"', "\\", "#", "//", "/*", "*/"),
    *("\t", "? ", "| ", "> ", "%", "@", "${{ ", "}}", "1e999", ".inf", "=", "~", "\0", "\ud800", "é", "[[", "()"),
    *("2024-13-45", "null", "copy", "[parameters('x')]", "[concat(", "[resourceId('a/b', 'c')]", "resources", "type"),
]
NAMES = ["name", "properties", "containers", "type", "value", "location", "resources", "parameters", "1"]
EACH = 200


def spoiled(seed: int) -> Iterator[str]:
    whole = [text for _, text in corpus.documents(seed, 2, "web")]
    whole += [file.read_text() for file in sorted(PUBLISHED.iterdir())]
    for number in range(EACH):
        drawn = corpus.Drawn(f"{seed}/{number}")
        text = drawn.choice(whole)
        for _ in range(int(drawn.choice("12345"))):
            at = int("".join(drawn.choice("0123456789") for _ in range(6))) % (len(text) + 1)
            match drawn.choice(["insert", "cut", "repeat", "rename"]):
                case "insert":
                    text = text[:at] + drawn.choice(SIGNS) + text[at:]
                case "cut":
                    text = text[:at] + text[at + int(drawn.choice("123456789")) * 3 :]
                case "repeat":
                    text = text[: at + 150] + text[at:]
                case _:
                    text = text.replace(drawn.choice(NAMES), drawn.choice(SIGNS), 1)
        yield text


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 60))])
def test_a_spoiled_file_is_a_manifest_or_a_mistake(seed: int) -> None:
    for text in spoiled(seed):
        found = Read.of(text, "m")
        made, own = found.manifest(ArmId(group_id("web")))
        assert bool(made) != bool(found.mistakes or own), text
        assert all(one.problem and one.remedy and one.line >= 1 for one in (*found.mistakes, *own)), text
        json.dumps(dict(made.document) if made else {}, allow_nan=False)
