"""Files with secrets: readable by the owner only, and never half written after a crash."""

import json
import os
from pathlib import Path
from typing import Any


class UnreadableState(Exception):
    """A state file unreadable by the present version of the emulator; a fresh start helps."""


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` in one step by a file of mode 0600 with `content`.

    The content is on the disk when the function returns.
    """
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def write_private_json(path: Path, content: object) -> None:
    """Replace `path` in the same way by a JSON value."""
    write_private(path, json.dumps(content, indent=1).encode())


def read_json(path: Path) -> Any:
    """Return the value written by :func:`write_private_json`; None if the file is missing."""
    return json.loads(path.read_bytes()) if path.exists() else None


def private_directory(path: Path) -> Path:
    """Return `path` as a directory for the owner only; made if missing."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path
