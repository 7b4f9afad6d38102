"""The answer to an operator's question for the whole at a glance. Shapes only."""

from services.gateway.shapes import QueueStats, Shape


class Rates(Shape):
    """Of the last minute."""

    events_per_second: float
    calls_per_minute: int
    entries_per_minute: int
    """Accepted ones."""


class Lags(Shape):
    """How far behind the log its readers are."""

    position: str
    """The newest of the log."""
    views_positions: int
    """Events that REST does not show yet,"""
    views_seconds: float
    """and the age of the oldest of them."""
    relay_positions: int
    """Events that the bus has not been told of yet."""


class WorkInFlight(Shape):
    service: str
    units: int
    oldest_seconds: float


class Disk(Shape):
    free_bytes: int
    """Of the disk of the data folder."""
    total_bytes: int
    database_bytes: int


class Overview(Shape):
    jobs: QueueStats
    rates: Rates
    lags: Lags
    in_flight: list[WorkInFlight]
    """Units without an outcome, by service."""
    disk: Disk
    dead_letters: int | None
    """Messages that nobody could use, of the newest 2000; none: the bus is away."""


class Replayed(Shape):
    """A replay of the log beside the live views."""

    running: bool
    folded: int
    """Events, of"""
    head: int
    rows: int
    """Rows of the live views that were compared,"""
    differences: dict[str, int]
    """and those that are in one of the two only, by table."""
    swapped: bool
    """The views were wrong, and those that were folded anew took their place."""
    problem: str | None
    """What kept it from its end."""
