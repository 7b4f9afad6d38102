"""Spoils a sound entry in one known way, for every reason code that a filter must find without a model.

Works on entries as a model says them (dicts of the output schema), English ones. Each code has several variants, so
that a filter cannot pass by knowing one sentence. A spoilt entry has its defect for certain; what else a check
may find in it (a refusal is also not grounded) is left to the order of the codes.
"""

from collections.abc import Callable, Sequence
from random import Random  # noqa: TID251 - handed in, seeded

from contracts.entries import Reason
from services.generate.extractive.passage import Passage
from tests.simulator.spoil import form, sense
from tests.simulator.spoil.case import Case, Entry, Makers, Spoilt

MAKERS: dict[Reason, Callable[[Case], Makers]] = {
    "malformed": form.malformed,
    "empty": form.empty,
    "truncated": form.truncated,
    "meta_reference": sense.meta_reference,
    "dangling_reference": sense.dangling_reference,
    "underspecified": sense.underspecified,
    "evidence_not_found": sense.evidence_not_found,
    "ungrounded": sense.ungrounded,
    "answer_in_question": sense.answer_in_question,
    "echo": sense.echo,
    "copy": form.copy,
    "wrong_language": form.wrong_language,
    "trivia": sense.trivia,
    "compound": sense.compound,
    "refusal": form.refusal,
    "chatter": form.chatter,
    "duplicate": form.duplicate,
    "wrong_kind": sense.wrong_kind,
    "length": form.length,
}


def inject(
    entry: Entry, code: Reason, passage: Passage, rng: Random, earlier: Sequence[Entry] = ()
) -> Spoilt:
    """``entry`` with the defect ``code``; ``earlier`` are sound entries said of the same passage before.

    ValueError where the entry cannot have that defect (a question without an answer cannot echo).
    """
    case = _case(entry, passage, rng, earlier)
    variants = _variants(case, code)
    if not variants:
        raise ValueError(f"this entry cannot be given the defect {code}")
    return variants[rng.randrange(len(variants))]()


def applicable(entry: Entry, code: Reason, passage: Passage, earlier: Sequence[Entry] = ()) -> bool:
    return bool(_variants(_case(entry, passage, Random(0), earlier), code))


def _case(entry: Entry, passage: Passage, rng: Random, earlier: Sequence[Entry]) -> Case:
    asked = next((name for name in ("question", "instruction") if name in entry), "")
    said = next((name for name in ("answer", "output", "summary") if name in entry), "")
    return Case(entry, passage, rng, tuple(earlier), asked, said)


def _variants(case: Case, code: Reason) -> Makers:
    return MAKERS[code](case) if code in MAKERS else []
