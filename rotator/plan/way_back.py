"""Put groups back on their previous credential after a failed pull. See the package's docstring before an edit."""

from collections.abc import Iterator

from rotator.codes import ReasonCode, WaitCode
from rotator.container_group import Choice, Dependent, Verdict
from rotator.plan.view import View
from rotator.plan.ways_out import deployed
from rotator.steps import Finding, Reason, Restore, Step, Wait


def restore(view: View) -> Iterator[Finding]:
    """Put a group back on its previous credential, on new evidence of a failed pull with the current one."""
    for dependent in view.dependents:
        if (
            view.behind(dependent)
            or not view.current_key
            or dependent.verdict is not Verdict.PULL_FAILED
            or not view.movable(dependent)
        ):
            continue
        if dependent.choice is Choice.WAIT:
            text = f"{dependent.name} couldn't pull with credential {view.current_key}, and is {dependent.phase.value}"
            text = (
                f"{text}: a redeployment with the previous credential would start it, or end its job, so rotator"
                " waits for its next start"
            )
            yield Wait(WaitCode.NEXT_RUN, dependent.id, text, warn=True, remedy=deployed(view, dependent))
            continue
        yield _way_back(view, dependent, view.current_key)


def _way_back(view: View, dependent: Dependent, failed: str) -> Step | Wait:
    previous, version = dependent.previous, view.returnable(dependent.previous)
    if dependent.follows or version is None:
        text = (
            f"{dependent.name} can't pull with credential {failed}, and there is no way back:"
            f" {_no_way_back(view, dependent)}"
        )
        return Wait(WaitCode.FORWARD_ONLY, dependent.id, text, warn=True)
    count = dependent.failed.count + 1 if dependent.failed and dependent.failed.key_id == failed else 1
    reason = Reason(
        ReasonCode.PULL_FAILED,
        f"a pull with credential {failed} failed after {dependent.name} was redeployed; back to {previous}",
    )
    return Restore(dependent.id, previous or "", version.id, failed, count, reason)


def _no_way_back(view: View, dependent: Dependent) -> str:
    if dependent.follows:
        return f"Azure reads the newest version of {view.policy.key_vault.password_secret} for it"
    if not dependent.previous:
        return "it has no rotator-previous tag, so its earlier credential is unknown"
    if dependent.previous in view.compromised:
        return f"credential {dependent.previous} is compromised"
    return f"credential {dependent.previous} is gone, or no enabled version holds it"
