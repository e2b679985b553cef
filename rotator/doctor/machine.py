"""This machine: its clock, and the lease by which runs on it lock each other out."""

import shlex
from datetime import timedelta

from rotator.doctor.finding import Case, Finding, Found, Remedy, Severity
from rotator.plan.words import days

SUBJECT = "machine"
TOLERATED = timedelta(minutes=5)
"""What Entra tolerates between two clocks before it refuses assertions and tokens (RFC 7519 leeway; Microsoft's libraries use five minutes)."""


def clock_right(case: Case) -> Found:
    """Its clock is Azure's, within five minutes: rotator goes by Azure's, and what signs in with a certificate by this one."""
    off = case.machine.now - case.seen.at
    if abs(off) > TOLERATED:
        way = "ahead of" if off > timedelta() else "behind"
        text = (
            f"its clock is {days(abs(off))} {way} Azure's: signing in with a certificate or a federated token may fail, and cron runs at another time"
        )
        yield Finding(Severity.WARN, SUBJECT, text, ("sudo timedatectl set-ntp true",))


def leases_kept(case: Case) -> Found:
    """Runs on this machine can lock each other out."""
    if why := case.machine.unusable:
        where = shlex.quote(case.machine.leases)
        text = f"the lease directory {case.machine.leases} can't be used: {why}"
        aside = (f"sudo mv {where} {where}.aside",) if why.endswith("no directory") else ()
        yield Finding(Severity.FAIL, SUBJECT, text, (*aside, f'sudo install -d -m 700 -o "$(id -un)" {where}'))


def lease_free(case: Case) -> Found:
    """No other run is at work on this policy."""
    if holder := case.machine.holder:
        text = f"{holder} on this machine is at work on this policy: a second run would leave it alone and end with 4"
        number = holder.split()[-1]
        file = f"{case.machine.leases}/{case.policy.principal.app_id}.lock"
        process = number if number.isdigit() else f'"$(fuser {shlex.quote(file)} 2>/dev/null)"'
        ways = (
            Remedy("it ends by itself; since when it runs, and what it is", (f"ps -o pid,etime,args -p {process}",)),
            Remedy("if it hangs: the next run finishes what it has begun", (f"kill {process}",)),
        )
        yield Finding(Severity.WARN, SUBJECT, text, ways=ways)
