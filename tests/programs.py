"""What some tests need beside Python: with CI=true something that is missing fails the test, elsewhere it is skipped."""

import os
import shutil
import subprocess
from typing import NoReturn

import pytest


def needed(program: str, package: str, *others: str) -> str:
    """Return the path of a program, or end the test: `package` is Debian's, `others` are the program's other names."""
    found = next((path for name in (program, *others) if (path := shutil.which(name))), None)
    if not found:
        absent(f"{program} is not here: install Debian's package {package}, as .ci/run does")
    return found


def absent(why: str) -> NoReturn:
    """End the test."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{why}; with CI=true nothing is skipped")
    pytest.skip(why)


def as_root() -> list[str]:
    """Return what a command is to begin with to run as root in namespaces of its own, or skip the test.

    What a machine refuses can't be installed: that is a skip with CI=true, too.
    """
    for before in ([], ["sudo", "-n"]):
        try:
            done = subprocess.run([*before, "unshare", "--mount", "true"], capture_output=True, check=False)
        except OSError:
            continue
        if done.returncode == 0:
            return before
    pytest.skip("this needs root, or sudo without a password, and may make namespaces")


__all__ = ["absent", "as_root", "needed"]
