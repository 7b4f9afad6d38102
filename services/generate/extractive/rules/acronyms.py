"""What an abbreviation stands for: "Long Form (LF)" and "LF (Long Form)", where the initials match."""

import re
from collections.abc import Iterator

from services.generate.extractive import words
from services.generate.extractive.candidate import Candidate
from services.generate.extractive.nouns import singular
from services.generate.extractive.page import Page

_AFTER = re.compile(r"\((?:or )?(?P<short>[A-Z][A-Z0-9]{1,5})(?P<many>s?)(?:[;,][^()]{0,60})?\)")
_BEFORE = re.compile(
    r"\b(?P<short>[A-Z]{2,6}) \((?:short for )?(?P<long>[A-Za-z][\w’'-]+(?:[ -][\w’'-]+){1,7})\)"
)
_SMALL = frozenset("of the and for in to on a an de with by at or".split())
_TOKEN = re.compile(r"[^\W_]+")


def candidates(page: Page) -> Iterator[Candidate]:
    """One candidate for each abbreviation that the page spells out."""
    seen: set[str] = set()
    for sentence in page.sentences:
        for short, long in pairs(sentence.text):
            if short in seen or not _matters(short, page):
                continue
            seen.add(short)
            yield Candidate(
                rule="acronym",
                kind="fact",
                difficulty="easy",
                question=f"What does {short} stand for?",
                answer=f"{short} stands for {long}.",
                spans=((sentence.start, sentence.end),),
                key=f"acronym:{short}",
                weight=2.4,
                subject=short,
                short=long,
                material={"abbreviation": short, "long": long},
            )


def _matters(short: str, page: Page) -> bool:
    """Whether the text goes on to use the abbreviation, or is about it."""
    return page.scene.text.count(short) > 1 or any(short in name for name in page.scene.names)


def pairs(text: str) -> list[tuple[str, str]]:
    """(abbreviation, long form) of each expansion in a sentence, as they stand."""
    found = []
    for match in _AFTER.finditer(text):
        long = long_form(text[: match.start()].rstrip(), match["short"])
        if long and match["many"]:
            long = " ".join([*long.split()[:-1], singular(long.split()[-1])])
        if long:
            found.append((match["short"], long))
    found.extend(
        (match["short"], match["long"])
        for match in _BEFORE.finditer(text)
        if long_form(match["long"], match["short"]) == match["long"]
    )
    return found


def long_form(before: str, short: str) -> str | None:
    """The words at the end of ``before`` whose initials spell ``short``; small words may be passed over."""
    tokens = list(_TOKEN.finditer(before))[-2 * len(short) - 2 :]
    place = len(tokens) - 1
    for left, letter in enumerate(reversed(short), 1):
        while (
            place >= 0
            and tokens[place][0].lower() in _SMALL
            and (left == len(short) or tokens[place][0][0].upper() != letter)
        ):
            place -= 1
        if place < 0 or tokens[place][0][0].upper() != letter:
            return None
        start = tokens[place].start()
        place -= 1
    long = before[start:]
    if re.search(r"[.,;:()\"“”]", long) or long.upper() == long or len(words.words(long)) < 2:
        return None
    first, _, rest = long.partition(" ")
    return words.lower_first(long) if start == 0 and rest.islower() and first.istitle() else long
