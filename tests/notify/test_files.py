"""Tests of atomically replaced files, and of the list of delivered ids."""

import asyncio
import fcntl
import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rotator.notify import Delivered, LocalIds, exchanged, plain, replaced
from tests.notify.test_web import Waits

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_a_file_is_whole_readable_by_others_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "rotator.prom"
    before = os.umask(0o077)
    try:
        for text in ("one\n", "two \udc80 é\n"):
            replaced(file, text)
    finally:
        os.umask(before)
    assert file.read_bytes() == "two \\udc80 é\n".encode()
    assert (stat.S_IMODE(file.stat().st_mode), [each.name for each in tmp_path.iterdir()]) == (0o644, [file.name])


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "rotator.prom"
    replaced(file, "old\n")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replaced(file, "new\n")
    assert (file.read_text(), len(list(tmp_path.iterdir()))) == ("old\n", 1)


def test_two_changes_at_once_wait_for_each_other_and_never_for_ever(tmp_path: Path) -> None:
    file, clock = tmp_path / "rotator.prom", Waits()
    held = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    asyncio.run(exchanged(file, lambda old: old + "a", clock))
    assert (file.read_text(), len(clock.slept)) == ("a", 50)

    async def sleep(seconds: float) -> None:
        os.close(held)

    clock.sleep = sleep  # type: ignore[method-assign]
    asyncio.run(exchanged(file, lambda old: old + "b", clock))
    assert file.read_text() == "ab"


def strange(directory: Path, kind: str) -> Path:
    """Return a file that is none: reading it may wait for ever, or never end, and a new file in its place would destroy it."""
    file = directory / "kept.json"
    if kind == "pipe":
        os.mkfifo(file)
        threading.Thread(target=lambda: file.open("wb").close(), daemon=True).start()
    else:
        file.symlink_to(kind)
    return file


@pytest.mark.parametrize("kind", ["pipe", "/dev/null", "/dev/zero"])
def test_what_is_no_plain_file_is_not_read_and_not_replaced(tmp_path: Path, kind: str) -> None:
    file = strange(tmp_path, kind)
    before = file.lstat()
    with pytest.raises(OSError, match="not a plain file"):
        replaced(file, "x")
    with pytest.raises(OSError, match="not a plain file"):
        asyncio.run(exchanged(file, lambda old: "x", Waits()))
    with pytest.raises(OSError, match="not a plain file"):
        plain(file, 10)
    assert (file.lstat().st_ino, [each.name for each in tmp_path.iterdir()]) == (before.st_ino, [file.name])


def test_a_plain_file_is_read_up_to_a_length_also_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    (tmp_path / "link").symlink_to("file")
    assert (plain(tmp_path / "link", 4), plain(tmp_path / "file", 40)) == (b"0123", b"0123456789")
    asyncio.run(exchanged(tmp_path / "link", lambda old: old + "a", Waits()))
    assert (tmp_path / "link").read_text() == "0123456789a"


def read(directory: Path, now: datetime = NOW) -> Delivered:
    return Delivered.of(asyncio.run(LocalIds(directory).read()), now)


def write(directory: Path, delivered: Delivered) -> None:
    shelf = LocalIds(directory)
    asyncio.run(shelf.write(delivered.joined(asyncio.run(shelf.read()))))


def test_delivered_ids_are_kept_for_their_receiver_and_forgotten_when_old(tmp_path: Path) -> None:
    directory = tmp_path / "new"
    first, other = read(directory), read(directory)
    first.add("webhook", "a")
    write(directory, first)
    assert stat.S_IMODE((directory / "delivered.json").stat().st_mode) == 0o600
    other.add("webhook", "by another run")
    write(directory, other)
    second = read(directory, NOW + timedelta(days=30))
    assert (second.has("webhook", "a"), second.has("hook", "a"), second.has("webhook", "b")) == (True, False, False)
    assert second.has("webhook", "by another run")
    second.add("webhook", "b")
    write(directory, second)
    later = read(directory, NOW + timedelta(days=60))
    assert (later.added, read(directory).has("webhook", "a")) == (False, True)
    later.add("hook", "c")
    write(directory, later)
    third = read(directory)
    assert (third.has("webhook", "a"), third.has("webhook", "b")) == (False, True)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"delivered": []}', "[" * 100_000, "\udcff"])
def test_a_damaged_list_is_an_empty_one(tmp_path: Path, damage: str) -> None:
    (tmp_path / "delivered.json").write_bytes(damage.encode(errors="surrogateescape"))
    assert not read(tmp_path).has("webhook", "a")
