"""Replies of many kinds of servers, read as an answer or as a failure with its code."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.llm.failure import ModelError
from shared.llm.model import ModelAnswer, ModelRequest
from shared.llm.openai_reply import clean, quoted, read_answer, read_failure, retry_after

REQUEST = ModelRequest(model="small", messages=(("user", "?"),), temperature=0, max_tokens=9)


def reply(content: object, finish: str = "stop", usage: object = None, **message: object) -> bytes:
    return orjson.dumps(
        {
            "model": "small-2026",
            "choices": [{"message": {"content": content} | message, "finish_reason": finish}],
            "usage": usage or {},
        }
    )


def read(body: bytes) -> ModelAnswer:
    return read_answer(body, REQUEST, 12.5, {}, "openai/small")


def test_an_answer_is_read_with_its_counts() -> None:
    usage = {
        "prompt_tokens": 900,
        "completion_tokens": 40,
        "prompt_tokens_details": {"cached_tokens": 800},
    }
    body = reply("Yes.", usage=usage)
    answer = read(body)
    assert (answer.text, answer.finish_reason, answer.model) == ("Yes.", "stop", "small-2026")
    assert (answer.prompt_tokens, answer.completion_tokens, answer.cached_tokens) == (900, 40, 800)
    assert answer.raw == body.decode()
    assert answer.latency_ms == 12.5


@pytest.mark.parametrize(
    "content",
    [
        "<think>I wonder.\nHm.</think>\n\nYes.",
        "<thinking>a</thinking>Yes.",
        [{"type": "text", "text": "Ye"}, {"type": "text", "text": "s."}],
    ],
)
def test_reasoning_and_parts_are_no_part_of_the_text(content: object) -> None:
    answer = read(reply(content))
    assert answer.text == "Yes."


def test_reasoning_stays_in_the_raw_response() -> None:
    answer = read(reply("<think>I wonder.</think>Yes.", reasoning_content="deep"))
    assert "I wonder." in answer.raw
    assert "deep" in answer.raw


def test_nul_and_lone_surrogates_never_reach_a_text() -> None:
    body = b'{"choices": [{"message": {"content": "a\\u0000b\\ud800c"}, "finish_reason": null}]}'
    answer = read(body)
    assert answer.text == "ab\ufffdc"
    assert answer.finish_reason is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<html>Bad gateway</html>", "malformed_response"),
        (b'{"choices": [{"message": {"con', "malformed_response"),
        (b"[]", "malformed_response"),
        (b'{"choices": []}', "malformed_response"),
        (b'{"choices": [{"message": null}]}', "malformed_response"),
        (reply(""), "empty_response"),
        (reply(" \n"), "empty_response"),
        (reply(None), "empty_response"),
        (reply("<think>endless", "length"), "answer_too_short"),
        (reply(None, refusal="No."), "refused"),
        (reply(None, "content_filter"), "refused"),
        (b'{"error": {"message": "Provider overloaded", "code": 503}}', "server_error"),
        (b'{"error": {"message": "slow down", "code": 429}}', "rate_limited"),
        (b'{"error": "something broke"}', "server_error"),
    ],
)
def test_a_reply_without_an_answer_says_why(body: bytes, code: str) -> None:
    with pytest.raises(ModelError) as caught:
        read(body)
    assert caught.value.code == code
    assert "openai/small" in caught.value.message


def test_what_an_empty_answer_cost_is_not_lost() -> None:
    with pytest.raises(ModelError) as caught:
        read(reply("", usage={"prompt_tokens": 70, "completion_tokens": 9}))
    assert (caught.value.prompt_tokens, caught.value.completion_tokens) == (70, 9)


def error(message: str, code: str | None = None, kind: str | None = None) -> bytes:
    return orjson.dumps({"error": {"message": message, "code": code, "type": kind}})


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, error("Incorrect API key provided: sk-abc"), "auth"),
        (403, error("Country not supported"), "auth"),
        (402, b"{}", "quota_exceeded"),
        (429, error("You exceeded your current quota", "insufficient_quota"), "quota_exceeded"),
        (429, error("Rate limit reached; too many tokens per minute"), "rate_limited"),
        (404, error("The model does not exist"), "model_not_found"),
        (400, error("This model's maximum context length is 8192 tokens"), "prompt_too_long"),
        (400, error("x", "context_length_exceeded"), "prompt_too_long"),
        (413, b"", "prompt_too_long"),
        (400, error("filtered", "content_filter"), "refused"),
        (400, error("messages missing"), "bad_request"),
        (422, b'{"detail": [{"loc": ["body"], "msg": "field required"}]}', "bad_request"),
        (301, b"", "bad_request"),
        (408, b"", "timeout"),
        (500, b"oops", "server_error"),
        (503, b"null", "server_error"),
        (529, b'"overloaded"', "server_error"),
    ],
)
def test_a_status_is_a_code(status: int, body: bytes, code: str) -> None:
    failure = read_failure(status, {}, body, "openai/small")
    assert failure.code == code
    assert "openai/small" in failure.message


@given(st.integers(300, 599), st.binary(max_size=200), st.binary(max_size=200))
def test_any_reply_at_all_is_a_failure_with_a_code(status: int, body: bytes, other: bytes) -> None:
    assert read_failure(status, {}, body, "openai/small").code
    with pytest.raises(ModelError):
        read(other)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "Retry-After": "1"}, 0.25),
        ({"Retry-After": "Sat, 21 Nov 2026 10:00:30 GMT", "Date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 30),
        ({"Retry-After": "Sat, 21 Nov 2026 10:00:30 GMT"}, None),
        ({"Retry-After": "-4"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon", "Date": "never"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_how_long_to_wait_is_read_in_every_form(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers) == seconds


def test_a_quote_holds_no_key_and_is_short() -> None:
    said = quoted("wrong key sk-proj-abc123XYZ\nand Bearer abcd.efgh " + "x" * 1000)
    assert "abc123" not in said
    assert "efgh" not in said
    assert "\n" not in said
    assert len(said) <= 301


@given(st.text(st.characters(exclude_categories=())))
def test_clean_text_can_always_be_encoded(text: str) -> None:
    cleaned = clean(text)
    assert "\x00" not in cleaned
    assert clean(cleaned) == cleaned
    cleaned.encode()
