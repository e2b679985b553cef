"""The state of a fleet as one self-contained HTML page, for a browser, a phone and paper.

Rules for editors of this package:

1. The page sends no request: no address in it is loaded, and its Content-Security-Policy allows only its own style and
   script, by their hashes.
2. Names come from outside. All text goes through `markup`, which builds a tree; no markup is put together from text.
3. Without its script the page shows everything. The script only filters, opens and closes.
4. The most urgent policy is first, and says what to do before anything else.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element

from rotator.errors import RotatorError
from rotator.report.page.card import render_card, render_fold, top
from rotator.report.page.folding import Card, folded, state_of
from rotator.report.page.lines import time_lines
from rotator.report.page.markup import document, own, tag
from rotator.report.page.scale import Scale, time_scale
from rotator.report.status import ALARMING, Row, rows
from rotator.report.words import instant
from rotator.results import Preview, Previewed
from rotator.words import day

LEGEND = (
    ("valid", "valid"),
    ("due", "due for renewal"),
    ("was", "was current"),
    ("overlap", "overlap: old, still valid on purpose"),
    ("left", "old, to be removed"),
    ("foreign", "not ours"),
    ("compromised", "compromised"),
)
"""Parts of a bar, as the legend explains them."""


@dataclass(frozen=True, slots=True)
class Assets:
    """Style sheet and script of the page."""

    style: str
    script: str


def page(seen: Iterable[Previewed], assets: Assets, now: datetime) -> str:
    """Return the page. `now` is this machine's time, for when no policy could be seen."""
    known = dict(seen)
    found = rows(known.items())
    at = max((row.at for row in found if row.at), default=now)
    span = _scale(known.values(), at)
    cards = [each for shown in folded(found) for each in _cards(shown, known, span)]
    body = (_head(found, at), _filters(found), tag("main", top(span, _tools()), *cards), _foot(at))
    return document(_meta(assets), (_patterns(), *body, own("script", assets.script)))


def _cards(shown: Card, known: Mapping[str, Preview | RotatorError], span: Scale) -> Iterator[Element]:
    """Yield the card of a policy, and the folded part with those in the same trouble."""
    yield render_card(shown, known[shown.row.policy], span)
    if shown.folded:
        yield render_fold(shown, (render_card(Card(row), known[row.policy], span) for row in shown.folded))


def _scale(seen: Iterable[Preview | RotatorError], at: datetime) -> Scale:
    shown = [line for what in seen if not isinstance(what, RotatorError) for line in time_lines(what)]
    return time_scale(at, [line.start for line in shown], [line.end for line in shown])


def _meta(assets: Assets) -> Iterator[Element]:
    allowed = (
        f"default-src 'none'; style-src {_hash(assets.style)}; script-src {_hash(assets.script)}; base-uri 'none';"
        " form-action 'none'"
    )
    yield tag("meta", charset="utf-8")
    yield tag("meta", http_equiv="Content-Security-Policy", content=allowed)
    yield tag("meta", name="viewport", content="width=device-width, initial-scale=1")
    yield tag("meta", name="color-scheme", content="light dark")
    yield tag("meta", name="referrer", content="no-referrer")
    yield tag("title", "rotator: pull credentials")
    yield own("style", assets.style)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _head(found: Sequence[Row], at: datetime) -> Element:
    urgent = sum(row.standing in ALARMING for row in found)
    said = "1 policy needs a person" if urgent == 1 else f"{urgent or 'No'} policies need a person"
    seen = tag("time", day(at), datetime=instant(at) or "")
    many = "1 policy" if len(found) == 1 else f"{len(found)} policies"
    return tag(
        "header",
        tag("p", "rotator · pull credentials", class_="kicker"),
        tag("h1", said, class_="calm" if not urgent else "alarm"),
        tag("p", f"{many}, seen ", seen, ". Times are UTC.", class_="seen"),
    )


def _filters(found: Sequence[Row]) -> Element:
    counts = Counter(map(state_of, found))
    name = tag("input", type="search", id="name", placeholder="Filter by name", autocomplete="off", spellcheck="false")
    name.set("aria-label", "Filter by name")
    chips = [_chip(state, many) for state, many in counts.items()]
    states = tag("div", *chips, role="group", class_="states")
    states.set("aria-label", "Filter by state")
    return tag("form", name, states, id="filters", hidden="")


def _tools() -> Element:
    toggle = tag("button", "Open all", type="button", id="toggle")
    shown = tag("output", id="shown")
    shown.set("aria-live", "polite")
    return tag("div", shown, toggle, id="tools", hidden="")


def _chip(state: str, many: int) -> Element:
    name = state.replace(" ", "-")
    made = tag("button", state.capitalize(), " ", tag("b", str(many)), type="button", class_=f"chip {name}")
    made.set("data-state", name)
    made.set("aria-pressed", "false")
    return made


def _foot(at: datetime) -> Element:
    samples = [
        tag(
            "li",
            tag(
                "svg",
                tag("rect", class_=f"bar {kind}", x="0", y="2", width="100%", height="8"),
                width="28",
                height="12",
            ),
            text,
        )
        for kind, text in LEGEND
    ]
    now = tag("svg", tag("line", x1="14", x2="14", y1="0", y2="12", class_="now"), width="28", height="12")
    return tag(
        "footer",
        tag("h3", "Time lines"),
        tag("ul", *samples, tag("li", now, "the time of the look"), class_="legend"),
        tag("p", f"Written by rotator status --html at {day(at)}. It shows that moment; write it again for another."),
        tag("p", "No policy fits the filter.", id="none", hidden=""),
    )


def _patterns() -> Element:
    """Return the hatchings of bars: a state is told apart without its color, too."""
    made = tag("svg", width="0", height="0", class_="patterns")
    made.set("aria-hidden", "true")
    definitions = tag("defs")
    for name, turn in (("due", 45), ("overlap", -45), ("compromised", 45)):
        pattern = tag("pattern", id=f"hatch-{name}", width="6", height="6")
        pattern.set("patternUnits", "userSpaceOnUse")
        pattern.set("patternTransform", f"rotate({turn})")
        pattern.extend(
            [
                tag("rect", width="6", height="6", class_=f"ground {name}"),
                tag("rect", width="3" if name != "due" else "2", height="6", class_=f"stripe {name}"),
            ]
        )
        definitions.append(pattern)
    made.append(definitions)
    return made
