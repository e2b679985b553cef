"""State before and after, side by side: credential, version and group."""

from collections.abc import Callable

from rotator.demo.claims import BEFORE
from rotator.demo.policy import PASSWORD
from rotator.demo.scene import Stage
from rotator.demo.sight import StateShown


def show(stage: Stage) -> None:
    """Print a comparison of the remembered state and the present one."""
    before, now = stage.remember(BEFORE), stage.now
    rows = [(title, cell(stage, before), cell(stage, now)) for title, cell in ROWS.items()]
    stage.voice.say()
    stage.voice.table([("", "before", "after"), *rows])


def _credentials(who: str, stage: Stage, sight: StateShown) -> str:
    return ", ".join(f"{key[:8]} until {end}" for key, end in sight.keys(stage.made[who].app_id).items())


def _versions(stage: Stage, sight: StateShown) -> str:
    return ", ".join(
        f"{one['version'][:8]} {'enabled' if one['enabled'] else 'disabled'}" for one in sight.versions(PASSWORD)
    )


def _group(name: str, who: str, stage: Stage, sight: StateShown) -> str:
    return f"{(sight.holds(name) or stage.made[who].key_id)[:8]}, {sight.state(name)}"


ROWS: dict[str, Callable[[Stage, StateShown], str]] = {
    "passwords of mycontainerregistry-pull": lambda stage, sight: _credentials("pull", stage, sight),
    "versions in the vault": _versions,
    "mycontainer pulls with": lambda stage, sight: _group("mycontainer", "pull", stage, sight),
    "nightly pulls with": lambda stage, sight: _group("nightly", "pull", stage, sight),
    "passwords of reports-pull": lambda stage, sight: _credentials("other", stage, sight),
    "reports pulls with": lambda stage, sight: _group("reports", "other", stage, sight),
}
"""Compared values, each with its text; key ids and versions by their first eight characters."""
