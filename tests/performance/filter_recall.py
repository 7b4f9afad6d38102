"""How much of what is wrong the filters find, and how much of what is sound they drop: one table, by reason code.

``python -m tests.performance.filter_recall [mode]`` makes entries of the demo's texts with the simulated model, spoils
half of them in each known way, and has curation judge them. Duplicates are left out: admission finds those.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from uuid import NAMESPACE_URL, UUID, uuid5

from contracts.blob import BlobRef
from contracts.entries import Reason
from contracts.generation import GenerationSettings, Mode, PlannedDocument, Seed, Slot
from services.curate.checks.judge import Judged, judge
from services.curate.checks.source import Source
from services.curate.retrieval import Ranker
from services.generate.logic import entries_from
from services.generate.parsing import parse
from services.generate.prompts.render import render
from tests.simulator.behaviour import Behaviour
from tests.simulator.defects import MAKERS
from tests.simulator.said import Said, Writer

DOCUMENTS = Path(__file__).parents[1] / "data/documents"
TEXTS = ("metric-system.md", "milling.md", "tea.txt")
_PASSAGE = 900
_SEEDS = 4
_NO_BLOB = BlobRef(kind="text", sha256="0" * 64, size=0, media="text/plain")


@dataclass(slots=True)
class Recall:
    """Counts of spoilt entries of one code."""

    spoilt: int = 0
    named: int = 0
    """Found under their own code."""
    rejected: int = 0
    """Found under any code."""
    missed: Counter[str] = field(default_factory=Counter)
    """Passed, by variant of the defect."""


@dataclass(frozen=True, slots=True)
class Place:
    """One passage of one document, and its place among all."""

    name: str
    text: str
    start: int
    end: int
    index: int


class Mill:
    """Prompt, simulated model, parsing and judgement of each passage, without a bus or a store."""

    def __init__(self, mode: Mode) -> None:
        self.places = tuple(_places())
        self._settings = GenerationSettings(mode=mode, model="openai/simulated")
        self._ranker = Ranker([place.text[place.start : place.end] for place in self.places])

    def judged(
        self, place: Place, writer: Writer, behaviour: Behaviour
    ) -> tuple[Said, list[Judged]]:
        """What the model said of the passage, and the verdict on each entry in the same order."""
        document, seed = _planned(place)
        prompt = render(seed, document, place.text, self._settings)
        messages = [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": prompt.user},
        ]
        said = writer.write(messages, behaviour, f"{place.index}")
        parsed = parse(said.text, self._settings.mode, "stop")
        _, body = entries_from(
            seed, document, place.text, self._settings, parsed, uuid5(seed.chunk_id, "unit")
        )
        source = Source(
            document_id=seed.document_id,
            title=document.title,
            text=place.text,
            start=place.start,
            end=place.end,
            heading_path=(),
            language="en",
            model=self._settings.model,
            chunk=place.index,
        )
        verdicts = [judge(entry, source, self._settings, self._ranker) for entry in body.entries]
        return said, verdicts


def recall(mill: Mill, code: Reason) -> Recall:
    """How many entries spoilt with ``code`` are found."""
    counts = Recall()
    for seed in range(_SEEDS):
        writer = Writer()
        behaviour = Behaviour.model_validate(
            {"mode": "grounded", "seed": seed, "defects": {code: 0.5}}
        )
        for place in mill.places:
            said, verdicts = mill.judged(place, writer, behaviour)
            for label in said.labels:
                found = {one.reason for one in verdicts[label.n].found}
                counts.spoilt += 1
                counts.named += code in found
                counts.rejected += bool(found)
                if not found:
                    counts.missed[label.variant] += 1
    return counts


def dropped(mill: Mill, behaviour: Behaviour) -> tuple[int, Counter[str]]:
    """Sound entries made, and how many of them each code drops."""
    made, reasons = 0, Counter[str]()
    writer = Writer()
    for place in mill.places:
        _, verdicts = mill.judged(place, writer, behaviour)
        made += len(verdicts)
        reasons.update(one.found[0].reason for one in verdicts if one.found)
    return made, reasons


def _places() -> Iterator[Place]:
    """Passages of up to 900 characters, cut between paragraphs."""
    index = 0
    for name in TEXTS:
        text = (DOCUMENTS / name).read_text("utf-8")
        start = 0
        while start < len(text):
            cut = text.rfind("\n\n", start + 1, start + _PASSAGE)
            last = cut < 0 or start + _PASSAGE >= len(text)
            end = min(start + _PASSAGE, len(text)) if last else cut + 2
            yield Place(name, text, start, end, index)
            start, index = end, index + 1


def _planned(place: Place) -> tuple[PlannedDocument, Seed]:
    document_id: UUID = uuid5(NAMESPACE_URL, place.name)
    title = place.name.partition(".")[0].replace("-", " ")
    document = PlannedDocument(
        document_id=document_id,
        name=place.name,
        title=title,
        language="en",
        outline=(),
        summary="",
        text=_NO_BLOB,
    )
    seed = Seed(
        index=place.index,
        round=1,
        sample=0,
        document_id=document_id,
        chunk_id=uuid5(document_id, str(place.index)),
        chunk_index=place.index,
        start=place.start,
        end=place.end,
        heading_path=(),
        page=None,
        slots=(Slot(),) * 3,
    )
    return document, seed


def main() -> None:
    mill = Mill(cast("Mode", " ".join(sys.argv[1:]) or "question and answer"))
    for mode in ("canned", "grounded"):
        made, reasons = dropped(mill, Behaviour.model_validate({"mode": mode}))
        sound = {"sound": mode, "entries": made, "dropped": dict(reasons)}
        sys.stdout.write(json.dumps(sound) + "\n")
    for code in MAKERS:
        if code == "duplicate":
            continue
        counts = recall(mill, code)
        share = {
            "code": code,
            "spoilt": counts.spoilt,
            "named": round(counts.named / max(1, counts.spoilt), 2),
            "rejected": round(counts.rejected / max(1, counts.spoilt), 2),
            "missed": dict(counts.missed),
        }
        sys.stdout.write(json.dumps(share) + "\n")


if __name__ == "__main__":
    main()
