"""A forked dataset as the API shows it: its parent's entries as they were, whatever becomes of the parent."""

from uuid import UUID, uuid5

from contracts.dataset import DatasetDeleted
from contracts.entries import EntriesAdmitted, EntriesCurated
from contracts.generation import GenerationPlanned, GenerationRequested
from contracts.identity import dataset_id, entry_id, seed_unit
from contracts.job import (
    ForkedProgress,
    ForkedRound,
    JobForked,
    JobForkRequested,
)
from contracts.message import wire_type
from tests.services.gateway.fake_ledger import FakeLedger
from tests.services.gateway.listening import Gateway
from tests.services.gateway.story import JOB, PROJECT, Line, Story

PARENT = dataset_id(JOB)


def forked(story: Story, at: str, **more: int) -> JobForked:
    (plan,) = [e.event.plan for e in story.lines if isinstance(e.event, GenerationPlanned)]
    counts = {"done": 3, "generated": 6, "accepted": 0, "surplus": 0} | more
    had = ForkedProgress(
        rounds=(ForkedRound(plan=plan, first=0, seeds=4, accepted_before=0),),
        asked=12, chunks=4, skipped={}, rejected={}, extended=True, generated_at=9, uncurated=(),
        curated_at=0, admitted_to=0, **counts,
    )  # fmt: skip
    request = GenerationRequested(project_id=PROJECT, name="fork")
    return JobForked(
        parent=JOB, at=at, job_version=9, dataset_version=3, request=request, documents=1,
        waiting=0, progress=had,
    )  # fmt: skip


async def begin(gateway: Gateway, ledger: FakeLedger, name: str, event: JobForked) -> UUID:
    job = uuid5(JOB, name)
    await gateway.seen(await ledger.append([Line(job, "generation", event, job)], salt=name))
    return job


async def place(ledger: FakeLedger, kind: type[EntriesCurated | EntriesAdmitted]) -> int:
    """Of the first event of this class that the parent's dataset has."""
    found: int = await ledger.pool.fetchval(
        "select min(pos) from ledger.events where stream_id = $1 and type = $2",
        PARENT,
        wire_type(kind),
    )
    return found


async def statuses(gateway: Gateway, dataset: UUID) -> dict[str, int]:
    page = await gateway.get(f"/datasets/{dataset}/entries?status=all&per_page=100")
    found = [entry["status"] for entry in page["entries"]]
    return {status: found.count(status) for status in sorted(set(found))}


async def test_a_fork_has_its_parents_entries_as_they_stood_and_outlives_it(
    gateway: Gateway, told: Story, ledger: FakeLedger
) -> None:
    head: int = await ledger.pool.fetchval("select head from ledger.logs")
    newest = await begin(
        gateway, ledger, "newest", forked(told, f"1.{head}", accepted=3, surplus=1)
    )
    judged = await place(ledger, EntriesAdmitted) - 1
    early = await begin(gateway, ledger, "early", forked(told, f"1.{judged}"))
    unread = await place(ledger, EntriesCurated) - 1
    first = await begin(gateway, ledger, "first", forked(told, f"1.{unread}"))

    whole = await statuses(gateway, PARENT)
    assert await statuses(gateway, dataset_id(newest)) == whole
    between = await statuses(gateway, dataset_id(early))
    assert set(between) == {"curated", "rejected"}
    assert set(await statuses(gateway, dataset_id(first))) == {"generated"}

    status = await gateway.get(f"/jobs/status/{newest}")
    assert status["status"] == "running"
    counts = status["result"]["counts"]
    assert (counts["seeds"], counts["done"], counts["accepted"]) == (4, 3, 3)
    shared = entry_id(seed_unit(JOB, 0), 0, 0)

    # The fork judges what it took over; the parent's own verdicts stay.
    took = EntriesAdmitted(
        dataset_id=dataset_id(early), after=0, through=1, accepted=(shared,), duplicates=(), surplus=()
    )  # fmt: skip
    line = Line(dataset_id(early), "dataset", took, early)
    await gateway.seen(await ledger.append([line], salt="took"))
    assert (await statuses(gateway, dataset_id(early)))["accepted"] == 1
    assert await statuses(gateway, PARENT) == whole

    gone = DatasetDeleted(dataset_id=PARENT, project_id=PROJECT, job_id=JOB)
    line = Line(PARENT, "dataset", gone, JOB)
    await gateway.seen(await ledger.append([line], salt="gone"))
    assert await statuses(gateway, dataset_id(newest)) == whole
    chain = await gateway.get(f"/entries/{shared}")
    assert chain["entry"]["status"] == "accepted"
    assert chain["source"]["file_name"] == "mill.txt"


async def test_a_job_is_forked_by_the_api(
    gateway: Gateway, rivers: str, ledger: FakeLedger
) -> None:
    job = (await gateway.post("/datasets/generate", {"project_id": rivers}))["job_id"]
    said = await gateway.post(f"/jobs/fork/{job}", {"position": "1.7", "name": "x"}, key="f")
    assert said["dataset_id"] == str(dataset_id(UUID(said["job_id"])))
    asked = JobForkRequested(target=UUID(job), position="1.7", name="x")
    assert ledger.asked[-1] == ("f", asked)
    await gateway.post(f"/jobs/fork/{job}", None)
    assert ledger.asked[-1][1] == JobForkRequested(target=UUID(job))
    refused = await gateway.post(f"/jobs/fork/{job}", {"position": "yesterday"}, 400)
    assert (refused["code"], refused["field"]) == ("invalid_position", "position")
    nobody = UUID(int=9)
    refused = await gateway.post(f"/jobs/fork/{nobody}", None, 404)
    assert refused["detail"] == f"Job {nobody} not found or cannot be forked"
