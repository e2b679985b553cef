"""Prometheus metrics of a fleet, as text for node_exporter's textfile collector.

Gauges; the policy's name is the only label. The collector allows no timestamps on samples, so instants are values. A
run replaces the series of its own policies and keeps the others'.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from rotator.report.alerts import Ended
from rotator.report.status import Row, Urgency

LEFT = 4
"""Exit code of a policy left to another run, which writes the policy's series itself."""
STATES = ", ".join(f"{standing.value} {standing.name.lower()}" for standing in Urgency)
STATE, EXPIRY, IN_USE, DUE = (
    "rotator_state",
    "rotator_credential_expiry_timestamp_seconds",
    "rotator_in_use_expiry_timestamp_seconds",
    "rotator_next_due_timestamp_seconds",
)
RUN, SUCCESS, CODE, OPEN = (
    "rotator_last_run_timestamp_seconds",
    "rotator_last_success_timestamp_seconds",
    "rotator_last_exit_code",
    "rotator_compromised_credentials",
)
WHOLE, UNTOLD = "rotator_last_full_run_timestamp_seconds", "rotator_notification_failures"
HELP = {
    STATE: f"State of the policy: {STATES}.",
    EXPIRY: "End of the current credential.",
    IN_USE: "First end of a credential that readers of the secret or a container group may hold.",
    DUE: "Time from which a run has a step to do.",
    RUN: "End of the last run of this policy, by this machine's clock.",
    SUCCESS: "End of the last run of this policy with exit code 0.",
    CODE: "Exit code of the last run of this policy.",
    OPEN: "Credentials that are declared compromised and still work.",
    WHOLE: "End of the last run over all policies.",
    UNTOLD: "Notifications that failed in the last run.",
}
"""All metrics, in the order of the file."""
FLEET = (WHOLE, UNTOLD)
"""Metrics without a label."""
Values = dict[str, dict[str, float]]
"""Values by metric and policy; a metric of the fleet has the policy ""."""
_SAMPLE = re.compile(r'(\w+)(?:\{policy="((?:[^"\\\n]|\\.)*)"\})? (\S+)')


def parse(text: str) -> Values:
    """Return the values of a file written before; unknown and damaged lines are left out."""
    found: Values = {}
    for line in text.split("\n"):
        sample = _SAMPLE.fullmatch(line)
        if sample and sample[1] in HELP and (sample[2] is None) == (sample[1] in FLEET):
            with_value(found, sample[1], _unescaped(sample[2] or ""), sample[3])
    return found


def with_value(found: Values, metric: str, policy: str, text: str) -> None:
    """Add a value from a file, if the text is a number."""
    try:
        found.setdefault(metric, {})[policy] = float(text)
    except ValueError:
        return


def render(values: Values) -> str:
    """Return the text format of Prometheus, version 0.0.4."""
    lines = []
    for metric, meaning in HELP.items():
        samples = sorted(values.get(metric, {}).items())
        if samples:
            lines += [f"# HELP {metric} {meaning}", f"# TYPE {metric} gauge"]
        for policy, value in samples:
            label = "" if metric in FLEET else f'{{policy="{_escaped(policy)}"}}'
            lines.append(f"{metric}{label} {_number(value)}")
    return "".join(f"{line}\n" for line in lines)


def updated(
    old: Values,
    ended: Iterable[Ended],
    unserved: Collection[str],
    now: datetime,
    *,
    untold: int,
    known: Collection[str] | None = None,
) -> Values:
    """Return the values after a run.

    `unserved`: policies left out because of mistakes. `known`: all policies, after a run over all; the series of others
    end.
    """
    values = {metric: dict(samples) for metric, samples in old.items()}
    if known is not None:
        values = {
            metric: {name: samples[name] for name in samples if name in known} for metric, samples in values.items()
        }
    for one in ended:
        if one.exit_code != LEFT or one.policy not in values.get(RUN, {}):
            _put(values, one.policy, _ran(one, int(now.timestamp())))
    for name in unserved:
        _put(values, name, {STATE: Urgency.UNREADABLE, CODE: 2})
    _put(values, "", {UNTOLD: untold} if known is None else {UNTOLD: untold, WHOLE: int(now.timestamp())})
    return values


def _ran(one: Ended, now: float) -> Mapping[str, float | None]:
    """Return the new values of a policy. None ends a series; a metric left out keeps its value."""
    ran: dict[str, float | None] = {RUN: now, CODE: one.exit_code}
    if one.exit_code == 0:
        ran[SUCCESS] = now
    seen = _seen(one.row) if one.row else {STATE: Urgency.UNREADABLE}
    return {**ran, **seen, **({STATE: Urgency.COMPROMISED, OPEN: len(one.open)} if one.open else {})}


def _seen(row: Row) -> Mapping[str, float | None]:
    instants = {EXPIRY: row.end, IN_USE: row.soonest, DUE: row.at if row.due else row.next_due}
    shown = {metric: at.timestamp() if at else None for metric, at in instants.items()}
    return {**shown, STATE: row.standing, OPEN: len(row.compromised)}


def _put(values: Values, policy: str, new: Mapping[str, float | None]) -> None:
    for metric, value in new.items():
        samples = values.setdefault(metric, {})
        if value is None:
            samples.pop(policy, None)
        else:
            samples[policy] = float(value)


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _escaped(name: str) -> str:
    name = name.encode(errors="backslashreplace").decode()
    return name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)
