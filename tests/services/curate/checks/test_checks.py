"""Each reason code by one case that has it and one that only looks like it."""

from collections.abc import Callable

import pytest

from contracts.entries import BodyEntry

Ask = Callable[..., BodyEntry]
Codes = Callable[..., list[str]]

OPENED = "The Panama Canal was opened on 15 August 1914."
WHEN = "When was the Panama Canal opened?"
WIDTH = "Each lock chamber is 33.5 m wide and 305 m long."
GATES = "The lock gates are not opened before the water stands at the same\nlevel on both sides."
BUILDERS = (
    "John Frank Stevens rebuilt the railway, and George\nWashington Goethals completed the canal."
)


def test_a_sound_entry_passes(ask: Ask, codes: Codes) -> None:
    assert codes(ask(WHEN)) == []


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "According to the passage, when was the Panama Canal opened?"),
        ("en", "What does the author say about the Panama Canal?"),
        ("en", "When was the Panama Canal opened, as mentioned above?"),
        ("en", "Which of the following is true of the Panama Canal?"),
        ("en", "What is shown in Figure 3 about the Panama Canal?"),
        ("de", "Wann wurde der Panamakanal laut dem Text eröffnet?"),
        ("fr", "Selon le document, quand le canal de Panama a-t-il été ouvert ?"),
        ("es", "Según el texto, ¿cuándo se abrió el canal de Panamá?"),
        ("it", "Secondo il testo, quando fu aperto il canale di Panama?"),
        ("pt", "De acordo com o texto, quando foi aberto o canal do Panamá?"),
        ("zh", "根据文章,巴拿马运河何时开通?"),
        ("ja", "この文章によると、パナマ運河はいつ開通しましたか。"),
    ],
)
def test_a_question_about_the_text_as_a_text_is_a_meta_reference(
    ask: Ask, codes: Codes, language: str, question: str
) -> None:
    assert "meta_reference" in codes(ask(question), language=language)


@pytest.mark.parametrize(
    "question",
    [
        "How do you save a file in the text editor Vim?",
        "What does the Figure of Merit of a telescope express?",
        "Which section of the Panama Canal crosses Gatun Lake?",
        "In the context of shipping, what is a draught?",
        "What does Section 230 of the Communications Decency Act protect?",
        "Who is the author of Hamlet?",
    ],
)
def test_a_noun_that_is_the_subject_is_no_meta_reference(
    ask: Ask, codes: Codes, question: str
) -> None:
    assert "meta_reference" not in codes(ask(question))


@pytest.mark.parametrize(
    "question",
    [
        "When was it opened?",
        "What is its width?",
        "Who invented it?",
        "Who founded the company?",
        "How long is it in total?",
    ],
)
def test_a_subject_that_points_elsewhere_dangles(ask: Ask, codes: Codes, question: str) -> None:
    assert "dangling_reference" in codes(ask(question))


@pytest.mark.parametrize(
    "question",
    [
        "Why is it important to keep lock gates shut?",
        "How long does it take to cross the Panama Canal?",
        "What happens to water when it freezes?",
        "Which ships can pass, those of 30 m or those of 40 m, through the Panama Canal?",
        "How does the heart pump blood?",
    ],
)
def test_a_pronoun_with_something_behind_it_does_not_dangle(
    ask: Ask, codes: Codes, question: str
) -> None:
    assert "dangling_reference" not in codes(ask(question))


def test_an_answer_that_opens_with_a_pronoun_dangles(ask: Ask, codes: Codes) -> None:
    entry = ask(WHEN, "It was opened on 15 August 1914.")
    assert codes(entry) == ["dangling_reference"]


def test_a_quote_without_verified_offsets_is_not_found(ask: Ask, codes: Codes) -> None:
    entry = ask(
        WHEN,
        OPENED,
        "It opened in 1914.",
    )
    assert codes(entry) == ["evidence_not_found"]


