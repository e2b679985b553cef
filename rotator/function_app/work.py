"""Work of the app's functions: what the timer, a message and a request for the status come to."""

import json
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from rotator import fleet
from rotator.codes import NoteCode
from rotator.engine import glance, reconcile
from rotator.errors import AzureError, Holder, Mistake, PolicyError, RotatorError
from rotator.events import Noted
from rotator.function_app.invocation import Invocation, RotationFailed, state, tell, told, within
from rotator.function_app.invocation import notices as told_by
from rotator.function_app.settings import AppSettings
from rotator.lease import RenewedLease, held
from rotator.notices import LeftOut, Notices
from rotator.policy import Gathered, Policy, durations, gather
from rotator.ports import Message
from rotator.report.leases import held_body
from rotator.report.status import ALARMING, rows, status_code
from rotator.report.status_json import status_body
from rotator.report.words import document, error_body, unserved_body
from rotator.results import Previewed, Result
from rotator.survey import FILE, Looks
from rotator.system import now

SERVED = "The other policies were served."
SHOWN = timedelta(seconds=150)
"""Time for a status: the platform ends an HTTP request after 230 seconds (azure-facts I)."""


async def rotate(settings: AppSettings) -> None:
    """Take every due step of every policy; with a queue, add the policies with a due step to the queue instead.

    Raises PolicyError, RotationFailed for every problem needing a person, after the notifications are sent.
    """
    notices = told_by(settings, whole=True)
    async with _failing(notices):
        found = gather(settings.policies, cloud=settings.cloud)
    for mistake in found.mistakes:
        told("mistake", logging.ERROR, **asdict(mistake))
    policies, slow = _in_time(settings, found.policies)
    left_out = LeftOut(found.unserved, slow.error, slow.names)
    if not policies:
        await notices.refused(left_out)
        raise slow.error or PolicyError(found.mistakes)
    do = _survey if settings.queue else _all_of_them
    async with _failing(notices, [policy.name for policy in policies]):
        failed = await within(settings, lambda now_: do(now_, policies, notices, left_out), settings.at_most)
    _judge(failed, found.mistakes, slow.error)


@asynccontextmanager
async def _failing(notices: Notices, names: Sequence[str] = ()) -> AsyncIterator[None]:
    """Notify of an error that ends an invocation, then raise it again; an error of Azure concerns all policies."""
    try:
        yield
    except RotatorError as error:
        await notices.refused(LeftOut(error=error, unseen=names if isinstance(error, AzureError) else ()))
        raise


async def _all_of_them(now_: Invocation, policies: tuple[Policy, ...], notices: Notices, left_out: LeftOut) -> str:
    runs = notices.watched(now_.runs(policies))
    results = await fleet.run(runs, reconcile, lease=now_.lease, pressing=fleet.past_warning)
    await notices.told(results, now_.heard, left_out)
    return _failures(results)


async def _survey(now_: Invocation, policies: tuple[Policy, ...], notices: Notices, left_out: LeftOut) -> str:
    runs = tuple(notices.watched(now_.runs(policies)))
    added = await fleet.surveyed(runs, now_.queue, Looks.read(state() / FILE))
    told("enqueued", logging.INFO, policies=list(added.added))
    await notices.told(added.results, now_.heard, replace(left_out, queued=added))
    return "; ".join(filter(None, (_alarms(added.seen, added.poisoned), _failures(added.results))))


def _failures(results: Iterable[Result]) -> str:
    return "; ".join(f"{result.policy}: {result.summary}" for result in results if result.exit_code == 1)


def _alarms(seen: tuple[Previewed, ...], poisoned: tuple[str, ...]) -> str:
    """Return what of a survey needs a person."""
    urgent = [row for row in rows(seen) if row.standing in ALARMING]
    said = [f"{row.policy}: {row.error.happened if row.error else '; '.join(row.remarks)}" for row in urgent]
    said.extend(f"{name}: its runs failed again and again, and its message was moved aside" for name in poisoned)
    return "; ".join(said)


def _judge(failed: str, mistakes: tuple[Mistake, ...], hasty: RotatorError | None) -> None:
    """Fail the invocation for every problem needing a person.

    Neither a failed policy nor a policy with mistakes hides the other.
    """
    rest = [str(hasty.happened)] if hasty else []
    if failed:
        raise RotationFailed("; ".join([failed, *rest, *map(str, mistakes)]), state="As the events above say.")
    if hasty:
        raise RotatorError("; ".join([*rest, *map(str, mistakes)]), state=SERVED, remedy=hasty.remedy)
    if mistakes:
        raise PolicyError(mistakes, state=SERVED)


