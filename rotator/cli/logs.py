"""Logs on stderr, with no secret in them.

What keeps secrets out is that nobody logs one: rotator's values don't show them, azure-core's log policy writes no body
and no header that it doesn't know, azure-identity and msal write none. This file is the second line: it lets only
loggers speak that were read for this (hpack, for one, prints headers as sent, bearer tokens included), leaves out the
messages of exceptions, and strikes what looks like a token or a client secret all the same.
"""

import copy
import json
import logging
import traceback
from contextlib import suppress
from types import TracebackType
from typing import Any

from rotator import secret
from rotator.cli.say import say

SPEAKERS = ("rotator", "azure", "msal", "msgraph", "kiota_http", "kiota_abstractions", "httpx", "aiohttp", "asyncio")
"""Loggers that ``-vv`` lets speak at DEBUG; all others stay at WARNING."""
STRUCK = secret.LOOKS
"""What is struck from every line."""

CONTINUED = "\n    "
"""How a record's later lines begin, so that none of them looks like another record."""

Caught = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def struck(text: str) -> str:
    """The text without what looks like a secret."""
    return secret.struck(text, STRUCK)


class Plain(logging.Formatter):
    """One record as text; of an exception its type and frames, without locals and message."""

    def format(self, record: logging.LogRecord) -> str:
        """The record, struck; another handler may have left its own text of the exception on it."""
        own = copy.copy(record)
        own.exc_text = None
        return struck(super().format(own)).replace("\n", CONTINUED)

    def formatException(self, ei: Caught) -> str:  # noqa: N802 - logging named it
        """Where it happened."""
        return frames(ei[1])


class Lines(Plain):
    """One record as a JSON line, beside the events of a run."""

    def format(self, record: logging.LogRecord) -> str:
        """The record, struck."""
        body: dict[str, Any] = {
            "v": 1,
            "event": "log",
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": struck(record.getMessage()),
        }
        if record.exc_info:
            body["frames"] = self.formatException(record.exc_info)
        return json.dumps(body)


class _Handler(logging.Handler):
    """Ours, to be found again; stderr is what it is when something is said."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say it, where somebody can be told; a run doesn't end for a closed stderr."""
        with suppress(OSError):
            say(self.format(record), err=True)


def frames(error: BaseException | None) -> str:
    """An exception and what led to it: types and places, no messages, since they may quote a request."""
    if error is None:
        return ""
    earlier = error.__cause__ or error.__context__
    own = "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__
    return f"{frames(earlier)}\nthen:\n{own}" if earlier else own


def configure(verbose: int, *, as_json: bool) -> None:
    """Send logs to stderr: warnings of ours; with 1 what rotator does; with 2 whatever the clients tell, too."""
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if isinstance(handler, _Handler)]:
        root.removeHandler(old)
    handler = _Handler()
    handler.setFormatter(Lines() if as_json else Plain("%(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    for name in SPEAKERS:
        logging.getLogger(name).setLevel(logging.DEBUG if verbose > 1 else logging.ERROR)
    if verbose < 2:
        logging.getLogger("rotator").setLevel(logging.INFO if verbose else logging.WARNING)
