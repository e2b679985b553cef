"""Files that hold secrets: nobody else can read them, and a crash never leaves half of one."""

import json
import os
from pathlib import Path
from typing import Any


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` in one step by a file of mode 0600 with `content`, which is on the disk when this returns."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def write_private_json(path: Path, content: object) -> None:
    """The same for a value that JSON can say."""
    write_private(path, json.dumps(content, indent=1).encode())


def read_json(path: Path) -> Any:
    """What :func:`write_private_json` wrote; None where there is no such file."""
    return json.loads(path.read_bytes()) if path.exists() else None


def private_directory(path: Path) -> Path:
    """`path` as a directory that only its owner can enter; made if it is not there."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path
