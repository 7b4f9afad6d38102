"""What a message on REQUESTS or INBOX says, or the code and the reason why it says nothing of ours.

Here the words of other systems enter: a text is freed of what no column takes, and a document that came with its
content is given to the blob store, so that what is recorded are facts. Records nothing.
"""

import base64
import binascii
import contextlib
import mimetypes
import re
from dataclasses import dataclass

import nats.errors
from nats.aio.msg import Msg
from pydantic import BaseModel, ValidationError

from contracts import EVENTS, REPORTS, REQUESTS
from contracts.blob import BlobRef
from contracts.document import DocumentSubmitted
from contracts.message import TENANT_PATTERN, Request, request_subject
from contracts.model import ModelAnswered
from contracts.unit import UnitDeferred, UnitFinished
from services.ledger.rows import Key
from shared.blobs import Blobs
from shared.bus import (
    POSITION,
    TENANT,
    Envelope,
    Undecodable,
    claimed,
    envelope_from,
    headers_of,
    without_nul,
)
from shared.errors import GristmillError
from shared.letters import Letter

JSON = "application/json"
KIND = "document"


@dataclass(slots=True)
class Carrier:
    """A message of the bus, acknowledged when everything that it brought is done with."""

    message: Msg
    left: int

    async def one_done(self) -> None:
        """Once: a batch that is tried again may hold messages that were done with before the bus went away."""
        self.left -= 1
        if not self.left:
            with contextlib.suppress(nats.errors.MsgAlreadyAckdError):
                await self.message.ack()


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message with what it says."""

    carrier: Carrier
    message: Msg
    """As it would have come alone."""
    envelope: Envelope
    tenant: str
    said: Request | UnitFinished | UnitDeferred | ModelAnswered
    lacks_blob: bool = False
    """The blob store does not hold what the request points to. Only whoever knows the request's key and its project can
    say whether that matters.
    """
    letter: Letter | None = None
    """The dead letter that it speaks of, while there is one."""

    @property
    def key(self) -> Key:
        """Under which a request has one effect."""
        return self.tenant, self.envelope.source, self.envelope.id


async def read(message: Msg, carrier: Carrier, blobs: Blobs) -> Incoming:
    """What a message says.

    Raises:
        Undecodable, ValidationError, GristmillError: nothing of ours; see ``described`` and ``code_of``.
        Unavailable: the blobs are away.
    """
    envelope = envelope_from(message.subject, headers_of(message), message.data)
    media = envelope.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if media != JSON:
        raise Undecodable(f"the content-type must be {JSON}", "unsupported_content_type")
    tenant, kind = _expected(envelope)
    body = await claimed(blobs, tenant, envelope)
    # A request for what nobody knows is refused; what a newer worker says besides is no reason to lose the rest.
    asked = issubclass(kind, Request)
    said = kind.model_validate_json(
        without_nul(body) if asked else body, extra="forbid" if asked else "ignore"
    )
    lacks_blob = False
    if isinstance(said, DocumentSubmitted):
        if said.blob is None:
            said = await _stored(said, tenant, blobs)
        else:
            lacks_blob = not await blobs.holds(tenant, said.blob)
    if not isinstance(said, Request | UnitFinished | UnitDeferred | ModelAnswered):
        raise TypeError(f"{envelope.type} is neither a request nor a report")
    return Incoming(carrier, message, envelope, tenant, said, lacks_blob)


def _expected(envelope: Envelope) -> tuple[str, type[BaseModel]]:
    """The tenant that a message speaks for, and its class.

    A request's tenant is in its subject, which its sender was given the right to; a worker says whose unit it did.
    """
    parts = envelope.subject.split(".")
    asks = parts[1] == "requests"
    tenant = parts[2] if asks else envelope.headers.get(TENANT, "")
    if not re.fullmatch(TENANT_PATTERN, tenant):
        raise Undecodable("the tenant is not a valid name")
    if asks and POSITION in envelope.headers:
        # Whoever may read events could have the bus deliver them here, for a tenant that is not its own.
        raise Undecodable("an event that was announced is no request", "not_a_request")
    if not asks and envelope.type in REPORTS:
        return tenant, REPORTS[envelope.type]
    if asks and envelope.type in REQUESTS:
        kind = REQUESTS[envelope.type]
        if request_subject(kind, tenant) == envelope.subject:
            return tenant, kind
        raise _misplaced(
            envelope, f"it is said on {request_subject(kind, tenant)}", "wrong_subject"
        )
    if envelope.type in EVENTS or envelope.type in REPORTS:
        raise _misplaced(envelope, "nobody outside may say it", "not_a_request")
    name, _, version = envelope.type.rpartition(".")
    others = [each for each in REQUESTS if each.rpartition(".")[0] == name]
    if others and version:
        raise _misplaced(envelope, f"known is {', '.join(others)}", "unknown_version")
    raise _misplaced(envelope, "no message has this name", "unknown_type")


def _misplaced(envelope: Envelope, why: str, code: str) -> Undecodable:
    reason = f"{envelope.type[:200]!r} is not a type that may come on {envelope.subject}: {why}"
    return Undecodable(reason, code, field="ce-type")


async def _stored(said: DocumentSubmitted, tenant: str, blobs: Blobs) -> DocumentSubmitted:
    """The same with its content as a blob."""
    if (data := _content(said)) == b"":
        raise Undecodable(f"{said.name} is empty", "empty_file", field="content")
    media = mimetypes.guess_type(said.name)[0] or BlobRef.model_fields["media"].default
    blob = await blobs.put(tenant, KIND, data, media)
    return said.model_copy(update={"blob": blob, "content": None, "content_base64": None})


def _content(said: DocumentSubmitted) -> bytes:
    if said.content_base64 is None:
        return (said.content or "").encode()
    try:
        return base64.b64decode(said.content_base64, validate=True)
    except (binascii.Error, ValueError):
        raise Undecodable(
            "content_base64 is not valid base64", "invalid_message", field="content_base64"
        ) from None


def code_of(problem: GristmillError | ValidationError) -> tuple[str, str]:
    """The code and the field that a refusal names."""
    if isinstance(problem, Undecodable):
        return problem.code, problem.field
    if isinstance(problem, GristmillError):
        return problem.code, ""
    first = problem.errors(include_input=False, include_url=False)[0]
    code = "malformed_json" if first["type"] == "json_invalid" else "invalid_message"
    return code, ".".join(map(str, first["loc"]))[:200]
