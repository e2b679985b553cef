"""Files that a verb writes: completely or not at all."""

from pathlib import Path


def created(file: Path, text: str) -> None:
    """Create a file with a text; leave no file if the write fails. Raises OSError, also if there is a file already."""
    with file.open("x", encoding="utf-8") as opened:
        try:
            opened.write(text)
            opened.flush()
        except OSError:
            file.unlink(missing_ok=True)
            raise
