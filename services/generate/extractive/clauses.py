"""A sentence taken apart: subject, first finite verb, the rest; and where a clause may be cut.

The rules ask about clauses; a sentence whose subject is unclear has none.
"""

import re
from dataclasses import dataclass, replace

from services.generate.extractive import dates, verbs, words
from services.generate.extractive.scene import Scene, may_end_a_name, names_a_person, names_a_thing
from services.generate.extractive.sentences import Sentence, usable
from services.generate.extractive.subject import Subject, subject

_ASIDE = re.compile(r"\s*\((?![A-Z]{2,6}\)?\.?$)[^()]*\)")
_ALSO_CALLED = re.compile(
    r"^(?P<s>[^,]{2,60}), (?:(?:also|or|commonly|sometimes|often|formerly|formally|officially|originally|better|abbreviated"
    r"|usually|more commonly|historically|known|called|short for|from the|derived from|pronounced)\b[^,]{1,80}"
    r"(?:, (?:or|and|also|sometimes)\b[^,]{1,60})?), (?P<v>(?:is|are|was|were)\b)"
)
_LEAD_FIELD = re.compile(
    r"^In (?P<field>(?:[a-z-]+ ){0,2}[a-z-]+(?: and [a-z-]+)?), (?=(?:a|an|the|[a-z]+) )"
)
_NO_FIELD = words.QUANTIFIERS | frozenset(
    """case cases general particular fact addition contrast practice theory recent times turn response return other this that
    these those such years year century days its their his her order spite part short word words most reality terms theory view
    effect time place end beginning areas countries places parts situations contexts""".split()
)
_STOPPERS = frozenset(
    "and but or which that who whom whose when where while because as after before until if since so than".split()
)
_CUT = re.compile(
    r";|, (?:which|who|whose|whom|where|when|while|whereas|although|though|but|so|because|since|as|with|making|leading|resulting"
    r"|thus|hence|however|and (?:it|they|he|she|is|are|was|were|has|have|had|then|also)\b)\b"
    r"| [–—] |, (?:and|or) (?=(?:\w+ ){1,5}(?:is|are|was|were|has|have|had|can|may|would|could)\b)"
)


@dataclass(frozen=True, slots=True)
class Clause:
    """``verb`` is the finite verb as it stands; ``rest`` follows it, without asides and the final stop."""

    sentence: Sentence
    subject: Subject
    verb: str
    rest: str
    date: str | None = None
    """A date phrase that opened the sentence ("in 1969")."""
    field: str | None = None
    """A field that opened it ("in geology")."""


def clause(sentence: Sentence, scene: Scene) -> Clause | None:
    """Take a usable sentence apart; None where the subject rule refuses it."""
    if not usable(sentence.text):
        return None
    body = _ASIDE.sub("", sentence.body).rstrip()
    if not body.endswith("."):
        return None
    date = field = None
    if lead := dates.LEADING.match(body):
        date, body = words.lower_first(lead["phrase"]), words.capitalise(body[lead.end() :])
    elif lead := _LEAD_FIELD.match(body):
        if not _NO_FIELD.isdisjoint(lead["field"].split()):
            return None
        field, body = f"in {lead['field']}", words.capitalise(body[lead.end() :])
    body = _ALSO_CALLED.sub(r"\g<s> \g<v>", body)
    tokens = body.rstrip(".").split()
    for index in _verb_places(tokens):
        found = subject(tokens[:index], scene, plural=_plural(tokens[index], tokens[:index]))
        if found is not None:
            rest = " ".join(tokens[index + 1 :])
            return Clause(
                sentence,
                _recased(found, tokens[index], rest, scene),
                tokens[index],
                rest,
                date,
                field,
            )
        if tokens[index] in words.AUXILIARIES or tokens[index] in verbs.CLEAR_THIRD:
            return None
    return None


