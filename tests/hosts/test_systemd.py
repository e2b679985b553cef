"""Tests of docs/hosts.md, systemd: systemd itself installs and runs the units, on a throwaway host, against the
emulator.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hosts.conftest import Signed
from tests.hosts.host import HOSTS, blocks, checkout, environment, lines, played
from tests.house.test_docs import fenced
from tests.programs import needed
from tests.served import ROOT, Scene, scene

pytestmark = pytest.mark.xdist_group("hosts")  # they share an emulator
PACKAGE = "systemd"
STEPS = """\
set -e
cd /shared/checkout
state() {{
	echo "== $1"
	systemctl show rotator.service --property ActiveState,Result,ExecMainStatus
	journalctl --unit rotator --no-pager --output cat --since "@$since"
}}
run() {{
	since=$(date +%s.%N)
	systemctl start rotator.service || true
	state "$1"
}}
{install}
cp /shared/environment /etc/rotator/environment
install -m 0644 /shared/authority.pem /etc/ssl/authority.pem
systemd-analyze verify --man=no rotator.service rotator.timer
since=0
{begin}
state certificate
systemctl disable --now rotator.timer
stat --format "%A %U %n" /var/lib/rotator/ /etc/rotator/*

rm /etc/rotator/certificate.pem
run nothing
{secret}
{metrics}
run secret
stat --format '%A %G %n' /var/lib/prometheus/node-exporter/*
cat /var/lib/prometheus/node-exporter/rotator.prom

mkdir -p /var/lib/systemd/timers /etc/systemd/system/rotator.timer.d
touch -d yesterday /var/lib/systemd/timers/stamp-rotator.timer
printf '[Timer]\\nRandomizedDelaySec=0\\n' >/etc/systemd/system/rotator.timer.d/now.conf
systemctl daemon-reload
cp /shared/late/policies/* /etc/rotator/policies/
since=$(date +%s.%N)
systemctl enable --now rotator.timer
until journalctl --unit rotator --output cat --since "@$since" | grep --quiet "added credential"; do sleep 0.1; done
echo "== running"
pid=$(systemctl show rotator.service --property MainPID --value)
grep -E "^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):" "/proc/$pid/status"
tr '\\0' ' ' <"/proc/$pid/cmdline"
systemctl show rotator.service
systemctl stop rotator.service
state stopped

for code in 4 1; do
	printf '[Service]\\nExecStart=\\nExecStart=sh -c "exit %s"\\n' "$code" >/etc/systemd/system/rotator.service.d/z.conf
	systemctl daemon-reload
	run "exit $code"
done
rm -r /etc/systemd/system/rotator.service.d
(cd /shared/late/policies && for file in *; do rm "/etc/rotator/policies/$file"; done)
systemctl daemon-reload
install -m 0600 certificate.pem /etc/rotator/certificate.pem
ln -s /opt/source/function /opt/source/requirements-build.lock /opt/source/pyproject.toml .
cat >/opt/rotator/bin/pip <<'END'
#!/bin/sh
set -e
echo "pip $*, while the timer is $(systemctl is-active rotator.timer || true)"
while [ $# -gt 0 ]; do
	case $1 in -r) cat "$2" >/dev/null && shift ;; .) cat pyproject.toml >/dev/null ;; esac
	shift
done
END
chmod 755 /opt/rotator/bin/pip
systemctl start rotator.timer
echo "== upgrade"
{stop}
{by_hand}
{go_on}
systemctl is-active rotator.timer
run upgraded
{uninstall}
echo "== left"
find /etc /var /usr/local /run -name "*rotator*"
"""
"""Steps of the host. The second run misses the certificate, the third signs in by the secret. The timer starts the
fourth, whose time had passed, over a policy with a proof of four minutes; it is stopped. Of the next two only the exit
code counts. For the upgrade, pip only prints its arguments: there is no index on the host.
"""


def text(unit: str) -> str:
    return (HOSTS / unit).read_text()


def analysed(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask systemd-analyze about the units in a folder."""
    program = needed("systemd-analyze", PACKAGE)
    return subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(name="units")
def _units(tmp_path: Path) -> Path:
    """Write the units, with a command that exists on this machine; return their folder."""
    for unit in ("rotator.service", "rotator.timer"):
        (tmp_path / unit).write_text(text(unit).replace("/opt/rotator/bin/rotator", "/bin/true"))
    return tmp_path


DROP_INS = {
    "certificate": "",
    "secret": text("secret.conf").replace("/usr/local/bin/rotator-run", "/bin/true"),
    "metrics": text("metrics.conf"),
    "managed identity": fenced((ROOT / "docs" / "hosts.md").read_text(), "ini")[0],
}


@pytest.mark.parametrize("drop_in", DROP_INS)
def test_systemd_finds_no_fault_with_the_units(units: Path, drop_in: str) -> None:
    (units / "rotator.service.d").mkdir()
    (units / "rotator.service.d" / "it.conf").write_text(DROP_INS[drop_in])
    done = analysed(units, "verify", "--man=no", "./rotator.timer", "./rotator.service")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_service_is_hardened(units: Path) -> None:
    done = analysed(units, "security", "--offline=true", "--threshold=15", "--no-pager", "./rotator.service")
    assert done.returncode == 0, done.stdout


def test_the_timer_starts_four_runs_a_day() -> None:
    (when,) = re.findall("OnCalendar=(.*)", text("rotator.timer"))
    done = analysed(ROOT, "calendar", "--iterations=5", "--base-time=2026-03-02 00:00 UTC", when)
    hours = re.findall(r"(?:elapse|#\d): \w+ (\S+ \d\d:\d\d)", done.stdout)
    assert [one.split()[1] for one in hours] == ["00:17", "06:17", "12:17", "18:17", "00:17"], done.stdout


@dataclass(frozen=True)
class Seen:
    """Output of the steps by heading, and the two principals."""

    parts: dict[str, str]
    due: Scene
    late: Scene
    before: list[str]


@pytest.fixture(name="seen", scope="module")
def _seen(tmp_path_factory: pytest.TempPathFactory, signed: Signed) -> Seen:
    needed("systemd-analyze", PACKAGE)
    folder = tmp_path_factory.mktemp("systemd")
    azure = signed.azure
    for name in ("due", "late"):
        (folder / name).mkdir()
    due, late = scene(azure, folder / "due"), scene(azure, folder / "late")
    late.write(proof={"times": 5, "over": "4m", "deadline": "5m"})
    secret = f"AZURE_CLIENT_SECRET={azure.seeded.operator.secret}\n".encode()
    checkout(folder, due, {"certificate.pem": signed.certificate, "secret": secret})
    (folder / "environment").write_text(lines(environment(azure, folder)))
    before = late.keys()
    install, begin, sign_in, metrics = blocks("systemd")
    (uninstall,), (by_hand,), (stop, go_on) = blocks("Uninstall"), blocks("By hand"), blocks("Upgrade")
    ways = {"uninstall": uninstall, "by_hand": by_hand, "stop": stop, "go_on": go_on}
    said = played(
        folder,
        "systemd",
        STEPS.format(install=install, begin=begin, secret=sign_in, metrics=metrics, **ways),
    )
    first, *parts = re.split("^== (.*)\n", said, flags=re.MULTILINE)
    return Seen({"": first, **dict(zip(parts[::2], parts[1::2], strict=True))}, due, late, before)


def test_a_run_by_certificate_rotates_and_leaves_its_report_in_the_journal(seen: Seen) -> None:
    part = seen.parts["certificate"]
    assert "ExecMainStatus=0" in part and f"{seen.due.name}: 1 done (exit 0)" in part
    assert seen.due.published() != seen.due.by_hand and seen.due.authenticates(seen.due.published())
    files = {found[2]: found[1] for found in re.finditer(r"^(\S{10} \S+) (/\S+)$", part, re.MULTILINE)}
    assert files["/etc/rotator/certificate.pem"] == files["/etc/rotator/environment"] == "-rw------- root"
    assert files["/var/lib/rotator/"].startswith("drwx------ ") and not files["/var/lib/rotator/"].endswith(" root")


def test_a_run_without_its_certificate_fails_before_it_begins(seen: Seen) -> None:
    assert "ActiveState=failed" in seen.parts["nothing"] and "rotator" not in seen.parts["nothing"]


def test_a_run_by_secret_signs_in_and_nothing_shows_the_secret(seen: Seen) -> None:
    assert "ExecMainStatus=0" in seen.parts["secret"] and "nothing was due (exit 0)" in seen.parts["secret"]
    secret = seen.due.azure.seeded.operator.secret
    assert [heading for heading, part in seen.parts.items() if secret in part] == []


def test_a_run_writes_metrics_that_others_read_into_a_directory_of_somebody_else(seen: Seen) -> None:
    assert "-rw-r--r-- rotator-metrics /var/lib/prometheus/node-exporter/rotator.prom" in seen.parts["secret"]
    assert f'policy="{seen.due.name}"' in seen.parts["secret"]


def test_the_timer_starts_a_run_that_was_missed_as_a_user_without_rights(seen: Seen) -> None:
    part = seen.parts["running"]
    (user,) = re.findall(r"^Uid:\t(\d+)\t", part, re.MULTILINE)
    assert int(user) > 60_000
    for row in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        assert row in part
    assert "rotator rotate --max-duration 2h" in part


def test_a_stopped_run_takes_back_what_it_added(seen: Seen) -> None:
    part = seen.parts["stopped"]
    assert "ExecMainStatus=143" in part and "Interrupted by SIGTERM" in part
    assert seen.late.keys() == seen.before
    assert seen.late.published() == seen.late.by_hand


def test_that_another_run_is_at_work_is_no_failure_of_the_unit(seen: Seen) -> None:
    assert "Result=success" in seen.parts["exit 4"]
    assert "Result=exit-code" in seen.parts["exit 1"] and "ActiveState=failed" in seen.parts["exit 1"]


def test_the_commands_that_upgrade_stop_the_timer_look_by_hand_and_start_it_again(seen: Seen) -> None:
    part = seen.parts["upgrade"]
    assert re.findall("pip (.*), while the timer is (.*)", part) == [
        ("install --require-hashes -r function/requirements.txt -r requirements-build.lock", "inactive"),
        ("install --no-deps --no-build-isolation .", "inactive"),
    ]
    status, _, planned = part.partition("valid (")
    assert seen.due.name in status and f"{seen.due.name} (/etc/rotator/policies/" in planned
    assert part.rstrip().endswith("\nactive")
    assert seen.parts["upgraded"].startswith("Result=success\nExecMainStatus=0\nActiveState=inactive\n")


def test_nothing_is_left_on_the_host_by_the_commands_that_uninstall(seen: Seen) -> None:
    assert seen.parts["left"] == ""
