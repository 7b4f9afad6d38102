"""What every event store does: the one in Postgres and its in-memory twin."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID, uuid5

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import EVENTS
from contracts.identity import GRISTMILL
from contracts.job import JobCompleted, JobFailed, JobStarted
from contracts.message import Event, Recorded
from contracts.unit import Body
from shared.appending import Append, Conflict, NewEvent, append, insert_bodies
from shared.memory import MemoryStore
from shared.stack import Database
from shared.store import Mark, PostgresReader, Reader, open_pool


class Writable(Reader, Protocol):
    async def append(self, appends: Sequence[Append]) -> list[Recorded[Event]]: ...

    async def keep(self, bodies: Iterable[Body]) -> None: ...


class PostgresStore(PostgresReader):
    """The reader beside the two functions with which the ledger writes."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        super().__init__(pool)
        self.pool = pool

    async def append(self, appends: Sequence[Append]) -> list[Recorded[Event]]:
        async with self.pool.acquire() as connection, connection.transaction():
            return await append(connection, appends)

    async def keep(self, bodies: Iterable[Body]) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            await insert_bodies(connection, bodies)


@pytest.fixture
async def postgres(database: Database) -> AsyncIterator[PostgresStore]:
    async with await open_pool(database.url("ledger"), most=16) as pool:
        yield PostgresStore(pool)


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest, postgres: PostgresStore) -> Writable:
    if request.param == "memory":
        return MemoryStore(datetime(2026, 1, 1, tzinfo=UTC))
    return postgres


def ident(name: str) -> UUID:
    return uuid5(GRISTMILL, name)


def started(stream: str, *names: str, expected: int | None = None) -> Append:
    events = tuple(NewEvent(id=ident(name), event=JobStarted(documents=1)) for name in names)
    return Append(ident(stream), "generation", "default", events, expected)


async def test_events_come_back_in_order_with_their_versions(store: Writable) -> None:
    await store.append([started("a", "1", "2"), started("b", "3"), started("a", "4")])

    log = await store.tail(0)

    assert [(event.stream, event.version) for event in log] == [
        (ident("a"), 1),
        (ident("a"), 2),
        (ident("b"), 1),
        (ident("a"), 3),
    ]
    assert [event.position for event in log] == ["1.1", "1.2", "1.3", "1.4"]
    assert str(await store.head()) == "1.4"


async def test_appending_an_event_again_has_no_effect(store: Writable) -> None:
    await store.append([started("a", "1")])

    again = await store.append([started("a", "1", "2")])

    assert [event.id for event in again] == [ident("2")]
    assert len(await store.tail(0)) == 2


async def test_a_stream_that_moved_on_refuses_an_older_version(store: Writable) -> None:
    await store.append([started("a", "1")])

    with pytest.raises(Conflict, match="at version 1; 0 was expected"):
        await store.append([started("b", "2"), started("a", "3", expected=0)])

    assert len(await store.tail(0)) == 1


async def test_a_stream_is_read_by_range_and_type(store: Writable) -> None:
    done = NewEvent(id=ident("done"), event=JobCompleted())
    await store.append(
        [started("a", "1", "2", "3"), Append(ident("a"), "generation", "default", (done,))]
    )

    middle = [event.version async for event in store.stream(ident("a"), after=1, through=3)]
    ends = [event.id async for event in store.stream(ident("a"), types=(JobCompleted, JobFailed))]

    assert middle == [2, 3]
    assert ends == [ident("done")]


async def test_the_same_events_are_read_as_plain_facts_and_as_marks(store: Writable) -> None:
    failed = NewEvent(id=ident("failed"), event=JobFailed(code="no_chunks", message="none"))
    await store.append(
        [started("a", *"12345"), Append(ident("a"), "generation", "default", (failed,))]
    )

    whole = [event async for event in store.stream(ident("a"), 1)]
    facts = [fact async for fact in store.facts(ident("a"), 1, page=2)]
    marks = await store.marks(ident("a"), 1)

    assert [(fact.version, fact.id, fact.traceparent) for fact in facts] == [
        (event.version, event.id, event.traceparent) for event in whole
    ]
    assert [EVENTS[fact.type].model_validate(fact.data) for fact in facts] == [
        event.event for event in whole
    ]
    assert marks == [Mark(fact.version, fact.id, fact.traceparent) for fact in facts]
    assert [mark.version for mark in await store.marks(ident("a"), 2, 6, (JobFailed,))] == [6]
    assert [fact.version async for fact in store.facts(ident("a"), 2, 4, (JobStarted,))] == [3, 4]


async def test_the_tail_is_read_in_pages(store: Writable) -> None:
    await store.append([started("a", *(str(n) for n in range(25)))])

    first = await store.tail(0, limit=10)
    rest = await store.tail(10, limit=100)

    assert len(first) == 10
    assert len(rest) == 15


async def test_bodies_are_kept_once_and_a_missing_one_is_missing(store: Writable) -> None:
    body = Body(
        body_id=ident("b"), kind="entries", text="Grüße \U0001f33e", documents=(ident("d"),)
    )
    await store.keep([body])
    await store.keep([body.model_copy(update={"text": "another"})])

    assert await store.bodies([ident("b"), ident("gone")]) == {ident("b"): "Grüße \U0001f33e"}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), max_size=40))
