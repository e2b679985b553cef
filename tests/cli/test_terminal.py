"""Tests of terminals of any width: no word is broken, commands can be copied, colour can be switched off, pipes get
plain text.
"""

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from rotator.cli import live, terminal
from rotator.cli.failures import USAGE
from rotator.cli.interrupt import Interrupted
from rotator.cli.options import ANSWER
from rotator.cli.terminal import wrapped
from rotator.events import CredentialAdded, Event, Finished, HostAnswered, HostAwaited, Pausing, Proving, StepFailed
from rotator.report.progress import NewLines
from rotator.report.words import lines_of
from rotator.state import Home
from tests.cli.scene import NAME, START, Scene

COMMANDS = (("rotate", "--adopt"), ("plan",), ("status", "-v"), ("doctor",), ("history", NAME), ("discover", "--all"))
TICKED = re.compile(r"`[^`\n]+`")
PASTED = re.compile(r"^ {15,}(?:- |# |[\w/]+:).*", re.MULTILINE)
COMMAND = re.compile(r"^ +\$ ((?:.*\\\n)*.*)", re.MULTILINE)
TABLE = re.compile(r"\S {2,}\S.* {2,}\S")


@pytest.fixture(name="reports")
def _reports(rotator: Scene) -> list[str]:
    rotator.deploy("undeclared-group-with-a-long-name")
    told = [rotator(*command).out for command in COMMANDS]
    assert any(PASTED.search(text) for text in told)
    return told


def test_a_command_in_a_remark_of_the_table_stays_whole_at_any_width() -> None:
    remark = "credential 1 was not made by rotator for this policy, and stays; `rotator adopt web --key-id 1` keeps it"
    for width in range(30, 130):
        assert "`rotator adopt web --key-id 1`" in "\n".join(lines_of(remark, width, hanging=2))


