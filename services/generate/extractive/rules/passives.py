"""Fixed questions of a closed list of verbs: where S is located, what S is made of, used for, known for, named after."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.generate.extractive import words
from services.generate.extractive.candidate import Candidate
from services.generate.extractive.clauses import Clause, first_clause, one_clause
from services.generate.extractive.page import Page
from services.generate.extractive.phrasing import question, statement


@dataclass(frozen=True, slots=True)
class _Frame:
    """``asked`` holds {be} and {s}; the pattern matches what follows the verb "to be"."""

    rule: str
    pattern: re.Pattern[str]
    asked: str
    weight: float


def _frame(rule: str, shape: str, asked: str, weight: float = 2.6) -> _Frame:
    adverb = r"(?:(?:also|often|usually|commonly|mainly|mostly|primarily|widely|generally|typically|largely|normally|traditionally|frequently|chiefly|sometimes|best|perhaps best|most) )?"
    return _Frame(rule, re.compile(rf"^{adverb}(?P<verb>{shape}) (?P<what>.+)$"), asked, weight)


_FRAMES = (
    _frame("where", r"(?:located|situated|headquartered) (?:in|at|on|near|between|along|off|within)|based in", "Where {be} {s} {participle}"),
    _frame("made of", r"made (?:up )?(?:of|from|out of)", "What {be} {s} made {last}"),
    _frame("composed of", r"composed of", "What {be} {s} composed of"),
    _frame("used for", r"used (?:for|to|in|as)", "What {be} {s} used {for}"),
    _frame("known for", r"(?:known|famous|noted|renowned) for", "What {be} {s} {participle} for"),
    _frame("named after", r"named (?:after|for|in honou?r of)", "What {be} {s} named after"),
    _frame("divided into", r"(?:divided|subdivided|split|grouped|classified) into", "What {be} {s} {participle} into"),
    _frame("measured in", r"measured in", "What {be} {s} measured in"),
    _frame("based on", r"based (?:up)?on", "What {be} {s} based on"),
    _frame("caused by", r"caused by", "What {be} {s} caused by"),
    _frame("derived from", r"derived from", "What {be} {s} derived from"),
    _frame("found in", r"found (?:in|on|at|near|throughout|along)", "Where {be} {s} found", 2.2),
    _frame("surrounded by", r"(?:surrounded|bordered|bounded) by", "What {be} {s} {participle} by"),
    _frame("responsible for", r"responsible for", "What {be} {s} responsible for"),
)  # fmt: skip
_NAME_AFTER = re.compile(r"^(?:the [a-z]+ )?[A-Z][a-z]+(?: [A-Z][\w.]*){1,3}$")
_WEAK_WHAT = re.compile(
    r"^(?:it|them|him|her|this|that|these|those|what|how|which|such|many|some|several|various|any|all|different|certain|both|each"
    r"|a (?:variety|number|range|wide|lot)|part|order|general|particular|most|more|other|conjunction|combination|addition|place|turn|practice)\b",
    re.IGNORECASE,
)


_INCIDENTAL = frozenset(
    """access admission assessment classification diagnosis eligibility funding identification management membership
    payment prognosis promotion selection support treatment""".split()
)
"""Doings that are always of something, which a sentence that names them alone leaves unsaid."""


def candidates(page: Page) -> Iterator[Candidate]:
    """Fixed questions of a page's clauses."""
    for clause in page.clauses:
        if clause.verb in ("is", "are", "was", "were") and not clause.field:
            yield from _fixed(clause, page)


def _fixed(clause: Clause, page: Page) -> Iterator[Candidate]:
    rest = first_clause(clause.rest)
    for frame in _FRAMES:
        match = frame.pattern.match(rest)
        if match is None:
            continue
        what = _without_rival(match["what"].strip().rstrip(",."))
        if match["verb"] == "used in" and (
            clause.verb in ("was", "were") or what[0].isupper() or what.startswith("the ")
        ):
            return
        if match["verb"] == "based in" and not what[0].isupper():
            return
        if _of_no_one(frame, what, clause):
            return
        if len(what) < 3 or _WEAK_WHAT.match(what) or what.count(" ") > 24:
            return
        asked = question(_asked(frame, match["verb"], what, clause), page.scene)
        answer = statement(clause, f"{rest[: match.start('what')]}{what}", page.scene)
        if asked is None or answer is None or not _adds(asked, answer):
            return
        yield Candidate(
            rule=frame.rule,
            kind="explanation" if frame.rule == "caused by" else "fact",
            difficulty="easy",
            question=asked,
            answer=answer,
            spans=((clause.sentence.start, clause.sentence.end),),
            key=f"{frame.rule}:{clause.subject.name.lower()}",
            weight=frame.weight
            - (0.4 if clause.date else 0.0)
            + (0.2 if clause.subject.proper else 0.0),
            subject=clause.subject.name,
            short=what if one_clause(what, 6) else None,
        )
        return


def _of_no_one(frame: _Frame, what: str, clause: Clause) -> bool:
    """Whether it is told of one of many ("a court was based in"), of a share, or of something incidental."""
    name = clause.subject.name
    if clause.verb in ("was", "were") and name.startswith(("a ", "an ")):
        return True
    if frame.rule == "found in" and re.search(r"\d|^(?:over|about|up to|those) ", what):
        return True
    return name in _INCIDENTAL


def _asked(frame: _Frame, verb: str, what: str, clause: Clause) -> str:
    participle, last = verb.split(maxsplit=1)[0], verb.rsplit(maxsplit=1)[-1]
    if frame.rule == "named after" and _NAME_AFTER.match(what):
        return f"Who {clause.verb} {clause.subject.name} named after"
    if verb.startswith("made up"):
        participle, last = "made", "up of"
    purpose = {"in": "in", "as": "as"}.get(last, "for")
    return frame.asked.format(
        be=clause.verb, s=clause.subject.name, participle=participle, last=last, **{"for": purpose}
    )


def _without_rival(what: str) -> str:
    """Cut ", and A for B" off, where a second subject begins that the first part does not enumerate."""
    first, mark, rest = what.partition(", and ")
    return first if mark and "," not in first and rest[:1].isupper() and " for " in rest else what


def _adds(asked: str, answer: str) -> bool:
    """Whether the answer says more than the question does."""
    return bool(set(words.content_words(answer)) - set(words.content_words(asked)))