def test_any_appends_leave_positions_and_versions_without_holes(
    steps: list[tuple[str, int]],
) -> None:
    store = MemoryStore(datetime(2026, 1, 1, tzinfo=UTC))

    async def run() -> list[Recorded[Event]]:
        for stream, event in steps:
            await store.append([started(stream, f"{stream}{event}")])
        return await store.tail(0)

    log = asyncio.run(run())

    assert [event.position for event in log] == [f"1.{n + 1}" for n in range(len(log))]
    for stream in "abc":
        versions = [event.version for event in log if event.stream == ident(stream)]
        assert versions == list(range(1, len(versions) + 1))


async def missed_by_a_tailing_reader(
    pool: "asyncpg.Pool[asyncpg.Record]",
    write: Callable[[Any, str], Awaitable[None]],
    read_after: str,
    count: str,
) -> int:
    """Rows that a reader following positions never sees while slow, fast and rolled-back writers commit."""
    writing = True

    async def writer(name: int) -> None:
        for n in range(60):
            try:
                async with pool.acquire() as connection, connection.transaction():
                    await write(connection, f"{name}/{n}")
                    if n % 10 == 3:
                        await asyncio.sleep(0.005)
                    if n % 10 == 7:
                        raise RuntimeError("rolled back")  # noqa: TRY301 - what a writer that gives up does
            except RuntimeError:
                continue

    async def reader() -> int:
        seen, after = 0, 0
        last = False
        while True:
            rows = await pool.fetch(read_after, after)
            seen += len(rows)
            if rows:
                after = rows[-1]["pos"]
            elif last:
                return seen
            last = not writing

    reading = asyncio.create_task(reader())
    await asyncio.gather(*(writer(name) for name in range(12)))
    writing = False
    seen = await reading
    return int(await pool.fetchval(count)) - seen


async def test_a_tailing_reader_misses_nothing_while_writers_hold_and_roll_back(
    postgres: PostgresStore,
) -> None:
    async def write(connection: Any, name: str) -> None:
        await append(connection, [started(name.split("/", maxsplit=1)[0], name)])

    missed = await missed_by_a_tailing_reader(
        postgres.pool,
        write,
        "select pos from ledger.events where log_id = 1 and pos > $1 order by pos limit 100",
        "select count(*) from ledger.events",
    )

    assert missed == 0
    assert await postgres.pool.fetchval("select max(pos) - count(*) from ledger.events") == 0


async def test_without_the_lock_the_same_reader_does_miss_events(
    database: Database,
) -> None:
    """The negative control: a sequence drawn without the log's lock, as the store must not do it."""
    async with asyncpg.create_pool(database.admin_url, min_size=4, max_size=16) as pool:
        await pool.execute(
            "create table unlocked (pos bigint generated always as identity primary key, name text)"
        )

        async def write(connection: Any, name: str) -> None:
            await connection.execute("insert into unlocked (name) values ($1)", name)

        missed = await missed_by_a_tailing_reader(
            pool,
            write,
            "select pos from unlocked where pos > $1 order by pos limit 100",
            "select count(*) from unlocked",
        )

    assert missed > 0


@pytest.mark.parametrize("role", ["ledger", "reader", "gateway"])
@pytest.mark.parametrize(
    "change", ["update ledger.events set type = ''", "delete from ledger.events"]
)
async def test_nobody_may_rewrite_the_log(database: Database, role: str, change: str) -> None:
    connection = await asyncpg.connect(database.url(role))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(change)
    finally:
        await connection.close()


@pytest.mark.parametrize("role", ["reader", "gateway"])
async def test_readers_may_not_append(database: Database, role: str) -> None:
    async with await open_pool(database.url(role)) as pool:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await PostgresStore(pool).append([started("a", "1")])


async def test_a_stream_goes_on_from_another_one_as_that_was(store: Writable) -> None:
    """And a third from it; what the first two say later is theirs alone."""
    first, second, third = ident("first"), ident("second"), ident("third")

    def said(stream: UUID, *names: str, base: tuple[UUID, int] | None = None) -> Append:
        new = tuple(
            NewEvent(id=ident(name), event=JobFailed(code=name, message="")) for name in names
        )
        return Append(stream=stream, kind="job", tenant="default", events=new, base=base)

    async def read(stream: UUID, after: int = 0, through: int | None = None) -> list[str]:
        found = [each async for each in store.stream(stream, after, through)]
        assert [each.version for each in found] == sorted(each.version for each in found)
        return [each.event.code for each in found if isinstance(each.event, JobFailed)]

    await store.append([said(first, "a1", "a2", "a3")])
    (made,) = await store.append([said(second, "b3", base=(first, 2))])
    assert made.version == 3
    await store.append([said(second, "b4"), said(first, "a4")])
    await store.append([said(third, "c4", base=(second, 3))])
    await store.append([said(second, "b5")])

    assert await read(first) == ["a1", "a2", "a3", "a4"]
    assert await read(second) == ["a1", "a2", "b3", "b4", "b5"]
    assert await read(third) == ["a1", "a2", "b3", "c4"]
    assert await read(third, after=1, through=3) == ["a2", "b3"]
    assert await read(second, through=1) == ["a1"]
    assert [each.data["code"] async for each in store.facts(third)] == ["a1", "a2", "b3", "c4"]
    assert [each.version for each in await store.marks(third, 1, 4)] == [2, 3, 4]
