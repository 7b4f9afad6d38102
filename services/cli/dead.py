"""``gristmill dead``: messages that nobody could use, to be looked at, said again or dropped."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from services.cli.answers import DeadLetter, DeadLetters, DeadLetterWhole
from services.cli.finding import found
from services.cli.layout import columns, heading, page
from services.cli.wording import size

WIDEST = 100
"""Characters of a reason in a list."""


def newest(limit: int, url: str | None, data: Path, *, as_json: bool) -> None:
    """Show the newest of them."""

    async def ask() -> DeadLetters:
        async with found(url, data) as api:
            return await api.dead_letters(limit)

    letters, console = asyncio.run(ask()), Console()
    if not as_json:
        console.print(page(list_page(letters)), soft_wrap=True)
        return
    for each in letters.dead_letters:
        console.print(each.model_dump_json(), markup=False, highlight=False, soft_wrap=True)


def whole(letter: str, url: str | None, data: Path) -> None:
    """Show one of them with all it holds. Raise ``GristmillError`` where it is not there."""

    async def ask() -> DeadLetterWhole:
        async with found(url, data) as api:
            return await api.dead_letter(letter)

    Console().print(page(letter_page(asyncio.run(ask()))), soft_wrap=True)


def end(letters: Sequence[str], url: str | None, data: Path, *, again: bool) -> None:
    """Have each of them said again, or taken away. Raise ``GristmillError`` for the first with which it fails."""
    console = Console()

    async def ask() -> None:
        async with found(url, data) as api:
            for letter in letters:
                said = await (api.retry_dead_letter if again else api.drop_dead_letter)(letter)
                console.print(said.message, markup=False, highlight=False, soft_wrap=True)

    asyncio.run(ask())


def list_page(letters: DeadLetters) -> Iterator[Text]:
    """One a line, the newest first."""
    if not letters.dead_letters:
        yield Text("No dead letters: every message could be used.")
        return
    older = ", and older ones" if letters.older else ""
    yield heading(f"{len(letters.dead_letters)} of {letters.total:,} dead letters{older}")
    yield from columns(
        [
            (
                each.id,
                f"{each.buried_at:%Y-%m-%d %H:%M:%S}",
                each.service,
                each.type or each.subject,
                f"[{each.code}] {each.reason[:WIDEST]}",
            )
            for each in letters.dead_letters
        ]
    )


def letter_page(letter: DeadLetterWhole) -> Iterator[Text]:
    """Where it came from, why it is here, what it says."""
    yield heading(f"dead letter {letter.id}")
    rows = _facts(letter) + sorted(letter.headers.items())
    yield from columns(rows)
    body = letter.body
    text = body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)
    yield heading(f"body, {letter.encoding}{', its beginning' if letter.truncated else ''}")
    yield Text(text)


def _facts(letter: DeadLetter) -> list[tuple[str, str]]:
    found = [
        ("buried", f"{letter.buried_at:%Y-%m-%d %H:%M:%S %Z} by {letter.service}"),
        ("reason", f"{letter.reason} [{letter.code}]"),
        ("said on", letter.subject),
        ("type", letter.type or "none"),
        ("size", size(letter.size)),
    ]
    if letter.job_id:
        found.append(("job", letter.job_id))
    if letter.retry_of:
        found.append(("said again", f"it had been dead letter {letter.retry_of}"))
    return found
