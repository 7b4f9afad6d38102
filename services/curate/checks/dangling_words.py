"""Words that point at something said elsewhere, by language; read by ``reference`` and by nothing else."""

import re
from dataclasses import dataclass
from functools import cached_property

from services.curate.stopwords import word_set
from services.curate.words import words

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Pronouns:
    """Casefolded words of one language (``personal`` as written where ``cased``)."""

    personal: frozenset[str]
    demonstrative: frozenset[str]
    """Before a noun, or alone."""
    harmless: frozenset[str] = _NONE
    """What a demonstrative may stand before without pointing anywhere."""
    pointing: frozenset[str] = _NONE
    """Always pointing, unless two parts stand before them."""
    joins: frozenset[str] = _NONE
    cased: bool = False

    @cached_property
    def pieces(self) -> frozenset[str]:
        """The words of all that point: a question without them has nothing to look at."""
        pointing = (*self.personal, *self.demonstrative, *self.pointing)
        return frozenset(piece for word in pointing for piece in words(word))


PRONOUNS = {
    "en": Pronouns(
        personal=word_set(
            "it they he she him her his hers its them their theirs itself themselves"
        ),
        demonstrative=word_set("this these those such"),
        harmless=word_set("who as a that in of year century day"),
        pointing=word_set("former latter here aforementioned"),
        joins=word_set("and or"),
    ),
    "de": Pronouns(
        personal=word_set(
            r"er sie es ihn ihm ihnen ihr ihre ihrem ihren ihrer ihres sein seine seinem seinen"
            r" seiner seines"
        ),
        demonstrative=word_set(
            r"dies dieser dieses diese diesem diesen jener jene jenes solch solche solcher"
        ),
        pointing=word_set("hier ersterer letzterer erstere letztere"),
        joins=word_set("und oder"),
        cased=True,
    ),
    "fr": Pronouns(
        personal=word_set(
            r"il elle ils elles lui leur leurs son sa ses celui-ci celle-ci ceux-ci celles-ci"
            r" a-t-il a-t-elle est-il"
            r" est-elle sont-ils sont-elles était-il était-elle fut-il fut-elle fait-il fait-elle"
            r" ont-ils ont-elles"
            r" a-t-on-elle sert-il sert-elle peut-il peut-elle doit-il doit-elle permet-il"
            r" permet-elle"
        ),
        demonstrative=word_set("ce cet cette ces cela ceci"),
        harmless=word_set("que qu qui"),
        pointing=word_set("ici celui-ci celle-ci"),
        joins=word_set("et ou"),
    ),
    "es": Pronouns(
        personal=word_set("él ella ellos ellas su sus"),
        demonstrative=word_set("este esta estos estas ese esa esos esas esto eso dicho dicha"),
        pointing=word_set("aquí"),
        joins=word_set("y o"),
    ),
    "it": Pronouns(
        personal=word_set("lui lei essi esse esso essa suo sua suoi sue loro"),
        demonstrative=word_set("questo questa questi queste quest tale tali"),
        pointing=word_set("qui"),
        joins=word_set("e o"),
    ),
    "pt": Pronouns(
        personal=word_set("ele ela eles elas seu sua seus suas"),
        demonstrative=word_set("este esta estes estas esse essa esses essas isto isso tal"),
        pointing=word_set("aqui"),
        joins=word_set("e ou"),
    ),
}

