"""Names of policies on a command line: the name itself, the file's path, or the last part of one policy's name."""

from collections.abc import Collection, Sequence
from pathlib import Path, PurePath

from rotator.policy.listing import SUFFIXES


def named(asked: str, known: Collection[str], directory: Path) -> Sequence[str]:
    """Return the names of the policies that `asked` may mean: none, one, or those to choose from."""
    if asked in known:
        return (asked,)
    bare = str(PurePath(asked).with_suffix("")) if asked.lower().endswith(SUFFIXES) else asked
    for name in (bare, _below(bare, directory)):
        if name in known:
            return (name,)
    return sorted(name for name in known if name.rpartition("/")[2] == bare)


def _below(path: str, directory: Path) -> str:
    """Return a path as a name in the directory; empty if it leads elsewhere."""
    try:
        return (Path(path).parent.resolve() / PurePath(path).name).relative_to(directory.resolve()).as_posix()
    except ValueError:
        return ""
