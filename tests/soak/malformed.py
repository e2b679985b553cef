"""Malformed input: policies, manifests, arguments, variables and streams, each damaged at random.

For each: no traceback, a documented exit code, no secret in the output, no write after a refusal (2). A `rotate` of all
policies ends with 2 and still serves the valid ones.
"""

import fcntl
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree
from typing import TextIO

from tests.soak.conduct import acting
from tests.soak.emulated import BARE, ROOT, ROTATOR
from tests.soak.emulated import CONTROL as CONTROL_HOST
from tests.soak.scene import JOB, NAME, Scene

TIME, SHORT = 45.0, 6.0
"""Seconds for a command; a request through an absent proxy is tried for longer, and given up here."""
OWN = "rotator/cli"
"""Part of the path of rotator's first loaded file."""
CRASHES = ("Traceback (most recent call last)", "Exception ignored", "a bug in rotator", "Fatal Python error")
JUNK = (
    *(
        "",
        "~",
        "null",
        "[]",
        "{}",
        "true",
        "-1",
        "1e400",
        ".nan",
        "0x10",
        "90",
        "90d90d",
        "999999999999999999999d",
        "!!python/object:os.system x",
        "*none",
    ),
    *(
        '"\\u202e\\u0000"',
        "'",
        '"',
        "&a [*a]",
        "<<: *x",
        "\t",
        "- - - -",
        "? :",
        "%",
        "@",
        "`",
        "|",
        ">",
        "---",
        "...",
        "# only a comment",
        "\x1b[31mred",
    ),
    *("[" * 100_000, "0 2 * * " + ",".join(["1"] * 100_000), "'0 0 1 1 *'"),
    *(
        "2024-02-30",
        "12:60:61",
        "[" * 2000,
        "{a: " * 500,
        "x" * 70_000,
        "/subscriptions/../../x",
        "https://evil.example/",
        "http://[::1",
        "\ufeff",
        "é" * 300,
    ),
)
ARGUMENTS = (
    *(
        "--no-such-option",
        "-",
        "--",
        "",
        " ",
        "../../etc/passwd",
        "pull/../pull",
        "/dev/null",
        "\x1b[31mred",
        "\u202epull",
        "x" * 5000,
        "--output",
        "xml",
    ),
    *(
        "--output=json",
        "--output=yaml",
        "--policies",
        "/nonexistent",
        "/etc/passwd",
        "--policies=/dev/full",
        "--lease-dir=/dev/null",
        "--lease-dir=/proc/1",
    ),
    *(
        "--max-duration=nan",
        "--max-duration=0s",
        "--max-duration=-5m",
        "--max-duration=99999999999999999d",
        "--max-duration=",
        "--cloud=mars",
        "-vvvvvvvv",
    ),
    *(
        "--key-id=",
        "--key-id=x",
        "--key-id=../..",
        "--record=/dev/full",
        "--record=/",
        "--log-format=xml",
        "--yes",
        "--force",
        "--dry-run",
        "--help",
        "-h",
    ),
    *(
        "--version",
        "--exit-code",
        "--compromised",
        "--accept-outage",
        "--all",
        "--drafts=/dev/null",
        "--subscription=x",
        "--subscription=\x00"[:-1],
    ),
)
VERBS = (
    "validate",
    "plan",
    "status",
    "rotate",
    "adopt",
    "deploy",
    "manifest",
    "revoke",
    "grant",
    "provision",
    "history",
    "doctor",
    "discover",
    "nothing",
    "schema",
)
VARIABLES: dict[str, tuple[str, ...]] = {
    "HTTPS_PROXY": (
        "",
        "x",
        "http://",
        "http://[",
        "socks9://127.0.0.1:1",
        "http://127.0.0.1:99999",
        "http://u:p@127.0.0.1:1",
        "127.0.0.1:1",
        "ftp://é",
    ),
    "NO_PROXY": ("*", ",", "[", "login.microsoftonline.com"),
    "AZURE_TENANT_ID": ("", "x", "../..", "é", "common/../x"),
    "AZURE_CLIENT_ID": ("", "nobody", "\x1b[31m"),
    "AZURE_CLIENT_SECRET": ("", "é" * 50, "wrong and secret"),
    "AZURE_AUTHORITY_HOST": ("x", "http://login.microsoftonline.com", "https://evil.example", "https://["),
    "AZURE_TOKEN_CREDENTIALS": ("x", "prod", "dev"),
    "AZURE_CLIENT_CERTIFICATE_PATH": ("/nonexistent", "/dev/null"),
    "AZURE_FEDERATED_TOKEN_FILE": ("/nonexistent", "/"),
    "AZURE_LOG_LEVEL": ("x", "DEBUG"),
    "ROTATOR_POLICIES": ("", "/nonexistent", "/dev/null", "."),
    "ROTATOR_LEASE_DIR": ("", "/dev/null", "/proc/self", "x" * 5000),
    "ROTATOR_CLOUD": ("", "mars", "usgov"),
    "ROTATOR_GRACE": ("", "nan", "inf", "-1", "x", "1e400"),
    "NO_COLOR": ("", "1"),
    "FORCE_COLOR": ("1", "x"),
    "COLUMNS": ("", "0", "-1", "1", "x", "99999999999999999999"),
    "LINES": ("0", "x"),
    "TERM": ("", "dumb", "x"),
    "TZ": ("", "x", "/etc/passwd", ":", "Europe/Nowhere", "UTC+99"),
    "LC_ALL": ("", "C", "POSIX", "xx_YY.UTF-8", "tr_TR.UTF-8"),
    "PYTHONIOENCODING": ("ascii", "latin-1", "utf-16"),
    "HOME": ("", "/nonexistent", "/dev/null", "relative"),
    "XDG_STATE_HOME": ("", "/dev/null", "relative"),
    "SSL_CERT_FILE": ("", "/nonexistent", "/dev/null", "/etc/passwd", "/"),
    "REQUESTS_CA_BUNDLE": ("", "/nonexistent", "/etc/passwd"),
}
UNREACHABLE = (
    "HTTPS_PROXY",
    "NO_PROXY",
    "AZURE_AUTHORITY_HOST",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "ROTATOR_CLOUD",
)
"""Variables that make every request fail; requests are tried again for minutes."""
CONTROL: tuple[tuple[str, str], ...] = (
    ("/clock", '{"advance": NaN}'),
    ("/clock", '{"advance": 1e308}'),
    ("/clock", '{"advance": -1}'),
    ("/clock", '{"advance": "1"}'),
    ("/clock", "[]"),
    ("/move-host", '{"id": "x"}'),
    ("/move-host", '{"id": 1}'),
    ("/faults", '{"operation": "graph.*", "kind": "nothing"}'),
    ("/faults", '{"operation": "graph.*", "kind": "status", "nth": NaN}'),
    ("/faults", "{" * 5000),
)
"""Invalid requests to the control endpoint."""
COLOURS = {"FORCE_COLOR", "TERM", "PYTHONIOENCODING", "LC_ALL"}
"""Variables that ask for an output other than plain text."""
STREAMS = ("out closed", "err closed", "in closed", "all closed", "out full", "err full", "both full", "out pipe")


