"""Who may write: a row on the database's clock, checked inside every transaction.

A session lock is not leadership, since a stopped process keeps it; here a leader that was stopped finds that its epoch
is over when it tries to write. What cannot be checked there, since it goes to the bus, is checked against the leader's
own monotonic clock, which goes on while a process is stopped.
"""

from typing import TYPE_CHECKING

from shared.appending import Appending
from shared.clock import monotonic
from shared.errors import GristmillError
from shared.store import LOG, Position

if TYPE_CHECKING:
    from shared.store import Connection, Pool


class LeadershipLost(GristmillError):
    """Another process leads, or nobody does; everything remembered must be dropped."""

    def __init__(self) -> None:
        super().__init__("leadership_lost", "This ledger no longer leads.")


class Lease:
    """An epoch, and until when nobody else can have begun another: counted from before each question was asked."""

    def __init__(self, epoch: int, seconds: float, began: float) -> None:
        self.epoch = epoch
        self.seconds = seconds
        self._until = began + seconds

    def prolonged(self, began: float) -> None:
        """A transaction that confirmed the epoch, and was begun then, was committed."""
        self._until = max(self._until, began + self.seconds)

    def check(self) -> None:
        """Raise ``LeadershipLost`` where another one may lead: to be asked before anything is said on the bus."""
        if monotonic() >= self._until:
            raise LeadershipLost


async def claim(pool: "Pool", holder: str, seconds: float) -> Lease | None:
    """Become the leader where there is none; None while another one leads."""
    began = monotonic()
    epoch: int | None = await pool.fetchval(
        """
        update ledger.leader
        set epoch = epoch + 1, holder = $1,
            expires_at = clock_timestamp() + make_interval(secs => $2)
        where expires_at < clock_timestamp() returning epoch
        """,
        holder,
        seconds,
    )
    return None if epoch is None else Lease(epoch, seconds, began)


async def keep(pool: "Pool", lease: Lease) -> None:
    """Prolong a leadership while nothing is recorded. Raise ``LeadershipLost``."""
    began = monotonic()
    async with pool.acquire() as connection, connection.transaction():
        await confirm(connection, lease.epoch, lease.seconds)
    lease.prolonged(began)


async def confirm(connection: "Connection", epoch: int, seconds: float) -> None:
    """Prolong this epoch and hold its row until the transaction ends. Raise ``LeadershipLost``."""
    held = await connection.fetchval(
        """
        update ledger.leader set expires_at = clock_timestamp() + make_interval(secs => $2)
        where epoch = $1 and expires_at >= clock_timestamp() returning true
        """,
        epoch,
        seconds,
    )
    if not held:
        raise LeadershipLost


async def begin(connection: "Connection", epoch: int, seconds: float) -> Appending:
    """Prolong this epoch and take the log's lock, in one statement; both are held until the transaction ends. Raise
    ``LeadershipLost``.
    """
    log = await connection.fetchrow(
        """
        with held as (
            update ledger.leader set expires_at = clock_timestamp() + make_interval(secs => $2)
            where epoch = $1 and expires_at >= clock_timestamp() returning true
        )
        select era, head, clock_timestamp() as now from held, ledger.logs where log_id = $3
        for update of logs
        """,
        epoch,
        seconds,
        LOG,
    )
    if log is None:
        raise LeadershipLost
    return Appending(connection, Position(log["era"], log["head"]), log["now"])


async def resign(pool: "Pool", epoch: int) -> None:
    """Let the next one lead at once."""
    await pool.execute("update ledger.leader set expires_at = '-infinity' where epoch = $1", epoch)
