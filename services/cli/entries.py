"""``gristmill entries`` and ``show``: the rows of a dataset, and the whole history of one."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from services.cli.answers import Entry
from services.cli.chain import chain_page
from services.cli.finding import found
from services.cli.layout import heading, page, prose
from services.cli.summary import sample
from services.cli.wording import REJECTED

PAGE = 200
WIDEST = 110


def entries(
    dataset: str,
    *,
    status: str,
    reason: str | None,
    limit: int,
    as_json: bool,
    url: str | None,
    data: Path,
) -> None:
    """Show entries of one status. Raise ``GristmillError`` where the dataset is not known."""

    async def ask() -> tuple[list[Entry], int]:
        async with found(url, data) as api:
            asked: dict[str, str | int] = {
                "status": status,
                **({"reason": reason} if reason else {}),
            }
            taken: list[Entry] = []
            number = 1
            while True:
                size = min(PAGE, limit)
                answer = await api.entries(dataset, per_page=size, page=number, **asked)
                taken += answer.entries
                if len(taken) >= min(limit, answer.total) or not answer.entries:
                    return taken[:limit], answer.total
                number += 1

    shown, total = asyncio.run(ask())
    stdout = Console()
    if as_json:
        for entry in shown:
            stdout.print(
                json.dumps(_row(entry), ensure_ascii=False),
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
        return
    named = f"{status} ({reason})" if reason else status
    stdout.print(page(entries_page(shown, total, named, min(stdout.width, WIDEST))), soft_wrap=True)


def _row(entry: Entry) -> dict[str, Any]:
    return entry.model_dump(mode="json")


def entries_page(shown: Sequence[Entry], total: int, named: str, width: int) -> Iterator[Text]:
    """Entries one below the other, each with its id, its evidence and what was found against it."""
    if not shown:
        yield Text(f"No {named} entries.")
        return
    yield heading(f"{len(shown):,} of {total:,} {named} entries")
    for entry in shown:
        yield Text("")
        yield Text(f"  {entry.id}", style="dim")
        yield from sample(entry, width)
        if entry.content is None:
            yield Text("  (its text was erased)")
        for reason in entry.reasons:
            words = f"{reason.reason}: {reason.detail or REJECTED.get(reason.reason, '')}"
            text = prose(words, width, first="  rejected  ", rest=" " * 12)
            text.stylize("red")
            yield text


def show(entry: str, *, full: bool, url: str | None, data: Path) -> None:
    """Show the chain of an entry. Raise ``GristmillError`` where it is not known."""

    async def ask() -> Text:
        async with found(url, data) as api:
            return page(chain_page(await api.entry(entry), min(stdout.width, WIDEST), full=full))

    stdout = Console()
    stdout.print(asyncio.run(ask()), soft_wrap=True)
