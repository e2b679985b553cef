"""Claims of the story, each checked in the emulated Azure, never in the output of rotator."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotator.demo import setup
from rotator.demo.policy import PASSWORD
from rotator.demo.scene import Stage
from rotator.demo.sight import StateShown

BEFORE = "before"
"""The moment to which the story compares."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Sentence, and a function to check the sentence."""

    text: str
    holds: Callable[[Stage], bool]


def new_key(stage: Stage) -> str:
    """Return the credential added by rotator; empty if there is none yet."""
    old = stage.made["pull"].key_id
    return next((key for key in stage.now.keys(stage.made["pull"].app_id) if key != old), "")


def everything_runs(stage: Stage) -> bool:
    """Tell if all three groups pulled their images, and the job has ended well."""
    now = stage.now
    return [now.state(name) for name in ("mycontainer", "nightly", "reports")] == [
        "Running",
        "Succeeded",
        "Running",
    ] and not now.refused


def ends_soon(stage: Stage) -> bool:
    """Tell if the hand-made password has twenty days left, less the minutes since it was made."""
    now, made = stage.now, stage.made["pull"]
    left = now.ends(made.app_id)[made.key_id] - datetime.fromisoformat(now.picture["now"])
    return timedelta(days=19, hours=12) < left <= timedelta(days=20)


def nothing_changed(stage: Stage) -> bool:
    """Tell if the emulated Azure is as before."""
    return _still(stage.remember(BEFORE)) == _still(stage.now)


def _still(sight: StateShown) -> dict[str, object]:
    return {name: value for name, value in sight.picture.items() if name != "now"}


def adopted(stage: Stage) -> bool:
    """Tell if the only change is a tag on the vault's version, naming the credential."""
    newest = stage.now.versions(PASSWORD)[-1]
    return newest["tags"] == {"rotator-adopted": stage.made["pull"].key_id} and _no_credential_is_new(stage)


def _no_credential_is_new(stage: Stage) -> bool:
    return not new_key(stage)


def both_are_valid(stage: Stage) -> bool:
    """Tell if there are two passwords, one of them new."""
    made = stage.made["pull"]
    return set(stage.now.keys(made.app_id)) == {made.key_id, new_key(stage)} and not setup.is_dead(stage, made)


def published(stage: Stage) -> bool:
    """Tell if readers of the vault get the new password."""
    return stage.now.published(PASSWORD) == new_key(stage) != ""


def moved(name: str, state: str) -> Callable[[Stage], bool]:
    """Return a claim: a group holds the new credential and has the given state."""
    return lambda stage: stage.now.holds(name) == new_key(stage) != "" and stage.now.state(name) == state


def lost_nothing(stage: Stage) -> bool:
    """Tell if the redeployed group is unchanged, hidden values included."""
    return stage.now.kept("mycontainer") == stage.remember(BEFORE).kept("mycontainer") and stage.database in str(
        stage.now.kept("mycontainer")["hidden"]
    )


def undisturbed(name: str) -> Callable[[Stage], bool]:
    """Return a claim: a group was not changed.

    The same container has been running (or has ended) since the moment of comparison.
    """
    return lambda stage: stage.now.group(name) == stage.remember(BEFORE).group(name)


def only_the_new_one(stage: Stage) -> bool:
    """Tell if the old password is removed from the principal, and its version is no longer readable."""
    versions = stage.now.versions(PASSWORD)
    enabled = [one["tags"].get("rotator-key-id") for one in versions if one["enabled"]]
    return list(stage.now.keys(stage.made["pull"].app_id)) == enabled == [new_key(stage)] and len(versions) == 2


def old_is_dead(stage: Stage) -> bool:
    """Tell if Entra refuses the first password of the story."""
    return setup.is_dead(stage, stage.made["pull"])


def pulls_again(name: str) -> Callable[[Stage], bool]:
    """Return a claim: a group survives a move to another host."""
    return lambda stage: stage.move(name) and stage.later().state(name) == "Running"


def other_is_the_same(stage: Stage) -> bool:
    """Tell if the principal outside all policies is unchanged.

    Compared: passwords, roles and running container.
    """
    app_id, before, now = stage.made["other"].app_id, stage.remember(BEFORE), stage.now
    same = (
        [one.keys(app_id) for one in (before, now)],
        [one.roles(app_id) for one in (before, now)],
        [one.group("reports") for one in (before, now)],
    )
    return all(then == after for then, after in same) and not setup.is_dead(stage, stage.made["other"])


def no_pull_was_refused(stage: Stage) -> bool:
    """Tell if every pull of the whole story was served."""
    return stage.now.refused == []


def has_no_role(stage: Stage) -> bool:
    """Tell if the principal's role is gone, and the other principal's role is not."""
    now = stage.now
    return now.roles(stage.made["pull"].app_id) == [] and now.roles(stage.made["other"].app_id) == ["AcrPull"]


def cannot_pull_again(stage: Stage) -> bool:
    """Tell if a move to another host ends in a refused pull."""
    return not stage.move("mycontainer") and "mycontainer" in stage.now.refused


def nothing_else_was_asked(stage: Stage) -> bool:
    """Tell if no client of this story asked for a host outside Azure."""
    return not stage.ask("GET", "/turned-away")["value"]


def no_secret_was_shown(stage: Stage) -> bool:
    """Tell if the output holds no password issued by the emulator, and not the database's password."""
    shown = "\n".join(stage.voice.said)
    known = [*stage.now.secrets, stage.database]
    return len(known) >= 5 and not any(one in shown for one in known)
