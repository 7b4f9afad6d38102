"""Dead letters: messages that nobody could use, said again or dropped by an operator."""

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from contracts.message import Event, Request

LetterName = Annotated[str, StringConstraints(pattern=r"^[0-9]{13,16}-[0-9]{1,19}$")]
"""When it was kept, in milliseconds, and its number among the dead."""


class LetterRetryRequested(Request):
    """Somebody asked for a dead letter to be said again."""

    letter: LetterName


class LetterDropRequested(Request):
    """Somebody asked for a dead letter to be taken away."""

    letter: LetterName


class LetterRetried(Event):
    """A dead letter was said again where it had been said, or, for a command, its units were issued again."""

    letter: str
    subject: str
    """Where the message had been said."""
    type: str
    message_id: str
    code: str
    reason: str
    """Why it was buried."""
    units: tuple[UUID, ...] = ()
    """Of a command: units that had no outcome yet and are issued again."""


class LetterDropped(Event):
    """A dead letter was taken away."""

    letter: str
    subject: str
    type: str
    message_id: str
    code: str
    reason: str
