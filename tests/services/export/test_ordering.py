"""The facts of a dataset on their way into files: what a batch holds, and how many of its seeds were answered."""

import json
from pathlib import Path
from uuid import UUID

from contracts.entries import EntriesGenerated
from services.export.ordering import Ordering

SAMPLES = Path(__file__).parents[2] / "contracts" / "samples"


def generated(seed: int, unit: int) -> EntriesGenerated:
    sample = json.loads((SAMPLES / "gristmill.entries.generated.v1.json").read_text())
    event = EntriesGenerated.model_validate(sample)
    return event.model_copy(update={"seed": seed, "unit_id": UUID(int=unit), "entries": ()})


def test_the_seeds_of_a_batch_that_nobody_asked_for_are_not_among_those_answered(
    tmp_path: Path,
) -> None:
    with Ordering(tmp_path / "order.sqlite") as ordering:
        for seed in (0, 1, 1, 4):
            ordering.generated(generated(seed, seed))
        assert [ordering.answered(first, first + 2) for first in (0, 2, 4)] == [2, 0, 1]
        assert ordering.answered(0, 6) == 3