@dataclass(frozen=True, slots=True)
class Slow:
    """Policies whose proof doesn't fit into an invocation, and the error about them."""

    names: tuple[str, ...] = ()
    error: RotatorError | None = None


def _in_time(settings: AppSettings, policies: tuple[Policy, ...]) -> tuple[tuple[Policy, ...], Slow]:
    """Return the policies whose proof fits into an invocation, and the others.

    The others are left out: such a policy would never be rotated, and would only cause warnings.
    """
    slow = [policy for policy in policies if settings.at_most < policy.proof.deadline]
    if not slow:
        return policies, Slow()
    longest, names = max(policy.proof.deadline for policy in slow), tuple(policy.name for policy in slow)
    happened = (
        f"the app setting ROTATOR_MAX_DURATION is {durations.render(settings.at_most)}, and proving a credential may"
        f" take longer: {', '.join(names)}"
    )
    remedy = f"Write {durations.render(longest)} or more, or shorten `proof.deadline` in the policies."
    kept = tuple(policy for policy in policies if policy not in slow)
    return kept, Slow(names, RotatorError(happened, remedy=remedy))


async def serve(settings: AppSettings, message: Message) -> None:
    """Rotate the policy that a message names; raise RotationFailed where the host is to try the message again."""
    policy = _known(settings).get(message.text)
    if policy is None:
        text = f"a message names {message.text!r}, which is no policy in this directory; it is dropped"
        told("log", logging.WARNING, level="warning", text=text)
        return

    notices = told_by(settings, whole=False)

    async def one_of_them(now_: Invocation) -> Result:
        (one,) = notices.watched([now_.run(policy)])
        (result,) = await fleet.run([one], reconcile, lease=now_.lease)
        await notices.told((result,), now_.heard, LeftOut())
        if fleet.failed(one):
            raise RotationFailed(f"{policy.name}: {result.summary}", state="As the events above say.")
        if fleet.cut_short(one, result):
            await now_.queue.put(policy.name)
        return result

    try:
        await within(settings, one_of_them, settings.at_most)
    except RotatorError:
        if message.tries >= fleet.MOST:
            text = fleet.poisoned(message)
            tell(Noted(code=NoteCode.POISONED, subject=policy.name, text=text, warn=True, policy=policy.name))
        raise


def _known(settings: AppSettings) -> Mapping[str, Policy]:
    return {policy.name: policy for policy in _gathered(settings.policies, settings.cloud, _changed(settings)).policies}


def _changed(settings: AppSettings) -> int:
    return settings.policies.stat().st_mtime_ns if settings.policies.exists() else 0


@lru_cache(maxsize=1)
def _gathered(policies: Path, cloud: str, changed: int) -> Gathered:
    """Read the policies once per instance: the files of a deployed app don't change."""
    del changed
    return gather(policies, cloud=cloud)


async def show(settings: AppSettings) -> tuple[int, str]:
    """Return the status of every policy as `rotator status --output json` does, with its exit code."""
    found = gather(settings.policies, cloud=settings.cloud)
    unserved = [unserved_body(one) for one in found.unserved]

    async def look(now_: Invocation) -> tuple[int, str]:
        runs = now_.runs(found.policies)
        holders = await _holders(now_)
        looked = await fleet.previews(runs, glance, Looks.read(state() / FILE)) if runs else ()
        seen = [(one.policy.name, what) for one, what in zip(runs, looked, strict=True)]
        code = 2 if unserved else status_code(seen)
        work = {policy.name: holders.get(policy.principal.app_id, ()) for policy in found.policies}
        body = document("status", code, policies=status_body(seen), leases=held_body(work), errors=unserved)
        return code, json.dumps(body)

    return await within(settings, look, SHOWN)


async def _holders(now_: Invocation) -> Mapping[str, tuple[Holder, ...]]:
    store = now_.lease_store
    found = await RenewedLease(store, now_.clock, now).standing() if store else held(state(), now())
    at_work: dict[str, tuple[Holder, ...]] = {}
    for name, holder in found.items():
        at_work[name[:36]] = (*at_work.get(name[:36], ()), holder)
    return at_work


def refused(error: RotatorError) -> str:
    """Return the body of a status that couldn't be had."""
    return json.dumps(document("status", 1, error=error_body(error)))
