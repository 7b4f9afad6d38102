"""Who may write: a row on the database's clock, checked inside every transaction.

A session lock is not leadership, since a stopped process keeps it; here a leader that was stopped finds that its epoch
is over when it tries to write.
"""

from typing import TYPE_CHECKING

from shared.errors import GristmillError

if TYPE_CHECKING:
    from shared.store import Connection, Pool


class LeadershipLost(GristmillError):
    """Another process leads, or nobody does; everything remembered must be dropped."""

    def __init__(self) -> None:
        super().__init__("leadership_lost", "This ledger no longer leads.")


async def claim(pool: "Pool", holder: str, seconds: float) -> int | None:
    """Become the leader where there is none; return the epoch, or None while another one leads."""
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
    return epoch


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


async def resign(pool: "Pool", epoch: int) -> None:
    """Let the next one lead at once."""
    await pool.execute("update ledger.leader set expires_at = '-infinity' where epoch = $1", epoch)
