"""The verbs that change nothing: validate, plan, status, history."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.cli.given import Common
from rotator.cli.options import Name, Names, command
from rotator.errors import RotatorError

if TYPE_CHECKING:
    from rotator.engine import Run
    from rotator.plan import Intent
    from rotator.report.given import Preview, Seen
    from rotator.state import Observed

ExitCode = Annotated[bool, typer.Option("--exit-code", help="End with 5 when something is due.")]
WHEN_DUE = 5


@command
def validate(common: Common, names: Names = None) -> None:
    """Check policies without asking Azure anything.

    Every mistake is shown at once, with its place and what to write instead.
    """
    found = common.load(tuple(names or ()))

    def text() -> str:
        return "\n".join(f"{policy.name}: valid ({policy.file})" for policy in found)

    common.write(text, lambda: {"policies": [{"policy": policy.name, "file": policy.file} for policy in found]})


@command
def plan(common: Common, names: Names = None, exit_code: ExitCode = False) -> None:
    """Show what is due and why; change nothing.

    Also what would restart, what is refused and how to mend it, what waits and until when. The current value is tried once.
    """
    show_plan(common, names, exit_code=exit_code)


def show_plan(common: Common, names: list[str] | None, *, exit_code: bool = False, intent: "Intent | None" = None, force: bool = False) -> None:
    """Look at each policy with everything that its guard wants to know, and write the plans; `force` as `rotate --force` would."""
    from rotator import fleet
    from rotator.engine import preview
    from rotator.report.plan import alarmed, plan_code

    async def see(run: "Run") -> "Preview":
        return await preview(await forced(run) if force else run)

    seen = _seen(common, names, see, intent)
    when_due = WHEN_DUE if exit_code else 0
    codes = [1 if isinstance(what, RotatorError) else plan_code(what, when_due=when_due) for _, what in seen]
    body = {"policies": [_plan_body(name, what) for name, what in seen]}
    told = sorted(seen, key=lambda each: isinstance(each[1], RotatorError) or not alarmed(each[1]))
    common.write(lambda: "\n\n".join(_plan_text(name, what) for name, what in told), lambda: body, fleet.exit_code(codes))


@command
def status(common: Common, names: Names = None) -> None:
    """Show every policy in one line, most urgent first.

    Tries and changes nothing. As wide as the terminal, or COLUMNS; -v adds each container group, wait and foreign credential. Ends with 1
    where a compromised credential still works, a policy can't be seen, something waits past its warning, or drift stops what is due; else with 0.
    """
    from shutil import get_terminal_size

    from rotator.engine import glance
    from rotator.report.status import status_body, status_code, status_text

    seen = _seen(common, names, glance)
    width, every = get_terminal_size((120, 24)).columns, common.verbose > 0
    common.write(lambda: status_text(seen, width=width, every=every), lambda: {"policies": status_body(seen)}, status_code(seen))


@command
def history(common: Common, name: Name) -> None:
    """Show past rotations: when, which credential, how long it served.

    From the tags of the secret's versions, the newest first; versions that somebody else wrote are among them. -v adds ids and attempts.
    """
    from rotator.cli import session
    from rotator.engine import glance
    from rotator.report.history import history_body, history_text

    (policy,) = common.load((name,))

    async def see(runs: "Iterable[Run]") -> "Observed":
        return (await glance(next(iter(runs)))).observed

    seen = session.run(common, (policy,), see)
    common.write(lambda: history_text(policy, seen, every=common.verbose > 0), lambda: history_body(policy, seen))


async def forced(run: "Run") -> "Run":
    """The run, asked to rotate whatever is older than now by Azure's time: so it happens once, however wrong this machine's clock is."""
    observed = await run.world.observe(run.policy)
    return replace(run, intent=replace(run.intent, force_before=observed.at))


def _seen(common: Common, names: list[str] | None, see: "Callable[[Run], Awaitable[Preview]]", intent: "Intent | None" = None) -> "list[Seen]":
    from rotator import fleet
    from rotator.cli import session

    policies = common.load(tuple(names or ()))
    found = session.run(common, policies, lambda runs: fleet.look(runs, see), intent=intent)
    return [(policy.name, what) for policy, what in zip(policies, found, strict=True)]


def _plan_text(name: str, what: "Preview | RotatorError") -> str:
    from rotator.report.plan import plan_text
    from rotator.report.words import failed_text

    return failed_text(name, what) if isinstance(what, RotatorError) else plan_text(what)


def _plan_body(name: str, what: "Preview | RotatorError") -> dict[str, Any]:
    from rotator.report.plan import plan_body
    from rotator.report.words import error_body

    return {"policy": name, "error": error_body(what)} if isinstance(what, RotatorError) else plan_body(what)
