"""The verdict as a whole: order of reasons, score, difficulty, category, signature."""

from collections.abc import Callable
from typing import get_args

from contracts.entries import BodyEntry, Malformed, Reason
from contracts.generation import GenerationSettings, Thresholds
from services.curate.checks import Judged
from services.curate.retrieval import Ranker

Ask = Callable[..., BodyEntry]
Verdict = Callable[..., Judged]

OPENED = "It was opened on 15 August 1914 after ten years of work."
WIDTH = "Each lock chamber is 33.5 m wide and 305 m long."
DEATHS = "About 5,600 workers died during the American period."
FIRST = "The Panama Canal is an artificial waterway that connects the Atlantic Ocean with the Pacific Ocean."


def test_all_faults_are_recorded_in_the_order_of_the_codes(ask: Ask, verdict: Verdict) -> None:
    entry = ask("According to the text, when was it opened?", "Sure! It was opened in 1915 and")
    reasons = [found.reason for found in verdict(entry).found]
    order = get_args(Reason)
    assert reasons == sorted(reasons, key=order.index)
    assert {"truncated", "meta_reference", "ungrounded", "chatter"} <= set(reasons)
    assert all(found.detail for found in verdict(entry).found)


def test_a_rejected_entry_has_a_score_and_no_signature(ask: Ask, verdict: Verdict) -> None:
    judged = verdict(ask("When was it opened?"))
    assert not judged.passed
    assert judged.signature is None
    assert 0 < judged.quality <= 1


def test_what_could_not_be_read_is_malformed_and_nothing_else(ask: Ask, verdict: Verdict) -> None:
    entry = ask("When?").model_copy(update={"content": Malformed(raw="{", problem="not JSON")})
    judged = verdict(entry)
    assert [(found.reason, found.detail) for found in judged.found] == [("malformed", "not JSON")]
    assert judged.quality == 0


def test_judging_again_says_the_same(ask: Ask, verdict: Verdict) -> None:
    entry = ask("When was the Panama Canal opened?")
    assert verdict(entry) == verdict(entry)


def test_difficulty_follows_the_evidence_and_not_the_model(ask: Ask, verdict: Verdict) -> None:
    question, answer = (
        "What is known of the Panama Canal?",
        "The Panama Canal was opened on 15 August 1914.",
    )
    assert verdict(ask(question, answer, OPENED)).difficulty == "easy"
    assert verdict(ask(question, answer, FIRST, OPENED)).difficulty == "intermediate"
    assert verdict(ask(question, answer, FIRST, WIDTH)).difficulty == "hard"
    assert verdict(ask(question, answer, OPENED, kind="application")).difficulty == "intermediate"
    assert verdict(ask(question, answer, FIRST, OPENED, kind="comparison")).difficulty == "hard"


def test_the_category_is_the_top_heading_or_the_title(ask: Ask, verdict: Verdict) -> None:
    entry = ask("When was the Panama Canal opened?")
    assert verdict(entry, heading_path=("Canals", "Panama")).category == "Canals"
    assert verdict(entry, heading_path=()).category == "Panama Canal"


def test_quotes_of_the_same_sentence_have_the_same_span(ask: Ask, verdict: Verdict) -> None:
    whole = verdict(ask("When was the Panama Canal opened?")).signature
    part = verdict(
        ask(
            "When was the Panama Canal opened?",
            "The Panama Canal was opened on 15 August 1914.",
            OPENED[:40],
        )
    ).signature
    assert whole is not None
    assert part is not None
    assert whole.spans == part.spans


def test_a_threshold_on_quality_rejects_last(ask: Ask, verdict: Verdict) -> None:
    entry = ask("When was the Panama Canal opened?", "Opened 15 August 1914.")
    strict = GenerationSettings(mode="default", thresholds=Thresholds(quality=1.0))
    assert verdict(entry).passed
    assert [found.reason for found in verdict(entry, strict).found] == ["low_quality"]


def test_a_question_that_finds_other_chunks_is_underspecified_in_a_large_project(
    ask: Ask, verdict: Verdict
) -> None:
    others = [f"Ships and harbours number {n} were opened by workers long ago." for n in range(60)]
    entry = ask("Which harbours were opened by workers?")
    large, small = (
        Ranker(["The Panama Canal is a waterway.", *others]),
        Ranker(["The canal.", *others[:20]]),
    )
    assert "underspecified" in [
        found.reason for found in verdict(entry, None, large, chunk=0).found
    ]
    assert "underspecified" not in [
        found.reason for found in verdict(entry, None, small, chunk=0).found
    ]
    assert verdict(entry, None, small, chunk=0).quality_parts["retrieval"] < 0.5


def test_what_a_whole_document_is_about_may_be_asked_of_any_of_its_passages(
    ask: Ask, instruct: Ask, verdict: Verdict
) -> None:
    others = ["The Panama Canal, the canal of Panama."] * 80
    ranker = Ranker(
        ["A long text tells of the Panama Canal among many other things and of its use.", *others]
    )
    about = verdict(ask("What is the Panama Canal?", FIRST, FIRST), None, ranker, chunk=0)
    task = instruct("Explain in a few words what the Panama Canal is.", FIRST, FIRST)
    assert "underspecified" not in [
        found.reason for found in verdict(task, None, ranker, chunk=0).found
    ]
    event = verdict(
        ask("What did workers of the Panama Canal eat?", FIRST, FIRST), None, ranker, chunk=0
    )
    assert "underspecified" not in [found.reason for found in about.found]
    assert "underspecified" in [found.reason for found in event.found]
