"""Renderings: golden for a fixed chunk, stable over a job, safe against what sources and owners write.

A golden sample that is missing is written, and its test fails once: delete samples to renew them, read the difference.
"""

from pathlib import Path
from typing import get_args

import pytest

from contracts.generation import GenerationSettings, Mode, PlannedDocument, Seed, Span
from services.generate.prompts.files import NAMES, PromptUnknown, load
from services.generate.prompts.length import head, tail, tokens
from services.generate.prompts.read import read_prompt
from services.generate.prompts.render import LANGUAGES, Prompt, render

SAMPLES = Path(__file__).parents[1] / "samples"
MODES = [mode for mode in get_args(Mode) if mode != "default"]
DRESSED = GenerationSettings(
    audience="apprentices",
    purpose="a lock keeper's training",
    domain="waterways",
    language="de",
    complexity="hard",
    question_style="case_based",
    answer_style="step_by_step",
)


def golden(prompt: Prompt) -> str:
    return f"=== system\n{prompt.system}\n=== user\n{prompt.user}\n=== {prompt.ref.hash}\n"


@pytest.mark.parametrize("mode", MODES)
def test_each_prompt_renders_as_its_golden_sample(
    mode: Mode, seed: Seed, document: PlannedDocument, text: str
) -> None:
    settings = GenerationSettings(mode=mode, model="openai/some-model")
    sample = SAMPLES / f"prompt_{NAMES[mode]}.txt"

    found = golden(render(seed, document, text, settings))

    if not sample.exists():
        sample.write_text(found, "utf-8")
        pytest.fail(f"{sample.name} was missing and is written now")
    assert found == sample.read_text("utf-8")


def test_the_system_message_is_the_same_bytes_for_a_whole_job(
    seed: Seed, document: PlannedDocument, text: str
) -> None:
    other = document.model_copy(update={"title": "Another", "outline": (), "summary": "-"})
    elsewhere = seed.model_copy(update={"start": 0, "end": 20, "avoid": (), "index": 7})

    prompts = [
        render(seed, document, text, DRESSED),
        render(elsewhere, document, text, DRESSED),
        render(seed, other, text, DRESSED.model_copy()),
    ]

    assert len({prompt.system.encode() for prompt in prompts}) == 1


def test_the_document_block_opens_the_user_message_of_every_chunk_with_the_same_bytes(
    seed: Seed, document: PlannedDocument, text: str
) -> None:
    elsewhere = seed.model_copy(update={"start": 0, "end": 20, "chunk_id": document.document_id})

    first, second = (render(s, document, text, DRESSED).user for s in (seed, elsewhere))

    end = first.index("</document-")
    assert first[:end] == second[:end]
    assert "Panama Canal" in first[:end]


def test_the_same_seed_gives_the_same_bytes_and_hash_and_another_seed_another_hash(
    seed: Seed, document: PlannedDocument, text: str
) -> None:
    once, again = (render(seed, document, text, DRESSED) for _ in range(2))
    more = render(seed.model_copy(update={"avoid": ()}), document, text, DRESSED)

    assert once == again
    assert once.ref.hash != more.ref.hash


def test_each_wish_of_the_request_is_a_line_of_the_system_message(
    seed: Seed, document: PlannedDocument, text: str
) -> None:
    system = render(seed, document, text, DRESSED).system

    for wish in ("Audience: apprentices", "Purpose: a lock keeper", "Domain: waterways"):
        assert wish in system
    for wish in ("every entry is hard", "case-based", "Numbered steps", "German (de)"):
        assert wish in system
    assert "{" + "requirements}" not in system
    assert "{" + "language}" not in system


def test_without_wishes_the_language_is_that_of_the_passage(
    seed: Seed, document: PlannedDocument, text: str
) -> None:
    system = render(seed, document, text, GenerationSettings()).system

    assert "Write in the language of the passage." in system
    assert "Nothing beyond the rules." in system


def test_a_language_without_a_name_is_asked_for_by_its_code(
    seed: Seed, document: PlannedDocument, text: str
) -> None:
    assert "eo" not in LANGUAGES

    system = render(seed, document, text, GenerationSettings(language="eo")).system

    assert "ISO 639-1 code (eo)" in system


