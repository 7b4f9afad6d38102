"""Who did it, and how it was done: "S was V-ed by A", "A V-ed S", "S was V-ed by V-ing …"."""

import re
from collections.abc import Iterator

from services.generate.extractive import dates, nouns, verbs, words
from services.generate.extractive.candidate import Candidate
from services.generate.extractive.clauses import Clause, first_clause, one_clause
from services.generate.extractive.page import Page
from services.generate.extractive.phrasing import question, statement

_NAME = r"(?:[A-Z][\w’'-]+|[A-Z]\.)(?: (?:[A-Z][\w’'-]+|[A-Z]\.|de|von|van|der|la|le|du|al|bin|ibn|of|II|III|IV))*"
_BY_NAME = re.compile(
    rf"^(?P<participle>\w+)(?P<middle>(?: [^,;:]+?)?) by (?P<lead>the (?:[a-z-]+ |[A-Z]\w+ )?(?:and )?(?:[a-z-]+ )?)?"
    rf"(?P<name>{_NAME}(?: and {_NAME})?)(?P<tail>$|[,;.]| (?:in|on|at|from|for|after|during|with|as|to|who|and|around|between) .*$|[,;].*$)"
)
_BY_DOING = re.compile(
    r"^(?P<participle>\w+)(?P<middle>(?: [^,;:]+?)?) by (?P<doing>\w+ing (?:\S+ ){1,}\S+)$"
)
_NOT_DOERS = re.compile(
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December|War|Act|Treaty|Street|Road"
    r"|River|Sea|Ocean|North|South|East|West)\b"
)
_NOT_GERUND = frozenset("king string spring wing morning evening building".split())


def candidates(page: Page) -> Iterator[Candidate]:
    """*Who*, *which* and *how* questions of a page's clauses."""
    for clause in page.clauses:
        found = None
        if clause.verb in ("was", "were"):
            found = _passive(clause, page) or _manner(clause, page)
        elif clause.verb in ("is", "are"):
            found = _manner(clause, page)
        elif clause.subject.person:
            found = _active(clause, page)
        if found is not None:
            yield found


def _passive(clause: Clause, page: Page) -> Candidate | None:
    match = _BY_NAME.match(clause.rest)
    if match is None or match["participle"] not in verbs.AGENTIVE:
        return None
    wh = _asker(match["name"], match["lead"] or "")
    if wh is None or not _middle_fits(match["middle"].strip()):
        return None
    past = verbs.PAST_OF_PARTICIPLE.get(match["participle"])
    if past is None:
        return None
    middle = match["middle"].strip()
    asked = question(" ".join(filter(None, (wh, past, clause.subject.name, middle))), page.scene)
    doer = f"{match['lead'] or ''}{match['name']}"
    tail = _short_tail(match["tail"])
    body = " ".join(filter(None, (match["participle"], middle, "by", doer, tail)))
    answer = statement(clause, body, page.scene)
    if asked is None or answer is None:
        return None
    return _candidate(clause, "who", asked, answer, doer, weight=3.0)


def _middle_fits(middle: str) -> bool:
    return not middle or (
        one_clause(middle, 5) and not dates.BARE_YEAR.search(middle) and " by " not in f" {middle} "
    )


def _asker(name: str, lead: str) -> str | None:
    """Ask "Who" for the name of a person, "Which company" for that of an organisation; None where it is neither."""
    parts = name.split()
    if _NOT_DOERS.search(name):
        return None
    last = parts[-1].lower()
    if last in nouns.ORGANISATIONS - {
        "congress",
        "parliament",
        "senate",
        "government",
        "church",
        "court",
    }:
        return f"Which {last}"
    profession = any(word in nouns.PROFESSIONS for word in lead.split())
    if lead and not profession:
        return None
    return "Who" if profession or (2 <= len(parts) <= 9 and len(parts[0]) > 1) else None


def _short_tail(tail: str) -> str:
    tail = tail.strip()
    found = re.match(rf"^{dates.PLACED}(?=$|[,;.])", tail)
    return found[0] if found else ""


def _active(clause: Clause, page: Page) -> Candidate | None:
    base = verbs.BASE_OF_PAST.get(clause.verb)
    if base is None or clause.verb not in {verbs.PAST_OF_PARTICIPLE.get(p) for p in verbs.AGENTIVE}:
        return None
    rest = first_clause(clause.rest)
    deed = re.split(r"[,;:] ", rest, maxsplit=1)[0].strip()
    if not re.match(r"^(?:the |a |an )?[\w'’-]+", deed) or not one_clause(deed, 12):
        return None
    first = deed.split()[0].lower()
    if first in ("a", "an") and deed.split()[1].lower() in words.WEAK_HEADS:
        return None
    if (
        first in words.PREPOSITIONS
        or first in words.ADVERBS
        or first in words.PRONOUNS
        or first in words.QUANTIFIERS
    ):
        return None
    asked_deed = re.sub(rf" {dates.PLACED}$", "", deed)
    specific = any(word[0].isupper() for word in asked_deed.split()) or asked_deed.startswith(
        "the "
    )
    asked = question(f"Who {clause.verb} {asked_deed}", page.scene)
    answer = statement(clause, deed, page.scene)
    if not specific or " and " in asked_deed or asked is None or answer is None:
        return None
    return _candidate(clause, "who", asked, answer, clause.subject.name, weight=2.5)


def _manner(clause: Clause, page: Page) -> Candidate | None:
    match = _BY_DOING.match(first_clause(clause.rest).split(",")[0])
    if match is None or not verbs.is_participle(match["participle"]):
        return None
    gerund = match["doing"].split()[0]
    middle = re.sub(rf" ?{dates.PLACED}$", "", match["middle"]).strip()
    if gerund in _NOT_GERUND or not _middle_fits(middle) or not one_clause(match["doing"], 20):
        return None
    asked = question(
        " ".join(
            filter(None, ("How", clause.verb, clause.subject.name, match["participle"], middle))
        ),
        page.scene,
    )
    body = " ".join(
        filter(None, (match["participle"], match["middle"].strip(), "by", match["doing"]))
    )
    answer = statement(clause, body, page.scene)
    if asked is None or answer is None:
        return None
    return _candidate(clause, "how", asked, answer, None, weight=2.8)


def _candidate(
    clause: Clause, rule: str, asked: str, answer: str, short: str | None, *, weight: float
) -> Candidate:
    return Candidate(
        rule=rule,
        kind="explanation" if rule == "how" else "fact",
        difficulty="easy",
        question=asked,
        answer=answer,
        spans=((clause.sentence.start, clause.sentence.end),),
        key=f"{rule}:{words.normal(asked)}",
        weight=weight,
        subject=clause.subject.name,
        short=short,
    )
