"""One chaos run: a mill of real processes behind proxies, users, a nemesis, and the judgement at its end."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from services.cli.tree import Tree, running
from shared.settings import Settings
from shared.stack import SERVICES
from tests.chaos.checker import judge
from tests.chaos.facts import Facts, Finding
from tests.chaos.load import ENDED, Load
from tests.chaos.nemesis import SERVERS, Nemesis
from tests.chaos.poison import Poison
from tests.chaos.proxy import Proxy
from tests.chaos.reading import of_tree
from tests.chaos.schedule import PROCESSES, Kind, aimed, schedule
from tests.simulator.process import Simulation, start

VIA = Path(__file__).with_name("via.py")
SHORT = {
    "GRISTMILL_BEAT": "0.5",
    "GRISTMILL_DEADLINE": "4",
    "GRISTMILL_ACK_WAIT": "4",
    "GRISTMILL_LEADERSHIP": "3",
    "GRISTMILL_MODEL_TIMEOUT": "10",
    "GRISTMILL_WORKERS": "1",
}
FAULTS_OF_THE_MODEL = (
    "server_error=0.02", "rate_limited=0.02", "retry_after=0.2", "reset=0.01", "malformed=0.02",
    "broken=0.01",
)  # fmt: skip
ENDING = 150.0
"""Seconds that jobs have to end after the last fault."""
READY = 180.0
"""Seconds that everything may take to start, on a busy machine, before the first fault."""
TELL = 10.0
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to be."""

    seed: int
    seconds: float
    only: Kind | None = None
    broken: str | None = None
    """A build of ``tests.chaos.broken``, against which the faults are aimed that it does not survive."""
    latency_ms: int = 150
    every: float = 2.5
    ending: float = ENDING


@dataclass(slots=True)
class Ran:
    """What came of a run."""

    facts: Facts
    findings: list[Finding]
    faults: dict[str, int]
    jobs: dict[str, str]
    counts: dict[str, int]
    took: float
    notes: list[str] = field(default_factory=list)


async def run(plan: Plan, folder: Path, say: Say) -> Ran:
    """Run in an empty folder, which is left to be looked at."""
    began = time.time()
    simulator = start("mode=grounded", f"latency_ms={plan.latency_ms}", "latency_sigma=0.4",
                      f"seed={plan.seed}", *FAULTS_OF_THE_MODEL)  # fmt: skip
    try:
        async with _mill(plan, folder, simulator) as (tree, proxies):
            return await _struck(plan, tree, proxies, simulator, began, say)
    finally:
        simulator.stop()


async def _struck(
    plan: Plan,
    tree: Tree,
    proxies: dict[tuple[str, str], Proxy],
    simulator: Simulation,
    began: float,
    say: Say,
) -> Ran:
    load = Load(tree.url, plan.seed, say)
    ready = time.time() + READY
    users = asyncio.create_task(load.run(lambda: time.time() > ready + plan.seconds))
    async with asyncio.timeout(READY):
        await load.working.wait()
    started = time.time()
    ready = started
    nemesis = Nemesis(tree, proxies, started, say)
    if plan.broken is None:
        planned = schedule(plan.seed, plan.seconds, only=plan.only, every=plan.every)
    else:
        planned = aimed(plan.broken, plan.seconds)
    copying = None
    if plan.only == "rollback":
        copying = asyncio.create_task(nemesis.keep_copies(4.0))
    url = SecretStr(tree.stack.nats_url("generate"))
    poison = Poison(Settings(data=tree.stack.data, nats_url=url), plan.seed)
    poisoning = asyncio.create_task(poison.run())
    telling = asyncio.create_task(_tell(load, nemesis, started, plan.seconds, say))
    try:
        await nemesis.run(planned)
        async with asyncio.timeout(plan.seconds + plan.ending):
            await users
    finally:
        for task in (users, telling, poisoning, copying):
            if task is not None:
                task.cancel()
    nemesis.heal()
    notes = [f"unexpected answer: {each}" for each in load.unexpected]
    await _all_ended(tree, load, plan.ending, say)
    facts = await of_tree(
        tree,
        calls=simulator.calls,
        faults=nemesis.faults,
        told=load.told,
        poison=poison.said,
        refused=load.refusable | poison.perhaps,
    )
    found = judge(facts) + [Finding("unexpected_answer", each) for each in load.unexpected]
    took = time.time() - began
    return Ran(facts, found, dict(nemesis.counts), load.jobs, dict(load.counts), took, notes)


