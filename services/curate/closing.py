"""What looks back over a whole dataset: its figures when it closes, and the plan of a further round."""

import asyncio
from collections import defaultdict
from uuid import UUID

from contracts.dataset import CloseDataset, DatasetCompleted
from contracts.entries import Verdict
from contracts.generation import ExtendGeneration, GenerationExtended, PlannedDocument
from services.curate.checks.source import parts_of
from services.curate.figures import Figures
from services.curate.reading import Reading, UnitRead
from services.curate.rounds import Extension, extend
from shared.blobs import Blobs
from shared.plans import keep_plan


async def close(reading: Reading, tenant: str, command: CloseDataset) -> DatasetCompleted:
    """The figures of a dataset, with the counts that its job ended with."""
    corpus = await reading.corpus(tenant, command.plan[0])
    figures = Figures(corpus.ranker)
    for plan in command.plan:
        async for page in reading.plans.pages(tenant, plan):
            documents = {document.document_id: document for document in page.documents}
            for seed in page.seeds:
                document = documents[seed.document_id]
                text = await reading.plans.text(tenant, document.text)
                figures.seed(seed.document_id, document.name, text, seed.start, seed.end)
            await asyncio.sleep(0)  # a page at a time, so that beats go out in between
    accepted = await reading.accepted(command.dataset_id, command.head)
    async for units in reading.units(tenant, command.job_id, command.plan):
        await reading.bench.do(_add, figures, units, accepted)
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
        figures=figures.result(),
    )


def _add(figures: Figures, units: list[UnitRead], accepted: dict[UUID, Verdict]) -> None:
    for read in units:
        for entry in read.entries:
            if (verdict := accepted.get(entry.entry_id)) is not None:
                figures.add(entry, verdict, read.source)


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
            for entry in read.entries:
                if entry.entry_id not in accepted:
                    continue
                parts = parts_of(entry)
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
