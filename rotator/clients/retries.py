"""The one retry policy of all requests to Azure.

Rules for editors of this file:

1. A request with an effect at each repetition is sent once: POST, the PUT of a container group, the PUT of a secret.
2. Waits go through `ports.Clock`, and the time limit of retries is measured by the same clock, waits and requests
   alike: no other time is read.
3. ``Retry-After`` is obeyed; a longer wait than the remaining time ends the retries at once.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import tenacity
from azure.core.exceptions import AzureError as SdkError
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy
from httpx import TransportError

from rotator.clients.azuretime import AzureTime
from rotator.clients.budgets import TOO_MANY
from rotator.clients.pausing import retry_after
from rotator.clients.translation import TRANSIENT, hopeless, never_sent, proxy_failure
from rotator.clients.waits import SOON
from rotator.clients.wire import Limit

T = TypeVar("T")

PATIENCE, CONNECT_PATIENCE = 300.0, 60.0
"""Time limit of retries in seconds: for an answer, and for a connection."""
LONGEST_WAIT, SHORTEST_WAIT = 30.0, 1.0
"""Bounds in seconds of a wait without ``Retry-After``; a wait asked for by Azure has only the lower one."""
DOWN = (500, 502, 503, 504)
"""Statuses of a service that doesn't work at all, unlike those of one that is busy or refuses."""

Note = Callable[[object], None]
"""Callback for the outcome of each try: a response or an exception."""


def _ignore(outcome: object) -> None:
    del outcome


