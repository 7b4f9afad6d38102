"""What something is: "S is a C" and "the N of S is C". Opinions and pointers are no definitions."""

import re
from collections.abc import Iterator

from services.generate.extractive import nouns, verbs, words
from services.generate.extractive.candidate import Candidate, Extension
from services.generate.extractive.clauses import Clause, consistent, one_clause
from services.generate.extractive.page import Page
from services.generate.extractive.phrasing import finished, question, statement, within
from services.generate.extractive.scene import names_a_person, names_a_thing
from services.generate.extractive.sentences import Sentence, usable

_SINGULAR = re.compile(r"^(?:a|an|the|any|one of)\s")
_PLURAL = re.compile(
    r"^(?:the |a (?:type|kind|class|group|family|set|form|genus|species|subclass|series|pair) of |any |two |three "
    r"|(?:(?!able|used|not|found|known)[a-z-]+ly )?(?:(?!in |on |of |to |for |at |with |by )[a-z-]+,? (?:and |or )?){0,4}?[a-z-]+s (?:that|which|who|whose|used|made"
    r"|designed|consisting|composed|in which|with|of|containing|where|formed|produced|characterized)\b)"
)
_NOT_NOUN = re.compile(
    r"^(?:able|used|not|found|known|made|more|most|less|as|in|on|at|by|to|for|from|of|also|often|usually)\b"
)
_RANKED = re.compile(r"the (?:primary|principal|chief|central|sole|leading|key) ")
"""What ranks among others is not said to be anything."""
_OR_MORE = re.compile(r" (?:zero|one|two|three) or more\b")
_KINSHIP = frozenset(
    "son daughter brother sister wife husband child mother father member native man woman descendant".split()
)
_FOLLOW = re.compile(
    r"^(?P<who>It|They|He|She) (?P<verb>is|are|was|were|has|have|had|can|may|[a-z]+s|[a-z]+ed) "
)
_PROPER_VALUE = re.compile(r"^(?:the )?(?:[A-Z][\w.'’-]*)(?: (?:[A-Z][\w.'’-]*|of|de|the|and))*$")


def candidates(page: Page) -> Iterator[Candidate]:
    """Definitions and attributes of a page's clauses."""
    for clause in page.clauses:
        if clause.verb not in ("is", "are", "was", "were") or clause.date:
            continue
        found = _attribute(clause, page) or _definition(clause, page)
        if found is not None:
            yield found


def _definition(clause: Clause, page: Page) -> Candidate | None:
    rest = within(clause)
    if rest is None or not _defines(clause, rest):
        return None
    named, scene = clause.subject, page.scene
    profession = named.proper and (names_a_person(rest) or (named.person and " who " in rest))
    low = {word.lower() for word in words.words(rest)[:8]}
    if named.proper and low & _KINSHIP and (not profession or low & {"the"}):
        return None
    if named.person and not profession and clause.verb == "was" and not names_a_thing(rest):
        return None
    if not named.proper and re.search(rf" in (?:the )?{re.escape(scene.title or ' ')}\b", rest):
        return None
    if _in_passing(clause, page) or _any_of_many(clause, rest, page):
        return None
    wh = "Who" if profession and not named.plural and not named.name.startswith("the ") else "What"
    field = f" {clause.field}" if clause.field else ""
    asked = question(f"{wh} {clause.verb} {named.name}{field}", scene)
    answer = statement(clause, rest, scene)
    if asked is None or answer is None:
        return None
    if clause.field:
        answer = f"{words.capitalise(clause.field)}, {named.name}{answer[len(named.opening) :]}"
    return Candidate(
        rule="definition",
        kind="definition",
        difficulty="easy",
        question=asked,
        answer=answer,
        spans=((clause.sentence.start, clause.sentence.end),),
        key=f"definition:{named.name.lower()}",
        weight=_weight(clause, rest, page),
        subject=named.name,
        extension=extension(clause, answer, page),
    )


def _any_of_many(clause: Clause, rest: str, page: Page) -> bool:
    """Whether "the head of state" is said to be one of a certain country: an unnamed "the" with a named value."""
    name = clause.subject.name
    if not name.startswith("the ") or name != name.lower() or rest == rest.lower():
        return False
    heads = {word for head in page.scene.names for word in words.content_words(head)}
    return not heads.intersection(words.content_words(name))


