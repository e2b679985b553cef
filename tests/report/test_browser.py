"""Tests of the page in a real browser: it opens, filters by keyboard and mouse, fits a phone and paper, and reports no
error.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotator.report import page
from tests.report.browser import Page, browser
from tests.report.fleet import fleet
from tests.report.test_page import ASSETS
from tests.worlds import TODAY

pytestmark = pytest.mark.xdist_group("browser")
SHOWN = "[...document.querySelectorAll('details.policy')].filter(e => e.offsetHeight > 0).map(e => e.dataset.state)"
NAMES = "[...document.querySelectorAll('details.policy')].filter(e => e.offsetHeight > 0).map(e => e.dataset.name)"
BROKEN = """[...document.querySelectorAll('.groups td:first-child')].filter(e => {
  const text = document.createRange()
  text.selectNodeContents(e)
  return e.offsetHeight > 0 && e.textContent.length < 25 && text.getClientRects().length > 1
}).map(e => e.textContent)"""
"""Names of container groups that don't stand in one line."""
CUT = """(() => {
  const name = [...document.querySelectorAll('.top text')].at(-1), drawing = name.closest('svg')
  name.setAttribute('x', '93.9%')
  const edge = getComputedStyle(drawing).overflow === 'visible' ? drawing.closest('main') : drawing
  return name.getBoundingClientRect().right > edge.getBoundingClientRect().right
})()"""
"""Whether a month's name at the last place that is named would be cut."""
ALL = len(fleet())
PICTURES = os.environ.get("ROTATOR_PICTURES")
"""Directory for pictures of the page; none are kept without it."""


@pytest.fixture(name="file", scope="module")
def _file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("page") / "fleet.html"
    made.write_text(page.page(fleet(), ASSETS, TODAY), encoding="utf-8")
    return made


@pytest.fixture(name="shown", scope="module")
def _shown(tmp_path_factory: pytest.TempPathFactory, file: Path) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as made:
        made.size(1280, 900)
        yield made


def test_it_opens_filters_and_asks_nobody(shown: Page, file: Path) -> None:
    shown.open(file)
    assert shown.js("document.getElementById('shown').textContent") == f"{ALL} shown"
    assert len(shown.js(SHOWN)) == ALL
    shown.click("#name")
    shown.write("PAY api")
    assert shown.js(NAMES) == ["payments-api"]
    assert shown.js("document.getElementById('shown').textContent") == f"1 of {ALL} shown"
    shown.write(" nothing such")
    assert (shown.js(NAMES), shown.js("document.getElementById('none').offsetHeight > 0")) == ([], True)
    shown.call("Input.dispatchKeyEvent", type="keyDown", key="Escape")
    assert len(shown.js(NAMES)) == ALL
    shown.click("button.chip.overdue")
    shown.click("button.chip.blocked")
    assert shown.js(SHOWN) == ["overdue", "overdue", "blocked"]
    shown.click("button.chip.blocked")
    assert shown.js("location.hash") == "#state=overdue"
    shown.open(file, "#state=due,waiting&name=r")
    assert shown.js(SHOWN) == ["due", "waiting", "waiting"]
    assert shown.js("document.getElementById('name').value") == "r"
    assert shown.complaints() == []
    assert shown.requests() <= {file.as_uri(), "about:blank"}
    assert file.as_uri() in shown.requests()


def test_policies_open_and_close_one_by_one_and_all_at_once(shown: Page, file: Path) -> None:
    opened = "document.querySelectorAll('details[open]').length"
    shown.open(file)
    assert shown.js(opened) == 6
    shown.click("details.resting summary")
    assert shown.js(opened) == 7
    shown.click("#toggle")
    assert (shown.js(opened), shown.js("document.getElementById('toggle').textContent")) == (0, "Open all")
    shown.click("#toggle")
    assert shown.js(opened) == ALL
    assert shown.complaints() == []


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_it_fits_every_width_in_light_and_dark_and_says_now_beside_today(shown: Page, file: Path, width: int) -> None:
    shown.size(width, 900)
    for scheme in ("light", "dark"):
        shown.look(scheme=scheme)
        shown.open(file)
        assert shown.js("document.documentElement.scrollWidth") == width
        wide = "[...document.querySelectorAll('main *')].filter(e => !e.closest('svg, .groups')).filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.className)"
        assert shown.js(wide) == []
        assert shown.js("document.querySelector('summary svg').getBoundingClientRect().width > 120")
        assert (shown.js(BROKEN), shown.js(CUT)) == ([], False)
        if PICTURES:
            shown.picture(Path(PICTURES) / f"{width}-{scheme}.png")
    shown.look()
    shown.size(1280, 900)
    assert shown.complaints() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(shown: Page, file: Path, scheme: str) -> None:
    shown.look(scheme=scheme)
    shown.open(file, "#state=compromised,unreadable,overdue,blocked,due,waiting,resting,revoked")
    shown.js("for (const each of document.querySelectorAll('details')) each.open = true")
    poor = (Path(__file__).parent / "contrast.js").read_text().strip()
    assert shown.js(f"{poor}(4.5)") == []
    assert len(shown.js(f"{poor}(21)")) > 50
    shown.look()


def test_it_prints_without_its_controls_on_white(shown: Page, file: Path) -> None:
    shown.open(file)
    shown.look(media="print", scheme="dark")
    assert shown.js("getComputedStyle(document.getElementById('filters')).display") == "none"
    assert shown.js("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert shown.js("getComputedStyle(document.querySelector('h2')).color") == "rgb(0, 0, 0)"
    if PICTURES:
        shown.size(794, 1123)
        shown.picture(Path(PICTURES) / "print.png")
        shown.size(1280, 900)
    shown.look()


def test_without_its_script_everything_is_there(shown: Page, file: Path) -> None:
    shown.call("Emulation.setScriptExecutionDisabled", value=True)
    shown.open(file)
    assert len(shown.js(NAMES)) == ALL
    assert shown.js("document.getElementById('filters').offsetHeight") == 0
    shown.call("Emulation.setScriptExecutionDisabled", value=False)
    assert shown.complaints() == []


def test_a_name_runs_nothing_and_what_is_put_into_the_page_by_force_is_refused(shown: Page, file: Path) -> None:
    shown.open(file)
    assert shown.js("typeof hacked") == "undefined"
    shown.js(
        'document.body.insertAdjacentHTML(\'beforeend\', \'<img src="https://example.invalid/x" onerror="hacked=1"><p style="color:red">x</p>\')'
    )
    shown.js("document.body.append(Object.assign(document.createElement('script'), {textContent: 'hacked=1'}))")
    assert shown.js("typeof hacked") == "undefined"
    refused = [event["params"]["entry"]["text"] for event in shown.complaints() if event["method"] == "Log.entryAdded"]
    assert any("Content Security Policy" in text for text in refused)
    assert all("example.invalid" not in address or "blocked" in str(shown.events) for address in shown.requests())
