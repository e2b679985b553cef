"""All errors of rotator, sorted by the person responsible for the fix.

    RotatorError
    ├── PolicyError       the author of a policy: every mistake at once, each with file:line:column
    ├── UnsafeStep        no fix needed yet: the guard vetoed, Azure is unchanged
    ├── ProofFailed       a credential failed its proof; the credential just added is removed again, or named
    ├── LeaseHeld         another run is at work on the same policy
    └── AzureError        Azure refused or didn't answer
        ├── Forbidden     a permission is missing
        ├── NotFound      an object named by the policy doesn't exist
        │   └── Unseen    a parent of the object is missing, or hidden: the object itself may exist
        ├── Conflict      the resource is in a state excluding the request
        │   └── Locked    a management lock forbids the request
        ├── Throttled     too many requests, and all retries failed
        │   └── Limited   until after the end of a command: a later one does the rest
        ├── Unavailable   no answer, or 5xx, and all retries failed
        │   └── Unreachable   from all services: no policy can be served
        ├── NotSent       a write was held back: its basis is too old, and no request has left this machine
        ├── OutcomeUnknown  a write was sent and no answer came: the effect may or may not be there
        ├── UnsupportedVersion  the service doesn't take the version of its interface in the request
        └── Unexpected    an answer not understood by this program

Each carries a `Diagnosis`: the error, the present state, and the next action. None ever holds a secret, and the error
is one line, whatever the names inside.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath

from rotator.causes import Cause, Denial, Grounds
from rotator.visible import one_line


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Explanation for a person on call: three paragraphs, none of them empty."""

    happened: str
    state: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.happened}\nState: {one_line(self.state)}\nWhat to do: {self.remedy}"


BY_THIS_STEP = "Nothing was changed for this step."
"""State after a step that changed nothing, where other steps may have."""


class RotatorError(Exception):
    """The root, so that an entry point can tell our refusals from bugs."""

    state = "Nothing was changed."
    remedy = "Run `rotator plan` to see what is due."

    def __init__(self, happened: str, *, state: str | None = None, remedy: str | None = None) -> None:
        super().__init__(one_line(happened))
        self.happened = one_line(happened)
        self.state = state or type(self).state
        self.remedy = remedy or type(self).remedy

    def diagnose(self) -> Diagnosis:
        """Return the explanation: the error, the present state, and the next action."""
        return Diagnosis(self.happened, self.state, self.remedy)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a policy file. `line` and `column` count from 1; `value` is what was found there."""

    file: str
    line: int
    column: int
    path: str
    value: str
    problem: str
    remedy: str

    @property
    def kind(self) -> tuple[str, ...]:
        """All of the mistake but its position and the policy's name: equal for the same mistake in two files."""
        named = rf" [^ `]*{re.escape(PurePath(self.file).stem)}`"
        return self.path, self.value, self.problem, re.sub(named, " *`", self.remedy)

    def __str__(self) -> str:
        shown = f" (found {self.value})" if self.value else ""
        where = f"{self.path}: " if self.path else ""
        return one_line(f"{self.file}:{self.line}:{self.column}: {where}{self.problem}{shown}. {self.remedy}")


ALIKE = 3
"""Files with the same mistake that are all listed. Of more files only the first is shown in full."""


def listed(mistakes: Sequence[Mistake]) -> Iterator[str]:
    """Yield a line for each mistake, and one line for a mistake that more than `ALIKE` files share."""
    same: dict[tuple[str, ...], list[str]] = {}
    for each in mistakes:
        same.setdefault(each.kind, []).append(each.file)
    for each in mistakes:
        first, *others = dict.fromkeys(same[each.kind])
        if len(others) < ALIKE:
            yield str(each)
        elif each.file == first:
            more = f" and {len(others) - ALIKE} more" if len(others) > ALIKE else ""
            yield f"{each} The same in {', '.join(others[:ALIKE])}{more}."


class PolicyError(RotatorError):
    """Unusable policies; `mistakes` has all mistakes, so that one edit fixes all."""

    state = "No request was made."
    remedy = "Correct the lines above; `rotator validate` checks them without a request to Azure."

    def __init__(self, mistakes: tuple[Mistake, ...], *, state: str | None = None) -> None:
        super().__init__("", state=state)
        self.happened = "\n".join(listed(mistakes))
        self.args = (self.happened,)
        self.mistakes = mistakes


class UnsafeStep(RotatorError):
    """Step refused by the guard."""


class ProofFailed(RotatorError):
    """Credential failing to authenticate everywhere, or to pull the dependents' images."""


