"""``trivia``: questions about the document as a thing, not about its subject."""

import re
from collections.abc import Iterator

from contracts.entries import Found
from services.curate.checks.needles import holds, needles
from services.curate.checks.source import View

_WORK = (
    r"(?:book|document|article|report|text|paper|guide|manual|handbook|textbook|booklet|brochure|volume|publication"
    r"|chapter|section|page|edition|essay|study|tutorial|foreword|preface)"
)
_TRIVIA = re.compile(
    # en
    rf"\b(?:isbn|issn|doi)\b|\bhow many (?:sections?|chapters?|pages?|figures?|tables?|paragraphs?"
    rf"|words|footnotes?|references|authors|appendices|illustrations)\b(?! (?:does|do|did) (?!(?:the|this) {_WORK}))"
    rf"|\bwho (?:wrote|authored|edited|published|compiled|translated|illustrated) (?:this|the) {_WORK}\b"
    rf"|\bwho (?:is|are|was|were) (?:the )?(?:authors?|editors?|publishers?|translators?) of (?:this|the) {_WORK}\b"
    rf"|\b(?:when|where|by whom) was (?:this|the) {_WORK} (?:first |last |originally )?(?:published|written"
    r"|printed|updated|revised|edited)\b"
    r"|\bwhat (?:is|are) the (?:title|publisher|publication date|page numbers?|table of contents"
    rf"|copyright|licen[cs]e|edition|version|topics?|headings?)(?: \w+)? of (?:this|the) {_WORK}\b"
    r"|\b(?:copyright|all rights reserved)\b|\bwho (?:holds|owns) the copyright\b|\btable of contents\b"
    r"|\bon (?:which|what) page\b|\bpage number\b|\backnowledge?ments?\b|\bprinted in\b|\b(?:fore|after)word\b"
    r"|\bthe preface\b|\bthe (?:first|second|third|latest|last|current) edition\b|\bbibliography\b"
    r"|\b(?:e-?mail|email) address\b|\b(?:phone|telephone|fax) number\b|\bcontact (?:information"
    r"|details|person|address)\b|\b(?:which|what) (?:publisher|publishing house)\b"
    r"|\bwhich (?:edition|chapter|section|page)\b|\bwhat (?:is|does) (?:chapter|section) \w+ (?:about|cover|discuss)"
    # de
    r"|\bwie viele (?:abschnitte|kapitel|seiten|abbildungen|tabellen|absätze|wörter|fussnoten"
    r"|autoren) (?:hat|umfasst|enthält|gibt|besitzt|zählt|sind)\b"
    r"|\bwer (?:hat|schrieb|verfasste|veröffentlichte) (?:dieses|das|diesen|den|dieser|diese)"
    r" (?:buch|dokument|artikel|bericht|text|handbuch)"
    r"|\bwer (?:ist|sind) (?:der|die) (?:autor\w*|verfasser\w*|herausgeber\w*)\b|\bauf welcher"
    r" seite\b|\bwelche(?:r|s|n)? (?:verlag|auflage|seite|kapitel|abschnitt)\b"
    r"|\binhaltsverzeichnis\b|\burheberrecht(?:e|s)?\b.{0,30}(?:dokument|buch|text)"
    r"|\b(?:e-mail-adresse|telefonnummer|faxnummer|kontaktdaten|ansprechpartner)\b|\bwann (?:wurde"
    r"|ist) (?:dieses|das|dieser|der) (?:buch|dokument|artikel|bericht|text|handbuch)"
    r" (?:veröffentlicht|erschienen|gedruckt|geschrieben)"
    # fr
    r"|\bcombien de (?:sections|chapitres|pages|figures|tableaux|paragraphes|mots|notes|auteurs)"
    r" (?:compte|contient|comporte|y a|a|possède|comprend)\b"
    r"|\bqui a (?:écrit|rédigé|publié|édité|traduit) (?:ce|le|cet|cette|l['’]) ?(?:livre|document"
    r"|article|rapport|texte|guide|ouvrage|manuel)"
    r"|\bqui (?:est|sont) (?:l['’]auteure?|les auteurs|l['’]éditeur) (?:de ce|du|de cet|de l['’])"
    r" ?(?:livre|document|article|rapport|texte|guide|ouvrage|manuel)"
    r"|\bquel(?:le)? (?:est la )?(?:maison d['’]édition|éditeur|édition)\b|\bà quelle page\b"
    r"|\btable des matières\b|\bdroits? d['’]auteur\b.{0,30}(?:document|livre|texte|ouvrage)"
    r"|\badresse (?:e-?mail|électronique|de courriel)\b|\bnuméro de téléphone\b"
    r"|\bquand (?:ce|le|cet) (?:livre|document|article|rapport|texte|guide|manuel) a-t-il été"
    r" (?:publié|écrit|imprimé)"
    # es it pt
    r"|\bcuántas? (?:secciones|capítulos|páginas|figuras|tablas) (?:tiene|contiene|hay)|\bquién"
    r" (?:escribió|publicó) (?:este|el) (?:libro|documento|artículo|informe|texto)|\ben qué"
    r" página\b|\bcorreo electrónico\b|\bnúmero de teléfono\b"
    r"|\bquant[ei] (?:sezioni|capitoli|pagine|figure|tabelle) (?:ha|contiene|ci sono)|\bchi ha"
    r" (?:scritto|pubblicato) (?:questo|il|l['’]) ?(?:libro|documento|articolo|testo)|\ba quale"
    r" pagina\b|\bindirizzo e-?mail\b"
    r"|\bquant[oa]s (?:seções|capítulos|páginas|figuras|tabelas) (?:tem|contém|há)|\bquem"
    r" (?:escreveu|publicou) (?:este|o) (?:livro|documento|artigo|texto)|\bem que página\b"
    r"|\bnúmero de telefone\b"
    # zh ja
    r"|(?:哪|第几)一?页|多少(?:页|章|节)|本书(?:的)?作者|出版社|版权|电子邮件地址|何ページ|目次|著者は誰|出版社|著作権|メールアドレス"
)
_NEEDLES = needles(
    "isbn|issn|doi|copyright|reserved|table of con|acknowledg|printed|foreword|afterword|preface"
    "|bibliography|mail|phone num|fax num|contact|publi|page|chapter|section|edition|many fig"
    "|many tab|many para|many word|many foot|many ref|many auth|many app|many ill|wrote|author"
    "|edited|editor|compiled|translat|illustrated|written|updated|revised|title|licen|version"
    "|topic|heading|viele|wer hat|wer schrieb|wer verfass|wer veröff|wer ist|wer sind|verlag"
    "|auflage|kapitel|abschnitt|seite|verzeichnis|urheberrecht|adresse|nummer|daten"
    "|ansprechpartner|wann wurde|wann ist|combien|qui a|qui est|qui sont|maison|éditeur|édition"
    "|matières|auteur|numéro|quand c|quand l|cuánta|quién|página|correo|número|quanti |quante "
    "|chi ha|pagina|indirizzo|quantos |quantas |quem |页|章|节|作者|出版|版权|邮件|ページ|目次|著|アドレス"
)
"""Of these each match of ``_TRIVIA`` holds one."""
_LAW_OF_COPYRIGHT = re.compile(
    r"copyright|urheber|droit d['’]auteur|publish|verlag|édit|book|buch|livre|contact|page|kontakt"
)


def trivia(view: View) -> Iterator[Found]:
    """Authors, pages, publishers, contact lines: nothing worth learning."""
    entry = view.entry
    if entry.type == "malformed" or entry.input:
        return
    text = (entry.question or entry.answer).casefold()
    match = _TRIVIA.search(text) if holds(text, _NEEDLES) else None
    if match is None:
        return
    # A text on copyright law, publishing or printing has these as its subject.
    subject = _LAW_OF_COPYRIGHT.search(match.group())
    if subject and subject.group() in view.around.text.casefold():
        return
    yield Found(reason="trivia", detail=match.group())
