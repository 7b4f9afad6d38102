"""Trace contexts by the letter of W3C, and spans that are made only where somebody takes them."""

import asyncio
import logging
from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.stack import free_port
from shared.telemetry import traces
from shared.telemetry.sending import Batches
from shared.telemetry.traces import Context, Ended, Span, context_from, derived

HEADER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ID = UUID("7b3c1f60-58a1-5b0e-9c39-0d7c2f1f6a11")


class Kept:
    def __init__(self) -> None:
        self.spans: list[Ended] = []

    def put(self, span: Ended) -> None:
        self.spans.append(span)

    def stop(self) -> None:
        self.spans.clear()


@pytest.fixture
def kept() -> Iterator[Kept]:
    kept = Kept()
    traces.send_to(kept)
    yield kept
    traces.send_to(None)
    traces.enter(None)


@given(st.builds(Context, st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.booleans()))
def test_a_context_reads_back_as_it_was_written(context: Context) -> None:
    assert context_from(str(context)) == context


@pytest.mark.parametrize(
    "header",
    [
        None, "", "00", HEADER.upper(), HEADER + "-more", "ff" + HEADER[2:], HEADER[:-1],
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01", HEADER[:36] + "0" * 16 + "-01", " " + HEADER,
        HEADER.replace("4", "g"), HEADER.replace("4", "\u0664"),
    ],
)  # fmt: skip
def test_what_is_no_context_is_none(header: str | None) -> None:
    assert context_from(header) is None


def test_a_later_version_may_say_more() -> None:
    assert context_from("01" + HEADER[2:] + "-more") == context_from(HEADER)


def test_without_a_collector_a_context_is_passed_on_as_it_came() -> None:
    parent = context_from(HEADER)
    with Span("work", parent=parent) as span:
        assert span.context is parent
        assert traces.current() is parent
    assert traces.current() is None
    assert derived(parent, ID, ID) is parent
    assert derived(None, ID, ID) == Context(ID.int, ID.int >> 64, sampled=False)


def test_spans_stand_below_one_another_and_name_what_they_build_on(kept: Kept) -> None:
    with Span("outer", "server", context_from(HEADER)) as outer:
        with Span("inner") as inner:
            traces.link(HEADER)
            traces.link("nonsense")
            inner.set(outcome="done")
        traces.link(str(inner.context))
    ended = {span.name: span for span in kept.spans}
    assert ended["inner"].parent == outer.context
    assert ended["outer"].parent == context_from(HEADER)
    assert {span.context.trace_id for span in kept.spans} == {int(HEADER[3:35], 16)}
    assert ended["inner"].links == [context_from(HEADER)]
    assert ended["outer"].links == [inner.context]
    assert ended["inner"].attributes == {"outcome": "done"}
    assert ended["inner"].began <= ended["inner"].ended


def test_a_failure_is_named_by_its_kind_and_not_by_its_words(kept: Kept) -> None:
    with pytest.raises(LookupError), Span("work"):
        raise LookupError("some text of a document")
    assert kept.spans[0].code == "LookupError"


def test_who_asked_for_no_samples_gets_none(kept: Kept) -> None:
    parent = context_from(HEADER[:-1] + "0")
    with Span("work", parent=parent) as span:
        assert span.context is parent
    assert derived(parent, ID, ID) is parent
    assert kept.spans == []


def test_of_the_traces_that_begin_here_a_part_is_sent(kept: Kept) -> None:
    traces.send_to(kept, 0.5)
    for _ in range(400):
        with Span("work"), Span("below"):
            pass
    assert len(kept.spans) % 2 == 0
    assert 200 < len(kept.spans) < 600


async def test_a_collector_that_is_away_costs_the_spans_and_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    batches = Batches("test", f"http://127.0.0.1:{free_port('127.0.0.1')}", "1")
    context = Context(1, 2, sampled=True)
    with caplog.at_level(logging.WARNING, "shared.telemetry.sending"):
        for _ in range(3 * 8192):
            batches.put(Ended("x", "internal", context, None, 1, 2, {}))
        async with asyncio.timeout(10):
            await asyncio.to_thread(batches.stop)
    said = [record for record in caplog.records if record.name == "shared.telemetry.sending"]
    assert len(said) == 1
