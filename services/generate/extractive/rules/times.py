"""When something happened: "S was V-ed … in DATE" and "S V-ed … in DATE", with exactly one date in the clause."""

import re
from collections.abc import Iterator

from services.generate.extractive import dates, nouns, verbs, words
from services.generate.extractive.candidate import Candidate
from services.generate.extractive.clauses import Clause, first_clause, one_clause
from services.generate.extractive.page import Page
from services.generate.extractive.phrasing import question, statement
from services.generate.extractive.scene import names_a_people

_PLACED = re.compile(rf"(?:^|\s)(?P<phrase>{dates.PLACED})(?P<tail>$|[\s,;.].*$)")
_ADVERB = re.compile(
    r"^(?:(?:also|first|originally|later|officially|formally|finally|subsequently|then|initially|eventually|soon"
    r"|probably|completely|fully|successfully|publicly|jointly|newly) )"
)
_KEEP = frozenset("into to from as for of".split())
"""Prepositions that belong to the verb, so that the question may not leave them out."""
_BINDING = re.compile(r"first|last|only|most|\w+est|to|called|named|known|more|less")
"""Words whose phrase must not be cut short ("the first woman to travel into space")."""
_BAD_TAIL = re.compile(
    r"^(?:-| ?(?:and|or|to|until|through|–|—) ?(?:\d|the \d|in \d|[A-Z][a-z]+ \d)|/)"
)
_PURSUED = re.compile(
    rf"{dates.PLACED} (?:to (?!the\b|an?\b|\d|[A-Z])[a-z]+|(?:an?|the|its|their|his|her) )"
)
"""A date with the rest of the doing after it ("began in 1999 a process", "efforts in 1999 to build"): a cut would lose it."""
_STATIVE = frozenset(
    """had was were knew held contained consisted included appeared remained existed belonged lived found saw read set ordered asked forced told allowed
    persuaded urged commanded instructed requested required encouraged advised permitted caused made let""".split()
)


def candidates(page: Page) -> Iterator[Candidate]:
    """*When* questions of a page's clauses."""
    for clause in page.clauses:
        found = None
        if clause.verb in ("was", "were"):
            found = _passive(clause, page)
        elif clause.verb in verbs.BASE_OF_PAST and clause.verb not in _STATIVE:
            found = _active(clause, page)
        if found is not None:
            yield found


def _passive(clause: Clause, page: Page) -> Candidate | None:
    rest = first_clause(clause.rest)
    while adverb := _ADVERB.match(rest):
        rest = rest[adverb.end() :]
    participle, _, after = rest.partition(" ")
    if not verbs.is_participle(participle.strip(",.")):
        return None
    parts = _around(clause, f" {after}")
    if parts is None:
        return None
    middle, phrase = parts
    if not _middle_fits(middle, 6):
        return None
    body = " ".join(filter(None, (participle.strip(",."), middle)))
    return _candidate(
        clause, page, f"When {clause.verb} {clause.subject.name} {body}", body, phrase
    )


def _active(clause: Clause, page: Page) -> Candidate | None:
    rest = first_clause(clause.rest)
    parts = _around(clause, f" {rest}")
    if parts is None:
        return None
    middle, phrase = parts
    if _PURSUED.search(first_clause(clause.rest)):
        return None
    name = clause.subject.name
    if (
        clause.subject.plural
        and not clause.subject.proper
        and not re.search(r"^the |\b(?:of|on|between) ", name)
    ):
        return None
    base = verbs.BASE_OF_PAST[clause.verb]
    if not middle and clause.verb not in verbs.INTRANSITIVE:
        return None
    if not _middle_fits(middle, 8) or words.words(middle or "x")[-1].lower() in words.STOP:
        return None
    if (
        middle.startswith(("a ", "an "))
        and middle.islower()
        and len(words.content_words(middle)) < 4
    ):
        return None
    body = " ".join(filter(None, (base, middle)))
    asked = f"When did {clause.subject.name} {body}"
    return _candidate(clause, page, asked, middle, phrase)


def _around(clause: Clause, rest: str) -> tuple[str, str] | None:
    """(what stands between verb and date, date phrase); None unless there is exactly one date."""
    if clause.date:
        if dates.count(rest):
            return None
        middle = re.split(r"[,;:] ", rest, maxsplit=1)[0].strip()
        return _shortened(middle), clause.date
    found = _PLACED.search(rest)
    if found is None or dates.count(rest) > (
        2 if found["phrase"].startswith(("between", "from")) else 1
    ):
        return None
    if _BAD_TAIL.match(found["tail"].lstrip(" ,") if found["tail"] else ""):
        return None
    return rest[: found.start()].strip(), found["phrase"]


def _shortened(middle: str) -> str:
    """Leave out trailing adjuncts that make a question long; what belongs to the verb stays."""
    tokens = middle.split()
    if len(tokens) <= 5:
        return middle
    for index, token in enumerate(tokens):
        if _BINDING.fullmatch(token.lower()):
            return middle
        named = (
            tokens[index - 1][:1].isupper()
            and tokens[index + 1 : index + 2]
            and tokens[index + 1][:1].isupper()
        )
        if token in words.PREPOSITIONS - _KEEP and index and not named:
            return " ".join(tokens[:index])
    return middle


def _middle_fits(middle: str, limit: int) -> bool:
    if not middle:
        return True
    if not one_clause(middle, limit) or middle.rsplit(maxsplit=1)[-1].lower() in words.STOP:
        return False
    return not (
        dates.count(middle)
        or dates.BARE_YEAR.search(middle)
        or re.search(r"\b(?:and|or)\b", middle)
    )


def _specific(asked: str, clause: Clause) -> bool:
    """Whether a question names something: an event of "a plaque" or of "construction" alone is any of many."""
    if clause.subject.name.split()[0] in ("a", "an"):
        return False
    return any(
        word[0].isdigit() or (word[0].isupper() and not _one_of_many(word))
        for word in words.words(asked)[2:]
    )


def _one_of_many(word: str) -> bool:
    """Whether a capital names no one alone: every country has a Congress, and much is European."""
    return word.lower() in nouns.ORGANISATIONS or names_a_people(word)


def _candidate(clause: Clause, page: Page, asked: str, body: str, phrase: str) -> Candidate | None:
    put = question(asked, page.scene)
    if put is None or not _specific(put, clause):
        return None
    answer = statement(clause, f"{body} {phrase}", page.scene)
    if answer is None:
        return None
    return Candidate(
        rule="when",
        kind="fact",
        difficulty="easy",
        question=put,
        answer=answer,
        spans=((clause.sentence.start, clause.sentence.end),),
        key=f"when:{words.normal(put)}",
        weight=2.6 + (0.3 if clause.subject.proper else -0.4),
        subject=clause.subject.name,
        short=dates.bare(phrase),
    )
