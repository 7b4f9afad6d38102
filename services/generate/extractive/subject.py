"""The subject rule: what may stand as the subject of a question, under which name, in which number.

Most silly questions come from a bad subject, so everything doubtful is refused. It never looks past the subject itself.
"""

import re
from dataclasses import dataclass

from services.generate.extractive import nouns, verbs, words
from services.generate.extractive.scene import Scene

_FORBIDDEN = re.compile(r"[,:;()\[\]\"“”{}<>=*/|!?…—`]|(?:^|\s)–|–(?:\s|$)|\bn['’]t\b|\d{5,}")
_LETTERS = re.compile(r"^[A-Za-zÀ-ÿ0-9][\w'’.+#&–-]*$")
_ATTACHING = frozenset("of in that who which for between to where when".split())
_PARTICLES = frozenset("de von van der den du la le di da al ibn bin y of".split())
_QUOTED = tuple(["the", noun] for noun in ("word", "term", "name", "phrase", "expression", "title"))
_POINTERS = frozenset(
    "example examples way ways reason reasons problem problems thing things aspect aspects issue issues".split()
)
_GENERIC_NAMES = (
    nouns.NAMED_THINGS
    | nouns.ORGANISATIONS
    | frozenset(
        "principality treaty act constitution assembly commission emperor crown order house state states act bill agreement".split()
    )
)
_ADJECTIVAL_ED = frozenset(
    "united limited advanced mixed fixed armed organized red bed seed speed breed feed need".split()
)
_NOUN_ING = frozenset(
    """building king ring string spring wing thing morning evening engineering learning programming housing bearing
    meeting painting drawing clothing lightning farming mining shipping ceiling beijing ping viking sterling training
    testing processing computing manufacturing marketing banking accounting cooking breathing living being hearing
    wedding writing reading swimming boxing fishing hunting""".split()
)


@dataclass(frozen=True, slots=True)
class Subject:
    """``name`` as it is written in mid-sentence, article included."""

    name: str
    plural: bool
    proper: bool
    person: bool
    head: str

    @property
    def opening(self) -> str:
        """The name as it opens a sentence."""
        return words.capitalise(self.name)


def subject(tokens: list[str], scene: Scene, *, plural: bool) -> Subject | None:
    """Judge the words before a verb; None where no question should be asked about them."""
    text = " ".join(tokens)
    if not 1 <= len(tokens) <= 9 or _FORBIDDEN.search(text) or words.CONTRACTION.search(text):
        return None
    if not all(_LETTERS.match(token) for token in tokens):
        return None
    low = [token.lower() for token in tokens]
    if low[0].rstrip(".") in words.BANNED_FIRST or words.BANNED_IN_SUBJECT.intersection(low):
        return None
    if _has_verb(tokens, low) or low[-1] in words.PREPOSITIONS | words.CONJUNCTIONS | words.ADVERBS:
        return None
    if (
        low[0].isdigit()
        or low[-1].endswith(("'s", "’s", "s'", "s’"))
        or (len(low) == 1 and low[0] in words.BARE_SUBJECTS_BANNED)
    ):
        return None
    if low[:2] in _QUOTED or (low[0] != "the" and _POINTERS.intersection(low)):
        return None
    if len(low) > 1 and low[0].endswith("ly") and tokens[1].islower():
        return None
    return _named(tokens, low, scene, plural=plural)


def _has_verb(tokens: list[str], low: list[str]) -> bool:
    for index, word in enumerate(low):
        following = low[index + 1] if index + 1 < len(low) else ""
        breaks = (
            not following or following in words.PREPOSITIONS | words.ARTICLES | words.CONJUNCTIONS
        )
        if word in words.AUXILIARIES or word in verbs.CLEAR_THIRD or word in verbs.CLEAR_PAST:
            return True
        if index and tokens[index].islower() and breaks and _participle_like(word):
            return True
        between = (
            0 < index < len(tokens) - 1
            and tokens[index - 1][0].isupper()
            and low[index - 1] not in words.ARTICLES
            and tokens[index + 1][0].isupper()
        )
        if between and word.endswith("ed") and tokens[index].islower():
            return True
        inner = index and breaks and following and tokens[index].islower()
        if inner and word.endswith("ing") and word not in _NOUN_ING:
            return True
        if (
            index == 0
            and word.endswith("ing")
            and "-" not in word
            and word not in _NOUN_ING
            and len(low) > 1
        ):
            return True
    return False


def _participle_like(word: str) -> bool:
    if word in _ADJECTIVAL_ED:
        return False
    return word in verbs.PARTICIPLES or (word.endswith("ed") and len(word) > 4)


def _named(tokens: list[str], low: list[str], scene: Scene, *, plural: bool) -> Subject | None:
    phrase, rest = _noun_phrase(tokens, low)
    head = phrase[-1]
    joined = "and" in low
    if joined and not plural and not all(t[0].isupper() for t in tokens if t.lower() != "and"):
        return None
    if plural and not joined and not nouns.is_plural(head) and not head[:1].isupper():
        return None
    if not plural and not joined and head.lower() in ("people", "children", "men", "women"):
        return None
    proper = _is_proper(tokens, low, scene)
    if low[0] == "the":
        name = _definite(tokens, phrase, rest, scene)
        if name is None:
            return None
    elif low[0] in ("a", "an"):
        name = " ".join([low[0], *tokens[1:]])
        if head.lower() in words.WEAK_HEADS and not rest and len(phrase) <= 2:
            return None
    else:
        name = _bare(tokens, scene, proper=proper)
    if rest:
        name = settle(name, scene)
        if not settled(" ".join(name.split()[len(phrase) :]), scene):
            return None
    parts = [part for part in name.split() if part not in _PARTICLES]
    titled = all(part[0].isupper() and not (len(part) > 2 and part.isupper()) for part in parts)
    person = proper and low[0] != "the" and not rest and 2 <= len(parts) <= 4 and titled
    return Subject(name, plural, proper, person, head)


