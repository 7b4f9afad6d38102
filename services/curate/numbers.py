"""Quantities in a text: digits, number words, months and units, made comparable (1,000 = 1000 = one thousand).

A written number may be read in more than one way ("1.234" is a thousand in German and little in English), so a
quantity is a set of readings, and two agree when they share one. Never guesses which reading was meant.
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from services.curate.number_words import (
    CARDINALS,
    JOINS,
    MONTHS,
    ORDINALS,
    PAIRS,
    UNCOUNTED,
    UNITS,
)

_DIGITS = r"\d{1,3}(?:[,.'’\u00a0\u202f\u2009 ]\d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)*"
_TOKEN = re.compile(rf"[^\W\d_]+|(?<![\d.,])(?:{_DIGITS})|°\s?[cf]\b|[%°$€,;:.()]")
"""A word, a number, a sign or a mark: the first character tells which it is."""
_DIGIT = re.compile(r"\d")
_MARKER = re.compile(r"(?m)^\s*(?:\d{1,2}[.)]|[-*•])\s+|(?<=\s)\(\d\)(?=\s)")
_SPACES = re.compile(r"[\s'’\u00a0\u202f\u2009]")
_UNIT = UNITS | {"° c": UNITS["°c"], "° f": UNITS["°f"]}
_UNIT_NAMES = frozenset(_UNIT)
_MONTH_NAMES = frozenset(MONTHS)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number as written, with all ways to read it and the class of its unit (None: no unit follows)."""

    written: str
    readings: frozenset[float]
    unit: int | None
    demanded: bool
    """Whether an answer that says it must find it in the source: digits and cardinals from two on."""


@dataclass(frozen=True, slots=True)
class Quantities:
    """All quantities of a text. ``units``: classes of units that it names anywhere."""

    numbers: tuple[Quantity, ...]
    months: dict[int, str]
    values: frozenset[float]
    measured: frozenset[tuple[float, int | None]]
    units: frozenset[int]


def quantities(text: str, language: str | None) -> Quantities:
    """Read a text. List markers ("2.", "(3)") count nothing and are left out."""
    tokens = _tokens(text)
    distinct = set(tokens)
    numerals = _numerals(distinct, language or "")
    if _DIGIT.search(text):
        numerals |= {token for token in distinct if token[:1].isdecimal()}
    numbers = tuple(_numbers(tokens, numerals, language or ""))
    # "may" and "mars" are words of their own: a month counts beside a number or when it is no such word.
    months = (
        {
            MONTHS[word]: word
            for at, word in enumerate(tokens)
            if word in MONTHS and _dated(tokens, at)
        }
        if distinct & _MONTH_NAMES
        else {}
    )
    return Quantities(
        numbers=numbers,
        months=months,
        values=frozenset([value for number in numbers for value in number.readings]),
        measured=frozenset([(value, n.unit) for n in numbers for value in n.readings]),
        units=frozenset([_UNIT[word] for word in distinct & _UNIT_NAMES]),
    )


def may_state(text: str, words: frozenset[str], language: str | None) -> bool:
    """Whether a text with these casefolded words may hold a quantity: a look that spares most the reading."""
    return bool(_DIGIT.search(text) or _numerals(words, language or ""))


def absent(said: Quantities, *sources: Quantities) -> Iterator[str]:
    """What a text says in numbers, dates and units that none of the sources says."""
    if len(sources) == 1:  # as is nearly always enough to ask
        values, measured, units = sources[0].values, sources[0].measured, sources[0].units
    else:
        values = frozenset().union(*(source.values for source in sources))
        measured = frozenset().union(*(source.measured for source in sources))
        units = frozenset().union(*(source.units for source in sources))
    for number in said.numbers:
        if not number.demanded:
            continue
        shared = number.readings & values
        if not shared:
            yield number.written
        elif number.unit is not None and not any(
            (value, number.unit) in measured or ((value, None) in measured and number.unit in units)
            for value in shared
        ):
            yield f"{number.written} (another unit)"
    if not said.months:
        return
    known = {month for source in sources for month in source.months}
    for month, written in said.months.items():
        # A numeric date ("1914-08-15") holds the month as a number.
        if month not in known and not (float(month) in values and len(values) >= 3):
            yield written


def is_numeral(word: str, language: str | None) -> bool:
    """Whether a casefolded word is digits or a number word."""
    return word.isdigit() or _value(word, language or "") is not None


def _tokens(text: str) -> list[str]:
    """Casefolded tokens in order."""
    # Without a line break or a bracket, a marker can only open the text.
    if "\n" in text or "(" in text or _MARKER.match(text):
        text = _MARKER.sub(" ", text)
    found: list[str] = _TOKEN.findall(text)
    # All are folded at once; to fold the text before would part a word at a letter that folds to two ("İ").
    return "\0".join(found).casefold().split("\0")


def _numerals(words: AbstractSet[str], language: str) -> AbstractSet[str]:
    """Those of the words that say a number: few, and of most texts none."""
    told = words & _telling(language)
    if language == "de":
        told |= {word for word in words if _value(word, language) is not None}
    return told


@lru_cache(maxsize=16)
def _telling(language: str) -> frozenset[str]:
    cardinals = CARDINALS.get(language, CARDINALS["en"])
    ordinals = ORDINALS.get(language, ORDINALS["en"])
    return frozenset({*cardinals, *ordinals, *PAIRS})


def _dated(tokens: list[str], at: int) -> bool:
    beside = tokens[max(0, at - 1) : at] + tokens[at + 1 : at + 2]
    return any(token[0].isdecimal() for token in beside)


