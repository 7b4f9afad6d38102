"""What surrounds the sentences: title, headings, and which words the text writes in capitals in mid-sentence.

It answers two questions: is a word that opens a sentence a name, and what does "the canal" stand for. It never reads
beyond the passage it was given.
"""

import re
from collections import Counter
from dataclasses import dataclass

from services.generate.extractive import words
from services.generate.extractive.clean import flat
from services.generate.extractive.nouns import NAMED_THINGS, PROFESSIONS, singular
from services.generate.extractive.passage import Passage

_MID_WORD = re.compile(r"(?<![.!?:\n\"“(*#>|-] )(?<![\n\"“(*#_|/-])\b[^\W\d_][\w’'-]+")
_ALONE = re.compile(r"(?<=[a-z,] )[A-Z][\w’'-]+(?=[.,;:)]|(?:'s|’s)? [a-z(])")
_COMMON_ENDING = re.compile(
    r"(?:tion|tions|sion|ism|isms|ness|ment|ments|ology|ologies|graphy|ity|ities|ance|ence|ings?|ware|ure|ures|ists|ers"
    r"|ics|cy|hood|ship|metry|nomy|sis|gen|ine|ide|ate)$"
)
_PROPER_ENDING = re.compile(
    r"(?:ia|land|stan|burg|ville|shire|ese|ian|ians|ish|ton|berg|grad|polis)$"
)
_OF_A_PEOPLE = re.compile(r"(?:ese|ian|ish)$")
_ALSO_COMMON = frozenset(
    "state program mission series union tool project package library play song game award".split()
)
_PEOPLES = frozenset(
    """african american arab arabic bavarian cuban czech dutch european finn french german greek hawaiian icelandic islamic
    korean mexican mongol moroccan nordic norman norse ottoman philippine roman slavic swiss thai tibetan welsh""".split()
)
"""Names of peoples that do not end as such names do."""
_FAITHS = frozenset(
    "buddhism confucianism daoism hinduism jainism judaism sikhism taoism zoroastrianism".split()
)
_FILE_NAME = re.compile(r"\.\w{2,5}$|[_/\\]|^\W*$")
_USELESS = frozenset(
    """introduction overview summary conclusion contents abstract background history notes references faq glossary
    general description details about preface readme untitled document appendix index results discussion methods
    examples usage installation name names etymology definition definitions terminology""".split()
)


@dataclass(frozen=True, slots=True)
class Scene:
    """``lower``, ``upper``: words seen so in mid-sentence. ``names``: headings, nearest first, then title."""

    title: str
    names: tuple[str, ...]
    lower: Counter[str]
    upper: frozenset[str]
    alone: Counter[str]
    """Capitalised in mid-sentence with no other capital beside it: names by themselves."""
    text: str

    def is_common(self, word: str) -> bool:
        """Whether a word that opens a sentence in a capital would be written small in mid-sentence."""
        if word[:1].islower():
            return True
        word = re.sub(r"['’]s?$", "", word)
        low = word.lower()
        if any(map(str.isdigit, word)) or word[1:] != word[1:].lower():
            return False
        if low in _PEOPLES | _FAITHS or self.alone.get(word, 0) > self.lower.get(low, 0):
            return False
        if low in self.lower or low in words.ARTICLES:
            return True
        if singular(low) in self.lower or low + "s" in self.lower:
            return True
        if _PROPER_ENDING.search(low):
            return False
        return bool(_COMMON_ENDING.search(low))

    def may_be_name(self, word: str) -> bool:
        """Whether a capitalised word may be a name or an adjective of one ("Angolan", "HTML")."""
        word = re.sub(r"['’]s?$", "", word)
        return word in self.alone or word[1:] != word[1:].lower() or may_end_a_name(word)

    def resolve(self, head: str) -> str | None:
        """The full name that "the HEAD" stands for ("the Panama Canal"), from the headings and the title."""
        for name in self.names:
            parts = name.split()
            last = parts[-1].lower()
            if last != head.lower() or (len(parts) == 1 and name != self.title):
                continue
            if parts[0].lower() in words.ARTICLES:
                parts = parts[1:]
            if (
                not parts
                or parts[0].endswith("ing")
                or words.STOP.intersection(map(str.lower, parts))
            ):
                continue
            return "the " + self.sentence_case(parts)
        return None

    def full_name(self, surname: str) -> str | None:
        """Give "Abraham Lincoln" for "Lincoln", where the title is such a name."""
        parts = self.title.split()
        named = all(part[:1].isupper() for part in parts)
        return self.title if 2 <= len(parts) <= 4 and named and parts[-1] == surname else None

    def sentence_case(self, parts: list[str]) -> str:
        """Words of a heading as they stand in running text: names keep their capitals."""
        phrase = " ".join(parts)
        if phrase in self.text and not self.text.startswith(phrase):
            seen = re.search(rf"[a-z,] {re.escape(phrase)}\b", self.text)
            if seen:
                return phrase
        if phrase.lower() in self.text or any(part[:1].islower() for part in parts[1:]):
            return " ".join(
                part.lower() if self.is_common(part) or part[:1].islower() else part
                for part in parts
            )
        if len(parts) == 1 and self.is_common(parts[0]):
            return phrase.lower()
        return phrase


