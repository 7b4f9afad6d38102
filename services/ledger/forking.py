"""A new job that goes on from what a job had at some point, with ids of its own.

Its streams go on from the parent's (``ledger.lineage``), with the versions that follow: so a stretch that a state or a
command names means the same in the fork, and curate and export, which read streams, read the parent's entries without
knowing of it. Nothing leaves the log, so the fork outlives the parent's deletion.
"""

from uuid import UUID

from contracts.generation import GenerationPlanned, GenerationRequested
from contracts.identity import dataset_id
from contracts.job import ForkedProgress, JobForked, JobForkRequested
from contracts.message import wire_type
from services.ledger import requests, writing
from services.ledger.asked import Asked, dataset_row, project_row, room_for_a_job, say
from services.ledger.processes import generation_state
from services.ledger.processes.generation_state import GenerationState
from services.ledger.rows import JOBS, DatasetState, Row
from services.ledger.turn import Turn
from shared.errors import Refused
from shared.store import Position, lineage, recorded_from


async def fork(turn: Turn, asked: Asked, request: JobForkRequested) -> UUID:
    """Record a job that begins from another. Raise ``Refused``."""
    parent = await _parent(turn, asked, request.target)
    await room_for_a_job(turn, asked.tenant)
    if parent.project_id is not None:
        await project_row(turn, asked.tenant, parent.project_id)
    dataset = dataset_id(parent.stream)
    await dataset_row(turn, asked.tenant, dataset)
    wanted = await turn.request_of(parent.stream)
    if not isinstance(wanted, GenerationRequested):
        raise TypeError(f"job {parent.stream} generates what nobody asked for")
    if request.name is not None:
        wanted = wanted.model_copy(update={"name": request.name})
    # What this very turn recorded of the parent is read in the log like all else.
    await turn.log.flush()
    at, versions = await _point(turn, parent, request.position)
    had = await _progress(turn, parent, versions, past=request.position is not None)
    job = asked.job
    await turn.load_rows([job, dataset_id(job)])
    row = turn.new_row(job, asked.tenant, "generation", project=parent.project_id)
    turn.remember(job, wanted)
    documents, waiting = _documents_of(parent), 0
    if had is None:
        documents, waiting = await _documents(turn, job, wanted)
    forked = JobForked(
        parent=parent.stream,
        at=at,
        job_version=versions[0],
        dataset_version=versions[1],
        request=wanted,
        documents=documents,
        waiting=waiting,
        progress=had,
    )
    for kind, stream, base, version in (
        ("generation", job, parent.stream, versions[0]),
        ("dataset", dataset_id(job), dataset, versions[1]),
    ):
        turn.log.continues(stream, kind, asked.tenant, (base, version))
    row.become(generation_state.forked(forked))
    turn.new_row(dataset_id(job), asked.tenant, "dataset", state=DatasetState(job_id=job))
    await say(turn, asked, row, job, request, forked)
    await turn.log.flush()
    turn.touch(job)
    return job


async def _parent(turn: Turn, asked: Asked, job: UUID) -> Row:
    row = await turn.row(job)
    if row is None or row.tenant != asked.tenant or row.kind not in JOBS:
        raise Refused("job_not_found", f"Job {job} not found or cannot be forked", status=404)
    if not isinstance(row.state, GenerationState):
        message = (
            f"Job {job} cannot be forked: only jobs that generate can, by what they have made."
        )
        raise Refused("job_not_forkable", message, status=409)
    return row


async def _point(turn: Turn, parent: Row, position: str | None) -> tuple[str, tuple[int, int]]:
    """The position meant, and the versions that the parent's two streams had there. Raise ``Refused``."""
    dataset = dataset_id(parent.stream)
    await turn.row(dataset)
    if position is None:
        versions = turn.log.version(parent.stream), turn.log.version(dataset)
        return str(turn.log.position), versions
    place = Position.parse(position)
    found = await turn.connection.fetchrow(
        """
        select (select max(version) from ledger.events where stream_id = $3 and pos <= $2) as job,
            (select max(version) from ledger.events where stream_id = $4 and pos <= $2) as dataset,
            (select base_version from ledger.lineage where stream_id = $4) as base,
            exists (select from ledger.events where log_id = 1 and pos = $2 and era = $1) as known
        """,
        place.era,
        place.n,
        parent.stream,
        dataset,
    )
    if found is None or not found["known"]:
        message = f"The log has no event at {position}: take a position that it gave."
        raise Refused("unknown_position", message, field="position")
    if found["job"] is None:
        message = f"At {position} there was no job {parent.stream} yet."
        raise Refused("position_before_job", message, field="position")
    return position, (found["job"], found["dataset"] or found["base"] or 0)


async def _progress(
    turn: Turn, parent: Row, versions: tuple[int, int], *, past: bool
) -> ForkedProgress | None:
    """What a job had when its streams had these versions; None: no plan."""
    state = await _folded(turn, parent, versions) if past else parent.state
    if not isinstance(state, GenerationState) or not state.rounds:
        return None
    planned = await turn.connection.fetchval(
        """
        select (data ->> 'chunks')::int from ledger.events
        where stream_id = any($1::uuid[]) and type = $2 order by pos limit 1
        """,
        [stream for stream, _ in await lineage(turn.connection, parent.stream)],
        wire_type(GenerationPlanned),
    )
    judged = await writing.judged(turn.connection, dataset_id(parent.stream), versions[1])
    admitted = max((through for _, through in judged.admitted), default=0)
    return generation_state.progress(state, planned or 0, judged.curated, admitted)


async def _folded(turn: Turn, parent: Row, versions: tuple[int, int]) -> GenerationState | None:
    """The state that the events of a job's own streams give up to these versions. (What was in flight is in no event.)

    A page at a time, since a large job has more events than memory should hold; the log is locked meanwhile.
    """
    asked = await turn.request_of(parent.stream)
    if not isinstance(asked, GenerationRequested):
        return None
    state, after = generation_state.start(asked, documents=0, waiting=0), 0
    while True:
        rows = await turn.connection.fetch(
            """
            select * from ledger.events
            where (stream_id = $1 and version <= $2 or stream_id = $3 and version <= $4) and pos > $5
            order by pos limit 500
            """,
            parent.stream,
            versions[0],
            dataset_id(parent.stream),
            versions[1],
            after,
        )
        for row in rows:
            state = generation_state.evolve(state, recorded_from(row))
        if len(rows) < 500:
            return state
        after = rows[-1]["pos"]


def _documents_of(parent: Row) -> int:
    return parent.state.documents if isinstance(parent.state, GenerationState) else 0


async def _documents(turn: Turn, job: UUID, wanted: GenerationRequested) -> tuple[int, int]:
    """Documents of a job that had no plan, asked for as for any new job; and how many of them it waits for."""
    found = await requests.usable(turn, wanted)
    settings = wanted.settings
    waiting = await requests.want(turn, job, found, settings.chunking, any_cut=not settings.recut)
    return len(found), waiting
