"""Retries, records and refusals of the client, against a provider that follows a script."""

import asyncio
from collections.abc import Callable

import pytest

from shared.errors import Unavailable
from shared.llm.client import ModelClient
from shared.llm.failure import ModelError
from shared.llm.model import Answered, CallRecord, ModelAnswer, ModelRequest

REQUEST = ModelRequest(model="small", messages=(("user", "?"),), temperature=0, max_tokens=9)
YES = ModelAnswer("Yes.", "stop", 10, 2, 4, "raw", 1.0, "small")


class Scripted:
    """Answers or fails as its script says, one item a call."""

    def __init__(self, *script: ModelAnswer | Exception | None) -> None:
        self.script = list(script)

    async def complete(self, request: ModelRequest) -> ModelAnswer:
        said = self.script.pop(0)
        if isinstance(said, Exception):
            raise said
        if said is None:
            await asyncio.Event().wait()
            raise AssertionError
        return said

    def read(self, request: ModelRequest, raw: str) -> ModelAnswer:
        raise AssertionError


class Story:
    def __init__(self, *script: ModelAnswer | Exception | None) -> None:
        self.provider = Scripted(*script)
        self.pauses: list[float] = []
        self.reported: list[CallRecord] = []
        self.client = ModelClient({"p": self.provider}, jitter=lambda: 0.5, pause=self.pause)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def call(
        self, first: int = 0, before_each: Callable[[], None] = lambda: None
    ) -> Answered:
        return await self.client.call(
            "p", REQUEST, report=self.reported.append, first=first, before_each=before_each
        )

    @property
    def outcomes(self) -> list[tuple[int, str]]:
        return [(record.number, record.outcome) for record in self.reported]


def failed(code: str, retry_after: float | None = None, prompt_tokens: int = 0) -> ModelError:
    return ModelError(
        code, f"p/small: {code}", retry_after=retry_after, prompt_tokens=prompt_tokens
    )


async def test_an_answer_comes_with_the_one_call_it_took() -> None:
    story = Story(YES)
    answered = await story.call()
    assert answered.answer is YES
    assert answered.calls == tuple(story.reported)
    (record,) = answered.calls
    assert (record.prompt_tokens, record.completion_tokens, record.cached_tokens) == (10, 2, 4)
    assert record.latency_ms >= 0


async def test_a_429_is_waited_out_and_every_call_is_on_record() -> None:
    story = Story(failed("rate_limited", retry_after=2.0), failed("server_error"), YES)
    answered = await story.call(first=3)
    assert answered.answer is YES
    assert story.outcomes == [(3, "rate_limited"), (4, "server_error"), (5, "ok")]
    assert story.pauses == [2.25, 0.375]


async def test_a_wait_beyond_the_longest_gives_the_unit_back() -> None:
    story = Story(failed("rate_limited", retry_after=60.0))
    with pytest.raises(Unavailable) as away:
        await story.call()
    assert (away.value.code, away.value.waiting_for) == ("rate_limited", "p/small")
    assert away.value.retry_after == 60.0
    assert story.pauses == []
    assert story.outcomes == [(0, "rate_limited")]


@pytest.mark.parametrize(("code", "tries"), [("network", 2), ("timeout", 2), ("server_error", 5)])
async def test_what_stays_away_is_tried_a_few_times_then_deferred(code: str, tries: int) -> None:
    story = Story(*[failed(code)] * 10)
    with pytest.raises(Unavailable) as away:
        await story.call()
    assert away.value.code == code
    assert len(story.reported) == tries
    assert sum(story.pauses) <= 5


@pytest.mark.parametrize("code", ["malformed_response", "empty_response"])
async def test_a_model_that_keeps_answering_nonsense_is_the_units_outcome(code: str) -> None:
    story = Story(*[failed(code, prompt_tokens=5)] * 10)
    with pytest.raises(ModelError) as caught:
        await story.call()
    assert caught.value.code == code
    assert [record.prompt_tokens for record in story.reported] == [5, 5, 5]


@pytest.mark.parametrize(
    "code", ["auth", "model_not_found", "bad_request", "prompt_too_long", "refused"]
)
async def test_what_cannot_heal_is_asked_once(code: str) -> None:
    story = Story(failed(code))
    with pytest.raises(ModelError) as caught:
        await story.call()
    assert caught.value.code == code
    assert story.outcomes == [(0, code)]


async def test_a_used_up_quota_waits_for_somebody_to_pay() -> None:
    story = Story(failed("quota_exceeded"))
    with pytest.raises(Unavailable) as away:
        await story.call()
    assert away.value.retry_after == 300


async def test_a_refused_parameter_is_left_out_at_once() -> None:
    story = Story(failed("unsupported_parameter", retry_after=0.0), YES)
    assert (await story.call()).answer is YES
    assert story.pauses == [0.0]


async def test_no_call_starts_once_the_worker_may_not() -> None:
    story = Story(failed("server_error"), YES)

    def before_each() -> None:
        if story.reported:
            raise Unavailable("lost_beat", "no beat", waiting_for="bus", retry_after=1)

    with pytest.raises(Unavailable) as refused:
        await story.call(before_each=before_each)
    assert refused.value.code == "lost_beat"
    assert story.outcomes == [(0, "server_error")]
    assert story.provider.script == [YES]


async def test_a_cancelled_call_is_on_record() -> None:
    story = Story(None)
    task = asyncio.create_task(story.call())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert story.outcomes == [(0, "cancelled")]
