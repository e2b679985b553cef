"""HTTP/1.1 as the damaging proxy needs it: whole messages as bytes, and changed copies of them."""

import asyncio
from dataclasses import dataclass, replace

HTML = b"<html><head><title>Sign in to the hotel's network</title></head><body>Welcome!</body></html>"
LIMIT = 2**24


@dataclass(frozen=True)
class Message:
    """Request or answer."""

    first: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for each, value in self.headers if each.lower() == name.lower()), "")

    def but(self, **headers: str | None) -> "Message":
        """Return a copy with some headers replaced, or removed where the value is None; `_` stands for `-`."""
        others = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        kept = tuple((name, value) for name, value in self.headers if name.lower() not in others)
        return replace(self, headers=(*kept, *((name, value) for name, value in others.items() if value is not None)))

    def head(self) -> bytes:
        return "\r\n".join((self.first, *(f"{name}: {value}" for name, value in self.headers), "", "")).encode(
            "latin-1"
        )

    @property
    def raw(self) -> bytes:
        return self.head() + self.body


def page(status: str, like: Message, **headers: str) -> Message:
    """Return a page of HTML in place of `like`."""
    kept = tuple((name, value) for name, value in like.headers if name.lower() == "date")
    return Message(f"HTTP/1.1 {status}", kept, HTML).but(
        content_type="text/html", content_length=str(len(HTML)), **headers
    )


async def read(reader: asyncio.StreamReader, *, asked: str = "") -> Message | None:
    """Read the next message; None at the end of the connection. `asked` is the method of the request, if an answer is
    read.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = tuple((name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    message = Message(first, headers, b"")
    if asked == "HEAD" or (asked and first.split(" ")[1] in ("204", "304")):
        return message
    if message.header("transfer-encoding").lower() == "chunked":
        body = await _chunks(reader)
        return replace(message, body=body).but(transfer_encoding=None, content_length=str(len(body)))
    return replace(message, body=await reader.readexactly(int(message.header("content-length") or 0)))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    while (await reader.readline()).strip():
        pass
    return body
