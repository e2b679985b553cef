"""World that answers one call of one function from the run's memory: a mutant without a fresh read.

A site is a function of the engine with a read that it asks for. The sites are those that stories reach with a
remembered answer, so that a new read is a new mutant.
"""

import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from local_azure.inprocess import Hop

from rotator.policy import Policy
from rotator.ports import AccessRecord, World
from rotator.state import Access, Home, Observed, Secret
from tests.stage import Adapter, Clock, Stage

READS = frozenset(
    {
        "access",
        "assignments",
        "credentials",
        "group",
        "observe",
        "observe_again",
        "permissions",
        "prove",
        "pull",
        "registries",
        "registry_access",
        "rights",
        "secret",
        "sign_ins",
        "standing",
        "value",
        "version",
        "versions",
    }
)
"""Methods of `ports.World` that read what others can change."""
Asked = tuple[object, ...]


@dataclass(frozen=True, order=True)
class Site:
    """Function, as `tests.mutation.mark` names it, with a read that it asks for."""

    function: str
    read: str

    def __str__(self) -> str:
        file, _, name = self.function.rpartition("/rotator/")[2].partition(".py:")
        return f"{file.replace('/', '.')}.{name}: `{self.read}` not asked again"


@dataclass
class Remembering:
    """World of one process; `site` is answered from memory. `met`: the sites with a remembered answer."""

    world: Any
    site: Site | None
    met: set[Site]
    _known: dict[Asked, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self.world, name)
        if name not in READS:
            return asked

        def call(*args: Any, **how: Any) -> Any:
            return self._answer(Site(_caller(sys._getframe(1)), name), asked, args, how)

        return call

    async def _answer(self, site: Site, asked: Callable[..., Any], args: Sequence[Any], how: dict[str, Any]) -> Any:
        key = (site.read, *_plain(args))
        if key in self._known:
            self.met.add(site)
            if site == self.site:
                return self._known[key]
        answer = await asked(*args, **how)
        self._known[key] = answer
        self._known |= dict(_parts(site.read, answer))
        if key[0] == "credentials" and len(key) > 1:
            others = (each for each in self._known.get(("credentials",), ()) if each.home is not key[1])
            self._known["credentials",] = (*others, *answer)
        return answer


def _parts(read: str, answer: Any) -> Iterator[tuple[Asked, Any]]:
    """Yield the answers to other questions that are part of an answer."""
    if read == "versions":
        yield from ((("version", version.id), version) for version in answer)
    if read in ("observe", "observe_again"):
        yield from _observed(answer if read == "observe" else answer[1])


def _observed(seen: Observed) -> Iterator[tuple[Asked, Any]]:
    yield ("credentials",), seen.credentials
    for home in Home:
        yield ("credentials", home), tuple(each for each in seen.credentials if each.home is home)
    yield ("versions",), seen.versions
    yield ("registries",), seen.registries
    yield from ((("version", version.id), version) for version in seen.versions)
    yield from ((("group", group.id), group) for group in seen.groups)
    if seen.access is not Access.REVOKED:
        yield ("access",), AccessRecord(seen.access, seen.access_since or seen.at)


def _plain(args: Sequence[Any]) -> Iterator[object]:
    """Yield the arguments of a read other than the policy: each process has only one."""
    for each in args:
        if isinstance(each, Policy) or each is None:
            continue
        yield each.reveal() if isinstance(each, Secret) else tuple(each) if isinstance(each, list) else each


def _caller(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_code.co_qualname.partition('.<locals>')[0]}"


def remembering(adapter: Adapter, site: Site | None, met: set[Site]) -> Adapter:
    """Return the adapter with a memory for each of its processes."""

    @asynccontextmanager
    async def connected(made: Stage, hop: Hop, clock: Clock) -> AsyncIterator[World]:
        async with adapter(made, hop, clock) as world:
            yield Remembering(world, site, met)

    return connected