def test_a_quote_outside_the_passage_is_not_evidence(ask: Ask, codes: Codes) -> None:
    entry = ask("What is the subject?", "The subject is the Panama Canal.", "# Panama Canal")
    assert "evidence_not_found" in codes(entry)


@pytest.mark.parametrize(
    ("question", "answer", "quote"),
    [
        (WHEN, "The Panama Canal was opened on 15 July 1914.", None),
        (
            "How wide is a lock chamber of the Panama Canal?",
            "A lock chamber is 33.5 km wide.",
            WIDTH,
        ),
        (
            "Who completed the Panama Canal?",
            "Ferdinand de Lesseps completed the Panama Canal.",
            BUILDERS,
        ),
        (
            "Who completed the Panama Canal?",
            "John Frank Stevens completed the Panama Canal.",
            BUILDERS,
        ),
        (
            "When are the lock gates of the Panama Canal opened?",
            "The lock gates are opened before the water stands at the same level.",
            GATES,
        ),
        (
            "How wide is a lock chamber of the Panama Canal?",
            "A lock chamber is not 33.5 m wide.",
            WIDTH,
        ),
    ],
)
def test_a_changed_number_name_unit_or_negation_is_ungrounded(
    ask: Ask, codes: Codes, question: str, answer: str, quote: str | None
) -> None:
    entry = ask(question, answer, quote) if quote else ask(question, answer)
    assert "ungrounded" in codes(entry)


def test_a_number_in_words_is_the_number(ask: Ask, codes: Codes) -> None:
    quote = "About 5,600 workers died during the American period."
    answer = (
        "Five thousand six hundred workers died during the American period of the Panama Canal."
    )
    assert codes(ask("How many workers died at the Panama Canal?", answer, quote)) == []


def test_the_built_in_model_must_find_every_word_in_its_source(ask: Ask, codes: Codes) -> None:
    entry = ask(WHEN, "The Panama Canal was inaugurated on 15 August 1914.")
    assert codes(entry) == []
    assert codes(entry, model="builtin/extractive") == ["ungrounded"]


def test_an_unanswerable_question_is_not_ungrounded_when_the_answer_says_so(
    ask: Ask, codes: Codes
) -> None:
    question = "Which bank financed the locomotives of the Panama Canal?"
    silent = "The passage does not state which bank financed the locomotives."
    invented = "The Bank of Lyon financed the locomotives of the Panama Canal."
    context = "The Panama Canal is an artificial waterway."
    assert codes(ask(question, silent, "", answerable=False, context=context)) == [
        "evidence_not_found"
    ]
    entry = ask(question, silent, answerable=False, context=context)
    assert codes(entry) == []
    assert "ungrounded" in codes(ask(question, invented, answerable=False, context=context))
    assert codes(ask(question, silent, answerable=False)) == ["malformed"]


def test_the_document_may_answer_what_was_called_unanswerable(ask: Ask, codes: Codes) -> None:
    question = "When was the Panama Canal opened after ten years of work?"
    entry = ask(
        question, "The passage does not state when it was.", answerable=False, context="Nothing."
    )
    text = "The Panama Canal was opened after ten years of work in 1914."
    assert "ungrounded" in codes(entry, text=text, start=0, end=len(text))


def test_the_same_answer_to_an_answerable_question_is_a_refusal(ask: Ask, codes: Codes) -> None:
    entry = ask(
        "Which bank financed the Panama Canal?",
        "The passage does not state which bank financed the Panama Canal.",
    )
    assert "refusal" in codes(entry)


