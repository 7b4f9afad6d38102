"""Instructions, statements and summaries."""

from collections.abc import Callable
from typing import Any

import pytest

from services.generate.extractive.modes.wordings import pick

DATED = """## Opening of the canal

The canal treaty was signed in November 1903 in Washington. Work on the canal began in 1904 under American engineers.
The opening of the canal took place on 15 August 1914, when the ship Ancon made the first official passage from ocean
to ocean, and later celebrations of the opening were put off because of the war in Europe.
"""


def by_task(
    ask: Callable[..., dict[str, Any]], text: str, **parts: Any
) -> list[tuple[str, dict[str, Any]]]:
    return [(e["task"], e) for e in ask(text, mode="instruction following", **parts)["entries"]]


def test_a_thing_is_explained_by_its_definition(ask: Callable[..., dict[str, Any]]) -> None:
    text = "A canal lock is a device that lifts ships between levels. It consists of a chamber with two gates."
    ((task, entry),) = by_task(ask, text)
    assert task == "explain"
    assert "what a canal lock is" in entry["instruction"]
    assert entry["output"] == text
    assert not entry["instruction"].endswith("?")


def test_dates_are_extracted_each_with_its_sentence(ask: Callable[..., dict[str, Any]]) -> None:
    (entry,) = [e for task, e in by_task(ask, DATED) if task == "extract"]
    assert entry["input"] in " ".join(DATED.split())
    lines = entry["output"].splitlines()
    assert [line.split(":")[0] for line in lines] == ["November 1903", "1904", "15 August 1914"]
    assert all(line.split(": ", 1)[1] in entry["input"] for line in lines)


def test_a_title_is_the_heading(ask: Callable[..., dict[str, Any]]) -> None:
    outputs = [e["output"] for task, e in by_task(ask, DATED) if task == "summarize"]
    assert "Opening of the canal" in outputs


def test_an_abbreviation_is_written_out(ask: Callable[..., dict[str, Any]]) -> None:
    text = (
        "The International Maritime Organization (IMO) was founded in 1948. "
        "Rules for ships are made by the IMO in London."
    )
    outputs = [e["output"] for task, e in by_task(ask, text) if task == "rewrite"]
    assert outputs == [
        "Rules for ships are made by the International Maritime Organization in London."
    ]


def test_a_table_row_becomes_a_sentence(ask: Callable[..., dict[str, Any]]) -> None:
    ((task, entry),) = by_task(ask, "| Lock | Width (m) |\n|---|---|\n| Gatun | 33.5 |")
    assert (task, entry["input"]) == ("rewrite", "Lock: Gatun; Width (m): 33.5")
    assert entry["output"] == "The width of the Gatun lock is 33.5 m."


def test_lists_and_steps_are_asked_for(ask: Callable[..., dict[str, Any]], reference: str) -> None:
    listed = by_task(ask, "## Types of lock gates\n\n- Mitre gates\n- Sector gates")
    assert [(task, e["output"]) for task, e in listed] == [
        ("list", "- Mitre gates\n- Sector gates")
    ]
    steps = [e for task, e in by_task(ask, reference) if task == "procedure"]
    assert len(steps) == 1
    assert "transit the Panama Canal" in steps[0]["instruction"]


def test_at_least_half_of_a_passage_is_no_question_in_disguise(
    ask: Callable[..., dict[str, Any]], reference: str
) -> None:
    found = by_task(ask, reference, n=4)
    assert sum(task == "explain" for task, _ in found) * 2 <= len(found)


def test_wordings_vary_with_what_they_are_about_and_never_by_chance() -> None:
    subjects = [f"thing {number}" for number in range(40)]
    chosen = [pick("explain", subject) for subject in subjects]
    assert chosen == [pick("explain", subject) for subject in subjects]
    assert len(set(chosen)) >= 4


@pytest.mark.parametrize(
    ("text", "answer", "topic"),
    [
        (
            "The expanded Panama Canal locks consist of three chambers and nine basins.",
            "The expanded Panama Canal locks consist of three chambers and nine basins.",
            "The expanded Panama Canal locks",
        ),
        (
            "The canal was opened on 15 August 1914.",
            "The Panama Canal was opened on 15 August 1914.",
            "The Panama Canal",
        ),
    ],
)
def test_a_statement_names_its_subject(
    ask: Callable[..., dict[str, Any]], text: str, answer: str, topic: str
) -> None:
    (entry,) = ask(text, mode="answer")["entries"]
    assert (entry["answer"], entry["topic"]) == (answer, topic)


def test_a_sentence_that_leans_on_another_is_no_statement(
    ask: Callable[..., dict[str, Any]],
) -> None:
    assert ask("However, this was not the first attempt.", mode="answer")["entries"] == []


def test_statements_of_a_passage_do_not_repeat_a_sentence(
    ask: Callable[..., dict[str, Any]], reference: str
) -> None:
    entries = ask(reference, mode="answer", n=30)["entries"]
    assert len({entry["evidence"][-1] for entry in entries}) == len(entries)


PROSE = """The Panama Canal joins the Atlantic Ocean with the Pacific Ocean across the narrow Isthmus of Panama. Its
locks lift ships to Gatun Lake, which lies twenty-six metres above sea level. They are filled by gravity alone.

Gatun Lake was made by damming the Chagres River near the Atlantic coast. Ships cross the lake under their own power.
Gatun Lake also supplies the water that every passage of a ship through the Panama Canal needs.

Rain feeds Gatun Lake for most of the year. The dry season in Panama lasts from January to April. In dry years, the
Panama Canal Authority limits the draught of ships. A limit on draught means that ships carry fewer containers. This
raises the price of every container.

Engineers from Panama have proposed a further reservoir on the Indio River. Critics in the valley of the Indio River
fear for their farms. They have asked the government of Panama for other land of the same size and quality.
"""


def test_a_summary_keeps_the_order_and_a_third_of_the_words(
    ask: Callable[..., dict[str, Any]],
) -> None:
    (entry,) = ask(PROSE, mode="summarization")["entries"]
    assert entry["summary"].startswith("The Panama Canal joins")
    assert len(entry["summary"].split()) <= 0.3 * len(PROSE.split())
    assert 2 <= len(entry["key_points"]) <= 5


def test_a_summary_never_begins_with_a_pronoun(ask: Callable[..., dict[str, Any]]) -> None:
    (entry,) = ask(PROSE, mode="summarization")["entries"]
    assert not entry["summary"].startswith("They")
    assert not any(point.startswith("They") for point in entry["key_points"])


def test_a_short_passage_is_not_summarised(ask: Callable[..., dict[str, Any]]) -> None:
    answer = ask(PROSE[:300], mode="summarization")
    assert answer["entries"] == []
    assert answer["nothing_because"]
