"""The filters against the gold set: a hundred good entries and a hundred and nine bad ones, each with its code.

``pytest -s tests/services/curate/test_gold.py`` prints the table.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import pytest

from contracts.entries import BodyEntry
from contracts.generation import GenerationSettings, Mode
from services.curate.checks import Source, judge
from services.curate.retrieval import Ranker

GOLD = Path(__file__).parents[2] / "data" / "gold"
JUDGEMENT = frozenset({"ungrounded", "underspecified"})


@dataclass(slots=True)
class Table:
    bad: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    good: int = 0
    lost: list[tuple[str, str]] = field(default_factory=list)
    languages: set[str] = field(default_factory=set)
    subjects: set[str] = field(default_factory=set)


def _lines(name: str) -> Iterator[dict[str, object]]:
    with (GOLD / name).open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


@pytest.fixture(scope="module")
def table() -> Table:
    records = [*_lines("good.jsonl"), *_lines("bad.jsonl")]
    passages = list(dict.fromkeys(str(record["passage"]) for record in records))
    ranker = Ranker([*passages, *(str(line["text"]) for line in _lines("neighbours.jsonl"))])
    assert ranker.chunks >= 50
    made = Table()
    for record in records:
        _count(made, record, passages, ranker)
    return made


def _count(table: Table, record: dict[str, object], passages: list[str], ranker: Ranker) -> None:
    entry = BodyEntry.model_validate(record["entry"])
    passage, path = str(record["passage"]), record["heading_path"]
    assert isinstance(path, list)
    source = Source(
        document_id=uuid5(NAMESPACE_URL, passage),
        title=str(record["title"]),
        text=passage,
        start=0,
        end=len(passage),
        heading_path=tuple(path),
        language=str(record["language"]),
        model="openai/some",
        chunk=passages.index(passage),
    )
    mode: Mode = "default" if entry.content.type == "malformed" else entry.content.type
    judged = judge(entry, source, GenerationSettings(mode=mode), ranker)
    found = {one.reason for one in judged.found}
    table.languages.add(str(record["language"]))
    table.subjects.add(str(record["subject"]))
    if record["code"] is None:
        table.good += 1
        if found:
            table.lost.append((judged.found[0].reason, judged.found[0].detail))
    else:
        code = str(record["code"])
        table.bad[code] += 1
        table.named[code] += code in found
        table.rejected[code] += bool(found)


def test_the_gold_set_is_wide_enough(table: Table) -> None:
    assert table.good >= 100
    assert table.bad.total() >= 100
    assert len(table.subjects) == 6
    assert table.languages == {"en", "de", "fr"}


def test_mechanical_faults_are_named(table: Table) -> None:
    mechanical = [code for code in table.bad if code not in JUDGEMENT]
    named = sum(table.named[code] for code in mechanical)
    assert named >= 0.95 * sum(table.bad[code] for code in mechanical)


@pytest.mark.parametrize("code", sorted(JUDGEMENT))
def test_faults_of_sense_are_mostly_named(table: Table, code: str) -> None:
    assert table.named[code] >= 0.8 * table.bad[code]


def test_good_entries_are_let_through(table: Table) -> None:
    assert len(table.lost) <= 0.02 * table.good, table.lost


def test_the_table_is_printed(table: Table) -> None:
    rows = [f"{'code':20} {'bad':>4} {'named':>6} {'rejected':>9}"]
    rows += [
        f"{code:20} {many:4} {table.named[code] / many:6.2f} {table.rejected[code] / many:9.2f}"
        for code, many in sorted(table.bad.items())
    ]
    rows.append(f"good entries {table.good}, falsely rejected {len(table.lost)}")
    sys.stdout.write("\n" + "\n".join(rows) + "\n")
    assert table.bad
