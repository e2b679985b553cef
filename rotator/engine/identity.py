"""Identity of a policy: application, service principal and owners, found or made.

The app id goes into the policy's file before any other object depends on it. The application is made under a key of the
policy's own (`key`), by which Graph prevents a second application: a run that dies between the two finds the first one
again.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from rotator.cloud import of_vault
from rotator.codes import FailureCode, NoteCode
from rotator.engine.access import end, start
from rotator.engine.memory import Memory
from rotator.engine.observation import look
from rotator.engine.run import Patience, Run, Seen
from rotator.errors import Forbidden, NotFound, Unavailable, UnsafeStep
from rotator.events import AppIdSaved, IdentityCreated, Noted, OwnerAdded
from rotator.plan import chosen, identity_steps
from rotator.policy import NOBODY, Draft, Policy
from rotator.remedy import add_application_owner, add_service_principal_owner
from rotator.state import Home, Identity, Observed
from rotator.steps import Create, Own, Save

VISIBLE, EVERY = 120.0, 5.0
"""Longest wait until Graph shows a new principal, and pause between two reads, in seconds.

Graph's reads lag its writes (azure-facts C4).
"""


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


async def sought(run: Run, wanted: Policy | Draft) -> tuple[Identity, ...]:
    """Return the applications that the policy may mean; of a draft all of its display name. Raises NotFound."""
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


async def ensure_identity(run: Run, wanted: Wanted) -> tuple[Policy, frozenset[Home]]:
    """Return the policy, once there are an application, its app id in the file, and a service principal.

    Also return the homes in this tenant: application, service principal, or both.
    """
    identity = chosen(wanted.policy, await sought(run, wanted.policy))
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


async def until_visible(run: Run, homes: frozenset[Home], memory: Memory) -> Seen:
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
