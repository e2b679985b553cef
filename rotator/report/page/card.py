"""One policy on the page: a line with its state and time line, and below it what to do and who holds what."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from xml.etree.ElementTree import Element

from rotator.container_group import Dependent
from rotator.errors import PolicyError, RotatorError
from rotator.report.many import listed
from rotator.report.page.advice import advise, label
from rotator.report.page.folding import NOT_SERVED, Card, state_of
from rotator.report.page.lines import MEANING, CredentialLine, time_lines, unsaid
from rotator.report.page.markup import code, tag
from rotator.report.page.scale import Scale
from rotator.report.status import Row, Urgency
from rotator.results import Preview
from rotator.words import day, days

MOST = 4
"""Credentials in the narrow time line of a closed policy."""
HEIGHT, GAP = 8, 4
"""Height of a bar and the space between two, in pixels."""


def render_card(shown: Card, seen: Preview | RotatorError, scale: Scale) -> Element:
    """Return the part of the page about one policy."""
    row, state = shown.row, state_of(shown.row).replace(" ", "-")
    found = () if isinstance(seen, RotatorError) else time_lines(seen)
    made = tag("details", _summary(row, found, scale), _body(shown, seen, found, scale), class_=f"policy {state}")
    made.set("data-state", state)
    made.set("data-name", row.policy.lower())
    if shown.is_open:
        made.set("open", "")
    return made


def render_fold(shown: Card, cards: Iterable[Element]) -> Element:
    """Return the folded part with the further policies in the trouble of those above."""
    many = tag("b", str(len(shown.folded)))
    return tag("details", tag("summary", many, " more in the same trouble"), *cards, class_="alike")


def _summary(row: Row, found: Sequence[CredentialLine], scale: Scale) -> Element:
    ends, due = _ends(row)
    return tag(
        "summary",
        tag("span", label(row), class_="state"),
        tag("h2", row.policy),
        tag("span", _narrow(found, scale), class_="line"),
        tag("span", tag("b", ends), tag("small", due), class_="ends"),
    )


def _ends(row: Row) -> tuple[str, str]:
    """Return the two short texts at the end of a policy's line."""
    if isinstance(row.error, PolicyError):
        return NOT_SERVED, "its file has mistakes"
    if row.error is not None:
        return "not seen", "the end is unknown"
    if row.standing is Urgency.REVOKED:
        return "revoked", "by rotator revoke"
    if not (row.at and (end := row.soonest)):
        return "no credential", "of ours yet"
    when = f"ends in {days(end - row.at)}" if end > row.at else "has ended"
    return when, short(end)


def short(instant: datetime) -> str:
    """Return an instant as a short date."""
    return f"{instant:%d %b %Y}".lstrip("0")


def top(scale: Scale, tools: Element) -> Element:
    """Return the line above all policies: the names of the months, and `tools` beside them."""
    place = scale.place(scale.at)
    now = tag("text", "now", x=f"{place}%", y="11", text_anchor="middle", class_="today")
    made = tag("svg", now, *_months(scale, 26), width="100%", height="30")
    made.set("aria-hidden", "true")
    return tag("div", tools, tag("span", made, class_="line"), class_="top")


def _narrow(found: Sequence[CredentialLine], scale: Scale) -> Element:
    """Return the time line of all credentials, one thin bar each."""
    shown = found[:MOST]
    height = max(len(shown), 1) * (HEIGHT + GAP) + GAP
    bars = [bar for number, line in enumerate(shown) for bar in bars_of(line, scale, GAP + number * (HEIGHT + GAP))]
    words = "; ".join(f"{MEANING[line.role]} until {day(line.end)}" for line in found) or "no credential"
    return _drawing(height, scale, bars, f"Time line: {words}")


def _drawing(height: int, scale: Scale, inside: Sequence[Element], label: str) -> Element:
    today, tall = f"{scale.place(scale.at)}%", str(height)
    months = [
        tag("line", x1=f"{scale.place(at)}%", x2=f"{scale.place(at)}%", y1="0", y2=tall, class_="month")
        for at, _ in scale.months()
    ]
    now = tag("line", x1=today, x2=today, y1="0", y2=tall, class_="now")
    made = tag("svg", *months, *inside, now, width="100%", height=tall, role="img")
    made.set("aria-label", label)
    return made