def _numbers(tokens: list[str], numerals: AbstractSet[str], language: str) -> Iterator[Quantity]:
    """The numbers of a text, in order; ``numerals`` are the tokens at which one may begin."""
    if not numerals:
        return
    cardinals = CARDINALS.get(language, CARDINALS["en"])
    ordinals = ORDINALS.get(language, ORDINALS["en"])
    uncounted = UNCOUNTED.get(language, UNCOUNTED["en"])
    after = 0
    for at, word in enumerate(tokens):
        if at < after or word not in numerals:
            continue
        if word[0].isdecimal():
            readings, after = _scaled(_readings(word), tokens, at + 1, cardinals)
            currency = at > 0 and tokens[at - 1] in ("$", "€")
            unit = UNITS[tokens[at - 1]] if currency else _unit(tokens, after)
            yield Quantity(" ".join(tokens[at:after]), readings, unit, demanded=True)
        elif (start := _value(word, language)) is not None:
            value, after = _spelled(tokens, at, start, language)
            written = " ".join(tokens[at:after])
            demanded = value >= 2 and written not in uncounted
            yield Quantity(written, frozenset({float(value)}), _unit(tokens, after), demanded)
        elif word in ordinals:
            value = ordinals[word]
            yield Quantity(word, frozenset({float(value)}), None, demanded=value >= 4)
        else:
            yield Quantity(word, frozenset({2.0}), None, demanded=False)


def _unit(tokens: list[str], at: int) -> int | None:
    if at >= len(tokens):
        return None
    word = tokens[at]
    if word in ("per", "pour") and at + 1 < len(tokens) and tokens[at + 1] == "cent":
        return UNITS["%"]
    return _UNIT.get(word)


def _scaled(
    readings: frozenset[float], tokens: list[str], at: int, cardinals: dict[str, int]
) -> tuple[frozenset[float], int]:
    """Multiply by a scale word that follows ("1.5 million"); the bare number remains a reading."""
    if at < len(tokens) and cardinals.get(tokens[at], 0) >= 1000:
        factor = cardinals[tokens[at]]
        return frozenset(round(value * factor, 6) for value in readings), at + 1
    return readings, at


@lru_cache(maxsize=20_000)
def _readings(written: str) -> frozenset[float]:
    plain = _SPACES.sub("", written).strip(".,")
    marks = [mark for mark in plain if mark in ".,"]
    found = set()
    if not marks:
        found.add(float(plain))
    elif len(set(marks)) == 2 or len(marks) == 1:
        # The last mark may be the decimal one; a lone mark before three digits may also part thousands.
        whole, mark, rest = plain.rpartition(marks[-1])
        if marks.count(mark) == 1 and not (len(marks) == 1 and rest == "000"):
            found.add(float(re.sub(r"[.,]", "", whole) + "." + rest))
        if len(marks) == 1 and len(rest) == 3:
            found.add(float(whole + rest))
    else:
        groups = re.split(r"[.,]", plain)
        if all(len(group) == 3 for group in groups[1:]):
            found.add(float("".join(groups)))
        # "3.11.2", "1.5.2020": each part stands for itself.
        else:
            found.update(float(group) for group in groups if group)
    return frozenset(found)


def _spelled(tokens: list[str], at: int, start: int, language: str) -> tuple[int, int]:
    """Value of the number words from ``at`` on, and the place after them."""
    joins = JOINS.get(language, frozenset())
    total, current, last = 0, 0, 0
    value: int | None = start
    while value is not None:
        if value >= 1000:
            total += max(1, current) * value
            current = 0
        elif value == 100 or (value == 20 and current % 100 == 4 and language == "fr"):
            current = max(1, current) * value
        else:
            current += value
        at += 1
        last = value
        value = _next(tokens, at, last, language)
        if value is None and at < len(tokens) and tokens[at] in joins and last != 1:
            value = _next(tokens, at + 1, last, language)
            at += value is not None
    return total + current, at


def _next(tokens: list[str], at: int, last: int, language: str) -> int | None:
    """The value of the word at ``at`` when it goes on with a number whose last part was ``last``."""
    if at >= len(tokens):
        return None
    value = _value(tokens[at], language)
    if value is None:
        return None
    if value >= 100:
        return value if value > last or value >= 1000 > last or last < 100 else None
    if language == "fr" and (
        (value == 20 and last == 4)
        or (last in (60, 20) and value < 20)
        or (last == 10 and value in (7, 8, 9))
    ):
        return value
    fits = last >= 100 or (20 <= last < 100 and value < 10)
    return value if fits else None


@lru_cache(maxsize=50_000)
def _value(word: str, language: str) -> int | None:
    table = CARDINALS.get(language, CARDINALS["en"])
    if word in table:
        return table[word]
    return _german(word) if language == "de" else None


def _german(word: str) -> int | None:
    """A German numeral written as one word: "einundzwanzig", "zweihundertfünfzig"."""
    table = CARDINALS["de"]
    if word in table:
        return table[word]
    for scale, factor in (("tausend", 1000), ("hundert", 100)):
        before, mark, after = word.partition(scale)
        if mark:
            many = _german(before) if before else 1
            rest = _german(after.removeprefix("und")) if after else 0
            return None if many is None or rest is None else many * factor + rest
    unit, mark, tens = word.partition("und")
    if mark and table.get(unit, 99) < 10 and 20 <= table.get(tens, 0) < 100:
        return table[unit] + table[tens]
    return None
