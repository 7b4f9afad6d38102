"""Overgenerate and rank: a score for each candidate, then the best of them for the slots of a call.

The order follows from the candidates alone (Heilman and Smith 2010: overgenerate, then rank); ties fall to the text's order.
"""

import hashlib

from contracts.generation import Slot
from services.generate.extractive import words
from services.generate.extractive.candidate import Candidate
from services.generate.extractive.page import Page

FLOOR = 2.0
"""Candidates that score less are not worth having."""
_TABLE_SHARE = 4


def ranked(candidates: list[Candidate], page: Page) -> list[Candidate]:
    """Best first, without those below the floor and without second askings of the same thing."""
    scored = sorted(
        ((score(candidate, page), -candidate.spans[-1][0], candidate) for candidate in candidates),
        key=lambda row: (row[0], row[1], row[2].question),
        reverse=True,
    )
    kept: list[Candidate] = []
    keys: set[str] = set()
    for value, _, candidate in scored:
        proof = (
            f"{candidate.spans[-1]}:{candidate.kind}"
            if candidate.rule != "table"
            else candidate.key
        )
        if (
            value < FLOOR
            or candidate.key in keys
            or proof in keys
            or words.normal(candidate.question) in keys
        ):
            continue
        keys |= {candidate.key, proof, words.normal(candidate.question)}
        kept.append(candidate)
    return kept


def score(candidate: Candidate, page: Page) -> float:
    """Rule weight, plus words shared with title and headings, plus names, minus length."""
    asked = words.content_words(candidate.question)
    heads = {word for name in page.scene.names for word in words.content_words(name)}
    shared = len(heads.intersection(asked))
    capitals = sum(word[0].isupper() for word in words.words(candidate.question)[1:])
    value = candidate.weight + min(0.6, 0.3 * shared) + min(0.4, 0.2 * capitals)
    if len(asked) < 2:
        value -= 0.2
    value -= 0.08 * max(0, len(candidate.question.split()) - 10)
    if candidate.rule not in ("procedure", "list", "faq"):
        value -= 0.04 * max(0, len(candidate.answer.split()) - 22)
    return value


def chosen(candidates: list[Candidate], slots: tuple[Slot, ...]) -> list[tuple[Candidate, Slot]]:
    """At most one candidate for each slot that asks for an answerable entry, kinds and difficulties first."""
    wanted = [slot for slot in slots if slot.answerable]
    tables = max(1, len(wanted) // _TABLE_SHARE)
    left = _sampled_tables(candidates)
    out: list[tuple[Candidate, Slot]] = []
    for slot in wanted:
        best = _best(left, slot, out, tables)
        if best is None:
            break
        out.append((best, slot))
        left.remove(best)
    return out


def _sampled_tables(candidates: list[Candidate]) -> list[Candidate]:
    """Rows of a table come in an order drawn from their hash, so that not only first rows are asked about."""
    rows = [candidate for candidate in candidates if candidate.rule == "table"]
    rows.sort(
        key=lambda candidate: hashlib.blake2b(candidate.question.encode(), digest_size=8).digest()
    )
    return [candidate for candidate in candidates if candidate.rule != "table"] + rows


def _best(
    left: list[Candidate], slot: Slot, out: list[tuple[Candidate, Slot]], tables: int
) -> Candidate | None:
    rules = [candidate.rule for candidate, _ in out]
    spans = {candidate.spans[-1] for candidate, _ in out}
    best, top = None, float("-inf")
    for place, candidate in enumerate(left):
        if candidate.rule == "table" and rules.count("table") >= tables:
            continue
        value = -0.01 * place
        value += 1.0 if slot.kind == candidate.kind else 0.0
        value += 0.5 if serves(candidate, slot) else 0.0
        value -= 0.8 * rules.count(candidate.rule)
        value -= 0.8 if candidate.spans[-1] in spans else 0.0
        value -= 0.6 if candidate.rule == "table" else 0.0
        if value > top:
            best, top = candidate, value
    return best


def serves(candidate: Candidate, slot: Slot) -> bool:
    """Whether a candidate can be as difficult as the slot asks."""
    if candidate.difficulty == slot.difficulty:
        return True
    return slot.difficulty != "easy" and candidate.extension is not None


def near(question: str, others: tuple[str, ...]) -> bool:
    """Whether a question equals one of the others, or nearly: four of five content words shared."""
    mine = set(words.content_words(question))
    for other in others:
        if words.normal(other) == words.normal(question):
            return True
        theirs = set(words.content_words(other))
        if mine and theirs and len(mine & theirs) >= 0.8 * len(mine | theirs):
            return True
    return False
