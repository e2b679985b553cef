"""Tables for people: columns side by side where they fit, else one block of lines for each row."""

from collections.abc import Iterator, Sequence

from rotator.visible import one_line

GAP = "  "


def tabulated(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int | None = None,
    *,
    indent: str = "",
    title: str = "{}",
) -> list[list[str]]:
    """Return the lines of the headings, then those of each row; blocks have no line of headings.

    A block has the first cell of its row, within `title`, and below it a line for each other cell that isn't empty,
    with its heading.
    """
    cells = [tuple(map(one_line, row)) for row in rows]
    sizes = [max(len(row[column]) for row in (headings, *cells)) for column in range(len(headings))]
    if width is None or len(indent) + sum(sizes) + len(GAP) * (len(sizes) - 1) <= width:
        table = (_joined(row, sizes) for row in (tuple(headings), *cells))
        return [[f"{indent}{line}"] for line in table]
    return [[], *([f"{indent}{line}" for line in _block(headings, row, title)] for row in cells)]


def _joined(row: Sequence[str], sizes: Sequence[int]) -> str:
    return GAP.join(cell.ljust(size) for cell, size in zip(row, sizes, strict=True)).rstrip()


def _block(headings: Sequence[str], row: Sequence[str], title: str) -> Iterator[str]:
    first, *others = row
    room = max(map(len, headings[1:]))
    yield title.format(first)
    for heading, cell in zip(headings[1:], others, strict=True):
        if cell:
            yield f"{GAP}{heading.lower().ljust(room)}{GAP}{cell}"
