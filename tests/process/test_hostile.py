"""Tests of hostile input: invalid policies, devices in place of files, closed outputs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from local_azure.virtual import VirtualLoop, run

from rotator.errors import PolicyError, RotatorError
from rotator.function_app.settings import AppSettings
from rotator.lease import LocalLease
from rotator.policy import load
from rotator.system import now
from tests.cells import cell
from tests.cli.scene import NAME, Scene, make
from tests.policy.test_policy import GROUP, MINIMAL

ROOT = Path(__file__).parents[2]
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
TEXTS = {
    "aliases of aliases, a million times": (LAUGHS, "aliases that repeat too many values"),
    "nested a thousand times": ("a: " + "[" * 1500 + "]" * 1500, "nested too deeply"),
    "a number of five thousand digits": (f"proof: {{times: {'9' * 5000}}}", "not a valid number"),
    "more than anybody writes": (MINIMAL + "#" * (1 << 20), "larger than 1 MiB"),
    "an object of Python": ("principal: !!python/object/apply:os.system [id]", "a YAML tag"),
    "a manifest of no possible name": (
        f'{MINIMAL}container_groups: [{{id: {GROUP}, manifest: "a\\0b"}}]',
        "a character that is not allowed",
    ),
    "a manifest of a name too long": (
        f"{MINIMAL}container_groups: [{{id: {GROUP}, manifest: {'m' * 4000}}}]",
        "no such file",
    ),
    "no end of a time": (f"{MINIMAL}rotation: {{validity: .inf}}", "not a valid number"),
    "a part of a day": (f"{MINIMAL}rotation: {{overlap: 1.5}}", "not a duration"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_is_no_policy_is_a_mistake_and_nothing_worse(name: str, tmp_path: Path) -> None:
    text, problem = TEXTS[name]
    (tmp_path / "one.yaml").write_text(text)
    with pytest.raises(PolicyError) as refused:
        load(tmp_path)
    assert any(problem in mistake.problem for mistake in refused.value.mistakes), refused.value


@pytest.mark.parametrize("kind", ["a directory", "a pipe", "a link to nowhere", "a link to itself", "a device"])
def test_what_is_no_file_is_named_and_never_waited_for(kind: str, tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(MINIMAL)
    bad = tmp_path / "bad.yaml"
    match kind:
        case "a directory":
            bad.mkdir()
        case "a pipe":
            os.mkfifo(bad)
        case _:
            bad.symlink_to(
                {"a link to nowhere": "nowhere", "a link to itself": "bad.yaml", "a device": "/dev/zero"}[kind]
            )
    with pytest.raises(PolicyError) as refused:
        load(tmp_path)
    assert [Path(mistake.file).name for mistake in refused.value.mistakes] == ["bad.yaml"]


@pytest.mark.parametrize("name", ["a\nb.yaml", "a\x1b[2Jb.yaml", os.fsdecode(b"\xff.yaml")])
def test_a_name_that_a_terminal_would_obey_is_shown_harmlessly(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(MINIMAL)
    with pytest.raises(PolicyError) as refused:
        load(tmp_path)
    (mistake,) = refused.value.mistakes
    assert str(mistake).isprintable()
    assert "Rename the file" in str(mistake)


def test_line_ends_of_any_system_and_a_byte_order_mark_are_no_mistakes(tmp_path: Path) -> None:
    for end in ("\r\n", "\r"):
        (tmp_path / "one.yaml").write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", end).encode())
        assert len(load(tmp_path)) == 1


# ends


def validate(directory: Path, redirection: str) -> subprocess.CompletedProcess[str]:
    """Run ``rotator validate`` in a shell, with a redirection."""
    return shell(f"validate --policies {directory} {redirection}")


def shell(words: str, surroundings: str = "") -> subprocess.CompletedProcess[str]:
    """Run ``rotator`` with these words, which may redirect its streams."""
    command = f"{surroundings} {sys.executable} -m rotator {words}"
    return subprocess.run(
        ["/bin/bash", "-c", command], capture_output=True, text=True, errors="replace", check=False, cwd=ROOT
    )


def test_a_report_that_can_not_be_written_is_said_and_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(MINIMAL)
    ended = validate(tmp_path, ">/dev/full")
    assert ended.returncode == 1
    assert ended.stderr.startswith("The report could not be written (")
    assert "Finished steps are done" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_reader_that_has_enough_is_no_failure(tmp_path: Path) -> None:
    """After ``rotator status | head -1`` the exit code is true of the world."""
    (tmp_path / "one.yaml").write_text(MINIMAL)
    ended = validate(tmp_path, "| true; exit ${PIPESTATUS[0]}")
    assert (ended.returncode, ended.stderr) == (0, "")
    (tmp_path / "one.yaml").write_text("principal: 1")
    assert validate(tmp_path, "2>&1 | true; exit ${PIPESTATUS[0]}").returncode == 2


@pytest.mark.share(2)
@pytest.mark.parametrize("words", ["--help", "--version", "plan --help", "emulator --help"])
def test_help_into_a_full_disk_is_one_line_and_no_traceback(words: str) -> None:
    ended = shell(f"{words} >/dev/full")
    assert (ended.returncode, ended.stderr) == (1, "The output could not be written (No space left on device).\n")
    both = shell(f"{words} >/dev/full 2>/dev/full")
    assert (both.returncode, both.stderr) == (1, "")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        cell(words, code, name=words, soak=words.startswith(("plan", "rotate")))
        for words, code in (
            ("validate", 2),
            ("rotate -vv", 1),
            ("rotate --log-format json -v", 1),
            ("plan -vv", 1),
            ("revoke good --no-such-option", 2),
        )
    ],
)
def test_a_stderr_that_takes_no_more_does_not_change_the_exit_code(words: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(MINIMAL if code == 1 else "principal: 1")
    surroundings = f"AZURE_TENANT_ID=../.. ROTATOR_LEASE_DIR={tmp_path / 'leases'} ROTATOR_POLICIES={tmp_path}"
    for end in ("", "2>/dev/full", "2>&-"):
        ended = shell(f"{words} {end}", surroundings)
        assert ended.returncode == code, (end, ended)


@pytest.mark.share(3)
@pytest.mark.parametrize("words", ["revoke one", "rotate one --key-id x", "validate nothing"])
def test_a_refusal_for_programs_into_a_full_disk_ends_with_its_own_code(words: str, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(MINIMAL)
    ended = shell(f"{words} --output json >/dev/full", f"ROTATOR_POLICIES={tmp_path}")
    assert ended.returncode == 2 and "Exception ignored" not in ended.stderr, ended


def test_a_usage_error_with_no_stderr_does_not_reach_stdout() -> None:
    ended = shell("nonsense 2>&-")
    assert (ended.returncode, ended.stdout) == (2, "")


@pytest.mark.share(2)
@pytest.mark.parametrize(
    "surroundings", ["PYTHONIOENCODING=latin-1", "PYTHONIOENCODING=ascii", "LC_ALL=C", "COLUMNS=0", "COLUMNS=99999999"]
)
def test_no_encoding_and_no_width_of_a_terminal_is_in_the_way(surroundings: str, tmp_path: Path) -> None:
    (tmp_path / "größe\N{EN DASH}x.yaml").write_text(MINIMAL)
    ended = shell(f"validate --policies {tmp_path}", surroundings)
    assert (ended.returncode, ended.stderr, len(ended.stdout.splitlines())) == (0, "", 1)


def test_an_interruption_while_it_starts_is_one_line(tmp_path: Path) -> None:
    """The import of the commands meets SIGINT, as after ^C at once."""
    pressed = "if name == 'rotator.cli.app': signal.raise_signal(signal.SIGINT)"
    begins = f"import signal, sys\nclass Find:\n    def find_spec(self, name, *_):\n        {pressed}\n"
    code = f"{begins}sys.meta_path.insert(0, Find())\nfrom rotator.cli import main\nmain()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (ended.returncode, ended.stderr, ended.stdout) == (130, "Interrupted before anything was begun.\n", "")


def test_no_ends_at_all_are_survived(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(MINIMAL)
    assert validate(tmp_path, "<&- >&- 2>&-").returncode == 0


@pytest.fixture(name="rotator")
def _rotator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scene:
    return make(monkeypatch, tmp_path)


def test_a_rotation_is_finished_although_nobody_can_be_told(rotator: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken stderr in the middle of an issue once left an unpublished credential behind."""
    heard = []

    def broken(text: object, *, err: bool = False, **_: object) -> None:
        heard.append(err)
        if err:
            raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(typer, "echo", broken)
    assert rotator("rotate", NAME, "--adopt").code == 0
    assert True in heard
    assert len(rotator.live()) == 2
    assert rotator.pulls()


