"""Results that came too late to count."""

from uuid import UUID

from contracts.message import Event


class ResultIgnored(Event):
    """An outcome came for a unit that had one, or whose job had ended."""

    unit_id: UUID
    attempt: int
    incarnation: UUID
