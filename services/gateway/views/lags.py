"""How far the views are behind the log, and what room is left for more: looked up when somebody asks for metrics."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from services.gateway.views.projector import Reached
from shared.errors import Unavailable
from shared.store import LOG
from shared.telemetry.metrics import DISK_FREE, VIEW_POSITIONS, VIEW_SECONDS, Sample

if TYPE_CHECKING:
    from services.gateway.views.reads import Queries


async def lags(queries: "Queries", reached: Reached, data: Path) -> Sequence[Sample]:
    """Nothing of the views while the store is away."""
    usage = await asyncio.to_thread(shutil.disk_usage, data)
    found = [Sample(DISK_FREE, float(usage.free))]
    position = reached.position
    try:
        row = await queries.row(
            """
            select head, (
                select extract(epoch from clock_timestamp() - recorded_at)::float8
                from ledger.events e where e.log_id = l.log_id and pos = $2
            ) as age
            from ledger.logs l where log_id = $1
            """,
            LOG,
            position.n + 1,
        )
    except Unavailable:
        return found
    if row is not None:
        behind = max(0, row["head"] - position.n)
        found.append(Sample(VIEW_POSITIONS, float(behind)))
        found.append(Sample(VIEW_SECONDS, max(0.0, row["age"] or 0.0) if behind else 0.0))
    return found
