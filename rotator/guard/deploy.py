"""Veto a redeployment or a way back: the wrong group, the wrong credential, or a loss of values."""

from collections.abc import Collection, Iterator

from rotator import container_group
from rotator.arm_json import belongs, entries, server, takes_password
from rotator.cloud import of_vault
from rotator.codes import VetoCode
from rotator.guard import seen
from rotator.guard.links import unlinked
from rotator.guard.objection import Objection
from rotator.policy import Policy
from rotator.remedy import give_role, rotator
from rotator.resource_id import ResourceId
from rotator.rights import GROUP_CONTRIBUTOR, WRITE_GROUP
from rotator.state import Observed
from rotator.steps import Known

AT_WORK = (container_group.Phase.RUNNING, container_group.Phase.STARTING, container_group.Phase.CRASHING)
"""Phases in which a job must not be interrupted.

A crashed job is about to be started again, or the job would have finished.
"""


def deployable(
    policy: Policy, observed: Observed, known: Known, group_id: ResourceId, key_id: str
) -> Iterator[Objection]:
    """Allow a redeployment only of a dependent, only with the published credential, only without a loss."""
    dependent = seen.dependent_of(policy, observed, group_id)
    if dependent is None:
        yield (
            VetoCode.NO_DEPENDENT,
            f"{group_id} doesn't use this principal",
            "Run `rotator plan` again: the state of Azure has changed.",
        )
        return
    yield from anothers(observed, dependent)
    if dependent.follows and seen.newest(observed) is not seen.current_version(observed):
        yield (
            VetoCode.DRIFT,
            f"{dependent.name} reads the newest version of the secret, which was not written by rotator",
            f"`{rotator('adopt', policy.name)}`, or `--accept-drift`.",
        )
    if dependent.refused:
        yield (
            VetoCode.REFUSED,
            f"{dependent.name} can't be redeployed: {dependent.refused}",
            "Update it by its own means, with the secret from Key Vault.",
        )
    yield from elsewhere(policy, observed, group_id)
    yield from newer(policy, known, [group_id])
    yield from ready(policy, dependent)
    yield from unwritable(observed, known, dependent)
    yield from unlinked(observed, known, [dependent])
    yield from imageless(policy, known, dependent)
    yield from published(observed, key_id)
    if dependent.run_once and dependent.phase in AT_WORK:
        yield VetoCode.JOB_RUNNING, f"{dependent.name} is a running job", "Wait until it has finished."


def imageless(policy: Policy, known: Known, dependent: container_group.Dependent) -> Iterator[Objection]:
    """Refuse a group with an image that Azure could not pull."""
    proof, cloud = known.proof, of_vault(policy.key_vault.host)
    if proof is None:
        return
    for image in sorted(set(dependent.images) & set(proof.missing)):
        remedy = "Push it again, or deploy the group with an image that exists; until then it keeps its credential."
        if image in proof.unanswered:
            remedy = (
                "If the registry has no endpoint there any more, deploy the group anew: name"
                f" {cloud.login_server(image.partition('/')[0])} in its image and its entry. Where"
                " only rotator can't reach it, set `proof: {registry: optional}`. Until then it keeps its credential."
            )
        what = f"{proof.absence(image)}, so Azure would refuse to deploy {dependent.name}"
        yield VetoCode.NO_IMAGE, what, remedy


def elsewhere(policy: Policy, observed: Observed, group_id: ResourceId) -> Iterator[Objection]:
    """Give the password only to hosts of the registries that Azure shows for the policy.

    A label with a hash may be another owner's registry of the same name (azure-facts G10).
    """
    cloud, shown = of_vault(policy.key_vault.host), {registry.login_server for registry in observed.registries}
    document = next((each.document for each in observed.groups if each.id == group_id), None)
    mine = [each for each in entries(document) if belongs(each, policy.principal.app_id) and takes_password(each)]
    for host in sorted({server(each) for each in mine}):
        if (login := cloud.login_server(host)) not in shown:
            what = (
                f"{group_id.name} would give the password to {host}, which is not a registry of the policy:"
                f" Azure shows {', '.join(sorted(shown))}"
            )
            remedy = f"Correct the server in the group, or add the registry of {login} to the policy."
            yield VetoCode.REFUSED, what, remedy


def newer(policy: Policy, known: Known, groups: Collection[ResourceId]) -> Iterator[Objection]:
    """Refuse to lose a value that only a newer API version shows, unless the policy accepts that."""
    for group_id in sorted(groups):
        if left := container_group.unaccepted_losses(policy, known.newer, group_id):
            what = (
                f"{group_id.name} has {', '.join(left)}, which only a newer version of Container Instances shows: a"
                " redeployment by this rotator would lose it"
            )
            remedy = (
                f"Install a newer rotator, or, if it may be lost, write in {policy.file}, under this group:"
                f" `accept_loss: [{', '.join(left)}]`."
            )
            yield VetoCode.NEWER_VALUE, what, remedy


