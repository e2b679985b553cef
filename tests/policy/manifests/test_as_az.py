"""A YAML manifest is read as `az container create --file` reads it: equal bodies, or a mistake where az fails."""

import copy
from typing import Any

import pytest

from rotator.policy.manifest_file import Read
from rotator.resource_id import ArmId
from tests.container_group.documents import group_id
from tests.policy.manifests import az, corpus

EACH = 30


def read(text: str, name: str = "web") -> tuple[dict[str, Any] | None, list[str]]:
    """The body that is sent, and the mistakes as a person sees them."""
    found = Read.of(text, "m.yaml")
    made, own = found.manifest(ArmId(group_id(name)))
    body = dict(copy.deepcopy(made.document)) if made else None
    for unsent in ("name", "type", "apiVersion"):
        (body or {}).pop(unsent, None)
    return body, [str(one) for one in (*found.mistakes, *own)]


@pytest.mark.parametrize("kind", corpus.KINDS, ids=lambda kind: kind.__name__)
def test_the_body_is_the_one_that_az_sends(kind: Any) -> None:
    listed = [(name, text) for name, text in corpus.documents(7, EACH, "web") if name.startswith(kind.__name__)]
    assert len({text for _, text in listed}) >= 20
    for name, text in listed:
        body, mistakes = read(text)
        assert (name, mistakes) == (name, []), text
        assert body == az.body(text), f"{name}\n{text}"


@pytest.mark.parametrize("value", corpus.SCALARS)
def test_each_scalar_is_what_az_takes_it_for(value: str) -> None:
    text = f"name: web\nlocation: westeurope\nproperties:\n  containers: [{{name: app}}]\n  x:\n  - {value}\n  - {{k: {value} }}\n"
    body, mistakes = read(text)
    assert (body, mistakes) == (az.body(text), [])


@pytest.mark.parametrize("value", corpus.UNSENT)
def test_what_az_cannot_send_is_a_mistake_at_its_place(value: str) -> None:
    text = f"name: web\nlocation: westeurope\nproperties:\n  containers: [{{name: app}}]\n  x: {value}\n"
    assert az.body(text) is None
    body, (mistake,) = read(text)
    assert body is None
    assert mistake.startswith(("m.yaml:5:6: properties.x", "m.yaml:5:7: properties.x[0]"))


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("a: &a {<<: *a}\n", 1, "of what they are part of"),
        ("a: &a {<<: [*a, *a, *a]}\n", 1, "of what they are part of"),
        ("a: {<<: 1}\n", 1, "a merge (<<) of what isn't keys"),
        ("a: {<<: [x]}\n", 1, "a merge (<<) of what isn't keys"),
        ("a: &a [*a]\n", 1, "an alias of something that it is part of"),
        ("? [a, b]\n: 1\n", 1, "a key that isn't a text"),
        ("? {a: 1}\n: 1\n", 1, "a key that isn't a text"),
        ("a: &x 1\nb: &x 2\n", 2, "an anchor of a name that another has"),
        ("a: !x {b: 1}\n", 1, "a YAML tag"),
        ("a: *nowhere\n", 1, "not YAML: found undefined alias"),
        ("2024-13-45: 1\n", 1, "not a date that there is"),
    ],
)
def test_what_az_cannot_read_is_a_mistake_at_its_place(text: str, line: int, word: str) -> None:
    _, mistakes = read(text)
    assert [one for one in mistakes if one.startswith(f"m.yaml:{line}:") and word in one], mistakes


def test_merges_of_merges_are_counted_before_they_are_made() -> None:
    levels = "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], k{n}: 1}}\n" for n in range(1, 12))
    _, mistakes = read(f"a0: &a0 {{a: 1, b: 2, c: 3}}\n{levels}")
    assert [one for one in mistakes if "merges (<<) that repeat too much" in one]
    chain = "".join(f"a{n}: &a{n} {{<<: *a{n - 1}, k{n}: 1}}\n" for n in range(1, 300))
    _, mistakes = read(f"x-list: &a0 {{a: 1}}\n{chain}")
    assert [one for one in mistakes if "repeat too much" in one]
    hidden = "".join(f"  - &b{n} {{<<: *b{n - 1}}}\n" for n in range(1, 300))
    _, mistakes = read(f"a:\n  - &b0 {{a: 1}}\n{hidden}a: *b299\n")
    assert [one for one in mistakes if "of too many levels" in one]
