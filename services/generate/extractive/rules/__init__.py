"""The rules: each reads a page and yields candidates. A rule that is not sure yields nothing."""

from collections.abc import Iterator

from services.generate.extractive.candidate import Candidate
from services.generate.extractive.page import Page
from services.generate.extractive.rules import (
    acronyms,
    agents,
    definitions,
    glossary,
    lists,
    passives,
    procedures,
    quantities,
    questions,
    reasons,
    tables,
    times,
)

RULES = (
    questions.candidates,
    definitions.candidates,
    glossary.candidates,
    acronyms.candidates,
    times.candidates,
    agents.candidates,
    passives.candidates,
    reasons.candidates,
    quantities.candidates,
    procedures.candidates,
    lists.candidates,
    tables.candidates,
)


def candidates(page: Page) -> Iterator[Candidate]:
    """All that the rules can prove from a page, in the order of the rules."""
    for rule in RULES:
        yield from rule(page)
