"""Every defect is in the entry that it was put into, in each of its variants, and in nothing else by accident."""

import json
import re
from collections.abc import Callable
from random import Random  # noqa: TID251 - seeded

import pytest
from rapidfuzz import fuzz

from contracts.entries import Reason
from contracts.generation import Slot
from services.generate.extractive.passage import Passage
from services.generate.parsing import Unreadable, parse
from tests.simulator.defects import MAKERS, applicable, inject
from tests.simulator.spoil import phrases
from tests.simulator.spoil.case import Entry, Spoilt

TEXT = (
    "The Panama Canal was opened on 15 August 1914 by the United States. The canal is an artificial waterway that"
    " connects the Atlantic Ocean with the Pacific Ocean. Its locks lift ships 26 metres above sea level to Gatun"
    " Lake. The Panama Canal was designed by John Stevens after long surveys of the isthmus. Heavy rains in the"
    " hills fill the lake, because the forest holds the water back. Every transit uses about 200 million litres of"
    " fresh water. The expanded locks were finished in 2016 and admit much larger ships than the old ones did. A"
    " third lake stores water for the dry season, when the level of Gatun Lake sinks."
)
PASSAGE = Passage("question and answer", "Panama Canal", (), (), "", TEXT, "", (Slot(),) * 3)
SOUND: Entry = {
    "evidence": ["The Panama Canal was opened on 15 August 1914 by the United States."],
    "question": "When was the Panama Canal opened?",
    "answer": "The Panama Canal was opened on 15 August 1914 by the United States.",
    "short_answer": "15 August 1914",
    "kind": "fact",
    "difficulty": "easy",
    "answerable": True,
}
EARLIER: Entry = SOUND | {
    "evidence": [
        "The Panama Canal was designed by John Stevens after long surveys of the isthmus."
    ],
    "question": "Who designed the Panama Canal, after surveys?",
    "answer": "John Stevens designed the Panama Canal after long surveys of the isthmus.",
}


def words(text: object) -> set[str]:
    return set(re.findall(r"\w+", str(text).lower()))


def ungrounded(entry: Entry) -> bool:
    answer = str(entry["answer"])
    return bool(words(answer) - words(TEXT)) or " not " in answer


def evidence_missing(entry: Entry) -> bool:
    quotes = entry["evidence"]
    assert isinstance(quotes, list)
    return any(fuzz.partial_ratio(quote, TEXT) < 90 for quote in quotes)


def normal(text: object) -> str:
    return " ".join(re.findall(r"\w+", str(text).lower()))


META = (
    r"\b(passage|text|document|article|section|chapter|author|excerpt|table)\b|\b(Section|page) \d"
)
CHATTER = r"\A(Sure|Certainly|Of course|Great|Here is|Question:|Answer:|1\.|```)"
HERE = r"\b(it|they|this|he|the former|the structure)\b"
SHOWS: dict[Reason, Callable[[Entry], object]] = {
    "malformed": lambda entry: isinstance(
        parse(json.dumps({"entries": [entry]}), "question and answer", "stop").items[0], Unreadable
    ),
    "empty": lambda entry: not str(entry["question"]).strip() or not str(entry["answer"]).strip(),
    "truncated": lambda entry: str(entry["answer"])[-1].isalnum(),
    "meta_reference": lambda entry: re.search(META, f"{entry['question']} {entry['answer']}", re.IGNORECASE),
    "dangling_reference": lambda entry: re.search(
        HERE, f"{entry['question']} {str(entry['answer']).split(' was')[0]}", re.IGNORECASE
    ),
    "underspecified": lambda entry: entry["question"] in phrases.UNDERSPECIFIED,
    "evidence_not_found": evidence_missing,
    "ungrounded": ungrounded,
    "answer_in_question": lambda entry: words(entry["answer"]) <= words(entry["question"]),
    "echo": lambda entry: words(entry["answer"]) - {"is"} <= words(entry["question"]),
    "copy": lambda entry: len(str(entry["answer"])) > 0.6 * len(TEXT),
    "wrong_language": lambda entry: any(entry["question"] == q or entry["answer"] == a for q, a in phrases.FOREIGN),
    "trivia": lambda entry: entry["question"] in phrases.TRIVIA,
    "compound": lambda entry: str(entry["question"]).count("?") == 2 or ", and " in str(entry["question"]),
    "refusal": lambda entry: re.search(r"As an AI|I cannot|I can't|I am unable|Sorry", str(entry["answer"])),
    "chatter": lambda entry: re.search(CHATTER, str(entry["question"]))
    or re.search(CHATTER, str(entry["answer"])),
    "duplicate": lambda entry: normal(entry["question"]) == normal(EARLIER["question"]),
    "wrong_kind": lambda entry: entry["kind"] == "procedure" or str(entry["answer"]).startswith("Yes, "),
    "length": lambda entry: not 4 <= len(str(entry["question"]).split()) <= 60
    or len(str(entry["answer"]).split()) < 3,
}  # fmt: skip


def spoil(code: Reason, seed: int) -> Spoilt:
    return inject(SOUND, code, PASSAGE, Random(seed), [EARLIER])


def test_every_code_that_needs_no_reader_can_be_injected() -> None:
    assert set(MAKERS) == set(SHOWS)
    assert len(MAKERS) == 19


@pytest.mark.parametrize("code", sorted(MAKERS))
def test_the_sound_entry_shows_no_defect(code: Reason) -> None:
    assert not SHOWS[code](SOUND)


@pytest.mark.parametrize("code", sorted(MAKERS))
def test_a_spoilt_entry_shows_its_defect_in_every_variant(code: Reason) -> None:
    variants = set()
    for seed in range(60):
        spoilt = spoil(code, seed)
        variants.add(spoilt.variant)
        assert SHOWS[code](spoilt.entry), (spoilt.variant, spoilt.entry)
    assert len(variants) >= (1 if code in {"refusal", "trivia", "underspecified"} else 2)


@pytest.mark.parametrize("code", sorted(MAKERS))
def test_the_same_roll_spoils_alike_and_leaves_the_sound_entry_alone(code: Reason) -> None:
    before = json.dumps(SOUND)
    assert spoil(code, 7) == spoil(code, 7)
    assert spoil(code, 7).entry != SOUND
    assert json.dumps(SOUND) == before


def test_ungrounded_claims_are_of_four_sorts() -> None:
    entry = SOUND | {"answer": "In 1914, the Panama Canal was opened by the United States."}
    variants = {inject(entry, "ungrounded", PASSAGE, Random(seed)).variant for seed in range(60)}
    assert variants == {"number", "name", "negation", "claim"}


def test_an_entry_without_an_answer_gets_no_defect_of_answers() -> None:
    question = {key: SOUND[key] for key in ("evidence", "question", "kind", "difficulty")}
    possible = {code for code in MAKERS if applicable(question, code, PASSAGE, [EARLIER])}
    assert not possible & {
        "truncated",
        "ungrounded",
        "echo",
        "answer_in_question",
        "copy",
        "refusal",
    }
    assert "meta_reference" in possible
    with pytest.raises(ValueError, match="cannot be given"):
        inject(question, "echo", PASSAGE, Random(0))


def test_nothing_repeats_what_was_never_said() -> None:
    assert not applicable(SOUND, "duplicate", PASSAGE)
