"""Check the environment's proxy and certificate authorities before any request.

A proxy is read as urllib, aiohttp and httpx read it (`HTTPS_PROXY`, else `ALL_PROXY`, in either letter case). Without
this check, a bad proxy would fail in the first request of each library, in different ways. The value is never shown: it
may hold a user's name and password.
"""

import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from rotator.errors import RotatorError

PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
AUTHORITIES = "SSL_CERT_FILE"


def ensure_usable(environment: Mapping[str, str]) -> None:
    """Check proxy and authorities. Raises RotatorError naming the variable and the expected value."""
    for name in PROXIES:
        if (value := environment.get(name)) and (why := _no_proxy(value)):
            what = f"{name} is not a usable proxy address: {why}"
            remedy = (
                f"Write {name}=http://HOST:PORT, or unset it. Its value is not shown, because it may contain a"
                " password."
            )
            raise RotatorError(what, state="No request was made.", remedy=remedy)
    if (file := environment.get(AUTHORITIES)) and (wrong := _unreadable(file)):
        remedy = f"Let {AUTHORITIES} name a file with the certificates of the authorities to trust (PEM), or unset it."
        raise RotatorError(
            f"{AUTHORITIES} names {file}, which can't be used: {wrong}", state="No request was made.", remedy=remedy
        )


def _no_proxy(value: str) -> str | None:
    if "://" not in value:
        return "it doesn't begin with http://"
    if any(char.isspace() or not char.isprintable() for char in value):
        return "there is white space or a control character in it"
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")
    except ValueError:
        return "its host or its port can't be read"
    if not _sendable(parts.username) or not _sendable(parts.password):
        return "its user's name or password has a character that HTTP's Basic authentication can't send"
    if parts.scheme != "http":
        return (
            f"it begins with {parts.scheme}://, but rotator connects to a proxy by http:// only (the requests"
            " through it are encrypted)"
        )
    if not host:
        return "it has no host"
    return "its port is 0" if port == 0 else None


def _sendable(text: str | None) -> bool:
    return all(ord(char) < 256 for char in unquote(text or ""))  # aiohttp sends them as Latin-1


def _unreadable(file: str) -> str | None:
    """Return the reason why a file gives no certificate; None if the file gives one.

    A pipe is not opened: opening would wait, and a pipe can be read only once.
    """
    import ssl

    try:
        if not stat.S_ISREG(mode := Path(file).stat().st_mode) and not stat.S_ISDIR(mode):
            return "it isn't a plain file"
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=Path(file))
    except ssl.SSLError:
        return "there is no certificate in it"
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or "no file has such a name"
    return None
