"""Tests of the facts' coverage: each fact about an operation of the emulator has a test ``test_<id>_<sentence>`` in
this folder.

The ids are those of azure-facts (docs/azure-facts.md in rotator's repository), by letter and number: A container groups
as documented, B their REST, C Microsoft Graph, D Entra's token endpoint, E Key Vault's secrets, F role-based access
control, G registries, H throttling, J needs of clients.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

NUMBERED = {
    "a": range(4, 14),
    "b": range(1, 13),
    "c": range(1, 14),
    "d": range(1, 6),
    "e": range(1, 9),
    "f": range(1, 10),
    "g": range(1, 11),
}


def _ids() -> Iterator[str]:
    for letter, numbers in NUMBERED.items():
        yield from (f"{letter}{number}" for number in numbers)
    yield from ("h", "j")


FACTS = tuple(_ids())
APART = {
    "a1": "scripts of the documentation that az runs: tests/az/principals.sh and chain.sh do",
    "a2": "advice to people; what it says of passwords is c1, c7 and g3",
    "a3": "advice to people; its commands are in tests/az/containers.sh",
    "a14": "templates are evaluated by Resource Manager's deployments, which are not emulated",
    "a15": "a client's reading of a file",
    "i": "Azure Functions and Blob leases are not emulated",
}
"""Facts about no operation of the emulator, and the place of their tests."""


def named() -> set[str]:
    """Return the facts in the names of tests."""
    sources = "\n".join(file.read_text() for file in Path(__file__).parent.glob("test_[a-j]_*.py"))
    return set(re.findall(r"^(?:async )?def test_([a-j]\d*)_\w+", sources, re.MULTILINE))


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_has_a_test(fact: str) -> None:
    assert fact in named()


def test_no_test_is_named_after_a_fact_that_nobody_knows() -> None:
    words = {"a"}  # an article, as in "test_a_group_…"
    assert named() - words <= {*FACTS, *APART}
    assert not {*FACTS} & APART.keys()