def test_without_a_standard_input_it_asks_for_a_yes(rotator: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from rotator.cli.options import ask

    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(typer.BadParameter, match="add --yes"):
        ask("Really?", yes=False)


@pytest.mark.parametrize(
    "words",
    [("rotate", "--key-id", "x"), ("deploy", NAME, "nobody"), ("rotate", "--max-duration", "soon"), ("revoke", NAME)],
)
def test_a_mistake_in_a_command_is_an_object_for_programs(rotator: Scene, words: tuple[str, ...]) -> None:
    said = rotator(*words, "--output", "json")
    assert said.code == 2
    assert (said.json["command"], said.json["exit_code"], said.json["error"]["type"]) == (words[0], 2, "UsageError")
    assert said.json["error"]["happened"] in " ".join(said.err.split())


def test_an_interruption_is_an_object_for_programs(rotator: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from rotator.clients.world import AzureWorld

    async def interrupted(*_: object, **__: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(AzureWorld, "observe", interrupted)
    said = rotator("plan", "--output", "json")
    assert (said.code, said.json["exit_code"], said.json["error"]["type"]) == (130, 130, "Interrupted")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "no memory is left"),
        (OSError(24, "Too many open files"), "too many open files"),
        (OSError(28, "No space left on device", "/var/x"), "/var/x: a disk of this machine is full"),
    ],
    ids=repr,
)
def test_a_machine_that_has_run_out_of_something_is_no_bug_of_rotator(
    rotator: Scene, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    """In one policy's look, and in the command itself."""

    def out_of(*_: object, **__: object) -> object:
        raise error

    for place in ("rotator.clients.world.AzureWorld.observe", "rotator.policy.gather"):
        monkeypatch.setattr(place, out_of)
        said = rotator("plan")
        assert said.code == 1 and "a bug" not in said.out + said.err
        assert words in said.out + said.err and "then run again" in said.out + said.err


def test_a_record_that_can_not_be_written_in_the_end_does_not_hide_the_revocation(
    rotator: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    said = rotator("revoke", NAME, "--yes", "--no-wait", "--record", str(tmp_path / "record.json"))
    assert said.code == 1
    assert "The access is revoked all the same" in said.out
    assert "Nothing was changed" not in said.out + said.err


# leases and settings


def test_a_lease_never_writes_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "name.lock").symlink_to("precious")

    async def hold(loop: VirtualLoop) -> None:
        with pytest.raises(RotatorError, match="lease directory"):
            async with LocalLease(tmp_path, now).hold("name", AppSettings.read({}).at_most):
                pass

    run(hold)
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_cloud_that_there_is_not_is_named_by_its_setting() -> None:
    with pytest.raises(RotatorError, match="ROTATOR_CLOUD is 'mars'"):
        AppSettings.read({"ROTATOR_CLOUD": "mars"})
