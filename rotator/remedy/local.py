"""Run commands for this machine: rotator itself, an editor, the lease and the clock."""

from rotator.remedy.line import Option, command
from rotator.visible import argument


def rotator(verb: str, *values: str, **options: Option) -> str:
    """Build a command line of rotator: a verb, then its values, first the policy's name."""
    return command(f"rotator {verb}", *values, **options)


def install_emulator(python: str) -> str:
    """Install rotator's packages into a Python, from a clone of the repository."""
    return command(f"{argument(_path(python))} -m pip install", "./emulator", ".[emulator]")


def edit(file: str) -> str:
    """Open a file."""
    return command("${EDITOR:-vi}", _path(file))


def make_directory(directory: str) -> str:
    """Make a directory where there is none."""
    return command("mkdir -p", _path(directory))


def make_private_directory(directory: str) -> str:
    """Make a directory of the user's own, or make one that there is private."""
    return command('sudo install -d -m 700 -o "$(id -un)"', _path(directory))


def move_aside(file: str) -> str:
    """Move a file or directory out of the way."""
    return command("sudo mv", _path(file), f"{_path(file)}.aside")


def remove_lock(file: str) -> str:
    """Remove a lock's file, or any other object in the same place."""
    return command("sudo rm -rf", _path(file))


def set_clock() -> str:
    """Set the machine's clock by the network."""
    return "sudo timedatectl set-ntp true"


def show_holder(process: int | None, lock: str) -> str:
    """Show the process holding a lock, with its start time."""
    return f"ps -o pid,etime,args -p {_holder(process, lock)}"


def kill_holder(process: int | None, lock: str) -> str:
    """End the process holding a lock."""
    return f"kill {_holder(process, lock)}"


def _path(file: str) -> str:
    """Return a file's path in a form never taken for an option."""
    return f"./{file}" if file.startswith("-") else file


def _holder(process: int | None, lock: str) -> str:
    return str(process) if process else f'"$(fuser {argument(_path(lock))} 2>/dev/null)"'
