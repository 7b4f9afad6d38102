"""How an entry talks: ``compound`` questions, ``refusal``, ``chatter`` around what was asked for."""

import re
from collections.abc import Iterator

from contracts.entries import Found
from services.curate.checks.form import listed
from services.curate.checks.needles import holds, needles
from services.curate.checks.source import View

_WH = {
    "en": r"(?:what|how|why|when|where|who|whom|whose|which)",
    "de": r"(?:was|wie|warum|weshalb|wieso|wann|wo|wohin|woher|wer|wen|wem|welche[rsnm]?|wodurch"
    r"|womit|wozu|wofür)",
    "fr": r"(?:qu['’]est-ce qu[ei]|que|comment|pourquoi|quand|où|qui|quel(?:le)?s?|combien|quoi)",
    "es": r"(?:qué|cómo|por qué|cuándo|dónde|quién(?:es)?|cuál(?:es)?|cuánt[oa]s?)",
    "it": r"(?:che cosa|cosa|come|perché|quando|dove|chi|quale|quali|quanto|quanti)",
    "pt": r"(?:o que|que|como|por que|quando|onde|quem|qual|quais|quanto|quantos)",
}
_AND = {"en": "and", "de": "und|sowie", "fr": "et", "es": "y|e", "it": "e|ed", "pt": "e"}
_JOINED = {
    code: re.compile(
        rf"\b{wh}\s+(?!(?:{_AND[code]})\b)\S+\s\S.*?,?\s(?:{_AND[code]})\s{wh}\s\S+\s*\S"
    )
    for code, wh in _WH.items()
}
_TACKED_ON = {
    code: re.compile(rf"[,;]\s(?:{_AND[code]})\s(?:in |from |by |to |for )?{wh}\s\S+")
    for code, wh in _WH.items()
}
_BETWEEN = re.compile(r"\b(?:between|zwischen|entre|tra|fra)\b")
_QUOTED = re.compile(r"[\"“„«][^\"”“»]*[\"”“»]")

