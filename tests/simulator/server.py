"""A model server that speaks OpenAI's chat completions and behaves as told. Never a part of the product.

``POST /v1/chat/completions`` and ``GET /v1/models`` are what a client sees (also as ``/<who>/v1/…``, so that each
client can be told from the others); ``GET /stats``, ``GET /calls``, ``GET /labels``,
``POST /control`` (change some of the behaviour), ``POST /behave`` (all of it) and ``POST /reset`` are for the test.
"""

import asyncio
import hashlib
from dataclasses import dataclass

import orjson
from pydantic import ValidationError

from services.generate.prompts.read import PromptUnreadable
from tests.simulator.behaviour import Behaviour, Fault, fault, latency
from tests.simulator.said import Label, Writer
from tests.simulator.tally import Tally
from tests.simulator.wire import Asked, Connection, Told


class Declined(Exception):
    """A request that gets an error instead of an answer."""

    def __init__(self, status: int, message: str, code: str, headers: dict[str, str]) -> None:
        super().__init__(message)
        error = {"message": message, "type": "simulated_error", "code": code}
        self.told = Told(status, orjson.dumps({"error": error}), headers)
        self.code = code


@dataclass(frozen=True, slots=True)
class Wish:
    """A chat completion as it was asked for, checked."""

    model: str
    messages: list[dict[str, str]]
    max_tokens: int


