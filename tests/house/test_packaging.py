"""Tests of rotator's distributions: the wheel for users, and the source distribution from which the wheel can
be built.
"""

import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
CITED = (
    "docs/operations.md",
    "function/host.json",
    "function/requirements.txt",
    "policy/policy.schema.json",
    "policy/defaults.schema.json",
    "docs/prometheus/rotator.rules.yml",
    "report/page/page.css",
    "report/page/page.js",
    "py.typed",
)
"""Files below the package for messages, editors and type checkers."""


def built(root: Path, target: str, into: Path) -> Path:
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (made,) = into.iterdir()
    return made


@pytest.fixture(name="source", scope="module")
def _source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Provide the unpacked source distribution."""
    unpacked = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(built(ROOT, "sdist", tmp_path_factory.mktemp("sdist"))) as archive:
        archive.extractall(unpacked, filter="data")
    (source,) = unpacked.iterdir()
    return source


@pytest.mark.xdist_group("packaging")
def test_the_wheel_that_the_source_distribution_makes_is_whole_and_holds_nothing_of_the_emulator(
    source: Path, tmp_path: Path
) -> None:
    names = ZipFile(built(source, "wheel", tmp_path)).namelist()
    assert {f"rotator/{name}" for name in CITED} <= set(names)
    assert {f"rotator/docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= set(names)
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"rotator", "aci_pull_rotator"}


@pytest.mark.xdist_group("packaging")
def test_the_source_distribution_has_every_page_of_the_root_and_nothing_of_the_emulator(source: Path) -> None:
    names = {path.name for path in source.iterdir()}
    assert {page.name for page in ROOT.glob("*.md")} <= names
    assert "emulator" not in names
