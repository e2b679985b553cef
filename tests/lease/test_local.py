import fcntl
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from local_azure.virtual import VirtualLoop, run

from rotator.errors import Holder, LeaseHeld, RotatorError
from rotator.lease import LONGEST, LocalLease, directory, exposed, standing

HOUR = timedelta(hours=1)
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOLDER = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from rotator.lease import LocalLease
from rotator.system import now
async def main():
    async with LocalLease(Path(sys.argv[1]), now).hold("one", timedelta(hours=1)):
        print("held", flush=True)
        sys.stdin.read()
asyncio.run(main())
"""


def hold(where: Path, *names: str) -> None:
    """Hold several leases at once, then give them back."""

    async def main(_: VirtualLoop) -> None:
        lease = LocalLease(where, lambda: NOW)
        async with lease.hold(names[0], HOUR):
            if len(names) > 1:
                async with lease.hold(names[1], HOUR):
                    pass

    run(main)


def test_one_name_has_one_holder_even_in_one_process(tmp_path: Path) -> None:
    with pytest.raises(
        LeaseHeld,
        match=rf"process {os.getpid()} on this machine, since 2026-03-04 12:00 UTC \(0 min\), holds the lease one",
    ):
        hold(tmp_path, "one", "one")


def test_other_names_are_free(tmp_path: Path) -> None:
    hold(tmp_path, "one", "two")


def test_the_end_of_the_block_gives_it_back_and_so_does_an_error_in_it(tmp_path: Path) -> None:
    with pytest.raises(LeaseHeld):
        hold(tmp_path, "one", "one")
    hold(tmp_path, "one")
    hold(tmp_path, "one")


def test_a_holder_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LeaseHeld, match=f"process {holder.pid} "):
            hold(tmp_path, "one")
        holder.kill()
        holder.wait()
    hold(tmp_path, "one")


def test_a_name_can_not_lead_out_of_the_directory(tmp_path: Path) -> None:
    hold(tmp_path / "leases", "../../one")
    assert [file.name for file in (tmp_path / "leases").iterdir()] == ["..%2F..%2Fone.lock"]


def test_a_directory_that_can_not_be_made_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RotatorError, match=r"file/leases can't be used: one.lock: Not a directory") as raised:
        hold(tmp_path / "file" / "leases", "one")
    assert "--lease-dir" in raised.value.remedy


def test_the_directory_is_the_users_state_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert directory({"XDG_STATE_HOME": "/state"}) == Path("/state/rotator")
    assert directory({}) == directory({"XDG_STATE_HOME": "relative"}) == Path("/home/ada/.local/state/rotator")


# content of the file


@contextmanager
def held(where: Path, content: bytes, name: str = "one") -> Iterator[None]:
    """Hold the lease as another run, with some content in its file."""
    where.mkdir(mode=0o700, exist_ok=True)
    with (where / f"{name}.lock").open("wb", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(content)
        yield


def standing_holder(where: Path, at: datetime = NOW) -> Holder:
    unusable, holder = standing(where, "one", at)
    assert unusable is None
    assert holder is not None
    return holder


def recorded(**said: object) -> bytes:
    return json.dumps({"pid": os.getpid(), "since": NOW.isoformat(), "seconds": 3600, **said}).encode()


def test_the_file_says_who_holds_it_since_when_and_for_how_long_and_nothing_afterwards(tmp_path: Path) -> None:
    async def main(_: VirtualLoop) -> None:
        async with LocalLease(tmp_path, lambda: NOW).hold("one", HOUR):
            said = json.loads((tmp_path / "one.lock").read_text())
            assert (said["pid"], said["since"], said["seconds"]) == (os.getpid(), NOW.isoformat(), 3600)
            assert standing_holder(tmp_path) == Holder(NOW, os.getpid(), NOW, HOUR)

    run(main)
    assert (tmp_path / "one.lock").read_text() == ""
    assert standing(tmp_path, "one", NOW) == (None, None)


def test_a_lease_is_overdue_once_its_run_may_not_last_any_longer(tmp_path: Path) -> None:
    with held(tmp_path, recorded()):
        assert not standing_holder(tmp_path, NOW + timedelta(minutes=74)).overdue
        late = standing_holder(tmp_path, NOW + timedelta(minutes=76))
        assert late.overdue
        assert str(late) == f"process {os.getpid()} on this machine, since 2026-03-04 12:00 UTC (1 h 16 min),"


@pytest.mark.parametrize(
    "said", [{"pid": 2**22 + 1}, {"pid": 0}, {"pid": -1}, {"pid": "x"}, {"pid": 2**70}, {"started": "1"}], ids=str
)
def test_a_process_that_does_not_run_any_more_or_is_another_by_now_is_not_named(
    tmp_path: Path, said: dict[str, object]
) -> None:
    with held(tmp_path, recorded(**said)):
        assert str(standing_holder(tmp_path)).startswith("another process on this machine, since 2026-03-04 12:00 UTC")


NONSENSE = [
    b"",
    b"4242\n",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b"[" * 5000,
    b'{"since": "soon", "seconds": -1}',
    b'{"since": 1, "seconds": "x"}',
    b"9" * 900,
]


@pytest.mark.parametrize("content", [*NONSENSE, b'{"seconds": 1e999}', b'{"since": "2026-03-04T12:00:00"}'])
def test_whatever_else_the_file_says_it_is_held_since_it_was_written(tmp_path: Path, content: bytes) -> None:
    with held(tmp_path, content):
        os.utime(tmp_path / "one.lock", (NOW.timestamp(), NOW.timestamp()))
        holder = standing_holder(tmp_path, NOW + HOUR)
        assert (holder.since, holder.allowed) == (NOW, LONGEST)
        with pytest.raises(LeaseHeld):
            hold(tmp_path, "one")


def test_a_full_disk_stops_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(LeaseHeld):
        hold(tmp_path, "one", "one")


# files that are no leases, and rights of other users


@pytest.mark.parametrize("kind", ["a pipe", "a directory", "a link", "a link to a device"])
def test_what_is_no_plain_file_is_named_and_never_waited_for(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "one.lock"
    match kind:
        case "a pipe":
            os.mkfifo(file)
        case "a directory":
            file.mkdir()
        case _:
            file.symlink_to({"a link": "elsewhere", "a link to a device": "/dev/null"}[kind])
    with pytest.raises(RotatorError, match=r"can't be used: one\.lock: ") as raised:
        hold(tmp_path, "one")
    assert not isinstance(raised.value, LeaseHeld)
    unusable, holder = standing(tmp_path, "one", NOW)
    assert unusable
    assert unusable.startswith(f"{file}: ")
    assert holder is None


def test_a_lease_never_writes_into_a_file_that_has_another_name(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "one.lock").hardlink_to(tmp_path / "precious")
    with pytest.raises(RotatorError, match="a second name"):
        hold(tmp_path, "one")
    assert (tmp_path / "precious").read_text() == "mine"


def test_somebody_without_a_home_has_a_directory_all_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def homeless(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", homeless)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert directory({}) == tmp_path / f"rotator-{os.geteuid()}"


def test_another_user_s_file_is_no_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(tmp_path, "one")
    found = (tmp_path / "one.lock").stat()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "fstat", lambda _: os.stat_result([found.st_mode, 0, 0, 1, 1001, 0, 0, 0, 0, 0]))
    with pytest.raises(RotatorError, match=r"a file of another user \(uid 1001\), who could hold the lease for ever"):
        hold(tmp_path, "one")


def test_a_file_system_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", without)
    with pytest.raises(RotatorError, match="has no locks: No locks available"):
        hold(tmp_path, "one")


@pytest.mark.parametrize(
    ("mode", "why"),
    [(0o700, ""), (0o755, ""), (0o770, "its group may write"), (0o777, "everybody may write"), (0o1777, "everybody")],
)
def test_a_directory_that_others_may_write_to_is_said_to_be(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, why: str
) -> None:
    where = tmp_path / "leases"
    where.mkdir()
    where.chmod(mode)
    hold(where, "one")
    hold(where, "two")
    assert exposed(where).startswith(why)
    assert len([record for record in caplog.records if why and why in record.getMessage()]) == bool(why)


def test_a_directory_that_is_made_is_its_owner_s_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        hold(tmp_path / "leases", "one")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "leases").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "leases" / "one.lock").stat().st_mode) == 0o600
