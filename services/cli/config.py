"""``gristmill config``: the settings as they hold. Starts nothing and shows no secret."""

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from services.cli.layout import columns, page
from shared.settings import Explained, check_environment, explain_settings, load_settings
from shared.settings_file import USUAL, VARIABLE, settings_file


def config(*, as_json: bool, **flags: Any) -> None:
    """Print every setting with its origin. Raise ``GristmillError`` where one is wrong."""
    check_environment(os.environ)
    explained = explain_settings(load_settings(**flags), os.environ, **flags)
    if as_json:
        for each in explained:
            line = {
                "setting": each.name,
                "value": each.value,
                "origin": each.origin,
                "variable": each.variable,
            }
            typer.echo(json.dumps(line, ensure_ascii=False))
        return
    file = settings_file(os.environ)
    Console().print(page(_page(explained, None if file is None else str(file))), soft_wrap=True)


def _page(explained: Sequence[Explained], file: str | None) -> Iterator[Text]:
    yield from columns(
        [(each.name, each.value, f"from the {each.origin}", each.variable) for each in explained]
    )
    named = f"{file} holds settings by these names." if file else f"No file: {USUAL} or --config."
    yield Text(
        f"{named} A flag wins over the environment, the environment over the file ({VARIABLE})."
    )
