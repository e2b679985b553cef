"""Read one file of a directory of policies: only plain files on a disk, up to a size limit."""

from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from rotator.errors import Mistake, PolicyError

LARGEST = 1 << 20
"""Bytes of a policy or manifest; thousands of container groups take fewer, and more would take minutes to read."""


@dataclass(frozen=True, slots=True)
class Content:
    """Content of a file: `text`, or the mistake; `anyway` is the readable part, up to the size limit."""

    text: str | None
    anyway: str = ""
    mistake: Mistake | None = None


def content(file: Path, shown: str | None = None) -> Content:
    """Return the content of a file, called `shown` in mistakes."""

    def refused(problem: str, remedy: str, anyway: str = "") -> Content:
        return Content(None, anyway, Mistake(shown or str(file), 1, 1, "", "", problem, remedy))

    try:
        data = _bytes(file)
    except IsADirectoryError:
        return refused("a directory, where a file is expected", "Rename it, or move it elsewhere.")
    except _NoFileError:
        return refused("not a file", "Write a plain file; nothing is read from a device, a pipe or the kernel.")
    except OSError as error:
        return refused(f"can't be read: {error.strerror}", "Make the file readable.")
    anyway = data[:LARGEST].replace(b"\0", b"").decode("utf-8", "replace")
    if len(data) > LARGEST:
        return refused(f"larger than {LARGEST >> 20} MiB", "Split it: a policy is about one principal.", anyway)
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        return refused("not UTF-8 text", "Save it as UTF-8.", anyway)
    return Content(text, text)


def text(file: Path) -> str:
    """The text of a file. Raises PolicyError."""
    found = content(file)
    if found.mistake:
        raise PolicyError((found.mistake,))
    return found.text or ""


class _NoFileError(OSError):
    """The path is neither a plain file nor a directory."""


def _bytes(file: Path) -> bytes:
    """Return the bytes of a file, at most one more than a policy may have. Raises OSError."""
    if file.is_dir():
        raise IsADirectoryError
    if not is_plain(file):
        raise _NoFileError
    with file.open("rb") as opened:
        return opened.read(LARGEST + 1)


def is_plain(file: Path) -> bool:
    """Tell if a path is a plain file on a disk. Raises OSError.

    Opening a device may have effects, opening a pipe waits, and a file of the kernel may never end (`/proc/kmsg`).
    """
    return S_ISREG(file.stat().st_mode) and file.resolve().parts[1:2] not in (("proc",), ("sys",))
