"""Provider of every server that speaks OpenAI's chat completions. One call is one request; it never retries.

What it learns of a model's dialect lives as long as the process and is found again by asking.
"""

from pydantic import SecretStr
from yarl import URL

from shared.clock import monotonic
from shared.llm.failure import ModelError
from shared.llm.http import Http, PostFailed, Reply
from shared.llm.model import ModelAnswer, ModelRequest
from shared.llm.openai_reply import complaint, quoted, read_answer, read_failure
from shared.llm.openai_request import Dialect, adapted, request_body

CALL = "X-Client-Request-Id"
"""The header in which OpenAI takes a client's own name of a request, and by which its support finds it."""
LEAST_SECRET = 12
"""Characters below which a key is none that somebody gave out."""


class OpenAi:
    """A server at ``base_url`` (usually ending in ``/v1``); ``name`` is the provider's, for messages."""

    def __init__(self, name: str, base_url: str, key: SecretStr | None, http: Http) -> None:
        self._name = name
        self._base_url = base_url
        self._url = URL(base_url.rstrip("/") + "/chat/completions")
        self._key = key
        self._headers = {} if key is None else {"Authorization": f"Bearer {key.get_secret_value()}"}
        self._http = http
        self._dialects: dict[str, Dialect] = {}

    async def complete(self, request: ModelRequest) -> ModelAnswer:
        dialect = self._dialects.get(request.model, Dialect())
        who = f"{self._name}/{request.model}"
        headers = self._headers if request.call is None else {**self._headers, CALL: request.call}
        began = monotonic()
        try:
            reply = await self._http.post(self._url, request_body(request, dialect), headers)
        except PostFailed as failed:
            raise ModelError(failed.kind, self._no_reply(who, failed)) from None
        latency_ms = (monotonic() - began) * 1000
        body = self._without_key(reply.body)
        if reply.status != 200:
            raise self._failure(request, dialect, reply, body, who)
        return read_answer(body, request, latency_ms, dialect.notes(request), who)

    def read(self, request: ModelRequest, raw: str) -> ModelAnswer:
        dialect = self._dialects.get(request.model, Dialect())
        who = f"{self._name}/{request.model}"
        return read_answer(raw.encode(), request, 0.0, dialect.notes(request), who)

    def _without_key(self, body: bytes) -> bytes:
        """What a server said, without the key that some repeat: it is kept in records and shown in messages.

        A short key is no secret but a word that local servers are given ("x", "EMPTY", "ollama"), and an answer may
        hold it as a word of its own.
        """
        key = "" if self._key is None else self._key.get_secret_value()
        return body if len(key) < LEAST_SECRET else body.replace(key.encode(), b"[key]")

    def _no_reply(self, who: str, failed: PostFailed) -> str:
        host = self._url.host
        match failed.kind:
            case "timeout":
                return f"{who} at {host}: {failed.detail}; raise GRISTMILL_MODEL_TIMEOUT if it is slow."
            case "network":
                return f"{who} cannot be reached: {quoted(failed.detail)}; check OPENAI_BASE_URL and the server."
            case _:
                return f"{who} at {host} does not answer in HTTP: {quoted(failed.detail)}"

    def _failure(
        self, request: ModelRequest, dialect: Dialect, reply: Reply, body: bytes, who: str
    ) -> ModelError:
        """The failure of a refused call; what it teaches about the dialect is kept for the calls that follow."""
        if reply.status in {400, 422}:
            said = complaint(body)[0]
            narrower = adapted(dialect, request, said)
            if narrower is not None:
                # Of many first calls in flight only the first may narrow the dialect, the others only follow.
                if self._dialects.get(request.model, Dialect()) == dialect:
                    self._dialects[request.model] = narrower
                return ModelError(
                    "unsupported_parameter",
                    f"{who} does not take a parameter: {quoted(said)}",
                    retry_after=0.0,
                )
        return read_failure(reply.status, reply.headers, body, who)