class Simulator:
    """The model behind the wire. ``behaviour`` may be replaced at any time; calls in flight keep theirs."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.tally = Tally()
        self.labels: list[Label] = []
        self.connections: set[Connection] = set()
        self._writer = Writer()
        self._waiting: asyncio.Condition = asyncio.Condition()
        self._working = 0

    def connection(self) -> Connection:
        return Connection(self.handle, self.connections)

    async def handle(self, asked: Asked) -> Told:
        by, _, spoken = asked.path.partition("/v1/")
        match asked.method, f"/v1/{spoken}" if spoken else asked.path:
            case "POST", "/v1/chat/completions":
                return await self._completion(asked, by.strip("/"))
            case "GET", "/v1/models":
                names = self.behaviour.models or ("simulated",)
                return _json(
                    {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}
                )
            case "GET", "/stats":
                return _json(self.tally.summary() | {"connections": len(self.connections)})
            case "GET", "/calls":
                return _json({"calls": self.tally.seen})
            case "GET", "/labels":
                return _json({"labels": self.labels})
            case "POST", "/control":
                return self._control(asked.body, self.behaviour)
            case "POST", "/behave":
                return self._control(asked.body, Behaviour())
            case "POST", "/reset":
                self.tally = Tally()
                self.labels, self._writer = [], Writer()
                return _json({})
        return Told(404, b'{"error":{"message":"no such path","code":"not_found"}}')

    def _control(self, body: bytes, rest: Behaviour) -> Told:
        """Behave as the body says, and as ``rest`` where it is silent."""
        try:
            wanted = rest.model_dump() | orjson.loads(body)
            self.behaviour = Behaviour.model_validate(wanted)
        except (ValidationError, orjson.JSONDecodeError, TypeError) as error:
            return Told(
                422, orjson.dumps({"error": {"message": str(error), "code": "bad_control"}})
            )
        return Told(200, self.behaviour.model_dump_json().encode())

    async def _completion(self, asked: Asked, by: str) -> Told:
        behaviour, tally = self.behaviour, self.tally
        request = hashlib.blake2b(asked.body, digest_size=16).hexdigest()
        attempt, seen = tally.begin(request, asked.headers.get("x-client-request-id"), by)
        outcome = "gone"
        try:
            wish = _read(asked, behaviour)
            await self._enter(behaviour)
            try:
                suffers = fault(behaviour, request, attempt)
                _refuse(suffers, behaviour)
                seconds = latency(behaviour, request, attempt)
                tally.latency_s += seconds
                if seconds > 0:
                    await asyncio.sleep(seconds)
                if suffers == "hang":
                    await asyncio.Event().wait()
                seen.answer = f"chatcmpl-{request}-{attempt}"
                told = self._tell(wish, behaviour, request, suffers, seen.answer)
            finally:
                await self._leave(behaviour)
            outcome = suffers or "ok"
        except Declined as declined:
            outcome = declined.code
            return declined.told
        else:
            return told
        finally:
            tally.end(seen, outcome)

    async def _enter(self, behaviour: Behaviour) -> None:
        limit = behaviour.concurrency
        if limit is not None:
            async with self._waiting:
                if self._working >= limit and not behaviour.queue:
                    raise _limited(behaviour, "too many requests at once")
                await self._waiting.wait_for(lambda: self._working < limit)
        self._working += 1

    async def _leave(self, behaviour: Behaviour) -> None:
        self._working -= 1
        if behaviour.concurrency is not None:
            async with self._waiting:
                self._waiting.notify(1)

    def _tell(
        self, wish: Wish, behaviour: Behaviour, request: str, suffers: Fault | None, answer: str
    ) -> Told:
        if suffers == "reset":
            return Told(200, b"", reset=True)
        if suffers == "broken":
            return Told(200, b'{"id": "chatcmpl-broken", "choices": [{"message": {"con')
        try:
            said = self._writer.write(wish.messages, behaviour, request)
        except PromptUnreadable as error:
            raise Declined(422, f"the prompt cannot be read: {error}", error.code, {}) from error
        text, finish = said.text, "stop"
        if suffers == "malformed":
            text = text.replace('"', "'", 3)[:-1]
        elif suffers == "empty":
            text = ""
        elif suffers == "truncated" or len(text) > wish.max_tokens * 4:
            text, finish = text[: min(len(text) * 2 // 3, wish.max_tokens * 4)], "length"
        if suffers is None:
            self.labels += said.labels
            self.tally.entries += said.entries
        prompt = sum(len(message["content"]) for message in wish.messages) // 4
        usage = {
            "prompt_tokens": prompt,
            "completion_tokens": len(text) // 4,
            "total_tokens": prompt + len(text) // 4,
            "prompt_tokens_details": {"cached_tokens": said.cached_tokens},
        }
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": finish}
        return _json(
            {
                "id": answer,
                "object": "chat.completion",
                "created": 0,
                "model": wish.model,
                "choices": [choice],
                "usage": usage,
            }
        )


def _json(value: object) -> Told:
    return Told(200, orjson.dumps(value))


def _read(asked: Asked, behaviour: Behaviour) -> Wish:
    """What is asked for; ``Declined`` where the key, the model or the body is wrong."""
    if (
        behaviour.key is not None
        and asked.headers.get("authorization") != f"Bearer {behaviour.key}"
    ):
        given = asked.headers.get("authorization", "none")
        raise Declined(401, f"Incorrect API key provided: {given}", "invalid_api_key", {})
    try:
        body = orjson.loads(asked.body)
        messages = [{"role": one["role"], "content": one["content"]} for one in body["messages"]]
        limit = body.get("max_tokens", body.get("max_completion_tokens", 4096))
        wish = Wish(body["model"], messages, int(limit))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise Declined(400, f"not a chat completion: {error!r}", "invalid_request", {}) from error
    if not messages or not all(isinstance(one["content"], str) for one in messages):
        raise Declined(400, "messages must hold texts", "invalid_request", {})
    if behaviour.models is not None and wish.model not in behaviour.models:
        raise Declined(404, f"The model {wish.model} does not exist.", "model_not_found", {})
    wanted = body.get("response_format", {}).get("type", "text")
    if wanted != "text" and wanted not in behaviour.formats:
        message = f"response_format of type {wanted} is not supported by this model"
        raise Declined(400, message, "unsupported_format", {})
    return wish


def _refuse(suffers: Fault | None, behaviour: Behaviour) -> None:
    """Raise for the faults that a server notices before it works."""
    if suffers == "rate_limited":
        raise _limited(behaviour, "Rate limit reached for requests")
    if suffers == "server_error":
        raise Declined(
            500, "The server had an error while processing your request.", "server_error", {}
        )


def _limited(behaviour: Behaviour, message: str) -> Declined:
    wait = behaviour.retry_after
    headers = {} if wait is None else {"Retry-After": f"{wait:g}"}
    return Declined(429, message, "rate_limited", headers)
