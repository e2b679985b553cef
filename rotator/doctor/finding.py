"""Definition, input and findings of a check."""

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
    """Severity of a finding; the worst has the lowest number."""

    FAIL = 0
    """A rotation would fail, or stop half-way."""
    UNKNOWN = 1
    """A check that a rotation needs has no result; the text gives the reason."""
    WARN = 2
    """A rotation works, but a setting is wrong or risky."""
    ADVICE = 3
    """The state is right, but there is a better setting."""
    OK = 4


@dataclass(frozen=True, slots=True)
class Remedy:
    """One of several remedies; only a person can choose.

    Consists of the condition for the choice, commands, and lines for the policy file.
    """

    when: str
    mend: tuple[str, ...]
    write: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Finding of one check about one subject.

    `write` are lines for the policy file, `mend` the commands fixing the finding, ready for bash.

    If the fix depends on a person's choice, there are `ways` instead.
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
    """Input of checks.

    Checks read `seen` and `caller` only if both exist: ensured by :func:`rotator.doctor.diagnose`.
    """

    policy: Policy
    examined: Examined
    machine: Machine
    given: tuple[tuple[str, str], ...] = ()
    """Options of this command line that rotator's other verbs must be given, too: their names with underscores, and
    their values.
    """

    @property
    def seen(self) -> Observed:
        """Observation of the policy's world."""
        if self.examined.observed is None:
            raise LookupError("nothing was observed")
        return self.examined.observed

    @property
    def caller(self) -> Caller:
        """Identity with which rotator is signed in."""
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
    """One condition that must be true: name, part of the world, text if true, and the function looking for faults.

    `with_versions`: the function also needs the versions in the vault.
    """

    name: str
    about: str
    ok: str
    run: Callable[[Case], Found]
    with_versions: bool = False
