"""Gathers ``Facts`` from what a run left: the database, the bus, the blobs and the simulated model. Judges nothing.

The views are folded anew into a schema of their own, beside the live ones, by the projector's own fold.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import nats.js.errors
import orjson
import zstandard
from nats.aio.client import Client
from pydantic import SecretStr

from contracts.blob import BlobRef
from contracts.dataset import DatasetExported
from contracts.document import DocumentAdded, DocumentChunked, DocumentParsed
from contracts.entries import CallBody
from contracts.generation import GenerationExtended, GenerationPlanned
from contracts.message import Event, Recorded
from services.cli.tree import Tree
from services.gateway.views.projector import fold
from services.gateway.views.tables import TABLES
from services.gateway.views.versions import SCHEMA, TEXT
from shared.blobs import Blobs, FolderBlobs
from shared.bus import Undecodable, connect, envelope_from
from shared.settings import Settings
from shared.store import PAGE, Position, PostgresReader, open_pool
from tests.chaos.facts import Dead, Facts, Fault, Rows, Seen, Stream, Told, Unit

ANEW = "views_checked"
QUEUES = ("REQUESTS", "INBOX", "COMMANDS")
SAID_BY_CLOCKS = {"made"}
"""Tables that hold what is no fold of the log."""


async def gathered(
    admin_url: str,
    *,
    bus: Client | None = None,
    blobs: Blobs | None = None,
    calls: Callable[[], Sequence[Mapping[str, Any]]] = tuple,
    faults: Sequence[Fault] = (),
    told: Sequence[Told] = (),
    poison: Collection[str] = (),
    refused: Collection[str] = (),
    views: bool = True,
) -> Facts:
    """Everything that the checker looks at. What is not given is not looked at; ``views``: fold them anew."""
    pool = await open_pool(admin_url, most=2)
    try:
        events = await _log(PostgresReader(pool))
        bodies, answers = await _bodies(pool)
        waiting = {} if bus is None else {name: await _left(bus, name) for name in QUEUES}
        return Facts(
            events=tuple(events),
            head=(await PostgresReader(pool).head()).n,
            streams=await _streams(pool),
            told=tuple(told),
            work=await _work(pool),
            commands=tuple(
                (row["command_id"], row["job_id"])
                for row in await pool.fetch("select command_id, job_id from ledger.commands")
            ),
            waiting=waiting,
            relayed=await pool.fetchval("select pos from ledger.checkpoints where name = 'relay'"),
            dead=() if bus is None else tuple(await _dead(bus)),
            poison=frozenset(poison),
            refused=frozenset(refused),
            views=await _tables(pool, SCHEMA) if views else {},
            rebuilt=await _folded(admin_url, events) if views else {},
            bodies=bodies,
            answers=answers,
            missing_blobs=() if blobs is None else tuple(await _missing(blobs, events)),
            seen=tuple(Seen(**each) for each in calls()),
            faults=tuple(faults),
        )
    finally:
        await pool.close()


async def of_tree(tree: Tree, **known: Any) -> Facts:
    """``gathered`` of a running mill, once it is quiet; ``known`` is what the caller knows besides (calls, faults)."""
    settings = Settings(data=tree.stack.data, nats_url=SecretStr(tree.stack.nats_url("operator")))
    bus = await connect(settings, "operator")
    try:
        await quiet(tree.stack.admin_url, bus)
        blobs = FolderBlobs(tree.stack.data / "blobs")
        return await gathered(tree.stack.admin_url, bus=bus, blobs=blobs, **known)
    finally:
        await bus.close()


async def quiet(admin_url: str, bus: Client, within: float = 30.0) -> None:
    """Return when the queues are empty, everything is announced and the views are at the head; or when time is up."""
    connection = await asyncpg.connect(admin_url)
    behind = f"""
        select head > (select pos from ledger.checkpoints where name = 'relay')
            or head > (select pos from {SCHEMA}.checkpoint)
            or exists (select from ledger.streams where open)
        from ledger.logs
    """  # noqa: S608 - a name of ours
    try:
        for _ in range(int(within / 0.1)):
            left = sum([await _left(bus, name) for name in QUEUES])
            if not left and not await connection.fetchval(behind):
                return
            await asyncio.sleep(0.1)
    finally:
        await connection.close()


async def _log(reader: PostgresReader) -> list[Recorded[Event]]:
    found: list[Recorded[Event]] = []
    after = 0
    while page := await reader.tail(after, PAGE):
        found += page
        after = Position.parse(page[-1].position).n
    return found


async def _streams(pool: "asyncpg.Pool[Any]") -> dict[UUID, Stream]:
    rows = await pool.fetch("select stream_id, kind, version, open, state from ledger.streams")
    return {
        row["stream_id"]: Stream(row["kind"], row["version"], row["open"], row["state"])
        for row in rows
    }


async def _work(pool: "asyncpg.Pool[Any]") -> tuple[Unit, ...]:
    rows = await pool.fetch(
        "select unit_id, job_id, service, outcome is not null as done from ledger.work"
    )
    return tuple(Unit(*row.values()) for row in rows)


async def _bodies(
    pool: "asyncpg.Pool[Any]",
) -> tuple[frozenset[UUID], dict[UUID, tuple[str, ...]]]:
    """Ids of all bodies, and the ids of the answers in those of calls."""
    expand = zstandard.ZstdDecompressor().decompress
    answers: dict[UUID, tuple[str, ...]] = {}
    for row in await pool.fetch("select body_id, data from ledger.bodies where kind = 'call'"):
        said = CallBody.model_validate_json(expand(row["data"]))
        answers[row["body_id"]] = tuple(
            id for each in said.exchanges if (id := _answer_id(each.response)) is not None
        )
    ids = await pool.fetch("select body_id from ledger.bodies")
    return frozenset(row["body_id"] for row in ids), answers


def _answer_id(response: str) -> str | None:
    with contextlib.suppress(orjson.JSONDecodeError):
        said = orjson.loads(response)
        if isinstance(said, dict) and isinstance(said.get("id"), str):
            return str(said["id"])
    return None


async def _left(bus: Client, stream: str) -> int:
    try:
        return (await bus.jetstream().stream_info(stream)).state.messages
    except nats.js.errors.NotFoundError:
        return 0


async def _dead(bus: Client) -> list[Dead]:
    stream, found = bus.jetstream(), []
    try:
        state = (await stream.stream_info("DEAD")).state
    except nats.js.errors.NotFoundError:
        return []
    for seq in range(state.first_seq or 1, state.last_seq + 1):
        with contextlib.suppress(nats.js.errors.NotFoundError):
            message = await stream.get_msg("DEAD", seq)
            headers = dict(message.headers or {})
            subject = headers.get("gristmill-subject", message.subject or "")
            reason = headers.get("gristmill-reason", "")
            try:
                id = envelope_from(subject, headers, message.data or b"").id
            except Undecodable:
                id = headers.get("ce-id") or (message.data or b"").decode(errors="replace")[:100]
            found.append(Dead(id, subject, reason))
    return found


async def _tables(pool: "asyncpg.Pool[Any]", schema: str) -> dict[str, Rows]:
    return {table: await _rows(pool, schema, table) for table in [*TABLES, "checkpoint"]}


async def _rows(pool: "asyncpg.Pool[Any]", schema: str, table: str) -> Rows:
    keys = TABLES[table].key if table in TABLES else ("one",)
    try:
        rows = await pool.fetch(f"select * from {schema}.{table}")  # noqa: S608 - names of ours
    except asyncpg.UndefinedTableError:
        return {}
    return {
        "/".join(str(row[key]) for key in keys): tuple(dict(sorted(row.items())).items())
        for row in rows
    }


async def _folded(admin_url: str, events: Sequence[Recorded[Event]]) -> dict[str, Rows]:
    """The views as they are folded from nothing."""
    pool = await open_pool(admin_url, most=1, schema=ANEW)
    try:
        async with pool.acquire() as connection:
            await connection.execute(f"drop schema if exists {ANEW} cascade")
            await connection.execute(f"create schema {ANEW}")
            await connection.execute(TEXT)
            at = Position(1, 0)
            era = (await PostgresReader(connection).head()).era
            await connection.execute("update checkpoint set era = $1", era)
            at = Position(era, 0)
            for first in range(0, len(events), PAGE):
                page = list(events[first : first + PAGE])
                after = Position(era, Position.parse(page[-1].position).n)
                await fold(connection, at, after)
                at = after
        found = await _tables(pool, ANEW)
        await pool.execute(f"drop schema {ANEW} cascade")
        return found
    finally:
        await pool.close()


async def _missing(blobs: Blobs, events: Sequence[Recorded[Event]]) -> list[str]:
    """Blobs that events name and nobody can fetch."""
    missing = []
    named: dict[str, tuple[str, BlobRef]] = {}
    for recorded in events:
        for ref in _named(recorded.event):
            named[ref.key(recorded.tenant)] = recorded.tenant, ref
    for key, (tenant, ref) in named.items():
        if not await blobs.holds(tenant, ref):
            missing.append(key)
    return missing


def _named(event: Event) -> list[BlobRef]:
    match event:
        case GenerationPlanned(plan=plan) | GenerationExtended(plan=BlobRef() as plan):
            return [plan]
        case DocumentAdded(blob=blob):
            return [blob]
        case DocumentParsed() | DocumentChunked():
            values = (getattr(event, name) for name in type(event).model_fields)
            return [value for value in values if isinstance(value, BlobRef)]
        case DatasetExported(files=files):
            return [file.blob for file in files]
    return []
