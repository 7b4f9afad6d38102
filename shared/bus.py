"""The bus: the connection to it, and the envelope of everything that travels on it.

Messages are CloudEvents 1.0 in binary mode: attributes in ``ce-*`` headers (percent-encoded), the message's JSON as
body. One over ``INLINE`` bytes travels through the blobs, its reference in a header. The subject names the tenant.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from urllib.parse import quote, unquote
from uuid import UUID

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import BaseModel, ConfigDict

from contracts.blob import BlobRef
from contracts.message import Message, Request, request_subject, wire_type
from shared.blobs import Blobs
from shared.connecting import connect as connect  # noqa: PLC0414 - whoever speaks on the bus finds it here
from shared.errors import GristmillError, Refused, Unavailable
from shared.settings import Settings
from shared.telemetry import traces

INLINE = 256 * 1024
SERVICES = ("ingest", "chunk", "generate", "curate", "export")

MOST_ID = 1000
"""Bytes of an id, and of a source: both must fit into one key of the database."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")

REPLY_TO = "gristmill-reply-to"
ATTEMPT = "gristmill-attempt"
CRASHES = "gristmill-crashes"
"""How often the only unit of this command made its handler raise what nobody expected."""
POSITION = "gristmill-position"
JOB = "gristmill-job"
BLOB = "gristmill-blob"
TENANT = "gristmill-tenant"
PART = "gristmill-part"
SAFE = "/:@!$&'()*+,;=-._~"
STILL = "gristmill.ask.still"
"""Where a worker asks which units of a command have no outcome yet."""

M = TypeVar("M", bound=Message)


def bus_away(client: Client) -> str | None:
    """What is wrong with a connection, if anything is."""
    return None if client.is_connected else "the event bus is away"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message as it travels. ``id`` is the CloudEvents id, unique together with ``source``."""

    type: str
    id: str
    source: str
    subject: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def all_headers(self) -> dict[str, str]:
        return {
            "ce-specversion": "1.0",
            "ce-type": self.type,
            "ce-id": quote(self.id, safe=SAFE),
            "ce-source": quote(self.source, safe=SAFE),
            "content-type": "application/json",
            **self.headers,
        }


class Undecodable(GristmillError):
    """What came is no message of ours; trying again cannot help."""

    def __init__(self, reason: str, code: str = "undecodable", *, field: str = "") -> None:
        super().__init__(code, reason)
        self.field = field


def envelope_from(subject: str, headers: Mapping[str, str] | None, body: bytes) -> Envelope:
    """Read a message's attributes. Raise ``Undecodable`` where one that must be there is missing."""
    found = {key.lower(): value for key, value in (headers or {}).items()}
    for name in ("ce-type", "ce-id", "ce-source"):
        if not found.get(name):
            raise Undecodable(f"the CloudEvents attribute {name} is missing")
    if found.get("ce-specversion") != "1.0":
        raise Undecodable("ce-specversion is not 1.0")
    id, source = unquote(found.pop("ce-id")), unquote(found.pop("ce-source"))
    for name, value in (("ce-id", id), ("ce-source", source)):
        if _CONTROLS.search(value) or len(value.encode()) > MOST_ID:
            raise Undecodable(f"{name} must be at most {MOST_ID} bytes without control characters")
    kind = found.pop("ce-type")
    return Envelope(kind, id=id, source=source, subject=subject, body=body, headers=found)


def dump(message: BaseModel) -> bytes:
    return message.model_dump_json().encode()


def without_nul(body: bytes) -> bytes:
    """JSON without NUL characters, which no column of the log takes: for where the texts of others enter.

    An escaped backslash before ``u0000`` is text like any other and stays. (Lone surrogates are no JSON to our parser.)
    """
    return _NUL.sub(rb"\1", body) if b"\\u0000" in body else body


async def claim_check(blobs: Blobs, tenant: str, body: bytes) -> tuple[bytes, dict[str, str]]:
    """A body as it travels: itself, or, when it is large, its reference."""
    if len(body) <= INLINE:
        return body, {}
    ref = await blobs.put(tenant, "message", body, "application/json")
    return b"{}", {BLOB: f"{ref.sha256}/{ref.size}"}


async def claimed(blobs: Blobs, tenant: str, envelope: Envelope) -> bytes:
    """The body of a message, fetched where it was checked in."""
    mark = envelope.headers.get(BLOB)
    return envelope.body if mark is None else await claimed_by(blobs, tenant, mark)


