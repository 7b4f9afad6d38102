"""Dates as English prose writes them. It finds them; it never computes with them."""

import re

MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|Jan\.?|Feb\.?|Aug\.?|Sept?\.?|Oct\.?|Nov\.?|Dec\.?)"
)
YEAR = r"(?:(?:1\d{3}|20\d{2})(?! ?(?:BC|km|m|kg|people|metres|meters|feet|miles|%|percent))|\d{1,4} ?(?:BCE?|CE|AD|B\.C\.(?:E\.)?|A\.D\.)|(?:AD|A\.D\.) ?\d{1,4})"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
DAY_DATE = rf"(?:{_DAY} (?:of )?{MONTH},? {YEAR}|{MONTH} {_DAY},? {YEAR})"
PERIOD = (
    r"(?:the (?:early |late |mid-|mid |middle of the |end of the |beginning of the )?"
    r"(?:1\d{2}0s|20\d0s|\d{1,2}(?:st|nd|rd|th)[ -]century(?: BCE?| AD| CE| B\.C\.(?:E\.)?| A\.D\.)?"
    r"|(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth"
    r"|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|twenty-first) century(?: BCE?| AD| CE| B\.C\.(?:E\.)?| A\.D\.)?))"
)
DATE = (
    rf"(?:{DAY_DATE}|(?:early |late |mid-)?{MONTH},? {YEAR}|(?:early |late |mid-)?{YEAR}|{PERIOD})"
)
PLACED = rf"(?:on {DAY_DATE}|(?:in|around|about|by around) {DATE}|between {YEAR} and {YEAR}|from {YEAR} (?:to|until) {YEAR})"

LEADING = re.compile(
    rf"^(?P<phrase>(?:On|In|Around|About|During) (?:about |around )?(?P<date>{DATE})),? (?=[A-Z]|the |an? )"
)
ANY = re.compile(rf"\b{DATE}\b")
BARE_YEAR = re.compile(r"\b(?:1\d{3}|20\d{2})\b")


def count(text: str) -> int:
    """How many dates ``text`` holds."""
    return len(ANY.findall(text))


def bare(phrase: str) -> str:
    """A date phrase without its preposition: "1914" for "in 1914"."""
    return re.sub(r"^(?:on|in|around|about|by|during) (?=\S)", "", phrase, flags=re.IGNORECASE)
