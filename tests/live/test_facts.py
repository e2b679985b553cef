"""Tests of the facts: each has a check that notices differences of Azure, or a reason why no API shows the fact."""

import re

import pytest

from live.claims import Outcome
from live.facts import CHECKS, UNSHOWN
from tests.live.broken import noticed, play
from tests.written import ROOT

IDS = re.findall(r"^### ([A-J]\d*)\.", (ROOT / "docs" / "azure-facts.md").read_text(), re.MULTILINE)
SAMPLE = ("A9", "A14", "C11", "E5", "F3", "G1", "H")
"""Facts whose first claim `make test` breaks; `make soak` breaks every claim of every fact."""


def test_every_fact_has_a_check_or_a_reason() -> None:
    assert sorted([*CHECKS, *UNSHOWN]) == sorted(IDS)
    assert all(reason.strip() for reason in UNSHOWN.values())


@pytest.mark.parametrize("fact", SAMPLE)
def test_a_breakage_is_noticed(fact: str) -> None:
    assert noticed(fact, 0)


@pytest.mark.soak
@pytest.mark.parametrize("fact", [*CHECKS])
def test_each_claim_of_a_fact_notices_a_breakage(fact: str) -> None:
    claims = [claim for claim in play(fact).found.claims if claim.outcome != Outcome.NOT_SEEN]
    assert claims
    first = {claim.words: number for number, claim in reversed([*enumerate(claims)])}
    assert [words for words, number in first.items() if not noticed(fact, number)] == []