class Retry(AsyncHTTPPolicy[Any, Any]):
    """Retry policy of every azure-core client; each client needs its own, because a policy holds its successor.

    `once` sends non-idempotent requests once; a token endpoint is retried, although by POST.
    """

    def __init__(
        self, limit: Limit, time: AzureTime, *, patience: float = PATIENCE, once: bool = True, note: Note | None = None
    ) -> None:
        super().__init__()
        self._limit, self._time, self._patience = limit, time, patience
        self._once, self._note = once, note or _ignore

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send `request`, with retries where safe and useful.

        A client's retry options for azure-core's own policy end here: the session refuses unknown options.
        """
        for option in [name for name in request.context.options if name.startswith("retry_")]:
            del request.context.options[option]
        where = host(request.http_request.url)
        if self._once and not idempotent(request.http_request):
            return await self._try(request, where)
        return await repeated(self._limit, partial(self._try, request, where), self._patience, where=where)

    async def _try(self, request: PipelineRequest[Any], where: str) -> PipelineResponse[Any, Any]:
        try:
            response = await self.next.send(request)
        except SdkError as error:
            self._note(error)
            raise
        self._time.hear(response.http_response.headers, where)
        self._note(response.http_response)
        return response


def host(url: str) -> str:
    """Return the host name of an address, in lower case."""
    return (urlsplit(url).hostname or "").lower()


def idempotent(request: Any) -> bool:
    """Tell if sending `request` twice has the same effect as sending `request` once.

    A secret's PUT creates a version each time; a container group's PUT restarts the group. The PUT of a role assignment
    names the assignment to create, and that of a lease the lease to take, renew or release.
    """
    return request.method in ("GET", "HEAD", "DELETE", "PATCH") or (
        request.method == "PUT" and any(part in request.url.lower() for part in ("/roleassignments/", "?comp=lease"))
    )


async def repeated(
    limit: Limit,
    attempt: Callable[[], Awaitable[T]],
    patience: float = PATIENCE,
    also: Callable[[Any], bool] | None = None,
    *,
    where: str,
) -> T:
    """Return the last outcome of `attempt`, an answer or an exception, repeated by the one retry policy.

    `also` selects further answers to repeat after; of a silent host `where`, nothing is repeated. The policy is built
    only after an outcome that asks for it: few do.
    """
    begun = limit.clock.elapsed()
    with limit.waits.repeating(min(begun + patience, limit.until)):
        return await _repeated(limit, attempt, patience, also, begun, where)


async def _repeated(
    limit: Limit,
    attempt: Callable[[], Awaitable[T]],
    patience: float,
    also: Callable[[Any], bool] | None,
    begun: float,
    where: str,
) -> T:
    known = [first := await _outcome(attempt)]
    if _heard(*first):
        limit.silence.hear(where)

    async def again() -> T:
        answer, failure = known.pop() if known else (await attempt(), None)
        if failure:
            raise failure
        return answer

    if not _worth_repeating(*first, also) or where in limit.silence:
        return await again()
    repeatedly: T = await _retrying(limit, patience, also, begun, where)(again)
    return repeatedly


async def _outcome(attempt: Callable[[], Awaitable[T]]) -> tuple[Any, Exception | None]:
    """Return the answer, or the failure."""
    try:
        return await attempt(), None
    except Exception as error:  # noqa: BLE001 - raised later
        return None, error


def _retrying(
    limit: Limit, patience: float, also: Callable[[Any], bool] | None, begun: float, where: str
) -> tenacity.AsyncRetrying:
    clock = limit.clock

    def over(state: tenacity.RetryCallState) -> bool:
        then = clock.elapsed() + state.upcoming_sleep
        return then - begun > min(patience, _patience(state)) or then > limit.until or where in limit.silence

    def worth(state: tenacity.RetryCallState) -> bool:
        if _heard(*_outcome_of(state)):
            limit.silence.hear(where)
        return _worth_repeating(*_outcome_of(state), also)

    def outcome(state: tenacity.RetryCallState) -> object:
        if not _heard(*_outcome_of(state)):
            limit.silence.miss(where)
        return state.outcome.result() if state.outcome else None

    def waiting(state: tenacity.RetryCallState) -> None:
        if clock.elapsed() + state.upcoming_sleep - begun >= SOON:
            until = min(begun + min(patience, _patience(state)), limit.until)
            limit.waits.note(where, _happened(state), begun, until)

    return tenacity.AsyncRetrying(
        sleep=clock.sleep, stop=over, retry=worth, wait=_wait, before_sleep=waiting, retry_error_callback=outcome
    )


def _happened(state: tenacity.RetryCallState) -> str:
    """Return the reason for another try."""
    answer, failure = _outcome_of(state)
    if failure:
        return proxy_failure(failure) or ("no connection" if never_sent(failure) else "no answer")
    status = _response(answer).status_code
    return "Azure's limit on requests is reached" if status == TOO_MANY else f"it answers {status}"


def _heard(answer: Any, failure: BaseException | None) -> bool:
    """Tell if the host answered, if only that it is busy."""
    if failure is None:
        return _response(answer).status_code not in DOWN
    return isinstance(failure, HttpResponseError)


def _worth_repeating(answer: Any, failure: BaseException | None, also: Callable[[Any], bool] | None) -> bool:
    if failure is None:
        response = _response(answer)
        return response.status_code in TRANSIENT or bool(also and also(response))
    return (
        isinstance(failure, SdkError | TransportError)
        and not isinstance(failure, HttpResponseError)
        and not hopeless(failure)
    )


def _patience(state: tenacity.RetryCallState) -> float:
    _, failure = _outcome_of(state)
    return CONNECT_PATIENCE if failure and never_sent(failure) else PATIENCE


def _wait(state: tenacity.RetryCallState) -> float:
    answer, failure = _outcome_of(state)
    asked = None if failure else retry_after(_response(answer).headers)
    if asked is not None:
        return max(asked, SHORTEST_WAIT)
    return min(SHORTEST_WAIT * 2.0 ** (state.attempt_number - 1), LONGEST_WAIT)


def _outcome_of(state: tenacity.RetryCallState) -> tuple[Any, BaseException | None]:
    """Return the answer or the failure of the last attempt."""
    if state.outcome is None:
        return None, None
    failure = state.outcome.exception()
    return (None, failure) if failure else (state.outcome.result(), None)


def _response(answer: Any) -> Any:
    return getattr(answer, "http_response", answer)
