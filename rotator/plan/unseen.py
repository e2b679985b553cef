"""Rules about unseen objects: they are reported, since an unreadable object is neither absent nor empty.

None of the rules asks for a step.
"""

from collections.abc import Iterator

from rotator import container_group
from rotator.codes import NoteCode, WaitCode
from rotator.plan.view import View
from rotator.policy import UnseenSubscriptions
from rotator.remedy import (
    create_service_principal,
    enable_application,
    enable_service_principal,
    recover_secret,
    rotator,
)
from rotator.steps import Finding, Note, Wait

MOST_NAMED = 5
"""Most groups named by one note."""


def unlisted(view: View) -> Iterator[Finding]:
    """Report a subscription that can't be listed: groups with the principal may be there.

    A credential kept for this reason has its own wait.
    """
    if view.policy.discover.unseen is UnseenSubscriptions.ACCEPT or view.superseded:
        return
    for unseen in view.observed.unseen:
        text = (
            f"subscription {unseen.subscription} can't be searched for container groups that use this principal"
            f" ({unseen.why})"
        )
        more = (
            "undeclared groups there are unknown. Let rotator list them, or accept that with `discover: {unseen:"
            " accept}`"
        )
        yield Wait(WaitCode.UNSEEN, unseen.subscription, f"{text}: {more}")


def deleted(view: View) -> Iterator[Finding]:
    """Report a published secret that is deleted and can be recovered: its versions may name any credential of ours."""
    if view.observed.secret_deleted:
        vault = view.policy.key_vault
        text = (
            f"secret {vault.password_secret} of {vault.host} is deleted and can be recovered: its readers get no"
            " password, no other can be published, and no credential is removed that it may hold."
            f" `{recover_secret(vault.name, vault.password_secret)}` recovers it; purge it if nothing reads it"
        )
        yield Wait(WaitCode.SECRET_DELETED, vault.password_secret, text, warn=True)


def missing(view: View) -> Iterator[Finding]:
    """Report a declared group that isn't in Azure: such a group holds and blocks no credential.

    Without a manifest to make the group, its name in the policy may be wrong.
    """
    for identifier, name in view.missing:
        text = (
            f"container group {name} is in the policy and not in Azure ({identifier}); it holds no credential and"
            " blocks no step"
        )
        yield Note(
            NoteCode.MISSING,
            identifier,
            f"{text}. If it should exist, correct its id or deploy it; else remove it from the policy",
        )


def unshown(view: View) -> Iterator[Finding]:
    """Report a principal without a service principal: all sign-ins fail, and passwords there are unseen."""
    principal = view.observed.principal
    if principal.service_principal is None:
        text = (
            f"Microsoft Graph shows no service principal of {principal.app_id} here: without one every"
            " sign-in as it is refused, and every pull fails"
        )
        made = f"`{create_service_principal(principal.app_id)}`, then `{rotator('grant', view.policy.name)}`"
        doctor = rotator("doctor", view.policy.name)
        back = f"If it was deleted, `{doctor}` has the command that restores it, for 30 days"
        yield Note(
            NoteCode.NO_SERVICE_PRINCIPAL,
            principal.app_id,
            f"{text}; its passwords there aren't seen. {back}; if there never was one: {made}",
            warn=True,
        )


def disabled(view: View) -> Iterator[Finding]:
    """Report a principal whose sign-ins are all refused: no rotation changes that, and every pull fails."""
    principal = view.observed.principal
    if principal.service_principal is None or principal.enabled:
        return
    if principal.deactivated:
        text = f"application {principal.app_id} is deactivated (isDisabled), so it gets no token in any tenant"
        mend = enable_application(principal.app_id)
    else:
        text = f"service principal {principal.app_id} is disabled (accountEnabled): every sign-in as it is refused"
        mend = enable_service_principal(principal.app_id)
    yield Note(
        NoteCode.DISABLED, principal.app_id, f"{text}, and every pull fails. If it is to pull: `{mend}`", warn=True
    )


def hiding(view: View) -> Iterator[Finding]:
    """Report container groups elsewhere with a hidden variable that may be a password about to be removed.

    The removal doesn't wait for these groups; the note names them.
    """
    hidden = [each for each in view.observed.hiding if each not in view.policy.answered]
    if not hidden or not view.superseded:
        return
    names = ", ".join(each.name for each in hidden[:MOST_NAMED])
    more = f" and {len(hidden) - MOST_NAMED} more" if len(hidden) > MOST_NAMED else ""
    text = (
        f"{names}{more} {('hide' if len(hidden) > 1 else 'hides')} a variable that is named like a principal's"
        " password, and its owner is unknown"
    )
    away = (
        "a removal doesn't wait for that. If it is this principal's, declare the group with `{credential: password}`"
        " under its `secrets:`"
    )
    yield Note(NoteCode.HIDING, view.policy.name, f"{text}; {away}")


def unchecked(view: View) -> Iterator[Finding]:
    """Report preconditions of steps not shown by Azure beforehand: the step isn't stopped, and its result will tell."""
    if view.observed.secret_deleted is None:
        name = view.policy.key_vault.password_secret
        text = "Key Vault does not let rotator read deleted secrets"
        yield Note(NoteCode.UNCHECKED, name, f"it is unknown if secret {name} is deleted and recoverable: {text}")
    for question, why in view.known.unanswered:
        yield Note(
            NoteCode.UNCHECKED,
            question,
            f"Azure did not answer before the step: {question} ({why}). The result of the step shows it",
        )


def newer(view: View) -> Iterator[Finding]:
    """Report values that Azure added to every group in a newer API version: a redeployment stops for none of them."""
    common = [each for each in view.known.newer if each.common]
    for path in sorted({each.path for each in common}):
        groups = ", ".join(each.group.name for each in common if each.path == path)
        text = (
            f"a newer API version of Container Instances shows {path} with the same value on every group. rotator does"
            f" not send it when it redeploys {groups}"
        )
        yield Note(NoteCode.NEWER_VALUE, path, text)


def would_lose(view: View) -> Iterator[Finding]:
    """Report groups whose next redeployment is refused, because only a newer API version shows a value of theirs."""
    refused = {what for _, what in view.known.refused}
    for group in sorted({each.group for each in view.known.newer} - refused):
        if paths := container_group.unaccepted_losses(view.policy, view.known.newer, group):
            text = (
                f"{group.name} has {', '.join(paths)}, which only a newer API version of Container Instances shows: its"
                " next redeployment is refused, because it would lose that. Install a newer rotator, or, if it may be"
                f" lost, write in {view.policy.file}, under this group: `accept_loss: [{', '.join(paths)}]`"
            )
            yield Note(NoteCode.WOULD_LOSE, group, text)