def _specified(rest: str) -> bool:
    """Whether "are …" goes on with a participle, so that it says what is done instead of what something is."""
    tokens = [token for token in rest.split()[:3] if not token.endswith("ly")]
    bound = len(tokens) > 1 and tokens[0].endswith("ed") and tokens[1] in words.PREPOSITIONS
    return bound or (bool(tokens) and verbs.is_participle(tokens[0]))


def _in_passing(clause: Clause, page: Page) -> bool:
    """Whether a section deep in a document says of the document's own subject that it is something, too."""
    title, path = words.normal(page.scene.title), clause.sentence.headings
    mine = words.normal(clause.subject.name).removeprefix("the ")
    deep = [name for name in path if words.normal(name) != title]
    return bool(deep) and bool(mine) and mine == title.removeprefix("the ")


def _defines(clause: Clause, rest: str) -> bool:
    named = clause.subject
    if clause.verb in ("was", "were") and not named.proper:
        return False
    if clause.verb in ("is", "was"):
        if not _SINGULAR.match(rest) and not (named.proper and rest.startswith("one of")):
            return False
    elif _specified(rest) or not _PLURAL.match(rest) or _NOT_NOUN.match(rest):
        return False
    if _RANKED.match(rest):
        return False
    tokens = words.words(_OR_MORE.sub(" ", rest))
    low = [word.lower() for word in tokens[:6]]
    if len(tokens) < 4 or words.VAGUE.intersection(low) or any(w.endswith("est") for w in low[1:2]):
        return False
    if {"its", "their", "his", "her"}.intersection(low) or rest.startswith("all "):
        return False
    if (
        " in which case" in rest
        or " because " in rest
        or (low[0] == "the" and low[1:2] == ["only"])
    ):
        return False
    return " of " not in named.name or named.proper or named.name.count(" ") <= 4


def _weight(clause: Clause, rest: str, page: Page) -> float:
    weight = 3.0
    length = clause.subject.name.count(" ") + 1
    weight -= 0.3 * max(0, length - 3)
    if clause.sentence.bold:
        weight += 0.6
    if clause.sentence.place == 0:
        weight += 0.3
    if clause.subject.name.startswith("the ") and not clause.subject.proper:
        weight -= 0.5
    if rest.startswith("the "):
        weight -= 0.3
    if clause.verb in ("was", "were"):
        weight -= 0.2
    if page.scene.title and words.normal(page.scene.title) == words.normal(clause.subject.name):
        weight += 0.5
    return weight


def extension(clause: Clause, answer: str, page: Page) -> Extension | None:
    """The answer with the next sentence of the paragraph, where that opens with a pronoun for the subject."""
    following = next_sentence(clause.sentence, page)
    if following is None or not usable(following.text) or following.text != following.body:
        return None
    opening = _FOLLOW.match(following.text)
    if opening is None or not _agrees(opening["who"], clause):
        return None
    text = finished(following.text, page.scene)
    if text is None or not consistent(following.text, clause.subject):
        return None
    spans = ((clause.sentence.start, clause.sentence.end), (following.start, following.end))
    return Extension(f"{answer} {text}", spans)


def _agrees(pronoun: str, clause: Clause) -> bool:
    if pronoun == "They":
        return clause.subject.plural
    if clause.subject.plural:
        return False
    return (pronoun == "It") != clause.subject.person


def next_sentence(sentence: Sentence, page: Page) -> Sentence | None:
    """The sentence after this one in its paragraph."""
    if sentence.index + 1 >= len(page.sentences):
        return None
    following = page.sentences[sentence.index + 1]
    return following if following.paragraph == sentence.paragraph else None


def _attribute(clause: Clause, page: Page) -> Candidate | None:
    """As in "The capital of Angola is Luanda": a short value of a named attribute."""
    named = clause.subject
    if not (named.name.startswith("the ") and " of " in named.name) or named.plural:
        return None
    value = clause.rest.split(", ")[0]
    if not (
        _PROPER_VALUE.match(value)
        or re.match(rf"^(?:{nouns.HEDGE} )?{nouns.NUMBER}(?: {nouns.UNIT})?$", value)
    ):
        return None
    if not one_clause(value, 6):
        return None
    asked = question(f"What {clause.verb} {named.name}", page.scene)
    answer = statement(clause, value, page.scene)
    if asked is None or answer is None:
        return None
    return Candidate(
        rule="attribute",
        kind="fact",
        difficulty="easy",
        question=asked,
        answer=answer,
        spans=((clause.sentence.start, clause.sentence.end),),
        key=f"attribute:{named.name.lower()}",
        weight=3.2,
        subject=named.name,
        short=value,
    )
