"""Player of a Containerfile without a container engine: each instruction in order, in empty roots on a throwaway host.

Simulated are the base image, by this machine's /usr with the tests' Python in /usr/local; layers; and further acts of
an engine: a mount of the volume, a read-only root, no capabilities, the entry point as the first process.
"""

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

BASE = """\
base() {
	mkdir -p "$1"
	mount -t tmpfs -o mode=755 tmpfs "$1"
	for link in bin sbin lib lib64; do [ ! -L "/$link" ] || cp -P "/$link" "$1/"; done
	for one in bin sbin lib lib64 usr opt/libraries; do
		[ -L "/$one" ] || [ ! -d "/$one" ] || { mkdir -p "$1/$one" && mount --bind -o ro "/$one" "$1/$one"; }
	done
	[ ! -d /opt/python/lib ] || mount --bind /opt/python "$1/usr/local"
	mkdir -p "$1/etc" "$1/proc" "$1/dev" "$1/var/lib" "$1/root"
	mkdir -m 1777 "$1/tmp"
	cp -R /etc/passwd /etc/group /etc/nsswitch.conf /etc/resolv.conf /etc/hosts /etc/ssl /etc/ld.so.conf* "$1/etc/"
	mount --rbind /dev "$1/dev"
	chroot "$1" ldconfig
}
"""


@dataclass
class Image:
    """Settings of a container from the last stage of a Containerfile."""

    root: str = ""
    user: str = "0:0"
    directory: str = "/"
    environment: dict[str, str] = field(default_factory=dict)
    volumes: list[str] = field(default_factory=list)
    signal: str = "SIGTERM"
    entry: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def inside(self) -> str:
        """Return the command that runs a program in the root, with the image's variables."""
        return shlex.join(["chroot", self.root, "env", "-i", *(f"{k}={v}" for k, v in self.environment.items())])


def instructions(file: Path) -> list[tuple[str, str]]:
    """Return the instructions of a Containerfile: names, and arguments."""
    rows = [row for row in file.read_text().splitlines() if row and not row.startswith("#")]
    return [(row.partition(" ")[0], row.partition(" ")[2]) for row in rows]


def script(file: Path, context: str, played: Callable[[str], str]) -> tuple[str, Image]:
    """Return a shell script that builds the image from a context, and the image; `played` replaces the command of a
    RUN.
    """
    said, stages, image = [BASE], dict[str, str](), Image()
    for name, rest in instructions(file):
        match name:
            case "FROM":
                stage = rest.partition(" AS ")[2] or "last"
                stages[stage] = f"/stages/{stage}"
                image = Image(stages[stage], environment={"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"})
                said.append(f"base {image.root}")
            case "RUN":
                inside = f"cd {image.directory} && {played(rest)}"
                said.append(f"{image.inside()} sh -ec {shlex.quote(inside)}")
            case "COPY":
                said.append(_copied(image, rest.split(), stages, context))
            case _:
                said.append(_set(image, name, rest))
    return "\n".join(said), image


def _copied(image: Image, words: list[str], stages: dict[str, str], context: str) -> str:
    source = context
    if words[0].startswith("--from="):
        source = stages[words.pop(0).removeprefix("--from=")]
    *files, to = words
    target = image.root + str(Path(image.directory) / to)
    sources = [f"{source}/{file.lstrip('/')}" for file in files]
    if to.endswith("/"):
        return shlex.join(["cp", "-RL", *sources, target])
    return f"mkdir -p {target} && cp -R {sources[0]}/. {target}"


def _set(image: Image, name: str, rest: str) -> str:
    match name:
        case "WORKDIR":
            image.directory = rest
            return f"mkdir -p {image.root}{rest}"
        case "ENV":
            image.environment |= dict(word.split("=", 1) for word in rest.split())
        case "USER":
            image.user = rest
        case "VOLUME":
            image.volumes.append(rest)
        case "STOPSIGNAL":
            image.signal = rest
        case "ENTRYPOINT":
            image.entry = json.loads(rest)
        case "CMD":
            image.command = json.loads(rest)
        case _:
            assert name == "ARG", f"{name} is not played"
    return ":"
