"""Course of a container as its command line tells it: how long it runs, how it ends, and its output.

Containers are no processes. A command of ``exit``, ``sleep``, ``echo``, ``true`` and ``false``, alone or joined by
``;`` and ``&&``, under a shell or not, is followed; one that never ends (``while true``, ``tail -f``, ``sleep
infinity``) serves, and a loop of such commands writes its output again and again. A script that ends a loop which it
doesn't begin is a syntax error, with exit code 2 (recorded). Of any other command nothing is known, and the image says
what happens.
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

_SHELLS = ("sh", "/bin/sh", "bash", "/bin/bash", "ash", "/bin/ash")
_ENDLESS = re.compile(r"\bwhile\s+(true|:)\b|\btail\s+-[fF]\b|\bsleep\s+inf")
_LOOP = re.compile(r"\s*while\s+(?:true|:)\s*;\s*do\s+(.*?)[\s;]*done[\s;]*")
_STRAY = ("done", "do", "fi", "then", "esac")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Course:
    """Exit code, seconds until the end (None: never), and output, again every `period` seconds if that isn't 0."""

    exit_code: int
    seconds: float | None
    logs: str = ""
    period: float = 0.0


def course(command: Sequence[str]) -> Course | None:
    """Return the course of a command; None where it isn't known."""
    words = list(command)
    if len(words) == 1:
        words = _words(words[0])
    shell = len(words) > 2 and words[0] in _SHELLS and words[1] in ("-c", "-lc", "-ec")
    if shell and (loop := _LOOP.fullmatch(words[2])):
        once = _followed(_steps(loop[1]))
        return Course(0, None, once.logs, once.seconds or 0.0) if once else Course(0, None)
    if _ENDLESS.search(text := " ".join(words)):
        return Course(0, None)
    steps = _steps(words[2]) if shell else [shlex.join(words)]
    if shell and (stray := [step for step in steps if step in _STRAY]):
        return Course(2, 0.0, f'{words[0]}: syntax error: unexpected "{stray[0]}"\n')
    return _followed(steps) if text else None


def _steps(script: str) -> list[str]:
    return re.split(r"\s*(?:;|&&)\s*", script.strip(" ;"))


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