def bars_of(line: CredentialLine, scale: Scale, top: int, height: int = HEIGHT) -> Iterator[Element]:
    """Yield the bar of a credential, in its parts."""
    for kind, begin, end in line.parts:
        left, right = scale.place(begin), scale.place(end)
        if right > left:
            text = f"{_PART[kind]}: {day(begin)} to {day(end)}"
            width = f"{round(right - left, 3)}%"
            yield tag(
                "rect",
                tag("title", text),
                class_=f"bar {kind}",
                x=f"{left}%",
                y=str(top),
                width=width,
                height=str(height),
            )


_PART = {
    "valid": "valid",
    "due": "due for renewal",
    "was": "was current",
    "overlap": "overlap",
    "left": "still valid, to be removed",
    "foreign": "not ours",
    "unnamed": "unnamed",
    "compromised": "compromised",
}


def _body(shown: Card, seen: Preview | RotatorError, found: Sequence[CredentialLine], scale: Scale) -> Element:
    first, *rest = advise(shown.row, seen)
    todo = tag("div", tag("h3", "What to do"), code(first, class_="first"), class_="todo")
    below = [line.key_id for line in found]
    same = f"The same trouble: {listed(shown.others)}." if shown.others else ""
    if told := [each for each in (*dict.fromkeys(rest), same) if each]:
        todo.append(tag("ul", *(code(each, "li", short=below) for each in told)))
    parts: list[Element | None] = [todo]
    if not isinstance(seen, RotatorError):
        parts += [_credentials(seen, found, scale), _groups(shown.row)]
    return tag("div", *parts, class_="body")


def _credentials(seen: Preview, found: Sequence[CredentialLine], scale: Scale) -> Element | None:
    if not found:
        return None
    rows = [_credential(line, seen.view.at, scale) for line in found]
    silent = unsaid(seen.view)
    said = f"Credential unknown: {', '.join(silent)}." if silent else None
    return tag(
        "div",
        tag("h3", "Credentials"),
        tag("div", _axis(scale), *rows, class_="wide"),
        tag("p", said, class_="unsaid") if said else None,
        class_="credentials",
    )


def _credential(line: CredentialLine, at: datetime, scale: Scale) -> Element:
    holders = f"held by {', '.join(line.holders)}" if line.holders else "held by no visible group"
    ends = f"{'ends' if line.end > at else 'ended'} {short(line.end)}"
    who = tag("span", tag("b", MEANING[line.role]), " ", tag("code", line.key_id), class_="role")
    bar = _drawing(HEIGHT + 8, scale, list(bars_of(line, scale, 2, HEIGHT + 4)), f"{MEANING[line.role]}, {ends}")
    return tag(
        "div",
        tag("span", who, tag("span", holders, class_="held"), class_="who"),
        tag("span", bar, class_="line"),
        tag("span", ends, class_="until"),
        class_=f"credential {line.role}",
    )


def _axis(scale: Scale) -> Element:
    made = tag("svg", *_months(scale, 12), width="100%", height="16")
    made.set("aria-hidden", "true")
    return tag("div", tag("span", made, class_="line"), class_="axis")


def _months(scale: Scale, y: int) -> list[Element]:
    places = ((scale.place(at), name) for at, name in scale.months())
    return [tag("text", name, x=f"{place}%", y=str(y), dx="3") for place, name in places if place < 94]


def _groups(row: Row) -> Element | None:
    if not row.dependents:
        return None
    head = tag("tr", *(tag("th", text, scope="col") for text in ("Group", "State", "Holds", "Since")))
    rows = [_group(row, each) for each in sorted(row.dependents, key=lambda each: (_held(row, each), each.name))]
    return tag(
        "div", tag("h3", "Container groups"), tag("table", tag("thead", head), tag("tbody", *rows)), class_="groups"
    )


def _held(row: Row, dependent: Dependent) -> bool:
    return dependent.key_id is not None and dependent.key_id == row.key_id


def _group(row: Row, dependent: Dependent) -> Element:
    current = _held(row, dependent)
    holds = "current" if current else dependent.key_id[:8] if dependent.key_id else "not known"
    since = short(dependent.since) if dependent.since else "-"
    cells = (dependent.name, dependent.phase.value, holds, since)
    return tag("tr", *(tag("td", text) for text in cells), class_="current" if current else "behind")