OPENINGS = {
    "en": re.compile(
        r"(?:It|They|He|She|This|These|Those(?! who)|Such(?! as)|His|Her|Its|Their|Here"
        r"|That(?= (?:is|was|has|means|makes|would|can|depends))"
        r"|The (?:former|latter|above|same)(?= \w+))\b(?!['’]s a )"
    ),
    "de": re.compile(
        r"(?:Es|Er|Sie(?! (?:sollten|müssen|können|brauchen|haben die))|Diese[rsmn]?|Dies|Jene[rs]?"
        r"|Solche[rs]?|Ihre?[rnms]?|Seine?[rnms]?|Hier|Dadurch|Dabei|Damit(?! (?:ein|der|die|das))"
        r"|Das(?= (?:ist|war|wird|liegt|hat|bedeutet|geschieht|sind|führt))"
        r"|(?:Der |Die |Das )?(?:Erst|Letzt)ere[rs]?)\b"
    ),
    "fr": re.compile(
        r"(?:Il|Elle|Ils|Elles|Ce(?= (?:dernier|sont|fut))|C['’](?:est|était)|Cela|Ceci|Celui-ci"
        r"|Celle-ci|Cet|Cette|Ces|Ce(?! que| qui)|Son|Sa|Ses|Leurs?|Ici)\b"
    ),
    "es": re.compile(
        r"(?:Él|Ella|Ellos|Ellas|Est[eao]s?|Es[eo]s?(?= [a-z])|Esas?|Esto|Su|Sus|Dich[oa]s?|Aquí)\b"
        r"(?! (?:posible|necesario))"
    ),
    "it": re.compile(
        r"(?:Esso|Essa|Essi|Esse|Lui|Lei|Quest[oaie]|Quest['’]|Ciò|Il suo|La sua|I suoi|Le sue|Qui)(?!\w)"
    ),
    "pt": re.compile(r"(?:Ele|Ela|Eles|Elas|Est[ea]s?|Ess[ea]s?|Isto|Isso|Seus?|Suas?|Aqui)\b"),
}
"""What an answer must not open with (as written, since case tells a pronoun from a part of a name)."""

EXPLETIVE = {
    "en": re.compile(
        r"\b[Ii]t (?:(?:is|was|has been|can be|may be|will be|would be) )?(?:not |also |still "
        r"|more |very |so |always |often |usually )*\w+"
        r"(?: \w+)? (?:to|that|for \w+ to|when|if|whether)\b|\b[Ii]t (?:takes?|took|costs?|rains?"
        r"|snows?|seems|turns out|follows)\b"
        r"|\b(?:does|did|do|will|would|can) it (?:take|cost|rain|snow|mean (?:to|when|for|that"
        r"|if))\b"
        r"|\b(?:is|was) it called when\b|\bwhat time is it\b",
    ),
    "de": re.compile(
        r"\b(?:[Gg]ibt|[Gg]ab|gäbe) es\b|\bEs (?:gibt|gab|gäbe|bedarf|braucht|kommt|dauert"
        r"|dauerte)\b|\bes (?:sich )?(?:\w+ )?(?:zu|dass|um|möglich|wichtig|nötig|notwendig"
        r"|sinnvoll)\b"
        r"|\b(?:dauert|dauerte|kommt|kam|bedarf|handelt|geht|regnet) es\b|\bEs ist \w+, |\bes, \w+",
    ),
    "fr": re.compile(
        r"\b[Ii]l (?:y a|y avait|faut|fallait|s['’]agit|existe|existait|suffit|convient|pleut"
        r"|(?:est|était|serait) \w+ (?:de|d['’]|que|qu['’]))"
        r"|\by a-t-il\b|\b(?:faut|existe|suffit)-(?:t-)?il\b|\b(?:est|était)-il \w+ (?:de|d['’]"
        r"|que)|C['’](?:est|était) .{2,80}? (?:qui|que|qu['’])\b",
    ),
    "es": re.compile(r"\b[Ee]s \w+ que\b"),
    "it": re.compile(r"(?!)"),
    "pt": re.compile(r"(?!)"),
}
"""Where a pronoun fills a place and stands for nothing."""

