"""Variety by quota: exact over the plan, near to it in every part, the same for the same seed."""

from collections import Counter
from itertools import chain
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.generation import GenerationSettings, Kind, Mode, Slot, Task
from services.generate.slots import (
    ASKERS,
    DIFFICULTIES,
    FORMS,
    KINDS,
    STYLES,
    TASKS,
    assign,
    largest_remainder,
)

CALLS = [(str(n), 1 + n % 4) for n in range(200)]
TOTAL = sum(count for _, count in CALLS)


def plan(settings: GenerationSettings, number: int = 1) -> list[tuple[Slot, ...]]:
    return list(assign(CALLS, TOTAL, settings, number))


def of(mode: Mode, **wishes: object) -> GenerationSettings:
    values = {"mode": mode, "model": "openai/some-model"} | wishes
    return GenerationSettings.model_validate(values)


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.floats(0.01, 1), min_size=1, max_size=9),
    st.integers(0, 10_000),
)
def test_shares_add_up_and_none_is_a_whole_entry_off(weights: dict[str, float], total: int) -> None:
    counts = largest_remainder(weights, total)

    assert sum(counts.values()) == total
    for value, weight in weights.items():
        assert abs(counts[value] - weight * total / sum(weights.values())) < 1


@pytest.mark.parametrize(
    ("field", "weights", "mode"),
    [
        ("difficulty", DIFFICULTIES, "question and answer"),
        ("kind", KINDS, "question and answer"),
        ("asker", ASKERS, "question"),
        ("form", FORMS, "default"),
        ("task", TASKS, "instruction following"),
        ("kind", KINDS, "answer"),
    ],
)
def test_quotas_hold_exactly_over_the_plan_and_nearly_over_each_part(
    field: str, weights: dict[str, float], mode: Mode
) -> None:
    slots = [getattr(slot, field) for slot in chain.from_iterable(plan(of(mode)))]

    assert Counter(slots) == {k: v for k, v in largest_remainder(weights, TOTAL).items() if v}
    for stop in range(50, TOTAL, 50):
        part = Counter(slots[:stop])
        for value, weight in weights.items():
            assert abs(part[value] - weight * stop) <= 4


def test_no_call_asks_for_one_kind_twice_while_another_is_left() -> None:
    calls = plan(of("question and answer"))

    repeated = [call for call in calls if len({slot.kind for slot in call}) < len(call)]

    assert len(repeated) <= 2
    assert [len(call) for call in calls] == [count for _, count in CALLS]


def test_the_fields_of_a_slot_do_not_march_in_step() -> None:
    slots = list(chain.from_iterable(plan(of("question and answer"))))

    pairs = Counter((slot.asker, slot.form) for slot in slots)

    assert len(pairs) == 12
    for (_, form), count in pairs.items():
        assert abs(count - TOTAL * 0.25 * FORMS[form]) < 0.35 * TOTAL * 0.25 * FORMS[form] + 3


def test_the_same_seed_gives_the_same_plan_and_another_seed_or_round_another() -> None:
    settings = of("question and answer")

    assert plan(settings) == plan(settings)
    assert plan(settings) != plan(settings.model_copy(update={"seed": 1}))
    assert plan(settings) != plan(settings, number=2)


@pytest.mark.parametrize("complexity", ["easy", "intermediate", "hard"])
def test_a_fixed_complexity_is_that_of_every_slot(complexity: str) -> None:
    slots = chain.from_iterable(plan(of("question", complexity=complexity)))

    assert {slot.difficulty for slot in slots} == {complexity}


@pytest.mark.parametrize("style", STYLES)
def test_a_question_style_decides_the_kinds(style: str) -> None:
    slots = list(chain.from_iterable(plan(of("question and answer", question_style=style))))

    assert {slot.kind for slot in slots} == set(STYLES[style])
    assert ({slot.form for slot in slots} == {"scenario"}) == (style == "case_based")


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.25, 1.0])
def test_the_share_of_questions_without_an_answer_is_a_quota(ratio: float) -> None:
    slots = list(chain.from_iterable(plan(of("question and answer", negativity_ratio=ratio))))

    assert sum(not slot.answerable for slot in slots) == round(ratio * TOTAL)


@pytest.mark.parametrize("mode", get_args(Mode))
def test_a_slot_holds_what_its_mode_asks_for(mode: Mode) -> None:
    slot = plan(of(mode))[0][0]

    assert (slot.task is not None) == (mode == "instruction following")
    assert (slot.kind is None) == (mode in {"instruction following", "summarization"})
    assert slot.answerable


def test_every_kind_and_task_has_its_share() -> None:
    assert set(KINDS) == set(get_args(Kind))
    assert set(TASKS) == set(get_args(Task))
