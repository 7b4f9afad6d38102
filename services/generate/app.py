"""The edge of generate: fetch texts, plan; fetch a seed, ask the model, keep what it said, say what came of it."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from contracts.call import CallSettled
from contracts.document import Chunk, Structure
from contracts.entries import CallBody, EntriesGenerated, Exchange, GenerateEntries, Usage
from contracts.generation import (
    GenerationPlanned,
    GenerationSettings,
    PlanDocument,
    PlanGeneration,
    PlannedDocument,
    Seed,
)
from contracts.identity import body_id, call_id, dataset_id
from contracts.message import wire_type
from contracts.unit import Body, UnitFailed
from services.generate.logic import (
    SettingsRefused,
    check_settings,
    entries_from,
    response_key,
)
from services.generate.parsing import Parsed, feedback, parse
from services.generate.planning import DocumentCandidates, DocumentForPlan, arrange, candidates
from services.generate.prompts.render import Prompt, render
from services.generate.schemas import json_schema
from shared.blobs import Blobs
from shared.errors import Rejected
from shared.llm.client import ModelClient
from shared.llm.model import CallRecord, ModelAnswer, ModelRequest, Role
from shared.plans import Plans, keep_plan
from shared.worker import Done, Task, Work

MOST_ANSWERS = 3
"""Answers asked of a model for one unit before it is given up as unreadable."""


def work(blobs: Blobs, client: ModelClient) -> list[Work]:
    plans = Plans(blobs)
    prompts = _Prompts(blobs)

    async def plan(task: Task[PlanGeneration]) -> Done:
        command = task.command
        try:
            check_settings(command.settings)
        except SettingsRefused as refused:
            raise Rejected(refused.code, refused.message) from None
        parts = [
            await _candidates(blobs, task.tenant, each, command.settings)
            for each in command.documents
        ]
        made = await asyncio.to_thread(arrange, parts, command.settings)
        ref = await keep_plan(blobs, task.tenant, 0, made.pages)
        planned = GenerationPlanned(
            dataset_id=dataset_id(command.job_id),
            plan=ref,
            first=0,
            seeds=made.seeds,
            asked=made.asked,
            chunks=made.chunks,
            skipped=dict(made.skipped),
            documents=len(parts),
        )
        return Done((planned,))

    async def generate(task: Task[GenerateEntries]) -> Done:
        command = task.command
        seed, document = await plans.seed(task.tenant, command.plan, command.seeds[task.index])
        text = await plans.text(task.tenant, document.text)
        prompt = render(seed, document, text, command.settings)
        system = await prompts.keep(task.tenant, prompt.system)
        asked = await _ask(client, task, prompt, command.settings, seed.sample)
        return _said(task, seed, document, text, prompt, system, asked)

    return [
        Work(PlanGeneration, plan),
        Work(GenerateEntries, generate, share=lambda command: command.share),
    ]


async def _candidates(
    blobs: Blobs, tenant: str, plan: PlanDocument, settings: GenerationSettings
) -> DocumentCandidates:
    """What a document offers. Its text is let go before the next one is fetched."""
    text, structure, table = await asyncio.gather(
        blobs.get(tenant, plan.text),
        blobs.get(tenant, plan.structure),
        blobs.get(tenant, plan.table),
    )

    def look() -> DocumentCandidates:
        document = DocumentForPlan(
            document=plan,
            text=text.decode(),
            structure=Structure.model_validate_json(structure),
            chunks=tuple(Chunk.model_validate_json(line) for line in table.splitlines()),
        )
        return candidates(document, settings)

    return await asyncio.to_thread(look)


class _Prompts:
    """System messages as blobs: one for a whole job, so each is written once by a process."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._kept: dict[tuple[str, str], str] = {}

    async def keep(self, tenant: str, system: str) -> str:
        """Return the blob's sha256."""
        key = (tenant, system)
        if key not in self._kept:
            if len(self._kept) > 100:
                self._kept.clear()
            ref = await self._blobs.put(tenant, "prompt", system.encode(), "text/plain")
            self._kept[key] = ref.sha256
        return self._kept[key]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a model said to one prompt, in as many answers as it took."""

    parsed: Parsed
    answer: ModelAnswer
    exchanges: tuple[Exchange, ...]
    usage: Usage
    key: str


async def _ask(
    client: ModelClient,
    task: Task[GenerateEntries],
    prompt: Prompt,
    settings: GenerationSettings,
    sample: int,
) -> _Asked:
    """Ask until an answer can be read, showing the model each time what was wrong with the one before."""
    provider, _, model = settings.model.partition("/")
    schema = json_schema(settings.mode)
    messages: list[tuple[Role, str]] = [("system", prompt.system), ("user", prompt.user)]
    key = response_key(task.tenant, settings.model, _parameters(settings), messages, schema, sample)
    exchanges: list[Exchange] = []
    said: str | None = None
    while True:
        request = ModelRequest(
            model=model,
            messages=tuple(messages),
            temperature=settings.temperature,
            max_tokens=settings.max_tokens,
            seed=settings.seed,
            schema=schema,
        )
        answered = await client.call(
            provider,
            request,
            first=len(task.calls),
            before_each=task.may_start,
            report=lambda record: task.calls.append(_settled(task, settings.model, record)),
            name=lambda number: str(_call_id(task, number)),
        )
        answer = answered.answer
        exchanges.append(
            Exchange(feedback=said, response=answer.raw, finish_reason=answer.finish_reason)
        )
        parsed = parse(answer.text, settings.mode, answer.finish_reason)
        if parsed.problem is None or len(exchanges) >= MOST_ANSWERS:
            return _Asked(parsed, answer, tuple(exchanges), _usage(task), key)
        said = feedback(parsed.problem)
        messages += [("assistant", answer.text), ("user", said)]


def _parameters(settings: GenerationSettings) -> dict[str, float | int | str | bool | None]:
    return {
        "temperature": settings.temperature,
        "max_tokens": settings.max_tokens,
        "seed": settings.seed,
    }


def _call_id(task: Task[GenerateEntries], number: int) -> UUID:
    return call_id(task.unit, task.attempt, task.incarnation, number)


def _settled(task: Task[GenerateEntries], model: str, record: CallRecord) -> CallSettled:
    return CallSettled(
        call_id=_call_id(task, record.number),
        unit_id=task.unit,
        attempt=task.attempt,
        number=record.number,
        model=model,
        outcome=record.outcome,
        latency_ms=round(record.latency_ms, 1),
        prompt_tokens=record.prompt_tokens,
        completion_tokens=record.completion_tokens,
        cached_tokens=record.cached_tokens,
    )


def _usage(task: Task[GenerateEntries]) -> Usage:
    return Usage(
        calls=len(task.calls),
        prompt_tokens=sum(call.prompt_tokens for call in task.calls),
        completion_tokens=sum(call.completion_tokens for call in task.calls),
        cached_tokens=sum(call.cached_tokens for call in task.calls),
    )


def _said(
    task: Task[GenerateEntries],
    seed: Seed,
    document: PlannedDocument,
    text: str,
    prompt: Prompt,
    system: str,
    asked: _Asked,
) -> Done:
    """The outcome: entries with their bodies, or a failure that keeps what the model answered."""
    command, event = task.command, task.event_id(0)
    call = _body(
        event,
        "call",
        CallBody(system=system, user=prompt.user, exchanges=asked.exchanges).model_dump_json(),
        document.document_id,
    )
    if asked.parsed.problem is not None and not asked.parsed.items:
        failed = UnitFailed(
            unit_id=task.unit,
            command=wire_type(GenerateEntries),
            code="malformed",
            message=f"{len(asked.exchanges)} answers, none readable: {asked.parsed.problem}"[:2000],
            call=call.body_id,
        )
        return Done((failed,), (call,))
    facts, entries = entries_from(seed, document, text, command.settings, asked.parsed, task.unit)
    body = _body(event, "entries", entries.model_dump_json(), document.document_id)
    notes = {f"{name}_note": note for name, note in asked.answer.notes.items()}
    generated = EntriesGenerated(
        dataset_id=command.dataset_id,
        unit_id=task.unit,
        seed=seed.index,
        round=seed.round,
        sample=seed.sample,
        document_id=seed.document_id,
        chunk_id=seed.chunk_id,
        entries=facts,
        nothing_because=asked.parsed.nothing_because,
        body=body.body_id,
        call=call.body_id,
        model=command.settings.model,
        prompt=prompt.ref,
        parameters=_parameters(command.settings) | notes,
        response_key=asked.key,
        usage=asked.usage,
    )
    return Done((generated,), (body, call))


def _body(event: UUID, field: str, text: str, document: UUID) -> Body:
    return Body(body_id=body_id(event, field), kind=field, text=text, documents=(document,))
