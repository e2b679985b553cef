"""Typed reads of an answer's JSON: a value of a wrong type makes the answer unreadable.

An example is a list in place of a name.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import HttpResponseError


def content(response: Any) -> dict[str, Any]:
    """Return the JSON object of an answer with status 200. Raises HttpResponseError for any other status, ValueError.

    JSON says its encoding itself.
    """
    if response.status_code != 200:
        raise HttpResponseError(response=response)
    return record(json.loads(response.content))


def text(value: object) -> str:
    """Return a text. Raises TypeError."""
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def text_or_none(value: object) -> str | None:
    """Return a text, or None. Raises TypeError."""
    return None if value is None else text(value)


def flag(value: object) -> bool:
    """Return a boolean; a missing value is False. Raises TypeError."""
    if value is not None and not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value is True


def record(value: object) -> dict[str, Any]:
    """Return a JSON object. Raises TypeError."""
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def labels(value: object) -> dict[str, str]:
    """Return tags as texts: numbers and truth values as in JSON.

    Null is no tag, and missing tags are an empty dict. Raises TypeError.
    """
    found = {} if value is None else record(value)
    return {text(name): label(each) for name, each in found.items() if each is not None}


def label(value: object) -> str:
    """Return the value of a tag as a text. Raises TypeError."""
    return json.dumps(value) if isinstance(value, int | float) else text(value)


def records(value: object) -> list[dict[str, Any]]:
    """Return a list of JSON objects. Raises TypeError."""
    if not isinstance(value, list):
        raise TypeError("not a list")
    return [record(each) for each in value]


def moment(value: object) -> datetime:
    """Return a time in UTC. Raises TypeError, ValueError, OverflowError."""
    return datetime.fromisoformat(text(value)).astimezone(UTC)


def items(shown: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the items on a page of a list. Raises KeyError, TypeError."""
    return records(shown["value"])
