"""The README keeps up with the code: settings with their defaults, commands, reasons, formats, make's words, paths."""

import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import get_args

import typer
from pydantic import SecretStr

from contracts.entries import Reason
from contracts.generation import Mode
from services.cli.__main__ import app
from services.generate.skipping import SkipReason
from shared.settings import OF_TESTS, Settings, variables
from shared.settings_file import VARIABLE

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
CELLS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| ")
]
MOST_LINES = 700
TOPS = "contracts|shared|services|tests|deploy"


def named(text: str) -> set[str]:
    """What stands in backticks outside of fenced blocks."""
    return set(re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^```.*?^```$", "", text)))


def shown(default: object) -> str:
    """A default as its row has it."""
    match default:
        case None:
            return "none"
        case SecretStr():
            return f"`{default.get_secret_value()}`"
        case float():
            return f"`{default:g}`"
        case _:
            return f"`{default}`"


def test_every_setting_has_a_row_with_its_default() -> None:
    rows = {name: row for row in CELLS if len(row) == 3 for name in named(row[0])}
    for name, field in Settings.model_fields.items():
        known = [rows[each] for each in variables(name, field) if each in rows]
        assert known, f"README.md has no row for the setting {name}"
        assert known[0][1] == shown(field.default), f"README.md has another default of {name}"


def test_no_setting_is_named_that_is_none() -> None:
    known = {v for n, f in Settings.model_fields.items() for v in variables(n, f)} | {VARIABLE}
    found = set(re.findall(r"\bGRISTMILL_[A-Z_]+", TEXT))
    assert {name for name in found if not name.startswith(OF_TESTS)} <= known


def test_every_command_has_a_row_with_an_example() -> None:
    commands = getattr(typer.main.get_command(app), "commands", {})
    rows = {row[0]: row for row in CELLS if row[0].startswith("`gristmill ")}
    assert set(rows) == {f"`gristmill {name}`" for name in commands}
    for name in commands:
        assert rows[f"`gristmill {name}`"][2].startswith(f"`gristmill {name}")


def test_every_reason_has_a_row_in_the_order_in_which_one_is_named() -> None:
    reasons = get_args(Reason)
    told = [row[0].strip("`") for row in CELLS if row[0].strip("`") in reasons]
    assert told == list(reasons)


def test_every_format_mode_and_reason_to_skip_is_named() -> None:
    formats = {point.name for point in entry_points(group="gristmill.formats")}
    assert formats | set(get_args(Mode)) | set(get_args(SkipReason)) <= named(TEXT)


def test_every_path_that_is_named_is_there() -> None:
    paths = {
        each
        for each in named(TEXT)
        if re.fullmatch(rf"(?:{TOPS})/[\w./-]+|[\w./-]+\.(?:py|toml)", each)
    }
    assert len(paths) > 20
    gone = sorted(each for each in paths if "/" in each and not (ROOT / each).exists())
    assert gone == []


def test_every_word_of_make_and_every_module_is_there() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^ {4}|`|\$ )make (\w+)", TEXT, re.MULTILINE)) <= targets
    for module in re.findall(r"python -m ([\w.]+)", TEXT):
        path = ROOT.joinpath(*module.split("."))
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_it_is_short_enough_to_be_read() -> None:
    assert len(TEXT.splitlines()) <= MOST_LINES
