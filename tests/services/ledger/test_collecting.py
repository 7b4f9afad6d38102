"""Blobs that nothing names go after a grace time; nothing that the log, a plan or a waiting message names does."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.blob import BlobRef
from contracts.document import DocumentAdded, DocumentParsed, DocumentSubmitted
from contracts.entries import EntriesCurated, EntriesGenerated, GenerateEntries
from contracts.generation import GenerationRequested, GenerationSettings, PlanGeneration, PlanPage
from contracts.message import wire_type
from services.ledger.collecting import (
    NAMED,
    Collector,
    Horizon,
    SharedStore,
    goes,
    horizon,
    kept_by_the_bus,
)
from services.ledger.leadership import Lease
from services.ledger.references import Digests, References, nameless
from shared.blobs import FolderBlobs, Held
from shared.clock import monotonic, now
from shared.errors import Unavailable
from shared.plans import keep_plan
from shared.worker import Done, Task, Work
from tests.services.ledger.mill import Mill, job, plan

DAY = timedelta(days=1)
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def collector(mill: Mill, blobs: FolderBlobs | None = None) -> tuple[Collector, References, Lease]:
    blobs = blobs or mill.blobs
    lease = Lease(1, 3600, monotonic())
    made = Collector(mill.pool, mill.client, blobs, mill.settings("ledger"))
    return made, References(mill.pool, blobs), lease


def aged(mill: Mill, ref: BlobRef, days: float = 2) -> BlobRef:
    """The same blob, put so long ago."""
    put = (now() - days * DAY).timestamp()
    os.utime(mill.blobs.path("default", ref), (put, put))
    return ref


async def put(mill: Mill, kind: str, text: str, days: float = 2) -> BlobRef:
    return aged(mill, await mill.blobs.put("default", kind, text.encode(), "text/plain"), days)


async def test_what_nothing_names_goes_and_what_the_log_names_stays(mill: Mill) -> None:
    pages = [PlanPage(first=n, documents=(), seeds=()) for n in range(3)]
    plans: list[BlobRef] = []

    async def planned(task: Task[PlanGeneration]) -> Done:
        plans.append(await keep_plan(mill.blobs, "default", 0, pages))
        (event,) = (await plan(task)).events
        return Done((event.model_copy(update={"plan": plans[-1]}),))

    mill.documents()
    share = Work(GenerateEntries, mill.generate, lambda command: command.share)
    mill.worker("generate", Work(PlanGeneration, planned), share)
    mill.curation()
    await mill.ledger()
    project = await mill.project()
    document = await mill.blobs.put("default", "document", b"3", "text/plain")
    await mill.ask(DocumentSubmitted(project_id=project, name="a.txt", blob=document))
    request = GenerationRequested(project_id=project, settings=GenerationSettings())
    await mill.ended(job(await mill.ask(request)))
    await mill.stop_ledger()
    left = """
        select (select count(*) from ledger.work) + (select count(*) from ledger.commands)
            + (select count(*) from ledger.interests)
    """
    assert await mill.pool.fetchval(left) == 0
    named = [document, plans[0]] + [
        await mill.blobs.put("default", "plan", page.model_dump_json().encode(), "text/plain")
        for page in pages
    ]
    for ref in named:
        aged(mill, ref)
    waste = [await put(mill, kind, f"nobody names this {kind}") for kind in NAMED]
    kept = [await put(mill, "prompt", "named in bodies"), await put(mill, "message", "on the bus")]
    young = [await put(mill, kind, f"not named yet: {kind}", days=0.5) for kind in NAMED]
    old = await put(mill, "message", "forgotten by the bus", days=40)

    collect, references, lease = collector(mill)
    done = await collect.collect(references, lease)

    assert done.blobs == len(waste) + 1
    assert done.size == sum(ref.size for ref in (*waste, old))
    assert not any([await mill.blobs.holds("default", ref) for ref in (*waste, old)])
    assert all([await mill.blobs.holds("default", ref) for ref in (*named, *kept, *young)])
    assert (await collect.collect(references, lease)).blobs == 0


async def test_a_blob_that_is_named_late_stays(mill: Mill) -> None:
    await mill.ledger()
    project = await mill.project()
    late = await put(mill, "document", "7")
    collect, references, lease = collector(mill)
    await references.catch_up()
    await mill.ask(DocumentSubmitted(project_id=project, name="late.txt", blob=late))

    assert (await collect.collect(references, lease)).blobs == 0

    assert await mill.blobs.holds("default", late)


async def test_what_was_put_before_the_oldest_dead_letter_stays(mill: Mill) -> None:
    await mill.ledger()
    await mill.project()
    perhaps = await put(mill, "text", "the outcome that names it lies dead")
    await mill.client.jetstream().publish("gristmill.dead.ingest", b"{}")

    class Long(Collector):
        """Finds that a letter has lain for as long as the blob."""

        async def _waiting(self) -> datetime | None:
            found = await super()._waiting()
            assert found is not None
            return found - 2 * DAY

    _, references, lease = collector(mill)
    collect = Long(mill.pool, mill.client, mill.blobs, mill.settings("ledger"))

    assert (await collect.collect(references, lease)).blobs == 0
    assert await mill.blobs.holds("default", perhaps)


async def test_a_round_that_is_cut_off_is_ended_by_the_next(mill: Mill) -> None:
    class Failing(FolderBlobs):
        removed = 0

        async def remove(self, held: Held) -> bool:
            if self.removed == 2:
                raise Unavailable("blobs_unavailable", "Away.", waiting_for="it", retry_after=1)
            self.removed += 1
            return await super().remove(held)

    await mill.ledger()
    await mill.project()
    waste = [await put(mill, "text", f"waste {n}") for n in range(5)]

    collect, references, lease = collector(mill, Failing(mill.settings("ledger").data / "blobs"))
    with pytest.raises(Unavailable):
        await collect.collect(references, lease)
    assert sum([await mill.blobs.holds("default", ref) for ref in waste]) == 3
    collect, references, lease = collector(mill)
    assert (await collect.collect(references, lease)).blobs == 3


async def test_nothing_is_collected_where_another_log_keeps_its_blobs_too(mill: Mill) -> None:
    await mill.ledger()
    await mill.project()
    waste = await put(mill, "text", "perhaps the other one's")
    other = await mill.blobs.put("default", "log", b"another log", "text/plain")

    collect, references, lease = collector(mill)
    with pytest.raises(SharedStore, match=other.sha256):
        await collect.collect(references, lease)

    assert await mill.blobs.holds("default", waste)


async def test_the_leading_ledger_collects(mill: Mill, tmp_path: Path) -> None:
    waste = await put(mill, "text", "waste")
    left = tmp_path / "blobs/incoming/left"
    left.write_bytes(b"half of a bl")
    os.utime(left, (0, 0))
    await mill.ledger(blob_grace=0.2)
    await mill.project()

    await mill.until(lambda: not mill.blobs.path("default", waste).exists() and not left.exists())


def test_what_waits_on_the_bus_holds_the_time_still() -> None:
    waits = NOON - timedelta(days=3)

    assert horizon(NOON, None, DAY, 37 * DAY) == Horizon(NOON - DAY, NOON - 38 * DAY)
    assert horizon(NOON, waits, DAY, 37 * DAY) == Horizon(waits - DAY, waits - 38 * DAY)
    assert kept_by_the_bus() == 37 * DAY


def test_kinds_that_are_not_known_to_be_named_by_events_stay() -> None:
    class Nothing(References):
        def __init__(self) -> None:
            """Knows no name."""

        def __contains__(self, sha256: str) -> bool:
            return False

    for kind in ("prompt", "log", "something-newer"):
        held = Held("default", kind, "a" * 64, 1, NOON - 400 * DAY)
        assert not goes(held, horizon(NOON, None, DAY, DAY), Nothing())


def test_events_that_hold_entries_are_not_searched_for_names() -> None:
    skipped = set(nameless())

    assert {wire_type(each) for each in (EntriesGenerated, EntriesCurated)} <= skipped
    assert not skipped & {wire_type(each) for each in (DocumentAdded, DocumentParsed)}


@given(st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex)))
def test_every_digest_that_was_added_is_found(digests: list[str]) -> None:
    found = Digests()
    new = [each for each in digests if found.add(each)]

    assert all(each in found for each in digests)
    assert len(found) == len(new) == len({each[:16] for each in digests})
    assert "f" * 63 + "e" not in Digests()
