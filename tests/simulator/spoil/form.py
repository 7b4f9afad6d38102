"""Defects of form: what is broken, missing, too long, in the wrong language, or not an entry at all."""

import re
from collections.abc import Callable

from tests.simulator.spoil import phrases
from tests.simulator.spoil.case import Case, Makers, Spoilt


def malformed(case: Case) -> Makers:
    field = case.asked or case.said
    made: Makers = [
        lambda: Spoilt({k: v for k, v in case.entry.items() if k != field}, "missing_field"),
        lambda: Spoilt(case.entry | {field: [case.entry[field]]}, "wrong_type"),
        lambda: Spoilt(case.entry | {field: None}, "null"),
    ]
    if "kind" in case.entry:
        made.append(lambda: case.change("unknown_value", kind="trivium"))
    return made


def empty(case: Case) -> Makers:
    fields = [field for field in (case.asked, case.said) if field]
    return [
        lambda: Spoilt(case.entry | {case.rng.choice(fields): ""}, "empty"),
        lambda: Spoilt(case.entry | {case.rng.choice(fields): " \n "}, "blank"),
    ]


def truncated(case: Case) -> Makers:
    words = case.answer.split(" ")
    if not case.one_line or len(words) < 6:
        return []

    def cut() -> Spoilt:
        kept = words[: case.rng.randint(len(words) // 2, len(words) - 2)]
        return case.change("cut_between_words", said=" ".join(kept).rstrip(".,;:!?"))

    def cut_word() -> Spoilt:
        text = case.answer[: len(case.answer) * 2 // 3].rstrip(" .,;:!?")
        return case.change("cut_in_word", said=text)

    return [cut, cut_word]


def copy(case: Case) -> Makers:
    """Of passages above 80 words; a shorter one may be one good answer."""
    words = case.passage.text.split()
    if case.said in {"", "summary"} or len(words) <= 80:
        return []
    return [
        lambda: case.change("whole", said=case.passage.text),
        lambda: case.change("most", said=_until_stop(case.passage.text, 0.75)),
    ]


def wrong_language(case: Case) -> Makers:
    made: Makers = []
    if case.asks:
        made.append(lambda: case.change("question", asked=case.rng.choice(phrases.FOREIGN)[0]))
    if case.said:
        made.append(lambda: case.change("answer", said=case.rng.choice(phrases.FOREIGN)[1]))
    return made


def refusal(case: Case) -> Makers:
    return (
        [lambda: case.change("answer", said=case.rng.choice(phrases.REFUSALS))] if case.said else []
    )


def chatter(case: Case) -> Makers:
    made: Makers = []
    if case.asked:
        made += [
            lambda: case.change("question_label", asked=f"Question: {case.question}"),
            lambda: case.change("question_number", asked=f"1. {case.question}"),
        ]
    if case.said:
        made += [
            lambda: case.change(
                "answer_opening", said=f"{case.rng.choice(phrases.CHATTER)} {case.answer}"
            ),
            lambda: case.change("answer_label", said=f"Answer: {case.answer}"),
            lambda: case.change("answer_fence", said=f"```\n{case.answer}\n```"),
        ]
    return made


def duplicate(case: Case) -> Makers:
    """An earlier entry once more, so that everything about it is sound except that it is there already."""
    if not case.asked or not case.earlier:
        return []

    def again(variant: str, reword: Callable[[str], str]) -> Spoilt:
        before = case.rng.choice(case.earlier)
        return Spoilt(before | {case.asked: reword(str(before[case.asked]))}, variant)

    return [
        lambda: again("same", lambda question: question),
        lambda: again("case_and_marks", lambda question: question.lower().replace(",", "")),
        lambda: again("spaces", lambda question: question.replace(" ", "  ", 1)),
    ]


def length(case: Case) -> Makers:
    made: Makers = []
    filler = re.sub(r"[.?!]", "", " ".join(case.passage.text.split()[:70]))
    if case.asks:
        made += [
            lambda: case.change("question_short", asked=" ".join(case.question[:-1].split()[:2]) + "?"),
            lambda: case.change("question_long", asked=f"{case.question[:-1]}, considering {filler}?"),
        ]  # fmt: skip
        if len(filler.split()) < 60:
            made.pop()
    if case.said in {"answer", "output"} and case.one_line:
        made.append(lambda: case.change("answer_short", said=case.answer.split()[-1]))
    return made


def _until_stop(text: str, share: float) -> str:
    """The start of ``text``, at least that share of it, to the end of a sentence."""
    stop = text.find(".", int(len(text) * share))
    return text[: stop + 1] if stop >= 0 else text
