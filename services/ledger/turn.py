"""One turn of the ledger: what came in, what is recorded of it and what follows, in one transaction.

A turn holds the log's lock. It reads the states that are concerned, lets the processes fold and decide, and writes
everything at its end; if anything fails, nothing of it happened. It publishes nothing.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from contracts import SERVICES
from contracts.call import CallSettled, KeptAnswer
from contracts.generation import GenerationRequested, PlanDocument
from contracts.identity import calls_stream, followup_id
from contracts.message import Command, Event, Message, Recorded, Request
from contracts.unit import Body
from services.ledger import deciding, writing
from services.ledger.in_flight import InFlight
from services.ledger.processes import generation_state, ingestion
from services.ledger.processes.generation_state import GenerationState
from services.ledger.processes.ingestion import DocumentState, ProcessingState
from services.ledger.rows import (
    JOBS,
    Answered,
    Due,
    House,
    Interest,
    Issued,
    Key,
    Known,
    Row,
    Work,
    known_from,
    row_from,
    stream_row,
)
from shared.appending import Appending, NewEvent, insert_bodies
from shared.telemetry.traces import Context, derived

if TYPE_CHECKING:
    from shared.store import Connection


class Turn:
    """The work of one transaction. ``write`` ends it."""

    def __init__(self, connection: "Connection", appending: Appending, house: House) -> None:
        self.connection = connection
        self.log = appending
        self.house = house
        self._rows: dict[UUID, Row | None] = {}
        self._touched: dict[UUID, Context | None] = {}
        """Streams to be asked what follows, with the trace of the message that concerned them."""
        self._bodies: list[Body] = []
        self._answers: list[tuple[str, KeptAnswer]] = []
        self._commands: list[Issued] = []
        self.issued: list[Due] = []
        """Commands that were written, to be published."""
        self._done: set[UUID] = set()
        self.ended: list[UUID] = []
        self._forgotten: set[UUID] = set()
        self._in_flight = InFlight(house)
        self._open_before: dict[str, int] = {}
        self._opened: dict[str, int] = {}
        self._listed: set[UUID] = set()
        """Projects whose documents were all read."""
        self._interests: list[Interest] = []
        self.asked: dict[Key, Answered] = {}
        """Requests that were answered, before this turn or in it, by their idempotency keys."""
        self.work: dict[UUID, Work] = {}
        self.trace: Context | None = None
        """On whose behalf the turn records at present: the message that is taken."""
        self.back: dict[UUID, bool] = {}
        """Units that were not started: held as long as their job is paused, else (False) due."""
        self.unstopped: dict[UUID, int] = {}
        """Jobs that nothing stops though a worker thinks so, each with how often it was restarted."""

    async def row(self, stream: UUID) -> Row | None:
        if stream not in self._rows:
            await self.load_rows([stream])
        return self._rows[stream]

    async def load_rows(self, streams: Collection[UUID], projects: Collection[UUID] = ()) -> None:
        """Read these streams, and those of all documents of these projects."""
        for row, version in self.house.recall(set(streams) - self._rows.keys()):
            self._rows[row.stream] = row
            self.log.learn({row.stream: version})
        unknown = [stream for stream in streams if stream not in self._rows]
        unlisted = [project for project in projects if project not in self._listed]
        if not unknown and not unlisted:
            return
        self._rows |= dict.fromkeys(unknown)
        self._listed.update(unlisted)
        found = await self.connection.fetch(
            """
            select stream_id, tenant, kind, project_id, state, open, version from ledger.streams
            where stream_id = any($1::uuid[]) or project_id = any($2::uuid[]) and kind = 'document'
            """,
            unknown,
            unlisted,
        )
        for row in found:
            if self._rows.get(row["stream_id"]) is None:
                self._rows[row["stream_id"]] = row_from(row)
        self.log.learn(
            dict.fromkeys(unknown, 0) | {row["stream_id"]: row["version"] for row in found}
        )

    async def load_work(self, units: Collection[UUID]) -> None:
        found = await self.connection.fetch(
            """
            select unit_id, job_id, tenant, service, command_id, attempt, outcome
            from ledger.work where unit_id = any($1::uuid[])
            """,
            list(units),
        )
        for row in found:
            self.work[row["unit_id"]] = Work(*row.values())

    async def documents_of_project(self, project: UUID) -> list[Row]:
        await self.load_rows((), [project])
        known = {
            row.stream: row
            for row in self._rows.values()
            if row and row.kind == "document" and row.project_id == project
        }
        return [known[stream] for stream in sorted(known)]

    async def request_of(self, job: UUID) -> Request:
        """The request that a job began with: the first event of its stream."""
        return (await self._known(job)).request

    async def _known(self, job: UUID) -> Known:
        if job not in self.house.jobs:
            self.house.remember(job, await known_from(self.connection, job))
        return self.house.jobs[job]

    def remember(self, job: UUID, request: Request) -> None:
        """A job that begins here: its work is a span of its own, below the message that asked for it."""
        self.house.remember(job, Known(request, derived(self.trace, job, job)))

    # -- recording ---------------------------------------------------------------------------------

    def new_row(
        self,
        stream: UUID,
        tenant: str,
        kind: str,
        *,
        project: UUID | None = None,
        state: Message | None = None,
    ) -> Row:
        row = Row(stream, tenant, kind, project, state, open=kind in JOBS, changed=True)
        self._rows[stream] = row
        if row.open:
            self._opened[tenant] = self._opened.get(tenant, 0) + 1
        return row

    def reopen(self, job: Row) -> None:
        """A job that had ended goes on."""
        job.open = job.changed = True
        self._opened[job.tenant] = self._opened.get(job.tenant, 0) + 1

    async def open_jobs(self, tenant: str) -> int:
        """Jobs of a tenant that were open when this was first asked, and those that the turn opened; one that ended in
        it is counted all the same.
        """
        if tenant not in self._open_before:
            self._open_before[tenant] = await self.connection.fetchval(
                "select count(*) from ledger.streams where open and tenant = $1", tenant
            )
        return self._open_before[tenant] + self._opened.get(tenant, 0)

    def touch(self, stream: UUID) -> None:
        """Ask the process of this stream what follows, before the turn ends."""
        self._touched[stream] = self.trace

    def record(
        self, row: Row, event: Event, *, id: UUID, job: UUID | None, cause: UUID | None
    ) -> Recorded[Event] | None:
        """Append an event to a stream whose row was loaded; None when the log holds it already.

        A job's first event names the trace of the job, any other that of the message which it came with.
        """
        trace = self.trace
        if row.kind in JOBS and not self.log.version(row.stream):
            known = self.house.jobs.get(row.stream)
            trace = known.trace if known else trace
        new = NewEvent(id, event, job, cause, str(trace) if trace else None)
        return self.log.add(row.stream, row.kind, row.tenant, new)

    async def record_followup(self, row: Row, event: Event, *, job: UUID) -> Recorded[Event]:
        """Append an event that the ledger itself decided."""
        await self.row(row.stream)
        id = followup_id(row.stream, self.log.version(row.stream) + 1)
        trace = (await self._known(job)).trace
        new = NewEvent(id, event, job, None, str(trace) if trace else None)
        recorded = self.log.add(row.stream, row.kind, row.tenant, new)
        if recorded is None:
            raise LookupError(f"version {self.log.version(row.stream) + 1} of {row.stream} exists")
        return recorded

    async def record_calls(
        self, tenant: str, job: UUID, cause: UUID, calls: Iterable[CallSettled]
    ) -> None:
        """What was paid is a fact of its own, also where the result came too late."""
        for call in calls:
            row = await self._calls_row(tenant, job)
            self.record(row, call, id=call.call_id, job=job, cause=cause)

    async def record_aside(
        self, tenant: str, job: UUID, event: Event, *, id: UUID, cause: UUID
    ) -> None:
        row = await self._calls_row(tenant, job)
        self.record(row, event, id=id, job=job, cause=cause)

    async def _calls_row(self, tenant: str, job: UUID) -> Row:
        stream = calls_stream(job)
        return await self.row(stream) or self.new_row(stream, tenant, "calls")

    def knows(self, event: UUID) -> bool:
        """Whether the log holds an event whose id was loaded."""
        return self.log.knows(event)

    def keep(self, tenant: str, bodies: Iterable[Body], answers: Iterable[KeptAnswer] = ()) -> None:
        self._bodies.extend(bodies)
        self._answers += [(tenant, answer) for answer in answers]

    def finish(self, unit: UUID) -> None:
        self._done.add(unit)

    def is_done(self, unit: UUID) -> bool:
        work = self.work.get(unit)
        over = unit in self._done or unit in self._forgotten
        return work is None or work.outcome is not None or over

    def give_back(self, unit: UUID, *, held: bool) -> None:
        self.back[unit] = held

    async def busy(self, job: UUID) -> int:
        """Units of a job that somebody may be doing, those included that this turn issues."""
        issued = sum(len(each.command.units) for each in self._commands if each.row.stream == job)
        return issued + await writing.busy(self.connection, job, self._done)

    async def forget_work(self, documents: Collection[UUID]) -> None:
        """Work on documents that were deleted is wanted no more: what still comes of it is late."""
        forgotten = await self.connection.fetch(
            "delete from ledger.work where job_id = any($1::uuid[]) returning unit_id",
            list(documents),
        )
        self._forgotten |= {row["unit_id"] for row in forgotten}
        await self.connection.execute(
            "delete from ledger.commands where job_id = any($1::uuid[])", list(documents)
        )

    async def fold(self, row: Row, recorded: Recorded[Event]) -> None:
        """Let the process of a document or a job fold an event that concerns it."""
        if deciding.fold(row, recorded):
            self.touch(row.stream)

    # -- deciding ----------------------------------------------------------------------------------

    async def decide(self) -> None:
        """Ask every process concerned what follows, until nothing more does."""
        await self.save_interests()
        await writing.give_back(self.connection, self.back)
        for job in list(self.house.hungry):
            self.touch(job)
        while self._touched:
            stream = next(iter(self._touched))
            trace = self._touched.pop(stream)
            row = await self.row(stream)
            if row is None:
                continue
            if isinstance(row.state, DocumentState):
                await self._decide_document(row, row.state, trace)
            elif row.open:
                with deciding.blamed(stream):
                    await self._decide_job(row)

    async def _decide_document(self, row: Row, state: DocumentState, trace: Context | None) -> None:
        decision = ingestion.decide_document(state, row.stream)
        row.become(decision.state)
        self._issue(row, decision.commands, trace)
        if not ingestion.is_settled(decision.state):
            return
        waiting = await self.connection.fetch(
            """
            update ledger.interests set settled = true
            where stream_id = $1 and not settled returning job_id
            """,
            row.stream,
        )
        for each in waiting:
            job = await self.row(each["job_id"])
            if job is None:
                continue
            match job.state:
                case GenerationState() as state_of_job:
                    job.become(generation_state.settled(state_of_job))
                case ProcessingState() as processing:
                    job.become(ingestion.settled(processing, decision.state))
            self.touch(job.stream)

    async def _decide_job(self, row: Row) -> None:
        documents: Sequence[PlanDocument] | None = None
        while True:
            decision = await deciding.decision(self, row, documents)
            row.become(decision.state)
            if decision.needs_documents:
                documents = await self._documents_of_job(row.stream)
                continue
            if decision.commands:
                self._issue(row, decision.commands, (await self._known(row.stream)).trace)
            if decision.ended:
                self.end(row)
                return
            if not decision.events:
                self._note_hunger(row)
                return
            for event in decision.events:
                recorded = await self.record_followup(row, event, job=row.stream)
                await self.fold(row, recorded)
            self._touched.pop(row.stream, None)

    async def _documents_of_job(self, job: UUID) -> list[PlanDocument]:
        found = await self.connection.fetch(
            "select stream_id from ledger.interests where job_id = $1 order by stream_id", job
        )
        ids = [row["stream_id"] for row in found]
        await self.load_rows(ids)
        request = await self.request_of(job)
        chunking = None
        if isinstance(request, GenerationRequested) and request.settings.recut:
            chunking = request.settings.chunking
        rows = [(id, self._rows[id]) for id in ids]
        plans = (
            ingestion.plan_document(row.state, id, chunking)
            for id, row in rows
            if row is not None and isinstance(row.state, DocumentState)
        )
        return [plan for plan in plans if plan is not None]

    def _issue(self, row: Row, commands: Iterable[Command], trace: Context | None) -> None:
        for command in commands:
            self._commands.append(Issued(row, command, str(trace) if trace else None))
            if SERVICES[type(command)] == "generate":
                self._in_flight.add(row.tenant, len(command.units))

    def end(self, row: Row) -> None:
        """A job that goes on no more."""
        row.open, row.changed = False, True
        self.ended.append(row.stream)
        self.house.hungry.pop(row.stream, None)
        self.house.missing.pop(row.stream, None)

    def _note_hunger(self, row: Row) -> None:
        """A job that has more to dispatch is asked again each turn, after the others."""
        self.house.hungry.pop(row.stream, None)
        if isinstance(row.state, GenerationState) and generation_state.is_hungry(row.state):
            self.house.hungry[row.stream] = None

    async def credit(self, tenant: str) -> int:
        """Units that one more job of a tenant may issue."""
        done = [self.work[unit] for unit in self._done]
        return await self._in_flight.credit(self.connection, self.log.now, tenant, done)

    # -- writing -----------------------------------------------------------------------------------

    def wait_for(self, job: UUID, documents: Iterable[tuple[UUID, bool]]) -> None:
        """A job works on these documents; ``True`` marks one that is settled already."""
        self._interests += [(job, document, settled) for document, settled in documents]

    async def save_interests(self) -> None:
        """Write what jobs wait for, before anybody asks who waits for a document."""
        interests, self._interests = self._interests, []
        await writing.add_interests(self.connection, interests)

    def changed(self) -> list[Row]:
        return [row for row in self._rows.values() if row is not None and row.changed]

    async def save_states(self) -> None:
        """Write the states as they are so far, for a query that looks at many streams."""
        await writing.write_states(self.connection, self.changed())

    async def write(self) -> None:
        """Write all that the turn recorded and decided."""
        await insert_bodies(self.connection, self._bodies)
        await writing.write_journal(self.connection, self._answers)
        await self.log.flush(map(stream_row, self.changed()))
        await writing.write_outcomes(self.connection, self._done, self.work)
        going_on = [each for each in self._commands if each.row.stream not in self.ended]
        self.issued = await writing.write_commands(self.connection, going_on)
        await writing.forget_jobs(self.connection, self.ended)
        await writing.write_answers(self.connection, self.asked)

    def committed(self) -> None:
        """What was written is so: the next turn need not read it."""
        self.house.keep((row, self.log.version(row.stream)) for row in self._rows.values() if row)
        self._in_flight.committed()
