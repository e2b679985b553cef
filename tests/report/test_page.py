"""Tests of the page of a fleet, without a browser: its permitted resources, its texts, and names that never become
markup.
"""

import base64
import hashlib
import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from rotator.codes import WaitCode
from rotator.errors import Forbidden, Mistake, PolicyError
from rotator.report import many, page
from rotator.report.page.advice import FIRST
from rotator.report.page.lines import MEANING, CredentialRole, time_lines
from rotator.report.page.scale import Scale, time_scale
from rotator.report.status import Urgency
from rotator.steps import Wait
from tests.report.fleet import BY_HAND, COMPROMISED, OVERLAP, fleet, glanced, steady, version
from tests.worlds import TODAY, instant, key

ASSETS = page.Assets(*(files(page).joinpath(name).read_text("utf-8") for name in ("page.css", "page.js")))


class Read(HTMLParser):
    """Elements of a page with their attributes, and the text, without style and script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, str] = {}
        self.text, self.within = "", ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.within = tag

    def handle_endtag(self, tag: str) -> None:
        self.within = ""

    def handle_data(self, data: str) -> None:
        if self.within in ("style", "script"):
            self.raw[self.within] = self.raw.get(self.within, "") + data
        else:
            self.text += data


@pytest.fixture(name="read", scope="module")
def _read() -> Read:
    return Read(page.page(fleet(), ASSETS, TODAY))


def test_it_loads_nothing_and_allows_only_its_own_style_and_script(read: Read) -> None:
    loading = {"src", "href", "action", "srcset", "data", "poster", "formaction", "style", "background", "ping"}
    assert [each for each in read.elements if loading & set(each[1])] == []
    assert {tag for tag, _ in read.elements} & {
        "a",
        "link",
        "img",
        "iframe",
        "object",
        "base",
        "audio",
        "video",
    } == set()
    assert not re.search(r"url\((?!#)|@import|https?:", ASSETS.style)
    assert not re.search(r"fetch|XMLHttp|import\(|https?:|innerHTML|eval|WebSocket", ASSETS.script)
    metas = [given for tag, given in read.elements if tag == "meta"]
    assert metas[0] == {"charset": "utf-8"}
    assert {given.get("name") for given in metas} == {None, "viewport", "color-scheme", "referrer"}
    (allowed,) = [given["content"] for _, given in read.elements if given.get("http-equiv")]
    assert allowed
    hashes = {
        name: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for name, text in read.raw.items()
    }
    assert allowed == (
        f"default-src 'none'; style-src 'sha256-{hashes['style']}'; script-src 'sha256-{hashes['script']}';"
        " base-uri 'none'; form-action 'none'"
    )


def test_no_handler_is_in_the_markup_and_names_stay_text(read: Read) -> None:
    assert [name for _, given in read.elements for name in given if name.startswith("on")] == []
    assert sum(tag == "script" for tag, _ in read.elements) == 1
    assert "<img src=x onerror=hacked=1>" in read.text
    assert not {"\u202e", "\x1b", "\x00"} & set(read.text)
    assert "\\u202e" in read.text
    names = [given["data-name"] for _, given in read.elements if "data-name" in given]
    assert len(names) == len(fleet())
    assert any(name and name.startswith("</script><script>hacked") for name in names)


def dark(number: int) -> list[Any]:
    return [(f"dark-{n:03}", Forbidden("403 Forbidden", service="keyvault")) for n in range(number)]


def test_of_policies_in_one_trouble_the_first_is_open_and_of_many_the_others_are_folded() -> None:
    def parts(seen: list[Any]) -> tuple[int, int, int]:
        elements = Read(page.page(seen, ASSETS, TODAY)).elements
        kinds = [given.get("class") for tag, given in elements if tag == "details"]
        return sum("open" in given for _, given in elements), kinds.count("alike"), len(kinds) - kinds.count("alike")

    apart = [(name, Forbidden(f"refused {'x' * n}", service="keyvault")) for n, (name, _) in enumerate(dark(25))]
    assert [parts(dark(number)) for number in (1, many.FEW, 200)] == [(1, 0, 1), (1, 0, many.FEW), (1, 1, 200)]
    assert (parts(apart[: many.FEW]), parts(apart)) == ((many.FEW, 0, many.FEW), (many.FIRST, 0, 25))
    told = Read(page.page(dark(200), ASSETS, TODAY)).text
    assert "The same trouble: dark-001, dark-002, dark-003, dark-004, dark-005 and 194 more." in told
    assert told.count("195 more in the same trouble") == 1
    open_door = [(name, glanced(name, COMPROMISED)) for name, _ in dark(25)]
    assert parts(open_door) == (25, 0, 25)


def test_a_policy_with_mistakes_is_called_not_served_as_in_every_report() -> None:
    wrong = PolicyError((Mistake("policies/web.yaml", 1, 1, "principal", "1", "not a mapping", "write one"),))
    read = Read(page.page([("web", wrong), ("db", *[what for _, what in dark(1)])], ASSETS, TODAY))
    chips = [given["data-state"] for tag, given in read.elements if tag == "button" and "data-state" in given]
    assert sorted(map(str, chips)) == ["not-served", "unreadable"]
    assert "Not served 1" in read.text and "Unreadable 1" in read.text and "2 policies need a person" in read.text
    assert "Correct the policy's file." in read.text


def test_an_id_is_whole_where_it_stands_alone(read: Read) -> None:
    identity = "5d3c0a52-0000-4000-8000-00000000abcd"
    closed = Forbidden("no owner", service="graph", remedy=f"Make app id {identity} an owner, not `{identity}`.")
    assert Read(page.page([("web", closed)], ASSETS, TODAY)).text.count(identity) == 2
    for _, what in fleet():
        if not isinstance(what, Exception):
            assert all(
                credential.key_id in read.text
                for credential in what.view.observed.credentials
                if credential.live(TODAY)
            )


def test_the_most_urgent_is_first_and_open_and_every_state_says_what_to_do(read: Read) -> None:
    shown = [(given["data-state"], "open" in given) for tag, given in read.elements if tag == "details"]
    states = [state for state, _ in shown]
    assert states == sorted(states, key=lambda state: Urgency[str(state).upper()])
    assert set(states) == {standing.name.lower() for standing in Urgency}
    assert {state for state, opened in shown if opened} == {"compromised", "unreadable", "overdue", "blocked"}
    assert read.text.count("What to do") == len(shown)
    for standing in Urgency:
        assert FIRST[standing].partition("`")[0] in read.text
        assert standing.name.capitalize() in read.text
    assert "6 policies need a person" in read.text
    assert "rotator grant revoked-partner" in read.text
    assert "issue a new credential on the application" in read.text


def test_who_still_holds_the_old_one_is_said(read: Read) -> None:
    assert "held by pay-nightly" in read.text
    assert "Credential unknown: legacy." in read.text


def test_a_fleet_that_rests_is_calm_and_one_that_can_not_be_seen_is_written_too() -> None:
    calm = Read(page.page([("web", glanced("web", steady(3)))], ASSETS, TODAY))
    assert "No policies need a person" in calm.text
    assert [given.get("class") for tag, given in calm.elements if tag == "h1"] == ["calm"]
    dark = [(name, what) for name, what in fleet() if name == "warehouse"]
    assert "1 policy needs a person" in Read(page.page(dark, ASSETS, TODAY)).text
    assert "No policies" in Read(page.page([], ASSETS, TODAY)).text


class Told(HTMLParser):
    """Page as lines of text: one for each block, with the bars of the time lines."""

    BLOCKS = ("details", "summary", "div", "h1", "h3", "p", "li", "tr", "header", "footer")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.lines, self.silent = [""], False
        self.feed(text.partition("<body>")[2].partition("<script>")[0])
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.silent = tag == "title"
        if tag in self.BLOCKS and self.lines[-1].strip():
            self.lines.append("")
        if tag == "details":
            self.lines[-1] = f"== {given['class']}{' (open)' if 'open' in given else ''}"
        if tag == "rect" and "x" in given:
            self.lines[-1] += f" [{given['class']} {given['x']} + {given['width']}]"
        if tag == "svg" and "aria-label" in given:
            self.lines[-1] += f" {{{given['aria-label']}}}"
        if tag == "tr" and "class" in given:
            self.lines[-1] = f"{given['class']}:"
        if tag in ("text", "line") and "x" in given:
            self.lines[-1] += f" @{given['x']}:"

    def handle_endtag(self, tag: str) -> None:
        self.silent = False

    def handle_data(self, data: str) -> None:
        if not self.silent and data.strip():
            self.lines[-1] += f" {data.strip()}"


def test_it_reads_as_recorded() -> None:
    """ROTATOR_WRITE_PLANS=1 writes the record anew: read the difference, and look at the page in a browser."""
    told = "\n".join(line.strip() for line in Told(page.page(fleet(), ASSETS, TODAY)).lines if line.strip())
    recorded = Path(__file__).parent / "fleet.txt"
    if os.environ.get("ROTATOR_WRITE_PLANS"):
        recorded.write_text(f"{told}\n", encoding="utf-8")
    assert f"{told}\n" == recorded.read_text(encoding="utf-8"), "run it with ROTATOR_WRITE_PLANS=1, and read git diff"


# credentials as lines


def roles(case: dict[str, Any], **groups: Any) -> dict[str, CredentialRole]:
    found = time_lines(glanced("web", case, **groups))
    return {line.key_id.partition("0")[0]: line.role for line in found}


def test_each_credential_has_its_role_the_most_important_first() -> None:
    found = roles(COMPROMISED, **{"pay-nightly": {"when_finished": "wait"}})
    assert list(found.items()) == [("leaked", CredentialRole.COMPROMISED), ("cur", CredentialRole.CURRENT)]
    assert roles(OVERLAP) == {"cur": CredentialRole.CURRENT, "old": CredentialRole.OLD}
    assert roles(BY_HAND) == {"cur": CredentialRole.CURRENT, "hand": CredentialRole.FOREIGN}
    lost = {**steady(3), "credentials": [*steady(3)["credentials"], {"key": "lost", "start": "-2d", "end": "+80d"}]}
    assert roles(lost) == {"cur": CredentialRole.CURRENT, "lost": CredentialRole.UNNAMED}
    assert set(MEANING) == set(CredentialRole)


def test_the_current_one_is_due_before_its_end_and_the_old_one_overlaps_until_it_may_go() -> None:
    current, old = time_lines(glanced("web", OVERLAP))
    assert current.parts == (("valid", instant("-1d"), instant("+59d")), ("due", instant("+59d"), instant("+89d")))
    replaced, leaves = instant("-1d"), instant("+19h")
    assert old.parts == (
        ("was", instant("-61d"), replaced),
        ("overlap", replaced, leaves),
        ("left", leaves, instant("+29d")),
    )
    assert (current.holders, old.holders) == (("checkout-1", "checkout-2"), ())


def test_an_overlap_ends_with_its_own_wait_or_with_the_look() -> None:
    seen = glanced("web", OVERLAP)
    held = Wait(WaitCode.HELD, str(key("old")), "held", instant("+9d"))
    other = Wait(WaitCode.OVERLAP, str(key("elder")), "overlap", instant("+8d"))
    own = Wait(WaitCode.OVERLAP, str(key("old")).upper(), "overlap", instant("+7d"))
    for waits, until in (((held, other), TODAY), ((held, other, own), instant("+7d"))):
        _, old = time_lines(replace(seen, plan=replace(seen.plan, waits=waits)))
        assert [end for kind, _, end in old.parts if kind == "overlap"] == [until]


def test_one_that_has_ended_is_shown_while_something_holds_it() -> None:
    case = {
        "credentials": [{"key": "cur", "start": "-9d"}, {"key": "gone", "start": "-90d", "end": "-1d"}],
        "versions": [version("gone", "-90d"), version("cur", "-9d")],
    }
    held = {"groups": [{"id": "web", "holds": "gone", "since": "-90d"}]}
    assert key("gone") not in [line.key_id for line in time_lines(glanced("web", case))]
    assert key("gone") in [line.key_id for line in time_lines(glanced("web", {**case, **held}))]


# the scale


def test_the_look_is_always_inside_and_what_is_beyond_is_at_the_edge() -> None:
    for start, end in ((-1, 1), (-400, 3000), (-30, 90), (5, -5)):
        one = time_scale(TODAY, [TODAY + timedelta(days=start)], [TODAY + timedelta(days=end)])
        assert 0 < one.place(TODAY) < 100
        assert 0 <= one.place(TODAY + timedelta(days=start)) < one.place(TODAY + timedelta(days=400)) == 100
        assert one.end - one.begin <= timedelta(days=90 + 200 * 1.07)


def test_months_have_names_and_a_year_where_it_changes() -> None:
    begin = datetime(2026, 10, 20, tzinfo=UTC)
    one = Scale(begin, begin, begin + timedelta(days=140))
    assert [name for _, name in one.months()] == ["Nov", "Dec", "2027", "Feb", "Mar"]
    assert [at.day for at, _ in one.months()] == [1] * 5
    long = Scale(begin, begin, begin + timedelta(days=500))
    assert [name for _, name in long.months()][:4] == ["Nov", "Jan 2027", "Mar", "May"]
