"""``rotator plan``: show due steps and the reasons."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.cli.invocation import Common
from rotator.cli.options import Names, command
from rotator.errors import RotatorError

if TYPE_CHECKING:
    from rotator.engine import Run
    from rotator.results import Preview
    from rotator.steps import Intent
from rotator.cli.looking import looked

Calendar = Annotated[
    str | None,
    typer.Option(
        "--calendar",
        metavar="SPAN",
        help="Show the work of each day in this period, compared with Azure's limits: 1y, 90d.",
    ),
]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="End with 5 when a step is due.")]


WHEN_DUE = 5


@command
def carry_out(common: Common, names: Names = None, exit_code: ExitCode = False, calendar: Calendar = None) -> None:
    """Show what is due and why; change nothing.

    Also shows the restarts, the refused steps and how to fix them, and the waits with their ends. The current value is
    tried once. Of more than 20 policies, those with nothing due are counted; -v shows each.

    With --calendar: the new credentials and redeployments of each day, the busiest days first, if nothing but time
    changes.
    """
    if calendar:
        show_calendar(common, names, _span(calendar))
    else:
        show_plan(common, names, exit_code=exit_code)


def show_calendar(common: Common, names: list[str] | None, span: timedelta) -> None:
    """Look at each policy, and write the work to come; policies that can't be seen are reported, with exit code 1."""
    from rotator.engine import glance
    from rotator.plan import forecast
    from rotator.report.words import error_body, failed_text
    from rotator.report.workload import workload_body, workload_text

    seen = looked(common, names, glance)
    views = [what.view for _, what in seen if not isinstance(what, RotatorError)]
    failed = [(name, what) for name, what in seen if isinstance(what, RotatorError)]
    until = min((view.at for view in views), default=datetime.fromtimestamp(0, UTC)) + span
    days = forecast(views, until)
    told = (failed_text(name, error) for name, error in failed)
    common.write(
        lambda: "\n\n".join([*told, *([workload_text(days, len(views), until)] if views else [])]),
        lambda: {**workload_body(days, until), "unseen": [{"policy": n, "error": error_body(e)} for n, e in failed]},
        1 if failed else 0,
    )


def _span(text: str) -> timedelta:
    """Parse a span of time, which may be in years. Raises BadParameter."""
    from rotator.policy import durations

    years = re.fullmatch(r"([1-9])y", text)
    try:
        return timedelta(days=365 * int(years[1])) if years else durations.parse(text)
    except ValueError as error:
        raise typer.BadParameter(f"--calendar {text}: {error}; write 1y, 90d or 12w") from error


def show_plan(
    common: Common,
    names: list[str] | None,
    *,
    exit_code: bool = False,
    intent: "Intent | None" = None,
    force: bool = False,
) -> None:
    """Look at each policy with all facts needed by its guard, and write the plans.

    `force`: plan as `rotate --force` would.
    """
    from rotator import fleet
    from rotator.engine import preview
    from rotator.report.many import many_text
    from rotator.report.plan import alarmed, plan_code, plan_part

    async def see(run: "Run") -> "Preview":
        return await preview(await forced(run) if force else run)

    seen = looked(common, names, see, intent, apart=lambda run: force or _compared(run))
    when_due = WHEN_DUE if exit_code else 0
    codes = [1 if isinstance(what, RotatorError) else plan_code(what, when_due=when_due) for _, what in seen]
    body = {"policies": [_plan_body(name, what) for name, what in seen]}
    told = sorted(seen, key=lambda each: isinstance(each[1], RotatorError) or not alarmed(each[1]))
    common.write(
        lambda: many_text([plan_part(name, what) for name, what in told], every=common.verbose > 0),
        lambda: body,
        fleet.exit_code(codes),
    )


def _compared(run: "Run") -> bool:
    """Tell if a plan compares manifests with container groups, which it looks at for that."""
    return any(group.manifest for group in run.policy.container_groups)


async def forced(run: "Run") -> "Run":
    """Return the run with the wish to rotate every credential older than now, by Azure's time.

    So the rotation happens once, even if this machine's clock is wrong.
    """
    observed = await run.world.observe(run.policy)
    return replace(run, intent=replace(run.intent, force_before=observed.at))


def _plan_body(name: str, what: "Preview | RotatorError") -> dict[str, Any]:
    from rotator.report.plan_json import plan_body
    from rotator.report.words import error_body

    return {"policy": name, "error": error_body(what)} if isinstance(what, RotatorError) else plan_body(what)
