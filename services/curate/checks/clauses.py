"""Names and numbers taken from one clause of the evidence into the statement of another. Part of the grounding check.

"Stevens rebuilt the railway, and Goethals completed the canal" does not say that Stevens completed the canal.
"""

import re

from services.curate.checks.names import names
from services.curate.checks.source import Facts, View, absent_from, facts

_PART = re.compile(
    r"[;:]\s|,?\s(?:and|while|whereas|but|und|während|aber|doch|et|alors qu[e'’]|tandis qu[e'’]|mais|y|mientras"
    r"|e|mentre)\s|,\s"
)
_STATES = 2
"""Content words besides names and numbers from which a clause states something of its own."""


def across_clauses(view: View) -> str | None:
    """What the answer says where its clause of the evidence says something else; None when all is in place."""
    clauses = [facts(part, view.language) for part in _PART.split(view.quoted.text)]
    if len(clauses) < 2:
        return None
    named = {word.casefold() for word, _ in names(view.quoted.text, view.language)}
    said = _statement(view.said, named)
    own = max(clauses, key=lambda clause: _likeness(view, said, clause, named))
    if 2 * len(said & _statement(own, named)) < len(said):
        return None
    for other in clauses:
        states = _statement(other, named) - _statement(own, named)
        if other is own or states & said:
            continue  # the answer speaks of both clauses
        found = _name(view, own, other, named) if len(states) >= _STATES else None
        if found is None and states:
            found = _number(view, own, other)
        if found:
            return found
    return None


def _likeness(view: View, said: frozenset[str], clause: Facts, named: set[str]) -> float:
    """How much a clause says what the answer says: words shared, and a name counting one and a half."""
    shares_name = bool(named & view.said.words & clause.words)
    return len(said & _statement(clause, named)) + 1.5 * shares_name


def _statement(clause: Facts, named: set[str]) -> frozenset[str]:
    """Content words that are neither names nor numbers."""
    roots = {word[:5] for word in named}
    return frozenset(s for s in clause.stems if s.isalpha() and s[:5] not in roots)


def _name(view: View, own: Facts, other: Facts, named: set[str]) -> str | None:
    asked = view.asked.words | view.around.words
    put = (named & view.said.words & other.words) - own.words - asked
    gone = (named & own.words) - view.said.words - asked
    return f"{min(put)} where the evidence says {min(gone)}" if put and gone else None


def _number(view: View, own: Facts, other: Facts) -> str | None:
    put = list(absent_from(view.said, own, view.asked))
    gone = list(absent_from(own, view.said, view.asked)) if put else []
    there = bool(gone) and not list(absent_from(view.said, other, own, view.asked))
    return f"{put[0]} where the evidence says {gone[0]}" if there else None
