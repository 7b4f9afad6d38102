"""Answers for load: sound entries cut straight from the passage's sentences, in microseconds each.

What it makes passes every check that needs no reader: verbatim evidence, grounded answers, distinct questions that
find their passage again. It is a template and no example of good writing.
"""

import re
from collections.abc import Iterator

from services.generate.extractive.passage import Passage

Entry = dict[str, object]

_SENTENCE = re.compile(
    r"(?:(?<=[.!?])\s+|\n\s*\n|\A\s*)([A-Z][^.!?|#*`<>\[\]{}]*(?:\d\.\d[^.!?|#*`<>\[\]{}]*)*\.)(?=\s|\Z)"
)
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_UNFIT = re.compile(
    r"^(?:It|They|This|That|These|Those|He|She|His|Her|Its|Their|Such|Here|There|We|You|I|Our|My|But|And|Or|So|Also"
    r"|However|Therefore|Thus|Then|In addition|Moreover|Both|Another|Other|The former|The latter)\b"
    r"|^(?:\w+,? ){1,4}(?:it|they|he|she|this|these|we|you)\b"
    r"|\b(?:passage|text|document|article|section|chapter|author|excerpt|table|figure|page|above|below|following"
    r"|copyright|isbn|publisher|mentioned|provided)\b",
    re.IGNORECASE,
)  # fmt: skip
_COMMON_WORDS = """
    about after against along also although among another around because been before being between both
    came come could does doing down during each early either even ever every first from further have
    having here high however into itself just known large last later least less like made mainly make
    many might more most much must near never often once only other over part same several shall should
    since small some still such than that their them then there these they this those though through
    today together took under until upon used using usually very well were what when where which while
    whose will with within without would year years your
"""
_COMMON = frozenset(_COMMON_WORDS.split())
SHORTEST, LONGEST = 7, 40
"""Words of a sentence that serves."""


def entries(passage: Passage) -> list[Entry]:
    """At most as many entries as the plan has slots, sentences in focus first."""
    make = {
        "instruction following": _instruction,
        "question": _question,
        "answer": _answer,
    }.get(passage.mode, _question_and_answer)
    if passage.mode == "summarization":
        return _summary(passage)
    made: list[Entry] = []
    avoid = frozenset(passage.avoid)
    for sentence in _candidates(passage):
        if len(made) == len(passage.slots):
            break
        slot = passage.slots[len(made)]
        entry = make(sentence, slot.difficulty)
        if entry.get("question", entry.get("instruction", entry.get("answer"))) not in avoid:
            made.append(entry)
    return made


def _candidates(passage: Passage) -> Iterator[str]:
    sentences = _SENTENCE.findall(passage.text)
    if passage.focus:
        focus = frozenset(passage.focus)
        sentences.sort(key=lambda sentence: sentence not in focus)
    # Looked at one by one, because most calls ask for a few entries of a long passage.
    return (sentence for sentence in sentences if _fit(sentence))


def _fit(sentence: str) -> bool:
    return (
        SHORTEST <= sentence.count(" ") + 1 <= LONGEST
        and "\n\n" not in sentence
        and not _UNFIT.search(sentence)
        and len(_topic(sentence)) >= 2
    )


def _topic(sentence: str) -> list[str]:
    """Up to four telling words of the first two thirds, in order; the rest is left for the answer to add."""
    words = _WORD.findall(sentence)
    telling = [
        word for word in words[: max(4, len(words) * 2 // 3)]
        if len(word) > 3 and word.lower() not in _COMMON
    ]  # fmt: skip
    longest = frozenset(sorted(telling, key=len, reverse=True)[:4])
    return [word for word in dict.fromkeys(telling) if word in longest][:4]


def _flat(sentence: str) -> str:
    return " ".join(sentence.split())


def _named(sentence: str) -> str:
    *rest, last = _topic(sentence)
    return f"{', '.join(rest)} and {last}"


def _question_and_answer(sentence: str, difficulty: str) -> Entry:
    return {
        "evidence": [sentence],
        "question": f"What is known about {_named(sentence)}?",
        "answer": _flat(sentence),
        "short_answer": None,
        "kind": "fact",
        "difficulty": difficulty,
        "answerable": True,
    }


def _question(sentence: str, difficulty: str) -> Entry:
    return {
        "evidence": [sentence],
        "question": f"What is known about {_named(sentence)}?",
        "kind": "fact",
        "difficulty": difficulty,
    }


def _instruction(sentence: str, difficulty: str) -> Entry:
    return {
        "evidence": [sentence],
        "instruction": f"Explain what is known about {_named(sentence)}.",
        "input": "",
        "output": _flat(sentence),
        "task": "explain",
        "difficulty": difficulty,
    }


def _answer(sentence: str, _: str) -> Entry:
    return {"evidence": [sentence], "answer": _flat(sentence), "topic": _named(sentence)}


def _summary(passage: Passage) -> list[Entry]:
    """The first sentences up to two fifths of the passage's words."""
    room = len(passage.text.split()) * 2 // 5
    taken: list[str] = []
    for sentence in _candidates(passage):
        room -= len(sentence.split())
        if room < 0 or len(taken) == 5:
            break
        taken.append(_flat(sentence))
    if len(taken) < 2:
        return []
    return [{"summary": " ".join(taken), "key_points": taken}]
