"""Twenty seconds of chaos with a seed of its own each time: whatever happens, nothing is wrong with the history.

The history of that run is then spoilt in every way that the checker must notice.
"""

import logging
import os
import secrets

import pytest

from tests.chaos.calls import again
from tests.chaos.checker import judge
from tests.chaos.facts import Facts
from tests.chaos.planted import PLANTED
from tests.chaos.running import Plan, Ran, run, run_folder
from tests.chaos.schedule import schedule

SECONDS = 20.0
SEED = int(os.environ.get("GRISTMILL_SEED") or secrets.randbelow(1_000_000))
log = logging.getLogger(__name__)


@pytest.fixture(scope="module")
async def ran() -> Ran:
    kept = True
    async with run_folder(lambda: kept) as folder:
        log.warning("seed %d, in %s", SEED, folder)
        found = await run(Plan(SEED, SECONDS, latency_ms=60), folder, log.warning)
        kept = bool(found.findings)
    return found


@pytest.fixture(scope="module")
async def facts(ran: Ran) -> Facts:
    return ran.facts


def test_nothing_is_wrong_after_twenty_seconds_of_chaos(ran: Ran) -> None:
    assert ran.findings == [], f"seed {SEED}: make chaos SECONDS={SECONDS:g} SEED={SEED}"
    assert sum(ran.faults.values()) > 3
    assert len(ran.facts.events) > 100
    log.warning(
        "%s; %d calls, repeated and in flight at faults: %s",
        ran.faults,
        len(ran.facts.seen),
        again(ran.facts),
    )


@pytest.mark.parametrize("what", PLANTED)
async def test_it_is_noticed_that(facts: Facts, what: str) -> None:
    rule, plant = PLANTED[what]
    before = {finding.rule for finding in judge(facts)}
    found = judge(plant(facts))
    assert rule in {finding.rule for finding in found} - before, found


def test_the_same_seed_strikes_the_same_processes_at_the_same_times() -> None:
    assert schedule(7, 600) == schedule(7, 600) != schedule(8, 600)
    kinds = {each.kind for each in schedule(7, 600)}
    assert kinds >= {"kill", "stop", "nats_kill", "postgres_stop", "cut", "nats_full", "blobs_full"}
    assert {each.kind for each in schedule(7, 600, only="wipe")} == {"kill", "stop", "wipe"}
