"""Logs that older versions wrote, as rows for a database of today: ``tests/data/logs/*.jsonl.gz``, never edited.

Each was made by the demo of the version that it is named after, on a short text: events, streams with the states that
their processes had, and projects.
"""

import gzip
import json
from pathlib import Path
from typing import Any

import asyncpg

LOGS = sorted((Path(__file__).parent / "logs").glob("*.jsonl.gz"))


def rows(log: Path, table: str) -> list[dict[str, Any]]:
    with gzip.open(log, "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    return [row for row in found if row.pop("table") == table]


async def install(admin_url: str, log: Path) -> None:
    """Write an old log into an empty database, as if it had lain there."""
    connection = await asyncpg.connect(admin_url)
    try:
        async with connection.transaction():
            for table in ("events", "streams", "projects"):
                await connection.execute(
                    f"insert into ledger.{table} select * from"  # noqa: S608 - a name of ours
                    f" jsonb_populate_recordset(null::ledger.{table}, $1::jsonb)",
                    json.dumps(_filled(table, rows(log, table))),
                )
            await connection.execute(
                "update ledger.logs set head = (select max(pos) from ledger.events)"
            )
            await connection.execute("update ledger.checkpoints set pos = 0")
    finally:
        await connection.close()


def _filled(table: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With what columns that came later have by default, for what was there before them."""
    later = {"events": {"log_id": 1}, "streams": {}, "projects": {}}[table]
    return [later | row for row in found]
