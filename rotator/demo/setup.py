"""What people did by hand before rotator came, and what the story tries by hand afterwards: each time as somebody who signs in anew.

The SDKs are imported here when they are needed: they read the proxy and the authority to trust from the environment.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from rotator.demo.policy import DATABASE, PASSWORD, USERNAME
from rotator.demo.scene import Stage

if TYPE_CHECKING:
    from rotator.demo.documented import Made


def principals(stage: Stage) -> None:
    """Two principals that may pull from the registry; the first one's name and password go into the vault."""
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
    """A job that has nothing to do, so that nobody has to wait for it."""
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
    """A container group that always runs, a job, and one of the other principal."""
    from rotator.demo.documented import Admin, Wanted

    pull, other = stage.made["pull"], stage.made["other"]
    wanted = (
        Wanted("mycontainer", "aci-helloworld:v1", pull, variable=("DB_PASSWORD", stage.database)),
        Wanted("nightly", "nightly:v1", pull, restart_policy="Never"),
        Wanted("reports", "aci-helloworld:latest", other),
    )
    with stage.as_admin():
        Admin(stage.seeded).create(wanted)


def is_dead(stage: Stage, made: "Made") -> bool:
    """Whether Entra refuses the password."""
    from rotator.demo.documented import dead

    with stage.as_admin():
        return dead(made, stage.seeded.tenant)


def new_container_is_refused(stage: Stage) -> bool:
    """Whether Azure refuses a new container group with the password that the vault has now."""
    from rotator.demo.documented import Admin, Made, Wanted

    with stage.as_admin():
        admin = Admin(stage.seeded)
        current = Made(stage.made["pull"].app_id, "", admin.read(PASSWORD))
        return not is_dead(stage, current) and admin.refused(Wanted("fresh", "aci-helloworld:v1", current))
