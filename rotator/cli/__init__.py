"""Command line: read options and policies, build the object graph, run the command, write the result.

Rules for editors of this package:

1. No decision is made here; a command calls `rotator.engine` and writes the text of `rotator.report`.
2. Results go to stdout, all other output to stderr. No secret is an argument or an option.
3. ``rotator --help`` and ``rotator validate`` load no SDK: modules importing an SDK are imported after a command has
   begun to work.
4. All output goes through `rotator.cli.output`: names and messages come from outside, and may hold control characters
   for a terminal.
5. The loop, the clock and the clients come only from `rotator.cli.wiring`.
"""

import gc
import os
import sys

SELDOM = (100_000, 20, 20)
"""Thresholds of the collector: what is imported, and an SDK's answer, are thousands of objects without a cycle. To look
for one takes a tenth of the time of `validate`, and a fortieth of a rotation's.
"""
INTERRUPTED = 130
"""Exit code that shells report for a program ended by SIGINT: 128 and the signal's number."""


def main() -> None:
    """Run the ``rotator`` command.

    Pydantic's search of every installed distribution for plugins costs a fifth of `validate`; turn the search off.
    """
    try:
        gc.set_threshold(*SELDOM)
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        from rotator.cli import streams

        streams.prepare()
        from rotator.cli.app import command_line

        command_line(sys.argv[1:])()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted before anything was begun.\n")
        sys.exit(INTERRUPTED)
    except OSError as error:
        from rotator.cli import streams

        streams.unwritten(error, "The output")
        sys.exit(1)
