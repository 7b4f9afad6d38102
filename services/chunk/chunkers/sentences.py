"""Where sentences start: punctuation, blank lines, list items; abbreviations of English, German and French are known.

Rules rather than a model, in linear time, and local: whether a place is a border is told from a few characters
around it, so that any stretch of a long text can be asked about by itself. Never changes or copies the text.
"""

import re
from collections.abc import Iterator

# The first character alone finds every candidate, which keeps the search in C; a run of marks is always consumed
# whole, since a run that could be refused would be tried again from each of its characters.
_CANDIDATE = re.compile(
    r"""[.!?…。！？｡\n]
    (?: (?<=\n) (?: [ \t\r]*+\n | (?=[ \t]*+(?:[-*+•][ \t]|\d{1,3}[.)][ \t]|\#{1,6}[ \t]|\|)) )
      | (?<=[。！？｡]) [。！？｡]*+ [」』”’）)]*+
      | (?<=[.!?…]) [.!?…]*+ ["'”“’‘»›)\]}*_`]*+
    )""",
    re.VERBOSE,
)
_SPACE = re.compile(r"\s*+")
_TOKEN = re.compile(r"[\w.&-]+\Z")
_WORD = re.compile(r"\w+")
_DOTTED = re.compile(r"(?:[^\W\d]{1,2}\.)+[^\W\d]{1,2}\Z")
_SHORT = re.compile(r"\w{1,3}\.")
_HALF = re.compile(r"(?<!\w)[a-zäöü]\.\s\Z")
LOOKBACK = 24
"""Characters before a full stop that are looked at; longer than any abbreviation."""


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_TITLES = _words("""
    dr mr mrs ms prof st mt messrs rev hon gov pres sen rep gen col capt lt sgt maj cmdr
    hr fr frl dipl ing mag mme mmes mlle mlles mgr
""")
"""Capitalised, they stand before a name; in small letters some are words or units."""
_NEVER_LAST = _words("""
    vs cf viz approx e.g i.e eg ie fig figs eq eqs vol vols ed eds trans dept univ assn
    bzw vgl z.b d.h u.a o.ä u.ä s.o s.u i.d.r bspw insb allg evtl ggf sog geb gest gegr inkl exkl zzgl abzgl ca nr
    abb kap bd ziff hrsg jh jhd mio mrd str bes urspr
    p.ex env av apr boul chap éd réf
    jan feb aug sept oct nov dec okt dez janv févr juil
""")
"""Abbreviations that a sentence hardly ever ends with."""
_BEFORE_NUMBER = _words("""
    no nos num p pp s art ch sec sect tab abs z pos para ex mar apr jun jul sep n bl rn rz
""")
"""Abbreviations only in front of a number: elsewhere they are words."""
_MAY_END = _words("""
    etc usw al inc ltd co corp plc llc bros jr sr esq chr ff f tel ft ad bc ph.d m.d b.sc m.sc
""")
"""Abbreviations that often end a sentence: they do where a word follows that likes to start one."""
_STARTERS = _words("""
    the a an in on at it he she they we i you this that these those there but and however when while after before
    if as for its his her their our many most some all both each since although because with by from to what why
    how who where today later then
    der die das den dem ein eine einer er sie es wir ich ihr im am auf nach vor dies diese dieser dieses danach
    dann aber und doch seit bei mit für von zu als wenn während auch man heute später nur so
    le la les l un une des il elle ils elles ce cette ces en dans au aux mais et on nous vous je pour par avec
    sur après avant lorsque quand depuis
""")
_GERMAN_MONTHS = _words("""
    januar jänner februar märz april mai juni juli august september oktober november dezember
""")


def boundaries(text: str, start: int, end: int, language: str | None = None) -> Iterator[int]:
    """Yield, in order, each offset inside ``(start, end)`` at which a new sentence starts.

    The character there is never white space. ``language`` is ISO 639-1; German's ordinals need it ("der 2. Weltkrieg").
    """
    border = start
    for found in _CANDIDATE.finditer(text, start, end):
        if found.start() < border:  # inside the space that an earlier border skipped
            continue
        after = _SPACE.match(text, found.end(), end)
        place = after.end() if after else found.end()
        if place >= end:
            return
        if _ends(text, found, place, language):
            border = place
            yield place


def _ends(text: str, found: re.Match[str], place: int, language: str | None) -> bool:
    """Whether a sentence ends with the candidate, given that the next one would start at ``place``."""
    mark = text[found.start()]
    if mark in "\n。！？｡":
        return True
    if place == found.end() or text[place].islower():
        return False
    if mark != "." or text.startswith("..", found.start()):
        return True
    return _full_stop(text, found.start(), place, language)


def _full_stop(text: str, dot: int, place: int, language: str | None) -> bool:
    """Whether the point at ``dot`` ends a sentence rather than an abbreviation, an initial or an ordinal."""
    token = _TOKEN.search(text[max(0, dot - LOOKBACK) : dot])
    word = token.group().lower() if token else ""
    if not word:
        return True
    following = _WORD.search(text, place, place + LOOKBACK)
    after = following.group().lower() if following else ""
    if word.replace(".", "").isdigit():
        return not (_numbers_line(text, dot, len(word)) or _ordinal(word, after, language))
    if after[:1].isdigit() and word in _BEFORE_NUMBER:
        return False
    capital = text[dot - len(word)].isupper()
    if word in _NEVER_LAST or (capital and word in _TITLES) or word.endswith("str"):
        return False
    if len(word) == 1 and not capital:
        # A small letter is half an abbreviation when the other half follows, or comes before.
        return not (_SHORT.match(text, place) or _is_second_half(text, dot - 1, word))
    if len(word) == 1 and word.isalpha():
        return after in _STARTERS
    if word in _MAY_END or _DOTTED.match(word) or _is_second_half(text, dot - len(word), word):
        return after in _STARTERS
    return True


def _is_second_half(text: str, begin: int, word: str) -> bool:
    """Whether a word ends an abbreviation in parts: "z. B.", "p. ex.", "v. Chr."."""
    return len(word) <= 3 and _HALF.search(text, max(0, begin - 4), begin) is not None


def _ordinal(digits: str, after: str, language: str | None) -> bool:
    """Whether a number with a point is German for "third": before a month, or what is no likely start."""
    if len(digits) > 2 or not digits.isdigit():
        return False
    return after in _GERMAN_MONTHS or (language == "de" and after not in _STARTERS)


def _numbers_line(text: str, dot: int, width: int) -> bool:
    """Whether the number before ``dot`` is the first thing on its line, as in a numbered list."""
    begin = dot - width
    line = text.rfind("\n", max(0, begin - LOOKBACK), begin) + 1
    if line == 0 and begin > LOOKBACK:
        return False
    return not text[line:begin].strip()
