"""Course of a container as its command line tells it: how long it runs, how it ends, and its output.

Containers are no processes. A command of ``exit``, ``sleep``, ``echo``, ``true`` and ``false``, alone or joined by
``;`` and ``&&``, under a shell or not, is followed; one that never ends (``while true``, ``tail -f``, ``sleep
infinity``) serves. Of any other command nothing is known, and the image says what happens.
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

_SHELLS = ("sh", "/bin/sh", "bash", "/bin/bash", "ash", "/bin/ash")
_ENDLESS = re.compile(r"\bwhile\s+(true|:)\b|\btail\s+-[fF]\b|\bsleep\s+inf")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Course:
    """Exit code, seconds until the end (None: never), and output."""

    exit_code: int
    seconds: float | None
    logs: str = ""


def course(command: Sequence[str]) -> Course | None:
    """Return the course of a command; None where it isn't known."""
    words = list(command)
    if len(words) == 1:
        words = _words(words[0])
    shell = len(words) > 2 and words[0] in _SHELLS and words[1] in ("-c", "-lc", "-ec")
    if _ENDLESS.search(text := " ".join(words)):
        return Course(0, None)
    steps = re.split(r"\s*(?:;|&&)\s*", words[2].strip(" ;")) if shell else [shlex.join(words)]
    return _followed(steps) if text else None


def _followed(steps: Sequence[str]) -> Course | None:
    code, seconds, logs = 0, 0.0, ""
    for step in steps:
        words = _words(step)
        argument = words[1] if len(words) > 1 else ""
        if words[:1] == ["echo"]:
            code, logs = 0, logs + " ".join(words[1:]) + "\n"
        elif words[:1] == ["sleep"] and (lasting := re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", argument)):
            code, seconds = 0, seconds + float(lasting[1]) * _SECONDS[lasting[2]]
        elif words in (["true"], ["false"]):
            code = int(words == ["false"])
        elif words[:1] == ["exit"] and re.fullmatch(r"\d*", argument):
            return Course(int(argument) % 256 if argument else code, seconds, logs)
        else:
            return None
    return Course(code, seconds, logs)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []
