"""What a run left behind, as plain values: the log, the tables, the bus, the views, the model's own account.

An edge (``reading``) gathers them, ``checker`` judges them, and a test may edit them to plant a violation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contracts.message import Event, Recorded

JOBS = ("arrival", "processing", "generation", "export")
"""Kinds of streams that are jobs."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation: the rule that is broken, and where."""

    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.what}"


@dataclass(frozen=True, slots=True)
class Stream:
    """A row of ``ledger.streams``."""

    kind: str
    version: int
    open: bool
    state: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody was told: that a request is recorded, or that it is queued. ``id``: what it began or concerns."""

    what: str
    """``project``, ``document``, ``job``, or ``word`` (a request about something that is there already)."""
    id: UUID
    recorded: bool
    at: float


@dataclass(frozen=True, slots=True)
class Unit:
    """A row of ``ledger.work`` that is left."""

    unit: UUID
    job: UUID
    service: str
    done: bool


@dataclass(frozen=True, slots=True)
class Dead:
    """A message of stream DEAD: the id that its sender gave it, and why it is there."""

    id: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A call as the simulated model saw it; see ``tests.simulator.tally.Seen``."""

    request: str
    call: str | None
    by: str
    begin: float
    end: float | None
    outcome: str | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class Fault:
    """What was done to whom, and when, in seconds since the epoch. ``kind``: see ``nemesis``."""

    kind: str
    target: str
    at: float
    until: float
    lost_since: float | None = None
    """Of a bus that lost its store: what it took since then is gone."""


Rows = Mapping[str, tuple[Any, ...]]
"""A table: its rows by their keys, as text."""


@dataclass(frozen=True, slots=True)
class Facts:
    events: tuple[Recorded[Event], ...]
    """In the order of their positions."""
    head: int
    streams: Mapping[UUID, Stream]
    told: tuple[Told, ...] = ()
    work: tuple[Unit, ...] = ()
    commands: tuple[tuple[UUID, UUID], ...] = ()
    """That are left, each with its job."""
    waiting: Mapping[str, int] = field(default_factory=dict)
    """Messages left in the work queues, by stream."""
    relayed: int = 0
    """Position to which events were announced."""
    dead: tuple[Dead, ...] = ()
    poison: frozenset[str] = frozenset()
    """Ids of the messages that must be among the dead."""
    refused: frozenset[str] = frozenset()
    """Ids of requests that were refused, which are kept there too."""
    views: Mapping[str, Rows] = field(default_factory=dict)
    rebuilt: Mapping[str, Rows] = field(default_factory=dict)
    bodies: frozenset[UUID] = frozenset()
    answers: Mapping[UUID, tuple[str, ...]] = field(default_factory=dict)
    """Ids of the model's answers that a ``CallBody`` holds, by the body's id."""
    missing_blobs: tuple[str, ...] = ()
    """Blobs that an event names and the store does not hold."""
    seen: tuple[Seen, ...] = ()
    faults: tuple[Fault, ...] = ()
