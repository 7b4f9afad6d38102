"""The fold: events in, rows out. Any split into batches gives the same rows, and the rows say what happened."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from contracts.call import CallSettled
from contracts.chunks import ChunksDeleted
from contracts.dataset import DatasetDeleted, NotLaid
from contracts.document import Chunking, DocumentDeleted
from contracts.identity import dataset_id, entry_id, job_id, seed_unit
from contracts.message import Event, Recorded
from contracts.project import ProjectDeleted
from contracts.unit import UnitFailed
from services.gateway.views.batch import Change, Forget, Inherit, Operation, Put, Step, merged
from services.gateway.views.document_rows import upload_job
from services.gateway.views.fold import RULES, parts, rows_for
from services.gateway.views.operations import place
from services.gateway.views.tables import BELONGINGS, TABLES, Belonging
from tests.services.gateway.many import MANY
from tests.services.gateway.story import JOB, TENANT, TEXT, Story, blob

ALL = RULES | MANY
Rows = dict[str, dict[tuple[Any, ...], dict[str, Any]]]


def apply_step(rows: Rows, step: Step) -> None:
    """What the statements of a step do to the tables."""
    for table, puts in step.puts.items():
        for key, values in puts.items():
            rows.setdefault(table, {}).setdefault(key, dict(values))
    for table, changes in step.changes.items():
        for key, (sets, adds) in changes.items():
            row = rows.setdefault(table, {}).get(key)
            if row is None:
                continue
            row.update(sets)
            for column, increment in adds.items():
                row[column] += increment
    for what, ids in step.forgets.items():
        for each in BELONGINGS.get(what, ()):
            forget(rows, each, set(ids))


def forget(rows: Rows, each: Belonging, ids: set[UUID]) -> None:
    """What one deletion of a step does."""
    if each.through is not None:
        ids = {
            whole(each.through, key, row)[each.column]
            for key, row in rows.get(each.through, {}).items()
            if whole(each.through, key, row).get(each.by) in ids
        }
    kept = {
        key: row
        for key, row in rows.get(each.table, {}).items()
        if whole(each.table, key, row).get(each.column) not in ids
    }
    rows[each.table] = kept


def whole(table: str, key: tuple[Any, ...], row: dict[str, Any]) -> dict[str, Any]:
    return dict(zip(TABLES[table].key, key, strict=True)) | row


def folded(events: list[Recorded[Event]], cuts: Iterable[int] = ()) -> Rows:
    """The tables after these events, folded in batches that end at ``cuts``."""
    rows: Rows = {}
    edges = [0, *sorted(cuts), len(events)]
    for start, end in pairwise(edges):
        for step in merged(rows_for(events[start:end], ALL)):
            apply_step(rows, step)
    return rows


def the_whole_story() -> Story:
    story = Story()
    story.tell()
    return story


EVENTS = the_whole_story().recorded()


@given(st.sets(st.integers(min_value=0, max_value=len(EVENTS))))
def test_any_split_into_batches_gives_the_same_rows(cuts: set[int]) -> None:
    assert folded(EVENTS, cuts) == folded(EVENTS)


def test_folding_one_by_one_gives_the_rows_of_one_batch() -> None:
    assert folded(EVENTS, range(len(EVENTS))) == folded(EVENTS)


def test_the_log_is_cut_where_the_database_folds_and_nothing_is_left_out() -> None:
    mine = [each for each in EVENTS if type(each.event) in RULES]
    last = len(EVENTS)
    found: list[int] = []
    for part in parts(mine, 0, last):
        if isinstance(part, range):
            found += [n + 1 for n in part]
            assert not {type(EVENTS[n].event) for n in part} & RULES.keys()
        else:
            found += [place(each) for each in part]
    assert found == list(range(1, last + 1))
    assert list(parts([], 3, 3)) == []
    assert list(parts([], 3, 5)) == [range(3, 5)]


KEYS = st.integers(min_value=0, max_value=2).map(lambda n: (n,))
OPERATIONS = st.lists(
    st.one_of(
        st.builds(
            Put, st.just("t"), KEYS, st.fixed_dictionaries({"n": st.just(0)}), fresh=st.just(False)
        ),
        st.builds(
            Change,
            st.just("t"),
            KEYS,
            st.dictionaries(st.sampled_from("ab"), st.integers(), max_size=2),
            st.dictionaries(st.just("n"), st.integers(), max_size=1),
        ),
    ),
    max_size=12,
)


@given(OPERATIONS, st.integers(min_value=0, max_value=12))
def test_merging_operations_keeps_their_meaning_in_any_order(
    operations: list[Operation], cut: int
) -> None:
    one_by_one: Rows = {}
    for operation in operations:
        for step in merged([operation]):
            apply_step(one_by_one, step)
    together: Rows = {}
    for part in (operations[:cut], operations[cut:]):
        for step in merged(part):
            apply_step(together, step)
    assert together.get("t", {}) == one_by_one.get("t", {})


def test_every_row_that_is_put_has_a_table_and_columns_of_it() -> None:
    for operation in rows_for(EVENTS, ALL):
        assert not isinstance(operation, Forget | Inherit)
        table = TABLES[operation.table]
        named = operation.values if isinstance(operation, Put) else operation.sets
        assert set(named) <= set(table.columns) - set(table.key)
        assert len(operation.key) == len(table.key)


def test_the_counts_of_a_dataset_are_those_of_its_events() -> None:
    rows = folded(EVENTS)
    found = rows["datasets"][(dataset_id(Story().job),)]
    counted = {
        name: found[name]
        for name in [
            "seeds",
            "done",
            "failed",
            "generated",
            "accepted",
            "rejected",
            "surplus",
            "asked",
            "rounds",
        ]
    }
    assert counted == {
        "seeds": 4,
        "done": 3,
        "failed": 1,
        "generated": 6,
        "accepted": 3,
        "rejected": 2,
        "surplus": 1,
        "asked": 8,
        "rounds": 1,
    }
    assert found["closing"]["ending"] == "enough"


def test_each_entry_ends_with_its_verdict_and_its_reason() -> None:
    rows = folded(EVENTS)["entries"]
    story = Story()

    def entry(seed: int, n: int) -> dict[str, Any]:
        return rows[(entry_id(seed_unit(story.job, seed), 0, n), dataset_id(story.job))]

    assert entry(0, 0)["status"] == "accepted"
    assert entry(0, 0)["quality"] == 0.9
    assert (entry(1, 1)["status"], entry(1, 1)["reason"]) == ("rejected", "ungrounded")
    assert entry(1, 1)["found"] == [{"reason": "ungrounded", "detail": "1824"}]
    assert (entry(0, 1)["status"], entry(0, 1)["reason"]) == ("rejected", "duplicate")
    assert "0.91" in entry(0, 1)["found"][0]["detail"]
    assert entry(2, 1)["status"] == "surplus"
    assert entry(2, 1)["reason"] is None


def job_row(request_id: str) -> dict[str, Any]:
    return folded(EVENTS)["jobs"][(job_id(TENANT, "test", request_id),)]


def test_a_job_ends_as_its_last_event_says() -> None:
    assert job_row("job")["status"] == "completed"
    assert job_row("job")["waiting_for"] is None
    assert job_row("job")["calls"] == 4
    assert job_row("job")["calls_failed"] == 1
    assert job_row("job")["cost"] == 12
    assert job_row("processing")["status"] == "completed"
    assert job_row("export")["status"] == "completed"
    assert job_row("stopped")["status"] == "cancelled"
    assert (job_row("failed")["status"], job_row("failed")["code"]) == ("failed", "no_chunks")


def test_an_upload_is_one_job_that_is_done_at_once() -> None:
    row = job_row("upload")
    assert (row["kind"], row["status"], row["documents"]) == ("document_upload", "completed", 3)
    documents = [key for key in folded(EVENTS)["job_documents"] if key[0] == UPLOAD]
    assert len(documents) == 2


UPLOAD = job_id(TENANT, "test", "upload")


def test_an_upload_that_another_system_names_freely_is_no_job() -> None:
    assert upload_job("batch of Tuesday") is None
    assert upload_job(None) is None
    assert upload_job(str(UPLOAD)) == UPLOAD


def test_a_document_is_what_happened_to_it_last() -> None:
    story = the_whole_story()
    rows = folded(EVENTS)["documents"]
    good, bad = rows[(story.good,)], rows[(story.bad,)]
    assert (good["status"], good["chunks"], good["language"]) == ("chunked", 3, "en")
    assert (bad["status"], bad["code"]) == ("rejected", "corrupt")


def test_a_failed_unit_that_is_no_seed_is_not_counted_among_the_seeds() -> None:
    story = Story()
    story.begin()
    job = story.ask()
    failed = UnitFailed(
        unit_id=UUID(int=1), command="gristmill.entries.curate.v1", code="crash", message="x"
    )
    story.say(job, "generation", failed, job=job)
    rows = folded(story.recorded())
    assert rows["datasets"][(dataset_id(job),)]["failed"] == 0
    assert rows["failures"][(UUID(int=1),)]["code"] == "crash"


def test_a_seed_that_a_cancellation_left_unasked_did_not_fail() -> None:
    story = Story()
    story.begin()
    job = story.ask()
    for n, code in enumerate(("cancelled", "timeout")):
        failed = UnitFailed(
            unit_id=seed_unit(job, n),
            command="gristmill.entries.generate.v1",
            code=code,
            message="x",
        )
        story.say(job, "generation", failed, job=job)
    rows = folded(story.recorded())
    assert rows["datasets"][(dataset_id(job),)]["failed"] == 1


def test_a_call_of_an_unknown_job_changes_nothing() -> None:
    call = next(each for each in EVENTS if isinstance(each.event, CallSettled))
    assert folded([call]).get("jobs", {}) == {}


def test_a_change_before_its_row_is_there_stays_without_effect() -> None:
    operations: list[Operation] = [
        Change("jobs", (1,), {"status": "running"}),
        Put("jobs", (1,), {"status": "pending"}),
    ]
    rows: Rows = {}
    for step in merged(operations):
        apply_step(rows, step)
    assert rows["jobs"][(1,)]["status"] == "pending"


def the_story_and_its_end() -> Story:
    """One document loses a chunk, is deleted, and is there again; then the project goes with all that it holds."""
    story = the_whole_story()
    fewer = ChunksDeleted(
        document_id=story.good,
        project_id=story.project,
        chunking=Chunking(),
        before=blob("chunks", "table"),
        table=blob("chunks", "fewer"),
        deleted=1,
        chunks=2,
    )
    gone = DocumentDeleted(
        document_id=story.good, project_id=story.project, name="mill.txt", chunks=2
    )
    story.say(story.good, "document", fewer, gone, job=story.good)
    story.add("mill again.txt", TEXT)
    story.read()
    end = ProjectDeleted(
        project_id=story.project, name="Mills", documents=2, chunks=3, datasets=3, jobs=5
    )
    story.say(story.project, "project", end, job=story.project)
    return story


def test_a_project_takes_rows_of_every_table_with_it() -> None:
    assert {each.table for each in BELONGINGS["project"]} == set(TABLES)


TO_THE_END = the_story_and_its_end().recorded()


@given(st.sets(st.integers(min_value=len(EVENTS), max_value=len(TO_THE_END))))
def test_what_is_deleted_goes_in_whatever_batch_it_is(cuts: set[int]) -> None:
    # Failures of exports and settled uploads are reached through their datasets' jobs, which are gone.
    assert {table: rows for table, rows in folded(TO_THE_END, cuts).items() if rows} == {}


@given(st.sets(st.integers(min_value=len(EVENTS), max_value=len(TO_THE_END) - 1)))
def test_a_document_that_was_deleted_is_another_row_when_it_comes_again(cuts: set[int]) -> None:
    story = Story()
    story.begin()
    rows = folded(TO_THE_END[:-1], cuts)
    again = rows["documents"][(story.good,)]
    assert (again["name"], again["status"], again["chunks"]) == ("mill again.txt", "chunked", 3)
    assert [key for key in rows["document_names"] if key[0] == story.good] == []
    assert [key for key in rows["job_documents"] if key[1] == story.good] == []
    assert len(rows["entries"]) == 6


def test_a_deleted_dataset_takes_its_rows_and_leaves_its_jobs_and_the_other_datasets() -> None:
    story = the_whole_story()
    before = folded(story.recorded())
    dataset = dataset_id(JOB)
    gone = DatasetDeleted(dataset_id=dataset, project_id=story.project, job_id=JOB)
    story.say(dataset, "dataset", gone, job=dataset)
    after = folded(story.recorded())

    def of(rows: Rows, table: str) -> list[Any]:
        return [
            key
            for key, row in rows[table].items()
            if whole(table, key, row)["dataset_id"] == dataset
        ]

    for table in ("datasets", "units", "entries", "exports"):
        assert of(before, table), table
        assert not of(after, table), table
        assert len(after[table]) == len(before[table]) - len(of(before, table)), table
    assert set(after["datasets"])
    for table in ("jobs", "projects", "documents"):
        assert after[table].keys() == before[table].keys(), table


def test_files_stay_where_they_were_laid_when_they_are_written_again_for_a_download() -> None:
    story = the_whole_story()
    again = job_id(TENANT, "test", "again")
    story.export(again, dataset_id(JOB), "jsonl", ["one\n", "two\n"])
    row = folded(story.recorded())["exports"][(dataset_id(JOB), "jsonl", 2)]
    assert (row["job_id"], row["output_dir"], row["not_laid"]) == (again, "mine", None)


def test_a_folder_that_could_not_be_written_says_why() -> None:
    story = the_whole_story()
    why = NotLaid(code="output_dir_disk_full", message="No space.")
    story.export(JOB, dataset_id(JOB), "jsonl", ["one\n", "two\n"], "mine", why)
    row = folded(story.recorded())["exports"][(dataset_id(JOB), "jsonl", 2)]
    assert row["not_laid"] == {"code": "output_dir_disk_full", "message": "No space."}


def test_deleted_chunks_leave_the_table_and_a_new_cut_brings_them_back() -> None:
    story = the_story_and_its_end()
    place = next(n for n, line in enumerate(story.lines) if isinstance(line.event, ChunksDeleted))
    key = (story.good, Chunking().key())
    left = folded(story.recorded()[: place + 1])
    assert left["document_chunkings"][key] == {
        "chunks": 2,
        "cut": 3,
        "chunk_table": blob("chunks", "fewer").model_dump(mode="json"),
    }
    assert left["documents"][(story.good,)]["chunks"] == 2
    del story.lines[place + 1 :]
    story.read()
    again = folded(story.recorded())
    assert (
        again["document_chunkings"][key]["chunk_table"]["sha256"] == blob("chunks", "table").sha256
    )
    assert again["documents"][(story.good,)]["chunks"] == 3