def _recased(named: Subject, verb: str, rest: str, scene: Scene) -> Subject:
    """A lone unknown word that opens a sentence about the present is a common noun, unless the rest says otherwise."""
    name = named.name
    told = re.search(r"\b(?:1\d{3}|20\d{2})\b", rest) or names_a_thing(rest) or names_a_person(rest)
    if verb == "is" and name.isalpha() and name.islower() and not scene.lower[name] and told:
        return replace(named, name=words.capitalise(name), proper=True)
    if " " in name or named.proper or not name[0].isupper() or name[1:] != name[1:].lower():
        return named
    if verb in ("was", "were", "had") or verb in verbs.BASE_OF_PAST or may_end_a_name(name):
        return named
    if (
        verb in ("is", "has")
        and name.endswith("s")
        and not re.search(r"(?:ss|ics|sis|us|itis)$", name)
    ):
        return replace(named, proper=True)
    if verb == "is" and (names_a_thing(rest) or names_a_person(rest)):
        return replace(named, proper=True)
    if told or any(
        len(known) > 3 and name.startswith(known[:-1]) for known in scene.upper - {name}
    ):
        return named
    return replace(named, name=words.lower_first(name))


def _plural(verb: str, before: list[str]) -> bool:
    if verb in ("are", "were", "have", "do") or verb in verbs.PLURAL_PRESENT:
        return True
    if verb in ("is", "was", "has", "does") or verb in verbs.CLEAR_THIRD:
        return False
    low = [token.lower() for token in before]
    return "and" in low or (
        low[:1] not in (["a"], ["an"]) and low[-1].endswith("s") and low[-1:] != before[-1:]
    )


def _verb_places(tokens: list[str]) -> list[int]:
    """Positions that may hold the finite verb, in order; a participle that a later auxiliary follows is none."""
    places = []
    for index, token in enumerate(tokens[1:11], 1):
        if (
            token in words.AUXILIARIES
            or token in verbs.CLEAR_THIRD
            or token in verbs.PLURAL_PRESENT
        ):
            places.append(index)
            break
        if token in verbs.BASE_OF_PAST and not _auxiliary_follows(tokens, index):
            places.append(index)
    return places


def _auxiliary_follows(tokens: list[str], index: int) -> bool:
    for token in tokens[index + 1 :]:
        if token in _STOPPERS or token.endswith((",", ";")):
            return False
        if token in words.AUXILIARIES or token in verbs.CLEAR_THIRD:
            return True
    return False


_COORDINATE = re.compile(
    r";|, (?:but|so|yet|and (?:it|they|he|she|is|are|was|were|has|have|had|then|also|in|by|for|since|as)\b)| [–—] |, and (?=(?:\w+ ){1,5}(?:is|are|was|were|has|have|had|can|may|would|could)\b)| and (?:is|are|was|were|has|have|had|can|may|must|will)\b"
)


def whole(text: str, limit: int = 32) -> str | None:
    """``text`` without a second main clause, if it has at most ``limit`` words, else cut at the last clause end before.

    None where there is no such end.
    """
    if found := _COORDINATE.search(text):
        text = text[: found.start()]
    if text.count(" ") < limit:
        return text
    best = None
    for found in _CUT.finditer(text):
        piece = text[: found.start()]
        if piece.count(" ") >= limit:
            break
        if balanced_commas(piece):
            best = piece
    return best


def first_clause(text: str) -> str:
    """``text`` up to the first point where a new clause begins."""
    found = _CUT.search(text)
    return text[: found.start()] if found else text


def balanced_commas(text: str) -> bool:
    """Whether a cut text does not end inside an enumeration or an opened aside."""
    return not text.rstrip().endswith((",", " and", " or", " of", " the"))


def one_clause(text: str, limit: int) -> bool:
    """Whether ``text`` is a phrase of at most ``limit`` words without commas, finite verbs or relatives."""
    tokens = text.split()
    if len(tokens) > limit or re.search(r"[,;:()\"“”–—]", text):
        return False
    low = {token.lower() for token in tokens}
    return not (low & (words.AUXILIARIES | verbs.CLEAR_THIRD | words.TAINTED_PRONOUNS | _RELATIVES))


_RELATIVES = frozenset(
    "which who whom whose that when where while because if although though this these those not".split()
)


def consistent(text: str, named: Subject) -> bool:
    """Whether the pronouns of a predicate can only mean its subject."""
    low = {token.lower().strip(".,;") for token in text.split()}
    if low & {"they", "them", "their", "theirs"}:
        return named.plural
    if low & {"it", "its"}:
        return not named.plural and not named.person
    if low & {"he", "him", "his", "she", "her", "hers"}:
        return named.proper and not named.plural and named.head[:1].isupper()
    return True
