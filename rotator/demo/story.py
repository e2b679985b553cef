"""Story as data: chapters with acts, reasons and claims.

Rules for editors: the reader has never heard of rotator, and reads the story once, from top to bottom; every claim is
about Azure, can be wrong, and is checked there; the whole story takes less than 90 seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from rotator.demo import claims, policy, setup
from rotator.demo.claims import Claim
from rotator.demo.scene import Stage
from rotator.remedy import CREATE_GROUP


@dataclass(frozen=True, slots=True)
class Command:
    """Command line of rotator, expected to succeed."""

    arguments: tuple[str, ...]

    def __call__(self, stage: Stage) -> None:
        """Run the command."""
        code = stage.rotator(*self.arguments)
        if code:
            stage.voice.claim(f"exit code 0 (it was {code})", held=False)


@dataclass(frozen=True, slots=True)
class Pause:
    """Span of time to pass in the emulated Azure."""

    span: timedelta

    def __call__(self, stage: Stage) -> None:
        """Let the time pass."""
        stage.let_pass(self.span)


@dataclass(frozen=True, slots=True)
class Chapter:
    """Step of the story. `acts` are done in order, then every claim is checked."""

    title: str
    why: str
    acts: tuple[Callable[[Stage], object], ...]
    claims: tuple[Claim, ...]


def rotator(line: str) -> Command:
    """Return a command from a typed command line."""
    return Command(tuple(line.split()))


STORY = (
    Chapter(
        "What the documentation sets up",
        "A local Azure has been started on this machine, over HTTPS and under Azure's own host names. (Long ids are cut"
        " to their\nfirst eight digits here.) With Microsoft's SDKs an administrator makes what the ACI documentation"
        " makes with az:\na service principal that may pull from the registry, its name and password in a key vault, a"
        " container group that\nalways runs, and a nightly job. A second principal (reports-pull) uses the same"
        " registry; rotator must not touch it.",
        (setup.principals, setup.job_image, Stage.later, setup.groups, Stage.later),
        (
            Claim(
                "mycontainer and reports run, the nightly job has run: all could pull their images",
                claims.everything_runs,
            ),
        ),
    ),
    Chapter(
        "Eleven months later",
        "The password was made for a year, and no timer renews it. When it ends, nothing happens at first:"
        " running\ncontainers run on. But the next pull fails, and that is when the job starts at night, or Azure moves"
        " the group.",
        (Pause(timedelta(days=345)), lambda stage: stage.remember(claims.BEFORE)),
        (Claim("the password ends in 20 days", claims.ends_soon),),
    ),
    Chapter(
        "A policy says what is wanted, and plan shows what that means",
        "One file for one principal. It holds no secret, only names: Azure never shows DB_PASSWORD again, so the policy"
        " says\nwhere it comes from. From here on everything is done by the real command line, signed in as an operator"
        " who may do\nonly what SECURITY.md asks for.",
        (policy.write, rotator("plan")),
        (Claim("plan changed nothing", claims.nothing_changed),),
    ),
    Chapter(
        "Adopt the password that a person made",
        "rotator removes only what is its own. This hands the old password over, so that it may be removed in the end.",
        (rotator("adopt mycontainerregistry"),),
        (Claim("the only change is a tag on the secret's version, naming the credential", claims.adopted),),
    ),
    Chapter(
        "Rotate",
        "A new password is added, proven against Entra and the registry, published in the vault, and only then given to"
        " the\ngroup. The old one stays valid, because the job still relies on it: it is that is between two runs.",
        (rotator("rotate"),),
        (
            Claim("there are two passwords now, and the old one still works", claims.both_are_valid),
            Claim("readers of the vault get the new one", claims.published),
            Claim("mycontainer runs with the new one", claims.moved("mycontainer", "Running")),
            Claim("nothing else of mycontainer changed, the hidden DB_PASSWORD included", claims.lost_nothing),
            Claim("the nightly job was left in peace", claims.undisturbed("nightly")),
        ),
    ),
    Chapter(
        "The nightly job takes the new password by itself",
        f"Its script calls `rotator deploy` where it called `{CREATE_GROUP}`; the exit code is that of the job,\n"
        "and the last line below is what the job printed.",
        (rotator("deploy mycontainerregistry nightly --wait --logs"),),
        (Claim("the job ran to its end with the new password", claims.moved("nightly", "Succeeded")),),
    ),
    Chapter(
        "A day later: retire the old password",
        "Nothing holds it any more and the overlap is over, so the same command, run by a timer, now removes it.",
        (Pause(timedelta(hours=25)), rotator("rotate"), Stage.later),
        (
            Claim("one password is left, and the old version of the secret is disabled", claims.only_the_new_one),
            Claim("Entra refuses the old password", claims.old_is_dead),
            Claim(
                "reports-pull is untouched: its password, its role, its container, which never restarted",
                claims.other_is_the_same,
            ),
            Claim(
                "Azure moves mycontainer to another host: it pulls its image again and runs",
                claims.pulls_again("mycontainer"),
            ),
            Claim(
                "Azure moves reports, too: it pulls with the password that it always had", claims.pulls_again("reports")
            ),
            Claim("not one pull has been refused since the beginning", claims.no_pull_was_refused),
        ),
    ),
    Chapter(
        "Revoke",
        "When the principal must not pull any more: its role is taken away, and rotator waits until it has seen a pull"
        " refused.",
        (rotator("revoke mycontainerregistry --yes"),),
        (
            Claim("its role on the registry is gone, that of reports-pull is not", claims.has_no_role),
            Claim("Azure moves mycontainer: the pull is refused", claims.cannot_pull_again),
            Claim(
                "a new container with the same valid password is refused: InaccessibleImage",
                setup.new_container_is_refused,
            ),
            Claim("reports still pulls", claims.pulls_again("reports")),
        ),
    ),
    Chapter(
        "And all the while",
        "",
        (),
        (
            Claim("no password is in anything that was printed here", claims.no_secret_was_shown),
            Claim(
                "no program asked for any host but Azure's, and those are all on this machine",
                claims.nothing_else_was_asked,
            ),
        ),
    ),
)

TABLE_AFTER = "A day later: retire the old password"
"""The chapter after which the table stands."""
