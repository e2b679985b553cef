"""Reasons of steps."""

from rotator.codes.explained import Explained


class ReasonCode(Explained):
    """Reason of a step. The explanation names the steps, and the condition."""

    NONE = (
        "none",
        "issue",
        "no credential of ours is published yet; `provision`: the secret has no version that is enabled",
    )
    GONE = "gone", "issue", "the current credential is absent from two reads two minutes apart"
    COMPROMISED = "compromised", "issue, retire", "the credential is declared known to others"
    ENDS = (
        "ends",
        "issue",
        "the current credential ends within `renew_before`, and its moment has come: renewals are spread",
    )
    DISABLED = "disabled", "issue", "somebody disabled the version of the current credential"
    SUPERSEDED = (
        "superseded",
        "issue, retire",
        (
            "issue: a version of others lies on top of ours, and no longer blocks a rotation; retire: no group holds"
            " the credential, and the overlap is over"
        ),
    )
    FORCED = "forced", "issue", "`--force`"
    PULL_FAILED = "pull_failed", "restore", "a pull failed with the current credential after the group was redeployed"
    UNTAGGED = "untagged", "deploy", "the group doesn't say what it holds, and may hold what ends or is to be retired"
    HOLDS_GONE = "holds_gone", "deploy", "the group holds a credential that is gone"
    BEHIND = "behind", "deploy", "the group holds another credential than the current one"
    ORPHAN = "orphan", "retire", "ours, named by no version and no group for longer than `reclaim_after`"
    RETIRED = "retired", "disable", "the credential of this version is gone"
    NO_APPLICATION = "no_application", "create", "no application has the policy's `display_name`"
    NO_SERVICE_PRINCIPAL = "no_service_principal", "create", "the application has no service principal in this tenant"
    DRAFT = "draft", "save", "the policy's file has no `app_id` yet"
    NOT_OWNER = "not_owner", "own", "rotator's own identity isn't an owner of the application or service principal"
    NO_USERNAME = "no_username", "publish", "the user name's secret doesn't say the app id"
    ABSENT_GROUP = (
        "absent_group",
        "deploy",
        "`provision`: the group doesn't exist, and the policy has a manifest that makes it",
    )
    REVOKE = (
        "revoke",
        "revoke, retire, disable",
        (
            "a role assignment that the policy declares, or that a revocation recorded, is to be deleted; `revoke"
            " --credentials` also removes all passwords of ours"
        ),
    )
    GRANT = "grant", "grant", "a recorded or declared role assignment is missing"
