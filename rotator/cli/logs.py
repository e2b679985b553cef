"""Logs on stderr, without secrets.

First, no code logs a secret: rotator's values don't show secrets, azure-core's log policy writes no body and no unknown
header, azure-identity and msal write none. As a second line of defence, this file allows only loggers reviewed for this
purpose (hpack, for example, prints headers as sent, bearer tokens included), leaves out the messages of exceptions, and
removes text similar to a token or a client secret.
"""

import copy
import json
import logging
import time
import traceback
from contextlib import suppress
from types import TracebackType
from typing import Any

from rotator import secret
from rotator.cli import terminal
from rotator.cli.output import say

SPEAKERS = ("rotator", "azure", "msal", "msgraph", "kiota_http", "kiota_abstractions", "httpx", "aiohttp", "asyncio")
"""Loggers that ``-vv`` lets speak at DEBUG; all others stay at WARNING."""
STRUCK = secret.LOOKS
"""Texts that are removed from every line."""

TIME = "%Y-%m-%dT%H:%M:%SZ"
"""Time of a line in a log, in UTC."""
CONTINUED = "\n    "
"""Start of a record's later lines, so that none of them looks like another record."""

Caught = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def struck(text: str) -> str:
    """Return the text without parts similar to a secret."""
    return secret.struck(text, STRUCK)


class Plain(logging.Formatter):
    """Format a record as text; of an exception the type and the frames, without locals and message."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text without secrets; ignore an exception text cached by another handler."""
        own = copy.copy(record)
        own.exc_text = None
        return struck(super().format(own)).replace("\n", CONTINUED)

    def formatException(self, ei: Caught) -> str:  # noqa: N802 - logging named it
        """Return the frames of the exception."""
        return frames(ei[1])


class Lines(Plain):
    """Format a record as a JSON line, like the events of a run."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a JSON line without secrets."""
        body: dict[str, Any] = {
            "v": 1,
            "event": "log",
            "at": self.formatTime(record, self.datefmt),
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": struck(record.getMessage()),
        }
        if record.exc_info:
            body["frames"] = self.formatException(record.exc_info)
        return json.dumps(body)


class _Handler(logging.Handler):
    """Log handler of rotator, of a type of its own to be found again; writes to the present stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; a closed stderr doesn't end a run."""
        text = self.format(record)
        with suppress(OSError):
            say(text, err=True) if isinstance(self.formatter, Lines) else terminal.tell(text)


def frames(error: BaseException | None) -> str:
    """Return the types and frames of an exception and its causes.

    Messages are left out: a message may quote a request.
    """
    if error is None:
        return ""
    earlier = error.__cause__ or error.__context__
    own = "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__
    return f"{frames(earlier)}\nthen:\n{own}" if earlier else own


def configure(verbose: int, *, as_json: bool, quiet: bool = False) -> None:
    """Send logs to stderr, with more detail for a higher `verbose`.

    0: warnings of rotator, unless `quiet`. 1: rotator's actions, too. 2: the logs of the clients, too.
    """
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if isinstance(handler, _Handler)]:
        root.removeHandler(old)
    handler = _Handler()
    handler.setFormatter(
        Lines(datefmt=TIME) if as_json else Plain("%(asctime)s %(levelname)s %(name)s: %(message)s", TIME)
    )
    root.addHandler(handler)
    for name in SPEAKERS:
        logging.getLogger(name).setLevel(logging.DEBUG if verbose > 1 else logging.ERROR)
    if verbose < 2:
        least = logging.ERROR if quiet else logging.WARNING
        logging.getLogger("rotator").setLevel(logging.INFO if verbose else least)
