"""Why something is so: "S is R because W". Only with an auxiliary, so that no verb form is guessed."""

import re
from collections.abc import Iterator

from services.generate.extractive import words
from services.generate.extractive.candidate import Candidate
from services.generate.extractive.clauses import Clause, consistent, one_clause
from services.generate.extractive.page import Page
from services.generate.extractive.phrasing import question, statement

_REASON = re.compile(
    r",? (?P<link>because of|because|due to|owing to|in order to|so that|thanks to) (?P<why>.+)$"
)
_ASKABLE = frozenset("is are was were can could must should cannot may might will".split())
_ADVERB = re.compile(
    r"^(?:also|often|usually|sometimes|generally|partly|mainly|largely|primarily|probably|typically) "
)
_TRAILING = re.compile(
    r" (?:partly|mainly|largely|primarily|mostly|simply|only|just|in part|probably|especially|possibly|not|chiefly)$"
)
_ENOUGH = re.compile(r"^(?:not )?(?:\w+ly )?\w{4,}")


def candidates(page: Page) -> Iterator[Candidate]:
    """*Why* questions of a page's clauses."""
    for clause in page.clauses:
        if clause.verb in _ASKABLE and not clause.date and not clause.field:
            found = _why(clause, page)
            if found is not None:
                yield found


def _why(clause: Clause, page: Page) -> Candidate | None:
    match = _REASON.search(clause.rest)
    if match is None:
        return None
    state = _TRAILING.sub("", _ADVERB.sub("", clause.rest[: match.start()].strip()))
    if (
        not state
        or not one_clause(state.replace("not ", ""), 12)
        or not _ENOUGH.match(state)
        or state.endswith("ly")
    ):
        return None
    why = _end(match["why"])
    if (
        why is None
        or not consistent(why, clause.subject)
        or state.split()[-1].lower() in words.STOP
    ):
        return None
    asked = question(f"Why {clause.verb} {clause.subject.name} {state}", page.scene)
    answer = statement(
        clause, f"{clause.rest[: match.start()].strip()} {match['link']} {why}", page.scene
    )
    if asked is None or answer is None:
        return None
    return Candidate(
        rule="why",
        kind="explanation",
        difficulty="intermediate",
        question=asked,
        answer=answer,
        spans=((clause.sentence.start, clause.sentence.end),),
        key=f"why:{words.normal(asked)}",
        weight=3.4,
        subject=clause.subject.name,
    )


def _end(why: str) -> str | None:
    """The reason up to the end of its clause; None where it is too short or too long to explain anything."""
    why = re.split(
        r";|, (?:but|and|so|which|while|although|though|whereas|thus|making)\b", why, maxsplit=1
    )[0].rstrip(" .,")
    count = why.count(" ") + 1
    if not 2 <= count <= 25 or why.split()[0].lower() in ("this", "that", "these", "those", "such"):
        return None
    return why
