"""Provision: make all prerequisites of a policy step by step, each after a lookup.

So any run can finish the work of any other run. The app id is written into the policy's file before any other object
depends on the app id. The application is made under a key of the policy's own (`key`), by which Graph prevents a second
application: a run that dies between the two finds the application again.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from rotator import guard
from rotator.cloud import of_vault
from rotator.codes import FailureCode, NoteCode
from rotator.container_group import Verdict
from rotator.engine.access import assign, declared, end, own, start
from rotator.engine.evidence import PATIENCE, acceptance
from rotator.engine.exposed import finish
from rotator.engine.issuance import issue
from rotator.engine.job import deploy_now
from rotator.engine.limits import hold, home_of, outlast
from rotator.engine.observation import Memory, look, prepared
from rotator.engine.run import (
    DECISIONS,
    PAUSE,
    Patience,
    Run,
    Seen,
    Undecided,
    ensure_granted,
    failure,
)
from rotator.engine.trial import try_out
from rotator.errors import Forbidden, NotFound, NotSent, ProofFailed, RotatorError, Unavailable, UnsafeStep
from rotator.events import AppIdSaved, IdentityCreated, Noted, OwnerAdded, UsernamePublished
from rotator.plan import Missing, View, chosen, first_steps, grant_steps, group_steps, identity_steps, refused_readers
from rotator.policy import NOBODY, Draft, Policy
from rotator.ports import PasswordChange
from rotator.remedy import add_application_owner, add_service_principal_owner
from rotator.results import Result
from rotator.state import Home, Identity, Observed
from rotator.steps import TO_COME, Create, Deploy, Issue, Known, Own, Publish, Save, kind, target

ROLE_TIME = timedelta(seconds=PATIENCE + 300)
"""Longest time of the first proof: a new role takes effect after up to ten minutes (azure-facts F4)."""
VISIBLE, EVERY = 120.0, 5.0
"""Longest wait until Graph shows a new principal, and pause between two reads, in seconds.

Graph's reads lag its writes (azure-facts C4).
"""
UNWELL = (Verdict.PULL_FAILED, Verdict.WORSE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A policy or a draft to provision, and `save`, the function writing an app id into its file."""

    policy: Policy | Draft
    save: Callable[[str], None]

    def known(self) -> Policy:
        """Return the policy as far as known, to read and to report parts independent of the principal.

        The policy of a draft has a placeholder as its principal.
        """
        return self.policy.settled(NOBODY) if isinstance(self.policy, Draft) else self.policy


def key(policy: Policy) -> str:
    """Return the application's alternate key: 12 hex digits over the published vault host and secret.

    The key is independent of the names of file and application.
    """
    published = f"{policy.key_vault.host}\n{policy.key_vault.password_secret}".lower()
    return f"rotator-{hashlib.sha256(published.encode()).hexdigest()[:12]}"


async def provision(run: Run, wanted: Wanted) -> Result:
    """Make missing objects; existing objects are left unchanged.

    `run` is of `wanted.known()`. No error of Azure or rotator is raised.
    """

    async def act() -> str:
        policy, homes = await outlast(run, partial(_identity, run, wanted))
        settled = replace(run, policy=policy)
        await ensure_granted(settled)
        await outlast(run, partial(_assigned, settled, homes))
        await outlast(run, partial(_first, settled, homes))
        await _readers(settled, await _groups(settled))
        return "" if run.score.done or run.score.exit_code else "nothing was missing"

    return await finish(run, "provision", act)


async def _assigned(run: Run, homes: frozenset[Home]) -> None:
    """Give the declared roles."""
    seen = await _visible(run, homes, Memory())
    await assign(run, seen.observed)


async def outline(run: Run, wanted: Wanted) -> Missing:
    """Return the steps that :func:`provision` would take now; read only. Values from earlier steps are placeholders."""
    identity = chosen(wanted.policy, await _sought(run, wanted.policy))
    steps = identity_steps(wanted.policy, identity)
    policy = wanted.policy.settled(identity.app_id) if identity and isinstance(wanted.policy, Draft) else run.policy
    settled, principal = replace(run, policy=policy), identity.service_principal if identity else None
    found = await run.world.assignments(policy) if principal else ()
    roles = grant_steps(
        policy,
        found,
        (),
        await declared(settled, principal or TO_COME, await run.world.registries(policy)),
        await own(settled),
    )
    published = any(version.enabled for version in await run.world.versions(policy))
    first = first_steps(policy, published=published, username=await run.world.username(policy) if identity else None)
    groups = [await run.world.group(group.id) for group in policy.container_groups]
    left = group_steps(policy, groups, TO_COME)
    return Missing((*steps, *roles, *first, *left.steps), left.notes)


