"""Nothing more is begun while space is short; what waits for it says so and goes on by itself."""

import pytest

from contracts.entries import EntriesGenerated
from contracts.job import JobCompleted, JobResumed, JobWaiting
from services.ledger.space import Disk, Fill, shortage
from tests.services.ledger.mill import Mill

MB = 1 << 20


@pytest.mark.parametrize(
    ("found", "short", "why"),
    [
        ([], False, None),
        ([Fill("q", 80, 100)], False, None),
        ([Fill("q", 81, 100)], False, "q is 81% full"),
        ([Fill("q", 75, 100)], True, "q is 75% full"),
        ([Fill("q", 70, 100)], True, None),
        ([Disk("d", 100 * MB, 100 * MB)], False, None),
        ([Disk("d", 99 * MB, 100 * MB)], False, "d has 99 MB left, of which 100 MB are kept free"),
        (
            [Disk("d", 124 * MB, 100 * MB)],
            True,
            "d has 124 MB left, of which 100 MB are kept free",
        ),
        ([Disk("d", 125 * MB, 100 * MB)], True, None),
        ([Fill("q", 1, 100), Fill("r", 9, 10)], False, "r is 90% full"),
    ],
)
def test_what_counts_as_short(found: list[Fill | Disk], short: bool, why: str | None) -> None:
    assert shortage(found, short=short) == why


async def test_a_job_waits_for_space_and_goes_on_when_there_is_some(mill: Mill) -> None:
    await mill.ledger(least_free=1 << 60)
    mill.documents()
    mill.generation()
    job = await mill.generate_from(30)

    async def waits() -> bool:
        return bool(await mill.said(JobWaiting, job))

    await mill.until(waits)
    [waiting] = await mill.said(JobWaiting, job)
    assert waiting.waiting_for == "space"
    assert "the disk of the data folder has" in waiting.reason
    other = await mill.generate_from(2)

    async def other_waits() -> bool:
        return bool(await mill.said(JobWaiting, other))

    await mill.until(other_waits)
    assert (await mill.state(job))["waiting_for"] == "space"
    assert len(await mill.said(EntriesGenerated, job)) < 30

    await mill.stop_ledger()
    await mill.ledger(least_free=0)
    assert await mill.ended(job, other) == [JobCompleted(), JobCompleted()]
    resumed = await mill.said(JobResumed)
    assert {each.waited_for for each in resumed} == {"space"}