_REFUSAL = re.compile(
    r"\bas an? (?:ai|artificial intelligence|large language|language model)\b|\bas a language model|\bi(?: am"
    r"|['’]m) (?:sorry|unable|not able|afraid|just an ai)"
    r"|(?:^|[.!?]\s+)(?:sorry|unfortunately),? i\b|(?:^|[.!?,]\s*)i (?:cannot|can['’]t|can not|do"
    r" not have (?:access|enough|information)|don['’]t have (?:access|enough|information)"
    r"|won['’]t)"
    r"|\bals (?:ki|künstliche intelligenz|sprachmodell)\b|\btut mir leid|(?:^|[.!?,]\s*)(?:leider"
    r" )?(?:ich kann|kann ich)(?: \w+){0,5} nicht\b"
    r"|\ben tant qu(?:e modèle|['’]ia|['’]intelligence|['’]assistant)|\bje (?:suis désolé|ne peux"
    r" pas|ne suis pas en mesure|regrette)"
    r"|\bcomo (?:modelo de len|una? (?:ia|inteligencia)|uma? (?:ia|inteligência|modelo))|\blo"
    r" siento|\bno puedo (?:responder|proporcionar|ayudar)"
    r"|\bmi dispiace|\bnon posso (?:rispondere|fornire|aiutare)|\bcome (?:modello di|un['’]ia)"
    r"|\bdesculpe|\bnão posso (?:responder|fornecer|ajudar)"
    r"|作为(?:一个)?(?:ai|人工智能|语言模型)|抱歉|我无法|申し訳|(?:ai|言語モデル)として"
)
_REFUSAL_NEEDLES = needles(
    "as an a|as a a|language|sorry|unable|not able|afraid|just an ai|unfortunately|i ca|i do"
    "|i won|als ki|als kü|als sprach|mir leid|ich kann|kann ich|en tant qu|je suis désolé|je ne "
    "|je regrette|como modelo|como un|como um|lo siento|no puedo|mi dispiace|non posso"
    "|come modello|come un|desculpe|não posso|作为|抱歉|我无法|申し訳|として"
)
_NOT_STATED = {
    "en": r"\b(?:does|do|did|is|are|was|were|has|have)(?: not|n['’]t) (?:\w+ )?(?:state|mention"
    r"|say|specif|provid|give|includ|indicat|describ|contain|explain|address"
    r"|detail|disclos|know|tell|identif|record|explicit|cover|discuss|name|stated|possible to)\w*"
    r"|\bno information\b|\bcannot be (?:determined|answered|known|inferred)"
    r"|\bnot (?:stated|mentioned|given|specified|provided|known|said|recorded|explicitly|answered"
    r"|indicated)|\bno (?:mention|indication|details?)\b|\bunanswerable|\bonly (?:states|says"
    r"|mentions)",
    "de": r"\bnicht (?:\w+ )?(?:erwähnt|angegeben|genannt|beantwortet|gesagt|hervor|bekannt"
    r"|beschrieben|festgehalten|mitgeteilt|aufgeführt|überliefert)|\bkeine (?:angaben?|information"
    r"|aussage|auskunft)"
    r"|\b(?:erwähnt|nennt|sagt|enthält|gibt|steht|macht)(?: \w+){0,6} (?:nicht|kein\w*)\b",
    "fr": r"\bne (?:\w+ ){0,2}(?:mentionne|précise|dit|indique|donne|contient|fournit|signale"
    r"|permet)|\bn['’](?:est|a|indique|évoque)[\w ]* pas (?:\w+ )?(?:mentionné|précisé|indiqué|dit"
    r"|donné|connu|fourni|signalé)e?s?"
    r"|\baucune (?:information|mention|précision|indication)|\bpas (?:mentionné|précisé|indiqué"
    r"|connu)",
    "es": r"\bno (?:se )?(?:menciona|indica|especifica|dice|da|contiene|precisa|proporciona)"
    r"|\bninguna información|\bsin información",
    "it": r"\bnon (?:viene |è |si )?(?:menziona|indica|specifica|dice|contiene|precisa|fornisce"
    r"|detto|indicato|menzionato)\w*|\bnessuna informazione",
    "pt": r"\bnão (?:é |se |foi )?(?:menciona|indica|especifica|diz|contém|informa|fornece)\w*"
    r"|\bnenhuma informação",
    "zh": r"没有?(?:提到|说明|提及|给出|指出)|未(?:提及|提到|说明|给出)",
    "ja": r"(?:記載|言及|述べ|説明|記述)(?:は|が|され|られ)?(?:て)?(?:い)?(?:ない|ません|ありません|なかった)",
}
_STATED = {code: re.compile(pattern) for code, pattern in _NOT_STATED.items()}
_ABOUT_SOURCE = re.compile(
    r"\b(?:text|passage|document|article|section|excerpt|context|information|dokument|abschnitt"
    r"|artikel|texte|extrait|texto|pasaje|testo|brano"
    r"|documento|trecho)\b|\b(?:not|nicht|pas) (?:stated|mentioned|specified|provided|given"
    r"|erwähnt|angegeben|mentionnée?|précisée?|indiquée?)\b"
    r"|文章|文本|テキスト"
)
_CHATTER_OPENS = re.compile(
    r"^\s*(?:\*\*)?(?:sure|certainly|absolutely|great question|good question|okay|ok|of course"
    r"|gladly|happy to help|no problem)(?:\*\*)?\s*[!,.:]"
    r"|^\s*here(?:['’]s| is| are) (?:the|your|a|an|some|\w+) (?:\w+ )?(?:answer|question|summary"
    r"|list|response|entry|entries|pair|pairs|questions|explanation)\b"
    r"|^\s*(?:\*\*|#+ ?)?(?:question|answer|q|a|response|instruction|output|summary|frage|antwort"
    r"|réponse|pregunta|respuesta|domanda|risposta|pergunta|resposta|zusammenfassung|résumé"
    r"|问题|答案|回答|質問|回答)\s?(?:\d{1,2})?(?:\*\*)?\s?[:：](?:\*\*)?"
    r"|^\s*(?:gerne|natürlich|selbstverständlich|sicher|klar)\s?[!,:]|^\s*hier (?:ist|sind) (?:die"
    r"|deine|ihre|eine) (?:antwort|frage|zusammenfassung|liste)"
    r"|^\s*(?:bien sûr|certainement|avec plaisir|d['’]accord)\s?[!,:]|^\s*voici (?:la|une|votre)"
    r" (?:réponse|question|liste)"
    r"|^\s*(?:claro|por supuesto|certo|certamente|com certeza)\s?[!,:]|^\s*(?:aquí (?:está|tienes)"
    r"|ecco (?:la|una)|aqui está)\b"
    r"|^\s*(?:当然|好的)[!！,，]|^\s*もちろん"
)
_CHATTER_WITHIN = re.compile(
    r"\blet me know if\b|\bi hope (?:this|that) helps\b|\bfeel free to (?:ask|reach)|\bis there"
    r" anything else\b|\bich hoffe, das hilft|\bj['’]espère que cela|</?think>|\[/?inst\]|<\|"
)
_CHATTER_NEEDLES = needles("let me|i hope|feel free|anything else|ich hoffe|espère|think>|inst]|<|")
_NUMBERED = re.compile(r"^\s*(?:\(?\d{1,2}[.)]|[-*•])\s+\S")
_MARKUP = re.compile(r"^\s*#{1,6} |^\s*\*\*[^*]+\*\*\s*$")


