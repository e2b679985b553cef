"""Full disk while a verb writes a file: no file is half written, Azure's state is reported as it is, and a run with
room completes.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from tests.cli.scene import NAME, Scene, make
from tests.refusals import VERBS

FULL = OSError(28, "No space left on device")


@pytest.fixture(name="rotator")
def _rotator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scene:
    return make(monkeypatch, tmp_path)


@contextmanager
def no_room() -> Iterator[None]:
    """Make every write to a file fail; files can still be made."""

    def full(*_: object, **__: object) -> Any:
        raise FULL

    def opened(path: Path, mode: str = "r", *rest: Any, **more: Any) -> IO[Any]:
        file: IO[Any] = real(path, mode, *rest, **more)
        if set(mode) & set("wax+"):
            file.write = full  # type: ignore[method-assign]
        return file

    real = Path.open
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", opened)
        patch.setattr(os, "fsync", full)
        yield


def _earlier(directory: Path) -> Path:
    """Make the record of an earlier revocation, if there is none."""
    record = directory / "earlier.json"
    if not record.exists():
        record.write_text('{"access": "revoked"}')
    return record


@dataclass(frozen=True)
class Writes:
    """Verb that writes a file in a directory; `reached` is the state of Azure afterwards."""

    verb: str
    options: Callable[[Path], tuple[str, ...]]
    done: Callable[[Scene], bool]
    """True if Azure is in the verb's final state, although the file isn't written."""


CASES = {
    "revoke": Writes(
        "revoke", lambda directory: ("--record", str(directory / "record.json")), lambda at: not at.pulls()
    ),
    "revoke, again": Writes(
        "revoke", lambda directory: ("--record", str(_earlier(directory))), lambda at: not at.pulls()
    ),
    "manifest": Writes("manifest", lambda directory: ("--file", str(directory / "group.yaml")), lambda at: True),
    "provision": Writes("provision", lambda directory: (), lambda at: True),
    "discover": Writes(
        "discover", lambda directory: ("--write", "--drafts", str(directory / "drafts")), lambda at: True
    ),
}


@pytest.mark.share(2)
@pytest.mark.parametrize("name", CASES)
def test_a_full_disk_is_told_and_nothing_is_half_written(name: str, rotator: Scene, tmp_path: Path) -> None:
    case = CASES[name]
    verb = VERBS[case.verb]
    verb.world(rotator)
    if name == "discover":
        (rotator.policies / f"{NAME}.yaml").unlink()
    command = (*verb.command, *case.options(tmp_path))
    before = _files(tmp_path)
    with no_room():
        said = rotator(*command)
    assert said.raised is None and "bug in rotator" not in said.out + said.err
    assert (said.code, "No space left on device" in said.out + said.err) == (1, True), (said.out, said.err)
    assert _files(tmp_path) == before, "half written"
    assert case.done(rotator)
    again = rotator(*command)
    assert again.code == 0, (again.out, again.err)
    assert verb.reached is None or verb.reached(rotator)
    assert any(text for path, text in _files(tmp_path).items() if before.get(path) != text)


def _files(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): path.read_text()
        for path in directory.rglob("*")
        if path.is_file() and "leases" not in path.parts
    }