@dataclass
class Case:
    """One malformed input."""

    told: str
    arguments: Sequence[str]
    changes: dict[str, str] = field(default_factory=dict)
    streams: str = ""
    may_wait: bool = False
    ends: frozenset[int] = frozenset(range(6))
    """Permitted exit codes."""
    interrupted: float | None = None
    """Seconds until a SIGINT."""


@dataclass
class Fuzzer:
    """Damages copies of a scene's files, and runs the command on them."""

    scene: Scene
    exports: dict[str, str]
    rng: random.Random
    held: TextIO | None = None
    """Lease held by this process."""

    def problems(self, number: int) -> Iterator[str]:
        """Play so many inputs; yield each violation with its input."""
        yield from self.control()
        for _ in range(number):
            case = self.rng.choice(KINDS)(self)
            for problem in self.met(case):
                yield (
                    f"{problem}; input: {case.told}; rotator {' '.join(repr(each[:200]) for each in case.arguments)};"
                    f" {case.changes} {case.streams}"
                )
            self.tidy()

    def tidy(self) -> None:
        """Remove the obstacle in place of a lease."""
        if self.held:
            self.held.close()
        self.held = None
        file = self.scene.path / "leases0" / f"{self.scene.app_id}.lock"
        file.rmdir() if file.is_dir() and not file.is_symlink() else file.unlink(missing_ok=True)

    # inputs

    def spoiled(self, text: str) -> bytes:
        """Return a text with one to three lines damaged, sometimes with raw bytes inserted."""
        lines = text.splitlines()
        for _ in range(self.rng.randint(1, 3)):
            at = self.rng.randrange(len(lines))
            self.rng.choice(MUTATIONS)(self.rng, lines, at)
            lines = lines or [""]
        content = "\n".join(lines).encode(errors="surrogatepass")
        if self.rng.random() < 0.1:
            at = self.rng.randrange(len(content) + 1)
            content = (
                content[:at] + self.rng.choice((b"\x00", b"\xff\xfe", b"\xc3", b"\r", b"\xe2\x80\xae")) + content[at:]
            )
        return content

    def directory(self) -> Path:
        """Return a copy of the scene's policy, with its manifests."""
        path = self.scene.path / "malformed" / f"{self.rng.getrandbits(32):08x}"
        copytree(self.scene.policies / "manifests", path / "manifests")
        (path / f"{NAME}.yaml").write_text((self.scene.policies / f"{NAME}.yaml").read_text())
        return path

    def policy(self) -> Case:
        path, example = self.directory(), ROOT / "policies" / "mycontainerregistry.yaml"
        if self.rng.random() < 0.5:
            (path / f"{NAME}.yaml").write_bytes(self.spoiled((path / f"{NAME}.yaml").read_text()))
        else:
            (path / "example.yaml").write_bytes(self.spoiled(example.read_text()))
        verb = self.rng.choice(
            (
                ("validate",),
                ("plan",),
                ("status",),
                ("rotate",),
                ("rotate", NAME),
                ("provision", NAME, "--dry-run"),
                ("doctor", NAME),
            )
        )
        return Case(f"policies in {path}", (*verb, "--policies", str(path)))

    def odd_files(self) -> Case:
        path = self.directory()
        odd = path / f"odd.{self.rng.choice(('yaml', 'yml'))}"
        which = self.rng.choice(("directory", "loop", "nowhere", "fifo", "large"))
        match which:
            case "directory":
                odd.mkdir()
            case "loop":
                odd.symlink_to(odd)
            case "nowhere":
                odd.symlink_to("/nonexistent")
            case "fifo":
                os.mkfifo(odd)
            case _:
                odd.write_bytes(b"a: b\n" * 400_000)
        verb = self.rng.choice((("validate",), ("plan", NAME), ("rotate",)))
        return Case(f"a {which} among {path}", (*verb, "--policies", str(path)))

    def manifest(self) -> Case:
        path = self.directory()
        (path / "manifests" / "nightly.yaml").write_bytes(
            self.spoiled((path / "manifests" / "nightly.yaml").read_text())
        )
        verb = self.rng.choice((("validate",), ("plan",), ("deploy", NAME, JOB), ("rotate", NAME)))
        return Case(f"a manifest in {path}", (*verb, "--policies", str(path)))

    def arguments(self) -> Case:
        verb = self.rng.choice(VERBS)
        given = [self.rng.choice((*ARGUMENTS, NAME, NAME, JOB)) for _ in range(self.rng.randint(0, 4))]
        return Case("arguments", (verb, *given))

    def variables(self) -> Case:
        chosen = self.rng.sample(sorted(VARIABLES), self.rng.randint(1, 3))
        changes = {name: self.rng.choice(VARIABLES[name]) for name in chosen}
        if "HTTPS_PROXY" in changes:
            changes["https_proxy"] = changes["HTTPS_PROXY"]
        verb = self.rng.choice((("validate",), ("status",), ("plan",), ("--help",), ("rotate", "--dry-run")))
        return Case("variables", verb, changes, may_wait=bool(set(chosen) & set(UNREACHABLE)))

    def streams(self) -> Case:
        verb = self.rng.choice(
            (
                ("validate",),
                ("status",),
                ("plan", "-v"),
                ("--help",),
                ("rotate", NAME, "-vv"),
                ("revoke", NAME),
                ("nothing",),
            )
        )
        more = self.rng.choice(((), ("--output", "json"))) if verb[0] not in ("--help", "nothing") else ()
        return Case("streams", (*verb, *more), streams=self.rng.choice(STREAMS))

    def neighbour(self) -> Case:
        """Add an invalid policy beside the valid one: only commands on all policies may fail."""
        path = self.directory()
        (path / "neighbour.yaml").write_text(
            self.rng.choice(("[", "principal: 1", "- a\n- b", "{a: b", "\x00", "a: ["))
        )
        alone, ends = self.rng.choice(
            (
                (("plan", NAME), {0, 1, 3}),
                (("rotate", NAME), {0, 1, 3, 4}),
                (("status", NAME), {0, 1}),
                (("plan",), {2}),
            )
        )
        return Case(f"a broken neighbour in {path}", (*alone, "--policies", str(path)), ends=frozenset(ends))

    def lease(self) -> Case:
        """Put an obstacle in place of the policy's lease, or hold the lease beyond any run's time."""
        leases = self.scene.path / "leases0"
        leases.mkdir(exist_ok=True)
        file = leases / f"{self.scene.app_id}.lock"
        file.unlink(missing_ok=True)
        which = self.rng.choice(("fifo", "directory", "link", "name", "overdue"))
        match which:
            case "fifo":
                os.mkfifo(file)
            case "directory":
                file.mkdir()
            case "link":
                file.symlink_to(self.scene.policies / f"{NAME}.yaml")
            case "name":
                os.link(self.scene.policies / f"{NAME}.yaml", file)
            case _:
                self.held = file.open("w")
                fcntl.flock(self.held, fcntl.LOCK_EX)
                said = {"pid": os.getpid(), "since": "2020-01-01T00:00:00+00:00", "seconds": 60}
                self.held.write(json.dumps(said))
                self.held.flush()
        return Case(f"a lease that is a {which}", ("rotate", NAME), ends=frozenset({1}))

    def interruption(self) -> Case:
        """Return a case with a SIGINT while the command starts or works."""
        verb = self.rng.choice((("--help",), ("validate",), ("plan",), ("status",), ("rotate", NAME, "--dry-run")))
        return Case(
            "an interruption", verb, ends=frozenset({0, 1, 3, 130, -2}), interrupted=self.rng.uniform(0.05, 1.5)
        )

    def control(self) -> Iterator[str]:
        """Yield invalid requests to the control endpoint that were not refused with a message, or that changed the
        clock.
        """
        azure = self.scene.azure
        before = azure.control("GET", "/clock")
        for path, body in CONTROL:
            status, said = azure.request(
                "POST",
                f"https://{CONTROL_HOST}{path}",
                body,
                {"Authorization": f"Bearer {azure.running['token']}", "Content-Type": "application/json"},
            )
            if not 400 <= status < 500 or "error" not in (said or {}):
                yield f"the emulator answers {path} {body} with {status} {said}"
        now = azure.control("GET", "/clock")["now"]
        if now[:13] != before["now"][:13]:
            yield f"the emulator's time went from {before['now']} to {now}"

    # results

    def met(self, case: Case) -> Iterator[str]:
        """Run the command on one input; yield the violations."""
        azure = self.scene.azure
        since = max((each["number"] for each in azure.control("GET", "/calls")["value"]), default=0)
        own = {
            "HOME": str(self.scene.path),
            "ROTATOR_POLICIES": str(self.scene.policies),
            "ROTATOR_LEASE_DIR": str(self.scene.path / "leases0"),
        }
        environment = {**BARE, **self.exports, **own, **case.changes}
        output = self.scene.path / "malformed-output"
        output.unlink(missing_ok=True)
        command = [*shell(case.streams, output), ROTATOR, *case.arguments]
        try:
            done = _run(command, environment, self.scene.path, case)
        except subprocess.TimeoutExpired:
            if not case.may_wait:
                yield f"no end after {TIME:.0f} s"
            return
        said = b"\n".join((done.stdout, done.stderr, output.read_bytes() if output.exists() else b"")).decode(
            errors="replace"
        )
        (self.scene.path / "malformed-said").write_text(said)
        if case.interrupted is None or OWN in said:  # earlier, the interpreter is still starting
            yield from (f"{crash!r}: {said[-1500:]}" for crash in CRASHES if crash in said)
        if not set(case.changes) & COLOURS:
            yield from acting(said)
        if done.returncode not in case.ends:
            yield f"exit code {done.returncode}: {said[-600:]}"
        writes = [
            each
            for each in azure.control("GET", f"/calls?since={since}")["value"]
            if _writes(each["operation"], each["method"])
        ]
        if done.returncode == 2 and writes and case.arguments[0] != "rotate":
            yield f"refused with 2, and wrote {[each['operation'] for each in writes]}"


