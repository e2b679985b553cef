"""Timer of an Azure Functions app (Python v2 programming model): `rotator rotate` at each tick of the schedule.

Rules for editors of this file:

1. No decision is made here: policies, clients, fleet and engine are those of the command line.
2. An invocation may be cut off at any line (`functionTimeout`, a scaled-in instance); the next invocation looks at
   Azure and goes on. So the platform's retries stay off, and no state is kept between invocations.
3. All output goes through `logging`, one JSON object a line. Problems needing a person raise an error, because the
   platform's monitoring sees only failed invocations.

App settings: ``ROTATOR_SCHEDULE`` (NCRONTAB with seconds; default every six hours), ``ROTATOR_POLICIES`` (directory;
default ``policies`` in the app), ``ROTATOR_MAX_DURATION`` (default 8m), ``ROTATOR_CLOUD`` (public, usgov, china). The
app signs in with its managed identity.
"""

import asyncio
import json
import logging
import os
import tempfile
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from stat import S_ISDIR

import azure.functions as func

from rotator import clients, fleet
from rotator.cloud import CLOUDS
from rotator.engine import Journal, Run, reconcile
from rotator.errors import Mistake, PolicyError, RotatorError
from rotator.events import Event, StepFailed, Vetoed, as_json
from rotator.lease import LocalLease, exposed
from rotator.policy import Policy, durations, gather
from rotator.ports import Clock, World
from rotator.results import Result
from rotator.system import SystemClock, now

DEFAULT_SCHEDULE = "0 0 */6 * * *"
"""At the full hour, four times a day: often enough for an overlap of a day, and one failed run costs six hours of 30
days.
"""
DEFAULT_DURATION = "8m"
"""Longest run: within the ten minutes of the Consumption plan (``functionTimeout`` in host.json; five by default).

Source: "Azure Functions hosting options", function app timeout duration. Other plans allow more; then raise both.
"""
GRACE = timedelta(seconds=60)
"""From when nothing new is begun until what is still under way is cut off here, with an error of ours, rather than by
the platform.
"""
LAST = timedelta(seconds=25)
"""Of that, how long an answer to a write that is under way is waited for after everything else was cut off."""
SERVED = "The other policies were served."
QUIET = ("azure", "msal", "msgraph", "kiota_http", "httpx", "httpcore", "hpack", "h2", "aiohttp", "urllib3")
"""Loggers held at ERROR, whatever the app's log level: at DEBUG some of them print headers as sent, bearer tokens
included.
"""

log = logging.getLogger("rotator.function")
app = func.FunctionApp()


class RotationFailed(RotatorError):
    """A step failed, or waits past its warning: the invocation must count as failed."""

    remedy = "The events above say what and why. The next tick goes on by itself; `rotator plan` shows what it will do."


@dataclass(frozen=True, slots=True)
class AppSettings:
    """Settings of the app."""

    policies: Path
    at_most: timedelta
    cloud: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "AppSettings":
        """Read the settings from the environment. Raises RotatorError.

        The host puts the app settings and the app's directory there.
        """
        root = Path(environment.get("AzureWebJobsScriptRoot") or ".")
        text = environment.get("ROTATOR_MAX_DURATION") or DEFAULT_DURATION
        try:
            at_most = durations.parse(text)
        except ValueError as error:
            raise RotatorError(
                f"the app setting ROTATOR_MAX_DURATION is {text!r}: {error}", remedy="Write 8m, 25m or 1h30m."
            ) from None
        cloud = environment.get("ROTATOR_CLOUD") or "public"
        if cloud not in CLOUDS:
            raise RotatorError(
                f"the app setting ROTATOR_CLOUD is {cloud!r}, which is no cloud",
                remedy=f"Write {', '.join(CLOUDS)}, or leave it out.",
            )
        return cls(root / (environment.get("ROTATOR_POLICIES") or "policies"), at_most, cloud)


def schedule(environment: Mapping[str, str]) -> str:
    """Return the timer's schedule: a reference to the app setting, or the default if not set.

    A reference lets the portal show and change the schedule.
    """
    return "%ROTATOR_SCHEDULE%" if environment.get("ROTATOR_SCHEDULE") else DEFAULT_SCHEDULE


