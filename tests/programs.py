"""Programs that some tests need beside Python: with CI=true one that is missing fails the test, elsewhere it is skipped."""

import os
import shutil

import pytest


def needed(program: str, package: str, *others: str) -> str:
    """Return the path of a program, or end the test: `package` is Debian's, `others` are the program's other names."""
    found = next((path for name in (program, *others) if (path := shutil.which(name))), None)
    if found:
        return found
    why = f"{program} is not here: install Debian's package {package}, as .ci/run does"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{why}; with CI=true nothing is skipped")
    pytest.skip(why)
