"""Checks of this machine: its clock, and the lease by which runs on the machine lock each other out."""

from datetime import timedelta

from rotator import remedy
from rotator.doctor.finding import Case, Finding, Found, Remedy, Severity
from rotator.errors import Holder
from rotator.plan import next_steps
from rotator.rights import STORAGE
from rotator.steps import Intent
from rotator.words import days

SUBJECT = "machine"
TOLERATED = timedelta(minutes=5)
"""Difference between two clocks that Entra accepts before it refuses assertions and tokens (RFC 7519 leeway;
Microsoft's libraries use five minutes).
"""


def clock_right(case: Case) -> Found:
    """Check that the machine's clock is within five minutes of Azure's.

    Rotator uses Azure's clock; signing in with a certificate uses the machine's.
    """
    off = case.machine.now - case.seen.at
    if abs(off) > TOLERATED:
        way = "ahead of" if off > timedelta() else "behind"
        text = (
            f"its clock is {days(abs(off))} {way} Azure's: a sign-in with a certificate or a federated token may"
            " fail, and cron starts runs at another time"
        )
        yield Finding(Severity.WARN, SUBJECT, text, (remedy.set_clock(),))


def leases_kept(case: Case) -> Found:
    """Check that runs on this machine can lock each other out, and other users can't."""
    where = case.machine.leases
    if (why := case.machine.unusable) and where.startswith("https://"):
        account, _, name = where.removeprefix("https://").partition("/")
        commands = (
            remedy.create_container(account.partition(".")[0], name),
            remedy.give_role(
                case.caller.object_id, STORAGE["blob"], remedy.storage_account_id(account.partition(".")[0])
            ),
        )
        yield Finding(Severity.FAIL, SUBJECT, f"the lease container {where} can't be used: {why}", commands)
    elif why:
        text = f"the lease directory {where} can't be used: {why}"
        aside = (remedy.move_aside(where),) if why.endswith("no directory") else ()
        file = why.partition(": ")[0]
        freed = (remedy.remove_lock(file),) if file.endswith(".lock") else ()
        yield Finding(Severity.FAIL, SUBJECT, text, (*aside, *freed, remedy.make_private_directory(where)))
    elif why := case.machine.exposed:
        text = (
            f"the lease directory {where} is not private: {why}. Other users could block every run, or let two"
            " runs start at once"
        )
        yield Finding(Severity.WARN, SUBJECT, text, (remedy.make_private_directory(where),))


def lease_free(case: Case) -> Found:
    """Check that no other run works on this policy, or only a run that ends in time."""
    holder = case.machine.holder
    if holder is None:
        return
    text = (
        f"{holder} is running on this policy: a second run would not wait for it, and end with"
        f" {1 if _alarms(case, holder) else 4}"
    )
    if holder.overdue:
        text += "; it has been running longer than a run may"
    if holder.host:
        text += (
            ". Its lease ends with the run, or a minute after its process or machine dies; if the run hangs, end"
            " its process"
        )
    file = f"{case.machine.leases}/{case.policy.principal.app_id}.lock"
    ways = (
        ()
        if holder.host
        else (
            Remedy(
                "the run ends by itself; this shows its process and its age",
                (remedy.show_holder(holder.process, file),),
            ),
            Remedy("if the run hangs; the next run finishes its work", (remedy.kill_holder(holder.process, file),)),
        )
    )
    yield Finding(Severity.FAIL if _alarms(case, holder) else Severity.WARN, SUBJECT, text, ways=ways)


def _alarms(case: Case, holder: Holder) -> bool:
    """Tell if the policy can't wait for the other run: the run hangs, or a part of the policy is past its warning."""
    if case.examined.observed is None:
        return True
    found = next_steps(case.policy, case.seen, Intent())
    return holder.overdue or any(wait.warn for wait in found.waits) or any(note.warn for note in found.notes)