@asynccontextmanager
async def _mill(
    plan: Plan, folder: Path, simulator: Simulation
) -> AsyncIterator[tuple[Tree, dict[tuple[str, str], Proxy]]]:
    """Every process with proxies of its own between itself and each server."""
    proxies: dict[tuple[str, str], Proxy] = {}
    model = int(simulator.url.rpartition(":")[2])
    for name in PROCESSES:
        for server in SERVERS:
            target = (lambda: model) if server == "model" else _written(folder / server)
            proxies[name, server] = Proxy(target)
    for proxy in proxies.values():
        await proxy.open()
    ports: dict[str, dict[str, int]] = {name: {} for name in PROCESSES}
    for (name, server), proxy in proxies.items():
        ports[name][server] = proxy.port
    (folder / "proxies.json").write_text(json.dumps(ports))
    broken = () if plan.broken is None else (plan.broken,)
    commands = {
        name: (sys.executable, str(VIA), name.partition("-")[0], name, str(folder), *broken)
        for name in PROCESSES
    }
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GRISTMILL_")},
        **SHORT,
        "OPENAI_BASE_URL": simulator.openai_base_url,
        "OPENAI_API_KEY": "of-nobody",
    }
    assert set(SERVICES) <= set(commands)
    try:
        async with running(
            folder / "data",
            environ=environ,
            commands=commands,
            several="generate=2,ledger=2",
            durable=False,
        ) as tree:
            yield tree, proxies
    finally:
        for proxy in proxies.values():
            await proxy.close()


def _written(path: Path) -> Callable[[], int | None]:
    return lambda: int(path.read_text()) if path.exists() else None


async def _tell(load: Load, nemesis: Nemesis, started: float, seconds: float, say: Say) -> None:
    while True:
        await asyncio.sleep(TELL)
        gone = time.time() - started
        ended = sum(status in ENDED for status in load.jobs.values())
        faults = sum(nemesis.counts.values())
        left = max(0.0, seconds - gone)
        say(
            f"{gone:7.1f} s  {len(load.jobs)} jobs, {ended} ended, {faults} faults; "
            f"{left:.0f} s to go"
        )


async def _all_ended(tree: Tree, load: Load, within: float, say: Say) -> None:
    """Wait for every job to end; the checker finds those that did not."""
    until, told = time.time() + within, time.time()
    async with aiohttp.ClientSession(tree.url) as session:
        while time.time() < until:
            load.jobs = {job: await _status(session, job) for job in load.jobs}
            left = {job: status for job, status in load.jobs.items() if status not in ENDED}
            if not left:
                return
            if time.time() - told > TELL:
                told = time.time()
                job, status = next(iter(left.items()))
                say(f"           waiting for {len(left)} jobs to end, such as {job}: {status}")
            await asyncio.sleep(0.5)


async def _status(session: aiohttp.ClientSession, job: str) -> Any:
    try:
        async with session.get(f"/api/v1/jobs/status/{job}") as answer:
            return (await answer.json()).get("status") if answer.status == 200 else answer.status
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return "away"


@asynccontextmanager
async def run_folder(keep: Callable[[], bool]) -> AsyncIterator[Path]:
    """A folder for a run; it stays where ``keep`` says so at the end."""
    folder = Path(tempfile.mkdtemp(prefix="gristmill-chaos-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        if not keep():
            shutil.rmtree(folder, ignore_errors=True)
