"""Policies by messages of a queue: a survey adds what is due, workers take it, on as many machines as there are.

Rules for editors of this file:

1. A message is a hint. What is due is decided by the run that looks, so a message too many costs a look, and one too
   few waits for the next survey.
2. A message is deleted after its run, never before: the message of a worker that died is visible to others within
   `VISIBLE`.
3. Only what failed is tried again. A name that no policy has, a policy that another run is at work on, a refusal and a
   wait are no failures.
4. A message whose run fails `MOST` times is moved aside, and the report names it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from rotator.codes import NoteCode
from rotator.engine import Run, glance
from rotator.errors import RotatorError
from rotator.events import Finished, Noted, StepFailed
from rotator.fleet.side_by_side import AT_ONCE, Do, after, previews, run
from rotator.policy import Policy
from rotator.ports import Clock, Lease, Message, Queue
from rotator.report.status import rows
from rotator.results import Enqueued, Preview, Previewed, Result
from rotator.survey import Looks

MOST = 5
"""Times that a message is tried; ``maxDequeueCount`` of the Functions host (function/host.json)."""
VISIBLE, EVERY = 300.0, 60.0
"""Seconds for which a message that was taken is kept from others, and after which that is renewed."""
AGAIN = 600.0
"""Seconds after which a message whose run failed is tried again; ``visibilityTimeout`` of the Functions host."""

log = logging.getLogger(__name__)


def due(seen: Iterable[Previewed]) -> tuple[str, ...]:
    """Return the policies to add to the queue: those with a due step, most urgent first, then those that can't be seen.

    A refused step counts: the run reports it. The last may be slow to look at, and delay no other.
    """
    found = dict(seen)
    urgent = [row.policy for row in rows(found.items())]
    unseen = [name for name in urgent if isinstance(found[name], RotatorError)]
    return (*(name for name in urgent if _steps(found[name])), *unseen)


def _steps(what: Preview | RotatorError) -> bool:
    return not isinstance(what, RotatorError) and bool(what.plan.steps or what.vetoes)


async def surveyed(runs: Sequence[Run], queue: Queue, looks: Looks) -> Enqueued:
    """Look at every policy that isn't at rest by the services' lists, and add those with a due step to the queue.

    Raises RotatorError for a failure of the queue.
    """
    found = await previews(runs, glance, looks)
    seen = tuple((one.policy.name, what) for one, what in zip(runs, found, strict=True))
    await enqueue(queue, names := due(seen))
    for one, what in zip(runs, found, strict=True):
        if not isinstance(what, RotatorError):
            looks.note(one)
    await looks.write(runs[0].clock)
    results = tuple(_looked(one, what) for one, what in zip(runs, found, strict=True))
    return Enqueued(queue.where, seen, names, await queue.poisoned(), results)


def _looked(one: Run, what: Preview | RotatorError) -> Result:
    """Report the findings of a look that need a person, as the end of a run does."""
    due_at = None
    if isinstance(what, RotatorError):
        said = what.diagnose()
        one.tell(
            StepFailed(
                step="observe",
                target=one.policy.name,
                happened=said.happened,
                state=said.state,
                remedy=said.remedy,
            )
        )
    else:
        due_at = what.next_due
        for wait in what.plan.waits:
            if wait.warn:
                one.tell(wait)
        for note in what.plan.notes:
            if note.warn:
                one.tell(note)
    code, summary = one.score.exit_code, "looked at" if one.score.exit_code == 0 else one.score.summary()
    one.tell(Finished(exit_code=code, summary=summary, next_due=due_at))
    return Result(one.policy.name, code, summary, due_at)


async def enqueue(queue: Queue, names: Iterable[str]) -> None:
    """Add a message for each policy. Raises RotatorError."""
    for name in names:
        await queue.put(name)


@dataclass(slots=True)
class Worker:
    """Takes messages until there is none, or until `deadline` (elapsed seconds of `clock`) is too near.

    `begin` makes the run of a policy.
    """

    queue: Queue
    clock: Clock
    lease: Lease
    policies: Mapping[str, Policy]
    begin: Callable[[Policy], Run]
    do: Do
    deadline: float
    results: dict[str, Result] = field(default_factory=dict)
    """Last run by policy, with the highest-ranking exit code of all its runs."""
    unknown: list[str] = field(default_factory=list)
    """Names that no policy has."""
    trouble: list[RotatorError] = field(default_factory=list)
    """Failures of the queue itself."""

    async def work(self, concurrency: int = AT_ONCE) -> None:
        """Serve messages side by side. Failures are kept in `trouble`; none is raised."""
        left = self.deadline - self.clock.elapsed()
        if slow := [name for name, policy in self.policies.items() if policy.proof.deadline.total_seconds() > left]:
            happened = (
                "--max-duration of this worker is shorter than a proof may take in these policies:"
                f" {', '.join(sorted(slow))}"
            )
            remedy = "Give it a longer --max-duration, or shorten `proof.deadline` in the policies."
            self.trouble.append(RotatorError(happened, remedy=remedy))
        async with asyncio.TaskGroup() as tasks:
            for _ in range(concurrency):
                tasks.create_task(self._take_all())

    async def _take_all(self) -> None:
        left = self.deadline - self.clock.elapsed()
        proofs = (policy.proof.deadline.total_seconds() for policy in self.policies.values())
        longest = max((proof for proof in proofs if proof <= left), default=0)
        try:
            while self.deadline - self.clock.elapsed() >= longest:
                message = await self.queue.take(VISIBLE)
                if message is None:
                    return
                await self.serve(message)
        except RotatorError as error:
            if error.happened not in (each.happened for each in self.trouble):
                self.trouble.append(error)

    async def serve(self, message: Message) -> None:
        """Do what a message asks for, and settle the message. Raises RotatorError for a failure of the queue."""
        policy = self.policies.get(message.text)
        if policy is None:
            log.warning("a message names %r, which is no policy in this directory; it is dropped", message.text)
            self.unknown.append(message.text)
            await self.queue.done(message)
            return
        one = self.begin(policy)
        if message.tries > MOST:
            await self._aside(one, message)
            self._keep(Result(policy.name, 1, poisoned(message)))
            one.tell(Finished(exit_code=1, summary=poisoned(message)))
            return
        async with self._held(message) as held:
            (result,) = await run([one], self.do, lease=self.lease)
        await self._settle(one, result, held[-1])

    async def _settle(self, one: Run, result: Result, message: Message) -> None:
        if failed(one) and message.tries >= MOST:
            await self._aside(one, message)
        elif failed(one):
            await self.queue.keep(message, AGAIN)
        else:
            if cut_short(one, result):
                await self.queue.put(message.text)
            await self.queue.done(message)
        self._keep(result)

    async def _aside(self, one: Run, message: Message) -> None:
        one.tell(Noted(code=NoteCode.POISONED, subject=one.policy.name, text=poisoned(message), warn=True))
        await self.queue.poison(message)

    def _keep(self, result: Result) -> None:
        before = self.results.get(result.policy)
        self.results[result.policy] = after(result, before.exit_code) if before else result

    @asynccontextmanager
    async def _held(self, message: Message) -> AsyncIterator[list[Message]]:
        """Keep a message from others for the duration of the block; the list ends with its newest receipt."""
        held = [message]
        keeping = asyncio.create_task(self._renew(held))
        try:
            yield held
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})

    async def _renew(self, held: list[Message]) -> None:
        while True:
            await self.clock.sleep(EVERY)
            try:
                kept = await self.queue.keep(held[-1], VISIBLE)
            except RotatorError as error:
                log.warning("a message of the queue was not kept from other workers: %s", error.happened)
                continue
            if kept is None:
                log.warning(
                    "another worker received the message of this run; the lease of the policy prevents two runs at once"
                )
                return
            held.append(kept)


def failed(one: Run) -> bool:
    """Tell if a run is worth another try: a step failed, or the policy could not be read.

    A refusal, and a wait past its warning, are the same at the next try.
    """
    return bool(one.score.failed)


def cut_short(one: Run, result: Result) -> bool:
    """Tell if a run ended because of its deadline, with a step due now or within minutes (groups after a canary)."""
    if not one.latest or result.next_due is None or one.left() >= one.policy.proof.deadline.total_seconds():
        return False
    return (result.next_due - one.latest[0].observed.at).total_seconds() <= AGAIN


def poisoned(message: Message) -> str:
    """Return the text of the note about a message that is moved aside."""
    return (
        f"the message of this policy was received {message.tries} times, and each run failed. The message is moved"
        " aside; the next survey adds the policy again"
    )
