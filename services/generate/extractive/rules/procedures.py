"""How to do something: a heading "How to V …", "Installing X" or "Install X" with numbered steps below it."""

import re
from collections.abc import Iterator

from services.generate.extractive import verbs, words
from services.generate.extractive.blocks import Block, Item
from services.generate.extractive.candidate import Candidate
from services.generate.extractive.clean import flat
from services.generate.extractive.page import Page
from services.generate.extractive.subject import settle, unsettled

_HOW_TO = re.compile(
    r"^(?:\d+(?:\.\d+)*[.)]?\s+)?(?:how to|to) (?P<verb>[a-z-]+) (?P<what>.+?)[:.]?$", re.IGNORECASE
)
_TITLED = re.compile(r"^(?:\d+(?:\.\d+)*[.)]?\s+)?(?P<verb>[A-Z][a-z]+) (?P<what>.+?):?$")
_UNCLEAR = re.compile(
    r"\b(?:this|these|that|those|it|them|you|your|we|our|here|above|below|following|started)\b",
    re.IGNORECASE,
)
_STEP_LEAD = re.compile(
    r"^(?:then|next|finally|first|now|carefully|gently|slowly|if [^,]{3,60}|in [^,]{3,40}|on [^,]{3,40}|from [^,]{3,40}|when [^,]{3,60}|once [^,]{3,60}),? ",
    re.IGNORECASE,
)


def candidates(page: Page) -> Iterator[Candidate]:
    """One candidate for each procedure whose steps are all there."""
    for index, block in enumerate(page.blocks):
        if block.kind != "list":
            continue
        top = [item for item in block.items if item.indent == block.items[0].indent]
        if not all(item.numbered for item in top) or not 2 <= len(top) <= 12:
            continue
        found = _procedure(index, block, top, page)
        if found is not None:
            yield found


def _procedure(index: int, block: Block, top: list[Item], page: Page) -> Candidate | None:
    task = _task(index, page)
    steps = [flat(page.passage.text[item.start : item.end]) for item in top]
    if task is None or not _are_steps(steps):
        return None
    answer = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    if len(answer) > 1500:
        return None
    goal, heading = task
    spans = [(page.blocks[heading].start, page.blocks[heading].end), (block.start, block.end)]
    return Candidate(
        rule="procedure",
        kind="procedure",
        difficulty="intermediate",
        question=f"How do you {goal}?",
        answer=answer,
        spans=tuple(spans),
        key=f"procedure:{words.normal(goal)}",
        weight=4.2,
        subject=goal,
        material={"goal": goal},
    )


def _task(index: int, page: Page) -> tuple[str, int] | None:
    """(what is done, the block that says so): the lead-in just before the list, or the heading over it."""
    for place in range(index - 1, max(-1, index - 3), -1):
        text = page.texts[place]
        if page.blocks[place].kind == "heading":
            goal = _goal(text, page)
            return (goal, place) if goal else None
        if page.blocks[place].kind == "paragraph" and text.endswith(":") and place == index - 1:
            lead = text.split(". ")[-1]
            goal = (
                _goal(re.split(r",|:", lead, maxsplit=1)[0], page)
                if lead.startswith("To ")
                else None
            )
            if goal:
                return goal, place
        elif page.blocks[place].kind != "paragraph":
            return None
    return None


def _goal(text: str, page: Page) -> str | None:
    match = _HOW_TO.match(text) or _TITLED.match(text)
    if match is None or _UNCLEAR.search(text) or text.endswith("?"):
        return None
    verb = match["verb"].lower()
    base = verb if verb in verbs.BASES else verbs.BASE_OF_GERUND.get(verb)
    if (
        base is None
        and match.re is _HOW_TO
        and not verb.endswith(("ing", "ed", "ly"))
        and verb not in words.STOP
    ):
        base = verb
    what = match["what"]
    if base is None or not words.content_words(what) or len(what.split()) > 10:
        return None
    goal = settle(f"{base} {_sentence_case(what, page)}", page.scene)
    return None if unsettled(goal, page.scene) else goal


def _sentence_case(what: str, page: Page) -> str:
    """A heading in Title Case written small, names kept: words that the text knows in small letters lose their capital."""
    tokens = what.split()
    if sum(token[:1].isupper() for token in tokens) < 2:
        return what
    return " ".join(
        token.lower() if token.lower() in page.scene.lower or token.lower() in words.STOP else token
        for token in tokens
    )


def _are_steps(steps: list[str]) -> bool:
    """Whether each step may open with a verb, and at least two in three open with one that the tables know."""
    firsts = []
    for step in steps:
        opening = re.match(r"[A-Za-z][a-z-]*\b", _STEP_LEAD.sub("", step))
        if opening is None or not 2 <= len(step.split()) <= 70 or "|" in step:
            return False
        firsts.append(opening[0].lower())
    if any(word in words.STOP or word.endswith(("ing", "ed", "ly", "tion")) for word in firsts):
        return False
    return sum(word in verbs.BASES for word in firsts) * 3 >= 2 * len(firsts)
