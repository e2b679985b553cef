"""The verbs that change something: rotate, adopt, revoke, grant."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli.given import Common
from rotator.cli.looking import forced, show_plan
from rotator.cli.options import Leases, Name, Names, Yes, ask, command
from rotator.remedy import rotator

if TYPE_CHECKING:
    from rotator.engine import Result, Run, Score
    from rotator.fleet import Urgent
    from rotator.plan import Adoption
    from rotator.ports import AccessRecord

Keys = Annotated[
    list[str] | None, typer.Option("--key-id", metavar="KEY_ID", help="With --compromised: which credentials; repeatable. Default: the current one.")
]
Key = Annotated[str | None, typer.Option("--key-id", metavar="KEY_ID", help="Which credential, where more than one would fit.")]
MaxDuration = Annotated[str | None, typer.Option("--max-duration", metavar="SPAN", help="Begin nothing that can't end within it: 10m, 1h30m.")]


@command
def rotate(
    common: Common,
    names: Names = None,
    force: Annotated[
        bool, typer.Option("--force", help="Rotate early; an unfinished rotation is finished first, and nothing refused is forced.")
    ] = False,
    adopt: Annotated[bool, typer.Option("--adopt", help="Adopt the hand-made credential first, if exactly one fits.")] = False,
    no_overlap: Annotated[bool, typer.Option("--no-overlap", help="Remove the old credential as soon as nothing holds it.")] = False,
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Declare the current credential (or --key-id) known to others; replace it now. Asks.")
    ] = False,
    key_id: Keys = None,
    accept_drift: Annotated[bool, typer.Option("--accept-drift", help="Publish on top of a version that somebody else wrote.")] = False,
    accept_outage: Annotated[
        bool, typer.Option("--accept-outage", help="Remove a compromised credential although something still holds it. Asks.")
    ] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try again now what failed before.")] = False,
    max_duration: MaxDuration = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the plan.")] = False,
    lease_dir: Leases = None,
    yes: Yes = False,
) -> None:
    """Replace credentials that are due, with no outage.

    A new one is added, proven, published and deployed; the old one is removed when nothing relies on it any more. Never waits for
    overlaps, jobs or windows: it says when something is due next, and the next run goes on.
    """
    from rotator.plan import Intent

    wishes = Wishes(force, adopt, compromised, tuple(key_id or ()))
    intent = Intent(None, no_overlap, accept_drift, accept_outage, retry)
    _check(wishes, names, dry_run=dry_run)
    at_most = _span(max_duration)
    if dry_run:
        show_plan(common, names, intent=intent, force=force)
        return
    from rotator.cli import session

    policies = common.load(tuple(names or ()))
    _ask(wishes, [policy.name for policy in policies], yes, accept_outage=accept_outage)
    session.change(common, policies, wishes.rotated, lease_dir=lease_dir, intent=intent, at_most=at_most, urgent=wishes.urgent())


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for beyond what is due, to be done before it."""

    force: bool = False
    adopt: bool = False
    compromised: bool = False
    key_ids: tuple[str, ...] = ()

    def urgent(self) -> "Urgent | None":
        """A declaration doesn't wait for another run, which heeds it from its next look on."""
        from rotator.fleet import Urgent

        state = "What is declared is recorded: whatever run looks next replaces the credential at once, that other one too. Until then it works."
        return Urgent("this run replaces nothing that is declared compromised", state, self._declared) if self.compromised else None

    async def _declared(self, run: "Run") -> int:
        from rotator.engine import Score, compromise, counted

        score = Score()
        await compromise(counted(run, score), self.key_ids)
        return score.exit_code

    async def rotated(self, run: "Run") -> "Result":
        """Adopt and force as asked; then reconcile."""
        from rotator.engine import Score, counted, reconcile
        from rotator.fleet import after

        score = Score()
        if self.adopt:
            await _adopted(counted(run, score))
        return after(await reconcile(await forced(run) if self.force else run), score.exit_code)


async def _adopted(run: "Run") -> None:
    """Adopt if exactly one credential fits; otherwise say so and go on, since the next run is often the same command."""
    from rotator.engine import adopt
    from rotator.errors import UnsafeStep
    from rotator.events import Noted

    name = run.policy.name
    try:
        adoption = await adopt(run, None)
        why = _before(adoption, name) if adoption.already else ""
    except UnsafeStep as error:
        why = f"{error.happened}. {error.remedy}"
    if why:
        run.tell(Noted(policy=name, code="not_adopted", subject=name, text=f"nothing was adopted: {why}"))


def _before(adoption: "Adoption", name: str) -> str:
    """What was adopted before, and what is still foreign."""
    adopted, versions = " and ".join(adoption.key_ids), " and ".join(version.id for version in adoption.versions)
    many, several = len(adoption.key_ids) > 1, len(adoption.versions) > 1
    text = f"credential{'s' if many else ''} {adopted} {'were' if many else 'was'} adopted before, as version{'s' if several else ''} {versions}"
    left = f"; not ours: {', '.join(adoption.others)} (`{rotator('adopt', name, key_id='KEY_ID')}` hands one over)" if adoption.others else ""
    return f"{text} record{'' if several else 's'}{left}"


