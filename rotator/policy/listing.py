"""List the files of a directory of policies, with those of its subdirectories, and the name of each.

Links to directories aren't followed, and what begins with a dot isn't looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rotator.errors import Mistake, PolicyError
from rotator.policy.inheritance import DEFAULTS
from rotator.policy.located import plain

SUFFIXES = (".yaml", ".yml")
NAMED = "Name the directory of the policies with --policies"
DEEPEST = 16
"""Levels of subdirectories that are looked into."""


@dataclass(frozen=True, slots=True)
class PolicyPath:
    """File that may be a policy; or, with a mistake, a directory that can't be listed.

    `name` is the path below the directory of policies, without suffix; `shown` is the path for people.
    """

    file: Path
    name: str
    shown: str
    below: bool
    """True for a file in a subdirectory."""
    printable: bool = True
    """True if all characters of the path can be printed."""
    mistake: Mistake | None = None


def listed(directory: Path, *, required: bool) -> list[PolicyPath]:
    """Return the files, sorted. Raises PolicyError if the directory itself can't be listed.

    Unless `required`, a missing directory has no file.
    """
    try:
        entries = sorted(directory.iterdir())
    except FileNotFoundError:
        if not required:
            return []
        raise unusable(
            directory, "no such directory", f"{NAMED}; `rotator discover --write` drafts policies."
        ) from None
    except NotADirectoryError:
        raise unusable(directory, "no such directory", f"{NAMED}.") from None
    except (OSError, ValueError) as error:
        raise unusable(
            directory, _why(error), "Make the directory readable, or name another with --policies."
        ) from None
    return list(_walked(directory, entries, 0))


def _walked(root: Path, entries: list[Path], depth: int) -> Iterator[PolicyPath]:
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.suffix.lower() in SUFFIXES:
            if entry.name != DEFAULTS:
                yield _found(entry, root, below=depth > 0)
        elif depth < DEEPEST and entry.is_dir() and not entry.is_symlink():
            try:
                inside = sorted(entry.iterdir())
            except OSError as error:
                yield _found(entry, root, below=True, problem=_why(error))
            else:
                yield from _walked(root, inside, depth + 1)


def _found(file: Path, root: Path, *, below: bool, problem: str = "") -> PolicyPath:
    relative = file.relative_to(root)
    shown = str(root / plain(str(relative), 300))
    name = plain((relative if problem else relative.with_suffix("")).as_posix(), 300)
    remedy = "Make the directory readable: rotator can't see the policies in it."
    mistake = Mistake(shown, 1, 1, "", "", problem, remedy) if problem else None
    return PolicyPath(file, name, shown, below, str(relative).isprintable(), mistake)


def _why(error: Exception) -> str:
    return f"can't be read: {getattr(error, 'strerror', None) or 'not a possible file name'}"


def unusable(directory: Path, problem: str, remedy: str) -> PolicyError:
    """Return the error of a directory without usable policies."""
    return PolicyError((Mistake(plain(str(directory), 1000), 1, 1, "", "", problem, remedy),))
