"""Tests of facts about Azure, cited by their ids in docs/azure-facts.md: each has a source, and each about the emulator
has a test.
"""

import re
import runpy
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.written import DOCUMENTS, ROOT

pytestmark = pytest.mark.xdist_group("facts")  # they read the same files

PAGE = ROOT / "docs" / "azure-facts.md"
FACT = re.compile(
    r"^### (?P<id>[A-J]\d*)\. .+?\n\n(?P<text>.*?)\n\nSource: (?P<source>.*?)\n\n", re.DOTALL | re.MULTILINE
)
ID = r"[A-J]\d*\b"
CITATION = re.compile(rf"azure-facts\s+({ID}(?:(?:,| and| to)\s+{ID})*)")
OTHERWISE = re.compile(r"(?<!azure-)\b[Ff]acts? [A-J]\d*\b|\b[A-HJ]\d{1,2}\b")
"""Citation of a fact in another form. I1 to I10 are invariants, not facts."""


def ids() -> list[str]:
    return re.findall(rf"^### ({ID})", PAGE.read_text(), re.MULTILINE)


def sources() -> Iterator[Path]:
    for folder in ("rotator", "live", "emulator", "tests"):
        yield from (ROOT / folder).rglob("*.py")


@cache
def prose(file: Path) -> str:
    """Return the comments and docstrings of a module with citations, as one text."""
    if not any(each.search(re.sub(r"\s+#", " ", file.read_text())) for each in (CITATION, OTHERWISE)):
        return ""
    with file.open("rb") as opened:
        found = [token.string for token in tokenize.tokenize(opened.readline) if _is_prose(token)]
    return "\n".join(text.removeprefix("#") for text in found)


def _is_prose(token: tokenize.TokenInfo) -> bool:
    return token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.string.startswith('"""'))


def cited(text: str) -> set[str]:
    """Return the ids in every citation of a text, ranges written out."""
    return {fact for found in CITATION.finditer(text) for fact in _listed(found[1])}


def _listed(ids: str) -> Iterator[str]:
    for part in re.split(r"(?:,| and)\s+", ids):
        first, _, last = (word.strip() for word in part.partition(" to "))
        yield first
        if last:
            assert first[0] == last[0], part
            yield from (f"{first[0]}{number}" for number in range(int(first[1:]) + 1, int(last[1:]) + 1))


def test_a_list_and_a_range_of_facts_name_each_of_them() -> None:
    assert cited("azure-facts B3 to B6, A11; azure-facts\n    A10 and H: C1") == {
        "B3",
        "B4",
        "B5",
        "B6",
        "A11",
        "A10",
        "H",
    }


def test_every_fact_has_a_text_and_a_public_source() -> None:
    facts = list(FACT.finditer(PAGE.read_text() + "\n\n"))
    assert [fact["id"] for fact in facts] == ids()
    assert [
        fact["id"] for fact in facts if not re.search(r"\]\(https://|\b(observed|reported)\b", fact["source"])
    ] == []


def test_the_facts_are_those_that_the_emulator_has_tests_for() -> None:
    known = runpy.run_path(str(ROOT / "emulator" / "tests" / "facts" / "test_every_fact.py"))
    assert sorted(ids()) == sorted(fact.upper() for fact in (*known["FACTS"], *known["APART"]))


@pytest.mark.parametrize("files", [[*sources()], DOCUMENTS], ids=["code", "documents"])
def test_every_citation_leads_to_a_fact(files: list[Path]) -> None:
    texts = {str(file.relative_to(ROOT)): prose(file) if file.suffix == ".py" else file.read_text() for file in files}
    found = {name: cited(text) - set(ids()) for name, text in texts.items()}
    assert {name: missing for name, missing in found.items() if missing} == {}


def test_facts_are_cited_in_one_way() -> None:
    found = {
        str(file.relative_to(ROOT)): OTHERWISE.findall(CITATION.sub("", prose(file)))
        for file in sources()
        if file != Path(__file__)
    }
    assert {name: others for name, others in found.items() if others} == {}
