"""``gristmill doctor``: everything that is needed, looked at, one line each. Starts and changes nothing."""

import asyncio
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from services.cli import checkup
from services.cli.checkup import Finding
from services.cli.layout import columns, page, prose

STYLE = {"ok": "green", "note": "", "warn": "yellow", "fail": "bold red"}


def doctor(data: Path | None, *, as_json: bool) -> int:
    """Print what was found; 1 where something must be mended before Gristmill can work."""
    findings = asyncio.run(_look(data))
    if as_json:
        for each in findings:
            line = {name: getattr(each, name) for name in Finding.__slots__}
            typer.echo(json.dumps(line, ensure_ascii=False))
    else:
        Console().print(page(_page(findings)), soft_wrap=True)
    return int(any(each.level == "fail" for each in findings))


async def _look(data: Path | None) -> list[Finding]:
    settings, first = checkup.settings_found(data)
    found = [first, *checkup.versions()]
    found += [each async for each in checkup.servers()]
    if settings is None:
        return found
    found += checkup.machine(settings.data)
    found += [each async for each in checkup.gateway(settings)]
    found += [each async for each in checkup.outside_servers(settings, os.environ)]
    found += [each async for each in checkup.models(settings)]
    return found


def _page(findings: Sequence[Finding]) -> Iterator[Text]:
    lines = columns([(each.level, each.what, each.detail) for each in findings])
    for each, line in zip(findings, lines, strict=True):
        line.stylize(STYLE[each.level], 2, 2 + len(each.level))
        yield line
        if each.mend:
            yield prose(each.mend, 100, first="        → ", rest="          ")
    bad = sum(each.level == "fail" for each in findings)
    yield Text(f"{bad} to be mended first." if bad else "Everything that is needed is there.")
