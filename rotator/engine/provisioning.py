"""Provision: make all prerequisites of a policy step by step, each after a lookup.

So any run can finish the work of any other run. `rotator.engine.identity` makes the application and its owners; here
follow roles, the first credential and missing container groups.
"""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from rotator import guard
from rotator.container_group import Verdict
from rotator.engine.access import assign, declared, end, own, start
from rotator.engine.evidence import PATIENCE, acceptance
from rotator.engine.exposed import finish
from rotator.engine.identity import EVERY, VISIBLE, Wanted, ensure_identity, sought, until_visible
from rotator.engine.issuance import issue
from rotator.engine.job import deploy_now
from rotator.engine.limits import hold, home_of, later, outlast
from rotator.engine.memory import Memory
from rotator.engine.preparation import prepared
from rotator.engine.run import DECISIONS, PAUSE, Patience, Run, Seen, Undecided, ensure_granted, failure
from rotator.engine.trial import try_out
from rotator.errors import NotSent, ProofFailed, RotatorError, Throttled
from rotator.events import UsernamePublished
from rotator.plan import Missing, View, chosen, first_steps, grant_steps, group_steps, identity_steps, refused_readers
from rotator.policy import Draft
from rotator.ports import PasswordChange
from rotator.remedy import rotator
from rotator.results import Result
from rotator.state import Home, Observed
from rotator.steps import TO_COME, Deploy, Issue, Known, Publish, kind, target

ROLE_TIME = timedelta(seconds=PATIENCE + 300)
"""Longest time of the first proof: a new role takes effect after up to ten minutes (azure-facts F4)."""
UNWELL = (Verdict.PULL_FAILED, Verdict.WORSE)


async def provision(run: Run, wanted: Wanted) -> Result:
    """Make missing objects; existing objects are left unchanged.

    `run` is of `wanted.known()`. No error of Azure or rotator is raised.
    """

    async def act() -> str:
        try:
            await _made(run, wanted)
        except Throttled as error:
            again = rotator("provision", run.policy.name)
            raise later(run, "what is still missing can be made", again, error) from None
        return "" if run.score.done or run.score.exit_code else "nothing was missing"

    return await finish(run, "provision", act)


async def _made(run: Run, wanted: Wanted) -> None:
    policy, homes = await outlast(run, partial(ensure_identity, run, wanted))
    settled = replace(run, policy=policy)
    await ensure_granted(settled)
    await outlast(run, partial(_assigned, settled, homes))
    await outlast(run, partial(_first, settled, homes))
    await _readers(settled, await _groups(settled))


async def _assigned(run: Run, homes: frozenset[Home]) -> None:
    """Give the declared roles."""
    seen = await until_visible(run, homes, Memory())
    await assign(run, seen.observed)


async def outline(run: Run, wanted: Wanted) -> Missing:
    """Return the steps that :func:`provision` would take now; read only. Values from earlier steps are placeholders."""
    identity = chosen(wanted.policy, await sought(run, wanted.policy))
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


async def _first(run: Run, homes: frozenset[Home]) -> None:
    """The first credential, by the ordinary Issue, and the user name."""
    memory = Memory()
    for left in reversed(range(DECISIONS)):
        seen = await until_visible(run, homes, memory)
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
    """Issue the first credential, with more time for its proof: a new role counts late. Raises UnsafeStep on a veto."""
    seen = await prepared(run, seen, memory, (step,))
    if veto := guard.check(step, run.policy, seen.observed, run.intent, seen.known):
        raise veto.error()
    addition = PasswordChange(seen.observed.principal, home_of(seen.observed, step.home), adds=True)
    if await hold(run, addition):
        raise Undecided(
            "after the wait for Azure's limit, everything that the first credential depends on is read again"
        )
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
    left = group_steps(run.policy, observed.groups, TO_COME)
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
    """Report that readers of the secret get a value of others with which no sign-in succeeds.

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
