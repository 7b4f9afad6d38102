"""What the members of a group are: a lead-in or heading that is a plural noun phrase, with the list below it."""

import re
from collections.abc import Iterator

from services.generate.extractive import nouns, words
from services.generate.extractive.blocks import Block, Item
from services.generate.extractive.candidate import Candidate
from services.generate.extractive.clean import flat
from services.generate.extractive.page import Page
from services.generate.extractive.subject import settle, subject, unsettled

_GROUPS = (
    r"types|kinds|parts|components|stages|phases|steps|causes|symptoms|uses|elements|properties|functions|layers|requirements"
    r"|principles|methods|rules|goals|advantages|disadvantages|benefits|drawbacks|features|characteristics|members|categories|classes"
    r"|forms|varieties|branches|levels|factors|ingredients|tools|materials|applications|purposes|responsibilities|duties|signs|risks"
    r"|sources|products|regions|provinces|states|districts|planets|divisions|groups|families|orders|objectives|criteria|conditions"
    r"|modes|formats|operators|options|sections of the brain|techniques|strategies|measures|effects|limitations|ways|chambers|locks|species"
)
_THERE_ARE = re.compile(
    rf"^There (?P<be>are|were) (?P<what>(?:{nouns.NUMBER_WORD}|\d+|several|many|various|a number of)? ?(?:[a-z-]+ ){{0,3}}(?:{_GROUPS})\b[^:.;]*):$"
)
_ARE = re.compile(
    rf"^(?P<what>The (?:[\w-]+ ){{0,4}}(?:{_GROUPS})\b[^:.;]*?) (?P<be>are|were|include)(?: as follows| the following)?:$"
)
_HAS = re.compile(
    rf"^(?P<s>[A-Z][^:.;,]{{2,60}}) (?P<verb>has|have|includes|include|consists of|contains|comprises|requires) (?P<det>the following )?"
    rf"(?P<what>(?:(?:{nouns.NUMBER_WORD}|\d+|several) )?(?:[a-z-]+ ){{0,2}}(?:{_GROUPS})):$"
)
_HEADING = re.compile(
    rf"^(?:\d+(?:\.\d+)*[.)]?\s+)?(?P<what>(?:(?:Main|Major|Basic|Key|Common|Principal) )?(?:{_GROUPS})) (?P<link>of|in|for) (?P<s>.+)$",
    re.IGNORECASE,
)
_DANGLING = re.compile(
    r"\b(?:this|these|that|those|it|its|their|they|our|your|you|we|following|above|below|here|other|more|such)\b",
    re.IGNORECASE,
)
_CONTENTS = re.compile(
    r"\b(?:contents|toc|references|links|see also|further reading|bibliography|external|notes)\b",
    re.IGNORECASE,
)


def candidates(page: Page) -> Iterator[Candidate]:
    """One candidate for each list that says what it lists."""
    for index, block in enumerate(page.blocks):
        if block.kind != "list" or index == 0:
            continue
        top = [item for item in block.items if item.indent == block.items[0].indent]
        items = _items(top, page.passage.text)
        named = _named(index, page) if items else None
        if named is not None and items:
            yield _candidate(named, items, index - 1, block, page)


def _items(top: list[Item], raw: str) -> list[str] | None:
    """The items' texts; None where they are links, code, or too many or too long to be an answer."""
    if not 2 <= len(top) <= 12:
        return None
    texts = []
    for item in top:
        source = raw[item.start : item.end].strip()
        text = flat(source).rstrip(" ;,")
        if source.startswith(("[", "<", "`", "![", "http")) or not text or len(text.split()) > 30:
            return None
        if (
            re.search(r"https?:|[{}|<>=]|\?$", text)
            or words.PERSONAL.search(text)
            or words.META.search(text)
        ):
            return None
        texts.append(text)
    return texts


def _named(index: int, page: Page) -> tuple[str, str, str] | None:
    """(question, lead of the answer, subject) from the line above the list."""
    text = page.texts[index - 1]
    block = page.blocks[index - 1]
    if _CONTENTS.search(text):
        return None
    if block.kind == "heading":
        return _from_heading(text, page)
    if block.kind != "paragraph":
        return None
    lead = re.split(r"(?<=[.!?]) (?=[A-Z])", text)[-1]
    if _DANGLING.search(lead.replace("the following", "").replace("as follows", "")):
        return None
    if match := _THERE_ARE.match(lead):
        what = re.sub(r"^(?:several|many|various|a number of) ", "", match["what"])
        return _checked(f"What {match['be']} the {what}?", f"The {what} {match['be']}:", what, page)
    if match := _ARE.match(lead):
        what, be = words.lower_first(match["what"]), match["be"]
        be = "are" if be == "include" else be
        return _checked(f"What {be} {what}?", f"{match['what']} {match['be']}:", what, page)
    if match := _HAS.match(lead):
        return _from_owner(match, page)
    return None


def _from_heading(text: str, page: Page) -> tuple[str, str, str] | None:
    match = _HEADING.match(text)
    if match is None or _DANGLING.search(text) or len(match["s"].split()) > 6:
        return None
    owner = page.scene.sentence_case(match["s"].split())
    what = f"{match['what'].lower()} {match['link'].lower()} {owner}"
    return _checked(f"What are the {what}?", f"The {what} are:", what, page)


def _from_owner(match: re.Match[str], page: Page) -> tuple[str, str, str] | None:
    plural = match["verb"] in ("have", "include")
    found = subject(match["s"].split(), page.scene, plural=plural)
    if found is None:
        return None
    owner = found.name
    do = "do" if plural else "does"
    base = {"has": "have", "includes": "include", "contains": "contain", "comprises": "comprise", "requires": "require",
            "consists of": "consist of"}.get(match["verb"], match["verb"])  # fmt: skip
    asked = f"What {match['what']} {do} {owner} {base}?"
    return _checked(
        asked,
        f"{words.capitalise(owner)} {match['verb']} {match['det'] or ''}{match['what']}:",
        f"{match['what']} of {owner}",
        page,
    )


def _checked(asked: str, lead: str, what: str, page: Page) -> tuple[str, str, str] | None:
    asked, lead = settle(asked, page.scene), settle(lead, page.scene)
    if unsettled(asked.rstrip("?"), page.scene) or not 4 <= len(asked.split()) <= 25:
        return None
    return (asked, lead, what) if len(words.content_words(asked)) >= 2 else None


def _candidate(
    named: tuple[str, str, str], items: list[str], lead: int, block: Block, page: Page
) -> Candidate:
    asked, opening, what = named
    head = page.blocks[lead]
    return Candidate(
        rule="list",
        kind="fact",
        difficulty="intermediate" if len(items) > 3 else "easy",
        question=asked,
        answer="\n".join([opening, *(f"- {item}" for item in items)]),
        spans=((head.start, head.end), (block.start, block.end)),
        key=f"list:{words.normal(what)}",
        weight=3.6,
        subject=what,
        material={"what": what, "items": "\n".join(f"- {item}" for item in items)},
    )
