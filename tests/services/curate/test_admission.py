"""Duplicates and exactly N, in the order given."""

from collections.abc import Sequence
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from contracts.entries import Verdict
from contracts.generation import GenerationSettings, Thresholds
from services.curate.admission import Index, admit
from services.curate.bands import PERMUTATIONS, Bands
from services.curate.signature import signature_of

SETTINGS = GenerationSettings()


def _verdict(
    number: int,
    question: str,
    answer: str = "",
    span: str = "",
    kind: str = "fact",
    *,
    passed: bool = True,
) -> Verdict:
    spans = (f"document:{span or number}",)
    return Verdict(
        entry_id=UUID(int=number),
        unit_id=UUID(int=1),
        seed=0,
        passed=passed,
        found=(),
        quality=1.0,
        quality_parts={},
        category="",
        kind=kind,
        difficulty="easy",
        signature=signature_of(question, answer or f"answer {number} alone", spans, kind, "en")
        if passed
        else None,
    )


def _ids(*numbers: int) -> tuple[UUID, ...]:
    return tuple(UUID(int=number) for number in numbers)


def test_the_same_question_in_other_letters_is_a_duplicate() -> None:
    found = admit(
        Index(),
        [_verdict(1, "When was the canal opened?"), _verdict(2, "when was  the Canal opened")],
        None, 0, SETTINGS,
    )  # fmt: skip
    assert found.accepted == _ids(1)
    assert [(one.entry_id, one.of, one.rule) for one in found.duplicates] == [
        (*_ids(2, 1), "question")
    ]


def test_a_question_with_a_word_more_is_a_near_duplicate() -> None:
    question = "Why did the French company under Lesseps give up the work on the canal in Panama?"
    found = admit(
        Index(),
        [_verdict(1, question), _verdict(2, question.replace("French", "old French"))],
        None,
        0,
        SETTINGS,
    )
    assert [one.rule for one in found.duplicates] == ["near_question"]
    assert found.duplicates[0].similarity >= 0.8


def test_questions_that_differ_in_a_number_or_a_name_are_two() -> None:
    question = "How many ships passed the canal between the two oceans in the year 1914 with cargo for Chile?"
    candidates = [
        _verdict(1, question),
        _verdict(2, question.replace("1914", "1915")),
        _verdict(3, question.replace("Chile", "Japan")),
    ]
    assert admit(Index(), candidates, None, 0, SETTINGS).accepted == _ids(1, 2, 3)


def test_the_same_fact_in_other_words_is_a_duplicate() -> None:
    answer = "The canal was opened on 15 August 1914."
    candidates = [
        _verdict(1, "When was the canal opened?", answer, "10-60"),
        _verdict(2, "On which date did traffic on the waterway begin?", answer, "10-60"),
        _verdict(3, "Since when could vessels pass there?", answer, "10-60", "definition"),
        _verdict(4, "What day marks the start of shipping?", answer, "70-90"),
    ]
    found = admit(Index(), candidates, None, 0, SETTINGS)
    assert [(one.entry_id, one.rule, one.similarity) for one in found.duplicates] == [
        (UUID(int=2), "same_fact", 1.0)
    ]


def test_beyond_what_is_wanted_entries_are_surplus_and_no_duplicate_gets_in_later() -> None:
    index = Index()
    first = [_verdict(n, f"Question about subject{n} and thing{n}?") for n in range(1, 6)]
    found = admit(index, first, 4, 2, SETTINGS)
    assert found.accepted == _ids(1, 2)
    assert found.surplus == _ids(3, 4, 5)
    again = admit(index, [_verdict(9, "Question about subject4 and thing4?")], 10, 2, SETTINGS)
    assert [one.of for one in again.duplicates] == list(_ids(4))


def test_what_had_not_passed_is_in_none_of_the_lists() -> None:
    found = admit(Index(), [_verdict(1, "Question?", passed=False)], None, 0, SETTINGS)
    assert (found.accepted, found.duplicates, found.surplus) == ((), (), ())


def test_a_low_threshold_compares_with_every_entry() -> None:
    loose = GenerationSettings(thresholds=Thresholds(near_duplicate=0.3))
    candidates = [
        _verdict(1, "Why was the canal built by engineers?"),
        _verdict(2, "Why was the canal dug by workers?"),
    ]
    assert len(admit(Index(), candidates, None, 0, loose).duplicates) == 1
    assert len(admit(Index(), candidates, None, 0, SETTINGS).duplicates) == 0


def test_an_index_can_be_rebuilt_from_signatures_alone() -> None:
    live, rebuilt = Index(), Index()
    candidates = [
        _verdict(n, f"What is the role of part{n % 7} in machine{n % 3}?") for n in range(1, 40)
    ]
    found = admit(live, candidates, 10, 0, SETTINGS)
    signatures = {one.entry_id: one.signature for one in candidates}
    for entry in (*found.accepted, *found.surplus):
        signature = signatures[entry]
        assert signature is not None
        rebuilt.add(entry, signature)
    later = [
        _verdict(n, f"What is the role of part{n % 9} in machine{n % 4}?") for n in range(50, 90)
    ]
    assert admit(live, later, 30, 10, SETTINGS) == admit(rebuilt, later, 30, 10, SETTINGS)


WORDS = st.lists(
    st.sampled_from(
        ["lock", "gate", "ship", "canal", "width", "water", "when", "why", "the", "is", "of"]
    ),
    min_size=1,
    max_size=9,
)


@given(st.lists(WORDS, max_size=25), st.integers(0, 25), st.integers(1, 24))
def test_one_admission_or_two_give_the_same_verdicts(
    questions: Sequence[list[str]], wanted: int, cut: int
) -> None:
    candidates = [_verdict(n + 1, " ".join(q)) for n, q in enumerate(questions)]
    whole = admit(Index(), candidates, wanted, 0, SETTINGS)
    index = Index()
    first = admit(index, candidates[:cut], wanted, 0, SETTINGS)
    second = admit(index, candidates[cut:], wanted, len(first.accepted), SETTINGS)
    assert whole.accepted == first.accepted + second.accepted
    assert whole.surplus == first.surplus + second.surplus
    assert whole.duplicates == first.duplicates + second.duplicates
    assert len(whole.accepted) + len(whole.surplus) + len(whole.duplicates) == len(candidates)
    assert len(whole.accepted) <= wanted


def test_bands_find_the_same_before_and_after_they_are_merged() -> None:
    bands = Bands()
    for number in range(9000):
        bands.add([number, 10**9 + number % 10, number * 7 + 2**40])
    assert bands.candidates([5, 1, 2]) == [5] or bands.candidates([5]) == [5]
    assert bands.candidates([10**9 + 3])[:3] == [3, 13, 23]
    assert bands.candidates([8999]) == [8999]
    assert bands.candidates([2**50]) == []
    assert PERMUTATIONS == 128
