"""Manual work of people before rotator, and manual trials of the story afterwards, each with a new sign-in.

The SDKs are imported here at their first use: an SDK reads the proxy and the trusted authority from the environment.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from rotator.demo.policy import DATABASE, PASSWORD, USERNAME
from rotator.demo.scene import Stage

if TYPE_CHECKING:
    from rotator.demo.documented import Made


def principals(stage: Stage) -> None:
    """Make two principals with the right to pull; put the first one's name and password into the vault."""
    from rotator.demo.documented import Admin

    with stage.as_admin():
        admin, now = Admin(stage.seeded), datetime.fromisoformat(stage.now.picture["now"])
        stage.made = {
            "pull": admin.principal("mycontainerregistry-pull", now),
            "other": admin.principal("reports-pull", now),
        }
        for name, value in (
            (USERNAME, stage.made["pull"].app_id),
            (PASSWORD, stage.made["pull"].password),
            (DATABASE, stage.database),
        ):
            admin.secret(name, value)


def job_image(stage: Stage) -> None:
    """Add an image for the job; the job ends at once, so the story needn't wait."""
    image = {
        "registry": stage.seeded.login_server,
        "repository": "nightly",
        "tag": "v1",
        "exit_code": 0,
        "run_seconds": 0,
        "logs": "42 rows copied\n",
    }
    stage.ask("POST", "/images", image)


def groups(stage: Stage) -> None:
    """Create a container group always running, a job, and a group of the other principal."""
    from rotator.demo.documented import Admin, GroupToCreate

    pull, other = stage.made["pull"], stage.made["other"]
    wanted = (
        GroupToCreate("mycontainer", "aci-helloworld:v1", pull, variable=("DB_PASSWORD", stage.database)),
        GroupToCreate("nightly", "nightly:v1", pull, restart_policy="Never"),
        GroupToCreate("reports", "aci-helloworld:latest", other),
    )
    with stage.as_admin():
        Admin(stage.seeded).create(wanted)


def is_dead(stage: Stage, made: "Made") -> bool:
    """Tell if Entra refuses the password."""
    from rotator.demo.documented import dead

    with stage.as_admin():
        return dead(made, stage.seeded.tenant)


def new_container_is_refused(stage: Stage) -> bool:
    """Tell if Azure refuses a new container group with the password now in the vault."""
    from rotator.demo.documented import Admin, GroupToCreate, Made

    with stage.as_admin():
        admin = Admin(stage.seeded)
        current = Made(stage.made["pull"].app_id, "", admin.read(PASSWORD))
        return not is_dead(stage, current) and admin.refused(GroupToCreate("fresh", "aci-helloworld:v1", current))
