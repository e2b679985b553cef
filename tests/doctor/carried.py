"""Person who pastes the printed commands of `rotator doctor` into bash, with az, rotator, an editor and the machine's
own programs on PATH.

rotator is the real one, in process. az is either stock az or `tests.doctor.verbs`, which has the same effects on the
emulator.
"""

import os
import re
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.cli.scene import Scene
from tests.doctor.verbs import az

SHIM = """#!/bin/sh
for word in "$@"; do
    shift
    case $word in /dev/fd/*) cat "$word" >{directory}/file; word={directory}/file;; esac
    set -- "$@" "$word"
done
printf '%s\\0' {name} "$@" >{directory}/asked
{{ read -r code; cat; }} <{directory}/said
exit "$code"
"""
"""Program that hands a command over to the test; it reads a process substitution first, as no other program can."""
PERSON = 'bash "$4" "$1" <"$2"; printf "end\\0%s\\0" "$?" >"$3"'
YES = "y\n"
"""Answer to rotator's questions, given beforehand: there is no terminal."""
PATIENCE = 60.0
"""Longest time in seconds for one command of the shell that isn't handed over."""
PLAIN = ("rotator", "az", "editor", "docker", "timedatectl")


@dataclass(frozen=True)
class Person:
    """Person at a terminal.

    `types` are the answers to prompts, `corrects` edits a file other than the policy in the editor.
    """

    scene: Scene
    directory: Path
    fills: str = ""
    types: str = ""
    corrects: Any = None
    undeterred: bool = False
    """Goes on after a failed command, as a person who pastes line by line."""
    stock: Mapping[str, str] = field(default_factory=dict)
    """Real programs, each by the text of its script."""

    def paste(self, commands: Sequence[str], write: str) -> None:
        """Paste the commands in order into one shell, and adopt the shell's environment for rotator."""
        self.directory.mkdir()
        for name in PLAIN:
            self._script(name, self.stock.get(name) or SHIM.format(name=name, directory=self.directory))
        self._script("sudo", '#!/bin/sh\nexec "$@"\n')
        for pipe in ("asked", "said"):
            os.mkfifo(self.directory / pipe)
        (self.directory / "typed").write_text(self.types)
        lines = (*(self._filled(command) for command in commands), f"env -0 >{self.directory}/environment")
        (self.directory / "pasted").write_text("\n".join(lines))
        assert self._run(write) == 0 or self.undeterred, commands
        self._signed_in()

    def _filled(self, text: str) -> str:
        return re.sub(r"<[a-z][^<>()]*>", self.fills, text) if self.fills else text

    def _script(self, name: str, text: str) -> None:
        (self.directory / name).write_text(text)
        (self.directory / name).chmod(0o755)

    def _run(self, write: str) -> int:
        environment = {**os.environ, "PATH": f"{self.directory}{os.pathsep}{os.environ['PATH']}", "EDITOR": "editor"}
        files = [str(self.directory / name) for name in ("pasted", "typed", "asked")]
        with subprocess.Popen(
            ["sh", "-c", PERSON, "sh", *files, "-u" if self.undeterred else "-eu"],
            env=environment,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        ) as shell:
            try:
                while (words := self._asked())[0] != "end":
                    code, out = self._answer(words, write)
                    (self.directory / "said").write_text(f"{code}\n{out}")
            except BaseException:
                os.killpg(shell.pid, signal.SIGKILL)
                raise
        return int(words[1])

    def _asked(self) -> list[str]:
        """Return the next command from bash; a shell that hangs is a failure, not a wait."""
        pipe, said = os.open(self.directory / "asked", os.O_RDONLY | os.O_NONBLOCK), b""
        try:
            while True:
                assert select.select([pipe], [], [], PATIENCE)[0], "the shell hangs"
                if not (more := os.read(pipe, 65536)):
                    return said.decode().split("\0")[:-1]
                said += more
        finally:
            os.close(pipe)

    def _answer(self, words: list[str], write: str) -> tuple[int, str]:
        if words[0] == "rotator":
            said = self.scene(*words[1:], *(["--yes"] if self.types == YES else []))
            return said.code, said.out + said.err
        if words[0] == "az":
            return 0, az(self.scene, words[1:])
        if words[0] == "editor":
            self._edit(Path(words[1]), write)
        elif words[0] == "docker":
            _push(self.scene, words[1:])
        else:
            assert words == ["timedatectl", "set-ntp", "true"]
            self.scene.skew *= 0
        return 0, ""

    def _signed_in(self) -> None:
        """Adopt the shell's exported sign-in for the next rotator; a signed-in az counts as the operator's own
        secret.
        """
        text = (self.directory / "environment").read_bytes().decode()
        shell = dict(line.split("=", 1) for line in text.split("\0") if line.startswith("AZURE_"))
        for name in [name for name in os.environ if name.startswith("AZURE_") and name not in shell]:
            del os.environ[name]
        os.environ.update(shell)
        if getattr(self.scene, "logged_in", False):
            sign_in(self.scene)

    # the editor

    def _edit(self, file: Path, write: str) -> None:
        """Put the printed lines into the policy, in their place beside the existing content; correct any other file by
        `corrects`.
        """
        if file != self.scene.policies / "mycontainerregistry.yaml":
            self.corrects(self.scene, file)
            return
        policy = YAML(typ="safe").load(file.read_text())
        text = self._filled(write)
        written = YAML(typ="safe").load(text)
        for old in re.findall(r"(?:# in place of |#  - id: )(\S+)", text):
            for name in ("registries", "container_groups"):
                policy[name] = [each for each in policy[name] if each["id"] != old]
        for path in re.findall(r"#      (\S+)", text):
            for each in policy["container_groups"]:
                each.get("secrets", {}).pop(path, None)
        with file.open("w") as out:
            YAML().dump(_merged(policy, written), out)


def _merged(there: Any, new: Any) -> Any:
    if new is None:
        return there
    if isinstance(there, dict) and isinstance(new, dict):
        return {**there, **{name: _merged(there.get(name), value) for name, value in new.items()}}
    if isinstance(there, list) and isinstance(new, list) and all(isinstance(one, dict) for one in new):
        by_id = {one["id"]: one for one in there}
        return list({**by_id, **{one["id"]: _merged(by_id.get(one["id"], {}), one) for one in new}}.values())
    return new


def _push(scene: Scene, words: list[str]) -> None:
    assert words[0] == "push"
    (image,) = words[1:]
    host, _, rest = image.partition("/")
    repository, _, tag = rest.partition(":")
    scene.azure.registries.push(host, repository, tag)


def sign_in(scene: Scene) -> None:
    """Sign in as the operator from now on; the scene's own monkeypatch restores the environment."""
    seeded = scene.seeded
    os.environ.update(
        AZURE_TENANT_ID=seeded.tenant,
        AZURE_CLIENT_ID=seeded.operator.app_id,
        AZURE_CLIENT_SECRET=seeded.operator.secret,
    )