def scene(passage: Passage, cleaned_text: str, headings: tuple[str, ...]) -> Scene:
    """Gather the words of the passage and its neighbours; ``headings`` are those inside the passage."""
    text = "\n".join((flat(passage.before[-2000:]), cleaned_text, flat(passage.after[:2000])))
    seen = _MID_WORD.findall(text)
    title = flat(passage.title).strip()
    names = [
        flat(name).strip(" .:")
        for name in (*reversed(headings), *reversed(passage.heading_path), title)
    ]
    fit = tuple(
        dict.fromkeys(
            name
            for name in names
            if name
            and not _FILE_NAME.search(name)
            and name.lower() not in _USELESS
            and len(name.split()) <= 6
        )
    )
    return Scene(
        title="" if _FILE_NAME.search(title) else title,
        names=fit,
        lower=Counter(word for word in seen if word.islower()),
        upper=frozenset(word for word in seen if word[0].isupper()),
        alone=Counter(_ALONE.findall(text)),
        text=text,
    )


def may_end_a_name(word: str) -> bool:
    """Whether a word is the name of a people, or ends as names of places and peoples do."""
    return word.lower() in _PEOPLES | _FAITHS or bool(_PROPER_ENDING.search(word.lower()))


def names_a_people(word: str) -> bool:
    """Whether a capitalised word is an adjective of a people ("Roman", "Chinese"), which alone names nothing."""
    return word.lower() in _PEOPLES or bool(_OF_A_PEOPLE.search(word))


def names_a_person(complement: str) -> bool:
    """Whether "S is COMPLEMENT" names a profession or an office, so that S is a person (or a god)."""
    complement = re.sub(r"^one of the (.*?[a-z])s\b", r"a \1", complement)
    head = re.split(
        r"(?<![-\w])(?:who|that|which|from|for|in|at|by|about|of|to|on|with|known|born|based|best)\b|[;:]",
        complement,
        maxsplit=1,
    )[0]
    parts = [words.words(part) for part in re.split(r",| and | or ", head)]
    return any(part[-1].lower() in PROFESSIONS for part in parts[:5] if part)


def names_a_thing(complement: str) -> bool:
    """Whether "S is COMPLEMENT" makes S a bearer of a proper name (a country, a writer, a company)."""
    head = re.split(
        r"\b(?:of|in|that|which|who|for|with|from|on|by|at|located|and)\b|,", complement, maxsplit=1
    )[0]
    parts = [singular(part.lower()) for part in words.words(head)]
    return bool(
        NAMED_THINGS.intersection(parts[-1:])
        or (NAMED_THINGS - _ALSO_COMMON).intersection(parts[:9])
    )
