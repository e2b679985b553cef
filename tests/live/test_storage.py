"""Tests of leases and messages of Azure Storage: the bridge's claims against Azurite, intact and with each answer
broken in turn.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import httpx
import pytest

from live.claims import Outcome
from live.facts import storage
from tests.azurite import ACCOUNT, Azurite, running, token
from tests.live.bridge import Local
from tests.live.broken import noticed, play

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("azurite")]


@dataclass
class Forwarding:
    """Answers of Azurite in place of the emulator's; each world has a separate container and queue."""

    azurite: Azurite
    world: int
    local: Local | None = None

    def __call__(self, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if any(role in request.content.decode() for role in storage.ROLES):
            return httpx.Response(201, json={}, request=request)
        service = re.search(r"\.(blob|queue)\.core\.windows\.net$", request.url.host)
        return self._sent(request, service[1]) if service else answer

    def _sent(self, request: httpx.Request, service: str) -> httpx.Response:
        assert self.local
        first, _, rest = request.url.path.lstrip("/").partition("/")
        url = f"https://{ACCOUNT}.{service}.core.windows.net/{first}-{self.world}"
        query = request.url.query.decode()
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        headers |= {"authorization": f"Bearer {token()}"}
        came = self.azurite.session(self.local.clock.now).request(
            request.method,
            f"{url}{'/' if rest else ''}{rest}{'?' if query else ''}{query}",
            headers=headers,
            data=request.content or None,
        )
        found = came.answered()
        kept = {name: value for name, value in found.headers.items() if name.lower() != "content-length"}
        return httpx.Response(found.status, headers=kept, content=found.body, request=request)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Forwarding]]:
    numbers = count()
    with running(tmp_path_factory.mktemp("azurite")) as found:
        yield lambda: Forwarding(found, next(numbers))


def test_leases_and_messages_are_as_the_fact_says_and_each_claim_notices_a_breakage(
    worlds: Callable[[], Forwarding],
) -> None:
    claims = [claim for claim in play("I", None, worlds()).found.claims if claim.outcome != Outcome.NOT_SEEN]
    assert len(claims) > 10
    assert {claim.outcome for claim in claims} == {Outcome.HOLDS}
    assert [claim.words for number, claim in enumerate(claims) if not noticed("I", number, worlds)] == []
