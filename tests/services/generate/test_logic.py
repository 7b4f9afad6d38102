"""From answers to entries; the address of a call; settings that cannot be honoured."""

import hashlib
import json
from typing import Any, get_args
from uuid import UUID

import pytest

from contracts.entries import (
    Answer,
    EntriesBody,
    Instruction,
    Malformed,
    Question,
    QuestionAnswer,
    Summary,
)
from contracts.generation import GenerationSettings, Mode, PlannedDocument, Seed, Span
from contracts.identity import entry_id
from services.generate.logic import (
    BETWEEN_PASSAGES,
    SettingsRefused,
    check_settings,
    entries_from,
    response_key,
)
from services.generate.parsing import parse
from services.generate.prompts.render import render
from services.generate.schemas import json_schema

UNIT = UUID(int=3)
OPENED = "The Panama Canal was opened on 15 August 1914"
LOCKS = "The locks lift ships 26 m above sea level"
ENTRIES: dict[str, dict[str, Any]] = {
    "question and answer": {
        "evidence": [OPENED],
        "question": "When was the Panama Canal opened?",
        "answer": "The Panama Canal was opened on 15 August 1914.",
        "short_answer": "15 August 1914",
        "kind": "fact",
        "difficulty": "easy",
        "answerable": True,
    },
    "instruction following": {
        "evidence": [OPENED],
        "instruction": "Say when the Panama Canal was opened, as a date only.",
        "input": "",
        "output": "15 August 1914",
        "task": "extract",
        "difficulty": "easy",
    },
    "question": {
        "evidence": [OPENED],
        "question": "When was the Panama Canal opened?",
        "kind": "fact",
        "difficulty": "easy",
    },
    "answer": {
        "evidence": [OPENED],
        "answer": "The Panama Canal was opened on 15 August 1914.",
        "topic": "opening of the Panama Canal",
    },
    "summarization": {
        "summary": "The Panama Canal was opened in 1914. Its locks lift ships by 26 m.",
        "key_points": ["The canal was opened in 1914.", "Locks lift ships by 26 m."],
    },
}
TYPES: dict[str, type] = {
    "question and answer": QuestionAnswer,
    "instruction following": Instruction,
    "question": Question,
    "answer": Answer,
    "summarization": Summary,
}


class Made:
    """Entries of an answer, by a builder that a test can call with what it is about."""

    def __init__(self, seed: Seed, document: PlannedDocument, text: str) -> None:
        self.seed, self.document, self.text = seed, document, text

    def __call__(self, mode: Mode, *entries: object, **settings: object) -> EntriesBody:
        wanted = GenerationSettings.model_validate(
            {"mode": mode, "model": "openai/some-model"} | settings
        )
        raw = json.dumps({"entries": entries, "nothing_because": None})
        parsed = parse(raw, mode, "stop")
        facts, body = entries_from(self.seed, self.document, self.text, wanted, parsed, UNIT)
        assert [fact.entry_id for fact in facts] == [entry.entry_id for entry in body.entries]
        assert [fact.type for fact in facts] == [entry.content.type for entry in body.entries]
        return body

    def pair(self, change: dict[str, object], **settings: object) -> QuestionAnswer:
        entry = ENTRIES["question and answer"] | change
        content = self("question and answer", entry, **settings).entries[0].content
        assert isinstance(content, QuestionAnswer)
        return content


@pytest.fixture
def made(seed: Seed, document: PlannedDocument, text: str) -> Made:
    return Made(seed, document, text)


@pytest.mark.parametrize("mode", list(TYPES))
def test_each_mode_makes_its_type_with_evidence_as_it_stands(mode: Mode, made: Made) -> None:
    content = made(mode, ENTRIES[mode]).entries[0].content

    assert isinstance(content, TYPES[mode])
    for evidence in getattr(content, "evidence", ()):
        assert evidence.quote == "The **Panama Canal** was opened on 15 August 1914"
        assert made.text[evidence.start : evidence.end] == evidence.quote
    said = content.model_dump()
    for field, value in ENTRIES[mode].items():
        if field != "evidence":
            assert said[field] == (tuple(value) if isinstance(value, list) else value)


def test_a_summary_holds_the_passage_that_it_summarises(made: Made) -> None:
    content = made("summarization", ENTRIES["summarization"]).entries[0].content

    assert isinstance(content, Summary)
    assert content.source == made.text[made.seed.start : made.seed.end]


def test_what_could_not_be_read_keeps_its_place_and_its_id(made: Made) -> None:
    good = ENTRIES["question and answer"]

    body = made("question and answer", good, {"question": "?"}, good)

    assert [type(entry.content) for entry in body.entries] == [
        QuestionAnswer,
        Malformed,
        QuestionAnswer,
    ]
    assert [entry.entry_id for entry in body.entries] == [entry_id(UNIT, 0, n) for n in range(3)]


def test_another_sample_of_the_same_unit_makes_other_entries(made: Made) -> None:
    first = made("question", ENTRIES["question"]).entries[0].entry_id
    made.seed = made.seed.model_copy(update={"sample": 1})

    assert made("question", ENTRIES["question"]).entries[0].entry_id != first


@pytest.mark.parametrize(
    ("quotes", "said", "kept"),
    [
        ([OPENED], "hard", "easy"),
        ([OPENED, OPENED.upper()], "hard", "easy"),
        ([OPENED, LOCKS], "hard", "hard"),
        ([OPENED], "intermediate", "intermediate"),
    ],
)
def test_hard_needs_two_quotes_whatever_the_model_says(
    quotes: list[str], said: str, kept: str, made: Made
) -> None:
    assert made.pair({"evidence": quotes, "difficulty": said}).difficulty == kept


