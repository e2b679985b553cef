"""Files that policies name as manifests, and where they are; nothing is read here."""

from pathlib import Path as File
from typing import Any

from rotator.policy.located import Located


def named(document: Located) -> dict[int, Any]:
    """Return what each container group of a policy names as its manifest, by the group's index."""
    groups = document.at(("container_groups",))
    listed = enumerate(groups) if isinstance(groups, list) else ()
    return {
        index: group["manifest"]
        for index, group in listed
        if isinstance(group, dict) and group.get("manifest") is not None
    }


def places(document: Located) -> set[File | None]:
    """Return the files that a policy names as manifests or parameters, whatever links lead to them."""
    listed = [each.values() if isinstance(each, dict) else [each] for each in named(document).values()]
    return {place(beside(document, str(name))) for names in listed for name in names}


def beside(document: Located, name: str) -> File:
    """Return the file that a policy means by a name."""
    return File(document.file).parent / name


def place(file: File) -> File | None:
    """The file itself, whatever links lead to it; None where there is no file."""
    try:
        return file.resolve() if is_file(file) else None
    except (OSError, RuntimeError):
        return None


def is_file(file: File) -> bool:
    """Tell if the file exists; False for an impossible file name.

    A file without permission to look at counts as existing, so that reading the file reports the reason.
    """
    try:
        return file.is_file()
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
