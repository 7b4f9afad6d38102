"""What a handler of units gets and gives, and how what comes of a unit is reported. Does no work, says nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import orjson
from pydantic_core import PydanticSerializationError

from contracts.call import CallSettled, KeptAnswer
from contracts.entries import Exchange
from contracts.identity import event_id, outcome_id
from contracts.message import Command, Event, wire_type
from contracts.model import ModelAnswered
from contracts.unit import Body, Said, UnitDeferred, UnitFailed, UnitFinished
from shared.bus import without_nul
from shared.errors import GristmillError, Unavailable

C_co = TypeVar("C_co", bound=Command, covariant=True)


class Journal(Protocol):
    """Model answers that are recorded, for the units of one worker."""

    async def find(self, tenant: str, key: str) -> Exchange | None:
        """What was answered to a call before. Raise ``Unavailable`` where that cannot be told now."""
        ...

    async def keep(
        self, task: "Task[Any]", answers: Sequence[KeptAnswer], bodies: Sequence[Body]
    ) -> None:
        """Say answers, with the calls that the task has made so far, before its outcome is known. Return when the bus
        has them, so that no kill loses them.
        """
        ...


class NoJournal:
    """For units that call no model."""

    async def find(self, tenant: str, key: str) -> Exchange | None:
        raise LookupError(f"no journal to look for {key} of {tenant} in")

    async def keep(
        self, task: "Task[Any]", answers: Sequence[KeptAnswer], bodies: Sequence[Body]
    ) -> None:
        raise LookupError(f"no journal to keep {len(answers)} answers of {task.unit} in: {bodies}")


NO_JOURNAL = NoJournal()


@dataclass(frozen=True, slots=True)
class Task(Generic[C_co]):
    """One unit of a command, as a handler gets it."""

    command: C_co
    index: int
    tenant: str
    attempt: int
    incarnation: UUID
    may_start: Callable[[], None]
    """Raises ``Stopped`` where no further model call may start; to be asked before each."""
    crashes: int = 0
    """Earlier attempts at it that met what nobody foresaw."""
    calls: list[CallSettled] = field(default_factory=list)
    """What was paid so far: filled as calls settle, so that it is said also when the unit fails."""
    journal: Journal = NO_JOURNAL

    @property
    def unit(self) -> UUID:
        return self.command.units[self.index]

    @property
    def outcome(self) -> UUID:
        return outcome_id(self.unit, self.attempt, self.incarnation)

    def event_id(self, n: int) -> UUID:
        """The id that the n-th event of this outcome will have, for the bodies that it names."""
        return event_id(self.outcome, n)


@dataclass(frozen=True, slots=True)
class Done:
    """A unit's outcome: what happened, and the texts that came with it."""

    events: tuple[Event, ...]
    bodies: tuple[Body, ...] = ()
    answers: tuple[KeptAnswer, ...] = ()
    """What a model answered, for the journal."""


class Stopped(GristmillError):
    """No further call may start: the job was cancelled, or the ledger may think that this worker is dead."""


Handler = Callable[[Task[Any]], Awaitable[Done]]


@dataclass(frozen=True, slots=True)
class Work:
    """How one kind of command is done.

    ``share`` says how many units of one job may be under way at once in this process.
    """

    command: type[Command]
    handler: Handler
    share: Callable[[Any], int] = lambda _: 1


@dataclass(slots=True)
class Gate:
    """Units of one job under way; widened or narrowed by what the newest command says."""

    share: int
    packs: int = 0
    """Commands whose units pass here; the gate is kept as long as there are any."""
    busy: int = 0
    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    def widen(self, share: int) -> None:
        self.share = share
        self._wake()

    async def enter(self) -> None:
        while self.busy >= self.share:
            turn = asyncio.get_running_loop().create_future()
            self.waiting.append(turn)
            await turn
        self.busy += 1

    def leave(self) -> None:
        self.busy -= 1
        self._wake()

    def _wake(self) -> None:
        free = max(0, self.share - self.busy)
        for turn in self.waiting[:free]:
            if not turn.done():
                turn.set_result(None)
        del self.waiting[:free]


def finished(task: Task[Command], service: str, done: Done) -> UnitFinished:
    return UnitFinished(
        unit_id=task.unit,
        job_id=task.command.job_id,
        service=service,
        attempt=task.attempt,
        incarnation=task.incarnation,
        events=tuple(_said(event) for event in done.events),
        bodies=done.bodies,
        calls=tuple(task.calls),
        answers=done.answers,
    )


def _said(event: Event) -> Said:
    """An event as it travels. It is valid already, so walking through its JSON once more would prove nothing."""
    return Said.model_construct(type=wire_type(type(event)), data=event.model_dump(mode="json"))


def failed(
    task: Task[Command], service: str, code: str, message: str, *, fatal: bool = False
) -> UnitFinished:
    event = UnitFailed(
        unit_id=task.unit,
        command=wire_type(type(task.command)),
        code=code,
        message=message[:2000],
        fatal=fatal,
    )
    return finished(task, service, Done((event,)))


def deferred(
    task: Task[Command], service: str, away: Unavailable, *, crashed: bool = False
) -> UnitDeferred:
    return UnitDeferred(
        unit_id=task.unit,
        job_id=task.command.job_id,
        service=service,
        attempt=task.attempt,
        incarnation=task.incarnation,
        waiting_for=away.waiting_for,
        reason=away.message[:500],
        retry_after=away.retry_after,
        crashed=crashed,
        calls=tuple(task.calls),
    )


def spoken(report: UnitFinished | UnitDeferred | ModelAnswered) -> bytes:
    """A report as JSON, without what no encoder and no column takes: NUL characters go, lone surrogates are replaced.

    Texts are cleaned where they come in; what slipped through would have its unit done, and paid, again and again.
    """
    try:
        body = report.model_dump_json().encode()
    except PydanticSerializationError:
        body = orjson.dumps(_storable(report.model_dump()))
    return without_nul(body)


def _storable(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {_storable(key): _storable(each) for key, each in value.items()}
        case list() | tuple():
            return [_storable(each) for each in value]
        case _:
            return value
