"""The command line: reads options and policies, builds the object graph, runs it, and writes what came of it.

Rules for whoever edits this package:

1. Nothing is decided here; a command names what `rotator.engine` does and `rotator.report` says.
2. Results go to stdout, everything else to stderr. No secret is an argument or an option.
3. ``rotator --help`` and ``rotator validate`` load no SDK: whatever imports one is imported when a command has begun
   its work.
4. Nothing is written but by `rotator.cli.say`: names and messages come from outside, and may hold what a terminal acts
   on.
5. The loop, the clock and the clients come from `rotator.cli.wiring` and from nowhere else.
"""

import os
import sys

INTERRUPTED = 130
"""What shells report of a program that SIGINT ended: 128 and the signal's number."""


def main() -> None:
    """What the ``rotator`` command runs.

    Pydantic's search of every installed distribution for plugins costs a fifth of `validate`: off.
    """
    try:
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        from rotator.cli import streams

        streams.prepare()
        from rotator.cli.app import app

        app()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted before anything was begun.\n")
        sys.exit(INTERRUPTED)
    except OSError as error:
        from rotator.cli import streams

        streams.unwritten(error, "The output")
        sys.exit(1)