def published(observed: Observed, key_id: str) -> Iterator[Objection]:
    """Allow only the credential of our newest version, while live."""
    version = seen.current_version(observed)
    credential = next((c for c in observed.credentials if c.key_id.lower() == key_id.lower()), None)
    if not credential or not credential.live(observed.at):
        yield VetoCode.NOT_LIVE, f"credential {key_id} isn't live", "Run again; a new one is issued first."
    elif version is None or version.key_id != key_id.lower():
        yield VetoCode.NOT_CURRENT, f"credential {key_id} is not the published one", "Run again."


def anothers(observed: Observed, dependent: container_group.Dependent) -> Iterator[Objection]:
    """Refuse a group with a live credential of another policy: the group belongs to that policy.

    A credential that a version of ours names was adopted, and is ours.
    """
    live = (c for c in seen.others(observed) if c.live(observed.at))
    if held := next((c for c in live if c.key_id.lower() == dependent.key_id), None):
        remedy = "Two policies manage one container group; keep the one whose vault it should follow."
        yield (
            VetoCode.ANOTHER_LINEAGE,
            f"{dependent.name} holds credential {held.key_id} of another policy ({held.display_name})",
            remedy,
        )


def unwritable(observed: Observed, known: Known, dependent: container_group.Dependent) -> Iterator[Objection]:
    """Report a known missing right on the group itself, before Azure answers 403."""
    if dependent.id in known.groups_refused:
        what = f"rotator's identity may not redeploy {dependent.name} ({WRITE_GROUP} on {dependent.id})"
        command = give_role(observed.signed_in, GROUP_CONTRIBUTOR, dependent.id)
        yield (
            VetoCode.NOT_WRITABLE,
            what,
            (
                "Give rotator's identity this role, or a role with that action alone; Azure may need ten minutes"
                f" to apply it:\n{command}"
            ),
        )


def ready(policy: Policy, dependent: container_group.Dependent) -> Iterator[Objection]:
    """Refuse a redeployment that would lose a value, or run a job again."""
    if dependent.unsourced and not dependent.refused:
        what = (
            f"{dependent.name} has {len(dependent.unsourced)} value(s) that Azure doesn't show, and a redeployment"
            " could lose them"
        )
        yield VetoCode.HIDDEN_VALUES, what, f"{put_each(policy)}\n{dependent.lines_to_add}"
    if dependent.choice is container_group.Choice.UNDECIDED:
        what = f"{dependent.name} runs once and is {dependent.phase.value}: redeploying it would run it again"
        remedy = (
            f"Say in {policy.file}, under this group: `when_finished: wait` (or `redeploy`, `ignore`), or give its"
            " `manifest:`."
        )
        yield VetoCode.UNDECIDED, what, remedy


def put_each(policy: Policy) -> str:
    """Return the introduction of the lines to add."""
    return (
        f"Say in {policy.file} where each comes from, and put those that have a secret's name there into"
        f" {policy.key_vault.host}:"
    )


def restorable(
    policy: Policy, observed: Observed, known: Known, group_id: ResourceId, key_id: str
) -> Iterator[Objection]:
    """Allow a way back only to the group's previous credential, live and not compromised, and only without a loss."""
    yield from newer(policy, known, [group_id])
    dependent = seen.dependent_of(policy, observed, group_id)
    if dependent and dependent.follows:
        what = (
            f"Azure reads the newest version of {policy.key_vault.password_secret} for {dependent.name}, so the"
            " group can't be given an older credential"
        )
        yield VetoCode.FOLLOWS, what, "Look at the group's events; Azure keeps trying to pull."
    if dependent is None or dependent.previous != key_id.lower():
        yield (
            VetoCode.NOT_PREVIOUS,
            f"{group_id} has no rotator-previous tag with {key_id}",
            "Run `rotator plan` again: the state of Azure has changed.",
        )
    credential = next((c for c in observed.credentials if c.key_id.lower() == key_id.lower()), None)
    if credential is None or not credential.live(observed.at):
        yield (
            VetoCode.NOT_LIVE,
            f"credential {key_id} is not valid, so pulls with it would fail",
            "Look at the group's events.",
        )
    if any(key_id.lower() in v.compromised for v in observed.versions):
        yield (
            VetoCode.COMPROMISED,
            f"credential {key_id} is compromised; there is no way back to it",
            "Look at the group's events.",
        )
