"""Tests of an app id put into a policy's file: not a byte of the rest changes."""

from pathlib import Path

import pytest

from rotator.cli.commands.provision import save
from rotator.errors import RotatorError
from rotator.policy import with_app_id

ID = "5d3c0a52-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "principal:\n  display_name: x # why\nkey_vault: {}\n",
            f"principal:\n  app_id: {ID}\n  display_name: x # why\nkey_vault: {{}}\n",
        ),
        (
            "# top\nprincipal: {display_name: x}  # why\n",
            f"# top\nprincipal: {{app_id: {ID}, display_name: x}}  # why\n",
        ),
        ("principal:\n    # first\n    home: application\n    display_name: x\n", None),
        ("principal:\r\n  display_name: 'x'\r\n", f"principal:\r\n  app_id: {ID}\r\n  display_name: 'x'\r\n"),
        (
            '{"principal": {"display_name": "x"}, "registries": []}',
            f'{{"principal": {{app_id: {ID}, "display_name": "x"}}, "registries": []}}',
        ),
        ("registries: []\nprincipal:\n  display_name: >-\n    a long\n    name\n", None),
        ("\ufeffprincipal: {display_name: x}\n", f"\ufeffprincipal: {{app_id: {ID}, display_name: x}}\n"),
    ],
)
def test_an_app_id_is_inserted_and_nothing_else_changes(before: str, after: str | None) -> None:
    written = with_app_id(before, "a.yaml", ID)
    lines = [line for line in written.splitlines(keepends=True) if ID not in line]
    assert written == after if after else "".join(lines) == before
    assert with_app_id(written, "a.yaml", ID) == written, "twice is once"


@pytest.mark.parametrize(
    "text",
    [
        "principal: {app_id: 11111111-0000-0000-0000-000000000000}\n",
        "registries: []\n",
        "principal: 3\n",
        "principal: {}\n",
    ],
)
def test_a_file_that_was_changed_meanwhile_is_left_alone(text: str) -> None:
    with pytest.raises(RotatorError, match="no `principal` any more"):
        with_app_id(text, "a.yaml", ID)


def test_the_file_keeps_its_rights_and_a_link_stays_a_link(tmp_path: Path) -> None:
    file, link = tmp_path / "real" / "a.yaml", tmp_path / "a.yaml"
    file.parent.mkdir()
    file.write_bytes(b"principal: {display_name: x}\r\n")
    file.chmod(0o640)
    link.symlink_to(file)
    save(link, ID)
    assert link.is_symlink()
    assert file.read_bytes() == f"principal: {{app_id: {ID}, display_name: x}}\r\n".encode()
    assert file.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in file.parent.iterdir()] == ["a.yaml"], "nothing is left beside it"
    changed = file.stat().st_mtime_ns
    save(link, ID)
    assert file.stat().st_mtime_ns == changed
