"""Lists in pages, always read to the end; a list without an end is an error."""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable
from typing import Any, TypeVar, cast

from azure.core.async_paging import AsyncItemPaged

from rotator.clients.refusal import Asked
from rotator.clients.translation import ask
from rotator.clients.typed import items
from rotator.codes import FailureCode
from rotator.errors import Unavailable, Unexpected

T = TypeVar("T")
MOST_PAGES, LONGEST_LIST = 1000, 600.0
"""Most pages and seconds of a list: Resource Manager's have a hundred items a page, Key Vault's 25."""


class Turner:
    """Check of the links from page to page. Raises Unexpected where a link leads back, or the list has no end."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._links: set[str] = set()

    def turn(self, link: object) -> str | None:
        """Return the address of the next page, None after the last page."""
        if not link:
            return None
        if not isinstance(link, str):
            raise TypeError("a link that isn't a text")
        if link in self._links or len(self._links) >= MOST_PAGES:
            happened = f"{self._asked.service} gave a list without an end when asked to {self._asked.doing}"
            raise Unexpected(happened, service=self._asked.service, code=FailureCode.ENDLESS_LIST)
        self._links.add(link)
        return link


async def ask_all(asked: Asked, pages: AsyncIterable[T]) -> list[T]:
    """Return every item of an azure-core list, with the errors of :func:`ask`.

    `pages` is an AsyncItemPaged, under any type name of its client.
    """

    async def gathered() -> list[T]:
        found, turner = list[T](), Turner(asked)
        each = cast("AsyncItemPaged[T]", pages).by_page()
        async for page in each:
            found += [item async for item in page]
            turner.turn(getattr(each, "continuation_token", None))
        return found

    return await ask(asked, in_time(asked, gathered()))


async def paged(
    asked: Asked,
    read: Callable[[str], Awaitable[dict[str, Any]]],
    address: str,
    take: Callable[[dict[str, Any]], T],
    most: int | None = None,
) -> list[T]:
    """Return the result of `take` for every item of a list in JSON, with the errors of :func:`ask`.

    `read` returns the page at an address. Raises Unexpected for a list of more than `most` pages.
    """

    async def gathered() -> list[T]:
        found, turner, pages = list[T](), Turner(asked), 0
        following: str | None = address
        while following:
            if pages == most:
                happened = f"{asked.service} has more than {most} pages when asked to {asked.doing}"
                raise Unexpected(happened, service=asked.service, code=FailureCode.LONG_LIST)
            page, pages = await read(following), pages + 1
            found += [take(each) for each in items(page)]
            following = turner.turn(page.get("nextLink"))
        return found

    return await ask(asked, in_time(asked, gathered()))


async def in_time(asked: Asked, reading: Awaitable[T]) -> T:
    """Return the list gathered by `reading`. Raises Unavailable where reading takes too long."""
    try:
        async with asyncio.timeout(LONGEST_LIST):
            return await reading
    except TimeoutError:
        happened = f"{asked.service} didn't end a list within {LONGEST_LIST:.0f} s when asked to {asked.doing}"
    raise Unavailable(happened, service=asked.service, code=FailureCode.ENDLESS_LIST)
