import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from rotator.errors import LeaseHeld, RotatorError
from rotator.lease import LocalLease, directory
from tests.virtual import VirtualLoop, run

HOUR = timedelta(hours=1)
HOLDER = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from rotator.lease import LocalLease
async def main():
    async with LocalLease(Path(sys.argv[1])).hold("one", timedelta(hours=1)):
        print("held", flush=True)
        sys.stdin.read()
asyncio.run(main())
"""


def hold(where: Path, *names: str) -> None:
    """Hold several leases at once, then give them back."""

    async def main(_: VirtualLoop) -> None:
        lease = LocalLease(where)
        async with lease.hold(names[0], HOUR):
            if len(names) > 1:
                async with lease.hold(names[1], HOUR):
                    pass

    run(main)


def test_one_name_has_one_holder_even_in_one_process(tmp_path: Path) -> None:
    with pytest.raises(LeaseHeld, match=f"process {os.getpid()} on this machine holds the lease one"):
        hold(tmp_path, "one", "one")


def test_other_names_are_free(tmp_path: Path) -> None:
    hold(tmp_path, "one", "two")


def test_the_end_of_the_block_gives_it_back_and_so_does_an_error_in_it(tmp_path: Path) -> None:
    with pytest.raises(LeaseHeld):
        hold(tmp_path, "one", "one")
    hold(tmp_path, "one")
    hold(tmp_path, "one")


def test_a_holder_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
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
    with pytest.raises(RotatorError, match=r"file/leases can't be used: Not a directory") as raised:
        hold(tmp_path / "file" / "leases", "one")
    assert "--lease-dir" in raised.value.remedy


def test_the_directory_is_the_users_state_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert directory({"XDG_STATE_HOME": "/state"}) == Path("/state/rotator")
    assert directory({}) == directory({"XDG_STATE_HOME": "relative"}) == Path("/home/ada/.local/state/rotator")
