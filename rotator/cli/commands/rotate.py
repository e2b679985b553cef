"""``rotator rotate``: replace due credentials."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli.commands.adopt import adopted_before
from rotator.cli.commands.plan import forced, show_plan
from rotator.cli.invocation import Common
from rotator.cli.notices import Hook, Metrics, failing, notices_of
from rotator.cli.options import Container, Leases, MaxDuration, Names, Yes, ask, command, span
from rotator.codes import NoteCode
from rotator.resource_id import GUID

if TYPE_CHECKING:
    from rotator.engine import Run
    from rotator.fleet import Urgent
    from rotator.results import Result

Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key-id",
        metavar="KEY_ID",
        help="With --compromised: key id of the credential; repeatable. Default: the current one.",
    ),
]


@command
def carry_out(
    common: Common,
    names: Names = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Rotate early. An unfinished rotation is finished first; refused steps stay refused."
        ),
    ] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Adopt the hand-made credential first, if exactly one fits.")
    ] = False,
    no_overlap: Annotated[
        bool, typer.Option("--no-overlap", help="Remove the old credential as soon as no group holds it.")
    ] = False,
    compromised: Annotated[
        bool,
        typer.Option(
            "--compromised", help="Declare the current credential (or --key-id) known to others; replace it now. Asks."
        ),
    ] = False,
    key_id: Keys = None,
    accept_drift: Annotated[
        bool, typer.Option("--accept-drift", help="Publish on top of a version that others wrote.")
    ] = False,
    accept_outage: Annotated[
        bool,
        typer.Option(
            "--accept-outage", help="Remove a compromised credential although a container group still holds it. Asks."
        ),
    ] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Retry failed steps now.")] = False,
    max_duration: MaxDuration = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the plan.")] = False,
    lease_dir: Leases = None,
    lease_container: Container = None,
    metrics: Metrics = None,
    hook: Hook = None,
    yes: Yes = False,
) -> None:
    """Replace credentials that are due, with no outage.

    A new one is added, proven, published and deployed; the old one is removed when nothing relies on it any more. Never
    waits for overlaps, jobs or windows: it says when the next step is due, and the next run goes on. ROTATOR_WEBHOOK
    and ROTATOR_PING name addresses to tell (docs/notifications.md).
    """
    from rotator.steps import Intent

    wishes = Wishes(force, adopt, compromised, tuple(key_id or ()))
    intent = Intent(None, no_overlap, accept_drift, accept_outage, retry)
    _check(wishes, names, dry_run=dry_run)
    at_most = span(max_duration)
    if dry_run:
        show_plan(common, names, intent=intent, force=force)
        return
    from rotator.cli import session
    from rotator.cli.leases import chosen

    told = notices_of(common, metrics, hook, lease_dir, whole=not names, container=lease_container)
    with failing(common, told):
        policies = common.load(tuple(names or ()))
        _ask(wishes, [policy.name for policy in policies], yes, accept_outage=accept_outage)
        urgent = wishes.urgent()
        session.change(
            common,
            policies,
            wishes.rotated,
            leases=chosen(common, lease_dir, lease_container),
            intent=intent,
            at_most=at_most,
            urgent=urgent,
            notices=told,
            due=not (force or adopt or compromised),
        )


@dataclass(frozen=True, slots=True)
class Wishes:
    """Requests of the user beyond due steps, to be done before those."""

    force: bool = False
    adopt: bool = False
    compromised: bool = False
    key_ids: tuple[str, ...] = ()

    def urgent(self) -> "Urgent | None":
        """Return the declaration of compromise as urgent work, if requested.

        A declaration doesn't wait for another run; the other run reads the declaration at its next look.
        """
        from rotator.fleet import Urgent

        state = (
            "The declaration is recorded: the next run of any process replaces the credential at once. Until then"
            " the credential works."
        )
        return (
            Urgent("this run replaces nothing that is declared compromised", state, self._declared)
            if self.compromised
            else None
        )

    async def _declared(self, run: "Run") -> int:
        from rotator.engine import compromise

        await compromise(run, self.key_ids)
        return run.score.exit_code

    async def rotated(self, run: "Run") -> "Result":
        """Adopt and force as requested; then reconcile."""
        from rotator.engine import reconcile

        if self.adopt:
            await _adopted(run)
        return await reconcile(await forced(run) if self.force else run)


async def _adopted(run: "Run") -> None:
    """Adopt if exactly one credential fits; otherwise report the reason and go on.

    The next run is often the same command, so a credential adopted before is no error.
    """
    from rotator.engine import adopt
    from rotator.errors import UnsafeStep
    from rotator.events import Noted

    name = run.policy.name
    try:
        adoption = await adopt(run, None)
        why = adopted_before(adoption, name) if adoption.already else ""
    except UnsafeStep as error:
        what, *lines = error.remedy.splitlines()
        why = " ".join((f"{error.happened}. {what}", *(f"`{line.strip()}`" for line in lines)))
    if why:
        run.tell(Noted(code=NoteCode.NOT_ADOPTED, subject=name, text=f"nothing was adopted: {why}"))


def _check(wishes: Wishes, names: list[str] | None, *, dry_run: bool) -> None:
    if wishes.key_ids and not wishes.compromised:
        raise typer.BadParameter(
            "--key-id says which credential is compromised: add --compromised (`rotator adopt` has a --key-id of its"
            " own)"
        )
    if wishes.compromised and not names:
        raise typer.BadParameter("--compromised needs the names of the policies")
    if wishes.compromised and len(names or ()) > 1 and (key_id := next(filter(_is_key_id, names or ()), None)):
        raise typer.BadParameter(
            f"{key_id} looks like a key id, where a policy name is expected; the current credential would be"
            f" declared compromised: write --key-id {key_id}"
        )
    if wishes.key_ids and len(names or ()) != 1:
        raise typer.BadParameter("--key-id needs the name of one policy")
    if dry_run and (wishes.compromised or wishes.adopt):
        raise typer.BadParameter(
            "--dry-run changes nothing, but --compromised and --adopt write to Azure; leave one of them out"
        )


def _is_key_id(name: str) -> bool:
    return re.fullmatch(GUID, name) is not None


def _ask(wishes: Wishes, names: list[str], yes: bool, *, accept_outage: bool) -> None:
    if wishes.compromised:
        ask(
            f"Declare {', '.join(wishes.key_ids) or 'the current credential'} of {', '.join(names)} compromised? It"
            " can't be taken back.",
            yes,
        )
    if accept_outage:
        ask("Remove compromised credentials although a container group still holds them? Its next pull fails.", yes)