SLACK = timedelta(minutes=15)
"""Time beyond a run's own limit before its lease is an alarm: a run finishes the steps that it has begun."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Holder of a lease, as far as stated in the lease, `at` an instant of this machine's clock.

    `process`: its id, if the process still runs here, or on the machine `host`; empty: this machine.
    """

    at: datetime
    process: int | None = None
    since: datetime | None = None
    allowed: timedelta | None = None
    """Longest time that its run may take."""
    host: str = ""

    @property
    def overdue(self) -> bool:
        """Tell if the lease is held longer than a run may take: the process hangs, or isn't rotator."""
        return self.since is not None and self.allowed is not None and self.at - self.since > self.allowed + SLACK

    def __str__(self) -> str:
        where = self.host or "this machine"
        who = f"process {self.process} on {where}" if self.process else f"another process on {where}"
        if self.since is None:
            return who
        minutes = max(0, int((self.at - self.since).total_seconds()) // 60)
        held = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
        return f"{who}, since {self.since:%Y-%m-%d %H:%M} UTC ({held}),"


class LeaseHeld(RotatorError):
    """Another run holds the policy's lease."""

    remedy = "Wait for the other run to end; the lease of a process that died ends by itself."

    def __init__(self, happened: str, holder: Holder | None = None, *, remedy: str | None = None) -> None:
        super().__init__(happened, remedy=remedy)
        self.holder = holder


class AzureError(RotatorError):
    """Refusal by Azure, or no answer.

    `service` is its name, `code` its error code, `status` its HTTP status (0: none), `grounds` what its code comes to.
    """

    remedy = (
        "Look the error code up in the service's documentation. The next run reads the state of Azure and goes"
        " on from there."
    )

    def __init__(
        self,
        happened: str,
        *,
        service: str,
        code: str = "",
        status: int = 0,
        state: str | None = None,
        remedy: str | None = None,
        grounds: Grounds | None = None,
    ) -> None:
        super().__init__(happened, state=state, remedy=remedy)
        self.service, self.code, self.status, self.grounds = service, code, status, grounds

    @property
    def denial(self) -> Denial:
        """The refusal as a part of the picture."""
        return Denial(self.happened, self.grounds or Grounds(Cause.UNCLEAR, service=self.service, code=self.code))


class Forbidden(AzureError):
    """A permission is missing (403), or who rotator signs in as can't be established (401)."""

    remedy = "Give the identity that runs rotator the permission named above; SECURITY.md lists all that it needs."


class NotFound(AzureError):
    """The requested object doesn't exist (404), although reading is permitted."""

    remedy = "Correct the name in the policy, or create what it names."


class Unseen(NotFound):
    """A 404 about a parent of the requested object: its subscription, its vault.

    The object itself may exist or not.
    """


class Conflict(AzureError):
    """The resource is in a state that excludes the request (409 and refusals by state)."""


class Locked(Conflict):
    """A management lock at the scope or above forbids the request (409 ScopeLocked).

    A CanNotDelete lock also keeps role assignments from being deleted.
    """

    remedy = "Remove the lock named above, and run again."


class Throttled(AzureError):
    """Azure asked to slow down (429) for longer than rotator waits, or its limit on requests is known to be reached.

    `seconds`: the pause asked for, if any. `undone`: what the step had done before is undone, and confirmed by a look.
    """

    remedy = "Run again later; nothing is lost."
    seconds: float | None = None
    undone = False


class Limited(Throttled):
    """A limit that outlasts a command: nothing has failed, and what is left may be done after `until`, if known."""

    until: datetime | None = None


class Unavailable(AzureError):
    """No usable answer to a request that may be repeated: connection trouble or 5xx for longer than rotator waits."""

    remedy = "Run again later; nothing is lost."


class Unreachable(Unavailable):
    """No usable answer from any service: no policy can be served."""

    remedy = "Look at the network and at HTTPS_PROXY of this machine, then run again; nothing is lost."


class NotSent(AzureError):
    """A write held back on this machine, since its basis was read too long ago: Azure is unchanged."""

    state = "Nothing was sent."
    remedy = "Run again: the run then reads again before the write."


class OutcomeUnknown(AzureError):
    """A write was sent once and its answer never came: only a read can show the effect."""

    state = "The write may or may not have happened."
    remedy = "Run again: the next run reads the state of Azure and goes on from there."


class UnsupportedVersion(AzureError):
    """The service doesn't take the request's version of its interface any more, or not yet."""

    remedy = "Install a newer rotator; docs/azure-facts.md has the versions with their dates."


class Unexpected(AzureError):
    """An answer without the documented shape."""

    remedy = "Report the answer, with the request id above: rotator does not guess what it means."
