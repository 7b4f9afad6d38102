"""Two generate workers on one job: how evenly they share its calls, and what a worker pays for a call.

Only the bus, the simulated model and the workers run, as processes of their own; this process stands in for the ledger:
it issues packs within the job's window and hears what came of them. Nothing is recorded.
"""

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid5

import orjson
import psutil
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts.document import Chunking
from contracts.entries import GenerateEntries
from contracts.generation import GenerationPlanned, GenerationSettings, PlanDocument, PlanGeneration
from contracts.identity import GRISTMILL, dataset_id, seed_unit, unit_id
from contracts.message import Command, wire_type
from contracts.unit import UnitFinished
from services.chunk.logic import cut
from services.cli.environment import environment
from services.cli.tree import module_commands
from services.ingest.parsers import parse
from shared.blobs import Blobs, FolderBlobs
from shared.bundle import envelopes
from shared.bus import ATTEMPT, TENANT, Envelope, claimed, connect, dump
from shared.settings import Settings
from shared.stack import Child, Nats, Program, Running, start
from shared.stops import CONTROL, answer
from shared.topology import declare
from tests.performance.figures import Figure
from tests.performance.mill import prose
from tests.performance.progress import Tell
from tests.performance.waiting import until
from tests.simulator.process import Simulation
from tests.simulator.process import start as simulate

JOB = uuid5(GRISTMILL, "bench of sharing")
PACK, WORKERS, LATENCY_MS = 8, 2, 500.0


def measure(tell: Tell, calls: int, concurrency: int) -> list[Figure]:
    return asyncio.run(_measure(tell, calls, concurrency))


async def _measure(tell: Tell, calls: int, concurrency: int) -> list[Figure]:
    simulation = simulate()
    try:
        figures = []
        for sigma in (0.0, 0.7):
            tell(f"{WORKERS} workers share {calls} calls, {concurrency} at once, sigma {sigma:g}")
            async with _bench(simulation) as bench:
                shares, cpu, messages = await bench.run(calls, concurrency, sigma)
            figures.append(
                Figure(
                    f"calls of the busier of {WORKERS} workers, sigma {sigma:g}", "calls", (max(shares),),
                    "of the other", (min(shares),), "less",
                    f"{cpu * 1000 / calls:.2f} ms of CPU a call in generate; {messages} messages of outcomes",
                )
            )  # fmt: skip
    finally:
        simulation.stop()
    return figures


@asynccontextmanager
async def _bench(simulation: Simulation) -> AsyncIterator["_Bench"]:
    with tempfile.TemporaryDirectory(prefix="gristmill-bench-") as folder:
        Path(folder).chmod(0o711)
        async with start(Path(folder) / "data") as stack:
            nats = await stack.fresh_nats()
            settings = Settings.model_validate({"data": stack.data, "nats_url": nats.url("ledger")})
            client = await connect(settings, "ledger")
            await declare(client, settings)
            workers = [await _worker(stack, nats, simulation, n) for n in range(WORKERS)]
            try:
                yield _Bench(client, FolderBlobs(stack.data / "blobs"), simulation, workers)
            finally:
                for worker in workers:
                    await worker.stop()
                await client.close()
                await nats.stop()


async def _worker(stack: Running, nats: Nats, simulation: Simulation, number: int) -> Child:
    given = {
        "GRISTMILL_DATA": str(stack.data),
        "GRISTMILL_NATS_URL": nats.url("generate"),
        "OPENAI_BASE_URL": simulation.openai_base_url,
        "OPENAI_API_KEY": "simulated",
    }
    inherited = {name: value for name, value in os.environ.items() if "GRISTMILL" not in name}
    program = Program(
        name=f"generate-{number}",
        argv=module_commands()["generate"],
        env=environment("generate", inherited, given),
    )
    child = Child(program, stack.logs, stack.guard)
    await child.spawn()
    return child