async def claimed_by(blobs: Blobs, tenant: str, mark: str) -> bytes:
    """What was checked in under the value of a header ``BLOB``."""
    if not re.fullmatch(r"[0-9a-f]{64}/[0-9]{1,15}", mark):
        raise Undecodable(f"the header {BLOB} is not <sha256>/<size>")
    sha256, _, size = mark.partition("/")
    return await blobs.get(tenant, BlobRef(kind="message", sha256=sha256, size=int(size)))


class Answer(BaseModel):
    """What the ledger answers to a request."""

    model_config = ConfigDict(frozen=True)

    position: str | None = None
    """Set when the request is recorded."""
    job_id: UUID | None = None
    code: str | None = None
    """Set when the request is refused."""
    message: str | None = None
    status: int = 400
    field: str = ""

    def said(self) -> bytes:
        """As it is sent: position and job, or why not."""
        own = (
            {"position", "job_id"} if self.code is None else {"code", "message", "status", "field"}
        )
        return self.model_dump_json(include=own).encode()

    def or_refused(self) -> "Answer":
        """This answer, unless it is a refusal: then raise it."""
        if self.code is not None:
            raise Refused(self.code, self.message or "", status=self.status, field=self.field)
        return self


class Asks(Protocol):
    """Says requests to the ledger and waits for what it answers."""

    async def ask(
        self, request: Request, *, tenant: str, source: str, request_id: str
    ) -> Answer: ...


class Asker:
    """Requests over JetStream, which takes the reply subject: the asker's own inbox travels in a header."""

    def __init__(self, client: Client, settings: Settings, patience: float | None = None) -> None:
        self._client = client
        self._wait = settings.request_wait
        self._patience = self._wait if patience is None else patience

    async def ask(self, request: Request, *, tenant: str, source: str, request_id: str) -> Answer:
        """Raise ``Unavailable`` when the bus does not take the request or the ledger does not answer in time.

        The request may have been taken all the same: saying it again with the same id has one effect.
        """
        answer = await self.queue(request, tenant=tenant, source=source, request_id=request_id)
        if answer is None:
            said = (
                "The request waits on the bus: the ledger or the event store is away. It may take effect later; "
                "repeat it with the same Idempotency-Key."
            )
            raise Unavailable("not_recorded_yet", said, waiting_for="the ledger", retry_after=2)
        return answer

    async def waiting(self, tenant: str) -> int:
        """Requests of a tenant that the bus holds and no ledger has recorded."""
        try:
            info = await self._client.jetstream().stream_info(
                "REQUESTS", subjects_filter=f"gristmill.requests.{tenant}.>"
            )
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError):
            raise _no_queue() from None
        return sum((info.state.subjects or {}).values())

    async def queue(
        self, request: Request, *, tenant: str, source: str, request_id: str
    ) -> Answer | None:
        """What the ledger answers; None where it does not in time, so that the request waits on the bus and will be
        recorded. Raise ``Unavailable`` when the bus does not take it.
        """
        name = wire_type(type(request))
        with traces.Span(f"request {name}", "producer") as span:
            span.set(event=name)
            return await self._ask(request, tenant, source, request_id, span)

    async def _ask(
        self, request: Request, tenant: str, source: str, request_id: str, span: traces.Span
    ) -> Answer | None:
        inbox = self._client.new_inbox()
        replies = await self._client.subscribe(inbox, max_msgs=1)
        envelope = Envelope(
            type=wire_type(type(request)),
            id=request_id,
            source=source,
            subject=request_subject(type(request), tenant),
            body=dump(request),
            headers={REPLY_TO: inbox, **traced(span.context)},
        )
        taken = False
        try:
            await self._client.jetstream().publish(
                envelope.subject, envelope.body, timeout=self._wait, headers=envelope.all_headers()
            )
            taken = True
            reply = await replies.next_msg(timeout=self._patience)
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError):
            if taken:
                return None
            raise _no_queue() from None
        finally:
            if not replies._closed:  # noqa: SLF001 - a one-shot subscription closes itself when answered
                await replies.unsubscribe()
        answer = Answer.model_validate_json(reply.data)
        span.code = answer.code
        if answer.job_id is not None:
            span.set(job=str(answer.job_id))
        return answer


def traced(context: traces.Context | None) -> dict[str, str]:
    """The header that carries a trace on, where there is one."""
    return {} if context is None else {traces.HEADER: str(context)}


def _no_queue() -> Unavailable:
    said = "Job queue manager not initialized"
    return Unavailable("job_queue_unavailable", said, waiting_for="the event bus", retry_after=2)


def headers_of(message: Msg) -> dict[str, str]:
    """The headers of a nats-py message, which has None where there are none."""
    return dict(message.headers or {})
