"""The whole at a glance, for an operator: jobs, rates, lags, work in flight, disk. Counted now; remembers nothing."""

import asyncio
import shutil
from pathlib import Path

from services.gateway import dead_letters, queueing
from services.gateway.deps import Deps
from services.gateway.overview_shapes import Disk, Lags, Overview, Rates, WorkInFlight
from shared.errors import Unavailable


async def overview(deps: Deps) -> Overview:
    reads = deps.store.overview
    folded = deps.reached.position.n
    pace, lags = await reads.pace(), await reads.lags(folded)
    return Overview(
        jobs=await queueing.stats(deps),
        rates=Rates(
            events_per_second=round(pace.events / 60, 1),
            calls_per_minute=pace.calls,
            entries_per_minute=pace.accepted,
        ),
        lags=Lags(
            position=str(lags.head),
            views_positions=lags.views,
            views_seconds=round(lags.views_seconds, 3),
            relay_positions=lags.relay,
        ),
        in_flight=[
            WorkInFlight(
                service=each.service,
                units=each.units,
                oldest_seconds=round(each.oldest_seconds, 1),
            )
            for each in await reads.in_flight()
        ],
        disk=await _disk(deps, await reads.size()),
        dead_letters=await _dead(deps),
    )


async def _dead(deps: Deps) -> int | None:
    try:
        found, _ = await dead_letters.newest(deps)
    except Unavailable:
        return None
    return len(found)


def _usage(folder: Path) -> "shutil._ntuple_diskusage":
    """Of the disk that the folder is on, or will be on."""
    path = folder.absolute()
    return shutil.disk_usage(next(each for each in (path, *path.parents) if each.exists()))


async def _disk(deps: Deps, database: int) -> Disk:
    """Of the data folder, which holds the blobs and the embedded servers; blobs in S3 have no disk here."""
    usage = await asyncio.to_thread(_usage, Path(deps.settings.data))
    return Disk(free_bytes=usage.free, total_bytes=usage.total, database_bytes=database)
