"""What a million pending chunks take: measured at two sizes, and extrapolated by the slope between them.

``python -m tests.performance.pending 20000`` plans so many chunks in its own process and says what it held at most.
A pending chunk is a seed that was planned and not yet dispatched: it has no row and no message.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from contracts.blob import BlobRef
from contracts.dataset import Counts
from contracts.document import Chunk, Structure
from contracts.entries import GenerateEntries
from contracts.generation import GenerationSettings, PlanDocument
from contracts.identity import seed_unit
from services.generate.planning import DocumentForPlan, arrange, candidates
from services.ledger.processes.generation_state import GenerationState
from tests.performance.figures import Figure
from tests.performance.progress import Tell
from tests.performance.station import section
from tests.simulator.process import ROOT

MILLION = 1_000_000
SECTIONS = 500
"""Of a document."""
BLOB = BlobRef(kind="text", sha256="0" * 64, size=0)
JOB = UUID(int=7)


def main() -> None:
    sys.stdout.write(json.dumps(plan(int(sys.argv[1]))) + "\n")


def measure(tell: Tell, small: int, large: int) -> list[Figure]:
    found = []
    for chunks in (small, large):
        tell(f"planning {chunks:,} chunks in a process of its own")
        command = [sys.executable, "-m", __name__, str(chunks)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    less, more = found
    text = more["text"] / large * MILLION / 1e6

    def slope(name: str) -> float:
        """MB that a million chunks add."""
        return float(more[name] - less[name]) / (large - small) * MILLION / 1e6

    than, sizes = "their texts", f"from the slope between {small:,} and {large:,} chunks"
    return [
        Figure(
            "ledger: state of a job of a million seeds", "bytes", (state(MILLION),),
            "of ten seeds", (state(10),), "less",
            f"and, for each unit in flight only, {in_flight():.0f} bytes of its command",
        ),
        Figure(
            "plan pages of a million pending chunks", "MB on disk", (slope("pages"),),
            than, (text,), "less", f"extrapolated {sizes}",
        ),
        Figure(
            "chunk tables of a million chunks", "MB on disk", (slope("table"),),
            than, (text,), "less", f"extrapolated {sizes}",
        ),
        Figure(
            "generate: memory while a million are planned", "MB", (slope("rss"),), than, (text,), "less",
            f"extrapolated {sizes}; texts are read one document at a time; given back afterwards",
        ),
    ]  # fmt: skip


def plan(chunks: int) -> dict[str, Any]:
    """Plan like the worker does, one document at a time; bytes held and written."""
    settings = GenerationSettings(model="openai/simulated")
    before, text, table, parts = most_held(), 0, 0, []
    for number in range(-(-chunks // SECTIONS)):
        left = min(SECTIONS, chunks - number * SECTIONS)
        document = _document(number, [f"{section(each)}\n" for each in range(left)])
        text += len(document.text)
        table += sum(len(chunk.model_dump_json()) + 1 for chunk in document.chunks)
        parts.append(candidates(document, settings))
    made = arrange(parts, settings)
    pages = sum(len(page.model_dump_json()) for page in made.pages)
    assert made.seeds == chunks, made.skipped
    return {"rss": most_held() - before, "pages": pages, "table": table, "text": text}


def most_held() -> int:
    """The most bytes that this process held at once. (What ``getrusage`` says begins with the parent's.)"""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if found is None:
        raise RuntimeError("this system does not say how much a process held at most")
    return int(found[1]) * 1024


def _document(number: int, sections: list[str]) -> DocumentForPlan:
    """A document of these sections, each a chunk; a title of its own makes its text one of its own."""
    document, name = uuid5(NAMESPACE_URL, f"district/{number}"), f"district-{number}.md"
    title = f"# Stations of district {number}\n\n"
    chunks, at = [], len(title)
    for index, text in enumerate(sections):
        chunks.append(
            Chunk(
                chunk_id=uuid5(document, str(index)), index=index, start=at, end=at + len(text),
                heading_path=(title[2:].strip(), text.partition("\n")[0][3:]), page=None,
            )
        )  # fmt: skip
        at += len(text)
    return DocumentForPlan(
        document=PlanDocument(
            document_id=document, name=name, language="en", text=BLOB, structure=BLOB, table=BLOB,
            chunks=len(sections),
        ),
        text=title + "".join(sections),
        structure=Structure(title=title[2:].strip(), language="en", headings=(), pages=()),
        chunks=tuple(chunks),
    )  # fmt: skip


def state(seeds: int) -> int:
    """Bytes of what the ledger keeps of a job half done."""
    half = seeds // 2
    counts = Counts(
        seeds=seeds, done=half, in_flight=72, generated=3 * half, accepted=2 * half, rejected=half
    )
    made = GenerationState.model_validate(
        {
            "project_id": JOB,
            "phase": "running",
            "documents": seeds // SECTIONS,
            "rounds": [{"plan": BLOB, "first": 0, "seeds": seeds, "accepted_before": 0}],
            "asked": 3 * seeds,
            "next": half,
            "stop": seeds,
            "counts": counts,
            "rejected": {"duplicate": half, "underspecified": half},
        }
    )
    return len(made.model_dump_json())


def in_flight(pack: int = 8) -> float:
    """Bytes of a command for each of its units."""
    seeds = tuple(range(500_000, 500_000 + pack))
    command = GenerateEntries(
        job_id=JOB, units=tuple(seed_unit(JOB, seed) for seed in seeds), dataset_id=JOB, plan=BLOB,
        seeds=seeds, settings=GenerationSettings(model="openai/simulated"), share=64,
    )  # fmt: skip
    return len(command.model_dump_json()) / pack


if __name__ == "__main__":
    main()
