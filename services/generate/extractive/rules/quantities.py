"""How many, how long, of what measure, and what something consists of."""

import re
from collections.abc import Iterator

from services.generate.extractive import nouns, words
from services.generate.extractive.candidate import Candidate
from services.generate.extractive.clauses import Clause, first_clause, one_clause
from services.generate.extractive.page import Page
from services.generate.extractive.phrasing import question, statement

_AMOUNT = rf"(?P<amount>(?:{nouns.HEDGE} )?{nouns.NUMBER})"
_COUNTED = re.compile(
    rf"^{_AMOUNT} (?P<what>(?:[a-z-]+ ){{0,2}}[a-z-]+)(?P<tail>$|[,;.:].*$| (?:of|in|on|for|with|that|which|and|at|from|to|per|as|each|by|between|across|including|located|called|named|known)\b.*$)"
)
_EXTENT = re.compile(
    rf"^(?P<amount>(?:{nouns.HEDGE} )?{nouns.NUMBER}[ -]?{nouns.UNIT}(?: \([^)]*\))?) (?P<how>long|high|wide|deep|tall|old|thick|broad)\b"
)
_OWNED = re.compile(
    rf"^(?P<article>an?) (?P<what>(?:[a-z-]+ ){{0,2}}[a-z-]+) of (?P<amount>(?:{nouns.HEDGE} )?(?:US)?[$€£]?{nouns.NUMBER}(?:[ -]?{nouns.UNIT})?)(?P<tail>$|[ ,;.].*$)"
)
_DIRECT = re.compile(
    rf"^(?P<amount>(?:{nouns.HEDGE} )?{nouns.NUMBER}[ -]?{nouns.UNIT})(?P<tail>$|[ ,;.].*$)"
)
_ENUMERATION = re.compile(r"^(?:[^,;:]+, )+(?:and |or )?[^,;:]+$|^[^,;:]+ and [^,;:]+$")
_ALSO = re.compile(
    r"^(?:also|currently|typically|usually|generally|now|mainly|primarily|essentially|normally) "
)
_PARTS = {
    "consists": ("does", "consist of"), "consist": ("do", "consist of"), "consisted": ("did", "consist of"),
    "comprises": ("does", "comprise"), "comprise": ("do", "comprise"), "comprised": ("did", "comprise"),
    "contains": ("does", "contain"), "contain": ("do", "contain"), "contained": ("did", "contain"),
    "includes": ("does", "include"), "include": ("do", "include"), "included": ("did", "include"),
    "requires": ("does", "require"), "require": ("do", "require"), "required": ("did", "require"),
}  # fmt: skip
_HAVING = {"has": ("does", "have"), "have": ("do", "have"), "had": ("did", "have")} | {
    verb: forms for verb, forms in _PARTS.items() if forms[1] in ("contain", "comprise", "include")
}
_WEIGHING = {"weighs": ("does", "weigh"), "weigh": ("do", "weigh"), "weighed": ("did", "weigh")}
_COVERING = {"covers": ("does", "cover"), "cover": ("do", "cover"), "covered": ("did", "cover")}


def candidates(page: Page) -> Iterator[Candidate]:
    """Quantities and parts of a page's clauses."""
    for clause in page.clauses:
        if clause.field or clause.date or _adrift(clause, page):
            continue
        for rule in (_count, _extent, _owned, _direct, _parts):
            found = rule(clause, page)
            if found is not None:
                yield found
                break


def _count(clause: Clause, page: Page) -> Candidate | None:
    forms = _HAVING.get(clause.verb)
    rest = _ALSO.sub("", clause.rest)
    if clause.verb == "consists" and rest.startswith("of "):
        forms, rest = ("does", "consist of"), rest[3:]
    match = _COUNTED.match(rest)
    if forms is None or match is None or not nouns.is_plural(match["what"].split()[-1]):
        return None
    if match["amount"].split()[-1] == "one" or set(match["what"].split()) & words.WEAK_MODIFIERS:
        return None
    if match["what"].split()[-1] in words.WEAK_HEADS - {
        "members",
        "people",
        "days",
        "years",
        "states",
    } and not match["tail"].startswith(" of"):
        return None
    what = match["what"] + _of(match["tail"])
    place = re.match(
        r"^ (?:in|on|at|for|from|per|between|to) [^,;.]{2,50}?(?=$|[,;.]| and | which| that)",
        match["tail"],
    )
    where = place[0] if place else ""
    if where and forms[1] == "consist of":
        return None
    kept = first_clause(clause.rest)
    kept = kept if ": " in kept else re.split(r", |;", kept, maxsplit=1)[0]
    asked = question(
        f"How many {what} {forms[0]} {clause.subject.name} {forms[1]}{where}", page.scene
    )
    answer = statement(clause, kept, page.scene)
    return _candidate(clause, "how many", asked, answer, f"{match['amount']} {match['what']}", 2.7)


def _of(tail: str) -> str:
    found = re.match(r"^ of [a-z-]+(?: [a-z-]+)?(?=$|[,;.:])", tail)
    return found[0] if found else ""