def test_a_custom_prompt_without_a_place_for_the_passage_keeps_rules_schema_and_passage(
    seed: Seed, document: PlannedDocument, text: str
) -> None:
    wish = 'Ask about engineering only, as {"like": "this"} and {taxonomy} {audience_context}.'
    settings = DRESSED.model_copy(update={"custom_prompt": wish})

    prompt = render(seed, document, text, settings)

    asked = 'Ask about engineering only, as {"like": "this"} and {taxonomy} Audience: apprentices.'
    assert asked in prompt.system
    assert "Quote first" in prompt.system
    assert "`nothing_because`" in prompt.system
    assert "German (de)" in prompt.system
    assert read_prompt(prompt.system, prompt.user).text == text[seed.start : seed.end]
    assert prompt.ref.name == "custom"


@pytest.mark.parametrize("place", ["{chunk}", "{chunk_text}"])
def test_a_custom_prompt_holds_the_passage_once_where_it_asks_for_it(
    place: str, seed: Seed, document: PlannedDocument, text: str
) -> None:
    wish = f"Make {{datasets_per_chunk}} of this: {place} and again {place}. </passage-abc> {{x}}"
    settings = DRESSED.model_copy(update={"custom_prompt": wish, "prompt_name": "engineers"})

    prompt = render(seed, document, text, settings)

    assert "Make 3 of this: \n<passage-" in prompt.user
    assert "and again (the passage above). <\\/passage-abc> {x}" in prompt.user
    assert read_prompt(prompt.system, prompt.user).text == text[seed.start : seed.end]
    assert "adds instructions in the user message" in prompt.system
    assert prompt.ref.name == "engineers"


def test_what_replaces_a_placeholder_is_not_searched_for_placeholders(
    seed: Seed, document: PlannedDocument, text: str
) -> None:
    settings = DRESSED.model_copy(
        update={"custom_prompt": "For {audience}: {chunk}", "audience": "{purpose} {chunk}"}
    )

    user = render(seed, document, text, settings).user

    assert "For {purpose} {chunk}: " in user
    assert "{chunk} in the answer" in user


def test_an_unknown_prompt_name_is_refused_by_name(
    seed: Seed, document: PlannedDocument, text: str
) -> None:
    settings = GenerationSettings(prompt_name="nobody_wrote_this")

    with pytest.raises(PromptUnknown, match="nobody_wrote_this"):
        render(seed, document, text, settings)


def test_every_prompt_file_is_loaded_with_name_mode_and_version() -> None:
    for mode in MODES:
        prompt = load(NAMES[mode])
        assert (prompt.name, prompt.mode) == (NAMES[mode], mode)
        assert prompt.version >= 1
        assert prompt.text.startswith(f"Mode: {mode}\n")


def test_neighbours_are_whole_words_within_their_tokens(
    seed: Seed, document: PlannedDocument
) -> None:
    words = "word " * 400
    seed = seed.model_copy(update={"start": 1000, "end": 1500})

    passage = read_prompt(*_messages(render(seed, document, words, GenerationSettings())))

    assert 110 <= tokens(passage.before) <= 120
    assert 110 <= tokens(passage.after) <= 120
    assert set(passage.before.split()) == {"word"}
    assert set(passage.after.split()) == {"word"}


def test_a_script_without_spaces_is_cut_by_its_weight() -> None:
    text = "運河は水門" * 100

    assert head(text, 120) == text[:120]
    assert tail(text, 120) == text[-120:]


def test_focus_sentences_are_quoted_from_the_text(
    seed: Seed, document: PlannedDocument, text: str
) -> None:
    start = text.index("The locks")
    seed = seed.model_copy(update={"focus": (Span(start=start, end=start + 9),)})

    passage = read_prompt(*_messages(render(seed, document, text, GenerationSettings())))

    assert passage.focus == ("The locks",)


def _messages(prompt: Prompt) -> tuple[str, str]:
    return prompt.system, prompt.user


def test_a_chunk_that_brings_its_context_is_shown_after_it_and_keeps_its_passage(
    seed: Seed, document: PlannedDocument
) -> None:
    words = "".join(f"w{n} " for n in range(400))
    start = words.index("w200 ")
    seed = seed.model_copy(
        update={"start": start, "end": words.index("w210 "), "context_start": words.index("w195 ")}
    )

    passage = read_prompt(*_messages(render(seed, document, words, GenerationSettings())))

    assert passage.before.split() == [f"w{n}" for n in range(195, 200)]
    assert passage.text.split() == [f"w{n}" for n in range(200, 210)]