def _run(
    command: Sequence[str], environment: dict[str, str], where: Path, case: Case
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end. Raises TimeoutExpired."""
    null, pipe = subprocess.DEVNULL, subprocess.PIPE
    with subprocess.Popen(command, env=environment, cwd=where, stdin=null, stdout=pipe, stderr=pipe) as process:
        try:
            if case.interrupted is not None:
                time.sleep(case.interrupted)
                process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=SHORT if case.may_wait else TIME)
        finally:
            process.kill()
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _writes(operation: str, method: str) -> bool:
    return method not in ("GET", "HEAD") and not operation.startswith(("entra.", "acr."))


def shell(streams: str, output: Path) -> tuple[str, ...]:
    """Return a shell command that starts another one with the given streams; empty for ordinary ones."""
    kept = f"2>{output}"
    ways = {
        "out closed": f"{kept} >&-",
        "err closed": f">{output} 2>&-",
        "in closed": "<&-",
        "all closed": "<&- >&- 2>&-",
        "out full": f"{kept} >/dev/full",
        "err full": f">{output} 2>/dev/full",
        "both full": ">/dev/full 2>&1",
        "out pipe": kept,
    }
    if streams not in ways:
        return ()
    end = ' | true; exit "${PIPESTATUS[0]}"' if streams == "out pipe" else ""
    return ("bash", "-c", f'"$@" {ways[streams]}{end}', "bash")


def _deleted(rng: random.Random, lines: list[str], at: int) -> None:
    del lines[at]


def _doubled(rng: random.Random, lines: list[str], at: int) -> None:
    lines.insert(at, lines[at])


def _shifted(rng: random.Random, lines: list[str], at: int) -> None:
    lines[at] = rng.choice(("  ", "\t", " ")) + lines[at] if rng.random() < 0.5 else lines[at].lstrip()


def _replaced(rng: random.Random, lines: list[str], at: int) -> None:
    key, colon, _ = lines[at].partition(":")
    lines[at] = f"{key}{colon} {rng.choice(JUNK)}"


def _renamed(rng: random.Random, lines: list[str], at: int) -> None:
    key, colon, value = lines[at].partition(":")
    lines[at] = f"{rng.choice(JUNK)[:200]}{colon}{value}" if rng.random() < 0.3 else f"{key[:-2]}{colon}{value}"


def _moved(rng: random.Random, lines: list[str], at: int) -> None:
    line = lines.pop(at)
    lines.insert(rng.randrange(len(lines) + 1), line)


MUTATIONS: tuple[Callable[[random.Random, list[str], int], None], ...] = (
    _deleted,
    _doubled,
    _shifted,
    _replaced,
    _replaced,
    _replaced,
    _renamed,
    _moved,
)
KINDS: tuple[Callable[[Fuzzer], Case], ...] = (
    *(Fuzzer.policy, Fuzzer.policy, Fuzzer.odd_files, Fuzzer.manifest, Fuzzer.arguments, Fuzzer.arguments),
    *(Fuzzer.variables, Fuzzer.variables, Fuzzer.streams, Fuzzer.neighbour, Fuzzer.lease, Fuzzer.interruption),
)
