"""Terms with their meaning: "**Term**: text", "- Term – text" and HTML definition lists."""

import re
from collections.abc import Iterator

from services.generate.extractive import words
from services.generate.extractive.candidate import Candidate
from services.generate.extractive.clean import flat
from services.generate.extractive.page import Page
from services.generate.extractive.scene import Scene

_BOLD = re.compile(
    r"^[ \t>]*(?:[-*+•][ \t]+|\d+[.)][ \t]+)?(?:\*\*|__)(?P<term>[^*_\n]{2,50}?)(?P<colon>:?)(?:\*\*|__)[ \t]*(?P<mark>:|–|—|-(?=[ \t]))?[ \t]*(?P<text>\S[^\n]*(?:\n(?![ \t]*(?:[-*+#>|•]|\d+[.)]|\*\*|$))[^\n]+)*)",
    re.MULTILINE,
)
_DASHED = re.compile(
    r"^[ \t]*(?:[-*+•][ \t]+)(?P<term>[A-Z][^*_:\n–—.,;()]{1,40}?)(?P<mark>:| – | — | - )[ \t]*(?P<text>[^\n]+(?:\n[ \t]+(?![-*+•]|\d+[.)])\S[^\n]*)*)$",
    re.MULTILINE,
)
_HTML = re.compile(
    r"<dt>(?P<term>.{2,60}?)</dt>\s*<dd>(?P<text>.{10,400}?)</dd>", re.DOTALL | re.IGNORECASE
)
_OPENS = re.compile(r"^(?:an?|any|the|one of|each|every) ", re.IGNORECASE)
_LABELS = frozenset(
    """note notes warning tip tips example examples important caution default returns return usage description see also
    parameters parameter required optional type types value values summary details features result results input output
    author authors date version name title location time duration price cost contact address email phone step solution
    problem answer question q a pros cons advantages disadvantages purpose goal background context source sources""".split()
)
_GLOSSARY_HEADING = re.compile(
    r"\b(?:glossary|terms?|terminology|definitions?|vocabulary|concepts)\b", re.IGNORECASE
)
_CLAUSE = re.compile(
    r"^(?:[\w'’-]+ ){1,8}?(?:is|are|was|were|has|have|can|must|should|will|may|would|could|might|does|do)\b"
)
_PERSON = re.compile(
    r"(?:Mr|Mrs|Ms|Miss|Dr|Sir|Lord|Lady|King|Queen|Prince|Princess|Captain|Colonel|Saint)\b\.? [A-Z]"
)
_RELATIVE = re.compile(r"\b(?:that|which|who|whose|where|when|used|in which|for which)\b|,")


def candidates(page: Page) -> Iterator[Candidate]:
    """One candidate for each explained term."""
    seen: set[str] = set()
    for found in _entries(page.passage.text):
        candidate = _candidate(found, page)
        if candidate is not None and candidate.key not in seen:
            seen.add(candidate.key)
            yield candidate


def _entries(text: str) -> Iterator[re.Match[str]]:
    for found in _BOLD.finditer(text):
        if found["colon"] or found["mark"]:
            yield found
    yield from _DASHED.finditer(text)
    if "<dt>" in text.lower():
        yield from _HTML.finditer(text)


_CHARACTER = re.compile(
    r"(?<!person)(?<!people)(?<!someone)(?<!one)(?<!man)(?<!men)(?<!er)(?<!or)(?<!ist)(?<!ant)(?<!ian)(?<!s)(?<!ee),? who\b"
)
"""Said of someone who is no "person who": the term is a name that nothing tells from a common noun."""


