"""Dead letters: messages that nobody could use, read where the bus keeps them. Judges none of them.

A stream that is made anew counts from 1 again, so a letter's name says when it was kept beside its number, and a name
from before finds nothing. Only ``STREAM.MSG.GET`` is asked: whoever may make consumers, or have messages sent as they
are, could have the bus speak where they may not speak themselves.
"""

import asyncio
import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import nats.errors
import orjson
from nats.aio.client import Client
from pydantic import BaseModel, ValidationError

from contracts.message import TENANT_PATTERN
from shared.burying import CODE, REASON, SIZE, SUBJECT
from shared.bus import TENANT
from shared.errors import Unavailable

STREAM = "DEAD"
RETRY_OF = "gristmill-retry-of"
"""Header of a letter that was said again: which it was."""
MOST = 2000
"""Letters that are looked at, the newest."""
AT_ONCE = 32
PATIENCE = 2.0
NAME = r"^[0-9]{13,16}-[0-9]{1,19}$"

_NOT_FOUND = 10037
_STREAM_NOT_FOUND = 10059


@dataclass(frozen=True, slots=True)
class Letter:
    """One of them, whole."""

    seq: int
    at: datetime
    service: str
    """Who buried it."""
    headers: Mapping[str, str]
    """Of the message, and why it lies here; names in lower case."""
    body: bytes

    @property
    def name(self) -> str:
        """``<milliseconds>-<sequence>``"""
        return f"{int(self.at.timestamp() * 1000)}-{self.seq}"

    @property
    def subject(self) -> str:
        """Where it was said."""
        return self.headers.get(SUBJECT, "")

    @property
    def type(self) -> str:
        return self.headers.get("ce-type", "")

    @property
    def message_id(self) -> str:
        return self.headers.get("ce-id", "")

    @property
    def reason(self) -> str:
        return self.headers.get(REASON, "")

    @property
    def code(self) -> str:
        return self.headers.get(CODE, "")

    @property
    def size(self) -> int:
        """Bytes of its body, of which a part may have been kept."""
        said = self.headers.get(SIZE, "")
        return int(said) if re.fullmatch("[0-9]{1,15}", said) else len(self.body)

    @property
    def is_whole(self) -> bool:
        return self.size == len(self.body)

    @property
    def tenant(self) -> str:
        """Whose it is; that of one machine where it does not say so."""
        parts = self.subject.split(".")
        found = parts[2] if parts[:2] == ["gristmill", "requests"] and len(parts) > 2 else ""
        found = found or self.headers.get(TENANT, "")
        return found if re.fullmatch(TENANT_PATTERN, found) else "default"

    def named(self) -> "Named":
        """The job and the units that it names, where it names any."""
        try:
            return Named.model_validate_json(self.body)
        except ValidationError:
            return Named()


class Named(BaseModel):
    """What a body may name, whatever else it says."""

    job_id: UUID | None = None
    unit_id: UUID | None = None
    units: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """How the stream is."""

    created: str
    first: int
    last: int
    messages: int
    missing: frozenset[int]


@dataclass(frozen=True, slots=True)
class Listed:
    """A letter without its body."""

    seq: int
    name: str
    at: datetime
    service: str
    subject: str
    type: str
    message_id: str
    reason: str
    code: str
    size: int
    tenant: str
    job_id: UUID | None
    retry_of: str | None

    @classmethod
    def of(cls, letter: Letter) -> "Listed":
        return cls(
            seq=letter.seq, name=letter.name, at=letter.at, service=letter.service,
            subject=letter.subject, type=letter.type, message_id=letter.message_id,
            reason=letter.reason, code=letter.code, size=letter.size, tenant=letter.tenant,
            job_id=letter.named().job_id, retry_of=letter.headers.get(RETRY_OF),
        )  # fmt: skip


class Letters:
    """The newest letters. What was read once is remembered, since none ever changes; bodies are not."""

    def __init__(self) -> None:
        self._created = ""
        self._known: dict[int, Listed] = {}

    async def newest(self, client: Client, tenant: str) -> tuple[list[Listed], bool]:
        """Letters of a tenant, the newest first; and whether there are older ones, of anybody, that were not looked at.

        Raises ``Unavailable`` where the bus is away.
        """
        kept = await _kept(client)
        if kept.created != self._created:
            self._created, self._known = kept.created, {}
        lowest = max(kept.first, kept.last - MOST + 1)
        wanted = [seq for seq in range(lowest, kept.last + 1) if seq not in kept.missing]
        new = [seq for seq in wanted if seq not in self._known]
        for start in range(0, len(new), AT_ONCE):
            found = await asyncio.gather(*(read(client, seq) for seq in new[start:][:AT_ONCE]))
            self._known |= {each.seq: Listed.of(each) for each in found if each is not None}
        self._known = {seq: self._known[seq] for seq in wanted if seq in self._known}
        own = [each for each in reversed(self._known.values()) if each.tenant == tenant]
        return own, kept.messages > len(wanted)


async def letter(client: Client, name: str) -> Letter | None:
    """The letter of that name, if it is still there. Raise ``Unavailable`` where the bus is away."""
    if not re.fullmatch(NAME, name):
        return None
    found = await read(client, int(name.partition("-")[2]))
    return found if found is not None and found.name == name else None


async def read(client: Client, seq: int) -> Letter | None:
    answer = await _asked(client, "STREAM.MSG.GET", {"seq": seq})
    said = answer.get("message")
    if said is None:
        return None
    return Letter(
        seq=said["seq"],
        at=datetime.fromisoformat(said["time"]).astimezone(UTC),
        service=str(said["subject"]).rpartition(".")[2],
        headers=_headers(base64.b64decode(said.get("hdrs", ""))),
        body=base64.b64decode(said.get("data", "")),
    )


async def drop(client: Client, seq: int) -> None:
    """Take a letter away; one that is gone stays so."""
    await _asked(client, "STREAM.MSG.DELETE", {"seq": seq, "no_erase": True})


async def _kept(client: Client) -> Kept:
    answer = await _asked(client, "STREAM.INFO", {"deleted_details": True})
    state = answer.get("state", {})
    return Kept(
        created=answer.get("created", ""),
        first=state.get("first_seq", 0),
        last=state.get("last_seq", 0),
        messages=state.get("messages", 0),
        missing=frozenset(state.get("deleted") or ()),
    )


async def _asked(client: Client, what: str, question: Mapping[str, object]) -> dict[str, Any]:
    """What the bus answers; nothing where it has no such message, or no such stream yet."""
    try:
        said = await client.request(
            f"$JS.API.{what}.{STREAM}", orjson.dumps(question), timeout=PATIENCE
        )
    except (nats.errors.Error, TimeoutError, OSError) as problem:
        raise _away(type(problem).__name__) from None
    answer: dict[str, Any] = orjson.loads(said.data)
    error = answer.get("error")
    if error is not None and error.get("err_code") not in (_NOT_FOUND, _STREAM_NOT_FOUND, 10043):
        raise _away(str(error.get("description"))[:200])
    return answer


def _away(why: str) -> Unavailable:
    return Unavailable(
        "dead_letters_unavailable",
        f"The bus, which keeps the dead letters, does not answer ({why}).",
        waiting_for="the event bus",
        retry_after=2,
    )


def _headers(block: bytes) -> dict[str, str]:
    """A block of headers; the first line says the protocol's version."""
    found = {}
    for line in block.split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            found[name.strip().decode("ascii", "replace").lower()] = value.strip().decode(
                "utf-8", "replace"
            )
    return found
