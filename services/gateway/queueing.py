"""The queue of jobs in figures: what the views count, who works, and what this machine has to do."""

from functools import cache

import psutil

from services.gateway.deps import Deps
from services.gateway.shapes import QueueStats

MB = 1024 * 1024


async def stats(deps: Deps) -> QueueStats:
    """Counted now. ``scheduled_jobs`` and ``retrying_jobs`` are 0, because no job is ever in such a state: units are
    tried again, jobs are not.
    """
    found = await deps.store.jobs.totals()
    waiting = found.pop("waiting")
    workers = deps.workers.alive()
    return QueueStats(
        pending_jobs=found.get("pending", 0),
        running_jobs=found.get("running", 0),
        paused_jobs=found.get("paused", 0),
        scheduled_jobs=0,
        completed_jobs=found.get("completed", 0),
        failed_jobs=found.get("failed", 0),
        cancelled_jobs=found.get("cancelled", 0),
        retrying_jobs=0,
        waiting_jobs=waiting,
        total_jobs=sum(found.values()),
        queue_type="jetstream",
        cache_size=len(deps.rates),
        cpu_usage_percent=psutil.cpu_percent(),
        memory_usage_mb=round(_this_process().memory_info().rss / MB, 1),
        active_workers=sum(len(each) for each in workers.values()),
        units_in_hand=sum(sum(each.values()) for each in workers.values()),
        workers={name: len(each) for name, each in sorted(workers.items())},
        listeners=deps.broadcasts.listeners,
        global_max_concurrent_jobs=deps.settings.most_jobs,
    )


@cache
def _this_process() -> psutil.Process:
    return psutil.Process()
