"""Outcomes of generation as a worker says them, made ahead of time: prompts, answers and entries of the real shapes.

Some passages are done for real, with the simulated model's words; the others repeat their texts under ids of their own.
"""

from collections.abc import Iterator
from uuid import UUID, uuid5

from contracts.blob import BlobRef
from contracts.call import CallSettled
from contracts.entries import CallBody, EntriesGenerated, Exchange, Usage
from contracts.generation import GenerationSettings, PlannedDocument, Seed, Slot
from contracts.identity import (
    body_id,
    call_id,
    dataset_id,
    entry_id,
    event_id,
    outcome_id,
    seed_unit,
)
from contracts.message import wire_type
from contracts.unit import Body, Said, UnitFinished
from services.generate.logic import entries_from, response_key
from services.generate.parsing import parse
from services.generate.prompts.render import render
from tests.performance.station import section
from tests.simulator.behaviour import Behaviour
from tests.simulator.said import Writer

JOB, DOCUMENT, INCARNATION = UUID(int=7), UUID(int=8), UUID(int=9)
SETTINGS = GenerationSettings(model="openai/simulated", concurrency=64)
REAL = 100
NO_BLOB = BlobRef(kind="text", sha256="0" * 64, size=0)
PARAMETERS = {"temperature": 0.7, "max_tokens": 2000, "seed": 0}


def outcomes(count: int) -> Iterator[UnitFinished]:
    """The outcomes of seeds 0 to ``count - 1`` of ``JOB``, each a first attempt."""
    real = [_done(number) for number in range(min(count, REAL))]
    for seed in range(count):
        yield _said(seed, *real[seed % len(real)])


def _done(number: int) -> tuple[EntriesGenerated, str, str]:
    """What a model's answer about a passage became: the event, the body of entries and that of the call."""
    text = section(number)
    seed = Seed(
        index=number, round=1, sample=0, document_id=DOCUMENT, chunk_id=uuid5(DOCUMENT, str(number)),
        chunk_index=number, start=0, end=len(text), heading_path=("Stations",), page=None,
        slots=(Slot(),) * 3,
    )  # fmt: skip
    document = PlannedDocument(
        document_id=DOCUMENT, name="district-0.md", title="Stations of district 0", language="en",
        outline=(), summary="", text=NO_BLOB,
    )  # fmt: skip
    prompt = render(seed, document, text, SETTINGS)
    messages = [
        {"role": "system", "content": prompt.system},
        {"role": "user", "content": prompt.user},
    ]
    answer = Writer().write(messages, Behaviour(), str(number)).text
    parsed = parse(answer, SETTINGS.mode, "stop")
    facts, entries = entries_from(seed, document, text, SETTINGS, parsed, seed_unit(JOB, number))
    exchange = Exchange(feedback=None, response=answer, finish_reason="stop")
    call = CallBody(system="0" * 64, user=prompt.user, exchanges=(exchange,))
    asked = [("system", prompt.system), ("user", prompt.user)]
    event = EntriesGenerated(
        dataset_id=dataset_id(JOB), unit_id=seed_unit(JOB, number), seed=number, round=1, sample=0,
        document_id=DOCUMENT, chunk_id=seed.chunk_id, entries=facts, nothing_because=None,
        body=DOCUMENT, call=DOCUMENT, model=SETTINGS.model, prompt=prompt.ref, parameters=PARAMETERS,
        response_key=response_key("default", SETTINGS.model, PARAMETERS, asked, None, 0),
        usage=Usage(calls=1, prompt_tokens=1900, completion_tokens=250),
    )  # fmt: skip
    return event, entries.model_dump_json(), call.model_dump_json()


def _said(seed: int, event: EntriesGenerated, entries: str, call: str) -> UnitFinished:
    unit = seed_unit(JOB, seed)
    said = event_id(outcome_id(unit, 1, INCARNATION), 0)
    bodies = tuple(
        Body(body_id=body_id(said, kind), kind=kind, text=text, documents=(DOCUMENT,))
        for kind, text in (("entries", entries), ("call", call))
    )
    named = tuple(
        each.model_copy(update={"entry_id": entry_id(unit, 0, n)})
        for n, each in enumerate(event.entries)
    )
    generated = event.model_copy(
        update={
            "unit_id": unit,
            "seed": seed,
            "chunk_id": uuid5(DOCUMENT, str(seed)),
            "entries": named,
            "body": bodies[0].body_id,
            "call": bodies[1].body_id,
        }
    )
    settled = CallSettled(
        call_id=call_id(unit, 1, INCARNATION, 0), unit_id=unit, attempt=1, number=0,
        model=SETTINGS.model, outcome="ok", latency_ms=500.0, prompt_tokens=1900,
        completion_tokens=250, cached_tokens=0,
    )  # fmt: skip
    return UnitFinished(
        unit_id=unit,
        job_id=JOB,
        service="generate",
        attempt=1,
        incarnation=INCARNATION,
        events=(Said(type=wire_type(EntriesGenerated), data=generated.model_dump(mode="json")),),
        bodies=bodies,
        calls=(settled,),
    )