@pytest.mark.parametrize(
    ("question", "answer", "code"),
    [
        ("Why was the Panama Canal opened on 15 August 1914?", OPENED, "answer_in_question"),
        ("What is the Panama Canal?", "The term Panama Canal refers to the Panama Canal.", "echo"),
        (WHEN, "Der Panamakanal wurde nach zehn Jahren Arbeit für den Verkehr geöffnet.", "wrong_language"),
        ("How many pages does the book have?", OPENED, "trivia"),
        ("When was the Panama Canal opened and who completed the canal?", OPENED, "compound"),
        (WHEN, "Sure! The Panama Canal was opened on 15 August 1914.", "chatter"),
        (WHEN, "I'm sorry, I cannot answer.", "refusal"),
        (WHEN, "The Panama Canal was opened on 15 August 1914 after", "truncated"),
        (WHEN, "  ", "empty"),
        ("Is the Panama Canal a waterway?", "Yes.", "wrong_kind"),
        ("Opened when?", OPENED, "length"),
        ("What is there to know in general?", OPENED, "underspecified"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(
    ask: Ask, codes: Codes, question: str, answer: str, code: str
) -> None:
    assert code in codes(ask(question, answer))


def test_a_procedure_needs_steps(ask: Ask, codes: Codes) -> None:
    question = "How are the lock gates of the Panama Canal opened?"
    flat = "The lock gates are not opened before the water stands at the same level."
    steps = "1. The water stands at the same level on both sides.\n2. Only then are the lock gates opened."
    assert codes(ask(question, flat, GATES, kind="procedure")) == ["wrong_kind"]
    assert codes(ask(question, steps, GATES, kind="procedure")) == []


def test_a_task_may_speak_of_the_material_it_brings(instruct: Ask, codes: Codes) -> None:
    given = "It was opened on 15 August 1914 after ten years of work."
    entry = instruct(
        "Extract every date from the text below.", "15 August 1914", given=given, task="extract"
    )
    assert codes(entry) == []


def test_a_statement_stands_without_a_question(statement: Ask, codes: Codes) -> None:
    quote = "It was opened on 15 August 1914 after ten years of work."
    assert codes(statement(OPENED, quote)) == []
    assert codes(statement("However, it was opened on 15 August 1914.", quote)) == []
    assert codes(statement("It was opened on 15 August 1914.", quote)) == ["dangling_reference"]


def test_a_question_without_an_answer_is_judged_by_itself(question_only: Ask, codes: Codes) -> None:
    assert codes(question_only("How wide is a lock chamber of the Panama Canal?", WIDTH)) == []
    assert codes(question_only("How wide is it?", WIDTH)) == ["dangling_reference"]


STEPS = "\n".join(
    f"{n}. Fill chamber {n} of the lock with water from the lake above." for n in range(1, 9)
)


def test_all_steps_of_a_passage_that_is_nothing_else_are_no_copy(ask: Ask, codes: Codes) -> None:
    entry = ask("How do you fill the locks of the Panama Canal?", STEPS, kind="procedure")
    assert "copy" not in codes(entry, text=STEPS, start=0, end=len(STEPS))


def test_a_passage_said_again_as_a_fact_is_a_copy(ask: Ask, codes: Codes) -> None:
    entry = ask("How do you fill the locks of the Panama Canal?", STEPS, kind="fact")
    assert "copy" in codes(entry, text=STEPS, start=0, end=len(STEPS))


def test_dates_taken_out_of_a_text_that_is_full_of_them_are_no_copy(
    instruct: Ask, codes: Codes
) -> None:
    lines = [f"The lock number {n} of the canal was opened in 19{n}." for n in range(10, 22)]
    text = " ".join(lines)
    output = "\n".join(f"19{n}: {line}" for n, line in enumerate(lines, 10))
    entry = instruct(
        "List every date in the text below.", output, *lines[:1], given=text, task="extract"
    )
    assert "copy" not in codes(entry, text=text, start=0, end=len(text))


def test_steps_with_the_heading_of_their_passage_are_a_copy(ask: Ask, codes: Codes) -> None:
    text = f"Filling a lock\n--------------\n\n{STEPS}"
    entry = ask("How do you fill the locks of the Panama Canal?", text, kind="procedure")
    assert "copy" in codes(entry, text=text, start=0, end=len(text))
