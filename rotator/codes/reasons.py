"""Reasons of steps."""

from rotator.codes.explained import Explained


class ReasonCode(Explained):
    """Reason of a step. The explanation names the steps, and the condition."""

    NONE = (
        "none",
        "issue",
        "rotator has written no version of the secret, so no current credential exists. `provision`: the secret has"
        " no enabled"
        " version.",
    )
    GONE = "gone", "issue", "The current credential is absent from two reads of Graph, two minutes apart."
    COMPROMISED = "compromised", "issue, retire", "The credential is declared compromised (`rotate --compromised`)."
    ENDS = (
        "ends",
        "issue",
        "The current credential ends within `renew_before`, and the policy's moment in that time has come. The moments"
        " differ from policy to policy, to spread the load.",
    )
    DISABLED = "disabled", "issue", "The secret's version with the current credential was disabled by others."
    SUPERSEDED = (
        "superseded",
        "issue, retire",
        "issue: others wrote a version on top of the one that rotator wrote, and that version no longer blocks a"
        " rotation."
        " retire: no container group holds the old credential, and the overlap is over.",
    )
    FORCED = "forced", "issue", "`--force` was given."
    PULL_FAILED = (
        "pull_failed",
        "restore",
        "A pull with the current credential failed after the container group was redeployed, so the group gets its"
        " previous credential back.",
    )
    UNTAGGED = (
        "untagged",
        "deploy",
        "The container group has no `rotator-key-id` tag, so its credential is unknown. It may be a credential that"
        " ends or waits for removal.",
    )
    HOLDS_GONE = (
        "holds_gone",
        "deploy",
        "The `rotator-key-id` tag of the container group names a credential that no longer exists; or the group has no"
        " such tag, and was last deployed before any credential that is left was added.",
    )
    BEHIND = "behind", "deploy", "The container group holds a credential other than the current one."
    ORPHAN = (
        "orphan",
        "retire",
        "rotator added the credential, and for longer than `reclaim_after` no version of the secret and no container"
        " group names it.",
    )
    RETIRED = "retired", "disable", "The credential of this version of the secret no longer exists."
    NO_APPLICATION = "no_application", "create", "No application has the `display_name` of the policy."
    NO_SERVICE_PRINCIPAL = "no_service_principal", "create", "The application has no service principal in this tenant."
    DRAFT = "draft", "save", "The policy file has no `app_id` yet."
    NOT_OWNER = (
        "not_owner",
        "own",
        "rotator's own identity is not an owner of the application or of the service principal.",
    )
    NO_USERNAME = "no_username", "publish", "The value of the user name's secret is not the app id."
    ABSENT_GROUP = (
        "absent_group",
        "deploy",
        "`provision`: the container group does not exist, and the policy has a manifest that creates it.",
    )
    REVOKE = (
        "revoke",
        "revoke, retire, disable",
        "revoke: a role assignment is declared by the policy, or recorded by an earlier revocation, and is to be"
        " deleted. retire, disable: `revoke --credentials` removes all passwords of this policy and disables their"
        " versions.",
    )
    GRANT = "grant", "grant", "A role assignment that the policy declares, or that a revocation recorded, is missing."
