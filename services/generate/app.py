"""The edge of generate: fetch texts, plan; fetch a seed, ask the model, keep what it said, say what came of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from contracts.call import CallSettled, KeptAnswer
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
from contracts.identity import answered_id, body_id, call_id, dataset_id
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
from shared.failpoints import failpoint
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
        asked = await _Question(
            client, task, prompt, system, seed.sample, document.document_id
        ).ask()
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
    keys: tuple[str, ...]
    """Of the exchanges, in order."""
    recalled: int
    """Exchanges that were answered before, and paid for then."""


@dataclass(frozen=True, slots=True)
class _Question:
    """One unit's way to ask: the model, or the journal where it may have been answered before."""

    client: ModelClient
    task: Task[GenerateEntries]
    prompt: Prompt
    system: str
    sample: int
    document: UUID

    async def ask(self) -> _Asked:
        """Ask until an answer can be read, showing the model each time what was wrong with the one before."""
        settings = self.task.command.settings
        messages: list[tuple[Role, str]] = [
            ("system", self.prompt.system),
            ("user", self.prompt.user),
        ]
        exchanges: list[Exchange] = []
        keys: list[str] = []
        said: str | None = None
        recalled = 0
        while True:
            request = _request(settings, messages)
            keys.append(self._key(request))
            answer = await self._recall(request, keys[-1])
            recalled += answer is not None
            paid = answer is None
            if answer is None:
                answer = await self._call(request)
            exchanges.append(
                Exchange(feedback=said, response=answer.raw, finish_reason=answer.finish_reason)
            )
            parsed = parse(answer.text, settings.mode, answer.finish_reason)
            if parsed.problem is None or len(exchanges) >= MOST_ANSWERS:
                return _Asked(parsed, answer, tuple(exchanges), tuple(keys), recalled)
            if paid:
                # It leads to no outcome yet, so it is said by itself: what was paid for is not asked again.
                await self._keep(exchanges, keys)
            said = feedback(parsed.problem)
            messages += [("assistant", answer.text), ("user", said)]

    def _key(self, request: ModelRequest) -> str:
        settings = self.task.command.settings
        return response_key(
            self.task.tenant,
            settings.model,
            _parameters(settings),
            request.messages,
            json_schema(settings.mode),
            self.sample,
        )

    async def _recall(self, request: ModelRequest, key: str) -> ModelAnswer | None:
        """What was answered before, where that may be: to an earlier attempt, or to another job that may be reused."""
        task = self.task
        if task.attempt == 1 and not task.command.settings.reuse_answers:
            return None
        before = await task.journal.find(task.tenant, key)
        if before is None:
            return None
        provider = task.command.settings.model.partition("/")[0]
        return self.client.read(provider, request, before.response)

    async def _call(self, request: ModelRequest) -> ModelAnswer:
        task, model = self.task, self.task.command.settings.model
        answered = await self.client.call(
            model.partition("/")[0],
            request,
            first=len(task.calls),
            before_each=task.may_start,
            report=lambda record: task.calls.append(_settled(task, model, record)),
            name=lambda number: str(_call_id(task, number)),
        )
        return answered.answer

    async def _keep(self, exchanges: Sequence[Exchange], keys: Sequence[str]) -> None:
        task, n = self.task, len(exchanges) - 1
        message = answered_id(task.outcome, len(task.calls))
        call = _call_body(message, self.system, self.prompt, exchanges, self.document)
        answer = KeptAnswer(key=keys[n], body=call.body_id, exchange=n)
        await task.journal.keep(task, (answer,), (call,))
        failpoint("worker.answer_said")


def _request(settings: GenerationSettings, messages: Sequence[tuple[Role, str]]) -> ModelRequest:
    return ModelRequest(
        model=settings.model.partition("/")[2],
        messages=tuple(messages),
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        seed=settings.seed,
        schema=json_schema(settings.mode),
    )


def _call_body(
    message: UUID, system: str, prompt: Prompt, exchanges: Sequence[Exchange], document: UUID
) -> Body:
    call = CallBody(system=system, user=prompt.user, exchanges=tuple(exchanges))
    return _body(message, "call", call.model_dump_json(), document)


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


def _usage(task: Task[GenerateEntries], recalled: int) -> Usage:
    return Usage(
        calls=len(task.calls),
        prompt_tokens=sum(call.prompt_tokens for call in task.calls),
        completion_tokens=sum(call.completion_tokens for call in task.calls),
        cached_tokens=sum(call.cached_tokens for call in task.calls),
        recalled=recalled,
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
    call = _call_body(event, system, prompt, asked.exchanges, document.document_id)
    answers = tuple(
        KeptAnswer(key=key, body=call.body_id, exchange=n) for n, key in enumerate(asked.keys)
    )
    if asked.parsed.problem is not None and not asked.parsed.items:
        failed = UnitFailed(
            unit_id=task.unit,
            command=wire_type(GenerateEntries),
            code="malformed",
            message=f"{len(asked.exchanges)} answers, none readable: {asked.parsed.problem}"[:2000],
            call=call.body_id,
        )
        return Done((failed,), (call,), answers)
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
        response_key=asked.keys[0],
        usage=_usage(task, asked.recalled),
    )
    return Done((generated,), (body, call), answers)


def _body(event: UUID, field: str, text: str, document: UUID) -> Body:
    return Body(body_id=body_id(event, field), kind=field, text=text, documents=(document,))
