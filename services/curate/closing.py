"""What looks back over a whole dataset: its figures when it closes, and the plan of a further round."""

from collections import defaultdict
from uuid import UUID

from contracts.dataset import CloseDataset, DatasetCompleted
from contracts.generation import ExtendGeneration, GenerationExtended, PlannedDocument
from services.curate.counting import count, plan
from services.curate.following import Following, Job
from services.curate.reading import Reading
from services.curate.rounds import Extension, extend
from shared.blobs import Blobs
from shared.plans import keep_plan


async def close(
    reading: Reading, following: Following, tenant: str, command: CloseDataset
) -> DatasetCompleted:
    """The figures of a dataset, with the counts that its job ended with."""
    job = Job(tenant, command.job_id, command.dataset_id, command.plan, command.settings)
    await count(reading, following, job, command.head)
    await plan(reading, following.figures, job)
    wanted = command.settings.entries
    return DatasetCompleted(
        dataset_id=command.dataset_id,
        ending=command.ending,
        wanted=wanted,
        missing=max(0, (wanted or 0) - command.counts.accepted),
        counts=command.counts,
        rejected_by_reason=command.rejected,
        failed_by_code=command.failed,
        skipped=command.skipped,
        figures=await reading.bench.do(following.figures.result),
    )


async def another_round(
    reading: Reading, blobs: Blobs, tenant: str, command: ExtendGeneration
) -> GenerationExtended:
    """Plan a round over the sentences that no accepted evidence covers."""
    plans = (command.plan, *command.later)
    accepted = await reading.accepted(command.dataset_id, command.dataset_head)
    covered: dict[UUID, list[tuple[int, int]]] = defaultdict(list)
    questions: dict[UUID, list[str]] = defaultdict(list)
    async for units in reading.units(tenant, command.job_id, plans):
        for read in units:
            for entry, parts in read.entries.items():
                if entry not in accepted:
                    continue
                questions[read.unit.document_id].append(parts.question or parts.answer)
                covered[read.unit.chunk_id] += [
                    (quote.start, quote.end)
                    for quote in parts.evidence
                    if quote.start is not None and quote.end is not None
                ]
    planned = await _extend(reading, tenant, command, covered, questions)
    plan = None
    if planned.seeds:
        plan = await keep_plan(blobs, tenant, command.first, planned.pages)
    return GenerationExtended(
        dataset_id=command.dataset_id,
        round=command.round,
        plan=plan,
        first=command.first,
        seeds=planned.seeds,
        asked=planned.asked,
        uncovered=planned.uncovered,
    )


async def _extend(
    reading: Reading,
    tenant: str,
    command: ExtendGeneration,
    covered: dict[UUID, list[tuple[int, int]]],
    questions: dict[UUID, list[str]],
) -> Extension:
    pages = [page async for page in reading.plans.pages(tenant, command.plan)]
    documents: dict[UUID, PlannedDocument] = {
        document.document_id: document for page in pages for document in page.documents
    }
    texts = {
        id: await reading.plans.text(tenant, document.text) for id, document in documents.items()
    }
    return await reading.bench.do(
        extend,
        command.round,
        command.first,
        pages,
        covered,
        questions,
        texts,
        command.settings,
        command.wanted,
    )
