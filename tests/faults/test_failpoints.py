"""A service that dies at any step comes back, and nothing is lost or there twice: every failpoint in a real process.

`make test` has all services die at once, each at a point that the seed chooses; `make faults` has each die alone at
every point that it passes.
"""

import hashlib
import logging
from collections.abc import AsyncIterator

import pytest

from shared.failpoints import NAMES
from tests.e2e.whole import Whole, whole_mill
from tests.faults.dying import CONCURRENCY, Judge, arm, died, ground, judge
from tests.seeds import SEED

log = logging.getLogger(__name__)

WORKER = tuple(f"worker.{step}" for step in ("received", "outcome", "puback", "said", "acked"))
BLOBS = ("blobs.written", "blobs.placed")
POINTS: dict[str, tuple[str, ...]] = {
    "ingest": (*WORKER, *BLOBS),
    "chunk": (*WORKER, *BLOBS),
    "generate": (*WORKER, *BLOBS, "worker.answered", "worker.beat"),
    "curate": WORKER,
    "export": (*WORKER, *BLOBS, "export.part_written", "export.finished"),
    "ledger": tuple(name for name in NAMES if name.startswith(("recorder.", "relay."))),
    "gateway": tuple(
        name for name in NAMES if name.startswith(("projector.", "gateway.", "blobs."))
    ),
}
"""By service: what it passes on the way from a document to a dataset."""
OFTEN = {"recorder": 6, "relay": 4, "projector": 4, "worker.answered": 4, "gateway": 2}
"""Times that a point is passed at least; of any other, once."""


def drawn(most: int, *of: object) -> int:
    """A number below ``most`` that follows from the seed."""
    said = "/".join(map(str, (SEED, *of))).encode()
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest()) % most


def counted(service: str, point: str) -> str:
    """The point with which time it is that fails; a service that answers only has it later than the first."""
    often = OFTEN.get(point) or OFTEN.get(point.split(".", maxsplit=1)[0], 1)
    return f"{point}:{1 + drawn(often, service, point)}"


def latency_for(point: str) -> int:
    """Milliseconds of a model call: a beat names only units that are under way for longer than it pauses."""
    return 700 if point.startswith("worker.beat") else 20


TODAY = {name: counted(name, of[drawn(len(of), name)]) for name, of in POINTS.items()}
EVERY = [(service, point) for service, points in POINTS.items() for point in points]


@pytest.fixture(scope="module")
async def whole() -> AsyncIterator[Whole]:
    async with whole_mill() as whole:
        yield whole


@pytest.fixture(scope="module")
async def judged(whole: Whole) -> AsyncIterator[Judge]:
    async with judge(whole) as found:
        yield found


@pytest.fixture(scope="module")
async def project(whole: Whole) -> str:
    return (await whole.api.make_project("of failpoints")).id


async def test_each_service_dies_once_and_the_job_goes_on() -> None:
    """With GRISTMILL_SEED at the same points again."""
    log.warning("GRISTMILL_SEED=%d: %s", SEED, TODAY)
    latency = max(latency_for(point) for point in TODAY.values())
    async with whole_mill(points=TODAY) as whole, judge(whole) as judged:
        project = (await whole.api.make_project("of failpoints")).id
        job = await ground(whole, project, "all-at-once", latency)
        for each in TODAY.items():
            await died(whole, *each)
        await judged.finds(job, CONCURRENCY)
        await judged.finds_all()


@pytest.mark.faults
@pytest.mark.parametrize(("service", "point"), EVERY)
async def test_a_service_dies_at(
    whole: Whole, project: str, judged: Judge, service: str, point: str
) -> None:
    exactly = counted(service, point)
    log.warning("GRISTMILL_SEED=%d: %s in %s", SEED, exactly, service)
    await arm(whole, service, exactly)
    job = await ground(whole, project, f"{service}-{point}", latency_for(exactly))
    await died(whole, service, exactly)
    await judged.finds(job, CONCURRENCY if service == "generate" else 0)


@pytest.mark.faults
async def test_a_ledger_dies_while_it_issues_units_again(
    whole: Whole, project: str, judged: Judge
) -> None:
    """They are units of a worker that died before."""
    points = {"ledger": "reconciler.reissued", "generate": "worker.outcome"}
    for each in points.items():
        await arm(whole, *each)
    job = await ground(whole, project, "reissued")
    for each in points.items():
        await died(whole, *each)
    await judged.finds(job, CONCURRENCY)


@pytest.mark.faults
async def test_a_worker_dies_when_it_has_said_an_answer_that_led_to_nothing_yet(
    whole: Whole, project: str, judged: Judge
) -> None:
    """The first answers to some prompts cannot be read; they are paid, and are not asked for again."""
    point = "worker.answer_said"
    await arm(whole, "generate", point)
    whole.simulator.control(malformed=0.5)
    job = await ground(whole, project, "answer-said")
    whole.simulator.control(malformed=0.0)
    await died(whole, "generate", point)
    await judged.finds(job, CONCURRENCY, most_failed=4)


@pytest.mark.faults
async def test_the_history_of_all_of_them_is_sound(judged: Judge) -> None:
    await judged.finds_all()


def test_every_failpoint_is_hit() -> None:
    assert {point for _, point in EVERY} | {"reconciler.reissued", "worker.answer_said"} == set(
        NAMES
    )