def _noun_phrase(tokens: list[str], low: list[str]) -> tuple[list[str], list[str]]:
    """Split before the first preposition: the head noun ends the first part."""
    for index, word in enumerate(low):
        if index and word in words.PREPOSITIONS and tokens[index].islower():
            return tokens[:index], tokens[index:]
    return tokens, []


def _is_proper(tokens: list[str], low: list[str], scene: Scene) -> bool:
    inner = tokens[1:]
    if low[0] in words.ARTICLES:
        return bool(inner) and inner[-1][0].isupper()
    if any(token[0].isupper() or token[0].isdigit() for token in inner):
        return True
    return not inner and not scene.is_common(tokens[0]) and tokens[0] in scene.alone


def _definite(tokens: list[str], phrase: list[str], rest: list[str], scene: Scene) -> str | None:
    inner = phrase[1:]
    if not inner:
        return None
    plain = " ".join(["the", *tokens[1:]])
    head = inner[-1].lower()
    if _names(inner) or _titled(plain, scene):
        return plain
    if _belongs_elsewhere(inner[0]):
        return None
    if rest:
        return plain
    if len(inner) == 1:
        return plain if head in words.UNIQUE else scene.resolve(head)
    if all(_weak(word) for word in inner[:-1]):
        return None
    return None if head in words.WEAK_HEADS and len(inner) <= 2 else plain


def _titled(plain: str, scene: Scene) -> bool:
    """Whether "the metric system" is what the title or a heading names, so that nobody asks which one."""
    wanted = words.normal(plain).removeprefix("the ")
    return any(words.normal(name).removeprefix("the ") == wanted for name in scene.names)


def _names(phrase: list[str]) -> bool:
    """Whether the words after "the" hold a name or a figure; "the Treaty" alone does not."""
    if len(phrase) == 1 and phrase[0].strip(".").lower() in _GENERIC_NAMES:
        return False
    return any(word[0].isupper() or any(map(str.isdigit, word)) for word in phrase)


def _belongs_elsewhere(word: str) -> bool:
    """Whether a phrase opens with a common noun's possessive ("the nation's …")."""
    return word.islower() and word.endswith(("'s", "’s"))


def _bare(tokens: list[str], scene: Scene, *, proper: bool) -> str:
    if len(tokens) == 1 and (full := scene.full_name(tokens[0])):
        return full
    if proper and tokens[0][0].isupper():
        follower = tokens[1] if len(tokens) > 1 else ""
        if follower == "and" and tokens[2:3] and tokens[2][0].isupper():
            return " ".join(tokens)
        plain = (
            follower[:1].islower()
            and follower not in _PARTICLES
            and not scene.may_be_name(tokens[0])
        )
        if follower[:1].isupper() or not (plain or scene.is_common(tokens[0])):
            return " ".join(tokens)
    if scene.is_common(tokens[0]) or (len(tokens) > 1 and not scene.may_be_name(tokens[0])):
        return " ".join([words.lower_first(tokens[0]), *tokens[1:]])
    return " ".join(tokens)


def settled(text: str, scene: Scene) -> bool:
    """Whether no "the N" in ``text`` points at something that was said elsewhere."""
    return not unsettled(text, scene)


def settle(text: str, scene: Scene) -> str:
    """Write "the canal" out as "the Panama Canal" where title or headings say so."""
    for head in unsettled(text, scene):
        if full := scene.resolve(head):
            text = re.sub(rf"\b([Tt])he {re.escape(head)}\b", rf"\1{full[1:]}", text, count=1)
    return text


def unsettled(text: str, scene: Scene) -> list[str]:
    """The heads of those "the N" in ``text`` that need an antecedent outside it."""
    found = []
    tokens = text.replace(",", " ,").split()
    for index, token in enumerate(tokens):
        if token.lower() != "the":
            continue
        phrase = _phrase_after(tokens, index)
        after = index + 1 + len(phrase)
        attached = after < len(tokens) and tokens[after] in _ATTACHING
        earlier = {word.lower() for word in tokens[:index]}
        if phrase and not _clear(phrase, scene, earlier, attached=attached):
            found.append(phrase[-1].strip("."))
    return found


def _phrase_after(tokens: list[str], index: int) -> list[str]:
    phrase: list[str] = []
    for follower in tokens[index + 1 : index + 6]:
        low = follower.lower().strip(".")
        if low in words.STOP or not _LETTERS.match(follower):
            break
        phrase.append(follower)
    return phrase


def _clear(phrase: list[str], scene: Scene, earlier: set[str], *, attached: bool) -> bool:
    head = phrase[-1].strip(".").lower()
    if (
        _belongs_elsewhere(phrase[0])
        and phrase[0].lower().removesuffix("'s").removesuffix("’s") not in earlier
    ):
        return False
    if attached or _names(phrase):
        return True
    if head in words.UNIQUE | words.GENERIC or head.endswith("est") or head in earlier:
        return True
    if len(phrase) == 1:
        full = scene.resolve(head)
        return full is not None and full.lower() == f"the {head}"
    return not all(_weak(word) for word in phrase[:-1])


def _weak(modifier: str) -> bool:
    return modifier.lower() in words.WEAK_MODIFIERS or modifier.endswith("est")
