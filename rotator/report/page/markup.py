"""Elements of the page: a tree, serialised by the standard library, so that no text can become markup."""

import re
from collections.abc import Container, Iterable
from xml.etree.ElementTree import Element, SubElement, tostring

from rotator.visible import one_line

Inside = Element | str | None
_ID = re.compile(r"\b([0-9a-z]{8}(?:-[0-9a-z]{4}){3}-[0-9a-z]{12})\b")
"""Id of a credential."""


def tag(name: str, /, *inside: Inside, **attributes: str) -> Element:
    """Return an element. Of an attribute's name, a trailing underscore is dropped, and others become hyphens.

    Control characters and the like are shown as escapes, as in every report.
    """
    made = Element(name, {key.rstrip("_").replace("_", "-"): one_line(value) for key, value in attributes.items()})
    fill(made, inside)
    return made


def fill(into: Element, inside: Iterable[Inside]) -> None:
    """Append elements and text to an element; None is left out."""
    for each in inside:
        if isinstance(each, Element):
            into.append(each)
        elif each and len(into):
            into[-1].tail = f"{into[-1].tail or ''}{one_line(each)}"
        elif each:
            into.text = f"{into.text or ''}{one_line(each)}"


def code(text: str, name: str = "p", /, short: Container[str] = (), **attributes: str) -> Element:
    """Return a paragraph in which the parts between back ticks are code, as ids are; `short` ids are shortened."""
    parts = text.split("`") if text.count("`") % 2 == 0 else [text]
    inside: list[Inside] = []
    for number, part in enumerate(parts):
        inside += [tag("code", part)] if number % 2 else _with_ids(part, short)
    return tag(name, *inside, **attributes)


def _with_ids(text: str, short: Container[str]) -> list[Inside]:
    """Return a text with its ids; of a short one the first eight digits, and the whole id as its title."""
    parts = _ID.split(text)
    return [_id(part, short) if number % 2 else part for number, part in enumerate(parts)]


def _id(text: str, short: Container[str]) -> Element:
    return tag("code", text[:8], title=text) if text in short else tag("code", text, class_="id")


def own(name: str, text: str) -> Element:
    """Return a style sheet or a script of ours, unchanged: its hash must fit."""
    made = Element(name)
    made.text = text
    return made


def document(head: Iterable[Element], body: Iterable[Inside]) -> str:
    """Return a whole HTML document."""
    html = Element("html", {"lang": "en"})
    fill(SubElement(html, "head"), head)
    fill(SubElement(html, "body"), body)
    return f"<!doctype html>\n{tostring(html, encoding='unicode', method='html')}\n"
