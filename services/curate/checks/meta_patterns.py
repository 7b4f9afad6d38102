"""Wordings that speak of the source as a text, by language; casefolded, with single blanks.

Each pattern wants a determiner with its noun, or a phrase that nothing else can mean, so that "a text editor" and
"the Figure of Merit" stay what they are. ``{after}`` ends a noun: what follows must not make it part of a longer one.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from services.curate.checks.needles import holds, needles

_AFTER = {
    "en": r"(?=\s*(?:[?.,;:!)\"'’”]|$)|\s+(?:is|are|was|were|do|does|did|what|which|how|why|who"
    r"|when|where|that|and|or|as|can|could"
    r"|has|have|about|above|below|provided|given|to|for|should|must|will|would|regarding"
    r"|concerning)\b)",
    "de": r"(?=\s*(?:[?.,;:!)\"“]|$)|\s+(?:ist|sind|war|waren|wird|werden|wurde|was|welche|welcher"
    r"|welches|wie|warum|wer|wann|wo|und|oder"
    r"|kann|hat|haben|genannt|genannte|genannten|erwähnt|erwähnten|beschrieben|beschriebenen|über"
    r"|zu|zum|zur|oben|unten)\b)",
    "fr": r"(?=\s*(?:[?.,;:!)\"»]|$)|\s+(?:est|sont|était|a|ont|que|qu|quel|quelle|quels|quelles"
    r"|comment|pourquoi|qui|quand|où|et|ou|sur"
    r"|ci|fourni|donné|pour|il|elle)\b)",
}
_ANY = r"(?=\s*(?:[?.,;:!)\"'»”]|$)|\s+\w+)(?!\s+d[aeiou]l?\b)"

_EN_NOUN = r"(?:text|passage|document|article|section|chapter|excerpt|paragraph|snippet|extract)s?"
_EN_WEAK = (
    r"(?:authors?|context|table|figure|diagram|report|paper|information|material|source|content"
    r"|book|page|guide|study)"
)
_EN_QUALIFIED = (
    r"(?:(?:provided|given|above|following|preceding|previous|present|original|supplied|same"
    r"|current|source|first|second|last|whole|entire) )?"
)
_EN_SAYS = (
    r"(?:says?|states?|mentions?|describes?|discuss(?:es)?|explains?|argues?|claims?|suggests?"
    r"|provides?|lists?|shows?|covers?"
    r"|notes?|refers?|indicates?|presents?|outlines?|gives?|defines?|talks?|emphasi[sz]es?|points?"
    r" out|highlights?|concludes?"
    r"|compares?|recommends?|warns?|tells?|is about|deals? with|makes? clear|reports?)"
)
_EN = (
    (
        rf"\baccording to (?:the|this) {_EN_QUALIFIED}(?:{_EN_NOUN}|authors?)\b(?! of\b)(?! \d)"
        r"(?! (?:editor|file|format|object|type|formatting|mode))"
    ),
    (
        r"\b(?:according to|based on|as per|with reference to|referring to|in light of|as (?:stated"
        r"|described|mentioned|explained|defined|"
        r"discussed|shown|given|noted|outlined|listed|seen|presented) (?:in|by)|(?:stated|described"
        r"|mentioned|discussed|given|provided|"
        r"presented|outlined|listed|referenced|covered|explained|shown|cited|found|contained) in)"
        r" (?:the|this|that|these) "
        rf"{_EN_QUALIFIED}(?:{_EN_NOUN}|{_EN_WEAK})\b(?! of\b)(?! \d){{after}}"
    ),
    (
        r"\b(?:in|from|within|throughout|of|by) (?:the|this|that)"
        rf" {_EN_QUALIFIED}(?P<noun>{_EN_NOUN})\b(?! of\b){{after}}"
    ),
    rf"\b(?:in|from|by|with) this (?P<noun>{_EN_WEAK})\b{{after}}",
    (
        r"\b(?:in|from) the (?P<noun>table|figure|diagram|context|information) (?:above|below"
        r"|provided|given|shown)\b"
    ),
    (
        rf"\b(?:the|this) {_EN_QUALIFIED}(?P<noun>{_EN_NOUN}|authors?|context|table|figure|diagram"
        r"|report|paper|book|study) "
        r"(?:also |here |only |itself |further |explicitly |does not |doesn['’]t |do not |don['’]t"
        rf" )*{_EN_SAYS}\b"
    ),
    (
        r"\b(?:does|do|did|is|are|was|were|has|can|would) (?:the|this)"
        rf" {_EN_QUALIFIED}(?P<noun>{_EN_NOUN}|authors?|report|paper|book|study) "
        rf"(?:also )?(?:{_EN_SAYS}|mean|think|believe|use|conclude|compare|describing|about|say)\b"
    ),
    (
        r"\bas (?:mentioned|described|noted|stated|discussed|shown|explained|said|seen|outlined)"
        r" (?:above|below|earlier|before|previously|here)\b"
    ),
    (
        r"\bas mentioned\b|\b(?:mentioned|described|listed|shown|given|stated|discussed|explained"
        r"|presented) (?:above|below|earlier|here)\b"
    ),
    (
        r"\babove[- ]mentioned\b|\baforementioned\b|\b(?:of|in|with|by) the (?:above|below)\b|\bthe"
        r" (?:above|below)(?= \w+ (?:does|do|is|are|should)|\?|$)"
    ),
    r"\b(?:should|does|do|is|are) the (?:above|below)\b",
    (
        rf"\b(?:the|this) (?:provided|supplied|given|above|preceding|following|present) (?:{_EN_NOUN}"
        rf"|{_EN_WEAK})\b"
    ),
    r"\bthe provided (?:\w+)\b",
    r"\b(?:which|what|who|all|one|any|each|none) of the following\b",
    (
        r"\b(?:in|see|from|of|by|does|do|and) (?:section|chapter|appendix|figure|fig\.|table|listing"
        r"|exercise) \d+(?:[.\-]\d+)*\b(?! of\b)(?! bankruptcy)"
    ),
    r"^(?:section|chapter|appendix|figure|fig\.|table|listing) \d+(?:[.\-]\d+)*\b(?! of\b)",
    r"\b(?:on|see|from) pages? \d+|\bpage \d+|\bsection \d+\.\d+",
)
_DE_NOUN = (
    r"(?:textes|texts|text|textabschnitts?|abschnitts?|passage|textpassage|dokuments?|dokumentes"
    r"|dokument|artikels?|kapitels?|auszugs?"
    r"|absatz|absatzes|textstelle|beitrags?|quelle)"
)
_DE_WEAK = (
    r"(?:autors?|autorin|autoren|verfassers?|verfasserin|kontexts?|tabelle|abbildung|diagramm"
    r"|bericht|informationen)"
)
_DE_QUALIFIED = (
    r"(?:(?:vorliegenden?|obigen?|folgenden?|gegebenen?|angegebenen?|bereitgestellten?"
    r"|vorherigen?|ersten?|zweiten?|ganzen?) )?"
)
_DE_SAYS = (
    r"(?:sagt|sagen|beschreibt|erwähnt|erklärt|nennt|nennen|behauptet|schlägt|zeigt|listet"
    r"|behandelt|erläutert|berichtet|definiert"
    r"|geht es|handelt|enthält|betont|warnt|empfiehlt|stellt|führt|gibt)"
)
_DE = (
    rf"\b(?:laut|gemäss) (?:dem|der|den|des|diesem|dieser) {_DE_QUALIFIED}(?:{_DE_NOUN}|{_DE_WEAK})\b(?! \d)",
    (
        r"\b(?:laut|gemäss|entsprechend|basierend auf|anhand|nach|bezogen auf|ausgehend von|auf"
        r" grundlage) (?:dem|der|den|des|diesem|dieser) "
        rf"{_DE_QUALIFIED}(?:{_DE_NOUN}|{_DE_WEAK})\b(?! \d){{after}}"
    ),
    rf"\blaut (?:{_DE_NOUN}|{_DE_WEAK})\b(?! \d)",
    (
        r"\b(?:im|aus dem|vom|zum|in diesem|aus diesem|von diesem|in dem|am ende des)"
        rf" {_DE_QUALIFIED}(?P<noun>{_DE_NOUN})\b(?! \d){{after}}"
    ),
    (
        rf"\b(?:in|aus) (?:der|dieser) {_DE_QUALIFIED}(?:passage|textpassage|textstelle|quelle|tabelle"
        rf"|abbildung)\b{{after}}"
    ),
    (
        rf"\b(?:der|dieser|das|dieses|die|diese) {_DE_QUALIFIED}(?P<noun>{_DE_NOUN}|{_DE_WEAK})"
        rf" (?:auch |hier |nur |ausdrücklich )*{_DE_SAYS}\b"
    ),
    (
        rf"\b{_DE_SAYS} (?:der|dieser|das|dieses|die|diese) {_DE_QUALIFIED}(?P<noun>{_DE_NOUN}|autor"
        r"|autorin|autoren|verfasser|verfasserin)\b"
    ),
    r"\b(?:dem|diesem) (?:text|artikel|dokument|abschnitt|autor|bericht) zufolge\b",
    (
        r"\bwie (?:oben|bereits|vorher|zuvor|schon|hier|unten)(?: \w+)? (?:erwähnt|beschrieben|genannt"
        r"|gezeigt|dargestellt|erläutert|erklärt)\b|\bwie erwähnt\b"
    ),
    (
        r"\b(?:oben|unten|vorher|zuvor)(?: |-)?(?:genannt|erwähnt|beschrieben|stehend|aufgeführt"
        r"|gezeigt)(?:e|en|er|es|em)?\b|\b(?:der|die|das|den|dem) (?:obige|obigen|vorliegende"
        r"|vorliegenden)\b"
    ),
    r"\bwelche[rs]? der folgenden\b",
    (
        r"\b(?:in|im|siehe|aus) (?:abschnitt|kapitel|tabelle|abbildung|abb\.|anhang) \d+(?:\.\d+)*"
        r"|\b(?:auf|siehe) seite \d+|\bseite \d+\b|\babschnitt \d+\.\d+"
    ),
)
_FR_NOUN = r"(?:texte|passage|document|article|section|chapitre|extrait|paragraphe)s?"
_FR_WEAK = r"(?:auteure?s?|contexte|tableau|figure|schéma|rapport|informations?)"
_FR_DET = r"(?:le |la |les |l['’] ?|ce |cet |cette |ces )"
_FR_SAYS = (
    r"(?:dit|dit-il|mentionne|décrit|explique|affirme|indique|présente|montre|cite|suggère|propose"
    r"|précise|énumère|aborde|traite|parle|souligne"
    r"|rapporte|définit|évoque|signale|conclut|recommande)"
)
_FR = (
    (
        r"\b(?:selon|d['’]après|à partir de|suivant|sur la base de|en se basant sur|conformément à"
        rf"|d['’]après ce que dit) {_FR_DET}(?:{_FR_NOUN}|{_FR_WEAK})\b(?! \d){{after}}"
    ),
    rf"\b(?:d['’]après|à partir|selon) (?:du|des) (?:{_FR_NOUN}|{_FR_WEAK})\b(?! \d){{after}}",
    (
        rf"\b(?:dans|de|par) {_FR_DET}(?P<noun>{_FR_NOUN})\b(?! \d)(?! d(?:e|u|es)\b)(?!"
        rf" d['’]){{after}}"
    ),
    r"\bdu (?P<noun>texte|document|passage|chapitre|paragraphe)\b(?! d(?:e|u|es)\b){after}",
    (
        r"\b(?:mentionné|décrit|cité|présenté|donné|indiqué|évoqué)e?s? (?:dans|par)"
        rf" {_FR_DET}(?:{_FR_NOUN}|{_FR_WEAK})\b(?! \d)"
    ),
    rf"(?:\b|^){_FR_DET}(?P<noun>{_FR_NOUN}|auteure?s?|tableau|rapport) (?:ne |n['’])?{_FR_SAYS}\b",
    rf"\b(?:que|qu['’]) ?{_FR_SAYS} {_FR_DET}(?:{_FR_NOUN}|auteure?s?)\b",
    (
        r"\bcomme (?:mentionné|indiqué|décrit|expliqué|vu|dit|précisé)\b|\bci-dessus\b|\bci-dessous\b"
        r"|\bsusmentionnée?s?\b|\bprécité"
    ),
    rf"{_FR_DET}(?:{_FR_NOUN}|{_FR_WEAK}) (?:fourni|donné|suivant|précédent)e?s?\b",
    r"\b(?:lequel|laquelle|lesquels|lesquelles) des (?:\w+ )?suivant",
    (
        r"\b(?:dans|voir|de|à) (?:la )?(?:section|chapitre|figure|annexe|tableau|page)"
        r" \d+(?:\.\d+)*\b(?! d(?:e|u)\b)|\bsection \d+\.\d+|\bpage \d+\b"
    ),
)
_ES_NOUN = r"(?:texto|pasaje|documento|artículo|sección|capítulo|fragmento|extracto|párrafo)s?"
_ES = (
    (
        r"\b(?:según|de acuerdo con|con base en|basado en|a partir de|conforme a) (?:el|la|los|las"
        rf"|este|esta|dicho) (?:{_ES_NOUN}|autora?|contexto|tabla|figura)\b(?! \d)"
    ),
    rf"\b(?:en|por) (?:el|la|este|esta|dicho) (?P<noun>{_ES_NOUN})\b(?! del?\b)(?! \d)",
    (
        rf"\b(?:el|la|este|esta) (?P<noun>{_ES_NOUN}|autora?|tabla) (?:no )?(?:dice|menciona|describe"
        r"|explica|afirma|indica|presenta|muestra|señala|sugiere|trata|habla|define)\b"
    ),
    rf"\b(?:dice|menciona|describe|explica|afirma|señala) (?:el|la|este) (?:{_ES_NOUN}|autora?)\b",
    (
        r"\bcomo se (?:menciona|mencionó|indica|describe|explica)\b|\b(?:mencionad|citad"
        r"|descrit)[oa]s? (?:anteriormente|arriba|antes)\b|\bcuál de (?:los|las) siguientes\b"
    ),
    r"\bpágina \d+|\b(?:sección|capítulo|tabla|figura) \d+(?:\.\d+)*\b(?! del?\b)",
)
_IT_NOUN = r"(?:testo|brano|passaggio|passo|documento|articolo|sezione|capitolo|estratto|paragrafo)"
_IT = (
    (
        r"\b(?:secondo|in base a|stando a|a partire da) (?:il |lo |la |l['’] ?|questo |questa |quanto"
        rf" scritto nel )(?:{_IT_NOUN}|autore|autrice|contesto|tabella|figura)\b(?! \d)"
    ),
    (
        r"\b(?:in base al|dal|nel|nell['’] ?|nella|dall['’] ?|dalla|in questo|in questa|in quest['’])"
        rf" ?(?P<noun>{_IT_NOUN})\b(?! del)(?! \d)"
    ),
    (
        rf"\b(?:il|lo|la|l['’]|questo|questa|quest['’]) ?(?P<noun>{_IT_NOUN}|autore|autrice|tabella)"
        r" (?:non )?(?:dice|menziona|descrive|spiega|afferma|indica|presenta|mostra|suggerisce|tratta"
        r"|parla|definisce|sostiene)\b"
    ),
    (
        rf"\b(?:dice|menziona|descrive|spiega|afferma) (?:il |la |l['’] ?)(?:{_IT_NOUN}|autore"
        r"|autrice)\b"
    ),
    (
        r"\bcome (?:menzionato|indicato|descritto|detto|spiegato)\b|\bsopra (?:citat|menzionat"
        r"|descritt)|\bsuddett[oaie]\b|\bquale dei seguenti\b"
    ),
    r"\bpagina \d+|\b(?:sezione|capitolo|tabella|figura) \d+(?:\.\d+)*\b(?! del)",
)
_PT_NOUN = r"(?:texto|passagem|trecho|documento|artigo|seção|secção|capítulo|excerto|parágrafo)s?"
_PT = (
    (
        r"\b(?:segundo|de acordo com|com base n|conforme|a partir d) ?(?:o|a|os|as|este|esta|esse"
        rf"|essa) (?:{_PT_NOUN}|autora?|contexto|tabela|figura)\b(?! \d)"
    ),
    rf"\b(?:no|na|neste|nesta|nesse|nessa|do|da) (?P<noun>{_PT_NOUN})\b(?! d[eao]\b)(?! \d)",
    (
        rf"\b(?:o|a|este|esta) (?P<noun>{_PT_NOUN}|autora?|tabela) (?:não )?(?:diz|menciona|descreve"
        r"|explica|afirma|indica|apresenta|mostra|sugere|trata|fala|define)\b"
    ),
    rf"\b(?:diz|menciona|descreve|explica|afirma) (?:o|a) (?:{_PT_NOUN}|autora?)\b",
    (
        r"\bcomo (?:mencionado|indicado|descrito|explicado|visto)\b|\b(?:mencionad|citad"
        r"|descrit)[oa]s? (?:anteriormente|acima)\b|\bsupracitad|\bqual d[oa]s seguintes\b"
    ),
    r"\bpágina \d+|\b(?:seção|secção|capítulo|tabela|figura) \d+(?:\.\d+)*\b(?! d[eao]\b)",
)
_ZH = (
    (
        r"(?:根据|依据|按照|基于|在)(?:本|该|这篇|这段|此|上述|以上|所给|给定|提供的|上)?(?:文章|文本|段落|文档|文中|材料|内容|上文|资料"
        r"|文)(?:[,，中里内]|的|所)"
    ),
    r"本文|文中|上文|下文|这篇文章|该文章?|作者(?:认为|提到|指出|说|描述)|如上所述|前文|上述|如[图表]|[上下]表|第\s?\d+\s?[页章节]",
)
_JA = (
    r"(?:この|その|本|上記の|以下の|提供された|与えられた)(?:文章|テキスト|文書|記事|段落|節|章|資料|表|図)",
    r"本文|文中|上記|前述|(?:文章|テキスト|記事|文書|著者|筆者|資料)によ(?:ると|れば)|(?:著者|筆者)は|\d+\s?ページ|第\s?\d+\s?[章節]",
)
_TABLE = {"en": _EN, "de": _DE, "fr": _FR, "es": _ES, "it": _IT, "pt": _PT, "zh": _ZH, "ja": _JA}
_NEEDLES = {
    "en": needles(
        "text|passage|docum|article|section|chapter|excerpt|paragraph|snippet|extract|author"
        "|context|table|figure|fig.|diagram|report|paper|informat|material|source|content|book"
        "|page|guide|study|above|below|following|mentioned|provided|appendix|listing|exercise"
        "|earlier"
    ),
    "de": needles(
        "text|abschnitt|passage|dokument|artikel|kapitel|auszug|absatz|absätze|beitrag|quelle"
        "|autor|verfasser|kontext|tabelle|abb|diagramm|bericht|information|oben|obig|unten|vorher"
        "|zuvor|vorlieg|folgend|seite|anhang|erwähnt|wie bereits|wie schon|wie hier"
    ),
    "fr": needles(
        "texte|passage|document|article|section|chapitre|extrait|paragraphe|auteur|contexte"
        "|tableau|figure|schéma|rapport|information|comme|ci-|susment|précit|suivant|page|annexe"
    ),
}
"""Of these each match of a language's patterns holds one, except where ``_AS_SAID`` leads to them."""
_AS_SAID = re.compile(r"as (?<=\bas )\w+ (?:before|previously|here)")


def meta_patterns(text: str, language: str) -> Iterator[re.Pattern[str]]:
    """The patterns that a text (casefolded, with single blanks) can match: the language's, and the English ones, since
    models slip.
    """
    for code in dict.fromkeys((language, "en")):
        if code in _TABLE and _may_refer(text, code):
            yield from patterns_of(code)


def _may_refer(text: str, code: str) -> bool:
    if holds(text, _NEEDLES.get(code, ("",))):
        return True
    return code == "en" and _AS_SAID.search(text) is not None


@lru_cache(maxsize=16)
def patterns_of(code: str) -> tuple[re.Pattern[str], ...]:
    """All patterns of a language that has some."""
    after = _AFTER.get(code, _ANY)
    return tuple(re.compile(pattern.replace("{after}", after)) for pattern in _TABLE[code])
