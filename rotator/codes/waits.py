"""Codes of waits."""

from rotator.codes.explained import Explained


class WaitCode(Explained):
    """Code of a wait. The explanation names what the wait is for, and what a person has to do."""

    ABSENT = (
        "absent",
        "Graph does not show the current credential. Graph's reads may lag, so rotator reads again after two minutes"
        " before it calls the credential gone. Exit 1 if the run ends before the second read.",
        "nothing; give the run more than two minutes",
    )
    UNRESOLVED = (
        "unresolved",
        "Three credentials of rotator are named by no version and no container group, because the answers to their"
        " adds were lost. No other credential is added before one of them is removed, `reclaim_after` its creation."
        " Exit 1 if late, or without a current credential.",
        "nothing; if it happens again, find out why answers of Graph are lost",
    )
    UNNAMED = (
        "unnamed",
        "No version and no container group names an old credential of rotator, and there is no current credential."
        " rotator reads again before it removes the old credential.",
        "nothing",
    )
    MAY_BE_PUBLISHED = (
        "may_be_published",
        "An old credential is due for removal, but a version of the secret without a `rotator-key-id` tag may have its"
        " password as value. Readers of the secret may use it, so it stays. Exit 1 if late, or without a current"
        " credential.",
        "look at that version: adopt its credential, or disable the version",
    )
    UNREAD_TAGS = (
        "unread_tags",
        "rotator may not read a container group that may hold an old credential, and there is no current credential."
        " So the old credential stays. Exit 1.",
        "let rotator read the group",
    )
    SECRET_DELETED = (
        "secret_deleted",
        "The published secret is deleted and can be recovered. Its readers get no password. Its versions can't be read,"
        " so no credential is removed that they may name. Exit 1.",
        "recover the secret, or purge it",
    )
    VERSIONS_LAG = (
        "versions_lag",
        "Key Vault's list of versions lacks the newest version, so other versions may be missing, too. Until the list"
        " is complete nothing is removed, a credential is added only where one is needed, and it is unknown if a"
        " compromised one still works. Exit 1 if that lasts two minutes.",
        "run again",
    )
    LINGERING = (
        "lingering",
        "A compromised credential was removed, and Entra still accepts its password. The run tries the password again"
        " until Entra refuses it.",
        "nothing",
    )
    NOT_RENEWED = (
        "not_renewed",
        "The current credential is gone or ends within `warn_before`, and its replacement was refused or has failed."
        " Exit 1.",
        "do what the refusal or the failure says",
    )
    NOT_MOVED = (
        "not_moved",
        "The credential of a container group is gone or ends within `warn_before`, and the redeployment of the group"
        " was refused or has failed. Exit 1.",
        "do what the refusal or the failure says",
    )
    ON_TOP = (
        "on_top",
        "Others wrote a version on top of the one that rotator wrote, and two credentials of rotator are live. A"
        " third one"
        " is not added, so the new version waits until the older credential is removed.",
        "nothing, or `rotate --no-overlap`",
    )
    SETTLING = "settling", "A container group was redeployed and is starting.", "nothing"
    NOT_SETTLED = (
        "not_settled",
        "A container group was redeployed and has not started within `settle`. Exit 1.",
        "look at the events of the group",
    )
    TRANSITIONING = (
        "transitioning",
        "Azure, another tool or a person is changing the container group at the moment. Exit 1 if late.",
        "nothing; if late, look at the events of the group",
    )
    CANARY = (
        "canary",
        "The first redeployed container group must start and run for half a minute before the others follow. They wait"
        " for at most a day. Exit 1 if late.",
        "nothing; if late, look at the events of the first group",
    )
    HALTED = (
        "halted",
        "A container group runs worse with the current credential (the others wait for at most a day; exit 1), or its"
        " pull has failed once or twice (the others wait until it succeeds; exit 1 if late).",
        "look at that group; `rotate --retry` goes on with the others",
    )
    BACKING_OFF = (
        "backing_off",
        "A pull of a container group failed with the current credential, and the group is back on its previous"
        " credential. It is redeployed again after five hours, then after two days, then after a week; earlier if its"
        " credential ends soon. Exit 1.",
        "find the cause in the events of the group and fix it; `rotate --retry` tries at once",
    )
    FORWARD_ONLY = (
        "forward_only",
        "A pull of a container group failed with the current credential, and there is no previous credential to go"
        " back to. Exit 1.",
        "look at the events of the group, and at the registry",
    )
    STRUGGLING = (
        "struggling",
        "A container group can't pull with the new credential. So the old credential stays. Exit 1.",
        "look at the events of the group",
    )
    WINDOW = (
        "window",
        "The deploy window of the policy is closed, so the container group is redeployed later. In the last week of"
        " its credential, or if that is compromised, rotator does not wait for the window.",
        "nothing",
    )
    LIMITED = (
        "limited",
        "One of Azure's limits on requests is reached, for example on redeployments in a subscription, and it lasts"
        " beyond the time of the run. A later run does the step. Exit 1 if late;"
        " `deploy` and `provision` always exit 1.",
        "nothing; if late, run with more `--max-duration`, or ask Azure's support for a higher limit",
    )
    JOB_RUNNING = (
        "job_running",
        "The container group is a running job, and rotator never interrupts a job. Exit 1 if late.",
        "nothing; if late, do what the message says",
    )
    NEXT_RUN = (
        "next_run",
        "The container group is stopped, or is a job that has ended. It gets the current credential with its next"
        " `rotator deploy`, or after its next start. Exit 1 if late, or if its pull had failed.",
        "run `rotator deploy`, or start the group",
    )
    UNTAGGED = (
        "untagged",
        "The container group has no `rotator-key-id` tag, so its credential is unknown. No old credential is waiting"
        " for removal, so the group is not restarted now.",
        "nothing, or `rotator deploy`",
    )
    STRIPPED = (
        "stripped",
        "The tags of rotator disappeared from the container group right after a redeployment. The group is not"
        " redeployed again. Exit 1.",
        "find out what removes tags (an Azure Policy, a pipeline), then `rotate --retry`",
    )
    UNREADABLE = (
        "unreadable",
        "rotator may not read the container group, or the answer is not that of a container group. Exit 1 if late.",
        "let rotator read the group; for a strange answer, look at the proxies between rotator and Azure",
    )
    DRIFTED = (
        "drifted",
        "The container group reads the newest version of the secret, and that version was not written by rotator. Exit"
        " 1 if late.",
        "`rotator adopt`, or `rotate --accept-drift`",
    )
    NOT_WRITABLE = (
        "not_writable",
        "rotator may not write the container group. Exit 1 if late.",
        "give rotator the right to write the group",
    )
    REFUSED = (
        "refused",
        "The container group is of a kind that rotator must not redeploy. Exit 1 if late.",
        "update the group by its own means",
    )
    UNDECLARED = (
        "undeclared",
        "A container group uses the principal and is not in the policy. Exit 1 if late.",
        "add the group to the policy, or write `discover: {redeploy: true}`",
    )
    HELD = (
        "held",
        "A container group still holds, or may hold, an old credential. So the old credential stays. Exit 1 if late;"
        " for a compromised credential see the note `still_open`.",
        "find out why the group has not taken the current credential",
    )
    UNSAID = (
        "unsaid",
        "A variable or a secret volume may hold an old credential: its value is hidden, or its name and the app id"
        " beside it suggest so. The policy does not say whose password it is, so the old credential stays, except if it"
        " is compromised. This concerns container groups of the policy, and groups that pull as the principal or show"
        " its app id, in a container without another client id."
        " Exit 1 if late.",
        "write `{credential: password}` or `{key_vault: NAME}` under the group's `secrets:`",
    )
    SHOWN = (
        "shown",
        "A command, a probe or a variable of a container group shows, in plain sight or in base64, an Entra password"
        " that begins with the hint of an old credential. rotator changes no such text, so the old credential stays,"
        " except if it is compromised. This concerns every container group that rotator may list, also those of no"
        " policy. Exit 1 if late.",
        "put the password into a secure variable with `{credential: password}`, and deploy the group",
    )
    UNSEEN = (
        "unseen",
        "rotator may not list the container groups of a subscription, so groups there that use the principal are"
        " unknown. An old credential stays because of it, except if it is compromised. Exit 1 if late.",
        "let rotator list the subscription, or write `discover: {unseen: accept}`",
    )
    OVERLAP = (
        "overlap",
        "The old credential stays valid for `overlap` after the last container group took the current credential. Runs"
        " of a job do not prolong that time.",
        "nothing",
    )
    RECLAIM = (
        "reclaim",
        "rotator added a credential and got no answer, and no version and no container group names the credential. It"
        " is removed `reclaim_after` its creation.",
        "nothing",
    )