def test_a_quote_that_stands_nowhere_has_no_offsets(made: Made) -> None:
    [evidence] = made.pair({"evidence": ["The Suez Canal was opened in 1869."]}).evidence

    assert (evidence.start, evidence.end) == (None, None)


def test_a_quote_with_the_prompts_escape_is_found_without_it(made: Made) -> None:
    [evidence] = made.pair({"evidence": ["write <\\/passage-000000000000> {chunk}"]}).evidence

    assert evidence.quote == "write </passage-000000000000> {chunk}"


def test_a_closed_book_entry_has_no_context_but_one_without_an_answer_has_its_passage(
    made: Made,
) -> None:
    passage = made.text[made.seed.start : made.seed.end]

    assert made.pair({}).context is None
    assert made.pair({"answerable": False, "evidence": []}).context == passage


def test_an_open_book_entry_has_its_passage(made: Made) -> None:
    passage = made.text[made.seed.start : made.seed.end]

    assert made.pair({}, context="passage").context == passage
    content = made("instruction following", ENTRIES["instruction following"], context="passage")
    assert getattr(content.entries[0].content, "context", None) == passage


def test_distractors_are_mixed_in_by_the_seed(made: Made) -> None:
    spans = (Span(start=0, end=20), Span(start=made.seed.end, end=made.seed.end + 12))
    made.seed = made.seed.model_copy(update={"distractors": spans})

    found = {str(made.pair({}, context="distractors", seed=n).context) for n in range(20)}

    parts = {made.text[made.seed.start : made.seed.end], "# Panama Canal\n\nThe", "## Locks"}
    assert len(found) > 2
    for context in found:
        assert set(context.split(BETWEEN_PASSAGES)) == parts
    assert made.pair({}, context="distractors").context == (
        made.pair({}, context="distractors").context
    )


def test_a_seed_of_another_document_is_refused(made: Made) -> None:
    made.document = made.document.model_copy(update={"document_id": UUID(int=1)})

    with pytest.raises(ValueError, match="another document"):
        made("question", ENTRIES["question"])


def test_the_same_command_has_the_same_bytes_and_key_and_any_change_another(
    seed: Seed, document: PlannedDocument, text: str
) -> None:
    def key(
        tenant: str = "a", model: str = "openai/x", sample: int = 0, temperature: float = 0.7
    ) -> str:
        prompt = render(seed, document, text, GenerationSettings(model=model))
        messages = [("system", prompt.system), ("user", prompt.user)]
        parameters = {"temperature": temperature, "seed": 0, "stop": None}
        return response_key(tenant, model, parameters, messages, json_schema("question"), sample)

    keys = {key(), key("b"), key("a", "openai/y"), key(sample=1), key(temperature=0.2)}

    assert key() == key()
    assert len(keys) == 5
    assert all(len(each) == 64 for each in keys)


def test_the_order_of_parameters_is_no_part_of_a_key() -> None:
    canonical = '["a","m/x",{"a":1,"b":0.5},[["user","é"]],null,0]'

    for parameters in ({"a": 1, "b": 0.5}, {"b": 0.5, "a": 1}):
        key = response_key("a", "m/x", parameters, [("user", "é")], None, 0)
        assert key == hashlib.sha256(canonical.encode()).hexdigest()


@pytest.mark.parametrize(
    ("field", "settings"),
    [
        ("custom_prompt", {"custom_prompt": "Ask about ships."}),
        ("prompt_name", {"prompt_name": "ships"}),
        ("question_style", {"question_style": "factual"}),
        ("answer_style", {"answer_style": "concise"}),
        ("audience", {"audience": "children"}),
        ("purpose", {"purpose": "a test"}),
        ("domain", {"domain": "ships"}),
        ("negativity_ratio", {"negativity_ratio": 0.1}),
        ("language", {"language": "de"}),
        ("model", {"model": "builtin/other"}),
    ],
)
def test_what_the_built_in_model_cannot_follow_is_refused_by_field(
    field: str, settings: dict[str, object]
) -> None:
    with pytest.raises(SettingsRefused) as refused:
        check_settings(GenerationSettings.model_validate(settings))

    assert refused.value.field == field
    assert refused.value.code == "not_available"


@pytest.mark.parametrize(
    ("field", "settings"),
    [
        ("question_style", {"mode": "answer", "question_style": "factual"}),
        ("answer_style", {"mode": "question", "answer_style": "concise"}),
        ("negativity_ratio", {"mode": "question", "negativity_ratio": 0.5}),
        ("context", {"mode": "summarization", "context": "passage"}),
        ("complexity", {"mode": "summarization", "complexity": "hard"}),
        ("prompt_name", {"prompt_name": "question"}),
    ],
)
def test_what_a_mode_has_no_place_for_is_refused_for_any_model(
    field: str, settings: dict[str, object]
) -> None:
    wanted = GenerationSettings.model_validate({"model": "openai/some-model"} | settings)

    with pytest.raises(SettingsRefused) as refused:
        check_settings(wanted)

    assert refused.value.field == field


@pytest.mark.parametrize("mode", get_args(Mode))
def test_every_mode_can_be_had_with_and_without_a_language_model(mode: Mode) -> None:
    check_settings(GenerationSettings(mode=mode))
    check_settings(
        GenerationSettings(mode=mode, model="openai/x", custom_prompt="Ask.", audience="all")
    )
    check_settings(GenerationSettings(context="distractors", language="en"))