async def _sought(run: Run, wanted: Policy | Draft) -> tuple[Identity, ...]:
    if isinstance(wanted, Draft):
        return await run.world.identities(None, wanted.display_name)
    found = await run.world.identities(wanted.principal.app_id, None)
    if not found:
        raise NotFound(
            f"no application or service principal has app id {wanted.principal.app_id}",
            service="Microsoft Graph",
            code=FailureCode.NO_SUCH_PRINCIPAL,
            remedy=(
                f"Correct `app_id` in {wanted.file}; or write `display_name` in place of `app_id`: provision then"
                " creates an application of that name."
            ),
        )
    return found


async def _identity(run: Run, wanted: Wanted) -> tuple[Policy, frozenset[Home]]:
    """Return the policy, once there are an application, its app id in the file, and a service principal.

    Also return the homes in this tenant: application, service principal, or both.
    """
    identity = chosen(wanted.policy, await _sought(run, wanted.policy))
    app_id, me = await run.world.signed_in()
    if identity and identity.app_id == app_id:
        raise UnsafeStep(
            f"{identity.app_id} is the identity that rotator is signed in as",
            remedy="Provision another principal; rotator does not change its own identity.",
        )
    policy = wanted.policy
    for planned in identity_steps(policy, identity):
        step = _settled(planned, identity)
        start(run, step)
        match step:
            case Create(home=Home.APPLICATION, name=name):
                identity = await run.world.create_application(name, key(run.policy))
                _created(run, step.home, identity.app_id, identity.application or "")
            case Save() if identity and isinstance(policy, Draft):
                wanted.save(identity.app_id)
                run.tell(AppIdSaved(app_id=identity.app_id, file=policy.file))
                policy = policy.settled(identity.app_id)
            case Create() if identity:
                object_id, made = await run.world.create_service_principal(identity.app_id)
                if not made:
                    end(run, step, "the service principal existed, although Microsoft Graph did not show it")
                    continue
                _created(run, step.home, identity.app_id, object_id)
            case Own(home=home) if identity and not await _own(run, home, identity, me):
                continue
        end(run, step)
    at_home = {Home.APPLICATION} if identity and identity.application else set[Home]()
    return policy if isinstance(policy, Policy) else run.policy, frozenset({Home.SERVICE_PRINCIPAL, *at_home})


def _settled(step: Create | Save | Own, identity: Identity | None) -> Create | Save | Own:
    """Return the step with the app id of the application, unknown to the plan."""
    return replace(step, name=identity.app_id) if isinstance(step, Create) and identity else step


def _created(run: Run, home: Home, app_id: str, object_id: str) -> None:
    run.tell(IdentityCreated(home=home, app_id=app_id, object_id=object_id))


async def _own(run: Run, home: Home, identity: Identity, me: str) -> bool:
    """Make rotator an owner, if permitted; else report the command for another person, and return False."""
    object_id = (identity.application if home is Home.APPLICATION else identity.service_principal) or ""
    try:
        await run.world.own(home, object_id, me)
    except Forbidden:
        what = f"rotator isn't an owner of the {home.value.replace('_', ' ')} {object_id}, and may not make itself one"
        text = f"{what}; `{_by_hand(run, home, identity, me)}` makes rotator an owner"
        needed = home is run.policy.principal.home
        run.tell(Noted(code=NoteCode.NOT_OWNER, subject=object_id, text=text, warn=needed))
        return False
    run.tell(OwnerAdded(home=home, owner=me))
    return True


def _by_hand(run: Run, home: Home, identity: Identity, me: str) -> str:
    if home is Home.APPLICATION:
        return add_application_owner(identity.app_id, me)
    return add_service_principal_owner(of_vault(run.policy.key_vault.host).graph, str(identity.service_principal), me)


async def _visible(run: Run, homes: frozenset[Home], memory: Memory) -> Seen:
    """Return the world, once one look shows all objects made or found.

    A read may miss an object even after another read has shown it; no decision rests on a missing object.

    Raises Unavailable.
    """
    begun, patience = run.clock.elapsed(), Patience(run, "Microsoft Graph does not show the new objects yet", VISIBLE)
    while run.clock.elapsed() - begun < VISIBLE:
        try:
            seen = await look(run, memory)
            if homes <= _shown_homes(seen.observed):
                return seen
        except NotFound as error:
            if error.code != FailureCode.NO_SUCH_PRINCIPAL:
                raise
        await patience.sleep(EVERY)
    raise Unavailable(
        (
            f"Microsoft Graph has not shown all objects of {run.policy.principal.app_id} for {VISIBLE:.0f} s,"
            " although they exist"
        ),
        service="Microsoft Graph",
        code=FailureCode.NOT_VISIBLE,
        state="The new objects stay, and the app id is in the policy's file.",
        remedy="Run again in a few minutes: that run creates the missing objects.",
    )


