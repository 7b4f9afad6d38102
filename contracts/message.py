"""What every message is: frozen, closed, and named mechanically.

A class name is the wire name. Events and requests are noun + past participle (``DocumentParsed`` is
``gristmill.document.parsed.v1``), commands are verb + noun (``ParseDocument`` is ``gristmill.document.parse.v1``);
the file is the noun's. A wire name is a promise: a changed meaning is a new class with a ``V2`` suffix and an
upcaster beside it, never an edit. This module says nothing about how messages travel or are kept.
"""

import re
from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

TENANT_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
Tenant = Annotated[str, StringConstraints(pattern=TENANT_PATTERN)]
Position = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}\.[0-9]{1,18}$")]
"""``"<era>.<n>"``: opaque outside the ledger and its readers."""

DELETION = "deletion"
"""Last word of the subject of whatever takes something away."""
CLOSED = (DELETION, "letter")
"""Last words of the subjects on which other systems have no right to say anything."""

_WORDS = re.compile(r"[A-Z][a-z0-9]*")
_VERSION = re.compile(r"V([2-9]|[1-9][0-9]+)$")


class Message(BaseModel):
    """A thing that can be said. Frozen, and closed to fields that its class does not name.

    Who reads an event or a report of another version passes over them, since a newer one may say more. In a request or
    a command they are refused, since what they ask for would not be done.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class Event(Message):
    """Something that happened, in the past tense."""


class Request(Event):
    """An event said by the outside world; the ledger answers it."""


class Command(Message):
    """Work for one service: a pack of units, each with one outcome. Only the ledger issues commands."""

    job_id: UUID
    units: tuple[UUID, ...] = Field(min_length=1)

    def only(self, units: Collection[UUID]) -> "Command":
        """This command for some of its units; a command of one unit is indivisible."""
        if not set(units).issuperset(self.units):
            raise ValueError("a command of one unit cannot be divided")
        return self


E_co = TypeVar("E_co", bound=Event, covariant=True)


class Recorded(BaseModel, Generic[E_co]):
    """An event with the place and time that the store gave it. Only the store makes one."""

    model_config = ConfigDict(frozen=True)

    event: E_co
    id: UUID
    stream: UUID
    version: int
    """Place in its stream, from 1."""
    position: str
    """Place in the log, ``"<era>.<n>"``."""
    tenant: str
    job_id: UUID | None
    """The job on whose behalf it was said; None for facts outside any job."""
    cause_id: UUID | None
    """The message that it follows from."""
    traceparent: str | None = None
    recorded_at: datetime


def name_parts(cls: type[Message]) -> tuple[str, str, int]:
    """Split a message class into (noun, verb, version).

    ``DocumentParsed`` → ("document", "parsed", 1); ``JobCancelRequested`` → ("job", "cancel_requested", 1);
    ``ParseDocument`` (a command) → ("document", "parse", 1).
    """
    name, version = cls.__name__, 1
    if found := _VERSION.search(name):
        name, version = name[: found.start()], int(found.group(1))
    words = [word.lower() for word in _WORDS.findall(name)]
    if issubclass(cls, Command):
        return words[-1], "_".join(words[:-1]), version
    return words[0], "_".join(words[1:]), version


@cache
def wire_type(cls: type[Message]) -> str:
    """The CloudEvents ``type`` of a message class."""
    noun, verb, version = name_parts(cls)
    return f"gristmill.{noun}.{verb}.v{version}"


def event_subject(cls: type[Event], tenant: str) -> str:
    """The subject under which the relay announces a recorded event."""
    noun, verb, _ = name_parts(cls)
    return f"gristmill.events.{tenant}.{noun}.{verb}"


def request_subject(cls: type[Request], tenant: str) -> str:
    """The subject on which the outside world says a request.

    What takes something away is said on ``deletion``, whatever its noun, so that the right to say it is one of its own.
    """
    noun, verb, _ = name_parts(cls)
    return f"gristmill.requests.{tenant}.{DELETION if verb == 'deletion_requested' else noun}"
