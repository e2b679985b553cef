"""Programs beside Python, for some tests: a missing program fails the test with CI=true, and skips it elsewhere."""

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
    """Return the words before a command that run it as root in separate namespaces, or skip the test.

    A refusal by the machine is a skip with CI=true, too: there is no package to install.
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
