"""Sentences of a parsed text (Markdown or plain) with their places; shared by coverage, rounds and signatures.

A content sentence is a sentence of running text, or a list item, of at least five words. Left out: headings, code,
table rows, pictures, link lists, rules and HTML. Table rows are left out although entries may quote them: a long
table would otherwise count as hundreds of sentences that nobody ought to ask about.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from services.curate.stopwords import word_set
from services.curate.words import count

Place = tuple[int, int]
"""Start and end in code points of the text."""

_MIN_WORDS = 5
_MAX_CHARS = 1500
"""A longer stretch without a full stop is no sentence (a list of names, a broken parse)."""

_FIVE = re.compile(r"(?:[^a-zA-Z0-9\s]*[a-zA-Z0-9]\S*\s+){4}[^a-zA-Z0-9\s]*[a-zA-Z0-9]")
_LINE = re.compile(r"[^\n]*\n?")
_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_SKIPPED = re.compile(
    r"""\s*(?:
        \#{1,6}(?:\s|$)            # heading
      | \|                         # table row
      | [-=_*+|:\s]{3,}$           # rule, underline, table rule
      | !\[                        # picture
      | <[!/a-zA-Z]                # HTML
      | \[[^\]]*\]:\s              # link definition
      | (?:[-*+]\s+)?\[[^\]]*\]\([^)]*\)\s*$   # a link alone
      | https?://\S+\s*$
    )""",
    re.VERBOSE,
)
_UNDERLINE = re.compile(r"\s{0,3}(?:=+|-{3,})\s*$")
_CELLS = re.compile(r"[^|\n]*\|[^|\n]*\|")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?|\s*>\s?")
_STOP = re.compile(
    r"[.!?…。！？](?:(?<=[.!?…])[.!?…]*[\"'”’»)\]*_]*(?=\s)|(?<=[。！？])[。！？]*[」』”)]*)"
)
"""Begins with one class of characters, to which a search leaps; with an alternation it would try every place."""
_OPENS = re.compile(r"\s+[\"'“‘«(\[¿¡*_`„]*(\w)")
_ABBREVIATIONS = word_set(
    """
    dr mr mrs ms prof st jr sr vs etc no nos fig figs vol pp approx dept est inc ltd co corp gen col lt sgt rev
    hon e.g i.e cf al ca bzw z.b u.a d.h s.o s.u usw ggf evtl nr bd hrsg jh jhd mio mrd str inkl max min sog v.a
    vgl m mm mme mlle p.ex ex env av apr n.chr v.chr chr sra dra ud uds ee.uu pág núm art cap sig dott jan feb
    mar jun jul aug sep sept oct okt nov dec dez déc janv févr juil u.s u.k
    """
)
_LONGEST = 1 + max(map(len, _ABBREVIATIONS))
"""Characters of an abbreviation with its stop."""
_ORDINAL_CONTEXT = re.compile(
    r"(?i)(?:^|\s)(?:der|die|das|dem|den|des|im|am|vom|zum|zur|seit|bis|ab|beim|ende|anfang|mitte"
    r"|und)\s\d{1,2}\.$"
)
_GERMAN_MONTH = re.compile(
    r"\s+(?:Jan|Feb|März|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez|Jahrhundert|Jahrtausend)"
)


@lru_cache(maxsize=512)
def sentences(text: str) -> tuple[Place, ...]:
    """Every content sentence of a text, in order. Remembers the passages seen last."""
    return tuple(
        place
        for start, end in _blocks(text)
        for place in _split(text, start, end)
        if place[1] - place[0] <= _MAX_CHARS and _enough(text[place[0] : place[1]])
    )


def several(text: str) -> bool:
    """Whether a text on one line may hold more than one sentence: a stop stands before its end."""
    return _STOP.search(text, 0, len(text) - 1) is not None


def sentences_between(text: str, start: int, end: int) -> tuple[Place, ...]:
    """Content sentences of a passage, as places in the whole text."""
    return tuple((start + a, start + b) for a, b in sentences(text[start:end]))


def touched(places: tuple[Place, ...], start: int, end: int) -> tuple[Place, ...]:
    """Of the given sentences, those that a quote covers by half or that hold half of the quote."""
    found = []
    for place in places:
        shared = min(place[1], end) - max(place[0], start)
        if shared > 0 and 2 * shared >= min(place[1] - place[0], end - start):
            found.append(place)
    return tuple(found)


def _enough(text: str) -> bool:
    """Whether it has the words of a content sentence: five pieces with a letter or digit tell at once."""
    return (text.isascii() and _FIVE.match(text) is not None) or count(text) >= _MIN_WORDS


def _blocks(text: str) -> Iterator[Place]:
    """Paragraphs and list items: stretches that a sentence does not cross."""
    begin: int | None = None
    stop = 0
    fenced = False
    for match in _LINE.finditer(text):
        line, at = match.group(), match.start()
        if not line:
            break
        fence = _FENCE.match(line)
        fenced = fenced != bool(fence)
        skipped = fenced or bool(fence) or not line.strip() or bool(_SKIPPED.match(line))
        table = not skipped and "|" in line and bool(_CELLS.match(line))
        item = None if skipped or table else _ITEM.match(line)
        if begin is not None and (skipped or table or item):
            # A line underlined with = or --- was a heading, not a paragraph.
            if not (_UNDERLINE.match(line) and "\n" not in text[begin:stop].strip("\n")):
                yield begin, stop
            begin = None
        if skipped or table:
            continue
        if begin is None:
            begin = at + (item.end() if item else len(line) - len(line.lstrip()))
        stop = match.start() + len(line.rstrip())
    if begin is not None:
        yield begin, stop


def _split(text: str, start: int, end: int) -> Iterator[Place]:
    at = start
    for stop in _STOP.finditer(text, start, end):
        if stop.start() < at or not _ends(text, at, stop.start() + 1, stop.end(), end):
            continue
        yield at, stop.end()
        at = stop.end()
        while at < end and text[at].isspace():
            at += 1
    if at < end:
        yield at, end


def _ends(text: str, start: int, mark: int, after: int, end: int) -> bool:
    """Whether a stop ends its sentence: what follows opens one, what stands before is no abbreviation."""
    if text[mark - 1] in "。！？":
        return True
    # Mostly a blank and a capital follow, and no pattern is needed to see it.
    if not (after + 1 < end and text[after] == " " and "A" <= text[after + 1] <= "Z"):
        opens = _OPENS.match(text, after, end)
        if opens is None or opens.group(1).islower():
            return False
    if text[mark - 1] != "." or after - mark > 2:
        return True
    tail = text[max(start, mark - 24) : mark]
    last = tail.rsplit(None, 1)[-1]
    if len(last) > _LONGEST and last[0].isalnum():
        return True
    word = last.rstrip(".").lstrip("(\"'“„«[").casefold()
    if word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha()):
        return False
    if word.isdigit() and len(word) <= 2:
        return not (_ORDINAL_CONTEXT.search(tail) or _GERMAN_MONTH.match(text, after))
    return True
