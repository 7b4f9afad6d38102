"""Accepted entries of a dataset in plan order, sorted in a temporary file so that memory stays flat. Holds no texts."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import UUID

from contracts.entries import EntriesAdmitted, EntriesCurated, EntriesGenerated
from contracts.generation import Difficulty

_TABLES = """
pragma journal_mode = off;
pragma synchronous = off;
create table verdict (
    entry blob primary key, unit blob, category text, difficulty text, quality real
)
without rowid;
create table accepted (entry blob primary key) without rowid;
create table made (entry blob primary key, type text) without rowid;
create table unit (unit blob primary key, seed integer, said text) without rowid;
create index unit_seed on unit (seed);
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What curation settled about an accepted entry."""

    category: str
    difficulty: Difficulty | None
    quality: float


class Ordering:
    """Facts of a dataset's events, gathered in any order and read back by seed."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.executescript(_TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def generated(self, event: EntriesGenerated) -> None:
        self._db.execute(
            "insert or ignore into unit values (?, ?, ?)",
            (event.unit_id.bytes, event.seed, event.model_dump_json()),
        )
        self._db.executemany(
            "insert or ignore into made values (?, ?)",
            ((entry.entry_id.bytes, entry.type) for entry in event.entries),
        )

    def curated(self, event: EntriesCurated) -> None:
        self._db.executemany(
            "insert or replace into verdict values (?, ?, ?, ?, ?)",
            (
                (
                    verdict.entry_id.bytes,
                    verdict.unit_id.bytes,
                    verdict.category,
                    verdict.difficulty,
                    verdict.quality,
                )
                for verdict in event.verdicts
                if verdict.passed
            ),
        )

    def admitted(self, event: EntriesAdmitted) -> None:
        self._db.executemany(
            "insert or ignore into accepted values (?)",
            ((entry.bytes,) for entry in event.accepted),
        )

    def types(self) -> set[str]:
        """The types of the accepted entries."""
        rows = self._db.execute("select distinct type from made join accepted using (entry)")
        return {row[0] for row in rows}

    def answered(self, first: int, stop: int) -> int:
        """How many of the seeds ``[first, stop)`` a model answered, with entries or without."""
        found = self._db.execute(
            "select count(distinct seed) from unit where seed >= ? and seed < ?", (first, stop)
        )
        count: int = found.fetchone()[0]
        return count

    def units(self) -> Iterator[tuple[EntriesGenerated, dict[UUID, Kept]]]:
        """Units that have accepted entries, by seed, each with these entries."""
        rows = self._db.execute(
            """
            select unit.said, verdict.entry, verdict.category, verdict.difficulty, verdict.quality
            from unit join verdict on verdict.unit = unit.unit
            join accepted on accepted.entry = verdict.entry
            order by unit.seed, unit.unit
            """
        )
        yield from _grouped(rows)


def _grouped(
    rows: Iterable[tuple[str, bytes, str, Difficulty | None, float]],
) -> Iterator[tuple[EntriesGenerated, dict[UUID, Kept]]]:
    said: str | None = None
    kept: dict[UUID, Kept] = {}
    for text, entry, category, difficulty, quality in rows:
        if said is not None and text != said:
            yield EntriesGenerated.model_validate_json(said, extra="ignore"), kept
            kept = {}
        said = text
        kept[UUID(bytes=entry)] = Kept(category, difficulty, quality)
    if said is not None:
        yield EntriesGenerated.model_validate_json(said, extra="ignore"), kept
