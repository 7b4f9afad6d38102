"""Asks models and retries while waiting is short; says every call that was made. Judges no answer, keeps nothing.

A wait belongs to the request that earned it: one 429 delays its own request and nobody else's. What would take
longer than ``failure.LONGEST_WAIT`` is raised as ``Unavailable``, so that the worker can defer the unit and use the
slot for another.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Protocol, Self

from shared.clock import monotonic
from shared.errors import Unavailable
from shared.failpoints import failpoint
from shared.llm.failure import ModelError, deferral, wait_before_retry
from shared.llm.model import Answered, CallRecord, ModelAnswer, ModelRequest, Provider
from shared.telemetry import traces
from shared.telemetry.metrics import CALL_SECONDS, CALLS, CALLS_IN_FLIGHT, TOKENS


class Closable(Protocol):
    async def close(self) -> None: ...


def _always() -> None:
    """Let every call start."""


def _nameless(_: int) -> str | None:
    """Tell the server no name of a call."""
    return None


def _unheard(_: CallRecord) -> None:
    """Leave the records to the one who reads ``Answered.calls``."""


class ModelClient:
    """Providers by name, and the connections that they share.

    ``jitter`` yields numbers in [0, 1); ``pause`` waits for seconds.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        *,
        jitter: Callable[[], float],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        connections: Closable | None = None,
    ) -> None:
        self._providers = dict(providers)
        self._jitter = jitter
        self._pause = pause
        self._connections = connections

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        if self._connections is not None:
            await self._connections.close()

    async def call(
        self,
        provider: str,
        request: ModelRequest,
        *,
        first: int = 0,
        before_each: Callable[[], None] = _always,
        report: Callable[[CallRecord], None] = _unheard,
        name: Callable[[int], str | None] = _nameless,
    ) -> Answered:
        """Ask ``provider`` until it answers or asking on makes no sense.

        ``before_each`` is asked before every single call and refuses by raising. ``report`` hears every call as it
        ends, numbered from ``first``, also those of a request that fails or is cancelled. ``name`` says by its number
        what the server is told that a call is named. Raises ``ModelError``
        where the failure is the unit's outcome, ``Unavailable`` where the unit is worth another attempt later.
        """
        asked, model = self._provider(provider), f"{provider}/{request.model}"
        calls: list[CallRecord] = []
        waited = 0.0
        while True:
            before_each()
            CALLS_IN_FLIGHT.add(model)
            try:
                with traces.Span(f"chat {request.model}", "client") as span:
                    told = partial(_told, model, span, report)
                    number = first + len(calls)
                    named = replace(request, call=name(number))
                    answer = await self._once(asked, named, number, calls, told)
            except ModelError as error:
                wait = wait_before_retry(error, len(calls), waited, self._jitter())
                if wait is None:
                    raise _final(error, model) from error
            else:
                return Answered(answer, tuple(calls))
            finally:
                CALLS_IN_FLIGHT.add(model, by=-1)
            waited += wait
            await self._pause(wait)

    def read(self, provider: str, request: ModelRequest, raw: str) -> ModelAnswer:
        """An answer that ``provider`` gave before, from what was kept of it. Calls nobody. Raise ``ModelError``."""
        return self._provider(provider).read(request, raw)

    def _provider(self, name: str) -> Provider:
        try:
            return self._providers[name]
        except KeyError:
            known = ", ".join(sorted(self._providers)) or "none"
            raise ModelError(
                "unknown_provider",
                f"No provider {name} is configured in this service (configured: {known}).",
            ) from None

    @staticmethod
    async def _once(
        provider: Provider,
        request: ModelRequest,
        number: int,
        calls: list[CallRecord],
        report: Callable[[CallRecord], None],
    ) -> ModelAnswer:
        """Make one call, and put it on record however it ends."""
        began = monotonic()

        def settle(outcome: str, said: ModelAnswer | ModelError | None) -> None:
            record = CallRecord(
                number,
                outcome,
                (monotonic() - began) * 1000,
                *((said.prompt_tokens, said.completion_tokens, said.cached_tokens) if said else ()),
            )
            calls.append(record)
            report(record)

        try:
            answer = await provider.complete(request)
        except ModelError as error:
            settle(error.code, error)
            raise
        except asyncio.CancelledError:
            settle("cancelled", None)
            raise
        failpoint("worker.answered")
        settle("ok", answer)
        return answer


def _told(
    model: str, span: traces.Span, report: Callable[[CallRecord], None], record: CallRecord
) -> None:
    """Report a call to whoever asked for it, and to those who watch: what it took, never what was said."""
    CALLS.add(model, record.outcome)
    CALL_SECONDS.observe(record.latency_ms / 1000, model)
    TOKENS.add(model, "prompt", by=record.prompt_tokens)
    TOKENS.add(model, "completion", by=record.completion_tokens)
    TOKENS.add(model, "cached", by=record.cached_tokens)
    span.set(
        model=model,
        number=record.number,
        outcome=record.outcome,
        prompt_tokens=record.prompt_tokens,
        completion_tokens=record.completion_tokens,
        cached_tokens=record.cached_tokens,
    )
    span.code = None if record.outcome == "ok" else record.outcome
    report(record)


def _final(error: ModelError, model: str) -> ModelError | Unavailable:
    """What the caller hears when no further call is made now."""
    retry_after = deferral(error)
    if retry_after is None:
        return error
    return Unavailable(error.code, error.message, waiting_for=model, retry_after=retry_after)
