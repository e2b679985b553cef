"""The file of pauses between two processes: what it keeps, and what it makes of damage."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from local_azure.virtual import VirtualLoop

from rotator import pauses
from tests.stage import Clock

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


async def test_pauses_of_two_processes_are_kept_until_they_end(loop: VirtualLoop, tmp_path: Path) -> None:
    file, clock = tmp_path / "new" / pauses.FILE, Clock(loop)
    await pauses.keep(file, {}, NOW, clock)
    assert not file.parent.exists()
    await pauses.keep(file, {"a": 600.0, "b": 100.0, "short": 4.0}, NOW, clock)
    await pauses.keep(file, {"a": 60.0, "c": 300.0}, NOW + timedelta(seconds=50), clock)
    later = NOW + timedelta(seconds=90)
    assert pauses.read(file, later) == {"a": 510.0, "b": 10.0, "c": 260.0}
    assert pauses.read(file, NOW + timedelta(hours=1)) == {}
    assert pauses.read(file, NOW - timedelta(days=9)) == dict.fromkeys("abc", 3600.0), "no longer than a window"
    await pauses.keep(file, {"d": 9.0}, NOW + timedelta(hours=1), clock)
    assert list(pauses.read(file, NOW)) == ["d"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"pauses": 1}',
        '{"pauses": {"a": 1}}',
        '{"pauses": {"a": "2026-03-04T13:00:00"}}',
        "[" * 99999,
        "\xff",
    ],
)
async def test_a_damaged_file_is_an_empty_one(loop: VirtualLoop, tmp_path: Path, content: str) -> None:
    file = tmp_path / pauses.FILE
    file.write_bytes(content.encode("latin-1"))
    assert pauses.read(file, NOW) == {}
    await pauses.keep(file, {"a": 60.0}, NOW, Clock(loop))
    assert pauses.read(file, NOW) == {"a": 60.0}


async def test_a_place_without_room_costs_a_line_in_the_log(
    loop: VirtualLoop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / pauses.FILE).symlink_to("/dev/zero")
    await pauses.keep(tmp_path / pauses.FILE, {"a": 60.0}, NOW, Clock(loop))
    assert "not a plain file" in caplog.text
    assert pauses.read(tmp_path / pauses.FILE, NOW) == {}
    caplog.clear()
    (tmp_path / "taken").touch()
    await pauses.keep(tmp_path / "taken" / pauses.FILE, {"a": 60.0}, NOW, Clock(loop))
    assert "can't be written" in caplog.text
    assert pauses.read(tmp_path / "taken" / pauses.FILE, NOW) == {}