CONTEXT_NOUNS = {
    "en": re.compile(
        r"\b(?:[Tt]he) (?P<noun>company|firm|organi[sz]ation|project|team|group|committee"
        r"|author|researchers?|scientists?|study|experiment|method|process|procedure"
        r"|technique|approach|system|device|machine|tool|algorithm|model|program|programme"
        r"|product|project|plan|building|structure|bridge|tower|city|town|country|region|area"
        r"|river|island|ship|vessel|treaty|agreement|law|act|war|battle|event|period|king"
        r"|queen|president|emperor|man|woman|people|film|movie|book|novel|painting|album|song"
        r"|game|series|museum|university|school|church|castle|station|railway|canal|dam|lake"
        r"|mountain|species|animal|plant|substance|material|compound|problem|solution|result"
        r"|results|purpose|reason|change|changes|difference|step|steps|idea|concept|theory"
        r"|term|function|feature|features|command|file|option|settings?|value|rule|policy|law"
        r"|test|cause|effect|benefit|advantage|number|size|length|width|height|cost|price"
        r"|date|name|place|location|origin|discovery|invention|inventor|founder|architect"
        r"|engineer|designer)s?(?=\s*(?:\?|$)|\s+(?:is|are|was|were|does|do|did|has|had|have"
        r"|can|will|would|work|works|look|looks|cost|costs|begin|began|start|started|end"
        r"|ended|open|opened|close|closed|make|makes|produce|produces|produced|use|uses|used"
        r"|win|won|lose|lost|provide|provides|offer|offers|sell|sells|in|on|founded|built"
        r"|called|located|named|made|completed|designed|invented|discovered|signed)\b)",
    ),
    "de": re.compile(
        r"\b(?:[Dd]er|[Dd]ie|[Dd]as|[Dd]en|[Dd]em|[Dd]es) (?P<noun>Firma|Unternehmen|Unternehmens"
        r"|Projekt|Projekts|Gruppe|Organisation|Studie|Verfahren"
        r"|Methode|Prozess|Vorgang|System|Gerät|Maschine|Werkzeug|Programm|Gebäude|Bauwerk|Brücke"
        r"|Turm|Stadt|Land|Region|Fluss|Insel|Schiff"
        r"|Vertrag|Gesetz|Krieg|Schlacht|König|Königin|Kaiser|Präsident|Mann|Frau|Film|Buch|Roman"
        r"|Gemälde|Museum|Universität|Schule|Kirche"
        r"|Burg|Bahnhof|Kanal|Damm|Stoff|Material|Problem|Lösung|Ergebnis|Zweck|Grund|Begriff"
        r"|Funktion|Erfinder|Gründer|Architekt|Ingenieur)\b"
        r"(?!\s+(?:de[rs]|von|vom|für|in|im|zu|zur|zum|namens|mit|aus|an|am|auf|über|bei)\b)(?!-)",
    ),
    "fr": re.compile(
        r"\b(?:[Ll]e |[Ll]a |[Ll]es |[Ll]['’])(?P<noun>entreprise|société|projet|organisation"
        r"|groupe|équipe|étude|méthode|processus|procédé|procédure"
        r"|technique|système|appareil|machine|outil|programme|bâtiment|pont|tour|ville|pays|région"
        r"|fleuve|île|navire|traité|loi|guerre"
        r"|bataille|roi|reine|président|empereur|homme|femme|film|livre|roman|tableau|musée"
        r"|université|école|église|château|gare|canal"
        r"|barrage|substance|matériau|problème|solution|résultat|but|raison|terme|fonction"
        r"|inventeur|fondateur|architecte|ingénieur)\b"
        r"(?!\s+(?:de|du|des|d['’]|à|au|en|pour|qui|que)\b)(?!\s+d['’])",
    ),
}
"""Nouns that say which one only together with a name; general ones ("the heart") are not here."""

UNSPACED_OPENINGS = {
    "zh": re.compile(
        r"(?:它们?|他们?|她们?|这(?:个|些|种|是|一|项|座|条)?|那(?:个|些|种)|该|此|其)"
    ),
    "ja": re.compile(r"(?:それ|これ|あれ|彼ら?|彼女|この|その|あの|こちら|ここ)"),
}
