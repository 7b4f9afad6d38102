"""Reads what a chat-completions server replied: an answer, or a failure with its stable code. Pure.

Servers differ most where things go wrong, so what is read here is what many of them say: OpenAI's error object,
plain strings, FastAPI's ``detail``, and errors under status 200.
"""

import email.utils
import json
import re
from collections.abc import Mapping

import orjson

from shared.llm.failure import ModelError
from shared.llm.model import ModelAnswer, ModelRequest

_THOUGHT = re.compile(r"\A\s*<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)\s*", re.DOTALL)
_KEY_LIKE = re.compile(r"\b(?:sk-|Bearer\s+)[\w*.-]{4,}")
_TOO_LONG = re.compile(
    r"context.?length|context window|maximum context|too many tokens|prompt is too long|reduce the length",
    re.IGNORECASE,
)
_QUOTED = 300


def read_json(body: bytes) -> object:
    """The value of ``body``; ValueError where it is no JSON. Takes lone surrogates, which orjson does not."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            return json.loads(body.decode("utf-8", "replace"))
        except RecursionError:
            raise ValueError("nested too deeply") from None


def read_answer(
    body: bytes, request: ModelRequest, latency_ms: float, notes: Mapping[str, str], who: str
) -> ModelAnswer:
    """The answer in the body of a 200. ``who`` is the provider and model, for messages."""
    try:
        data = read_json(body)
    except ValueError:
        raise ModelError(
            "malformed_response",
            f"{who} replied with something that is not JSON: {quoted(body.decode('utf-8', 'replace'))}",
        ) from None
    if not isinstance(data, dict):
        data = {}
    error = data.get("error")
    if error and not data.get("choices"):
        code = error.get("code") if isinstance(error, dict) else None
        raise read_failure(code if isinstance(code, int) else 500, {}, body, who)
    tokens = _tokens(data.get("usage"))
    choice = _first(data.get("choices"))
    message = choice.get("message") if choice else None
    if choice is None or not isinstance(message, dict):
        raise ModelError(
            "malformed_response", f"{who} replied without an answer in it (no choices).", **tokens
        )
    finish = choice.get("finish_reason")
    finish = finish if isinstance(finish, str) else None
    text = clean(_THOUGHT.sub("", _text(message.get("content")), count=1))
    if not text.strip():
        raise _nothing(message, finish, request, tokens, who)
    named = data.get("model")
    return ModelAnswer(
        text=text,
        finish_reason=finish,
        raw=clean(body.decode("utf-8", "replace")),
        latency_ms=latency_ms,
        model=named if isinstance(named, str) and named else request.model,
        notes=notes,
        **tokens,
    )


def _first(choices: object) -> dict[str, object] | None:
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0]
    return None


def _text(content: object) -> str:
    """A message's content: a string, or a list of parts of which the texts count."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(part for part in parts if isinstance(part, str))
    return ""


def _nothing(
    message: dict[str, object],
    finish: str | None,
    request: ModelRequest,
    tokens: dict[str, int],
    who: str,
) -> ModelError:
    """Why there is no text in an otherwise sound reply."""
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        return ModelError("refused", f"{who} declined: {quoted(refusal)}", **tokens)
    if finish == "content_filter":
        return ModelError("refused", f"The content filter of {who} held its answer back.", **tokens)
    if finish == "length":
        return ModelError(
            "answer_too_short",
            f"{who} used all of max_tokens={request.max_tokens} before it began to answer; raise max_tokens.",
            **tokens,
        )
    return ModelError("empty_response", f"{who} answered with nothing.", **tokens)


def _tokens(usage: object) -> dict[str, int]:
    found = usage if isinstance(usage, dict) else {}
    details = found.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    if cached is None:
        cached = found.get("prompt_cache_hit_tokens")

    def count(value: object) -> int:
        return value if isinstance(value, int) and value > 0 else 0

    return {
        "prompt_tokens": count(found.get("prompt_tokens")),
        "completion_tokens": count(found.get("completion_tokens")),
        "cached_tokens": count(cached),
    }


_MESSAGES: Mapping[str, str] = {
    "auth": "{who} refused the API key (HTTP {status}); check the key and what it may use.",
    "quota_exceeded": "The quota of {who} is used up; add credit or wait for its reset{quote}",
    "rate_limited": "{who} limits the rate{quote}",
    "model_not_found": "{who} was not found; check the model's name and that the base URL ends in /v1{quote}",
    "timeout": "{who} gave up waiting (HTTP {status}){quote}",
    "server_error": "{who} failed (HTTP {status}){quote}",
    "prompt_too_long": "The prompt is too long for {who}{quote}",
    "refused": "The content filter of {who} refused the prompt{quote}",
    "bad_request": "{who} does not accept the request (HTTP {status}){quote}",
}
"""``auth`` quotes nothing, because some servers repeat the key in what they say."""


def read_failure(status: int, headers: Mapping[str, str], body: bytes, who: str) -> ModelError:
    """The failure that a status other than 200 stands for."""
    said, kind = complaint(body)
    code = _code(status, said, kind)
    quote = f": {quoted(said)}" if said else "."
    message = _MESSAGES[code].format(who=who, status=status, quote=quote)
    return ModelError(code, message, retry_after=retry_after(headers))


def _code(status: int, said: str, kind: str) -> str:
    if status in {401, 403}:
        return "auth"
    if status == 402 or "insufficient_quota" in kind or "billing" in kind:
        return "quota_exceeded"
    if status >= 500 or status in {409, 425}:
        return "server_error"
    if "context_length" in kind or (status != 429 and _TOO_LONG.search(said)):
        return "prompt_too_long"
    if "content_filter" in kind or "content_policy" in kind:
        return "refused"
    known = {404: "model_not_found", 408: "timeout", 413: "prompt_too_long", 429: "rate_limited"}
    return known.get(status, "bad_request")


def complaint(body: bytes) -> tuple[str, str]:
    """What an error body says, and its codes in lower case, as far as it has any."""
    try:
        data = read_json(body)
    except ValueError:
        return body.decode("utf-8", "replace"), ""
    if not isinstance(data, dict):
        return str(data), ""
    error = data.get("error", data)
    if not isinstance(error, dict):
        return str(error), ""
    said = error.get("message") or error.get("detail") or ""
    codes = " ".join(str(error.get(name) or "") for name in ("code", "type"))
    return said if isinstance(said, str) else json.dumps(said), codes.lower()


def quoted(text: str) -> str:
    """The beginning of what a server said, on one line, without anything that looks like a key."""
    line = " ".join(_KEY_LIKE.sub("[key]", clean(text)).split())
    return line if len(line) <= _QUOTED else line[:_QUOTED] + "…"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the reply asks to wait: ``retry-after-ms``, or ``Retry-After`` in seconds or as a date.

    A date counts from the reply's own ``Date``, so that no clock of ours is compared with the server's.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("Retry-After")
    seconds = _number(value)
    if seconds is not None or value is None:
        return seconds
    try:
        until = email.utils.parsedate_to_datetime(value)
        said = email.utils.parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, (until - said).total_seconds())
    except (ValueError, TypeError):
        return None


def _number(value: str | None) -> float | None:
    """A finite number of at least 0, or None."""
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if 0 <= number < 1e9 else None


def clean(text: str) -> str:
    """``text`` without NUL characters, lone surrogates replaced: what every store and every encoder takes."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
