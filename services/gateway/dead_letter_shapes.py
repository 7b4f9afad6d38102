"""What the API says of dead letters. Shapes only."""

from datetime import datetime
from typing import Literal

from pydantic import JsonValue

from services.gateway.shapes import Shape


class DeadLetter(Shape):
    """A message that nobody could use."""

    id: str
    service: str
    """Who gave it up."""
    subject: str
    """Where it had been said."""
    type: str
    message_id: str
    code: str
    reason: str
    buried_at: datetime
    size: int
    """Bytes of its body."""
    job_id: str | None
    retry_of: str | None
    """The dead letter that it had been before it was said again."""


class DeadLetters(Shape):
    dead_letters: list[DeadLetter]
    total: int
    """Of those that were looked at: the newest 2000 of the bus."""
    older: bool
    """There are more, which are not looked at until newer ones are dropped."""
    page: int
    per_page: int


class DeadLetterWhole(DeadLetter):
    headers: dict[str, str]
    """Secrets are masked."""
    encoding: Literal["json", "text", "hex"]
    body: JsonValue
    """JSON, a text, or bytes in hexadecimal."""
    truncated: bool
    """``body`` is only its beginning."""


class DeadLetterDone(Shape):
    id: str
    message: str