def says_not_stated(text: str, language: str | None) -> bool:
    """Whether a text says that its source is silent on something."""
    return bool(_STATED.get(language or "en", _STATED["en"]).search(text.casefold()))


def compound(view: View) -> Iterator[Found]:
    """Two questions in one."""
    entry = view.entry
    if not entry.asks:
        return
    plain = _QUOTED.sub(" ", entry.question.casefold())
    code = view.language if view.language in _WH else "en"
    two = plain.count("?") + plain.count("？") >= 2 or bool(_TACKED_ON[code].search(plain))
    if two or (_JOINED[code].search(plain) and not _BETWEEN.search(plain)):
        yield Found(reason="compound", detail=entry.question[:200])


def refusal(view: View) -> Iterator[Found]:
    """The model speaks of itself, or says that the source is silent where it was to answer."""
    entry = view.entry
    if entry.type == "malformed":
        return
    for text in (entry.question, entry.answer):
        folded = text.casefold()
        match = _REFUSAL.search(folded) if holds(folded, _REFUSAL_NEEDLES) else None
        # Speech that the source quotes is not the model's.
        if match and match.group().strip(" .,!?") not in view.passage.text.casefold():
            yield Found(reason="refusal", detail=match.group().strip())
    silent = entry.answerable and says_not_stated(entry.answer, view.language)
    if silent and _ABOUT_SOURCE.search(entry.answer.casefold()) and not entry.input:
        yield Found(reason="refusal", detail=entry.answer[:200])


def chatter(view: View) -> Iterator[Found]:
    """Politeness, labels, numbering and Markdown that belong to a conversation, not to a dataset."""
    entry = view.entry
    if entry.type == "malformed":
        return
    for text in (entry.question, entry.answer):
        folded = text.casefold()
        match = _CHATTER_OPENS.match(folded)
        if match is None and holds(folded, _CHATTER_NEEDLES):
            match = _CHATTER_WITHIN.search(folded)
        if match:
            yield Found(reason="chatter", detail=match.group().strip())
        if "```" in text and ("```" not in view.passage.text or text.count("```") % 2):
            yield Found(reason="chatter", detail="```")
    question, answer = entry.question, entry.answer
    if question and not entry.input and (_NUMBERED.match(question) or _MARKUP.match(question)):
        yield Found(reason="chatter", detail=question[:40])
    if answer and entry.type != "instruction following":
        lone = _NUMBERED.match(answer) and listed(answer) < 2
        if lone or _MARKUP.match(answer):
            yield Found(reason="chatter", detail=answer[:40])
