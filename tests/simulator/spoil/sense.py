"""Defects of sense: what cannot be understood, is not held by the evidence, or is not worth asking."""

import re

from tests.simulator.spoil import phrases
from tests.simulator.spoil.case import Case, Makers, Spoilt, lowered

_NUMBER = re.compile(r"(?<![\w.,])\d+(?![\w.,]*\d)")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-zà-ÿ]+(?: [A-Z][a-zà-ÿ]+)*")
_AUXILIARY = re.compile(r"\b(is|are|was|were|can|must|has been|have been) ")


def meta_reference(case: Case) -> Makers:
    made: Makers = []
    if case.asks:
        rest = lowered(case.question)
        made += [
            lambda: case.change(
                "question_before", asked=f"{case.rng.choice(phrases.META_BEFORE)}, {rest}"
            ),
            lambda: case.change(
                "question_after",
                asked=f"{case.question[:-1]} {case.rng.choice(phrases.META_AFTER)}?",
            ),
        ]
    if case.answer[:1].isupper():
        made.append(
            lambda: case.change(
                "answer_before",
                said=f"{case.rng.choice(phrases.META_ANSWER)}, {lowered(case.answer)}",
            )
        )
    return made


def dangling_reference(case: Case) -> Makers:
    asked, said = case.subject()
    made: Makers = []
    if case.asks:
        made.append(
            lambda: case.change("generic_question", asked=case.rng.choice(phrases.DANGLING))
        )
    if case.asks and asked:
        made.append(
            lambda: case.change(
                "question_pronoun",
                asked=case.question.replace(asked, case.rng.choice(phrases.PRONOUNS), 1),
            )
        )
    if said:
        rest = case.answer[len(said) :]
        made.append(
            lambda: case.change(
                "answer_pronoun", said=case.rng.choice(phrases.PRONOUNS).capitalize() + rest
            )
        )
    return made


def underspecified(case: Case) -> Makers:
    if not case.asks:
        return []
    return [lambda: case.change("no_content", asked=case.rng.choice(phrases.UNDERSPECIFIED))]


def evidence_not_found(case: Case) -> Makers:
    quotes = case.quotes
    if not quotes:
        return []

    def shuffled() -> Spoilt:
        words = quotes[0].split()
        case.rng.shuffle(words)
        return case.change("shuffled", evidence=[" ".join(words), *quotes[1:]])

    def half() -> Spoilt:
        words = quotes[0].split()
        start = " ".join(words[: max(1, len(words) // 2)])
        return case.change(
            "half_invented", evidence=[f"{start} {case.rng.choice(phrases.STRANGE)}", *quotes[1:]]
        )

    def invented() -> Spoilt:
        return case.change("invented", evidence=[case.rng.choice(phrases.STRANGE)])

    return [half, invented, shuffled] if len(quotes[0].split()) >= 6 else [invented]


def ungrounded(case: Case) -> Makers:
    """Claims that evidence and passage do not hold: number, name, negation, invented."""
    made: Makers = []
    if not case.said:
        return made
    held = f"{case.passage.text} {case.question}"
    number = _NUMBER.search(case.answer)
    if number:

        def other_number() -> Spoilt:
            digits = number.group()
            while digits in held:
                digits = str(int(digits) + case.rng.randint(3, 97))
            return case.change("number", said=_NUMBER.sub(digits, case.answer, count=1))

        made.append(other_number)
    names = [found for found in _NAME.finditer(case.answer) if found.start() > 0]
    if names:
        name = names[-1].group()
        others = [other for other in phrases.NAMES if other not in held]
        made.append(
            lambda: case.change("name", said=case.answer.replace(name, case.rng.choice(others)))
        )
    if _AUXILIARY.search(case.answer) and " not " not in case.answer:
        negated = _AUXILIARY.sub(r"\1 not ", case.answer, count=1)
        made.append(lambda: case.change("negation", said=negated))
    if case.one_line:
        claims = [claim for claim in phrases.CLAIMS if claim not in held]
        made.append(lambda: case.change("claim", said=f"{case.answer} {case.rng.choice(claims)}"))
    return made


def answer_in_question(case: Case) -> Makers:
    if not case.asks or not case.one_line:
        return []
    body = lowered(case.answer).rstrip(". ")
    return [
        lambda: case.change("given_that", asked=f"What is the case, given that {body}?"),
        lambda: case.change("known_that", asked=f"What else holds when {body}?"),
    ]


def echo(case: Case) -> Makers:
    if not case.asks or not case.said:
        return []
    body = case.question[:-1]
    return [
        lambda: case.change("same_words", said=f"{body}."),
        lambda: case.change("question_again", said=case.question),
        lambda: case.change("so_it_is", said=f"{case.subject()[1] or body} is {lowered(body)}."),
    ]


def trivia(case: Case) -> Makers:
    if not case.asks:
        return []
    return [lambda: case.change("question", asked=case.rng.choice(phrases.TRIVIA))]


def compound(case: Case) -> Makers:
    if not case.asks:
        return []
    second = phrases.SECOND_QUESTIONS
    return [
        lambda: case.change("and", asked=f"{case.question[:-1]}, and {case.rng.choice(second)}?"),
        lambda: case.change(
            "two_marks", asked=f"{case.question} {case.rng.choice(second).capitalize()}?"
        ),
    ]


def wrong_kind(case: Case) -> Makers:
    made: Makers = []
    # Two sentences or an enumeration may pass for steps; one plain statement cannot.
    plain = case.one_line and not re.search(r"[,;]|\. ", case.answer)
    if case.asked == "question" and case.one_line:
        made.append(
            lambda: case.change(
                "yes_no",
                asked=f"Is it true that {lowered(case.answer).rstrip('. ')}?",
                said=f"Yes, {lowered(case.answer)}",
            )
        )
    if plain and case.asked == "question":
        made.append(lambda: case.change("procedure_without_steps", kind="procedure"))
    if plain and case.asked == "instruction":
        made.append(lambda: case.change("procedure_without_steps", task="procedure"))
    return made