def _candidate(found: re.Match[str], page: Page) -> Candidate | None:
    term = flat(found["term"]).strip(" :")
    first = _first_sentence(flat(found["text"]))
    if first is None or not _is_term(term) or not _explains(term, first, _in_glossary(found, page)):
        return None
    named = _term_case(term, page.scene)
    counted = re.search(
        rf"\b(?:an? {re.escape(named)}|{re.escape(named)}s)\b", page.scene.text.replace(term, "")
    )
    meaning = (
        words.lower_first(first)
        if _OPENS.match(first) or first.split()[0].lower() in page.scene.lower
        else first
    )
    person = re.match(r"(?:an?|the) .*\bwho\b", meaning) and named[0].isupper()
    if named[0].islower() and term[0].isupper() and _CHARACTER.search(meaning):
        return None
    if _PERSON.match(term) or (person and all(part[0].isupper() for part in term.split())):
        asked, answer = f"Who is {term}?", f"{term} is {meaning.rstrip('.')}."
    elif counted and re.match(r"an? ", meaning) and named[0].islower():
        article = "an" if named[0] in "aeiou" else "a"
        asked, answer = (
            f"What is {article} {named}?",
            f"{article.title()} {named} is {meaning.rstrip('.')}.",
        )
    else:
        asked, answer = (
            f'What does the term "{named}" mean?',
            f'The term "{named}" means {meaning.rstrip(".")}.',
        )
    start, end = found.span()
    raw = found[0]
    start += len(raw) - len(raw.lstrip(" \t>-+•\n"))
    stop = _quote_end(page.passage.text, found, first)
    return Candidate(
        rule="glossary",
        kind="definition",
        difficulty="easy",
        question=asked,
        answer=answer,
        spans=((start, min(end, stop)),),
        key=f"definition:{words.normal(named)}",
        weight=3.3,
        subject=named,
    )


def _quote_end(text: str, found: re.Match[str], first: str) -> int:
    """Where the quoted meaning ends in the raw text: after the sentence's last word and stop, if they are found."""
    last = first.rstrip(".").split()[-1]
    raw = text[found.start("text") : found.end("text")]
    place = raw.find(last, max(0, len(first) - len(last) - 2))
    if place < 0:
        return found.end()
    stop = found.start("text") + place + len(last)
    return stop + (1 if text[stop : stop + 1] == "." else 0)


def _first_sentence(text: str) -> str | None:
    text = text.strip()
    found = re.search(r"(?<=[a-z0-9)])\.(?=\s+[A-Z]|$)", text)
    first = text[: found.end()] if found else text
    return first if 4 <= len(first.split()) <= 40 else None


def _in_glossary(found: re.Match[str], page: Page) -> bool:
    path: tuple[str, ...] = page.passage.heading_path
    for block, own, text in zip(page.blocks, page.headings, page.texts, strict=True):
        if block.start > found.start():
            break
        path = (*own, text) if block.kind == "heading" else own
    return bool(path) and bool(_GLOSSARY_HEADING.search(path[-1]))


def _is_term(term: str) -> bool:
    parts = term.split()
    if (
        not 1 <= len(parts) <= 5
        or term.lower() in _LABELS
        or parts[0].lower() in words.BANNED_FIRST
    ):
        return False
    if any(part.lower() in _LABELS for part in (parts[0], parts[-1])) or re.search(
        r"[?!.=(){}<>\[\]`\"/\\]|\d{3}", term
    ):
        return False
    return any(map(str.isalpha, term))


def _explains(term: str, text: str, glossary: bool) -> bool:
    if (
        words.PERSONAL.search(text)
        or words.META.search(text)
        or words.POINTING.search(text)
        or words.SYMBOLS.search(text)
    ):
        return False
    if re.search(r"\b(?:was|were|had)\b", text):
        return False
    if "?" in text or text.endswith(":") or words.CONTRACTION.search(text):
        return False
    low = text.lower()
    if set(words.words(low)[:4]) & {"it", "they", "he", "she", "its", "their"}:
        return False
    opens = bool(_OPENS.match(text))
    if not opens and not (glossary and text[0].islower()):
        return False
    before = _RELATIVE.split(text, maxsplit=1)[0]
    if _CLAUSE.match(before + " "):
        return False
    return words.normal(term) not in words.normal(before) or len(term.split()) > 1


def _term_case(term: str, scene: Scene) -> str:
    cased = scene.sentence_case(term.split())
    if len(term.split()) > 1 and term[1:] == term[1:].lower():
        return words.lower_first(term)
    return words.lower_first(cased) if " " not in cased and not scene.may_be_name(cased) else cased