def _check(wishes: Wishes, names: list[str] | None, *, dry_run: bool) -> None:
    if wishes.key_ids and not wishes.compromised:
        raise typer.BadParameter("--key-id says which credential is compromised: add --compromised (`rotator adopt` has a --key-id of its own)")
    if wishes.compromised and not names:
        raise typer.BadParameter("--compromised is about policies that you name")
    if wishes.key_ids and len(names or ()) != 1:
        raise typer.BadParameter("--key-id is about one policy; name it, and only it")
    if dry_run and (wishes.compromised or wishes.adopt):
        raise typer.BadParameter("--dry-run changes nothing, and --compromised and --adopt are recorded in Azure; leave one of them away")


def _ask(wishes: Wishes, names: list[str], yes: bool, *, accept_outage: bool) -> None:
    if wishes.compromised:
        ask(f"Declare {', '.join(wishes.key_ids) or 'the current credential'} of {', '.join(names)} compromised? It can't be taken back.", yes)
    if accept_outage:
        ask("Remove compromised credentials although a container group still holds them? Its next pull fails.", yes)


def _span(text: str | None) -> timedelta | None:
    from rotator.policy.durations import parse

    try:
        return parse(text) if text else None
    except ValueError as error:
        raise typer.BadParameter(f"--max-duration {text}: {error}; write 10m, 1h30m or 45s") from error


@command
def adopt(common: Common, name: Name, key_id: Key = None, lease_dir: Leases = None) -> None:
    """Hand over to rotator a credential that somebody else made.

    From then on it is retired like any other, when nothing relies on it any more.
    """
    from rotator.cli import session

    async def do(run: "Run") -> "Result":
        from rotator.engine import adopt as adopt_in
        from rotator.engine import counted, finish

        async def act(score: "Score") -> str:
            adoption = await adopt_in(counted(run, score), key_id)
            if adoption.already:
                return _before(adoption, run.policy.name)
            score.done += 1
            return f"adopted credential {adoption.key_ids[0]}, recorded on version {adoption.versions[0].id}"

        return await finish(run, "adopt", act)

    session.change(common, common.load((name,)), do, lease_dir=lease_dir)


@command
def revoke(
    common: Common,
    name: Name,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="See a pull refused before ending; Azure takes up to ten minutes.")] = True,
    credentials: Annotated[
        bool, typer.Option("--credentials", help="Remove every password of ours, too, and disable what holds them; the way that a lock leaves open.")
    ] = False,
    record: Annotated[
        Path | None, typer.Option("--record", metavar="FILE", dir_okay=False, help="Write what was deleted to a file, too (JSON).")
    ] = None,
    lease_dir: Leases = None,
    yes: Yes = False,
) -> None:
    """Take the principal's access away, and prove it.

    Deletes the declared role assignments, recording them first: `rotator grant` restores them. Says what else still lets the principal
    pull. Asks, unless --yes.
    """
    from rotator.cli import session
    from rotator.fleet import Urgent

    (policy,) = common.load((name,))
    _ensure_plain(record)
    registries = ", ".join(registry.id.name for registry in policy.registries)
    what = "roles and the passwords" if credentials else "roles"
    ask(f"Delete the {what} with which {policy.principal.app_id} pulls from {registries}? Every later pull of its container groups fails.", yes)
    _ensure_writable(record)

    async def do(run: "Run") -> "Result":
        from rotator.engine import revoke as revoke_in

        result = await revoke_in(run, wait=wait, credentials=credentials)
        if record:
            _write_record(record, _exported(policy.name, await run.world.access(policy)), policy.name)
        return result

    urgent = Urgent(
        "access was not taken away", "Nothing was changed by this run: the principal can pull, unless the other run takes its access away."
    )
    session.change(common, (policy,), do, lease_dir=lease_dir, purpose="access", urgent=urgent)


def _ensure_plain(record: Path | None) -> None:
    """Opening a pipe waits for whoever reads it, and a device keeps nothing. Raises BadParameter."""
    if record and record.exists() and not record.is_file():
        raise typer.BadParameter(f"--record {record}: not a plain file; nothing is written to a pipe, a socket or a device")


def _ensure_writable(record: Path | None) -> None:
    if record:
        record.open("a").close()


def _write_record(record: Path, text: str, policy: str) -> None:
    from rotator.errors import RotatorError

    try:
        record.write_text(text)
    except OSError as error:
        state = f"The access is revoked all the same, and recorded in the vault; `{rotator('grant', policy)}` restores it."
        raise RotatorError(f"{record} can't be written: {error.strerror}", state=state, remedy="Run again with another --record FILE.") from None


def _exported(policy: str, found: "AccessRecord") -> str:
    from dataclasses import asdict

    from rotator.report.words import instant

    assignments = [asdict(assignment) for assignment in found.assignments]
    body = {"version": 1, "policy": policy, "access": found.access.value, "since": instant(found.since), "assignments": assignments}
    return json.dumps(body, indent=2) + "\n"


@command
def grant(common: Common, name: Name, lease_dir: Leases = None) -> None:
    """Restore the access that `rotator revoke` took away.

    Where nothing was revoked, makes the role assignments that the policy declares, if they are missing.
    """
    from rotator.cli import session
    from rotator.engine import grant as grant_in

    session.change(common, common.load((name,)), grant_in, lease_dir=lease_dir, purpose="access")
