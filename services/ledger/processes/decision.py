"""What a process decides: a new state, the events that say so, the commands that follow. Pure data."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from contracts.message import Command, Event, Message

S = TypeVar("S", bound=Message)


@dataclass(frozen=True, slots=True)
class Decision(Generic[S]):
    """``events`` are recorded and folded before the process is asked again; ``commands`` are issued."""

    state: S
    events: tuple[Event, ...] = field(default=())
    commands: tuple[Command, ...] = field(default=())
    needs_documents: bool = False
    """Ask again with the documents of the job."""
    ended: bool = False
