"""Raw answers as models give them: what is readable is read, the rest is kept with its problem."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.generation import Mode
from services.generate.parsing import (
    DRAFTS,
    Parsed,
    QuestionAnswerDraft,
    Unreadable,
    feedback,
    parse,
)
from services.generate.prompts.files import NAMES, load

QA: Mode = "question and answer"
ENTRY: dict[str, Any] = {
    "evidence": ["The canal was opened in 1914."],
    "question": "When was the Panama Canal opened?",
    "answer": "The Panama Canal was opened in 1914.",
    "short_answer": "1914",
    "kind": "fact",
    "difficulty": "easy",
    "answerable": True,
}


def answer(*entries: object, because: str | None = None) -> str:
    return json.dumps({"entries": entries, "nothing_because": because})


def only(parsed: Parsed) -> QuestionAnswerDraft:
    [item] = parsed.items
    assert isinstance(item, QuestionAnswerDraft)
    assert parsed.problem is None
    return item


def problems(parsed: Parsed) -> list[str]:
    return [item.problem for item in parsed.items if isinstance(item, Unreadable)]


@pytest.mark.parametrize("mode", [mode for mode in get_args(Mode) if mode != "default"])
def test_the_good_example_of_each_prompt_is_read_and_its_form_is_right(mode: Mode) -> None:
    prompt = load(NAMES[mode]).text
    good = prompt[prompt.index("# A good entry") : prompt.index("# A bad entry")]
    example = good[good.index("{") :].strip()

    parsed = parse(answer(json.loads(example)), mode, "stop")

    assert parsed.problem is None
    assert isinstance(parsed.items[0], DRAFTS[mode])


@pytest.mark.parametrize(
    "raw",
    [
        answer(ENTRY),
        f"```json\n{answer(ENTRY)}\n```",
        f"<think>The entries: {{draft}} [1]</think>\n{answer(ENTRY)}",
        f"I thought first.</think>{answer(ENTRY)}",
        f"Here are the entries:\n\n{answer(ENTRY)}\n\nI hope this helps!",
        json.dumps([ENTRY]),
        json.dumps(ENTRY),
        json.dumps({"qa_pairs": [ENTRY]}),
        f"Sure: [{json.dumps(ENTRY)}]",
        answer(ENTRY).replace("}], ", "},], ").replace("null", "None"),
        answer(ENTRY).replace('"entries"', "entries"),
        answer(ENTRY).replace(": true", ": True"),
    ],
    ids=range(12),
)
def test_the_form_of_an_answer_does_not_matter(raw: str) -> None:
    assert only(parse(raw, QA, "stop")) == QuestionAnswerDraft.model_validate(ENTRY)


def test_objects_one_to_a_line_are_all_read() -> None:
    raw = "\n".join(json.dumps(ENTRY | {"question": f"Question {n}?"}) for n in range(3))

    parsed = parse(raw, QA, "stop")

    assert [item.question for item in parsed.items if isinstance(item, QuestionAnswerDraft)] == [
        "Question 0?",
        "Question 1?",
        "Question 2?",
    ]


@pytest.mark.parametrize(
    ("field", "said", "meant"),
    [
        ("kind", "Explain", "explanation"),
        ("kind", "how-to", "procedure"),
        ("difficulty", "Medium", "intermediate"),
        ("difficulty", "expert", "hard"),
    ],
)
def test_a_synonym_of_a_closed_word_is_translated(field: str, said: str, meant: str) -> None:
    draft = only(parse(answer(ENTRY | {field: said}), QA, "stop"))

    assert getattr(draft, field) == meant


def test_a_bare_quote_a_wrapped_quote_and_a_number_are_read_for_what_they_are() -> None:
    bare = ENTRY | {"evidence": "One quote.", "short_answer": 1914}
    wrapped = ENTRY | {"evidence": [{"quote": "One quote."}, "  "]}

    for entry in (bare, wrapped):
        assert only(parse(answer(entry), QA, "stop")).evidence == ("One quote.",)
    assert only(parse(answer(bare), QA, "stop")).short_answer == "1914"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kind": "poem"}, "kind: Input should be 'fact'"),
        ({"question": None}, "question: Input should be a valid string"),
        ({"evidence": []}, "evidence needs at least one quote"),
        ({"answerable": "perhaps"}, "answerable: Input should be a valid boolean"),
    ],
)
def test_an_item_that_is_no_entry_is_kept_with_its_problem_and_harms_no_other(
    change: dict[str, object], problem: str
) -> None:
    parsed = parse(answer(ENTRY | change, ENTRY, "text"), QA, "stop")

    assert parsed.problem is None
    assert problem in problems(parsed)[0]
    assert isinstance(parsed.items[1], QuestionAnswerDraft)
    assert isinstance(parsed.items[2], Unreadable)
    assert parsed.items[2].raw == '"text"'


def test_a_field_that_the_model_left_out_is_not_made_up() -> None:
    for field in ("question", "answer", "kind", "difficulty", "evidence"):
        entry = {name: value for name, value in ENTRY.items() if name != field}

        parsed = parse(answer(entry), QA, "stop")

        assert f"entries[0]: {field}: Field required" in (parsed.problem or "")


def test_what_the_passage_does_not_answer_needs_no_quote() -> None:
    entry = ENTRY | {"evidence": [], "answerable": False, "short_answer": None}

    assert not only(parse(answer(entry), QA, "stop")).answerable


def test_declining_a_passage_is_a_valid_answer() -> None:
    parsed = parse(answer(because="It is a list of links."), QA, "stop")

    assert parsed == Parsed((), "It is a list of links.", None)


def test_a_reason_beside_entries_is_not_a_refusal() -> None:
    assert parse(answer(ENTRY, because="n/a"), QA, "stop").nothing_because is None


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("", "empty"),
        ("<think>so much to", "no answer followed"),
        ("I'm sorry, I cannot do that.", "no JSON object"),
        ('"entries"', "no JSON object"),
        ("42", "no JSON object"),
        (answer(), "gives no reason"),
        (answer("a", "b"), "entries[0]: "),
    ],
)
def test_an_answer_of_no_use_says_what_to_tell_the_model(raw: str, problem: str) -> None:
    parsed = parse(raw, QA, "stop")

    assert problem in (parsed.problem or "")
    assert parsed.problem is not None
    assert parsed.problem in feedback(parsed.problem)


@pytest.mark.parametrize("cut", [20, 60, 120])
@pytest.mark.parametrize("reason", ["length", None])
def test_an_entry_that_was_cut_off_is_truncated_and_those_before_it_are_kept(
    cut: int, reason: str | None
) -> None:
    raw = answer(ENTRY, ENTRY)[: len(answer(ENTRY)) + cut]

    parsed = parse(raw, QA, reason)

    assert isinstance(parsed.items[0], QuestionAnswerDraft)
    assert problems(parsed) == ["truncated: the answer ends before the entry does"]
    assert parsed.problem is None


def test_a_complete_answer_at_the_limit_is_not_truncated() -> None:
    assert not problems(parse(answer(ENTRY), QA, "length"))


def test_nul_bytes_and_lone_surrogates_do_not_enter() -> None:
    raw = answer(ENTRY).replace("opened?", "opened\\u0000\\ud800?")

    question = only(parse(raw, QA, "stop")).question

    assert question == "When was the Panama Canal opened\ufffd\ufffd?"


def test_nesting_without_end_is_a_problem_and_no_crash() -> None:
    for raw in ("[" * 100_000, '{"a":' * 50_000, '{"entries": ' + "[" * 50_000):
        assert parse(raw, QA, "length").problem is not None


@given(st.text(max_size=200) | st.text("{}[]\"',:nulltreas \n", max_size=200))
def test_any_text_is_read_or_has_a_problem(raw: str) -> None:
    for mode in get_args(Mode):
        parsed = parse(raw, mode, None)

        useful = any(not isinstance(item, Unreadable) for item in parsed.items)
        assert (parsed.problem is None) == (useful or parsed.nothing_because is not None)


@given(st.integers(0, len(answer(ENTRY, ENTRY))))
def test_a_cut_answer_never_yields_half_a_text(length: int) -> None:
    whole = QuestionAnswerDraft.model_validate(ENTRY)

    for item in parse(answer(ENTRY, ENTRY)[:length], QA, "length").items:
        assert isinstance(item, Unreadable) or item == whole