@app.timer_trigger(arg_name="timer", schedule=schedule(os.environ), use_monitor=True)
async def rotate(timer: func.TimerRequest) -> None:
    """Take every due step of every policy without mistakes.

    Raises PolicyError, RotationFailed; the next tick goes on from there.

    The host runs one invocation at a time over all instances of the app (a lock in its storage account), so the lease
    is a local file.
    """
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    if timer.past_due:
        log.warning("the timer is past due: an earlier tick was missed")
    settings = AppSettings.read(os.environ)
    found = gather(settings.policies, cloud=settings.cloud)
    for mistake in found.mistakes:
        log.error("%s", json.dumps({"v": 1, "event": "mistake", "at": now().isoformat(), **asdict(mistake)}))
    policies, hasty = _in_time(settings, found.policies)
    if not policies:
        raise hasty or PolicyError(found.mistakes)
    _judge(await _run(settings, policies), found.mistakes, hasty)


def _judge(results: tuple[Result, ...], mistakes: tuple[Mistake, ...], hasty: RotatorError | None) -> None:
    """Fail the invocation for every problem needing a person.

    Neither a failed policy nor a policy with mistakes hides the other.
    """
    failed = "; ".join(f"{result.policy}: {result.summary}" for result in results if result.exit_code == 1)
    rest = [str(hasty.happened)] if hasty else []
    if failed:
        raise RotationFailed("; ".join([failed, *rest, *map(str, mistakes)]), state="As the events above say.")
    if hasty:
        raise RotatorError("; ".join([*rest, *map(str, mistakes)]), state=SERVED, remedy=hasty.remedy)
    if mistakes:
        raise PolicyError(mistakes, state=SERVED)


async def _run(settings: AppSettings, policies: tuple[Policy, ...]) -> tuple[Result, ...]:
    clock, connecting = connected(settings.cloud)
    lease = LocalLease(_leases(), now)
    deadline = clock.elapsed() + settings.at_most.total_seconds()
    async with connecting as world:
        world.repeat_until(deadline)
        runs = (Run(world, clock, Journal(tell, policy.name), policy, deadline=deadline) for policy in policies)
        working = asyncio.create_task(fleet.run(runs, reconcile, lease=lease, pressing=fleet.past_warning))
        for seconds in ((settings.at_most + GRACE - LAST).total_seconds(), LAST.total_seconds()):
            await asyncio.wait({working}, timeout=seconds)
            if working.done() and not working.cancelled():
                return working.result()
            working.cancel()
    state = "Whatever was finished before is as the events above say; a write that was under way may have happened."
    raise RotationFailed(
        f"the run was cut off {durations.render(settings.at_most + GRACE)} after its start", state=state
    )


def _leases() -> Path:
    """Return a directory private to this user in the instance's temporary folder.

    If another user has taken the usual name, make a new directory.
    """
    usual = Path(tempfile.gettempdir()) / f"rotator-{os.geteuid()}"
    with suppress(FileExistsError):
        usual.mkdir(mode=0o700)
    found = usual.lstat()
    if S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not exposed(usual):
        return usual
    log.warning(
        "%s",
        json.dumps(
            {
                "v": 1,
                "event": "log",
                "at": now().isoformat(),
                "level": "warning",
                "text": f"{usual} isn't this app's alone; leases are kept elsewhere",
            }
        ),
    )
    return Path(tempfile.mkdtemp(prefix="rotator-"))


def _in_time(settings: AppSettings, policies: tuple[Policy, ...]) -> tuple[tuple[Policy, ...], RotatorError | None]:
    """Return the policies whose proof fits into an invocation, and an error about the others.

    The others are left out: such a policy would never be rotated, and would only cause warnings.
    """
    slow = [policy for policy in policies if settings.at_most < policy.proof.deadline]
    if not slow:
        return policies, None
    longest, names = max(policy.proof.deadline for policy in slow), ", ".join(policy.name for policy in slow)
    happened = (
        f"the app setting ROTATOR_MAX_DURATION is {durations.render(settings.at_most)}, and proving a credential may"
        f" take longer: {names}"
    )
    remedy = f"Write {durations.render(longest)} or more, or shorten `proof.deadline` in the policies."
    return tuple(policy for policy in policies if policy not in slow), RotatorError(happened, remedy=remedy)


def connected(cloud: str) -> tuple[Clock, AbstractAsyncContextManager[World]]:
    """Return a clock, and Azure as the app's identity; tests replace only this function."""
    clock = SystemClock()
    return clock, clients.connect(clock, cloud=cloud)


def tell(event: Event) -> None:
    """Log an event as one line of JSON; the level serves alert rules."""
    event = event if event.at else replace(event, at=now())
    warns = isinstance(event, Vetoed) or bool(getattr(event, "warn", False))
    level = logging.ERROR if isinstance(event, StepFailed) else logging.WARNING if warns else logging.INFO
    log.log(level, "%s", json.dumps(as_json(event)))
