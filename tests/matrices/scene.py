"""World of the doors: each kind of object that rotator reads or writes, before and after its last change."""

from dataclasses import replace
from datetime import timedelta

from local_azure.graph.objects import Policy
from local_azure.graph.policies import CUSTOM
from local_azure.timing import PROMPT
from local_azure.virtual import VirtualLoop

from tests.snapshot import kept
from tests.stage import SECRET, SERVER, Stage, stage

BARE, LATELY, GROUP = "bare", "lately", "11111111-2222-3333-4444-555555555555"
"""Names of an application without a service principal and of one that rotator has owned for a moment, and the id of a
group that the principal is in.
"""
TIMING = replace(PROMPT, role_active=30.0)


@kept
async def earlier(loop: VirtualLoop) -> Stage:
    """Return a world at rest: a password on each home, a role of the principal and one by a group, a token, a policy, a
    deleted mark.
    """
    made = stage(loop, groups=("app",), timing=TIMING)
    made.with_policy(proof={"times": 1, "over": "0s", "deadline": "5m"})
    azure, directory, seeded = made.azure, made.azure.directory, made.seeded
    end = azure.clock.now() + timedelta(days=300)
    directory.add_password(made.principal, display_name="another", end=end)
    for permission in ("Application.ReadWrite.All", "Policy.Read.All", "GroupMember.Read.All"):
        directory.grant(seeded.operator.app_id, permission)
    directory.create_application(BARE)
    owned = directory.create_application("unowned")
    directory.create_service_principal(owned.app_id)
    short = [{"restrictionType": "passwordLifetime", "maxLifetime": "P200D", "state": "enabled"}]
    default = {"isEnabled": True, "servicePrincipalRestrictions": {"passwordCredentials": short}}
    directory.state.tenant_policy.update(default)
    directory.create_service_principal(directory.create_application(LATELY).app_id)
    directory.join(GROUP, made.principal.id, "readers")
    azure.authorization.assign(
        f"/subscriptions/{seeded.subscription}", GROUP, "Reader", at_once=True, principal_type="Group"
    )
    azure.resources.access.put_token(seeded.registry_id, "mine", f"{seeded.registry_id}/scopeMaps/_repositories_pull")
    _limit(made, "first")
    azure.registries.push(SERVER, "talker", "v1", logs="hello")
    azure.container_groups.put(
        made.group_id("talker"), made.body(made.app_id, made.by_hand.secret, "talker:v1"), "2025-09-01"
    )
    made.application.federated.append(
        {"id": "f1", "name": "f1", "issuer": "https://issuer.example", "subject": "a", "audiences": ["x"]}
    )
    azure.vaults.set("myvault", made.policy.access_secret, "[]", tags={"rotator-access": "revoked"})
    azure.vaults.delete("myvault", made.policy.access_secret)
    made.pass_(hours=2)
    return made


@kept
async def world(loop: VirtualLoop) -> Stage:
    """Return the world of `earlier`, a moment after a change of every readable object."""
    made = await earlier(loop)
    azure, directory = made.azure, made.azure.directory
    end = azure.clock.now() + timedelta(days=200)
    for home in (made.application, made.principal):
        directory.add_password(home, display_name="new", end=end)
    azure.vaults.set("myvault", SECRET, "another value")
    azure.authorization.assign(made.seeded.registry_id, made.principal.id, "AcrPush")
    directory.create_service_principal(directory.create_application("newcomer").app_id)
    lately = next(each for each in directory.state.applications.values() if each.display_name == LATELY)
    for object_id in (lately.id, directory.records.id_of("servicePrincipals", lately.app_id)):
        directory.add_owner(object_id, made.seeded.operator.object_id)
    directory.records.remember(made.application)
    made.application.federated.append(
        {"id": "f2", "name": "f2", "issuer": "https://issuer.example", "subject": "b", "audiences": ["x"]}
    )
    directory.create_application("unowned")
    for name in ("app", "talker", "bystander"):
        azure.container_groups.patch_tags(made.group_id(name), {"owner": "somebody else"})
    return made


def _limit(made: Stage, name: str) -> None:
    lifetime = {"restrictionType": "passwordLifetime", "maxLifetime": "P300D", "state": "enabled"}
    content = {"displayName": name, "isEnabled": True, "restrictions": {"passwordCredentials": [lifetime]}}
    policy = Policy(made.azure.directory.ids.guid(), {**CUSTOM, **content})
    made.azure.directory.state.policies[policy.id] = policy
    made.application.policies.append(policy.id)