def shell(script: str) -> str:
    ran = subprocess.run(
        ["bash", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True, timeout=20
    )
    assert ran.stderr == ""
    return ran.stdout


def test_a_command_to_paste_means_the_same_in_lines(reports: list[str]) -> None:
    written = (
        'az secret set --value \'two  words\' --file <(printf %s "$value") --to "a  b"',
        "az outer --id \"$(az inner --name 'x y' --query a)\" --more 'z'",
    )
    printed = (each for text in reports for each in COMMAND.findall(text))
    commands = [*written, *(each for each in printed if each.startswith("az "))]
    assert len(commands) > len(written)
    broken = [COMMAND.findall(wrapped(f"             $ {each}", width))[0] for each in commands for width in (60, 90)]
    assert any("\\\n" in each for each in broken)
    said = "az() { printf '<%s>' \"$@\"; }; value='1  2'\n" + "\necho\n"
    both = [shell(said + "\necho\n".join(some)) for some in ([each for each in commands for _ in (60, 90)], broken)]
    assert re.sub(r"/dev/fd/\d+", "", both[0]) == re.sub(r"/dev/fd/\d+", "", both[1])


def test_an_error_on_a_terminal_breaks_no_word_and_its_later_lines_hang(rotator: Scene) -> None:
    (rotator.policies / f"{NAME}.yaml").write_text("principal: {}\nregistries: []\nkey_vault: 1\nmore: x\n")
    said = wrapped(rotator("validate").err, 60).splitlines()
    assert max(map(len, said)) <= 60 or not any(" " in line.strip() for line in said if len(line) > 60)
    assert all(re.match(r"\S+:\d+:\d+: |  \S|State: |What to do: |\S", line) for line in said)
    assert sum(line.startswith("  ") for line in said) >= 4


def test_a_usage_error_and_a_question_leave_room_for_what_stands_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "told_on_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    text = "this command asks before it changes anything, and there is no terminal; add --yes to confirm"
    message = f"{USAGE}{terminal.after(USAGE, text)}"
    question = f"{terminal.before(ANSWER, text)}{ANSWER}"
    assert max(map(len, f"{message}\n{question}".splitlines())) <= 60
    assert (message.split(), question.split()) == ((USAGE + text).split(), (text + ANSWER).split())


def test_no_word_and_no_command_is_broken_at_any_width(reports: list[str]) -> None:
    for text in reports:
        for width in (60, 80, 137, 200):
            shown = wrapped(text, width)
            assert [word for word in shown.split() if word != "\\"] == text.split()
            assert TICKED.findall(shown) == TICKED.findall(text)
            assert set(PASTED.findall(text)) <= set(shown.splitlines())
            flowing = (line for line in shown.splitlines() if not PASTED.match(line) and not TABLE.search(line.strip()))
            long = [re.sub(r"(--[\w-]+) | \\$", r"\1=", line) for line in flowing if len(line) > width]
            assert [line for line in long if " " in TICKED.sub("x", line.strip())] == []
            assert [line for line in long if len(line.strip()) <= width] == []
            assert wrapped(text, 1000) == text


def test_the_table_of_status_fits_into_sixty_columns(rotator: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (60, 79, 80, 119, 120, 200):
        monkeypatch.setenv("COLUMNS", str(width))
        table = rotator("status").out.split("\n\n")[0].splitlines()
        assert table[0].startswith("POLICY")
        assert max(map(len, table)) <= width


@pytest.mark.parametrize(("command", "head"), [("history", "PUBLISHED"), ("discover", "  GROUP")])
def test_a_table_that_does_not_fit_has_a_block_for_each_row_and_nothing_is_cut(
    rotator: Scene, monkeypatch: pytest.MonkeyPatch, command: str, head: str
) -> None:
    rotator.deploy("undeclared-group-with-a-long-name")
    assert rotator("rotate", "--adopt").code == 0
    asked = (command, NAME) if command == "history" else (command,)
    whole = rotator(*asked).out
    assert any(line.startswith(head) for line in whole.splitlines())
    monkeypatch.setattr(terminal, "columns", lambda: 200)
    assert rotator(*asked).out == whole
    monkeypatch.setattr(terminal, "columns", lambda: 60)
    blocks = rotator(*asked).out
    words = [word for word in whole.split() if not word.isupper()]
    assert set(words) <= set(blocks.split())
    assert max(map(len, wrapped(blocks, 60).splitlines())) <= 60


def test_no_verb_is_cut_in_the_list_of_verbs() -> None:
    text = Path("docs/cli.md").read_text("utf-8").partition("\nCommands:\n")[2].partition("```")[0]
    assert len(text.splitlines()) > 15
    assert "..." not in text


def test_what_goes_to_a_pipe_has_no_escape(reports: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any("\x1b" in text for text in reports)
    monkeypatch.setenv("COLUMNS", "60")
    assert terminal.on_terminal() is False


@pytest.mark.parametrize("colour", [True, False])
def test_colour_is_for_terminals_and_can_be_switched_off(colour: bool) -> None:
    master, end = pty.openpty()
    more = {} if colour else {"NO_COLOR": "1"}
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", **more}
    text = "POLICY  STATE\\nweb  overdue  x\\nweb: 1 failed (exit 1)\\x1b[2J"
    code = f"from rotator.cli.terminal import show; show('{text}')"
    subprocess.run([sys.executable, "-c", code], stdout=end, env=environment, check=True)
    os.close(end)
    shown = os.read(master, 4096).decode()
    os.close(master)
    assert ("\x1b[31moverdue" in shown) is colour
    assert "\x1b[2J" not in shown
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown).startswith("POLICY  STATE\r\nweb  overdue  x\r\n")


class Clock:
    """Clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def elapsed(self) -> float:
        return self.now


def test_each_policy_at_work_has_a_line_with_its_time_and_what_is_waited_for() -> None:
    clock = Clock()
    work = live.AtWork(clock, begun=90.0)
    assert work.shown(60) == [("", "10s", "looking at Azure …")]
    work.hear(CredentialAdded(policy="web", at=START, key_id="k", home=Home.APPLICATION.value, end=START))
    clock.now += 65
    work.hear(Proving(policy="web", at=START, key_id="k", successes=2, times=5, outcome="proven"))
    reason = "second waits until mycontainer has come up and run for 30 s, which takes a while"
    work.hear(Pausing(policy="api", at=START, reason=reason, seconds=30))
    clock.now += 3600
    assert work.shown(200) == [
        ("web", "1h01m", "proof 2/5: proven"),
        ("api", "1h00m", f"waiting up to 30 s: {reason}"),
    ]
    (_, (_, _, lines)) = work.shown(60)
    assert lines.split() == f"waiting up to 30 s: {reason}".split()
    assert max(map(len, lines.splitlines())) <= 50
    work.hear(HostAwaited(at=START, host="myvault.vault.azure.net", happened="no answer", seconds=10, at_most=290))
    assert work.shown(200)[0][:2] == ("waiting", "10s")
    assert work.shown(200)[0][2].startswith("for myvault.vault.azure.net since ")
    assert max(len(each) for each in work.shown(60)[0][2].splitlines()) <= 40
    work.hear(HostAnswered(host="myvault.vault.azure.net", seconds=20))
    work.hear(Finished(policy="web", exit_code=0, summary=""))
    assert [name for name, _, _ in work.shown(60)] == ["api"]
    for number in range(20):
        work.hear(Pausing(policy=f"p{number}", reason="waits"))
    short = work.shown(60)[0][2]
    assert short.removesuffix(" …") in f"waiting up to 30 s: {reason}"
    assert (len(short) <= 50, short[-2:]) == (True, " …")
    assert live.fitted("waits for a-name-with-hyphens", 20, whole=False) == "waits for …"
    assert work.shown(60)[-1] == ("", "", "and 9 more")


def test_names_of_policies_at_work_and_of_their_groups_stay_whole_on_a_narrow_terminal() -> None:
    name, screen = "shop-frontend-europe-west-production", io.StringIO()
    work, reason = live.AtWork(Clock(), begun=90.0), f"{name}-green waits until {name}-blue has come up"
    work.hear(HostAwaited(at=START, host="myvault.vault.azure.net", happened="no answer", seconds=10, at_most=290))
    for policy in (name, "search"):
        work.hear(Pausing(policy=policy, at=START, reason=reason))
    Console(file=screen, width=60).print(live.drawn(work, 60))
    assert max(map(len, screen.getvalue().splitlines())) <= 60
    assert screen.getvalue().split()[-20:] == f"{name} 0s waiting: {reason} search 0s waiting: {reason}".split()


@pytest.mark.parametrize("part", ["30 s", "2 days", "03:09 UTC", "`rotator plan web`"])
def test_a_number_stays_with_its_unit_and_a_command_in_one_line(part: str) -> None:
    text = f"waits for its turn {part}"
    assert live.fitted(text, len(text) - 1, whole=True).splitlines() == ["waits for its turn", part]
    assert lines_of(text, len(text) - 1) == ["waits for its turn", part]


def test_a_watch_is_drawn_again_also_after_an_error_until_a_signal_ends_it(
    rotator: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    file = rotator.policies / f"{NAME}.yaml"
    whole = file.read_text()

    def show(text: str) -> None:
        drawn.append(text)
        file.write_text(whole if len(drawn) == 2 else "principal: 1\n")
        if len(drawn) == 3:
            raise Interrupted(2)

    monkeypatch.setattr(terminal, "on_terminal", lambda: True)
    monkeypatch.setattr(terminal, "show", show)
    since = rotator.time.elapsed()
    said = rotator("status", "--watch")
    assert said.code == 130
    assert [text.split()[0] for text in drawn] == ["POLICY", f"{file}:1:1:", "POLICY"]
    assert all("again in 30 s; ^C ends." in text for text in drawn)
    assert rotator.time.elapsed() - since >= 60
    assert "Traceback" not in said.err


def test_a_watch_needs_a_terminal(rotator: Scene) -> None:
    said = rotator("status", "--watch")
    assert (said.code, "--watch redraws a text on a terminal" in " ".join(said.err.split())) == (2, True)


def test_one_cause_that_stops_many_policies_is_said_once_on_a_terminal_and_by_name_in_a_log() -> None:
    def failed(policy: str, why: str) -> StepFailed:
        said = {"happened": f"the vault of {policy} gave no answer (request id {why})", "state": "s", "remedy": "r"}
        return StepFailed(policy=policy, at=START, step="observe", target=policy, **said)

    events: list[Event] = [
        *(failed(name, f"{number:08}-0000-0000-0000-000000000000") for number, name in enumerate(("web", "api", "db"))),
        *(Finished(policy=name, at=START, exit_code=1, summary="1 failed") for name in ("web", "api", "db")),
        Finished(policy="calm", at=START, exit_code=0, summary="nothing was due"),
        Finished(policy="late", at=START, exit_code=1, summary="1 waiting past the warning"),
        CredentialAdded(policy="busy", at=START, key_id="k", home=Home.APPLICATION.value, end=START),
        Finished(policy="busy", at=START, exit_code=0, summary="1 done"),
    ]
    log, work = NewLines(), live.AtWork(Clock())
    told = [text for event in events if (text := log.line(event))]
    assert told[0].startswith("web: observe web: failed: the vault of web gave no answer")
    assert told[1:3] == ["api: observe api: the same as for web", "db: observe db: the same as for web"]
    assert told[3] == "late: finished: 1 waiting past the warning (exit 1)"
    assert [text.split(":")[0] for text in told[4:]] == ["busy", "busy"]
    shown = [text for event in events if (text := work.new(event))]
    assert [text.split(":")[0] for text in shown] == ["web", "busy"]
    assert work.shown(80)[0] == ("", "", "2 more failed or were refused like those above")


def test_what_a_signal_says_stands_below_the_line_that_shows_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.tell_interrupted("Interrupted.")
    assert capsys.readouterr().err == "Interrupted.\n"
    monkeypatch.setattr(terminal, "told_on_terminal", lambda: True)
    terminal.tell_interrupted("Interrupted.")
    assert capsys.readouterr().err == "\nInterrupted.\n"


def test_a_line_of_a_log_breaks_no_word_and_hangs() -> None:
    text = "2026-11-30T12:37:52Z INFO rotator.clients.token: signed in as 7f90ffdc-39e3-431d-a968-ab0f3360f1d4 by x"
    lines = wrapped(text, 60).splitlines()
    assert " ".join(lines).split() == text.split()
    assert (max(map(len, lines)) <= 60, all(line.startswith("  ") for line in lines[1:])) == (True, True)
