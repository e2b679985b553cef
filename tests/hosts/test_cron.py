"""Tests of docs/hosts.md, cron: cron itself installs and runs the crontab, on a throwaway host, against the
emulator.
"""

import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from croniter import croniter

from tests.hosts.conftest import Signed
from tests.hosts.host import HOSTS, blocks, checkout, environment, lines, played
from tests.programs import needed
from tests.served import Scene, scene

pytestmark = pytest.mark.xdist_group("hosts")  # they share an emulator
SCHEDULE = "17 */6 * * *"
RUN = HOSTS / "rotator-run"
STEPS = """\
set -e
cd /shared/checkout
{install}
cat /shared/environment >>/etc/rotator/environment
install -m 0644 /shared/authority.pem /etc/ssl/authority.pem
{attempt}
sed -i 's|^{schedule}|@reboot|' /etc/cron.d/rotator
cat >/etc/cron.d/mistaken <<'END'
AZURE_CLIENT_SECRET=written-into-a-crontab
@reboot  rotator  echo a report
END
cat >/usr/sbin/sendmail <<'END'
#!/bin/sh
mail=$(cat)
printf '== mail\\n%s\\n' "$mail" >>/tmp/mail
END
chmod 755 /usr/sbin/sendmail
touch /tmp/mail && chmod 666 /tmp/mail
run() {{
	echo "== $1" >>/tmp/mail
	rm -f /run/crond.reboot
	cron -f &
	until [ -e /run/crond.reboot ]; do sleep 0.05; done
	while pgrep -P $! >/dev/null; do sleep 0.05; done
	kill $!
	wait $! || :
}}
run "all is well"
rm /etc/cron.d/mistaken
echo "AZURE_CLIENT_ID=00000000-0000-0000-0000-000000000000" >>/etc/rotator/environment
run "nobody signs in"
stat --format "%A %U %n" /var/lib/rotator /var/lib/rotator/* /etc/rotator/*
cat /tmp/mail
"""
"""Steps of the host. Cron runs lines with @reboot first, so that the test needn't wait for the next minute."""


@dataclass(frozen=True)
class Seen:
    said: str
    made: Scene


@pytest.fixture(name="seen", scope="module")
def _seen(tmp_path_factory: pytest.TempPathFactory, signed: Signed) -> Seen:
    needed("cron", "cron")
    folder = tmp_path_factory.mktemp("cron")
    azure = signed.azure
    (folder / "scene").mkdir()
    made = scene(azure, folder / "scene")
    checkout(folder, made, {"certificate.pem": signed.certificate})
    (folder / "environment").write_text(lines(environment(azure, folder)))
    install, attempt = blocks("cron")
    schedule = re.escape(SCHEDULE).replace("\\ ", " ")
    steps = STEPS.format(install=install, attempt=attempt, schedule=schedule)
    return Seen(played(folder, "sh", steps), made)


def test_cron_rotates_and_mails_nothing_while_no_person_is_needed(seen: Seen) -> None:
    assert seen.made.published() != seen.made.by_hand and seen.made.authenticates(seen.made.published())
    well = seen.said.partition("== all is well\n")[2].partition("== nobody signs in\n")[0]
    assert well.count("== mail\n") == 1 and "a report" in well, "that of the mistaken crontab"
    assert "rotator-run" not in well


def test_cron_mails_the_report_and_no_variable_of_azure(seen: Seen) -> None:
    mail = seen.said.partition("== nobody signs in\n")[2]
    assert mail.count("== mail\n") == 1
    assert "Subject: Cron <rotator@" in mail and "rotator-run /etc/rotator/environment rotate --quiet" in mail
    assert "Microsoft Entra ID refused to sign rotator in" in mail
    assert set(re.findall(r"^X-Cron-Env: <(\w+)=", mail, re.MULTILINE)) >= {"MAILTO", "SHELL"}
    assert "<AZURE_" not in mail and seen.made.azure.seeded.operator.secret not in seen.said


def test_cron_mails_a_secret_that_is_in_a_crontab(seen: Seen) -> None:
    assert "X-Cron-Env: <AZURE_CLIENT_SECRET=written-into-a-crontab>" in seen.said


def test_only_the_user_of_rotator_reads_its_files(seen: Seen) -> None:
    files = {found[2]: found[1] for found in re.finditer(r"^(\S{10} \S+) (/\S+)$", seen.said, re.MULTILINE)}
    assert files["/etc/rotator/certificate.pem"] == files["/etc/rotator/environment"] == "-rw------- rotator"
    assert files["/var/lib/rotator"] == "drwx------ rotator"


def test_the_crontab_starts_four_runs_a_day() -> None:
    (line,) = re.findall(r"^(.*?)  rotator  ", (HOSTS / "crontab").read_text(), re.MULTILINE)
    assert line == SCHEDULE
    every = croniter(SCHEDULE, datetime(2026, 3, 2, tzinfo=UTC))
    runs = [every.get_next(datetime) for _ in range(8)]
    assert {later - earlier for earlier, later in pairwise(runs)} == {timedelta(hours=6)}


# rotator-run


def run(folder: Path, content: str, mode: int = 0o600) -> subprocess.CompletedProcess[str]:
    """Run the wrapper, with a stand-in for rotator that prints its arguments and variables."""
    file, script, rotator = folder / "environment", folder / "run", folder / "rotator"
    file.write_bytes(content.encode())
    file.chmod(mode)
    rotator.write_text('#!/bin/sh\nprintf "%s|" "$@" "$A" "$B"\n')
    rotator.chmod(0o755)
    script.write_text(RUN.read_text().replace("/opt/rotator/bin/rotator", str(rotator)))
    return subprocess.run(
        ["sh", script, file, "rotate", "a b"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )


def test_the_variables_of_the_file_are_set_as_they_stand(tmp_path: Path) -> None:
    done = run(tmp_path, "# a comment\n\nA=$(id) `id` \\ = x~.-_#\nB=last line")
    assert (done.returncode, done.stdout, done.stderr) == (0, "rotate|a b|$(id) `id` \\ = x~.-_#|last line|", "")


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        ("A=hidden", 0o644, "may be read or written by every user"),
        ("A=hidden", 0o602, "may be read or written by every user"),
        ("A=b\nhidden", 0o600, "line 2: this is no NAME=value"),
        ("export A=hidden", 0o600, "line 1: before = stands no name"),
        ("=hidden", 0o600, "line 1: before = stands no name"),
        ("A='hidden'", 0o600, "line 1: the value has quotes"),
        ('A="hidden"', 0o600, "line 1: the value has quotes"),
        ("A=hidden\r\n", 0o600, "or a carriage return"),
    ],
)
def test_a_file_that_is_no_safe_list_of_variables_is_refused(tmp_path: Path, content: str, mode: int, why: str) -> None:
    done = run(tmp_path, content, mode)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr and "nothing was run" in done.stderr and "hidden" not in done.stderr


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    script = tmp_path / "run"
    script.write_text(RUN.read_text())
    done = subprocess.run(["sh", script, tmp_path / "no"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and f"{tmp_path / 'no'} can't be read by " in done.stderr