def _extent(clause: Clause, page: Page) -> Candidate | None:
    if clause.verb not in ("is", "are", "was", "were"):
        return None
    match = _EXTENT.match(clause.rest)
    if match is None or clause.subject.head.lower() in nouns.MEASURES:
        return None
    asked = question(f"How {match['how']} {clause.verb} {clause.subject.name}", page.scene)
    answer = statement(clause, f"{match['amount']} {match['how']}", page.scene)
    return _candidate(clause, "extent", asked, answer, match["amount"], 3.0)


def _owned(clause: Clause, page: Page) -> Candidate | None:
    match = _OWNED.match(_ALSO.sub("", clause.rest))
    if clause.verb not in ("has", "have", "had") or match is None:
        return None
    what = match["what"]
    if what.split()[-1] not in nouns.MEASURES and what not in nouns.MEASURE_PHRASES:
        return None
    be = "was" if clause.verb == "had" else "is"
    name = clause.subject.name
    if clause.subject.plural:
        return None
    asked = question(f"What {be} the {what} of {name}", page.scene)
    tail = (
        match["tail"]
        if match["tail"].count(" ") <= 8 and match["tail"].startswith((" in ", " at ", " as "))
        else ""
    )
    answer = statement(
        clause, f"{match['article']} {what} of {match['amount']}{first_clause(tail)}", page.scene
    )
    return _candidate(clause, "measure", asked, answer, match["amount"], 3.1)


def _direct(clause: Clause, page: Page) -> Candidate | None:
    rest = clause.rest.removeprefix("an area of ")
    match = _DIRECT.match(rest)
    if match is None:
        return None
    if clause.verb in _WEIGHING:
        asked = question(
            f"How much {_WEIGHING[clause.verb][0]} {clause.subject.name} weigh", page.scene
        )
    elif clause.verb in _COVERING and re.search(
        r"square|acre|hectare|km²|km2|mi2|ha\b|%|percent", match["amount"]
    ):
        if "%" in match["amount"] or "percent" in match["amount"]:
            return None
        asked = question(
            f"What area {_COVERING[clause.verb][0]} {clause.subject.name} cover", page.scene
        )
    else:
        return None
    prefix = "an area of " if rest != clause.rest else ""
    answer = statement(clause, f"{prefix}{match['amount']}", page.scene)
    return _candidate(clause, "measure", asked, answer, match["amount"], 2.9)


def _parts(clause: Clause, page: Page) -> Candidate | None:
    forms = _PARTS.get(clause.verb)
    if forms is None:
        return None
    rest = clause.rest
    if forms[1].endswith(" of"):
        if not rest.startswith("of "):
            return None
    elif rest.count(",") < 1 and clause.verb not in ("comprises", "comprise"):
        return None
    if forms[1] == "include" and not _is_named(clause, page):
        return None
    kept = re.split(
        r";|, (?:which|who|where|while|whereas|although|but|as well)\b", rest, maxsplit=1
    )[0]
    listed = kept.removeprefix("of ")
    if not _ENUMERATION.match(listed) or listed.count(" ") > 28 or not _clean_list(listed):
        return None
    asked = question(f"What {forms[0]} {clause.subject.name} {forms[1]}", page.scene)
    answer = statement(clause, kept, page.scene)
    return _candidate(clause, "parts", asked, answer, None, 2.7)


def _adrift(clause: Clause, page: Page) -> bool:
    """Whether a subject says too little alone: "a worker" that no heading names, "the tally of cities"."""
    name = clause.subject.name
    if name.startswith("the "):
        whole, _, part = name.partition(" of ")
        return bool(part) and f"{whole} {part}".islower() and not part.startswith(("a ", "an "))
    if not re.fullmatch(r"an? [a-z]+", name):
        return False
    heads = {nouns.singular(w) for head in page.scene.names for w in words.content_words(head)}
    return nouns.singular(clause.subject.head.lower()) not in heads


def _is_named(clause: Clause, page: Page) -> bool:
    """Whether a subject holds a name or a word of the title; what "sample symptoms include" says little."""
    if any(word[0].isupper() for word in clause.subject.name.split()):
        return True
    heads = set(words.content_words(page.scene.title))
    return any(
        word in heads or nouns.singular(word) in heads
        for word in words.content_words(clause.subject.name)
    )


def _clean_list(listed: str) -> bool:
    parts = re.split(r", (?:and |or )?| and ", listed)
    if words.PREPOSITIONS.intersection(parts[0].split()) and not any(
        words.PREPOSITIONS.intersection(part.split()) for part in parts[1:]
    ):
        return False
    low = {word.lower() for word in words.words(listed)}
    if low & (
        words.TAINTED_PRONOUNS
        | {"that", "which", "who", "this", "these", "those", "such", "etc", "more", "others"}
    ):
        return False
    if any(part.split()[0].lower() in words.AUXILIARIES for part in parts if part.split()):
        return False
    return len(parts) >= 2 and all(one_clause(part, 9) for part in parts)


def _candidate(
    clause: Clause,
    rule: str,
    asked: str | None,
    answer: str | None,
    short: str | None,
    weight: float,
) -> Candidate | None:
    if asked is None or answer is None:
        return None
    return Candidate(
        rule=rule,
        kind="fact",
        difficulty="easy",
        question=asked,
        answer=answer,
        spans=((clause.sentence.start, clause.sentence.end),),
        key=f"{rule}:{words.normal(asked)}",
        weight=weight,
        subject=clause.subject.name,
        short=short,
    )
