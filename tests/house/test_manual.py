"""Tests of the manual page: it equals the help, in roff without a warning."""

import subprocess

from tests import manual
from tests.programs import needed


def test_the_page_is_as_the_help_makes_it() -> None:
    assert manual.FILE.read_text() == manual.page(), "out of date; run make docs"


def test_each_verb_and_option_is_in_it() -> None:
    shown = manual.page()
    assert all(f".SS {verb}" in shown for verb in ("rotate", "status", "emulator"))
    assert r"\fB\-q, \-\-quiet\fR" in shown


def test_groff_has_no_warning_about_it() -> None:
    groff = needed("groff", "groff-base")
    done = subprocess.run(
        [groff, "-man", "-Tutf8", "-ww", "-z", manual.FILE], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
