"""What a check is, is given and finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from rotator.cloud import Cloud, of_vault
from rotator.plan import View
from rotator.policy import Policy
from rotator.preflight import Caller, Examined, Machine
from rotator.state import Observed
from rotator.steps import Intent


class Severity(IntEnum):
    """How bad a finding is; the worst has the lowest number."""

    FAIL = 0
    """A rotation would fail, or stop half-way."""
    UNKNOWN = 1
    """What a rotation needs couldn't be told, and why."""
    WARN = 2
    """A rotation works, and something is not as it should be."""
    ADVICE = 3
    """Nothing is wrong, and there is a better way."""
    OK = 4


@dataclass(frozen=True, slots=True)
class Remedy:
    """One of several ways out, between which only a person can choose: when it is the right one, its commands, and lines for the policy file."""

    when: str
    mend: tuple[str, ...]
    write: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found of one subject.

    `write` are lines for the policy file, `mend` the commands that mend it, ready for bash.

    Where that depends on what somebody wants, there are `ways` in their place.
    """

    severity: Severity
    subject: str
    text: str
    mend: tuple[str, ...] = ()
    write: str = ""
    check: str = ""
    ways: tuple[Remedy, ...] = ()


@dataclass(frozen=True)
class Case:
    """What checks are given.

    They ask of `seen` and `caller` only if there are such: :func:`rotator.doctor.diagnose` sees to that.
    """

    policy: Policy
    examined: Examined
    machine: Machine
    given: tuple[tuple[str, str], ...] = ()
    """Options of this command line that rotator's other verbs must be given, too: their names with underscores, and their values."""

    @property
    def seen(self) -> Observed:
        """What was observed."""
        if self.examined.observed is None:
            raise LookupError("nothing was observed")
        return self.examined.observed

    @property
    def caller(self) -> Caller:
        """Who rotator is signed in as."""
        if not isinstance(self.examined.caller, Caller):
            raise LookupError("nobody is signed in")
        return self.examined.caller

    @cached_property
    def view(self) -> View:
        """The observation with the planner's derived facts."""
        return View(self.policy, self.seen, Intent())

    @property
    def cloud(self) -> Cloud:
        """The cloud of the policy's vault."""
        return of_vault(self.policy.key_vault.host)


Found = Iterator[Finding]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be true: its name, the part of the world that it is about, what is said where it is true, and how it is told."""

    name: str
    about: str
    ok: str
    run: Callable[[Case], Found]
