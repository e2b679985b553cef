"""Bodies of answers: read whole, decompressed, and limited to the size of Azure's largest answers."""

import zlib
from collections.abc import Awaitable, Callable

LARGEST = 64 * 1024 * 1024
"""Largest answer in bytes, before and after decompression: many times the longest list of a subscription."""
EITHER, RAW = 32 + zlib.MAX_WBITS, -zlib.MAX_WBITS
"""Window bits: gzip or zlib by the header; raw data, called deflate by some servers."""


class BadBody(Exception):
    """Body too large, compressed in an unknown way, or damaged."""


async def whole(read: Callable[[], Awaitable[bytes]], encoding: str) -> bytes:
    """Return the decompressed body, read piece by piece. Raises BadBody."""
    found = bytearray()
    while piece := await read():
        found += piece
        if len(found) > LARGEST:
            raise BadBody(f"more than {LARGEST >> 20} MiB")
    return unpacked(bytes(found), encoding)


def unpacked(body: bytes, encoding: str) -> bytes:
    """Return `body` decompressed by its ``Content-Encoding``. Raises BadBody."""
    name = encoding.strip().lower()
    if name in ("", "identity") or not body:
        return body
    if name not in ("gzip", "x-gzip", "deflate"):
        raise BadBody("an unknown Content-Encoding")
    try:
        return _inflated(body, EITHER)
    except zlib.error as error:
        damaged = error
    try:
        if name == "deflate":
            return _inflated(body, RAW)
    except zlib.error as error:
        damaged = error
    raise BadBody(f"a damaged {name} body") from damaged


def _inflated(body: bytes, window: int) -> bytes:
    packed = zlib.decompressobj(window)
    found = packed.decompress(body, LARGEST + 1)
    if len(found) > LARGEST:
        raise BadBody(f"more than {LARGEST >> 20} MiB")
    if not packed.eof:
        raise zlib.error("cut")
    return found