def _shown_homes(observed: Observed) -> set[Home]:
    ids = {
        Home.APPLICATION: observed.principal.application,
        Home.SERVICE_PRINCIPAL: observed.principal.service_principal,
    }
    return {home for home, shown in ids.items() if shown}


async def _first(run: Run, homes: frozenset[Home]) -> None:
    """The first credential, by the ordinary Issue, and the user name."""
    memory = Memory()
    for left in reversed(range(DECISIONS)):
        seen = await _visible(run, homes, memory)
        published = any(version.enabled for version in seen.observed.versions)
        missing = first_steps(run.policy, published=published, username=await _username(run, seen.observed))
        try:
            await _take_first(run, seen, memory, missing)
        except (NotSent, Undecided) as error:
            memory.lost |= {error.lost} if isinstance(error, Undecided) and error.lost else set()
            if not left:
                raise
            await run.clock.sleep(PAUSE)
        else:
            return


async def _take_first(run: Run, seen: Seen, memory: Memory, steps: tuple[Issue | Publish, ...]) -> None:
    for step in steps:
        if isinstance(step, Publish) and not await run.world.publish_username(run.policy):
            continue
        start(run, step)
        if isinstance(step, Publish):
            run.tell(UsernamePublished(secret=step.secret))
            end(run, step)
        else:
            end(run, step, await _issue(run, seen, memory, step))


async def _username(run: Run, observed: Observed) -> str | None:
    """Return the value of the user name's secret; None if the vault refuses, a case reported by the guard."""
    return None if observed.vault_refuses else await run.world.username(run.policy)


async def _issue(run: Run, seen: Seen, memory: Memory, step: Issue) -> str:
    """Issue with the patience that a new role wants. Raises UnsafeStep where the guard objects."""
    seen = await prepared(run, seen, memory, (step,))
    if veto := guard.check(step, run.policy, seen.observed, run.intent, seen.known):
        raise veto.error()
    addition = PasswordChange(seen.observed.principal, home_of(seen.observed, step.home), adds=True)
    if await hold(run, addition):
        raise Undecided("what the first credential rests on is read again after a wait for a limit of Azure's")
    proof = run.policy.proof
    longest = max(proof.deadline, min(ROLE_TIME, run.policy.rotation.reclaim_after / 4))
    patient = run.policy.model_copy(update={"proof": proof.model_copy(update={"deadline": longest})})
    try:
        return await issue(replace(run, policy=patient), seen, step)
    finally:
        run.world.waive(addition)


async def _groups(run: Run) -> Observed:
    """Deploy missing groups that have a manifest; report missing groups without one.

    Return the observation made before the deployments.
    """
    observed = await run.observe()
    left = group_steps(run.policy, observed.groups, View(run.policy, observed, run.intent).current_key or TO_COME)
    for note in left.notes:
        run.tell(note)
    if left.steps:
        await _shown(run)
        await acceptance(run, observed)
    for step in left.steps:
        start(run, step)
        try:
            await _deploy(run, step)
        except RotatorError as error:
            run.tell(failure(run, kind(step), target(step), error))
            continue
        end(run, step)
    return observed


async def _readers(run: Run, observed: Observed) -> None:
    """Report readers of the secret that get a foreign value with which no sign-in succeeds.

    A role given just before has no influence on this check.
    """
    newest = View(run.policy, observed, run.intent).newest
    if newest is None or newest.ours:
        return
    tried = () if not newest.enabled else ((newest.id, await try_out(run, newest)),)
    view = View(run.policy, observed, run.intent, Known(tried=tried))
    for note in () if view.accepted(newest) else refused_readers(view, newest):
        run.tell(note)


async def _shown(run: Run) -> None:
    """Wait until Graph's reads show the credential just published: without it, no deployment starts."""
    begun, patience = run.clock.elapsed(), Patience(run, "Microsoft Graph doesn't show the new credential yet", VISIBLE)
    while run.clock.elapsed() - begun < VISIBLE:
        view = View(run.policy, await run.observe(), run.intent)
        if view.current or not view.current_version:
            return
        await patience.sleep(EVERY)


async def _deploy(run: Run, step: Deploy) -> None:
    found = await deploy_now(run, step.group, wait=False)
    if found.verdict in UNWELL:
        raise ProofFailed(
            (
                f"{step.group} was deployed with credential {found.key_id}, and its state is"
                f" {found.verdict.replace('_', ' ')}"
            ),
            state="The group exists and holds the current credential.",
            remedy="Look at the group's events and logs.",
        )
