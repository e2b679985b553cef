"""Random choice of the next command, and of the disturbances during it."""

import random
import signal
import threading
from collections.abc import Callable

from tests.soak.emulated import Emulated
from tests.soak.process import Run, ending, killing, sleeping
from tests.soak.scene import JOB, NAME
from tests.soak.script import LENGTH, Moment, Seen

READS = ("status", "plan", "doctor", "history", "validate", "discover")
"""Verbs without a write."""
ROTATE: tuple[tuple[str, ...], ...] = (
    ("rotate", NAME),
    ("rotate", NAME, "--force"),
    ("rotate", NAME, "--force", "--no-overlap"),
    ("rotate", "--force", "--adopt"),
    ("rotate", NAME, "--force", "--no-overlap"),
    ("rotate", NAME, "--adopt", "--no-overlap"),
    ("rotate", NAME, "--force", "--max-duration", "6m"),
    ("rotate", NAME, "--compromised", "--yes"),
    ("rotate", NAME, "--accept-drift", "--force"),
)
OTHERS: tuple[tuple[str, ...], ...] = (
    ("adopt", NAME),
    ("deploy", NAME, "app"),
    ("provision", NAME, "--yes"),
    ("revoke", NAME, "--yes"),
    ("revoke", NAME, "--yes", "--no-wait"),
    ("grant", NAME),
    ("grant", NAME),
    *((verb, *([NAME] if verb == "history" else ())) for verb in READS),
    ("plan", "--exit-code"),
    ("status", "-v"),
)
SPANS = (5, 60, 119, 121, 600, 3601, 86_500, 100_000, 200_000)
"""Seconds of a suspension: below and above the age of a reading, the overlap, and reclaim_after."""
READ_FAULTS = (
    ("aci.containerGroups.get", 404, "ResourceNotFound"),
    ("keyvault.secrets.get", 404, "SecretNotFound"),
    ("keyvault.secrets.list*", 403, "Forbidden"),
    ("graph.applications.get", 404, "Request_ResourceNotFound"),
    ("graph.servicePrincipals.get", 403, "Authorization_RequestDenied"),
    ("rbac.roleAssignments.list", 403, "AuthorizationFailed"),
    ("arm.registries.get", 404, "ResourceNotFound"),
)
CONDITIONS = (
    ("graph.*", "stale", ""),
    ("keyvault.*", "stale", ""),
    ("aci.*", "stale", ""),
    ("graph.*Password", "concurrency", ""),
    ("aci.containerGroups.createOrUpdate", "transitioning", ""),
    ("aci.containerGroups.createOrUpdate", "inaccessible", ""),
    ("aci.containerGroups.createOrUpdate", "registry_error", ""),
    ("aci.containerGroups.createOrUpdate", "failed_pull", "1"),
    ("aci.containerGroups.createOrUpdate", "strip_tags", ""),
    ("aci.containerGroups.createOrUpdate", "quota", ""),
    ("rbac.roleAssignments.*", "ScopeLocked", ""),
    ("acr.*", "rbac_lag", ""),
)
SERVICES = ("graph.*", "keyvault.*", "aci.*", "entra.token", "acr.*", "rbac.*", "arm.*")


def command(rng: random.Random, *, job: bool) -> tuple[str, ...]:
    """Return a random command."""
    if job and rng.random() < 0.15:
        chosen: tuple[str, ...] = ("deploy", NAME, JOB)
    elif rng.random() < 0.06:
        chosen = ("revoke", NAME, "--yes", "--credentials", "--no-wait")
    else:
        chosen = rng.choice(ROTATE if rng.random() < 0.75 else OTHERS)
    talk = rng.choice(((), (), ("-vv",), ("--output", "json"), ("-vv", "--log-format", "json")))
    return (*chosen, *talk)


def fault(azure: Emulated, rng: random.Random) -> str:
    """Plan one fault in the emulator; return its description."""
    nth = rng.choice((1, 1, 2, 3, rng.randint(1, 30)))
    which = rng.random()
    if which < 0.25:
        operation, status, code = rng.choice(READ_FAULTS)
        planned: dict[str, object] = {
            "operation": operation,
            "kind": "status",
            "status": status,
            "code": code,
            "nth": nth,
        }
    elif which < 0.55:
        operation, kind, argument = rng.choice(CONDITIONS)
        planned = {
            "operation": operation,
            "kind": kind,
            "argument": argument,
            "nth": nth if operation.endswith("*") else 1,
        }
    else:
        planned = {"operation": rng.choice(SERVICES), "nth": rng.randint(1, 12), **_general(rng)}
    azure.fault(**planned)
    return " ".join(f"{name}={value}" for name, value in planned.items() if value != "")


def _general(rng: random.Random) -> dict[str, object]:
    kind = rng.choice(("status", "status", "reset", "lost", "lost", "throttled"))
    when = rng.choice(("before", "after"))
    if kind == "throttled":
        return {
            "kind": "status",
            "status": 429,
            "code": "TooManyRequests",
            "retry_after": rng.choice((0, 1, 5)),
            "times": rng.randint(1, 3),
        }
    if kind == "status":
        return {"kind": "status", "status": rng.choice((500, 502, 503, 504)), "when": when, "times": rng.randint(1, 2)}
    return {"kind": kind, "when": "after" if kind == "lost" else when}


def disturb(run: Run, azure: Emulated, rng: random.Random, people: Callable[[Seen], bool], *, two: bool) -> str:
    """Write disturbances of the process and changes by people into a run's script; return their description."""
    moment: Moment = rng.choice(("before", "after"))
    reads = run.arguments[0] in READS
    at = ("request", rng.randint(1, 12 if reads else rng.choice((30, 60, LENGTH))), moment)
    place = at if reads or rng.random() < 0.35 else ("write", rng.choice((1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6)), moment)
    which = rng.random()
    if which < 0.3:
        run.script.events[place] = killing(run, lose=moment == "before" and rng.random() < 0.5)
        return f"killed {place}"
    if which < 0.38:
        run.script.events[place] = ending(run, rng.choice((signal.SIGTERM, signal.SIGINT)))
        return f"ended {place}"
    if which < 0.65:
        span = rng.choice(SPANS)
        run.script.events[place] = sleeping(run, azure, span, rng.choice((0.2, 0.2, 4, 12)) if two else 0.2)
        return f"asleep {place} {span}"
    if which < 0.75:
        after, span = rng.uniform(0.8, 6), rng.choice((0, rng.choice(SPANS)))
        act = (lambda: run.sleep(azure, span, "at any time")) if span else (lambda: run.kill("at any time"))
        timer = threading.Timer(after, act)
        timer.daemon = True
        timer.start()
        return f"{'asleep' if span else 'killed'} after {after:.1f} s"
    if which < 0.93:
        run.script.events[place] = people
        return f"people {place}"
    return "nothing"