class _Bench:
    """The ledger's part: packs within a window, an answer to every beat, and what was said."""

    def __init__(
        self, client: Client, blobs: Blobs, simulation: Simulation, workers: list[Child]
    ) -> None:
        self._client = client
        self._blobs = blobs
        self._simulation = simulation
        self._workers = workers
        self._said: asyncio.Queue[UnitFinished] = asyncio.Queue()
        self._beating: set[UUID] = set()
        self._messages = 0

    async def run(self, calls: int, concurrency: int, sigma: float) -> tuple[list[int], float, int]:
        """Calls by worker, seconds of CPU of both, messages in which they said what came of them."""
        await self._client.subscribe("gristmill.results.*", cb=self._hear)
        await self._client.subscribe("gristmill.beat.*", cb=self._beat)
        settings = GenerationSettings(model="openai/simulated", concurrency=concurrency)
        planned = await self._plan(calls, settings)
        await until(self._all_beat)
        self._simulation.reset(latency_ms=LATENCY_MS, latency_sigma=sigma)
        before, self._messages, shares = self._cpu(), 0, Counter[UUID]()
        issued, window = 0, concurrency + PACK * WORKERS
        while shares.total() < planned.seeds:
            while issued < planned.seeds and issued + PACK <= shares.total() + window:
                seeds = tuple(range(issued, min(issued + PACK, planned.seeds)))
                issued += len(seeds)
                await self._issue(
                    GenerateEntries(
                        job_id=JOB, units=tuple(seed_unit(JOB, seed) for seed in seeds),
                        dataset_id=dataset_id(JOB), plan=planned.plan, seeds=seeds, settings=settings,
                        share=-(-concurrency // WORKERS),
                    )
                )  # fmt: skip
            shares[(await self._said.get()).incarnation] += 1
        return list(shares.values()), self._cpu() - before, self._messages

    async def _all_beat(self) -> bool:
        return len(self._beating) == WORKERS

    async def _plan(self, chunks: int, settings: GenerationSettings) -> GenerationPlanned:
        documents = [await self._document(*each) for each in prose(0, chunks)]
        await self._issue(
            PlanGeneration(
                job_id=JOB, units=(unit_id(JOB, "plan"),), project_id=JOB,
                documents=tuple(documents), settings=settings,
            )
        )  # fmt: skip
        return GenerationPlanned.model_validate((await self._said.get()).events[0].data)

    async def _document(self, name: str, text: str) -> PlanDocument:
        document, parsed = uuid5(JOB, name), parse(name, text.encode())
        chunking = Chunking(strategy="markdown", size=2000, overlap=0)
        chunks = cut(document, parsed.text, parsed.structure, chunking)
        table = b"\n".join(chunk.model_dump_json().encode() for chunk in chunks)
        kept = {
            kind: await self._blobs.put("default", kind, data, "application/json")
            for kind, data in (
                ("text", parsed.text.encode()),
                ("structure", dump(parsed.structure)),
                ("table", table),
            )
        }
        return PlanDocument(
            document_id=document, name=name, language=parsed.structure.language, chunks=len(chunks), **kept
        )  # fmt: skip

    async def _issue(self, command: Command) -> None:
        envelope = Envelope(
            type=wire_type(type(command)),
            id=str(command.units[0]),
            source="ledger",
            subject="gristmill.commands.generate",
            body=dump(command),
            headers={TENANT: "default", ATTEMPT: "1"},
        )
        await self._client.jetstream().publish(
            envelope.subject, envelope.body, headers=envelope.all_headers()
        )

    async def _hear(self, message: Msg) -> None:
        self._messages += 1
        for envelope in envelopes(message):
            body = await claimed(self._blobs, "default", envelope)
            self._said.put_nowait(UnitFinished.model_validate_json(body))

    async def _beat(self, message: Msg) -> None:
        incarnation = orjson.loads(message.data)["incarnation"]
        self._beating.add(UUID(incarnation))
        await self._client.publish(f"{CONTROL}.{incarnation}", answer({}))

    def _cpu(self) -> float:
        return sum(sum(psutil.Process(each.pid).cpu_times()[:2]) for each in self._workers)
