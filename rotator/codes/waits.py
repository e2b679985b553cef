"""Codes of waits."""

from rotator.codes.explained import Explained


class WaitCode(Explained):
    """Code of a wait. The explanation names what the wait is for, and what a person has to do."""

    ABSENT = (
        "absent",
        "Graph to show the current credential again; reads may lag. Exit 1 where a run ends before it knows",
        "nothing; give the run more than two minutes",
    )
    UNRESOLVED = (
        "unresolved",
        (
            "one of three credentials that nothing names to be reclaimed, before another is added; where there is no"
            " current one, or late: exit 1"
        ),
        "nothing; or see what loses the answers of Graph",
    )
    UNNAMED = (
        "unnamed",
        "a second reading that nothing names an old add of ours, where there is no current credential",
        "nothing",
    )
    MAY_BE_PUBLISHED = (
        "may_be_published",
        (
            "a person: the password of an old add, or of a superseded credential that readers get, may be the value of"
            " a version that doesn't say whose it is; where there is no current credential, or late: exit 1"
        ),
        "see what that version holds; adopt, or disable it",
    )
    UNREAD_TAGS = (
        "unread_tags",
        "permission to read a group that may hold an old add, where there is no current credential; always exit 1",
        "give it",
    )
    VERSIONS_LAG = (
        "versions_lag",
        "Key Vault's list of versions to show the newest one; nothing is removed meanwhile",
        "nothing",
    )
    LINGERING = (
        "lingering",
        "Entra to refuse the password of a compromised credential that was removed; the run tries it again",
        "nothing",
    )
    NOT_RENEWED = (
        "not_renewed",
        (
            "a person: the current credential is gone or ends within `warn_before`, and its replacement was refused or"
            " has failed; always exit 1"
        ),
        "what the refusal or failure says",
    )
    NOT_MOVED = (
        "not_moved",
        "a person: a group's redeployment was refused or has failed, and what it holds is late; always exit 1",
        "what the refusal or failure says",
    )
    ON_TOP = (
        "on_top",
        (
            "ours to go on top of somebody's version, until an older credential of ours is removed: a third one isn't"
            " made before"
        ),
        "nothing, or `rotate --no-overlap`",
    )
    SETTLING = "settling", "a redeployed group to start", "nothing"
    NOT_SETTLED = "not_settled", "the same, for longer than `settle`; always exit 1", "look at the group's events"
    TRANSITIONING = (
        "transitioning",
        "the group, which Azure is changing at the moment; late: exit 1",
        "nothing, unless late",
    )
    CANARY = (
        "canary",
        "the first redeployed group to come up, for at most a day, and to run for half a minute; late: exit 1",
        "nothing, unless late",
    )
    HALTED = (
        "halted",
        (
            "a group that fares worse, for at most a day, or one that failed fewer than three times, to succeed; the"
            " first always, the second late: exit 1"
        ),
        "look at that group; `--retry` goes on",
    )
    BACKING_OFF = (
        "backing_off",
        (
            "the time after a failed pull: five hours, then two days, then a week, or half of what is left to the"
            " credential that it holds; always exit 1"
        ),
        "look at the group's events, mend the cause; `rotate --retry` tries at once",
    )
    FORWARD_ONLY = (
        "forward_only",
        "a person: a pull failed, and there is no credential to go back to; always exit 1",
        "look at the group's events and the registry",
    )
    STRUGGLING = (
        "struggling",
        "a group that can't pull with the new credential; keeps the old one alive; always exit 1",
        "look at the group's events",
    )
    WINDOW = (
        "window",
        "the deploy window; not in the last week of what the group holds, and not if that is compromised",
        "nothing",
    )
    JOB_RUNNING = "job_running", "the end of a job; late: exit 1", "nothing, unless late"
    NEXT_RUN = (
        "next_run",
        "the group's next `rotator deploy`, or its next start; late, or if its pull had failed: exit 1",
        "deploy it, or start it",
    )
    UNTAGGED = (
        "untagged",
        "a group that doesn't say what it holds, while nothing has to be retired",
        "nothing, or `rotator deploy`",
    )
    STRIPPED = (
        "stripped",
        "a person: something removes rotator's tags from the group; always exit 1",
        "find it, then `--retry`",
    )
    UNREADABLE = (
        "unreadable",
        "permission to read the group, or an answer with the form of a container group; late: exit 1",
        "give it; see what stands between rotator and Azure",
    )
    DRIFTED = (
        "drifted",
        "a group that refers to the newest version of the secret, which isn't ours now; late: exit 1",
        "`rotator adopt`, or `--accept-drift`",
    )
    NOT_WRITABLE = "not_writable", "permission to write the group; late: exit 1", "give it"
    REFUSED = "refused", "a group that rotator must not redeploy; late: exit 1", "update it by its own means"
    UNDECLARED = (
        "undeclared",
        "a group that uses the principal and isn't in the policy; late: exit 1",
        "add it, or `discover: {redeploy: true}`",
    )
    HELD = (
        "held",
        "an old credential's last holders; late: exit 1, and if it is compromised `still_open` tells them",
        "see why they haven't moved",
    )
    UNSAID = (
        "unsaid",
        (
            "who says whose a hidden variable is, which may hold an old credential (a compromised one doesn't wait;"
            " late: exit 1): of a group that the policy declares, or that pulls as the principal or shows its app id,"
            " in a container that shows no other client id"
        ),
        "under the group's `secrets:`, `{credential: password}` or `{key_vault: NAME}`",
    )
    UNSEEN = (
        "unseen",
        (
            "permission to list a subscription: an old credential waits for it (late: exit 1; a compromised one"
            " doesn't), or nobody knows who else uses the principal"
        ),
        "give it, or `discover: {unseen: accept}`",
    )
    OVERLAP = (
        "overlap",
        (
            "the end of the overlap, which counts from the last group that moved and runs on; a job's runs don't begin"
            " it anew"
        ),
        "nothing",
    )
    RECLAIM = "reclaim", "an add whose answer was lost to be old enough for removal", "nothing"
