"""The checker finds nothing in a sound history, and each violation that is planted in one."""

from collections.abc import AsyncIterator

import pytest

from tests.chaos.checker import judge
from tests.chaos.facts import Facts
from tests.chaos.planted import PLANTED
from tests.chaos.reading import of_tree
from tests.e2e.whole import whole_mill


@pytest.fixture(scope="module")
async def facts() -> AsyncIterator[Facts]:
    """Two jobs over the same chunks, the one with a number of entries, with some faults of the model."""
    faults = ("server_error=0.1", "faulty_attempts=1", "malformed=0.1")
    async with whole_mill("latency_ms=20", *faults) as whole:
        project = await whole.project("tea.txt", "milling.md", overlap=120)
        for settings in ({"entries": 8}, {"seed": 5}):
            job = await whole.generate(project, concurrency=8, **settings)
            await whole.ended(job)
        yield await of_tree(whole.tree, calls=whole.simulator.calls())


async def test_nothing_is_wrong_with_a_sound_history(facts: Facts) -> None:
    assert judge(facts) == []
    assert len(facts.events) > 100
    assert len(facts.seen) > 30


@pytest.mark.parametrize("what", PLANTED)
async def test_it_is_noticed_that(facts: Facts, what: str) -> None:
    rule, plant = PLANTED[what]
    found = judge(plant(facts))
    assert rule in {finding.rule for finding in found}, found
