"""Lets ``python -m rotator`` be the ``rotator`` command, where the script is not on PATH."""

from rotator.cli import main

if __name__ == "__main__":
    main()
